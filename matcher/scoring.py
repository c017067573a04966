"""One query against one index: who may be among the best, and their exact parts.

The best are found without scoring all exactly: words are added up in float32 for every record,
meaning is bounded for all but the nearest, and whoever may still be among the best by more than the
rounding is scored in float64 (:mod:`indexes.lexical`), in the same order whoever else is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from indexes import selection
from indexes.bm25 import unpacked
from indexes.hybrid import Index
from indexes.lexical import TIES, Evidence
from indexes.senses import Look
from indexes.vectors import Bounds
from matcher import fusion
from matcher.hits import FEEDBACK, Parts, Reading, Rows, Scored
from matcher.softfit import Fit

NEAREST = 200
FEW = 2  # times as many as are wanted: so few are scored exactly at once
Bits = list[npt.NDArray[np.uint64]]  # by segment, one bit for each record
Vector = npt.NDArray[np.float32]


class Scoring:
    """One query against one index: who may be among the best, and their exact parts."""

    def __init__(
        self,
        index: Index,
        bits: Bits,
        evidence: Evidence,
        factors: Mapping[str, float],
        fit: Mapping[str, Fit],
        terms: Reading,
    ) -> None:
        """Take up what a query is.

        Args:
            index: where to look.
            bits: which records are hits.
            evidence: what the query's words say.
            factors: what the score of each view is multiplied by.
            fit: the parts of the soft fit.
            terms: how the parts are to be read.
        """
        self.index, self.bits, self.evidence, self.factors = index, bits, evidence, factors
        self.fit, self.terms = fit, terms
        self.size = sum(selection.counted(each) for each in bits)
        self.vector: Vector | None = None
        self.own: Evidence | None = None  # of the query's own words, where it took up others

    def mean(self, vector: Vector, look: Look, weight: float, neutral: float) -> None:
        """Let meaning count too: ``weight * (cosine - neutral)``; ``look`` is what is near it."""
        self.vector = self.stated = vector
        self.weight, self.neutral = weight, neutral
        self.near, self.bounds = look

    def turn(self, vector: Vector, bounds: Bounds | None) -> None:
        """Score by the meaning ``vector``; what is a hit stays as it is.

        Who is nearest need not be known any more, only who may be among the best: bounds tell.
        """
        self.vector, self.bounds = vector, bounds
        self.__dict__.pop("_span", None)  # of the meaning before
        if bounds is None:
            self.near = self.index.nearest(vector, NEAREST)

    @cached_property
    def _span(self) -> Bounds | None:
        """The least and the most that each record can score, but for rounding."""
        if self.bounds is None:
            return None
        totals, _ = self._totals
        lower, upper = (totals + self.weight * (each - self.neutral) for each in self.bounds)
        return lower, upper

    def first(self, k: int) -> Scored:
        """Return the ``k`` best hits, exactly, best first."""
        if k >= self.size:
            rows = np.flatnonzero(self.found)
        elif self.vector is None:
            rows = self.evidence.best(self._begin(), k)
        else:
            rows = self._closest(k)
        return self.ordered(rows, k)

    def ordered(self, rows: Rows, k: int | None = None) -> Scored:
        """Return the ``k`` best (``None``: all) of ``rows`` (rising, all of them hits)."""
        scored = self.scored(rows)
        return scored.at(np.lexsort((self.index.place[rows], -scored.totals))[:k])

    @cached_property
    def found(self) -> npt.NDArray[np.bool_]:
        """Which rows are hits, shape (n,)."""
        return unpacked(self.bits, self.index.sizes)

    def scored(self, rows: Rows) -> Scored:
        """Return ``rows`` (rising, all of them hits) with their exact parts, in that order."""
        return Scored(rows, *self._parts(rows), self.terms)

    def _begin(self) -> list[npt.NDArray[np.float32]]:
        """What records start with: their soft fit; :data:`selection.OUT` where they are no hits."""
        scores = np.empty(len(self.index.ids), np.float32)
        ends = [0, *accumulate(self.index.sizes)]
        begin = [scores[start:end] for start, end in pairwise(ends)]
        for bits, piece in zip(self.bits, begin, strict=True):
            selection.begin(bits, piece)
        for each in self.fit.values():
            each.give(scores)
        return begin

    @cached_property
    def _totals(self) -> tuple[npt.NDArray[np.float32], float]:
        """What words and fit give every record, in float32, and how far two may be out."""
        begin = self._begin()
        slack = max(map(self.evidence.slack, self.evidence.work, begin))
        return self.evidence.totals(begin), slack

    def _closest(self, k: int) -> Rows:
        """Rows among which are the ``k`` best of words and meaning together."""
        totals, slack = self._totals
        if self._span is None:
            rows = self._near_enough(totals, slack, k)
        else:
            lower, upper = self._span
            least = selection.kth(lower, k) - slack
            rows = np.flatnonzero(upper >= max(least, selection.LEAST))
        if len(rows) <= FEW * k:
            return rows
        known = totals[rows] + self._meaning(rows)
        least = selection.kth(known.astype(np.float32), k) - slack
        return rows[known >= least]

    def _near_enough(self, totals: npt.NDArray[np.float32], slack: float, k: int) -> Rows:
        """Rows that may be among the ``k`` best.

        No record outside :data:`NEAREST` is closer in meaning than those in it, so that what its
        words say bounds its score; only those that may still come in have their cosine computed.
        """
        level = selection.kth(totals, k)
        seeds = self._and_near(totals >= level)
        known = totals[seeds] + self._meaning(seeds)
        least = selection.kth(known.astype(np.float32), k) - slack
        # The most that meaning gives a record that is not among the nearest.
        farther = self.weight * (self.near.bound + TIES - self.neutral)
        return self._and_near(totals >= max(least - farther, selection.LEAST))

    def _and_near(self, mask: npt.NDArray[np.bool_]) -> Rows:
        """The rows of ``mask`` and the nearest, rising."""
        mask[self.near.rows] = True
        return np.flatnonzero(mask)

    def _meaning(self, rows: Rows) -> npt.NDArray[np.float64]:
        assert self.vector is not None
        cosines = self.index.cosines(self.vector, rows)
        return fusion.dense_part(cosines, self.weight, self.neutral)

    def _parts(self, rows: Rows) -> tuple[Parts, npt.NDArray[np.float64] | None]:
        """The exact parts of ``rows`` (rising), the same whoever else is asked for."""
        parts = self._worded(self.evidence, rows)
        taken = np.zeros(len(rows))
        if self.own is not None:
            mine = self._worded(self.own, rows)
            taken = np.sum([parts[view] - mine[view] for view in mine], axis=0)
            parts = mine
        cosines = None
        if self.vector is not None:
            turned = self.index.cosines(self.vector, rows)
            parts["meaning"] = fusion.dense_part(turned, self.weight, self.neutral)
            same = self.vector is self.stated
            cosines = turned if same else self.index.cosines(self.stated, rows)
        parts |= {name: each.of(rows) for name, each in self.fit.items()}
        if self.own is not None:
            parts[FEEDBACK] = taken
        return parts, cosines

    def _worded(self, evidence: Evidence, rows: Rows) -> Parts:
        scores = evidence.exact(rows)
        return {view: values * self.factors[view] for view, values in scores.items()}
