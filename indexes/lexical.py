"""A query's words against all views of an index: who scores best, and what exactly.

Each view's terms are looked up once (:class:`Terms`). :class:`Evidence` puts views together, each
with the factor that the matcher gives it, and finds the best records without scoring all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from indexes import kernels, selection
from indexes.bm25 import BM25, NOBODY, Numbers
from indexes.vocabulary import Array

Scores = npt.NDArray[np.float64]
TIES = 1e-6  # scores are rounded to it before they are ordered
_ROUNDING = 6e-8  # of one float32 operation, relative


@dataclass(frozen=True, eq=False)
class Terms:
    """A query's terms in one view, sorted: how often each is asked, its weight, its numbers."""

    view: BM25
    counts: Mapping[str, float]
    idfs: npt.NDArray[np.float64]
    numbers: Sequence[Numbers]
    mute: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, view: BM25, counts: Mapping[str, float], mute: Sequence[bool] = ()) -> Terms:
        """Look up the terms of ``counts``, weights by term.

        ``mute`` says, in the order of ``counts``, which terms count nothing in muted records.
        """
        ordered = {term: counts[term] for term in sorted(counts)}
        numbers = view.numbers(list(ordered))
        idfs = view.idfs(view.frequencies_of(numbers))
        if not mute:
            return cls(view, ordered, idfs, numbers, np.zeros(len(ordered), np.bool_))
        told = dict(zip(counts, mute, strict=True))
        return cls(view, ordered, idfs, numbers, np.array([told[term] for term in ordered]))

    @cached_property
    def gains(self) -> npt.NDArray[np.float64]:
        """What each term adds to a score for an impact of 1."""
        return np.fromiter(self.counts.values(), np.float64, len(self.counts)) * self.idfs

    def ceiling(self, counts: Mapping[str, float]) -> float:
        """The most that a record could score for ``counts``, all of whose terms are here."""
        asked = [counts.get(term, 0.0) for term in self.counts]
        return self.view.limit(asked, self.idfs.tolist())


@dataclass(frozen=True, eq=False)
class _Work:
    """The terms of all views in one segment, as the kernels want them."""

    first: int  # row of the segment
    size: int
    docs: tuple[Array, ...]
    impacts: tuple[Array, ...]
    levels: tuple[Array, ...]
    marks: tuple[Array, ...]
    ranks: tuple[Array, ...]
    view: Numbers
    start: Numbers
    stop: Numbers
    row: Numbers  # of levels, -1 where the postings are to be read
    raw: Scores  # gain within the view
    gain: Scores  # … times the view's factor
    bound: Scores
    mute: npt.NDArray[np.bool_]
    muted: Array


