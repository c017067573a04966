"""A document's blocks → tables of records, forms, and running text in one mended piece.

Tables and forms go the way of spreadsheets (:mod:`corpus.readers`), so every row is accounted for
with its file, page and line. What is left is text: :mod:`corpus.passages` reads candidates in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from corpus import doc_forms, doc_tables
from corpus.blocks import LINE, Block, Document, Grid, Line
from corpus.edits import Change
from corpus.repair import mend
from corpus.tables import Row, Table, frame

_DOUBT = 0.9  # times: for each place that could be mended and was not


@dataclass(frozen=True)
class Running:
    """The running text of a document, mended, and from which line each piece of it came.

    ``starts[i]`` is where in ``text`` what stood in ``lines[i]`` begins.
    """

    text: str
    lines: tuple[Line, ...]
    starts: tuple[int, ...]
    unit: str
    doubts: tuple[tuple[int, str], ...] = ()  # offset, what could be mended there and was not

    def line_at(self, offset: int) -> Line:
        """Return the line from which the character at ``offset`` came."""
        return self.lines[max(0, bisect_right(self.starts, offset) - 1)]

    def doubts_in(self, start: int, end: int) -> tuple[str, ...]:
        """Return what the text between two offsets might say instead."""
        return tuple(told for at, told in self.doubts if start <= at < end)


@dataclass(frozen=True)
class Content:
    """What a document holds: tables and forms, forms that cannot be read (place, why), text."""

    tables: tuple[Table, ...]
    refused: tuple[tuple[str, str], ...]
    running: Running | None
    notices: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, for another process."""
        return asdict(self)

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Content:
        """Return what :meth:`to_json` wrote."""
        told = data["running"]
        return cls(
            tuple(map(table_of_json, data["tables"])),
            tuple((place, why) for place, why in data["refused"]),
            told and _running_of_json(told),
            tuple(data["notices"]),
        )


def table_of_json(data: Mapping[str, Any]) -> Table:
    """Return a table out of plain data (:func:`dataclasses.asdict`)."""
    rows = [
        Row(each["number"], tuple(each["values"]), each["problem"], tuple(each["sure"]))
        for each in data["rows"]
    ]
    headings = tuple(data["headings"])
    return Table(data["file"], data["sheet"], headings, tuple(rows), data["kind"])


def _running_of_json(data: Mapping[str, Any]) -> Running:
    lines = tuple(Line(**each) for each in data["lines"])
    doubts = tuple((at, told) for at, told in data["doubts"])
    return Running(data["text"], lines, tuple(data["starts"]), data["unit"], doubts)


def read_content(document: Document, name: str) -> Content:
    """Sort what ``document`` holds; ``name`` is what messages call the file."""
    blocks = doc_tables.joined(_mended(document.blocks))
    tables: list[Table] = []
    rest: list[Block] = []
    grids = 0
    for block in blocks:
        if isinstance(block, Line):
            rest.append(block)
            continue
        grids += 1
        found = _table(block, name, grids)
        if found:
            tables.append(found)
        else:
            rest.append(block)
    forms, refused, rest = doc_forms.split(rest, name)
    running = _running(_as_text(rest), document.unit)
    return Content((*tables, *forms), tuple(refused), running, document.notices)


def _table(grid: Grid, name: str, number: int) -> Table | None:
    if grid.sheet is None:
        return doc_tables.table_of(grid, doc_tables.named(name, grid, number))
    rows = (
        Row(at, tuple(cell or None for cell in row), sure=sure)
        for at, (row, sure) in enumerate(zip(grid.rows, grid.sureness(), strict=True), 1)
    )
    return frame(Path(name), grid.sheet, rows)


