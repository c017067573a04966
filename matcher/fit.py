"""Hard rules and filters: what a record must satisfy, told apart from how well it fits.

A record that breaks a hard rule of a need (expired, over budget, readiness too low) is set apart
with the reason, never dropped. A fact that is missing breaks nothing: it is "chưa rõ".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from corpus import places_asked
from corpus.held import Stating
from corpus.places import BEFORE, Places
from corpus.places_area import Lies
from corpus.records import Technology
from corpus.text import has_accents, joined, normalise, squeeze
from matcher.need import Conditions


@dataclass(frozen=True)
class Breach:
    """A hard rule that a record breaks: ``expired``, ``budget`` or ``trl``, and the reason."""

    rule: str
    reason: str


def money(value: float) -> str:
    """Write million VND as people read it, to the đồng: ``1.250``, ``0,5``, ``200,04``."""
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return text.translate(str.maketrans(",.", ".,"))


def breaches(technology: Technology, conditions: Conditions, as_of: dt.date) -> tuple[Breach, ...]:
    """Return the hard rules that ``technology`` breaks on the day ``as_of``."""
    found = []
    ends = technology.valid_until
    if ends is not None and ends < as_of:
        found.append(Breach("expired", f"hết hiệu lực từ {ends:%d/%m/%Y}"))
    cost, budget = technology.lowest_cost, conditions.budget
    if cost is not None and budget is not None and cost > budget:
        reason = f"chi phí thấp nhất {money(cost)} triệu đồng, vượt {money(budget)} triệu"
        found.append(Breach("budget", reason))
    trl, least = technology.trl, conditions.trl_min
    if trl is not None and least is not None and trl < least:
        found.append(Breach("trl", f"mức sẵn sàng TRL {trl}, thấp hơn TRL {least} cần có"))
    return tuple(found)


Asked = str | tuple[str, ...] | None  # one value, or several of which any will do

# The kinds of fact that people narrow a search by, and the parts of a filter that speak of each.
DIMENSIONS = {
    "kind": ("kind",),
    "field": ("field",),
    "stage": ("stage",),
    "product": ("node",),
    "place": ("place",),
    "priority": ("priority",),
    "trl": ("trl_min", "trl_max"),
    "price": ("price_above", "price_max"),
    "year": ("year_from", "year_to"),
    "validity": ("valid",),
    "words": ("product",),
}


class About(NamedTuple):
    """What the index knows a record to be about, stated or read from its text.

    ``priority`` are the keys of its groups in the priority list in force.
    """

    stages: Iterable[str] = ()
    nodes: frozenset[str] = frozenset()  # of the product tree, broader ones included
    priority: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Filter:
    """What the user asked to see only. Unset (``None``) admits everything.

    A record without the fact asked for is not admitted: the user asked for records known to be so.
    Of several values of one kind any will do; different kinds must all hold.
    """

    kind: Asked = None
    field: Asked = None
    product: Asked = None  # words of the stated products or of the name
    place: Asked = None
    trl_min: int | None = None
    price_max: float | None = None  # million VND
    year_from: int | None = None
    valid: bool = False
    stage: Asked = None
    node: Asked = None  # of the product tree, with all below it
    trl_max: int | None = None
    price_above: float | None = None  # million VND, itself not included
    year_to: int | None = None
    priority: Asked = None  # keys of groups of the priority list in force

    def only(self, dimension: str) -> Filter:
        """Return the part that speaks of one of :data:`DIMENSIONS`."""
        return Filter(**{name: getattr(self, name) for name in DIMENSIONS[dimension]})

    def without(self, dimension: str) -> Filter:
        """Return everything but the part that speaks of one of :data:`DIMENSIONS`."""
        unset: dict[str, Any] = {name: getattr(Filter(), name) for name in DIMENSIONS[dimension]}
        return replace(self, **unset)

    def admits(
        self, technology: Technology, places: Places, as_of: dt.date, about: About | None = None
    ) -> bool:
        """Whether ``technology`` is of the kind asked for.

        :mod:`matcher.columns` says the same of all records at once.

        Args:
            technology: the record.
            places: the table of places.
            as_of: the day on which validity is judged.
            about: what the index knows it to be about; ``None``: the stages it states.
        """
        about = about or About(technology.stages)
        return all(test(technology) for test in self._tests(places, as_of, about))

    def undecided(
        self, technology: Technology, places: Places, as_of: dt.date, about: About | None = None
    ) -> bool:
        """Whether only its place keeps :meth:`admits` from knowing, and it may be the right one."""
        rest = self.without("place")
        return self.place is not None and (
            rest.admits(technology, places, as_of, about)
            and self.lies(technology, places) == "perhaps"
        )

    def _tests(
        self, places: Places, as_of: dt.date, about: About
    ) -> Iterator[Callable[[Technology], bool]]:
        if self.kind is not None:
            yield lambda each: holds(self.kind, (each.kind or "",))
        if self.field is not None:
            yield lambda each: holds(self.field, each.fields)
        if self.product is not None:
            yield lambda each: holds(self.product, (*each.products, each.name))
        if self.stage is not None:
            yield lambda _: holds(self.stage, about.stages)
        if self.node is not None:
            yield lambda _: not about.nodes.isdisjoint(several(self.node))
        if self.priority is not None:
            yield lambda _: not about.priority.isdisjoint(several(self.priority))
        if self.place is not None:
            yield lambda each: self.lies(each, places) == "inside"
        yield from self._bounds()
        if self.valid:
            yield lambda each: each.valid_until is None or each.valid_until >= as_of

    def _bounds(self) -> Iterator[Callable[[Technology], bool]]:
        if self.trl_min is not None or self.trl_max is not None:
            yield lambda each: within(each.trl, self.trl_min, self.trl_max)
        if self.price_max is not None or self.price_above is not None:
            yield (
                lambda each: (
                    within(each.lowest_cost, None, self.price_max)
                    and each.lowest_cost != self.price_above
                    and within(each.lowest_cost, self.price_above, None)
                )
            )
        if self.year_from is not None or self.year_to is not None:
            yield lambda each: within(each.year, self.year_from, self.year_to)

    def lies(self, technology: Technology, places: Places) -> Lies:
        """Tell whether the owner's seat or a place of use lies in a place asked for.

        A new province takes in its old parts; of an old one nobody can tell from the new name.
        """
        texts, as_of = stated_places(technology), names_of(technology)
        found = places_asked.stated(texts, as_of, places.find)
        return places_asked.lies(found, places_asked.areas(several(self.place), places))


def stated_places(technology: Stating) -> tuple[str, ...]:
    """Return what a record states of places: its owner's seat, and where it is used."""
    return (technology.province or "", *technology.places_used)


