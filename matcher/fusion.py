"""How the two sides of the evidence become parts of one score: pure functions, no state.

The lexical side is divided by its ceiling (what a record would score that says everything the query
says); the dense side is the raw cosine less a constant. Both are constants of query and record:
nothing depends on the other candidates, on k or on the size of the collection, and the sum tells
how good a match is, not only which of two is better. On the public collections and the domain
collection this equals or beats fusion of z-scores, which need a whole collection to be defined
(``docs/decisions.md``).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]


def lexical_parts(
    scores: Mapping[str, npt.NDArray[np.floating]],
    ceilings: Mapping[str, float],
    weights: Mapping[str, float],
    share: float = 1.0,
) -> dict[str, Scores]:
    """Return each view's part: ``share * weight * score / sum(weight * ceiling)``.

    Args:
        scores: BM25 scores by view, each of shape (n,).
        ceilings: the greatest possible score by view; a query without known terms has 0.
        weights: weight by view; views that are not named do not count.
        share: what the views of this call together count for, in 0..1.
    """
    total = sum(weight * ceilings[view] for view, weight in weights.items())
    factor = share / total if total > 0 else 0.0
    return {
        view: scores[view].astype(np.float64) * (weight * factor)
        for view, weight in weights.items()
    }


def dense_part(cosines: Scores, weight: float, neutral: float) -> Scores:
    """Return ``weight * (cosine - neutral)``, below 0 for what is farther than unrelated text.

    ``cosines`` has shape (n,) and values in -1..1; so has ``neutral``.
    """
    return weight * (cosines - neutral)


def accent_share(plainness: float, below: float, above: float) -> float:
    """Return how far a query counts as typed with its accents: 0 at ``below``, 1 at ``above``."""
    return min(1.0, max(0.0, (plainness - below) / (above - below)))


def order(scores: Scores) -> npt.NDArray[np.int64]:
    """Return row numbers by falling score; scores equal to 1e-6 keep the order of rows (ids)."""
    return np.lexsort((np.arange(len(scores)), -np.round(scores, 6)))
