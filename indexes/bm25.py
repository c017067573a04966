"""BM25 over the fields of one view, exact for every record.

The formula is BM25F (Robertson, Zaragoza: The Probabilistic Relevance Framework, 2009, section
3.6) with Lucene's idf, so that with one field of weight 1 it *is* Lucene's BM25 without the
constant factor ``k1 + 1``::

    w(t, d)      = sum over fields f of
                   weight_f * tf(t, d, f) / (1 - b_f + b_f * len(d, f) / avg_f)
    impact(t, d) = w(t, d) / (k1 + w(t, d)), rounded to float32
    idf(t)       = ln(1 + (N - df(t) + 0.5) / (df(t) + 0.5))
    score        = sum over query terms t of  idf(t) * impact(t, d)

``N``, ``df`` and ``avg`` are those of all live records of all segments, so that records can come
and go without rewriting postings. Impacts are worked out when a term is first asked for and kept:
that costs as much as scoring once, and an index opens without touching its postings. ``plus`` gives
BM25+ (Lv, Zhai 2011) as rank-bm25 computes it, kept as a second opinion for the tests.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import mul
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexes import kernels, selection
from indexes.postings import Postings, build
from indexes.vocabulary import Array, Vocabulary

Query = Iterable[str] | Mapping[str, float]
Numbers = npt.NDArray[np.int64]
NONE_DEAD = np.zeros(0, np.bool_)
NOBODY = np.zeros(0, np.uint64)  # as bits
_FREQUENT = 32  # a term in one record of so many has its bits and its levels kept
_FEW = 64  # records in which no term is frequent


@dataclass(frozen=True)
class Field:
    """How one field counts: its weight and how much its length matters (``b`` in 0..1)."""

    name: str
    weight: float = 1.0
    b: float = 0.75


@dataclass(frozen=True)
class Parameters:
    """BM25's constants. ``plus`` > 0 switches to BM25+ with that delta and its idf."""

    fields: tuple[Field, ...] = (Field("text"),)
    k1: float = 1.2
    plus: float = 0.0


