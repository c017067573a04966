"""What is wrong with the store or the index, told without saying where on the machine it is.

Messages of the store and the index name folders, files and servers, which whoever looks after the
machine needs. Others are told the same sentence with the place taken out: what happened, and what
to do, stays.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.store import StoreError
from service.person import Asked
from service.roles import ADMIN, may

if TYPE_CHECKING:  # commands index too, and need not wait for what a service is made with
    from fastapi import Request

    from service.access import Guard

PLACE = "nơi giữ dữ liệu"
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s,;]*[^\s,;:.]")
_PATH = re.compile(r"(?<![\w<])~?(?:/[\w.@%+=-]+)+/?")


def discreet(message: str, folder: Path) -> str:
    """Return ``message`` without addresses, the work folder and any other path."""
    for place in sorted({str(folder.absolute()), str(folder)}, key=len, reverse=True):
        if place != ".":
            message = message.replace(place, PLACE)
    message = _ADDRESS.sub(PLACE, message)
    message = re.sub(rf"{PLACE}/[\w./-]+", PLACE, message)
    return _PATH.sub(PLACE, message)


def for_eyes_of(request: Request, message: str) -> str:
    """Return ``message`` as whoever asks may read it: whole for who looks after the machine."""
    return message if _trusted(request) else discreet(message, request.app.state.space.folder)


def _trusted(request: Request) -> bool:
    """Whether an administrator asks, or the one officer of a service that only this machine has."""
    found: Asked | None = getattr(request.state, "asked", None)
    guard: Guard = request.app.state.guard
    if found is None and guard.rules.local:
        try:
            found = guard.ask(None, None)
        except StoreError:  # nobody can be known now, and nobody but this machine can ask
            return True
    return found is not None and may(found.person, ADMIN)
