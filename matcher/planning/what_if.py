"""What changes when something else is true: another word, other scores or costs, more money."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from matcher.planning.candidates import Candidate
from matcher.planning.plan import Plan
from matcher.planning.rows import programme
from matcher.planning.rules import Rules
from matcher.planning.solve import Impossible, prices, solve

MANY = 400  # candidates; beyond it, the programme with lines in part stands for the list
DRAWS = 20
SPREAD = 0.10


@dataclass(frozen=True)
class Change:
    """Two lists compared: which lines came in, which went out."""

    added: tuple[str, ...]
    dropped: tuple[str, ...]


def change(before: Plan, after: Plan) -> Change:
    """Return which lines ``after`` funds and ``before`` does not, and the other way round."""
    return Change(tuple(sorted(after.ids - before.ids)), tuple(sorted(before.ids - after.ids)))


@dataclass(frozen=True)
class Stability:
    """In which share of draws each line is funded, by id: 1 is safe, 0 is out whatever happens."""

    scores: dict[str, float]
    costs: dict[str, float]


def stability(lines: Sequence[Candidate], rules: Rules, seed: int = 0) -> Stability:
    """Return how often each line is funded when scores, or costs, are up to 10 % off.

    :data:`DRAWS` draws each, every line off by a factor of its own, uniform in 1 ± 0.1. A draw for
    which no list exists counts as one in which nothing is funded.
    """
    chance = np.random.default_rng(seed)
    ordered = sorted(lines, key=lambda line: line.id)
    return Stability(
        _shares(ordered, rules, chance, lambda line, by: replace(line, score=line.score * by)),
        _shares(ordered, rules, chance, _costlier),
    )


def _costlier(line: Candidate, by: float) -> Candidate:
    if line.carried_over:  # a running contract does not change
        return line
    return replace(line, state={year: money * by for year, money in line.state.items()})


def _shares(
    lines: Sequence[Candidate],
    rules: Rules,
    chance: np.random.Generator,
    shaken: Callable[[Candidate, float], Candidate],
) -> dict[str, float]:
    times = np.zeros(len(lines))
    for _ in range(DRAWS):
        factors = chance.uniform(1 - SPREAD, 1 + SPREAD, len(lines))
        drawn = [shaken(line, float(by)) for line, by in zip(lines, factors, strict=True)]
        times += _funded(drawn, rules)
    return {line.id: float(share) for line, share in zip(lines, times / DRAWS, strict=True)}


def _funded(lines: Sequence[Candidate], rules: Rules) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    asked = programme(lines, rules)
    try:
        if len(lines) > MANY:
            return prices(asked).columns[: len(lines)] >= 0
        return solve(asked).chosen[: len(lines)]
    except Impossible:
        return np.zeros(len(lines), np.bool_)


@dataclass(frozen=True)
class Step:
    """What the list is worth with ``money`` more (million VND, first year), and how it grew."""

    money: float
    worth: float
    added: tuple[str, ...]
    dropped: tuple[str, ...]


def more_money(lines: Sequence[Candidate], rules: Rules, steps: Sequence[float]) -> list[Step]:
    """Return what each of ``steps`` (million VND; below 0: a cut) buys over the list as it is.

    A step for which no list exists is left out.
    """
    ordered = sorted(lines, key=lambda line: line.id)
    first = min(rules.budget)
    base = _list(ordered, rules)
    found = []
    for money in steps:
        budget = {**rules.budget, first: max(0.0, rules.budget[first] + money)}
        try:
            ids, worth = _list(ordered, replace(rules, budget=budget))
        except Impossible:
            continue
        added, dropped = tuple(sorted(ids - base[0])), tuple(sorted(base[0] - ids))
        found.append(Step(money, worth, added, dropped))
    return found


def _list(lines: Sequence[Candidate], rules: Rules) -> tuple[frozenset[str], float]:
    solution = solve(programme(lines, rules))
    chosen = zip(lines, solution.chosen[: len(lines)], strict=True)
    return frozenset(line.id for line, taken in chosen if taken), solution.worth
