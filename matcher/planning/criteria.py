"""Criteria scored by rule, each with the evidence beside it; people's marks go before the rule's.

A mark lies in 0..1. What is not stated has no mark: it counts as :data:`UNSTATED`, is shown as
"chưa rõ", and is neither zero nor a failure. The score of a line is usefulness × priority of its
need × the weighted mean of the other criteria; what is not asked of a kind of task has no weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from corpus.priority import Membership
from corpus.records import Need, Technology
from corpus.tasks import Proposal, TaskKind
from corpus.text import squeeze
from matcher.explain import UNKNOWN
from matcher.planning.checks import Checked
from matcher.planning.inferred import group_of
from matcher.planning.rules import amount
from matcher.yearly import OF_REFERENCE, Run

UNSTATED = 0.5
MANY = 5  # places where a technology is of use, from which it can spread as far as is asked


class Criterion(StrEnum):
    """What a line is judged by; values are the words of the rules file."""

    USEFULNESS = "đáp ứng nhu cầu"
    PRIORITY = "mức ưu tiên của nhu cầu"
    PLACE = "địa chỉ ứng dụng"
    GROUP = "lĩnh vực ưu tiên"
    SPREAD = "khả năng nhân rộng"
    SHARE = "đối ứng của bên tiếp nhận"
    AREA = "địa bàn khó khăn"
    READINESS = "mức sẵn sàng"


MULTIPLIED = (Criterion.USEFULNESS, Criterion.PRIORITY)
Weights = Mapping[Criterion, float]
WEIGHTS: Mapping[TaskKind | None, Weights] = {
    None: {
        Criterion.PLACE: 2, Criterion.GROUP: 2, Criterion.SPREAD: 2, Criterion.SHARE: 1,
        Criterion.AREA: 1, Criterion.READINESS: 1,
    },
    TaskKind.TRIAL: {
        Criterion.PLACE: 1, Criterion.GROUP: 2, Criterion.SPREAD: 1, Criterion.SHARE: 2,
        Criterion.AREA: 1, Criterion.READINESS: 2,
    },
    TaskKind.MARKET: {Criterion.GROUP: 2, Criterion.SHARE: 1, Criterion.AREA: 1},
}  # fmt: skip
_AREAS = {"dac biet kho khan": 1.0, "kho khan": 0.75, "thuan loi": 0.4}
_READY = {TaskKind.APPLY: 8, TaskKind.TRIAL: 6}  # readiness from which a task of the kind is sound


@dataclass(frozen=True)
class Mark:
    """One criterion of one line: the mark, what it rests on, and who gave it ("" the rule)."""

    criterion: Criterion
    value: float | None
    evidence: str
    by: str = ""

    @property
    def counted(self) -> float:
        """The mark as it counts."""
        return UNSTATED if self.value is None else self.value


@dataclass(frozen=True)
class ByPeople:
    """A mark that somebody gave: for which line, and why."""

    id: str
    mark: Mark


def marks(
    checked: Checked,
    run: Run,
    places: Mapping[str, int],
    people: Sequence[ByPeople] = (),
    priorities: Membership | None = None,
) -> tuple[Mark, ...]:
    """Return the marks of a proposal, one for each criterion.

    Args:
        places: technology → in how many places of the run it is of use.
        people: what people marked, of this or other lines; the last word on a criterion counts.
        priorities: tells what the priority list in force takes in; ``None``: there is none.
    """
    proposal = checked.proposal
    given = {each.mark.criterion: each.mark for each in people if each.id == proposal.id}
    ruled = (
        _usefulness(checked),
        priority([run.needs[need].need for need in checked.served]),
        _place(proposal),
        _group(proposal, run.technologies, priorities),
        _spread(proposal, places),
        _share(proposal),
        _area(proposal),
        _readiness(proposal, run.technologies),
    )
    return tuple(given.get(mark.criterion, mark) for mark in ruled)


def score(found: Sequence[Mark], weights: Weights) -> float:
    """Return usefulness × priority × weighted mean of the rest, in 0..1, rounded to 1e-6."""
    by = {mark.criterion: mark.counted for mark in found}
    whole = sum(weights.values())
    mean = sum(weight * by[name] for name, weight in weights.items()) / whole if whole else 1.0
    return round(by[Criterion.USEFULNESS] * by[Criterion.PRIORITY] * mean, 6)


def weights_of(
    kind: TaskKind | None, stated: Mapping[TaskKind | None, Weights] = WEIGHTS
) -> Weights:
    """Return the weights for a kind of task: its own, else those of all."""
    return stated.get(kind) or stated[None]


def _usefulness(checked: Checked) -> Mark:
    """How likely its technology answers its need, as the run found it."""
    if checked.proposal.kind is TaskKind.MARKET:
        return Mark(Criterion.USEFULNESS, None, "nhiệm vụ thị trường: không xét theo nhu cầu")
    best = checked.best
    if best is not None:
        return Mark(
            Criterion.USEFULNESS,
            best.worth,
            f"{best.technology} cho {best.need}: {best.told}",
        )
    if not checked.served:
        told = "chưa nêu nhu cầu nào có trong đợt chạy"
        seems = "; ".join(each.words for each in checked.guessed)
        return Mark(Criterion.USEFULNESS, None, f"{told}; có thể là {seems}" if seems else told)
    if checked.proposal.technologies:
        named, needs = ", ".join(checked.proposal.technologies), ", ".join(checked.served)
        return Mark(
            Criterion.USEFULNESS, OF_REFERENCE, f"{named} không có trong danh sách của {needs}"
        )
    return Mark(Criterion.USEFULNESS, None, f"nêu nhu cầu {checked.served[0]}, chưa nêu công nghệ")


def priority(needs: Sequence[Need]) -> Mark:
    """Mark the highest priority of ``needs``: 1 for the first, 0.9 for the second … 0.2."""
    stated = sorted((need.priority, need.id) for need in needs if need.priority is not None)
    if not stated:
        return Mark(Criterion.PRIORITY, None, UNKNOWN)
    first, key = stated[0]
    return Mark(Criterion.PRIORITY, (11 - first) / 10, f"ưu tiên {first} ({key})")


def _place(proposal: Proposal) -> Mark:
    if proposal.place:
        return Mark(Criterion.PLACE, 1.0, proposal.place)
    if proposal.commune:
        return Mark(Criterion.PLACE, 0.7, f"mới nêu xã: {proposal.commune}")
    return Mark(Criterion.PLACE, None, UNKNOWN)


def _group(
    proposal: Proposal, supply: Mapping[str, Technology], priorities: Membership | None
) -> Mark:
    """1 where a group is stated, or the list in force takes in a technology that is named."""
    stated = proposal.priority_group
    if stated:
        return Mark(Criterion.GROUP, 1.0, stated)
    found = group_of(proposal.technologies, supply, priorities)
    if found.value:
        return Mark(Criterion.GROUP, 1.0, found.evidence)
    return Mark(Criterion.GROUP, None, UNKNOWN)


def _spread(proposal: Proposal, places: Mapping[str, int]) -> Mark:
    counts = [(places[key], key) for key in proposal.technologies if key in places]
    if not counts:
        return Mark(Criterion.SPREAD, None, UNKNOWN)
    count, key = max(counts)
    return Mark(Criterion.SPREAD, min(1.0, count / MANY), f"{key} dùng được cho {count} nơi")


def _share(proposal: Proposal) -> Mark:
    """1 where the receiver pays half or more."""
    state, own = proposal.state_money, proposal.own_money
    if state is None or own is None or state + own == 0:
        return Mark(Criterion.SHARE, None, UNKNOWN)
    share = own / (state + own)
    return Mark(Criterion.SHARE, min(1.0, 2 * share), f"đối ứng {amount(100 * share)} %")


def _area(proposal: Proposal) -> Mark:
    known = _AREAS.get(squeeze(proposal.area_class or ""))
    return Mark(Criterion.AREA, known, proposal.area_class or UNKNOWN)


def _readiness(proposal: Proposal, supply: Mapping[str, Technology]) -> Mark:
    levels = [(found.trl, found.id) for key in proposal.technologies
              if (found := supply.get(key)) is not None and found.trl is not None]  # fmt: skip
    if not levels:
        return Mark(Criterion.READINESS, None, UNKNOWN)
    trl, key = max(levels)
    wanted = _READY.get(proposal.kind or TaskKind.APPLY, 8)
    return Mark(Criterion.READINESS, min(1.0, trl / wanted), f"{key}: TRL {trl}")
