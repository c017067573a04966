"""Texts to postings by number: no string is made, looked up or kept for an occurrence.

The same stretches without white space come again and again, so each distinct one is analysed once
(:meth:`indexes.analyser.Memory.read`) and numbered; a text is then a list of numbers, and compiled
loops turn the lists of many texts into the terms of all views (:mod:`indexes.pairs`). What comes
out is what :func:`indexes.analyser.terms` gives for each text, to the byte of the postings.
"""

from __future__ import annotations

import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from numba import njit

from indexes import analyser
from indexes.analyser import JOINT, VIEWS, Memory
from indexes.pairs import NONE, Codes, Pairs
from indexes.postings import Postings, inverted
from indexes.vocabulary import Array

_BATCH = 200_000  # pieces of texts worked at together
_PAIRED = ("words", "bigrams", "unaccented")


class _Names(defaultdict[str, int]):
    """Numbers plain terms in the order in which they are first met."""

    def __init__(self) -> None:
        super().__init__()
        self.default_factory = self.__len__

    def codes(self, terms: Iterable[str | None]) -> list[int]:
        """Return the code of each of ``terms``, :data:`NONE` for nothing."""
        return [self[term] if term else NONE for term in terms]


class _Lists:
    """Lists of numbers one after another, each by its number."""

    def __init__(self) -> None:
        self._values, self._starts = array("i"), array("q", [0])

    def append(self, values: Iterable[int]) -> None:
        """Add one list."""
        self._values.extend(values)
        self._starts.append(len(self._values))

    def spread(self, numbers: Codes, ends: Array) -> tuple[Codes, Array]:
        """Return the lists ``numbers`` one after another, and where those up to ``ends`` end."""
        values, starts = np.array(self._values, np.int32), np.array(self._starts, np.int64)
        before = np.zeros(len(numbers) + 1, np.int64)
        np.cumsum(starts[numbers + 1] - starts[numbers], out=before[1:])
        out = np.empty(int(before[-1]), np.int32)
        _spread(values, starts, numbers, out)
        return out, before[ends]


