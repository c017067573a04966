"""What two tellings have in common and in what they differ: of supply, of needs, of tasks.

How much a shared word or number says depends on how many others have it, so a :class:`Comparison`
holds the readings of a collection.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from corpus.lexicon import Lexicon
from corpus.quantities import Quantity
from indexes.duplicates import Bags, Pairs
from indexes.vectors import Scores
from matcher.tellings import Reader, Reading, Told, number_terms

BY_NUMBERS = 5  # candidates of each telling by its numbers alone: other language, other words
_LONE = 0.35  # how much a number counts that stands in both, but beside other words
_WITHIN = 0.6  # … and one that lies in the other's range
_BARE = 0.5  # … and one without a unit
_LITTLE = 0.5  # added to what the numbers of a telling weigh: half of one number is no evidence
_OWNER = 0.7  # share of the shorter name's own words that makes two names one
_FURTHEST = 5  # years apart, beyond the first, from which one more makes no difference
_DEAR = math.log(4.0)  # … and prices
_COMPANY = 4  # the place among a telling's likest from which on they are its usual company
_USUAL = 0.05  # how alike two of one field are at least, for all that is known of few
# What is known of a pair. All grow with the chance that both tell the same thing; what speaks
# against it is negative, what is not known is 0.
FACTS = (
    "text",  # how alike their words are, 0..1
    "distinct",  # … beside what either is to others: ln of the ratio
    "title",  # share of each title, by weight, that stands in the other
    "numbers",  # ln(1 + what the numbers weigh that both have)
    "numbers_share",  # … as a share of what the numbers of the shorter weigh
    "numbers_apart",  # - ln(1 + how many contradict each other)
    "capacity_same", "capacity_other",
    "cost",  # 0 for prices that overlap, -1 for four times as dear
    "owner_same", "owner_other",
    "number_same", "number_other",
    "year",  # 0 up to a year apart, -1 from six
    "products_same", "products_other",
    "purpose",
)  # fmt: skip


@dataclass(frozen=True)
class Overlap:
    """Two tellings, what they share, what stands in one only, and the :data:`FACTS` of the pair.

    ``numbers`` are pairs as each side writes them; ``numbers_apart`` measure the same thing by the
    word beside them, and differ. ``probability`` that both tell the same: see
    :mod:`matcher.duplicates`.
    """

    one: Told
    other: Told
    facts: Mapping[str, float]
    numbers: tuple[tuple[str, str], ...] = ()
    numbers_apart: tuple[tuple[str, str], ...] = ()
    products: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()  # processes
    probability: float = 0.0
    through: str = ""  # a third that both tell the same as


class Comparison:
    """The readings of a collection, compared in pairs."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        kept: list[Reading] = []
        self.bags = Bags.of(_terms_of(readings, kept))
        self.readings = tuple(kept)
        self._owned = Bags.of(tuple(each.owner) for each in self.readings)
        self._worths = [tuple(map(self._worth, each.numbers)) for each in self.readings]
        self._weights = list(map(math.fsum, self._worths))
        self._by_unit = [_places(each.numbers) for each in self.readings]
        self._titles = [self._weigh(each.title) for each in self.readings]

    @classmethod
    def of(cls, tellings: Iterable[Told], lexicon: Lexicon) -> Comparison:
        """Read all ``tellings``."""
        reader = Reader(lexicon)
        return cls(map(reader.read, tellings))

    @cached_property
    def candidates(self) -> Pairs:
        """Return the pairs of rows that are worth a look: alike in words, or in numbers alone."""
        numbers = Bags.of(each.figures for each in self.readings)
        return np.unique(np.concatenate([self.bags.pairs(), numbers.pairs(BY_NUMBERS)]), axis=0)

    def overlaps(self, pairs: Pairs) -> Iterator[Overlap]:
        """Yield what the two of each pair (rows) have in common, without a probability yet."""
        alike = self.bags.cosine(pairs)
        usual = 0.5 * self._company[pairs].sum(axis=1)
        distinct = np.log(np.maximum(alike, 0.02) / usual)
        for (one, other), text, beside in zip(
            pairs.tolist(), alike.tolist(), distinct.tolist(), strict=True
        ):
            # words of two languages say nothing either way
            says = float(self.readings[one].english == self.readings[other].english)
            yield self._overlap(one, other, {"text": text * says, "distinct": beside * says})

    @cached_property
    def _company(self) -> Scores:
        """How alike each telling is to those it is usually among: its fourth likest, (n,)."""
        pairs = self.candidates
        both = np.concatenate([pairs, pairs[:, ::-1]])
        alike = np.tile(self.bags.cosine(pairs), 2)
        order = np.lexsort((-alike, both[:, 0]))
        rows, alike = both[order, 0], alike[order]
        place = np.arange(len(rows)) - np.searchsorted(rows, rows)
        company = np.zeros(len(self.readings))
        fourth = place == _COMPANY - 1
        company[rows[fourth]] = alike[fourth]
        return np.maximum(company, _USUAL)

    def _overlap(self, row: int, column: int, facts: Mapping[str, float]) -> Overlap:
        one, other = self.readings[row], self.readings[column]
        numbers, weight, apart = self._numbers(row, column)
        least = min(self._weights[row], self._weights[column])
        products = one.products & other.products
        purposes = one.processes & other.processes
        owner = self._owners(one, other)
        registered = _same(one.number, other.number)
        capacity = _capacity(one.capacity, other.capacity)
        named = 1.0 if products else _same(one.products, other.products)
        return Overlap(
            one.told,
            other.told,
            {
                **facts,
                "title": self._title(row, column),
                "numbers": math.log1p(weight),
                "numbers_share": min(1.0, weight / (least + _LITTLE)),
                "numbers_apart": -math.log1p(len(apart)),
                "cost": _cost(one.told.cost, other.told.cost),
                # an owner has many things: that it is the same says as much as the texts agree
                **_signed("owner", owner, facts["text"]),
                **_signed("number", registered),
                **_signed("products", named),
                **_signed("capacity", capacity),
                "year": _years(one.told.year, other.told.year),
                "purpose": float(bool(purposes)),
            },
            numbers,
            apart,
            tuple(sorted(products)),
            tuple(sorted(purposes)),
        )

    def _owners(self, one: Reading, other: Reading) -> float:
        """Near 1 where both name one owner that few others have, -1 where they name two."""
        if not one.owner or not other.owner:
            return 0.0
        common = one.owner & other.owner
        if len(common) < _OWNER * min(len(one.owner), len(other.owner)):
            return -1.0
        return min(1.0, max(map(self._owned.rarity, common)))

    def _title(self, row: int, column: int) -> float:
        """Return which share of each title, by weight, stands in the other; the mean of both."""
        common = self._weigh(self.readings[row].title & self.readings[column].title)
        return 0.5 * sum(common / max(self._titles[each], 1e-9) for each in (row, column))

    def _weigh(self, terms: frozenset[str]) -> float:
        return math.fsum(map(self.bags.weight, terms))

    def _numbers(
        self, row: int, column: int
    ) -> tuple[tuple[tuple[str, str], ...], float, tuple[tuple[str, str], ...]]:
        """Return the numbers that both have, what they weigh, and those that contradict."""
        one, other = self.readings[row], self.readings[column]
        foreign = one.english != other.english
        by_unit, worths = self._by_unit[column], self._worths[row]
        shared: list[tuple[str, str]] = []
        apart: list[tuple[str, str]] = []
        total, taken = 0.0, set[int]()
        for place, mine in enumerate(one.numbers):
            best, weight, rival = -1, 0.0, ""
            for there in by_unit.get(mine.unit, ()):
                theirs = other.numbers[there]
                told = foreign or not one.beside[place].isdisjoint(other.beside[there])
                says = _agreement(mine, theirs) * (1.0 if told else _LONE)
                if says > weight and there not in taken:
                    best, weight = there, says
                elif told and not says and mine.unit and not foreign and mine.far(theirs):
                    rival = theirs.text
            if best >= 0 and worths[place] > 0.0:
                taken.add(best)
                total += weight * worths[place]
                shared.append((mine.text, other.numbers[best].text))
            elif rival:
                apart.append((mine.text, rival))
        return tuple(shared), total, tuple(apart)

    def _worth(self, number: Quantity) -> float:
        """How much it says that two have this number: 0 nothing, 1 nobody else has it."""
        return self.bags.rarity(number_terms(number)[0]) * (1.0 if number.unit else _BARE)


