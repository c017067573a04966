"""What words mean here: dialect, abbreviations, homographs, products, processes and filler.

Lợn in the North is heo in the South, CNC is high technology or a machine, and vải is a fruit or a
cloth. None of this can be learnt from a few thousand records, and all of it is known to officers:
it therefore stands in tables (``corpus/data/*.csv``, described in its README) that they may edit.
This module asks the tables (read by :mod:`corpus.lexicon_tables`) about a text; how a phrase is
found in one is the matter of :mod:`corpus.phrases`.

Offsets refer to ``normalise(text)``. In a text without accents one syllable stands for many words
(``cua`` is của, cửa and cua): a product of one syllable counts there only beside a sign of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from corpus import lexicon_tables as tables
from corpus.lexicon_tables import Group, Homograph, Process, ProductTerm, Short
from corpus.pests import Pests
from corpus.phrases import (
    NUMBER,
    WORD_LIKE,
    Both,
    Contexts,
    Key,
    Phrases,
    Reading,
    apart,
    both,
    counted,
    is_plain,
    key,
    read,
    scan,
    span_at,
)
from corpus.text import fold, normalise

__all__ = ["Abbreviation", "Lexicon", "Mention", "Process", "ProductTerm", "Relation", "Variant"]

Relation = Literal["same", "broader", "near", "other", "unknown"]
BESIDE = 3  # syllables, for one-syllable products typed without accents, where chance hits abound
_GLUED = re.compile(r"(\d[\d.,]*)([^\W\d_]+)")  # "200tr", "50kg"


@dataclass(frozen=True)
class Variant:
    """A dialect word at ``[start, end)`` of the text and what the other dialects call it."""

    start: int
    end: int
    found: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class Abbreviation:
    """A short form at ``[start, end)`` of the text and the reading that its context decides."""

    start: int
    end: int
    found: str
    long: str


@dataclass(frozen=True)
class Mention:
    """Where in the text a product or a process is named."""

    start: int
    end: int
    found: str
    name: str


@dataclass(frozen=True)
class Lexicon:
    """The tables, ready to be asked about a text; :meth:`load` makes one."""

    terms: Mapping[str, ProductTerm]  # product nodes by name
    wide: frozenset[str]  # nodes whose members are not near each other for that alone
    names: Mapping[str, str]  # product word → node
    beside: Mapping[str, tuple[str, ...]]  # node → folded signs, its own and its ancestors'
    homographs: Mapping[str, Homograph]
    dialect: Mapping[str, Group]  # word → group
    avoid: Mapping[str, tuple[Contexts, Contexts]]  # dialect word → contexts of another meaning
    shorts: Mapping[str, tuple[Short, ...]]
    steps: Mapping[str, Process | None]  # process word → process; None: means something else
    stopwords: frozenset[str]
    pests: Pests
    _product_phrases: Both
    _sense_phrases: Phrases  # product homographs, with accents
    _sense_keys: Mapping[str, tuple[Key, Key]]  # product homograph → its syllables without, with
    _dialect_phrases: Both
    _short_phrases: Both
    _step_phrases: Both
    _counted_phrases: Both  # process words with a number in them
    _stop_phrases: Both

    @classmethod
    def load(cls, folder: Path | None = None) -> Lexicon:
        """Read the tables of ``folder`` (default: those of the package).

        Raises :class:`corpus.lexicon_tables.TableError` naming file, line and column of the
        first bad cell.
        """
        data = tables.data_folder(folder)
        tree = tables.products(data)
        homographs = tables.homographs(data, tree.terms)
        dialect, avoid = tables.dialect(data)
        shorts = tables.abbreviations(data)
        steps = tables.processes(data)
        stopwords = tables.stopwords(data)
        ambiguous = [word for word, found in homographs.items() if any(found.products)]
        return cls(
            terms=tree.terms,
            wide=tree.wide,
            names=tree.names,
            beside=tree.beside,
            homographs=homographs,
            dialect=dialect,
            avoid=avoid,
            shorts=shorts,
            steps=steps,
            stopwords=frozenset(word.lower() for word in stopwords),
            pests=Pests.load(data),
            _product_phrases=both([*tree.names, *homographs]),
            _sense_phrases=Phrases.of(ambiguous, True),
            _sense_keys={word: (key(word, False), key(word, True)) for word in ambiguous},
            _dialect_phrases=both(dialect),
            _short_phrases=both(shorts),
            _step_phrases=both(word for word in steps if NUMBER not in word),
            _counted_phrases=counted(word for word in steps if NUMBER in word),
            _stop_phrases=both(stopwords),
        )

    def variants(self, text: str, accented: bool | None = None) -> tuple[Variant, ...]:
        """Return the dialect words of ``text`` that mean what their group means, left to right."""
        reading = read(text, accented)
        hits = scan(reading, self._dialect_phrases[reading.accented], self._dialect_at)
        return tuple(
            Variant(start, end, found, tuple(w for w in self.dialect[word].words if w != word))
            for start, end, found, words in hits
            for word in words[:1]
        )

    def expand(self, text: str, accented: bool | None = None) -> tuple[str, ...]:
        """Return the other dialects' words for what ``text`` says, without those it has already."""
        variants = self.variants(text, accented)
        present = {variant.found.lower() for variant in variants}
        others = dict.fromkeys(word for variant in variants for word in variant.others)
        return tuple(word for word in others if word.lower() not in present)

    def _dialect_at(
        self, reading: Reading, start: int, size: int, words: tuple[str, ...]
    ) -> tuple[str, ...]:
        return tuple(word for word in words if self._means_group(word, reading, start, size))

    def _means_group(self, word: str, reading: Reading, start: int, size: int) -> bool:
        contexts = self.avoid.get(word)
        if contexts and contexts[reading.accented].around(reading, start) is not None:
            return False
        group = self.dialect[word].name
        homograph = self.homographs.get(word)
        is_product = homograph is not None and group in homograph.products
        if is_product or not (reading.accented or size > 1 or size == len(reading.tokens)):
            return self._product(word, reading, start, size) == group
        return True

    def abbreviations(self, text: str) -> tuple[Abbreviation, ...]:
        """Return the short forms of ``text`` with the long form that their context decides."""
        reading = read(text)
        found = []
        for start, size, words in self._short_phrases[reading.accented].find(reading.tokens):
            span = span_at(reading, start, size)
            for short in (short for word in words for short in self._read_short(word, span.text)):
                if short.context is None or short.context.near(reading, start):
                    found.append(Abbreviation(span.start, span.end, span.text, short.long))
                    break
        return tuple(sorted((*found, *self._glued(reading)), key=lambda item: item.start))

    def _read_short(self, word: str, written: str) -> Iterator[Short]:
        # readings that need a sign come before the one that is taken without any
        if _may_be(word, written):
            yield from sorted(self.shorts[word], key=lambda short: short.context is None)

    def _glued(self, reading: Reading) -> Iterator[Abbreviation]:
        numbers = (place for place, sign in enumerate(reading.signs) if sign == NUMBER)
        for span in (span_at(reading, place, 1) for place in numbers):
            match = _GLUED.fullmatch(span.text)
            for short in self.shorts.get(match.group(2), ()) if match else ():
                start = span.start + len(span.text) - len(short.short)
                yield Abbreviation(start, span.end, short.short, short.long)
                break

    def product_mentions(self, text: str, accented: bool | None = None) -> tuple[Mention, ...]:
        """Return where ``text`` names products; without accents one word may name several."""
        reading = read(text, accented)
        hits = scan(reading, self._product_phrases[reading.accented], self._products_at)
        return tuple(Mention(*hit[:3], name) for hit in hits for name in hit[3])

    def products(self, text: str, accented: bool | None = None) -> tuple[ProductTerm, ...]:
        """Return the nodes of the product tree that ``text`` names, in order, each once."""
        mentions = self.product_mentions(text, accented)
        return tuple(self.terms[name] for name in dict.fromkeys(m.name for m in mentions))

    def regional_products(self, text: str, accented: bool | None = None) -> Iterator[str]:
        """Yield the nodes that ``text`` names by a dialect's word, under the node's own name."""
        for mention in self.product_mentions(text, accented):
            words = self._dialect_phrases[read(text, accented).accented]
            tokens = key(mention.found, read(text, accented).accented)
            if any(start == 0 and size == len(tokens) for start, size, _ in words.find(tokens)):
                yield mention.name

    def other_senses(self, text: str) -> frozenset[str]:
        """Return the product homographs that ``text`` holds, but never as a product: túi vải."""
        reading = read(text, True)
        phrases, readings = self._sense_phrases, dict[str, bool]()
        for start, size, words in phrases.all(reading.tokens):
            for word in words:
                named = bool(self._product(word, reading, start, size))
                readings[word] = readings.get(word, False) or named
        return frozenset(word for word, named in readings.items() if not named)

    def homographs_of(self, text: str, accented: bool | None = None) -> frozenset[str]:
        """Return the words with several meanings inside the products that ``text`` names."""
        reading = read(text, accented)
        tokens = {
            token
            for each in self.product_mentions(text, accented)
            for token in key(each.found, reading.accented)
        }
        return frozenset(
            word
            for word, forms in self._sense_keys.items()
            if tokens.issuperset(forms[reading.accented])
        )

    def term(self, name: str) -> ProductTerm | None:
        """Return the node called ``name`` (or one of its aliases), if there is one."""
        name = normalise(name)
        return self.terms.get(name) or self.terms.get(self.names.get(name.lower(), ""))

    def is_product(self, text: str) -> bool:
        """Whether ``text`` is, as written and as a whole, a word for a product: cua, ong."""
        senses = self.homographs.get(normalise(text).lower())
        return self.term(text) is not None or (senses is not None and any(senses.products))

    def _products_at(
        self, reading: Reading, start: int, size: int, words: tuple[str, ...]
    ) -> tuple[str, ...]:
        found = (self._product(word, reading, start, size) for word in words)
        return tuple(dict.fromkeys(name for name in found if name))

    def _product(self, word: str, reading: Reading, start: int, size: int) -> str:
        """Return the node that ``word`` names at ``start``, or "" if it names none there."""
        homograph = self.homographs.get(word)
        default = homograph.products[0] if homograph else self.names.get(word, "")
        plain = is_plain(reading, start, size) or (homograph and len(homograph.products) == 1)
        if homograph:
            contexts = homograph.contexts[reading.accented]
            strict = not reading.accented and size == 1
            sense = (contexts.around if strict else contexts.sense)(reading, start)
            if sense is not None:
                return homograph.products[sense]
            if not reading.accented or size == len(reading.tokens):
                default = next(filter(None, homograph.products), "")
        if plain or reading.accented or size > 1:
            return default
        return default if self._is_beside(default, reading.tokens, start) else ""

    def _is_beside(self, name: str, tokens: Key, start: int) -> bool:
        if not name or tokens[start] in _folded_fillers(self.stopwords):
            return False
        before = f" {' '.join(tokens[max(0, start - BESIDE) : start])}"
        after = f"{' '.join(tokens[start + 1 : start + 1 + BESIDE])} "
        return any(before.endswith(f" {s}") or after.startswith(f"{s} ") for s in self.beside[name])

    def narrowest(self, products: Iterable[ProductTerm]) -> tuple[ProductTerm, ...]:
        """Return ``products`` without those that another of them specialises."""
        products = tuple(products)
        broader = {name for product in products for name in product.ancestors}
        return tuple(product for product in products if product.name not in broader)

    def relation(self, need: Iterable[ProductTerm], technology: Iterable[ProductTerm]) -> Relation:
        """Tell how well a technology's products serve a need's products.

        ``same``: the need's product or a kind of it; ``broader``: a group it belongs to ("for
        fruit" serves lychee); ``near``: its family, a related product or a sibling in a group
        whose members resemble each other; ``unknown`` if either side names no product. The best
        relation of any pair counts, with two reservations: a need that names "fruit, above all
        lychee" is about lychee, hence only its narrowest products count; and packaging for mango
        is no packaging for lychee, hence means count only where nothing else is named.
        """
        need, technology = self.narrowest(_ends(need)), _ends(technology)
        found = {self._relation(mine, theirs) for mine in need for theirs in technology}
        order: tuple[Relation, ...] = ("same", "broader", "near", "other")
        return next((relation for relation in order if relation in found), "unknown")

    def _relation(self, need: ProductTerm, technology: ProductTerm) -> Relation:
        if need.name == technology.name or need.name in technology.ancestors:
            return "same"
        if technology.name in need.ancestors:
            return "broader"
        family = bool(need.family) and need.family == technology.family
        mine, theirs = (need.name, *need.ancestors), (technology.name, *technology.ancestors)
        related = {*need.related} & {*theirs} or {*technology.related} & {*mine}
        shared = next((name for name in mine if name in theirs), None)
        sibling = shared is not None and shared not in self.wide
        return "near" if family or related or sibling else "other"

    def process_mentions(self, text: str, accented: bool | None = None) -> tuple[Mention, ...]:
        """Return where ``text`` names processes, left to right."""
        reading = read(text, accented)
        hits = [*scan(reading, self._step_phrases[reading.accented], self._steps_at)]
        if NUMBER in reading.signs:  # "giữ 30 ngày" is written "giữ # ngày" in the table
            counted = replace(reading, tokens=reading.signs)
            phrases = self._counted_phrases[reading.accented]
            hits = apart([*hits, *scan(counted, phrases, self._steps_at)])
        return tuple(
            Mention(start, end, found, step.name)
            for start, end, found, words in hits
            for step in {self.steps[word]: None for word in words}
            if step is not None
        )

    def _steps_at(
        self, reading: Reading, start: int, size: int, words: tuple[str, ...]
    ) -> tuple[str, ...]:
        if reading.accented or size > 1 or is_plain(reading, start, size):
            return words
        # "say" alone is sấy only before what is dried
        products, after = self._product_phrases[False], start + size
        follows = after < len(reading.tokens) and any(products.at(reading.tokens, after))
        return words if follows else ()

    def processes(self, text: str, accented: bool | None = None) -> tuple[Process, ...]:
        """Return the processes that ``text`` names, in order, each once."""
        return self.processes_of(self.process_mentions(text, accented))

    def processes_of(self, mentions: Iterable[Mention]) -> tuple[Process, ...]:
        """Return the processes that are mentioned, in order, each once."""
        names = dict.fromkeys(mention.name for mention in mentions)
        return tuple(step for name in names if (step := self._step(name)) is not None)

    def stages(self, text: str, accented: bool | None = None) -> tuple[str, ...]:
        """Return the stages of the value chain that ``text`` is about, most evidence first."""
        return self.stages_of(self.process_mentions(text, accented))

    def stages_of(self, mentions: Iterable[Mention]) -> tuple[str, ...]:
        """Return the stages of the processes that are mentioned, most evidence first."""
        steps = (self._step(mention.name) for mention in mentions)
        counts = Counter(step.stage for step in steps if step is not None)
        return tuple(stage for stage, _ in counts.most_common())

    def _step(self, name: str) -> Process | None:
        return self.steps.get(name.lower())

    def is_stopword(self, word: str) -> bool:
        """Whether ``word`` (one or more syllables) is filler; accents are required."""
        return _as_listed(word) in self.stopwords

    def content(self, words: Sequence[str], accented: bool = True) -> tuple[str, ...]:
        """Return the syllables of ``words`` that say something, as written.

        Filler of several syllables goes as a whole ("chúng tôi"). Unaccented, only such filler
        goes: a single folded syllable may be anything.
        """
        tokens = tuple(w.lower() if accented else fold(w) for w in words)
        dropped = {
            position
            for start, size, _ in self._stop_phrases[accented].find(tokens)
            if accented or size > 1
            for position in range(start, start + size)
        }
        return tuple(word for i, word in enumerate(words) if i not in dropped)


def _ends(products: Iterable[ProductTerm]) -> tuple[ProductTerm, ...]:
    products = tuple(products)
    return tuple(product for product in products if not product.means) or products


@lru_cache(maxsize=20_000)  # queries ask for each of their syllables
def _as_listed(word: str) -> str:
    return normalise(word).lower()


@lru_cache(maxsize=8)
def _folded_fillers(stopwords: frozenset[str]) -> frozenset[str]:
    return frozenset(fold(word) for word in stopwords if " " not in word)


def _may_be(short: str, written: str) -> bool:
    """Whether ``written`` may stand for ``short``: capitals matter where a word looks alike."""
    if short.islower():
        return len(short) == 1 or not written.isupper()
    return written == short or not WORD_LIKE.fullmatch(fold(short))
