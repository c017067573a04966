"""Pairs of numbers, numbered: what a bigram is to its syllables, and a word to its pieces.

A code of 0 and above is a plain term by its number; a code below 0, ``~p``, is pair ``p``: a code
on the left, a plain term on the right. So a word of three pieces is a pair whose left is a pair,
and a text's terms are known by number, no string being made (:mod:`indexes.inverting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from indexes.vocabulary import Array

Codes = npt.NDArray[np.int32]
NONE = -(2**31)  # the code of nothing: where a clause ends, what is left of punctuation


class Pairs:
    """Pairs in the order in which they were first met: ``left`` and ``right`` by number."""

    def __init__(self) -> None:
        self.count = 0
        self.left, self.right = np.empty(1 << 10, np.int32), np.empty(1 << 10, np.int32)
        self.slots = np.full(1 << 11, -1, np.int32)

    def room(self, more: int) -> None:
        """Make room for so many new pairs; the slots stay at most half full."""
        wanted = self.count + more
        if wanted <= len(self.left):
            return
        size = 1 << int(wanted).bit_length()
        self.left, self.right = _wider(self.left, size), _wider(self.right, size)
        self.slots = np.full(2 * size, -1, np.int32)
        _refill(self.left, self.right, self.count, self.slots)

    def neighbours(self, units: Codes, ends: Array) -> tuple[Codes, Codes]:
        """Pair neighbouring plain ``units`` of each text, which stops at one of ``ends``.

        Nothing pairs with :data:`NONE`. Returns the codes of all texts, and how many each has.
        """
        self.room(len(units))
        codes, sizes = np.empty(len(units), np.int32), np.empty(len(ends), np.int32)
        table = (self.left, self.right, self.slots)
        made, self.count = _neighbours(units, ends, *table, self.count, codes, sizes)
        return codes[:made], sizes

    def chains(self, units: Codes, glued: Array, ends: Array) -> tuple[Codes, Codes]:
        """Join each of ``units`` that is ``glued`` to the one before it, as far as that goes.

        :data:`NONE` adds nothing to what it is glued to. Returns as :meth:`neighbours` does.
        """
        self.room(len(units))
        codes, sizes = np.empty(len(units), np.int32), np.empty(len(ends), np.int32)
        table = (self.left, self.right, self.slots)
        made, self.count = _chains(units, glued, ends, *table, self.count, codes, sizes)
        return codes[:made], sizes

    def spelled(self, names: Sequence[str], joint: str) -> list[str]:
        """Return the pairs of ``names`` as text, by number."""
        found: list[str] = []
        lefts, rights = self.left[: self.count].tolist(), self.right[: self.count].tolist()
        for left, right in zip(lefts, rights, strict=True):
            found.append(f"{names[left] if left >= 0 else found[~left]}{joint}{names[right]}")
        return found


def _wider(array: Codes, size: int) -> Codes:
    wide = np.empty(size, np.int32)
    wide[: len(array)] = array
    return wide


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _slot(left: int, right: int, mask: int) -> Any:
    """Where to look for a pair first: the product spreads what low numbers crowd."""
    value = (np.uint64(np.uint32(left)) << np.uint64(32)) | np.uint64(np.uint32(right))
    value *= np.uint64(0x9E3779B97F4A7C15)
    return np.int64((value ^ (value >> np.uint64(32))) & np.uint64(mask))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _refill(lefts: Codes, rights: Codes, count: int, slots: Codes) -> None:
    mask = slots.shape[0] - 1
    for number in range(count):
        slot = _slot(lefts[number], rights[number], mask)
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = number


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _number(left: int, right: int, lefts: Codes, rights: Codes, slots: Codes, count: int) -> Any:
    """The number of a pair, ``count`` where it is new; it is written down then."""
    mask = slots.shape[0] - 1
    slot = _slot(left, right, mask)
    while slots[slot] >= 0:
        number = slots[slot]
        if lefts[number] == left and rights[number] == right:
            return np.int64(number)
        slot = (slot + 1) & mask
    slots[slot] = count
    lefts[count] = left
    rights[count] = right
    return np.int64(count)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _neighbours(
    units: Codes,
    ends: Array,
    lefts: Codes,
    rights: Codes,
    slots: Codes,
    count: int,
    codes: Codes,
    sizes: Codes,
) -> tuple[int, int]:
    made, place = 0, 0
    for text in range(ends.shape[0]):
        before, first = NONE, made
        while place < ends[text]:
            unit = units[place]
            if min(before, unit) > NONE:
                number = _number(before, unit, lefts, rights, slots, count)
                count = max(count, number + 1)
                codes[made] = ~number
                made += 1
            before = unit
            place += 1
        sizes[text] = made - first
    return made, count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _chains(
    units: Codes,
    glued: Array,
    ends: Array,
    lefts: Codes,
    rights: Codes,
    slots: Codes,
    count: int,
    codes: Codes,
    sizes: Codes,
) -> tuple[int, int]:
    made, place = 0, 0
    for text in range(ends.shape[0]):
        word, first = NONE, made
        while place < ends[text]:
            unit = units[place]
            if not glued[place]:
                if word != NONE:
                    codes[made] = word
                    made += 1
                word = unit
            elif unit != NONE:
                if word == NONE:
                    word = unit
                else:
                    number = _number(word, unit, lefts, rights, slots, count)
                    count = max(count, number + 1)
                    word = ~number
            place += 1
        if word != NONE:
            codes[made] = word
            made += 1
        sizes[text] = made - first
    return made, count
