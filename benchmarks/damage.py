"""Clean Vietnamese damaged as real papers are, with a seed, so that repair can be counted.

``vanish`` takes letters away as a PDF font does that lacks them: a set of letters is drawn once for
a text, and each occurrence of one of them becomes a blank with probability ``rate``. ``FONT`` is a
set seen in ministry papers; ``any_letters`` draws eight of the letters of Unicode's block Latin
Extended Additional; with all marked letters and a low rate the losses are scattered. ``legacy``
writes each word of a stretch in TCVN3, VNI or VISCII, and leaves other stretches in Unicode.
"""

from __future__ import annotations

import random
import re
from typing import Final, NamedTuple

from corpus.legacy import ENCODINGS
from corpus.syllables import LETTERS

MARKED: Final = tuple(sorted(letter for letter in LETTERS if not letter.isascii()))
FONT: Final = "ỗữùỉặừ"
_WORD: Final = re.compile(r"[^\W\d_]+")


class Damaged(NamedTuple):
    """A damaged text, and the syllables that lost letters: place in it → as it was."""

    text: str
    truth: dict[tuple[int, int], str]


def any_letters(seed: int, count: int = 8) -> str:
    """Return ``count`` letters of the block U+1EA0–U+1EF9 that one font lacks."""
    block = [letter for letter in MARKED if "\u1ea0" <= letter <= "\u1ef9"]
    return "".join(random.Random(seed).sample(block, count))


def vanish(text: str, letters: str, rate: float, seed: int) -> Damaged:
    """Replace each of ``letters`` by a blank with probability ``rate`` (0–1)."""
    draw = random.Random(seed).random
    lost = [letter.lower() in letters and draw() < rate for letter in text]
    damaged = "".join(" " if gone else letter for letter, gone in zip(text, lost, strict=True))
    truth = {
        match.span(): match[0]
        for match in _WORD.finditer(text)
        if any(lost[match.start() : match.end()])
    }
    return Damaged(damaged, truth)


def legacy(text: str, encoding: str, seed: int, share: float = 0.6) -> str:
    """Write stretches of 8 to 40 words in ``encoding``; ``share`` of them, the rest in Unicode."""
    drawn, table = random.Random(seed), encoder(encoding)
    parts = re.split(r"(\s+)", text)
    at = 0
    while at < len(parts):
        end = min(len(parts), at + 2 * drawn.randint(8, 40))
        if drawn.random() < share:
            parts[at:end] = [_written(part, table) for part in parts[at:end]]
        at = end
    return "".join(parts)


def _written(word: str, table: dict[str, str]) -> str:
    """Write a word in the encoding, if that has all its letters."""
    if any(not letter.isascii() and letter not in table for letter in word):
        return word
    return "".join(table.get(letter, letter) for letter in word)


def encoder(encoding: str) -> dict[str, str]:
    """Return letter → how ``encoding`` shows it; letters that it lacks are not in it."""
    read = ENCODINGS[encoding]
    latin = [chr(code) for code in range(0xA0, 0x100)] + [
        bytes([code]).decode("cp1252") for code in range(0x80, 0xA0) if code not in _NO_LETTER
    ]
    pairs = [base + mark for base in "aeouyôöAEOUYÔÖ" for mark in latin]
    shown: dict[str, str] = {}
    for written in (*pairs, *latin):
        letter = read(written)
        if len(letter) == 1 and letter.lower() in MARKED:
            shown.setdefault(letter, written)  # VNI has à as two letters, not as Unicode's one
    return shown


_NO_LETTER: Final = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
