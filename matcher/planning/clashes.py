"""Which rules cannot be kept together: the smallest set of rows that no list can keep.

By implicit hitting sets (Ignatiev, Previti, Liffiton, Marques-Silva: Smallest MUS Extraction with
Minimal Hitting Set Dualization, 2015). A set of rows clashes only if it meets every *correction*
(rows whose removal lets the rest hold). So: take the smallest set that meets all corrections known;
if it clashes, no smaller set does; if not, the fewest rows to give up beside it are one more.
"""

from __future__ import annotations

from collections.abc import Sequence

from matcher.planning.rows import Programme, Row
from matcher.planning.solve import least_broken, possible, solve


def clash(asked: Programme) -> tuple[Row, ...]:
    """Return the smallest set of rows that clash, in their order; nothing where a list exists."""
    corrections: list[frozenset[int]] = []
    given = [index for index, row in enumerate(asked.rows) if not row.rule]
    while True:
        members = _hitting(corrections, len(asked.rows))
        if not possible(asked, [asked.rows[index] for index in (*given, *members)]):
            return tuple(asked.rows[index] for index in members)
        broken = least_broken(asked, [*given, *members])
        if not broken:
            return ()
        corrections.append(frozenset(broken))


def _hitting(sets: Sequence[frozenset[int]], size: int) -> list[int]:
    """The smallest set of 0 … ``size`` − 1 that meets each of ``sets``; of such, early rows."""
    if not sets:
        return []
    # A late row costs a little more: all of them together less than one row.
    worth = tuple(-1.0 - index * 1e-3 / size**2 for index in range(size))
    rows = tuple(Row("", dict.fromkeys(sorted(each), 1.0), low=1.0) for each in sets)
    chosen = solve(Programme((), worth, rows)).chosen
    return [index for index in range(size) if chosen[index]]
