"""Tables of a PDF page that are drawn without rules: columns are where white runs down the page.

Printed words give only places. Gaps wider than a blank cut a line of print into pieces; where the
pieces of several lines leave the same white between them there are columns. What lies over the
white is a heading of several columns; lines that stand tight are one row. Whether it is a table of
records its headings must say: running text in two columns looks alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from corpus.blocks import Grid, joined_lines
from corpus.doc_tables import table_of
from corpus.headings import is_known

SURE: Final = 0.92  # how sure it is that a cell, or a heading, stands in the column of its place
# In heights of a letter:
_GAP: Final = 0.55  # … between two pieces, at least
_WHITE: Final = 0.3  # … the narrowest white between two columns
_APART: Final = 3.5  # … between two lines of one table, at most
_STEP: Final = 0.5  # … by which rows stand further apart than the lines of one row
_FEWEST: Final = 3  # columns of a table, at least
_CROSSED: Final = 0.12  # share of the lines, and one, that may lie over the white of two columns
_WIDE: Final = 0.7  # share of the page's width that a line of running text takes
_ALONE: Final = 3  # lines of one piece in a row that end a table
_STARTS: Final = 3  # lines above the first line of several pieces that may be headings too


class Word(NamedTuple):
    """A printed word, or several with blanks between; points, ``top`` from the page's top."""

    x0: float
    x1: float
    top: float
    bottom: float
    text: str


class Print(NamedTuple):
    """A line of print: its pieces from left to right."""

    pieces: tuple[Word, ...]
    top: float
    bottom: float

    @classmethod
    def of(cls, words: Sequence[Word]) -> Print:
        """Put together what stands closer than a gap."""
        pieces: list[Word] = []
        for word in sorted(words):
            if pieces and word.x0 - pieces[-1].x1 < _GAP * (word.bottom - word.top):
                text = f"{pieces[-1].text} {word.text}"
                pieces[-1] = pieces[-1]._replace(x1=max(pieces[-1].x1, word.x1), text=text)
            else:
                pieces.append(word)
        return cls(tuple(pieces), words[0].top, words[0].bottom)


@dataclass(frozen=True)
class Columned:
    """A table found on a page: which lines of print it took, and the white between its columns."""

    first: int
    end: int
    grid: Grid
    whites: tuple[float, ...]  # the middles of the white strips, from left to right


def find(lines: Sequence[Print], page: int, before: Sequence[float] = ()) -> list[Columned]:
    """Return the tables of records among the lines of print of a page, from top to bottom.

    Args:
        lines: the lines of print outside ruled tables.
        page: its number.
        before: the whites of the table with which the page before ended; it may go on without
            headings at the top of this one.
    """
    found: list[Columned] = []
    at = 0
    while at < len(lines):
        table = _columned(lines, at, page)
        if table is None and before and not at:
            table = _more(lines, before, page)
        if table is None:
            at += 1
            continue
        found.append(table)
        at = table.end
    return found


def _columned(lines: Sequence[Print], first: int, page: int) -> Columned | None:
    """Return the table whose headings begin at line ``first`` or a line or two below it.

    A heading may stand higher than the others of its row, and a title above them all: of several
    beginnings the one with most known headings is right, of equals the lowest.
    """
    named = [piece.text for line in lines[first : first + _STARTS] for piece in line.pieces]
    if sum(map(is_known, named)) < 2:  # of pages of text this is all that is asked
        return None
    best: tuple[int, Columned] | None = None
    for start in range(first, min(first + _STARTS, len(lines))):
        found = _beginning(lines, start, page)
        table = table_of(found.grid, "") if found else None
        if found and table:
            known = sum(map(is_known, table.headings))
            if best is None or known >= best[0]:
                best = known, found
    return best[1] if best else None


def _beginning(lines: Sequence[Print], first: int, page: int) -> Columned | None:
    end = _end(lines, first)
    if end - first < 2:
        return None
    whites = _whites(lines[first:end])
    if len(whites) < _FEWEST - 1:
        return None
    return Columned(first, end, _grid(lines[first:end], whites, page), whites)


def _more(lines: Sequence[Print], whites: Sequence[float], page: int) -> Columned | None:
    """Return what goes on at the top of a page under the columns of the page before."""
    end = _end(lines, 0)
    over = (at for at in range(end) if any(_over(p, w) for p in lines[at].pieces for w in whites))
    end = next(over, end)
    several = sum(len(each.pieces) > 1 for each in lines[:end])
    if not end or several < 0.5 * end:
        return None
    return Columned(0, end, _grid(lines[:end], tuple(whites), page), tuple(whites))


