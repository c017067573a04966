"""The tables of accounts, in the database of the records, and the audit of what changes in them.

Every change of an account or a token is written together with its entry in the audit, in one
transaction. Entries say who did what to whom and when; they never hold a password, a token or
anything that either could be made from. Times are UTC, ISO 8601, to the second, as text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.store import Store

Clock = Callable[[], dt.datetime]

metadata = sa.MetaData()
account_table = sa.Table(
    "account",
    metadata,
    sa.Column("login", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("nda", sa.Boolean, nullable=False),
    sa.Column("password_hash", sa.String(255), nullable=False),  # argon2id, with its parameters
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("must_change", sa.Boolean, nullable=False),  # somebody else chose the password
    sa.Column("created", sa.String(32), nullable=False),
)
token_table = sa.Table(
    "token",
    metadata,
    sa.Column("id", sa.String(20), primary_key=True),  # what of the token may be shown
    sa.Column("login", sa.String(40), sa.ForeignKey("account.login"), nullable=False),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),  # SHA-256 of the whole token
    sa.Column("scope", sa.String(40), nullable=False),
    sa.Column("expires", sa.String(32)),  # null: never
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("last_used", sa.String(32)),
    sa.Column("revoked", sa.String(32)),
)
session_table = sa.Table(
    "session",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),  # SHA-256 of what the cookie holds
    sa.Column("login", sa.String(40), sa.ForeignKey("account.login"), nullable=False),
    sa.Column("started", sa.String(32), nullable=False),
    sa.Column("seen", sa.String(32), nullable=False),
)
attempt_table = sa.Table(
    "login_attempt",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),  # SHA-256: people type passwords there
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last", sa.String(32), nullable=False),
)
audit_table = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("actor", sa.String(60)),  # null: the command line
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("target", sa.String(120), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)


class LedgerError(ValueError):
    """What was asked of accounts cannot be done; the message says why, for people."""


@dataclass(frozen=True)
class Entry:
    """One line of the audit."""

    id: int
    at: str
    actor: str | None
    action: str
    target: str
    detail: str


def utc_now() -> dt.datetime:
    """Return the time, in UTC."""
    return dt.datetime.now(dt.UTC)


def stamp(moment: dt.datetime) -> str:
    """Return ``moment`` as it is stored: texts in the order of time."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> dt.datetime:
    """Read what :func:`stamp` wrote."""
    return dt.datetime.fromisoformat(text)


class Ledger:
    """The database of one work folder, as far as accounts go; opened when first asked."""

    def __init__(self, where: Path, clock: Clock = utc_now) -> None:
        self.where, self.clock = where, clock
        self._store: Store | None = None

    def now(self) -> str:
        """Return the time as it is stored."""
        return stamp(self.clock())

    @contextmanager
    def transaction(self, write: bool = False) -> Iterator[Connection]:
        """Open one transaction.

        Raises:
            StoreError: there is no database, or it cannot be used now.
        """
        if self._store is None:
            self._store = Store.open(self.where)
        with self._store.database.transaction(write) as connection:
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        if self._store is not None:
            self._store.__exit__()
            self._store = None

    def note(
        self,
        connection: Connection,
        actor: str | None,
        action: str,
        target: str,
        detail: str = "",
    ) -> None:
        """Write one line into the audit, in the transaction of what it tells."""
        row = {"actor": actor, "action": action, "target": target, "detail": detail}
        connection.execute(audit_table.insert().values(at=self.now(), **row))

    def entries(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        target: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Entry]:
        """Return lines of the audit, newest first.

        Args:
            actor: of this login only; ``""``: of the command line only.
            action: of this kind only.
            target: about this only.
            since: from this moment, as :func:`stamp` writes it.
            until: before this moment.
            limit: at most so many.
            offset: after so many.
        """
        table = audit_table.c
        query = sa.select(audit_table).order_by(table.id.desc()).limit(limit).offset(offset)
        if actor is not None:
            query = query.where(table.actor == actor if actor else table.actor.is_(None))
        if action is not None:
            query = query.where(table.action == action)
        if target is not None:
            query = query.where(table.target == target)
        if since is not None:
            query = query.where(table.at >= since)
        if until is not None:
            query = query.where(table.at < until)
        with self.transaction() as connection:
            return [Entry(**row) for row in connection.execute(query).mappings()]
