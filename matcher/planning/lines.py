"""Proposals as candidates of the list to fund: checked, marked, with money by year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpus.places import Places
from corpus.priority import Membership
from corpus.tasks import Proposal, TaskKind
from matcher.coverage import place
from matcher.planning.candidates import Candidate, Dimension
from matcher.planning.checks import Checked
from matcher.planning.criteria import (
    WEIGHTS,
    ByPeople,
    Mark,
    Weights,
    marks,
    score,
    weights_of,
)
from matcher.planning.inferred import group_of
from matcher.planning.rules import amount
from matcher.yearly import Run


@dataclass(frozen=True)
class Entry:
    """One proposal on its way to the list: what was checked, the marks, and the candidate.

    ``candidate`` is ``None`` where it cannot be one: ``lacking`` says what is not stated.
    """

    checked: Checked
    marks: tuple[Mark, ...]
    score: float
    candidate: Candidate | None
    lacking: str = ""
    unfit: str = ""  # why it should not be funded, whatever its score


def entries(
    checked: Sequence[Checked],
    run: Run,
    places: Places,
    weights: Mapping[TaskKind | None, Weights] = WEIGHTS,
    people: Sequence[ByPeople] = (),
    asked: int | None = None,
    priorities: Membership | None = None,
) -> tuple[Entry, ...]:
    """Return every proposal as an entry, in the order given.

    Args:
        asked: the first year of the plan; money of years before it is spent already.
        priorities: tells what the priority list in force takes in; ``None``: there is none.
    """
    spread = of_use(run, places)
    spellings = {each.proposal.priority_group or "" for each in checked}
    found = []
    for each in checked:
        named = each.proposal.technologies
        group = group_of(named, run.technologies, priorities, spellings)
        given = marks(each, run, spread, people, priorities)
        found.append(_entry(each, given, weights, asked, group.value))
    return tuple(found)


def of_use(run: Run, places: Places) -> dict[str, int]:
    """Return in how many places of the run's needs each technology is more than a reference."""
    where: dict[str, set[str]] = defaultdict(set)
    for need, pairs in run.pairs.items():
        for pair in pairs:
            if pair.good:
                where[pair.technology].add(place(run.needs[need].need, places))
    return {key: len(found) for key, found in where.items()}


def _entry(
    checked: Checked,
    found: tuple[Mark, ...],
    weights: Mapping[TaskKind | None, Weights],
    first: int | None,
    group: str,
) -> Entry:
    proposal = checked.proposal
    worth = score(found, weights_of(proposal.kind, weights))
    state = _from(proposal.state_yearly, first)
    if not state:
        return Entry(checked, found, worth, None, _no_money(proposal, first))
    candidate = Candidate(
        proposal.id,
        proposal.name,
        worth,
        state,
        _from(proposal.own_yearly, first),
        _counted(proposal, group),
        checked.served,
        checked.best.technology if checked.best else next(iter(proposal.technologies), None),
        proposal.carried_over,
    )
    return Entry(checked, found, worth, candidate, unfit=_unfit(checked))


def _from(yearly: Mapping[int, float], first: int | None) -> dict[int, float]:
    return {year: money for year, money in sorted(yearly.items()) if first is None or year >= first}


def _no_money(proposal: Proposal, first: int | None) -> str:
    if proposal.state_yearly:
        return f"không có kinh phí NSNN từ năm {first} trở đi"
    if proposal.state_money is not None:
        return f"mới nêu tổng NSNN {amount(proposal.state_money)} triệu, chưa chia theo năm"
    return "chưa rõ kinh phí NSNN"


def _counted(proposal: Proposal, group: str) -> dict[Dimension, tuple[str, ...]]:
    facts = {
        Dimension.KIND: proposal.kind,
        Dimension.GROUP: proposal.priority_group or group,
        Dimension.PROVINCE: proposal.province,
        Dimension.COMMUNE: proposal.commune,
        Dimension.AREA: proposal.area_class,
        Dimension.RECEIVER: proposal.receiver,
        Dimension.RECEIVER_KIND: proposal.receiver_kind,
        Dimension.OWNER: proposal.lead,
    }
    stated = {name: (str(value),) for name, value in facts.items() if value}
    return {**stated, Dimension.FIELD: proposal.fields}


def _unfit(checked: Checked) -> str:
    """Why a new proposal should not be funded: the same work was, or its cost is a price."""
    if checked.earlier:
        first = checked.earlier[0]
        same = "; ".join(first.same[:3])
        return f"trùng với nhiệm vụ {first.task.id} ({first.task.progress}): {same}"
    if checked.asking_price is not None:
        return f"kinh phí lấy đúng giá chào ({checked.asking_price}): giá chào không phải dự toán"
    return ""
