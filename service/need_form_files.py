"""Blank forms as files: a workbook with lists to choose from, a Word table, a ZIP for a round.

Both have the same headings, those of our records; in Word they are the first row of the first
table. The same form gives the same bytes; names of products stay text whatever they look like.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from corpus.gathering import Round
from corpus.records import STAGES
from corpus.store import Store
from service.exports import (
    BOLD,
    HEAD_FILL,
    RED,
    WATERMARK,
    height,
    page,
    put,
    timeless,
    without_clock,
)
from service.need_forms import ASKER_KINDS, PRIORITIES, Blank, blank, guide, heading
from service.paper import Paper

SUFFIXES: Final = (".xlsx", ".docx")
ROWS: Final = {".xlsx": 50, ".docx": 12}
FORM, GUIDE, LISTS = "Phiếu nhu cầu", "Hướng dẫn", "Danh mục"
TITLE: Final = "PHIẾU THU THẬP NHU CẦU CÔNG NGHỆ"
LAST_ROW: Final = 500  # of the sheet; lists to choose from reach so far
DAY: Final = dt.date(2026, 1, 1)  # what a form without a round says of when it was made
_FILL: Final = PatternFill("solid", fgColor="F2F2F2")
_LINE: Final = Side(style="thin", color="A6A6A6")
_BOX: Final = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)


def make(form: Blank, suffix: str) -> bytes:
    """Return ``form`` as a file of one of :data:`SUFFIXES`."""
    return _workbook(form) if suffix == ".xlsx" else _document(form)


def of_all(store: Store, of: Round, suffix: str) -> bytes:
    """Return a ZIP with the form of every body of a round."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for body in of.asked:
            form = blank(store, body.kind, of, body)
            packed.writestr(form.file(suffix), make(form, suffix))
    return timeless(buffer)


# XLSX ---------------------------------------------------------------------------------------------


def _workbook(form: Blank) -> bytes:
    book = Workbook()
    day = form.round.deadline if form.round else DAY
    book.properties.creator = "Cung Cầu"
    book.properties.created = book.properties.modified = dt.datetime.combine(day, dt.time())
    sheet = book.worksheets[0]
    sheet.title = FORM
    choices = _lists(form)
    _table(sheet, form)
    _guidance(book.create_sheet(GUIDE), form)
    _choices(book.create_sheet(LISTS), choices)
    _validate(sheet, form, choices)
    return without_clock(book)


def _lists(form: Blank) -> dict[str, Sequence[str]]:
    """Field → what may be chosen."""
    return {
        "product": form.products, "stage": STAGES, "priority": PRIORITIES,
        "asker_kind": ASKER_KINDS,
    }  # fmt: skip


def _table(sheet: Worksheet, form: Blank) -> None:
    put(sheet, 1, 1, "PHIẾU THU THẬP NHU CẦU CÔNG NGHỆ", Font(bold=True, size=14))
    lines = [*form.about, *([WATERMARK] if form.marked else [])]
    for number, line in enumerate(lines, start=2):
        put(sheet, number, 1, line, RED if line == WATERMARK else None)
    head = len(lines) + 3
    for number, (name, told, width) in enumerate(form.columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
        cell = put(sheet, head, number, told, BOLD)
        cell.fill, cell.border = HEAD_FILL, _BOX
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        _column(sheet, form, name, number, head)
    sheet.row_dimensions[head].height = 34
    sheet.freeze_panes = f"C{head + 1}"
    sheet.print_title_rows = f"{head}:{head}"
    page(sheet, form.marked)


def _column(sheet: Worksheet, form: Blank, name: str, number: int, head: int) -> None:
    for place in range(ROWS[".xlsx"]):
        line = head + 1 + place
        cell = sheet.cell(line, number)
        cell.border, cell.alignment = _BOX, Alignment(wrap_text=True, vertical="top")
        if name == "id":
            cell.value, cell.fill = form.code(place) or None, _FILL


def _guidance(sheet: Worksheet, form: Blank) -> None:
    put(sheet, 1, 1, "Hướng dẫn điền phiếu", BOLD)
    sheet.column_dimensions["A"].width = 110
    for number, line in enumerate(guide(form), start=2):
        cell = put(sheet, number, 1, f"{number - 1}. {line}")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[number].height = height([line], [("", 105)]) + 6
    page(sheet, form.marked)


def _choices(sheet: Worksheet, lists: dict[str, Sequence[str]]) -> None:
    for number, (name, values) in enumerate(lists.items(), start=1):
        put(sheet, 1, number, heading(name), BOLD)
        sheet.column_dimensions[get_column_letter(number)].width = 30
        for line, value in enumerate(values, start=2):
            put(sheet, line, number, value)


def _validate(sheet: Worksheet, form: Blank, lists: dict[str, Sequence[str]]) -> None:
    """Let people choose; a product may also be typed, for not every product is on the list yet."""
    head = int(str(sheet.print_title_rows).rpartition("$")[2])
    for number, (name, values) in enumerate(lists.items(), start=1):
        if not values:
            continue
        letter = get_column_letter(number)
        rule = DataValidation("list", f"'{LISTS}'!${letter}$2:${letter}${len(values) + 1}")
        rule.allow_blank, rule.showErrorMessage = True, True
        rule.errorStyle = "warning" if name == "product" else "stop"
        rule.errorTitle, rule.error = heading(name), _REFUSED[name == "product"]
        column = next(n for n, each in enumerate(form.columns, start=1) if each[0] == name)
        place = get_column_letter(column)
        rule.add(f"{place}{head + 1}:{place}{LAST_ROW}")
        sheet.add_data_validation(rule)


_REFUSED: Final = (
    "Hãy chọn một giá trị trong danh sách, hoặc để trống nếu chưa biết.",
    "Sản phẩm này chưa có trong danh mục. Vẫn ghi được, nhưng cần báo cơ quan gửi phiếu.",
)


# DOCX ---------------------------------------------------------------------------------------------


# Widths in mm: paper is narrower than a sheet, and no word of a heading may break.
_WIDTHS: Final = {
    "id": 33, "product": 24, "text": 34, "stage": 18, "priority": 15, "asker": 21,
    "asker_kind": 14, "commune": 24, "province": 16, "scale": 13, "current": 19, "budget": 18,
    "trl_min": 17,
}  # fmt: skip


def _document(form: Blank) -> bytes:
    day = form.round.deadline if form.round else DAY
    paper = Paper("Phiếu thu thập nhu cầu công nghệ", day, form.marked)
    paper.line("PHIẾU THU THẬP NHU CẦU CÔNG NGHỆ", bold=True)
    for line in form.about:
        paper.line(line, italic=True)
    paper.mark()
    columns = [(told, _WIDTHS[name]) for name, told, _ in form.columns]
    empty = [""] * (len(columns) - 1)
    paper.table(columns, [[form.code(place), *empty] for place in range(ROWS[".docx"])])
    paper.note("Hướng dẫn điền phiếu", guide(form))
    paper.note("Danh mục sản phẩm", ["; ".join(form.products) or "(chưa có)"])
    return paper.to_bytes()
