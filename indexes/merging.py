"""Several segments' postings as one: what building the live records anew would give, byte for byte.

Each segment's records are renumbered (the dead drop out), then two at a time are put together: the
sorted vocabularies like the two halves of a merge sort, and each term's postings likewise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from indexes.postings import Postings
from indexes.vocabulary import Array, Vocabulary

Rows = npt.NDArray[np.int64]


def merged(segments: Sequence[Postings], rows: Sequence[Rows]) -> Postings:
    """Return the postings of the live records of ``segments``.

    Args:
        segments: one or more, of the same fields.
        rows: for each segment, the new row of each of its records, -1 for the dead; rising among
            the live, and together 0..n-1.
    """
    live = [each >= 0 for each in rows]
    count = sum(int(each.sum()) for each in live)
    lengths = np.zeros((count, segments[0].lengths.shape[1]), np.int32)
    for segment, mine, there in zip(segments, rows, live, strict=True):
        lengths[mine[there]] = segment.lengths[there]
    whole = _renumbered(segments[0], rows[0], lengths)
    for segment, mine in zip(segments[1:], rows[1:], strict=True):
        whole = _joined(whole, _renumbered(segment, mine, lengths))
    most = int(whole.frequencies.max(initial=0))
    smallest = np.min_scalar_type(most) if most else np.dtype(np.uint8)
    frequencies = whole.frequencies.astype(smallest)
    return Postings(whole.vocabulary, whole.starts, whole.docs, frequencies, lengths)


def _renumbered(segment: Postings, rows: Rows, lengths: Array) -> Postings:
    """Give the records of ``segment`` their new rows; terms of the dead alone drop out."""
    mine = rows[segment.docs]
    kept = mine >= 0
    before = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(kept, out=before[1:])
    starts = before[segment.starts]
    said = starts[1:] > starts[:-1]
    text, offsets = _chosen(segment.vocabulary, said)
    return Postings(
        Vocabulary.from_arrays(text, offsets),
        np.concatenate([starts[:-1][said], starts[-1:]]),
        mine[kept].astype(np.int32),
        segment.frequencies[kept],
        lengths,
    )


def _chosen(vocabulary: Vocabulary, said: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return text and offsets of the terms that ``said`` marks."""
    sizes = np.diff(vocabulary.offsets)
    text = vocabulary.text[np.repeat(said, sizes)]
    return text, np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes[said])])


def _joined(one: Postings, other: Postings) -> Postings:
    """Put two segments together whose rows are those of the whole already."""
    terms = len(one.vocabulary) + len(other.vocabulary)
    left, right = np.full(terms, -1, np.int64), np.full(terms, -1, np.int64)
    a, b = one.vocabulary, other.vocabulary
    count, size = _pair(a.text, a.offsets, b.text, b.offsets, left, right)
    left, right = left[:count], right[:count]
    text, offsets = np.empty(size, np.uint8), np.zeros(count + 1, np.int64)
    _spell(a.text, a.offsets, b.text, b.offsets, left, right, text, offsets)
    kind = np.promote_types(one.frequencies.dtype, other.frequencies.dtype)
    postings = len(one.docs) + len(other.docs)
    starts, docs = np.zeros(count + 1, np.int64), np.empty(postings, np.int32)
    frequencies = np.empty((postings, one.frequencies.shape[1]), kind)
    _interleave(
        (one.starts, other.starts),
        (one.docs, other.docs),
        (one.frequencies.astype(kind), other.frequencies.astype(kind)),
        (left, right),
        starts,
        docs,
        frequencies,
    )
    return Postings(Vocabulary.from_arrays(text, offsets), starts, docs, frequencies, one.lengths)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _compare(a: Array, start: int, stop: int, b: Array, first: int, last: int) -> int:
    """-1, 0 or 1: how two stretches of bytes stand to each other."""
    size = min(stop - start, last - first)
    for place in range(size):
        if a[start + place] != b[first + place]:
            return -1 if a[start + place] < b[first + place] else 1
    if stop - start == last - first:
        return 0
    return -1 if stop - start < last - first else 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _pair(
    a: Array, a_offsets: Array, b: Array, b_offsets: Array, left: Array, right: Array
) -> tuple[int, int]:
    """Number the union of two vocabularies; return how many terms and bytes it has."""
    i, j, count, size = 0, 0, 0, 0
    while i < a_offsets.shape[0] - 1 or j < b_offsets.shape[0] - 1:
        if i == a_offsets.shape[0] - 1:
            order = 1
        elif j == b_offsets.shape[0] - 1:
            order = -1
        else:
            order = _compare(a, a_offsets[i], a_offsets[i + 1], b, b_offsets[j], b_offsets[j + 1])
        if order <= 0:
            left[count] = i
            size += a_offsets[i + 1] - a_offsets[i]
            i += 1
        else:
            size += b_offsets[j + 1] - b_offsets[j]
        if order >= 0:
            right[count] = j
            j += 1
        count += 1
    return count, size


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _spell(
    a: Array,
    a_offsets: Array,
    b: Array,
    b_offsets: Array,
    left: Array,
    right: Array,
    text: Array,
    offsets: Array,
) -> None:
    """Write the union's terms one after another."""
    end = 0
    for number in range(left.shape[0]):
        if left[number] >= 0:
            for place in range(a_offsets[left[number]], a_offsets[left[number] + 1]):
                text[end] = a[place]
                end += 1
        else:
            for place in range(b_offsets[right[number]], b_offsets[right[number] + 1]):
                text[end] = b[place]
                end += 1
        offsets[number + 1] = end


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _interleave(
    begin: tuple[Array, Array],
    rows: tuple[Array, Array],
    counts: tuple[Array, Array],
    numbers: tuple[Array, Array],
    starts: Array,
    docs: Array,
    frequencies: Array,
) -> None:
    """Merge the postings of each term by row."""
    end = 0
    for number in range(numbers[0].shape[0]):
        one, other = numbers[0][number], numbers[1][number]
        i = begin[0][one] if one >= 0 else 0
        i_end = begin[0][one + 1] if one >= 0 else 0
        j = begin[1][other] if other >= 0 else 0
        j_end = begin[1][other + 1] if other >= 0 else 0
        while i < i_end or j < j_end:
            if j == j_end or (i < i_end and rows[0][i] < rows[1][j]):
                docs[end] = rows[0][i]
                frequencies[end] = counts[0][i]
                i += 1
            else:
                docs[end] = rows[1][j]
                frequencies[end] = counts[1][j]
                j += 1
            end += 1
        starts[number + 1] = end
