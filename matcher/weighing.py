"""One multiplier for each part of a score, fitted so that better records stand above worse ones.

Few and plain on purpose: a multiplier is never negative, says "this part counts so much more or
less", and is shrunk towards 1, the weights as they are. The lexical parts are divided by their own
ceiling, so they have no scale of their own: they are the measure that the others are scaled by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from matcher import fusion
from matcher.model import Weights
from matcher.models import Multipliers, field_names

Array = npt.NDArray[np.float64]
NOT_SHOWN = -1
MOST = 5.0  # a multiplier beyond this would be another ranking, not a refit
# Scales of the weights → the part that is not in the scores that they scale.
_SCALES = {"evidence_scale": "", "words_evidence_scale": "meaning"}
STEEPNESS = (3.0, 30.0, 300.0)  # where the fit starts from
STEEPEST = 1000.0
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # of the pull towards 1, in needs
DIGITS = 4


@dataclass(frozen=True, eq=False)
class Case:
    """One need and records that it finds, in the order of ids.

    ``parts`` has one array of shape (n,) for each part; ``grades`` are 0 to 3, or
    :data:`NOT_SHOWN`, of which nothing is learnt; ``counts`` says how much each record counts, at
    least 1.
    """

    need: str
    ids: tuple[str, ...]
    parts: Mapping[str, Array]
    grades: npt.NDArray[np.int64]
    counts: Array

    @property
    def shown(self) -> npt.NDArray[np.bool_]:
        """Which records are known of, shape (n,)."""
        return np.not_equal(self.grades, NOT_SHOWN)

    def order(self, multipliers: Multipliers) -> list[str]:
        """Return the ids best first, as a search with these weights would order them."""
        return [self.ids[place] for place in fusion.order(self.total(multipliers))]

    def total(self, multipliers: Multipliers, dropped: str = "") -> Array:
        """Return the scores, shape (n,), with the part ``dropped`` left out."""
        kept = (
            multipliers.get(name, 1.0) * values
            for name, values in self.parts.items()
            if name != dropped
        )
        return sum(kept, start=np.zeros(len(self.ids)))


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of records of one need: ``rest`` (p,) and ``gaps`` (p, g) are better less worse."""

    rest: Array
    gaps: Array
    weights: Array


def learnable(cases: Sequence[Case]) -> tuple[str, ...]:
    """Return the parts that occur in ``cases`` and that a weight scales, sorted."""
    return tuple(sorted({name for each in cases for name in each.parts if field_names(name)}))


def fit(cases: Sequence[Case], strength: float) -> Multipliers:
    """Return the multipliers under which better records stand above worse ones.

    Pairwise logistic regression (Burges et al., ICML 2005, with a linear score). For a pair of one
    need with grades ``g > h`` and a difference of scores ``d`` the loss is
    ``(g - h) * c * log(1 + exp(-t * d))``; ``c`` is the greater of both records' counts, since who
    decided about the deeper one had passed the other. Pairs of a need add up to one, whatever its
    number of records. To the sum over needs comes ``strength / 2 * sum((m - 1) ** 2)``. ``t`` turns
    scores into odds and is fitted along, so that the multipliers only say how parts stand to each
    other. For a given ``t`` the problem is convex; L-BFGS-B solves it for both, within 0 and 5 for
    the multipliers, from each of :data:`STEEPNESS`, and the least loss is taken.

    Args:
        cases: at least one with records of different grades.
        strength: of the pull towards 1, as many needs as it outweighs; > 0.

    Returns:
        A multiplier for each of :func:`learnable`, rounded to four digits.
    """
    names = learnable(cases)
    _, found = _fitted(_pairs(cases, names), strength)
    return {name: round(float(value), DIGITS) for name, value in zip(names, found, strict=True)}


