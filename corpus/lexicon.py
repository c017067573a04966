"""What words mean here: dialect, abbreviations, homographs, products, processes and filler.

Lợn in the North is heo in the South, CNC is high technology or a machine, and vải is a fruit or a
cloth. None of this can be learnt from a few thousand records, and all of it is known to officers:
it therefore stands in tables (``corpus/data/*.csv``, described in its README) that they may edit.
This module only reads the tables and finds their phrases in a text.

Texts are normalised, offsets refer to ``normalise(text)``. Phrases are sequences of lower-cased
syllables and the longest wins. A text without accents (``bao quan xoai``) is compared with folded
phrases; there one syllable stands for many words (``cua`` is của, cửa and cua), so that a product
of one syllable counts only beside a sign of it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeVar

from corpus.records import STAGES
from corpus.text import Span, fold, has_accents, normalise, syllables

Key = tuple[str, ...]
_T = TypeVar("_T")
Relation = Literal["same", "broader", "near", "other", "unknown"]
NEAR = 6  # syllables on either side in which a neighbouring word decides a reading
BESIDE = 3  # the same for one-syllable products typed without accents, where chance hits abound
_NUMBER = "#"  # stands for any number in the signs of the tables
_BREAK = re.compile(r"[,;:.!?()\[\]\"“”…|•]")
_GLUED = re.compile(r"(\d[\d.,]*)([^\W\d_]+)")  # "200tr", "50kg"
# A Vietnamese syllable without accents: "ai" and "map" are, "cnc", "htx" and "tea" are none.
_WORD_LIKE = re.compile(
    r"(?:ngh?|nh|[cgkpt]h|gi|qu|tr|[bcdghklmnpqrstvx])?"
    r"(?:a[iouy]?|e[ou]?|i(?:eu?|[au])?|o(?:a[iy]?|eo?|[io])?|u(?:a[iy]?|o[iu]?|y[aeu]?|[eiu])?|y(?:eu?)?)"
    r"(?:ch|c|m|ng|nh|n|p|t)?"
)


class TableError(ValueError):
    """A table that cannot be used; the message names the file, the line and the column."""


@dataclass(frozen=True)
class Row:
    """One line of a table: where it stands and what it says."""

    table: str
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """Return a cell that must not be empty."""
        value = self.cells[column]
        if not value:
            raise self.error(column, "không được để trống")
        return value

    def many(self, column: str) -> tuple[str, ...]:
        """Return the members of a cell separated by ``;``."""
        return tuple(part for raw in self.cells[column].split(";") if (part := raw.strip()))

    def error(self, column: str, problem: str) -> TableError:
        """Return (not raise) the error that points at a cell of this line."""
        return TableError(f'{self.table} dòng {self.line}, cột "{column}": {problem}')


def data_folder(folder: Path | None = None) -> Traversable:
    """Return the folder of the tables: ``folder``, or the one shipped with the package."""
    return folder if folder is not None else files("corpus").joinpath("data")


def read_table(folder: Traversable, name: str, columns: Sequence[str]) -> tuple[Row, ...]:
    """Read ``name`` (UTF-8 CSV with a heading); raise :class:`TableError` where it is malformed."""
    try:
        text = folder.joinpath(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TableError(f"{name}: không mở được tệp ({error})") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{name}: tệp không phải UTF-8 (byte thứ {error.start + 1})") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    heading = [cell.strip() for cell in next(reader, [])]
    missing = [column for column in columns if column not in heading]
    if missing:
        raise TableError(f"{name} dòng 1: thiếu cột {', '.join(missing)}")
    return tuple(_rows(name, heading, reader))


def _rows(name: str, heading: list[str], reader: Iterator[list[str]]) -> Iterator[Row]:
    line = 1
    for cells in reader:
        line = getattr(reader, "line_num", line + 1)
        if not any(cells):
            continue
        if len(cells) != len(heading):
            raise TableError(f"{name} dòng {line}: có {len(cells)} ô, cần {len(heading)} ô")
        yield Row(name, line, dict(zip(heading, map(normalise, cells), strict=True)))


class Reading(NamedTuple):
    """A text as the tables see it: syllables as written, and lower-cased (folded if unaccented)."""

    text: str  # normalised
    spans: tuple[Span, ...]
    tokens: Key
    signs: Key  # tokens with every number written "#"
    accented: bool


@lru_cache(maxsize=20_000)  # loading asks again and again for the same few thousand phrases
def key(phrase: str, accented: bool = True) -> Key:
    """Return the comparison form of ``phrase``: lower-cased syllables, folded if unaccented."""
    text = normalise(phrase)
    lowered = text.lower() if accented else fold(text)
    return tuple(span.text for span in syllables(lowered))


@lru_cache(maxsize=1024)
def read(text: str, accented: bool | None = None) -> Reading:
    """Split ``text`` for matching; ``accented=None`` looks whether it carries any accent."""
    text = normalise(text)
    if accented is None:
        # the beginning nearly always decides, at a fraction of the cost
        accented = has_accents(text[:80]) or (not text.isascii() and has_accents(text))
    spans = tuple(syllables(text))
    tokens = tuple(s.text.lower() if accented else fold(s.text) for s in spans)
    signs = tuple(_NUMBER if token[0].isdigit() else token for token in tokens)
    return Reading(text, spans, tokens, signs, accented)


class Phrases:
    """Phrases by their first syllable, so that a text is scanned in one pass."""

    def __init__(self, entries: Mapping[Key, tuple[str, ...]]) -> None:
        self._entries = dict(entries)
        sizes: dict[str, set[int]] = {}
        for phrase in self._entries:
            sizes.setdefault(phrase[0], set()).add(len(phrase))
        self._sizes = {first: sorted(lengths, reverse=True) for first, lengths in sizes.items()}

    @classmethod
    def of(cls, words: Iterable[str], accented: bool) -> Phrases:
        """Index ``words``; unaccented, words that fold alike are found together."""
        entries: dict[Key, dict[str, None]] = {}
        for word in words:
            if phrase := key(word, accented):
                entries.setdefault(phrase, {})[word] = None
        return cls({phrase: tuple(found) for phrase, found in entries.items()})

    def at(self, tokens: Key, start: int) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield ``(length, words)`` of the phrases that begin at ``start``, longest first."""
        for size in self._sizes.get(tokens[start], ()):
            # a stretch cut short by the end of the text may be a shorter phrase: not this one
            fits = start + size <= len(tokens)
            words = self._entries.get(tokens[start : start + size]) if fits else None
            if words is not None:
                yield size, words

    def find(self, tokens: Key) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Yield ``(start, length, words)`` from left to right, longest first, no overlap."""
        start = 0
        while start < len(tokens):
            size, words = next(self.at(tokens, start), (1, ()))
            if words:
                yield start, size, words
            start += size


class Contexts:
    """Longer phrases around one word, and words near it, that settle which sense it has.

    A sign that contains the word ("mục tiêu" for "tiêu") settles it at once, the longest first;
    other signs count when they stand within ``NEAR`` syllables.
    """

    def __init__(self, word: str, senses: Sequence[Sequence[str]], accented: bool) -> None:
        self.size = len(key(word, accented))
        self._around: dict[tuple[int, int], dict[Key, int]] = {}
        self._near: list[tuple[str, int]] = []
        for sense, signs in enumerate(senses):
            for sign in signs:
                self._add(sense, word, sign, accented)
        self._shapes = sorted(self._around, key=lambda shape: -shape[1])

    def _add(self, sense: int, word: str, sign: str, accented: bool) -> None:
        phrase, own = _sign_key(sign, accented), key(word, accented)
        places = [i for i in range(len(phrase)) if phrase[i : i + len(own)] == own]
        for place in places:
            self._around.setdefault((place, len(phrase)), {}).setdefault(phrase, sense)
        # "lựa chọn" holds "lúa" only without accents: it says nothing about an accented text
        if not places and not _contains(_sign_key(sign, False), key(word, False)):
            self._near.append((f" {' '.join(phrase)} ", sense))

    def around(self, reading: Reading, start: int) -> int | None:
        """Return the sense of the longest sign that covers the word at ``start``."""
        for place, size in self._shapes:
            first = start - place
            if first >= 0:
                sense = self._around[place, size].get(reading.signs[first : first + size])
                if sense is not None and not _divided(reading, first, size):
                    return sense
        return None

    def near(self, reading: Reading, start: int) -> Counter[int]:
        """Count, for each sense, its signs in the neighbourhood of the word at ``start``."""
        window = _window(reading.signs, start, self.size, NEAR)
        return Counter(sense for sign, sense in self._near if sign in window)

    def sense(self, reading: Reading, start: int) -> int | None:
        """Return the sense at ``start``, or ``None`` where no sign decides."""
        settled = self.around(reading, start)
        if settled is not None:
            return settled
        counts = self.near(reading, start)
        return min(counts, key=lambda sense: (-counts[sense], sense), default=None)


def _divided(reading: Reading, start: int, size: int) -> bool:
    """Whether punctuation divides the phrase: "bơ, sữa" is not "bơ sữa"."""
    pairs = pairwise(reading.spans[start : start + size])
    return any(_BREAK.search(reading.text, left.end, right.start) for left, right in pairs)


def _sign_key(sign: str, accented: bool) -> Key:
    # a zero stands in for "#", which is no syllable
    tokens = key(sign.replace(_NUMBER, " 0 "), accented)
    return tuple(_NUMBER if token[0].isdigit() else token for token in tokens)


def _contains(phrase: Key, part: Key) -> bool:
    return any(phrase[i : i + len(part)] == part for i in range(len(phrase)))


def _window(tokens: Key, start: int, size: int, reach: int) -> str:
    return f" {' '.join(tokens[max(0, start - reach) : start + size + reach])} "


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
class ProductTerm:
    """A node of the product tree, its broader nodes (nearest first) and its family."""

    name: str
    ancestors: tuple[str, ...] = ()
    family: str = ""
    related: tuple[str, ...] = ()
    means: bool = False  # made to serve other products: packaging, machines, feed


@dataclass(frozen=True)
class Process:
    """Something that is done to a product, and the stage of the value chain where it is done."""

    name: str
    stage: str


@dataclass(frozen=True)
class Mention:
    """Where in the text a product or a process is named."""

    start: int
    end: int
    found: str
    name: str


@dataclass(frozen=True)
class _Group:
    """Words of all dialects for one thing."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Short:
    """One reading of an abbreviation, and the words one of which must be near for it."""

    short: str
    long: str
    context: Contexts | None


