"""The records of one work folder, in one SQLite file, with a log of every change.

A work folder belongs to one body (a province's department, a broker) and holds ``cungcau.sqlite``.
Records are kept as JSON by kind and id: what a spreadsheet may carry grows with the years, and a
new optional fact must not need a new column. Every change gets the next *revision* and a *digest*
chained to the one before, so that a snapshot can say exactly which state of which store it indexes.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from corpus.records import Record

FILE = "cungcau.sqlite"
BUSY_MS = 30_000
BATCH = 1_000  # rows in one transaction, so that readers and other writers get their turn
EMPTY_DIGEST = "0" * 64

metadata = sa.MetaData()
record_table = sa.Table(
    "record",
    metadata,
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("id", sa.String(250), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)
change_table = sa.Table(
    "change",
    metadata,
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("id", sa.String(250), nullable=False),
    sa.Column("action", sa.String(10), nullable=False),  # added | changed
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("before", sa.JSON),  # the body that was replaced: nothing is lost silently
    sa.Column("source", sa.Text),
    sa.Column("digest", sa.String(64), nullable=False),
)

R = TypeVar("R", bound=Record)


class StoreError(RuntimeError):
    """The store cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class State:
    """Where a store stands: number of changes so far and the digest of their chain."""

    revision: int
    digest: str


@dataclass(frozen=True)
class Saved:
    """What one :meth:`Store.save` did."""

    added: int
    changed: int
    unchanged: int


class Store:
    """Open with :meth:`create` or :meth:`open`; use as a context manager."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self.folder = folder

    @classmethod
    def create(cls, folder: Path) -> Store:
        """Open the store of ``folder``, making folder, file and tables where they are missing."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            store = cls(_connect(folder / FILE), folder)
            store._migrate()
        except (OSError, sa.exc.DatabaseError) as error:
            raise StoreError(_explain(folder, error)) from error
        return store

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open an existing store, bringing its tables up to date.

        Raises:
            StoreError: there is none, or it cannot be read or written.
        """
        if not (folder / FILE).is_file():
            raise StoreError(
                f"chưa có dữ liệu trong {folder}: chạy `cungcau init` rồi `cungcau load`, "
                "hoặc chỉ thư mục khác bằng --data"
            )
        return cls.create(folder)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def _migrate(self) -> None:
        """Run the migrations that this file has not seen.

        A file that has seen them all is only read: it opens while another process writes.
        """
        config = Config()
        scripts = str(resources.files("corpus") / "migrations")
        config.set_main_option("script_location", scripts.replace("%", "%%"))
        known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
        with self._engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        if found == known[0]:
            return
        if found is not None and found not in known:
            raise StoreError(
                f"dữ liệu trong {self.folder} được tạo bởi phiên bản mới hơn của Cung Cầu "
                f"(tệp {found}, chương trình {known[0]}): cập nhật chương trình"
            )
        with self._engine.execution_options(write=True).connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def _transaction(self, write: bool = False) -> Iterator[Connection]:
        """Open one transaction; what the database cannot do is raised as a StoreError."""
        try:
            with self._engine.execution_options(write=write).begin() as connection:
                yield connection
        except sa.exc.DatabaseError as error:
            raise StoreError(_explain(self.folder, error)) from error

    def state(self) -> State:
        """Return the current revision (0 for an empty store) and digest."""
        with self._transaction() as connection:
            return _state(connection)

    def digest_at(self, revision: int) -> str | None:
        """Return the chain's digest at ``revision``; ``None`` if the store never was there."""
        if revision == 0:
            return EMPTY_DIGEST
        query = sa.select(change_table.c.digest).where(change_table.c.revision == revision)
        with self._transaction() as connection:
            return connection.execute(query).scalar()

    def hashes(self, kind: str) -> dict[str, str]:
        """Return id → content hash of all records of ``kind``."""
        table = record_table.c
        query = sa.select(table.id, table.hash).where(table.kind == kind)
        with self._transaction() as connection:
            return {row.id: row.hash for row in connection.execute(query)}

    def all(self, kind: type[R]) -> list[R]:
        """Return every record of ``kind``, ordered by id."""
        with self._transaction() as connection:
            return list(_records(connection, kind))

    def all_with_state(self, kind: type[R]) -> tuple[State, list[R]]:
        """Return every record of ``kind`` and the one state of the store that they show."""
        with self._transaction() as connection:
            return _state(connection), list(_records(connection, kind))

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
        with self._transaction() as connection:
            ids = frozenset(connection.execute(touched).scalars())
            found = [kind.model_validate(body) for body in connection.execute(query).scalars()]
            return _state(connection), found, ids - {each.key for each in found}

    def get(self, kind: type[R], key: str) -> R | None:
        """Return one record, or ``None``."""
        with self._transaction() as connection:
            return next(_records(connection, kind, key), None)

    def save(self, records: Sequence[Record]) -> Saved:
        """Add or replace ``records``; equal ones change nothing. In short transactions."""
        totals = [0, 0, 0]
        for start in range(0, len(records), BATCH):
            with self._transaction(write=True) as connection:
                counts = _save(connection, records[start : start + BATCH])
            totals = [total + count for total, count in zip(totals, counts, strict=True)]
        return Saved(*totals)


