"""One cell → one value: money, dates, numbers, yes/no, lists, stages, visibility.

Each parser takes the text of a filled cell and returns a :class:`Parsed` value, with a note where
it had to guess, or raises :class:`CellError` saying in Vietnamese what would have been right.
Numbers follow Vietnamese habit: ``1.200`` is 1200, ``350,5`` is three hundred and fifty and a half.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from corpus import outcomes, tasks, worded
from corpus.headings import MONEY_FIELDS, UNITS, YEARLY_FIELDS, field_of, shorten, title
from corpus.outcomes import Outcome, ReasonKind
from corpus.periods import PeriodError
from corpus.records import KINDS, MAX_CELL, PUBLIC, RESTRICTABLE, STAGES, UNDER_NDA
from corpus.tasks import Progress, TaskKind
from corpus.text import squeeze

# U+FFFD marks a byte that no decoding could read; surrogates cannot be stored at all.
DAMAGED: Final = re.compile("[\ufffd\ud800-\udfff]")
CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ODD: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")
_FORMULA_ERRORS: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"}
)
_NUMBER: Final = re.compile(r"-?\d+(?:[.,]\d+)*")
_AMOUNT: Final = re.compile(
    r"(-?\d[\d.,]*)\s*([^\W\d]*(?:\s+(?:đồng|dong|vnđ|vnd))?)", re.IGNORECASE
)
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4})")
_YES: Final = frozenset({"co", "x", "true", "1", "dung", "yes", "du lieu minh hoa", "minh hoa"})
_NO: Final = frozenset({"khong", "false", "0", "sai", "no"})
_CARRIED: Final = frozenset({"chuyen tiep", "mo moi", "moi"})
_PUBLIC_FLAGS: Final = frozenset({squeeze(PUBLIC), "public"})
_NDA_FLAGS: Final = frozenset({squeeze(UNDER_NDA), "sau nda", "nda"})
_MONEY_EXPECTED: Final = "cần số tiền, ví dụ: 350; 350,5; 350 triệu; 1,2 tỷ"
_SUSPICIOUS = 1e6  # million VND: beyond a thousand billion, somebody probably wrote đồng


class CellError(ValueError):
    """A cell that cannot be what its column asks for; the message is what was expected."""


class Parsed(NamedTuple):
    """The value of a cell and, where it had to be guessed, a note for the user."""

    value: Any
    note: str | None = None


Parser = Callable[[str], Parsed]


def clean(text: str) -> Parsed:
    """Return ``text`` fit to be parsed; control characters become spaces, with a note.

    Raises CellError for a cell that is too long, damaged, or a spreadsheet's error value.
    """
    if len(text) > MAX_CELL:
        length, limit = (f"{number:,}".replace(",", ".") for number in (len(text), MAX_CELL))
        raise CellError(f"ô dài {length} ký tự, giới hạn là {limit}")
    if text in _FORMULA_ERRORS:
        raise CellError("ô báo lỗi công thức của bảng tính")
    if not _ODD.search(text):
        return Parsed(text)
    if DAMAGED.search(text):
        raise CellError("có ký tự bị hỏng khi lưu; hãy gõ lại và lưu tệp ở dạng UTF-8")
    return Parsed(CONTROL.sub(" ", text), "có ký tự điều khiển, đã thay bằng dấu cách")


def parse_number(text: str) -> float:
    """Return a number written the Vietnamese way; dots or commas between threes are thousands.

    A single comma is always the decimal mark (``1,200`` is 1.2), a single dot only when the
    digits after it are not three (``1.5``, ``0.125``).
    """
    if not _NUMBER.fullmatch(text):
        raise CellError("cần một số, ví dụ 350 hoặc 350,5")
    if re.fullmatch(r"-?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?", text):
        return float(text.replace(".", "").replace(",", "."))
    if re.fullmatch(r"-?[1-9]\d{0,2}(?:(?:,\d{3}){2,}(?:\.\d+)?|,\d{3}\.\d+)", text):
        return float(text.replace(",", ""))
    if text.count(".") + text.count(",") > 1:
        raise CellError("không rõ dấu phân cách nào là phần thập phân, ví dụ đúng: 1.200,5")
    return float(text.replace(",", "."))


@lru_cache(maxsize=4096)
def parse_money(text: str, unit: float = 1.0) -> Parsed:
    """Return million VND: ``350``, ``1,2 tỷ``, ``350 triệu``, ``1 tỷ 200 triệu``, ``500.000 đồng``.

    ``unit`` is that of a bare number, as the column's heading states it (in million VND).
    """
    text = " ".join(text[:200].split())
    value = round(_add_amounts(text, unit), 9)
    if value > 1e9:
        raise CellError("số tiền quá lớn; hãy kiểm tra lại đơn vị là triệu đồng")
    note = None
    if value > _SUSPICIOUS:
        note = f"số tiền rất lớn ({value:.15g} triệu đồng), hãy kiểm tra lại đơn vị"
    elif re.fullmatch(r"[1-9]\d{0,2},\d{3}", text):
        grouped = text.replace(",", ".")
        note = f'"{text}" được hiểu là số thập phân; nếu là hàng nghìn, hãy ghi "{grouped}"'
    return Parsed(value, note)


def _add_amounts(text: str, unit: float) -> float:
    """Add up ``1 tỷ 200 triệu``: units must fall, and only a lone number may go without one."""
    total, end, last = 0.0, 0, float("inf")
    for match in _AMOUNT.finditer(text):
        scale = UNITS.get(squeeze(match[2])) if match[2] else None if end else unit
        if text[end : match.start()].strip() or scale is None or scale >= last:
            raise CellError(_MONEY_EXPECTED)
        if match[1].startswith("-"):
            raise CellError("số tiền không được âm")
        total, end, last = total + parse_number(match[1]) * scale, match.end(), scale
    if not end or text[end:].strip():
        raise CellError(_MONEY_EXPECTED)
    return total


@lru_cache(maxsize=4096)
def parse_date(text: str) -> Parsed:
    """Return the date of ``2026-05-01`` or ``01/05/2026`` (day first; also ``.`` and ``-``)."""
    text = text.strip()
    if match := _ISO.fullmatch(text):
        year, month, day = match.group(1, 2, 3)
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year = match.group(1, 3, 4)
    else:
        raise CellError("cần ngày dạng ngày/tháng/năm, ví dụ 31/12/2026")
    try:
        return Parsed(dt.date(int(year), int(month), int(day)))
    except ValueError:
        raise CellError("ngày này không có trong lịch") from None


@lru_cache(maxsize=4096)
def _whole(text: str, low: int, high: int, *, prefix: str = "") -> Parsed:
    match = re.fullmatch(rf"(?:{prefix})?\s*(\d{{1,4}})(?:[.,]0+)?", _signed(text[:100]))
    if not match or not low <= int(match[1]) <= high:
        raise CellError(f"cần số nguyên từ {low} đến {high}")
    return Parsed(int(match[1]))


def _signed(text: str) -> str:
    """Squeeze, but keep a minus sign, which is not punctuation in a number."""
    stripped = text.strip()
    return f"-{squeeze(stripped)}" if stripped[:1] in {"-", "−", "–"} else squeeze(stripped)


def parse_trl(text: str) -> Parsed:
    """Return the technology readiness level 1–9 of ``7`` or ``TRL 7``."""
    return _whole(text, 1, 9, prefix="trl|muc")


def parse_year(text: str) -> Parsed:
    """Return a year between 1900 and 2100."""
    return _whole(text, 1900, 2100, prefix="nam")


def parse_priority(text: str) -> Parsed:
    """Return a priority 1–9."""
    return _whole(text, 1, 9)


def parse_count(text: str) -> Parsed:
    """Return how many there are: 0 to 1,000,000, also written ``1.200`` or ``25 người``."""
    number = re.fullmatch(r"(-?\d+(?:[.,]\d+)*)(?:\s+[^\W\d]+){0,3}", text.strip()[:100])
    value = parse_number(number[1]) if number else -1.0
    if not value.is_integer() or not 0 <= value <= 1_000_000:
        raise CellError("cần một số đếm, ví dụ 25 hoặc 1.200")
    return Parsed(int(value))


def parse_yearly(text: str, unit: float = 1.0) -> Parsed:
    """Return year → million VND of ``2027: 350; 2028: 1,2 tỷ``.

    ``unit`` is that of bare numbers, in million VND. A year that is named twice is refused.
    """
    sums: dict[int, float] = {}
    notes = []
    for item in filter(str.strip, re.split(r"[;\n]", text)):
        match = re.fullmatch(r"\s*(?:năm\s+)?((?:19|20)\d\d)\s*[:=–-]\s*(.+)", item, re.IGNORECASE)
        if match is None or int(match[1]) in sums:
            raise CellError("cần mỗi năm một số tiền, ví dụ: 2027: 350; 2028: 1,2 tỷ")
        money = parse_money(match[2], unit)
        sums[int(match[1])] = money.value
        notes += [money.note] if money.note else []
    return Parsed(sums, "; ".join(notes) or None)


def parse_carried(text: str) -> Parsed:
    """Return whether a task goes on from last year: ``chuyển tiếp``, ``mở mới``, or yes and no."""
    word = squeeze(text[:100]).removeprefix("nhiem vu ")
    return Parsed(word == "chuyen tiep") if word in _CARRIED else parse_flag(text)


def parse_grade(text: str) -> Parsed:
    """Return a grade 0–3."""
    return _whole(text, 0, 3)


def parse_rank(text: str) -> Parsed:
    """Return the place in a list, from 1, at which something was shown."""
    return _whole(text, 1, 9999, prefix="thu|hang|thu hang|vi tri")


def parse_outcome(text: str) -> Parsed:
    """Return the outcome of a decision: its name, another way to write it, or the English term."""
    return Parsed(_one_of(text, Outcome))


def parse_reason_kind(text: str) -> Parsed:
    """Return what the reason of a decision is about."""
    return Parsed(_one_of(text, ReasonKind))


def parse_task_kind(text: str) -> Parsed:
    """Return the kind of a task, by any of the ways to write it."""
    return Parsed(_one_of(text, TaskKind))


def parse_progress(text: str) -> Parsed:
    """Return how far a funded task is."""
    return Parsed(_one_of(text, Progress))


def _one_of(text: str, values: type[StrEnum]) -> str:
    """Return the value meant by ``text``; an unknown one is refused, with the nearest as a guess.

    Unlike a stage, a near miss is not taken: "đã liên hệ" and "không liên hệ được" are opposites.
    """
    names = _names_of(values)
    word = squeeze(text[:200])
    if word in names:
        return names[word]
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    guess = f'có phải là "{names[close[0]]}"? ' if close else ""
    raise CellError(f"{guess}các giá trị dùng được: {'; '.join(values)}")


@lru_cache
def _names_of(values: type[StrEnum]) -> dict[str, str]:
    """Squeezed way to write it → value."""
    also = outcomes.ALSO | tasks.ALSO
    ways = ((each, (each, each.name, *also[each].split(";"))) for each in values)
    return {squeeze(way): str(each) for each, written in ways for way in written}


def parse_flag(text: str) -> Parsed:
    """Return whether the cell says yes: ``có``, ``x``, ``true``, ``1`` … or no: ``không`` …"""
    word = squeeze(text)
    if word not in _YES | _NO:
        raise CellError('cần "có" hoặc "không"')
    return Parsed(word in _YES)


def parse_list(text: str) -> Parsed:
    """Return the members of ``a; b``; line breaks inside a cell separate as well."""
    return Parsed(tuple(item for part in text.split("\n") for item in part.split(";")))


def parse_text(text: str) -> Parsed:
    """Return the text itself; the record normalises it."""
    return Parsed(text)


def _stage_names() -> dict[str, str]:
    """Squeezed name → stage; either half of ``canh tác/nuôi trồng`` names it too."""
    names = {squeeze(half): stage for stage in STAGES for half in stage.split("/")}
    return names | {squeeze(stage): stage for stage in STAGES}


_STAGE_NAMES: Final = _stage_names()


@lru_cache(maxsize=4096)
def parse_stage(text: str) -> Parsed:
    """Return the stage meant by ``text``; an unknown one is kept, with a note."""
    if len(text) > 200:
        raise CellError("tên khâu dài quá 200 ký tự")
    word = squeeze(text)
    if word in _STAGE_NAMES or not word:
        return Parsed(_STAGE_NAMES.get(word, text))
    if close := difflib.get_close_matches(word, _STAGE_NAMES, n=1, cutoff=0.85):
        stage = _STAGE_NAMES[close[0]]
        return Parsed(stage, f'khâu "{shorten(text)}" được hiểu là "{stage}"')
    guess = difflib.get_close_matches(word, _STAGE_NAMES, n=1, cutoff=0.6)
    hint = f'; có phải là "{_STAGE_NAMES[guess[0]]}"?' if guess else ""
    return Parsed(text, f'khâu "{shorten(text)}" không có trong danh mục, giữ nguyên{hint}')


def parse_stages(text: str) -> Parsed:
    """Return the stages of a list, each as :func:`parse_stage` reads it."""
    stages = [parse_stage(item) for item in parse_list(text).value if item.strip()]
    notes = "; ".join(stage.note for stage in stages if stage.note)
    return Parsed(tuple(stage.value for stage in stages), notes or None)


def parse_visibility(text: str) -> Parsed:
    """Return the fields under NDA of ``Mô tả chi tiết: theo NDA; Liên hệ: theo NDA``.

    A bare English field name, as our own JSON has it, is under NDA too. Whatever cannot be told
    is an error: a typing slip must not publish what an owner wants kept.
    """
    if squeeze(text) in _PUBLIC_FLAGS:
        return Parsed(())
    hidden: list[str] = []
    for item in (item.strip() for item in parse_list(text).value):
        if not item:
            continue
        part, colon, flag = item.partition(":")
        if not colon and item in RESTRICTABLE:
            hidden.append(item)
            continue
        fields = _parts(part)
        if squeeze(flag) in _NDA_FLAGS and set(fields) <= set(RESTRICTABLE):
            hidden += fields
        elif squeeze(flag) in _NDA_FLAGS:
            raise CellError(f'phần "{shorten(part)}" luôn công khai, không đặt theo NDA được')
        elif squeeze(flag) not in _PUBLIC_FLAGS:
            raise CellError(f'sau "{shorten(part)}" cần ghi ": {UNDER_NDA}" hoặc ": {PUBLIC}"')
    return Parsed(tuple(dict.fromkeys(hidden)))


def _parts(name: str) -> tuple[str, ...]:
    if squeeze(name) in {"chi phi", "gia"}:
        return ("cost_from", "cost_to")
    if found := field_of("technology", name.strip()):
        return (found[0],)
    titles = ", ".join(title("technology", field) for field in RESTRICTABLE)
    raise CellError(f'không có phần "{shorten(name)}"; các phần đặt theo NDA được: {titles}')


def _or_worded(strict: Parser, in_words: Callable[[str], worded.Worded | None]) -> Parser:
    """Return a parser that reads a cell in words where it is not what the column asks for."""

    def parse(text: str) -> Parsed:
        try:
            return strict(text)
        except CellError:
            try:
                found = in_words(text)
            except PeriodError as error:
                raise CellError(str(error)) from None
            if found is None:
                raise
        return Parsed(*found)

    return parse


_PARSERS: Final[dict[str, Parser]] = {
    **dict.fromkeys(("trl", "trl_min"), parse_trl),
    **dict.fromkeys(("acceptance_date", "updated", "date", "next_date"), parse_date),
    "valid_until": _or_worded(parse_date, worded.until),
    "year": _or_worded(parse_year, worded.year),
    "priority": parse_priority,
    "grade": parse_grade,
    "rank": parse_rank,
    "outcome": parse_outcome,
    "reason_kind": parse_reason_kind,
    "illustrative": parse_flag,
    "stage": parse_stage,
    "stages": parse_stages,
    "restricted": parse_visibility,
    "start": parse_year,
    "end": parse_year,
    "progress": parse_progress,
    "carried_over": parse_carried,
    **dict.fromkeys(("models", "trained", "instructed", "participations"), parse_count),
}
_OF_WORK: Final[dict[str, Parser]] = {**_PARSERS, "kind": parse_task_kind}


def parser_for(kind: str, field: str, unit: float = 1.0) -> Parser:
    """Return the parser of a field; ``unit`` is that of its column's money, in million VND."""
    if field in MONEY_FIELDS:
        if field in YEARLY_FIELDS:
            return lambda text: parse_yearly(text, unit)
        return _or_worded(
            lambda text: parse_money(text, unit), lambda text: worded.money(text, field, unit)
        )
    many = KINDS[kind].model_fields[field].annotation == tuple[str, ...]
    parsers = _OF_WORK if kind in {"proposal", "task"} else _PARSERS
    return parsers.get(field, parse_list if many else parse_text)
