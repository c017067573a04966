"""Times of the same queries by several systems, taken in turn so that one load hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]  # shape (repetitions, queries)
BUDGET = 3.0  # seconds of one system in one repetition: slower ones answer fewer queries
_FEWEST = 10
_WARM = 4  # queries answered before the clock starts: compilers, caches, lazy models


@dataclass(frozen=True)
class Ratio:
    """Median over repetitions of one system's median time by another's, and its range."""

    median: float
    low: float
    high: float


def interleaved(
    systems: Mapping[str, Callable[[Any], object]],
    queries: Mapping[str, Sequence[Any]],
    repetitions: int,
) -> dict[str, Seconds]:
    """Time every system on its form of every query: in each repetition, system after system.

    ``queries`` gives each system's own form of the same queries (text, words, vectors). A system
    that would pass :data:`BUDGET` answers the first ones only, so shapes differ.
    """
    asked = {name: _affordable(answer, queries[name]) for name, answer in systems.items()}
    taken: dict[str, list[list[float]]] = {name: [] for name in systems}
    for _ in range(repetitions):
        for name, answer in systems.items():
            taken[name].append([_seconds(answer, query) for query in asked[name]])
    return {name: np.array(rows) for name, rows in taken.items()}


def _affordable(answer: Callable[[Any], object], queries: Sequence[Any]) -> Sequence[Any]:
    """Warm a system up; return as many of ``queries`` as it answers within the budget."""
    for query in queries[:_WARM]:
        answer(query)
    each = float(np.mean([_seconds(answer, query) for query in queries[:_WARM]]))
    return queries[: max(_FEWEST, int(BUDGET / each))]


def _seconds(answer: Callable[[Any], object], query: Any) -> float:
    start = time.perf_counter()
    answer(query)
    return time.perf_counter() - start


def median(times: Seconds) -> float:
    """Seconds: median over repetitions of the median query."""
    return float(np.median(np.median(times, axis=1)))


def p99(times: Seconds) -> float:
    """Seconds: median over repetitions of the 99th percentile."""
    return float(np.median(np.percentile(times, 99, axis=1)))


def ratio(ours: Seconds, theirs: Seconds) -> Ratio:
    """How many times as long ``ours`` take on the queries that ``theirs`` answered."""
    same = min(ours.shape[1], theirs.shape[1])
    each = np.median(ours[:, :same], axis=1) / np.median(theirs[:, :same], axis=1)
    return Ratio(float(np.median(each)), float(each.min()), float(each.max()))