def _mended(blocks: Sequence[Block]) -> list[Block]:
    """Mend letters everywhere, line by line and cell by cell; where a text breaks is left."""
    texts = [
        text
        for block in blocks
        for text in (
            [block.text] if isinstance(block, Line) else [c for r in block.rows for c in r]
        )
    ]
    flat = [" ".join(text.splitlines()) for text in texts]  # double spaces tell of lost letters
    made = mend("\n".join(flat), pages=False)
    mended, sure = made.text.split("\n"), _sureness(flat, made.changes)
    if len(mended) != len(flat):
        mended, sure = flat, [1.0] * len(flat)
    told = iter([
        (old, 1.0) if _is_mark(old) else (new, each)
        for old, new, each in zip(flat, mended, sure, strict=True)
    ])  # fmt: skip
    return [_said(block, told) for block in blocks]


def _said(block: Block, told: Iterator[tuple[str, float]]) -> Block:
    """Return the block with the next texts of ``told``, and how sure each is."""
    if isinstance(block, Line):
        text, sure = next(told)
        return replace(block, text=text, sure=block.sure * sure)
    rows = [[next(told) for _ in row] for row in block.rows]
    sure_of = [
        tuple(before * now for before, (_, now) in zip(old, new, strict=True))
        for old, new in zip(block.sureness(), rows, strict=True)
    ]
    texts = tuple(tuple(" ".join(text.split()) for text, _ in row) for row in rows)
    return replace(block, rows=texts, sure=tuple(sure_of))


def _sureness(texts: Sequence[str], changes: Iterable[Change]) -> list[float]:
    """Return how sure each of ``texts``, which were mended as one text of lines, is afterwards."""
    starts = [0, *accumulate(len(text) + 1 for text in texts)][:-1]
    sure = [1.0] * len(texts)
    for each in changes:
        if each.applied or each.before.strip():
            at = bisect_right(starts, each.start) - 1
            sure[at] *= each.confidence if each.applied else _DOUBT
    return sure


def _is_mark(text: str) -> bool:
    """Whether a text is too short to have lost letters: an ``x``, a code, a unit."""
    return text.isascii() and text.count(" ") < 2


def _as_text(blocks: Iterable[Block]) -> list[Line]:
    lines: list[Line] = []
    for block in blocks:
        if isinstance(block, Line):
            lines.append(block)
        else:
            lines += doc_tables.as_lines(block, lines[-1].number if lines else 1)
    return lines


def _running(lines: Sequence[Line], unit: str) -> Running | None:
    """Join lines as they stood, mend what breaks between them, keep whence each piece came."""
    if not lines:
        return None
    starts, pieces, at = [], [], 0
    for number, line in enumerate(lines):
        between = _between(lines[number - 1], line, unit) if number else ""
        starts.append(at + len(between))
        pieces += [between, line.text]
        at += len(between) + len(line.text)
    mended = mend("".join(pieces), pages=unit == LINE)
    moved = _Moved(mended.changes)
    doubts = tuple(
        (moved(change.start), f"“{change.before}” có thể là “{change.after}”")
        for change in mended.changes
        if not change.applied and change.before.strip()
    )
    placed = tuple(map(moved, starts))
    return Running(mended.text, tuple(lines), placed, unit, doubts)


def _between(before: Line, line: Line, unit: str) -> str:
    if unit != LINE:
        return "\n\n"
    if before.page != line.page:
        return "\n\f"
    return "\n" * max(1, min(line.number - before.number, 3))


class _Moved:
    """Where a character of the original stands after the changes that were made."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._made = [each for each in changes if each.applied]
        self._ends = [each.end for each in self._made]
        self._shifts = [0]
        for each in self._made:
            grown = len(each.after) - (each.end - each.start)
            self._shifts.append(self._shifts[-1] + grown)

    def __call__(self, offset: int) -> int:
        at = bisect_right(self._ends, offset)
        if at < len(self._made) and self._made[at].start < offset:  # within what was changed
            change = self._made[at]
            offset = min(offset, change.start + len(change.after))
        return offset + self._shifts[at]
