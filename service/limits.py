"""How often somebody may try to log in.

After a few failures every further one doubles the wait, up to a quarter of an hour, for the login
and for the address it comes from. A login that does not exist is counted like one that does, so
the wait tells nothing; a whole office behind one address has more failures free than one login.
Counts are kept in the database, for several processes see the same attempts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from service.ledger import Ledger, attempt_table, moment, stamp

FREE_OF_LOGIN, FREE_OF_ADDRESS = 5, 20  # failures before there is a wait
FIRST_WAIT, LONGEST_WAIT = 5, 900  # seconds
FORGOTTEN = dt.timedelta(hours=1)  # after the last failure


class Throttle:
    """Counts failed logins of one work folder."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def attempt(self, login: str, address: str) -> int:
        """Count one attempt as a failure until :meth:`succeeded` says otherwise.

        Counting first, in one transaction, leaves nothing to many attempts at the same moment.

        Returns:
            0, or for how many seconds this login or this address must wait; then nothing is
            counted, and the password is not to be looked at.
        """
        now = self.ledger.clock()
        with self.ledger.transaction(write=True) as connection:
            old = attempt_table.c.last < stamp(now - FORGOTTEN)
            connection.execute(attempt_table.delete().where(old))
            keys = {_of("login", login): FREE_OF_LOGIN, _of("address", address): FREE_OF_ADDRESS}
            before = {key: _failures(connection, key) for key in keys}
            wait = max(_left(now, *before[key], free) for key, free in keys.items())
            if not wait:
                for key, (failures, _) in before.items():
                    _count(connection, key, failures + 1, stamp(now))
        return wait

    def succeeded(self, login: str, address: str) -> None:
        """Forget the failures of ``login``; its address's others stay counted."""
        mine, shared = _of("login", login), _of("address", address)
        table = attempt_table.c
        with self.ledger.transaction(write=True) as connection:
            connection.execute(attempt_table.delete().where(table.key == mine))
            fewer = attempt_table.update().where(table.key == shared, table.failures > 0)
            connection.execute(fewer.values(failures=table.failures - 1))


def wait_after(failures: int, free: int) -> int:
    """Return the seconds to wait after ``failures``: 0, then 5, 10, 20 … 900."""
    if failures < free:
        return 0
    doubled: int = FIRST_WAIT << min(failures - free, 10)
    return min(LONGEST_WAIT, doubled)


def _left(now: dt.datetime, failures: int, last: str, free: int) -> int:
    if not failures:
        return 0
    until = moment(last) + dt.timedelta(seconds=wait_after(failures, free))
    return max(0, math.ceil((until - now).total_seconds()))


def _failures(connection: Connection, key: str) -> tuple[int, str]:
    query = sa.select(attempt_table).where(attempt_table.c.key == key)
    row = connection.execute(query).first()
    return (row.failures, row.last) if row else (0, "")


def _count(connection: Connection, key: str, failures: int, now: str) -> None:
    where = attempt_table.c.key == key
    values = {"failures": failures, "last": now}
    if not connection.execute(attempt_table.update().where(where).values(**values)).rowcount:
        connection.execute(attempt_table.insert().values(key=key, **values))


def _of(kind: str, name: str) -> str:
    text = f"{kind} {name.strip().lower()}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
