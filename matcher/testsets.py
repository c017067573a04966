"""Collections to measure on, in the two layouts that people exchange, as one kind of object.

* BEIR: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/*.tsv``;
* interchange: ``technologies.csv``, ``products.csv``, ``needs.csv``, ``judgments.tsv``, optionally
  ``queries_variants.tsv`` (need, kind, text) and ``constraint_violations.tsv`` (need, technology,
  rule).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from corpus.headings import shorten
from corpus.lexicon import Lexicon
from corpus.readers import Known, read
from corpus.records import Judgment, Need, Product, Record, Technology
from corpus.text import normalise
from indexes.documents import Document
from matcher.documents import document

R = TypeVar("R", bound=Record)
Qrels = dict[str, dict[str, int]]


class TestSetError(ValueError):
    """A folder cannot be measured on; the message says what is missing or wrong, and where."""

    __test__ = False  # not a test case, whatever its name suggests to pytest


@dataclass(frozen=True)
class Variant:
    """The same need typed another way."""

    need: str
    kind: str
    text: str


@dataclass(frozen=True)
class TestSet:
    """Documents, queries and grades. ``needs`` and what follows is empty for a BEIR folder."""

    __test__ = False

    name: str
    documents: tuple[Document, ...]
    queries: dict[str, str]
    qrels: Qrels
    useful: int  # lowest grade that counts as useful
    technologies: tuple[Technology, ...] = ()
    products: tuple[Product, ...] = ()
    needs: tuple[Need, ...] = ()
    variants: tuple[Variant, ...] = ()
    violations: frozenset[tuple[str, str, str]] | None = None
    notices: tuple[str, ...] = ()

    @property
    def answered(self) -> frozenset[str]:
        """Queries with at least one useful record."""
        return frozenset(
            query
            for query, grades in self.qrels.items()
            if max(grades.values(), default=0) >= self.useful
        )


def load(folder: Path, lexicon: Lexicon) -> TestSet:
    """Read ``folder`` in whichever of the two layouts it has.

    Raises:
        TestSetError: it has neither, or a file in it is damaged.
    """
    if (folder / "corpus.jsonl").is_file():
        return _beir(folder)
    if (folder / "technologies.csv").is_file():
        return _interchange(folder, lexicon)
    raise TestSetError(
        f"{folder} không phải thư mục đánh giá: cần corpus.jsonl, queries.jsonl, qrels/*.tsv "
        "(BEIR), hoặc technologies.csv, products.csv, needs.csv, judgments.tsv"
    )


def _beir(folder: Path) -> TestSet:
    texts = {line["_id"]: line for line in _json_lines(folder / "corpus.jsonl")}
    documents = (_passage(key, line) for key, line in sorted(texts.items()))
    queries = {line["_id"]: line["text"] for line in _json_lines(folder / "queries.jsonl")}
    qrels: Qrels = {}
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise TestSetError(f"không có tệp .tsv nào trong {folder / 'qrels'}")
    for path in files:
        for number, cells in _cells(path, 3, skip_heading=True):
            qrels.setdefault(cells[0], {})[cells[1]] = _grade(cells[2], path, number)
    return TestSet(folder.name, tuple(documents), queries, qrels, useful=1)


def _passage(key: str, line: dict[str, str]) -> Document:
    title, text = normalise(line["title"]), normalise(line["text"])
    return Document(key, title, text, passages=tuple(filter(None, (title, text))))


def _interchange(folder: Path, lexicon: Lexicon) -> TestSet:
    names = ("technologies.csv", "products.csv", "needs.csv", "judgments.tsv")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise TestSetError(f"trong {folder} thiếu {', '.join(missing)}")
    loaded = read([folder / name for name in names], Known())
    unreadable = [each.message for each in loaded.rejected if not each.row]
    if unreadable:
        raise TestSetError("; ".join(unreadable))
    technologies = _of(loaded.records, Technology)
    needs = _of(loaded.records, Need)
    qrels: Qrels = {each.id: {} for each in needs}
    for judgment in _of(loaded.records, Judgment):
        qrels[judgment.need][judgment.technology] = judgment.grade
    variants, violations = folder / "queries_variants.tsv", folder / "constraint_violations.tsv"
    return TestSet(
        folder.name,
        tuple(document(each, lexicon) for each in technologies),
        {each.id: each.text for each in needs},
        qrels,
        useful=2,
        technologies=technologies,
        products=_of(loaded.records, Product),
        needs=needs,
        variants=tuple(_variants(variants)) if variants.is_file() else (),
        violations=_violations(violations) if violations.is_file() else None,
        notices=tuple(each.message for each in loaded.rejected),
    )


def _of(records: Iterable[Record], kind: type[R]) -> tuple[R, ...]:
    found = [each for each in records if isinstance(each, kind)]
    return tuple(sorted(found, key=lambda each: each.key))


def _variants(path: Path) -> Iterator[Variant]:
    for _, cells in _rows(path):
        yield Variant(*cells)


def _violations(path: Path) -> frozenset[tuple[str, str, str]]:
    rows = (cells for _, cells in _rows(path))
    return frozenset((need, technology, rule) for need, technology, rule in rows)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows about needs; such a file may have a heading."""
    for number, cells in _cells(path, 3):
        if (number, cells[0]) != (1, "need"):
            yield number, cells


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line of a UTF-8 file that is not blank.

    Raises:
        TestSetError: the file is missing or not UTF-8; the message names file and line.
    """
    if not path.is_file():
        raise TestSetError(f"thiếu tệp {path}")
    with path.open("rb") as raw:
        for number, line in enumerate(raw, start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise TestSetError(f"{path} dòng {number}: không phải chữ UTF-8") from error
            if text.strip():
                yield number, text


def _json_lines(path: Path) -> Iterator[dict[str, str]]:
    for number, line in lines(path):
        try:
            found = json.loads(line)
            key, title, text = str(found["_id"]), found.get("title") or "", found["text"]
            if not isinstance(title, str) or not isinstance(text, str):
                raise TypeError("title and text are not strings")
        except (ValueError, KeyError, TypeError) as error:
            raise TestSetError(f"{path} dòng {number}: cần JSON có _id và text") from error
        yield {"_id": key, "title": title, "text": text}


def _cells(path: Path, count: int, skip_heading: bool = False) -> Iterator[tuple[int, list[str]]]:
    for number, line in lines(path):
        cells = line.split("\t")
        if skip_heading and number == 1:
            continue
        if len(cells) != count:
            raise TestSetError(f"{path} dòng {number}: cần {count} cột, có {len(cells)}")
        yield number, cells


def _grade(text: str, path: Path, number: int) -> int:
    try:
        return int(text)
    except ValueError as error:
        told = f"{path} dòng {number}: mức {shorten(text)!r} không phải số nguyên"
        raise TestSetError(told) from error
