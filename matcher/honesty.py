"""Whether stated probabilities come true on a judged collection (:mod:`matcher.calibration`)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from matcher import calibration
from matcher.hits import Ranking
from matcher.match import Matcher
from matcher.need import Query
from matcher.testsets import TestSet


def of_needs(
    testset: TestSet, matcher: Matcher, ranked: Mapping[str, tuple[Query, Ranking]]
) -> dict[str, float]:
    """Measure the probability that a need has any useful record, over all judged needs."""
    keys = [key for key in sorted(ranked) if key in testset.qrels]
    truth = np.array([key in testset.answered for key in keys], np.bool_)
    told = np.array([matcher.answerable(*ranked[key]) for key in keys], np.float64)
    figures = calibration.measure(told, truth, np.arange(len(keys)))
    useful, count = int(figures.pop("useful")), int(figures.pop("n"))
    return {**figures, "with": useful, "without": count - useful}


def of_records(
    testset: TestSet, matcher: Matcher, ranked: Mapping[str, tuple[Query, Ranking]]
) -> dict[str, float]:
    """Measure the probability that a record is useful, over all judged pairs that are found.

    A judged record that a query does not find at all is left out and counted as ``unfound``.
    """
    told, truth, groups, unfound = [], [], [], 0
    for number, key in enumerate(key for key in sorted(ranked) if key in testset.qrels):
        query, ranking = ranked[key]
        judged = testset.qrels[key]
        found = [hit for hit in ranking.hits() if hit.id in judged]
        told += [matcher.usefulness.of_record(query, hit) for hit in found]
        truth += [judged[hit.id] >= testset.useful for hit in found]
        groups += [number] * len(found)
        unfound += len(judged) - len(found)
    figures = calibration.measure(
        np.array(told, np.float64), np.array(truth, np.bool_), np.array(groups, np.int64)
    )
    return {**figures, "unfound": float(unfound)}
