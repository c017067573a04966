"""The matcher that a running service answers with: always what is published now, never half of it.

A command in another process may publish a new index or change the store at any moment. The holder
looks at most once in ``every`` seconds; the request that finds a change opens the new state while
others go on with the one before. A matcher is lent and counted: who began with one ends with it,
and it is closed when it has been replaced and nobody uses it any more.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from corpus.database import exists
from corpus.lexicon_tables import TableError
from corpus.records import Need, Product, Technology
from corpus.store import State, Store, StoreError
from indexes.snapshot import SnapshotError
from service.contract import ApiError
from service.workspace import Opened, Workspace

Stamp = tuple[str, State, dt.date]  # snapshot and model by name, the store's state, the day
KNOWN = (SnapshotError, StoreError, TableError)  # their messages say what to do
MATCHED = tuple(kind.kind_name for kind in (Technology, Product, Need))  # what a matcher holds
log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Loan:
    """An opened matcher, what closes it, and how many requests use it."""

    opened: Opened
    close: ExitStack
    users: int = 0
    replaced: bool = False


class Live:
    """Lends the current matcher of one work folder; safe to use from many threads."""

    def __init__(self, space: Workspace, as_of: dt.date | None = None, every: float = 1.0) -> None:
        self._space, self._as_of, self._every = space, as_of, every
        self._looking = threading.Lock()  # held by the one who looks for changes and opens
        self._counting = threading.Lock()  # held for moments: who uses what
        self._current: _Loan | None = None
        self._stamp: Stamp | None = None
        self._looked = float("-inf")
        self._trouble = ""

    @contextmanager
    def lease(self) -> Iterator[Opened]:
        """Lend the current matcher.

        Raises:
            ApiError: 503, there is none; the message says what to do.
        """
        self.refresh()
        with self._counting:
            loan = self._current
            if loan is None:
                raise ApiError(503, "no_index", self._trouble)
            loan.users += 1
        try:
            yield self._told(loan.opened)
        finally:
            with self._counting:
                loan.users -= 1
            self._close_unused(loan)

    def refresh(self) -> None:
        """Open what is published now, if it changed; never raises for what it finds."""
        if not self._looking.acquire(blocking=self._current is None):
            return  # somebody else is at it, and there is a matcher to go on with
        try:
            if time.monotonic() - self._looked >= self._every:
                self._look()
                self._looked = time.monotonic()
        finally:
            self._looking.release()

    def close(self) -> None:
        """Close the current matcher as soon as nobody uses it."""
        self._replace(None, None)

    def _look(self) -> None:
        try:
            stamp = self._published()  # read first: what changes while we open is seen next time
            if self._current is None or stamp != self._stamp:
                self._replace(self._open(stamp[-1]), stamp)
            self._trouble = ""
        except Exception as error:  # whatever is wrong with the new state, the old one serves
            self._note(error)
            if not self._there():
                self._replace(None, None)

    def _published(self) -> Stamp:
        with Store.open(self._space.folder) as store:
            state = store.state(*MATCHED)
        pointer = self._space.index_folder / "CURRENT"
        name = pointer.read_text(encoding="utf-8", errors="replace") if pointer.is_file() else ""
        name += f"\n{self._space.models.current()}"  # a promoted model ranks anew
        return name, state, self._as_of or dt.date.today()

    def _there(self) -> bool:
        """Whether store and index are there, though something is wrong with them."""
        return exists(self._space.folder) and (self._space.index_folder / "CURRENT").is_file()

    def _open(self, as_of: dt.date) -> _Loan:
        with ExitStack() as stack:
            opened = stack.enter_context(self._space.open(as_of))
            return _Loan(opened, stack.pop_all())

    def _note(self, error: Exception) -> None:
        known = isinstance(error, KNOWN)
        told = str(error) if known else "không mở được dữ liệu và chỉ mục: chạy `cungcau doctor`"
        if told != self._trouble:  # once, not every second
            log.warning("%s", told, exc_info=None if known else error)
        self._trouble = told

    def _replace(self, new: _Loan | None, stamp: Stamp | None) -> None:
        with self._counting:
            old, self._current, self._stamp = self._current, new, stamp
            if old is not None:
                old.replaced = True
        if old is not None:
            self._close_unused(old)

    def _close_unused(self, loan: _Loan) -> None:
        with self._counting:
            done = loan.replaced and not loan.users
            stack = loan.close.pop_all() if done else ExitStack()  # two may come here at once
        stack.close()

    def _told(self, opened: Opened) -> Opened:
        """Add that the newest state cannot be opened, where it cannot."""
        if not self._trouble:
            return opened
        notice = f"Đang dùng chỉ mục mở lần trước: {self._trouble}"
        return replace(opened, notices=(*opened.notices, notice))
