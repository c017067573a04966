"""Two probabilities: that a record is useful for a need, and that a need has any useful record.

A score orders the records of one need. Whether the best of them is any good is another question,
and the honest answer to it ("Chưa tìm thấy trong cơ sở dữ liệu") is half of what people trust. Both
answers are logistic curves (Platt 1999): of a record's evidence, and of what is known of a need's
best record. They are fitted once, on the sample's judgments (:mod:`matcher.calibrate`), and stand
with what they were fitted on in ``usefulness.json``; evidence of words alone, of questions about no
product, and of a need in a few words that leave most unsaid, adds up differently and has curves of
its own.

A record's probability grows with its score and with nothing else, so it says the same about the
lists of two needs, and contradicts the order of one need's list only where a short need took up
words of its first hits: they order the others, and are no reason to think better of anybody.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from matcher.hits import Hit
from matcher.need import Query

USEFUL = 2  # the lowest grade that counts as useful
FILE = "usefulness.json"
# What is known of a need's best record; all grow with the chance that it answers the need.
FACTS = ("evidence", "cosine", "coverage", "own_product", "purpose")
SHORT = 12  # syllables of a need up to which it is a handful of words
NEUTRAL_COSINE = 0.85  # subtracted, so that the numbers of a curve can be read


@dataclass(frozen=True)
class Curve:
    """``1 / (1 + exp(-(intercept + sum of weights * facts)))``; weights are >= 0."""

    intercept: float
    weights: Mapping[str, float]

    def __call__(self, facts: Mapping[str, float]) -> float:
        """Return the probability, in 0..1."""
        terms = (weight * facts[name] for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-500.0, math.fsum((self.intercept, *terms)))))


@dataclass(frozen=True)
class Usefulness:
    """The curves of each kind of question (:func:`kind`), and what they were fitted on."""

    records: Mapping[str, Curve]
    needs: Mapping[str, Curve]
    fitted_on: Mapping[str, Any]

    def of_record(self, query: Query, hit: Hit) -> float:
        """The probability that a record is useful (grade 2 or 3) for ``query``."""
        return self.records[kind(query, hit)]({"evidence": hit.evidence})

    def of_need(self, query: Query, best: Hit, own_product: bool, purpose: bool) -> float:
        """The probability that anything in the collection is useful for ``query``.

        Args:
            query: what is looked for.
            best: the first hit.
            own_product: whether it is for the query's product or its group.
            purpose: whether its stage or a process is the query's.
        """
        return self.needs[kind(query, best)](facts(best, own_product, purpose))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Usefulness:
        """Read what :func:`matcher.calibrate.calibrate` wrote."""
        curves = {
            side: {name: Curve(**curve) for name, curve in data[side].items()}
            for side in ("records", "needs")
        }
        return cls(curves["records"], curves["needs"], data["fitted_on"])


@cache
def shipped() -> Usefulness:
    """The curves that come with the program."""
    text = resources.files("matcher").joinpath(FILE).read_text(encoding="utf-8")
    return Usefulness.from_json(json.loads(text))


def kind(query: Query, hit: Hit) -> str:
    """Which curves tell of ``hit``: one of :data:`KINDS`; ``words`` without an encoder."""
    words = ", words" * (hit.cosine is None)
    if not query.of_product:
        return f"question{words}"
    return f"{'short ' * _few(query.text)}need{words}"


@lru_cache(maxsize=4096)
def _few(text: str) -> bool:
    return len(text.split()) <= SHORT


KINDS = ("need", "need, words", "short need", "short need, words", "question", "question, words")


def facts(best: Hit, own_product: bool, purpose: bool) -> dict[str, float]:
    """Return :data:`FACTS` of a need's best record."""
    return {
        "evidence": best.evidence,
        "cosine": 0.0 if best.cosine is None else best.cosine - NEUTRAL_COSINE,
        "coverage": best.coverage,
        "own_product": float(own_product),
        "purpose": float(purpose),
    }
