"""Choosing a list: 3,000 candidates under 60 quotas, in CPU time, beside SciPy's own HiGHS.

``python -m benchmarks.plan`` prints one row for each: how long, how far from the optimum at most.
SciPy solves the same rows (it carries a HiGHS of its own), so that the difference is what words,
prices and reasons cost, and what another version of the solver does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from benchmarks.machine import facts
from matcher.planning.candidates import Candidate, Dimension
from matcher.planning.plan import plan
from matcher.planning.rows import Programme, programme
from matcher.planning.rules import Measure, Quota, Rules
from matcher.planning.solve import SECONDS

CANDIDATES, SEED = 3_000, 3
KINDS, GROUPS, COMMUNES = ("A", "T", "M"), tuple("abcdef"), tuple(f"xã {n}" for n in range(42))


def candidates(count: int = CANDIDATES) -> list[Candidate]:
    """Return candidates of a made-up province; half as many needs as candidates."""
    chance = random.Random(SEED)
    return [
        Candidate(
            f"DX-{number:05d}",
            f"nhiệm vụ {number}",
            round(chance.random(), 6),
            {2027: chance.randint(200, 2_500), 2028: chance.randint(0, 1_500)},
            {2027: chance.randint(100, 2_000)},
            {
                Dimension.KIND: (chance.choice(KINDS),),
                Dimension.GROUP: (chance.choice(GROUPS),),
                Dimension.COMMUNE: (chance.choice(COMMUNES),),
            },
            (f"N-{chance.randrange(count // 2)}",),
        )
        for number in range(count)
    ]


def rules() -> Rules:
    """Return two budgets and 60 quotas: shares, floors, caps in tasks and in money."""
    quotas = [
        *(Quota(Dimension.GROUP, each, Measure.SHARE, 5, 30) for each in GROUPS),
        *(Quota(Dimension.GROUP, each, Measure.STATE, None, 20_000, 2027) for each in GROUPS),
        *(Quota(Dimension.KIND, each, Measure.COUNT, 3) for each in KINDS),
        *(Quota(Dimension.KIND, each, Measure.STATE, None, 60_000) for each in KINDS),
        *(Quota(Dimension.COMMUNE, each, Measure.COUNT, None, 3) for each in COMMUNES),
    ]
    return Rules({2027: 72_000, 2028: 48_000}, tuple(quotas))


def by_scipy(asked: Programme) -> tuple[float, float]:
    """Return worth and relative gap of SciPy's list for the same rows."""
    entries = [(i, j, a) for i, row in enumerate(asked.rows) for j, a in row.entries.items()]
    rows, columns, values = zip(*entries, strict=True)
    matrix = csr_matrix((values, (rows, columns)), shape=(len(asked.rows), asked.columns))
    bounds = [(row.low, row.high) for row in asked.rows]
    low, high = zip(*bounds, strict=True)
    found = milp(
        -np.array(asked.worth),
        integrality=np.ones(asked.columns),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, low, high),
        options={"time_limit": SECONDS, "mip_rel_gap": 0},
    )
    return -float(found.fun), float(found.mip_gap)


def timed(work: Callable[[], tuple[float, float]]) -> str:
    """Return a row: seconds by the clock and of CPU, worth, gap."""
    wall, cpu = time.perf_counter(), time.process_time()
    worth, gap = work()
    spent = (time.perf_counter() - wall, time.process_time() - cpu)
    return f"{spent[0]:.1f} | {spent[1]:.1f} | {worth:.4f} | {100 * gap:.3f} %"


def main() -> None:
    lines, asked = candidates(), rules()

    def ours() -> tuple[float, float]:
        found = plan(lines, asked)
        return found.worth, found.gap

    print("; ".join(f"{name}: {value}" for name, value in facts().items()), end="\n\n")
    print(f"{len(lines)} candidates, {len(asked.quotas)} quotas, {len(asked.budget)} budgets\n")
    print("| | s | CPU s | worth | from the optimum at most |\n|---|---|---|---|---|")
    print(f"| plan, with reasons | {timed(ours)} |")
    print(f"| SciPy, same rows | {timed(lambda: by_scipy(programme(lines, asked)))} |")


if __name__ == "__main__":
    main()
