"""One query to ranked hits, each with the parts that its score is the sum of.

What is found (the *hit set*) is defined, so that totals and pages describe it: records that share a
content word with the query, or stand among the :data:`NEAREST` in meaning. A filter only removes
rows from that ranking. Who of them is best is worked out by :mod:`matcher.scoring`; this module
reads the query: its accents, its meaning, its words and what they count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.text import fold, has_accents
from indexes.accents import Restorer
from indexes.analyser import JOINT, terms
from indexes.encoders import Cache, Encoder
from indexes.hybrid import Index
from indexes.lexical import Evidence, Terms
from indexes.senses import Look
from indexes.vectors import Bounds
from matcher import fusion
from matcher.fitting import Fitting
from matcher.hits import Ranking, Reading, Rows
from matcher.model import DEFAULT, Weights
from matcher.need import Query, enlarged
from matcher.scoring import NEAREST, Bits, Scoring, Vector

Telling = Callable[[int], str]  # row → what its record says
Said = dict[str, dict[str, float]]  # by view: term → weight
Apply = Callable[..., Iterable[Any]]  # goes through arguments as :func:`map` does
FIRST = 10  # hits that a need's meaning is fed back from
TOLD = 3  # … and hits whose words a short need takes up
TYPED = 0.5  # share of plain syllables from which a query without accents was meant so
ACCENTED = ("words", "syllables", "bigrams")
TAKEN_UP = ("words", "syllables", "unaccented")


class _Read(NamedTuple):
    """A query, how its accented side is read and how far that counts, and what it means."""

    query: Query
    accented: Query
    share: float
    vector: Vector | None


class _Told(NamedTuple):
    """The first hits, how far each is believed, and what is meant in their light."""

    rows: Rows
    trust: npt.NDArray[np.float64]
    vector: Vector | None
    weight: float  # of the words that are taken up from them; 0: none are


class EncoderFailed(RuntimeError):  # noqa: N818 - it says what happened
    """The encoder could not read a query; the query's words can still be looked for."""


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
        self.fitting = Fitting(index.labels, lexicon, places, weights)
        self.restorer = Restorer(index.views["syllables"], index.views["bigrams"])
        self._direction = lru_cache(maxsize=10_000)(self._name_direction)
        self._misleading = lru_cache(maxsize=None)(self._misleading_rows)

    def rank(
        self,
        query: Query,
        provinces: Iterable[str | None] = (),
        meaning: Vector | None = None,
        words_only: bool = False,
        telling: Telling | None = None,
    ) -> Ranking:
        """Rank everything that ``query`` finds.

        Args:
            query: what is looked for.
            provinces: where each record's owner sits or where it is used, by row; empty: unknown.
            meaning: a unit vector that says what is meant, in place of the query's own.
            words_only: do not ask what it means, as where there is no encoder.
            telling: what the record of a row says, for a short query to take up words of its first
                hits; ``None``: it does not.

        Raises:
            EncoderFailed: the encoder did not do its work; nothing else is wrong.
        """
        read = self._read(query, meaning, words_only)
        return self._ranked([read], tuple(provinces), telling, map)[0]

    def rank_all(
        self,
        queries: Sequence[Query],
        provinces: Iterable[str | None] = (),
        telling: Telling | None = None,
        each: Apply = map,
    ) -> list[Ranking]:
        """Rank what each of ``queries`` finds, as :meth:`rank` does, in less time.

        All records are compared with all that the queries mean in one product of matrices.

        Args:
            queries: what is looked for; some dozens: each takes some bytes for every record.
            provinces: as for :meth:`rank`.
            telling: as for :meth:`rank`.
            each: what goes through them; :meth:`concurrent.futures.Executor.map` uses threads.

        Raises:
            EncoderFailed: the encoder did not do its work for one of them.
        """
        return self._ranked(list(each(self._read, queries)), tuple(provinces), telling, each)

    def _read(self, query: Query, meaning: Vector | None = None, words_only: bool = False) -> _Read:
        """Tell how ``query`` is to be read and what it means."""
        accented, share = self._accented(query)
        share = share if meaning is None else 1.0
        ask = bool(share) and meaning is None and not (words_only or query.empty)
        return _Read(query, accented, share, self._vector(accented) if ask else meaning)

    def _ranked(
        self,
        reads: Sequence[_Read],
        provinces: tuple[str | None, ...],
        telling: Telling | None,
        each: Apply,
    ) -> list[Ranking]:
        """Take every step for all of ``reads`` before the next one."""
        meant = [read.vector for read in reads if read.vector is not None]
        looks = iter(self.index.looks(np.stack(meant), NEAREST) if meant else ())
        seen = [None if read.vector is None else next(looks) for read in reads]

        def search(read: _Read, look: Look | None) -> Scoring | None:
            if read.query.empty:
                return None
            near = np.zeros(0, np.int64) if look is None else look.near.rows
            return self._scoring(read, look, self._found(read.query, near), provinces)

        def finish(
            read: _Read,
            look: Look | None,
            own: Scoring | None,
            told: _Told | None,
            bounds: Bounds | None,
        ) -> Ranking:
            if own is None or told is None:
                return Ranking(self.index, own)
            found = own
            if telling is not None and told.weight:
                larger = self._larger(read, told, telling)
                found = self._scoring(larger, look, own.bits, provinces)
                found.own = own.evidence
            if told.vector is not None:
                found.turn(told.vector, bounds)
            return Ranking(self.index, found)

        searches = list(each(search, reads, seen))
        listening = [telling is not None] * len(reads)
        told = list(each(self._told, reads, searches, listening))
        turned = [one.vector for one in told if one is not None and one.vector is not None]
        bounds = iter(self.index.bounds(np.stack(turned)) if turned else ())
        known = [None if one is None or one.vector is None else next(bounds) for one in told]
        return list(each(finish, reads, seen, searches, told, known))

    def _told(self, read: _Read, search: Scoring | None, listening: bool) -> _Told | None:
        """Return what the first hits of a need tell of it; ``None``: nothing that counts.

        That is so where it is no need or has no hits, and where it neither has a meaning that could
        be turned nor takes up words: one that says enough itself does not.
        """
        if search is None or not (read.query.of_product and search.size):
            return None
        weight = self.weights.taken_up * (search.terms.emphasis - 1.0) if listening else 0.0
        if read.vector is None and not weight:
            return None
        rows, trust = self._trusted(search)
        turned = None if read.vector is None else self._fed_back(read.vector, rows, trust)
        return _Told(rows, trust, turned, weight)

    def _larger(self, read: _Read, told: _Told, telling: Telling) -> _Read:
        """Return a short need with the words of its first hits."""
        said = _said(told.rows[:TOLD], told.weight * told.trust, telling)
        return read._replace(
            query=enlarged(read.query, said), accented=enlarged(read.accented, said)
        )

    def _scoring(
        self, read: _Read, look: Look | None, bits: Bits, provinces: tuple[str | None, ...]
    ) -> Scoring:
        query, accented, share, vector = read
        evidence, factors, reach, most = self.evidence(query, accented, share)
        weights = self.weights
        scale = weights.words_evidence_scale if vector is None else weights.evidence_scale
        named = fusion.emphasis(most, weights.size, weights.named) if query.stressed else 1.0
        terms = Reading(share, scale, tuple(reach.values()), named)
        fit = self.fitting.fit(query, provinces, named)
        search = Scoring(self.index, bits, evidence, factors, fit, terms)
        if vector is not None and look is not None:
            weight = weights.of_meaning(query.of_product) * share
            search.mean(vector, look, weight, weights.neutral_cosine)
        return search

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
        try:
            if query.stated and self.cache is not None:
                vector: Vector = self.cache.queries(self.encoder, [query.text])[0]
            else:
                vector = self.encoder.queries([query.text])[0]
            if query.product:
                vector = vector + self.weights.product_direction * self._direction(query.product)
        except Exception as error:  # engines raise what they like, memory that is full included
            raise EncoderFailed(str(error)) from error
        return _unit(vector)

    def _name_direction(self, name: str) -> Vector:
        assert self.encoder is not None
        if self.cache is not None:
            return np.asarray(self.cache.queries(self.encoder, [name])[0])
        return np.asarray(self.encoder.queries([name])[0])

    def _trusted(self, search: Scoring) -> tuple[Rows, npt.NDArray[np.float64]]:
        """Return the first hits, best first, and how far each is believed (they sum to 1)."""
        found = search.first(min(FIRST, search.size))
        totals = found.totals
        trust = np.exp((totals - totals[0]) / self.weights.feedback_spread)
        return found.rows, trust / trust.sum()

    def _fed_back(self, vector: Vector, rows: Rows, trust: npt.NDArray[np.float64]) -> Vector:
        """Turn ``vector`` towards what the first hits mean (Rocchio 1971, weighted by score).

        A need says what is wrong in its owner's words; the first record that answers it says the
        same in the words of records, and so finds the others.
        """
        trust = self.weights.feedback * trust
        return _unit(vector + trust @ self.index.directions(rows).astype(np.float64))

    def accent_share(self, query: Query) -> float:
        """How far to read the query as typed with accents: see :class:`matcher.model.Weights`.

        A query with an accent was typed with accents, and so was one that is a product's word as
        written (``cua``, ``ong``). Another without may be English, may be plain Vietnamese words
        (``tro bay``), or may have lost its accents; the corpus tells: in how many records does each
        syllable stand as typed, of those where it stands under any accents?
        """
        if has_accents(query.text) or self.lexicon.is_product(query.text):
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
        groups = self.fitting.other_senses
        values = np.array([word in each for each in groups.values], np.bool_)
        return self._packed(values[groups.numbers])

    def evidence(
        self, query: Query, accented: Query, share: float
    ) -> tuple[Evidence, dict[str, float], dict[str, float], float]:
        """Return the words' evidence, by view its factor in the ranking and its reach, its most.

        The most is what a record could score that says all of the query, as it is mainly read.
        """
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
        mosts = []
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
            mosts.append(most)
            factor = fusion.lexical_factor(most, self.weights.length, self.weights.size)
            factors |= {view: part * weights[view] * factor for view in views}
            reach |= dict.fromkeys(views, 1.0 / (most * factor) if most else 0.0)
        return Evidence(self.index.views, asked, factors, muted), factors, reach, mosts[0]


def _said(rows: Rows, weights: npt.NDArray[np.float64], telling: Telling) -> Said:
    """What the records of ``rows`` say: by view each term, by the weights of those that say it.

    A need and the record that answers it share words, seldom phrases: no bigrams.
    """
    said: Said = {view: {} for view in TAKEN_UP}
    for row, weight in zip(rows.tolist(), weights.tolist(), strict=False):
        found = terms(telling(row))
        for view, counts in said.items():
            for term in dict.fromkeys(found[view]):
                counts[term] = counts.get(term, 0.0) + weight
    return said


def _unit(vector: npt.NDArray[np.floating]) -> Vector:
    wide = vector.astype(np.float64)
    return np.asarray(wide / max(float(np.linalg.norm(wide)), 1e-12), np.float32)
