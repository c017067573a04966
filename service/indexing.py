"""Refreshing the index: one at a time, noted in the work folder, whoever asked for it.

Pages and API begin one and nobody has to wait; the command waits for its own. What it does and how
it ended stands in a note that every worker and the next start read, and in the audit. Searches go
on with the index before until the new one is published; a service that is told to stop does not
wait either, and the old index stays whole.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from corpus.database import explain
from corpus.lexicon_tables import TableError
from corpus.store import Store, StoreError
from indexes.encoders import Encoder, EncoderError
from indexes.hybrid import Tick
from indexes.snapshot import IndexBusyError, Manifest, SnapshotError
from service.discretion import discreet
from service.holds import Hold, held
from service.ledger import Ledger, stamp
from service.workspace import Workspace, encoder_or_words

NOTE: Final = "index-refresh.json"
LOCK: Final = "index-refresh.lock"
NOTED_EVERY: Final = 0.5  # seconds, within one stage
KNOWN: Final = (SnapshotError, StoreError, TableError, EncoderError)  # they say what to do
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refresh:
    """How far a refresh is, or how the last one ended; times in UTC.

    ``state`` is ``running``, ``done``, ``failed`` or ``stopped``: its process ended before it did.
    """

    state: str
    actor: str | None  # none: the command line
    began: str
    stage: str = "đang chuẩn bị"
    done: int = 0
    total: int = 0
    ended: str | None = None
    records: int | None = None
    message: str = ""

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.state == "running"

    @property
    def stopped(self) -> bool:
        """Whether its process ended before it did."""
        return self.state == "stopped"


class Indexing:
    """Refreshes the index of one work folder."""

    def __init__(self, space: Workspace, ledger: Ledger) -> None:
        self._space, self._ledger = space, ledger
        self._thread: threading.Thread | None = None
        self._noted = 0.0

    def last(self) -> Refresh | None:
        """Return the one that goes on, else the last one; ``None``: there was none."""
        try:
            told = json.loads((self._space.folder / NOTE).read_text(encoding="utf-8"))
            found = Refresh(**told)
        except (FileNotFoundError, ValueError, TypeError):
            return None
        if found.running and not held(self._space.folder / LOCK):
            return replace(found, state="stopped")
        return found

    def start(self, actor: str) -> bool:
        """Begin one for ``actor``; false: one is under way already.

        Raises:
            StoreError: there is nothing to index, or the work folder cannot be written.
        """
        try:
            hold, begun = self._begin(actor)
        except IndexBusyError:
            return False
        # A daemon: a service that is told to stop does not wait.
        work = threading.Thread(target=self._run, args=(hold, begun), daemon=True)
        self._thread = work
        work.start()
        return True

    def join(self, timeout: float | None = None) -> None:
        """Wait for the one that was begun here."""
        if self._thread is not None:
            self._thread.join(timeout)

    def run(self, actor: str | None, encoder: Encoder | None, tick: Tick | None) -> Manifest:
        """Do one here and now; return what was made.

        Raises:
            StoreError, SnapshotError, TableError: it cannot be done; the message says why.
        """
        hold, begun = self._begin(actor)
        try:
            return self._built(begun, encoder, "", tick)
        finally:
            hold.release()

    def _begin(self, actor: str | None) -> tuple[Hold, Refresh]:
        folder = self._space.folder
        with Store.open(folder):
            pass  # there is something to index
        begun = Refresh("running", actor, self._ledger.now())
        try:
            hold = Hold.take(folder / LOCK)
            if hold is None:
                told = "một lần cập nhật chỉ mục khác đang chạy: chờ nó xong rồi chạy lại"
                raise IndexBusyError(told)
            self._note(begun)
        except OSError as error:
            raise StoreError(explain(str(folder), folder, error)) from error
        return hold, begun

    def _run(self, hold: Hold, begun: Refresh) -> None:
        try:
            encoder, notice = encoder_or_words(None)
            self._built(begun, encoder, notice, None)
        except KNOWN:
            pass  # told already
        except Exception:
            log.exception("refresh of the index")
        finally:
            hold.release()

    def _built(
        self, begun: Refresh, encoder: Encoder | None, notice: str, tick: Tick | None
    ) -> Manifest:
        try:
            manifest = self._space.build(encoder, self._ticking(begun, tick))
        except KNOWN as error:
            log.warning("refresh of the index: %s", error)
            self._ended(begun, "failed", discreet(str(error), self._space.folder))
            raise
        except Exception:
            self._ended(begun, "failed", "lỗi của chương trình, đã ghi vào nhật ký máy chủ")
            raise
        told = f"Chỉ mục đã gồm {manifest.records:,} công nghệ.".replace(",", ".")
        self._ended(begun, "done", f"{told} {notice}".strip(), manifest.records)
        return manifest

    def _ticking(self, begun: Refresh, other: Tick | None) -> Tick:
        """Note every stage, and within one what was done so far."""
        now = begun

        def tick(stage: str, done: int, total: int) -> None:
            nonlocal now
            if other is not None:
                other(stage, done, total)
            before = now.done if now.stage == stage else 0
            new = now.stage != stage
            now = replace(begun, stage=stage, done=before + done, total=total)
            if new or time.monotonic() - self._noted >= NOTED_EVERY:
                self._noted = time.monotonic()
                self._try_to_note(now)

        return tick

    def _ended(self, begun: Refresh, state: str, message: str, records: int | None = None) -> None:
        ended = stamp(self._ledger.clock())
        told = replace(begun, state=state, message=message, ended=ended, records=records)
        self._try_to_note(told)
        try:
            with self._ledger.transaction(write=True) as connection:
                self._ledger.note(connection, begun.actor, "index.build", "chỉ mục", message)
        except StoreError:
            log.exception("audit of the refresh")

    def _try_to_note(self, refresh: Refresh) -> None:
        try:
            self._note(refresh)
        except OSError:
            log.exception("note of the refresh")

    def _note(self, refresh: Refresh) -> None:
        handle, scratch = tempfile.mkstemp(dir=self._space.folder, prefix=f".{NOTE}-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(refresh), file, ensure_ascii=False)
        Path(scratch).replace(self._space.folder / NOTE)
