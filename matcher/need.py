"""What somebody is looking for: the words, the product they are for, and the conditions.

A stated need is about a product that its text often does not repeat, in the words of one region,
with abbreviations. A :class:`Query` puts these together once, so that ranking, hard rules and
explanation all read the same thing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice

from corpus.lexicon import Lexicon, Process
from corpus.records import Need, Product
from corpus.text import fold, has_accents, normalise, syllables
from indexes.analyser import JOINT, VIEWS, spans, terms
from matcher.model import Weights

PROTECTS = "phòng trừ dịch bệnh"  # the stage at which it matters what is fought
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
    aside: frozenset[str] = frozenset()  # processes of the text that are not of the stated stage
    pests: frozenset[str] = frozenset()  # what is to be fought, where it is about protection
    homographs: frozenset[str] = frozenset()  # words of the product that mean other things too
    truncated: bool = False
    stated: bool = False  # a need of the store, which will be asked again
    stressed: bool = True  # what it names in few words counts as if stated at length
    restored: Query | None = None  # typed without accents: the same with the likeliest ones

    @property
    def empty(self) -> bool:
        """Whether nothing but punctuation was asked."""
        return not any(self.terms.values())

    @property
    def of_product(self) -> bool:
        """Whether it is a need of a product, given or named, and not any question."""
        return bool(self.product or self.products)


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
    places = _qualifiers(names[0], lexicon, accented) if names else frozenset[str]()
    stated = _counts(text, places, weights.qualifier)
    named = _counts(names[0], places, weights.qualifier) if names else {}
    others = [_counts(name, places, weights.qualifier) for name in names[1:]]
    context = "\n".join((*names, text))
    mentions = lexicon.process_mentions(text)
    steps, told = lexicon.processes_of(mentions), lexicon.stages_of(mentions)
    return Query(
        text=text,
        product=names[0] if names else "",
        conditions=conditions,
        terms=_combined(stated, named, weights.product_name, others, weights.product_alias),
        variants=_combined({}, {}, 0.0, [_counts(each) for each in found], weights.variant),
        content=_content((context, *found), lexicon),
        products=_products(names, text, lexicon, accented),
        stages=frozenset((conditions.stage,) if conditions.stage else told[:1]),
        processes=frozenset(_processes(steps, conditions)),
        aside=frozenset(_aside(steps, conditions)),
        pests=_pests(text, told, conditions, lexicon),
        homographs=lexicon.homographs_of(context, accented),
        truncated=truncated,
    )


def from_need(
    need: Need,
    product: Product | None,
    lexicon: Lexicon,
    weights: Weights,
    text: str | None = None,
) -> Query:
    """Make a query of a stated need of its product; ``text`` stands for the need's own."""
    conditions = Conditions(
        budget=need.budget,
        trl_min=need.trl_min,
        place=need.province or (product.province if product else None),
        stage=need.stage,
    )
    words = need.text if text is None else text
    return replace(from_text(words, lexicon, weights, product, conditions), stated=True)


def enlarged(query: Query, told: Terms) -> Query:
    """Return ``query`` with what its first hits say as other words for what it says itself."""
    variants = {view: dict(counts) for view, counts in query.variants.items()}
    for view, counts in told.items():
        mine = variants.setdefault(view, {})
        for term, weight in counts.items():
            mine[term] = max(mine.get(term, 0.0), weight)
    return replace(query, variants=variants)


def _cut(text: str) -> tuple[str, bool]:
    units = list(islice(syllables(text), MAX_SYLLABLES + 1))
    if len(units) <= MAX_SYLLABLES:
        return text, False
    return text[: units[MAX_SYLLABLES - 1].end], True


def _variants(text: str, lexicon: Lexicon, accented: bool) -> tuple[str, ...]:
    """The other words for what ``text`` says: of the other region, or spelled out.

    A product goes by its name in the product tree, under which every record of it is indexed; of
    other words those with two meanings are left out, as nothing in the query would decide.
    """
    found = dict.fromkeys(each.long for each in lexicon.abbreviations(text))
    for variant in lexicon.variants(text, accented):
        found |= dict.fromkeys(name for name in variant.others if _safe(name, lexicon))
    found |= dict.fromkeys(lexicon.regional_products(text, accented))
    said = set(text.lower().split())
    return tuple(name for name in found if not said.issuperset(name.split()))


def _qualifiers(name: str, lexicon: Lexicon, accented: bool) -> frozenset[str]:
    """The syllables of a product's name that only say which one it is: "Tắc Cậu", "Lục Ngạn".

    They tell whose product it is, not what a technology must do: a record from the same commune
    about something else would win by them. Empty where the name holds no known product.
    """
    mentions = lexicon.product_mentions(name, accented)
    inside = {
        span.text
        for span in spans(name)
        for each in mentions
        if each.start <= span.start < each.end
    }
    return frozenset(span.text for span in spans(name)) - inside if mentions else frozenset()


def _safe(word: str, lexicon: Lexicon) -> bool:
    return word not in lexicon.names and word not in lexicon.homographs


@lru_cache(maxsize=4096)
def _analysed(text: str) -> dict[str, list[str]]:
    return terms(text)


def _counts(
    text: str, qualifiers: frozenset[str] = frozenset(), weight: float = 1.0
) -> dict[str, Counter[str]]:
    """Count the terms of ``text`` by view; a term that holds a qualifier counts ``weight``."""
    low = qualifiers | {fold(each) for each in qualifiers}
    analysed = _analysed(text)
    if not low:
        return {view: Counter(analysed[view]) for view in VIEWS}
    counts: dict[str, Counter[str]] = {view: Counter() for view in VIEWS}
    for view, found in analysed.items():
        for term in found:
            held = not low.isdisjoint(term.split(JOINT))
            counts[view][term] += weight if held else 1.0  # type: ignore[assignment]
    return counts


def _combined(
    stated: Mapping[str, Counter[str]],
    named: Mapping[str, Counter[str]],
    name_weight: float,
    others: Iterable[Mapping[str, Counter[str]]],
    other_weight: float,
) -> Terms:
    """Put the terms of text, name and other names together.

    A name that the text says already does not count twice: the larger of the two counts.
    """
    combined: dict[str, Counter[str]] = {view: Counter(stated.get(view, ())) for view in VIEWS}
    for names, weight in [(named, name_weight), *((each, other_weight) for each in others)]:
        for view, counts in names.items():
            for term, count in counts.items():
                combined[view][term] = max(combined[view][term], weight * count)  # type: ignore[assignment]
    return combined


def _content(texts: Iterable[str], lexicon: Lexicon) -> frozenset[str]:
    found = (term for text in texts for term in _analysed(text)["syllables"])
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


def _processes(steps: Iterable[Process], conditions: Conditions) -> Iterable[str]:
    """The processes of the text; where its stage is stated, those of that stage only.

    A need for traps that says "close to harvest" is not about harvesting.
    """
    for each in steps:
        if conditions.stage in {None, each.stage}:
            yield each.name


def _aside(steps: Iterable[Process], conditions: Conditions) -> Iterable[str]:
    """The processes of another stage than the stated one: gas from waste water is of two."""
    for each in steps:
        if conditions.stage not in {None, each.stage}:
            yield each.name


def _pests(
    text: str, told: tuple[str, ...], conditions: Conditions, lexicon: Lexicon
) -> frozenset[str]:
    """What is to be fought; a need for storage that tells of rot in the orchard fights nothing."""
    protects = conditions.stage == PROTECTS or (conditions.stage is None and PROTECTS in told)
    return lexicon.pests.asked(text) if protects else frozenset()
