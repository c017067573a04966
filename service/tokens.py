"""Tokens by which programs ask in somebody's name.

A token is ``cc_ID_SECRET`` with a secret of 256 random bits; only its SHA-256 is kept, so it is
shown once, when it is made. (A secret that nobody could guess needs no slow hash.) Its scope can
only narrow what its owner may do at the time of asking.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.accounts import Account
from service.ledger import Ledger, LedgerError, account_table, moment, stamp, token_table
from service.person import Asked, Person

SCOPES = {
    "read": "đọc và tìm",
    "write": "đọc, tìm và ghi",
    "admin": "mọi việc của chủ mã, kể cả quản trị",
}
NDA = "nda"  # joined to a scope by "+": what the owner may read under NDA, too
LONGEST_DAYS, DEFAULT_DAYS = 3650, 365
USED_EVERY = dt.timedelta(minutes=5)  # what is noted more often would only hold up others


@dataclass(frozen=True)
class Token:
    """What is known about a token that was made; its secret is not."""

    id: str
    login: str
    name: str
    scope: str
    expires: str | None
    created: str
    last_used: str | None
    revoked: str | None

    def state_at(self, now: str) -> str:
        """Return, for people, whether it can be used at ``now``."""
        if self.revoked is not None:
            return "đã thu hồi"
        return "hết hạn" if self.expires is not None and self.expires <= now else "còn hiệu lực"


class Tokens:
    """The tokens of one work folder."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def issue(
        self,
        login: str,
        name: str,
        scope: str = "read",
        days: int | None = DEFAULT_DAYS,
        *,
        actor: str | None = None,
    ) -> tuple[Token, str]:
        """Make a token that lives ``days`` days (``None``: until it is revoked).

        Returns:
            What is kept of it, and the token itself, which nobody can read again.

        Raises:
            LedgerError: no such account, it is disabled, or a value is not one.
        """
        name, scope = _checked(name, scope, days)
        key = secrets.token_hex(5)
        secret = f"cc_{key}_{secrets.token_urlsafe(32)}"
        now = self.ledger.clock()
        expires = stamp(now + dt.timedelta(days=days)) if days is not None else None
        row = {
            "id": key,
            "login": login,
            "name": name,
            "scope": scope,
            "expires": expires,
            "created": stamp(now),
            "last_used": None,
            "revoked": None,
        }
        with self.ledger.transaction(write=True) as connection:
            _open_account(connection, login)
            connection.execute(token_table.insert().values(hash=_hash(secret), **row))
            until = f"đến {expires[:10]}" if expires else "không hết hạn"
            told = f"{key} ({name}), phạm vi {scope}, {until}"
            self.ledger.note(connection, actor, "token.add", login, told)
        return Token(**row), secret  # type: ignore[arg-type]  # the row above

    def all(self, login: str | None = None) -> list[Token]:
        """Return every token, or those of one account, newest first."""
        table = token_table.c
        query = sa.select(token_table).order_by(table.created.desc(), table.id)
        if login is not None:
            query = query.where(table.login == login)
        with self.ledger.transaction() as connection:
            return [_token(row) for row in connection.execute(query)]

    def revoke(self, key: str, *, of: str | None = None, actor: str | None = None) -> None:
        """Make a token useless; one that is already stays as it is.

        Args:
            key: the token's id.
            of: whose it must be; ``None``: anybody's.
            actor: who does this.

        Raises:
            LedgerError: there is no such token.
        """
        table = token_table.c
        with self.ledger.transaction(write=True) as connection:
            row = connection.execute(sa.select(token_table).where(table.id == key)).first()
            if row is None or of not in {None, row.login}:
                raise LedgerError(f"không có mã truy cập {key[:40]!r}")
            if row.revoked is None:
                where = table.id == key
                now = self.ledger.now()
                connection.execute(token_table.update().where(where).values(revoked=now))
                told = f"{key} ({row.name})"
                self.ledger.note(connection, actor, "token.revoke", row.login, told)

    def holder(self, secret: str) -> Asked | None:
        """Return who asks with ``secret``; ``None``: not, or no longer, a token."""
        table, now = token_table.c, self.ledger.now()
        query = (
            sa.select(table.id, table.scope, table.last_used, account_table)
            .join(account_table, account_table.c.login == table.login)
            .where(
                table.hash == _hash(secret),
                table.revoked.is_(None),
                sa.or_(table.expires.is_(None), table.expires > now),
                account_table.c.disabled.is_(False),
            )
        )
        with self.ledger.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        self._note_use(row.id, row.last_used)
        owner = Account(
            row.login, row.name, row.role, row.nda, row.disabled, row.must_change, row.created
        )
        return _asked(owner.person, row.scope)

    def _note_use(self, key: str, before: str | None) -> None:
        now = self.ledger.clock()
        if before is not None and now - moment(before) < USED_EVERY:
            return
        with self.ledger.transaction(write=True) as connection:
            where = token_table.c.id == key
            connection.execute(token_table.update().where(where).values(last_used=stamp(now)))


def _asked(owner: Person, scope: str) -> Asked:
    """Narrow what ``owner`` may do to a token's scope."""
    kind, _, nda = scope.partition("+")
    role = owner.role
    if role == "administrator" and kind != "admin":
        role = "officer"  # everything but administration
    person = Person(owner.login, owner.name, role, owner.nda and nda == NDA)
    return Asked(person, "token", writes=kind != "read")


def _checked(name: str, scope: str, days: int | None) -> tuple[str, str]:
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name or len(name) > 120 or not name.isprintable():
        raise LedgerError("mã truy cập cần một tên gọi, không quá 120 ký tự")
    kind, plus, nda = scope.partition("+")
    if kind not in SCOPES or (plus and nda != NDA):
        raise LedgerError(
            f"không có phạm vi {scope[:40]!r}; có: {', '.join(SCOPES)}; thêm +nda để đọc cả NDA"
        )
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise LedgerError(f"thời hạn phải từ 1 đến {LONGEST_DAYS} ngày")
    return name, scope


def _open_account(connection: Connection, login: str) -> None:
    table = account_table.c
    query = sa.select(table.disabled).where(table.login == login)
    disabled = connection.execute(query).scalar()
    if disabled is None:
        raise LedgerError(f"không có tài khoản {login!r}")
    if disabled:
        raise LedgerError(f"tài khoản {login!r} đã khóa")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    facts = dict(row._mapping)
    del facts["hash"]
    return Token(**facts)
