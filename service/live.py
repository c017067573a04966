"""The matchers that a running service answers with: always what is published now, never half of it.

A command, or another worker on the same folder, may publish a new index or change the store at any
moment. The holder looks once in ``every`` seconds, in a thread of its own while the service runs;
whoever finds a change opens the new state while others go on with the one before. A matcher is lent
and counted: who began with one ends with it, and what it holds open is closed when it has been
replaced and nobody uses it any more.

There is a matcher for each audience, opened when somebody of it first asks: who may not read what
is under NDA is answered by a matcher that never saw it. Where only records changed (a need was
stated, a decision recorded), the open index goes on and only what changed is read.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from corpus.database import exists
from corpus.lexicon_tables import TableError
from corpus.records import Need, Product, Technology
from corpus.store import State, Store, StoreError
from indexes.snapshot import PUBLIC, SnapshotError
from service.contract import ApiError
from service.discretion import discreet
from service.workspace import Opened, Workspace

KNOWN = (SnapshotError, StoreError, TableError)  # their messages say what to do
MATCHED = tuple(kind.kind_name for kind in (Technology, Product, Need))  # what a matcher holds
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stamp:
    """What is published: snapshot and model by name, the day, and the store's state."""

    index: str
    day: dt.date
    state: State


@dataclass(eq=False)
class _Files:
    """What keeps an index on disk, and how many matchers read it."""

    close: ExitStack
    readers: int = 0


@dataclass(eq=False)
class _Loan:
    """An opened matcher, the files it reads, and how many requests use it."""

    opened: Opened
    files: _Files
    users: int = 0
    replaced: bool = False


@dataclass(eq=False)
class _Desk:
    """What is lent to one audience."""

    audience: str
    looking: threading.Lock = field(default_factory=threading.Lock)  # held by the one who opens
    current: _Loan | None = None
    stamp: Stamp | None = None
    looked: float = float("-inf")
    trouble: str = ""


class Live:
    """Lends the current matchers of one work folder; safe to use from many threads."""

    def __init__(self, space: Workspace, as_of: dt.date | None = None, every: float = 1.0) -> None:
        self._space, self._as_of, self._every = space, as_of, every
        self._counting = threading.Lock()  # held for moments: who uses what
        self._desks = {PUBLIC: _Desk(PUBLIC)}
        self.prepare: Callable[[Opened], None] = lambda _: None  # before a matcher is lent
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None

    @contextmanager
    def lease(self, audience: str = PUBLIC) -> Iterator[Opened]:
        """Lend the current matcher of ``audience``.

        Raises:
            ApiError: 503, there is none; the message says what to do.
        """
        desk = self._desk(audience)
        self._refresh(desk)
        with self._counting:
            loan = desk.current
            if loan is None:
                raise ApiError(503, "no_index", desk.trouble)
            loan.users += 1
        try:
            yield _told(loan.opened, discreet(desk.trouble, self._space.folder))
        finally:
            with self._counting:
                loan.users -= 1
            self._close_unused(loan)

    def refresh(self) -> None:
        """Open what is published now, if it changed; never raises for what it finds."""
        for desk in list(self._desks.values()):
            self._refresh(desk)

    def watch(self) -> None:
        """Look for changes from now on, whether anybody asks or not."""
        self._watcher = threading.Thread(target=self._watching, name="live", daemon=True)
        self._watcher.start()

    def _watching(self) -> None:
        while not self._stopped.wait(max(self._every, 0.05)):
            self.refresh()

    def close(self) -> None:
        """Close the current matchers as soon as nobody uses them."""
        self._stopped.set()
        if self._watcher is not None:
            self._watcher.join()
        for desk in self._desks.values():
            self._replace(desk, None, None)
            desk.looked = float("-inf")  # who comes after all is not told that there is nothing

    def _desk(self, audience: str) -> _Desk:
        with self._counting:
            return self._desks.setdefault(audience, _Desk(audience))

    def _refresh(self, desk: _Desk) -> None:
        if not desk.looking.acquire(blocking=desk.current is None):
            return  # somebody else is at it, and there is a matcher to go on with
        try:
            if time.monotonic() - desk.looked >= self._every:
                self._look(desk)
                desk.looked = time.monotonic()
        finally:
            desk.looking.release()

    def _look(self, desk: _Desk) -> None:
        try:
            stamp = self._published()  # read first: what changes while we open is seen next time
            if desk.current is None or stamp != desk.stamp:
                loan = self._open(desk, stamp)
                if self._every:  # while others go on with the one before
                    self.prepare(loan.opened)
                self._replace(desk, loan, stamp)
            desk.trouble = ""
        except Exception as error:  # whatever is wrong with the new state, the old one serves
            _note(desk, error)
            if not self._there():
                self._replace(desk, None, None)

    def _published(self) -> Stamp:
        with Store.open(self._space.folder) as store:
            state = store.state(*MATCHED)
        pointer = self._space.index_folder / "CURRENT"
        name = pointer.read_text(encoding="utf-8", errors="replace") if pointer.is_file() else ""
        # A promoted model ranks anew, and so do tables that somebody edited.
        name += f"\n{self._space.models.current()}\n{self._space.tables_stamp()}"
        return Stamp(name, self._as_of or dt.date.today(), state)

    def _there(self) -> bool:
        """Whether store and index are there, though something is wrong with them."""
        return exists(self._space.folder) and (self._space.index_folder / "CURRENT").is_file()

    def _open(self, desk: _Desk, stamp: Stamp) -> _Loan:
        """Open what ``stamp`` says: only the records anew where the index is the same."""
        before, known = desk.current, desk.stamp
        if before is not None and known is not None and known.index == stamp.index:
            return _Loan(self._space.renewed(before.opened, stamp.day), before.files)
        held = None if before is None else before.opened
        with ExitStack() as stack:
            opening = self._space.open(stamp.day, audience=desk.audience, before=held)
            return _Loan(stack.enter_context(opening), _Files(stack.pop_all()))

    def _replace(self, desk: _Desk, new: _Loan | None, stamp: Stamp | None) -> None:
        with self._counting:
            old, desk.current, desk.stamp = desk.current, new, stamp
            if new is not None:
                new.files.readers += 1
            if old is not None:
                old.replaced = True
        if old is not None:
            self._close_unused(old)

    def _close_unused(self, loan: _Loan) -> None:
        with self._counting:
            done = loan.replaced and not loan.users
            if done:
                loan.replaced = False  # two may come here at once
                loan.files.readers -= 1
            last = done and not loan.files.readers
            stack = loan.files.close.pop_all() if last else ExitStack()
        stack.close()


def _note(desk: _Desk, error: Exception) -> None:
    known = isinstance(error, KNOWN)
    told = str(error) if known else "không mở được dữ liệu và chỉ mục: chạy `cungcau doctor`"
    if told != desk.trouble:  # once, not every second
        log.warning("%s", told, exc_info=None if known else error)
    desk.trouble = told


def _told(opened: Opened, trouble: str) -> Opened:
    """Add that the newest state cannot be opened, where it cannot; the log says where."""
    if not trouble:
        return opened
    notice = f"Đang dùng chỉ mục mở lần trước: {trouble}"
    return replace(opened, notices=(*opened.notices, notice))
