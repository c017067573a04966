"""A refit of the ranking's weights, taken only when it is better where it was never fitted.

Weights are fitted on four folds of the needs (:mod:`matcher.folds`), how strongly they are pulled
towards the old ones is chosen among these four, and the fifth, locked since ever, decides by a
paired randomisation test. Whoever tries often enough passes any test once; so every look at the
locked fold is counted and the ``k``-th is held to the level ``0.05 / (k * (k + 1))``, which adds up
to 0.05 over all attempts there will ever be (alpha spending, as for interim looks at a trial:
Lan and DeMets, Biometrika 1983).

A record that nobody was shown is never an example to fit on. In the measure it gains nothing, as in
any nDCG: that favours the weights in use, which chose what was shown, and is meant to. What is
known was picked by words and meaning in the first place, so among it these tell little; a refit
that trusts that and brings up unseen records in their stead must not pass. (On the sample records
it might have: over the shown ones alone the new weights lost 0.002, over whole lists 0.015.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from matcher import significance, weighing
from matcher.compare import Change, changes, ndcg
from matcher.evidence import USEFUL, Evidence, Shown
from matcher.folds import FOLDS, LOCKED, Folds
from matcher.hits import Ranking
from matcher.match import Matcher
from matcher.models import Multipliers
from matcher.weighing import NOT_SHOWN, Case

LEVEL = 0.05
DEPTH = 1_000  # records of a ranking that new weights may bring into the first ten
FLIPS = 100_000  # the level shrinks with the attempts, so the p value must be fine
LEAST_TRAIN, LEAST_LOCKED = 20, 10  # needs with both a useful and a useless record
TOO_LITTLE, NO_CHANGE, NOT_BETTER, PROMOTED = "too little data", "no change", "not better", "better"
AS_THEY_ARE: Multipliers = {}


@dataclass(frozen=True)
class Lesson:
    """What one attempt found. ``old``, ``new`` and ``p`` are of the locked fold, None: not looked.

    ``changes`` are of the training folds only: whoever read those of the locked fold would learn
    from it.
    """

    outcome: str
    train: int  # needs with both a useful and a useless record, in the training folds
    locked: int  # … in the locked fold
    multipliers: Multipliers = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)  # of scores, for chances of use
    strength: float | None = None
    old: float | None = None
    new: float | None = None
    p: float | None = None
    attempt: int | None = None
    level: float | None = None
    changes: tuple[Change, ...] = ()
    unfound: int = 0  # shown records that their need's query does not find: no weight moves them

    def to_json(self) -> dict[str, Any]:
        """Return the figures under the names that other programs read."""
        return {
            "outcome": self.outcome,
            "train": self.train,
            "locked": self.locked,
            "multipliers": dict(self.multipliers),
            "scales": dict(self.scales),
            "strength": self.strength,
            "old": self.old,
            "new": self.new,
            "p": self.p,
            "attempt": self.attempt,
            "level": self.level,
            "unfound": self.unfound,
        }


def spent_level(attempt: int) -> float:
    """Return the level of the ``attempt``-th look at the locked fold, counted from 1."""
    return LEVEL / (attempt * (attempt + 1))


def learn(matcher: Matcher, evidence: Evidence, folds: Folds, attempts: int) -> Lesson:
    """Fit new weights and test them; changes nothing by itself.

    Args:
        matcher: the engine with the weights in use, over what everybody may read.
        evidence: what is known of records by need.
        folds: of all needs of ``matcher``.
        attempts: how often the locked fold was looked at before.
    """
    cases, unfound = _cases(matcher, evidence)
    train = [each for each in cases if not folds.locked(each.need)]
    locked = [each for each in cases if folds.locked(each.need)]
    counts = (sum(map(_tells, train)), sum(map(_tells, locked)))
    if counts[0] < LEAST_TRAIN or counts[1] < LEAST_LOCKED:
        return Lesson(TOO_LITTLE, *counts, unfound=unfound)
    groups = [[each for each in train if folds.fold[each.need] == n] for n in _numbers()]
    strength = weighing.choose(groups)
    if strength is None:
        return Lesson(NO_CHANGE, *counts, unfound=unfound)
    multipliers = weighing.fit(train, strength)
    told = _changes(train, multipliers, matcher)
    if math.fsum(each.difference for each in told) <= significance.SAME:
        return Lesson(NO_CHANGE, *counts, unfound=unfound)  # not worth a look at the locked fold
    old, new = (_measure(locked, each) for each in (AS_THEY_ARE, multipliers))
    gains = [new[key] - old[key] for key in old]
    p = significance.randomisation(gains, FLIPS)
    attempt = attempts + 1
    better = math.fsum(gains) > significance.SAME and p <= spent_level(attempt)
    return Lesson(
        PROMOTED if better else NOT_BETTER,
        *counts,
        multipliers=multipliers,
        scales=weighing.scales(train, matcher.engine.weights, multipliers, _even(matcher)),
        strength=strength,
        old=math.fsum(old.values()) / len(old),
        new=math.fsum(new.values()) / len(new),
        p=p,
        attempt=attempt,
        level=spent_level(attempt),
        changes=told,
        unfound=unfound,
    )


def _even(matcher: Matcher) -> dict[str, float]:
    """The scores at which a record's chance of use is even, with meaning and without."""
    curves = matcher.usefulness.records
    kinds = {"evidence_scale": "need", "words_evidence_scale": "need, words"}
    return {
        name: -curves[kind].intercept / curves[kind].weights["evidence"]
        for name, kind in kinds.items()
    }


