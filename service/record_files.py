"""Records as files that people open and other programs read, and that load again as they were.

Under our own headings stands what is stated: what was inferred of a record is inferred anew when it
is loaded, where it came from is said by whoever loads it. Sample records are marked, in a workbook
on every page too; a cell that looks like a formula stays text; equal records give equal bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from corpus.headings import title
from corpus.record import ABOUT
from corpus.records import KINDS, Record
from corpus.shown import guard, json_text
from service.exports import BOLD, HEAD_FILL, RED, WATERMARK, page, put, without_clock
from service.handover import plain

MOST_ROWS: Final = 10_000  # of a workbook, which is made as a whole; CSV and JSONL have no limit
WIDEST: Final = 40  # characters
TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}
MARK: Final = "illustrative"  # stands last of the fields
_NO_DAY: Final = dt.datetime(2000, 1, 1)  # a workbook must say when it was made
_LEFT_OUT: Final = frozenset({"extra", *ABOUT})


def facts(record: Record) -> dict[str, Any]:
    """Return what is stated of a record, and nothing that was inferred."""
    told = record.to_json()
    for name in (*ABOUT, *record.inferred):
        told.pop(name, None)
    return told


def json_lines(records: Sequence[Record]) -> Iterator[bytes]:
    """Yield one line of JSON for each record; columns beside the fields come last."""
    for each in records:
        line = facts(each)
        line |= line.pop("extra", {})
        yield (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def delimited(records: Sequence[Record], kind: str) -> Iterator[bytes]:
    """Yield CSV in UTF-8 with BOM, line by line, every cell quoted, formulas guarded."""
    yield "\ufeff".encode()
    for row in _rows(records, kind):
        out = io.StringIO(newline="")
        csv.writer(out, quoting=csv.QUOTE_ALL).writerow([guard(cell) for cell in row])
        yield out.getvalue().encode("utf-8", "replace")


def workbook(records: Sequence[Record], kind: str) -> bytes:
    """Return an XLSX file with one sheet.

    Raises:
        ValueError: there are more than :data:`MOST_ROWS` records.
    """
    if len(records) > MOST_ROWS:
        raise ValueError(
            f"có {len(records)} bản ghi, nhiều hơn {MOST_ROWS} dòng của một tệp xlsx: "
            "lọc bớt, hoặc lấy csv hay jsonl"
        )
    book = Workbook()
    book.properties.creator = "Cung Cầu"
    book.properties.created = book.properties.modified = _NO_DAY
    sheet = book.worksheets[0]
    sheet.title = KINDS[kind].label
    marked = any(each.illustrative for each in records)
    if marked:
        put(sheet, 1, 1, WATERMARK, RED)
    head = 2 if marked else 1
    for line, row in enumerate(_rows(records, kind), start=head):
        for number, text in enumerate(row, start=1):
            if line == head:
                put(sheet, line, number, plain(text), BOLD).fill = HEAD_FILL
                width = min(max(len(text) + 2, 12), WIDEST)
                sheet.column_dimensions[get_column_letter(number)].width = width
            elif text:
                put(sheet, line, number, plain(text))
    sheet.freeze_panes = f"A{head + 1}"
    page(sheet, marked)
    return without_clock(book)


def _rows(records: Sequence[Record], kind: str) -> Iterator[list[str]]:
    """Yield headings, then the cells of every record; columns beside the fields come last."""
    names = [name for name in KINDS[kind].model_fields if name not in _LEFT_OUT | {MARK}]
    names.append(MARK)
    extra = sorted({name for each in records for name in each.extra})
    yield [*(title(kind, name) for name in names), *extra]
    for each in records:
        told = facts(each)
        cells = [json_text(told.get(name)) or "" for name in names]
        yield cells + [each.extra.get(name, "") for name in extra]


MAKERS: Final[Mapping[str, Callable[[Sequence[Record], str], Iterator[bytes]]]] = {
    "csv": delimited,
    "jsonl": lambda records, _: json_lines(records),
    "xlsx": lambda records, kind: iter([workbook(records, kind)]),
}
