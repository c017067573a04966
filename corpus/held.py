"""Technologies as the store holds them: each is read when somebody looks at it.

A search names twenty records of a hundred thousand, and to read and check them all took longer than
anything else that a program does before its first answer. So bodies stay the text that they are in
the store, and what must be known of every record (:class:`Facts`: what people narrow a search by)
is picked out of them without looking at the rest.

What is picked out is taken as it was saved, clean and in range; a record that is shown passes all
the checks of :class:`corpus.records.Technology` once more.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache

import msgspec

from corpus.records import Technology

KEPT = 10_000  # records that stay read, some 6 kB each
_HIDDEN = ("cost_from", "cost_to", "places_used")  # what may be under NDA, of the facts


class Facts(msgspec.Struct, gc=False):
    """What a technology states that people narrow a search by; the names are the record's."""

    id: str
    name: str
    kind: str | None = None
    fields: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    trl: int | None = None
    owner: str | None = None
    province: str | None = None
    cost_from: float | None = None
    cost_to: float | None = None
    year: int | None = None
    valid_until: dt.date | None = None
    places_used: tuple[str, ...] = ()
    acceptance_date: dt.date | None = None
    updated: dt.date | None = None
    illustrative: bool = False
    restricted: tuple[str, ...] = ()

    @property
    def lowest_cost(self) -> float | None:
        """The lowest stated cost, in million VND."""
        return self.cost_from if self.cost_from is not None else self.cost_to

    def public(self) -> Facts:
        """Return the facts as someone without the right to read NDA parts may see them."""
        hidden = {part: None for part in _HIDDEN if part in self.restricted}
        if "places_used" in hidden:
            return msgspec.structs.replace(self, **{**hidden, "places_used": ()})
        return msgspec.structs.replace(self, **hidden) if hidden else self


Stating = Technology | Facts  # who only asks what they have in common


class Held(Mapping[str, Technology]):
    """Technologies by id, over their bodies as JSON; ``public``: without what is under NDA."""

    def __init__(self, bodies: Mapping[str, bytes], public: bool) -> None:
        self._bodies, self._public = bodies, public
        self._read = lru_cache(maxsize=KEPT)(self._reading)

    def __getitem__(self, key: str) -> Technology:
        return self._read(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._bodies)

    def __len__(self) -> int:
        return len(self._bodies)

    def __contains__(self, key: object) -> bool:
        return key in self._bodies

    def _reading(self, key: str) -> Technology:
        record = Technology.model_validate_json(self._bodies[key])
        return record.public() if self._public else record

    @cached_property
    def facts(self) -> Mapping[str, Facts]:
        """What every record states that people narrow a search by, by id."""
        found = {key: _FACTS.decode(body) for key, body in self._bodies.items()}
        return {key: each.public() for key, each in found.items()} if self._public else found

    def changed(self, changed: Iterable[Technology], removed: frozenset[str]) -> Held:
        """Return what there is after some records were added or changed, and others removed."""
        kept = {key: body for key, body in self._bodies.items() if key not in removed}
        new = {each.id: json.dumps(each.to_json()).encode() for each in changed}
        return Held({**kept, **new}, self._public)


def facts_of(technologies: Mapping[str, Technology]) -> Mapping[str, Stating]:
    """Return what all ``technologies`` state, read no further than needed."""
    return technologies.facts if isinstance(technologies, Held) else technologies


_FACTS = msgspec.json.Decoder(Facts)