def _agreement(mine: Quantity, theirs: Quantity) -> float:
    """How well two numbers of one unit agree: 1 the same, less within a range, 0 not at all."""
    if not mine.meets(theirs):  # nearly always; what agrees also meets
        return 0.0
    return 1.0 if mine.agrees(theirs) else _WITHIN


def _places(numbers: Sequence[Quantity]) -> dict[str, list[int]]:
    """Return unit → the places of its numbers."""
    found: dict[str, list[int]] = {}
    for place, number in enumerate(numbers):
        found.setdefault(number.unit, []).append(place)
    return found


def _terms_of(readings: Iterable[Reading], kept: list[Reading]) -> Iterator[tuple[str, ...]]:
    """Yield the terms of each reading and keep it without them: they are most of its size."""
    for each in readings:
        kept.append(replace(each, terms=()))
        yield each.terms


def _signed(name: str, value: float, weight: float = 1.0) -> dict[str, float]:
    """What speaks for a pair and what against it, apart: they need not weigh alike."""
    return {f"{name}_same": max(value, 0.0) * weight, f"{name}_other": min(value, 0.0)}


def _same(one: object, other: object) -> float:
    """1 the same, -1 different, 0 where either is not known."""
    if not one or not other:
        return 0.0
    return 1.0 if one == other else -1.0


def _years(one: int | None, other: int | None) -> float:
    """0 up to one year apart, down to -1."""
    if one is None or other is None:
        return 0.0
    return -min(max(abs(one - other) - 1, 0), _FURTHEST) / _FURTHEST


def _capacity(one: Sequence[Quantity], other: Sequence[Quantity]) -> float:
    """1 where a capacity agrees, -1 where both measure the same and none does."""
    pairs = [(a, b) for a in one for b in other if a.unit and a.unit == b.unit]
    if not pairs:
        return 0.0
    agree = any(a.meets(b) for a, b in pairs)
    return 1.0 if agree else -1.0


def _cost(one: tuple[float, float] | None, other: tuple[float, float] | None) -> float:
    """0 for prices that overlap or are not known, down to -1 for four times as dear."""
    if one is None or other is None or (one[0] <= other[1] and other[0] <= one[1]):
        return 0.0
    low, high = sorted((max(one[0], other[0]), min(one[1], other[1])))
    return -min(1.0, math.log((high + 1e-6) / (low + 1e-6)) / _DEAR)
