"""What a document holds, whatever program wrote it: lines and grids in the order they are read.

A :class:`Line` is a printed line (PDF, TXT) or a whole paragraph (Word, RTF, HTML); the document's
``unit`` says which, so that a place is told as people would count it: ``trang 3 dòng 12``. A
:class:`Grid` is a table as it is drawn, merged cells filled with what they say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LINE, PARAGRAPH = "dòng", "đoạn"
MAX_BLOCKS: Final = 200_000
MAX_CELLS: Final = 2_000_000


@dataclass(frozen=True)
class Line:
    """A line or paragraph; ``page`` and ``number`` count from 1, page ``None``: not known."""

    text: str
    page: int | None
    number: int
    sure: float = 1.0  # that the text is what was written, 0–1


@dataclass(frozen=True)
class Grid:
    """A table: rows of equal width, from ``page`` on. ``sheet``: its name in a workbook.

    ``sure``: of each cell, how sure it is that it says this and stands there, 0–1; empty: all are.
    """

    rows: tuple[tuple[str, ...], ...]
    page: int | None = None
    sheet: str | None = None
    sure: tuple[tuple[float, ...], ...] = ()

    def sureness(self) -> tuple[tuple[float, ...], ...]:
        """Return how sure each cell is."""
        return self.sure or tuple((1.0,) * len(row) for row in self.rows)


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


def page(number: int | None) -> str:
    """Return ``trang 3`` and a space, nothing where the page is not known."""
    return f"trang {number} " if number else ""


def squared(rows: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    """Return rows of equal width, without those that are blank; two blanks may be a lost letter."""
    width = max(map(len, rows), default=0)
    filled = [row + [""] * (width - len(row)) for row in rows if any(cell.strip() for cell in row)]
    return tuple(tuple(" ".join(cell.split("\n")).strip() for cell in row) for row in filled)


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


def joined_lines(above: str, below: str) -> str:
    """Return two lines of a cell as one: a code broken after its hyphen is whole again."""
    tight = above.endswith("-") and not above.endswith(" -")
    return f"{above}{below}" if tight else f"{above} {below}".strip()
