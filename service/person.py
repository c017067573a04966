"""Who acts: the one fact about an account that records, lists and pages need to know."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Somebody the service knows; ``nda``: may read what is under NDA."""

    login: str
    name: str
    role: str
    nda: bool = False
