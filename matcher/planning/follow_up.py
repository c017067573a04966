"""What became of funded tasks, year by year, against the targets of a programme.

A task counts in the year in which it began, what it left behind (models, people, contracts, places)
in the year in which it ends. A stopped task counts for nothing. A count that a task does not state
is not zero: the task is named as one that still has to say. How many bodies a task of market
development brought to fairs and meetings is a count of its own: one such task is not one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from corpus.tasks import Progress, Task, TaskKind


class Indicator(StrEnum):
    """What programmes set targets for; values are the words of the rules file."""

    APPLIED = "dự án ứng dụng, chuyển giao, đổi mới"
    TRIED = "dự án sản xuất thử nghiệm, thương mại hóa"
    MARKET = "nhiệm vụ phát triển thị trường"
    PARTICIPATIONS = "lượt tham gia hoạt động thị trường"
    MODELS = "mô hình"
    TRAINED = "người được đào tạo"
    INSTRUCTED = "người được tập huấn"
    PLACES = "nơi nhân rộng"
    CONTRACTS = "giá trị hợp đồng chuyển giao (triệu đồng)"


_KINDS: Final = {
    Indicator.APPLIED: TaskKind.APPLY,
    Indicator.TRIED: TaskKind.TRIAL,
    Indicator.MARKET: TaskKind.MARKET,
}
_LEFT: Final[Mapping[Indicator, Callable[[Task], float | None]]] = {
    Indicator.MODELS: lambda task: task.models,
    Indicator.TRAINED: lambda task: task.trained,
    Indicator.INSTRUCTED: lambda task: task.instructed,
    Indicator.PARTICIPATIONS: lambda task: task.participations,
    Indicator.PLACES: lambda task: float(len(task.replicated)),
    Indicator.CONTRACTS: lambda task: task.contract_value,
}


@dataclass(frozen=True)
class Target:
    """How much of an indicator a programme is to reach from ``start`` to the end of ``end``."""

    indicator: Indicator
    number: float
    start: int
    end: int

    @property
    def middle(self) -> int:
        """The year of the mid-term table."""
        return (self.start + self.end) // 2


# An Giang's programme of 2026–2030; others are stated in the rules file.
TARGETS: Final = (
    Target(Indicator.APPLIED, 50, 2026, 2030),
    Target(Indicator.TRIED, 50, 2026, 2030),
    Target(Indicator.PARTICIPATIONS, 75, 2026, 2030),
)


@dataclass(frozen=True)
class Reached:
    """One target and how far it is: what each year added, and the tasks that do not say."""

    target: Target
    by_year: Mapping[int, float]
    silent: tuple[str, ...]

    def until(self, year: int) -> float:
        """Return what was reached by the end of ``year``."""
        return sum(each for at, each in self.by_year.items() if at <= year)

    def share(self, year: int) -> float | None:
        """Return the share of the target reached by the end of ``year``; no target: ``None``."""
        return self.until(year) / self.target.number if self.target.number else None


def follow_up(tasks: Sequence[Task], targets: Sequence[Target] = TARGETS) -> tuple[Reached, ...]:
    """Return how far each target is, in their order."""
    kept = [task for task in tasks if task.progress is not Progress.STOPPED]
    return tuple(_reached(target, kept) for target in targets)


def _reached(target: Target, tasks: Sequence[Task]) -> Reached:
    years = dict.fromkeys(range(target.start, target.end + 1), 0.0)
    silent = []
    kind = _KINDS.get(target.indicator)
    for task in sorted(tasks, key=lambda each: each.id):
        if kind is not None and task.kind is not kind:
            continue
        year = task.start if kind is not None else _ended(task)
        amount = 1.0 if kind is not None else _LEFT[target.indicator](task)
        if year not in years:
            continue
        if amount is None:
            silent += [task.id] if _asked(target.indicator, task) else []
        else:
            years[year] += amount
    return Reached(target, years, tuple(silent))


def _asked(indicator: Indicator, task: Task) -> bool:
    """Whether a task has to say a count: participations only where it is about the market."""
    return indicator is not Indicator.PARTICIPATIONS or task.kind is TaskKind.MARKET


def _ended(task: Task) -> int | None:
    """The year in which what a task leaves behind counts; a running one has left nothing yet."""
    return task.end if task.progress is Progress.FINISHED else None
