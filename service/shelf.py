"""The store of a running service: opened once, shared by all requests.

To open a store is to look whether its tables are up to date, which costs more than most questions.
"""

from __future__ import annotations

import threading

from fastapi import Request

from corpus.store import Store
from service.workspace import Workspace


class Shelf:
    """The store of one service, opened when it is first asked for."""

    def __init__(self, space: Workspace) -> None:
        self._space, self._lock = space, threading.Lock()
        self._store: Store | None = None

    def store(self) -> Store:
        """Return the open store.

        Raises:
            StoreError: there is none, or it cannot be used.
        """
        with self._lock:
            if self._store is None:
                self._store = Store.open(self._space.folder)
            return self._store

    def close(self) -> None:
        """Close it, if it was opened."""
        with self._lock:
            store, self._store = self._store, None
        if store is not None:
            store.__exit__()


def store_of(request: Request) -> Store:
    """Return the store of the service that answers ``request``.

    Raises:
        StoreError: there is none, or it cannot be used.
    """
    shelf: Shelf = request.app.state.shelf
    return shelf.store()
