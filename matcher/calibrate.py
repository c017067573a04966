"""Fit the two curves of :mod:`matcher.usefulness` on judged needs, and say how good they are.

Real records often lack their stage and their products, which the engine then reads from the title.
A curve fitted where both are always stated trusts them too much, so the collection is used twice:
as it is, and with those columns and the keywords emptied. Needs are also asked in the few words of
their topics, without the encoder, and (in full) as questions about no product.

The sample's needs without an answer nearly all have a record for the same product and purpose that
misses one thing asked for. Elsewhere a need may have nothing of the kind, and a curve that saw near
misses only is too timid about it. So each need with an answer, where it names its product, is one
more without: its best record is then the first one judged to have nothing to do with it. All needs
without an answer together count as much as before, so the share of needs with one stays what it is,
and a curve is checked on needs as they were judged only.

The check is by folds that share no product and no duplicate: all needs of a product, and of every
product whose useful records tell the same thing twice, are in one fold (GroupKFold).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.model_selection import GroupKFold

from corpus.lexicon import Lexicon
from corpus.records import Technology
from matcher import calibration
from matcher.documents import document
from matcher.hits import Hit, Ranking
from matcher.match import Matcher
from matcher.model import DEFAULT
from matcher.models import ranking_digest
from matcher.need import Query
from matcher.testsets import TestSet
from matcher.usefulness import FACTS, KINDS, USEFUL, Curve, facts, kind

FOLDS = 5
Vector = npt.NDArray[np.float64]
Row = tuple[Mapping[str, float], bool, int]  # facts, whether useful, fold group
_UNRELATED = 0  # the grade of a record that has nothing to do with a need
Reopen = Callable[[TestSet, bool], Matcher]  # a test set, with or without the encoder
_SHRINKAGE = 1.0  # of standardised weights, in units of one observation


@dataclass(frozen=True)
class Observed:
    """Rows for one curve: ``facts`` (n, f), ``useful`` (n,), and the fold group of each row.

    ``supposed`` (n,) marks the rows that nobody judged: needs whose answers were taken away.
    """

    names: tuple[str, ...]
    facts: Vector
    useful: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]
    supposed: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, names: tuple[str, ...], rows: Sequence[Row], supposed: Sequence[Row] = ()
    ) -> Observed:
        """Put rows together, the supposed ones last."""
        told = [*rows, *supposed]
        table = [[each[name] for name in names] for each, _, _ in told]
        return cls(
            names,
            np.array(table, np.float64).reshape(-1, len(names)),
            np.array([useful for _, useful, _ in told], np.bool_),
            np.array([group for _, _, group in told], np.int64),
            np.arange(len(told)) >= len(rows),
        )

    @property
    def weights(self) -> Vector:
        """What each row counts, shape (n,): all useless ones as much as the judged ones alone."""
        useless = ~self.useful
        share = (useless & ~self.supposed).sum() / max(1, useless.sum())
        return np.where(useless, share, 1.0)

    def only(self, rows: npt.NDArray[np.int64]) -> Observed:
        """Return the rows with these numbers."""
        return replace(
            self,
            facts=self.facts[rows],
            useful=self.useful[rows],
            groups=self.groups[rows],
            supposed=self.supposed[rows],
        )


def calibrate(
    testset: TestSet, duplicates: Iterable[tuple[str, str]], lexicon: Lexicon, reopen: Reopen
) -> dict[str, Any]:
    """Fit all curves on ``testset``; return them with what they were checked by, ready for JSON."""
    groups = fold_groups(testset, duplicates)
    product = {each.id: each.product for each in testset.needs}
    observed: dict[str, dict[str, list[Row]]] = {"records": {}, "needs": {}, "supposed": {}}
    for edition in (testset, emptied(testset, lexicon)):
        for dense in (True, False):
            matcher = reopen(edition, dense)
            for name, query, ranking in _asked(edition, matcher):
                if not len(ranking):
                    continue
                best = ranking.hit(0)
                key = kind(query, best)
                group = groups[product[name]]
                judged = edition.qrels[name]
                answered = name in edition.answered
                observed["records"].setdefault(key, []).extend(_records(ranking, judged, group))
                row = (facts(best, *matcher.meets(query, best)), answered, group)
                observed["needs"].setdefault(key, []).append(row)
                other = _unrelated(ranking, judged)
                if answered and query.of_product and other:
                    row = (facts(other, *matcher.meets(query, other)), False, group)
                    observed["supposed"].setdefault(key, []).append(row)
    data: dict[str, Any] = {
        "fitted_on": {
            "collection": testset.name,
            "weights": ranking_digest(DEFAULT),
            "checks": {},
        }
    }
    sides: dict[str, tuple[tuple[str, ...], dict[str, list[Row]]]] = {
        "records": (("evidence",), {}),
        "needs": (FACTS, observed["supposed"]),
    }
    for side, (names, supposed) in sides.items():
        by_kind = observed[side]
        tables = {
            key: Observed.of(names, by_kind[key], supposed.get(key, ()))
            for key in KINDS
            if key in by_kind
        }
        data[side] = {key: fit(each) for key, each in tables.items()}
        checks = {key: check(each) for key, each in tables.items()}
        data["fitted_on"]["checks"][side] = checks
    return data


def emptied(testset: TestSet, lexicon: Lexicon) -> TestSet:
    """Return ``testset`` with technologies that state neither stage nor product nor keywords."""
    bare: dict[str, Any] = {"stages": (), "products": (), "keywords": ()}
    technologies: tuple[Technology, ...] = tuple(
        each.model_copy(update=bare) for each in testset.technologies
    )
    documents = tuple(document(each, lexicon) for each in technologies)
    return replace(testset, technologies=technologies, documents=documents)


def _asked(testset: TestSet, matcher: Matcher) -> Iterator[tuple[str, Query, Ranking]]:
    """Yield every need in full, by its topic, and in full as a question about no product."""
    for need in testset.needs:
        for text in filter(None, (need.text, need.topic)):
            query = matcher.stated(need.model_copy(update={"text": text}))
            yield need.id, query, matcher.rank(query)
        bare = replace(matcher.text(need.text), product="", products=frozenset())
        yield need.id, bare, matcher.rank(bare)


def _unrelated(ranking: Ranking, judged: Mapping[str, int]) -> Hit | None:
    """Return the first record that was judged to have nothing to do with the need, if any."""
    return next((hit for hit in ranking.hits() if judged.get(hit.id) == _UNRELATED), None)


def _records(ranking: Ranking, judged: Mapping[str, int], group: int) -> Iterator[Row]:
    for hit in ranking.hits():
        if hit.id in judged:
            yield {"evidence": hit.evidence}, judged[hit.id] >= USEFUL, group


def fold_groups(testset: TestSet, duplicates: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Number the groups of products that no fold may part (union-find).

    Two products are joined where a useful record of one is a useful record of the other, or tells
    the same as one.
    """
    parent = {each.id: each.id for each in testset.products}

    def root(key: str) -> str:
        while parent[key] != key:
            key = parent[key]
        return key

    product = {each.id: each.product for each in testset.needs}
    of_record: dict[str, list[str]] = {}
    for need, grades in testset.qrels.items():
        for record, grade in grades.items():
            if grade >= USEFUL:
                of_record.setdefault(record, []).append(product[need])
    pairs = [
        (of_record[one][0], other_product)
        for one, other in [*((each, each) for each in of_record), *duplicates]
        if one in of_record
        for other_product in of_record.get(other, ())
    ]
    for one, other in pairs:
        parent[max(root(one), root(other))] = min(root(one), root(other))
    numbers = {name: number for number, name in enumerate(sorted(set(map(root, parent))))}
    return {key: numbers[root(key)] for key in parent}


