"""Proposals, and strong pairs that nobody proposed yet, as candidates of the list to fund."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from corpus.places import Places
from corpus.priority import Membership
from corpus.tasks import Proposal, TaskKind
from matcher.coverage import place
from matcher.explain import SUITS
from matcher.planning.candidates import Candidate, Dimension
from matcher.planning.checks import Checked
from matcher.planning.criteria import (
    MULTIPLIED,
    WEIGHTS,
    ByPeople,
    Criterion,
    Mark,
    Weights,
    marks,
    priority,
    score,
    weights_of,
)
from matcher.planning.rules import amount
from matcher.yearly import Pair, Run

DRAFT = "SOAN-"  # ids of lines that the machine drafted


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
    return tuple(
        _entry(each, marks(each, run, spread, people, priorities), weights, asked)
        for each in checked
    )


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
        _counted(proposal),
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


def _counted(proposal: Proposal) -> dict[Dimension, tuple[str, ...]]:
    facts = {
        Dimension.KIND: proposal.kind,
        Dimension.GROUP: proposal.priority_group,
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


@dataclass(frozen=True)
class Draft:
    """A strong pair of need and technology that no proposal names; what it costs is not known."""

    id: str
    name: str
    pair: Pair
    province: str
    commune: str
    receiver: str
    price: str  # what the technology is offered for, which is not what a task costs


def drafts(run: Run, proposals: Sequence[Proposal], places: Places) -> Iterator[Draft]:
    """Yield, best first, the needs answered as "phù hợp" that no proposal names.

    One draft a need, with its likeliest technology. No cost is made up: such a line waits for
    somebody to state one.
    """
    named = {need for each in proposals for need in each.needs}
    found = [
        next(pair for pair in pairs if pair.good)
        for need, pairs in run.pairs.items()
        if need not in named and any(pair.good and pair.label == SUITS for pair in pairs)
    ]
    for pair in sorted(found, key=lambda each: (-each.usefulness, each.need)):
        need, technology = run.needs[pair.need].need, run.technologies[pair.technology]
        product = run.products.get(need.product)
        subject = need.topic or need.text.split(". ")[0]
        low, high = technology.cost_from, technology.cost_to
        prices = [amount(each) for each in (low, high) if each is not None]
        what = product.name if product else "sản phẩm"
        yield Draft(
            f"{DRAFT}{need.id}",
            f"Ứng dụng “{technology.name}” cho {what}: {subject}",
            pair,
            place(need, places),
            need.commune or "",
            need.asker or "",
            f"{'–'.join(dict.fromkeys(prices))} triệu đồng" if prices else "",
        )


@dataclass(frozen=True)
class Norm:
    """What a drafted line is reckoned at where people state it, in million VND a task."""

    state: float
    own: float


def costed(
    found: Sequence[Draft], run: Run, norm: Norm, year: int, weights: Weights = WEIGHTS[None]
) -> list[Candidate]:
    """Return drafts as candidates, each at what ``norm`` says, all of it in ``year``.

    Criteria that only a proposal can state count as not stated.
    """
    return [
        Candidate(
            each.id,
            each.name,
            score(_draft_marks(each, run), weights),
            {year: norm.state},
            {year: norm.own},
            {
                Dimension.PROVINCE: (each.province,),
                Dimension.COMMUNE: (each.commune,) if each.commune else (),
                Dimension.RECEIVER: (each.receiver,) if each.receiver else (),
            },
            (each.pair.need,),
            each.pair.technology,
        )
        for each in found
    ]


def _draft_marks(each: Draft, run: Run) -> list[Mark]:
    useful = Mark(Criterion.USEFULNESS, each.pair.usefulness, each.pair.label)
    rest = [Mark(name, None, "") for name in Criterion if name not in MULTIPLIED]
    return [useful, priority([run.needs[each.pair.need].need]), *rest]
