"""Answers as plain data for programs: what ``--json`` prints and what the API answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from corpus.priority import Priority
from corpus.records import Need, Product, Technology
from indexes.snapshot import Manifest
from matcher import explain
from matcher.answers import Answer, Match, ProductList, Taker
from matcher.facets import Bucket, Facet
from matcher.similar import Similar

if TYPE_CHECKING:
    from service.loading import Report

Data = dict[str, Any]


def answer(found: Answer) -> Data:
    """Return an answer; ``found`` says whether anything is more than a reference."""
    return {
        "query": found.query.text,
        "product": found.query.product or None,
        "found": found.found,
        "answerable": found.answerable,
        "total": found.total,
        "matches": [match(each) for each in found.matches],
        "set_apart": [match(each) for each in found.set_apart],
        "nearest": nearest(found),
        "undecided": undecided(found),
        "notices": list(found.notices),
        "model": found.model,
    }


def nearest(found: Answer) -> Data | None:
    """Return the nearest miss where nothing is found."""
    miss = found.nearest
    return match(miss) if miss else None


def undecided(found: Answer) -> Data | None:
    """Return what may lie in the place asked for, where one was asked for."""
    doubt = found.undecided
    if doubt is None:
        return None
    listed = [match(each) for each in doubt.matches]
    return {"total": doubt.total, "reason": doubt.reason, "matches": listed}


def match(found: Match) -> Data:
    """Return one match with its parts, which add up to the score."""
    technology, told = found.technology, found.explanation
    return {
        "id": technology.id,
        "name": technology.name,
        "label": told.label,
        "reason": told.sentence,
        "lacks": told.lacks,
        "usefulness": found.usefulness,
        "score": found.hit.score,
        "parts": dict(found.hit.parts),
        "coverage": found.hit.coverage,
        "cosine": found.hit.cosine,
        "highlights": {
            "field": told.passage.field,
            "spans": [[span.start, span.end] for span in told.passage.highlights],
        },
        "breaches": [{"rule": each.rule, "reason": each.reason} for each in told.breaches],
        "facts": explain.facts(technology),
        "priorities": priorities(found.priorities),
        "illustrative": technology.illustrative,
    }


def priorities(groups: Iterable[Priority]) -> list[Data]:
    """Return the groups of the priority list in force that a technology belongs to."""
    return [asdict(each) for each in groups]


def product_list(found: ProductList) -> Data:
    """Return a product's list, which needs each line serves, and the needs left without."""
    return {
        "product": product(found.product),
        "choices": [
            {**match(each.match), "needs": [one.id for one in each.needs]} for each in found.choices
        ],
        "needs": {key: answer(each) for key, each in found.answers.items()},
        "uncovered": [need(each) for each in found.uncovered],
    }


def taker(found: Taker) -> Data:
    """Return a need that a technology may serve."""
    told = match(found.match)
    return {
        "need": need(found.need),
        "product": product(found.product) if found.product else None,
        **{key: told[key] for key in ("label", "reason", "score", "parts", "breaches")},
    }


def facet(found: Facet) -> Data:
    """Return the counts of one kind of fact."""
    return {
        "name": found.name,
        "title": found.title,
        "buckets": [_bucket(each) for each in found.buckets],
        "unknown": found.unknown,
        "distinct": found.distinct,
    }


def _bucket(found: Bucket) -> Data:
    return {
        "value": found.value,
        "count": found.count,
        "chosen": found.chosen,
        "choose": dict(found.choose),
        "above": list(found.above),
        "parts": [_bucket(each) for each in found.parts],
    }


def similar(found: Similar) -> Data:
    """Return a technology like another, and why."""
    return {
        "id": found.technology.id,
        "name": found.technology.name,
        "relation": found.relation,
        "reason": found.reason,
        "duplicate": found.duplicate,
        "score": found.hit.score,
        "parts": dict(found.hit.parts),
        "facts": explain.facts(found.technology),
        "illustrative": found.technology.illustrative,
    }


def owner(name: str, offers: Sequence[Technology]) -> Data:
    """Return an owner with what they offer: facts that whoever asks may see."""
    return {
        "name": name,
        "technologies": len(offers),
        "provinces": sorted({each.province for each in offers if each.province}),
        "contacts": sorted({each.contact for each in offers if each.contact}),
        "offers": [
            {
                "id": each.id,
                "name": each.name,
                "kind": each.kind,
                "products": list(each.products),
            }
            for each in offers[:1000]
        ],
    }


def need(stated: Need) -> Data:
    """Return a need's stated facts."""
    return stated.to_json()


def product(stated: Product) -> Data:
    """Return a product's stated facts."""
    return stated.to_json()


def manifest(found: Manifest, notices: list[str]) -> Data:
    """Return what an index was made of."""
    return {**asdict(found), "notices": notices}


def load_report(report: Report) -> Data:
    """Return the account of a load: every row of every file is in one of the counts."""
    return {
        "files": [asdict(each) for each in report.counts],
        "saved": asdict(report.saved),
        "rejected": [
            {
                "file": each.file,
                "sheet": each.sheet,
                "row": each.row,
                "column": each.column,
                "value": each.value,
                "reason": each.reason,
            }
            for each in report.rejected
        ],
        "notices": [each.message for each in report.notices],
        "corrections": [str(path) for path in report.corrections],
        "suggested": [each.to_json() for each in report.suggested],
        "read": [
            {
                "kind": each.kind_name,
                "id": each.key,
                "source": each.source,
                "certainty": dict(each.certainty),
                "doubtful": list(each.doubtful),
            }
            for each in report.read
        ],
        "alike": dict(report.alike),
        "answered": list(report.answered),
    }
