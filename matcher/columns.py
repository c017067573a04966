"""The facts of all records as columns of codes, so that filters and counts read no record.

A search at 100,000 records must not walk through them in Python. What a record states of one kind
is a *cell*; many records share their cells, so a question is put to each distinct cell once and its
answer spread over the rows by number. Columns are made when they are first asked for and live as
long as the records they show. What they admit is what :meth:`matcher.fit.Filter.admits` admits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from corpus import places_asked
from corpus.held import Stating
from corpus.lexicon import Lexicon
from corpus.lexicon_tables import ProductTerm
from corpus.places import Places
from corpus.places_area import Area, nearest
from corpus.text import fold, has_accents, joined
from matcher import fit
from matcher.need import Conditions
from matcher.softfit import Groups

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
ASKED = 256  # answers that a column keeps
NEVER = dt.date.max.toordinal()


@dataclass(frozen=True, eq=False)
class Column:
    """One kind of fact: the distinct cells, each a tuple of values, and each row's cell."""

    cells: Groups[tuple[str, ...]]
    _held: dict[str, Mask] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, ...]]) -> Column:
        """Number the distinct cells of ``rows``."""
        return cls(Groups.of(rows))

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The distinct values, in the order of the alphabet."""
        return tuple(sorted({each for cell in self.cells.values for each in cell}))

    @cached_property
    def _pairs(self) -> tuple[Numbers, Numbers]:
        """Which cell holds which value, as two columns of numbers."""
        number = {value: at for at, value in enumerate(self.values)}
        pairs = [
            (at, number[value])
            for at, cell in enumerate(self.cells.values)
            for value in dict.fromkeys(cell)
        ]
        table = np.array(pairs, np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def tally(self, rows: Numbers) -> Numbers:
        """Return how many of ``rows`` have each cell, shape (cells,)."""
        return np.bincount(self.cells.numbers[rows], minlength=len(self.cells.values))

    def by_value(self, tally: Numbers) -> Numbers:
        """Return how many rows hold each value, exactly, shape (values,)."""
        cells, values = self._pairs
        counts = np.zeros(len(self.values), np.int64)
        np.add.at(counts, values, tally[cells])
        return counts

    @cached_property
    def unknown(self) -> Mask:
        """Which cells state nothing, shape (cells,)."""
        return np.array([not any(cell) for cell in self.cells.values], np.bool_)

    def holding(self, asked: str) -> Mask:
        """Return which cells hold ``asked`` as whole words, shape (cells,)."""
        if asked not in self._held:
            if len(self._held) >= ASKED:
                self._held.clear()
            accented = has_accents(asked)
            wanted = f" {fit.comparable(asked, accented)} "
            told = self._told(accented)
            inside = np.array([bool(wanted.strip()) and wanted in each for each in told], np.bool_)
            cells, values = self._pairs
            found = np.zeros(len(self.cells.values), np.bool_)
            found[cells[inside[values]]] = True
            self._held[asked] = found
        return self._held[asked]

    def _told(self, accented: bool) -> Sequence[str]:
        return self._as_typed if accented else self._folded

    @cached_property
    def _as_typed(self) -> list[str]:  # records are normalised
        return [f" {joined(each.lower())} " for each in self.values]

    @cached_property
    def _folded(self) -> list[str]:
        return [f" {joined(fold(each))} " for each in self.values]

    def exactly(self, asked: Iterable[str]) -> Mask:
        """Return which cells hold one of the very values ``asked``, shape (cells,)."""
        wanted = frozenset(asked)
        return np.array([not wanted.isdisjoint(each) for each in self.cells.values], np.bool_)

    def rows(self, cells: Mask) -> Mask:
        """Return which rows have one of ``cells``, shape (n,)."""
        found: Mask = cells[self.cells.numbers]
        return found


Stated = tuple[dt.date | None, tuple[str, ...]]  # the day whose names are used, and the texts


@dataclass(frozen=True, eq=False)
class Seats:
    """Where records' owners sit and where they are used, as areas of old provinces."""

    areas: tuple[Area, ...]
    cells: Groups[tuple[int, ...]]  # numbers of the areas that a record names
    places: Places
    _held: dict[tuple[str, ...], tuple[Mask, Mask]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rows: Iterable[Stated], places: Places) -> Seats:
        """Read the places that ``rows`` name; each distinct text is read once."""
        stated = Groups.of(rows)
        find = cache(places.find)
        known: dict[Area, int] = {}
        cells = []
        for as_of, texts in stated.values:
            named = places_asked.stated(texts, as_of, find)
            cells.append(tuple(sorted({known.setdefault(each, len(known)) for each in named})))
        distinct = Groups.of(cells)
        numbers = distinct.numbers[stated.numbers] if cells else stated.numbers
        return cls(tuple(known), Groups(distinct.values, numbers), places)

    def tally(self, rows: Numbers) -> Numbers:
        """Return how many of ``rows`` have each cell, shape (cells,)."""
        return np.bincount(self.cells.numbers[rows], minlength=len(self.cells.values))

    @cached_property
    def unknown(self) -> Mask:
        """Which cells name no place, shape (cells,)."""
        return np.array([not cell for cell in self.cells.values], np.bool_)

    def holding(self, asked: Sequence[str]) -> Mask:
        """Return which cells name something inside the places ``asked``, shape (cells,)."""
        return self._lying(tuple(asked))[0]

    def doubtful(self, asked: Sequence[str]) -> Mask:
        """Return which cells may name something there, and nothing that surely is, (cells,)."""
        return self._lying(tuple(asked))[1]

    def _lying(self, asked: tuple[str, ...]) -> tuple[Mask, Mask]:
        if asked not in self._held:
            if len(self._held) >= ASKED:
                self._held.clear()
            wanted = places_asked.areas(asked, self.places)
            told = [places_asked.lies([each], wanted) for each in self.areas]
            found = [nearest(told[at] for at in cell) for cell in self.cells.values]
            inside = np.array([each == "inside" for each in found], np.bool_)
            perhaps = np.array([each == "perhaps" for each in found], np.bool_)
            self._held[asked] = inside, perhaps
        return self._held[asked]

    def rows(self, cells: Mask) -> Mask:
        """Return which rows have one of ``cells``, shape (n,)."""
        found: Mask = cells[self.cells.numbers]
        return found


