"""Hits and their order: what a search found, with the exact parts of every score.

How many there are is known at once. The first are worked out when one is asked for, the others when
somebody goes that far; a record gets the same parts, to the last bit, either way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import mul
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from indexes.hybrid import Index

BLOCKS = (50, 500, 5_000)  # so many best hits are worked out at first, and next; then all
FEW = 2_000  # admitted hits up to which they alone are worked out
FEEDBACK = "feedback"  # the part of words that a short need took up from its first hits
Key = tuple[float, int]  # orders hits: minus the total, then where ids are listed
Rows = npt.NDArray[np.int64]
Parts = dict[str, npt.NDArray[np.float64]]


class Hit(NamedTuple):
    """One found record: ``math.fsum(parts.values()) == score``."""

    id: str
    row: int
    score: float
    parts: Mapping[str, float]
    cosine: float | None  # raw, of query and record; None without an encoder
    coverage: float  # share of the query's lexical weight that the record says
    share: float = 1.0  # how far the accented side counts, meaning included
    scale: float = 1.0  # of learnt weights: see matcher.model.Weights

    @property
    def evidence(self) -> float:
        """The score as it would be had meaning counted in full: alike however a query is typed.

        Without what the query took up from its first hits: that orders, and makes nobody of use.
        """
        own = self.score - self.parts.get(FEEDBACK, 0.0)
        if self.cosine is None or self.share == 1.0:
            return own * self.scale
        return (own + self.parts["meaning"] * (1.0 / self.share - 1.0)) * self.scale


@dataclass(frozen=True)
class Reading:
    """How the parts of one query's scores are to be read."""

    share: float = 1.0  # how far the accented side counts, meaning included
    scale: float = 1.0  # of learnt weights: see matcher.model.Weights
    reach: tuple[float, ...] = ()  # what makes a share of the query of each part of words
    emphasis: float = 1.0  # of what a short query names: see matcher.fusion.emphasis


@dataclass(frozen=True)
class Scored:
    """Hits with their exact parts, best first; ``cosines`` where there is an encoder.

    The parts of words come before all others.
    """

    rows: Rows
    parts: Parts
    cosines: npt.NDArray[np.float64] | None = None
    terms: Reading = Reading()

    @property
    def totals(self) -> npt.NDArray[np.float64]:
        """The scores, rounded to what tells two of them apart."""
        return np.round(sum(self.parts.values(), start=np.zeros(len(self.rows))), 6)

    def at(self, places: Rows) -> Scored:
        """Return the hits at ``places``, in that order."""
        return Scored(
            self.rows[places],
            {name: values[places] for name, values in self.parts.items()},
            None if self.cosines is None else self.cosines[places],
            self.terms,
        )

    @cached_property
    def columns(self) -> list[tuple[float, ...]]:
        """The values of :attr:`parts` as plain numbers, by hit."""
        return list(zip(*(values.tolist() for values in self.parts.values()), strict=True))

    @cached_property
    def keys(self) -> list[float]:
        """Minus the totals, as plain numbers."""
        return list(map(float, (-self.totals).tolist()))

    @cached_property
    def listed(self) -> list[int]:
        """The rows as plain numbers."""
        return list(map(int, self.rows.tolist()))


class Source(Protocol):
    """What a ranking is worked out by (:class:`matcher.scoring.Scoring`)."""

    size: int

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """Which rows are hits, shape (n,)."""

    def first(self, k: int) -> Scored:
        """Return the ``k`` best hits, exactly, best first."""

    def scored(self, rows: Rows) -> Scored:
        """Return some hits with their exact parts."""

    def ordered(self, rows: Rows) -> Scored:
        """Return some hits with their exact parts, best first."""


class Place(NamedTuple):
    """Where a hit stands in a ranking; most that are passed by are never looked at."""

    ranking: Ranking
    scored: Scored
    position: int

    @property
    def row(self) -> int:
        """The row of the record."""
        return self.scored.listed[self.position]

    @property
    def id(self) -> str:
        """The id of the record."""
        return self.ranking.ids[self.row]

    @property
    def key(self) -> Key:
        """What its place is told by: keys rise, and depend on no filter."""
        return self.ranking.key(self.scored, self.position)

    @property
    def hit(self) -> Hit:
        """All that is known of it."""
        return self.ranking.told(self.scored, self.position)


