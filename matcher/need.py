"""What somebody is looking for: the words, the product they are for, and the conditions.

A stated need is about a product that its text often does not repeat, in the words of one region,
with abbreviations. A :class:`Query` puts these together once, so that ranking, hard rules and
explanation all read the same thing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from corpus.lexicon import Lexicon
from corpus.records import Need, Product
from corpus.text import fold, has_accents, normalise, syllables
from indexes.analyser import VIEWS, terms
from matcher.model import Weights

MAX_SYLLABLES = 400  # of a query; what is longer is cut and said so: it would be a pasted report
Terms = Mapping[str, Mapping[str, float]]  # view → term → weight


@dataclass(frozen=True)
class Conditions:
    """What a need demands beyond its topic; ``None`` = not stated, and nothing is excluded."""

    budget: float | None = None  # million VND
    trl_min: int | None = None
    place: str | None = None
    stage: str | None = None


UNSTATED = Conditions()


@dataclass(frozen=True)
class Query:
    """A search as the engine sees it: ``terms`` make the ceiling, ``variants`` add to the score."""

    text: str
    product: str = ""
    conditions: Conditions = UNSTATED
    terms: Terms = field(default_factory=dict)
    variants: Terms = field(default_factory=dict)
    content: frozenset[str] = frozenset()  # content syllables of text, product and variants
    products: frozenset[str] = frozenset()  # nodes of the product tree
    stages: frozenset[str] = frozenset()
    processes: frozenset[str] = frozenset()
    truncated: bool = False

    @property
    def accented(self) -> bool:
        """Whether the text was typed with any accents."""
        return has_accents(self.text)

    @property
    def empty(self) -> bool:
        """Whether nothing but punctuation was asked."""
        return not any(self.terms.values())

    @property
    def sentence(self) -> str:
        """The text as the encoder reads it, the product's name before the need."""
        return f"{self.product}. {self.text}" if self.product else self.text


def from_text(
    text: str,
    lexicon: Lexicon,
    weights: Weights,
    product: Product | None = None,
    conditions: Conditions = UNSTATED,
) -> Query:
    """Make a query of free text, for a product if one is known."""
    text, truncated = _cut(normalise(text))
    accented = has_accents(text)
    names = (normalise(product.name), *map(normalise, product.aliases)) if product else ()
    if not accented:  # a product's name must match text typed without accents too
        names = tuple(fold(name) for name in names)
    found = _variants(f"{names[0]}\n{text}" if names else text, lexicon, accented)
    sources = [(text, 1.0), *((names[0], weights.product_name) for _ in names[:1])]
    sources += [(name, weights.product_alias) for name in names[1:]]
    context = "\n".join((*names, text))
    return Query(
        text=text,
        product=names[0] if names else "",
        conditions=conditions,
        terms=_weighted(sources),
        variants=_weighted((each, weights.variant) for each in found),
        content=_content((context, *found), lexicon),
        products=_products(names, text, lexicon, accented),
        stages=frozenset(_stages(text, conditions, lexicon)),
        processes=frozenset(each.name for each in lexicon.processes(text)),
        truncated=truncated,
    )


def from_need(need: Need, product: Product | None, lexicon: Lexicon, weights: Weights) -> Query:
    """Make a query of a stated need of its product."""
    conditions = Conditions(
        budget=need.budget,
        trl_min=need.trl_min,
        place=need.province or (product.province if product else None),
        stage=need.stage,
    )
    return from_text(need.text, lexicon, weights, product, conditions)


def _cut(text: str) -> tuple[str, bool]:
    units = list(islice(syllables(text), MAX_SYLLABLES + 1))
    if len(units) <= MAX_SYLLABLES:
        return text, False
    return text[: units[MAX_SYLLABLES - 1].end], True


def _variants(text: str, lexicon: Lexicon, accented: bool) -> tuple[str, ...]:
    spelled = (each.long for each in lexicon.abbreviations(text))
    return tuple(dict.fromkeys((*lexicon.expand(text, accented), *spelled)))


@lru_cache(maxsize=4096)
def _terms(text: str) -> dict[str, list[str]]:
    return terms(text)


def _weighted(sources: Iterable[tuple[str, float]]) -> Terms:
    counts: dict[str, Counter[str]] = {view: Counter() for view in VIEWS}
    for text, weight in sources:
        for view, found in _terms(text).items():
            for term in found:
                counts[view][term] += weight  # type: ignore[assignment]
    return counts


def _content(texts: Iterable[str], lexicon: Lexicon) -> frozenset[str]:
    found = (term for text in texts for term in _terms(text)["syllables"])
    return frozenset(term for term in found if not lexicon.is_stopword(term))


def _products(
    names: tuple[str, ...], text: str, lexicon: Lexicon, accented: bool
) -> frozenset[str]:
    """The known product decides; only without one does the text say what it is about."""
    for source in (*names, text) if names else (text,):
        found = lexicon.products(source, accented=accented)
        if found:
            return frozenset(each.name for each in found)
    return frozenset()


def _stages(text: str, conditions: Conditions, lexicon: Lexicon) -> Iterable[str]:
    return (conditions.stage,) if conditions.stage else lexicon.stages(text)[:1]
