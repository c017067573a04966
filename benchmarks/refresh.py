"""How long until 100 changed records are found, while searches go on.

A work folder as the service has it: the store is filled and indexed, then a word that stands
nowhere is put into :data:`CHANGED` records and the index is brought up to date by
``Workspace.build``, as ``cungcau index`` does. Meanwhile a thread searches for the word without
pause in whatever index is current; every answer must be of the old state (nothing found) or of the
new one (all found).
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.records import Technology
from corpus.store import Store
from indexes.snapshot import open_current
from service.workspace import Workspace

CHANGED = 100
WORD = "zymoquartz"


@dataclass(frozen=True)
class Refreshed:
    """Seconds from the change to the first search that finds it, and the searches meanwhile."""

    seconds: float
    first: float  # seconds of the first build, from the store
    searches: int
    slowest: float  # seconds of the slowest search meanwhile
    mixed: int  # answers that were neither of the old state nor of the new


def measure(records: Sequence[Technology], changed: int = CHANGED) -> Refreshed:
    """Fill a store with ``records``, index it, change some of them, bring the index up to date."""
    changed = min(changed, len(records))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with Store.create(folder) as store:
            store.save(records)
        workspace = Workspace(folder)
        start = time.perf_counter()
        workspace.build(None)
        first = time.perf_counter() - start
        searcher = _Searcher(workspace.index_folder, changed)
        searcher.start()
        try:
            start = time.perf_counter()
            new = [each.model_copy(update={"name": f"{each.name} {WORD}"}) for each in records]
            with Store.open(folder) as store:
                store.save(new[:changed])
            workspace.build(None)
            found = searcher.found.wait(timeout=60)
        finally:
            searcher.stop()
        if not found:
            raise RuntimeError("the changed records were not found after the refresh")
        seconds = searcher.when - start
        return Refreshed(seconds, first, searcher.count, searcher.slowest, searcher.mixed)


class _Searcher(threading.Thread):
    """Searches the current index for the word until told to stop."""

    def __init__(self, home: Path, changed: int) -> None:
        super().__init__()
        self._home, self._changed, self._stopped = home, changed, threading.Event()
        self.found = threading.Event()
        self.when = self.slowest = 0.0
        self.count = self.mixed = 0

    def run(self) -> None:
        snapshot = open_current(self._home)
        while not self._stopped.is_set():
            start = time.perf_counter()
            if (self._home / "CURRENT").read_text(encoding="utf-8").strip() != snapshot.folder.name:
                snapshot.close()
                snapshot = open_current(self._home)
            hits = int((snapshot.index().views["syllables"].scores([WORD]) > 0).sum())
            self.count += 1
            self.mixed += hits not in {0, self._changed}
            self.slowest = max(self.slowest, time.perf_counter() - start)
            if hits == self._changed and not self.found.is_set():
                self.when = time.perf_counter()
                self.found.set()
            time.sleep(0.001)  # somebody who types, not a loop that keeps the builder from working
        snapshot.close()

    def stop(self) -> None:
        """Stop searching and wait for the last answer."""
        self._stopped.set()
        self.join()
