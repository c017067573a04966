"""Columns of one year each (``NSNN 2027``, ``NSNN 2028``) → one column that names its years.

Tables of money are drawn with a column for every year; a record keeps what falls to each year as
one fact. The columns are brought together before the table is read, so that everything after sees
``NSNN từng năm`` with ``2027: 350; 2028: 200``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from corpus.headings import YEARLY_FIELDS, field_of, title
from corpus.tables import Row, Table

_YEAR: Final = re.compile(r"^(.*?)\s*(?:năm\s*)?((?:19|20)\d\d)\s*(\([^()]*\))?\s*$", re.IGNORECASE)
_TOTALS: Final = {"state_total": "state_yearly", "own_total": "own_yearly"}


def gather(table: Table) -> Table:
    """Return ``table`` with its columns of single years brought together, or as it is."""
    columns = _columns(table.headings)
    if not columns:
        return table
    gone = {index for members in columns.values() for index, _ in members}
    kept = [index for index in range(len(table.headings)) if index not in gone]
    headings = [*(table.headings[index] for index in kept), *columns]
    rows = [_gathered(row, kept, list(columns.values()), len(table.headings)) for row in table.rows]
    return replace(table, headings=tuple(headings), rows=tuple(rows))


def _columns(headings: Sequence[str]) -> Mapping[str, list[tuple[int, str]]]:
    """New heading → its columns, each with its year; the unit a heading states is kept."""
    found: dict[str, list[tuple[int, str]]] = {}
    for index, heading in enumerate(headings):
        match = _YEAR.match(heading)
        if match and (field := _field(match[1], match[3] or "")):
            name, unit = title("task", field).partition(" (")[0], match[3] or ""
            found.setdefault(f"{name} {unit}".strip(), []).append((index, match[2]))
    return found


def _field(stem: str, unit: str) -> str | None:
    known = field_of("task", f"{stem} {unit}".strip())
    field = _TOTALS.get(known[0], known[0]) if known else None
    return field if field in YEARLY_FIELDS else None


def _gathered(
    row: Row, kept: Sequence[int], columns: Sequence[Sequence[tuple[int, str]]], width: int
) -> Row:
    if row.problem:
        return row
    cells = (*row.values, *(None,) * (width - len(row.values)))
    joined = [
        "; ".join(
            f"{year}: {cell.strip()}" for i, year in members if (cell := cells[i] or "").strip()
        )
        for members in columns
    ]
    beyond = cells[width:]  # more cells than headings: for the reader to refuse
    return replace(
        row,
        values=(*(cells[i] for i in kept), *(each or None for each in joined), *beyond),
        sure=_sureness(row.sure, kept, columns),
    )


def _sureness(
    sure: Sequence[float], kept: Sequence[int], columns: Sequence[Sequence[tuple[int, str]]]
) -> tuple[float, ...]:
    """How sure the cells are; one brought together is as sure as the least sure of its years."""
    if not sure:
        return ()
    alone = [sure[i] for i in kept]
    return (*alone, *(min(sure[i] for i, _ in members) for members in columns))