@dataclass(frozen=True)
class _Homograph:
    """The product of each sense ("" for none), the default first; signs folded and accented."""

    products: tuple[str, ...]
    contexts: tuple[Contexts, Contexts]


Both = tuple[Phrases, Phrases]  # indexed by "accented": folded phrases, phrases with accents


def _both(words: Iterable[str]) -> Both:
    words = tuple(words)
    return Phrases.of(words, False), Phrases.of(words, True)


@dataclass(frozen=True)
class Lexicon:
    """The tables, ready to be asked about a text; :meth:`load` makes one."""

    terms: Mapping[str, ProductTerm]  # product nodes by name
    wide: frozenset[str]  # nodes whose members are not near each other for that alone
    names: Mapping[str, str]  # product word → node
    beside: Mapping[str, tuple[str, ...]]  # node → folded signs, its own and its ancestors'
    homographs: Mapping[str, _Homograph]
    dialect: Mapping[str, _Group]  # word → group
    avoid: Mapping[str, tuple[Contexts, Contexts]]  # dialect word → contexts of another meaning
    shorts: Mapping[str, tuple[_Short, ...]]
    steps: Mapping[str, Process | None]  # process word → process; None: means something else
    stopwords: frozenset[str]
    _product_phrases: Both
    _dialect_phrases: Both
    _short_phrases: Both
    _step_phrases: Both
    _stop_phrases: Both

    @classmethod
    def load(cls, folder: Path | None = None) -> Lexicon:
        """Read the tables of ``folder`` (default: those of the package).

        Raises :class:`TableError` naming file, line and column of the first bad cell.
        """
        data = data_folder(folder)
        rows = read_table(data, "products.csv", _PRODUCT_COLUMNS)
        terms, wide = _terms(rows)
        names = _names(rows)
        homographs = _homographs(data, terms)
        dialect, avoid = _dialect(data)
        shorts = _shorts(data)
        steps = _steps(data)
        stopwords = [row.text("word") for row in read_table(data, "stopwords.csv", ["word"])]
        return cls(
            terms=terms,
            wide=wide,
            names=names,
            beside=_beside(rows, terms),
            homographs=homographs,
            dialect=dialect,
            avoid=avoid,
            shorts=shorts,
            steps=steps,
            stopwords=frozenset(word.lower() for word in stopwords),
            _product_phrases=_both([*names, *homographs]),
            _dialect_phrases=_both(dialect),
            _short_phrases=_both(shorts),
            _step_phrases=_both(steps),
            _stop_phrases=_both(stopwords),
        )

    def variants(self, text: str, accented: bool | None = None) -> tuple[Variant, ...]:
        """Return the dialect words of ``text`` that mean what their group means, left to right."""
        reading = read(text, accented)
        hits = _scan(reading, self._dialect_phrases[reading.accented], self._dialect_at)
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
            span = _span(reading, start, size)
            for short in (short for word in words for short in self._read_short(word, span.text)):
                if short.context is None or short.context.near(reading, start):
                    found.append(Abbreviation(span.start, span.end, span.text, short.long))
                    break
        return tuple(sorted((*found, *self._glued(reading)), key=lambda item: item.start))

    def _read_short(self, word: str, written: str) -> Iterator[_Short]:
        # readings that need a sign come before the one that is taken without any
        if _may_be(word, written):
            yield from sorted(self.shorts[word], key=lambda short: short.context is None)

    def _glued(self, reading: Reading) -> Iterator[Abbreviation]:
        for span in reading.spans:
            match = _GLUED.fullmatch(span.text)
            for short in self.shorts.get(match.group(2), ()) if match else ():
                start = span.start + len(span.text) - len(short.short)
                yield Abbreviation(start, span.end, short.short, short.long)
                break

    def product_mentions(self, text: str, accented: bool | None = None) -> tuple[Mention, ...]:
        """Return where ``text`` names products; without accents one word may name several."""
        reading = read(text, accented)
        hits = _scan(reading, self._product_phrases[reading.accented], self._products_at)
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

    def term(self, name: str) -> ProductTerm | None:
        """Return the node called ``name`` (or one of its aliases), if there is one."""
        name = normalise(name)
        return self.terms.get(name) or self.terms.get(self.names.get(name.lower(), ""))

    def _products_at(
        self, reading: Reading, start: int, size: int, words: tuple[str, ...]
    ) -> tuple[str, ...]:
        found = (self._product(word, reading, start, size) for word in words)
        return tuple(dict.fromkeys(name for name in found if name))

    def _product(self, word: str, reading: Reading, start: int, size: int) -> str:
        """Return the node that ``word`` names at ``start``, or "" if it names none there."""
        homograph = self.homographs.get(word)
        default = homograph.products[0] if homograph else self.names.get(word, "")
        plain = _is_plain(reading, start, size) or (homograph and len(homograph.products) == 1)
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
        hits = _scan(reading, self._step_phrases[reading.accented], self._steps_at)
        return tuple(
            Mention(start, end, found, step.name)
            for start, end, found, words in hits
            for step in {self.steps[word]: None for word in words}
            if step is not None
        )

    def _steps_at(
        self, reading: Reading, start: int, size: int, words: tuple[str, ...]
    ) -> tuple[str, ...]:
        if reading.accented or size > 1 or _is_plain(reading, start, size):
            return words
        # "say" alone is sấy only before what is dried
        products, after = self._product_phrases[False], start + size
        follows = after < len(reading.tokens) and any(products.at(reading.tokens, after))
        return words if follows else ()

    def processes(self, text: str, accented: bool | None = None) -> tuple[Process, ...]:
        """Return the processes that ``text`` names, in order, each once."""
        names = dict.fromkeys(m.name for m in self.process_mentions(text, accented))
        return tuple(step for name in names if (step := self._step(name)) is not None)

    def stages(self, text: str, accented: bool | None = None) -> tuple[str, ...]:
        """Return the stages of the value chain that ``text`` is about, most evidence first."""
        steps = (self._step(mention.name) for mention in self.process_mentions(text, accented))
        counts = Counter(step.stage for step in steps if step is not None)
        return tuple(stage for stage, _ in counts.most_common())

    def _step(self, name: str) -> Process | None:
        return self.steps.get(name.lower())

    def is_stopword(self, word: str) -> bool:
        """Whether ``word`` (one or more syllables) is filler; accents are required."""
        return normalise(word).lower() in self.stopwords

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


