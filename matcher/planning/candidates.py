"""What may be funded: one line each, with what it is worth, what it costs and how it is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from corpus.text import normalise


class Dimension(StrEnum):
    """What lines are counted by; values are the words of the rules file."""

    ALL = "tất cả"
    KIND = "loại nhiệm vụ"
    FIELD = "lĩnh vực"
    GROUP = "nhóm ưu tiên"
    PROVINCE = "tỉnh"
    COMMUNE = "xã"
    AREA = "loại địa bàn"
    RECEIVER = "đơn vị tiếp nhận"
    RECEIVER_KIND = "loại đơn vị tiếp nhận"
    OWNER = "đơn vị chủ trì"


@dataclass(frozen=True)
class Candidate:
    """One line that may be funded: a proposal, or a need and technology that nobody proposed yet.

    ``score`` is at least 0, higher is better: usefulness × priority of the need × criteria.
    ``state`` and ``own`` hold the money of state and receiver by year, in million VND; ``state`` is
    never empty (a line without costs is no candidate). ``counted`` gives its values by dimension.
    """

    id: str
    name: str
    score: float
    state: Mapping[int, float]
    own: Mapping[int, float] = field(default_factory=dict)
    counted: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    technology: str | None = None
    carried_over: bool = False

    @property
    def state_total(self) -> float:
        """What the state would pay over all years, in million VND."""
        return sum(self.state.values(), 0.0)

    @property
    def own_total(self) -> float:
        """What the receiver would pay over all years, in million VND."""
        return sum(self.own.values(), 0.0)

    def falls_under(self, dimension: Dimension, value: str) -> bool:
        """Whether the line counts for ``value`` of ``dimension``, in any case and spelling."""
        if dimension is Dimension.ALL:
            return True
        wanted = _key(value)
        return any(_key(each) == wanted for each in self.counted.get(dimension, ()))


def _key(value: str) -> str:
    """Accents stay: Hòa An and Hòa Ân are two communes."""
    return normalise(value).casefold()