def scales(
    cases: Sequence[Case],
    weights: Weights,
    multipliers: Multipliers,
    even: Mapping[str, float],
) -> Mapping[str, float]:
    """Return what scores are scaled by under the new weights, so that chances stay what they were.

    Of the shown records, as many stand at or above an even chance of use under the new weights as
    under the old; the new score of an even chance is put halfway to the next. Scores without
    meaning are looked at on the same records with that part left out.

    Args:
        cases: the needs that were learnt from.
        weights: in use so far, with their scales.
        multipliers: what each part is multiplied by.
        even: by name of the scale, the scaled score at which a record's chance of use is even.
    """
    found = {}
    for name, dropped in _SCALES.items():
        level = even[name] / getattr(weights, name)
        old, new = (
            np.concatenate([each.total(factors, dropped)[each.shown] for each in cases])
            for factors in ({}, multipliers)
        )
        count = int((old >= level).sum())
        if 0 < count < len(new):
            ordered = np.sort(new)[::-1]
            score = float(ordered[count - 1 : count + 1].mean())
            if score > 0:
                found[name] = round(even[name] / score, DIGITS)
    return found


def choose(folds: Sequence[Sequence[Case]]) -> float | None:
    """Return the strength that predicts left-out folds best; ``None``: as they are is best.

    Each fold is left out in turn and its loss taken under weights fitted on the others. Ties go to
    the stronger pull.
    """
    parts = [fold for fold in folds if any(_has_pairs(each) for each in fold)]
    if len(parts) < 2:
        return None
    names = learnable([each for fold in parts for each in fold])
    losses: dict[float | None, float] = dict.fromkeys((None, *reversed(STRENGTHS)), 0.0)
    for out, held in enumerate(parts):
        kept = _pairs([each for n, fold in enumerate(parts) if n != out for each in fold], names)
        left = _pairs(held, names)
        for strength in losses:
            steepness, m = _fitted(kept, strength)
            losses[strength] += _loss(np.concatenate([[np.log(steepness)], m]), left, 0.0)[0]
    return min(losses, key=lambda each: round(losses[each], 9))


def _has_pairs(case: Case) -> bool:
    return len(set(case.grades[case.shown].tolist())) > 1


def _pairs(cases: Sequence[Case], names: Sequence[str]) -> _Pairs:
    made = [_pairs_of(case, names) for case in cases if _has_pairs(case)]
    return _Pairs(
        np.concatenate([each.rest for each in made]),
        np.concatenate([each.gaps for each in made]),
        np.concatenate([each.weights for each in made]),
    )


def _pairs_of(case: Case, names: Sequence[str]) -> _Pairs:
    above = case.grades[:, None] > case.grades[None, :]
    better, worse = np.nonzero(above & case.shown[None, :])
    zero = np.zeros(len(case.ids))
    matrix = np.stack([case.parts.get(name, zero) for name in names], axis=1)
    rest = sum((v for name, v in case.parts.items() if name not in names), start=zero)
    weights = (case.grades[better] - case.grades[worse]) * np.maximum(
        case.counts[better], case.counts[worse]
    )
    gaps = matrix[better] - matrix[worse]
    return _Pairs(rest[better] - rest[worse], gaps, weights / weights.sum())


def _fitted(pairs: _Pairs, strength: float | None) -> tuple[float, Array]:
    """Return steepness and multipliers, shape (g,), of least loss; all 1 without ``strength``."""
    ones = np.ones(pairs.gaps.shape[1])
    factor = (1.0, 1.0) if strength is None else (0.0, MOST)
    bounds = [(0.0, np.log(STEEPEST)), *[factor] * len(ones)]
    found = [
        minimize(
            _loss,
            np.concatenate([[np.log(start)], ones]),
            (pairs, strength or 0.0),
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
        )
        for start in STEEPNESS
    ]
    best = min(found, key=lambda each: float(each.fun)).x
    return float(np.exp(best[0])), best[1:]


def _loss(x: Array, pairs: _Pairs, strength: float) -> tuple[float, Array]:
    """Return the loss of :func:`fit` and its gradient at ``x = (log t, m)``, shape (1 + g,)."""
    steepness, m = np.exp(x[0]), x[1:]
    # einsum, not @: small products in BLAS wait for its threads, and their number moves last bits.
    margins = steepness * (pairs.rest + np.einsum("pg,g->p", pairs.gaps, m))
    loss = float(np.einsum("p,p->", pairs.weights, np.logaddexp(0.0, -margins)))
    slope = -pairs.weights * expit(-margins)
    pull = strength * (m - 1)
    in_m = steepness * np.einsum("pg,p->g", pairs.gaps, slope) + pull
    gradient = np.concatenate([[float((slope * margins).sum())], in_m])
    return loss + float((pull * (m - 1)).sum()) / 2, gradient