class _Accept(Protocol):
    def __call__(
        self, reading: Reading, start: int, size: int, words: tuple[str, ...]
    ) -> tuple[str, ...]: ...


def _scan(
    reading: Reading, phrases: Phrases, accept: _Accept
) -> Iterator[tuple[int, int, str, tuple[str, ...]]]:
    """Yield ``(start, end, found, names)`` of accepted phrases, longest first, no overlap.

    A phrase that is not accepted gives way to shorter ones at the same place, then to later ones.
    """
    start = 0
    while start < len(reading.tokens):
        step = 1
        for size, words in phrases.at(reading.tokens, start):
            if names := accept(reading, start, size, _unbroken(words, reading, start, size)):
                span = _span(reading, start, size)
                yield span.start, span.end, span.text, names
                step = size
                break
        start += step


def _unbroken(words: tuple[str, ...], reading: Reading, start: int, size: int) -> tuple[str, ...]:
    """Return the words that may stand here: across a comma, only those written with one."""
    if size > 1 and _divided(reading, start, size):
        return tuple(word for word in words if "," in word)
    return words


def _is_plain(reading: Reading, start: int, size: int) -> bool:
    """Whether nothing else can be meant: the whole text, or no Vietnamese syllable ("shrimp")."""
    return size == len(reading.tokens) or not _WORD_LIKE.fullmatch(reading.tokens[start])