def _end(lines: Sequence[Print], first: int) -> int:
    """Return where a table that begins at line ``first`` ends: before running text, or far away."""
    height = _height(lines)
    left = min(each.pieces[0].x0 for each in lines)
    width = max(each.pieces[-1].x1 for each in lines) - left
    end = at = first
    while at < len(lines) and at - end < _ALONE:
        line = lines[at]
        far = at > first and line.top - lines[at - 1].bottom > _APART * height
        alone = line.pieces[0] if len(line.pieces) == 1 else None
        if far or (alone and alone.x1 - alone.x0 > _WIDE * width):
            break
        tight = at > first and line.top - lines[at - 1].bottom < 0.3 * height and at == end
        at += 1
        end = at if len(line.pieces) > 1 or tight else end
    return end


def _height(lines: Sequence[Print]) -> float:
    return median(each.bottom - each.top for each in lines)


def _whites(lines: Sequence[Print]) -> tuple[float, ...]:
    """Return the middles of the strips over which nearly no line lies."""
    pieces = [each.pieces for each in lines]
    edges = sorted({edge for line in pieces for each in line for edge in (each.x0, each.x1)})
    least = _WHITE * _height(lines)
    strips: list[list[tuple[int, float, float]]] = [[]]  # each of neighbours: lines over it, edges
    for a, b in pairwise(edges):
        over = sum(any(_over(each, (a + b) / 2) for each in line) for line in pieces)
        if over > 1 + _CROSSED * len(lines):
            strips.append([])
        else:
            strips[-1].append((over, a, b))
    inner = [each for each in strips if each and each[0][1] > edges[0] and each[-1][2] < edges[-1]]
    whites = [_middle(each) for each in inner if each[-1][2] - each[0][1] >= least]
    ends = [*whites, edges[-1] + 1][1:] if whites else []
    every = [each for line in pieces for each in line]
    return tuple(
        white
        for white, end in zip(whites, ends, strict=True)
        if any(white <= each.x0 and each.x1 <= end for each in every)  # else no column of its own
    )


def _middle(strip: Sequence[tuple[int, float, float]]) -> float:
    """Return the middle of the part of a strip over which fewest lines lie, the widest such."""
    _, _, a, b = min((over, a - b, a, b) for over, a, b in strip)
    return (a + b) / 2


def _over(piece: Word, white: float) -> bool:
    return piece.x0 < white < piece.x1


def _grid(lines: Sequence[Print], whites: tuple[float, ...], page: int) -> Grid:
    """Return the rows of a table; lines of print that are one row of it are put together."""
    width = len(whites) + 1
    tight = _tight(lines)
    rows: list[list[str]] = []
    for at, line in enumerate(lines):
        cells = _cells(line, whites)
        gap = line.top - lines[at - 1].bottom if at else 0.0
        if rows and (gap < tight if tight is not None else _goes_on(cells, rows)):
            for column, text in cells.items():
                rows[-1][column] = joined_lines(rows[-1][column], text)
        else:
            rows.append([cells.get(column, "") for column in range(width)])
    said = tuple(map(tuple, rows))
    return Grid(said, page, None, tuple((SURE,) * width for _ in said))


def _tight(lines: Sequence[Print]) -> float | None:
    """Return the gap from which on a line begins a row; ``None``: all lines stand alike."""
    gaps = sorted(max(0.0, other.top - one.bottom) for one, other in pairwise(lines))
    least = _STEP * _height(lines)
    return next(((a + b) / 2 for a, b in pairwise(gaps) if b - a > least), None)


def _goes_on(cells: dict[int, str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a line is more of the row above: what the row begins with is blank in the line."""
    first = next((column for column, text in enumerate(rows[-1]) if text), 0)
    return len(rows) > 1 and first not in cells


def _cells(line: Print, whites: Sequence[float]) -> dict[int, str]:
    """Return column → text; a piece that lies over whites says the same in all its columns."""
    cells: dict[int, str] = {}
    for piece in line.pieces:
        first = sum(white <= piece.x0 for white in whites)
        last = sum(white < piece.x1 for white in whites)
        for column in range(first, max(first, last) + 1):
            cells[column] = f"{cells.get(column, '')} {piece.text}".strip()
    return cells
