"""A refresh of the index that a page starts and nobody has to wait for.

It runs beside the requests, in one thread of one worker; what it does and how it ended is noted in
the work folder, where every worker and the next start can read it. Searches go on with the index
before until the new one is published.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from corpus.lexicon_tables import TableError
from corpus.store import StoreError
from indexes.encoders import EncoderError
from indexes.snapshot import SnapshotError
from service.workspace import Workspace

NOTE: Final = "index-refresh.json"
KNOWN: Final = (
    SnapshotError,
    StoreError,
    TableError,
    EncoderError,
)  # their messages say what to do
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refresh:
    """What the last refresh did: ``state`` is ``running``, ``done`` or ``failed``."""

    state: str
    started: str  # ISO, UTC
    message: str = ""
    process: int = 0

    @property
    def running(self) -> bool:
        """Whether it is under way, in a process that is still there."""
        return self.state == "running" and alive(self.process)

    @property
    def stopped(self) -> bool:
        """Whether it was under way when its process ended."""
        return self.state == "running" and not alive(self.process)


def alive(process: int) -> bool:
    """Whether a process of this machine is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return process > 0


def last(space: Workspace) -> Refresh | None:
    """Return the last refresh that was started from a page, if any was."""
    try:
        facts = json.loads((space.folder / NOTE).read_text(encoding="utf-8"))
        return Refresh(**facts)
    except (FileNotFoundError, ValueError, TypeError):
        return None


def start(space: Workspace, now: dt.datetime, done: Callable[[], None] = lambda: None) -> bool:
    """Begin a refresh; false: one is under way already."""
    with _STARTING:
        before = last(space)
        if before is not None and before.running:
            return False
        begun = Refresh("running", now.isoformat(timespec="seconds"), process=os.getpid())
        _note(space, begun)
    threading.Thread(target=_run, args=(space, begun, done), daemon=True).start()
    return True


_STARTING = threading.Lock()


def _run(space: Workspace, begun: Refresh, done: Callable[[], None]) -> None:
    try:
        encoder, notice = space.encoder()
        manifest = space.build(encoder)
        told = f"Chỉ mục đã gồm {manifest.records:,} công nghệ.".replace(",", ".")
        state, message = "done", f"{told} {notice}".strip()
    except KNOWN as error:
        state, message = "failed", str(error)
    except Exception:
        log.exception("refresh of the index")
        state, message = "failed", "lỗi của chương trình, đã ghi vào nhật ký máy chủ"
    try:
        _note(space, Refresh(state, begun.started, message, begun.process))
    except OSError:
        log.exception("note of the refresh")
    done()


def _note(space: Workspace, refresh: Refresh) -> None:
    handle, scratch = tempfile.mkstemp(dir=space.folder, prefix=f".{NOTE}-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(refresh), file, ensure_ascii=False)
    Path(scratch).replace(space.folder / NOTE)