class Evidence:
    """What a query's terms say about every record of an index.

    Args:
        views: all views of the index.
        terms: the terms by view, for the views that count.
        factors: what a score of each of them is multiplied by, >= 0.
        muted: for each segment the records in which muted terms count nothing, one bit each;
            empty: none.
    """

    def __init__(
        self,
        views: Mapping[str, BM25],
        terms: Mapping[str, Terms],
        factors: Mapping[str, float],
        muted: Sequence[Array] = (),
    ) -> None:
        self._views, self._terms, self._factors, self._muted = views, terms, factors, muted
        self._names = list(views)
        self.work = list(self._worked())

    def _worked(self) -> Iterator[_Work]:
        first = 0
        for segment, part in enumerate(next(iter(self._views.values())).parts):
            yield self._one(segment, first, len(part))
            first += len(part)

    def _one(self, segment: int, first: int, size: int) -> _Work:
        parts = [view.parts[segment] for view in self._views.values()]
        most = sum(len(asked.counts) for asked in self._terms.values())
        columns, worth = np.empty((4, most), np.int64), np.empty((3, most))
        mute, count = np.empty(most, np.bool_), 0
        for name, asked in self._terms.items():
            number = self._names.index(name)
            part, mine, factor = parts[number], asked.numbers[segment], self._factors[name]
            part.weigh(mine)
            starts, mutes = part.postings.starts, asked.mute
            count = kernels.collect(
                number, mine, asked.gains, mutes, factor, starts, part.largest, part.frequent,
                columns, worth, mute, count,
            )  # fmt: skip
        muted = self._muted[segment] if self._muted else NOBODY
        view, start, stop, row = columns[:, :count]
        raw, gain, bound = worth[:, :count]
        return _Work(
            first,
            size,
            tuple(part.postings.docs for part in parts),
            tuple(part.impacts for part in parts),
            tuple(part.levels for part in parts),
            tuple(part.marks for part in parts),
            tuple(part.ranks for part in parts),
            view,
            start,
            stop,
            row,
            raw,
            gain,
            bound,
            mute[:count] & bool(self._muted),
            muted,
        )

    def best(self, begin: Sequence[Array], k: int) -> Numbers:
        """Return rows, rising, among which are the ``k`` best and all that tie with the k-th.

        ``begin`` has for each segment what its records start with (n, float32),
        :data:`indexes.selection.OUT` for those that are not to be found; it is used up.
        """
        found = []
        for work, scores in zip(self.work, begin, strict=True):
            slack = self.slack(work, scores)
            self._total(work, scores)
            found.append(selection.best(scores, k, slack) + work.first)
        return np.concatenate(found)

    def totals(self, begin: Sequence[Array]) -> npt.NDArray[np.float32]:
        """Add all terms to what records start with, in float32; within :meth:`slack` of exact."""
        for work, scores in zip(self.work, begin, strict=True):
            self._total(work, scores)
        return np.concatenate(begin)

    def _total(self, work: _Work, scores: Array) -> None:
        kernels.total(
            work.docs, work.impacts, work.levels, work.view, work.start, work.stop, work.row,
            work.gain, work.bound, work.mute, work.muted, scores,
        )  # fmt: skip

    def slack(self, work: _Work, begin: Array) -> float:
        """How far two scores of :meth:`totals` may be out together, and equal ones be apart.

        A level is out by half a step at most, so two of them are by a step.
        """
        most = float(work.bound.sum()) + float(max(begin.max(initial=0.0), 0.0))
        steps = float(work.bound[work.row >= 0].sum()) / kernels.LEVELS
        return 2 * TIES + steps + 2 * _ROUNDING * (len(work.view) + 4) * most

    def exact(self, rows: Numbers) -> dict[str, Scores]:
        """Return the score of ``rows`` (rising) in each view, before its factor."""
        found = np.zeros((len(self._names), len(rows)))
        for work in self.work:
            low, high = np.searchsorted(rows, (work.first, work.first + work.size))
            kernels.add_rows(
                work.docs, work.impacts, work.marks, work.ranks, work.view, work.start, work.stop,
                work.row, work.raw, work.mute, work.muted, rows[low:high] - work.first,
                found[:, low:high],
            )  # fmt: skip
        return {name: found[self._names.index(name)] for name in self._terms}

    def everything(self) -> dict[str, Scores]:
        """Return the score of every record in each view, before its factor: the same numbers."""
        size = sum(work.size for work in self.work)
        found = {name: np.zeros(size) for name in self._terms}
        for work in self.work:
            for name, out in found.items():
                piece = out[work.first : work.first + work.size]
                docs, impacts, start, stop, gain, mute = self._of(work, name)
                kernels.add(docs, impacts, start, stop, gain, mute, work.muted, piece)
        return found

    def _of(self, work: _Work, name: str) -> tuple[Array, Array, Array, Array, Array, Array]:
        number = self._names.index(name)
        mine = work.view == number
        docs, impacts = work.docs[number], work.impacts[number]
        return docs, impacts, work.start[mine], work.stop[mine], work.raw[mine], work.mute[mine]
