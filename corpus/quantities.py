"""The numbers of a text with what they measure, in one unit for each kind of thing.

Two sources that tell of the same machine write ``480 ký hạt/giờ`` and ``khoảng 0,48 tấn/giờ``,
``15 phút`` and ``mười lăm phút``, ``1.430°C`` and ``1430 độ``. Read here, all of these are equal:
numbers by Vietnamese habit (``1.430`` is 1430, ``0,48`` is less than a half), small numbers in
words, units brought to one of their kind (kilogram, litre, metre, hour, watt, million đồng …). A
number that stands bare, or before a word that measures nothing known, keeps no unit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from corpus.periods import periods
from corpus.quantity_bounds import Bound, bound
from corpus.quantity_units import Unit, unit_at
from corpus.text import fold, normalise

_ONES = {
    "mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "lam": 5, "sau": 6, "bay": 7,
    "tam": 8, "chin": 9,
}  # fmt: skip
# Words that begin a number only where a number of two words, a scale or a unit follows: alone they
# mean other things when their accents are off ("nam" is five, year and south).
_DIGITS = r"\d+(?:[.,]\d+)*"
_NUMBER = re.compile(
    rf"(?<![\w.,])(?P<low>{_DIGITS})(?:\s*(?:-|–|—|÷|đến|tới|den|to)\s*(?P<high>{_DIGITS}))?"
)
_YEARS = (1900.0, 2100.0)
_ONE = "một|hai|ba|bốn|năm|sáu|bảy|tám|chín"
_SPOKEN = re.compile(
    rf"(?<!\w)(?=(?:{_ONE}|mươi|mười|nửa)(?!\w))(?:(?P<half>nửa)|"
    rf"(?:(?P<hundreds>{_ONE})\s+trăm(?:\s+(?:linh|lẻ))?(?:\s+|(?!\w)))?"
    rf"(?:(?P<tens>{_ONE})?\s*mươi(?:\s*(?P<unit>mốt|tư|lăm|{_ONE}))?"
    rf"|mười(?:\s*(?P<teen>lăm|{_ONE}))?|(?P<one>{_ONE}))?)(?!\w)"
)
_TO = re.compile(r"\s*(?:-|–|—|đến|tới)\s*")
_CALENDAR = re.compile(r"(?:19|20)\d\d")
_LONE_YEAR = re.compile(r"(?:năm\s+)?\d{4}", re.IGNORECASE)


FAR = 1.3  # times: people round, and the next model is a little larger
_ROUNDED = 0.04  # of a number, by which another may differ that says the same


@dataclass(frozen=True, order=True)
class Quantity:
    """``low`` to ``high`` (equal for one number) in base units of ``unit``; ``text`` as written."""

    unit: str  # "" for a bare number
    low: float
    high: float
    text: str
    start: int = field(default=0, compare=False)  # where it stands in the normalised text
    bound: Bound = field(default="", compare=False)  # what the words beside it make of it

    @property
    def limits(self) -> tuple[float, float]:
        """The least and most that is said: "dưới 500 triệu" is anything up to 500."""
        low = -math.inf if self.bound == "at most" else self.low
        return low, math.inf if self.bound == "at least" else self.high

    @property
    def end(self) -> int:
        """Where it ends in the normalised text."""
        return self.start + len(self.text)

    def agrees(self, other: Quantity) -> bool:
        """Whether both may say the same, given that people round: within four hundredths."""
        if self.unit != other.unit:
            return False
        return _close(self.low, other.low) and _close(self.high, other.high)

    def meets(self, other: Quantity) -> bool:
        """Whether both measure the same and have a value in common, given that people round."""
        if self.unit != other.unit:
            return False
        low = self.low if self.low > other.low else other.low
        high = self.high if self.high < other.high else other.high
        return low - high <= _ROUNDED * low  # of 100,000 records, asked 30 million times

    def far(self, other: Quantity) -> bool:
        """Whether both measure the same and the one is :data:`FAR` times the other or more."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return self.unit == other.unit and low > FAR * max(high, 0.0)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= _ROUNDED * max(abs(one), abs(other))


