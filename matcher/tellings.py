"""A telling of something, of whatever kind, as it is compared with others.

Whoever tells a thing a second time gives it another title, another order, another length, rounds
its numbers and calls the fruit by the other region's name; what stays are the rare words, the
numbers beside them, and what it is for. So texts are read here as that: terms without accents and
in one dialect, quantities in one unit with the words that stand beside them, products and processes
by the tables, owner, year, number of acceptance. What two of them share is told by
:mod:`matcher.overlap`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from operator import itemgetter

from corpus.lexicon import Lexicon
from corpus.quantities import Quantity, quantities
from corpus.text import bounds, fold, has_accents, normalise, squeeze

_LONGEST = 3  # syllables of a dialect word
NEIGHBOURS = 4  # syllables before and after a number that say what it measures
_ENGLISH = frozenset({"the", "of", "and", "with", "for", "is", "to", "in", "are", "by"})
_READ_FOR_PURPOSE = 300  # characters: what it is for is said at the beginning
# Syllables that stand in the name of every other organisation, and say nothing of which it is.
_ORGANISATION = """
    cong ty co so trung tam vien phan truong dai hoc cao dang nhom xuong hop tac xa doanh nghiep
    tnhh cp to htx tt cty nc nghien cuu minh hoa mot thanh tap doan tong phong thi nghiem ung dung
    tu nhan lien khoa cong nghe va
"""
_FORMALITIES = frozenset(_ORGANISATION.split())


@dataclass(frozen=True)
class Told:
    """One telling of something, whatever kind of record it comes from; missing facts are empty."""

    id: str
    title: str
    text: str
    owner: str = ""
    year: int | None = None
    place: str = ""
    products: tuple[str, ...] = ()
    number: str = ""  # of acceptance, decision or patent
    capacity: str = ""
    cost: tuple[float, float] | None = None  # million VND, from–to


@dataclass(frozen=True, eq=False)
class Reading:
    """What is compared of a telling."""

    told: Told
    terms: tuple[str, ...]  # of the whole, numbers among them
    title: frozenset[str]  # terms of the title
    figures: tuple[str, ...]  # the terms that are numbers
    numbers: tuple[Quantity, ...]
    beside: tuple[frozenset[str], ...]  # of each number, the syllables that stand near
    capacity: tuple[Quantity, ...]
    owner: frozenset[str]
    products: frozenset[str]
    processes: frozenset[str]
    number: str  # of acceptance, decision or patent, as it is compared
    english: bool


class Reader:
    """Reads tellings with the tables of one lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._products: dict[str, frozenset[str]] = {}
        self._dialect = _one_dialect(lexicon)
        self._begin = frozenset(word.split(" ")[0] for word in self._dialect)

    def read(self, told: Told) -> Reading:
        """Return what is compared of ``told``."""
        title, text = normalise(told.title), normalise(f"{told.title}\n{told.text}")
        english = not has_accents(title) and len(_ENGLISH.intersection(text.lower().split())) > 2
        numbers = quantities(text, english)
        figures = tuple(dict.fromkeys(term for each in numbers for term in number_terms(each)))
        units = self._units(text)
        terms = (*_terms(units), *figures)
        return Reading(
            told,
            terms,
            frozenset(_terms(self._units(title))),
            figures,
            numbers,
            tuple(self._beside(units, each) for each in numbers),
            quantities(told.capacity, english),
            frozenset(squeeze(told.owner).split()) - _FORMALITIES,
            self._named(told, title),
            frozenset(each.name for each in self._lexicon.processes(text[:_READ_FOR_PURPOSE])),
            squeeze(told.number),
            english,
        )

    def _units(self, text: str) -> list[tuple[str, int]]:
        """Return the syllables of ``text`` without numbers, folded, in one dialect, with places."""
        found = [(_folded(text[start:end]), start) for start, end in bounds(text)]
        units: list[tuple[str, int]] = []
        at = 0
        while at < len(found):
            unit, start = found[at]
            size, said = self._in_one_dialect([each for each, _ in found[at : at + _LONGEST]])
            if said or not unit[0].isdigit():
                units += [(each, start) for each in said or (unit,)]
            at += size
        return units

    def _in_one_dialect(self, units: list[str]) -> tuple[int, Sequence[str]]:
        """Return how many of the first ``units`` are a word of a dialect, and the common word."""
        if units[0] in self._begin:
            for size in range(len(units), 0, -1):
                if known := self._dialect.get(" ".join(units[:size])):
                    return size, known
        return 1, ()

    def _beside(self, units: list[tuple[str, int]], number: Quantity) -> frozenset[str]:
        first = bisect_left(units, number.start, key=itemgetter(1))
        after = bisect_left(units, number.start + len(number.text), key=itemgetter(1))
        near = units[max(0, first - NEIGHBOURS) : first] + units[after : after + NEIGHBOURS]
        return frozenset(each for each, _ in near) - self._fillers

    @cached_property
    def _fillers(self) -> frozenset[str]:
        return frozenset(fold(word) for word in self._lexicon.stopwords if " " not in word)

    def _named(self, told: Told, title: str) -> frozenset[str]:
        """Return the nodes of the product tree that are stated, else those in the title.

        Products that the tree does not know, and ids, stand for themselves.
        """
        stated = [self._nodes(normalise(each)) for each in told.products]
        known = frozenset[str]().union(*stated) or self._nodes(title)
        return known or frozenset(map(squeeze, told.products))

    def _nodes(self, text: str) -> frozenset[str]:
        if text not in self._products:
            self._products[text] = frozenset(each.name for each in self._lexicon.products(text))
        return self._products[text]


def _one_dialect(lexicon: Lexicon) -> Mapping[str, list[str]]:
    """Folded word of any dialect → the folded syllables of its group's name.

    Without regard to other meanings: what matters here is only that both texts are read alike.
    """
    return {
        squeeze(word): squeeze(group.name).split()
        for word, group in sorted(lexicon.dialect.items())
    }


def _terms(units: Sequence[tuple[str, int]]) -> list[str]:
    """Return syllables, and neighbouring ones joined."""
    alone = [each for each, _ in units]
    return alone + [f"{one}_{two}" for one, two in pairwise(alone)]


@lru_cache(maxsize=100_000)
def _folded(syllable: str) -> str:
    return fold(syllable)


def number_terms(number: Quantity) -> tuple[str, ...]:
    """Return the terms under which numbers that may be equal are counted: both ends of a range."""
    return tuple(f"#{number.unit}:{each:.2g}" for each in (number.low, number.high))