@dataclass(frozen=True, eq=False)
class Part:
    """One segment's postings as they count under the statistics of all segments.

    ``dead`` is (n,) or (0,) where nobody is; ``means`` (F,) the mean lengths of all live ones.
    """

    postings: Postings
    dead: Array
    means: npt.NDArray[np.float64]
    parameters: Parameters
    dtype: Any
    impacts: Array = field(init=False, repr=False)
    largest: Array = field(init=False, repr=False)  # (V,) the largest impact of each term
    frequent: Numbers = field(init=False, repr=False)  # terms that have levels, rising
    levels: Array = field(init=False, repr=False)  # these three: see :mod:`indexes.kernels`
    marks: Array = field(init=False, repr=False)
    ranks: Array = field(init=False, repr=False)
    _held: Array = field(init=False, repr=False)  # (V,) live records of each term
    _ready: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        terms = len(self.postings.vocabulary)
        object.__setattr__(self, "impacts", np.empty(len(self.postings.docs), self.dtype))
        object.__setattr__(self, "largest", np.zeros(terms, np.float32))
        held = np.diff(self.postings.starts)
        frequent = np.flatnonzero(held >= max(len(self) // _FREQUENT, _FEW))
        object.__setattr__(self, "frequent", frequent)
        # zeros take memory only when they are overwritten: for the terms that are asked for
        blocks = len(frequent), (len(self) + 63) // 64
        object.__setattr__(self, "levels", np.zeros((len(frequent), len(self)), np.uint8))
        object.__setattr__(self, "marks", np.zeros(blocks, np.uint64))
        object.__setattr__(self, "ranks", np.zeros(blocks, np.int32))
        object.__setattr__(self, "_held", np.zeros(terms, np.int32))
        object.__setattr__(self, "_ready", np.zeros(terms, np.bool_))

    def __len__(self) -> int:
        return len(self.postings)

    @cached_property
    def _norms(self) -> Array:
        fields, lengths = self.parameters.fields, self.postings.lengths
        weights = np.array([each.weight for each in fields])
        b = np.array([each.b for each in fields])
        relative = lengths / np.where(self.means > 0, self.means, 1.0)
        return (weights / np.maximum(1 - b + b * relative, 1e-9)).astype(self.dtype)

    def weigh(self, numbers: Numbers) -> None:
        """Have the impacts of the terms ``numbers`` ready; -1 stands for none."""
        known = numbers[numbers >= 0]
        if self._ready[known].all():
            return
        posted = self.postings
        arrays = (posted.starts, posted.docs, posted.frequencies, self._norms, self.dead)
        filled = (self.impacts, self.largest, self._held, self._ready)
        laid = (self.frequent, self.levels, self.marks, self.ranks)
        kernels.weigh(known, *arrays, self.parameters.k1, *filled, *laid)

    def held(self, numbers: Numbers) -> Numbers:
        """Return in how many live records each of the terms ``numbers`` occurs."""
        known = numbers >= 0
        mine = numbers[known]
        found = np.zeros(len(numbers), np.int64)
        if len(self.dead):
            self.weigh(mine)
            found[known] = self._held[mine]
        else:
            found[known] = self.postings.starts[mine + 1] - self.postings.starts[mine]
        return found

    def stretches(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Return where the postings of the known terms ``numbers`` start and stop."""
        return self.postings.starts[numbers], self.postings.starts[numbers + 1]

    def bits(self, numbers: Numbers) -> Array:
        """Return which records hold any of the terms ``numbers``, one bit each, dead included."""
        found = np.zeros((len(self) + 63) // 64, np.uint64)
        places = np.searchsorted(self.frequent, numbers)
        frequent = places < len(self.frequent)
        frequent[frequent] = self.frequent[places[frequent]] == numbers[frequent]
        selection.mark(self.postings.docs, *self.stretches(numbers[~frequent]), found)
        self.weigh(numbers[frequent])
        selection.unite(self.marks, places[frequent], found)
        return found


@dataclass(frozen=True, eq=False)
class BM25:
    """One view of all segments under one set of statistics; rows of segments follow each other."""

    parameters: Parameters
    parts: tuple[Part, ...]
    records: int  # live ones

    @classmethod
    def of(
        cls,
        segments: Sequence[Postings],
        parameters: Parameters = Parameters(),
        dead: Sequence[Array] = (),
        dtype: Any = np.float32,
    ) -> BM25:
        """Put segments together.

        Args:
            segments: one or more.
            parameters: BM25's constants; their fields are the columns of the segments.
            dead: for each segment which records are gone, (n,) or (0,); empty: none anywhere.
            dtype: of the impacts.

        Raises:
            ValueError: a segment has other fields.
        """
        fields = len(parameters.fields)
        gone = tuple(dead) or (NONE_DEAD,) * len(segments)
        totals, records = np.zeros(fields, np.int64), 0
        for each, out in zip(segments, gone, strict=True):
            columns = int(each.lengths.shape[1])
            if columns != fields:
                raise ValueError(f"chỉ mục lệch nhau: {columns:,} trường nhưng {fields:,}")
            lengths = each.lengths[~out] if len(out) else each.lengths
            totals += lengths.sum(axis=0, dtype=np.int64)
            records += len(lengths)
        means = totals / records if records else np.ones(fields)
        parts = (
            Part(each, out, means, parameters, dtype)
            for each, out in zip(segments, gone, strict=True)
        )
        return cls(parameters, tuple(parts), records)

    @classmethod
    def build(
        cls,
        records: Iterable[Mapping[str, Sequence[str]]],
        parameters: Parameters = Parameters(),
        dtype: Any = np.float32,
    ) -> BM25:
        """Index ``records``: one mapping of field name to terms each, in record order."""
        names = [each.name for each in parameters.fields]
        return cls.of([build(records, names)], parameters, dtype=dtype)

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def _only(self) -> Postings:
        (part,) = self.parts
        return part.postings

    @property
    def vocabulary(self) -> Vocabulary:
        """The terms, where there is one segment."""
        return self._only.vocabulary

    @property
    def starts(self) -> Array:
        """Where each term's postings start, where there is one segment."""
        return self._only.starts

    @property
    def docs(self) -> Array:
        """The records of the postings, where there is one segment."""
        return self._only.docs

    @property
    def frequencies(self) -> Array:
        """The frequencies of the postings by field, where there is one segment."""
        return self._only.frequencies

    def numbers(self, terms: Sequence[str]) -> list[Numbers]:
        """Return the number of each term in each segment, -1 where it does not occur."""
        return [part.postings.vocabulary.numbers(terms) for part in self.parts]

    def frequencies_of(self, numbers: Sequence[Numbers]) -> Numbers:
        """Return in how many live records terms occur, from what :meth:`numbers` returned."""
        found, *others = (part.held(each) for part, each in zip(self.parts, numbers, strict=True))
        for other in others:
            found = found + other
        return found

    def idfs(self, frequencies: Numbers) -> npt.NDArray[np.float64]:
        """Return the weights of terms that occur in so many records: >= 0."""
        n = self.records
        if self.parameters.plus:
            ratio = (n + 1) / np.maximum(frequencies, 1)
            return np.where(frequencies > 0, np.log(ratio), 0.0)
        found: npt.NDArray[np.float64] = np.log(1 + (n - frequencies + 0.5) / (frequencies + 0.5))
        return found

    def document_frequency(self, term: str) -> int:
        """In how many records ``term`` occurs."""
        return int(self.frequencies_of(self.numbers([term]))[0])

    def idf(self, term: str) -> float:
        """The weight of ``term``: >= 0, 0 only where the index is empty."""
        return float(self.idfs(self.frequencies_of(self.numbers([term])))[0])

    def scores(self, query: Query) -> Array:
        """Return the score of every record for the terms of ``query``, shape (n,).

        ``query`` is terms in any order, or terms with weights >= 0. A term that stands twice counts
        twice; unknown terms count nothing.
        """
        counts = sorted(Counter(query).items())
        numbers = self.numbers([term for term, _ in counts])
        gains = np.array([count for _, count in counts], np.float64)
        gains = gains * self.idfs(self.frequencies_of(numbers))
        k1, plus = self.parameters.k1, self.parameters.plus
        out = np.zeros(len(self), np.float64)
        if plus:
            out += plus * gains[_known(numbers)].sum()
            gains = gains * (k1 + 1)
        for part, mine, piece in self.pieces(numbers, out):
            known = mine >= 0
            part.weigh(mine)
            unmuted = np.zeros(int(known.sum()), np.bool_)
            stretch = part.stretches(mine[known])
            docs = part.postings.docs
            kernels.add(docs, part.impacts, *stretch, gains[known], unmuted, NOBODY, piece)
        return out.astype(self.parts[0].dtype)

    def pieces(
        self, numbers: Sequence[Numbers], out: Array
    ) -> Iterator[tuple[Part, Numbers, Array]]:
        """Yield each segment with the terms' numbers there and its piece of ``out``."""
        first = 0
        for part, mine in zip(self.parts, numbers, strict=True):
            yield part, mine, out[first : first + len(part)]
            first += len(part)

    def ceiling(self, query: Query) -> float:
        """The limit that no record's score for ``query`` can pass: the weighted sum of idf."""
        counts = sorted(Counter(query).items())
        numbers = self.numbers([term for term, _ in counts])
        return self.limit([count for _, count in counts], self.idfs(self.frequencies_of(numbers)))

    def limit(self, counts: Iterable[float], idfs: Iterable[float]) -> float:
        """:meth:`ceiling` of terms whose weights are known."""
        plus, k1 = self.parameters.plus, self.parameters.k1
        most = plus + k1 + 1 if plus else 1.0  # of one term, before its idf
        return most * math.fsum(map(mul, counts, idfs))

    def matching(self, terms: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Return which records hold any of ``terms``, shape (n,)."""
        return unpacked(self.bits(terms), [len(part) for part in self.parts])

    def bits(self, terms: Iterable[str]) -> list[Array]:
        """Return which records of each segment hold any of ``terms``, one bit each."""
        numbers = self.numbers(sorted(set(terms)))
        return [part.bits(mine[mine >= 0]) for part, mine in zip(self.parts, numbers, strict=True)]

    def save(self, folder: Path) -> None:
        """Write the only segment into ``folder``, which must exist."""
        self._only.save(folder)

    @classmethod
    def load(cls, folder: Path, parameters: Parameters) -> BM25:
        """Open what :meth:`save` wrote, arrays memory-mapped."""
        return cls.of([Postings.load(folder)], parameters)


def _known(numbers: Sequence[Numbers]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.any([each >= 0 for each in numbers], axis=0)
    return found


def unpacked(bits: Sequence[Array], sizes: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return one bool per record from one bit each, segments put together."""
    pieces = [
        np.unpackbits(each.view(np.uint8), bitorder="little", count=size)
        for each, size in zip(bits, sizes, strict=True)
    ]
    return np.concatenate([*pieces, np.zeros(0, np.uint8)]).astype(np.bool_)
