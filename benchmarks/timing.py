"""Times of the same queries by several systems, taken in turn so that one load hits all alike.

Every system answers all of its queries once before the clock starts: compilers, caches and what is
worked out when a term is first asked for are paid by then, by everybody. Beside the time on the
clock stands the processor's, of all threads of the process: on a shared machine the first says how
long others kept it busy, and only the second what a system costs.
"""

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
_TRIED = 4  # queries answered to tell how many the budget allows


@dataclass(frozen=True)
class Ratio:
    """Median over repetitions of one system's median time by another's, and its range."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Timed:
    """Seconds by system: on the clock and of the processor, each by repetition and query."""

    wall: dict[str, Seconds]
    cpu: dict[str, Seconds]


def interleaved(
    systems: Mapping[str, Callable[[Any], object]],
    queries: Mapping[str, Sequence[Any]],
    repetitions: int,
) -> Timed:
    """Time every system on its form of every query: in each repetition, system after system.

    ``queries`` gives each system's own form of the same queries (text, words, vectors). A system
    that would pass :data:`BUDGET` answers the first ones only, so shapes differ.
    """
    asked = {name: _warmed(answer, queries[name]) for name, answer in systems.items()}
    taken: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in systems}
    for _ in range(repetitions):
        for name, answer in systems.items():
            taken[name].append([_seconds(answer, query) for query in asked[name]])
    both = {name: np.moveaxis(np.array(rows), 2, 0) for name, rows in taken.items()}
    return Timed({name: wall for name, (wall, _) in both.items()},
                 {name: cpu for name, (_, cpu) in both.items()})  # fmt: skip


def _warmed(answer: Callable[[Any], object], queries: Sequence[Any]) -> Sequence[Any]:
    """Return as many of ``queries`` as a system answers within the budget, all answered once."""
    few = queries[:_TRIED]
    for query in few:
        answer(query)
    each = float(np.mean([_seconds(answer, query)[0] for query in few]))
    asked = queries[: max(_FEWEST, int(BUDGET / each))]
    for query in asked:
        answer(query)
    return asked


def _seconds(answer: Callable[[Any], object], query: Any) -> tuple[float, float]:
    start, used = time.perf_counter(), time.process_time()
    answer(query)
    return time.perf_counter() - start, time.process_time() - used


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
