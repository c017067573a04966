"""The loops of lexical scoring, compiled.

A query is a list of terms, each with a stretch of postings (``start``, ``stop``), a gain, and
whether it counts nothing in *muted* records. A score is the sum over terms of ``gain * impact`` in
float64 in the order of the list; :func:`add` (all records) and :func:`add_rows` (some records) add
the same numbers in the same order, so a record gets the same score to the last bit whichever way it
is scored. :func:`total` is for finding out who is worth scoring: it adds in float32.

A *frequent* term's postings are kept by record too (:func:`weigh`): its impacts as *levels*, in
steps of a 255th of its largest, one byte for each record; a bit for each record that says it; and
how many postings come before each 64 records. Levels are added sixteen records at once where
postings jump about, and an impact is found without searching for it. (Of the hundred terms of a
stated need a half are frequent, and hold 93 % of the postings. Skipping them as MaxScore does saved
0.3 % of such a query's time.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from indexes.level_sums import LANES, add_four
from indexes.selection import ones

Array = npt.NDArray[Any]
LEVELS = 255
_STRIDE = 32  # postings that are passed one by one in the time of a search
_BLOCK = 16_384  # records whose scores stay in a near cache while rows of levels are added


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _place(frequent: Array, term: int) -> Any:
    """Where ``term`` stands in ``frequent`` (rising), -1 if it does not."""
    place = np.searchsorted(frequent, term)
    found = place < frequent.shape[0] and frequent[place] == term
    return np.int64(place if found else -1)


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
    frequent: Array,
    levels: Array,
    marks: Array,
    ranks: Array,
) -> None:
    """Fill in the impact ``w / (k1 + w)`` of every posting of ``terms`` that are not ready yet.

    ``levels`` (F, n), ``marks`` (F, n / 64, bits) and ``ranks`` (F, n / 64), all 0 at first, get a
    row for each of the ``frequent`` terms (F, rising). Two threads that weigh the same term write
    the same numbers to the same places.
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
        row = _place(frequent, term)
        if row >= 0:
            first, last = starts[term], starts[term + 1]
            _lay(docs, impacts, first, last, most, levels[row], marks[row], ranks[row])
        largest[term] = most
        held[term] = count
        ready[term] = True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _lay(
    docs: Array,
    impacts: Array,
    start: int,
    stop: int,
    most: float,
    levels: Array,
    marks: Array,
    ranks: Array,
) -> None:
    """Lay a term's postings out by record; each place is written once, with what stays there."""
    block, word = 0, np.uint64(0)
    for posting in range(start, stop):
        doc = docs[posting]
        if most > 0.0:
            levels[doc] = np.uint8(np.rint(impacts[posting] / most * LEVELS))
        while block < doc >> 6:
            marks[block] = word
            block, word = block + 1, np.uint64(0)
            ranks[block] = posting - start
        word |= np.uint64(1) << np.uint64(doc & 63)
    marks[block] = word


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
def _add_searched(
    docs: Array,
    impacts: Array,
    start: int,
    stop: int,
    gain: float,
    mute: bool,
    muted: Array,
    rows: Array,
    out: Array,
) -> None:
    """Add one term to ``rows`` (rising), whose postings are searched for them.

    Where there are few postings for each row it is faster to go through them one by one.
    """
    place, few = start, stop - start <= _STRIDE * rows.shape[0]
    for number in range(rows.shape[0]):
        row = rows[number]
        if few:
            while place < stop and docs[place] < row:
                place += 1
        else:
            place = _near(docs, place, stop, row)
        if place >= stop:
            break
        if docs[place] == row and not (mute and _set(muted, row)):
            out[number] += gain * impacts[place]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _add_ranked(
    marks: Array, ranks: Array, impacts: Array, start: int, gain: float, rows: Array, out: Array
) -> None:
    """Add one frequent term to ``rows``."""
    for number in range(rows.shape[0]):
        row = rows[number]
        word, bit = marks[row >> 6], np.uint64(row & 63)
        if (word >> bit) & np.uint64(1):
            before = word & ((np.uint64(1) << bit) - np.uint64(1))
            out[number] += gain * impacts[start + ranks[row >> 6] + ones(before)]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def add_rows(
    docs: Any,
    impacts: Any,
    marks: Any,
    ranks: Any,
    view: Array,
    start: Array,
    stop: Array,
    row: Array,
    gain: Array,
    mute: Array,
    muted: Array,
    rows: Array,
    out: Array,
) -> None:
    """Add the scores of ``rows`` (rising) in each view to ``out``, (views, rows)."""
    for term in range(view.shape[0]):
        mine, first, last, at = view[term], start[term], stop[term], row[term]
        sums = out[mine]
        if at >= 0:
            bits, before = marks[mine][at], ranks[mine][at]
            _add_ranked(bits, before, impacts[mine], first, gain[term], rows, sums)
        else:
            worth, silent = impacts[mine], mute[term]
            _add_searched(docs[mine], worth, first, last, gain[term], silent, muted, rows, sums)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def collect(
    view: int,
    terms: Array,
    gains: Array,
    mutes: Array,
    factor: float,
    starts: Array,
    largest: Array,
    frequent: Array,
    columns: Array,
    worth: Array,
    mute: Array,
    first: int,
) -> int:
    """Append the known ``terms`` of one view to a query's terms; return how many there are.

    ``columns`` has view, start and stop of each term, and its row of levels, -1 where its postings
    are to be read; ``worth`` its gain in the view, its gain with the view's ``factor``, and the
    most that it adds to any score.
    """
    for number in range(terms.shape[0]):
        term = terms[number]
        if term >= 0:
            columns[0, first] = view
            columns[1, first] = starts[term]
            columns[2, first] = starts[term + 1]
            columns[3, first] = -1 if mutes[number] else _place(frequent, term)
            worth[0, first] = gains[number]
            worth[1, first] = gains[number] * factor
            worth[2, first] = gains[number] * factor * largest[term]
            mute[first] = mutes[number]
            first += 1
    return first


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _accumulate(
    docs: Array,
    impacts: Array,
    start: int,
    stop: int,
    factor: np.float32,
    mute: bool,
    muted: Array,
    scores: Array,
) -> None:
    """Add one term's postings."""
    if mute:
        for posting in range(start, stop):
            if not _set(muted, docs[posting]):
                scores[docs[posting]] += factor * impacts[posting]
    else:
        for posting in range(start, stop):
            scores[docs[posting]] += factor * impacts[posting]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _raise(scores: Array, one: Array, a: np.float32) -> None:
    for place in range(scores.shape[0]):
        scores[place] += a * np.float32(one[place])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _raise_by_four(
    scores: Array,
    one: Array,
    two: Array,
    three: Array,
    four: Array,
    factors: Array,
) -> None:
    full = scores.shape[0] // LANES * LANES
    rows = one.ctypes.data, two.ctypes.data, three.ctypes.data, four.ctypes.data
    add_four(scores.ctypes.data, rows[0], rows[1], rows[2], rows[3], factors.ctypes.data, full)
    a, b, c, d = factors[0], factors[1], factors[2], factors[3]
    for place in range(full, scores.shape[0]):
        more = a * np.float32(one[place]) + b * np.float32(two[place])
        scores[place] += more + (c * np.float32(three[place]) + d * np.float32(four[place]))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def total(
    docs: Any,
    impacts: Any,
    levels: Any,
    view: Array,
    start: Array,
    stop: Array,
    row: Array,
    gain: Array,
    bound: Array,
    mute: Array,
    muted: Array,
    scores: Array,
) -> None:
    """Add all terms to ``scores`` (n, float32).

    Args:
        docs, impacts, levels: one array per view.
        view: (T,) which of them a term belongs to.
        start, stop, row, gain, bound, mute: (T,) see :func:`collect`.
        muted: which records are muted, one bit each.
        scores: where each record starts; added to.
    """
    for term in range(view.shape[0]):
        if row[term] < 0:
            mine, worth, factor = docs[view[term]], impacts[view[term]], np.float32(gain[term])
            first, last = start[term], stop[term]
            _accumulate(mine, worth, first, last, factor, mute[term], muted, scores)
    terms = np.flatnonzero(row >= 0)
    factors = (bound / LEVELS).astype(np.float32)[terms]
    by_four = terms.shape[0] // 4 * 4
    for low in range(0, scores.shape[0], _BLOCK):
        high = min(low + _BLOCK, scores.shape[0])
        piece = scores[low:high]
        for at in range(0, by_four, 4):
            a, b, c, d = terms[at], terms[at + 1], terms[at + 2], terms[at + 3]
            _raise_by_four(
                piece,
                levels[view[a]][row[a], low:high],
                levels[view[b]][row[b], low:high],
                levels[view[c]][row[c], low:high],
                levels[view[d]][row[d], low:high],
                factors[at : at + 4],
            )
        for at in range(by_four, terms.shape[0]):
            one = terms[at]
            _raise(piece, levels[view[one]][row[one], low:high], factors[at])
