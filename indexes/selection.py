"""Who is best: bits of records, where their scores start, and the highest of many, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
BLOCK = 64  # records per block of which the best is kept
OUT = np.float32(-1e30)  # the start of a record that is not to be found
LEAST = -1e29  # below any score of a record that may be found


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def ones(word: np.uint64) -> Any:
    """How many bits of ``word`` are set."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    pairs = np.uint64(0x3333333333333333)
    word = (word & pairs) + ((word >> np.uint64(2)) & pairs)
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def mark(docs: Array, start: Array, stop: Array, bits: Array) -> None:
    """Set the bit of every record in the stretches; ``bits`` is (n / 64 rounded up, uint64)."""
    for term in range(start.shape[0]):
        for posting in range(start[term], stop[term]):
            doc = docs[posting]
            bits[doc >> 6] |= np.uint64(1) << np.uint64(doc & 63)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def unite(marks: Array, chosen: Array, bits: Array) -> None:
    """Set every bit that one of the ``chosen`` rows of ``marks`` (rows, n / 64, uint64) has."""
    for number in range(chosen.shape[0]):
        row = marks[chosen[number]]
        for place in range(bits.shape[0]):
            bits[place] |= row[place]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def counted(bits: Array) -> int:
    """How many bits are set."""
    count = 0
    for place in range(bits.shape[0]):
        count += ones(bits[place])
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def begin(bits: Array, out: Array) -> None:
    """Write where each record starts: 0 where its bit is set, else :data:`OUT`."""
    table = np.empty((256, 8), np.float32)  # eight records at once, no branch to guess
    for value in range(256):
        for place in range(8):
            table[value, place] = np.float32(0.0) if (value >> place) & 1 else OUT
    octets = bits.view(np.uint8)
    full = out.shape[0] // 8
    for number in range(full):
        value = octets[number]
        for place in range(8):
            out[number * 8 + place] = table[value, place]
    for doc in range(full * 8, out.shape[0]):
        out[doc] = table[octets[full], doc - full * 8]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def give(rows: Array, starts: Array, gains: Array, out: Array) -> None:
    """Add to each record what its kind gains: ``starts`` gives each kind's stretch of ``rows``."""
    for kind in range(gains.shape[0]):
        gain = np.float32(gains[kind])
        if gain > 0:
            for place in range(starts[kind], starts[kind + 1]):
                out[rows[place]] += gain


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz", "reassoc"})  # type: ignore[untyped-decorator, unused-ignore]
def _maxima(scores: Array, out: Array) -> None:
    """The largest of each block of scores: exact whatever the order of comparing."""
    full = scores.shape[0] // BLOCK
    for block in range(full):
        most = scores[block * BLOCK]
        for place in range(1, BLOCK):
            most = max(most, scores[block * BLOCK + place])
        out[block] = most
    if full < out.shape[0]:
        most = scores[full * BLOCK]
        for place in range(full * BLOCK + 1, scores.shape[0]):
            most = max(most, scores[place])
        out[full] = most


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _kth(values: Array, count: int, k: int) -> float:
    """The k-th largest of the first ``count`` values, :data:`OUT` where there are fewer."""
    if count < k:
        return float(OUT)
    heap = np.full(k, OUT, np.float32)  # the smallest on top
    for number in range(count):
        value = values[number]
        if value <= heap[0]:
            continue
        place = 0
        while True:
            child = 2 * place + 1
            if child >= k:
                break
            if child + 1 < k and heap[child + 1] < heap[child]:
                child += 1
            if heap[child] >= value:
                break
            heap[place] = heap[child]
            place = child
        heap[place] = value
    return float(heap[0])


def kth(values: Array, k: int) -> float:
    """Return the k-th largest of float32 ``values``, :data:`OUT` where there are fewer."""
    found: float = _kth(values, len(values), k)
    return found


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _above(scores: Array, maxima: Array, level: float, rows: Array) -> int:
    """Write the rows that reach ``level`` into ``rows``; stop where it is full; return how many."""
    count = 0
    level = max(level, LEAST)
    for block in range(maxima.shape[0]):
        if maxima[block] >= level:
            for row in range(block * BLOCK, min((block + 1) * BLOCK, scores.shape[0])):
                if scores[row] >= level:
                    if count == rows.shape[0]:
                        return count
                    rows[count] = row
                    count += 1
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def best(scores: Array, k: int, slack: float) -> Array:
    """Return rows, rising, among which are the ``k`` best and all that are as good as the k-th.

    Args:
        scores: (n,) float32, :data:`OUT` for records that are not to be found.
        k: how many.
        slack: how far two scores may be out together; who is as near to the k-th is among them.
    """
    maxima = np.empty((scores.shape[0] + BLOCK - 1) // BLOCK, np.float32)
    _maxima(scores, maxima)
    rows = np.empty(scores.shape[0], np.int64)
    rows = rows[: _above(scores, maxima, _kth(maxima, maxima.shape[0], k) - slack, rows)]
    # The best of k blocks are k records, but not the k best: few are looked at again.
    values = scores[rows]
    return rows[values >= _kth(values, values.shape[0], k) - slack]
