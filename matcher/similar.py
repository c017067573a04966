"""Technologies like another: by what its record means and by the words of its title and products.

The record itself is the question, so nothing is encoded: its own vector says what it means. Whoever
looks at one offer wants to see what else does the same, so a record is listed only with a reason
that people can check (product, process, stage, words), the ones most alike first. Two records may
also tell the same thing twice; that is said, and left to people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from corpus.records import Technology
from corpus.text import squeeze
from matcher import fit
from matcher.hits import Hit, Rows
from matcher.match import DEEP, EVERYTHING, Matcher
from matcher.need import Query

RELATED = {
    "same": "cùng sản phẩm",
    "broader": "dùng cho cả nhóm sản phẩm",
    "near": "sản phẩm gần",
}
ALIKE = 0.5  # share of the title's words from which words alone are a reason


@dataclass(frozen=True)
class Similar:
    """A technology like another: how their products relate, why, and whether it may be the same."""

    technology: Technology
    hit: Hit
    relation: str
    reason: str
    duplicate: bool


def similar(
    matcher: Matcher, technology: Technology, k: int = 10, only: fit.Filter = EVERYTHING
) -> tuple[Similar, ...]:
    """Return the ``k`` technologies most like ``technology``, without itself, best first.

    A record that the index does not know yet is like nothing.
    """
    row = matcher.engine.index.row_of.get(technology.id)
    if row is None:
        return ()
    query = question(matcher, technology)
    found: list[Similar] = []
    admitted = matcher.admitted(only)
    for hit in _hits(matcher, query, row):
        if len(found) >= k:
            break
        if hit.row == row or not admitted[hit.row]:
            continue
        each = _told(matcher, technology, row, hit)
        if each.reason:
            found.append(each)
    return tuple(found)


def question(matcher: Matcher, technology: Technology) -> Query:
    """Read the title and the products of ``technology`` as a query.

    A record says what it is as fully as it can: nothing in it counts for more because it is short.
    """
    read = matcher.text(". ".join((technology.name, *technology.products)))
    return replace(read, stressed=False)


def _hits(matcher: Matcher, query: Query, row: int) -> Iterator[Hit]:
    """Yield the first hits of what the record in ``row`` says and means."""
    index = matcher.engine.index
    vector = None if index.vectors is None else index.directions(_one(row))[0]
    ranking = matcher.engine.rank(query, matcher.provinces, vector)
    for number, hit in enumerate(ranking.hits(matcher.columns.known)):
        if number >= DEEP:
            return
        yield hit


def _one(row: int) -> Rows:
    return np.array([row], np.int64)


def _told(matcher: Matcher, mine: Technology, row: int, hit: Hit) -> Similar:
    engine = matcher.engine
    theirs = matcher.technologies[hit.id]
    relation = engine.fitting.relation(
        engine.fitting.products_of(row), engine.fitting.products_of(hit.row)
    )
    duplicate = _same(mine, theirs)
    reasons = [
        "có thể là cùng một công nghệ" if duplicate else "",
        _product(matcher, row, hit, relation),
        _purpose(matcher, row, hit),
        "nhiều từ chung trong tên" if hit.coverage >= ALIKE else "",
    ]
    told = "; ".join(filter(None, reasons))
    if told and mine.owner and mine.owner == theirs.owner:
        told += "; cùng đơn vị sở hữu"
    return Similar(theirs, hit, relation, f"{told[:1].upper()}{told[1:]}", duplicate)


def _product(matcher: Matcher, row: int, hit: Hit, relation: str) -> str:
    if relation not in RELATED:
        return ""
    engine = matcher.engine
    named = sorted(engine.fitting.products_of(hit.row))
    shared = [each for each in named if each in engine.fitting.products_of(row)]
    return f"{RELATED[relation]} ({', '.join((shared or named)[:3])})"


def _purpose(matcher: Matcher, row: int, hit: Hit) -> str:
    engine = matcher.engine
    processes = sorted(engine.fitting.processes_of(row) & engine.fitting.processes_of(hit.row))
    if processes:
        return f"cùng quá trình: {', '.join(processes[:3])}"
    stages = sorted(engine.fitting.stages_of(row) & engine.fitting.stages_of(hit.row))
    return f"cùng khâu {', '.join(stages)}" if stages else ""


def _same(mine: Technology, theirs: Technology) -> bool:
    """Whether two records may tell the same thing: one acceptance number, or one name."""
    if mine.acceptance_no and mine.acceptance_no == theirs.acceptance_no:
        return True
    return squeeze(mine.name) == squeeze(theirs.name)