def _span(reading: Reading, start: int, size: int) -> Span:
    first, last = reading.spans[start], reading.spans[start + size - 1]
    gap = reading.text[first.start : last.end]
    return Span(gap, first.start, last.end)


def _ends(products: Iterable[ProductTerm]) -> tuple[ProductTerm, ...]:
    products = tuple(products)
    return tuple(product for product in products if not product.means) or products


@lru_cache(maxsize=8)
def _folded_fillers(stopwords: frozenset[str]) -> frozenset[str]:
    return frozenset(fold(word) for word in stopwords if " " not in word)


def _may_be(short: str, written: str) -> bool:
    """Whether ``written`` may stand for ``short``: capitals matter where a word looks alike."""
    if short.islower():
        return len(short) == 1 or not written.isupper()
    return written == short or not _WORD_LIKE.fullmatch(fold(short))


_PRODUCT_COLUMNS = (
    "name", "parent", "means", "wide", "family", "aliases", "english", "signs", "related",
)  # fmt: skip


def _unique(rows: Iterable[tuple[Row, str, str]]) -> dict[str, str]:
    """Map word → value over ``(row, word, value)``; a word with two values is an error."""
    found: dict[str, str] = {}
    for row, word, value in rows:
        if found.setdefault(word, value) != value:
            problem = f'"{word}" đã thuộc về "{found[word]}"'
            raise row.error(next(iter(row.cells)), problem)
    return found


