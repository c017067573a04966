"""What a fragment may have been: every reading of a window as syllables, some with letters lost.

A blank inside a syllable is a letter with a Vietnamese mark that the font lacked. A pattern with
one or two such holes (``v_ng``, ``h_``) is looked up among the syllables in use; each reading
costs what it supposes of the losses, and :mod:`corpus.lattice` weighs them against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from math import log
from typing import Final, NamedTuple

from corpus.language import Counts, Language
from corpus.lattice import Edge, Reading, read
from corpus.suspects import WORD, Window
from corpus.syllables import LETTERS, inventory

HOLE: Final = "_"
MARKED: Final = frozenset(letter for letter in LETTERS if not letter.isascii())
Patterns = Mapping[str, list[tuple[str, str]]]
_UNUSED: Final = -10.0  # ln, a well-formed syllable that no text has used
_STRANGE: Final = -14.0  # ln, a fragment that is no syllable stands as it is
_FOREIGN: Final = -2.0  # ln, an abbreviation or a word with letters that Vietnamese lacks
_UNIT: Final = -7.0  # ln, a fragment after a number
_STRIPPED: Final = -1.0  # ln, a letter lost at the end of a line, with its blank


def patterns(language: Language) -> Patterns:
    """Return pattern with holes → the syllables in use that fit, with the letters of the holes."""
    table = defaultdict[str, list[tuple[str, str]]](list)
    for word in language.words:
        places = [at for at, letter in enumerate(word) if letter in MARKED]
        for holes in (*((at,) for at in places), *combinations(places, 2)):
            pattern = "".join(HOLE if at in holes else c for at, c in enumerate(word))
            table[pattern].append((word, "".join(word[at] for at in holes)))
    return dict(table)


class Own(NamedTuple):
    """What a document tells of itself: its intact syllables, and those it writes with a capital."""

    counts: Counts
    capitals: frozenset[str] = frozenset()


class Loss(NamedTuple):
    """How letters are lost (0–1): each ``rates[letter]`` often, ``dropped`` without a blank.

    ``font``: the share of the losses that one font explains which lacks a few letters.
    """

    rates: Mapping[str, float]
    dropped: float
    font: float = 0.0


class Reader:
    """One round over a document: the readings of its windows at given rates of loss."""

    def __init__(
        self,
        language: Language,
        table: Patterns,
        own: Own,
        loss: Loss,
    ) -> None:
        """Take the model, the patterns, what the document tells, and how letters are lost."""
        self._language, self._table, self._own = language, table, own
        self._rates = {letter: log(rate) for letter, rate in loss.rates.items()}
        self._dropped = log(loss.dropped)
        self._logp = cache(lambda a, b, c: language.logp(a, b, c, own.counts))

    def read(self, window: Window) -> Reading:
        """Weigh the readings of one window."""
        edges = cache(lambda at: list(self._edges(window, at)))
        return read(window.text, window.before, window.after, edges, self._logp)

    def _edges(self, window: Window, start: int) -> Iterator[Edge]:
        """Yield the readings of the window from ``start`` as one syllable."""
        text, at, pattern = window.text, start, ""
        while at < len(text):
            if text[at] in " \t":
                if pattern.count(HOLE) == 2:
                    return
                at, pattern = at + 1, pattern + HOLE
            else:
                if not (word := WORD.match(text, at)):
                    return
                at, pattern = word.end(), pattern + word[0]
                if HOLE in pattern and at == len(text) and window.touched:
                    return
                if HOLE not in pattern:
                    yield from self._whole(window, start, at)
            if HOLE in pattern and (at == len(text) or text[at].isspace()):
                yield from self._filled(window, start, at, pattern, 0.0)

    def _whole(self, window: Window, start: int, end: int) -> Iterator[Edge]:
        """Yield the fragment as it stands, and with a letter lost that left no blank."""
        text, word = window.text, window.text[start:end]
        number = self._language.number(word.lower())
        price = 0.0 if number else self._price(window, start, end)
        yield Edge(start, end, number, word, "", False, price)
        if number or price != _STRANGE:
            return
        for at in range(len(word) + 1) if len(word) > 1 else (1,):
            last = at == len(word) and (end == len(text) or text[end] == "\n")
            if len(word) == 1 and (end == len(text) or not last or word.isupper()):
                continue
            cost = _STRIPPED if last and end < len(text) else self._dropped
            pattern = word[:at] + HOLE + word[at:]
            yield from self._filled(window, start, end, pattern, cost, dropped=not last)

    def _price(self, window: Window, start: int, end: int) -> float:
        """Return what it costs that a fragment which is no syllable in use stands as it is."""
        word = window.text[start:end]
        if word.lower() in inventory():
            return _UNUSED
        abbreviation = len(word) > 1 and word.isupper()
        grown_on = window.touched and end == len(window.text)
        if abbreviation or grown_on or not set(word.lower()) <= LETTERS:
            return _FOREIGN
        return _UNIT if window.counted and not window.text[:start].strip() else _STRANGE

    def _filled(
        self,
        window: Window,
        start: int,
        end: int,
        pattern: str,
        cost: float,
        *,
        dropped: bool = False,
    ) -> Iterator[Edge]:
        letters = pattern.replace(HOLE, "")
        if not (letters.islower() or letters.isupper() or letters.istitle() or not letters):
            return
        before, after = window.text[:start].split(), window.text[end:].split()
        opens = window.opens and not before
        loud = all(len(each) > 1 and each.isupper() for each in (*before[-1:], *after[:1]))
        loud &= bool(before or after)
        for word, lost in self._table.get(pattern.lower(), ()):
            loss = cost + sum(self._rates[letter] for letter in lost)
            capital = opens or word in self._own.capitals
            text = _cased(word, pattern, capital=capital, loud=loud)
            yield Edge(start, end, self._language.number(word), text, lost, dropped, loss)


def _cased(word: str, pattern: str, *, capital: bool, loud: bool) -> str:
    """Give the filled syllable the case of its fragments, or what its place asks for."""
    letters = pattern.replace(HOLE, "")
    if (letters.isupper() and (loud or len(letters) > 1)) or (not letters and loud):
        return word.upper()
    titled = capital if pattern[0] == HOLE else pattern[0].isupper()
    return word[0].upper() + word[1:] if titled else word
