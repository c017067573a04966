"""Records in the orders and groups that pages show them in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from corpus.held import Stating
from corpus.records import Need, Product
from corpus.text import fold
from matcher.hits import Rows


def in_order(known: Mapping[str, Stating], ids: tuple[str, ...]) -> Rows:
    """Return the rows of ``ids`` by the names of their records, then id; unknown ones left out."""
    named = [
        (fold(known[key].name.casefold()), key, row) for row, key in enumerate(ids) if key in known
    ]
    return np.array([row for _, _, row in sorted(named)], np.int64)


def owners(known: Mapping[str, Stating]) -> Mapping[str, tuple[str, ...]]:
    """Return the ids of what each owner has, in the order of ids."""
    found: dict[str, list[str]] = defaultdict(list)
    for key, each in sorted(known.items()):
        if each.owner:
            found[each.owner].append(key)
    return {owner: tuple(keys) for owner, keys in found.items()}


def by_name(products: Iterable[Product]) -> tuple[Product, ...]:
    """Return ``products`` by name, then id."""
    return tuple(sorted(products, key=lambda each: (fold(each.name.casefold()), each.id)))


def parts(products: Iterable[Product]) -> Mapping[str, tuple[Product, ...]]:
    """Return the products directly under each one, in the order given."""
    found: dict[str, list[Product]] = defaultdict(list)
    for each in products:
        if each.parent:
            found[each.parent].append(each)
    return {key: tuple(each) for key, each in found.items()}


def by_product(stated: Iterable[Need]) -> Mapping[str, tuple[Need, ...]]:
    """Return what was stated for each product itself, the most urgent first."""
    found: dict[str, list[Need]] = defaultdict(list)
    for each in stated:
        found[each.product].append(each)
    return {
        key: tuple(sorted(each, key=lambda need: (need.priority or 9, need.id)))
        for key, each in found.items()
    }