def _terms(rows: Sequence[Row]) -> tuple[dict[str, ProductTerm], frozenset[str]]:
    """Build the product tree; parents and related products must exist, without a cycle."""
    by_name: dict[str, Row] = {}
    for row in rows:
        if by_name.setdefault(row.text("name"), row) is not row:
            raise row.error("name", f'sản phẩm "{row.text("name")}" đã có')
    terms = {}
    for name, row in by_name.items():
        ancestors = _ancestors(row, by_name)
        for other in row.many("related"):
            _known(other, by_name, row, "related")
        families = (by_name[each].cells["family"] for each in (name, *ancestors))
        family = next(filter(None, families), "")
        means = any(by_name[each].cells["means"] for each in (name, *ancestors))
        terms[name] = ProductTerm(name, ancestors, family, row.many("related"), means)
    return terms, frozenset(row.text("name") for row in rows if row.cells["wide"])


def _ancestors(row: Row, by_name: Mapping[str, Row]) -> tuple[str, ...]:
    chain: list[str] = []
    current = row
    while parent := current.cells["parent"]:
        if parent == row.text("name") or parent in chain:
            raise row.error("parent", f'vòng lặp qua "{parent}"')
        chain.append(parent)
        current = _known(parent, by_name, current, "parent")
    return tuple(chain)


def _known(name: str, known: Mapping[str, _T], row: Row, column: str) -> _T:
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f' (có phải "{close[0]}"?)' if close else ""
        raise row.error(column, f'không có "{name}"{hint}')
    return known[name]


