"""The terms of an index on disk: found without reading them all into memory.

A million records have millions of terms; as a Python dict they would cost gigabytes and seconds
each time an index is opened. Here they are three arrays that are memory-mapped: the sorted terms as
one stretch of UTF-8, where each one begins, and a hash table of their numbers (open addressing,
FNV-1a, linear probing, at most half full), so that a look-up touches a few bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
_BASIS, _PRIME = np.uint64(14_695_981_039_346_656_037), np.uint64(1_099_511_628_211)
_FILES = {"text": "terms", "offsets": "offsets", "slots": "slots"}


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _hash(text: Array, start: int, stop: int) -> np.uint64:
    value = _BASIS
    for place in range(start, stop):
        value = (value ^ np.uint64(text[place])) * _PRIME
    return value ^ (value >> np.uint64(29))  # the low bits alone are poor on short terms


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _fill(text: Array, offsets: Array, slots: Array) -> None:
    mask = np.uint64(slots.shape[0] - 1)
    for number in range(offsets.shape[0] - 1):
        slot = _hash(text, offsets[number], offsets[number + 1]) & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def number_of(
    text: Array, offsets: Array, slots: Array, asked: Array, start: int, stop: int
) -> int:
    """Return the number of the term that is ``asked[start:stop]``, -1 where it is unknown.

    Of terms spelt alike the first is found.
    """
    mask = np.uint64(slots.shape[0] - 1)
    slot = _hash(asked, start, stop) & mask
    while slots[slot] >= 0:
        place = offsets[slots[slot]]
        if offsets[slots[slot] + 1] - place == stop - start:
            same = start
            while same < stop and text[place + same - start] == asked[same]:
                same += 1
            if same == stop:
                return int(slots[slot])
        slot = (slot + np.uint64(1)) & mask
    return -1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _find(
    text: Array, offsets: Array, slots: Array, asked: Array, bounds: Array, found: Array
) -> None:
    for number in range(bounds.shape[0] - 1):
        found[number] = number_of(text, offsets, slots, asked, bounds[number], bounds[number + 1])


def frozen(array: Array) -> Array:
    """Return ``array`` as a plain read-only one, mapped or not: one type for the kernels."""
    plain = np.asarray(array)
    plain = plain.view()
    plain.flags.writeable = False
    return plain


@dataclass(frozen=True, eq=False)
class Vocabulary(Mapping[str, int]):
    """Sorted terms and their numbers 0..V-1.

    ``text`` (bytes, uint8) holds the terms one after another, ``offsets`` (V+1, int64) where each
    begins, ``slots`` (a power of two > 2V, int32) the hash table, -1 where it is empty.
    """

    text: Array
    offsets: Array
    slots: Array

    def __post_init__(self) -> None:
        for name in _FILES:
            object.__setattr__(self, name, frozen(getattr(self, name)))
        end, size = int(self.offsets[-1]), len(self.slots)
        if end != len(self.text):
            raise ValueError(f"từ vựng lệch nhau: {len(self.text):,} byte nhưng {end:,}")
        if size & (size - 1) or size <= len(self):
            raise ValueError(f"từ vựng lệch nhau: {len(self):,} từ nhưng {size:,} ô")

    @classmethod
    def of(cls, terms: Sequence[str]) -> Vocabulary:
        """Make the vocabulary of distinct ``terms``, which must be sorted."""
        encoded = [term.encode("utf-8", "surrogatepass") for term in terms]
        offsets = np.fromiter(accumulate(map(len, encoded), initial=0), np.int64, len(terms) + 1)
        text = np.frombuffer(b"".join(encoded), np.uint8)
        return cls.from_arrays(text, offsets)

    @classmethod
    def from_arrays(cls, text: Array, offsets: Array) -> Vocabulary:
        """Add the hash table to sorted terms that are arrays already."""
        slots = np.full(1 << int(2 * len(offsets)).bit_length(), -1, np.int32)
        text, offsets = frozen(text), frozen(offsets)
        _fill(text, offsets, slots)
        return cls(text, offsets, slots)

    def numbers(self, terms: Iterable[str]) -> npt.NDArray[np.int64]:
        """Return the number of each of ``terms``, -1 where it is unknown."""
        encoded = [term.encode("utf-8", "surrogatepass") for term in terms]
        found = np.empty(len(encoded), np.int64)
        bounds = np.array([0, *accumulate(map(len, encoded))], np.int64)
        asked = np.frombuffer(b"".join(encoded), np.uint8)
        _find(self.text, self.offsets, self.slots, asked, bounds, found)
        return found

    def __getitem__(self, term: str) -> int:
        number = int(self.numbers([term])[0]) if isinstance(term, str) else -1
        if number < 0:
            raise KeyError(term)
        return number

    def __iter__(self) -> Iterator[str]:
        for start, stop in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            yield self.text[start:stop].tobytes().decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def save(self, folder: Path) -> None:
        """Write the arrays into ``folder``."""
        for name, file in _FILES.items():
            np.save(folder / f"{file}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        """Open what :meth:`save` wrote, memory-mapped."""
        return cls(**{name: mapped(folder / f"{file}.npy") for name, file in _FILES.items()})


def mapped(path: Path) -> Array:
    """Open an array on disk memory-mapped; one without elements cannot be mapped and is read."""
    array: Array = np.load(path, mmap_mode="r")
    return array
