"""Sessions of people in a browser, and the key that signs what their cookies hold.

A session begins anew at every login, ends after eight hours without a request, a day after its
beginning at the latest, at logout, and with a new password or a disabled account. The cookie holds
a random key, signed; the database holds its hash, so that neither a copy of the database nor a
forged cookie opens anything. The token that a session's forms carry is made from both.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from itsdangerous import BadSignature, Signer

from corpus.store import StoreError
from service.accounts import Account
from service.ledger import Ledger, account_table, moment, session_table, stamp
from service.person import Asked

KEY_FILE = "session.key"
IDLE = dt.timedelta(hours=8)
LONGEST = dt.timedelta(hours=24)
SEEN_EVERY = dt.timedelta(minutes=5)


def signing_key(folder: Path) -> bytes:
    """Return the key of a work folder, making it where there is none; only its owner reads it."""
    path = folder / KEY_FILE
    with suppress(FileNotFoundError):
        return path.read_bytes()
    draft = folder / f".{KEY_FILE}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
    try:
        os.link(draft, path)  # fails where another process was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes()


class Sessions:
    """The sessions of one work folder."""

    def __init__(self, ledger: Ledger, key: bytes) -> None:
        self.ledger, self._key = ledger, key
        self._signer = Signer(key, salt="session", digest_method=hashlib.sha256)

    def start(self, login: str) -> str:
        """Begin a session; return what its cookie holds. Sessions that ended are cleared away."""
        secret = secrets.token_urlsafe(32)
        now = self.ledger.clock()
        table = session_table.c
        ended = (table.seen < stamp(now - IDLE)) | (table.started < stamp(now - LONGEST))
        row = {"hash": _hash(secret), "login": login, "started": stamp(now), "seen": stamp(now)}
        with self.ledger.transaction(write=True) as connection:
            connection.execute(session_table.delete().where(ended))
            connection.execute(session_table.insert().values(**row))
        return self._signer.sign(secret).decode()

    def find(self, cookie: str) -> Asked | None:
        """Return whose session a cookie shows; ``None``: there is none, or it has ended."""
        secret = self._secret(cookie)
        if secret is None:
            return None
        table, now = session_table.c, self.ledger.clock()
        query = (
            sa.select(table.seen, account_table)
            .join(account_table, account_table.c.login == table.login)
            .where(
                table.hash == _hash(secret),
                table.seen >= stamp(now - IDLE),
                table.started >= stamp(now - LONGEST),
                account_table.c.disabled.is_(False),
            )
        )
        with self.ledger.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        self._note_use(secret, row.seen, now)
        owner = Account(
            row.login, row.name, row.role, row.nda, row.disabled, row.must_change, row.created
        )
        return Asked(
            owner.person, "session", self.csrf(secret), _hash(secret), True, row.must_change
        )

    def end(self, cookie: str) -> None:
        """End the session that a cookie shows, if there is one."""
        secret = self._secret(cookie)
        if secret is not None:
            with self.ledger.transaction(write=True) as connection:
                where = session_table.c.hash == _hash(secret)
                connection.execute(session_table.delete().where(where))

    def csrf(self, secret: str) -> str:
        """Return the token that the forms of a session carry."""
        return hmac.new(self._key, f"csrf {secret}".encode(), hashlib.sha256).hexdigest()

    def _secret(self, cookie: str) -> str | None:
        try:
            return self._signer.unsign(cookie).decode()
        except (BadSignature, UnicodeError):
            return None

    def _note_use(self, secret: str, seen: str, now: dt.datetime) -> None:
        if now - moment(seen) < SEEN_EVERY:
            return
        where = session_table.c.hash == _hash(secret)
        with suppress(StoreError), self.ledger.transaction(write=True) as connection:
            connection.execute(session_table.update().where(where).values(seen=stamp(now)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