def _names(rows: Iterable[Row]) -> dict[str, str]:
    return _unique(
        (row, word, row.text("name")) for row in rows for word in dict.fromkeys(_surfaces(row))
    )


def _surfaces(row: Row) -> Iterator[str]:
    yield row.text("name").lower()
    yield from (alias.lower() for alias in row.many("aliases"))
    for english in row.many("english"):
        yield from _numbers(english.lower())


def _numbers(english: str) -> tuple[str, str]:
    """Return the singular and the plural, as far as English spelling is regular."""
    if re.search(r"[^aeiou]y$", english):
        return english, f"{english[:-1]}ies"
    return english, english + ("es" if re.search(r"([sxo]|[cs]h)$", english) else "s")


def _beside(rows: Iterable[Row], terms: Mapping[str, ProductTerm]) -> dict[str, tuple[str, ...]]:
    own = {row.text("name"): row.many("signs") for row in rows}
    return {
        name: tuple(
            dict.fromkeys(
                " ".join(key(sign, False)) for each in (name, *term.ancestors) for sign in own[each]
            )
        )
        for name, term in terms.items()
    }


def _homographs(data: Traversable, terms: Mapping[str, ProductTerm]) -> dict[str, _Homograph]:
    senses: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for row in read_table(data, "homographs.csv", ("word", "sense", "product", "signs")):
        product = row.cells["product"]
        if product:
            _known(product, terms, row, "product")
        senses.setdefault(row.text("word").lower(), []).append((product, row.many("signs")))
    return {
        word: _Homograph(tuple(p for p, _ in found), _contexts(word, [s for _, s in found]))
        for word, found in senses.items()
    }


def _contexts(word: str, senses: Sequence[Sequence[str]]) -> tuple[Contexts, Contexts]:
    return Contexts(word, senses, False), Contexts(word, senses, True)


def _dialect(
    data: Traversable,
) -> tuple[dict[str, _Group], dict[str, tuple[Contexts, Contexts]]]:
    groups: dict[str, _Group] = {}
    avoid: dict[str, tuple[Contexts, Contexts]] = {}
    for row in read_table(data, "dialect.csv", ("group", "north", "south", "other", "avoid")):
        words = tuple(
            word.lower() for side in ("north", "south", "other") for word in row.many(side)
        )
        if len(words) < 2:
            raise row.error("south", "một nhóm cần ít nhất hai từ")
        group = _Group(row.text("group"), words)
        for word in words:
            if groups.setdefault(word, group) is not group:
                raise row.error("group", f'"{word}" đã ở nhóm "{groups[word].name}"')
            if signs := _avoided(word, words, row):
                avoid[word] = _contexts(word, [signs])
    return groups, avoid


def _avoided(word: str, words: Sequence[str], row: Row) -> list[str]:
    phrases = row.many("avoid")
    for phrase in phrases:
        if not any(_contains(key(phrase), key(each)) for each in words):
            raise row.error("avoid", f'"{phrase}" không chứa từ nào của nhóm')
    return [phrase for phrase in phrases if _contains(key(phrase), key(word))]


def _shorts(data: Traversable) -> dict[str, tuple[_Short, ...]]:
    found: dict[str, list[_Short]] = {}
    for row in read_table(data, "abbreviations.csv", ("short", "long", "context")):
        short = row.text("short")
        signs = row.many("context")
        context = Contexts(short, [signs], True) if signs else None
        found.setdefault(short, []).append(_Short(short, row.text("long"), context))
    return {short: tuple(readings) for short, readings in found.items()}


def _steps(data: Traversable) -> dict[str, Process | None]:
    steps: dict[str, Process | None] = {}
    avoid: dict[str, Process | None] = {}
    owner: dict[str, str] = {}
    for row in read_table(data, "processes.csv", ("process", "stage", "words", "avoid")):
        process = Process(row.text("process"), row.text("stage"))
        _known(process.stage, dict.fromkeys(STAGES), row, "stage")
        for word in dict.fromkeys((process.name, *row.many("words"))):
            if owner.setdefault(word.lower(), process.name) != process.name:
                raise row.error("words", f'"{word}" đã thuộc về "{owner[word.lower()]}"')
            steps[word.lower()] = process
        avoid.update(dict.fromkeys(map(str.lower, row.many("avoid"))))
    return avoid | steps  # a phrase that one process avoids may be another process
