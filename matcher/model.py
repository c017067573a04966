"""The weights of the ranking, named and in one place.

A score is a sum of parts, each a weight of this table times an observation, so every weight can be
read, argued about and refitted; none depends on the collection. How each was chosen, with the
measurements, stands in ``docs/decisions.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "5"


@dataclass(frozen=True)
class Weights:
    """Constants of the ranking. All are >= 0 and larger means that the part counts more."""

    # Lexical side: the three accented views are added and divided by a root of the most that the
    # query could score; it reads "how much of the query does the record say".
    words: float = 1.0
    syllables: float = 1.0
    bigrams: float = 1.0
    # How far a query's length tells against its words, and the size of query at which it does not:
    # see matcher.fusion.lexical_factor.
    length: float = 0.5
    size: float = 150.0
    # A need is told in its owner's words and a record in its author's: they share words, seldom
    # phrases. A question about a text shares phrases too.
    need_bigrams: float = 0.5
    # Query terms: the product's name stands before the need; its other names count less; the other
    # region's word or a spelled-out abbreviation counts as what it stands for.
    product_name: float = 0.7
    product_alias: float = 0.3
    variant: float = 0.5
    # … and the part of a product's name that only says which one it is ("Lục Ngạn") counts little.
    qualifier: float = 0.3
    # Dense side: raw cosine less what unrelated Vietnamese texts reach under E5. The product's name
    # is added to the direction of a need with this weight: words and product tree tell the product
    # better than E5 does.
    meaning: float = 3.0
    need_meaning: float = 2.5
    neutral_cosine: float = 0.8
    product_direction: float = 0.2
    # Feedback: what the first hits of a need mean is added to what it means itself, each hit by
    # exp((score - best) / spread), all together with this weight (0: no feedback).
    feedback: float = 1.0
    feedback_spread: float = 0.02
    # … and what the first three say counts as other words for what a query smaller than ``size``
    # says itself, times its emphasis less 1: see matcher.fusion.emphasis.
    taken_up: float = 0.4
    # Typed without accents: how far the accented views and the meaning of the restored text count.
    restored: float = 0.7
    # What a need knows beyond its words; how much more it counts in a query smaller than ``size``:
    # see matcher.fusion.emphasis.
    named: float = 0.5
    same_product: float = 0.04
    broader_product: float = 0.027
    near_product: float = 0.013
    # A stage that a need states (one that is only read from its text counts ``stage``): most where
    # the record states it too, less where it is the second or third that its text speaks of.
    stage: float = 0.03
    stage_stated: float = 0.055
    stage_also: float = 0.015
    # The share of a need's processes that a record is about; those that belong to another stage
    # than the stated one count ``process_aside`` of the others.
    process: float = 0.05
    process_aside: float = 0.3
    place: float = 0.01
    # Labels, by the probability of use: from ``suits`` a record for the same product and purpose is
    # "phù hợp". From ``adapts`` it is "cần điều chỉnh"
    # where the product or the purpose is the same; less is asked where both are, and least of a
    # near product with the same purpose, of which nobody expects that it can be used as it is.
    # ``found``: the probability of any use below which the answer is "not found".
    suits: float = 0.5
    adapts: float = 0.15
    adapts_own: float = 0.03
    adapts_near: float = 0.015
    found: float = 0.35
    # What a score is multiplied by before a probability is read off it, with meaning and without: 1
    # but for learnt weights, under which the same evidence adds up to another score.
    evidence_scale: float = 1.0
    words_evidence_scale: float = 1.0
    # Share of plain query syllables (weighted by idf) that this corpus writes without accents too:
    # below the first value the query was typed without accents, above the second it was not.
    unaccented_below: float = 0.35
    accented_above: float = 0.70

    def of_views(self, need: bool) -> dict[str, float]:
        """How much each view counts for a need, or for any other question."""
        bigrams = self.need_bigrams if need else self.bigrams
        return {
            "words": self.words,
            "syllables": self.syllables,
            "bigrams": bigrams,
            "unaccented": 1.0,
        }

    def of_meaning(self, need: bool) -> float:
        """How much the cosine counts for a need, or for any other question."""
        return self.need_meaning if need else self.meaning


DEFAULT = Weights()
