"""One query to ranked hits, each with the parts that its score is the sum of.

What is found (the *hit set*) is defined, so that totals and pages describe it: records that share a
content word with the query, or stand among the :data:`NEAREST` in meaning. The best of them are
found without scoring all (:mod:`indexes.lexical`), which changes nothing in any score: a record
gets the same parts, to the last bit, whether it is among the first or scored with all the others. A
filter only removes rows from that ranking.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.text import fold, has_accents
from indexes import kernels
from indexes.accents import Restorer
from indexes.analyser import JOINT
from indexes.bm25 import unpacked
from indexes.encoders import Cache, Encoder
from indexes.hybrid import Index
from indexes.lexical import TIES, Evidence, Terms
from indexes.segments import Labels
from indexes.senses import Near
from matcher import fusion
from matcher.documents import OTHER_SENSE, PROCESS, PRODUCT, STAGE
from matcher.model import DEFAULT, Weights
from matcher.need import Query

NEAREST = 200
FIRST = 10  # hits that a need's meaning is fed back from
TYPED = 0.5  # share of plain syllables from which a query without accents was meant so
BLOCKS = (50, 500)  # so many best hits are worked out at first, and next; then all
ACCENTED = ("words", "syllables", "bigrams")
Rows = npt.NDArray[np.int64]
Bits = list[npt.NDArray[np.uint64]]  # by segment, one bit for each record
Parts = dict[str, npt.NDArray[np.float64]]
Vector = npt.NDArray[np.float32]
V = TypeVar("V", bound=Hashable)


class Hit(NamedTuple):
    """One found record: ``math.fsum(parts.values()) == score``."""

    id: str
    row: int
    score: float
    parts: Mapping[str, float]
    cosine: float | None  # raw, of query and record; None without an encoder
    coverage: float  # share of the query's lexical weight that the record says
    share: float = 1.0  # how far the accented side counts, meaning included
    scale: float = 1.0  # of learnt weights: see matcher.model.Weights

    @property
    def evidence(self) -> float:
        """The score as it would be had meaning counted in full: alike however a query is typed."""
        if self.cosine is None or self.share == 1.0:
            return self.score * self.scale
        return (self.score + self.parts["meaning"] * (1.0 / self.share - 1.0)) * self.scale


@dataclass(frozen=True)
class Reading:
    """How the parts of one query's scores are to be read."""

    share: float = 1.0  # how far the accented side counts, meaning included
    scale: float = 1.0  # of learnt weights: see matcher.model.Weights
    reach: tuple[float, ...] = ()  # what makes a share of the query of each part of words


@dataclass(frozen=True)
class Scored:
    """Hits with their exact parts, best first; ``cosines`` where there is an encoder.

    The parts of words come before all others.
    """

    rows: Rows
    parts: Parts
    cosines: npt.NDArray[np.float64] | None = None
    terms: Reading = Reading()

    @property
    def totals(self) -> npt.NDArray[np.float64]:
        """The scores, rounded to what tells two of them apart."""
        return np.round(sum(self.parts.values(), start=np.zeros(len(self.rows))), 6)

    def at(self, places: Rows) -> Scored:
        """Return the hits at ``places``, in that order."""
        return Scored(
            self.rows[places],
            {name: values[places] for name, values in self.parts.items()},
            None if self.cosines is None else self.cosines[places],
            self.terms,
        )

    @cached_property
    def columns(self) -> list[tuple[float, ...]]:
        """The values of :attr:`parts` as plain numbers, by hit."""
        return list(zip(*(values.tolist() for values in self.parts.values()), strict=True))

    @cached_property
    def listed(self) -> list[int]:
        """The rows as plain numbers."""
        return list(map(int, self.rows.tolist()))