class Columns:
    """The facts of the records of one index, by row; rows that nobody knows state nothing."""

    def __init__(
        self,
        rows: Sequence[Stating | None],
        stages: Groups[frozenset[str]],
        products: Groups[frozenset[str]],
        lexicon: Lexicon,
        places: Places,
        as_of: dt.date,
        priorities: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        """Take up the records.

        Args:
            rows: what the record of each row of the index states; ``None``: there is none.
            stages: what stages the index knows each row to be about.
            products: what nodes of the product tree it knows each row to be about.
            lexicon: knows the tree.
            places: the table of places.
            as_of: the day on which validity is judged.
            priorities: tells the keys of a record's groups in the priority list in force by the
                record's id; ``None``: there is no list.
        """
        self._rows, self._stages, self._products = rows, stages, products
        self._lexicon, self._places, self.as_of = lexicon, places, as_of
        self._priorities = priorities

    @cached_property
    def known(self) -> Mask:
        """Which rows have a record, shape (n,)."""
        return np.array([each is not None for each in self._rows], np.bool_)

    @cached_property
    def kind(self) -> Column:
        """What it is: a process, a machine, a variety."""
        return Column.of((each.kind or "",) if each else () for each in self._rows)

    @cached_property
    def field(self) -> Column:
        """The fields it belongs to."""
        return Column.of(each.fields if each else () for each in self._rows)

    @cached_property
    def owner(self) -> Column:
        """Whose it is."""
        return Column.of((each.owner,) if each and each.owner else () for each in self._rows)

    @cached_property
    def stage(self) -> Column:
        """Its stages of the value chain."""
        cells = [tuple(sorted(each)) for each in self._stages.values]
        return Column(Groups(cells, self._stages.numbers))

    @cached_property
    def node(self) -> Column:
        """Its nodes of the product tree, and all above them."""
        terms = self._lexicon.terms
        cells = [
            tuple(sorted({up for name in each for up in (name, *_above(name, terms))}))
            for each in self._products.values
        ]
        return Column(Groups(cells, self._products.numbers))

    @cached_property
    def priority(self) -> Column:
        """The keys of its groups in the priority list in force."""
        said = self._priorities
        return Column.of(tuple(said(each.id)) if said and each else () for each in self._rows)

    @cached_property
    def place(self) -> Seats:
        """Where its owner sits and where it is used."""
        stated = (
            (fit.names_of(each), fit.stated_places(each)) if each else (None, ())
            for each in self._rows
        )
        return Seats.of(stated, self._places)

    @cached_property
    def words(self) -> Column:
        """What a product's name is looked for in; nearly every row has a cell of its own."""
        return Column.of((*each.products, each.name) if each else () for each in self._rows)

    @cached_property
    def trl(self) -> Floats:
        """Readiness, 1..9; not a number where unknown."""
        return self._floats(each.trl if each else None for each in self._rows)

    @cached_property
    def price(self) -> Floats:
        """The lowest cost in million VND; not a number where unknown."""
        return self._floats(each.lowest_cost if each else None for each in self._rows)

    @cached_property
    def year(self) -> Floats:
        """The year of publication; not a number where unknown."""
        return self._floats(each.year if each else None for each in self._rows)

    @cached_property
    def ends(self) -> Numbers:
        """The last day of validity as an ordinal; the last day there is where none is stated."""
        days = (each.valid_until.toordinal() if each and each.valid_until else NEVER
                for each in self._rows)  # fmt: skip
        return np.fromiter(days, np.int64, len(self._rows))

    def _floats(self, values: Iterable[float | None]) -> Floats:
        known = (np.nan if each is None else each for each in values)
        return np.fromiter(known, np.float64, len(self._rows))

    def admitted(self, only: fit.Filter, dimension: str) -> Mask:
        """Return which rows the part of ``only`` that speaks of ``dimension`` admits, (n,)."""
        if dimension == "validity":
            return self.ends >= self.as_of.toordinal() if only.valid else self.everywhere
        if dimension in {"trl", "price", "year"}:
            return between(getattr(self, dimension), only, dimension)
        (name,) = fit.DIMENSIONS[dimension]
        if getattr(only, name) is None:
            return self.everywhere
        asked = fit.several(getattr(only, name))
        if dimension in {"product", "priority"}:
            exact = self.node if dimension == "product" else self.priority
            return exact.rows(exact.exactly(asked))
        if dimension == "place":
            return self.place.rows(self.place.holding(asked))
        column: Column = getattr(self, dimension)
        found = np.zeros(len(column.cells.values), np.bool_)
        for each in asked:
            found |= column.holding(each)
        return column.rows(found)

    def breaking(self, conditions: Conditions) -> Mask:
        """Return which rows break a hard rule of a need, shape (n,): see :func:`fit.breaches`."""
        broken: Mask = self.ends < self.as_of.toordinal()
        if conditions.budget is not None:
            broken = broken | (self.price > conditions.budget)
        if conditions.trl_min is not None:
            broken = broken | (self.trl < conditions.trl_min)
        return broken

    def undecided(self, only: fit.Filter) -> Mask:
        """Return which rows may lie in the place asked for, and nobody can tell, shape (n,)."""
        if only.place is None:
            return ~self.everywhere
        return self.place.rows(self.place.doubtful(fit.several(only.place)))

    @cached_property
    def everywhere(self) -> Mask:
        """All rows."""
        return np.ones(len(self._rows), np.bool_)


def between(values: Floats, only: fit.Filter, dimension: str) -> Mask:
    """Return which ``values`` lie in the bounds that ``only`` sets; the unknown in none."""
    least, most = (getattr(only, name) for name in fit.DIMENSIONS[dimension])
    found = np.ones(len(values), np.bool_)
    if least is not None:
        found &= values > least if dimension == "price" else values >= least
    if most is not None:
        found &= values <= most
    return found


def _above(name: str, terms: Mapping[str, ProductTerm]) -> tuple[str, ...]:
    return terms[name].ancestors if name in terms else ()
