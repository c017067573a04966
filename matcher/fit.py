"""Hard rules and filters: what a record must satisfy, told apart from how well it fits.

A record that breaks a hard rule of a need (expired, over budget, readiness too low) is set apart
with the reason, never dropped. A fact that is missing breaks nothing: it is "chưa rõ".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from corpus.places import Places
from corpus.records import Technology
from corpus.text import has_accents, normalise, squeeze, syllables
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


@dataclass(frozen=True)
class Filter:
    """What the user asked to see only. Unset (``None``) admits everything.

    A record without the fact asked for is not admitted: the user asked for records known to be so.
    """

    kind: str | None = None
    field: str | None = None
    product: str | None = None
    place: str | None = None
    trl_min: int | None = None
    price_max: float | None = None  # million VND
    year_from: int | None = None
    valid: bool = False

    def admits(self, technology: Technology, places: Places, as_of: dt.date) -> bool:
        """Whether ``technology`` is of the kind asked for."""
        return all(test(technology) for test in self._tests(places, as_of))

    def _tests(self, places: Places, as_of: dt.date) -> Iterable[Callable[[Technology], bool]]:
        if self.kind is not None:
            yield lambda each: _holds(self.kind, (each.kind or "",))
        if self.field is not None:
            yield lambda each: _holds(self.field, each.fields)
        if self.product is not None:
            yield lambda each: _holds(self.product, (*each.products, each.name))
        if self.place is not None:
            yield lambda each: self._near(each, places)
        if self.trl_min is not None:
            yield lambda each: each.trl is not None and each.trl >= (self.trl_min or 0)
        if self.price_max is not None:
            yield (
                lambda each: (
                    each.lowest_cost is not None and each.lowest_cost <= (self.price_max or 0.0)
                )
            )
        if self.year_from is not None:
            yield lambda each: each.year is not None and each.year >= (self.year_from or 0)
        if self.valid:
            yield lambda each: each.valid_until is None or each.valid_until >= as_of

    def _near(self, technology: Technology, places: Places) -> bool:
        """Whether the owner's seat or a place of use lies in the place asked for.

        A new province takes in its old parts; an old one does not take in the whole new one.
        """
        place = self.place or ""
        exact = (each.extent for each in places.find(place))  # knows "An Giang cũ"
        asked = frozenset().union(*exact) or places.extent(place)  # knows regions
        named = (technology.province or "", *technology.places_used)
        found = (each.extent for text in named for each in places.find(text))
        return any(extent and asked.issuperset(extent) for extent in found)


def _holds(asked: str | None, values: Iterable[str]) -> bool:
    """Whether ``asked`` stands in one of ``values`` as whole words."""
    accented = has_accents(asked or "")
    wanted = comparable(asked or "", accented)
    return bool(wanted) and any(
        f" {wanted} " in f" {comparable(value, accented)} " for value in values
    )


def comparable(text: str, accented: bool) -> str:
    """Return the words of ``text`` as names are compared, case and punctuation aside.

    Accents count only where the one who asks typed them: ``dua`` is dứa, dừa and dưa.
    """
    if not accented:
        return squeeze(text)
    return " ".join(span.text for span in syllables(normalise(text).lower()))
