"""What the papers of a match list say of one record or line, in words: the same in every file.

A missing fact is "chưa rõ"; a part that the reader may not see is "theo NDA".
"""

from __future__ import annotations

from typing import Final

from corpus.records import Decision, Need, Technology
from corpus.text import squeeze
from matcher import explain
from service.handover import Line, plain

UNKNOWN: Final = explain.UNKNOWN
HIDDEN: Final = "theo NDA"
_CONTACT: Final = (  # squeezed headings of columns that needs carry beside their fields
    "lien he", "nguoi lien he", "thong tin lien he", "dien thoai", "so dien thoai", "email",
    "dia chi lien he",
)  # fmt: skip


def fact(technology: Technology, part: str, shown: str | None) -> str:
    """Return ``shown``, else why it is not there: hidden, or unknown."""
    if shown and shown != UNKNOWN:
        return plain(shown)
    return HIDDEN if part in technology.restricted else UNKNOWN


def price(technology: Technology) -> str:
    """Return the price range in million đồng."""
    hidden = "cost_from" if "cost_from" in technology.restricted else "cost_to"
    return fact(technology, hidden, explain.facts(technology)["Chi phí"])


def places(technology: Technology) -> str:
    """Return where it is used already."""
    return fact(technology, "places_used", "; ".join(technology.places_used))


def accepted(technology: Technology) -> str:
    """Return number and date of acceptance."""
    day = technology.acceptance_date
    told = [technology.acceptance_no or "", f"ngày {day:%d/%m/%Y}" if day else ""]
    return plain(" ".join(filter(None, told))) or UNKNOWN


def contact(need: Need | None) -> str:
    """Return whom to phone on the side of demand: from columns beside the fields of a need."""
    extra = need.extra if need else {}
    found = [value for name, value in extra.items() if squeeze(name) in _CONTACT and value]
    return plain("; ".join(found)) or UNKNOWN


def place_of(need: Need | None) -> str:
    """Return commune and province of a need."""
    told = (need.commune, need.province) if need else ()
    return plain(", ".join(filter(None, told))) or UNKNOWN


def asker(need: Need | None) -> str:
    """Return who stated a need."""
    return plain((need and need.asker) or UNKNOWN)


def told(decision: Decision) -> str:
    """Return a decision in one sentence: what, when, why, by whom."""
    why = ": ".join(filter(None, (decision.reason_kind, decision.reason)))
    parts = [f"{decision.outcome} ngày {decision.date:%d/%m/%Y}", why]
    parts += [f"tại {decision.event}" if decision.event else ""]
    parts += [f"người ghi: {decision.by}" if decision.by else ""]
    return plain("; ".join(filter(None, parts)))


def state(line: Line) -> str:
    """Return how far a line has come."""
    marks = ["công nghệ đã bị rút"] if line.item.withdrawn else []
    marks += [told(line.latest)] if line.latest else []
    return "; ".join(marks) or "chưa liên hệ"


def step(line: Line) -> str:
    """Return the next step and its date; empty where none is planned."""
    latest = line.latest
    if latest is None or not (latest.next_step or latest.next_date):
        return ""
    due = f"hạn {latest.next_date:%d/%m/%Y}" if latest.next_date else ""
    return plain(", ".join(filter(None, (latest.next_step, due))))
