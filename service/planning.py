"""The list to fund of one year: from a run, the proposals of the store and a file of rules.

What is chosen how is :mod:`matcher.planning`; here it is put together for a province and a year, in
three scenarios, with what a pin displaces, how firm each line stands and what more money would buy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from corpus.places import Places
from corpus.priority import Membership, PriorityList, in_force
from corpus.records import Judgment
from corpus.store import State, Store
from corpus.tasks import Proposal, Task, TaskKind
from matcher.explain import UNKNOWN
from matcher.planning.candidates import Candidate, Dimension
from matcher.planning.checks import check
from matcher.planning.drafts import Draft, costed, drafts
from matcher.planning.lines import Entry, entries
from matcher.planning.plan import Plan, plan
from matcher.planning.reasons import Line
from matcher.planning.rules import Rules
from matcher.planning.what_if import Change, Stability, Step, change, more_money, stability
from matcher.run_folder import RunFolderError
from matcher.yearly import Run
from service.judged import judged
from service.rules_file import DEFAULT, RulesFile, Scenario
from service.workspace import Workspace
from service.yearly import MATCHED

BILLION = 1_000.0  # million VND
STEPS = (-2 * BILLION, -BILLION, BILLION, 2 * BILLION, 3 * BILLION)


@dataclass(frozen=True)
class YearPlan:
    """Everything that the tables of one year are written from.

    ``plans`` holds a plan by the name of its scenario, the first is the list itself; ``displaced``
    compares it with the list that nobody overrode (``None``: nobody did).
    """

    run: Run
    year: int
    province: str | None
    said: RulesFile
    entries: tuple[Entry, ...]
    drafts: tuple[Draft, ...]
    costed: tuple[Entry, ...]  # the drafts, where the rules say what such a task costs
    judged: State  # of the judgments that were in force
    plans: Mapping[str, Plan]
    displaced: Change | None = None
    stability: Stability | None = None
    steps: tuple[Step, ...] = ()
    illustrative: bool = False

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        """The entries by the id of their proposal, drafts that have a cost included."""
        return {each.checked.proposal.id: each for each in (*self.entries, *self.costed)}

    @property
    def chosen(self) -> Plan:
        """The list itself."""
        return next(iter(self.plans.values()))

    @property
    def years(self) -> list[int]:
        """The years in which the funded lines cost money."""
        funded = (line.candidate for line in self.chosen.funded)
        return sorted({year for each in funded for year in (*each.state, *each.own)})


def year_plan(
    space: Workspace,
    run: Run,
    budget: float,
    year: int,
    said: RulesFile = DEFAULT,
    province: str | None = None,
) -> YearPlan:
    """Return the plan of ``year``.

    Args:
        space: whose proposals and tasks are looked at.
        run: what needs were matched with; of the records that ``space`` holds now.
        budget: state money of the year, and of each later one, in million VND.
        said: the rules.
        province: only proposals of this province (of today, or a former one); ``None``: all.

    Raises:
        RunFolderError: the run was made on other data than the store holds now.
        RuleError: a rule speaks of what is not there.
    """
    with Store.open(space.folder) as store:
        _check_data(run, store)
        proposals, tasks = list(store.all(Proposal)), list(store.all(Task))
        listed = in_force(store.all(PriorityList), run.as_of)
        run, state = judged(run, store), store.state(Judgment.kind_name)
    places = space.places()
    proposals = [each for each in proposals if _is_of(each.province, province, places)]
    lexicon = space.lexicon()
    checked = check(proposals, run, tasks, lexicon, places)
    priorities = Membership(listed, lexicon) if listed else None
    found = entries(checked, run, places, said.weights, said.people, year, priorities)
    drafted = tuple(
        each
        for each in drafts(run, proposals, places, lexicon, priorities)
        if _is_of(each.proposal.province, province, places)
    )
    priced = (
        ()
        if said.norm is None
        else costed(drafted, run, places, said.norm, year, said.weights, said.people)
    )
    lines = [each.candidate for each in (*found, *priced) if each.candidate is not None]
    unfit = {each.checked.proposal.id: each.unfit for each in found if each.unfit}
    rules = said.rules(_budgets(budget, year, lines), _values(lines))
    plans = {each.name: _scenario(each, lines, rules, unfit) for each in said.scenarios}
    chosen = next(iter(plans.values()))
    told = YearPlan(
        run, year, province, said, found, drafted, priced, state, plans,
        illustrative=_marked(run, proposals),
    )  # fmt: skip
    if chosen.clashing:
        return told
    # What may be on the list: whatever was refused stays out, whatever a pin let in stays in.
    fit = [line.candidate for line in (*chosen.funded, *chosen.reserve)]
    kept = _about(fit, chosen.rules)
    plain = _scenario(said.scenarios[0], lines, replace(rules, overrides=()), unfit)
    return replace(
        told,
        displaced=change(plain, chosen) if rules.overrides else None,
        stability=stability(fit, kept),
        steps=tuple(more_money(fit, kept, STEPS)),
    )


def tasks_of(space: Workspace, province: str | None = None) -> list[Task]:
    """Return the tasks of the store: of one province (of today, or a former one), or all."""
    places = space.places()
    with Store.open(space.folder) as store:
        return [each for each in store.all(Task) if _is_of(each.province, province, places)]


def _check_data(run: Run, store: Store) -> None:
    made, now = run.facts["made_from"]["data"], store.state(*MATCHED)
    if (made["revision"], made["digest"]) != (now.revision, now.digest):
        raise RunFolderError(
            f"{run.folder}: đợt chạy trên dữ liệu đến lần sửa {made['revision']}, kho nay đã đến "
            f"{now.revision}: chạy `cungcau index` rồi `cungcau batch` vào thư mục mới trước"
        )


def _is_of(stated: str | None, province: str | None, places: Places) -> bool:
    """Whether what is stated to be in one province lies in the one asked for."""
    if province is None:
        return True
    return bool(stated) and places.same_place(stated or "", province) in {"same", "merged"}


def _budgets(budget: float, year: int, lines: Sequence[Candidate]) -> dict[int, float]:
    years = {year, *(each for line in lines for each in line.state)}
    return dict.fromkeys(sorted(years), budget)


def _values(lines: Iterable[Candidate]) -> dict[Dimension, set[str]]:
    values: dict[Dimension, set[str]] = {}
    for line in lines:
        for dimension, stated in line.counted.items():
            values.setdefault(dimension, set()).update(stated)
    return values


def _about(lines: Sequence[Candidate], rules: Rules) -> Rules:
    known = {line.id for line in lines}
    return replace(rules, overrides=tuple(each for each in rules.overrides if each.id in known))


def _scenario(
    scenario: Scenario, lines: Sequence[Candidate], rules: Rules, unfit: Mapping[str, str]
) -> Plan:
    first = min(rules.budget)
    budget = {**rules.budget, first: rules.budget[first] * scenario.money}
    return plan([_counted(each, scenario) for each in lines], replace(rules, budget=budget), unfit)


def _counted(line: Candidate, scenario: Scenario) -> Candidate:
    dimension = scenario.dimension
    if dimension is None or not line.falls_under(dimension, scenario.value):
        return line
    return replace(line, score=round(line.score * scenario.factor, 6))


def _marked(run: Run, proposals: Iterable[Proposal]) -> bool:
    return bool(run.facts["illustrative"]) or any(each.illustrative for each in proposals)


def grouped(lines: Iterable[Line], dimension: Dimension) -> list[tuple[str, list[Line]]]:
    """Return lines by their first value of one dimension, each in the order given.

    Kinds are in the order in which programmes name them, other values in that of the alphabet.
    """
    kinds = [str(kind) for kind in TaskKind]
    found: dict[str, list[Line]] = {}
    for line in lines:
        value = next(iter(line.candidate.counted.get(dimension, ())), UNKNOWN)
        found.setdefault(value, []).append(line)
    known = {value: place for place, value in enumerate(kinds)}
    return sorted(found.items(), key=lambda pair: (known.get(pair[0], len(kinds)), pair[0]))
