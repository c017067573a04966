"""One transaction that changes records: the next revision, the chained digest, who and when.

All writers take turns (see :mod:`corpus.database`), so what is read here stays true until the end,
and a check of what an editor had seen is a plain comparison.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.database import StoreError
from corpus.records import Record
from corpus.schema import change_table, record_table

EMPTY_DIGEST = "0" * 64
MANY = 500  # records written at a time; SQLite takes so many parameters, and more
Key = tuple[str, str]  # kind and id
R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class State:
    """Where a store stands: number of changes so far and the digest of their chain."""

    revision: int
    digest: str


class ConflictError(StoreError):
    """Somebody else changed the record since it was read; ``current`` is how it stands now."""

    def __init__(self, record: type[Record], key: str, current: Record | None) -> None:
        there = "đã được người khác sửa" if current else "không còn"
        super().__init__(f"{record.label.lower()} {key!r} {there}: xem lại rồi làm tiếp")
        self.current = current


class Writing:
    """What may be done inside one write transaction; :meth:`corpus.store.Store.writing` opens it.

    Who and when (``actor``, ``at``) go into the log of every change that it makes.
    """

    def __init__(self, connection: Connection, actor: str | None, at: str | None) -> None:
        self.connection, self.actor, self.at = connection, actor, at
        self.state = state_of(connection)

    def get(self, kind: type[R], key: str) -> R | None:
        """Return one record as it stands in this transaction, or ``None``."""
        return next(records(self.connection, kind, key), None)

    def find(self, kind: type[R], **facts: str) -> list[R]:
        """Return the records of ``kind`` whose fields equal ``facts``, ordered by id."""
        return list(matching(self.connection, kind, facts))

    def present(self, kind: type[Record], keys: Iterable[str]) -> frozenset[str]:
        """Return which of ``keys`` are ids of records of ``kind``."""
        return present(self.connection, kind, keys)

    def unchanged(self, record: Record, expected: str) -> None:
        """Check that ``record``, as read here, is what its editor saw.

        Raises:
            ConflictError: it is not.
        """
        if record.content_hash() != expected:
            raise ConflictError(type(record), record.key, record)

    def next_id(self, kind: type[Record], prefix: str) -> str:
        """Return the next free id such as ``DS-0001``; ids of removed records are not free."""
        change = change_table.c
        query = sa.select(change.id).where(
            change.kind == kind.kind_name, change.id.startswith(f"{prefix}-", autoescape=True)
        )
        numbered = re.compile(rf"{re.escape(prefix)}-(\d{{1,9}})")
        found = (numbered.fullmatch(key) for key in self.connection.execute(query).scalars())
        return f"{prefix}-{max((int(each[1]) for each in found if each), default=0) + 1:04}"

    def edit(self, record: R, expected: str | None) -> R:
        """Add ``record`` (``expected`` none), or replace the one whose content hash was read.

        Raises:
            ConflictError: it is there already, is gone, or is not what its editor saw.
        """
        old = self._row(record.kind_name, record.key)
        if (old.hash if old else None) != expected:
            kind = type(record)
            raise ConflictError(kind, record.key, kind.model_validate(old.body) if old else None)
        self._save([record])
        return record

    def remove(self, kind: type[Record], key: str, expected: str) -> None:
        """Take a record out; the log keeps its body.

        Raises:
            ConflictError: it is gone, or is not what its editor saw.
        """
        old = self._row(kind.kind_name, key)
        if old is None or old.hash != expected:
            raise ConflictError(kind, key, kind.model_validate(old.body) if old else None)
        table = record_table.c
        where = (table.kind == kind.kind_name) & (table.id == key)
        self.connection.execute(record_table.delete().where(where))
        self._log("removed", kind.kind_name, key, old.hash, old.body, old.body.get("source"))

    def save(self, some: Iterable[Record]) -> tuple[int, int, int]:
        """Add or replace whatever is there; return how many were added, changed, unchanged.

        What is there is read, and what changes is written, for many records at a time.
        """
        counts = [0, 0, 0]
        waiting = iter(some)
        while batch := list(islice(waiting, MANY)):
            for number, count in enumerate(self._save(batch)):
                counts[number] += count
        return counts[0], counts[1], counts[2]

    def _save(self, batch: Sequence[Record]) -> tuple[int, int, int]:
        there = self._rows(batch)
        known = dict(there)  # grows: a record may stand in a batch twice
        new: dict[Key, dict[str, Any]] = {}
        logged: list[dict[str, Any]] = []
        for record in batch:
            key, content = (record.kind_name, record.key), record.content_hash()
            old = known.get(key)
            if old is not None and old[0] == content:
                continue
            action, before = ("added", None) if old is None else ("changed", old[1])
            logged.append(self._line(action, *key, content, before, record.source))
            known[key] = content, record.to_json()
            facts = {"hash": content, "body": known[key][1], "revision": self.state.revision}
            new[key] = {"kind": key[0], "id": key[1], **facts}
        self._write(logged, new, there)
        added = sum(each["action"] == "added" for each in logged)
        return added, len(logged) - added, len(batch) - len(logged)

    def _write(
        self,
        logged: Sequence[dict[str, Any]],
        new: Mapping[Key, dict[str, Any]],
        there: Mapping[Key, object],
    ) -> None:
        fresh = [row for key, row in new.items() if key not in there]
        changed = [
            {"the_kind": row["kind"], "the_id": row["id"], **row}
            for key, row in new.items()
            if key in there
        ]
        table = record_table.c
        where = (table.kind == sa.bindparam("the_kind")) & (table.id == sa.bindparam("the_id"))
        for statement, rows in (
            (change_table.insert(), logged),
            (record_table.insert(), fresh),
            (record_table.update().where(where), changed),
        ):
            if rows:
                self.connection.execute(statement, rows)

    def _rows(self, batch: Sequence[Record]) -> dict[Key, tuple[str, Any]]:
        """Return hash and body of those of ``batch`` that are there."""
        table = record_table.c
        found: dict[Key, tuple[str, Any]] = {}
        for kind in {each.kind_name for each in batch}:
            keys = sorted({each.key for each in batch if each.kind_name == kind})
            query = sa.select(table.id, table.hash, table.body)
            query = query.where(table.kind == kind, table.id.in_(keys))
            for row in self.connection.execute(query):
                found[kind, row.id] = row.hash, row.body
        return found

    def _row(self, kind: str, key: str) -> sa.Row[Any, Any] | None:
        table = record_table.c
        query = sa.select(table.hash, table.body).where(table.kind == kind, table.id == key)
        return self.connection.execute(query).first()

    def _log(
        self, action: str, kind: str, key: str, content: str, before: Any, source: str | None
    ) -> None:
        line = self._line(action, kind, key, content, before, source)
        self.connection.execute(change_table.insert().values(line))

    def _line(
        self, action: str, kind: str, key: str, content: str, before: Any, source: str | None
    ) -> dict[str, Any]:
        """Go on by one revision; return its line of the log."""
        digest = chained(self.state.digest, action, kind, key, content)
        self.state = State(self.state.revision + 1, digest)
        row = {"kind": kind, "id": key, "action": action, "hash": content, "before": before}
        who = {"source": source, "actor": self.actor, "at": self.at}
        return {"revision": self.state.revision, "digest": digest, **row, **who}


def chained(digest: str, action: str, kind: str, key: str, content: str) -> str:
    """Return the digest after one more change; who made it, when and from where is not in it."""
    return hashlib.sha256(f"{digest} {action} {kind} {key} {content}".encode()).hexdigest()


def state_of(connection: Connection, kinds: Iterable[str] = ()) -> State:
    """Return the state after the last change, or after the last one of any of ``kinds``."""
    change = change_table.c
    query = sa.select(change.revision, change.digest).order_by(change.revision.desc()).limit(1)
    some = tuple(kinds)
    row = connection.execute(query.where(change.kind.in_(some)) if some else query).first()
    return State(row.revision, row.digest) if row else State(0, EMPTY_DIGEST)


def present(connection: Connection, kind: type[Record], keys: Iterable[str]) -> frozenset[str]:
    """Return which of ``keys`` are ids of records of ``kind``."""
    table, wanted = record_table.c, sorted(set(keys))
    found: set[str] = set()
    for start in range(0, len(wanted), MANY):
        some = table.id.in_(wanted[start : start + MANY])
        query = sa.select(table.id).where(table.kind == kind.kind_name, some)
        found.update(connection.execute(query).scalars())
    return frozenset(found)


def records(connection: Connection, kind: type[R], key: str | None = None) -> Iterator[R]:
    """Yield the records of ``kind`` ordered by id, or the one called ``key``."""
    table = record_table.c
    query = sa.select(table.body).where(table.kind == kind.kind_name).order_by(table.id)
    if key is not None:
        query = query.where(table.id == key)
    return (kind.model_validate(body) for body in connection.execute(query).scalars())


def matching(connection: Connection, kind: type[R], facts: dict[str, str]) -> Iterator[R]:
    """Yield the records of ``kind`` whose fields equal ``facts``, ordered by id."""
    table = record_table.c
    query = sa.select(table.body).where(table.kind == kind.kind_name).order_by(table.id)
    for field, value in facts.items():
        query = query.where(table.body[field].as_string() == value)
    return (kind.model_validate(body) for body in connection.execute(query).scalars())
