"""The best list under its rows, by mixed-integer optimisation (HiGHS).

Worth is rounded to 1e-6 of the largest, lines are in the order of their ids, one thread, no random
seed: the same programme gives the same list. The optimum is proven (gap 0) unless the search is cut
off, after a fixed number of nodes, or in the last resort by the clock; then the gap is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt

from matcher.planning.rows import Programme, Row

NODES = 2_000  # of the search: a limit that does not depend on the machine
SECONDS = 50.0  # a planner waits; a list cut off by the clock may differ elsewhere, and says so
CHOSEN = 0.5


class Impossible(ValueError):  # noqa: N818 - reads as a noun
    """No list keeps to all rows."""


@dataclass(frozen=True)
class Solution:
    """The columns chosen, shape (columns,); what the list is worth, and the proven upper bound."""

    chosen: npt.NDArray[np.bool_]
    worth: float
    bound: float
    out_of_time: bool = False

    @property
    def gap(self) -> float:
        """How much better another list could be at most, as a share of this one's worth."""
        return max(0.0, self.bound - self.worth) / max(abs(self.worth), 1e-9)


@dataclass(frozen=True)
class Prices:
    """What the rows are worth at the optimum of the relaxed programme.

    ``rows`` (rows,): how much worth one more unit of the row's bound would bring; ``columns``
    (columns,): what a line is worth beyond what it uses up: below 0 it does not pay for itself.
    """

    rows: npt.NDArray[np.float64]
    columns: npt.NDArray[np.float64]


def solve(asked: Programme, seconds: float = SECONDS) -> Solution:
    """Return the best list.

    Raises:
        Impossible: no list keeps to all rows.
    """
    if not asked.columns:
        return _empty(asked)
    engine = _engine(asked, asked.rows, whole=True)
    engine.setOptionValue("time_limit", seconds)
    engine.setOptionValue("mip_max_nodes", NODES)
    engine.run()
    info = engine.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        raise Impossible(engine.modelStatusToString(engine.getModelStatus()))
    values = np.array(engine.getSolution().col_value)
    late = engine.getModelStatus() == highspy.HighsModelStatus.kTimeLimit
    return Solution(values > CHOSEN, -info.objective_function_value, -info.mip_dual_bound, late)


def _empty(asked: Programme) -> Solution:
    if any(row.low > 0 or row.high < 0 for row in asked.rows):
        raise Impossible("no lines, and rows that ask for some")
    return Solution(np.zeros(0, np.bool_), 0.0, 0.0)


def prices(asked: Programme) -> Prices:
    """Return what rows and lines are worth where lines may be chosen in part.

    Raises:
        Impossible: not even then a list keeps to all rows.
    """
    if not asked.columns:
        return Prices(np.zeros(len(asked.rows)), np.zeros(0))
    engine = _engine(asked, asked.rows, whole=False)
    engine.run()
    if engine.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise Impossible(engine.modelStatusToString(engine.getModelStatus()))
    rows = -np.array(engine.getSolution().row_dual)
    worth = np.array(asked.worth)
    used = np.zeros(asked.columns)
    for price, row in zip(rows, asked.rows, strict=True):
        for column, amount in row.entries.items():
            used[column] += price * amount
    return Prices(rows, worth - used)


def possible(asked: Programme, rows: Sequence[Row]) -> bool:
    """Whether some list keeps to ``rows``, whatever it is worth."""
    if not asked.columns:
        return not any(row.low > 0 or row.high < 0 for row in rows)
    engine = _engine(asked, rows, whole=True, worth=False)
    engine.run()
    return bool(engine.getModelStatus() != highspy.HighsModelStatus.kInfeasible)


def least_broken(asked: Programme, kept: Sequence[int]) -> list[int]:
    """Return the fewest rows that must be given up so that the rest, with ``kept``, can hold.

    Every other row gets a slack that a switch of cost 1 allows.
    """
    loose = [index for index in range(len(asked.rows)) if index not in set(kept)]
    start = asked.columns
    rows: list[Row] = []
    switches: list[int] = []
    for index, row in enumerate(asked.rows):
        if index not in loose:
            rows.append(row)
            continue
        column = start + len(switches)
        switches.append(index)
        rows += list(_relaxed(row, column))
    worth = (0.0,) * start + (-1.0,) * len(switches)
    asked = Programme(asked.lines, worth, tuple(rows))
    engine = _engine(asked, asked.rows, whole=True)
    engine.run()
    values = np.array(engine.getSolution().col_value)[start:]
    return [index for index, value in zip(switches, values, strict=True) if value > CHOSEN]


def _relaxed(row: Row, switch: int) -> list[Row]:
    """The row, which ``switch`` sets free: by as much as its entries can ever be beyond it."""
    most = sum(each for each in row.entries.values() if each > 0)
    least = sum(each for each in row.entries.values() if each < 0)
    relaxed = []
    if row.low > least:
        entries = {**row.entries, switch: row.low - least}
        relaxed.append(Row(row.words, entries, low=row.low))
    if row.high < most:
        entries = {**row.entries, switch: row.high - most}
        relaxed.append(Row(row.words, entries, high=row.high))
    return relaxed


class _Quiet(highspy.Highs):
    """HiGHS without the banner that it prints on standard output when callbacks are enabled."""

    def enableCallbacks(self) -> None:  # noqa: N802 - its own name
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _engine(
    asked: Programme, rows: Sequence[Row], *, whole: bool, worth: bool = True
) -> highspy.Highs:
    """Hand the programme to HiGHS: to be minimised, so worth counts below zero."""
    engine = _Quiet()  # type: ignore[no-untyped-call]
    for name, value in (("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 1e-9)):
        engine.setOptionValue(name, value)
    model = highspy.HighsLp()
    columns = asked.columns
    scale = max(map(abs, asked.worth)) or 1.0
    costs = np.round(np.array(asked.worth) / scale, 6) * scale if worth else np.zeros(columns)
    model.num_col_, model.num_row_ = columns, len(rows)
    model.col_cost_ = -costs
    model.col_lower_, model.col_upper_ = np.zeros(columns), np.ones(columns)
    model.row_lower_ = np.array([max(row.low, -highspy.kHighsInf) for row in rows])
    model.row_upper_ = np.array([min(row.high, highspy.kHighsInf) for row in rows])
    entries = [sorted(row.entries.items()) for row in rows]
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.cumsum([0, *map(len, entries)])
    model.a_matrix_.index_ = np.array([j for row in entries for j, _ in row], np.int32)
    model.a_matrix_.value_ = np.array([a for row in entries for _, a in row], np.float64)
    if whole:
        model.integrality_ = [highspy.HighsVarType.kInteger] * columns
    engine.passModel(model)
    return engine
