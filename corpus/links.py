"""What records refer to: a need its product, a judgment or decision its need and technology.

A reference to nothing rejects the row, with the nearest id as a guess. There are two exceptions.
What is broader than a product is a help, not a condition, and rejecting the product would take all
its needs with it; so an unknown parent is set apart with a notice and the product loads. And a
proposal is written by people who do not know our ids: what it names that is not there is set apart
likewise.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Final, cast

from corpus.drafts import Draft
from corpus.headings import shorten, title
from corpus.records import KINDS, Product, Proposal
from corpus.rejects import Rejected

_REFERENCES: Final[
    Mapping[str, tuple[str, ...]]
] = {  # kind → its fields, named like what they name
    "need": ("product",),
    "judgment": ("need", "technology"),
    "decision": ("need", "technology"),
}
_NAMED: Final = {"needs": "need", "technologies": "technology"}  # of a proposal: field → kind


class Catalogue:
    """The ids of one kind that may be referred to, also by a name that only one record has."""

    def __init__(self, ids: Iterable[str], names: Iterable[tuple[str, str]] = ()) -> None:
        """``names`` are (name, id) pairs; ids and names are compared without case."""
        self._ids = frozenset(ids)
        names = tuple(names)
        self._by_id = _unique((key, key) for key in sorted(self._ids))
        self._by_name = _unique(names)
        self._written = {name.casefold(): name for name, _ in names}
        self._guesses: dict[str, str | None] = {}

    def find(self, text: str) -> str | None:
        """Return the id meant by ``text``: as it is, in another case, or by a unique name."""
        if text in self._ids:
            return text
        return self._by_id.get(text.casefold()) or self._by_name.get(text.casefold())

    def guess(self, text: str) -> str:
        """Return ``; có phải là "…"?`` or nothing. Bounded: files may hold many unknown ids."""
        if text not in self._guesses and len(self._guesses) < 100:
            self._guesses[text] = self._near(text.casefold()[:100])
        guess = self._guesses.get(text)
        return f"; có phải là {guess}?" if guess else ""

    def _near(self, text: str) -> str | None:
        """Return the id that may be meant, with the name by which it was known."""
        known = list(islice(filter(self.find, chain(self._by_id, self._by_name)), 2000))
        # "xoài ba màu" is some "xoài": the longest name that stands whole in the text
        inside = [name for name in known if f" {name} " in f" {text} "]
        close = difflib.get_close_matches(text, known, n=1, cutoff=0.6)
        best = min(inside, key=lambda each: (-len(each), each), default="") or "".join(close)
        if not best:
            return None
        written = self._written.get(best)
        return f'"{self.find(best)}"' + (f" ({written})" if written else "")


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """Return casefolded name → id; ``None`` where two ids share the name."""
    found: dict[str, str | None] = {}
    for name, key in pairs:
        folded = name.casefold()
        found[folded] = key if found.get(folded, key) == key else None
    return found


def refer(draft: Draft, catalogues: Mapping[str, Catalogue]) -> Draft | Rejected:
    """Return the draft with what it refers to by its id, or its rejection."""
    for field in _REFERENCES.get(draft.record.kind_name, ()):
        text = str(getattr(draft.record, field))
        found = catalogues[field].find(text)
        if found is None:
            label, guess = KINDS[field].label.lower(), catalogues[field].guess(text)
            return draft.reject(
                field,
                f'không có {label} "{shorten(text)}" trong các tệp đang nạp lẫn trong kho dữ '
                f"liệu (hoặc dòng của nó bị từ chối){guess}",
            )
        if found != text:
            draft = replace(draft, record=draft.record.model_copy(update={field: found}))
    return _proposed(draft, catalogues) if isinstance(draft.record, Proposal) else draft


def _proposed(draft: Draft, catalogues: Mapping[str, Catalogue]) -> Draft:
    """Return a proposal with the needs and technologies that are there, by their ids."""
    for field, kind in _NAMED.items():
        catalogue = catalogues[kind]
        found = {text: catalogue.find(text) for text in getattr(draft.record, field)}
        missing = [text for text, key in found.items() if key is None]
        update: dict[str, object] = {
            field: tuple(dict.fromkeys(key for key in found.values() if key is not None))
        }
        if missing:
            heading, listed = title("proposal", field), "; ".join(missing)
            update["extra"] = {**draft.record.extra, heading: listed}
            label = KINDS[kind].label.lower()
            fault = f'không có {label} "{shorten(listed)}"{catalogue.guess(missing[0])}'
            notice = draft.notice(field, f'{fault}; phiếu vẫn được nạp, ô này giữ ở "Cột khác"')
            draft = replace(draft, notices=(*draft.notices, notice))
        draft = replace(draft, record=draft.record.model_copy(update=update))
    return draft


def link_parents(drafts: Sequence[Draft], known: Iterable[str]) -> list[Draft]:
    """Return product drafts whose parents exist and lead to no circle, in the same order."""
    products = [cast(Product, draft.record) for draft in drafts]
    names = [(product.name, product.id) for product in products]
    catalogue = Catalogue([*known, *(product.id for product in products)], names)
    parents: dict[str, str] = {}
    linked = []
    for draft, product in zip(drafts, products, strict=True):
        if product.parent is None:
            linked.append(draft)
            continue
        parent = catalogue.find(product.parent)
        if parent is None:
            fault = (
                f'không có sản phẩm "{shorten(product.parent)}"{catalogue.guess(product.parent)}'
            )
            linked.append(_without_parent(draft, product, fault))
        elif _leads_to(parent, product.id, parents):
            fault = f'"{shorten(product.parent)}" làm sản phẩm thành cha của chính nó'
            linked.append(_without_parent(draft, product, fault))
        else:
            parents.setdefault(product.id, parent)
            linked.append(replace(draft, record=product.model_copy(update={"parent": parent})))
    return linked


def _leads_to(start: str, goal: str, parents: Mapping[str, str]) -> bool:
    """Whether going up from ``start`` meets ``goal``; ``parents`` itself holds no circle."""
    at: str | None = start
    while at is not None and at != goal:
        at = parents.get(at)
    return at == goal


def _without_parent(draft: Draft, product: Product, fault: str) -> Draft:
    extra = {**product.extra, title("product", "parent"): product.parent}
    record = product.model_copy(update={"parent": None, "extra": extra})
    notice = draft.notice("parent", f'{fault}; sản phẩm vẫn được nạp, ô này giữ ở "Cột khác"')
    return replace(draft, record=record, notices=(*draft.notices, notice))
