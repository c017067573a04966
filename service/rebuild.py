"""Making the index anew while the service runs: one at a time, in a thread, its state in view.

The service answers with the old index until the new one is published; the lock of the index folder
keeps a command in another process from building at the same moment.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from corpus.store import StoreError
from indexes.encoders import EncoderError
from indexes.snapshot import SnapshotError
from service.ledger import stamp, utc_now
from service.workspace import Workspace

KNOWN = (StoreError, SnapshotError, EncoderError)  # their messages say what to do
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """How far the last rebuild of this process is; times in UTC."""

    actor: str
    began: str
    stage: str = "đang chuẩn bị"
    done: int = 0
    total: int = 0
    ended: str | None = None
    records: int | None = None
    trouble: str = ""

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.ended is None


class Rebuild:
    """Rebuilds the index of one work folder when somebody asks for it."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._changing = threading.Lock()
        self._work: Work | None = None
        self._thread: threading.Thread | None = None

    @property
    def work(self) -> Work | None:
        """The last one, or ``None``."""
        return self._work

    def start(self, actor: str, ended: Callable[[Work], None] = lambda _: None) -> bool:
        """Begin one for ``actor``; return whether it began: not while another goes on.

        ``ended`` is called with its account when it is over.
        """
        with self._changing:
            if self._work is not None and self._work.running:
                return False
            self._work = Work(actor, stamp(utc_now()))
        # A daemon: a service that is told to stop does not wait; the old index stays whole.
        self._thread = threading.Thread(target=self._run, args=(ended,), daemon=True)
        self._thread.start()
        return True

    def join(self, timeout: float | None = None) -> None:
        """Wait for the one that goes on."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self, ended: Callable[[Work], None]) -> None:
        try:
            manifest = self._space.build(self._space.encoder()[0], self._tick)
            self._told(records=manifest.records)
        except KNOWN as error:
            self._told(trouble=str(error))
        except Exception:
            log.exception("the index could not be made")
            self._told(trouble="lỗi của chương trình, đã ghi vào nhật ký máy chủ")
        self._told(ended=stamp(utc_now()))
        if self._work is not None:
            ended(self._work)

    def _tick(self, stage: str, done: int, total: int) -> None:
        before = self._work
        if before is not None:
            done += before.done if before.stage == stage else 0
            self._told(stage=stage, done=done, total=total)

    def _told(self, **facts: object) -> None:
        with self._changing:
            if self._work is not None:
                self._work = replace(self._work, **facts)  # type: ignore[arg-type]
