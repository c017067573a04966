"""What did not load and why, in words that lead to the cell, and a file to correct it in.

The file keeps every original column and adds three: what is wrong, in which file, on which row.
Once corrected it is loaded as it is: the three columns are recognised and ignored. It is a workbook
with one sheet for each kind and set of headings, as officers open files in Excel, where a CSV would
lose the zeros of ids and turn texts into dates; what a workbook cannot hold goes to a file beside
it.
"""

from __future__ import annotations

import contextlib
import csv
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from corpus.cells import CONTROL
from corpus.records import KINDS
from corpus.shown import guard
from corpus.text import fold, squeeze

MARKS: Final = ("Lỗi", "Tệp", "Dòng")  # the columns that the file of rejected rows adds
RAW_LINE: Final = "Nội dung dòng"  # heading of a line that could not be split into cells
_EXCEL_CELL = 32_767  # characters
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True)
class Rejected:
    """A row that did not load, whole, so that it can be corrected; row 0 is a file or table."""

    file: str
    sheet: str | None
    row: int
    column: str | None
    value: str | None
    reason: str
    cells: tuple[tuple[str, str | None], ...] = ()
    kind: str | None = None

    @property
    def message(self) -> str:
        """Where and why, in one Vietnamese sentence."""
        return f"{where(self.file, self.sheet, self.row, self.column)}: {self.reason}"


@dataclass(frozen=True)
class Notice:
    """Something that loaded, but differs from what stands in the file; row 0 is a whole table."""

    file: str
    sheet: str | None
    row: int
    column: str | None
    text: str

    @property
    def message(self) -> str:
        """Where and what, in one Vietnamese sentence."""
        return f"{where(self.file, self.sheet, self.row, self.column)}: {self.text}"


def where(file: str, sheet: str | None, row: int = 0, column: str | None = None) -> str:
    """Return ``technologies.xlsx (trang tính "Công nghệ") dòng 41, cột "TRL"``."""
    place = f'{file} (trang tính "{sheet}")' if sheet else file
    place += f" dòng {row}" if row else ""
    return f'{place}, cột "{column}"' if column else place


def mark_columns(headings: Sequence[str]) -> frozenset[int]:
    """Return the columns that :func:`write_rejected` added: the last ``Lỗi``, ``Tệp``, ``Dòng``.

    Empty unless all three are there: one alone is a column of the user's own.
    """
    last = {squeeze(heading): index for index, heading in enumerate(headings)}
    found = [last[squeeze(mark)] for mark in MARKS if squeeze(mark) in last]
    return frozenset(found) if len(found) == len(MARKS) else frozenset()


def write_rejected(rejected: Sequence[Rejected], path: Path) -> tuple[Path, ...]:
    """Write the rejected rows for correction and return the files written, none if there are none.

    ``path`` ending in ``.csv`` gives one CSV (UTF-8 with BOM) for each kind and set of headings,
    anything else one workbook. Cells too long for Excel go to a CSV, broken JSON lines to a
    ``.jsonl`` beside it. Each file appears whole or not at all; raises OSError.
    """
    groups = _groups(rejected)
    lines = groups.pop((None, (RAW_LINE,)), [])
    as_csv = path.suffix.lower() == ".csv"
    fit = {key: rows for key, rows in groups.items() if not as_csv and _fits_excel(rows)}
    rest = [(key, rows) for key, rows in groups.items() if key not in fit]
    written = []
    if fit:
        written.append(_atomically(path, lambda target: _write_workbook(fit, target)))
    for number, ((kind, headings), rows) in enumerate(rest, 1):
        target = path.with_suffix(".csv")
        if len(rest) > 1 or fit:
            name = fold(KINDS[kind].label).replace(" ", "-") if kind else "khac"
            target = path.with_name(f"{path.stem}-{name}-{number}.csv")
        written.append(_atomically(target, _csv_writer(headings, rows)))
    if lines:
        text = "\n".join(row.cells[0][1] or "" for row in lines) + "\n"
        target = path.with_suffix(".jsonl")
        written.append(_atomically(target, lambda file: _write_text(text, file)))
    return tuple(written)


_Key = tuple[str | None, tuple[str, ...]]


def _groups(rejected: Sequence[Rejected]) -> dict[_Key, list[Rejected]]:
    """Group the rows that hold cells by kind and headings, in the order met."""
    groups: dict[_Key, list[Rejected]] = {}
    for row in rejected:
        if row.cells:
            headings = tuple(heading for heading, _ in row.cells)
            kind = None if headings == (RAW_LINE,) else row.kind
            groups.setdefault((kind, headings), []).append(row)
    return groups


def _fits_excel(rows: Sequence[Rejected]) -> bool:
    limit = _EXCEL_CELL - 100  # the guard and escapes take room
    return all(len(value or "") < limit for row in rows for _, value in row.cells)


def _lines(headings: Sequence[str], rows: Sequence[Rejected]) -> list[list[str]]:
    """Return heading row and data rows as guarded strings, with the three marks at the end."""
    lines = [[*headings, *MARKS]]
    for row in rows:
        place = f'cột "{row.column}": {row.reason}' if row.column else row.reason
        file = f"{row.file} ({row.sheet})" if row.sheet else row.file
        lines.append([value or "" for _, value in row.cells] + [place, file, str(row.row)])
    return [[guard(_SURROGATE.sub("\ufffd", cell)) for cell in line] for line in lines]


def _csv_writer(headings: Sequence[str], rows: Sequence[Rejected]) -> Callable[[Path], None]:
    def write(target: Path) -> None:
        with target.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(_lines(headings, rows))

    return write


def _write_text(text: str, target: Path) -> None:
    target.write_text(text, encoding="utf-8", errors="replace", newline="")


def _write_workbook(groups: Mapping[_Key, Sequence[Rejected]], target: Path) -> None:
    book, titles = Workbook(write_only=True), Counter[str]()
    for (kind, headings), rows in groups.items():
        label = KINDS[kind].label if kind else "Khác"
        titles[label] += 1
        number = titles[label]
        sheet = book.create_sheet(label if number == 1 else f"{label} {number}")
        for line in _lines(headings, rows):
            cells = [WriteOnlyCell(sheet, _escaped(cell)) for cell in line]
            for cell in cells:
                cell.data_type = "s"  # never a formula, number or date
            sheet.append(cells)
    try:
        book.save(target)
    except BaseException:
        for sheet in book.worksheets:  # their own temporary files, which a full disk leaves open
            with contextlib.suppress(Exception):
                sheet.close()
        raise


def _escaped(text: str) -> str:
    """Write what XML cannot hold the way Excel does: ``_x0001_``."""
    text = _LOOKS_ESCAPED.sub("_x005F_", text)
    return CONTROL.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def _atomically(path: Path, write: Callable[[Path], None]) -> Path:
    """Let ``write`` fill a temporary file in the same folder, then put it in place."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    try:
        write(Path(name))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
