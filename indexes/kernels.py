"""The loops of lexical scoring, compiled.

A query is a list of terms, each with a stretch of postings (``start``, ``stop``), a gain, and
whether it counts nothing in *muted* records. A score is the sum over terms of ``gain * impact`` in
float64 in the order of the list; :func:`add` (all records) and :func:`add_rows` (some records) add
the same numbers in the same order, so a record gets the same score to the last bit whichever way it
is scored. :func:`best` finds who is worth scoring: it adds in float32, best terms first, and stops
as soon as what is left cannot lift anybody else among the best (MaxScore; Turtle, Flood: Query
evaluation: strategies and optimizations, 1995).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
BLOCK = 64  # records per block of which the best is kept
OUT = np.float32(-1e30)  # the start of a record that is not to be found
LEAST = -1e29  # below any score of a record that may be found
_JUMP = 60  # what looking one record up in a stretch costs, in postings read one after another


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def weigh(
    terms: Array,
    starts: Array,
    docs: Array,
    frequencies: Array,
    norms: Array,
    dead: Array,
    k1: float,
    impacts: Array,
    largest: Array,
    held: Array,
    ready: Array,
) -> None:
    """Fill in the impact ``w / (k1 + w)`` of every posting of ``terms`` that are not ready yet.

    Two threads that weigh the same term write the same numbers.
    """
    for number in range(terms.shape[0]):
        term = terms[number]
        if term < 0 or ready[term]:
            continue
        most, count = 0.0, 0
        for posting in range(starts[term], starts[term + 1]):
            doc = docs[posting]
            weight = 0.0
            if dead.shape[0] == 0 or not dead[doc]:
                count += 1
                for column in range(frequencies.shape[1]):
                    weight += frequencies[posting, column] * norms[doc, column]
            impacts[posting] = weight / (k1 + weight) if weight > 0 else 0.0
            most = max(most, impacts[posting])
        largest[term] = most
        held[term] = count
        ready[term] = True


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _set(bits: Array, doc: int) -> bool:
    """Whether the bit of ``doc`` is set."""
    found: bool = ((bits[doc >> 6] >> np.uint64(doc & 63)) & np.uint64(1)) != 0
    return found


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def add(
    docs: Array,
    impacts: Array,
    start: Array,
    stop: Array,
    gain: Array,
    mute: Array,
    muted: Array,
    out: Array,
) -> None:
    """Add the score of every record to ``out`` (n, float64)."""
    for term in range(start.shape[0]):
        for posting in range(start[term], stop[term]):
            doc = docs[posting]
            if not (mute[term] and _set(muted, doc)):
                out[doc] += gain[term] * impacts[posting]


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _seek(docs: Array, place: int, stop: int, doc: int) -> int:
    """The first posting from ``place`` on whose record is ``doc`` or later, by galloping."""
    step = 1
    while place + step < stop and docs[place + step] < doc:
        place += step
        step *= 2
    low, high = place, min(place + step, stop)
    while low < high:
        middle = (low + high) >> 1
        if docs[middle] < doc:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _near(docs: Array, place: int, stop: int, doc: int) -> int:
    """:func:`_seek` from where records that lie evenly would have it: few steps from there."""
    if place >= stop or docs[place] >= doc:
        return place
    last = docs[stop - 1]
    if last < doc:
        return stop
    guess = place + int((doc - docs[place]) * ((stop - 1 - place) / (last - docs[place])))
    if docs[guess] < doc:
        return _seek(docs, guess, stop, doc)
    step = 1
    while guess - step > place and docs[guess - step] >= doc:
        guess -= step
        step *= 2
    return _seek(docs, max(guess - step, place), stop, doc)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def add_rows(
    docs: Array,
    impacts: Array,
    start: Array,
    stop: Array,
    gain: Array,
    mute: Array,
    muted: Array,
    rows: Array,
    out: Array,
) -> None:
    """Add the scores of ``rows`` (rising) to ``out``, which has their shape."""
    for term in range(start.shape[0]):
        place = start[term]
        for number in range(rows.shape[0]):
            row = rows[number]
            place = _near(docs, place, stop[term], row)
            if place >= stop[term]:
                break
            if docs[place] == row and not (mute[term] and _set(muted, row)):
                out[number] += gain[term] * impacts[place]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def collect(
    view: int,
    terms: Array,
    gains: Array,
    mutes: Array,
    factor: float,
    starts: Array,
    largest: Array,
    columns: Array,
    worth: Array,
    mute: Array,
    first: int,
) -> int:
    """Append the known ``terms`` of one view to a query's terms; return how many there are.

    ``columns`` has view, start and stop of each term, ``worth`` its gain in the view, its gain with
    the view's ``factor``, and the most that it adds to any score.
    """
    for number in range(terms.shape[0]):
        term = terms[number]
        if term >= 0:
            columns[0, first] = view
            columns[1, first] = starts[term]
            columns[2, first] = starts[term + 1]
            worth[0, first] = gains[number]
            worth[1, first] = gains[number] * factor
            worth[2, first] = gains[number] * factor * largest[term]
            mute[first] = mutes[number]
            first += 1
    return first


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def mark(docs: Array, start: Array, stop: Array, bits: Array) -> None:
    """Set the bit of every record in the stretches; ``bits`` is (n / 64 rounded up, uint64)."""
    for term in range(start.shape[0]):
        for posting in range(start[term], stop[term]):
            doc = docs[posting]
            bits[doc >> 6] |= np.uint64(1) << np.uint64(doc & 63)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def counted(bits: Array) -> int:
    """How many bits are set."""
    count = np.uint64(0)
    for place in range(bits.shape[0]):
        each = bits[place]
        each -= (each >> np.uint64(1)) & np.uint64(0x5555555555555555)
        each = (each & np.uint64(0x3333333333333333)) + (
            (each >> np.uint64(2)) & np.uint64(0x3333333333333333)
        )
        each = (each + (each >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        count += (each * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return int(count)


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
def _accumulate(
    docs: Any,
    impacts: Any,
    view: int,
    start: int,
    stop: int,
    gain: float,
    mute: bool,
    muted: Array,
    scores: Array,
) -> None:
    mine, worth, factor = docs[view], impacts[view], np.float32(gain)
    if mute:
        for posting in range(start, stop):
            if not _set(muted, mine[posting]):
                scores[mine[posting]] += factor * worth[posting]
    else:
        for posting in range(start, stop):
            scores[mine[posting]] += factor * worth[posting]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def total(
    docs: Any,
    impacts: Any,
    view: Array,
    start: Array,
    stop: Array,
    gain: Array,
    mute: Array,
    muted: Array,
    scores: Array,
) -> None:
    """Add all terms to ``scores`` (n, float32)."""
    for term in range(view.shape[0]):
        _accumulate(
            docs,
            impacts,
            view[term],
            start[term],
            stop[term],
            gain[term],
            mute[term],
            muted,
            scores,
        )


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def best(
    docs: Any,
    impacts: Any,
    view: Array,
    start: Array,
    stop: Array,
    gain: Array,
    bound: Array,
    mute: Array,
    muted: Array,
    scores: Array,
    k: int,
    slack: float,
) -> Array:
    """Return rows, rising, among which are the ``k`` best and all that are as good as the k-th.

    Args:
        docs, impacts: one array per view.
        view: (T,) which of them a term belongs to.
        start, stop, gain, mute: (T,) see the module.
        bound: (T,) the most that a term adds to any score.
        muted: which records are muted, one bit each.
        scores: (n,) float32, where each record starts; used up.
        k: how many.
        slack: how far scores here may be from the exact ones, both sides and ties together.
    """
    terms = view.shape[0]
    order = np.argsort(-bound)
    rest = np.zeros(terms + 1)  # what the terms from here on can add
    work = np.zeros(terms + 1, np.int64)  # and how many postings they have
    for number in range(terms - 1, -1, -1):
        term = order[number]
        rest[number] = rest[number + 1] + bound[term]
        work[number] = work[number + 1] + stop[term] - start[term]
    size = scores.shape[0]
    maxima = np.empty((size + BLOCK - 1) // BLOCK, np.float32)
    rows = np.empty(size, np.int32)
    number, count = 0, -1
    while number < terms:
        until = number + 1  # look when a fifth is left, and each time a third of that is done
        while until < terms and (
            5 * rest[until] > rest[0] or (number > 0 and rest[until] > 0.67 * rest[number])
        ):
            until += 1
        if work[until] < size:  # else looking is dearer than going on
            until = terms
        chosen = order[number:until]
        total(
            docs,
            impacts,
            view[chosen],
            start[chosen],
            stop[chosen],
            gain[chosen],
            mute[chosen],
            muted,
            scores,
        )
        number = until
        if number < terms:
            _maxima(scores, maxima)
            level = _kth(maxima, maxima.shape[0], k) - rest[number] - slack
            most = work[number] // (_JUMP * (terms - number)) + 1
            found = _above(scores, maxima, level, rows[:most])
            if found < most:
                count = found
                break
    if count < 0:
        _maxima(scores, maxima)
        least = _kth(maxima, maxima.shape[0], k) - slack
        count = _above(scores, maxima, least, rows)
        return rows[:count]
    return _narrowed(
        docs,
        impacts,
        view,
        start,
        stop,
        gain,
        mute,
        muted,
        scores,
        k,
        slack,
        order,
        rest,
        number,
        rows[:count].copy(),
    )


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _narrowed(
    docs: Any,
    impacts: Any,
    view: Array,
    start: Array,
    stop: Array,
    gain: Array,
    mute: Array,
    muted: Array,
    scores: Array,
    k: int,
    slack: float,
    order: Array,
    rest: Array,
    number: int,
    rows: Array,
) -> Array:
    """Go on with the terms from ``number`` for ``rows`` only, dropping who falls behind."""
    count = rows.shape[0]
    values = np.empty(count, np.float32)
    while True:
        for each in range(count):
            values[each] = scores[rows[each]]
        left = rest[number]
        level = _kth(values, count, k) - left - slack
        kept = 0
        for each in range(count):
            if values[each] >= level:
                rows[kept] = rows[each]
                kept += 1
        count = kept
        if number == order.shape[0] or count <= k + k // 4:
            return rows[:count]
        while number < order.shape[0]:
            term = order[number]
            mine, worth, factor = docs[view[term]], impacts[view[term]], np.float32(gain[term])
            place = start[term]
            for each in range(count):
                row = rows[each]
                place = _seek(mine, place, stop[term], row)
                if place >= stop[term]:
                    break
                if mine[place] == row and not (mute[term] and _set(muted, row)):
                    scores[row] += factor * worth[place]
            number += 1
            if rest[number] < 0.8 * left:
                break
