"""Things made once and kept, each beside the objects that it was made of."""

from __future__ import annotations

import threading
from collections import defaultdict


class Kept:
    """What was made for one index, each thing with the objects that it was made of."""

    def __init__(self) -> None:
        self.working = threading.Lock()  # held by who ranks all needs: others wait for it
        self._lock = threading.Lock()
        self._kinds: dict[str, dict[str, tuple[tuple[object, ...], object]]] = defaultdict(dict)

    def get(self, kind: str, key: str, of: tuple[object, ...]) -> object | None:
        """Return what was made for ``key``, unless some of what it was made of was replaced."""
        before, made = self._kinds[kind].get(key, ((), None))
        same = len(before) == len(of) and all(a is b for a, b in zip(before, of, strict=True))
        return made if same else None

    def put(self, kind: str, key: str, of: tuple[object, ...], made: object, most: int) -> None:
        """Keep ``made``; of each kind the ``most`` latest are kept."""
        with self._lock:
            kept = self._kinds[kind]
            kept.pop(key, None)
            while len(kept) >= most:
                kept.pop(next(iter(kept)))
            kept[key] = of, made

    def drop(self, kind: str, key: str) -> None:
        """Keep something no longer."""
        with self._lock:
            self._kinds[kind].pop(key, None)
