"""The stretches of time a text names, as first and last day: dates, months, quarters, years.

``quý III/2024`` is 1 July to 30 September, ``giai đoạn 2021-2025`` five whole years, ``từ 1/3/2024
đến hết năm 2026`` one stretch. A term ("5 năm kể từ ngày 15/03/2022") ends on the day of the same
number (Civil Code 2015, art. 147 and 148). Where it is not said from which day, nobody guesses.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from corpus.text import normalise

Parts = Mapping[str, str]
Reader = Callable[[Parts], tuple[dt.date, dt.date]]
_YEAR = r"(?:19|20)\d\d"
_DASH = r"\s*(?:-|–|—|đến(?:\s+hết)?|tới)\s*"
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_TO = re.compile(r"\s*,?\s*(?:-|–|—|(?:cho\s+)?đến(?:\s+hết)?(?:\s+ngày)?|tới)\s*", re.IGNORECASE)
_TERM = re.compile(
    r"(?<!\w)(?P<count>\d{1,3})\s+(?P<unit>năm|tháng)\s*,?\s*(?:kể\s+)?từ\s+(?P<event>[^,.;]*)",
    re.IGNORECASE,
)
_FROM_ONLY = re.compile(r"(?:kể\s+)?từ(?:\s+ngày)?\s*$", re.IGNORECASE)


class PeriodError(ValueError):
    """A text that does not tell the day asked for; the message says why, in Vietnamese."""


class OpenTermError(PeriodError):
    """A term of which it is not said from which day it counts."""


@dataclass(frozen=True)
class Period:
    """From the day ``first`` to the day ``last``; ``text`` as written, at ``start``."""

    first: dt.date
    last: dt.date
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends in the normalised text."""
        return self.start + len(self.text)


def periods(text: str) -> tuple[Period, ...]:
    """Return the stretches of time that ``text`` names, in order; impossible days are left out.

    Offsets refer to ``normalise(text)``.
    """
    text = normalise(text)
    found: list[Period] = []
    for each in _named(text):
        before = found[-1] if found else None
        if before and _TO.fullmatch(text[before.end : each.start]) and before.first <= each.last:
            whole = text[before.start : each.end]
            found[-1] = replace(before, last=each.last, text=whole)
        else:
            found.append(each)
    return tuple(found)


def valid_until(text: str, since: dt.date | None = None) -> dt.date:
    """Return the last day of a validity: ``hiệu lực đến 31/12/2027``, ``5 năm kể từ ngày …``.

    Args:
        text: what is written.
        since: the day that a term counts from where the text itself does not say it.

    Raises:
        PeriodError: no such day is told (:class:`OpenTermError`: a term without its first day).
    """
    text = normalise(text)
    named = periods(text)
    if term := _TERM.search(text):
        inside = [each for each in named if term.start("event") <= each.start < term.end()]
        begins = inside[0].first if inside else since
        if begins is None:
            raise PeriodError(
                f"chưa biết {term['event'].strip()} là ngày nào; hãy ghi ngày hết hạn"
            )
        return _later(begins, int(term["count"]) * (12 if term["unit"].lower() == "năm" else 1))
    ends = [each for each in named if not _open(text, each)]
    if len({each.last for each in ends}) != 1:
        raise PeriodError("cần đúng một ngày hết hạn, ví dụ: hiệu lực đến 31/12/2027")
    return ends[0].last


def _open(text: str, period: Period) -> bool:
    """Whether only the beginning is told: "có hiệu lực từ ngày 1/1/2024"."""
    begins = re.match(r"từ\s", period.text, re.IGNORECASE) or _FROM_ONLY.search(
        text[: period.start]
    )
    return bool(begins) and not re.search(_DASH, period.text)


def _named(text: str) -> Iterator[Period]:
    """Yield what the forms find from left to right, the longest first, no overlap."""
    found = [(match, read) for form, read in _FORMS for match in form.finditer(text)]
    free = 0
    for match, read in sorted(found, key=lambda each: (each[0].start(), -each[0].end())):
        if match.start() < free:
            continue
        free = match.end()
        try:
            first, last = read(match.groupdict())
        except ValueError:  # no such day in the calendar
            continue
        if first <= last:
            yield Period(first, last, match[0], match.start())


def _day(parts: Parts) -> tuple[dt.date, dt.date]:
    day = dt.date(int(parts["y"]), int(parts["m"]), int(parts["d"]))
    return day, day


def _months(year: int, first: int, count: int) -> tuple[dt.date, dt.date]:
    last = first + count - 1
    end = dt.date(year, last, calendar.monthrange(year, last)[1])
    return dt.date(year, first, 1), end


def _years(parts: Parts) -> tuple[dt.date, dt.date]:
    last = parts.get("last") or parts["y"]
    return dt.date(int(parts["y"]), 1, 1), dt.date(int(last), 12, 31)


def _month(parts: Parts) -> tuple[dt.date, dt.date]:
    if not 1 <= int(parts["m"]) <= 12:
        raise ValueError(parts["m"])
    return _months(int(parts["y"]), int(parts["m"]), 1)


def _quarter(parts: Parts) -> tuple[dt.date, dt.date]:
    return _months(int(parts["y"]), 3 * _QUARTERS[parts["q"].lower()] - 2, 3)


def _half(parts: Parts) -> tuple[dt.date, dt.date]:
    return _months(int(parts["y"]), 1 if parts["p"].lower() == "đầu" else 7, 6)


def _form(pattern: str, read: Reader) -> tuple[re.Pattern[str], Reader]:
    return re.compile(pattern.replace("YEAR", _YEAR), re.IGNORECASE), read


_FORMS = (
    _form(r"(?<!\d)(?P<y>YEAR)-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)", _day),
    _form(r"(?<![\d/.-])(?P<d>\d{1,2})([/.-])(?P<m>\d{1,2})\2(?P<y>YEAR)(?!\d)", _day),
    _form(
        r"(?:ngày\s+)?(?<!\d)(?P<d>\d{1,2})\s+tháng\s+(?P<m>\d{1,2})"
        r"(?:\s*,?\s+năm\s+|/)(?P<y>YEAR)(?!\d)",
        _day,
    ),
    _form(r"(?<!\w)(?:6|sáu)\s+tháng\s+(?P<p>đầu|cuối)\s+năm\s+(?P<y>YEAR)(?!\d)", _half),
    _form(
        r"(?<!\w)tháng\s+(?P<m>\d{1,2})(?:\s*/\s*|\s+năm\s+)(?P<y>YEAR)(?!\d)",
        _month,
    ),
    _form(
        r"(?<!\w)quý\s+(?P<q>iv|i{1,3}|[1-4])(?:\s*/\s*|\s+năm\s+)(?P<y>YEAR)(?!\d)",
        _quarter,
    ),
    _form(
        r"(?<!\w)(?:giai đoạn|thời kỳ|nhiệm kỳ|trong|từ|năm|các năm)\s+(?:năm\s+)?"
        rf"(?P<y>YEAR){_DASH}(?:năm\s+)?(?P<last>YEAR)(?!\d)",
        _years,
    ),
    _form(r"(?<!\w)năm\s+(?P<y>YEAR)(?!\d)", _years),
    _form(rf"^(?P<y>YEAR)(?:{_DASH}(?P<last>YEAR))?$", _years),
)


def _later(day: dt.date, months: int) -> dt.date:
    """Return the day of the same number so many months later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        raise PeriodError("thời hạn quá dài")
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
