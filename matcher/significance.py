"""Is the difference of two rankings more than chance? Two answers, both over pairs of queries.

Each query is measured under both rankings, so the differences are what is tested; how hard a query
is cancels out. Nothing is assumed of their distribution, which for nDCG is full of zeros and ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FLIPS = 10_000
SEED = 20_261
CHUNK = 1_000  # sign vectors drawn at a time, so that memory does not grow with their number
SAME = 1e-9  # sums that differ by less are one sum, added in another order


def randomisation(differences: Sequence[float], flips: int = FLIPS, seed: int = SEED) -> float:
    """Return the two-sided p value of the paired randomisation (sign-flip) test of the mean.

    If neither ranking is better, each difference could as well have had the other sign. The p value
    is the share of sign vectors under which the absolute sum is at least as great as observed
    (R. A. Fisher, The Design of Experiments, 1935; for rankings: Smucker, Allan and Carterette,
    CIKM 2007). Queries without a difference do not matter. Where ``2 ** n`` sign vectors of the
    ``n`` others are no more than ``flips``, all are counted and the value is exact; otherwise
    ``flips`` are drawn and it is ``(1 + as great) / (1 + flips)``, which never understates and is
    never 0 (Phipson and Smyth, 2010).

    Args:
        differences: new less old, one for each query.
        flips: how many sign vectors to draw at most, at least 1.
        seed: of the draw; the same gives the same value.

    Returns:
        A probability in (0, 1]; 1.0 without any difference.
    """
    values = np.array([each for each in differences if abs(each) > SAME], np.float64)
    if not len(values):
        return 1.0
    observed = abs(values.sum()) - SAME
    if len(values) < 60 and 2 ** len(values) <= flips:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(values))))
        return float((abs(signs @ values) >= observed).mean())
    random = np.random.default_rng(seed)
    as_great = 0
    for start in range(0, flips, CHUNK):
        shape = (min(CHUNK, flips - start), len(values))
        signs = random.integers(0, 2, shape, np.int8) * 2.0 - 1.0
        as_great += int((abs(signs @ values) >= observed).sum())
    return (1 + as_great) / (1 + flips)


def interval(
    differences: Sequence[float], level: float = 0.95, draws: int = FLIPS, seed: int = SEED
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean difference.

    Queries are drawn anew with replacement, as many as there are; the interval holds the middle
    ``level`` of the means (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13).

    Args:
        differences: new less old, one for each query; at least one.
        level: share of the means inside, in (0, 1).
        draws: how often to draw.
        seed: of the draw.

    Returns:
        (low, high), in the unit of the differences.
    """
    values = np.asarray(differences, np.float64)
    random = np.random.default_rng(seed)
    means: list[npt.NDArray[np.float64]] = []
    for start in range(0, draws, CHUNK):
        rows = random.integers(0, len(values), (min(CHUNK, draws - start), len(values)))
        means.append(values[rows].mean(axis=1))
    edges = ((1 - level) / 2, (1 + level) / 2)
    low, high = np.quantile(np.concatenate(means), edges)
    return float(low), float(high)
