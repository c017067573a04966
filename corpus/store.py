"""The records of one work folder, in one database, with a log of every change.

A work folder belongs to one body (a province's department, a broker) and holds ``cungcau.sqlite``,
or names a PostgreSQL server (see :mod:`corpus.database`). Records are kept as JSON by kind and id:
what a spreadsheet may carry grows with the years, and a new optional fact must not need a new
column. Every change gets the next *revision* and a *digest* chained to the one before, so that a
snapshot can say exactly which state of which store it indexes.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from corpus.database import FILE, Database, StoreError, explain, located
from corpus.records import Record
from corpus.schema import change_table, idempotency_table, metadata, record_table
from corpus.writing import (
    EMPTY_DIGEST,
    ConflictError,
    State,
    Writing,
    matching,
    present,
    records,
    state_of,
)

__all__ = [
    "EMPTY_DIGEST",
    "FILE",
    "Answered",
    "Change",
    "ConflictError",
    "KeyReusedError",
    "Saved",
    "State",
    "Store",
    "StoreError",
    "Writing",
    "default_folder",
    "metadata",
]

BATCH = 1_000  # rows in one transaction, so that readers and other writers get their turn
KEEP_DAYS = 7  # how long the answer to a request is kept for its repetition

R = TypeVar("R", bound=Record)


class KeyReusedError(StoreError):
    """An idempotency key was used before, for another request."""


@dataclass(frozen=True)
class Saved:
    """What one :meth:`Store.save` did."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class Change:
    """One line of the log: what happened to a record, by whom (login) and when (ISO, UTC).

    ``before`` and ``after`` are bodies; ``after`` is told by :meth:`Store.history` only.
    """

    revision: int
    kind: str
    id: str
    action: str  # added | changed | removed
    actor: str | None  # none: the command line
    at: str | None  # none: a load
    source: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None = None


@dataclass(frozen=True)
class Answered:
    """What a request was answered with, and whether that was before."""

    status: int
    body: str
    repeated: bool


