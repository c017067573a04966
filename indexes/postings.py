"""Which record says which term how often: one segment of one view, as arrays on disk.

Postings keep raw term frequencies per field. Nothing that depends on other records is in them, so
a segment is written once and serves under any statistics (:mod:`indexes.bm25`).
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from indexes.vocabulary import Array, Vocabulary, frozen, mapped

ARRAYS = ("starts", "docs", "frequencies", "lengths")


@dataclass(frozen=True, eq=False)
class Postings:
    """An inverted index over ``n`` records and ``F`` fields of one view.

    ``starts`` (V+1, int64) gives each term's stretch of ``docs`` (P, int32, rising) and
    ``frequencies`` (P, F, smallest unsigned type that holds the largest); ``lengths`` is (n, F,
    int32). Terms are sorted, so that the same records give the same bytes.
    """

    vocabulary: Vocabulary
    starts: Array
    docs: Array
    frequencies: Array
    lengths: Array

    def __post_init__(self) -> None:
        for name in ARRAYS:
            object.__setattr__(self, name, frozen(getattr(self, name)))
        postings = int(self.starts[-1]) if len(self.starts) else 0
        for name, size, expected in (
            ("từ", len(self.vocabulary), len(self.starts) - 1),
            ("lượt xuất hiện", len(self.docs), postings),
            ("tần số", len(self.frequencies), postings),
            ("trường", self.lengths.shape[1], self.frequencies.shape[1]),
        ):
            if size != expected:
                raise ValueError(f"chỉ mục lệch nhau: {size:,} {name} nhưng {expected:,}")

    def __len__(self) -> int:
        return int(self.lengths.shape[0])

    def save(self, folder: Path) -> None:
        """Write the arrays and the vocabulary into ``folder``, which must exist."""
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        self.vocabulary.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Postings:
        """Open what :meth:`save` wrote, memory-mapped."""
        arrays = [mapped(folder / f"{name}.npy") for name in ARRAYS]
        return cls(Vocabulary.load(folder), *arrays)


class Builder:
    """Takes records one by one and inverts them: four bytes for each occurrence, then postings."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = tuple(fields)
        self._ids: defaultdict[str, int] = defaultdict()
        self._ids.default_factory = self._ids.__len__
        self._stream = array("i")  # term by term, in the order of records and fields
        self._lengths = array("i")

    def add(self, record: Mapping[str, Sequence[str]]) -> None:
        """Add one record: its terms by field; fields that are not indexed are left out."""
        for name in self._fields:
            terms = record.get(name, ())
            self._lengths.append(len(terms))
            self._stream.extend(map(self._ids.__getitem__, terms))

    def finish(self) -> Postings:
        """Return the postings of what was added; the builder is empty afterwards."""
        ids, self._ids = self._ids, defaultdict()
        stream = np.frombuffer(self._stream, np.int32) if self._stream else np.zeros(0, np.int32)
        lengths = np.array(self._lengths, np.int32).reshape(-1, len(self._fields))
        return inverted(stream, lengths, list(ids))


def inverted(
    stream: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32], terms: Sequence[str]
) -> Postings:
    """Return the postings of term occurrences.

    Args:
        stream: (occurrences,) provisional term numbers, record by record and field by field.
        lengths: (n, F) how many of them each field of each record has.
        terms: the text of each provisional number; two may be the same term, and some none's.
    """
    said = np.zeros(len(terms), np.bool_)
    said[stream] = True
    numbers = np.flatnonzero(said).tolist()
    numbers.sort(key=terms.__getitem__)
    ordered = [terms[number] for number in numbers]
    new = np.fromiter((a != b for a, b in pairwise(ordered)), np.bool_, max(len(ordered) - 1, 0))
    order = np.full(len(terms), -1, np.int32)
    order[numbers] = np.concatenate([np.zeros(1, np.int32), np.cumsum(new, dtype=np.int32)])[
        : len(numbers)
    ]
    if not new.all():
        ordered = list(dict.fromkeys(ordered))
    del numbers, new
    return Postings(Vocabulary.of(ordered), *invert(stream, lengths, order, len(ordered)), lengths)


def build(records: Iterable[Mapping[str, Sequence[str]]], fields: Sequence[str]) -> Postings:
    """Invert ``records``: one mapping of field name to terms each, in record order."""
    builder = Builder(fields)
    for record in records:
        builder.add(record)
    return builder.finish()


def invert(
    stream: npt.NDArray[np.int32],
    lengths: npt.NDArray[np.int32],
    order: npt.NDArray[np.int32],
    count: int,
) -> tuple[Array, Array, Array]:
    """Return starts, docs and frequencies of term occurrences.

    Args:
        stream: (occurrences,) provisional term numbers, record by record and field by field.
        lengths: (n, F) how many of them each field of each record has.
        order: (V,) the final number of each provisional one.
        count: how many final ones there are.
    """
    fields = lengths.shape[1]
    held, most = _count(stream, lengths, order, count)
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(held, out=starts[1:])
    docs = np.empty(int(starts[-1]), np.int32)
    smallest = np.min_scalar_type(int(most)) if most else np.dtype(np.uint8)
    frequencies = np.zeros((int(starts[-1]), fields), smallest)
    _place(stream, lengths, order, starts, docs, frequencies)
    return starts, docs, frequencies


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _count(stream: Array, lengths: Array, order: Array, terms: int) -> tuple[Array, int]:
    """In how many records each term occurs, and the largest frequency in one field."""
    fields = lengths.shape[1]
    held = np.zeros(terms, np.int64)
    last = np.full(terms, -1, np.int64)  # the record and field a term was last seen in
    record = np.full(terms, -1, np.int32)
    counts = np.zeros(terms, np.int32)
    most, place = 0, 0
    for doc in range(lengths.shape[0]):
        for column in range(fields):
            slot = doc * fields + column
            for _ in range(lengths[doc, column]):
                term = order[stream[place]]
                place += 1
                if record[term] != doc:
                    record[term] = doc
                    held[term] += 1
                if last[term] != slot:
                    last[term] = slot
                    counts[term] = 0
                counts[term] += 1
                most = max(most, counts[term])
    return held, most


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _place(
    stream: Array, lengths: Array, order: Array, starts: Array, docs: Array, frequencies: Array
) -> None:
    """Put every occurrence where it belongs; records come in order, so docs rise by themselves."""
    free = starts[:-1].copy()
    place = 0
    for doc in range(lengths.shape[0]):
        for column in range(lengths.shape[1]):
            for _ in range(lengths[doc, column]):
                term = order[stream[place]]
                place += 1
                at = free[term] - 1
                if at < starts[term] or docs[at] != doc:
                    at += 1
                    docs[at] = doc
                    free[term] = at + 1
                frequencies[at, column] += 1
