"""Records that tell the same thing: pairs with a probability and the reasons, most certain first.

Candidates come from an index of rare terms and of numbers (:mod:`indexes.duplicates`); what a pair
has in common (:mod:`matcher.overlap`) is turned into a probability by a logistic curve. No vectors:
two offers of one trade mean nearly the same; what tells a second telling is its numbers. The
curve's weights are >= 0 and were fitted on the sample's pairs only (``python -m
benchmarks.duplicates --fit``); they stand in ``duplicates.json``. People decide: nothing is merged
by a machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import combinations

import numpy as np

from corpus.lexicon import Lexicon
from corpus.records import Need, Record, Technology
from corpus.text import squeeze
from corpus.workflow import withdrawn
from indexes.duplicates import Pairs
from matcher.fit import money
from matcher.overlap import Comparison, Overlap
from matcher.tellings import Told
from matcher.usefulness import Curve

FILE = "duplicates.json"
THRESHOLD = 0.4  # probability from which a pair is shown
SURE = 0.9  # … from which it is told with "rất có thể"
_SHOWN = 6  # numbers that a reason lists
_MOST = 20  # partners of one record through which others are joined


@dataclass(frozen=True)
class Duplicate:
    """Two records that may tell the same thing; ``one`` is the lower id."""

    kind: str
    overlap: Overlap
    reasons: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, str]:
        """Both ids, the lower first."""
        return self.overlap.one.id, self.overlap.other.id

    @property
    def probability(self) -> float:
        """That both tell the same thing, in 0..1, rounded as it is ordered by."""
        return self.overlap.probability


def told(record: Record) -> Told:
    """Return a technology or a need as it is compared; what is under NDA is not looked at.

    Raises:
        TypeError: it is of another kind.
    """
    if isinstance(record, Technology):
        return _technology(record.public())
    if isinstance(record, Need):
        return _need(record)
    raise TypeError(f"{record.kind_name}: not compared with others of its kind")


def _technology(record: Technology) -> Told:
    parts = (record.summary, record.detail, record.effect, record.conditions, record.capacity)
    text = (*filter(None, parts), "; ".join(record.keywords), "; ".join(record.products))
    low, high = record.cost_from, record.cost_to
    cost = None if low is None and high is None else (low or high or 0.0, high or low or 0.0)
    return Told(
        record.id, record.name, "\n".join(text), record.owner or "", record.year,
        record.province or "", record.products, record.acceptance_no or "", record.capacity or "",
        cost,
    )  # fmt: skip


def _need(record: Need) -> Told:
    parts = (record.text, record.scale, record.current)
    return Told(
        record.id, record.topic or record.text, "\n".join(filter(None, parts)), record.asker or "",
        record.date.year if record.date else None, record.commune or record.province or "",
        (record.product,), "", record.scale or "",
        None if record.budget is None else (record.budget, record.budget),
    )  # fmt: skip


@cache
def shipped() -> Mapping[str, Curve]:
    """The curves that come with the program, by kind of record."""
    data = json.loads(resources.files("matcher").joinpath(FILE).read_text(encoding="utf-8"))
    return {name: Curve(**curve) for name, curve in data["curves"].items()}


def find(
    records: Iterable[Record],
    lexicon: Lexicon,
    threshold: float = THRESHOLD,
    only: frozenset[str] | None = None,
) -> tuple[Duplicate, ...]:
    """Return the pairs of ``records``, all of one kind, that may tell the same thing.

    Args:
        records: technologies, or needs, in any order; withdrawn ones are left out.
        lexicon: the tables of words.
        threshold: the least probability.
        only: pairs with one of these ids only; ``None``: all.
    """
    kept = [each for each in records if not (isinstance(each, Need) and withdrawn(each))]
    if len(kept) < 2:
        return ()
    kept.sort(key=lambda each: each.key)
    comparison = Comparison.of(map(told, kept), lexicon)
    pairs = comparison.candidates
    if only is not None:
        wanted = np.array([each.key in only for each in kept])
        pairs = pairs[wanted[pairs].any(axis=1)]
    kind = kept[0].kind_name
    return tuple(
        explained(kind, each) for each in judged(comparison, pairs, shipped()[kind], threshold)
    )


def against(
    one: Told, others: Iterable[Told], lexicon: Lexicon, kind: str = Technology.kind_name
) -> tuple[Duplicate, ...]:
    """Return what ``one`` has in common with each of ``others``, most probable first, ties by ids.

    For whatever is told by title and text, such as a proposal beside past tasks; the more others,
    the better is known which words and numbers are common talk.

    Args:
        one: what is looked at.
        others: what it may overlap with.
        lexicon: the tables of words.
        kind: whose curve tells the probability.
    """
    comparison = Comparison.of((one, *others), lexicon)
    count = len(comparison.readings)
    pairs = np.column_stack([np.zeros(count - 1, np.int64), np.arange(1, count)])
    found = [
        replace(each, probability=round(shipped()[kind](each.facts), 6))
        for each in comparison.overlaps(pairs)
    ]
    found.sort(key=lambda each: (-each.probability, each.other.id))
    return tuple(explained(kind, each) for each in found)


def judged(comparison: Comparison, pairs: Pairs, curve: Curve, threshold: float) -> list[Overlap]:
    """Return the pairs as probable as ``threshold``, most probable first, ties by ids.

    Two that tell the same as a third tell the same: such a pair is as probable as both are.
    """
    found: dict[tuple[int, ...], Overlap] = {}
    for pair, each in zip(map(tuple, pairs.tolist()), comparison.overlaps(pairs), strict=True):
        probability = curve(each.facts)
        if probability >= threshold:  # of a hundred thousand records, a million pairs are looked at
            found[pair] = replace(each, probability=probability)
    through = _through({pair: each.probability for pair, each in found.items()}, threshold)
    new = np.array(sorted(through), np.int64).reshape(-1, 2)
    for pair, each in zip(map(tuple, new.tolist()), comparison.overlaps(new), strict=True):
        probability, third = through[pair]
        if probability > max(curve(each.facts), threshold):
            told = comparison.readings[third].told.id
            found[pair] = replace(each, probability=probability, through=told)
    rounded = (replace(each, probability=round(each.probability, 6)) for each in found.values())
    kept = (each for each in rounded if each.probability >= threshold)
    return sorted(kept, key=lambda each: (-each.probability, each.one.id, each.other.id))


def _through(
    probabilities: Mapping[tuple[int, ...], float], threshold: float
) -> dict[tuple[int, ...], tuple[float, int]]:
    """Return pairs that tell the same as a third: how probable both are, and the third."""
    partners: dict[int, list[tuple[int, float]]] = {}
    for (one, other), probability in probabilities.items():
        if probability >= threshold:
            partners.setdefault(one, []).append((other, probability))
            partners.setdefault(other, []).append((one, probability))
    found: dict[tuple[int, ...], tuple[float, int]] = {}
    for third in sorted(partners):
        best = sorted(partners[third], key=lambda each: (-each[1], each[0]))[:_MOST]
        for (one, first), (other, second) in combinations(best, 2):
            pair, probability = (min(one, other), max(one, other)), first * second
            if probability >= threshold and probability > found.get(pair, (0.0, 0))[0]:
                found[pair] = (probability, third)
    return found


def explained(kind: str, overlap: Overlap) -> Duplicate:
    """Say why a pair may be the same, and what differs, in Vietnamese."""
    return Duplicate(kind, overlap, tuple(_reasons(overlap)), tuple(_differences(overlap)))


def _reasons(found: Overlap) -> Iterator[str]:
    one, facts = found.one, found.facts
    if facts["number_same"]:
        yield f"cùng số nghiệm thu: {one.number}"
    if squeeze(one.title) == squeeze(found.other.title):
        yield "cùng tên"
    elif facts["title"] >= 0.5:
        yield f"tên giống {facts['title']:.0%}".replace("%", " %")
    if facts["owner_same"]:
        yield f"cùng đơn vị: {one.owner}"
    if found.numbers:
        shown = "; ".join(_number(*each) for each in found.numbers[:_SHOWN])
        more = f" và {len(found.numbers) - _SHOWN} số khác" if len(found.numbers) > _SHOWN else ""
        yield f"số liệu trùng: {shown}{more}"
    if found.products:
        yield f"cùng sản phẩm: {', '.join(found.products)}"
    if found.purposes:
        yield f"cùng quá trình: {', '.join(found.purposes)}"
    if found.through:
        yield f"cả hai đều kể cùng điều với {found.through}"


def _number(one: str, other: str) -> str:
    return one if squeeze(one) == squeeze(other) else f"{one} ~ {other}"


def _differences(found: Overlap) -> Iterator[str]:
    one, other, facts = found.one, found.other, found.facts
    if facts["number_other"]:
        yield f"số nghiệm thu khác: {one.number} / {other.number}"
    if facts["owner_other"]:
        yield f"đơn vị khác: {one.owner} / {other.owner}"
    if facts["products_other"]:
        yield f"sản phẩm khác: {', '.join(one.products)} / {', '.join(other.products)}"
    if facts["capacity_other"]:
        yield f"công suất khác: {one.capacity} / {other.capacity}"
    if found.numbers_apart:
        shown = "; ".join(f"{a} / {b}" for a, b in found.numbers_apart[:_SHOWN])
        yield f"số liệu khác: {shown}"
    if one.cost and other.cost and facts["cost"] < 0:
        yield f"chi phí khác: {_range(one.cost)} / {_range(other.cost)} triệu đồng"
    if one.year and other.year and one.year != other.year:
        yield f"năm khác: {one.year} / {other.year}"
    if one.place and other.place and squeeze(one.place) != squeeze(other.place):
        yield f"nơi khác: {one.place} / {other.place}"


def _range(cost: tuple[float, float]) -> str:
    low, high = map(money, cost)
    return low if low == high else f"{low}–{high}"
