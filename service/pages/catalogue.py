"""What pages need of all records, worked out once and kept as long as what it was worked out of.

A page must not walk a hundred thousand records for one reader. Whatever takes such a walk (names in
order, who owns what, which needs a product has) or a ranking is worked out when first asked for. It
is kept for the index that is open, beside the very records that it was made of: a need that
somebody changes costs that need's answer, and no walk over the technologies.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, TypeVar, cast

from fastapi import Depends, Request

from corpus.held import facts_of
from corpus.records import Need, Product, Technology
from indexes.spelling import Speller
from matcher import facets
from matcher.answers import Answer, ProductList, Sought, Taker
from matcher.hits import Rows
from matcher.match import EVERYTHING, WORDS_ONLY, Matcher
from matcher.search import Engine
from matcher.similar import Similar, similar
from service.access import needs
from service.api import Current
from service.pages import groups
from service.pages.kept import Kept
from service.person import Person
from service.roles import READ

T = TypeVar("T")
log = logging.getLogger(__name__)
KEPT = 500  # answers kept of each kind
RANKED = 20_000_000  # needs times records up to which rankings are kept: about 5 bytes for each
ANY = ("máy sấy", "may say")  # words that load whatever reads words, with accents and without
FEW = 20  # needs that are ranked while somebody waits for a page


class Catalogue:
    """The records of one matcher, in the orders and groups that pages show."""

    def __init__(self, matcher: Matcher, kept: Kept) -> None:
        self._matcher, self._kept = weakref.ref(matcher), kept

    @property
    def matcher(self) -> Matcher:
        """The matcher that this is about; whoever holds a catalogue has borrowed it."""
        matcher = self._matcher()
        assert matcher is not None
        return matcher

    def current(self) -> Matcher | None:
        """Return the matcher, or ``None`` when it was replaced: for work in the background."""
        return self._matcher()

    def prepare(self) -> None:
        """Have ready what the first reader would wait for; what fails here fails for them too."""
        try:
            matcher = self.matcher
            for words in ANY:
                found = matcher.answer(matcher.text(words), 1)
                facets.facets(matcher, found.ranking, EVERYTHING)
            _ = self.in_order, self.owners, self.products, self.needs, self.speller
        except Exception:
            log.exception("not ready for the first reader")

    def once(
        self,
        kind: str,
        key: str,
        make: Callable[[], T],
        *of: object,
        most: int = KEPT,
        sound: Callable[[T], bool] = lambda _: True,
    ) -> T:
        """Return what ``make`` gives for ``key``, the first time; later what it gave then.

        It is made anew as soon as one of the objects in ``of`` is another one. What is not
        ``sound`` (a ranking by words alone, because the encoder failed just then) is not kept.
        """
        known = self._kept.get(kind, key, of)
        if known is not None:
            return cast(T, known)
        made = make()
        if sound(made):
            self._kept.put(kind, key, of, made, most)
        return made

    def forget(self, kind: str, key: str) -> None:
        """Have something made anew when it is asked for again."""
        self._kept.drop(kind, key)

    @property
    def in_order(self) -> Rows:
        """The rows of the index by name, then id; rows without a record are left out."""
        known, ids = self.matcher.technologies, self.matcher.engine.index.ids
        return self.once("in order", "", lambda: groups.in_order(facts_of(known), ids), known)

    @property
    def owners(self) -> Mapping[str, tuple[str, ...]]:
        """The ids of what each owner has, in the order of ids."""
        known = self.matcher.technologies
        return self.once("owners", "", lambda: groups.owners(facts_of(known)), known)

    @property
    def products(self) -> tuple[Product, ...]:
        """All products by name."""
        known = self.matcher.products
        return self.once("products", "", lambda: groups.by_name(known.values()), known)

    @property
    def parts(self) -> Mapping[str, tuple[Product, ...]]:
        """The products directly under each one."""
        return self.once("parts", "", lambda: groups.parts(self.products), self.matcher.products)

    @property
    def needs(self) -> Mapping[str, tuple[Need, ...]]:
        """What was stated for each product itself, the most urgent first."""
        matcher = self.matcher
        return self.once("needs", "", lambda: groups.by_product(matcher.open_needs), matcher.needs)

    @property
    def speller(self) -> Speller:
        """What mends slips of the keyboard."""
        views = self.matcher.engine.index.views
        names = ("syllables", "bigrams", "unaccented")
        return self.once("speller", "", lambda: Speller(*(views[each] for each in names)))

    @property
    def supply(self) -> tuple[object, ...]:
        """What every match is made of, besides the index."""
        return self.matcher.technologies, self.matcher.as_of, self.matcher.priority

    @property
    def state(self) -> tuple[object, ...]:
        """What everything is made of, besides the index."""
        return (*self.supply, self.matcher.products, self.matcher.needs)

    def made_of(self, matcher: Matcher, need: Need) -> tuple[object, ...]:
        """What the reading of ``need`` and all that answers it are made of."""
        supply = matcher.technologies, matcher.as_of, matcher.priority
        return (*supply, need, matcher.products.get(need.product))

    def similar(self, technology: Technology, k: int) -> tuple[Similar, ...]:
        """What is like ``technology``, kept."""
        matcher = self.matcher
        return self.once(
            "similar", technology.id, lambda: similar(matcher, technology, k), *self.supply
        )

    def product_list(self, product: Product) -> ProductList:
        """The list that covers the needs of ``product``, kept."""
        matcher = self.matcher
        return self.once(
            "product", product.id, lambda: _light(matcher.for_product(product)), *self.state,
            sound=lambda made: all(map(sound, made.answers.values())),
        )  # fmt: skip

    def answer(self, need: Need, k: int = 10) -> Answer:
        """What answers ``need``, kept without its ranking."""
        matcher = self.matcher
        return self.once(
            "need", need.id, lambda: without_ranking(matcher.answer(matcher.stated(need), k)),
            *self.made_of(matcher, need), sound=sound,
        )  # fmt: skip

    def takers(self, technology: Technology, k: int, *, wait: bool) -> tuple[Taker, ...] | None:
        """Who needs ``technology``; ``None`` without ``wait`` where that would take a while.

        What takes a while is to rank every need. That knows nothing of the technology, so it is
        kept, and the next technology's takers are told at once.
        """
        matcher = self.matcher
        needs = matcher.open_needs
        if not wait and len(needs) > FEW and not all(self._ranked(matcher, each) for each in needs):
            return None
        if len(needs) * len(matcher.technologies) > RANKED:
            return matcher.takers(technology, k)
        with self._kept.working:
            demand = [self._sought(matcher, each, len(needs)) for each in needs]
        return matcher.takers(technology, k, demand)

    def _ranked(self, matcher: Matcher, need: Need) -> bool:
        return self._kept.get("sought", need.id, self.made_of(matcher, need)) is not None

    def _sought(self, matcher: Matcher, need: Need, most: int) -> Sought:
        return self.once(
            "sought", need.id, lambda: matcher.sought(need), *self.made_of(matcher, need),
            most=most, sound=lambda made: not made.trouble,
        )  # fmt: skip


def sound(answer: Answer) -> bool:
    """Whether the encoder did its work."""
    return WORDS_ONLY not in answer.notices


def without_ranking(answer: Answer) -> Answer:
    """Return what may be kept of an answer: its ranking holds a number for every record."""
    return replace(answer, ranking=None)


def _light(found: ProductList) -> ProductList:
    answers = {key: without_ranking(each) for key, each in found.answers.items()}
    return replace(found, answers=answers)


class Catalogues:
    """What is kept for every index in use."""

    def __init__(self) -> None:
        self._kept: weakref.WeakKeyDictionary[Engine, Kept] = weakref.WeakKeyDictionary()
        self._making = threading.Lock()

    def of(self, matcher: Matcher) -> Catalogue:
        """Return the catalogue of ``matcher``; what an index had is dropped with it."""
        with self._making:
            kept = self._kept.setdefault(matcher.engine, Kept())
        return Catalogue(matcher, kept)


def catalogue(request: Request, opened: Current) -> Catalogue:
    """Give a page the catalogue of the matcher that it was lent."""
    found: Catalogue = request.app.state.catalogues.of(opened.matcher)
    return found


Listed = Annotated[Catalogue, Depends(catalogue)]
Reader = Annotated[Person, needs(READ)]
