"""How far stated probabilities can be trusted: Brier skill, calibration slope, AUROC.

* Brier skill ``1 - B / B0``: the mean squared error of the probabilities beside that of always
  saying the base rate (Brier 1950, Murphy 1973). Above 0: better than knowing the base rate.
* Calibration slope: of a logistic regression of the truth on the log-odds (Cox 1958). 1 is right,
  below 1 too sure of itself, above 1 not sure enough.
* AUROC: how often something useful got a higher probability than something that is not.

Intervals are 95 % percentile intervals of a bootstrap over *groups* (needs, products): pairs of one
need are not independent.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
DRAWS = 200
SEED = 20_261_123


def brier_skill(probabilities: Floats, truth: Truth) -> float:
    """Return Brier skill against the base rate; at most 1, below 0 worse than the base rate."""
    base = truth.mean()
    error = float(((probabilities - truth) ** 2).mean())
    return float(1.0 - error / (base * (1.0 - base)))


def slope(probabilities: Floats, truth: Truth) -> float:
    """Return the calibration slope."""
    clipped = np.clip(probabilities, 1e-9, 1 - 1e-9)
    odds = np.log(clipped / (1.0 - clipped))
    inputs = np.column_stack([np.ones(len(odds)), odds])
    signs = np.where(truth, 1.0, -1.0)

    def loss(values: Floats) -> tuple[float, Floats]:
        margins = signs * (inputs @ values)
        pulls = -signs / (1.0 + np.exp(np.clip(margins, -500, 500)))
        return float(np.logaddexp(0.0, -margins).sum()), inputs.T @ pulls

    return float(minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B").x[1])


def auroc(probabilities: Floats, truth: Truth) -> float:
    """Return the area under the ROC curve."""
    return float(roc_auc_score(truth, probabilities))


MEASURES: dict[str, Callable[[Floats, Truth], float]] = {
    "Brier skill": brier_skill,
    "slope": slope,
    "AUROC": auroc,
}


def measure(
    probabilities: Floats, truth: Truth, groups: npt.NDArray[np.int64], draws: int = DRAWS
) -> dict[str, float]:
    """Return each of :data:`MEASURES` with its interval; only counts where the truth is all one.

    Args:
        probabilities: (n,), in 0..1.
        truth: (n,).
        groups: (n,), what is drawn together.
        draws: of the bootstrap; draws in which the truth is all one are left out.
    """
    counts = {"n": float(len(truth)), "useful": float(truth.sum())}
    if not 0 < truth.sum() < len(truth):
        return counts
    figures = dict(counts)
    resamples = list(_draws(truth, groups, draws))
    for name, function in MEASURES.items():
        figures[name] = function(probabilities, truth)
        drawn = [function(probabilities[rows], truth[rows]) for rows in resamples]
        if drawn:
            low, high = np.percentile(drawn, [2.5, 97.5])
            figures |= {f"{name} low": float(low), f"{name} high": float(high)}
    return figures


def _draws(truth: Truth, groups: npt.NDArray[np.int64], draws: int) -> list[npt.NDArray[np.int64]]:
    """Draw groups with replacement; return the rows of each draw whose truth is not all one."""
    chance = np.random.default_rng(SEED)
    names, numbers = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(numbers == number) for number in range(len(names))]
    found = []
    for _ in range(draws):
        chosen = chance.integers(0, len(members), len(members))
        rows = np.concatenate([members[number] for number in chosen])
        if 0 < truth[rows].sum() < len(rows):
            found.append(rows)
    return found
