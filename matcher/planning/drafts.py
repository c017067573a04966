"""Strong pairs of need and technology that nobody proposed yet, drafted as proposals.

A draft states what need and technology state, and what can be read off them
(:mod:`matcher.planning.inferred`). No cost is made up: it becomes a candidate only where people
state what such a task is reckoned at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.priority import Membership
from corpus.records import Technology
from corpus.tasks import Proposal, TaskKind
from matcher.coverage import area, place
from matcher.explain import SUITS, UNKNOWN
from matcher.planning.checks import Checked
from matcher.planning.criteria import WEIGHTS, ByPeople, Weights
from matcher.planning.inferred import Reading, group_of, kind_of
from matcher.planning.lines import Entry, entries
from matcher.planning.rules import amount
from matcher.yearly import Pair, Run

DRAFT = "SOAN-"  # ids of lines that the machine drafted


@dataclass(frozen=True)
class Draft:
    """A strong pair as a proposal, with what its kind and group were read from."""

    proposal: Proposal
    pair: Pair
    kind: Reading
    group: Reading
    price: str  # what the technology is offered for, which is not what a task costs


def drafts(
    run: Run,
    proposals: Sequence[Proposal],
    places: Places,
    lexicon: Lexicon,
    priorities: Membership | None = None,
) -> tuple[Draft, ...]:
    """Return, best first, the needs answered as "phù hợp" that no proposal names.

    One draft a need, with its likeliest technology; a person's judgment decides before the run.
    """
    named = {need for each in proposals for need in each.needs}
    spellings = {each.priority_group for each in proposals if each.priority_group}
    found = [best for need in run.pairs if need not in named and (best := _best(run, need))]
    found.sort(key=lambda each: (-each.worth, each.need))
    return tuple(_draft(each, run, places, lexicon, priorities, spellings) for each in found)


def _best(run: Run, need: str) -> Pair | None:
    suiting = (pair for pair in run.pairs[need] if pair.good and pair.label == SUITS)
    return min(suiting, key=lambda pair: (-pair.worth, pair.rank), default=None)


def _draft(
    pair: Pair,
    run: Run,
    places: Places,
    lexicon: Lexicon,
    priorities: Membership | None,
    spellings: set[str],
) -> Draft:
    need, technology = run.needs[pair.need].need, run.technologies[pair.technology]
    kind = kind_of(need, technology, lexicon)
    group = group_of([technology.id], run.technologies, priorities, spellings)
    product = run.products.get(need.product)
    what = product.name if product else "sản phẩm"
    subject = f": {need.topic}" if need.topic else ""
    stated = area(need)
    facts = {
        "id": f"{DRAFT}{need.id}",
        "name": f"Ứng dụng “{technology.name}” cho {what}{subject}",
        "kind": kind.value or None,
        "receiver": need.asker,
        "receiver_kind": need.asker_kind,
        "commune": need.commune,
        "province": place(need, places),
        "goal": f"Đáp ứng nhu cầu {need.id}: {need.text}",
        "area_class": None if stated == UNKNOWN else stated,
        "products": (product.name,) if product else (),
        "fields": technology.fields,
        "priority_group": group.value or None,
        "needs": (need.id,),
        "technologies": (technology.id,),
        "illustrative": need.illustrative or technology.illustrative,
    }
    return Draft(Proposal.model_validate(facts), pair, kind, group, _price(technology))


def _price(technology: Technology) -> str:
    stated = (technology.cost_from, technology.cost_to)
    prices = [amount(each) for each in stated if each is not None]
    return f"{'–'.join(dict.fromkeys(prices))} triệu đồng" if prices else ""


@dataclass(frozen=True)
class Norm:
    """What a drafted line is reckoned at where people state it, in million VND a task."""

    state: float
    own: float


def costed(
    found: Sequence[Draft],
    run: Run,
    places: Places,
    norm: Norm,
    year: int,
    weights: Mapping[TaskKind | None, Weights] = WEIGHTS,
    people: Sequence[ByPeople] = (),
) -> tuple[Entry, ...]:
    """Return drafts as entries, each at what ``norm`` says, all of it in ``year``."""
    money = {"state_yearly": {year: norm.state}, "own_yearly": {year: norm.own}}
    checked = [_checked(each, each.proposal.model_copy(update=money)) for each in found]
    return entries(checked, run, places, weights, people, year)


def _checked(draft: Draft, priced: Proposal) -> Checked:
    """A draft is of its own pair, the best there is: nothing is better, and nobody did it yet."""
    return Checked(priced, (draft.pair.need,), (draft.pair,), (), (), (), (), None)
