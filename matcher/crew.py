"""Processes that make shards of a yearly run beside the one that was asked for it.

Half of what an answer costs is Python under one lock, so a second processor is worth a process.
Each opens the work folder itself and maps the same files of the index; nothing is inherited, so
that no thread of a running service is cut in two. All take the next shard from one counter; which
process made a shard shows in none of its bytes.

::

    asked process ──── counter: next shard ──── its helpers
         │                                          │
         └─ parts/00000.*  parts/00002.* …          └─ parts/00001.* …

A helper that dies, or cannot begin, leaves its shard to the asked process. One whose asked process
dies ends at once: nobody may write into a folder that is held by another by then.
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing as mp
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

_LOG = logging.getLogger(__name__)
_SPAWN = mp.get_context("spawn")
PATIENCE = 0.1  # seconds between looks at whether a helper is still there
NONE_LEFT = -1


class Work(Protocol):
    """What a helper opens: a run that was begun, to make shards of (:mod:`matcher.batch`)."""

    def help(self, shards: Iterator[int], made: Callable[[int], None]) -> None:
        """Make ``shards``; tell how many needs each had."""


Opening = Callable[[], AbstractContextManager[Work]]  # sent to another process: a module's function


class Queue:
    """Numbers of shards to be made, taken one at a time by whoever comes, in any process."""

    def __init__(self, shards: Sequence[int]) -> None:
        self._shards = tuple(shards)
        self._next, self._answered, self._open = (_SPAWN.Value(ctypes.c_long, 0) for _ in range(3))

    def take(self, helper: bool) -> int:
        """Return the next shard, or :data:`NONE_LEFT`."""
        with self._next:
            if self._next.value >= len(self._shards):
                return NONE_LEFT
            self._next.value += 1
            self._open.value += helper
            return self._shards[self._next.value - 1]

    def taken(self, helper: bool = False) -> Iterator[int]:
        """Yield shards until none is left."""
        return iter(lambda: self.take(helper), NONE_LEFT)

    def made(self, needs: int) -> None:
        """Note that a helper finished a shard of ``needs`` needs."""
        with self._next:
            self._open.value -= 1
            self._answered.value += needs

    @property
    def answered(self) -> int:
        """Needs in the shards that helpers finished."""
        return int(self._answered.value)

    @property
    def under_way(self) -> bool:
        """Whether a helper is at a shard."""
        return self._open.value > 0


class Crew:
    """Helpers at work on the shards of a queue; use as a context manager."""

    def __init__(self, opening: Opening | None, helpers: int, queue: Queue) -> None:
        self._queue = queue
        self._helpers: list[BaseProcess] = [
            _SPAWN.Process(target=_help, args=(opening, queue), daemon=True) for _ in range(helpers)
        ]

    def __enter__(self) -> Crew:
        for each in self._helpers:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._helpers:  # also one that is still opening: there is nothing left for it
            each.kill()
            each.join()
            each.close()

    def wait(self, meanwhile: Callable[[], None]) -> None:
        """Wait until no helper is at a shard any more, calling ``meanwhile`` now and then."""
        while self._queue.under_way and any(each.is_alive() for each in self._helpers):
            next(each for each in self._helpers if each.is_alive()).join(PATIENCE)
            meanwhile()


def possible() -> bool:
    """Whether this process may have others."""
    return not mp.current_process().daemon


def _help(opening: Opening, queue: Queue) -> None:
    """Be a helper: the whole life of its process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the asked process ends us, when it is ready
    threading.Thread(target=_end_with, args=(mp.parent_process(),), daemon=True).start()
    try:
        with opening() as work:
            work.help(queue.taken(helper=True), queue.made)
    except Exception as error:  # whatever it is, the asked process meets it too, and says it
        _LOG.warning("a helper of the yearly run ended: %s", error)


def _end_with(asked: Any) -> None:
    """End this process as soon as the asked one has ended, however that was."""
    asked.join()
    os._exit(1)
