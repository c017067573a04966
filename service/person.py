"""Who acts: the one fact about an account that records, lists and pages need to know."""

from __future__ import annotations

from dataclasses import dataclass

LOCAL = "cán bộ"  # login of the one local officer


@dataclass(frozen=True)
class Person:
    """Somebody the service knows; ``nda``: may read what is under NDA."""

    login: str
    name: str
    role: str
    nda: bool = False


@dataclass(frozen=True)
class Asked:
    """Who asks and how they showed it."""

    person: Person
    way: str  # local | session | token
    csrf: str = ""  # the token that this session's forms carry
    session: str = ""  # the session's key
    writes: bool = True  # false: a token that may only read
    must_change: bool = False  # the password was given by somebody else
