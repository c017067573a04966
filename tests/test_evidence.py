"""What judgments and decisions say of relevance, case by case."""

import datetime as dt
import math

import pytest

from corpus.outcomes import Outcome, ReasonKind
from corpus.records import Decision, Judgment
from matcher.evidence import Shown, gather, grade, weight


def decided(outcome, day=1, technology="T1", **facts):
    date = dt.date(2026, 5, day)
    return Decision(need="N1", technology=technology, outcome=outcome, date=date, **facts)


def known(*decisions, judgments=()):
    return gather(judgments, decisions).shown.get("N1", {})


@pytest.mark.parametrize(
    ("outcome", "reason", "expected"),
    [
        (Outcome.SIGNED, None, 3),
        (Outcome.AGREED, None, 3),
        (Outcome.CONTACTED, None, 2),
        (Outcome.SHORTLISTED, None, 2),
        (Outcome.REJECTED, ReasonKind.OFF_TOPIC, 0),
        (Outcome.REJECTED, ReasonKind.UNSUITED, 0),
        (Outcome.REJECTED, ReasonKind.PRICE, None),
        (Outcome.REJECTED, ReasonKind.READINESS, None),
        (Outcome.REJECTED, ReasonKind.SUPPLY_SIDE, None),
        (Outcome.REJECTED, ReasonKind.DEMAND_SIDE, None),
        (Outcome.REJECTED, ReasonKind.OTHER, None),
        (Outcome.REJECTED, None, None),
        (Outcome.NO_LONGER_NEEDED, None, None),
        (Outcome.NO_LONGER_NEEDED, ReasonKind.OFF_TOPIC, None),
        (Outcome.COULD_NOT_REACH, None, None),
    ],
)
def test_what_an_outcome_says(outcome, reason, expected):
    assert grade(decided(outcome, reason_kind=reason)) == expected


def test_every_outcome_has_been_thought_of():
    silent = {outcome for outcome in Outcome if grade(decided(outcome)) is None}
    assert silent == {Outcome.REJECTED, Outcome.NO_LONGER_NEEDED, Outcome.COULD_NOT_REACH}


def test_silent_decisions_are_counted_by_why_and_leave_no_pair():
    found = gather(
        [],
        [
            decided(Outcome.NO_LONGER_NEEDED),
            decided(Outcome.REJECTED, 2),
            decided(Outcome.REJECTED, 3),
            decided(Outcome.REJECTED, 4, reason_kind=ReasonKind.PRICE),
        ],
    )
    assert found.shown == {}
    assert found.silent == {
        "không còn nhu cầu": 1,
        "từ chối: chi phí": 1,
        "từ chối: chưa rõ nhóm lý do": 2,
    }
    assert (found.decided, found.judged) == (0, 0)


def test_the_furthest_step_holds():
    story = (decided(Outcome.SIGNED, 2), decided(Outcome.CONTACTED, 3))
    assert known(*story) == known(*story[::-1]) == {"T1": Shown(3)}


def test_what_says_nothing_undoes_nothing():
    assert known(decided(Outcome.CONTACTED), decided(Outcome.NO_LONGER_NEEDED, 2)) == {
        "T1": Shown(2)
    }


def test_a_rejection_undoes_and_is_undone():
    rejected = decided(Outcome.REJECTED, 5, reason_kind=ReasonKind.OFF_TOPIC)
    assert known(decided(Outcome.SHORTLISTED), rejected) == {"T1": Shown(0)}
    assert known(rejected, decided(Outcome.CONTACTED, 9)) == {"T1": Shown(2)}
    assert known(decided(Outcome.CONTACTED, 5), rejected) == {"T1": Shown(0)}  # on one day: last


def test_a_judgment_counts_before_decisions_and_without_position():
    found = gather(
        [Judgment(need="N1", technology="T1", grade=1)],
        [decided(Outcome.SIGNED, rank=7), decided(Outcome.SIGNED, technology="T2", rank=7)],
    )
    assert found.shown["N1"] == {"T1": Shown(1), "T2": Shown(3, math.log2(8))}
    assert (found.decided, found.judged) == (1, 1)


def test_what_stood_deeper_counts_more_up_to_a_bound():
    assert [weight(rank) for rank in (1, 3, 7, 15, 9999)] == [1.0, 2.0, 3.0, 4.0, 4.0]
    story = (decided(Outcome.SHORTLISTED, rank=7), decided(Outcome.CONTACTED, 2, rank=3))
    assert known(*story) == {"T1": Shown(2, 2.0)}  # it had become easier to see
    assert known(decided(Outcome.SHORTLISTED)) == {"T1": Shown(2, 1.0)}  # unknown: not corrected


def test_the_digest_tells_what_is_known_not_its_order():
    judgments = [Judgment(need=f"N{n}", technology="T1", grade=2) for n in range(3)]
    first = gather(judgments, []).digest()
    assert gather(judgments[::-1], []).digest() == first
    assert gather(judgments[:2], []).digest() != first
    assert gather(judgments, [decided(Outcome.REJECTED)]).digest() == first
    assert gather(judgments, [decided(Outcome.SIGNED, technology="T2")]).digest() != first
