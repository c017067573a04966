"""Rows of a yearly run's tables, made of what the matcher answered.

Equal answers make equal rows, to the last bit: floats stay as they are, records are written as JSON
with sorted keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from corpus.records import Need, Product, Record, Technology
from matcher import explain
from matcher import run_files as files
from matcher.answers import Answer, Match
from matcher.match import Matcher

Row = dict[str, Any]
Rows = tuple[Row, list[Row]]  # of one need: its own, and one for each technology listed
T = TypeVar("T")


def answer_rows(matcher: Matcher, need: Need, answer: Answer) -> Rows:
    """Return the rows of one need that ``matcher`` answered."""
    listed = [
        _match_row(matcher, need, answer, match, apart, rank)
        for apart, side in ((False, answer.matches), (True, answer.set_apart))
        for rank, match in enumerate(side, start=1)
    ]
    product = matcher.products.get(need.product)
    row = {
        "id": need.id,
        "product": product.name if product else need.product,
        "text": need.text,
        "level": files.level((each["label"], each["relation"], each["apart"]) for each in listed),
        "answerable": answer.answerable,
        "hits": answer.total,
        "blocked": sum(each["apart"] and each["label"] != explain.REFERENCE for each in listed),
        "notices": list(answer.notices),
        "illustrative": need.illustrative,
        "asked": asked(matcher, need),
        "body": body(need),
    }
    return row, listed


def _match_row(
    matcher: Matcher, need: Need, answer: Answer, match: Match, apart: bool, rank: int
) -> Row:
    engine, hit, told = matcher.engine, match.hit, match.explanation
    return {
        "need": need.id,
        "technology": match.technology.id,
        "apart": apart,
        "rank": rank,
        "label": told.label,
        "usefulness": match.usefulness,
        "score": hit.score,
        **{f"part_{name}": hit.parts.get(name) for name in explain.PARTS},
        "coverage": hit.coverage,
        "cosine": hit.cosine,
        "relation": engine.fitting.relation(
            answer.query.products, engine.fitting.products_of(hit.row)
        ),
        "reason": told.sentence,
        "lacks": told.lacks,
        "breaches": [asdict(each) for each in told.breaches],
    }


def taken_over(earlier: Rows, need: Need) -> Rows:
    """Return rows of an earlier run for ``need`` as it stands: it may be read from another file."""
    return {**earlier[0], "body": body(need)}, earlier[1]


def asked(matcher: Matcher, need: Need) -> str:
    """Digest of a need and its product, as far as they are matched and kept."""
    product = matcher.products.get(need.product)
    return digest([_said(need), _said(product) if product else None])


def body(record: Record) -> str:
    """Return the stated facts of a record as JSON: equal facts, equal text."""
    return json.dumps(record.to_json(), ensure_ascii=False, sort_keys=True)


def write_records(path: Path, records: Iterable[Technology | Product]) -> str:
    """Write records to a table; return the digest of what they say."""
    said = hashlib.sha256()

    def rows() -> Iterator[Row]:
        for each in records:
            said.update(digest(_said(each)).encode())
            yield {
                "id": each.id,
                "name": each.name,
                "illustrative": each.illustrative,
                "body": body(each),
            }

    files.write_table(path, files.RECORD_COLUMNS, map(list, chunks(rows(), files.BLOCK)))
    return said.hexdigest()


def _said(record: Record) -> Row:
    """What a record says, whatever file it was read from."""
    return {name: value for name, value in record.to_json().items() if name != "source"}


def digest(told: Any) -> str:
    """SHA-256 (hex) of plain data."""
    text = json.dumps(told, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def chunks(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Cut ``items`` into tuples of ``size``; the last may be shorter."""
    rest = iter(items)
    while chunk := tuple(islice(rest, size)):
        yield chunk