def _numbers() -> list[int]:
    return [number for number in range(FOLDS) if number != LOCKED]


def _cases(matcher: Matcher, evidence: Evidence) -> tuple[list[Case], int]:
    """Rank every need that something is known of; return the cases and how many are not found."""
    cases, unfound = [], 0
    for key in sorted(set(evidence.shown) & set(matcher.needs)):
        shown = evidence.shown[key]
        ranking = matcher.rank(matcher.stated(matcher.needs[key]))
        case = _case(key, ranking, shown)
        unfound += len(shown) - int(case.shown.sum())
        if case.shown.any():
            cases.append(case)
    return cases, unfound


def _case(need: str, ranking: Ranking, shown: Mapping[str, Shown]) -> Case:
    """Keep the first records of a ranking, and those deeper ones that something is known of."""
    rows = ranking.rows.tolist()
    kept = (p for p, row in enumerate(rows) if p < DEPTH or ranking.ids[row] in shown)
    places = sorted(kept, key=lambda place: rows[place])
    ids = tuple(ranking.ids[rows[place]] for place in places)
    known = [shown.get(each) for each in ids]
    return Case(
        need,
        ids,
        {name: values[places] for name, values in ranking.parts.items()},
        np.array([each.grade if each else NOT_SHOWN for each in known], np.int64),
        np.array([each.weight if each else 1.0 for each in known], np.float64),
    )


def _tells(case: Case) -> bool:
    """Whether a need has both a useful and a useless record among what it finds."""
    return len({grade >= USEFUL for grade in case.grades[case.shown].tolist()}) == 2


def _qrels(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    return {
        each.need: {
            key: int(grade)
            for key, grade in zip(each.ids, each.grades, strict=True)
            if grade != NOT_SHOWN
        }
        for each in cases
        if _tells(each)
    }


def _orders(cases: Sequence[Case], multipliers: Multipliers) -> dict[str, list[str]]:
    return {each.need: each.order(multipliers) for each in cases if _tells(each)}


def _measure(cases: Sequence[Case], multipliers: Multipliers) -> Mapping[str, float]:
    return ndcg(_qrels(cases), _orders(cases, multipliers))


def _changes(
    cases: Sequence[Case], multipliers: Multipliers, matcher: Matcher
) -> tuple[Change, ...]:
    """Say what the new weights change for the needs that they were fitted on."""
    qrels = _qrels(cases)
    texts = {key: matcher.needs[key].text for key in qrels}
    titles = {key: each.name for key, each in matcher.technologies.items()}
    before, after = (_orders(cases, each) for each in (AS_THEY_ARE, multipliers))
    return changes(qrels, before, after, texts, titles)
