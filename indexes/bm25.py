"""BM25 over the fields of one view, exact for every record.

The formula is BM25F (Robertson, Zaragoza: The Probabilistic Relevance Framework, 2009, section
3.6) with Lucene's idf, so that with one field of weight 1 it *is* Lucene's BM25 without the
constant
factor ``k1 + 1``::

    w(t, d)  = sum over fields f of  weight_f * tf(t, d, f) / (1 - b_f + b_f * len(d, f) / avg_f)
    idf(t)   = ln(1 + (N - df(t) + 0.5) / (df(t) + 0.5))
    score    = sum over query terms t of  idf(t) * w(t, d) / (k1 + w(t, d))

Postings keep raw term frequencies per field; idf and length are applied at query time, so that
records can come and go under one set of statistics without rewriting postings. ``plus`` gives
BM25+ (Lv, Zhai 2011) as rank-bm25 computes it, kept as a second opinion for the tests.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
Query = Iterable[str] | Mapping[str, float]


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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _add(
    scores: Array,
    docs: Array,
    frequencies: Array,
    norms: Array,
    gain: float,
    k1: float,
) -> None:
    for posting in range(docs.shape[0]):
        doc = docs[posting]
        weight = 0.0
        for column in range(frequencies.shape[1]):
            weight += frequencies[posting, column] * norms[doc, column]
        scores[doc] += gain * weight / (k1 + weight)


@dataclass(frozen=True, eq=False)
class BM25:
    """An inverted index over ``n`` records and ``F`` fields of one view.

    ``starts`` (V+1, int64) gives each term's stretch of ``docs`` (P, int32) and ``frequencies``
    (P, F, smallest unsigned type that holds the largest); ``lengths`` is (n, F, int32). Terms are
    sorted, so that the same records give the same bytes.
    """

    parameters: Parameters
    vocabulary: dict[str, int]
    starts: npt.NDArray[np.int64]
    docs: npt.NDArray[np.int32]
    frequencies: Array
    lengths: npt.NDArray[np.int32]
    dtype: Any = np.float32
    norms: Array = field(init=False)

    def __post_init__(self) -> None:
        postings = int(self.starts[-1]) if len(self.starts) else 0
        for name, size, expected in (
            ("từ", len(self.vocabulary), len(self.starts) - 1),
            ("lượt xuất hiện", len(self.docs), postings),
            ("tần số", len(self.frequencies), postings),
            ("trường", int(self.lengths.shape[1]), len(self.parameters.fields)),
        ):
            if size != expected:
                raise ValueError(f"chỉ mục lệch nhau: {size:,} {name} nhưng {expected:,}")
        object.__setattr__(self, "norms", self._norms())

    @classmethod
    def build(
        cls,
        records: Iterable[Mapping[str, Sequence[str]]],
        parameters: Parameters = Parameters(),
        dtype: Any = np.float32,
    ) -> BM25:
        """Index ``records``: one mapping of field name to terms each, in record order."""
        names = [each.name for each in parameters.fields]
        ids: dict[str, int] = {}
        term_of: list[int] = []
        slot_of: list[int] = []  # record * F + field
        lengths: list[list[int]] = []
        for number, record in enumerate(records):
            lengths.append([len(record.get(name, ())) for name in names])
            for column, name in enumerate(names):
                for term in record.get(name, ()):
                    term_of.append(ids.setdefault(term, len(ids)))
                    slot_of.append(number * len(names) + column)
        return cls(
            parameters,
            *_postings(ids, np.array(term_of, np.int64), np.array(slot_of, np.int64), len(names)),
            np.array(lengths, np.int32).reshape(-1, len(names)),
            dtype,
        )

    def __len__(self) -> int:
        return int(self.lengths.shape[0])

    def _norms(self) -> Array:
        fields = self.parameters.fields
        weights = np.array([each.weight for each in fields])
        b = np.array([each.b for each in fields])
        mean = self.lengths.mean(axis=0) if len(self) else np.ones(len(fields))
        relative = self.lengths / np.where(mean > 0, mean, 1.0)
        return (weights / np.maximum(1 - b + b * relative, 1e-9)).astype(self.dtype)

    def document_frequency(self, term: str) -> int:
        """In how many records ``term`` occurs."""
        number = self.vocabulary.get(term)
        return 0 if number is None else int(self.starts[number + 1] - self.starts[number])

    def idf(self, term: str) -> float:
        """The weight of ``term``: >= 0, 0 only where the index is empty."""
        frequency, n = self.document_frequency(term), len(self)
        if self.parameters.plus:
            return float(np.log((n + 1) / frequency)) if frequency else 0.0
        return float(np.log(1 + (n - frequency + 0.5) / (frequency + 0.5)))

    def scores(self, query: Query) -> Array:
        """Return the score of every record for the terms of ``query``, shape (n,).

        ``query`` is terms in any order, or terms with weights >= 0. A term that stands twice counts
        twice; unknown terms count nothing.
        """
        scores = np.zeros(len(self), self.dtype)
        k1, plus = self.parameters.k1, self.parameters.plus
        for term, count in sorted(Counter(query).items()):
            number = self.vocabulary.get(term)
            if number is None:
                continue
            stretch = slice(self.starts[number], self.starts[number + 1])
            gain = count * self.idf(term)
            if plus:
                scores += gain * plus
                gain *= k1 + 1
            _add(scores, self.docs[stretch], self.frequencies[stretch], self.norms, gain, k1)
        return scores

    def ceiling(self, query: Query) -> float:
        """The limit that no record's score for ``query`` can pass: the weighted sum of idf."""
        plus, k1 = self.parameters.plus, self.parameters.k1
        most = plus + k1 + 1 if plus else 1.0  # of one term, before its idf
        idf = (self.idf(term) * count for term, count in sorted(Counter(query).items()))
        return most * math.fsum(idf)

    def matching(self, terms: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Return which records hold any of ``terms``, shape (n,)."""
        found = np.zeros(len(self), np.bool_)
        for number in sorted({self.vocabulary[term] for term in terms if term in self.vocabulary}):
            found[self.docs[self.starts[number] : self.starts[number + 1]]] = True
        return found

    def save(self, folder: Path) -> None:
        """Write the arrays and the sorted vocabulary into ``folder``, which must exist."""
        for name in ("starts", "docs", "frequencies", "lengths"):
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / "terms.txt").write_text("\n".join(self.vocabulary), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, parameters: Parameters) -> BM25:
        """Open what :meth:`save` wrote, arrays memory-mapped."""
        lines = (folder / "terms.txt").read_text(encoding="utf-8")
        terms = lines.split("\n") if lines else []
        arrays = [
            np.load(folder / f"{name}.npy", mmap_mode="r")
            for name in ("starts", "docs", "frequencies", "lengths")
        ]
        return cls(parameters, {term: number for number, term in enumerate(terms)}, *arrays)


def _postings(
    ids: dict[str, int],
    term_of: npt.NDArray[np.int64],
    slot_of: npt.NDArray[np.int64],
    fields: int,
) -> tuple[dict[str, int], npt.NDArray[np.int64], npt.NDArray[np.int32], Array]:
    """Sort occurrences by term, then record, and count them per field."""
    terms = sorted(ids)
    order = np.empty(len(ids), np.int64)
    order[[ids[term] for term in terms]] = np.arange(len(ids))
    doc_of, column_of = np.divmod(slot_of, fields)
    records = int(doc_of.max()) + 1 if doc_of.size else 1
    keys, where = np.unique(order[term_of] * records + doc_of, return_inverse=True)
    counts = np.zeros((keys.size, fields), np.int64)
    np.add.at(counts, (where, column_of), 1)
    starts = np.searchsorted(keys, np.arange(len(terms) + 1) * records)
    smallest = np.min_scalar_type(int(counts.max())) if counts.size else np.uint8
    return (
        {term: number for number, term in enumerate(terms)},
        starts.astype(np.int64),
        (keys % records).astype(np.int32),
        counts.astype(smallest),
    )