class Ranking:
    """All hits of a query, best first, ready to be cut into pages.

    How many there are is known at once. The first ones are worked out when one of them is asked
    for, all others only when somebody goes that far.
    """

    def __init__(self, index: Index, search: Source | None = None) -> None:
        self._index, self._search = index, search
        self._size = search.size if search else 0
        self._scored: Scored | None = None

    def __len__(self) -> int:
        return self._size

    def _upto(self, position: int) -> Scored:
        """Have the hits up to ``position`` ready."""
        if self._search is None or not 0 <= position < self._size:
            raise IndexError(f"hit {position:,} of {self._size:,}")
        if self._scored is None or position >= len(self._scored.rows):
            wanted = (block for block in BLOCKS if position < block)
            self._scored = self._search.first(min(next(wanted, self._size), self._size))
        return self._scored

    def hit(self, position: int) -> Hit:
        """Return the hit at ``position`` (0 = best)."""
        return self.told(self._upto(position), position)

    def told(self, scored: Scored, position: int) -> Hit:
        """Return one of ``scored`` with all that is known of it."""
        row, values = scored.listed[position], scored.columns[position]
        cosine = None if scored.cosines is None else float(scored.cosines[position])
        parts = dict(zip(scored.parts, values, strict=True))
        told = map(mul, values, scored.terms.reach)  # the parts of words come first
        coverage = min(1.0, math.fsum(told))
        share, scale = scored.terms.share, scored.terms.scale
        score = math.fsum(values)
        return Hit(self._index.ids[row], row, score, parts, cosine, coverage, share, scale)

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """Which rows of the index are hits, shape (n,)."""
        if self._search is None:
            return np.zeros(len(self._index.ids), np.bool_)
        return self._search.found

    @property
    def rows(self) -> Rows:
        """The rows of all hits, best first."""
        return self._upto(self._size - 1).rows if self._size else np.zeros(0, np.int64)

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of every row of the index."""
        return self._index.ids

    @property
    def parts(self) -> Parts:
        """The parts of all hits, best first."""
        return self._upto(self._size - 1).parts if self._size else {}

    def find(self, key: str) -> Iterable[Hit]:
        """Yield the hit of one record, if the query finds it; the others are not ranked."""
        row = self._index.row_of.get(key)
        if row is not None and self._search is not None and self._search.found[row]:
            yield self.told(self._search.scored(np.array([row], np.int64)), 0)

    def hits(self, only: npt.NDArray[np.bool_] | None = None) -> Iterable[Hit]:
        """Yield hits, best first; those in rows that ``only`` (n,) admits, where it is given."""
        return (place.hit for place in self.placed(only))

    def placed(self, only: npt.NDArray[np.bool_] | None = None) -> Iterable[Place]:
        """Yield the places of hits as :meth:`hits` does.

        Keys rise, and a hit has the same one whatever ``only`` is. Where few hits are admitted only
        they are worked out, not all that stand before them.
        """
        if only is not None and self._search is not None and self._size > BLOCKS[1]:
            rows = np.flatnonzero(self._search.found & only)
            if len(rows) <= FEW:
                scored = self._search.ordered(rows)
                for position in range(len(rows)):
                    yield Place(self, scored, position)
                return
        known = 0
        while known < self._size:
            scored = self._upto(known)
            rest = scored.rows[known:]
            admitted = range(len(rest)) if only is None else np.flatnonzero(only[rest])
            for position in map(int, admitted):
                yield Place(self, scored, known + position)
            known = len(scored.rows)

    def key(self, scored: Scored, position: int) -> Key:
        """Return what tells the place of one of ``scored``."""
        return scored.keys[position], int(self._index.place[scored.listed[position]])

    def count(self, only: npt.NDArray[np.bool_]) -> int:
        """Return how many hits stand in rows that ``only`` (n,) admits, exactly."""
        return 0 if self._search is None else int((self._search.found & only).sum())
