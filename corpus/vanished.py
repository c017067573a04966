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
<<<<<<< HEAD
from collections.abc import Sequence
from functools import cached_property
=======
from collections.abc import Iterator
from functools import cache, partial
from itertools import combinations
from math import log
>>>>>>> h-docs
from typing import Final, NamedTuple

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


class Filling(NamedTuple):
    """``[start, end)`` of a text reads ``after``, with the confidence (0–1) in that."""

    start: int
    end: int
    after: str
    confidence: float


class Restorer:
    """Finds and fills the lost letters of one text after another; holds the tables for it."""

    def __init__(self, language: Language) -> None:
        """Take the model; the table of patterns is built at the first damage met."""
        self._language = language

    @cached_property
    def _patterns(self) -> Patterns:
        return patterns(self._language)

    def fill(self, text: str) -> list[Filling]:
        """Return the fillings of ``text`` in order, of any confidence; empty for a clean text."""
        found = [each for part in stretches(text) for each in windows(part, self._language)]
        if not found:
            return []
        present = Counter(text.lower())
<<<<<<< HEAD
        own = Own(Counts())
        loss = Loss(dict.fromkeys(MARKED, _LOST / _MET), _DROPPED / _HOLES)
        for turn in range(_ROUNDS + 1):
            reader = Reader(self._language, self._patterns, own, loss)
            readings = [reader.read(window) for window in found]
            if _is_clean(readings):
                return []
            if turn == 0:  # only a damaged text need be counted
                own = Own(intact(text, self._language), capitals(text))
            loss = _losses(readings, present)
        return _fillings(found, readings, loss.font)


def _is_clean(readings: Sequence[Reading]) -> bool:
    """Whether no letter is likely to be lost: so with units, foreign words and abbreviations."""
    if any(edge.lost for reading in readings for edge in reading.path):
        return False
    return (
        sum(mass for reading in readings for edge, mass in reading.posterior.items() if edge.lost)
        < _CLEAN
    )
=======
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
>>>>>>> h-docs


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


def _fillings(found: Sequence[Window], readings: Sequence[Reading], font: float) -> list[Filling]:
    """Return the likeliest fillings; the confidence is the posterior to a power from 1 to 2."""
    return [
        Filling(
            window.start + edge.start,
            window.start + edge.end,
            edge.text,
            reading.posterior[edge] ** (2 - font),
        )
        for window, reading in zip(found, readings, strict=True)
        for edge in reading.path
        if edge.lost
    ]
