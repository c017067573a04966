"""One query to ranked hits, each with the parts that its score is the sum of.

What is found (the *hit set*) is defined, so that totals and pages describe it: records that share a
content word with the query, or stand among the :data:`NEAREST` in meaning. Every one of them is
scored exactly on both sides; a filter only removes rows from that ranking.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.text import fold, has_accents
from indexes.analyser import JOINT
from indexes.encoders import Cache, Encoder
from indexes.hybrid import Index
from matcher import fusion
from matcher.documents import OTHER_SENSE, PROCESS, PRODUCT, STAGE
from matcher.model import DEFAULT, Weights
from matcher.need import Query

NEAREST = 200
ACCENTED = ("words", "syllables", "bigrams")
Rows = npt.NDArray[np.int64]
Parts = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Hit:
    """One found record: ``math.fsum(parts.values()) == score``."""

    id: str
    row: int
    score: float
    parts: Mapping[str, float]
    cosine: float | None  # raw, of query and record; None without an encoder
    coverage: float  # share of the query's lexical weight that the record says


@dataclass(frozen=True)
class Ranking:
    """All hits of a query, best first, ready to be cut into pages."""

    ids: tuple[str, ...]
    rows: Rows
    parts: Parts
    cosines: npt.NDArray[np.float64] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def hit(self, position: int) -> Hit:
        """Return the hit at ``position`` (0 = best)."""
        parts = {name: float(values[position]) for name, values in self.parts.items()}
        lexical = (parts.get(view, 0.0) for view in (*ACCENTED, "unaccented"))
        cosine = None if self.cosines is None else float(self.cosines[position])
        row = int(self.rows[position])
        return Hit(self.ids[row], row, math.fsum(parts.values()), parts, cosine, math.fsum(lexical))

    def find(self, key: str) -> Iterable[Hit]:
        """Yield the hit of one record, if the query finds it."""
        for position in np.flatnonzero(self.rows == self.ids.index(key)) if key in self.ids else ():
            yield self.hit(int(position))

    def hits(self) -> Iterable[Hit]:
        """Yield hits, best first."""
        return (self.hit(position) for position in range(len(self)))


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
        self.relation = lru_cache(maxsize=200_000)(self._relation)
        self._products = _grouped(index.labels, PRODUCT)
        self._stages = _grouped(index.labels, STAGE)
        self._processes = _grouped(index.labels, PROCESS)
        self._other_senses = _grouped(index.labels, OTHER_SENSE)

    def rank(self, query: Query, provinces: Iterable[str | None] = ()) -> Ranking:
        """Rank everything that ``query`` finds.

        Args:
            query: what is looked for.
            provinces: where each record's owner sits or where it is used, by row; empty: unknown.
        """
        if query.empty:
            return Ranking(self.index.ids, np.zeros(0, np.int64), {})
        share = self._accent_share(query)
        vector = self._vector(query, share)
        rows = self._found(query, vector)
        parts = {name: values[rows] for name, values in self._lexical(query, share).items()}
        cosines = None
        if vector is not None and self.index.vectors is not None:
            cosines = self.index.vectors.scores(vector, rows)
            weight = self.weights.meaning * share
            parts["meaning"] = fusion.dense_part(cosines, weight, self.weights.neutral_cosine)
        parts |= self._fit(query, rows, tuple(provinces))
        total = sum(parts.values(), start=np.zeros(len(rows)))
        order = fusion.order(total)
        return Ranking(
            self.index.ids,
            rows[order],
            {name: values[order] for name, values in parts.items()},
            None if cosines is None else cosines[order],
        )

    def _vector(self, query: Query, share: float) -> npt.NDArray[np.float32] | None:
        if self.encoder is None or self.index.vectors is None or share == 0.0:
            return None
        vector: npt.NDArray[np.float32]
        if query.stated and self.cache is not None:
            vector = self.cache.queries(self.encoder, [query.sentence])[0]
        else:
            vector = self.encoder.queries([query.sentence])[0]
        return vector

    def _accent_share(self, query: Query) -> float:
        """How far to read the query as typed with accents: see :class:`matcher.model.Weights`.

        A query with an accent was typed with accents. One without may be English, may be plain
        Vietnamese words (``cao su``), or may have lost its accents; the corpus tells: in how many
        records does each syllable stand as typed, of those where it stands under any accents?
        """
        if has_accents(query.text):
            return 1.0
        plain, folded = self.index.views["syllables"], self.index.views["unaccented"]
        found = weight = 0.0
        for term in sorted(set(query.terms["syllables"])):
            anyhow = folded.document_frequency(fold(term))
            if anyhow:
                weight += folded.idf(term)
                found += folded.idf(term) * plain.document_frequency(term) / anyhow
        plainness = found / weight if weight else 1.0
        low, high = self.weights.unaccented_below, self.weights.accented_above
        return fusion.accent_share(plainness, low, high)

    def _found(self, query: Query, vector: npt.NDArray[np.float32] | None) -> Rows:
        mask = self._sharing(query, query.content)
        if query.homographs:
            told = self._sharing(query, query.content - query.homographs)
            mask = np.where(self._misleading(query), told, mask)
        if vector is not None and self.index.vectors is not None:
            mask[self.index.vectors.nearest(vector, NEAREST)] = True
        return np.flatnonzero(mask)

    def _sharing(self, query: Query, content: frozenset[str]) -> npt.NDArray[np.bool_]:
        """Which records share a content word with the query, shape (n,)."""
        views = self.index.views
        mask = views["syllables"].matching(content)
        if not has_accents(query.text):
            mask |= views["unaccented"].matching(map(fold, content))
        if not query.content:  # nothing but function words: take them at their word
            mask |= views["syllables"].matching(query.terms["syllables"])
        return mask

    def _misleading(self, query: Query) -> npt.NDArray[np.bool_]:
        """Which records use a word of the query's product for something else: a cloth, a label."""
        sets = [not query.homographs.isdisjoint(each) for each in self._other_senses.sets]
        found: npt.NDArray[np.bool_] = np.array(sets)[self._other_senses.numbers]
        return found

    def _lexical(self, query: Query, share: float) -> Parts:
        parts = self._views(query, share, frozenset())
        misleading = self._misleading(query) if query.homographs else np.zeros(0, np.bool_)
        if misleading.any():  # there the word counts nothing, though the query still asks for it
            honest = self._views(query, share, query.homographs)
            parts = {
                view: np.where(misleading, honest[view], values) for view, values in parts.items()
            }
        return parts

    def _views(self, query: Query, share: float, dropped: frozenset[str]) -> Parts:
        parts: Parts = {}
        for views, part in ((ACCENTED, share), (("unaccented",), 1.0 - share)):
            if part == 0.0:
                continue
            scores = {view: self._view(view, query, dropped) for view in views}
            ceilings = {view: self.index.views[view].ceiling(query.terms[view]) for view in views}
            weights = {view: getattr(self.weights, view, 1.0) for view in views}
            parts |= fusion.lexical_parts(scores, ceilings, weights, part)
        return parts

    def _view(self, view: str, query: Query, dropped: frozenset[str]) -> npt.NDArray[Any]:
        stated, variants = query.terms[view], query.variants[view]
        terms = {**variants, **stated}
        if dropped:
            gone = dropped | {fold(word) for word in dropped}
            terms = {term: terms[term] for term in terms if gone.isdisjoint(term.split(JOINT))}
        return self.index.views[view].scores(terms)

    def _fit(self, query: Query, rows: Rows, provinces: tuple[str | None, ...]) -> Parts:
        """Soft fit: product relation, stage and place add to the score and never exclude."""
        weights = self.weights
        parts: Parts = {}
        if query.products:
            gain = {
                "same": weights.same_product,
                "broader": weights.broader_product,
                "near": weights.near_product,
            }
            gains = (
                gain.get(self.relation(query.products, each), 0.0) for each in self._products.sets
            )
            parts["product"] = self._products.spread(gains, rows)
        if query.stages:
            meets = (weights.stage * bool(query.stages & each) for each in self._stages.sets)
            parts["stage"] = self._stages.spread(meets, rows)
        if query.processes:
            count = len(query.processes)
            meets = (len(query.processes & each) / count for each in self._processes.sets)
            parts["process"] = weights.process * self._processes.spread(meets, rows)
        if query.conditions.place and provinces:
            parts["place"] = self._place(query.conditions.place, rows, provinces)
        return parts

    def _place(
        self, place: str, rows: Rows, provinces: tuple[str | None, ...]
    ) -> npt.NDArray[np.float64]:
        """Count a record whose owner sits in the need's province, as provinces are now."""
        names = sorted({each for each in provinces if each})
        near = {each for each in names if self.places.same_place(place, each) in {"same", "merged"}}
        values = (self.weights.place * (provinces[row] in near) for row in rows)
        return np.fromiter(values, np.float64, len(rows))

    def _relation(self, asked: frozenset[str], offered: frozenset[str]) -> str:
        """How a record's products stand to the query's: same, broader, near, other, unknown."""
        terms = self.lexicon.terms
        mine = [terms[name] for name in sorted(asked)]
        theirs = [terms[name] for name in sorted(offered) if name in terms]
        return self.lexicon.relation(mine, theirs)

    def products_of(self, row: int) -> frozenset[str]:
        """The product-tree nodes of one record."""
        return self._products.of(row)

    def stages_of(self, row: int) -> frozenset[str]:
        """The value-chain stages of one record."""
        return self._stages.of(row)

    def processes_of(self, row: int) -> frozenset[str]:
        """The processes that one record is about."""
        return self._processes.of(row)


@dataclass(frozen=True, eq=False)
class _Groups:
    """The distinct label sets of one kind, and each row's number among them."""

    sets: list[frozenset[str]]
    numbers: Rows

    def of(self, row: int) -> frozenset[str]:
        return self.sets[int(self.numbers[row])]

    def spread(self, values: Iterable[float], rows: Rows) -> npt.NDArray[np.float64]:
        """Give every row the value of its set."""
        found: npt.NDArray[np.float64] = np.fromiter(values, np.float64)[self.numbers[rows]]
        return found


def _grouped(labels: tuple[tuple[str, ...], ...], prefix: str) -> _Groups:
    sets: dict[frozenset[str], int] = {}
    numbers = [
        sets.setdefault(
            frozenset(each.removeprefix(prefix) for each in row if each.startswith(prefix)),
            len(sets),
        )
        for row in labels
    ]
    return _Groups(list(sets) or [frozenset()], np.array(numbers, np.int64))
