"""A telling of something, of whatever kind, as it is compared with others.

Whoever tells a thing a second time gives it another title, another order, another length, rounds
its numbers and calls the fruit by the other region's name; what stays are the rare words, the
numbers beside them, and what it is for. So texts are read here as that: terms without accents and
in one dialect, quantities in one unit with the words that stand beside them, products and processes
by the tables, owner, year, number of acceptance. What two of them share is told by
:mod:`matcher.overlap`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from corpus.lexicon import Lexicon
from corpus.quantities import Quantity, quantities
from corpus.text import fold, has_accents, normalise, squeeze, syllables

NEIGHBOURS = 4  # syllables before and after a number that say what it measures
_ENGLISH = frozenset({"the", "of", "and", "with", "for", "is", "to", "in", "are", "by"})
_READ_FOR_PURPOSE = 600  # characters: what it is for is said at the beginning
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
    terms: tuple[str, ...]  # of the whole, numbers and codes among them
    title: frozenset[str]  # terms of the title
    figures: tuple[str, ...]  # the terms that are numbers
    numbers: tuple[Quantity, ...]
    beside: tuple[frozenset[str], ...]  # of each number, the syllables that stand near
    capacity: tuple[Quantity, ...]
    owner: frozenset[str]
    products: frozenset[str]
    processes: frozenset[str]
    english: bool

    @cached_property
    def all_terms(self) -> frozenset[str]:
        """The terms, each once."""
        return frozenset(self.terms)


class Reader:
    """Reads tellings with the tables of one lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._products: dict[str, frozenset[str]] = {}
        self._dialect = _one_dialect(lexicon)

    def read(self, told: Told) -> Reading:
        """Return what is compared of ``told``."""
        title, text = normalise(told.title), normalise(f"{told.title}\n{told.text}")
        english = not has_accents(title) and len(_ENGLISH.intersection(text.lower().split())) > 2
        numbers = quantities(text, english)
        figures = tuple(dict.fromkeys(term for each in numbers for term in number_terms(each)))
        terms = (*self._terms(text), *figures)
        return Reading(
            told,
            terms,
            frozenset(self._terms(title)),
            figures,
            numbers,
            tuple(self._beside(text, each) for each in numbers),
            quantities(told.capacity, english),
            frozenset(squeeze(told.owner).split()) - _FORMALITIES,
            self._named(told, title),
            frozenset(each.name for each in self._lexicon.processes(text[:_READ_FOR_PURPOSE])),
            english,
        )

    def _terms(self, text: str) -> list[str]:
        """Return syllables and neighbouring syllables, folded, in one dialect; codes as one."""
        units = self._units(text)
        return units + [f"{one}_{two}" for one, two in pairwise(units)]

    def _units(self, text: str) -> list[str]:
        found = [fold(span.text) for span in syllables(text)]
        units: list[str] = []
        at = 0
        while at < len(found):
            for size in (3, 2, 1):
                known = self._dialect.get(" ".join(found[at : at + size]))
                if known and at + size <= len(found):
                    units += known
                    break
            else:
                size = 1
                if not found[at][0].isdigit():
                    units.append(found[at])
            at += size
        return units

    def _beside(self, text: str, number: Quantity) -> frozenset[str]:
        end = number.start + len(number.text)
        before = self._units(text[max(0, number.start - 40) : number.start])[-NEIGHBOURS:]
        after = self._units(text[end : end + 30])[:NEIGHBOURS]
        return frozenset(each for each in (*before, *after) if each not in self._fillers)

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


def number_terms(number: Quantity) -> tuple[str, ...]:
    """Return the terms under which numbers that may be equal are counted: both ends of a range."""
    return tuple(f"#{number.unit}:{each:.2g}" for each in (number.low, number.high))
