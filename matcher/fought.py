"""What a need fights beside what a record fights: another pest is another job.

The same product and the same process are not enough where something is fought: a wasp against leaf
beetles does nothing to caterpillars, however well the words agree. A record that fights something
of the same group (a planthopper for another) may be adapted; any other is a mere reference. Where
either side names nothing, nothing is held against the record.
"""

from __future__ import annotations

from collections.abc import Iterable

from corpus.pests import Fought, Pests
from matcher.explain import ADAPT, REFERENCE, SUITS

NAMED = 3  # pests named in one reason, at most


def capped(label: str, fought: Fought) -> str:
    """Return the best label that a record may have which fights what ``fought`` says."""
    if fought == "other":
        return REFERENCE
    return ADAPT if fought == "near" and label == SUITS else label


def reason(asked: Iterable[str], told: Iterable[str], pests: Pests) -> str:
    """Say that a record fights something else; empty: it does not, or nobody knows."""
    told = frozenset(told)
    fought = pests.relation(asked, told)
    if fought in {"same", "unknown"}:
        return ""
    near = ", cùng nhóm" if fought == "near" else ""
    return f"xử lý {_listed(told)}, không phải {_listed(asked)}{near}"


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:NAMED]) + (" …" if len(ordered) > NAMED else "")
