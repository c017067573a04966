"""The history of a record as people read it: who changed what, when, from what to what.

The store keeps every body that ever was. Whoever may not read what is under NDA is told nothing of
a part that is, or ever was, hidden: neither what it said nor that it changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from corpus.records import Technology
from corpus.store import Change
from service.pages.render import moment

DONE: Final = {"added": "thêm bản ghi", "changed": "sửa", "removed": "rút bản ghi"}
LONGEST: Final = 160  # characters shown of one value
# of a record: not what it is about
UNTOLD: Final = frozenset({"id", "certainty", "inferred", "restricted"})


@dataclass(frozen=True)
class Altered:
    """One field: its name, what it said, what it says."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Event:
    """One line of a record's history."""

    day: str
    who: str
    what: str
    altered: tuple[Altered, ...] = ()


def told(story: Sequence[Change], may_read_nda: bool) -> list[Event]:
    """Return the history of a technology, the latest first.

    Args:
        story: what the store says happened, oldest first.
        may_read_nda: whether its reader may read hidden parts.
    """
    bodies = [each.after or {} for each in story]
    hidden = {part for body in bodies for part in body.get("restricted", ())}
    closed = frozenset() if may_read_nda else frozenset(hidden)
    events = []
    for change in story:
        altered = () if change.action != "changed" else tuple(_altered(change, closed))
        if altered or change.action != "changed":
            what = DONE.get(change.action, change.action)
            events.append(Event(_day(change.at), _who(change), what, altered))
    return events[::-1]


def _altered(change: Change, closed: frozenset[str]) -> Iterator[Altered]:
    before, after = _facts(change.before), _facts(change.after)
    for name in dict.fromkeys((*before, *after)):
        if name not in closed and before.get(name) != after.get(name):
            field = Technology.model_fields.get(name)
            title = str(field.title) if field and field.title else name
            yield Altered(title, _text(before.get(name)), _text(after.get(name)))


def _facts(body: Mapping[str, Any] | None) -> dict[str, Any]:
    """The stated facts of a body; columns beside the fields stand among them by their headings."""
    facts = {name: value for name, value in (body or {}).items() if name not in UNTOLD}
    return {**facts, **(facts.pop("extra", None) or {})}


def _text(value: Any) -> str:
    if value in (None, "", [], ()):
        return ""
    told = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    told = {"True": "có", "False": "không"}.get(told, told)
    return told if len(told) <= LONGEST else f"{told[:LONGEST].rsplit(' ', 1)[0]} …"


def _who(change: Change) -> str:
    if change.actor:
        return change.actor
    return f"nạp từ {change.source}" if change.source else "bằng dòng lệnh"


def _day(at: str | None) -> str:
    return moment(at) if at else "không ghi ngày"
