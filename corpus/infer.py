"""Values that a record leaves out and its text gives away, marked as inferred.

What people stated is never changed; an inferred value can be told from a stated one by the record's
``inferred``, and it does not count in the content hash: loading the same file again is no change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from corpus.lexicon import Lexicon
from corpus.records import Product, Record, Technology
from corpus.text import normalise, syllables


def complete(records: Sequence[Record], known: Iterable[Product], lexicon: Lexicon) -> list[Record]:
    """Return ``records`` with stages of technologies and parents of products filled in.

    ``known`` are the products of the store, which a new product may belong under.
    """
    named = _by_name([*known, *(each for each in records if isinstance(each, Product))])
    return [_one(each, named, lexicon) for each in records]


def _by_name(products: Iterable[Product]) -> Mapping[str, str]:
    """Name → id; the smallest id where two products share a name."""
    pairs = sorted(((_key(each.name), each.id) for each in products), reverse=True)
    return dict(pairs)


def _key(name: str) -> str:
    """Names compare by case and punctuation only: dừa is not dứa."""
    return " ".join(span.text for span in syllables(normalise(name).lower()))


def _one(record: Record, named: Mapping[str, str], lexicon: Lexicon) -> Record:
    if isinstance(record, Technology) and not record.stages:
        text = f"{record.name}\n{record.summary or ''}"
        return _with(record, "stages", lexicon.stages(text)[:1])
    if isinstance(record, Product) and record.parent is None:
        return _with(record, "parent", _parent(record, named, lexicon))
    return record


def _with(record: Record, field: str, value: object) -> Record:
    if not value:
        return record
    return record.model_copy(update={field: value, "inferred": (*record.inferred, field)})


def _parent(product: Product, named: Mapping[str, str], lexicon: Lexicon) -> str | None:
    """The nearest broader product of the lists: of the name's own node, then up the tree."""
    for term in lexicon.products(product.name):
        for name in (term.name, *term.ancestors):
            found = named.get(_key(name))
            if found and found != product.id:
                return found
    return None
