"""The units that numbers are followed by, each as what it measures and how much of a base unit.

Apart from :mod:`corpus.quantities` because this is a table and the reading of it: which words after
a number are its unit, what it is per, and whether a half is added ("2 tỷ rưỡi").
"""

from __future__ import annotations

import re
from typing import NamedTuple

from corpus.text import fold

_DONG = ("dong", "vnd", "đ")  # "đ" keeps its stroke: "d" is no money
_AFTER = ("", *(f" {dong}" for dong in _DONG))
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
    **dict.fromkeys(_DONG, ("tr", 1e-6)),
    **{f"{word} {dong}": ("tr", 1e-3) for word in ("nghin", "ngan") for dong in _DONG},
    **{f"{word}{dong}": ("tr", 1.0) for word in ("trieu", "tr") for dong in _AFTER},
    **{f"{word}{dong}": ("tr", 1e3) for word in ("ty", "ti") for dong in _AFTER},
    "usd": ("USD", 1.0),
    **dict.fromkeys(("bar", "atm"), ("bar", 1.0)),
    **dict.fromkeys(("con", "head"), ("con", 1.0)),
    **dict.fromkeys(("ho", "households"), ("hộ", 1.0)),
    **dict.fromkeys(("cay", "trees"), ("cây", 1.0)),
    **dict.fromkeys(("vien", "bricks"), ("viên", 1.0)),
    **dict.fromkeys(("nguoi", "lao dong", "tho", "workers", "people"), ("người", 1.0)),
}  # fmt: skip
_SCALES = {"nghin": 1e3, "ngan": 1e3, "trieu": 1e6, "van": 1e4, "thousand": 1e3}
_SIGNS = str.maketrans("³²°", "32o")
_WORD = re.compile(r"[^\W\d_]+[23]?|[%/]")
# What may hold a unit: up to the next number, or mark other than the stroke of "kg/h".
_STRETCH = re.compile(r"(?:\s|[^\W\d_]+[23]?(?!\d)|[%/])*")
_PER = {"gio": "/h", "h": "/h", "hour": "/h", "ngay": "/ngày", "day": "/ngày", "ha": "/ha",
        "me": "/mẻ", "batch": "/mẻ", "phut": "/phút", "ca": "/ca", "nam": "/năm", "year": "/năm",
        "tan": "/tấn", "kg": "/kg", "l": "/l", "lit": "/l", "m3": "/m3", "m2": "/m2",
        "thang": "/tháng"}  # fmt: skip


class Unit(NamedTuple):
    """What a number measures ("": nothing known), the unit's size, where it ends, and a half."""

    name: str
    size: float
    end: int
    half: bool = False


def unit_at(text: str, start: int) -> Unit:
    """Read the unit that begins at ``start``."""
    rest = text[start : start + 40].translate(_SIGNS)
    stretch = _STRETCH.match(rest)
    words = [(_key(each[0]), each.end()) for each in _WORD.finditer(stretch[0] if stretch else "")]
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
            after = words[at + size :]
            half = bool(after) and after[0][0] == _HALF
            per, more = _per(after[1:] if half else after)
            last = max(words[at + size - 1 + half][1], more)
            return Unit(unit + per, scale * times, start + last, half)
    return Unit("", scale, start + end)


_HALF = "rưỡi"


def _key(word: str) -> str:
    """Fold a word, but for two whose marks tell them from others: đ (đồng) and rưỡi (a half)."""
    lowered = word.lower()
    return lowered if lowered in {"đ", _HALF} else fold(word)


def _per(words: list[tuple[str, int]]) -> tuple[str, int]:
    """Read ``/giờ``, ``mỗi giờ``, ``một giờ``, ``per hour``, with up to two words between."""
    for place, (word, _) in enumerate(words[:4]):
        if word in {"/", "moi", "mot", "per", "a", "an"} and place + 1 < len(words):
            following, end = words[place + 1]
            return (_PER[following], end) if following in _PER else ("", 0)
    return "", 0
