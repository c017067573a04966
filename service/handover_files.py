"""A match list as a workbook, as CSV and as JSON.

Cells that a spreadsheet would run as a formula stay text; in CSV, where nothing tells text from
formula, they are guarded by an apostrophe. Equal lists give equal bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from corpus.shown import guard
from service.exports import BOLD, HEAD_FILL, RED, WATERMARK, height, page, put, without_clock
from service.handover import Handover, Line, plain
from service.handover_annex import ANNEX, BLANK, Annex, annex_rows
from service.handover_columns import columns, rows, short_columns
from service.handover_facts import UNKNOWN

Widths = Sequence[tuple[str, int]]
LOG: Final = (
    ("Ngày", 12),
    ("Mã nhu cầu", 12),
    ("Mã công nghệ", 13),
    ("Đơn vị có nhu cầu", 30),
    ("Kết quả", 20),
    ("Nhóm lý do", 22),
    ("Lý do", 44),
    ("Bước tiếp theo", 30),
    ("Hạn", 12),
    ("Sự kiện", 22),
    ("Người ghi", 18),
)


def workbook(handover: Handover, annex: Annex = BLANK) -> bytes:
    """Return an XLSX file: the list with contacts, all its facts, the contact log, the annex."""
    book = Workbook()
    day = dt.datetime.combine(handover.day, dt.time())
    book.properties.creator = "Cung Cầu"
    book.properties.title = plain(handover.title)
    book.properties.created = book.properties.modified = day
    book.remove(book.worksheets[0])
    for name, shown in (("Danh sách", short_columns(handover)), ("Chi tiết", columns(handover))):
        widths = [(each.heading, each.width) for each in shown]
        _sheet(book.create_sheet(name), handover, widths, rows(handover, shown))
    _sheet(book.create_sheet("Nhật ký liên hệ"), handover, LOG, _log(handover))
    _sheet(book.create_sheet("Phụ lục"), handover, ANNEX, annex_rows(handover, annex))
    return without_clock(book)


def _log(handover: Handover) -> list[list[str]]:
    """Every contact about every line, the oldest first."""
    pairs = [(each, line) for line in handover.lines for each in line.log]
    pairs.sort(key=lambda pair: (pair[0].date, pair[1].place))
    return [
        [
            f"{each.date:%d/%m/%Y}",
            each.need,
            each.technology,
            (line.need.asker if line.need else None) or UNKNOWN,
            each.outcome,
            each.reason_kind or "",
            each.reason or "",
            each.next_step or "",
            f"{each.next_date:%d/%m/%Y}" if each.next_date else "",
            each.event or "",
            each.by or "",
        ]
        for each, line in pairs
    ]


def _sheet(
    sheet: Worksheet, handover: Handover, widths: Widths, texts: Sequence[Sequence[str]]
) -> None:
    head = _top(sheet, handover)
    for number, (heading, width) in enumerate(widths, start=1):
        put(sheet, head, number, heading, BOLD).fill = HEAD_FILL
        sheet.column_dimensions[get_column_letter(number)].width = width
    for line, row in enumerate(texts, start=head + 1):
        for number, text in enumerate(row, start=1):
            cell = put(sheet, line, number, plain(text))
            cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.row_dimensions[line].height = height(row, widths)
    sheet.freeze_panes = f"A{head + 1}"
    last = max(sheet.max_row, head)
    sheet.auto_filter.ref = f"A{head}:{get_column_letter(len(widths))}{last}"
    sheet.print_title_rows = f"{head}:{head}"
    page(sheet, handover.illustrative)


def _top(sheet: Worksheet, handover: Handover) -> int:
    """Write what stands above the table; return the row of its headings."""
    told = [handover.title, handover.subject, handover.standing]
    for row, text in enumerate(told, start=1):
        put(sheet, row, 1, plain(text), BOLD if row == 1 else None)
    if handover.illustrative:
        put(sheet, len(told) + 1, 1, WATERMARK, RED)
    return len(told) + (2 if handover.illustrative else 1)


def delimited(handover: Handover) -> bytes:
    """Return CSV in UTF-8 with BOM, every cell quoted, formulas guarded."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([each.heading for each in columns(handover)])
    writer.writerows([guard(cell) for cell in row] for row in rows(handover))
    return out.getvalue().encode("utf-8-sig")


def document(handover: Handover) -> bytes:
    """Return JSON for programs: stated facts of every record, and the watermark if there is one."""
    facts = {
        "list": handover.list.to_json(),
        "title": handover.title,
        "subject": handover.subject,
        "watermark": WATERMARK if handover.illustrative else None,
        "items": [_item(each) for each in handover.lines],
    }
    return (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _item(line: Line) -> Mapping[str, Any]:
    return {
        "place": line.place,
        "label": line.item.label,
        "reason": line.item.reason,
        "note": line.item.note,
        "withdrawn": line.item.withdrawn,
        "illustrative": line.illustrative,
        "technology": line.technology.to_json(),
        "need": line.need.to_json() if line.need else None,
        "product": line.product.to_json() if line.product else None,
        "decisions": [each.to_json() for each in line.log],
    }