class Ranking:
    """All hits of a query, best first, ready to be cut into pages.

    How many there are is known at once. The first ones are worked out when one of them is asked
    for, all others only when somebody goes that far.
    """

    def __init__(self, index: Index, search: _Search | None = None) -> None:
        self._index, self._search = index, search
        self._size = search.size if search else 0
        self._scored: Scored | None = None

    def __len__(self) -> int:
        return self._size

    def _upto(self, position: int) -> Scored:
        """Have the hits up to ``position`` ready."""
        if self._search is None or not 0 <= position < self._size:
            raise IndexError(f"hit {position:,} of {self._size:,}")
        if self._scored is None or position >= len(self._scored.rows):
            wanted = (block for block in BLOCKS if position < block)
            self._scored = self._search.first(min(next(wanted, self._size), self._size))
        return self._scored

    def hit(self, position: int) -> Hit:
        """Return the hit at ``position`` (0 = best)."""
        return self._hit(self._upto(position), position)

    def _hit(self, scored: Scored, position: int) -> Hit:
        row, values = scored.listed[position], scored.columns[position]
        cosine = None if scored.cosines is None else float(scored.cosines[position])
        parts = dict(zip(scored.parts, values, strict=True))
        told = zip(values, scored.terms.reach, strict=False)  # the parts of words come first
        coverage = math.fsum(value * reach for value, reach in told)
        share, scale = scored.terms.share, scored.terms.scale
        score = math.fsum(values)
        return Hit(self._index.ids[row], row, score, parts, cosine, coverage, share, scale)

    @property
    def rows(self) -> Rows:
        """The rows of all hits, best first."""
        return self._upto(self._size - 1).rows if self._size else np.zeros(0, np.int64)

    @property
    def ids(self) -> tuple[str, ...]:
        """The id of every row of the index."""
        return self._index.ids

    @property
    def parts(self) -> Parts:
        """The parts of all hits, best first."""
        return self._upto(self._size - 1).parts if self._size else {}

    def find(self, key: str) -> Iterable[Hit]:
        """Yield the hit of one record, if the query finds it; the others are not ranked."""
        row = self._index.row_of.get(key)
        if row is not None and self._search is not None and self._search.found[row]:
            yield self._hit(self._search.scored(np.array([row], np.int64)), 0)

    def hits(self, only: npt.NDArray[np.bool_] | None = None) -> Iterable[Hit]:
        """Yield hits, best first; those in rows that ``only`` (n,) admits, where it is given."""
        for position in range(self._size):
            scored = self._upto(position)
            if only is None or only[scored.listed[position]]:
                yield self._hit(scored, position)

    def count(self, only: npt.NDArray[np.bool_]) -> int:
        """Return how many hits stand in rows that ``only`` (n,) admits, exactly."""
        return 0 if self._search is None else int((self._search.found & only).sum())


