"""What the records of an index are about, and what a query gains by it: the soft fit.

Product, stage, process and place add to a score and never exclude. Many records share their labels,
so a gain is worked out once for each distinct value (:mod:`matcher.softfit`).
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

from corpus.lexicon import Lexicon
from corpus.places import Places
from indexes.segments import Labels
from matcher.documents import ALSO, OTHER_SENSE, PEST, PROCESS, PRODUCT, STAGE, STAGES, STATED
from matcher.hits import Parts
from matcher.model import Weights
from matcher.need import Query
from matcher.softfit import Fit, Groups, labelled

# Part of the soft fit → the kind of label whose values it counts for.
_COUNTED = {"product": PRODUCT, "stage": STAGES, "process": PROCESS}


class Fitting:
    """What each record is about, by row, and the soft fit of queries; keeps what it worked out."""

    def __init__(self, labels: Labels, lexicon: Lexicon, places: Places, weights: Weights) -> None:
        self.lexicon, self.places, self.weights = lexicon, places, weights
        self.relation = lru_cache(maxsize=200_000)(self._relation)
        self.nodes = lru_cache(maxsize=100_000)(self._nodes)
        self._near_places = lru_cache(maxsize=1_000)(self._settled_by_seat)
        self._fits = lru_cache(maxsize=1_000)(self._fit_by_kind)
        self._seats: tuple[tuple[str | None, ...], Groups[str]] | None = None
        # kind of label → what each row is labelled with, grouped when it is first asked for
        self._grouped = lru_cache(maxsize=None)(partial(labelled, labels))

    @property
    def products(self) -> Groups[frozenset[str]]:
        """The product-tree nodes of each record."""
        return self._grouped(PRODUCT)

    @property
    def stages(self) -> Groups[frozenset[str]]:
        """The value-chain stages of each record."""
        return self._grouped(STAGE)

    @property
    def other_senses(self) -> Groups[frozenset[str]]:
        """The words that each record uses for something else than a product."""
        return self._grouped(OTHER_SENSE)

    def _fit_by_kind(
        self,
        products: frozenset[str],
        stages: frozenset[str],
        processes: frozenset[str],
        aside: frozenset[str],
        stated: bool,
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
            relations = (self.relation(products, each) for each in self.products.values)
            parts["product"] = np.array([gain.get(each, 0.0) for each in relations])
        if stages:
            gains = [
                self._stage_gain(stages, each, stated) for each in self._grouped(STAGES).values
            ]
            parts["stage"] = np.array(gains, np.float64)
        if processes or aside:
            little = weights.process_aside
            most = len(processes) + little * len(aside)
            met = [
                len(processes & each) + little * len(aside & each)
                for each in self._grouped(PROCESS).values
            ]
            parts["process"] = weights.process * np.array(met) / max(most, 1.0)
        return parts

    def _stage_gain(self, asked: frozenset[str], told: frozenset[str], stated: bool) -> float:
        """What a record gains by its stages; a stage that is only read from a text counts less."""
        weights = self.weights

        def meets(kind: str) -> bool:
            return any(f"{kind.removeprefix(STAGES)}{each}" in told for each in asked)

        if stated and meets(STATED):
            return weights.stage_stated
        if meets(STAGE):
            return weights.stage
        return weights.stage_also if stated and meets(ALSO) else 0.0

    def fit(
        self, query: Query, provinces: tuple[str | None, ...], emphasis: float
    ) -> dict[str, Fit]:
        """Return the soft fit with ``query`` by kind of fact: what each value gains, and rows."""
        stated = query.conditions.stage is not None
        parts = self._fits(query.products, query.stages, query.processes, query.aside, stated)
        found = {
            name: Fit(self._grouped(_COUNTED[name]), gains * emphasis)
            for name, gains in parts.items()
        }
        if query.conditions.place and provinces:
            found["place"] = self._settled(query.conditions.place, provinces)
        return found

    def _settled(self, place: str, provinces: tuple[str | None, ...]) -> Fit:
        """Count a record whose owner sits in the need's province, as provinces are now."""
        known = self._seats  # one look: another thread may ask for other records' provinces
        if known is None or known[0] is not provinces:
            known = self._seats = provinces, Groups.of(each or "" for each in provinces)
        seats = known[1]
        return Fit(seats, self._near_places(place, tuple(seats.values)))

    def _settled_by_seat(self, place: str, seats: tuple[str, ...]) -> npt.NDArray[np.float64]:
        near = [
            bool(each) and self.places.same_place(place, each) in {"same", "merged"}
            for each in seats
        ]
        return self.weights.place * np.array(near, np.float64)

    def _relation(self, asked: frozenset[str], offered: frozenset[str]) -> str:
        """How a record's products stand to the query's: same, broader, near, other, unknown."""
        terms = self.lexicon.terms
        mine = [terms[name] for name in sorted(asked)]
        theirs = [terms[name] for name in sorted(offered) if name in terms]
        return self.lexicon.relation(mine, theirs)

    def _nodes(self, name: str) -> frozenset[str]:
        """The product-tree nodes that a product's stated name is read as."""
        return frozenset(each.name for each in self.lexicon.products(name))

    def products_of(self, row: int) -> frozenset[str]:
        """The product-tree nodes of one record."""
        return self.products[row]

    def stages_of(self, row: int) -> frozenset[str]:
        """The value-chain stages of one record."""
        return self.stages[row]

    def processes_of(self, row: int) -> frozenset[str]:
        """The processes that one record is about."""
        return self._grouped(PROCESS)[row]

    def pests_of(self, row: int) -> frozenset[str]:
        """What one record fights: names of the table of pests."""
        return self._grouped(PEST)[row]
