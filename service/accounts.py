"""Who may use the service: people's accounts and their passwords.

Passwords are kept as argon2id hashes (RFC 9106's second recommended option, as argon2-cffi sets
it) of their NFC form: the same Vietnamese letters typed on two keyboards are one password. Whether
a login exists cannot be told from outside: an unknown login takes a hash's time as well and gets
the same answer. A changed password or a disabled account ends its sessions in the same transaction.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass

import argon2
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.ledger import Ledger, LedgerError, account_table, session_table, token_table
from service.person import Person
from service.roles import ROLES

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
SHORTEST, LONGEST = 10, 200  # characters of a password
DISTINCT = 5  # different characters a password has at least
HASHING_AT_ONCE = 2  # each takes 64 MiB


@dataclass(frozen=True)
class Account:
    """One person's account, without the password's hash."""

    login: str
    name: str
    role: str
    nda: bool
    disabled: bool
    must_change: bool
    created: str

    @property
    def person(self) -> Person:
        """The person as records and pages know them; who administrates may read everything."""
        return Person(self.login, self.name, self.role, self.nda or self.role == "administrator")


class Accounts:
    """The accounts of one work folder."""

    def __init__(self, ledger: Ledger, hasher: argon2.PasswordHasher | None = None) -> None:
        self.ledger = ledger
        self._hasher = hasher or argon2.PasswordHasher()
        self._hashing = threading.BoundedSemaphore(HASHING_AT_ONCE)
        self._nobody: str | None = None  # the hash that unknown logins are checked against

    def all(self) -> list[Account]:
        """Return every account, ordered by login."""
        with self.ledger.transaction() as connection:
            rows = connection.execute(sa.select(account_table)).all()
        # Not ordered by the database: a server's collation may pass over dots.
        return sorted((_account(row) for row in rows), key=lambda each: each.login)

    def get(self, login: str) -> Account:
        """Return one account.

        Raises:
            LedgerError: there is none.
        """
        with self.ledger.transaction() as connection:
            return _known(connection, login)

    def has_administrator(self) -> bool:
        """Whether somebody can administrate: a service for others does not start without."""
        with self.ledger.transaction() as connection:
            return bool(_administrators(connection))

    def add(
        self,
        login: str,
        name: str,
        role: str,
        password: str,
        *,
        nda: bool = False,
        must_change: bool = False,
        actor: str | None = None,
    ) -> Account:
        """Make an account.

        Raises:
            LedgerError: the login is taken or not one, the role unknown, the password too weak.
        """
        login = checked_login(login)
        row = {
            "login": login,
            "name": _checked_name(name) or login,
            "role": _checked_role(role),
            "nda": nda,
            "password_hash": self._hash(checked_password(password, login)),
            "disabled": False,
            "must_change": must_change,
            "created": self.ledger.now(),
        }
        with self.ledger.transaction(write=True) as connection:
            if _row(connection, login) is not None:
                raise LedgerError(f"đã có tài khoản {login!r}")
            if role != "administrator" and not _administrators(connection):
                raise LedgerError("tài khoản đầu tiên phải là quản trị (administrator)")
            connection.execute(account_table.insert().values(**row))
            detail = f"vai trò {row['role']}" + (", đọc NDA" if nda else "")
            self.ledger.note(connection, actor, "user.add", login, detail)
            return _known(connection, login)

    def change(
        self,
        login: str,
        *,
        name: str | None = None,
        role: str | None = None,
        nda: bool | None = None,
        actor: str | None = None,
    ) -> Account:
        """Change what an account is called or may do; ``None`` leaves a fact as it is.

        Raises:
            LedgerError: no such account or role, or nobody would be left to administrate.
        """
        wanted = {
            "name": _checked_name(name) or None if name is not None else None,
            "role": _checked_role(role) if role is not None else None,
            "nda": nda,
        }
        with self.ledger.transaction(write=True) as connection:
            before = _known(connection, login)
            new = {
                key: value
                for key, value in wanted.items()
                if value is not None and value != getattr(before, key)
            }
            if new.get("role", before.role) != "administrator":
                _keep_an_administrator(connection, before)
            if new:
                _update(connection, login, **new)
                told = "; ".join(f"{key}: {getattr(before, key)} → {new[key]}" for key in new)
                self.ledger.note(connection, actor, "user.change", login, told)
            return _known(connection, login)

    def set_password(
        self, login: str, password: str, *, must_change: bool = False, actor: str | None = None
    ) -> None:
        """Set a new password and end the account's sessions.

        Raises:
            LedgerError: no such account, or the password is too weak.
        """
        hashed = self._hash(checked_password(password, login))
        with self.ledger.transaction(write=True) as connection:
            _known(connection, login)
            _update(connection, login, password_hash=hashed, must_change=must_change)
            _end_sessions(connection, login)
            self.ledger.note(connection, actor, "user.passwd", login)

    def set_disabled(self, login: str, disabled: bool, *, actor: str | None = None) -> None:
        """Shut an account, ending its sessions and revoking its tokens, or open it again.

        Raises:
            LedgerError: no such account, or nobody would be left to administrate.
        """
        with self.ledger.transaction(write=True) as connection:
            before = _known(connection, login)
            if before.disabled == disabled:
                return
            if disabled:
                _keep_an_administrator(connection, before)
                _end_sessions(connection, login)
                live = (token_table.c.login == login) & token_table.c.revoked.is_(None)
                now = self.ledger.now()
                connection.execute(token_table.update().where(live).values(revoked=now))
            _update(connection, login, disabled=disabled)
            action = "user.disable" if disabled else "user.enable"
            self.ledger.note(connection, actor, action, login)

    def check(self, login: str, password: str) -> Account | None:
        """Return the account if the password is its own and it is open, in a hash's time always."""
        with self.ledger.transaction() as connection:
            row = _row(connection, login.strip().lower())
        usable = row is not None and not row.disabled
        kept = row.password_hash if row is not None and usable else self._of_nobody()
        right = self._verify(kept, password)
        if row is None or not usable or not right:
            return None
        if self._hasher.check_needs_rehash(kept):  # the recommended parameters grow with the years
            hashed = self._hash(_typed(password))
            with self.ledger.transaction(write=True) as connection:
                _update(connection, row.login, password_hash=hashed)
        return _account(row)

    def _hash(self, typed: str) -> str:
        with self._hashing:
            return self._hasher.hash(typed)

    def _verify(self, kept: str, password: str) -> bool:
        typed = _typed(password[: LONGEST + 1])  # what is longer is nobody's password
        with self._hashing:
            try:
                return self._hasher.verify(kept, typed)
            except argon2.exceptions.Argon2Error:
                return False

    def _of_nobody(self) -> str:
        if self._nobody is None:
            self._nobody = self._hash("không của ai cả")
        return self._nobody


