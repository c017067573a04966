"""How good the ranking is on a collection with known answers.

Metrics come from ir_measures (nDCG with linear gain). Rankings are handed over by rank, so tied
scores cannot be reordered; a query that finds nothing counts 0; nothing disappears from an average.
In an interchange folder every need is ranked for its product, over the needs that have an answer;
hard rules remove nothing there (grades are topical) and are scored apart; needs without an answer
measure whether the engine can tell that nothing fits (AUROC, calibration), and plain fusion stands
beside the full matcher (:mod:`matcher.breakdown`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ir_measures

from corpus.lexicon import Lexicon
from corpus.places import Places
from indexes.encoders import Cache, Encoder
from indexes.hybrid import Index, Tick
from matcher import fit, honesty
from matcher.breakdown import breakdown
from matcher.hits import Ranking
from matcher.match import Matcher
from matcher.model import DEFAULT, Weights
from matcher.need import Query
from matcher.search import Engine
from matcher.testsets import TestSet

DEPTH = 100  # of the rankings handed to the metrics and written to a run file
NOTHING = [("", 0.0)]  # no record has an empty id
Run = dict[str, list[tuple[str, float]]]  # query → (record, score), best first


@dataclass(frozen=True)
class Report:
    """What was measured; all figures are fractions. ``run`` is the ranking of the queries.

    ``none`` is about the probability that a need has any useful record, ``useful`` about that of
    single records; ``beside_plain`` has plain fusion beside the full matcher, by group.
    """

    overall: dict[str, float]
    variants: dict[str, dict[str, float]]
    none: dict[str, float]
    useful: dict[str, float]
    beside_plain: dict[str, Any]
    constraints: dict[str, float] | None
    run: Run
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the figures under the names that other programs read."""
        return {
            "overall": self.overall,
            "variants": self.variants,
            "none": self.none,
            "useful": self.useful,
            "beside_plain": self.beside_plain,
            "constraints": self.constraints,
            "notices": list(self.notices),
        }


def evaluate(
    testset: TestSet,
    encoder: Encoder | None,
    cache: Cache | None,
    lexicon: Lexicon,
    places: Places,
    as_of: dt.date,
    weights: Weights = DEFAULT,
    tick: Tick | None = None,
) -> Report:
    """Index ``testset``, rank its queries and measure."""
    index = Index.build(testset.documents, encoder, cache, tick)
    engine = Engine(index, encoder, lexicon, places, weights, cache)
    matcher = Matcher.of(engine, testset.technologies, testset.products, testset.needs, as_of)
    queries = {key: _query(testset, matcher, key) for key in sorted(testset.queries)}
    ranked, rankings = {}, {}
    for key, query in queries.items():
        ranked[key] = query, matcher.rank(query)
        rankings[key] = _cut(ranked[key][1])
        if tick:
            tick("xếp hạng", 1, len(queries) + len(testset.variants))
    answered = testset.answered
    judged = ranked if testset.needs else {}
    return Report(
        overall=measure(testset, {key: rankings.get(key, []) for key in answered}),
        variants=_variants(testset, matcher, rankings, tick),
        none=_none(testset, matcher, ranked),
        useful=honesty.of_records(testset, matcher, judged) if judged else {},
        beside_plain=breakdown(testset, matcher, rankings),
        constraints=_constraints(testset, matcher),
        run=rankings,
        notices=testset.notices,
    )


def _query(testset: TestSet, matcher: Matcher, key: str, text: str | None = None) -> Query:
    if key not in matcher.needs:
        return matcher.text(testset.queries[key] if text is None else text)
    need = matcher.needs[key]
    return matcher.stated(need if text is None else need.model_copy(update={"text": text}))


def _cut(ranking: Ranking) -> list[tuple[str, float]]:
    return [
        (hit.id, hit.score)
        for hit in (ranking.hit(place) for place in range(min(DEPTH, len(ranking))))
    ]


def measure(testset: TestSet, run: Mapping[str, list[tuple[str, float]]]) -> dict[str, float]:
    """Return the metrics of ``run`` over its queries; each must be graded in ``testset``."""
    level = testset.useful
    names = {
        "nDCG@10": ir_measures.nDCG @ 10,
        "Recall@20": ir_measures.R(rel=level) @ 20,
        "MRR@10": ir_measures.RR(rel=level) @ 10,
        "P@1": ir_measures.P(rel=level) @ 1,
        "judged@10": ir_measures.Judged @ 10,
    }
    if not run:
        return {"queries": 0}
    qrels = {key: testset.qrels[key] for key in run}
    # A query that finds nothing is measured as one that finds nothing of use: ir_measures divides
    # by the number of records found.
    ranked = {
        key: {record: float(-place) for place, (record, _) in enumerate(hits or NOTHING)}
        for key, hits in run.items()
    }
    found = ir_measures.calc_aggregate(list(names.values()), qrels, ranked)
    figures: dict[str, float] = {name: float(found[each]) for name, each in names.items()}
    return {**figures, "queries": len(run)}


def _variants(
    testset: TestSet, matcher: Matcher, rankings: Run, tick: Tick | None
) -> dict[str, dict[str, float]]:
    """Measure each kind of variant beside the unchanged needs that it came from."""
    figures = {}
    for kind in sorted({each.kind for each in testset.variants}):
        run: Run = {}
        for each in (one for one in testset.variants if one.kind == kind):
            if each.need in testset.answered:
                query = _query(testset, matcher, each.need, each.text)
                run[each.need] = _cut(matcher.rank(query))
            if tick:
                tick("xếp hạng", 1, len(testset.queries) + len(testset.variants))
        unchanged = measure(testset, {key: rankings[key] for key in run})
        figures[kind] = {
            **measure(testset, run),
            "unchanged nDCG@10": unchanged.get("nDCG@10", 0.0),
        }
    return figures


def _none(
    testset: TestSet, matcher: Matcher, ranked: Mapping[str, tuple[Query, Ranking]]
) -> dict[str, float]:
    """How well needs with an answer are told from needs without; counts where all have one."""
    answered = sum(key in testset.answered for key in ranked)
    if answered in {0, len(ranked)}:
        return {"with": answered, "without": len(ranked) - answered}
    return honesty.of_needs(testset, matcher, ranked)


def _constraints(testset: TestSet, matcher: Matcher) -> dict[str, float] | None:
    """Recall and precision of the hard rules over pairs that are right in topic (grade >= 1)."""
    if testset.violations is None:
        return None
    found = {
        (key, record, broken.rule)
        for key, grades in testset.qrels.items()
        for record, grade in grades.items()
        if grade >= 1
        for broken in _broken(matcher, key, record)
    }
    right = len(found & testset.violations)
    return {
        "recall": right / len(testset.violations) if testset.violations else 1.0,
        "precision": right / len(found) if found else 1.0,
        "expected": len(testset.violations),
        "found": len(found),
    }


def _broken(matcher: Matcher, key: str, record: str) -> Iterable[fit.Breach]:
    technology = matcher.technologies.get(record)
    if technology is None:
        return ()
    conditions = matcher.stated(matcher.needs[key]).conditions
    return fit.breaches(technology, conditions, matcher.as_of)


def trec(run: Run, tag: str = "cungcau") -> Iterable[str]:
    """Yield the lines of a TREC run file: query Q0 record rank score tag."""
    for key in sorted(run):
        for rank, (record, score) in enumerate(run[key], start=1):
            yield f"{key} Q0 {record} {rank} {score:.6f} {tag}"
