"""What is known of each proposal: needs served, rival supply, earlier tasks, what is missing.

Nothing here decides. A check says what was found and where, so that whoever chooses can follow it;
a fact that is not stated is missing, and neither zero nor a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.records import Technology
from corpus.tasks import Progress, Proposal, Task
from matcher.duplicates import explained, judged, shipped
from matcher.explain import SUITS
from matcher.fit import money
from matcher.overlap import Comparison
from matcher.planning.inferred import Guesser, Served
from matcher.tellings import Told
from matcher.yearly import Pair, Run

SAME_WORK = 0.5  # probability from which a proposal and a task are told as the same work
WANTED = {  # what a proposal should state: field → as the form calls it
    "lead": "đơn vị chủ trì", "receiver": "đơn vị tiếp nhận", "place": "địa chỉ ứng dụng",
    "goal": "mục tiêu", "outputs": "sản phẩm dự kiến", "start": "năm bắt đầu",
    "end": "năm kết thúc", "kind": "loại nhiệm vụ",
}  # fmt: skip
_TASK_AS = "technology"  # the curve by which tellings of supply are compared


@dataclass(frozen=True)
class Earlier:
    """A task that seems to be the same work: how likely, what agrees, what differs."""

    task: Task
    probability: float
    same: tuple[str, ...]
    different: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """One proposal with what was found about it.

    ``served`` are the needs it names that the run holds, ``pairs`` what the run says of its own
    technologies for them, ``better`` and ``cheaper`` other supply listed for the same needs.
    """

    proposal: Proposal
    served: tuple[str, ...]
    pairs: tuple[Pair, ...]
    better: tuple[Pair, ...]
    cheaper: tuple[tuple[Technology, Technology], ...]  # (what is proposed, what costs less)
    earlier: tuple[Earlier, ...]
    missing: tuple[str, ...]
    asking_price: str | None  # the technology whose price was taken for the cost of the task
    guessed: tuple[Served, ...] = ()  # needs that it seems to serve and does not name

    @property
    def best(self) -> Pair | None:
        """The likeliest of its own pairs."""
        return max(self.pairs, key=lambda pair: (pair.worth, pair.technology), default=None)


def check(
    proposals: Sequence[Proposal],
    run: Run,
    tasks: Sequence[Task],
    lexicon: Lexicon,
    places: Places,
) -> list[Checked]:
    """Return what is found about each proposal, in the order of their ids."""
    earlier = _earlier(proposals, tasks, lexicon)
    guesser = Guesser(run, lexicon, places)
    ordered = sorted(proposals, key=lambda each: each.id)
    return [_one(each, run, earlier.get(each.id, ()), guesser.needs(each)) for each in ordered]


def _one(
    proposal: Proposal, run: Run, earlier: tuple[Earlier, ...], guessed: tuple[Served, ...]
) -> Checked:
    served = tuple(need for need in proposal.needs if need in run.needs)
    named = frozenset(proposal.technologies)
    listed = [pair for need in served for pair in run.pairs[need]]
    pairs = tuple(pair for pair in listed if pair.technology in named)
    return Checked(
        proposal,
        served,
        pairs,
        _better(listed, pairs, named),
        tuple(_cheaper(listed, named, run.technologies)),
        earlier,
        tuple(_missing(proposal)),
        _asking_price(proposal, run.technologies),
        guessed,
    )


def _better(listed: Iterable[Pair], own: Sequence[Pair], named: frozenset[str]) -> tuple[Pair, ...]:
    """Other supply that is likelier to be of use than all that is proposed, best first."""
    least = max((pair.worth for pair in own), default=0.0)
    rivals = [
        pair for pair in listed if pair.good and pair.technology not in named and pair.worth > least
    ]
    return tuple(sorted(rivals, key=lambda pair: (-pair.worth, pair.technology)))


def _cheaper(
    listed: Iterable[Pair], named: frozenset[str], supply: Mapping[str, Technology]
) -> Iterator[tuple[Technology, Technology]]:
    """Pairs of what is proposed and what suits as well and is offered for less."""
    suiting = sorted({pair.technology for pair in listed if pair.label == SUITS and not pair.apart})
    for own in sorted(named & supply.keys()):
        asked = supply[own].lowest_cost
        for other in suiting:
            cost = supply[other].lowest_cost
            if other not in named and asked is not None and cost is not None and cost < asked:
                yield supply[own], supply[other]


def _missing(proposal: Proposal) -> Iterator[str]:
    if proposal.state_money is None:
        yield "kinh phí NSNN"
    elif not proposal.state_yearly:
        yield "kinh phí từng năm"
    if proposal.own_money is None:
        yield "kinh phí đối ứng"
    yield from (name for field, name in WANTED.items() if getattr(proposal, field) is None)
    if not proposal.needs:
        yield "nhu cầu liên quan"


def _asking_price(proposal: Proposal, supply: Mapping[str, Technology]) -> str | None:
    """The named technology whose asking price is, to the million, all that the task would cost."""
    state, own = proposal.state_money, proposal.own_money or 0.0
    if not state:
        return None
    for key in proposal.technologies:
        found = supply.get(key)
        prices = {found.cost_from, found.cost_to} - {None} if found else set()
        if {state, state + own} & prices:
            return f"{key}, giá chào {money(found.lowest_cost or 0.0)} triệu đồng" if found else key
    return None


def _earlier(
    proposals: Sequence[Proposal], tasks: Sequence[Task], lexicon: Lexicon
) -> dict[str, tuple[Earlier, ...]]:
    """Proposal → the tasks, funded and not stopped, that seem to be the same work.

    The task that a proposal carries on, or says that it builds on, is none of them.
    """
    known = [task for task in tasks if task.progress is not Progress.STOPPED]
    if not proposals or not known:
        return {}
    works: list[Proposal | Task] = [*proposals, *known]
    comparison = Comparison.of(map(told, works), lexicon)
    by_id = {f"{each.kind_name} {each.id}": each for each in works}
    pairs = comparison.candidates
    apart = (pairs < len(proposals)).sum(axis=1) == 1  # one of either
    found: dict[str, list[Earlier]] = {}
    for overlap in judged(
        comparison, np.sort(pairs[apart], axis=1), shipped()[_TASK_AS], SAME_WORK
    ):
        one, other = by_id[overlap.one.id], by_id[overlap.other.id]
        if not (isinstance(one, Proposal) and isinstance(other, Task)) or _goes_on(one, other):
            continue
        why = explained(_TASK_AS, overlap)
        earlier = Earlier(other, overlap.probability, why.reasons, why.differences)
        found.setdefault(one.id, []).append(earlier)
    return {key: tuple(each) for key, each in found.items()}


def _goes_on(proposal: Proposal, task: Task) -> bool:
    return task.proposal == proposal.id or task.id in re.findall(r"[\w./-]+", proposal.origin or "")


def told(record: Proposal | Task) -> Told:
    """Return a proposal or task as it is compared; its id says which of both it is."""
    result = record.result if isinstance(record, Task) else None
    parts = (record.goal, record.content, record.outputs, result)
    state, own = record.state_money, record.own_money or 0.0
    return Told(
        f"{record.kind_name} {record.id}",
        record.name,
        "\n".join(filter(None, parts)),
        record.lead or "",
        record.start,
        record.place or record.commune or record.province or "",
        record.products,
        cost=None if state is None else (state, state + own),
    )
