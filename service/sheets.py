"""Workbooks of many rows, written as they come: a sheet for each view, equal bytes for equal rows.

Every sheet begins with what it is and, where sample records stand on it, the watermark; its heading
row is frozen and can be filtered; text stays text whatever it looks like; numbers stay numbers, to
be added up, and are shown with the separators of the reader's own settings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard, cast

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from service.exports import BOLD, FORMULA, HEAD_FILL, RED, WATERMARK, height, page, without_clock
from service.handover import plain


class Formula(str):
    """A cell that the spreadsheet works out: ours alone, never what a record says."""


class Strong(str):
    """Text that heads the rows below it."""


@dataclass(frozen=True)
class Shaded:
    """A number on a coloured ground."""

    number: int
    ground: PatternFill


Value = str | int | float | Shaded | None
MOST_ROWS = 1_000_000  # a sheet holds 1,048,576
LONGEST = 2_000  # characters of a cell: what is longer is a report, and stands in the record
WRAP = Alignment(wrap_text=True, vertical="top")
TOP = Alignment(vertical="top")


@dataclass(frozen=True)
class Sheet:
    """One view: a title, headings with widths in characters, and rows.

    ``folded``: from this column (0-based) on they are details, folded away until asked for.
    """

    name: str
    title: str
    columns: Sequence[tuple[str, int]]
    rows: Iterable[Sequence[Value]]
    marked: bool = False
    folded: int | None = None


def workbook(sheets: Iterable[Sheet], as_of: dt.date) -> bytes:
    """Return the XLSX file of ``sheets``; ``as_of`` is the day that it says it was made."""
    book = Workbook(write_only=True)
    book.properties.creator = "Cung Cầu"
    book.properties.created = book.properties.modified = dt.datetime(
        as_of.year, as_of.month, as_of.day
    )
    for each in sheets:
        for name, rows in _pieces(each):
            _fill(cast(Worksheet, book.create_sheet(name)), each, rows)
    return without_clock(book)


def _pieces(sheet: Sheet) -> Iterator[tuple[str, Iterator[Sequence[Value]]]]:
    """Cut what no sheet can hold: each piece is read to its end before the next is asked for."""
    rest, number, left = iter(sheet.rows), 1, [True]

    def piece() -> Iterator[Sequence[Value]]:
        for _ in range(MOST_ROWS):
            row = next(rest, None)
            if row is None:
                left[0] = False
                return
            yield row

    while left[0]:
        yield sheet.name if number == 1 else f"{sheet.name} ({number})", piece()
        number += 1


def _fill(sheet: Worksheet, what: Sheet, rows: Iterable[Sequence[Value]]) -> None:
    head = 3 if what.marked else 2
    for number, (_, width) in enumerate(what.columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    if what.folded is not None:
        first, last = (get_column_letter(each) for each in (what.folded + 1, len(what.columns)))
        sheet.column_dimensions.group(first, last, hidden=True)
    sheet.freeze_panes = f"A{head + 1}"
    page(sheet, what.marked)
    sheet.append([_cell(sheet, what.title, BOLD)])
    if what.marked:
        sheet.append([_cell(sheet, WATERMARK, RED)])
    titles = [title for title, _ in what.columns]
    sheet.row_dimensions[head].height = height(titles, what.columns)
    sheet.append([_heading(sheet, each) for each in titles])
    line = head
    for line, row in enumerate(rows, start=head + 1):
        told = [type(each)(_cut(each)) if _is_text(each) else each for each in row]
        shown = [each if _is_text(each) else "" for each in told]
        sheet.row_dimensions[line].height = height(shown, what.columns[: len(shown)])
        sheet.append([_value(sheet, each) for each in told])
    sheet.auto_filter.ref = f"A{head}:{get_column_letter(len(what.columns))}{line}"
    sheet.print_title_rows = f"{head}:{head}"


def _is_text(value: Value) -> TypeGuard[str]:
    return isinstance(value, str) and not isinstance(value, Formula)


def _cut(text: str) -> str:
    text = plain(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"


def _value(sheet: Worksheet, value: Value) -> Cell | None:
    if value is None or _is_text(value):
        return _cell(sheet, value, BOLD if isinstance(value, Strong) else None) if value else None
    number = value.number if isinstance(value, Shaded) else value
    cell = WriteOnlyCell(sheet, number)
    cell.alignment = TOP
    cell.number_format = "#,##0.00" if isinstance(number, float) else "#,##0"
    if isinstance(value, Shaded):
        cell.fill = value.ground
    return cell


def _heading(sheet: Worksheet, title: str) -> Cell:
    cell = _cell(sheet, title, BOLD)
    cell.alignment, cell.fill = WRAP, HEAD_FILL
    return cell


def _cell(sheet: Worksheet, text: str, font: Font | None = None) -> Cell:
    """Return a cell of text, whatever it looks like."""
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # also "=1+1" and "#REF!"
    cell.alignment = WRAP if font is None else TOP
    if text.startswith(FORMULA):
        cell.quotePrefix = True
    if font is not None:
        cell.font = font
    return cell
