"""Candidates and rules → the list to fund, with everything that is asked of it afterwards.

Carry-over comes first, then what is chosen under the budget; what cannot be funded at all is set
apart before, with the reason. A person's pin beats a ceiling of support, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from matcher.planning import reasons
from matcher.planning.candidates import Candidate
from matcher.planning.clashes import clash
from matcher.planning.reasons import Line
from matcher.planning.rows import Programme, programme
from matcher.planning.rules import Rules
from matcher.planning.solve import Impossible, Solution, prices, solve


@dataclass(frozen=True)
class Refused:
    """A candidate that cannot be funded as it stands, and why."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True)
class Plan:
    """The list: ``funded`` and ``reserve`` in order, ``refused`` apart, and how good it is proven.

    ``worth`` is the sum of the scores, ``bound`` the most that any list could reach. ``clashing``
    holds the words of rules that cannot be kept together; then nothing is funded.
    """

    rules: Rules
    funded: tuple[Line, ...] = ()
    reserve: tuple[Line, ...] = ()
    refused: tuple[Refused, ...] = ()
    worth: float = 0.0
    bound: float = 0.0
    out_of_time: bool = False
    clashing: tuple[str, ...] = ()
    notices: tuple[str, ...] = field(default=())

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the funded lines."""
        return frozenset(line.candidate.id for line in self.funded)

    @property
    def gap(self) -> float:
        """How much better another list could be at most, as a share of this one's worth."""
        return max(0.0, self.bound - self.worth) / max(self.worth, 1e-9)


def plan(
    candidates: Sequence[Candidate], rules: Rules, unfit: Mapping[str, str] | None = None
) -> Plan:
    """Return the best list among ``candidates`` under ``rules``.

    Args:
        unfit: why some cannot be funded, by id; found before (overlap, asking price as cost …).

    Raises:
        RuleError: a rule speaks of what is not there.
    """
    rules.check(candidates)
    fit, refused, notices = _fit(candidates, rules, unfit or {})
    asked = programme(fit, _about(fit, rules))
    try:
        solution = solve(asked)
    except Impossible:
        words = tuple(row.words for row in clash(asked))
        return Plan(rules, refused=tuple(refused), clashing=words, notices=tuple(notices))
    return _told(asked, solution, rules, refused, notices)


def _fit(
    candidates: Sequence[Candidate], rules: Rules, unfit: Mapping[str, str]
) -> tuple[list[Candidate], list[Refused], list[str]]:
    """Who may be chosen; who may not, and why; whom a person's word let in all the same."""
    pinned = {each.id: each for each in rules.overrides if each.pinned}
    fit, refused, notices = [], [], []
    for line in sorted(candidates, key=lambda each: each.id):
        broken = (ceiling.broken_by(line) for ceiling in rules.ceilings)
        reason = unfit.get(line.id) or next(filter(None, broken), None)
        if reason is None or line.carried_over:
            fit.append(line)
        elif line.id in pinned:
            fit.append(line)
            notices.append(f"{pinned[line.id].words}, dù {reason}")
        else:
            refused.append(Refused(line, reason))
    return fit, refused, notices


def _about(fit: Sequence[Candidate], rules: Rules) -> Rules:
    """The rules without the word about lines that are out already."""
    known = {line.id for line in fit}
    return replace(rules, overrides=tuple(each for each in rules.overrides if each.id in known))


def _told(
    asked: Programme,
    solution: Solution,
    rules: Rules,
    refused: Sequence[Refused],
    notices: Sequence[str],
) -> Plan:
    lines = reasons.lines(asked, solution, prices(asked), rules)
    funded = sorted((each for each in lines if each.funded), key=_place)
    reserve = sorted(
        (each for each in lines if not each.funded and not each.forbidden),
        key=lambda each: (-each.margin, each.candidate.id),
    )
    set_aside = [Refused(each.candidate, each.why) for each in lines if each.forbidden]
    everyone = sorted([*refused, *set_aside], key=lambda each: each.candidate.id)
    return Plan(
        rules,
        tuple(funded),
        tuple(reserve),
        tuple(everyone),
        solution.worth,
        solution.bound,
        solution.out_of_time,
        notices=tuple(notices),
    )


def _place(line: Line) -> tuple[bool, float, str]:
    """Carry-over first, then the worthiest."""
    return not line.candidate.carried_over, -line.candidate.score, line.candidate.id
