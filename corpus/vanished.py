"""Letters that vanished when a PDF was read: ``h  trợ``, ``v ng`` → hỗ trợ, vùng or vững.

A font whose table lacks a letter leaves a blank where the letter stood. So every blank of a
damaged stretch (:mod:`corpus.suspects`) is read two ways, as a blank and as a lost letter with a
Vietnamese mark (:mod:`corpus.fragments`), and all readings that consist of syllables are weighed
together (:mod:`corpus.lattice`): by the syllables around them (:mod:`corpus.language`) and by how
often their letters are lost *in this document*, which the document itself tells
(expectation–maximisation), since one font loses the same few letters throughout. The confidence of
a filling is its posterior probability where one font explains the losses, and the square of it
where they are scattered: about as often fillings came true on texts to develop with.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from corpus.choices import Filling, Judge, fillings
from corpus.fragments import MARKED, Loss, Own, Patterns, Reader, patterns
from corpus.language import Counts, Language
from corpus.lattice import Reading
from corpus.suspects import Window, capitals, intact, stretches, windows

_ROUNDS: Final = 5
_CLEAN: Final = 0.5  # fewer lost letters expected in a whole text than this: it lost none
_LOST, _MET = 0.02, 1.0  # what is taken for granted of a letter: lost 0.02 times of 1
_SPARED: Final = 0.003  # of 1: the losses of a letter that then has none left
_GONE: Final = 0.8  # of a letter so often lost the font has none
_DROPPED, _HOLES = 0.0001, 10.0  # and of a hole: 0.0001 of 10 left no blank


class Restorer:
    """Finds and fills the lost letters of one text after another; holds the tables for it."""

    def __init__(self, language: Language) -> None:
        """Take the model; the table of patterns is built at the first damage met."""
        self._language = language

    @cached_property
    def _patterns(self) -> Patterns:
        return patterns(self._language)

    def fill(self, text: str, judge: Judge | None = None) -> list[Filling]:
        """Return the fillings of ``text`` in order, of any confidence; empty for a clean text.

        ``judge`` weighs the words that may stand at one place (:mod:`corpus.choices`).
        """
        found = [each for part in stretches(text) for each in windows(part, self._language)]
        if not found:
            return []
        present = Counter(text.lower())
        own = Own(Counts())
        loss = Loss(dict.fromkeys(MARKED, _LOST / _MET), _DROPPED / _HOLES)
        for turn in range(_ROUNDS + 1):
            reader = Reader(self._language, self._patterns, own, loss)
            readings = _weighed(reader, found)
            if _is_clean(readings):
                return []
            if turn == 0:  # only a damaged text need be counted
                own = Own(intact(text, self._language), capitals(text))
            loss = _losses(readings, present)
        return fillings(
            text,
            found,
            readings,
            2 - loss.font,
            judge,
            lambda words: self._language.met(words, own.counts),
        )


def _weighed(reader: Reader, found: Sequence[Window]) -> list[Reading]:
    """Return the readings of the windows; damage that comes again is weighed once."""
    once = {window[1:]: window for window in found}  # wherever it stands
    known = {damage: reader.read(window) for damage, window in once.items()}
    return [known[window[1:]] for window in found]


def _is_clean(readings: Sequence[Reading]) -> bool:
    """Whether no letter is likely to be lost: so with units, foreign words and abbreviations."""
    if any(edge.lost for reading in readings for edge in reading.path):
        return False
    return (
        sum(mass for reading in readings for edge, mass in reading.posterior.items() if edge.lost)
        < _CLEAN
    )


def _losses(readings: Sequence[Reading], present: Counter[str]) -> Loss:
    """Return how letters are lost by the readings, ``present`` being the letters still there.

    Where nearly all losses are of letters that the text has no more, the font lacks a few letters
    and loses no other: losses of a letter that stands elsewhere are then not believed.
    """
    lost, total, dropped = defaultdict[str, float](float), 0.0, 0.0
    for reading in readings:
        for edge, mass in reading.posterior.items():
            for letter in edge.lost:
                lost[letter] += mass
            total += mass * bool(edge.lost)
            dropped += mass * edge.dropped
    gone = {letter for letter, n in lost.items() if n > _GONE * (n + present[letter])}
    font = sum(lost[letter] for letter in gone) / (sum(lost.values()) + _MET)
    rates = {}
    for letter in MARKED:
        sure = letter in gone
        times = lost[letter] * (1 if sure else 1 - font)
        least = _LOST if sure else _LOST + (_SPARED - _LOST) * font
        rates[letter] = (times + least) / (times + present[letter] + _MET)
    return Loss(rates, (dropped + _DROPPED) / (total + _HOLES), font)
