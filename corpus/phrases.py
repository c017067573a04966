"""Phrases found in a text: by syllables, the longest first, and in the light of their neighbours.

Apart from the tables because places are found in the same way as products, and apart from the
lexicon because nothing here knows what a word means: it knows syllables, phrases, and which of the
senses it is given a neighbourhood speaks for.

Texts are normalised, offsets refer to ``normalise(text)``. Phrases are sequences of lower-cased
syllables and the longest wins. A text without accents (``bao quan xoai``) is compared with folded
phrases; there one syllable stands for many words (``cua`` is của, cửa and cua).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import chain
from typing import NamedTuple, Protocol

from corpus.text import Span, bounds, fold, has_accents, normalise, syllables

Key = tuple[str, ...]
NEAR = 6  # syllables on either side in which a neighbouring word decides a reading
NUMBER = "#"  # stands for any number in the signs of the tables
_BREAK = re.compile(r"[,;:.!?()\[\]\"“”…|•]")
# A Vietnamese syllable without accents: "ai" and "map" are, "cnc", "htx" and "tea" are none.
WORD_LIKE = re.compile(
    r"(?:ngh?|nh|[cgkpt]h|gi|qu|tr|[bcdghklmnpqrstvx])?"
    r"(?:a[iouy]?|e[ou]?|i(?:eu?|[au])?|o(?:a[iy]?|eo?|[io])?|u(?:a[iy]?|o[iu]?|y[aeu]?|[eiu])?|y(?:eu?)?)"
    r"(?:ch|c|m|ng|nh|n|p|t)?"
)


class _Piece(NamedTuple):
    """What one stretch without white space says; ``breaks`` has one more: after the last."""

    tokens: Key
    signs: Key
    breaks: tuple[bool, ...]


@dataclass(frozen=True)
class Reading:
    """A text as the tables see it: syllables lower-cased (folded if unaccented), and as written."""

    text: str  # normalised
    tokens: Key
    signs: Key  # tokens with every number written "#"
    accented: bool
    pieces: tuple[_Piece, ...]

    @cached_property
    def breaks(self) -> tuple[bool, ...]:
        """Whether punctuation that divides stands before each syllable, and after the last."""
        found = [False]
        for piece in self.pieces:
            found[-1] |= piece.breaks[0]
            found += piece.breaks[1:]
        return tuple(found)

    @cached_property
    def bounds(self) -> list[tuple[int, int]]:
        """The offsets of the syllables: worked out only where something is found."""
        return bounds(self.text)


@lru_cache(maxsize=20_000)  # loading asks again and again for the same few thousand phrases
def key(phrase: str, accented: bool = True) -> Key:
    """Return the comparison form of ``phrase``: lower-cased syllables, folded if unaccented."""
    text = normalise(phrase)
    lowered = text.lower() if accented else fold(text)
    return tuple(span.text for span in syllables(lowered))


@lru_cache(maxsize=1024)
def read(text: str, accented: bool | None = None) -> Reading:
    """Split ``text`` for matching; ``accented=None`` looks whether it carries any accent."""
    text = normalise(text)
    if accented is None:
        # the beginning nearly always decides, at a fraction of the cost
        accented = has_accents(text[:80]) or (not text.isascii() and has_accents(text))
    return _read(text, accented)


@lru_cache(maxsize=1024)
def _read(text: str, accented: bool) -> Reading:
    pieces = tuple([_piece(raw, accented) for raw in text.split()])
    tokens = tuple(chain.from_iterable([piece.tokens for piece in pieces]))
    signs = tuple(chain.from_iterable([piece.signs for piece in pieces]))
    return Reading(text, tokens, signs, accented, pieces)


@lru_cache(maxsize=50_000)  # no syllable crosses white space, and the same pieces come again
def _piece(raw: str, accented: bool) -> _Piece:
    found = [*syllables(raw)]
    tokens = tuple(each.text.lower() if accented else fold(each.text) for each in found)
    signs = tuple(NUMBER if token[0].isdigit() else token for token in tokens)
    edges = [0, *(edge for span in found for edge in (span.start, span.end)), len(raw)]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return _Piece(tokens, signs, tuple(bool(_BREAK.search(raw, *gap)) for gap in gaps))


class Phrases:
    """Phrases by their first syllable, so that a text is scanned in one pass."""

    def __init__(self, entries: Mapping[Key, tuple[str, ...]]) -> None:
        self._entries = dict(entries)
        sizes: dict[str, set[int]] = {}
        for phrase in self._entries:
            sizes.setdefault(phrase[0], set()).add(len(phrase))
        self._sizes = {first: sorted(lengths, reverse=True) for first, lengths in sizes.items()}

    @classmethod
    def of(cls, words: Iterable[str], accented: bool) -> Phrases:
        """Index ``words``; unaccented, words that fold alike are found together."""
        entries: dict[Key, dict[str, None]] = {}
        for word in words:
            if phrase := key(word, accented):
                entries.setdefault(phrase, {})[word] = None
        return cls({phrase: tuple(found) for phrase, found in entries.items()})

    def all(
        self, tokens: Key, starts: Iterable[int] | None = None
    ) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Yield ``(start, length, words)`` of all phrases at ``starts``, the longest first."""
        sizes, entries, count = self._sizes, self._entries, len(tokens)
        for start in range(count) if starts is None else starts:
            for size in sizes.get(tokens[start], ()):
                words = entries.get(tokens[start : start + size])
                # a stretch cut short by the end of the text may be a shorter phrase: not this one
                if words is not None and start + size <= count:
                    yield start, size, words

    def at(self, tokens: Key, start: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield ``(length, words)`` of the phrases that begin at ``start``, longest first."""
        return ((size, words) for _, size, words in self.all(tokens, (start,)))

    def find(self, tokens: Key) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Yield ``(start, length, words)`` from left to right, longest first, no overlap."""
        free = 0
        for start, size, words in self.all(tokens):
            if start >= free:
                yield start, size, words
                free = start + size


class Both:
    """Phrases for texts without and with accents; each is made when it is first asked for."""

    def __init__(self, make: Callable[[bool], Phrases]) -> None:
        self._make = make
        self._made: dict[bool, Phrases] = {}

    def __getitem__(self, accented: bool) -> Phrases:
        found = self._made.get(accented)
        if found is None:
            found = self._made[accented] = self._make(accented)
        return found


def both(words: Iterable[str]) -> Both:
    """Index ``words`` for texts without and with accents."""
    return Both(partial(Phrases.of, tuple(words)))


def counted(words: Iterable[str]) -> Both:
    """Index ``words`` that hold a number, written "#", for texts without and with accents."""
    return Both(partial(_counted, tuple(words)))


def _counted(words: Iterable[str], accented: bool) -> Phrases:
    return Phrases({_sign_key(word, accented): (word,) for word in words})


@dataclass(frozen=True)
class _Signs:
    """What settles a sense: by (place of the word, size) phrase → sense, and words near it."""

    around: dict[tuple[int, int], dict[Key, int]]
    near: list[tuple[str, int]]

    def add(self, sense: int, word: str, sign: str, accented: bool) -> None:
        """Take in one sign of one sense of ``word``."""
        phrase, own = _sign_key(sign, accented), key(word, accented)
        places = [i for i in range(len(phrase)) if phrase[i : i + len(own)] == own]
        for place in places:
            self.around.setdefault((place, len(phrase)), {}).setdefault(phrase, sense)
        # "lựa chọn" holds "lúa" only without accents: it says nothing about an accented text
        if not places and not contains(_sign_key(sign, False), key(word, False)):
            self.near.append((f" {' '.join(phrase)} ", sense))

    @cached_property
    def shapes(self) -> list[tuple[int, int]]:
        """Places and sizes of the phrases, longest first."""
        return sorted(self.around, key=lambda shape: -shape[1])


class Contexts:
    """Longer phrases around one word, and words near it, that settle which sense it has.

    A sign that contains the word ("mục tiêu" for "tiêu") settles it at once, the longest first;
    other signs count when they stand within ``NEAR`` syllables.
    """

    def __init__(self, word: str, senses: Sequence[Sequence[str]], accented: bool) -> None:
        self._word, self._senses, self._accented = word, senses, accented

    @cached_property
    def size(self) -> int:
        """How many syllables the word has."""
        return len(key(self._word, self._accented))

    @cached_property
    def _signs(self) -> _Signs:
        """The signs, read when the word is first met: most of a table's words never are."""
        signs = _Signs({}, [])
        for sense, told in enumerate(self._senses):
            for sign in told:
                signs.add(sense, self._word, sign, self._accented)
        return signs

    def around(self, reading: Reading, start: int) -> int | None:
        """Return the sense of the longest sign that covers the word at ``start``."""
        signs = self._signs
        for place, size in signs.shapes:
            first = start - place
            if first >= 0:
                sense = signs.around[place, size].get(reading.signs[first : first + size])
                if sense is not None and not _divided(reading, first, size):
                    return sense
        return None

    def near(self, reading: Reading, start: int) -> Counter[int]:
        """Count, for each sense, its signs in the neighbourhood of the word at ``start``."""
        window = _window(reading.signs, start, self.size, NEAR)
        return Counter(sense for sign, sense in self._signs.near if sign in window)

    def sense(self, reading: Reading, start: int) -> int | None:
        """Return the sense at ``start``, or ``None`` where no sign decides."""
        settled = self.around(reading, start)
        if settled is not None:
            return settled
        counts = self.near(reading, start)
        return min(counts, key=lambda sense: (-counts[sense], sense), default=None)


def _divided(reading: Reading, start: int, size: int) -> bool:
    """Whether punctuation divides the phrase: "bơ, sữa" is not "bơ sữa"."""
    return any(reading.breaks[start + 1 : start + size])


def _sign_key(sign: str, accented: bool) -> Key:
    # a zero stands in for "#", which is no syllable
    tokens = key(sign.replace(NUMBER, " 0 "), accented)
    return tuple(NUMBER if token[0].isdigit() else token for token in tokens)


def contains(phrase: Key, part: Key) -> bool:
    """Whether the syllables ``part`` stand together in ``phrase``."""
    return any(phrase[i : i + len(part)] == part for i in range(len(phrase)))


def _window(tokens: Key, start: int, size: int, reach: int) -> str:
    return f" {' '.join(tokens[max(0, start - reach) : start + size + reach])} "


def contexts(word: str, senses: Sequence[Sequence[str]]) -> tuple[Contexts, Contexts]:
    """Return the contexts of ``word`` for texts without and with accents."""
    return Contexts(word, senses, False), Contexts(word, senses, True)


class Accept(Protocol):
    """Names what the words found at one place mean there; nothing, if they mean nothing."""

    def __call__(
        self, reading: Reading, start: int, size: int, words: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Return the names that count."""


Hit = tuple[int, int, str, tuple[str, ...]]  # start, end, what stands there, its names


def scan(reading: Reading, phrases: Phrases, accept: Accept) -> Iterator[Hit]:
    """Yield ``(start, end, found, names)`` of accepted phrases, longest first, no overlap.

    A phrase that is not accepted gives way to shorter ones at the same place, then to later ones.
    """
    free = 0
    for start, size, words in phrases.all(reading.tokens):
        if start < free:
            continue
        if names := accept(reading, start, size, _unbroken(words, reading, start, size)):
            span = span_at(reading, start, size)
            yield span.start, span.end, span.text, names
            free = start + size


def apart(hits: Iterable[Hit]) -> list[Hit]:
    """Return the hits of several scans as of one: from the left, longest first, no overlap."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda each: (each[0], -each[1])):
        if not kept or hit[0] >= kept[-1][1]:
            kept.append(hit)
    return kept


def _unbroken(words: tuple[str, ...], reading: Reading, start: int, size: int) -> tuple[str, ...]:
    """Return the words that may stand here: across a comma, only those written with one."""
    if size > 1 and _divided(reading, start, size):
        return tuple(word for word in words if "," in word)
    return words


def is_plain(reading: Reading, start: int, size: int) -> bool:
    """Whether nothing else can be meant: the whole text, or no Vietnamese syllable ("shrimp")."""
    return size == len(reading.tokens) or not WORD_LIKE.fullmatch(reading.tokens[start])


def span_at(reading: Reading, start: int, size: int) -> Span:
    """Return the stretch of ``size`` syllables from ``start``, as written."""
    first, last = reading.bounds[start][0], reading.bounds[start + size - 1][1]
    return Span(reading.text[first:last], first, last)
