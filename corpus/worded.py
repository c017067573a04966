"""Cells that say their value in words: "dưới 500 triệu", "2,5–3 tỷ đồng", "đến hết năm 2027".

:mod:`corpus.cells` reads what is written exactly as the column asks and turns here with the rest.
Whatever is taken from a range or a bound is said in a note, and only what the field asks for is
taken: the least of a range for "chi phí từ", the most for a budget; "dưới 500 triệu" says no least.
"""

from __future__ import annotations

import math

from corpus.periods import OpenTermError, PeriodError, periods, valid_until
from corpus.quantities import Quantity, quantities
from corpus.quantity_bounds import is_bound
from corpus.text import normalise

Worded = tuple[object, str]  # the value, and what the user is to be told
_LEAST = frozenset({"cost_from"})  # fields of money that ask for the lowest


def money(text: str, field: str, unit: float) -> Worded | None:
    """Return million VND for ``field``, or ``None``; ``unit`` is that of bare numbers."""
    text = normalise(text[:200])
    found = quantities(text)
    if len(found) != 1 or not _alone(text, found[0]):
        return None
    (each,) = found
    if each.unit not in {"tr", ""} or (not each.unit and each.low == each.high):
        return None
    value = each.limits[0 if field in _LEAST else 1] * (1.0 if each.unit else unit)
    if not math.isfinite(value) or value > 1e9:
        return None
    return round(value, 9), f'"{text}" {_said(each, field)}: {value:g} triệu đồng'


def _alone(text: str, found: Quantity) -> bool:
    """Whether nothing but the number and the words that bound it is said."""
    before, after = text[: found.start].strip().lower(), text[found.end :].strip(" .").lower()
    known = before in {"", "từ"} or is_bound(before)
    return known and after in {"", "đồng", "trở lên", "trở xuống", "đổ lại"}


def _said(found: Quantity, field: str) -> str:
    if found.low < found.high:
        return f"là một khoảng, lấy số {'đầu' if field in _LEAST else 'cuối'}"
    names = {"at most": "được hiểu là không quá", "at least": "được hiểu là từ"}
    return names.get(found.bound, "được hiểu là khoảng")


def year(text: str) -> Worded | None:
    """Return the year of "quý III/2024", the last of "2021–2023", or ``None``."""
    text = normalise(text[:200])
    found = periods(text)
    if len(found) != 1 or found[0].text != text:
        return None
    last = found[0].last.year
    which = "năm cuối là" if found[0].first.year < last else "năm"
    return last, f'"{text}" được hiểu là {which} {last}'


def until(text: str) -> Worded | None:
    """Return the last day of a validity, or ``None``.

    Raises:
        OpenTermError: a term is told, but not from which day.
    """
    try:
        day = valid_until(text[:200])
    except OpenTermError:
        raise
    except PeriodError:
        return None
    return day, f'"{normalise(text[:200])}" được hiểu là đến {day:%d/%m/%Y}'
