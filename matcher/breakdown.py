"""The full matcher beside plain fusion, need by need: in all, by stage and by field of the product.

Intervals are 95 % bootstrap intervals over the needs of a group; small groups have wide ones, which
is the reason to print them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from corpus.records import Need
from matcher import baseline, significance
from matcher.compare import ndcg
from matcher.match import Matcher
from matcher.testsets import TestSet

UNKNOWN = "chưa rõ"
DRAWS = 2_000
Run = Mapping[str, Sequence[tuple[str, float]]]


def breakdown(testset: TestSet, matcher: Matcher, run: Run) -> dict[str, Any]:
    """Return nDCG@10 of both systems with intervals: ``all``, by ``stage`` and by ``field``.

    Args:
        testset: an interchange folder; only needs with an answer count.
        matcher: what ranked.
        run: the full matcher's ranking of each need.
    """
    needs = [each for each in testset.needs if each.id in testset.answered]
    if not needs:
        return {}
    products = {each.id: each for each in testset.products}
    names = {each.id: products[each.product].name for each in needs if each.product in products}
    texts = [f"{names[each.id]}. {each.text}" if each.id in names else each.text for each in needs]
    engine = matcher.engine
    plain = baseline.rank(engine.index, engine.encoder, engine.cache, texts, 10)
    keys = [each.id for each in needs]
    qrels = {key: testset.qrels[key] for key in keys}
    full = ndcg(qrels, {key: [record for record, _ in run[key]] for key in keys})
    bare = ndcg(
        qrels,
        {key: [record for record, _ in hits] for key, hits in zip(keys, plain, strict=True)},
    )

    def field(need: Need) -> str:
        product = products.get(need.product)
        return (product.sector if product else None) or UNKNOWN

    return {
        "all": _figures(keys, full, bare),
        "stage": _by(needs, lambda need: need.stage or UNKNOWN, full, bare),
        "field": _by(needs, field, full, bare),
    }


def _by(
    needs: Sequence[Need],
    group: Callable[[Need], str],
    full: Mapping[str, float],
    bare: Mapping[str, float],
) -> dict[str, dict[str, float]]:
    members: dict[str, list[str]] = {}
    for need in needs:
        members.setdefault(group(need), []).append(need.id)
    return {name: _figures(keys, full, bare) for name, keys in sorted(members.items())}


def _figures(
    keys: Sequence[str], full: Mapping[str, float], bare: Mapping[str, float]
) -> dict[str, float]:
    figures: dict[str, float] = {"needs": len(keys)}
    gains = {key: full[key] - bare[key] for key in keys}
    for name, values in (("full", full), ("plain", bare), ("gain", gains)):
        mine = [values[key] for key in keys]
        low, high = significance.interval(mine, draws=DRAWS)
        figures |= {name: math.fsum(mine) / len(mine), f"{name} low": low, f"{name} high": high}
    return figures
