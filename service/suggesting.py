"""What documents suggest: kept beside the records until a person accepts, changes or drops it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from corpus.ids import PREFIX
from corpus.passages import Candidate
from corpus.records import KINDS, Need, Product, Proposal, Record, Task, Technology
from corpus.store import Store, Writing
from corpus.text import squeeze
from corpus.workflow import Suggestion, Waiting
from service.contract import ApiError
from service.desk import Desk
from service.desk_base import changed, invalid, made, must_exist, told, unknown
from service.roles import WRITE_NEEDS

LEAST: Final = 0.6  # confidence below which nothing is proposed
_ENTERING: Final = "duyệt đề xuất từ văn bản"
_LONGEST_NAME: Final = 300
_SAID: Final = ("target", "name", "product", "passage", "confidence", "doubts")


def suggestions_of(file: str, found: Iterable[Candidate]) -> list[Suggestion]:
    """Return what the candidates of one file suggest; the same text gives the same ids."""
    return [_suggestion(file, each) for each in found if each.confidence >= LEAST]


def _suggestion(file: str, found: Candidate) -> Suggestion:
    said = "\n".join((found.target, squeeze(found.name), file))
    digest = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()
    facts = {name: getattr(found, name) for name in _SAID}
    stated = {**facts, "id": f"VB-{digest[:10]}", "source": f"{file} {found.where}"}
    return Suggestion.model_validate(stated)


def fresh(store: Store, found: Sequence[Suggestion]) -> list[Suggestion]:
    """Return those that are new: not suggested before, and not in the store by that name."""
    if not found:
        return []
    known = store.hashes(Suggestion.kind_name)
    names = {(kind.kind_name, squeeze(each)) for kind in (Product, Technology)
             for record in store.all(kind) for each in _names(record)}  # fmt: skip
    new = {
        each.id: each
        for each in found
        if each.id not in known and (each.target, squeeze(each.name)) not in names
    }
    return list(new.values())


def _names(record: Record) -> tuple[str, ...]:
    aliases = record.aliases if isinstance(record, Product) else ()
    return (str(getattr(record, "name", "")), *aliases)


def waiting(desk: Desk) -> list[Suggestion]:
    """Return what waits for a person: the surest first, then by id."""
    with told():
        found = [each for each in desk.store.all(Suggestion) if each.state is Waiting.OPEN]
    return sorted(found, key=lambda each: (-each.confidence, each.id))


def doubtful(desk: Desk) -> list[Record]:
    """Return the records read from documents with a field that was not read surely.

    The least sure first; of technologies what everybody may see.
    """
    with told():
        kinds = (Product, Technology, Need, Proposal, Task)
        read = [each for kind in kinds for each in desk.store.stating(kind, "certainty")]
    found = [each for each in read if each.doubtful]
    shown = [each.public() if isinstance(each, Technology) else each for each in found]
    return sorted(shown, key=lambda each: (min(each.doubtful.values()), each.kind_name, each.key))


def product_of(suggestion: Suggestion, products: Iterable[Product]) -> str | None:
    """Return the id of the one product that a suggestion speaks of, if the store has it."""
    said = squeeze(suggestion.product or "")
    found = [each.id for each in products if said in map(squeeze, _names(each))]
    return found[0] if said and len(found) == 1 else None


def accept(desk: Desk, key: str, expected: str | None, facts: Mapping[str, str]) -> Record:
    """Enter what a suggestion says, as ``facts`` change it (``name``, ``product``).

    Args:
        desk: whose decision it is.
        key: id of the suggestion.
        expected: content hash of what the person saw; ``None``: as it is now.
        facts: the name (a need's text), the id of the product that a need is for.

    Raises:
        ApiError: 404 unknown; 409 decided already; 412 changed since; 422 something is missing.
    """
    desk._must(WRITE_NEEDS, _ENTERING)
    with desk._writing() as writing:
        found = _open(writing, key)
        record = _record(writing, found, facts)
        writing.edit(record, None)
        done = {"state": Waiting.ACCEPTED, "entered": record.key}
        writing.edit(changed(found, done), expected or found.content_hash())
        return record


def drop(desk: Desk, key: str, expected: str | None) -> Suggestion:
    """Say that a suggestion is none; it is not proposed again."""
    desk._must(WRITE_NEEDS, _ENTERING)
    with desk._writing() as writing:
        found = _open(writing, key)
        done = changed(found, {"state": Waiting.DROPPED})
        return writing.edit(done, expected or found.content_hash())


def _open(writing: Writing, key: str) -> Suggestion:
    found = writing.get(Suggestion, key)
    if found is None:
        raise unknown(Suggestion, key)
    if found.state is not Waiting.OPEN:
        raise ApiError(409, "exists", f"đề xuất {key} {found.state} trước đó")
    return found


def _record(writing: Writing, found: Suggestion, facts: Mapping[str, str]) -> Record:
    """The record that a suggestion becomes."""
    kind = KINDS[found.target]
    name = facts.get("name", "").strip() or found.name
    stated: dict[str, object] = {"id": writing.next_id(kind, PREFIX[found.target])}
    stated["source"] = found.source
    if kind is Need:
        product = facts.get("product", "").strip()
        product = product or product_of(found, writing.find(Product)) or ""
        if not product:
            raise invalid(f"đề xuất {found.id}: hãy chọn sản phẩm mà nhu cầu này nói tới")
        must_exist(writing, Product, product)
        return made(Need, {**stated, "product": product, "text": name})
    if len(name) > _LONGEST_NAME:
        raise invalid(f"tên dài quá {_LONGEST_NAME} ký tự")
    if kind is Technology:
        about = {"products": (found.product,)} if found.product else {}
        return made(Technology, {**stated, **about, "name": name, "summary": found.passage})
    return made(Product, {**stated, "name": name})
