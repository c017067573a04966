"""Match lists as a spreadsheet that can be handed over.

Illustrative records are watermarked on every sheet and every line; cells that a spreadsheet program
would run as a formula stay text; the same lists give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO
from math import ceil
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from corpus.records import Need, Product
from matcher import explain
from matcher.answers import Answer, Match, ProductList

WATERMARK = "DỮ LIỆU MINH HỌA – không phải công nghệ, đơn vị, giá có thật; không dùng để ký"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can carry: no clock in an output file
FORMULA = ("=", "+", "-", "@", "\t", "\r")
LINE, TALLEST = 15.0, 409.0  # points: one line of Calibri 11; the most a row can be
WRAPPED = 0.88  # of a column's width is filled where words are kept whole
APART = "ngoài danh sách"  # in the column of ranks: breaks a hard rule
BOLD, RED = Font(bold=True), Font(bold=True, color="C00000")
HEAD_FILL = PatternFill("solid", fgColor="DDEBF7")
_NOTE = PatternFill("solid", fgColor="FFF2CC")

LIST = (
    ("Sản phẩm", 22),
    ("Nhu cầu", 60),
    ("Thứ tự", 8),
    ("Nhãn", 16),
    ("Mã", 11),
    ("Tên công nghệ", 44),
    ("Lý do", 52),
    ("Chi phí", 20),
    ("TRL", 8),
    ("Đơn vị", 30),
    ("Tỉnh", 16),
    ("Liên hệ", 26),
    ("Hiệu lực đến", 13),
    ("Điều kiện bắt buộc", 34),
    ("Ghi chú", 18),
)
GAPS = (("Sản phẩm", 26), ("Mã nhu cầu", 12), ("Nhu cầu", 80), ("Gần nhất", 50))


def match_lists(lists: Sequence[ProductList], path: Path, as_of: dt.date) -> int:
    """Write the lists of ``lists`` to ``path`` (XLSX), whole or not at all; return lines written.

    One sheet has every need with its matches, one each product's list that covers its needs, one
    the needs for which nothing was found.
    """
    book = Workbook()
    book.properties.creator = "Cung Cầu"
    book.properties.created = book.properties.modified = dt.datetime(
        as_of.year, as_of.month, as_of.day
    )
    sheets = (
        ("Theo nhu cầu", LIST, [row for each in lists for row in _by_need(each)]),
        ("Theo sản phẩm", LIST, [row for each in lists for row in _by_product(each)]),
        ("Chưa tìm thấy", GAPS, [row for each in lists for row in _gaps(each)]),
    )
    marked = any(_illustrative(each) for each in lists)
    book.remove(book.worksheets[0])
    for title, columns, rows in sheets:
        _sheet(book.create_sheet(title), columns, rows, marked, as_of)
    write_whole(path, without_clock(book))
    return len(sheets[0][2])


def _illustrative(found: ProductList) -> bool:
    shown = (match for answer in found.answers.values() for match in _all(answer))
    needs = (*found.uncovered, *(need for choice in found.choices for need in choice.needs))
    records = (found.product, *needs, *(each.technology for each in shown))
    return any(each.illustrative for each in records)


def _all(answer: Answer) -> tuple[Match, ...]:
    return (*answer.matches, *answer.set_apart)


def _by_need(found: ProductList) -> Iterable[list[str]]:
    for key, answer in found.answers.items():
        text = f"{key}: {answer.query.text}"
        listed = [match for match in answer.matches if match.label != explain.REFERENCE]
        for place, match in enumerate(listed, start=1):
            yield _row(found.product, text, str(place), match)
        for match in answer.set_apart:
            if match.label != explain.REFERENCE:
                yield _row(found.product, text, APART, match)


def _by_product(found: ProductList) -> Iterable[list[str]]:
    for place, choice in enumerate(found.choices, start=1):
        text = "\n".join(f"{each.id}: {each.text}" for each in choice.needs)
        yield _row(found.product, text, str(place), choice.match)


def _row(product: Product, need: str, place: str, match: Match) -> list[str]:
    technology, facts = match.technology, explain.facts(match.technology)
    return [
        product.name,
        need,
        place,
        match.label,
        technology.id,
        technology.name,
        match.explanation.sentence,
        facts["Chi phí"],
        facts["TRL"],
        facts["Đơn vị"],
        facts["Tỉnh"],
        technology.contact or explain.UNKNOWN,
        facts["Hiệu lực đến"],
        "; ".join(each.reason for each in match.explanation.breaches) or "đạt hoặc chưa rõ",
        "; ".join(_notes(match)),
    ]


def _notes(match: Match) -> Iterable[str]:
    yield from (f"ưu tiên {each.key} {each.name}" for each in match.priorities)
    if match.technology.illustrative:
        yield "dữ liệu minh họa"


def _gaps(found: ProductList) -> Iterable[list[str]]:
    for need in found.uncovered:
        yield _gap(found.product, need, found.answers[need.id])


def _gap(product: Product, need: Need, answer: Answer) -> list[str]:
    nearest = answer.nearest or next(iter(_all(answer)), None)
    told = f"{nearest.technology.id}: {nearest.technology.name}" if nearest else explain.UNKNOWN
    if nearest and nearest.explanation.lacks:
        told += f"\nCòn thiếu: {nearest.explanation.lacks}"
    return [product.name, need.id, need.text, told]


def _sheet(
    sheet: Worksheet,
    columns: Sequence[tuple[str, int]],
    rows: Iterable[Sequence[str]],
    marked: bool,
    as_of: dt.date,
) -> None:
    put(sheet, 1, 1, f"Danh sách kết nối cung – cầu công nghệ, lập ngày {as_of:%d/%m/%Y}", BOLD)
    if marked:
        put(sheet, 2, 1, WATERMARK, RED)
    head = 3 if marked else 2
    for number, (title, width) in enumerate(columns, start=1):
        put(sheet, head, number, title, BOLD).fill = HEAD_FILL
        sheet.column_dimensions[get_column_letter(number)].width = width
    for line, row in enumerate(rows, start=head + 1):
        for number, text in enumerate(row, start=1):
            cell = put(sheet, line, number, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if row[2] == APART:
                cell.fill = _NOTE
        sheet.row_dimensions[line].height = height(row, columns)
    sheet.freeze_panes = f"A{head + 1}"
    sheet.auto_filter.ref = f"A{head}:{get_column_letter(len(columns))}{sheet.max_row}"
    sheet.print_title_rows = f"{head}:{head}"
    page(sheet, marked)


def height(row: Sequence[str], columns: Sequence[tuple[str, int]]) -> float:
    """Return the height in points that shows all of ``row``: not every program finds it itself."""
    lines = (
        sum(ceil(len(part) / (width * WRAPPED - 1)) or 1 for part in text.split("\n"))
        for text, (_, width) in zip(row, columns, strict=True)
    )
    return min(LINE * max(lines) + 2, TALLEST)


def page(sheet: Worksheet, marked: bool) -> None:
    """Lay the sheet out for landscape A3; with the watermark on every page if ``marked``."""
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A3
    sheet.page_margins = PageMargins(0.3, 0.3, 0.7, 0.7, header=0.3, footer=0.3)
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    if marked:
        marks = _HeaderFooterPart(text=WATERMARK)
        sheet.HeaderFooter.oddHeader = sheet.HeaderFooter.oddFooter = HeaderFooterItem(center=marks)


def put(sheet: Worksheet, row: int, column: int, text: str, font: Font | None = None) -> Cell:
    """Put ``text`` into a cell as text, whatever it looks like."""
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)  # a new sheet has no merged cells
    cell.value = text
    cell.data_type = "s"  # also "=1+1" and "#REF!"
    cell.quotePrefix = text.startswith(FORMULA)
    if font:
        cell.font = font
    return cell


def without_clock(book: Workbook) -> bytes:
    """Return the file of ``book`` with one fixed time for every member.

    ``Workbook.save`` would write the time of day into the properties.
    """
    buffer = BytesIO()
    ExcelWriter(book, zipfile.ZipFile(buffer, "w")).save()
    return timeless(buffer)


def timeless(buffer: BytesIO) -> bytes:
    """Return the zip in ``buffer`` with one fixed time for every member."""
    out = BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return out.getvalue()


def write_whole(path: Path, data: bytes) -> None:
    """Write beside ``path`` and rename: an interrupted export leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(scratch).chmod(0o644)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
