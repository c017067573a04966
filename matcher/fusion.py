"""How the two sides of the evidence become parts of one score: pure functions, no state.

The lexical side is divided by a root of its ceiling (what a record would score that says everything
the query says); the dense side is the raw cosine less a constant. Both are constants of query and
record: nothing depends on the other candidates, on k or on the size of the collection, and the sum
tells how good a match is, not only which of two is better. On the public collections and the domain
collection this equals or beats fusion of z-scores, which need a whole collection to be defined
(``docs/decisions.md``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
EMPHASIS = 2.0  # the most: in one word, or among a few records, names would be all that counts


def lexical_factor(most: float, length: float, size: float) -> float:
    """Return what a query's BM25 scores are multiplied by: ``most^-length * size^(length - 1)``.

    With ``length`` 1 a score becomes the share of the query that a record says. But a record that
    answers a need of eighty words says a smaller share of them than one that answers a need of
    five, so with 1 the words of long needs drown beside everything else that counts; with 0 a long
    query's words would drown all else. (Lexical side of a fusion; cf. pivoted length normalisation
    of documents, Singhal, Buckley, Mitra 1996.)

    Args:
        most: the most that a record could score, >= 0; 0 (no known term) gives 0.
        length: in 0..1.
        size: the ``most`` at which the factor is ``1 / most`` whatever ``length`` is, > 0.
    """
    return most**-length * size ** (length - 1.0) if most > 0 else 0.0


def emphasis(most: float, size: float, power: float) -> float:
    """Return what the soft fit of a short query is multiplied by: ``(size / most)^power``, 1 to 2.

    A need of sixty words says in many of them what is to be done to what; "bảo quản khóm" says each
    once, in a query whose score must still be shared with the product's whole name. What a short
    query names counts as heavily as if it were stated at length.

    Args:
        most: the most that a record could score by words, >= 0.
        size: the ``most`` of a need stated at length, > 0.
        power: >= 0; 0 gives 1.
    """
    return min((size / most) ** power, EMPHASIS) if 0 < most < size else 1.0


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
