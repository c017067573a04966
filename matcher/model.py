"""The weights of the ranking, named and in one place.

A score is a sum of parts, each a weight of this table times an observation, so every weight can be
read, argued about and refitted; none depends on the collection. How each was chosen, with the
measurements, stands in ``docs/decisions.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "1"


@dataclass(frozen=True)
class Weights:
    """Constants of the ranking. All are >= 0 and larger means that the part counts more."""

    # Lexical side: the three accented views are added and divided by the most that the query could
    # score, so it reads "how much of the query does the record say", 0 to about 1.
    words: float = 1.0
    syllables: float = 1.0
    bigrams: float = 1.0
    # Query terms: the product's name stands before the need; its other names count less; the other
    # region's word or a spelled-out abbreviation counts as what it stands for.
    product_name: float = 1.0
    product_alias: float = 0.3
    variant: float = 0.5
    # … and the part of a product's name that only says which one it is ("Lục Ngạn") counts little.
    qualifier: float = 0.3
    # Dense side: raw cosine less what unrelated Vietnamese texts reach under E5.
    meaning: float = 2.5
    neutral_cosine: float = 0.8
    # What a need knows beyond its words.
    same_product: float = 0.03
    broader_product: float = 0.02
    near_product: float = 0.01
    stage: float = 0.04
    process: float = 0.03
    place: float = 0.01
    # Labels: the score from which a record for the same product is "phù hợp", and below which
    # nothing is more than "tham khảo"; without meaning in the score (no encoder, or a query typed
    # without accents) the same evidence adds up to less. Where neither process nor stage meet,
    # more is asked.
    strong: float = 0.40
    weak: float = 0.30
    strong_words_only: float = 0.17
    weak_words_only: float = 0.11
    unmet_purpose: float = 0.06
    # Share of plain query syllables (weighted by idf) that this corpus writes without accents too:
    # below the first value the query was typed without accents, above the second it was not.
    unaccented_below: float = 0.35
    accented_above: float = 0.70


DEFAULT = Weights()
