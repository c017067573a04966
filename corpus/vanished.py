"""Letters that vanished when a PDF was read: ``h  trợ``, ``v ng`` → hỗ trợ, vùng or vững.

A font whose table lacks a letter leaves a blank where the letter stood. So every blank of a
damaged stretch is read two ways, as a blank and as a lost letter with a Vietnamese mark, and all
readings that consist of syllables are weighed together (:mod:`corpus.lattice`): by the syllables
around them (:mod:`corpus.language`) and by how often their letters are lost *in this document*,
which the document itself tells (expectation–maximisation), since one font loses the same few
letters throughout. The confidence of a filling is the square of its posterior probability: of
fillings with a posterior between 0.9 and 0.95, 70 of 85 came true.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache, partial
from itertools import combinations
from math import log
from typing import Final, NamedTuple

from corpus.language import BOUNDARY, Counts, Language
from corpus.lattice import Edge, Reading, read
from corpus.syllables import LETTERS, VOWELS, inventory

HOLE: Final = "_"
_WORD: Final = re.compile(r"[^\W\d_]+")
# letters and blanks without anything between them: what holds a damaged stretch together
_STRETCH: Final = re.compile(r"[ \t]{0,2}[^\W\d_]+(?:\s{1,3}[^\W\d_]+)*[ \t]{0,2}")
_TWO_BLANKS: Final = re.compile(r"[^\W\d_][ \t]{2,3}(?=[^\W\d_])")
_MARKED: Final = frozenset(letter for letter in LETTERS if not letter.isascii())
_STRANGE: Final = -14.0  # ln, a fragment that is no syllable stands as it is
_FOREIGN: Final = -2.0  # ln, an abbreviation or a word with letters that Vietnamese lacks
_UNIT: Final = -7.0  # ln, a fragment after a number
_STRIPPED: Final = -1.0  # ln, a letter lost at the end of a line, with its blank
_AROUND: Final = 3  # words read along on either side of the damage
_ROUNDS: Final = 5
_LOST, _MET = 0.02, 1.0  # what is taken for granted of a letter: lost 0.02 times of 1
_DROPPED, _HOLES = 0.0001, 10.0  # and of a hole: 0.0001 of 10 left no blank


class Filling(NamedTuple):
    """``[start, end)`` of a text reads ``after``, with the confidence (0–1) in that."""

    start: int
    end: int
    after: str
    confidence: float


class _Window(NamedTuple):
    """A part of a stretch around damage: its offset, its text, the syllables around it.

    ``marks``: whether a number stands before its first fragment, and something grown onto its last.
    """

    start: int
    text: str
    before: tuple[int, int]
    after: int
    marks: tuple[bool, bool]


class Restorer:
    """Finds and fills the lost letters of one text after another; holds the tables for it."""

    def __init__(self, language: Language) -> None:
        """Take the model; the tables of patterns are built at the first damage met."""
        self._language = language
        self._patterns: dict[str, list[tuple[str, str]]] = {}

    def fill(self, text: str) -> list[Filling]:
        """Return the fillings of ``text`` in order, of any confidence; empty for a clean text."""
        windows = [window for stretch in _stretches(text) for window in self._windows(stretch)]
        if not windows:
            return []
        self._build()
        present = Counter(text.lower())
        own = self._own(text)
        rates, dropped = dict.fromkeys(_MARKED, _LOST / _MET), _DROPPED / _HOLES
        for _ in range(_ROUNDS):
            reader = _Reader(self._language, self._patterns, own, rates, dropped)
            read = cache(partial(_read_anywhere, reader))  # of damage that comes again
            readings = [read(*window[1:]) for window in windows]
            rates, dropped = _rates(readings, present)
        return _fillings(windows, readings)

    def _windows(self, stretch: re.Match[str]) -> Iterator[_Window]:
        if _plainly_clean(stretch[0]):
            return
        words = list(_WORD.finditer(stretch[0]))
        marked = [at for at, word in enumerate(words) if _suspect(stretch[0], word)]
        spans: list[list[int]] = []
        for at in marked:
            low, high = max(0, at - _AROUND), min(len(words) - 1, at + _AROUND)
            if spans and low <= spans[-1][1] + 2:
                spans[-1][1] = high
            else:
                spans.append([low, high])
        for low, high in spans:
            start = _lead(stretch) if low == 0 else words[low].start()
            end = _tail(stretch) if high == len(words) - 1 else words[high].end()
            yield _Window(
                stretch.start() + start,
                stretch[0][start:end],
                self._before(stretch, words[max(0, low - 2) : low]),
                self._after(stretch, words[high + 1 : high + 2]),
                (
                    low == 0 and _after_number(stretch),
                    high == len(words) - 1 and _touched(stretch),
                ),
            )

    def _before(self, stretch: re.Match[str], words: list[re.Match[str]]) -> tuple[int, int]:
        number = self._language.number
        sign = self._language.sign(
            stretch.string[max(0, stretch.start() - 8) : stretch.start()].rstrip()[-1:]
        )
        ids = [BOUNDARY, sign, *(number(word[0].lower()) for word in words)]
        return ids[-2], ids[-1]

    def _after(self, stretch: re.Match[str], words: list[re.Match[str]]) -> int:
        if words:
            return self._language.number(words[0][0].lower())
        return self._language.sign(stretch.string[stretch.end() : stretch.end() + 8])

    def _own(self, text: str) -> Counts:
        """Count the undamaged syllables of the document itself."""
        counts, number = Counts(), self._language.number
        for stretch in _stretches(text):
            ids = [self._language.sign(text[max(0, stretch.start() - 1) : stretch.start()])]
            words = list(_WORD.finditer(stretch[0]))
            odd = [_suspect(stretch[0], word) for word in words]
            for word, doubt in zip(words, _spread(odd), strict=True):
                ids.append(BOUNDARY if doubt else number(word[0].lower()))
            counts.add([*ids, self._language.sign(text[stretch.end() : stretch.end() + 8])])
        return counts

    def _build(self) -> None:
        """Fill the table: pattern with holes → syllables in use, and the letters of the holes."""
        if self._patterns:
            return
        table = defaultdict[str, list[tuple[str, str]]](list)
        for word in self._language.words:
            places = [at for at, letter in enumerate(word) if letter in _MARKED]
            for holes in (*((at,) for at in places), *combinations(places, 2)):
                pattern = "".join(HOLE if at in holes else c for at, c in enumerate(word))
                table[pattern].append((word, "".join(word[at] for at in holes)))
        self._patterns = dict(table)


def _read_anywhere(
    reader: _Reader, text: str, before: tuple[int, int], after: int, marks: tuple[bool, bool]
) -> Reading:
    """Weigh the readings of a window, wherever it stands."""
    return reader.read(_Window(0, text, before, after, marks))


class _Reader:
    """One round over a document: the readings of its windows at given rates of loss."""

    def __init__(
        self,
        language: Language,
        patterns: dict[str, list[tuple[str, str]]],
        own: Counts,
        rates: dict[str, float],
        dropped: float,
    ) -> None:
        self._language, self._patterns = language, patterns
        self._rates = {letter: log(rate) for letter, rate in rates.items()}
        self._dropped = log(dropped)
        self._logp = cache(lambda a, b, c: language.logp(a, b, c, own))

    def read(self, window: _Window) -> Reading:
        """Weigh the readings of one window."""
        edges = cache(lambda at: list(self._edges(window, at)))
        return read(window.text, window.before, window.after, edges, self._logp)

    def _edges(self, window: _Window, start: int) -> Iterator[Edge]:
        """Yield the readings of the window from ``start`` as one syllable."""
        text, at, pattern = window.text, start, ""
        while at < len(text):
            if text[at] in " \t":
                if pattern.count(HOLE) == 2:
                    return
                at, pattern = at + 1, pattern + HOLE
            else:
                if not (word := _WORD.match(text, at)):
                    return
                at, pattern = word.end(), pattern + word[0]
                if HOLE in pattern and at == len(text) and window.marks[1]:
                    return
                if HOLE not in pattern:
                    yield from self._whole(window, start, at)
            if HOLE in pattern and (at == len(text) or text[at].isspace()):
                yield from self._filled(start, at, pattern, 0.0)

    def _whole(self, window: _Window, start: int, end: int) -> Iterator[Edge]:
        """Yield the fragment as it stands, and with a letter lost that left no blank."""
        text, word = window.text, window.text[start:end]
        lowered = word.lower()
        number = self._language.number(lowered)
        known = lowered in inventory()
        foreign = not set(lowered) <= LETTERS or (len(word) > 1 and word.isupper())
        foreign |= window.marks[1] and end == len(text)
        unit = window.marks[0] and not text[:start].strip()
        cost = (
            0.0
            if number
            else -10.0
            if known
            else _FOREIGN
            if foreign
            else _UNIT
            if unit
            else _STRANGE
        )
        yield Edge(start, end, number, word, "", False, cost)
        if known or foreign or unit:
            return
        for at in range(len(word) + 1) if len(word) > 1 else (1,):
            last = at == len(word) and (end == len(text) or text[end] == "\n")
            if len(word) == 1 and (end == len(text) or not last or word.isupper()):
                continue
            cost = _STRIPPED if last and end < len(text) else self._dropped
            yield from self._filled(
                start, end, word[:at] + HOLE + word[at:], cost, dropped=not last
            )

    def _filled(
        self, start: int, end: int, pattern: str, cost: float, *, dropped: bool = False
    ) -> Iterator[Edge]:
        letters = pattern.replace(HOLE, "")
        if not (letters.islower() or letters.isupper() or letters.istitle() or not letters):
            return
        for word, lost in self._patterns.get(pattern.lower(), ()):
            loss = cost + sum(self._rates[letter] for letter in lost)
            number = self._language.number(word)
            yield Edge(start, end, number, _cased(word, pattern), lost, dropped, loss)


def _rates(readings: list[Reading], present: Counter[str]) -> tuple[dict[str, float], float]:
    """Return how often each letter is lost, and how often without a blank, by the readings."""
    lost, total, dropped = defaultdict[str, float](float), 0.0, 0.0
    for reading in readings:
        for edge, mass in reading.posterior.items():
            for letter in edge.lost:
                lost[letter] += mass
            total += mass * bool(edge.lost)
            dropped += mass * edge.dropped
    rates = {
        letter: (lost[letter] + _LOST) / (lost[letter] + present[letter] + _MET)
        for letter in _MARKED
    }
    return rates, (dropped + _DROPPED) / (total + _HOLES)


def _fillings(windows: list[_Window], readings: list[Reading]) -> list[Filling]:
    return [
        Filling(
            window.start + edge.start,
            window.start + edge.end,
            edge.text,
            reading.posterior[edge] ** 2,
        )
        for window, reading in zip(windows, readings, strict=True)
        for edge in reading.path
        if edge.lost
    ]


def _lead(stretch: re.Match[str]) -> int:
    """Return where reading starts: one blank after a sign is a blank, two may hide a letter."""
    blanks = len(stretch[0]) - len(stretch[0].lstrip(" \t"))
    before = stretch.string[max(0, stretch.start() - 1) : stretch.start()]
    return 1 if blanks == 1 and before not in {"", "\n"} else 0


def _tail(stretch: re.Match[str]) -> int:
    """Return where reading ends: before a number or a bracket one blank is a blank."""
    after = stretch.string[stretch.end() : stretch.end() + 1]
    blanks = len(stretch[0]) - len(stretch[0].rstrip(" \t"))
    return len(stretch[0]) - (
        blanks == 1 and bool(after) and (after.isalnum() or after in "<>=≤≥±×+~&([“\"'")
    )


def _after_number(stretch: re.Match[str]) -> bool:
    """Whether a number precedes, or a sign is grown on: ``5 kg``, ``gov.vn``, ``KH&CN``."""
    touching = stretch.string[max(0, stretch.start() - 1) : stretch.start()]
    if touching and touching in ".&@_-'" and not stretch[0][0].isspace():
        return True
    before = stretch.string[max(0, stretch.start() - 8) : stretch.start()].rstrip(" \t")[-1:]
    return before.isdigit() or before in {"°", "/", "%"}


def _touched(stretch: re.Match[str]) -> bool:
    """Whether a sign is grown onto the last fragment: ``m3``, ``t-test``, the whole of ``b)``."""
    after = stretch.string[stretch.end() : stretch.end() + 1]
    if not after or stretch[0][-1].isspace():
        return False
    alone = " " not in stretch[0].strip() and "\n" not in stretch[0].strip()
    return after in "&-@'°²³_" or after.isdigit() or (after == ")" and alone)


def _stretches(text: str) -> Iterator[re.Match[str]]:
    return _STRETCH.finditer(text)


def _plainly_clean(stretch: str) -> bool:
    """Whether all words are syllables of more than a vowel, one blank apart: nearly all text."""
    words = stretch.lower().split()
    return (
        inventory().issuperset(words)
        and VOWELS.isdisjoint(words)
        and "  " not in stretch
        and "\t" not in stretch
    )


def _suspect(stretch: str, word: re.Match[str]) -> bool:
    """Whether ``word`` is a fragment, or stands beside a blank too many."""
    lowered = word[0].lower()
    if lowered not in inventory():
        if len(word[0]) > 1 and word[0].isupper():
            return False
        return len(lowered) <= 6 and set(lowered) <= LETTERS
    if lowered in VOWELS and word.start() and stretch[word.start() - 1] in " \t":
        return True
    after = stretch[word.end() : word.end() + 2]
    return len(after) == 2 and not after.strip(" \t")


def _spread(odd: list[bool]) -> list[bool]:
    """Doubt the neighbours of a fragment as well: they may belong to it."""
    return [any(odd[max(0, at - 1) : at + 2]) for at in range(len(odd))]


def _cased(word: str, pattern: str) -> str:
    """Give the filled syllable the case of its fragments."""
    letters = pattern.replace(HOLE, "")
    if len(letters) > 1 and letters.isupper():
        return word.upper()
    if pattern[0] != HOLE and pattern[0].isupper():
        return word[0].upper() + word[1:]
    return word
