"""The numbers of a text with what they measure, in one unit for each kind of thing.

Two sources that tell of the same machine write ``480 ký hạt/giờ`` and ``khoảng 0,48 tấn/giờ``,
``15 phút`` and ``mười lăm phút``, ``1.430°C`` and ``1430 độ``. Read here, all of these are equal:
numbers by Vietnamese habit (``1.430`` is 1430, ``0,48`` is less than a half), small numbers in
words, units brought to one of their kind (kilogram, litre, metre, hour, watt, million đồng …). A
number that stands bare, or before a word that measures nothing known, keeps no unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from corpus.text import fold, normalise

# Unit as folded text → (what it measures, how much of the base unit it is).
_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("kg", "ky", "kilogam", "kilogram", "can"), ("kg", 1.0)),
    **dict.fromkeys(("tan", "t", "ton", "tons", "tonnes", "tonne"), ("kg", 1000.0)),
    **dict.fromkeys(("g", "gam", "gram"), ("kg", 1e-3)),
    "mg": ("kg", 1e-6), "ta": ("kg", 100.0), "yen": ("kg", 10.0),
    **dict.fromkeys(("l", "lit", "liter", "litre", "liters", "litres"), ("l", 1.0)),
    "ml": ("l", 1e-3),
    **dict.fromkeys(("m3", "khoi", "met khoi"), ("l", 1000.0)),
    **dict.fromkeys(("m2", "met vuong"), ("m2", 1.0)),
    **dict.fromkeys(("ha", "hecta", "hectares", "hectare"), ("m2", 1e4)),
    **dict.fromkeys(("m", "met", "metres", "meters"), ("m", 1.0)),
    "km": ("m", 1e3), "cm": ("m", 1e-2),
    **dict.fromkeys(("mm", "ly", "milimet"), ("m", 1e-3)),
    **dict.fromkeys(("µm", "um", "micron", "micromet"), ("m", 1e-6)),
    **dict.fromkeys(("giay", "s", "seconds"), ("h", 1 / 3600)),
    **dict.fromkeys(("phut", "min", "minutes"), ("h", 1 / 60)),
    **dict.fromkeys(("gio", "h", "tieng", "hours", "hour"), ("h", 1.0)),
    **dict.fromkeys(("ngay", "days", "day"), ("h", 24.0)),
    **dict.fromkeys(("tuan", "weeks", "week"), ("h", 168.0)),
    **dict.fromkeys(("thang", "months", "month"), ("h", 720.0)),
    **dict.fromkeys(("nam", "years", "year"), ("h", 8760.0)),
    "w": ("W", 1.0), **dict.fromkeys(("kw", "kwp", "kva"), ("W", 1e3)), "mw": ("W", 1e6),
    **dict.fromkeys(("hp", "ma luc", "cv"), ("W", 746.0)),
    "kwh": ("kWh", 1.0),
    **dict.fromkeys(("oc", "do c", "do", "c", "do am"), ("°C", 1.0)),
    **dict.fromkeys(("%", "phan tram", "percent"), ("%", 1.0)),
    **dict.fromkeys(("dong", "vnd"), ("tr", 1e-6)),
    **dict.fromkeys(("nghin dong", "ngan dong"), ("tr", 1e-3)),
    **dict.fromkeys(("trieu", "trieu dong", "tr"), ("tr", 1.0)),
    **dict.fromkeys(("ty", "ty dong", "ti"), ("tr", 1e3)),
    **dict.fromkeys(("bar", "atm"), ("bar", 1.0)),
    **dict.fromkeys(("con", "head"), ("con", 1.0)),
    **dict.fromkeys(("ho", "households"), ("hộ", 1.0)),
    **dict.fromkeys(("cay", "trees"), ("cây", 1.0)),
    **dict.fromkeys(("vien", "bricks"), ("viên", 1.0)),
    **dict.fromkeys(("nguoi", "lao dong", "tho", "workers", "people"), ("người", 1.0)),
}  # fmt: skip
_SCALES = {"nghin": 1e3, "ngan": 1e3, "trieu": 1e6, "van": 1e4, "thousand": 1e3}
_ONES = {
    "mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "lam": 5, "sau": 6, "bay": 7,
    "tam": 8, "chin": 9,
}  # fmt: skip
# Words that begin a number only where a number of two words, a scale or a unit follows: alone they
# mean other things when their accents are off ("nam" is five, year and south).
_DIGITS = r"\d+(?:[.,]\d+)*"
_SIGNS = str.maketrans("³²°", "32o")
_WORD = re.compile(r"[^\W\d_]+[23]?|[%/]")
# What may hold a unit: up to the next number, or mark other than the stroke of "kg/h".
_STRETCH = re.compile(r"(?:\s|[^\W\d_]+[23]?(?!\d)|[%/])*")
_NUMBER = re.compile(
    rf"(?<![\w.,])(?P<low>{_DIGITS})(?:\s*(?:-|–|—|÷|đến|den|to)\s*(?P<high>{_DIGITS}))?"
)
_YEARS = (1900.0, 2100.0)
_SPOKEN = re.compile(
    r"(?<!\w)(?:(?P<tens>một|hai|ba|bốn|năm|sáu|bảy|tám|chín)?\s*mươi"
    r"(?:\s*(?P<unit>mốt|một|hai|ba|bốn|tư|lăm|sáu|bảy|tám|chín))?"
    r"|mười(?:\s*(?P<teen>một|hai|ba|bốn|lăm|sáu|bảy|tám|chín))?"
    r"|(?P<one>một|hai|ba|bốn|năm|sáu|bảy|tám|chín))(?!\w)"
)


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
    """Return the quantities of ``text`` in reading order; years of the calendar are left out.

    ``english``: ``95,000`` is ninety-five thousand.
    """
    text = normalise(text)
    found: list[Quantity] = []
    end = 0
    for each in sorted([*_written(text, english), *_spoken(text)], key=lambda each: each.start):
        if each.start >= end or found[-1].start == each.start:  # no "một năm" of "40 tấn một năm"
            found.append(each)
            end = each.start + len(each.text)
    return tuple(found)


def _written(text: str, english: bool) -> Iterator[Quantity]:
    for match in _NUMBER.finditer(text):
        low = number(match["low"], english)
        high = number(match["high"], english) if match["high"] else low
        if low is None or high is None:
            continue
        unit, scale, end = _unit(text, match.end())
        bare = not unit and scale == 1.0
        if bare and low == high and _YEARS[0] <= low <= _YEARS[1]:
            continue
        written = text[match.start() : end]
        if high < low:  # "from 41 to 6 minutes" is two numbers
            yield Quantity(unit, high * scale, high * scale, written, match.start())
            high = low
        yield Quantity(unit, low * scale, high * scale, written, match.start())


def _spoken(text: str) -> Iterator[Quantity]:
    """Yield numbers in words; one word alone counts only before a unit or a scale."""
    lowered = text.lower()
    for match in _SPOKEN.finditer(lowered):
        value = float(_value(match))
        unit, scale, end = _unit(text, match.end())
        if match["one"] and not unit and scale == 1.0:
            continue
        if match["one"] == "năm" and not unit:
            continue
        value *= scale
        yield Quantity(unit, value, value, text[match.start() : end], match.start())


def _value(match: re.Match[str]) -> int:
    def one(name: str) -> int:
        word = match[name]
        return _ONES.get(fold(word), 0) if word else 0

    if match["one"]:
        return one("one")
    if "mươi" in match[0]:
        return 10 * (one("tens") or 1) + one("unit")
    return 10 + one("teen")


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


def _unit(text: str, start: int) -> tuple[str, float, int]:
    """Read the unit that begins at ``start``: what it measures, its size, and where it ends."""
    rest = text[start : start + 40].translate(_SIGNS)
    stretch = _STRETCH.match(rest)
    words = [(fold(each[0]), each.end()) for each in _WORD.finditer(stretch[0] if stretch else "")]
    scale, at, end = 1.0, 0, 0
    first = words[0][0] if words else ""
    if (
        first in _SCALES.keys() - _UNITS.keys()
        and " ".join(word for word, _ in words[:2]) not in _UNITS
    ):
        scale, at, end = _SCALES[first], 1, words[0][1]
    for size in (2, 1):
        name = " ".join(word for word, _ in words[at : at + size])
        if len(words) >= at + size and name in _UNITS:
            unit, times = _UNITS[name]
            per, more = _per(words[at + size :])
            return unit + per, scale * times, start + max(words[at + size - 1][1], more)
    return "", scale, start + end


_PER = {"gio": "/h", "h": "/h", "hour": "/h", "ngay": "/ngày", "day": "/ngày", "ha": "/ha",
        "me": "/mẻ", "batch": "/mẻ", "phut": "/phút", "ca": "/ca", "nam": "/năm", "year": "/năm",
        "tan": "/tấn", "kg": "/kg", "l": "/l", "lit": "/l", "m3": "/m3", "m2": "/m2",
        "thang": "/tháng"}  # fmt: skip


def _per(words: list[tuple[str, int]]) -> tuple[str, int]:
    """Read ``/giờ``, ``mỗi giờ``, ``một giờ``, ``per hour``, with up to two words between."""
    for place, (word, _) in enumerate(words[:4]):
        if word in {"/", "moi", "mot", "per", "a", "an"} and place + 1 < len(words):
            following, end = words[place + 1]
            return (_PER[following], end) if following in _PER else ("", 0)
    return "", 0
