"""How many of what a query found are of each kind, field, stage, product, place, price …

The counts describe the hit set (:mod:`matcher.search`), which ranking by words and meaning together
defines before anything is ranked, so they do not depend on how far somebody pages. Each kind of
fact is counted under all *other* filters, as is usual where several values may be chosen: the
number beside a value is the total that a search would have with that value in place of what is
chosen of its kind. Counts are exact, whatever the number of records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from corpus import places_asked
from corpus.places import Places
from matcher import fit
from matcher.columns import NEVER, Column, Columns, Floats, Mask, Numbers, Seats, between
from matcher.hits import Ranking
from matcher.match import EVERYTHING, Matcher

SHOWN = 20  # values of one kind that are counted, the most frequent ones
TITLES = {
    "kind": "Loại",
    "field": "Lĩnh vực",
    "stage": "Khâu",
    "product": "Sản phẩm",
    "place": "Tỉnh, thành phố",
    "priority": "Ưu tiên",
    "trl": "Mức sẵn sàng (TRL)",
    "price": "Chi phí thấp nhất (triệu đồng)",
    "year": "Năm công bố",
    "validity": "Hiệu lực",
}
Chosen = Mapping[str, str | float | bool]


@dataclass(frozen=True)
class Bucket:
    """One value and how many hits have it; ``choose`` are the filter's parts that ask for it.

    ``parts`` are places inside a place; ``above`` are the nodes over a product, nearest first.
    """

    value: str
    count: int
    choose: Chosen
    chosen: bool = False
    parts: tuple[Bucket, ...] = ()
    above: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facet:
    """One kind of fact: its values, how many hits do not state it, and how many values there are.

    Of priorities, ``unknown`` are the hits that the list in force does not take in.
    ``distinct`` counts the values with hits; only the :data:`SHOWN` most frequent are listed.
    """

    name: str
    buckets: tuple[Bucket, ...]
    unknown: int
    distinct: int

    @property
    def title(self) -> str:
        """What people call it."""
        return TITLES[self.name]


@dataclass(frozen=True)
class Band:
    """A stretch of numbers, and the filter that asks for it."""

    value: str
    asks: fit.Filter


TRL = (
    Band("1–3: nghiên cứu", fit.Filter(trl_min=1, trl_max=3)),
    Band("4–6: thử nghiệm", fit.Filter(trl_min=4, trl_max=6)),
    Band("7–8: đã trình diễn", fit.Filter(trl_min=7, trl_max=8)),
    Band("9: đã dùng thực tế", fit.Filter(trl_min=9, trl_max=9)),
)
PRICE = (
    Band("đến 50", fit.Filter(price_max=50.0)),
    Band("trên 50 đến 200", fit.Filter(price_above=50.0, price_max=200.0)),
    Band("trên 200 đến 1.000", fit.Filter(price_above=200.0, price_max=1000.0)),
    Band("trên 1.000", fit.Filter(price_above=1000.0)),
)


def years(this: int) -> tuple[Band, ...]:
    """The bands of years, seen from the year ``this``."""
    return (
        Band(f"{this - 2} trở lại đây", fit.Filter(year_from=this - 2)),
        Band(f"{this - 5}–{this - 3}", fit.Filter(year_from=this - 5, year_to=this - 3)),
        Band(f"{this - 10}–{this - 6}", fit.Filter(year_from=this - 10, year_to=this - 6)),
        Band(f"trước {this - 10}", fit.Filter(year_to=this - 11)),
    )


def facets(
    matcher: Matcher, ranking: Ranking | None, only: fit.Filter = EVERYTHING
) -> tuple[Facet, ...]:
    """Count what ``ranking`` found (``None``: all records) by every kind of fact."""
    return tuple(_Counting(matcher, ranking, only).facets())


class _Counting:
    """One count: the hits under all other filters, and the ways to count them."""

    def __init__(self, matcher: Matcher, ranking: Ranking | None, only: fit.Filter) -> None:
        self.matcher, self.only = matcher, only
        self.columns: Columns = matcher.columns
        self.found = self.columns.known if ranking is None else ranking.found
        self.whole = np.flatnonzero(self.found & matcher.admitted(only))

    def facets(self) -> Iterator[Facet]:
        for name in ("kind", "field", "stage"):
            yield self._named(name, getattr(self.columns, name))
        yield self._products()
        yield self._places()
        yield from self._priority()
        columns, this = self.columns, self.columns.as_of.year
        yield self._bands("trl", columns.trl, TRL)
        yield self._bands("price", columns.price, PRICE)
        yield self._bands("year", columns.year, years(this))
        yield self._validity()

    def _rows(self, dimension: str) -> Numbers:
        """The hits under all filters but those of ``dimension``."""
        if self.only.only(dimension) == EVERYTHING:
            return self.whole
        return np.flatnonzero(self.found & self.matcher.admitted(self.only.without(dimension)))

    def _named(self, name: str, column: Column) -> Facet:
        """Count values as the filter compares them: ``quy trình`` takes in its longer names."""
        tally = column.tally(self._rows(name))
        counts = column.by_value(tally)
        asked = fit.several(getattr(self.only, name))
        buckets = [
            Bucket(value, _sum(tally, column.holding(value)), {name: value}, value in asked)
            for value in _most(column, counts, asked)
        ]
        distinct = int(np.count_nonzero(counts[[bool(each) for each in column.values]]))
        return Facet(name, _ordered(buckets), _sum(tally, column.unknown), distinct)

    def _products(self) -> Facet:
        """Count nodes of the tree, each with all below it."""
        terms = self.matcher.engine.lexicon.terms
        found = self._exact("product", "node", self.columns.node)
        above = {name: each.ancestors for name, each in terms.items()}
        buckets = [replace(each, above=above.get(each.value, ())) for each in found.buckets]
        return replace(found, buckets=tuple(buckets))

    def _priority(self) -> Iterator[Facet]:
        """Count the groups of the priority list in force; where there is none, nothing."""
        version = self.matcher.priority
        if version is None and self.only.priority is None:
            return
        found = self._exact("priority", "priority", self.columns.priority)
        names = {each.key: f"{each.key} {each.name}" for each in version.groups} if version else {}
        buckets = [replace(each, value=names.get(each.value, each.value)) for each in found.buckets]
        yield replace(found, buckets=tuple(buckets))

    def _exact(self, dimension: str, part: str, column: Column) -> Facet:
        """Count values that the filter compares as they stand."""
        tally = column.tally(self._rows(dimension))
        counts = column.by_value(tally)
        asked = fit.several(getattr(self.only, part))
        number = dict(zip(column.values, counts.tolist(), strict=True))
        buckets = [
            Bucket(name, number.get(name, 0), {part: name}, name in asked)
            for name in _most(column, counts, asked)
        ]
        distinct = int(np.count_nonzero(counts))
        return Facet(dimension, _ordered(buckets), _sum(tally, column.unknown), distinct)

    def _places(self) -> Facet:
        """Count the provinces of today, and inside each the old ones that went into it."""
        seats = self.columns.place
        tally = seats.tally(self._rows("place"))
        typed = fit.several(self.only.place)
        asked = {places_asked.asked(each, seats.places).label: each for each in typed}
        buckets = [
            _place(tally, seats, asked, name, parts) for name, parts in _provinces(seats.places)
        ]
        there = [each for each in buckets if each.count or each.chosen]
        return Facet("place", _ordered(there), _sum(tally, seats.unknown), len(there))

    def _bands(self, name: str, values: Floats, bands: Sequence[Band]) -> Facet:
        rows = self._rows(name)
        stated = values[rows]
        asked = self.only.only(name)
        buckets = [
            Bucket(band.value, int(between(stated, band.asks, name).sum()),
                   _asking(band.asks, name), asked == band.asks)
            for band in bands
        ]  # fmt: skip
        there = tuple(each for each in buckets if each.count or each.chosen)
        return Facet(name, there, int(np.isnan(stated).sum()), len(there))

    def _validity(self) -> Facet:
        ends = self.columns.ends[self._rows("validity")]
        today = self.columns.as_of.toordinal()
        in_force = int((ends >= today).sum())
        bucket = Bucket("còn hiệu lực hoặc chưa rõ hạn", in_force, {"valid": True}, self.only.valid)
        return Facet("validity", (bucket,) if len(ends) else (), int((ends == NEVER).sum()), 1)


def _asking(asked: fit.Filter, dimension: str) -> Chosen:
    values = {name: getattr(asked, name) for name in fit.DIMENSIONS[dimension]}
    return {name: value for name, value in values.items() if value is not None}


def _sum(tally: Numbers, cells: Mask) -> int:
    return int(tally[cells].sum())


def _most(column: Column, counts: Numbers, asked: Sequence[str]) -> list[str]:
    """The most frequent values that have hits, and those asked for whether they have any or not."""
    order = np.argsort(-counts, kind="stable")[: SHOWN + 1]  # values are in alphabetical order
    named = [column.values[each] for each in order.tolist() if counts[each]]
    kept = list(filter(None, named))[:SHOWN]
    return [*kept, *(each for each in asked if each not in kept)]


def _ordered(buckets: Sequence[Bucket]) -> tuple[Bucket, ...]:
    return tuple(sorted(buckets, key=lambda each: (-each.count, each.value)))


def _place(
    tally: Numbers, seats: Seats, asked: Mapping[str, str], name: str, parts: Sequence[str]
) -> Bucket:
    """Count a place; ``asked`` are labels of places asked for, and the words that asked for it."""
    inside = [_place(tally, seats, asked, each, ()) for each in parts]
    there = [each for each in inside if each.count or each.chosen]
    count = _sum(tally, seats.holding((name,)))
    return Bucket(name, count, {"place": asked.get(name, name)}, name in asked, _ordered(there))


def _provinces(places: Places) -> Iterator[tuple[str, list[str]]]:
    """Yield each province of today with the old ones that it was made of, as a filter calls them.

    A name that lives on in a larger province says of itself from when, or until when, it is meant.
    """
    made: dict[str, list[str]] = {}
    for old, new in sorted(places.new_names.items()):
        made.setdefault(new, []).append(places_asked.label(old, frozenset({old}), places))
    for new, parts in sorted(made.items()):
        whole = places_asked.label(new, places.extent(new), places)
        yield whole, parts if len(parts) > 1 else []
