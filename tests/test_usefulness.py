"""Curves by hand, what is shipped, and that a probability never contradicts the order of a list."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import dense, lexical

from matcher.hits import Hit
from matcher.model import DEFAULT
from matcher.models import ranking_digest
from matcher.need import Query
from matcher.usefulness import FACTS, KINDS, SHORT, Curve, facts, kind, shipped

LONG = "sấy vải cho khô đều, giữ được màu đỏ của vỏ và cùi dẻo thơm"
NEED, QUESTION = Query(LONG, product="Vải"), Query(LONG)


def hit(score, cosine=0.9, parts=None, share=1.0):
    return Hit("T", 0, score, parts or {"words": score}, cosine, score, share)


def test_a_curve_by_hand():
    curve = Curve(-2.0, {"evidence": 3.0, "coverage": 1.0})
    told = curve({"evidence": 0.5, "coverage": 0.2, "cosine": 9.0})
    assert told == pytest.approx(1 / (1 + math.exp(2.0 - 3.0 * 0.5 - 1.0 * 0.2)))
    assert Curve(-1e9, {})({}) == pytest.approx(0.0)  # no overflow at the ends
    assert Curve(1e9, {})({}) == 1.0


def test_each_kind_of_question_has_its_curves():
    assert kind(NEED, hit(0.5)) == "need"
    assert kind(NEED, hit(0.5, None)) == "need, words"
    assert kind(QUESTION, hit(0.5)) == "question"
    assert kind(QUESTION, hit(0.5, None)) == "question, words"
    assert kind(Query("sấy vải", product="Vải"), hit(0.5)) == "short need"
    assert kind(Query("sấy vải", product="Vải"), hit(0.5, None)) == "short need, words"
    assert kind(Query("sấy vải"), hit(0.5)) == "question"
    assert kind(Query(" ".join(["sấy"] * (SHORT + 1)), product="Vải"), hit(0.5)) == "need"
    assert set(shipped().records) == set(shipped().needs) == set(KINDS)


def test_what_is_shipped_is_monotone_and_says_how_it_was_checked():
    for curves in (shipped().records, shipped().needs):
        for curve in curves.values():
            assert all(weight >= 0 for weight in curve.weights.values())
            assert set(curve.weights) <= set(FACTS)
    for side in shipped().fitted_on["checks"].values():
        for figures in side.values():  # on folds that no curve was fitted on
            assert figures["Brier skill"] > 0
            assert figures["slope low"] <= 1 <= figures["slope high"]


def test_what_is_shipped_was_fitted_under_the_weights_in_use():
    told = "the ranking's weights have changed: run `python -m benchmarks.calibrate`"
    assert shipped().fitted_on["weights"] == ranking_digest(DEFAULT), told


def test_meaning_that_counted_in_part_is_taken_in_full():
    typed = hit(0.40, parts={"words": 0.26, "meaning": 0.14}, share=0.7)
    assert typed.evidence == pytest.approx(0.26 + 0.14 / 0.7)
    assert hit(0.40, None, {"words": 0.4}, share=0.7).evidence == 0.40  # words have no meaning


def test_facts_of_a_need_without_an_encoder_leave_meaning_out():
    assert facts(hit(0.5, None), True, False)["cosine"] == 0.0
    assert facts(hit(0.5, 0.9), True, False) == {
        "evidence": 0.5,
        "cosine": pytest.approx(0.9 - 0.85),
        "coverage": 0.5,
        "own_product": 1.0,
        "purpose": 0.0,
    }


@given(st.floats(-1, 2), st.floats(-1, 2))
def test_a_record_s_chance_grows_with_its_score(one, other):
    low, high = sorted((one, other))
    for query in (NEED, QUESTION):
        for cosine in (0.9, None):
            told = [shipped().of_record(query, hit(score, cosine)) for score in (low, high)]
            assert 0 <= told[0] <= told[1] <= 1


@pytest.mark.parametrize("asker", [lexical, dense])
def test_a_list_never_falls_and_rises_again(asker):
    """By what the need itself says: words taken up from first hits order, and change no chance."""
    matcher = asker()
    for need in matcher.needs.values():
        query = matcher.stated(need)
        hits = sorted(matcher.rank(query).hits(), key=lambda each: each.evidence, reverse=True)
        told = [matcher.usefulness.of_record(query, each) for each in hits]
        assert told == sorted(told, reverse=True)
        plainly = {each.id: each for each in matcher.engine.rank(query, matcher.provinces).hits()}
        alone = [matcher.usefulness.of_record(query, plainly[each.id]) for each in hits]
        assert told == pytest.approx(alone, abs=1e-9)


def test_answers_carry_both_probabilities():
    matcher = dense()
    answer = matcher.answer(matcher.stated(matcher.needs["N-1"]))
    assert 0 < answer.answerable < 1
    assert [each.usefulness for each in answer.matches] == [
        matcher.usefulness.of_record(answer.query, each.hit) for each in answer.matches
    ]


def test_below_the_threshold_nothing_is_more_than_a_reference():
    matcher = dense()
    never = replace(matcher.usefulness, needs=dict.fromkeys(KINDS, Curve(-20.0, {})))
    answer = replace(matcher, usefulness=never).answer(matcher.stated(matcher.needs["N-1"]))
    assert not answer.found
    assert {each.label for each in answer.matches} == {"tham khảo"}
    assert answer.nearest in (*answer.matches, *answer.set_apart)