class Store:
    """Open with :meth:`create` or :meth:`open`; use as a context manager.

    One store may be used from many threads at once.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._here = threading.local()  # the write transaction that this thread is in

    @property
    def name(self) -> str:
        """What to call it: its folder, or its URL without the password."""
        return self.database.name

    @classmethod
    def create(cls, where: Path | str) -> Store:
        """Open the store of a folder or URL, making folder, file and tables where missing."""
        return cls._opened(Database.of(located(where)), create=True)

    @classmethod
    def open(cls, where: Path | str) -> Store:
        """Open an existing store, bringing its tables up to date.

        Raises:
            StoreError: there is none, or it cannot be read or written.
        """
        place = located(where)
        if isinstance(place, Path) and not (place / FILE).is_file():
            raise StoreError(_nothing(str(place)))
        return cls._opened(Database.of(place), create=False)

    @classmethod
    def _opened(cls, database: Database, create: bool) -> Store:
        store = cls(database)
        try:
            store._migrate(create)
        except BaseException as error:
            database.close()
            if isinstance(error, OSError | sa.exc.DBAPIError):
                told = explain(database.name, database.folder, error)
                raise StoreError(told) from error
            raise
        return store

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def _migrate(self, create: bool) -> None:
        """Run the migrations that this database has not seen.

        One that has seen them all is only read: it opens while another process writes.
        """
        config = Config()
        scripts = str(resources.files("corpus") / "migrations")
        config.set_main_option("script_location", scripts.replace("%", "%%"))
        known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
        with self.database.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        if found == known[0]:
            return
        if found is None and self.database.server and not create:
            raise StoreError(_nothing(self.name))
        if found is not None and found not in known:
            raise StoreError(
                f"dữ liệu trong {self.name} được tạo bởi phiên bản mới hơn của Cung Cầu "
                f"(tệp {found}, chương trình {known[0]}): cập nhật chương trình"
            )
        with self.database.connection() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    # Reading ---------------------------------------------------------------------------------

    def state(self, *kinds: str) -> State:
        """Return the current revision (0 for an empty store) and digest.

        With ``kinds``: those after the last change of any of them, so that what depends on
        technologies only need not be made anew for every decision.
        """
        with self.database.transaction() as connection:
            return state_of(connection, kinds)

    def changed_since(self, revision: int, *kinds: str) -> int:
        """Return how many changes of ``kinds`` came after ``revision``."""
        change = change_table.c
        query = sa.select(sa.func.count()).where(change.kind.in_(kinds), change.revision > revision)
        with self.database.transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def digest_at(self, revision: int) -> str | None:
        """Return the chain's digest at ``revision``; ``None`` if the store never was there."""
        if revision == 0:
            return EMPTY_DIGEST
        query = sa.select(change_table.c.digest).where(change_table.c.revision == revision)
        with self.database.transaction() as connection:
            return connection.execute(query).scalar()

    def hashes(self, kind: str) -> dict[str, str]:
        """Return id → content hash of all records of ``kind``."""
        table = record_table.c
        query = sa.select(table.id, table.hash).where(table.kind == kind)
        with self.database.transaction() as connection:
            return {row.id: row.hash for row in connection.execute(query)}

    def all(self, kind: type[R]) -> list[R]:
        """Return every record of ``kind``, ordered by id."""
        with self.database.transaction() as connection:
            return list(records(connection, kind))

    def bodies(self, kind: type[Record]) -> dict[str, bytes]:
        """Return id → body as JSON of every record of ``kind``, ordered by id."""
        table = record_table.c
        # Neither driver is to make anything of the JSON, and SQLite not even text.
        body = sa.cast(table.body, sa.Text if self.database.server else sa.LargeBinary)
        query = sa.select(table.id, body).where(table.kind == kind.kind_name).order_by(table.id)
        with self.database.transaction() as connection:
            rows = connection.execute(query).all()
        return {key: told.encode() if isinstance(told, str) else told for key, told in rows}

    def find(self, kind: type[R], **facts: str) -> list[R]:
        """Return the records of ``kind`` whose fields equal ``facts``, ordered by id."""
        with self.database.transaction() as connection:
            return list(matching(connection, kind, facts))

    def stating(self, kind: type[R], field: str) -> list[R]:
        """Return the records of ``kind`` that state ``field`` at all, ordered by id."""
        table = record_table.c
        there = (table.kind == kind.kind_name) & table.body[field].as_string().is_not(None)
        query = sa.select(table.body).where(there).order_by(table.id)
        with self.database.transaction() as connection:
            return [kind.model_validate(body) for body in connection.execute(query).scalars()]

    def present(self, kind: type[Record], keys: Iterable[str]) -> frozenset[str]:
        """Return which of ``keys`` are ids of records of ``kind``."""
        with self.database.transaction() as connection:
            return present(connection, kind, keys)

    def all_with_state(self, kind: type[R]) -> tuple[State, list[R]]:
        """Return every record of ``kind`` and the one state of the store that they show."""
        with self.database.transaction() as connection:
            return state_of(connection), list(records(connection, kind))

    def changes_with_state(
        self, kind: type[R], since: int
    ) -> tuple[State, list[R], frozenset[str]]:
        """Return what changed after revision ``since``, and the one state that it leads to.

        Records that were added or changed stand as they are now, ordered by id; the ids of those
        that are no longer there stand apart.
        """
        change, record = change_table.c, record_table.c
        wanted = (change.kind == kind.kind_name) & (change.revision > since)
        touched = sa.select(change.id).where(wanted).distinct()
        there = (record.kind == kind.kind_name) & record.id.in_(touched)
        query = sa.select(record.body).where(there).order_by(record.id)
        with self.database.transaction() as connection:
            ids = frozenset(connection.execute(touched).scalars())
            found = [kind.model_validate(body) for body in connection.execute(query).scalars()]
            return state_of(connection), found, ids - {each.key for each in found}

    def get(self, kind: type[R], key: str) -> R | None:
        """Return one record, or ``None``."""
        with self.database.transaction() as connection:
            return next(records(connection, kind, key), None)

    # The log of changes ----------------------------------------------------------------------

    def history(self, kind: type[Record], key: str) -> list[Change]:
        """Return what happened to one record, oldest first, also after it was removed."""
        change = change_table.c
        query = _log().where(change.kind == kind.kind_name, change.id == key)
        with self.database.transaction() as connection:
            rows = connection.execute(query.order_by(change.revision)).all()
            now = next(records(connection, kind, key), None)
        story = [Change(*row) for row in rows]
        if not story:  # nothing of that name ever was
            return []
        bodies = [each.before for each in story[1:]] + [now.to_json() if now else None]
        return [replace(each, after=body) for each, body in zip(story, bodies, strict=True)]

    def changes(
        self,
        kind: str | None = None,
        actor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        before: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Change]:
        """Return changes, newest first.

        Args:
            kind: of these records only.
            actor: by this login only; ``""``: by the command line only.
            since: ISO 8601 in UTC (or its beginning): at that moment or later; loads have no time.
            until: earlier than that moment.
            before: below that revision, so that paging is stable while others write.
            limit: at most so many.
            offset: after so many.
        """
        change = change_table.c
        query = _log().order_by(change.revision.desc()).limit(limit).offset(offset)
        if kind is not None:
            query = query.where(change.kind == kind)
        if actor is not None:
            query = query.where(change.actor == actor if actor else change.actor.is_(None))
        if since is not None:
            query = query.where(change.at >= since)
        if until is not None:
            query = query.where(change.at < until)
        if before is not None:
            query = query.where(change.revision < before)
        with self.database.transaction() as connection:
            return [Change(*row) for row in connection.execute(query)]

    # Writing ---------------------------------------------------------------------------------

    @contextmanager
    def writing(self, actor: str | None = None, at: str | None = None) -> Iterator[Writing]:
        """Open one write transaction: all of it happens, or nothing.

        Inside another of the same thread it is part of that one.
        """
        around: Writing | None = getattr(self._here, "writing", None)
        if around is not None:
            yield around
            return
        with self.database.transaction(write=True) as connection:
            self._here.writing = Writing(connection, actor, at)
            try:
                yield self._here.writing
            finally:
                self._here.writing = None

    def save(
        self, records: Sequence[Record], actor: str | None = None, at: str | None = None
    ) -> Saved:
        """Add or replace ``records``; equal ones change nothing. In short transactions."""
        totals = [0, 0, 0]
        for start in range(0, len(records), BATCH):
            with self.writing(actor, at) as writing:
                counts = writing.save(records[start : start + BATCH])
            totals = [total + count for total, count in zip(totals, counts, strict=True)]
        return Saved(*totals)

    def edit(self, record: R, *, actor: str | None, at: str | None, expected: str | None) -> R:
        """Add or replace one record: see :meth:`corpus.writing.Writing.edit`."""
        with self.writing(actor, at) as writing:
            return writing.edit(record, expected)

    def remove(
        self, kind: type[Record], key: str, *, actor: str | None, at: str | None, expected: str
    ) -> None:
        """Take one record out: see :meth:`corpus.writing.Writing.remove`."""
        with self.writing(actor, at) as writing:
            writing.remove(kind, key, expected)

    def once(
        self,
        key: str,
        actor: str,
        request_hash: str,
        at: dt.datetime,
        answer: Callable[[], tuple[int, str]],
    ) -> Answered:
        """Answer a request that may be sent twice; the second time as the first, doing nothing.

        What ``answer`` writes and what is remembered of it are one transaction. If it raises,
        nothing is written or remembered.

        Args:
            key: the sender's key for the request.
            actor: the sender's login; two senders may use the same key.
            request_hash: hex SHA-256 of what was asked.
            at: now, in UTC.
            answer: does the work and returns status and body.

        Raises:
            KeyReusedError: the key was used for another request.
        """
        table = idempotency_table.c
        mine = (table.key == key) & (table.actor == actor)
        with self.writing(actor, at.isoformat(timespec="seconds")) as writing:
            connection = writing.connection
            old = connection.execute(sa.select(idempotency_table).where(mine)).first()
            if old is not None and old.request_hash != request_hash:
                raise KeyReusedError(f"khóa {key!r} đã dùng cho một yêu cầu khác: dùng khóa mới")
            if old is not None:
                return Answered(old.status, old.body, True)
            status, body = answer()
            _forget(connection, at - dt.timedelta(days=KEEP_DAYS))
            row = {"key": key, "actor": actor, "request_hash": request_hash, "status": status}
            when = at.isoformat(timespec="seconds")
            connection.execute(idempotency_table.insert().values(row | {"body": body, "at": when}))
            return Answered(status, body, False)


def _log() -> sa.Select[Any]:
    change = change_table.c
    return sa.select(
        change.revision, change.kind, change.id, change.action, change.actor, change.at,
        change.source, change.before,
    )  # fmt: skip


def _forget(connection: Connection, before: dt.datetime) -> None:
    old = idempotency_table.c.at < before.isoformat(timespec="seconds")
    connection.execute(idempotency_table.delete().where(old))


def _nothing(name: str) -> str:
    return (
        f"chưa có dữ liệu trong {name}: chạy `cungcau init` rồi `cungcau load`, "
        "hoặc chỉ thư mục khác bằng --data"
    )


def default_folder() -> Path:
    """The work folder: ``CUNGCAU_DATA`` if set, else ``data`` where the command runs."""
    return Path(os.environ.get("CUNGCAU_DATA") or "data")