def checked_login(login: str) -> str:
    """Return the login in lower case.

    Raises:
        LedgerError: it is not one.
    """
    login = login.strip().lower()
    if not LOGIN.fullmatch(login):
        raise LedgerError(
            f"tên đăng nhập {login[:50]!r} không hợp lệ: 2 đến 40 chữ không dấu, số, dấu chấm, "
            "gạch ngang hoặc gạch dưới, bắt đầu bằng chữ hoặc số"
        )
    return login


def checked_password(password: str, login: str) -> str:
    """Return the password as it is hashed.

    Raises:
        LedgerError: it is too short, too long, too plain, or holds the login.
    """
    typed = _typed(password)
    if not SHORTEST <= len(typed) <= LONGEST:
        raise LedgerError(f"mật khẩu phải có từ {SHORTEST} đến {LONGEST} ký tự")
    if len(set(typed.lower())) < DISTINCT:
        raise LedgerError(f"mật khẩu quá đơn giản: cần ít nhất {DISTINCT} ký tự khác nhau")
    if login.lower() in typed.lower():
        raise LedgerError("mật khẩu không được chứa tên đăng nhập")
    return typed


def _typed(password: str) -> str:
    """Return a password in the one form it is hashed in; broken UTF-8 stays wrong, not fatal."""
    text = unicodedata.normalize("NFC", password)
    return text.encode("utf-8", "replace").decode("utf-8")


def _checked_role(role: str) -> str:
    if role not in ROLES:
        raise LedgerError(f"không có vai trò {role!r}; có: {', '.join(ROLES)}")
    return role


def _checked_name(name: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if len(name) > 120 or not name.isprintable():
        raise LedgerError("họ tên dài quá 120 ký tự hoặc có ký tự điều khiển")
    return name


def _row(connection: Connection, login: str) -> sa.Row[tuple[object, ...]] | None:
    query = sa.select(account_table).where(account_table.c.login == login)
    return connection.execute(query).first()


def _known(connection: Connection, login: str) -> Account:
    row = _row(connection, login)
    if row is None:
        raise LedgerError(f"không có tài khoản {login!r}")
    return _account(row)


def _account(row: sa.Row[tuple[object, ...]]) -> Account:
    facts = dict(row._mapping)
    del facts["password_hash"]
    return Account(**facts)


def _update(connection: Connection, login: str, **values: object) -> None:
    where = account_table.c.login == login
    connection.execute(account_table.update().where(where).values(**values))


def _end_sessions(connection: Connection, login: str) -> None:
    connection.execute(session_table.delete().where(session_table.c.login == login))


def _administrators(connection: Connection) -> set[str]:
    table = account_table.c
    query = sa.select(table.login).where(table.role == "administrator", table.disabled.is_(False))
    return set(connection.execute(query).scalars())


def _keep_an_administrator(connection: Connection, leaving: Account) -> None:
    if _administrators(connection) == {leaving.login}:
        raise LedgerError(f"{leaving.login!r} là quản trị duy nhất: cần thêm một quản trị khác")
