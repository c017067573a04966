"""A drawn plan as its page shows it: lines by kind and group with sums, what differs, what moved.

Everything is read from the plan's own file and not worked out again: a page of last year's plan
says what it said then, whatever the store holds now. Money is in million VND.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.tasks import TaskKind
from matcher.planning.criteria import Criterion

Told = Mapping[str, Any]  # a plan, or a part of one, as service.plan_files wrote it


@dataclass(frozen=True)
class Sum:
    """State and counterpart money: one number a year, in the order of the plan's years."""

    state: tuple[float, ...]
    own: tuple[float, ...]
    count: int

    @property
    def money(self) -> tuple[float, ...]:
        """Both, as the columns of the list stand: state money first."""
        return (*self.state, *self.own)


@dataclass(frozen=True)
class Part:
    """Lines under one heading, and what they cost together; a kind holds its groups."""

    name: str
    sum: Sum
    lines: tuple[Told, ...] = ()
    parts: tuple[Part, ...] = ()


def main(told: Told) -> Told:
    """Return the list itself: the first scenario."""
    found: Told = told["scenarios"][told["order"][0]]
    return found


def years(lines: Iterable[Told]) -> list[str]:
    """Return the years in which lines cost money."""
    return sorted({year for line in lines for year in (*line["state"], *line["own"])})


def total(lines: Sequence[Told], when: Sequence[str]) -> Sum:
    """Return what ``lines`` cost in each of the years ``when``."""
    return Sum(
        tuple(sum(line["state"].get(year, 0.0) for line in lines) for year in when),
        tuple(sum(line["own"].get(year, 0.0) for line in lines) for year in when),
        len(lines),
    )


def parts(lines: Sequence[Told], when: Sequence[str]) -> list[Part]:
    """Return lines by kind, in the order in which programmes name kinds, and by group within."""
    return [
        Part(
            kind,
            total(of_kind, when),
            parts=tuple(
                Part(group, total(found, when), tuple(found))
                for group, found in _by(of_kind, "group")
            ),
        )
        for kind, of_kind in _by(lines, "kind")
    ]


def _by(lines: Sequence[Told], key: str) -> list[tuple[str, list[Told]]]:
    found: dict[str, list[Told]] = {}
    for line in lines:
        found.setdefault(line[key], []).append(line)
    known = {str(kind): place for place, kind in enumerate(TaskKind)}
    return sorted(found.items(), key=lambda pair: (known.get(pair[0], len(known)), pair[0]))


@dataclass(frozen=True)
class Side:
    """One scenario beside the others; ``lines`` are the ids that it funds."""

    name: str
    plan: Told
    money: float
    lines: frozenset[str]


def sides(told: Told) -> list[Side]:
    """Return the scenarios in their order."""
    year = str(told["year"])
    return [
        Side(
            name,
            plan,
            sum(line["state"].get(year, 0.0) for line in plan["funded"]),
            frozenset(line["id"] for line in plan["funded"]),
        )
        for name in told["order"]
        for plan in (told["scenarios"][name],)
    ]


def differing(found: Sequence[Side]) -> list[str]:
    """Return the ids that some scenarios fund and others do not."""
    every = frozenset().union(*(each.lines for each in found))
    return sorted(key for key in every if not all(key in each.lines for each in found))


def marks(told: Told, key: str) -> list[tuple[str, Told]]:
    """Return the marks of one proposal, in the order of the criteria; none for other lines."""
    found = told["marks"].get(key, {})
    return [(str(each), found[each]) for each in Criterion if each in found]


@dataclass(frozen=True)
class Moved:
    """What came into the list and what went out of it since another drawing."""

    added: tuple[str, ...]
    dropped: tuple[str, ...]


def moved(before: Told, after: Told) -> Moved:
    """Compare two drawings."""
    old, new = ({line["id"] for line in main(each)["funded"]} for each in (before, after))
    return Moved(tuple(sorted(new - old)), tuple(sorted(old - new)))


@dataclass(frozen=True)
class Standing:
    """One line of a plan: ``where`` it stands in words, why, and what would bring it in."""

    where: str
    why: str
    would: str = ""
    line: Told | None = None


def standing(told: Told, key: str) -> Standing | None:
    """Return where the line ``key`` stands; ``None``: the plan does not speak of it."""
    plan = main(told)
    for name, where in (("funded", "trong danh mục"), ("reserve", "dự phòng, thứ tự")):
        for place, line in enumerate(plan[name], start=1):
            if line["id"] == key:
                said = where if name == "funded" else f"{where} {place}"
                return Standing(said, line["why"], line["would"], line)
    if key in plan["refused"]:
        return Standing("không đưa vào", plan["refused"][key])
    if key in told["without_costs"]:
        return Standing("chưa xét được", told["without_costs"][key])
    if key in told["names"]:
        return Standing("chưa xếp", "các luật không thể cùng giữ")
    return None