def _connect(path: Path) -> Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),  # a path may hold "?" or "%"
        poolclass=sa.pool.NullPool,  # no connection is carried over a fork
        connect_args={"timeout": BUSY_MS / 1000},
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False),
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's BEGIN, not the driver's, see below
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that will write takes its lock at once: two that read first would deadlock.
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _records(connection: Connection, kind: type[R], key: str | None = None) -> Iterator[R]:
    table = record_table.c
    query = sa.select(table.body).where(table.kind == kind.kind_name).order_by(table.id)
    if key is not None:
        query = query.where(table.id == key)
    return (kind.model_validate(body) for body in connection.execute(query).scalars())


def _state(connection: Connection) -> State:
    query = sa.select(change_table.c.revision, change_table.c.digest).order_by(
        change_table.c.revision.desc()
    )
    row = connection.execute(query.limit(1)).first()
    return State(row.revision, row.digest) if row else State(0, EMPTY_DIGEST)


def _save(connection: Connection, records: Iterable[Record]) -> tuple[int, int, int]:
    state = _state(connection)
    added = changed = unchanged = 0
    for record in records:
        old = _row(connection, record.kind_name, record.key)
        content = record.content_hash()
        if old is not None and old.hash == content:
            unchanged += 1
            continue
        added, changed = (added + 1, changed) if old is None else (added, changed + 1)
        state = _write(connection, record, content, old, state)
    return added, changed, unchanged


def _row(connection: Connection, kind: str, key: str) -> sa.Row[Any, Any] | None:
    table = record_table.c
    query = sa.select(table.hash, table.body).where(table.kind == kind, table.id == key)
    return connection.execute(query).first()


def _write(
    connection: Connection,
    record: Record,
    content: str,
    old: sa.Row[Any, Any] | None,
    state: State,
) -> State:
    action = "added" if old is None else "changed"
    fact = f"{state.digest} {action} {record.kind_name} {record.key} {content}"
    state = State(state.revision + 1, hashlib.sha256(fact.encode()).hexdigest())
    row = {"kind": record.kind_name, "id": record.key, "hash": content}
    table = record_table.c
    body = {"body": record.to_json(), "revision": state.revision}
    if old is None:
        connection.execute(record_table.insert().values(**row, **body))
    else:
        where = (table.kind == record.kind_name) & (table.id == record.key)
        connection.execute(record_table.update().where(where).values(hash=content, **body))
    log = {"action": action, "before": old.body if old else None, "source": record.source}
    connection.execute(
        change_table.insert().values(revision=state.revision, digest=state.digest, **row, **log)
    )
    return state


def _explain(folder: Path, error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(getattr(error, "orig", error))
    if isinstance(error, PermissionError) or "readonly" in text or "unable to open" in text:
        return f"không ghi được vào {folder}: kiểm tra quyền ghi của thư mục"
    if "full" in text or "No space" in text:
        return (
            f"đĩa chứa {folder} đã đầy: giải phóng dung lượng rồi chạy lại; dữ liệu cũ còn nguyên"
        )
    if "locked" in text:
        return f"dữ liệu trong {folder} đang được tiến trình khác ghi: chờ rồi chạy lại"
    if "not a database" in text or "malformed" in text:
        return f"{folder / FILE} không phải tệp dữ liệu của Cung Cầu hoặc đã hỏng"
    return f"không dùng được dữ liệu trong {folder}: {text}"


def default_folder() -> Path:
    """The work folder: ``CUNGCAU_DATA`` if set, else ``data`` where the command runs."""
    return Path(os.environ.get("CUNGCAU_DATA") or "data")