def quantities(text: str, english: bool = False) -> tuple[Quantity, ...]:
    """Return the quantities of ``text`` in reading order; dates and years are left out.

    ``english``: ``95,000`` is ninety-five thousand.
    """
    text = normalise(text)
    found: list[_Part] = []
    end = 0
    bare = _without_dates(text)
    parts = [*_written(bare, english), *_spoken(bare)]
    for part in sorted(parts, key=lambda each: each.quantity.start):
        each = part.quantity
        same = bool(found) and found[-1].quantity.start == each.start
        if each.start >= end or same:  # no "một năm" of "40 tấn một năm"
            whole = _one(text, found[-1], part) if found and not same else None
            found = [*found[:-1], whole] if whole else [*found, part]
            end = found[-1].quantity.end
    return tuple(replace(q, bound=bound(text, q.start, q.end)) for q, _ in found)


class _Part(NamedTuple):
    """A quantity and how large the unit is that it was written in."""

    quantity: Quantity
    size: float


def _without_dates(text: str) -> str:
    """Strike out dates, months, quarters and spans of years: they measure nothing."""
    if not _CALENDAR.search(text):
        return text
    for each in periods(text):
        if not _LONE_YEAR.fullmatch(each.text):  # "một năm 2000 con" is no date
            text = text[: each.start] + ";" * len(each.text) + text[each.end :]
    return text


def _one(text: str, before: _Part, part: _Part) -> _Part | None:
    """Return two neighbours as the one quantity they are: a range, or "1 tỷ 200 triệu"."""
    last, each = before.quantity, part.quantity
    if last.low != last.high or each.low != each.high:
        return None
    if (
        not last.unit and each.unit.startswith("tr") and before.size == 1e3
    ):  # "50 nghìn – 80 nghìn đ"
        last = replace(last, unit="tr", low=last.low / 1e6)
    if not last.unit or each.unit.partition("/")[0] != last.unit:
        return None
    gap, whole = text[last.end : each.start], text[last.start : each.end]
    if _TO.fullmatch(gap) and last.low <= each.low:
        return part._replace(quantity=replace(each, low=last.low, text=whole, start=last.start))
    if gap.isspace() and each.low < before.size and part.size < before.size:
        value = last.low + each.low
        added = replace(each, low=value, high=value, text=whole, start=last.start)
        return part._replace(quantity=added)
    return None


def _written(text: str, english: bool) -> Iterator[_Part]:
    for match in _NUMBER.finditer(text):
        low = number(match["low"], english)
        high = number(match["high"], english) if match["high"] else low
        if low is None or high is None:
            continue
        unit = unit_at(text, match.end())
        years = _YEARS[0] <= low <= high <= _YEARS[1]
        if years and not unit.name and unit.size == 1.0:
            continue
        written = text[match.start() : unit.end]
        if high < low:  # "from 41 to 6 minutes" is two numbers
            yield _part(unit, high, high, written, match.start())
            high = low
        yield _part(unit, low, high, written, match.start())


def _spoken(text: str) -> Iterator[_Part]:
    """Yield numbers in words; one word alone counts only before a unit or a scale."""
    for match in _SPOKEN.finditer(text.lower()):
        unit = unit_at(text, match.end())
        alone = match["one"] and not match["hundreds"]
        if (alone or match["half"]) and not unit.name and (unit.size == 1.0 or match["half"]):
            continue
        if match["one"] == "năm" and alone and not unit.name:
            continue
        value = _value(match)
        yield _part(unit, value, value, text[match.start() : unit.end], match.start())


def _part(unit: Unit, low: float, high: float, written: str, start: int) -> _Part:
    half = 0.5 if unit.half else 0.0  # "2 tỷ rưỡi"
    low, high = ((each + half) * unit.size for each in (low, high))
    return _Part(Quantity(unit.name, low, high, written, start), unit.size)


def _value(match: re.Match[str]) -> float:
    def one(name: str) -> int:
        word = match[name]
        return _ONES.get(fold(word), 0) if word else 0

    if match["half"]:
        return 0.5
    hundreds = 100.0 * one("hundreds")
    if "mươi" in match[0]:
        return hundreds + 10 * (one("tens") or 1) + one("unit")
    ten = 10 if "mười" in match[0] else 0
    return hundreds + ten + one("teen") + one("one")


def number(text: str, english: bool = False) -> float | None:
    """Return a number written the Vietnamese way; ``None`` where its marks make no sense.

    ``english``: ``95,000`` is ninety-five thousand.
    """
    if english and re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", text):
        return float(text.replace(",", ""))
    if re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?", text):
        return float(text.replace(".", "").replace(",", "."))
    if re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3}){2,}", text):
        return float(text.replace(",", ""))
    if text.count(".") + text.count(",") > 1:
        return None
    return float(text.replace(",", "."))
