"""What the list must keep to: money by year, ceilings of support, floors and caps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from matcher.planning.candidates import Candidate, Dimension


class Measure(StrEnum):
    """What a floor or cap is stated in; values are the words of the rules file."""

    COUNT = "số nhiệm vụ"
    STATE = "NSNN (triệu đồng)"
    SHARE = "tỷ trọng NSNN (%)"


class RuleError(ValueError):
    """A rule that cannot be meant; the message says which and what to do, for the user."""


def amount(value: float) -> str:
    """Return a number as Vietnamese tables write it: ``1.250``, ``12,5``."""
    text = f"{value:,.1f}".rstrip("0").rstrip(".")
    return text.translate(str.maketrans(",.", ".,"))


@dataclass(frozen=True)
class Quota:
    """A floor and a cap on what falls to one value of one dimension; ``None``: no such bound.

    ``least`` and ``most`` are in tasks, million VND, or per cent of all state money of the list.
    ``year``: only the money of that year; ``None``: of all years.
    """

    dimension: Dimension
    value: str
    measure: Measure
    least: float | None = None
    most: float | None = None
    year: int | None = None

    def __post_init__(self) -> None:
        if self.least is None and self.most is None:
            raise RuleError(f"{self.where}: cần ít nhất hoặc nhiều nhất")
        if any(each is not None and each < 0 for each in (self.least, self.most)):
            raise RuleError(f"{self.where}: số không được âm")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise RuleError(
                f"{self.where}: ít nhất ({amount(self.least)}) lớn hơn nhiều nhất "
                f"({amount(self.most)})"
            )
        if self.measure is Measure.SHARE and any((x or 0) > 100 for x in (self.least, self.most)):
            raise RuleError(f"{self.where}: tỷ trọng không quá 100 %")

    @property
    def where(self) -> str:
        """What is counted, in words."""
        of = "" if self.dimension is Dimension.ALL else f" {self.dimension} “{self.value}”"
        year = f" năm {self.year}" if self.year is not None else ""
        return f"{self.measure}{of}{year}"

    @property
    def words(self) -> str:
        """The rule in words."""
        low = [f"ít nhất {amount(self.least)}"] if self.least is not None else []
        high = [f"nhiều nhất {amount(self.most)}"] if self.most is not None else []
        return f"{self.where}: {', '.join(low + high)}"


@dataclass(frozen=True)
class Ceiling:
    """The most that the state gives a task of one kind (``None``: of any).

    ``share`` of all costs, 0..1, and ``most`` in million VND; ``None``: no such ceiling.
    """

    kind: str | None = None
    share: float | None = None
    most: float | None = None

    def broken_by(self, line: Candidate) -> str | None:
        """Say how ``line`` asks for more than is given, or ``None``."""
        if self.kind is not None and not line.falls_under(Dimension.KIND, self.kind):
            return None
        state, total = line.state_total, line.state_total + line.own_total
        if self.most is not None and state > self.most:
            return f"NSNN {amount(state)} triệu vượt trần {amount(self.most)} triệu một nhiệm vụ"
        if self.share is not None and total and state > self.share * total + 0.5:
            return (
                f"NSNN chiếm {amount(100 * state / total)} %, trần là {amount(100 * self.share)} % "
                f"(cần giảm còn {amount(self.share * total)} triệu, hoặc thêm đối ứng)"
            )
        return None


@dataclass(frozen=True)
class Override:
    """Somebody's word about one line: it must be on the list, or must not; and why."""

    id: str
    pinned: bool
    reason: str
    by: str

    @property
    def words(self) -> str:
        """The override in words."""
        return f"{'ghim' if self.pinned else 'loại'} {self.id} ({self.by}: {self.reason})"


@dataclass(frozen=True)
class Rules:
    """Everything that a list must keep to. ``budget`` is state money by year, in million VND."""

    budget: Mapping[int, float]
    quotas: tuple[Quota, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()
    overrides: tuple[Override, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.budget or any(each < 0 for each in self.budget.values()):
            raise RuleError("ngân sách: cần ít nhất một năm, và không số nào âm")
        said: dict[str, Override] = {}
        for each in self.overrides:
            if said.setdefault(each.id, each).pinned != each.pinned:
                raise RuleError(f"{each.id}: vừa bị ghim vừa bị loại")

    def check(self, lines: Sequence[Candidate]) -> None:
        """Refuse rules about lines and values that are not there.

        Raises:
            RuleError: an override names no candidate, or a quota counts what no candidate has.
        """
        known = {each.id for each in lines}
        for each in self.overrides:
            if each.id not in known:
                raise RuleError(f"{each.words}: không có dòng nào mã này trong các ứng viên")
        for quota in self.quotas:
            if not any(line.falls_under(quota.dimension, quota.value) for line in lines):
                values = {v for line in lines for v in line.counted.get(quota.dimension, ())}
                listed = "; ".join(sorted(values)[:12]) or "(không có)"
                raise RuleError(
                    f"{quota.words}: không ứng viên nào có {quota.dimension} “{quota.value}”; "
                    f"các giá trị đang có: {listed}"
                )