def fit(observed: Observed) -> dict[str, Any]:
    """Fit a logistic curve with weights >= 0 and a little shrinkage (L2); return it as data."""
    centre, spread = observed.facts.mean(axis=0), observed.facts.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    inputs = np.column_stack([np.ones(len(observed.facts)), (observed.facts - centre) / scale])
    signs, counts = np.where(observed.useful, 1.0, -1.0), observed.weights

    def loss(values: Vector) -> tuple[float, Vector]:
        margins = signs * (inputs @ values)
        pull = np.concatenate([[0.0], values[1:]])
        slopes = -signs * counts / (1.0 + np.exp(np.clip(margins, -500, 500)))
        total = counts @ np.logaddexp(0.0, -margins) + 0.5 * _SHRINKAGE * pull @ pull
        return float(total), inputs.T @ slopes + _SHRINKAGE * pull

    bounds = [(None, None), *[(0.0, None)] * len(observed.names)]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds)
    weights = found.x[1:] / scale
    return {
        "intercept": _round(found.x[0] - weights @ centre),
        "weights": {
            name: _round(value) for name, value in zip(observed.names, weights, strict=True)
        },
    }


def _round(value: float) -> float:
    return round(float(value), 4) + 0.0


def check(observed: Observed) -> dict[str, float]:
    """Measure the curve on folds that it was not fitted on, where somebody judged."""
    probabilities = np.zeros(len(observed.useful))
    folds = GroupKFold(FOLDS).split(observed.facts, groups=observed.groups)
    for train, held_out in folds:
        curve = Curve(**fit(observed.only(train)))
        told = (
            dict(zip(observed.names, row, strict=True)) for row in observed.facts[held_out].tolist()
        )
        probabilities[held_out] = [curve(each) for each in told]
    judged = ~observed.supposed
    found = calibration.measure(
        probabilities[judged], observed.useful[judged], observed.groups[judged]
    )
    return {name: _round(value) for name, value in found.items()}