class _Pieces(dict[str, int]):
    """The distinct pieces of texts, numbered: their tokens, syllables and terms by number."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self.syllables, self.folded, self.cores = _Names(), _Names(), _Names()
        self.rows, self.words, self.units, self.plain = _Lists(), _Lists(), _Lists(), _Lists()

    def __missing__(self, raw: str) -> int:
        piece = self._memory.read(raw)
        self.rows.append(piece.rows)
        self.words.append(self.cores.codes(piece.cores))
        self.units.append(self.syllables.codes(piece.units))
        self.plain.append(self.folded.codes(piece.folded))
        self[raw] = number = len(self)
        return number

    def of(self, text: str) -> list[int]:
        """Return the pieces of ``text`` in order; a line break is one."""
        lines = [[self[raw] for raw in line.split()] for line in text.split("\n")]
        found = lines[0]
        for line in lines[1:]:
            found.append(self["\n"])
            found += line
        return found


class Inverter:
    """Takes texts one by one, as many for each record as there are fields, and inverts them."""

    def __init__(self, fields: int) -> None:
        self._fields = fields
        memory = analyser.memory()
        self._segmenter = None if memory is None else memory.segmenter.fresh()
        self._pieces = None if self._segmenter is None else _Pieces(Memory(self._segmenter))
        self._waiting, self._ends = array("i"), array("q")
        names = self._pieces
        shared = names.syllables if names is not None else _Names()
        self._names = {
            "words": names.cores if names is not None else _Names(),
            "syllables": shared,
            "bigrams": shared,
            "unaccented": names.folded if names is not None else _Names(),
        }
        self._pairs = {view: Pairs() for view in _PAIRED}
        self._codes: dict[str, list[Codes]] = {view: [] for view in VIEWS}
        self._sizes: dict[str, list[Codes]] = {view: [] for view in VIEWS}

    def add(self, text: str) -> None:
        """Add one normalised text."""
        if self._pieces is None or not unicodedata.is_normalized("NFC", text):
            self._add_terms(text)
            return
        self._waiting.extend(self._pieces.of(text))
        self._ends.append(len(self._waiting))
        if len(self._waiting) >= _BATCH:
            self._work()

    def _add_terms(self, text: str) -> None:
        """Add a text that the pieces do not serve, by its terms themselves."""
        self._work()
        for view, terms in analyser.terms(text).items():
            names = self._names[view]
            self._keep(view, np.array(names.codes(terms), np.int32), np.array([len(terms)]))

    def _work(self) -> None:
        """Turn the texts that wait into terms."""
        if not self._ends or self._pieces is None or self._segmenter is None:
            return
        pieces, ends = np.array(self._waiting, np.int32), np.array(self._ends, np.int64)
        self._waiting, self._ends = array("i"), array("q")
        rows, row_ends = self._pieces.rows.spread(pieces, ends)
        cores, _ = self._pieces.words.spread(pieces, ends)
        glued = self._segmenter.joined_all(rows, row_ends)
        self._keep("words", *self._pairs["words"].chains(cores, glued, row_ends))
        units, unit_ends = self._pieces.units.spread(pieces, ends)
        self._keep("syllables", *_plain(units, unit_ends))
        self._keep("bigrams", *self._pairs["bigrams"].neighbours(units, unit_ends))
        units, unit_ends = self._pieces.plain.spread(pieces, ends)
        alone, pairs = _plain(units, unit_ends), self._pairs["unaccented"]
        self._keep("unaccented", *_both(alone, pairs.neighbours(units, unit_ends)))

    def _keep(self, view: str, codes: Codes, sizes: Array) -> None:
        self._codes[view].append(codes)
        self._sizes[view].append(sizes.astype(np.int32))

    def finish(self) -> dict[str, Postings]:
        """Return the postings of what was added, by view; the inverter is used up."""
        self._work()
        self._pieces = None
        return {view: self._postings(view) for view in VIEWS}

    def _postings(self, view: str) -> Postings:
        names = list(self._names[view])
        terms = list(names)
        if view in self._pairs:
            terms += self._pairs.pop(view).spelled(names, JOINT)
        stream = np.concatenate([*self._codes.pop(view), np.zeros(0, np.int32)])
        stream[stream < 0] = len(names) + ~stream[stream < 0]
        sizes = np.concatenate([*self._sizes.pop(view), np.zeros(0, np.int32)])
        return inverted(stream, sizes.reshape(-1, self._fields), terms)


def _plain(units: Codes, ends: Array) -> tuple[Codes, Array]:
    """Drop :data:`NONE`; return what is left, and how many each text has."""
    said = units != NONE
    before = np.zeros(len(units) + 1, np.int64)
    np.cumsum(said, out=before[1:])
    return units[said], np.diff(before[ends], prepend=0)


def _both(
    one: tuple[Codes, Array], other: tuple[Codes, Array]
) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Put the codes of each text from two lists together."""
    sizes = one[1].astype(np.int64) + other[1]
    out = np.empty(int(sizes.sum()), np.int32)
    _zip(one[0], one[1].astype(np.int64), other[0], other[1].astype(np.int64), out)
    return out, sizes


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _spread(values: Codes, starts: Array, numbers: Codes, out: Codes) -> None:
    end = 0
    for place in range(numbers.shape[0]):
        number = numbers[place]
        for each in range(starts[number], starts[number + 1]):
            out[end] = values[each]
            end += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _zip(one: Codes, ones: Array, other: Codes, others: Array, out: Codes) -> None:
    end, first, second = 0, 0, 0
    for text in range(ones.shape[0]):
        for _ in range(ones[text]):
            out[end] = one[first]
            end, first = end + 1, first + 1
        for _ in range(others[text]):
            out[end] = other[second]
            end, second = end + 1, second + 1
