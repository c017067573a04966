"""Candidates and rules as one linear programme, whose every row carries the rule it stands for.

A line is chosen or not (``x = 1`` or ``0``). A row says ``low ≤ Σ a·x ≤ high``; budgets, floors,
caps, one technology per need and people's word are all rows, so that the same object is solved,
named when it binds, and named when it clashes with others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from matcher.planning.candidates import Candidate
from matcher.planning.rules import Measure, Quota, Rules, amount


@dataclass(frozen=True)
class Row:
    """``low ≤ Σ a[j]·x[j] ≤ high`` over the columns ``j``, and what it says in words.

    A row that is no ``rule`` only says what a column means, and is never given up.
    """

    words: str
    entries: Mapping[int, float]
    low: float = -inf
    high: float = inf
    rule: bool = True


@dataclass(frozen=True)
class Programme:
    """The lines, the worth of each, and the rows they must keep to.

    Columns beyond the lines stand for a technology chosen for a need; they are worth nothing.
    """

    lines: tuple[Candidate, ...]
    worth: tuple[float, ...]
    rows: tuple[Row, ...]

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.worth)


def programme(lines: Sequence[Candidate], rules: Rules) -> Programme:
    """Return the programme that chooses among ``lines`` (in the order of their ids)."""
    lines = sorted(lines, key=lambda line: line.id)
    needs, more = _one_technology(lines)
    rows = [*_people(lines, rules), *_budgets(lines, rules), *_quotas(lines, rules), *needs]
    worth = [line.score for line in lines] + [0.0] * more
    return Programme(tuple(lines), tuple(worth), tuple(rows))


def _people(lines: Sequence[Candidate], rules: Rules) -> Iterator[Row]:
    """Carry-over first, unless somebody said no; then who must, and who must not."""
    said = {each.id: each for each in rules.overrides}
    for column, line in enumerate(lines):
        if line.id in said:
            target = float(said[line.id].pinned)
            yield Row(said[line.id].words, {column: 1.0}, target, target)
        elif line.carried_over:
            yield Row(f"chuyển tiếp {line.id} ({line.name})", {column: 1.0}, 1.0, 1.0)


def _budgets(lines: Sequence[Candidate], rules: Rules) -> Iterator[Row]:
    for year, money in sorted(rules.budget.items()):
        entries = {j: line.state[year] for j, line in enumerate(lines) if line.state.get(year)}
        words = f"NSNN năm {year}: nhiều nhất {amount(money)} triệu đồng"
        yield Row(words, entries, high=float(money))


def _quotas(lines: Sequence[Candidate], rules: Rules) -> Iterator[Row]:
    for quota in rules.quotas:
        under = [line.falls_under(quota.dimension, quota.value) for line in lines]
        if quota.measure is Measure.SHARE:
            yield from _shares(lines, quota, under)
            continue
        counted = {
            j: 1.0 if quota.measure is Measure.COUNT else money(line, quota.year)
            for j, line in enumerate(lines)
            if under[j] and _runs(line, quota.year)
        }
        low = -inf if quota.least is None else quota.least
        high = inf if quota.most is None else quota.most
        yield Row(quota.words, counted, low, high)


def money(line: Candidate, year: int | None) -> float:
    """Return the state money of ``line`` in ``year``, or over all years, in million VND."""
    return line.state_total if year is None else line.state.get(year, 0.0)


def _runs(line: Candidate, year: int | None) -> bool:
    return year is None or year in line.state


def _shares(lines: Sequence[Candidate], quota: Quota, under: Sequence[bool]) -> Iterator[Row]:
    """``Σ c·x over the part ≥ p · Σ c·x over all`` is linear: ``Σ (1 − p)·c·x − Σ p·c·x ≥ 0``."""
    for share, least in ((quota.least, True), (quota.most, False)):
        if share is not None:
            entries = {
                j: (float(under[j]) - share / 100) * money(line, quota.year)
                for j, line in enumerate(lines)
                if _runs(line, quota.year)
            }
            bound = "ít nhất" if least else "nhiều nhất"
            words = f"{quota.where}: {bound} {amount(share)}"
            yield Row(words, entries, *((0.0, inf) if least else (-inf, 0.0)))


def _one_technology(lines: Sequence[Candidate]) -> tuple[list[Row], int]:
    """At most one technology for a need; several lines may bring the same one to several places.

    Returns the rows, and how many columns (one per need and technology that several lines share)
    they add after those of the lines.
    """
    serving: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for column, line in enumerate(lines):
        for need in line.needs:
            serving[need][line.technology or f"\0{line.id}"].append(column)
    rows: list[Row] = []
    more = 0
    for need, by_technology in sorted(serving.items()):
        if len(by_technology) < 2:
            continue
        entries: dict[int, float] = {}
        for technology, columns in sorted(by_technology.items()):
            if len(columns) == 1:
                entries[columns[0]] = 1.0
                continue
            chosen = len(lines) + more
            more += 1
            entries[chosen] = 1.0
            words = f"{technology} cho nhu cầu {need}"
            rows += [
                Row(words, {column: 1.0, chosen: -1.0}, high=0.0, rule=False) for column in columns
            ]
        rows.append(Row(f"mỗi nhu cầu một công nghệ: {need}", entries, high=1.0))
    return rows, more
