"""What pages need of all records of one index, worked out once and kept as long as that index.

A page must not walk a hundred thousand records for one reader. Whatever takes such a walk (names in
order, who owns what, which needs a product has) is worked out when first asked for and forgotten
with the matcher that it was worked out from.
"""

from __future__ import annotations

import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, TypeVar, cast

import numpy as np
from fastapi import Depends, Request

from corpus.records import Need, Product, Technology
from corpus.text import fold
from indexes.spelling import Speller
from matcher.hits import Rows
from matcher.match import Answer, Matcher, ProductList, Taker
from service.access import READ, needs
from service.api import Current
from service.person import Person

T = TypeVar("T")
KEPT = 500  # answers kept of each kind


class Catalogue:
    """The records of one matcher, in the orders and groups that pages show."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = weakref.ref(matcher)
        self._kept: dict[tuple[str, str], object] = {}
        self._asking = threading.Lock()

    @property
    def matcher(self) -> Matcher:
        """The matcher that this is about; whoever holds a catalogue has borrowed it."""
        matcher = self._matcher()
        assert matcher is not None
        return matcher

    @cached_property
    def in_order(self) -> Rows:
        """The rows of the index by name, then id; rows without a record are left out."""
        known = self.matcher.technologies
        named = [
            (fold(known[key].name.casefold()), key, row)
            for row, key in enumerate(self.matcher.engine.index.ids)
            if key in known
        ]
        return np.array([row for _, _, row in sorted(named)], np.int64)

    @cached_property
    def owners(self) -> Mapping[str, tuple[str, ...]]:
        """The ids of what each owner has, in the order of ids."""
        found: dict[str, list[str]] = defaultdict(list)
        for key, each in sorted(self.matcher.technologies.items()):
            if each.owner:
                found[each.owner].append(key)
        return {owner: tuple(keys) for owner, keys in found.items()}

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """All products by name."""
        products = self.matcher.products.values()
        return tuple(sorted(products, key=lambda each: (fold(each.name.casefold()), each.id)))

    @cached_property
    def parts(self) -> Mapping[str, tuple[Product, ...]]:
        """The products directly under each one."""
        found: dict[str, list[Product]] = defaultdict(list)
        for each in self.products:
            if each.parent:
                found[each.parent].append(each)
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def needs(self) -> Mapping[str, tuple[Need, ...]]:
        """What was stated for each product itself, the most urgent first."""
        found: dict[str, list[Need]] = defaultdict(list)
        for each in self.matcher.needs.values():
            found[each.product].append(each)
        return {
            key: tuple(sorted(each, key=lambda need: (need.priority or 9, need.id)))
            for key, each in found.items()
        }

    @cached_property
    def speller(self) -> Speller:
        """What mends slips of the keyboard."""
        views = self.matcher.engine.index.views
        return Speller(views["syllables"], views["bigrams"], views["unaccented"])

    def takers(self, technology: Technology, k: int) -> tuple[Taker, ...]:
        """Who needs ``technology``, kept: every need is ranked for it."""
        return self.once("taker", technology.id, lambda: self.matcher.takers(technology, k))

    def product_list(self, product: Product) -> ProductList:
        """The list that covers the needs of ``product``, kept."""
        return self.once("product", product.id, lambda: self.matcher.for_product(product))

    def answer(self, need: Need, k: int = 10) -> Answer:
        """What answers ``need``, kept."""
        matcher = self.matcher
        return self.once("need", need.id, lambda: matcher.answer(matcher.stated(need), k))

    def current(self) -> Matcher | None:
        """Return the matcher, or ``None`` when it was replaced: for work in the background."""
        return self._matcher()

    def once(self, kind: str, key: str, make: Callable[[], T]) -> T:
        """Return what ``make`` gives for ``key``, the first time; later what it gave then."""
        if (kind, key) not in self._kept:
            made = make()
            with self._asking:
                while len(self._kept) >= KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[kind, key] = made
            return made
        return cast(T, self._kept.get((kind, key)) or make())


class Catalogues:
    """The catalogue of every matcher in use."""

    def __init__(self) -> None:
        self._found: weakref.WeakValueDictionary[int, Matcher] = weakref.WeakValueDictionary()
        self._made: dict[int, Catalogue] = {}
        self._making = threading.Lock()

    def of(self, matcher: Matcher) -> Catalogue:
        """Return the catalogue of ``matcher``; those of matchers that are gone are dropped."""
        with self._making:
            if self._found.get(id(matcher)) is not matcher:
                self._found[id(matcher)] = matcher
                self._made[id(matcher)] = Catalogue(matcher)
            for gone in self._made.keys() - set(self._found.keys()):
                del self._made[gone]
            return self._made[id(matcher)]


def catalogue(request: Request, opened: Current) -> Catalogue:
    """Give a page the catalogue of the matcher that it was lent."""
    found: Catalogue = request.app.state.catalogues.of(opened.matcher)
    return found


Listed = Annotated[Catalogue, Depends(catalogue)]
Reader = Annotated[Person, needs(READ)]
