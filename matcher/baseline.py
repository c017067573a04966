"""Plain fusion, what the matcher is measured against: no product tree, no feedback, no dialect.

The product's name and the need as one text; BM25 over syllables and bigrams, added; E5's cosine;
each as a z-score over the collection, half and half. Without an encoder, BM25 alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from corpus.text import normalise
from indexes.analyser import terms
from indexes.encoders import Cache, Encoder
from indexes.hybrid import Index
from matcher import fusion

VIEWS = ("syllables", "bigrams")
Floats = npt.NDArray[np.float64]


def rank(
    index: Index, encoder: Encoder | None, cache: Cache | None, texts: Sequence[str], depth: int
) -> list[list[tuple[str, float]]]:
    """Return for each of ``texts`` the best ``depth`` records with their scores, best first."""
    asked = [normalise(text) for text in texts]
    vectors = None
    if encoder is not None and index.vectors is not None:
        encode = encoder.queries if cache is None else lambda some: cache.queries(encoder, some)
        vectors = encode(asked)
    rows = np.arange(len(index.ids))
    found = []
    for number, text in enumerate(asked):
        said = terms(text)
        scores = z(
            sum((index.views[v].scores(said[v]).astype(np.float64) for v in VIEWS), np.zeros(1))
        )
        if vectors is not None:
            scores = 0.5 * scores + 0.5 * z(index.cosines(vectors[number], rows))
        order = fusion.order(scores)[:depth].tolist()
        found.append([(index.ids[row], float(scores[row])) for row in order])
    return found


def z(scores: Floats) -> Floats:
    """Return how many standard deviations each of ``scores`` (n,) lies above their mean."""
    spread = float(scores.std())
    centred: Floats = scores - scores.mean()
    return centred / (spread if spread > 0 else 1.0)
