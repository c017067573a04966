"""The tables of words (``corpus/data/*.csv``) read and checked: what officers may have edited.

Apart from the lexicon because a table is edited by people: every cell that cannot be used is
answered by its file, line and column, and that is most of the work here. What a correct table says
comes out as plain records; asking them about a text is the matter of :mod:`corpus.lexicon`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple, TypeVar

from corpus.phrases import Contexts, contains, contexts, key
from corpus.records import STAGES
from corpus.text import normalise

_T = TypeVar("_T")
_PRODUCT_COLUMNS = (
    "name", "parent", "means", "wide", "family", "aliases", "english", "signs", "related",
)  # fmt: skip


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
class Group:
    """Words of all dialects for one thing."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Short:
    """One reading of an abbreviation, and the words one of which must be near for it."""

    short: str
    long: str
    context: Contexts | None


@dataclass(frozen=True)
class Homograph:
    """The product of each sense ("" for none), the default first; signs folded and accented."""

    products: tuple[str, ...]
    contexts: tuple[Contexts, Contexts]


class ProductTable(NamedTuple):
    """What ``products.csv`` says; ``names`` and ``beside`` are for finding products in a text."""

    terms: Mapping[str, ProductTerm]  # nodes by name
    wide: frozenset[str]  # nodes whose members are not near each other for that alone
    names: Mapping[str, str]  # product word → node
    beside: Mapping[str, tuple[str, ...]]  # node → folded signs, its own and its ancestors'


def products(data: Traversable) -> ProductTable:
    """Read the product tree."""
    rows = read_table(data, "products.csv", _PRODUCT_COLUMNS)
    terms, wide = _terms(rows)
    return ProductTable(terms, wide, _names(rows), _beside(rows, terms))


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
        above = ancestors(row, by_name)
        for other in row.many("related"):
            _known(other, by_name, row, "related")
        families = (by_name[each].cells["family"] for each in (name, *above))
        family = next(filter(None, families), "")
        means = any(by_name[each].cells["means"] for each in (name, *above))
        terms[name] = ProductTerm(name, above, family, row.many("related"), means)
    return terms, frozenset(row.text("name") for row in rows if row.cells["wide"])


def ancestors(row: Row, by_name: Mapping[str, Row]) -> tuple[str, ...]:
    """Return the broader names of a row, nearest first; they must exist, without a cycle."""
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


def homographs(data: Traversable, terms: Mapping[str, ProductTerm]) -> dict[str, Homograph]:
    """Read words with several senses; the products named must be nodes of ``terms``."""
    senses: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for row in read_table(data, "homographs.csv", ("word", "sense", "product", "signs")):
        product = row.cells["product"]
        if product:
            _known(product, terms, row, "product")
        senses.setdefault(row.text("word").lower(), []).append((product, row.many("signs")))
    return {
        word: Homograph(tuple(p for p, _ in found), contexts(word, [s for _, s in found]))
        for word, found in senses.items()
    }


def dialect(data: Traversable) -> tuple[dict[str, Group], dict[str, tuple[Contexts, Contexts]]]:
    """Read word → group, and the contexts in which a word is not that of its group."""
    groups: dict[str, Group] = {}
    avoid: dict[str, tuple[Contexts, Contexts]] = {}
    for row in read_table(data, "dialect.csv", ("group", "north", "south", "other", "avoid")):
        words = tuple(
            word.lower() for side in ("north", "south", "other") for word in row.many(side)
        )
        if len(words) < 2:
            raise row.error("south", "một nhóm cần ít nhất hai từ")
        group = Group(row.text("group"), words)
        for word in words:
            if groups.setdefault(word, group) is not group:
                raise row.error("group", f'"{word}" đã ở nhóm "{groups[word].name}"')
            if signs := _avoided(word, words, row):
                avoid[word] = contexts(word, [signs])
    return groups, avoid


def _avoided(word: str, words: Sequence[str], row: Row) -> list[str]:
    phrases = row.many("avoid")
    for phrase in phrases:
        if not any(contains(key(phrase), key(each)) for each in words):
            raise row.error("avoid", f'"{phrase}" không chứa từ nào của nhóm')
    return [phrase for phrase in phrases if contains(key(phrase), key(word))]


def abbreviations(data: Traversable) -> dict[str, tuple[Short, ...]]:
    """Read short form → its readings."""
    found: dict[str, list[Short]] = {}
    for row in read_table(data, "abbreviations.csv", ("short", "long", "context")):
        short = row.text("short")
        signs = row.many("context")
        context = Contexts(short, [signs], True) if signs else None
        found.setdefault(short, []).append(Short(short, row.text("long"), context))
    return {short: tuple(readings) for short, readings in found.items()}


def processes(data: Traversable) -> dict[str, Process | None]:
    """Read process word → process; ``None`` for phrases that only look like one."""
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


def stopwords(data: Traversable) -> tuple[str, ...]:
    """Read filler, as written."""
    return tuple(row.text("word") for row in read_table(data, "stopwords.csv", ["word"]))
