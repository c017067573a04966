"""Need → matches, product → a list that covers its needs, technology → its takers."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import islice, repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from corpus.held import Held, facts_of
from corpus.places_asked import Asked, asked
from corpus.priority import Membership, Priority, PriorityList, in_force
from corpus.records import Need, Product, Technology
from corpus.text import has_accents
from corpus.workflow import withdrawn
from matcher import explain, fit, fought, need
from matcher.answers import UNPLACED, Answer, InDoubt, Match, ProductList, Sought, Taker
from matcher.columns import Columns
from matcher.covering import cover
from matcher.hits import Hit, Key, Ranking
from matcher.model import VERSION
from matcher.need import Conditions, Query
from matcher.search import TYPED, EncoderFailed, Engine
from matcher.usefulness import Usefulness, shipped

_LOG = logging.getLogger(__name__)
_BLAS = ThreadpoolController()
EVERYTHING = fit.Filter()
WORDS_ONLY = "Bộ mã hóa đang gặp lỗi: lần này chỉ tìm theo từ ngữ."
RELATIONS = ("same", "broader", "near", "other", "unknown")
DEEP = 500  # hits looked at in any case, so that what is listed does not depend on k
ASIDE = 50  # and for mere references that break a rule, once the list of matches is full
TOGETHER = 32  # needs of a batch that are ranked at a time
MASKS = 64  # filters whose rows are kept
FIRST_PAGE: tuple[Key, Key] = ((-np.inf, -1), (-np.inf, -1))  # before all hits
DEPTH = 10  # matches of each need that a product's list is chosen from


class _Seen(NamedTuple):
    """How a record's products stand to the query's, its chance to be of use, and its label."""

    relation: str
    chance: float
    label: str


@dataclass(frozen=True)
class Matcher:
    """The engine with the records of one state of the store."""

    engine: Engine
    technologies: Mapping[str, Technology]
    products: Mapping[str, Product]
    needs: Mapping[str, Need]
    as_of: dt.date
    provinces: tuple[str | None, ...] = field(default=())
    usefulness: Usefulness = field(default_factory=shipped)
    model: str = VERSION  # how the engine's weights are called
    priorities: Mapping[str, PriorityList] = field(default_factory=dict)
    # Records as they were when they were put beside the index; empty: they have not changed since.
    beside: Mapping[str, Technology] = field(default_factory=dict, repr=False, compare=False)
    _masks: dict[fit.Filter, npt.NDArray[np.bool_]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    @classmethod
    def of(
        cls,
        engine: Engine,
        technologies: Held | Iterable[Technology],
        products: Iterable[Product],
        needs: Iterable[Need],
        as_of: dt.date,
        model: str = VERSION,
        priorities: Iterable[PriorityList] = (),
    ) -> Matcher:
        """Put an engine and records together; records the index does not know are left out."""
        known: Mapping[str, Technology]
        if isinstance(technologies, Held):
            known = technologies
        else:
            known = {each.id: each for each in technologies}
        return cls(
            engine,
            known,
            {each.id: each for each in products},
            {each.id: each for each in needs},
            as_of,
            _provinces(engine, known),
            model=model,
            priorities={each.id: each for each in priorities},
        )

    @cached_property
    def priority(self) -> PriorityList | None:
        """The version of the priority list in force; it is shown and filtered by, never ranked."""
        return in_force(self.priorities.values(), self.as_of)

    @cached_property
    def membership(self) -> Membership | None:
        """Tells what the list in force takes in; ``None``: there is none."""
        return Membership(self.priority, self.engine.lexicon) if self.priority else None

    def priorities_of(self, technology: Technology) -> tuple[Priority, ...]:
        """Return the groups of the list in force that ``technology`` belongs to."""
        return self.membership.of(technology) if self.membership else ()

    @property
    def open_needs(self) -> tuple[Need, ...]:
        """The needs that are matched: all but those that were withdrawn."""
        return tuple(each for each in self.needs.values() if not withdrawn(each))

    def renewed(
        self,
        technologies: Mapping[str, Technology],
        products: Mapping[str, Product],
        needs: Mapping[str, Need],
        priorities: Mapping[str, PriorityList],
        as_of: dt.date,
    ) -> Matcher:
        """Return the same over records of another state of the store, or as of another day."""
        changed = replace(
            self,
            technologies=technologies,
            products=products,
            needs=needs,
            priorities=priorities,
            beside=self.beside or self.technologies,
        )
        same = as_of == self.as_of and changed.priority == self.priority
        if technologies is not self.technologies:
            changed = replace(changed, provinces=_provinces(self.engine, technologies))
        elif same and "columns" in self.__dict__:  # what they show did not change
            changed.__dict__["columns"] = self.columns
            changed._masks.update(self._masks)
        return replace(changed, as_of=as_of) if as_of != self.as_of else changed

    def product(self, key: str) -> Product | None:
        """Return the product with the id ``key``, else the first (by id) with that name."""
        accented = has_accents(key)
        wanted = fit.comparable(key, accented)
        named = (
            each
            for _, each in sorted(self.products.items())
            if wanted in {fit.comparable(name, accented) for name in (each.name, *each.aliases)}
        )
        return self.products.get(key) or next(named, None)

    def text(
        self,
        text: str,
        product: Product | None = None,
        conditions: Conditions = need.UNSTATED,
    ) -> Query:
        """Read free text as a query, for ``product`` if one is known."""
        lexicon, weights = self.engine.lexicon, self.engine.weights
        return self._read(
            lambda words: need.from_text(words, lexicon, weights, product, conditions), text
        )

    def stated(self, stated: Need) -> Query:
        """Read a stated need of its product as a query."""
        product = self.products.get(stated.product)
        lexicon, weights = self.engine.lexicon, self.engine.weights
        return self._read(
            lambda words: need.from_need(stated, product, lexicon, weights, words), stated.text
        )

    def _read(self, reading: Callable[[str], Query], text: str) -> Query:
        """Read ``text``; where it was typed without accents, also with the likeliest ones."""
        query = reading(text)
        if query.empty or self.engine.accent_share(query) >= TYPED:
            return query
        return replace(query, restored=reading(self.engine.restorer.restore(query.text)))

    def rank(self, query: Query) -> Ranking:
        """Rank every record that ``query`` finds; raises where the encoder fails."""
        return self.engine.rank(query, self.provinces, telling=self._telling)

    def _telling(self, row: int) -> str:
        """What the record of a row of the index says, as far as this matcher's reader may see.

        A record that was changed or withdrawn since stands in the index as it was, and in all
        rankings: one that is withdrawn between two pages moves no other.
        """
        technology = (self.beside or self.technologies).get(self.engine.index.ids[row])
        said = (technology.name, technology.summary, technology.detail) if technology else ()
        return "\n".join(filter(None, said))

    def _ranked(self, query: Query) -> tuple[Ranking, str]:
        """Rank every record that ``query`` finds, by words alone where the encoder fails.

        Returns:
            The ranking, and what people are to be told about it, or "".
        """
        try:
            return self.rank(query), ""
        except EncoderFailed as error:
            _LOG.warning("the encoder failed: words alone are searched", exc_info=error)
        words = self.engine.rank(query, self.provinces, words_only=True, telling=self._telling)
        return words, WORDS_ONLY

    def answer(
        self,
        query: Query,
        k: int = 10,
        only: fit.Filter = EVERYTHING,
        after: tuple[Key, Key] = FIRST_PAGE,
    ) -> Answer:
        """Return the ``k`` best that pass ``only``, and as many that break a hard rule.

        Mere references that break one are listed from the first hits only: :data:`ASIDE`, or
        :data:`DEEP` where ``k`` matches are not to be had sooner. ``after`` are the keys of the
        last match and the last one set apart that are known already: the answer goes on behind
        them, whatever was removed meanwhile.
        """
        return self._answered(query, *self._ranked(query), k, only, after)

    def _answered(
        self,
        query: Query,
        ranking: Ranking,
        trouble: str,
        k: int,
        only: fit.Filter,
        after: tuple[Key, Key] = FIRST_PAGE,
    ) -> Answer:
        kept: list[Match] = []
        apart: list[Match] = []
        answerable = self.answerable(query, ranking)
        admitted, breaking = self.admitted(only), self.columns.breaking(query.conditions)
        total, blocked = ranking.count(admitted), ranking.count(admitted & breaking)
        most = min(k, total - blocked), min(k, blocked)
        for number, place in enumerate(ranking.placed(admitted)):
            if len(kept) >= most[0] and len(apart) >= most[1]:
                break
            if place.key <= min(after):
                continue
            breaks = bool(breaking[place.row])
            side, known = (apart, after[1]) if breaks else (kept, after[0])
            deep = ASIDE if len(kept) >= k else DEEP
            if len(side) >= most[breaks] and number < deep:
                continue
            key, hit = place.key, place.hit
            seen = self._seen(query, hit, answerable)
            if number >= deep and self._spent(query, seen, answerable, len(kept) >= k):
                break
            if kept and _beside_the_point(query, seen):
                continue
            if len(side) < k and key > known:
                technology = self.technologies[place.id]
                broken = fit.breaches(technology, query.conditions, self.as_of)
                side.append(self._explained(technology, query, hit, seen, broken, key))
        notices = (*_notices(query), *self._readings(only), *filter(None, [trouble]))
        doubt = self._in_doubt(query, ranking, only, k if after == FIRST_PAGE else 0)
        return Answer(
            query, tuple(kept), tuple(apart), total, notices, answerable, self.model, ranking, doubt
        )

    def _in_doubt(self, query: Query, ranking: Ranking, only: fit.Filter, k: int) -> InDoubt | None:
        """Return the hits that may lie in the place asked for: ``k`` of them, and how many."""
        if only.place is None:
            return None
        rows, answerable = self.undecided(only), self.answerable(query, ranking)
        found = []
        for hit in islice(ranking.hits(rows), k):
            technology, seen = self.technologies[hit.id], self._seen(query, hit, answerable)
            broken = fit.breaches(technology, query.conditions, self.as_of)
            found.append(self._explained(technology, query, hit, seen, broken))
        return InDoubt(self.places_asked(only), tuple(found), ranking.count(rows))

    def places_asked(self, only: fit.Filter) -> tuple[str, ...]:
        """Return how the places asked for are called where a record's place is in doubt."""
        return tuple(dict.fromkeys(each.doubt for each in self._places(only)))

    def _places(self, only: fit.Filter) -> list[Asked]:
        return [asked(each, self.engine.places) for each in fit.several(only.place)]

    def _readings(self, only: fit.Filter) -> Iterable[str]:
        """Say how the places asked for were read, where that does not go without saying."""
        return (each.note for each in self._places(only) if each.note)

    def answers(
        self, queries: Iterable[Query], k: int = 10, only: fit.Filter = EVERYTHING, threads: int = 2
    ) -> Iterator[Answer]:
        """Yield what :meth:`answer` returns for each of ``queries``, in their order.

        :data:`TOGETHER` are ranked at a time, which costs less, and the loops of scoring run
        outside Python's lock, so that ``threads`` work side by side. What a query finds does not
        depend on the others: the answers are the same to the last bit.
        """
        self.admitted(only)  # once, not by every thread
        rest = iter(queries)
        # The threads of a matrix product wait for one another in turns of the processor, and ours
        # want both cores for the rest: with one it takes less time, and half the processor's.
        with _BLAS.limit(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
            while some := list(islice(rest, TOGETHER)):
                rankings, troubles = zip(*self._all_ranked(some, pool), strict=True)
                yield from pool.map(
                    self._answered, some, rankings, troubles, repeat(k), repeat(only)
                )

    def _all_ranked(
        self, queries: Sequence[Query], pool: ThreadPoolExecutor
    ) -> list[tuple[Ranking, str]]:
        """Return what :meth:`_ranked` does of each query."""
        try:
            ranked = self.engine.rank_all(queries, self.provinces, self._telling, pool.map)
        except EncoderFailed:  # for one of them: who it was shows when each is asked for alone
            return list(map(self._ranked, queries))
        return [(each, "") for each in ranked]

    def _spent(self, query: Query, seen: _Seen, answerable: float, full: bool) -> bool:
        """Whether nothing more can be of use.

        A match list skips what is beside the point, so it may never be full.
        """
        weights = self.engine.weights
        least = min(weights.adapts, weights.adapts_own, weights.adapts_near)
        spent = answerable < weights.found or seen.chance < least
        return spent and (full or bool(query.product))

    @cached_property
    def columns(self) -> Columns:
        """The facts of the records by row of the index, made when first asked for."""
        engine = self.engine
        facts = facts_of(self.technologies)
        rows = [facts.get(key) for key in engine.index.ids]
        for row in np.flatnonzero(engine.index.dead).tolist():
            rows[row] = None
        stages, products = engine.fitting.stages, engine.fitting.products
        lexicon, places = engine.lexicon, engine.places
        return Columns(rows, stages, products, lexicon, places, self.as_of, self._groups)

    @property
    def _groups(self) -> Callable[[str], Iterable[str]] | None:
        """Tells the keys of a record's groups in the list in force: that takes all of its words."""
        said = self.membership
        return (
            (lambda key: (each.key for each in said.groups(self.technologies[key])))
            if said
            else None
        )

    def admitted(self, only: fit.Filter) -> npt.NDArray[np.bool_]:
        """Return which rows of the index ``only`` admits, shape (n,); unknown records are not."""
        found = self.columns.known
        for dimension in fit.DIMENSIONS:
            part = only.only(dimension)
            if part != EVERYTHING:
                found = found & self._admitted(part, dimension)
        return found

    def undecided(self, only: fit.Filter) -> npt.NDArray[np.bool_]:
        """Return which rows only their place keeps :meth:`admitted` from knowing, shape (n,)."""
        return self.admitted(only.without("place")) & self.columns.undecided(only)

    def _admitted(self, part: fit.Filter, dimension: str) -> npt.NDArray[np.bool_]:
        mask = self._masks.get(part)
        if mask is None:
            if len(self._masks) >= MASKS:
                self._masks.clear()
            mask = self._masks[part] = self.columns.admitted(part, dimension)
        return mask

    def answerable(self, query: Query, ranking: Ranking) -> float:
        """The probability that any record is useful for ``query``; it knows of no filter."""
        if not len(ranking) or not query.content:
            return 0.0
        best = ranking.hit(0)
        return self.usefulness.of_need(query, best, *self.meets(query, best))

    def meets(self, query: Query, hit: Hit) -> tuple[bool, bool]:
        """Whether a record is for the query's product or its group, and of its stage or process."""
        engine = self.engine
        relation = engine.fitting.relation(query.products, engine.fitting.products_of(hit.row))
        stages, processes = engine.fitting.stages_of(hit.row), engine.fitting.processes_of(hit.row)
        purpose = bool(query.processes & processes or query.stages & stages)
        return relation in {"same", "broader"}, purpose

    def _seen(self, query: Query, hit: Hit, answerable: float) -> _Seen:
        """How a hit stands to the query, and its label."""
        engine = self.engine
        relation = engine.fitting.relation(query.products, engine.fitting.products_of(hit.row))
        chance = self.usefulness.of_record(query, hit)
        if not query.content:  # filler names nothing that a record could suit
            return _Seen(relation, chance, explain.REFERENCE)
        unsaid = not (query.processes or query.stages)
        purpose = unsaid or self.meets(query, hit)[1]
        label = explain.label(relation, purpose, chance, answerable, engine.weights)
        pests = engine.lexicon.pests.relation(query.pests, engine.fitting.pests_of(hit.row))
        return _Seen(relation, chance, fought.capped(label, pests))

    def _explained(
        self,
        technology: Technology,
        query: Query,
        hit: Hit,
        seen: _Seen,
        broken: tuple[fit.Breach, ...],
        key: Key = UNPLACED,
    ) -> Match:
        engine, relation = self.engine, seen.relation
        stages, processes = engine.fitting.stages_of(hit.row), engine.fitting.processes_of(hit.row)
        named = self._named(technology, query)
        against = fought.reason(query.pests, engine.fitting.pests_of(hit.row), engine.lexicon.pests)
        told = explain.sentence(
            technology, named, query, relation, stages, processes, self.as_of, against
        )
        missing = explain.lacks(technology, query, relation, stages, processes, engine.lexicon)
        missing = "; ".join(filter(None, (against, missing)))
        passage = partial(explain.passage, technology, query, engine.lexicon)
        explanation = explain.Explanation(seen.label, told, broken, missing, passage)
        groups = self.priorities_of(technology)
        return Match(technology, hit, explanation, seen.chance, key, groups)

    def _named(self, technology: Technology, query: Query) -> list[str]:
        """The record's products as stated, those nearest to the query's first."""

        def distance(name: str) -> int:
            return RELATIONS.index(
                self.engine.fitting.relation(query.products, self.engine.fitting.nodes(name))
            )

        return sorted(technology.products, key=distance)

    def for_product(self, product: Product, k: int = 10) -> ProductList:
        """Choose ``k`` technologies that together serve the needs of ``product`` and its parts.

        Greedy maximum coverage: each step takes the technology that adds most to the sum, over
        needs, of the best match so far (a monotone submodular sum, so greedy is within 1 - 1/e of
        the best list). Ten answers to the first need add nothing after the best one.
        """
        needs = [each for each in self.open_needs if self._serves(each.product, product.id)]
        needs.sort(key=lambda each: (each.priority or 9, each.id))
        answers = {each.id: self.answer(self.stated(each), DEPTH) for each in needs}
        choices = cover(needs, answers, k)
        served = {each.id for choice in choices for each in choice.needs}
        uncovered = tuple(each for each in needs if each.id not in served)
        return ProductList(product, choices, answers, uncovered)

    def _serves(self, product: str, ancestor: str) -> bool:
        seen: set[str] = set()
        current: str | None = product
        while current and current not in seen:
            if current == ancestor:
                return True
            seen.add(current)
            parent = self.products.get(current)
            current = parent.parent if parent else None
        return False

    def one(self, query: Query, technology: Technology) -> Match | None:
        """Return how one technology answers ``query``; ``None``: the query does not find it."""
        ranking, _ = self._ranked(query)
        answerable = self.answerable(query, ranking)
        for hit in ranking.find(technology.id):
            seen = self._seen(query, hit, answerable)
            broken = fit.breaches(technology, query.conditions, self.as_of)
            return self._explained(technology, query, hit, seen, broken)
        return None

    def sought(self, stated: Need) -> Sought:
        """Read a need and rank for it: the part of :meth:`takers` that knows no technology."""
        query = self.stated(stated)
        ranking, trouble = self._ranked(query)
        return Sought(stated, query, ranking, self.answerable(query, ranking), trouble)

    def takers(
        self, technology: Technology, k: int = 10, demand: Iterable[Sought] | None = None
    ) -> tuple[Taker, ...]:
        """Return the needs that ``technology`` may serve, best first; ties by id.

        Args:
            technology: what is offered.
            k: how many, at most.
            demand: the needs to look at, as :meth:`sought` returns them; ``None``: all open ones.
        """
        looked = map(self.sought, self.open_needs) if demand is None else demand
        found = [(each, hit) for each in looked for hit in each.ranking.find(technology.id)]
        found.sort(key=lambda pair: (-round(pair[1].score, 6), pair[0].need.id))
        return tuple(self._taker(each, hit, technology) for each, hit in found[:k])

    def _taker(self, sought: Sought, hit: Hit, technology: Technology) -> Taker:
        query = sought.query
        broken = fit.breaches(technology, query.conditions, self.as_of)
        seen = self._seen(query, hit, sought.answerable)
        match = self._explained(technology, query, hit, seen, broken)
        return Taker(sought.need, self.products.get(sought.need.product), match)


def _provinces(engine: Engine, known: Mapping[str, Technology]) -> tuple[str | None, ...]:
    """Return where each row's owner sits, ``None`` where nobody knows."""
    facts = facts_of(known)
    rows = (facts.get(key) for key in engine.index.ids)
    return tuple(each.province if each else None for each in rows)


def _beside_the_point(query: Query, seen: _Seen) -> bool:
    """Whether a mere reference is about another product than the one the list is for.

    A search shows everything it found; a match list for pineapple that names fragrant rice
    loses its reader. The first hit always stays, as the nearest miss.
    """
    return bool(query.product) and seen.label == explain.REFERENCE and seen.relation == "other"


def _notices(query: Query) -> Iterable[str]:
    if query.empty:
        yield "Câu hỏi chưa có từ nào để tìm."
    elif not query.content:
        yield "Câu hỏi chỉ có từ chung; hãy thêm tên sản phẩm hoặc việc cần làm."
    if query.truncated:
        yield f"Câu hỏi quá dài: chỉ dùng {need.MAX_SYLLABLES} tiếng đầu."
