"""The plan of a year as one HTML page: plots with their numbers, the list, what waits and why.

The page is a single file without script or network: it can be mailed, printed and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from corpus.places import Places
from matcher.coverage import coverage
from matcher.planning.candidates import Dimension
from matcher.planning.rules import amount
from service.exports import WATERMARK
from service.planning import BILLION, YearPlan, grouped

PRODUCTS: Final = 15  # rows of the heat map: the products with most needs
WIDE: Final = 460.0  # of a bar, in units of the drawing


@dataclass(frozen=True)
class Bar:
    """One bar: a name, its parts as (x, width, which year), and its sum."""

    name: str
    parts: tuple[tuple[float, float, int], ...]
    total: float


def report(told: YearPlan, places: Places) -> bytes:
    """Return the report (HTML, UTF-8)."""
    from service.pages.render import TEMPLATES  # noqa: PLC0415 - pages draw plans themselves

    covered = coverage(told.run, places)
    body = TEMPLATES.get_template("plan_report.html").render(
        told=told,
        chosen=told.chosen,
        watermark=WATERMARK if told.illustrative else "",
        amount=amount,
        covered=covered.whole,
        stages=covered.stages,
        heat=covered.heat[:PRODUCTS],
        bars=_bars(told),
        years=told.years,
        totals=_totals(told),
        curve=_curve(told),
        billion=BILLION,
        budget=told.chosen.rules.budget[told.year],
        grouped=grouped(told.chosen.funded, Dimension.GROUP),
    )
    return f"{body}\n".encode()


def _totals(told: YearPlan) -> list[tuple[int, float, float]]:
    """Year → state money and counterpart money of the list."""
    funded = [line.candidate for line in told.chosen.funded]
    return [
        (
            year,
            sum(each.state.get(year, 0.0) for each in funded),
            sum(each.own.get(year, 0.0) for each in funded),
        )
        for year in told.years
    ]


def _bars(told: YearPlan) -> list[Bar]:
    """State money of each priority group, a part for each year."""
    groups = grouped(told.chosen.funded, Dimension.GROUP)
    sums = [
        (name, [sum(line.candidate.state.get(y, 0.0) for line in lines) for y in told.years])
        for name, lines in groups
    ]
    most = max((sum(each) for _, each in sums), default=1.0) or 1.0
    return [Bar(name, _parts(each, most), sum(each)) for name, each in sums]


def _parts(money: Sequence[float], most: float) -> tuple[tuple[float, float, int], ...]:
    parts, at = [], 0.0
    for place, each in enumerate(money):
        width = WIDE * each / most
        parts.append((round(at, 1), round(width, 1), place))
        at += width
    return tuple(parts)


@dataclass(frozen=True)
class Point:
    """One point of the curve: money in million VND, worth, and where it stands in the drawing."""

    money: float
    worth: float
    x: float
    y: float


def _curve(told: YearPlan) -> list[Point]:
    """What the list is worth at the budget, below and above it."""
    budget = told.chosen.rules.budget[told.year]
    known = [(budget, told.chosen.worth), *((budget + s.money, s.worth) for s in told.steps)]
    known.sort()
    low, high = known[0], known[-1]
    across, up = (high[0] - low[0]) or 1.0, (high[1] - low[1]) or 1.0
    return [
        Point(money, worth, round(60 + 400 * (money - low[0]) / across, 1),
              round(150 - 120 * (worth - low[1]) / up, 1))
        for money, worth in known
    ]  # fmt: skip
