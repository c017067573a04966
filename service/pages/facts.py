"""What a result card says of one technology, ready for the template.

Label and reason come first, then who uses it, its acceptance, its age, whom to phone; numbers only
when somebody opens them. A fact that is missing is "chưa rõ"; one that is hidden is "theo NDA".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from corpus.lexicon import Lexicon
from corpus.priority import Priority
from corpus.records import UNDER_NDA, Technology
from matcher import explain
from matcher.answers import Match
from matcher.need import Query
from service.pages import render

FACTS = ("Nơi đã áp dụng:", "Đã áp dụng tại ")  # where a sentence turns from reason to facts
NEW = 2  # years: nothing that young is told as old


class Fact(NamedTuple):
    """A name, what is known, whether it is known at all, and who says so where that matters."""

    name: str
    value: str
    known: bool = True
    source: str = ""


class Bar(NamedTuple):
    """One part of a score: its name, its value, and its share of the largest, 0..100."""

    name: str
    value: float
    width: float


@dataclass(frozen=True)
class Card:
    """One result as a card shows it."""

    match: Match
    title: Markup
    reason: str
    passage: Markup
    badges: tuple[Fact, ...]
    told: tuple[Fact, ...]
    bars: tuple[Bar, ...]
    fresh: bool = False  # was not among these results when this person looked last


def card(match: Match, query: Query, lexicon: Lexicon, as_of: dt.date, fresh: bool = False) -> Card:
    """Make the card of one match."""
    technology, told = match.technology, match.explanation
    text = getattr(technology, told.passage.field) or ""
    title = render.marked(technology.name, explain.highlights(technology.name, query, lexicon))
    return Card(
        match,
        title,
        reason(told.sentence),
        render.excerpt(text, told.passage.highlights),
        badges(technology, as_of, match.priorities),
        facts(technology, as_of),
        bars(match),
        fresh,
    )


def reason(sentence: str) -> str:
    """Return what relates a record to the question; the facts after it stand on their own."""
    cut = min((at for each in FACTS if (at := sentence.find(each)) >= 0), default=len(sentence))
    return sentence[:cut].strip()


def fact(name: str, technology: Technology, part: str, value: str | None) -> Fact:
    """Return a fact of one part of a record, hidden or unknown where it is."""
    if value:
        return Fact(name, value)
    hidden = part in technology.restricted
    return Fact(name, UNDER_NDA if hidden else explain.UNKNOWN, False)


def price(technology: Technology) -> Fact:
    """Return what it costs."""
    stated = explain.facts(technology)["Chi phí"]
    part = "cost_from" if "cost_from" in technology.restricted else "cost_to"
    return fact("Chi phí", technology, part, None if stated == explain.UNKNOWN else stated)


def badges(
    technology: Technology, as_of: dt.date, priorities: Iterable[Priority] = ()
) -> tuple[Fact, ...]:
    """Return what people compare at a glance: priority, kind, readiness, price, place, validity."""
    trl = f"TRL {technology.trl}" if technology.trl else None
    return (
        *(Fact(f"Ưu tiên {each.key}", each.name, source=each.source) for each in priorities),
        fact("Loại", technology, "kind", technology.kind),
        fact("Mức sẵn sàng", technology, "trl", trl),
        price(technology),
        fact("Tỉnh", technology, "province", technology.province),
        fact("Hiệu lực", technology, "valid_until", _validity(technology, as_of)),
    )


def _validity(technology: Technology, as_of: dt.date) -> str | None:
    ends = technology.valid_until
    if ends is None:
        return None
    return f"đến {ends:%d/%m/%Y}" if ends >= as_of else f"đã hết từ {ends:%d/%m/%Y}"


def facts(technology: Technology, as_of: dt.date) -> tuple[Fact, ...]:
    """Return what makes people trust a record, and whom to ask."""
    used = technology.places_used
    more = f" và {len(used) - 2} nơi khác" if len(used) > 2 else ""
    return (
        fact("Đang dùng tại", technology, "places_used", "; ".join(used[:2]) + more),
        fact("Nghiệm thu", technology, "acceptance_no", accepted(technology)),
        fact("Tuổi bản ghi", technology, "year", age(technology, as_of)),
        fact("Đơn vị", technology, "owner", technology.owner),
        fact("Liên hệ", technology, "contact", technology.contact),
    )


def accepted(technology: Technology) -> str | None:
    """Return number and day of acceptance, as far as they are known."""
    number, date = technology.acceptance_no, technology.acceptance_date
    told = [f"số {number}" if number else "", f"ngày {date:%d/%m/%Y}" if date else ""]
    return " ".join(filter(None, told)) or None


def age(technology: Technology, as_of: dt.date) -> str | None:
    """Return when it was published and when the record was last looked after."""
    told = []
    if technology.year is not None:
        years = as_of.year - technology.year
        ago = f" ({years} năm trước)" if years > 0 else " (năm nay)" if years == 0 else ""
        told.append(f"công bố năm {technology.year}{ago}")
    if technology.updated is not None:
        told.append(f"cập nhật {technology.updated:%d/%m/%Y}")
    return ", ".join(told) or None


def bars(match: Match) -> tuple[Bar, ...]:
    """Return the parts of a score that count, as lengths of bars."""
    parts = {name: value for name, value in explain.shares(match.hit).items() if value}
    most = max((abs(each) for each in parts.values()), default=1.0)
    return tuple(
        Bar(name, value, round(100 * abs(value) / most, 1)) for name, value in parts.items()
    )