class Engine:
    """Ranks the records of one index; holds no state beyond what it was given."""

    def __init__(
        self,
        index: Index,
        encoder: Encoder | None,
        lexicon: Lexicon,
        places: Places,
        weights: Weights = DEFAULT,
        cache: Cache | None = None,
    ) -> None:
        self.index, self.encoder, self.lexicon, self.weights = index, encoder, lexicon, weights
        self.places, self.cache = places, cache
        self.restorer = Restorer(index.views["syllables"], index.views["bigrams"])
        self.relation = lru_cache(maxsize=200_000)(self._relation)
        self._direction = lru_cache(maxsize=10_000)(self._name_direction)
        self._fits = lru_cache(maxsize=1_000)(self._fit_by_kind)
        self._misleading = lru_cache(maxsize=None)(self._misleading_rows)
        self._seats: tuple[tuple[str | None, ...], _Groups[str]] | None = None
        kinds = (PRODUCT, STAGE, PROCESS, OTHER_SENSE)
        groups = _labelled(index.labels, kinds)
        self._products, self._stages, self._processes, self._other_senses = groups

    def rank(self, query: Query, provinces: Iterable[str | None] = ()) -> Ranking:
        """Rank everything that ``query`` finds.

        Args:
            query: what is looked for.
            provinces: where each record's owner sits or where it is used, by row; empty: unknown.
        """
        if query.empty:
            return Ranking(self.index)
        accented, share = self._accented(query)
        vector = self._vector(accented) if share else None
        near = None if vector is None else self.index.nearest(vector, NEAREST)
        bits = self._found(query, np.zeros(0, np.int64) if near is None else near.rows)
        search = _Search(self, query, accented, tuple(provinces), share, vector, near, bits)
        if vector is not None and query.of_product and search.size:
            search.turn(self._fed_back(search, vector))
        return Ranking(self.index, search)

    def _accented(self, query: Query) -> tuple[Query, float]:
        """Return the query that the accented side reads, and how far that side counts."""
        share = self.accent_share(query)
        if query.restored is None or share >= TYPED:
            return query, share
        return query.restored, max(share, self.weights.restored)

    def _vector(self, query: Query) -> Vector | None:
        """What ``query`` means: its text, and in part its product."""
        if self.encoder is None or self.index.vectors is None:
            return None
        if query.stated and self.cache is not None:
            vector: Vector = self.cache.queries(self.encoder, [query.text])[0]
        else:
            vector = self.encoder.queries([query.text])[0]
        if query.product:
            vector = vector + self.weights.product_direction * self._direction(query.product)
        return _unit(vector)

    def _name_direction(self, name: str) -> Vector:
        assert self.encoder is not None
        if self.cache is not None:
            return np.asarray(self.cache.queries(self.encoder, [name])[0])
        return np.asarray(self.encoder.queries([name])[0])

    def _fed_back(self, search: _Search, vector: Vector) -> Vector:
        """Turn ``vector`` towards what the first hits mean (Rocchio 1971, weighted by score).

        A need says what is wrong in its owner's words; the first record that answers it says the
        same in the words of records, and so finds the others.
        """
        found = search.first(min(FIRST, search.size))
        totals = found.totals
        trust = np.exp((totals - totals[0]) / self.weights.feedback_spread)
        trust *= self.weights.feedback / trust.sum()
        return _unit(vector + trust @ self.index.directions(found.rows).astype(np.float64))

    def accent_share(self, query: Query) -> float:
        """How far to read the query as typed with accents: see :class:`matcher.model.Weights`.

        A query with an accent was typed with accents. One without may be English, may be plain
        Vietnamese words (``cao su``), or may have lost its accents; the corpus tells: in how many
        records does each syllable stand as typed, of those where it stands under any accents?
        """
        if has_accents(query.text):
            return 1.0
        plain, folded = self.index.views["syllables"], self.index.views["unaccented"]
        terms = sorted(set(query.terms["syllables"]))
        anyhow = folded.frequencies_of(folded.numbers([fold(term) for term in terms]))
        typed = plain.frequencies_of(plain.numbers(terms))
        idfs = folded.idfs(folded.frequencies_of(folded.numbers(terms)))
        found = weight = 0.0
        for held, idf, exactly in zip(anyhow.tolist(), idfs.tolist(), typed.tolist(), strict=True):
            if held:
                weight += idf
                found += idf * exactly / held
        plainness = found / weight if weight else 1.0
        low, high = self.weights.unaccented_below, self.weights.accented_above
        return fusion.accent_share(plainness, low, high)

    def _found(self, query: Query, near: Rows) -> Bits:
        bits = self._sharing(query, query.content)
        if query.homographs:
            misleading = self._misleading_any(query.homographs)
            told = self._sharing(query, query.content - query.homographs)
            bits = [(a & ~m) | (t & m) for a, t, m in zip(bits, told, misleading, strict=True)]
        if len(near):
            mask = np.zeros(len(self.index.ids), np.bool_)
            mask[near] = True
            bits = [each | more for each, more in zip(bits, self._packed(mask), strict=True)]
        if len(self.index.dead):
            gone = self._packed(self.index.dead)
            bits = [each & ~out for each, out in zip(bits, gone, strict=True)]
        return bits

    def _sharing(self, query: Query, content: frozenset[str]) -> Bits:
        """Which records share a content word with the query."""
        views = self.index.views
        bits = views["syllables"].bits(content)
        more = []
        if not has_accents(query.text):
            more.append(views["unaccented"].bits(map(fold, content)))
        if not query.content:  # nothing but function words: take them at their word
            more.append(views["syllables"].bits(query.terms["syllables"]))
        for other in more:
            bits = [each | also for each, also in zip(bits, other, strict=True)]
        return bits

    def _packed(self, mask: npt.NDArray[np.bool_]) -> Bits:
        """One bit for each row, by segment."""
        pieces, first = [], 0
        for size in self.index.sizes:
            padded = np.zeros((size + 63) // 64 * 64, np.bool_)
            padded[:size] = mask[first : first + size]
            pieces.append(np.packbits(padded, bitorder="little").view(np.uint64))
            first += size
        return pieces

    def _misleading_any(self, homographs: frozenset[str]) -> Bits:
        """Which records use one of the query's words for something else: a cloth, a label."""
        found, *others = (self._misleading(word) for word in sorted(homographs))
        for other in others:
            found = [mine | more for mine, more in zip(found, other, strict=True)]
        return found

    def _misleading_rows(self, word: str) -> Bits:
        groups = self._other_senses
        values = np.array([word in each for each in groups.values], np.bool_)
        return self._packed(values[groups.numbers])

    def evidence(
        self, query: Query, accented: Query, share: float
    ) -> tuple[Evidence, dict[str, float], dict[str, float]]:
        """Return the words' evidence, and by view its factor in the ranking and its reach."""
        dropped = query.homographs
        muted = self._misleading_any(dropped) if dropped else []
        if not any(each.any() for each in muted):
            muted = []
        # There the word counts nothing, though the query still asks for it.
        gone = dropped | {fold(word) for word in dropped} if muted else frozenset[str]()
        factors: dict[str, float] = {}
        reach: dict[str, float] = {}
        asked: dict[str, Terms] = {}
        weighed = self.weights.of_views(query.of_product)
        sides = ((accented, ACCENTED, share), (query, ("unaccented",), 1.0 - share))
        for read, views, part in sides:
            if part == 0.0:
                continue
            for view in views:
                counts = {**read.variants[view], **read.terms[view]}
                mute = [not gone.isdisjoint(term.split(JOINT)) for term in counts] if gone else ()
                asked[view] = Terms.of(self.index.views[view], counts, mute)
            ceilings = {view: asked[view].ceiling(read.terms[view]) for view in views}
            weights = {view: weighed[view] for view in views}
            most = math.fsum(weights[view] * ceilings[view] for view in views)
            factor = fusion.lexical_factor(most, self.weights.length, self.weights.size)
            factors |= {view: part * weights[view] * factor for view in views}
            reach |= dict.fromkeys(views, 1.0 / (most * factor) if most else 0.0)
        return Evidence(self.index.views, asked, factors, muted), factors, reach

    def _fit_by_kind(
        self, products: frozenset[str], stages: frozenset[str], processes: frozenset[str]
    ) -> Parts:
        """Soft fit of each distinct value: product, stage and process add and never exclude."""
        weights = self.weights
        parts: Parts = {}
        if products:
            gain = {
                "same": weights.same_product,
                "broader": weights.broader_product,
                "near": weights.near_product,
            }
            relations = (self.relation(products, each) for each in self._products.values)
            parts["product"] = np.array([gain.get(each, 0.0) for each in relations])
        if stages:
            meets = [float(bool(stages & each)) for each in self._stages.values]
            parts["stage"] = weights.stage * np.array(meets)
        if processes:
            shares = [len(processes & each) / len(processes) for each in self._processes.values]
            parts["process"] = weights.process * np.array(shares)
        return parts

    def fit(self, query: Query, provinces: tuple[str | None, ...]) -> dict[str, _Fit]:
        """Return the soft fit with ``query`` by kind of fact: what each value gains, and rows."""
        parts = self._fits(query.products, query.stages, query.processes)
        groups = {
            "product": self._products, "stage": self._stages, "process": self._processes,
        }  # fmt: skip
        found = {name: _Fit(groups[name], gains) for name, gains in parts.items()}
        if query.conditions.place and provinces:
            found["place"] = self._settled(query.conditions.place, provinces)
        return found

    def _settled(self, place: str, provinces: tuple[str | None, ...]) -> _Fit:
        """Count a record whose owner sits in the need's province, as provinces are now."""
        if self._seats is None or self._seats[0] is not provinces:
            self._seats = provinces, _Groups.of(each or "" for each in provinces)
        seats = self._seats[1]
        near = [
            bool(each) and self.places.same_place(place, each) in {"same", "merged"}
            for each in seats.values
        ]
        return _Fit(seats, self.weights.place * np.array(near, np.float64))

    def _relation(self, asked: frozenset[str], offered: frozenset[str]) -> str:
        """How a record's products stand to the query's: same, broader, near, other, unknown."""
        terms = self.lexicon.terms
        mine = [terms[name] for name in sorted(asked)]
        theirs = [terms[name] for name in sorted(offered) if name in terms]
        return self.lexicon.relation(mine, theirs)

    def products_of(self, row: int) -> frozenset[str]:
        """The product-tree nodes of one record."""
        return self._products[row]

    def stages_of(self, row: int) -> frozenset[str]:
        """The value-chain stages of one record."""
        return self._stages[row]

    def processes_of(self, row: int) -> frozenset[str]:
        """The processes that one record is about."""
        return self._processes[row]


class _Search:
    """One query against one index: who may be among the best, and their exact parts."""

    def __init__(
        self,
        engine: Engine,
        query: Query,
        accented: Query,
        provinces: tuple[str | None, ...],
        share: float,
        vector: Vector | None,
        near: Near | None,
        bits: Bits,
    ) -> None:
        self.index, self.bits, self.vector, self.near = engine.index, bits, vector, near
        self.stated = vector  # before any feedback
        self.evidence, self.factors, reach = engine.evidence(query, accented, share)
        self.fit = engine.fit(query, provinces)
        scales = engine.weights.words_evidence_scale, engine.weights.evidence_scale
        self.terms = Reading(share, scales[vector is not None], tuple(reach.values()))
        self.weight = engine.weights.of_meaning(query.of_product) * share
        self.neutral = engine.weights.neutral_cosine
        self.size = sum(kernels.counted(each) for each in bits)

    def turn(self, vector: Vector) -> None:
        """Score by the meaning ``vector``; what is a hit stays as it is."""
        self.vector, self.near = vector, self.index.nearest(vector, NEAREST)

    def first(self, k: int) -> Scored:
        """Return the ``k`` best hits, exactly, best first."""
        if k >= self.size:
            rows = np.flatnonzero(self.found)
        elif self.vector is None:
            rows = self.evidence.best(self._begin(), k)
        else:
            rows = self._closest(k)
        scored = self.scored(rows)
        return scored.at(np.lexsort((self.index.place[rows], -scored.totals))[:k])

    @cached_property
    def found(self) -> npt.NDArray[np.bool_]:
        """Which rows are hits, shape (n,)."""
        return unpacked(self.bits, self.index.sizes)

    def scored(self, rows: Rows) -> Scored:
        """Return ``rows`` (rising, all of them hits) with their exact parts, in that order."""
        return Scored(rows, *self._parts(rows), self.terms)

    def _begin(self) -> list[npt.NDArray[np.float32]]:
        """What records start with: their soft fit; :data:`kernels.OUT` where they are no hits."""
        scores = np.empty(len(self.index.ids), np.float32)
        ends = [0, *accumulate(self.index.sizes)]
        begin = [scores[start:end] for start, end in pairwise(ends)]
        for bits, piece in zip(self.bits, begin, strict=True):
            kernels.begin(bits, piece)
        for each in self.fit.values():
            each.give(scores)
        return begin

    @cached_property
    def _totals(self) -> tuple[npt.NDArray[np.float32], float]:
        """What words and fit give every record, in float32, and how far two may be out."""
        begin = self._begin()
        slack = max(map(self.evidence.slack, self.evidence.work, begin))
        return self.evidence.totals(begin), slack

    def _closest(self, k: int) -> Rows:
        """Rows among which are the ``k`` best of words and meaning together.

        No record outside :data:`NEAREST` is closer in meaning than those in it, so that what its
        words say bounds its score; only those that may still come in have their cosine computed.
        """
        assert self.near is not None
        totals, slack = self._totals
        level = kernels.kth(totals, k)
        seeds = np.union1d(self.near.rows, np.flatnonzero(totals >= level))
        known = totals[seeds] + self._meaning(seeds)
        least = kernels.kth(known.astype(np.float32), k) - slack
        # The most that meaning gives a record that is not among the nearest.
        farther = self.weight * (self.near.bound + TIES - self.neutral)
        rows = np.flatnonzero(totals >= max(least - farther, kernels.LEAST))
        rows = np.union1d(self.near.rows, rows)
        known = totals[rows] + self._meaning(rows)
        least = kernels.kth(known.astype(np.float32), k) - slack
        return rows[known >= least]

    def _meaning(self, rows: Rows) -> npt.NDArray[np.float64]:
        assert self.vector is not None
        cosines = self.index.cosines(self.vector, rows)
        return fusion.dense_part(cosines, self.weight, self.neutral)

    def _parts(self, rows: Rows) -> tuple[Parts, npt.NDArray[np.float64] | None]:
        """The exact parts of ``rows`` (rising), the same whoever else is asked for."""
        scores = self.evidence.exact(rows)
        parts = {view: values * self.factors[view] for view, values in scores.items()}
        cosines = None
        if self.vector is not None:
            turned = self.index.cosines(self.vector, rows)
            parts["meaning"] = fusion.dense_part(turned, self.weight, self.neutral)
            assert self.stated is not None
            same = self.vector is self.stated
            cosines = turned if same else self.index.cosines(self.stated, rows)
        parts |= {name: each.of(rows) for name, each in self.fit.items()}
        return parts, cosines


def _unit(vector: npt.NDArray[np.floating]) -> Vector:
    wide = vector.astype(np.float64)
    return np.asarray(wide / max(float(np.linalg.norm(wide)), 1e-12), np.float32)


@dataclass(frozen=True, eq=False)
class _Groups(Generic[V]):
    """The distinct values of one kind of fact, and each row's number among them."""

    values: list[V]
    numbers: npt.NDArray[np.int32]

    @classmethod
    def of(cls, rows: Iterable[V]) -> _Groups[V]:
        """Number the distinct values of ``rows`` in the order in which they first occur."""
        known: dict[V, int] = {}
        numbers = [known.setdefault(each, len(known)) for each in rows]
        return cls(list(known), np.array(numbers, np.int32))

    def __getitem__(self, row: int) -> V:
        return self.values[int(self.numbers[row])]

    @cached_property
    def members(self) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Where each value's rows start and stop, and the rows by value."""
        starts = np.zeros(len(self.values) + 1, np.int64)
        np.cumsum(np.bincount(self.numbers, minlength=len(self.values)), out=starts[1:])
        return starts, np.argsort(self.numbers, kind="stable").astype(np.int32)


def _labelled(labels: Labels, prefixes: Sequence[str]) -> list[_Groups[frozenset[str]]]:
    """Group rows by their labels of each kind.

    A set's labels of one kind are compared as the bytes of their numbers: there may be as many sets
    as records, and few groups.
    """
    groups = []
    for prefix in prefixes:
        mine = np.array([name.startswith(prefix) for name in labels.names], np.bool_)
        kept = mine[labels.members] if len(mine) else np.zeros(0, np.bool_)
        ends = np.concatenate([[0], np.cumsum(kept)])[labels.starts] * labels.members.itemsize
        told = labels.members[kept].tobytes()
        sets = _Groups.of(told[a:b] for a, b in pairwise(ends.tolist()))
        names = [name.removeprefix(prefix) for name in labels.names]
        values = [
            frozenset(names[each] for each in np.frombuffer(value, np.int32).tolist())
            for value in sets.values
        ]
        groups.append(_Groups(values, sets.numbers[labels.numbers]))
    return groups


@dataclass(frozen=True, eq=False)
class _Fit:
    """One part of the soft fit: what each value of a group gains."""

    group: _Groups[Any]
    gains: npt.NDArray[np.float64]

    def of(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Return what ``rows`` gain."""
        found: npt.NDArray[np.float64] = self.gains[self.group.numbers[rows]]
        return found

    def give(self, scores: npt.NDArray[np.float32]) -> None:
        """Add to every row what it gains."""
        starts, rows = self.group.members
        kernels.give(rows, starts, self.gains, scores)