def names_of(technology: Stating) -> dt.date | None:
    """Return the day whose names a record uses: before the merger, or ``None`` for any time.

    What a record was last dated (a year: its last day) before 1 July 2025 cannot know the new
    provinces; a later one may still use the old names, one without a date as well.
    """
    ends = dt.date(technology.year, 12, 31) if technology.year else None
    dates = (technology.updated, technology.acceptance_date, ends)
    last = max(filter(None, dates), default=None)
    return BEFORE if last is not None and last <= BEFORE else None


def several(asked: Asked) -> tuple[str, ...]:
    """Return what was asked for as a list, empty where nothing was."""
    return () if asked is None else (asked,) if isinstance(asked, str) else asked


def within(value: float | None, least: float | None, most: float | None) -> bool:
    """Whether a known ``value`` lies between two bounds, both included; ``None`` is no bound."""
    if value is None:
        return False
    return (least is None or value >= least) and (most is None or value <= most)


def holds(asked: Asked, values: Iterable[str]) -> bool:
    """Whether one of ``asked`` stands in one of ``values`` as whole words."""
    values = tuple(values)
    return any(_holds(each, values) for each in several(asked))


def _holds(asked: str, values: Iterable[str]) -> bool:
    accented = has_accents(asked)
    wanted = comparable(asked, accented)
    return bool(wanted) and any(
        f" {wanted} " in f" {comparable(value, accented)} " for value in values
    )


def comparable(text: str, accented: bool) -> str:
    """Return the words of ``text`` as names are compared, case and punctuation aside.

    Accents count only where the one who asks typed them: ``dua`` is dứa, dừa and dưa.
    """
    if not accented:
        return squeeze(text)
    return joined(normalise(text).lower())
