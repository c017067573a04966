"""Which needs may be learnt from and which are locked away to test on, and never mixed.

Needs of one product, or that one record answers (or its duplicate), are like one question asked
twice: a weight learnt on one is no surprise on the other. They stay together. A group's fold
follows from a hash of its products' names, so it is the same on every machine and in every year,
and nobody chooses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from corpus.lexicon import Lexicon
from corpus.records import Need, Product, Technology
from corpus.text import squeeze
from matcher.evidence import USEFUL, Shown

FOLDS = 5
LOCKED = 0


@dataclass(frozen=True)
class Folds:
    """The fold of every need, 0 (locked) to 4."""

    fold: Mapping[str, int]

    def locked(self, need: str) -> bool:
        """Whether ``need`` is only ever tested on."""
        return self.fold[need] == LOCKED


class _Union:
    """Disjoint sets of names; the smallest name of a set stands for it."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def top(self, name: str) -> str:
        above = self._above.setdefault(name, name)
        while above != name:
            self._above[name] = self._above.setdefault(above, above)
            name, above = above, self._above[above]
        return name

    def join(self, one: str, other: str) -> None:
        low, high = sorted((self.top(one), self.top(other)))
        self._above[high] = low


def assign(
    needs: Iterable[Need],
    products: Mapping[str, Product],
    shown: Mapping[str, Mapping[str, Shown]],
    lexicon: Lexicon,
    duplicates: Iterable[tuple[str, str]] = (),
) -> Folds:
    """Give every need its fold.

    A group is locked when *any* of its products' names hashes to 0 modulo 5: when groups grow
    together as records come in, a need may move to the locked fold but never out of it.

    Args:
        needs: all of them.
        products: by id; two products of one node of the product tree are one here.
        shown: what is known of records by need; useful ones link needs.
        lexicon: the product tree.
        duplicates: pairs of technology ids that tell the same thing.
    """
    ordered = sorted(needs, key=lambda each: each.id)
    union = _Union()
    for one, other in duplicates:
        union.join(_record(one), _record(other))
    names = {each.id: _names(each, products, lexicon) for each in ordered}
    for need in ordered:
        useful = (key for key, found in shown.get(need.id, {}).items() if found.grade >= USEFUL)
        for other in (*map(_product, names[need.id]), *map(_record, sorted(useful))):
            union.join(_need(need.id), other)
    members: dict[str, list[str]] = {}
    for each in ordered:
        members.setdefault(union.top(_need(each.id)), []).append(each.id)
    fold = {}
    for group in members.values():
        number = _fold({name for need in group for name in names[need]})
        fold.update(dict.fromkeys(group, number))
    return Folds(fold)


def twins(technologies: Iterable[Technology]) -> list[tuple[str, str]]:
    """Return pairs of technologies whose name and summary are the same letters.

    Case, accents and punctuation aside. A name alone ("Máy sấy") is no sign of one thing.
    """
    first: dict[str, str] = {}
    pairs = []
    for each in sorted(technologies, key=lambda each: each.id):
        found = first.setdefault(squeeze(f"{each.name}\n{each.summary or ''}"), each.id)
        if found != each.id:
            pairs.append((found, each.id))
    return pairs


def _names(need: Need, products: Mapping[str, Product], lexicon: Lexicon) -> tuple[str, ...]:
    """The nodes of the product tree that a need's product is, else the product's id."""
    product = products.get(need.product)
    terms = lexicon.products(product.name) if product else ()
    return tuple(sorted({each.name for each in terms})) or (need.product,)


def _fold(names: set[str]) -> int:
    hashes = {name: int.from_bytes(hashlib.sha256(name.encode()).digest()) for name in names}
    if any(each % FOLDS == LOCKED for each in hashes.values()):
        return LOCKED
    return 1 + hashes[min(names)] // FOLDS % (FOLDS - 1)


def _need(key: str) -> str:
    return f"nhu cầu {key}"


def _product(name: str) -> str:
    return f"sản phẩm {name}"


def _record(key: str) -> str:
    return f"công nghệ {key}"
