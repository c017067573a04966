import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matcher.fusion import accent_share, dense_part, lexical_parts, order

SCORES = {"words": np.array([2.0, 1.0, 0.0]), "syllables": np.array([4.0, 0.0, 2.0])}
CEILINGS = {"words": 4.0, "syllables": 8.0}
WEIGHTS = {"words": 1.0, "syllables": 0.5}
TOTAL = 1.0 * 4.0 + 0.5 * 8.0  # the most that both views together can score


# Lexical side ------------------------------------------------------------------------------------


def test_a_view_counts_its_weighted_share_of_what_all_views_could_score():
    parts = lexical_parts(SCORES, CEILINGS, WEIGHTS)
    assert parts["words"].tolist() == [1.0 * 2 / TOTAL, 1.0 * 1 / TOTAL, 0.0]
    assert parts["syllables"].tolist() == [0.5 * 4 / TOTAL, 0.0, 0.5 * 2 / TOTAL]


def test_the_share_scales_every_part():
    parts = lexical_parts(SCORES, CEILINGS, WEIGHTS, share=0.25)
    assert parts["words"].tolist() == [0.25 * 2 / TOTAL, 0.25 * 1 / TOTAL, 0.0]


def test_a_view_without_a_weight_does_not_count():
    parts = lexical_parts(SCORES, CEILINGS, {"words": 3.0})
    assert list(parts) == ["words"]
    assert parts["words"].tolist() == [3 * 2 / (3 * 4), 3 * 1 / (3 * 4), 0.0]


def test_a_query_without_known_terms_gives_zeros_and_no_nan():
    parts = lexical_parts({"words": np.zeros(3, np.float32)}, {"words": 0.0}, {"words": 1.0})
    assert parts["words"].tolist() == [0.0, 0.0, 0.0]


def test_parts_are_double_precision_and_the_scores_stay_as_they_were():
    scores = {"words": np.array([2.0, 1.0], np.float32)}
    parts = lexical_parts(scores, {"words": 4.0}, {"words": 1.0})
    assert parts["words"].dtype == np.float64
    parts["words"][:] = -1
    assert scores["words"].tolist() == [2.0, 1.0]


positive = st.floats(0.01, 100)


@given(
    st.dictionaries(st.sampled_from("abcd"), st.tuples(positive, positive, st.floats(0, 1))),
    st.floats(0, 1),
)
def test_parts_add_up_to_the_weighted_coverage(views, share):
    scores = {name: np.array([ceiling * said]) for name, (ceiling, _, said) in views.items()}
    ceilings = {name: ceiling for name, (ceiling, _, _) in views.items()}
    weights = {name: weight for name, (_, weight, _) in views.items()}
    total = math.fsum(part[0] for part in lexical_parts(scores, ceilings, weights, share).values())
    said = sum(weights[name] * scores[name][0] for name in views)
    most = sum(weights[name] * ceilings[name] for name in views)
    assert total == pytest.approx(share * said / most if views else 0.0)
    assert 0 <= total <= share * (1 + 1e-12)


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(positive, positive), min_size=1))
def test_a_record_that_says_everything_scores_one(views):
    ceilings = {name: ceiling for name, (ceiling, _) in views.items()}
    weights = {name: weight for name, (_, weight) in views.items()}
    scores = {name: np.array([ceiling]) for name, ceiling in ceilings.items()}
    parts = lexical_parts(scores, ceilings, weights)
    assert math.fsum(part[0] for part in parts.values()) == pytest.approx(1.0)


# Dense side --------------------------------------------------------------------------------------


def test_the_dense_part_is_the_weighted_distance_from_unrelated_text():
    cosines = np.array([0.9, 0.8, 0.75])
    assert dense_part(cosines, 2.5, 0.8).tolist() == [2.5 * (0.9 - 0.8), 0.0, 2.5 * (0.75 - 0.8)]


# Accents -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plainness", "share"),
    [(0.0, 0.0), (0.25, 0.0), (0.375, 0.25), (0.5, 0.5), (0.75, 1.0), (1.0, 1.0)],
)
def test_the_share_of_accents_runs_from_nothing_to_all_between_its_ends(plainness, share):
    assert accent_share(plainness, 0.25, 0.75) == share


@given(st.floats(0, 1), st.floats(0, 1))
def test_plainer_text_never_counts_as_less_accented(one, other):
    low, high = sorted((one, other))
    assert 0 <= accent_share(low, 0.35, 0.7) <= accent_share(high, 0.35, 0.7) <= 1


# Order -------------------------------------------------------------------------------------------


def test_higher_scores_come_first_and_ties_keep_the_order_of_rows():
    assert order(np.array([0.5, 0.9, 0.5, 0.9])).tolist() == [1, 3, 0, 2]


def test_scores_that_differ_by_less_than_a_millionth_are_ties():
    assert order(np.array([0.5, 0.5 + 1e-8, 0.5 - 1e-8])).tolist() == [0, 1, 2]
    assert order(np.array([0.5, 0.5 + 1e-5])).tolist() == [1, 0]


def test_nothing_has_an_order():
    assert order(np.zeros(0)).tolist() == []


@given(arrays(np.int64, st.integers(0, 30), elements=st.integers(-3, 3)), st.randoms())
def test_the_order_is_that_of_a_textbook_sort(values, random):
    noise = np.array([random.choice([0.0, 1e-8, -1e-8]) for _ in values])
    scores = values / 10 + noise
    textbook = sorted(range(len(values)), key=lambda row: (-values[row], row))
    assert order(scores).tolist() == textbook
