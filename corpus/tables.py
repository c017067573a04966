"""Files → tables of strings, whatever program wrote them.

The content decides the format, not the extension: officers rename files and programs lie. Values
are strings as people see them (``2026-05-01``, ``350``), so that a CSV, a workbook and a JSONL file
with the same facts give the same table. A file that cannot be read raises :class:`UnreadableFile`;
a line that cannot be read becomes a :class:`Row` with its ``problem``: the others still load.
"""

from __future__ import annotations

import csv
import io
import json
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openpyxl import load_workbook

from corpus.files import (
    ACCEPTED,
    BROKEN_WORKBOOK,
    DEFAULT_LIMITS,
    Limits,
    UnreadableFile,
    check_package,
    decode,
    load_bytes,
    refuse_other_formats,
)
from corpus.headings import is_known
from corpus.shown import json_text, shown, unguard

if TYPE_CHECKING:
    import _csv

__all__ = ["DEFAULT_LIMITS", "Limits", "Row", "Table", "UnreadableFile", "read_tables"]

HEADLESS: Final = ("Mã nhu cầu", "Mã công nghệ", "Mức")  # of a judgments file without a heading row
_HEADING_ROWS = 10  # how far down a heading row may stand, below titles and dates


@dataclass(frozen=True)
class Row:
    """One row: its ``number`` as the user counts it (heading row included) and its cells.

    ``number`` is the row of a spreadsheet, also when a CSV cell has line breaks, and the line of a
    JSONL file. With a ``problem`` the row could not be split: ``values`` is the raw line alone.

    ``sure``: of a row out of a document, how sure each cell was read, 0–1; empty for spreadsheets.
    """

    number: int
    values: tuple[str | None, ...]
    problem: str | None = None
    sure: tuple[float, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table of a file: one sheet of a workbook, or the whole of a text file.

    ``file`` may say more than its name: ``to-trinh.pdf trang 3 bảng 1``. ``kind``: the kind of
    record that it is known to hold; ``None``: its headings say.
    """

    file: str
    sheet: str | None
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    kind: str | None = None


def read_tables(path: Path, limits: Limits = DEFAULT_LIMITS) -> list[Table]:
    """Return the tables of the file at ``path``, blank ones left out. Raises UnreadableFile."""
    data = load_bytes(path, limits)
    if data.startswith(b"PK"):
        check_package(path, data, limits)
        tables = _workbook(path, data, limits)
    else:
        refuse_other_formats(path, data)
        tables = _text_file(path, decode(path, data))
        _count(path, sum(len(row.values) for table in tables for row in table.rows), limits)
    if not tables:
        raise UnreadableFile(path, "tệp không có dòng dữ liệu nào; hãy kiểm tra lại tệp")
    return tables


def _text_file(path: Path, text: str) -> list[Table]:
    if path.suffix.lower() in {".jsonl", ".ndjson"} or text.lstrip().startswith("{"):
        return [_json_lines(path, text)]
    if path.suffix.lower() == ".json":
        raise UnreadableFile(path, f"tệp JSON phải có mỗi đối tượng trên một dòng; {ACCEPTED}")
    return _delimited(path, text)


# Delimited text ---------------------------------------------------------------------------------


def _delimited(path: Path, text: str) -> list[Table]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    lines = io.StringIO(text, newline="").readlines()
    if lines[0].startswith("sep="):  # for Excel, which does not show it as a row
        del lines[0]
    delimiter = max("\t;,", key=lambda each: _fit(lines[:100], each))
    rows = _records(lines, delimiter)
    first = next((row for row in _records(lines[:100], delimiter) if any(row.values)), None)
    if delimiter == "\t" and first is not None and _is_headless(first):
        return [Table(path.name, None, HEADLESS, tuple(_filled(rows)))]
    table = frame(path, None, rows)
    return [table] if table else []


def _fit(lines: list[str], delimiter: str) -> tuple[int, int]:
    """How well ``delimiter`` splits the first rows: known headings, then cells of the first row."""
    rows = list(islice((row for row in _records(lines, delimiter) if row.values), _HEADING_ROWS))
    return max(map(_known_headings, rows), default=0), len(rows[0].values) if rows else 0


def _is_headless(row: Row) -> bool:
    third = row.values[2] if len(row.values) == 3 else None
    return third is not None and third.strip().isdigit() and _known_headings(row) == 0


def _records(lines: list[str], delimiter: str) -> Iterator[Row]:
    """Yield the rows of delimited text, numbered as a spreadsheet would number them.

    A quotation mark that is not closed would swallow the rows after it: such a row is given up as
    one broken line, and reading goes on with the next line.
    """
    start = base = number = 0
    reader = _reader(lines, 0, delimiter)
    while start < len(lines):
        number += 1
        try:
            values = next(reader)
            start = base + reader.line_num
            yield Row(number, tuple(values))
        except csv.Error:
            yield Row(number, (lines[start].rstrip("\r\n"),), "dấu ngoặc kép mở đóng không khớp")
            start = base = start + 1
            reader = _reader(lines, start, delimiter)


def _reader(lines: list[str], start: int, delimiter: str) -> _csv.Reader:
    rest = (lines[index] for index in range(start, len(lines)))
    return csv.reader(rest, delimiter=delimiter, strict=True, skipinitialspace=True)


# Workbooks --------------------------------------------------------------------------------------


def _workbook(path: Path, data: bytes, limits: Limits) -> list[Table]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that carry no values
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            meter = _Meter(path, limits)
            tables = [frame(path, ws.title, _sheet(ws, meter)) for ws in book.worksheets]
            book.close()
    except UnreadableFile:
        raise
    except Exception as error:  # openpyxl lets through whatever its unzipping and parsing met
        raise UnreadableFile(path, BROKEN_WORKBOOK) from error
    return [table for table in tables if table]


class _Meter:
    """Counts the cells and seconds of one workbook against the limits."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits, self.cells = path, limits, 0
        self._until = time.monotonic() + limits.seconds

    def row(self, number: int, cells: int) -> None:
        """Count a row; raises UnreadableFile where it is one too many."""
        if number > self.limits.rows:
            reason = f"trang tính có quá {self.limits.rows:,} dòng; hãy chia thành nhiều tệp"
            raise UnreadableFile(self.path, reason.replace(",", "."))
        self.cells += cells
        _count(self.path, self.cells, self.limits)
        if time.monotonic() > self._until:
            reason = f"đọc tệp quá {self.limits.seconds:g} giây; hãy chia thành nhiều tệp"
            raise UnreadableFile(self.path, reason)


def _count(path: Path, cells: int, limits: Limits) -> None:
    if cells > limits.cells:
        reason = f"tệp có quá {limits.cells:,.0f} ô; hãy chia thành nhiều tệp"
        raise UnreadableFile(path, reason.replace(",", "."))


def _sheet(sheet: object, meter: _Meter) -> Iterator[Row]:
    sheet.reset_dimensions()  # type: ignore[attr-defined]  # many programs state them wrongly
    rows: Iterable[tuple[object, ...]] = sheet.iter_rows(values_only=True)  # type: ignore[attr-defined]
    for number, values in enumerate(rows, 1):
        meter.row(number, len(values))
        yield Row(number, tuple(map(shown, values)))


# JSON lines -------------------------------------------------------------------------------------


def _json_lines(path: Path, text: str) -> Table:
    """One object a line; headings are the keys in the order met, lists are joined with ``;``."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    parsed = [(number, line, _json_object(line)) for number, line in lines]
    headings = tuple(dict.fromkeys(key for *_, facts in parsed for key in facts or ()))
    rows = (
        Row(number, (line.strip(),), "dòng không phải là một đối tượng JSON hoàn chỉnh")
        if facts is None
        else Row(number, tuple(facts.get(key) for key in headings))
        for number, line, facts in parsed
    )
    return Table(path.name, None, headings, tuple(rows))


def _json_object(line: str) -> dict[str, str | None] | None:
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict):
        return None
    extra = facts.pop("extra", None)  # our own export keeps unknown columns there
    if isinstance(extra, dict):
        facts = {**facts, **{key: value for key, value in extra.items() if key not in facts}}
    elif extra is not None:
        facts["extra"] = extra
    return {key: json_text(value) for key, value in facts.items()}


# Rows → table -----------------------------------------------------------------------------------


def frame(path: Path, sheet: str | None, rows: Iterable[Row]) -> Table | None:
    """Split rows into headings and data; ``None`` for a blank table.

    The heading row is the first of the first ten with two known headings (titles and dates may
    stand above it), otherwise the first row that is not blank.
    """
    kept = list(_filled(rows))
    if not kept:
        return None
    top = _heading_row(kept)
    headings = tuple(" ".join((value or "").split()) for value in kept[top].values)
    return Table(path.name, sheet, headings, tuple(kept[top + 1 :]))


def _heading_row(rows: list[Row]) -> int:
    whole = [index for index, row in enumerate(rows) if row.problem is None]
    known = (index for index in whole[:_HEADING_ROWS] if _known_headings(rows[index]) >= 2)
    return next(known, whole[0] if whole else 0)


def _known_headings(row: Row) -> int:
    return sum(is_known(value) for value in row.values if value and len(value) <= 100)


def _filled(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows that hold anything, without the blank cells at their end and the guards."""
    for row in rows:
        values = [unguard(v) if v is not None and v.strip() else None for v in row.values]
        while values and values[-1] is None:
            values.pop()
        if values:
            yield Row(row.number, tuple(values), row.problem, row.sure)
