"""Grids of a document → tables of records, where their headings say so.

Headings are looked for below titles and dates, may stand on several rows (``Kinh phí`` over
``NSNN`` and ``Đối ứng``) and come again after a page break. A grid whose headings fit no kind of
record is no table of records: what it says is read as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from corpus.blocks import Block, Grid, Line, joined_lines, page
from corpus.headings import UnknownTable, is_numbering, names_kind, recognise, title
from corpus.ids import PREFIX, with_ids
from corpus.records import KINDS
from corpus.tables import Row, Table
from corpus.text import squeeze

_REACH: Final = 8  # rows in which headings may begin
_DEEP: Final = 3  # rows that headings may take
_FURNITURE: Final = 3  # lines between two halves of a table: page number, running heading
_SHORT: Final = 80  # characters of such a line
_TOGETHER: Final = 0.95  # how sure a heading is that was put together of several rows
SECTION: Final = "Mục"  # the column that keeps rows which only say what follows


def joined(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with the halves of a table on two pages as one grid."""
    out: list[Block] = []
    last: tuple[int, int] | None = None  # where in ``out`` the open table stands, and its last page
    for block in blocks:
        if isinstance(block, Line):
            out.append(block)
            continue
        if last is not None and block.page == last[1] + 1 and _goes_on(out, last[0], block):
            before = out[last[0]]
            assert isinstance(before, Grid)
            out[last[0]] = _one(before, block)
            last = (last[0], block.page)
            continue
        out.append(block)
        last = None if block.page is None else (len(out) - 1, block.page)
    return out


def _goes_on(out: Sequence[Block], at: int, block: Grid) -> bool:
    """Whether ``block`` is more of the grid at ``at``: as wide, little between, no new headings."""
    before = out[at]
    between = out[at + 1 :]
    near = len(between) <= _FURNITURE and all(
        isinstance(each, Line) and len(each.text) <= _SHORT for each in between
    )
    if not near or not isinstance(before, Grid) or len(before.rows[0]) != len(block.rows[0]):
        return False
    found = _headings(block, "")
    return found is None or all(row in before.rows[:_REACH] for row in _span(block, found))


def _one(before: Grid, more: Grid) -> Grid:
    """Put a grid and what goes on of it together; a row that the page's end tore is one again."""
    found = _headings(more, "")
    first = found.top + found.depth if found else 0
    rows, sure = list(before.rows), list(before.sureness())
    below, below_sure = list(more.rows), list(more.sureness())
    if first < len(below) and _is_torn(rows, below, first):
        rows[-1] = tuple(map(joined_lines, rows[-1], below.pop(first)))
        sure[-1] = tuple(map(min, sure[-1], below_sure.pop(first)))
    return replace(before, rows=(*rows, *below), sure=(*sure, *below_sure))


def _is_torn(above: Sequence[Sequence[str]], below: Sequence[Sequence[str]], at: int) -> bool:
    """Whether a row is the rest of the last one above: it alone does not begin as all others do."""
    row, last = below[at], above[-1]
    others = [*above[-_REACH:], *below[at + 1 : at + _REACH]]
    begun = bool(last[0]) and not row[0] and all(each[0] for each in others)
    return begun and all(bool(there) for here, there in zip(row, last, strict=True) if here)


def _span(grid: Grid, found: _Found) -> tuple[tuple[str, ...], ...]:
    return grid.rows[found.top : found.top + found.depth]


class _Found:
    """Where the headings of a grid stand, what they are, and the kind that they name."""

    def __init__(self, top: int, depth: int, headings: tuple[str, ...], kind: str) -> None:
        self.top, self.depth, self.headings, self.kind = top, depth, headings, kind


def table_of(grid: Grid, name: str) -> Table | None:
    """Return the table of records that ``grid`` is, else ``None``; ``name`` is what to call it."""
    found = _headings(grid, name)
    if found is None:
        return None
    repeated = {tuple(map(squeeze, row)) for row in _span(grid, found)}
    rows, section, sections = [], "", False
    named = _heading_sureness(grid, found)
    below = list(enumerate(zip(grid.rows, grid.sureness(), strict=True)))[found.top + found.depth :]
    for number, (values, sure) in below:
        if tuple(map(squeeze, values)) in repeated or _numbers_columns(values):
            continue
        said = set(filter(None, values))
        if len(said) == 1 and len(values) > 2 and all(values):  # one cell over all columns
            section, sections = said.pop(), True
            continue
        said_here = (*(value or None for value in values), section or None)
        sure_here = (*(a * b for a, b in zip(named, sure, strict=True)), 1.0)
        rows.append(Row(number + 1, said_here, sure=sure_here))
    headings = (*found.headings, SECTION) if sections else found.headings
    kept = rows if sections else [_without_last(row) for row in rows]
    table = Table(name, None, headings, tuple(kept), found.kind)
    lacks = found.kind in PREFIX and "id" not in _fields(headings, name)
    return with_ids(table, found.kind) if lacks else table


