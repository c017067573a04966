"""All that is known about who may use one work folder, in one place, and logging in."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import argon2
import sqlalchemy as sa

from corpus.database import exists
from corpus.store import StoreError
from service.accounts import Accounts
from service.ledger import Clock, Ledger, account_table, utc_now
from service.limits import Throttle
from service.person import Asked
from service.sessions import Sessions, signing_key
from service.tokens import Tokens

LOOK_EVERY = 1.0  # seconds between looks for the first account


@dataclass(frozen=True)
class Refused:
    """Why somebody did not get in: too many attempts, and how many seconds to wait; 0: wrong."""

    wait: int = 0


class Register:
    """Accounts, tokens, sessions and failed attempts of one work folder."""

    def __init__(
        self, folder: Path, clock: Clock = utc_now, hasher: argon2.PasswordHasher | None = None
    ) -> None:
        self.folder = folder
        self.ledger = Ledger(folder, clock)
        self.accounts = Accounts(self.ledger, hasher)
        self.tokens = Tokens(self.ledger)
        self.throttle = Throttle(self.ledger)
        self._sessions: Sessions | None = None
        self._some = False
        self._looked = float("-inf")
        self._looking = threading.Lock()

    @property
    def sessions(self) -> Sessions:
        """The sessions; the folder gets its key when they are first asked for."""
        if self._sessions is None:
            try:
                self._sessions = Sessions(self.ledger, signing_key(self.folder))
            except OSError as error:
                told = f"không ghi được khóa ký vào {self.folder}: kiểm tra quyền ghi của thư mục"
                raise StoreError(told) from error
        return self._sessions

    def any(self) -> bool:
        """Whether there is an account. One that is there is never gone again.

        Raises:
            StoreError: there is a database, and it cannot be read.
        """
        if self._some:
            return True
        with self._looking:
            if time.monotonic() - self._looked >= LOOK_EVERY:
                self._some = self._has_some()
                self._looked = time.monotonic()
            return self._some

    def _has_some(self) -> bool:
        if not exists(self.folder):
            return False
        with self.ledger.transaction() as connection:
            query = sa.select(account_table.c.login).limit(1)
            return connection.execute(query).first() is not None

    def by_token(self, secret: str) -> Asked | None:
        """Return who holds a bearer token, or ``None``."""
        return self.tokens.holder(secret) if self.any() else None

    def by_session(self, cookie: str) -> Asked | None:
        """Return whose session a cookie shows, or ``None``."""
        return self.sessions.find(cookie) if self.any() else None

    def log_in(self, login: str, password: str, address: str) -> str | Refused:
        """Begin a session and return its cookie, if login and password belong together.

        What goes wrong is told in one way, whether there is such a login or not.
        """
        wait = self.throttle.attempt(login, address)
        if wait:
            return Refused(wait)
        found = self.accounts.check(login, password)
        if found is None:
            return Refused()
        self.throttle.succeeded(login, address)
        return self.sessions.start(found.login)

    def close(self) -> None:
        """Let go of the database."""
        self.ledger.close()
