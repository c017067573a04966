"""What a document holds, whatever program wrote it: lines and grids in the order they are read.

A :class:`Line` is a printed line (PDF, TXT) or a whole paragraph (Word, RTF, HTML); the document's
``unit`` says which, so that a place is told as people would count it: ``trang 3 dòng 12``. A
:class:`Grid` is a table as it is drawn, merged cells filled with what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

LINE, PARAGRAPH = "dòng", "đoạn"
MAX_BLOCKS: Final = 200_000
MAX_CELLS: Final = 2_000_000


@dataclass(frozen=True)
class Line:
    """A line or paragraph; ``page`` and ``number`` count from 1, page ``None``: not known."""

    text: str
    page: int | None
    number: int


@dataclass(frozen=True)
class Grid:
    """A table: rows of equal width, from ``page`` on. ``sheet``: its name in a workbook."""

    rows: tuple[tuple[str, ...], ...]
    page: int | None = None
    sheet: str | None = None


Block = Line | Grid


@dataclass(frozen=True)
class Document:
    """The blocks of one file, and what is to be told of it (``notices``, Vietnamese)."""

    blocks: tuple[Block, ...]
    unit: str
    notices: tuple[str, ...] = ()

    def place(self, line: Line) -> str:
        """Return where a line stands: ``trang 3 dòng 12``."""
        return f"{page(line.page)}{self.unit} {line.number}"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, for another process."""
        blocks = [
            [each.text, each.page, each.number]
            if isinstance(each, Line)
            else {"rows": each.rows, "page": each.page, "sheet": each.sheet}
            for each in self.blocks
        ]
        return {"blocks": blocks, "unit": self.unit, "notices": self.notices}

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Document:
        """Return what :meth:`to_json` wrote."""
        blocks = tuple(
            Line(*each)
            if isinstance(each, list)
            else Grid(tuple(map(tuple, each["rows"])), each["page"], each["sheet"])
            for each in data["blocks"]
        )
        return cls(blocks, data["unit"], tuple(data["notices"]))


def page(number: int | None) -> str:
    """Return ``trang 3`` and a space, nothing where the page is not known."""
    return f"trang {number} " if number else ""


def squared(rows: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Return rows of equal width, without those that are blank."""
    width = max(map(len, rows), default=0)
    filled = [row + [""] * (width - len(row)) for row in rows if any(cell.strip() for cell in row)]
    return tuple(tuple(" ".join(cell.split()) for cell in row) for row in filled)


def unmerged(cells: list[list[tuple[str, int, int]]]) -> list[list[str]]:
    """Return rows in which every cell that spans columns or rows says the same wherever it goes.

    Args:
        cells: for each row its cells from left to right: text, columns and rows spanned (≥ 1).
    """
    rows: list[list[str]] = []
    open_cells: dict[int, tuple[str, int]] = {}  # column → text, rows still to come
    for line in cells:
        row: list[str] = []
        waiting = list(line)
        while waiting or len(row) in open_cells:
            column = len(row)
            if column in open_cells:
                text, left = open_cells.pop(column)
                row.append(text)
                if left > 1:
                    open_cells[column] = (text, left - 1)
                continue
            text, across, down = waiting.pop(0)
            for at in range(column, column + min(across, 200)):
                row.append(text)
                if down > 1:
                    open_cells[at] = (text, min(down, 10_000) - 1)
        rows.append(row)
    return rows