def _without_last(row: Row) -> Row:
    return replace(row, values=row.values[:-1], sure=row.sure[:-1])


def _heading_sureness(grid: Grid, found: _Found) -> list[float]:
    """How sure it is what each column carries: put together of several rows it is less sure."""
    sure = zip(*grid.sureness()[found.top : found.top + found.depth], strict=True)
    said = zip(*_span(grid, found), strict=True)
    return [
        min(column) * (_TOGETHER if len(set(filter(None, texts))) > 1 else 1.0)
        for column, texts in zip(sure, said, strict=True)
    ]


def _numbers_columns(values: Sequence[str]) -> bool:
    """Whether a row only counts the columns: ``(1) (2) (3)``."""
    numbers = [value.strip("() ") for value in values]
    return numbers == [str(number) for number in range(1, len(values) + 1)] and len(values) > 2


def _headings(grid: Grid, name: str) -> _Found | None:
    """Return the headings under which most columns are known; of equals the highest."""
    best: tuple[int, _Found] | None = None
    for top in range(min(_REACH, len(grid.rows))):
        for depth in range(1, min(_DEEP, len(grid.rows) - top) + 1):
            rows = grid.rows[top : top + depth]
            if depth > 1 and not _one_heading(rows):
                break
            headings = tuple(_joined(column) for column in zip(*rows, strict=True))
            if any(len(heading) > 150 for heading in headings):
                break
            kind, known = _kind(headings, name)
            if kind is not None and (best is None or known > best[0]):
                best = known, _Found(top, depth, headings, kind)
    return best[1] if best else None


def _one_heading(rows: Sequence[Sequence[str]]) -> bool:
    """Whether rows are one heading: a cell goes down through them, another across."""
    columns = list(zip(*rows, strict=True))
    down = any(len(set(column)) == 1 and column[0] for column in columns)
    first = rows[0]
    across = any(a and a == b for a, b in pairwise(first))
    return (down and len(set(map(tuple, rows))) == len(rows)) or (across and "" in first)


def _joined(column: Sequence[str]) -> str:
    return " ".join(dict.fromkeys(filter(None, column)))


def _fields(headings: Sequence[str], name: str) -> set[str]:
    try:
        return set(recognise(headings, None, name).fields.values())
    except UnknownTable:
        return set()


def _kind(headings: Sequence[str], name: str) -> tuple[str | None, int]:
    """Return the kind that the headings name, and how many of them are known for it.

    Without a column of ids one of the required columns must say of what kind it is ("Tên công
    nghệ"): programmes are full of tables with ``Nội dung`` and ``Sản phẩm``.
    """
    try:
        layout = recognise(headings, None, name)
        return layout.kind, len(layout.fields)
    except UnknownTable:
        pass
    try:
        layout = recognise((title("technology", "id"), *headings), None, name)
    except UnknownTable:
        return None, 0
    required = {n for n, info in KINDS[layout.kind].model_fields.items() if info.is_required()}
    telling = [headings[at - 1] for at, field in layout.fields.items() if at and field in required]
    said = any(names_kind(layout.kind, heading) for heading in telling)
    known = len(layout.fields) - 1
    return (layout.kind, known) if said and known >= 2 else (None, 0)


def as_lines(grid: Grid, number: int) -> Iterator[Line]:
    """Yield the rows of a grid that is no table of records as text, each cell once."""
    for row in grid.rows:
        cells = [each for each in dict.fromkeys(row) if each and not each.isdecimal()]
        if cells and not all(map(is_numbering, cells)):
            yield Line("; ".join(cells), grid.page, number)


def named(name: str, grid: Grid, number: int) -> str:
    """Return what to call a grid: ``to-trinh.pdf trang 3 bảng 1``."""
    return f"{name} {page(grid.page)}bảng {number}"
