"""Fit the two curves of :mod:`matcher.usefulness` on judged needs, and say how good they are.

Real records often lack their stage and their products, which the engine then reads from the title.
A curve fitted where both are always stated trusts them too much, so the collection is used twice:
as it is, and with those columns and the keywords emptied. Needs are also asked in the few words of
their topics, without the encoder, and (in full) as questions about no product.

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
from matcher.hits import Ranking
from matcher.match import Matcher
from matcher.model import DEFAULT
from matcher.models import ranking_digest
from matcher.need import Query
from matcher.testsets import TestSet
from matcher.usefulness import FACTS, KINDS, USEFUL, Curve, facts, kind

FOLDS = 5
Vector = npt.NDArray[np.float64]
Row = tuple[Mapping[str, float], bool, int]  # facts, whether useful, fold group
Reopen = Callable[[TestSet, bool], Matcher]  # a test set, with or without the encoder
_SHRINKAGE = 1.0  # of standardised weights, in units of one observation


@dataclass(frozen=True)
class Observed:
    """Rows for one curve: ``facts`` (n, f), ``useful`` (n,), and the fold group of each row."""

    names: tuple[str, ...]
    facts: Vector
    useful: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, names: tuple[str, ...], rows: Sequence[tuple[Mapping[str, float], bool, int]]
    ) -> Observed:
        """Put rows together."""
        table = [[each[name] for name in names] for each, _, _ in rows]
        return cls(
            names,
            np.array(table, np.float64).reshape(-1, len(names)),
            np.array([useful for _, useful, _ in rows], np.bool_),
            np.array([group for _, _, group in rows], np.int64),
        )


def calibrate(
    testset: TestSet, duplicates: Iterable[tuple[str, str]], lexicon: Lexicon, reopen: Reopen
) -> dict[str, Any]:
    """Fit all curves on ``testset``; return them with what they were checked by, ready for JSON."""
    groups = fold_groups(testset, duplicates)
    product = {each.id: each.product for each in testset.needs}
    observed: dict[str, dict[str, list[Any]]] = {"records": {}, "needs": {}}
    for edition in (testset, emptied(testset, lexicon)):
        for dense in (True, False):
            matcher = reopen(edition, dense)
            for name, query, ranking in _asked(edition, matcher):
                if not len(ranking):
                    continue
                key = kind(query, ranking.hit(0))
                group = groups[product[name]]
                judged = edition.qrels[name]
                observed["records"].setdefault(key, []).extend(_records(ranking, judged, group))
                own, purpose = matcher.meets(query, ranking.hit(0))
                row = (facts(ranking.hit(0), own, purpose), name in edition.answered, group)
                observed["needs"].setdefault(key, []).append(row)
    names = {"records": ("evidence",), "needs": FACTS}
    data: dict[str, Any] = {
        "fitted_on": {
            "collection": testset.name,
            "weights": ranking_digest(DEFAULT),
            "checks": {},
        }
    }
    for side, by_kind in observed.items():
        tables = {key: Observed.of(names[side], by_kind[key]) for key in KINDS if key in by_kind}
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


def _records(
    ranking: Ranking, judged: Mapping[str, int], group: int
) -> Iterator[tuple[Mapping[str, float], bool, int]]:
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
    signs = np.where(observed.useful, 1.0, -1.0)

    def loss(values: Vector) -> tuple[float, Vector]:
        margins = signs * (inputs @ values)
        pull = np.concatenate([[0.0], values[1:]])
        slopes = -signs / (1.0 + np.exp(np.clip(margins, -500, 500)))
        total = np.logaddexp(0.0, -margins).sum() + 0.5 * _SHRINKAGE * pull @ pull
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
    """Measure the curve on folds that it was not fitted on."""
    probabilities = np.zeros(len(observed.useful))
    folds = GroupKFold(FOLDS).split(observed.facts, groups=observed.groups)
    for train, held_out in folds:
        part = replace(
            observed,
            facts=observed.facts[train],
            useful=observed.useful[train],
            groups=observed.groups[train],
        )
        curve = Curve(**fit(part))
        told = (
            dict(zip(observed.names, row, strict=True)) for row in observed.facts[held_out].tolist()
        )
        probabilities[held_out] = [curve(each) for each in told]
    found = calibration.measure(probabilities, observed.useful, observed.groups)
    return {name: _round(value) for name, value in found.items()}
