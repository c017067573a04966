"""What people said and did about the records they were shown: the ground for learning weights.

Only pairs that somebody judged or decided about count. A record that nobody looked at is no example
of a bad one, however low it stood. What an outcome says of relevance:

=================================  =====================================================
signed, agreement                  grade 3: somebody staked money or a name on it
contacted, shortlisted             grade 2: worth the list
rejected, for the technology       grade 0 (off topic, or unsuited to the place)
rejected, for another reason       nothing: price, readiness and the parties' own affairs
                                   are no fault of topic (grades are topical)
rejected, no kind of reason        nothing: unknown is not a fault
no longer needed, could not reach  nothing
=================================  =====================================================
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from corpus.outcomes import Outcome, ReasonKind
from corpus.records import Decision, Judgment

USEFUL = 2  # lowest grade that counts as useful
GREATEST = 4.0  # weight of what was decided at rank 15 or deeper, so that no single record rules
_GRADES: Final[Mapping[Outcome, int]] = {
    Outcome.SIGNED: 3,
    Outcome.AGREED: 3,
    Outcome.CONTACTED: 2,
    Outcome.SHORTLISTED: 2,
}
_FAULTS: Final = frozenset({ReasonKind.OFF_TOPIC, ReasonKind.UNSUITED})
_ORDER: Final = tuple(Outcome)


@dataclass(frozen=True)
class Shown:
    """What is known of one record for one need: its grade, and how much that counts (>= 1)."""

    grade: int
    weight: float = 1.0


@dataclass(frozen=True)
class Evidence:
    """Need → technology → what is known, and how many decisions say nothing, by why."""

    shown: Mapping[str, Mapping[str, Shown]]
    silent: Mapping[str, int]
    decided: int  # pairs whose grade comes from decisions
    judged: int  # pairs whose grade comes from a judgment

    def digest(self) -> str:
        """SHA-256 (hex) of all grades and weights."""
        rows = [
            (need, key, found.grade, round(found.weight, 6))
            for need, records in sorted(self.shown.items())
            for key, found in sorted(records.items())
        ]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()


def gather(judgments: Iterable[Judgment], decisions: Iterable[Decision]) -> Evidence:
    """Put judgments and decisions together; where a pair has both, the judgment counts.

    A judgment was made on the scale that is learnt, a decision has to be read as one.
    """
    silent: Counter[str] = Counter()
    shown: dict[str, dict[str, Shown]] = {}
    stories: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        if grade(decision) is None:
            silent[_why(decision)] += 1
        else:
            stories.setdefault((decision.need, decision.technology), []).append(decision)
    for (need, key), story in stories.items():
        shown.setdefault(need, {})[key] = _read(story)
    judged = 0
    for judgment in judgments:
        shown.setdefault(judgment.need, {})[judgment.technology] = Shown(judgment.grade)
        judged += 1
    pairs = sum(map(len, shown.values()))
    return Evidence(shown, dict(sorted(silent.items())), pairs - judged, judged)


def grade(decision: Decision) -> int | None:
    """Return the grade that a decision stands for, or ``None`` where it says nothing."""
    if decision.outcome is Outcome.REJECTED:
        return 0 if decision.reason_kind in _FAULTS else None
    return _GRADES.get(decision.outcome)


def _why(decision: Decision) -> str:
    """Name what makes a decision silent, in Vietnamese."""
    if decision.outcome is not Outcome.REJECTED:
        return str(decision.outcome)
    kind = decision.reason_kind
    return f"{decision.outcome}: {kind}" if kind else f"{decision.outcome}: chưa rõ nhóm lý do"


def _read(story: list[Decision]) -> Shown:
    """Read a pair's decisions in their order: the furthest step holds until a rejection undoes it.

    Calling again after the contract does not make it a call; a contract after a rejection does
    make it a contract.
    """
    story = sorted(story, key=lambda each: (each.date, _ORDER.index(each.outcome)))
    reached = 0
    for each in story:
        found = grade(each) or 0
        reached = max(reached, found) if found else 0
    ranks = [each.rank for each in story if each.rank is not None]
    return Shown(reached, weight(min(ranks)) if ranks else 1.0)


def weight(rank: int) -> float:
    """Return how much a decision counts that was made on what stood at ``rank`` (from 1).

    Inverse propensity: what stands lower is looked at less often, so each decision about it stands
    for more that were never made (Joachims, Swaminathan and Schnabel, WSDM 2017). The chance of
    being looked at is taken as ``1 / log2(1 + rank)``, the discount of nDCG, and the weight cut at
    :data:`GREATEST` against single records that outweigh all others.
    """
    return min(math.log2(1 + rank), GREATEST)
