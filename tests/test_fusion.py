import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matcher.fusion import accent_share, dense_part, emphasis, lexical_factor, order

# Lexical side ------------------------------------------------------------------------------------


def test_with_length_one_a_score_becomes_the_share_of_the_query():
    assert 8.0 * lexical_factor(8.0, 1.0, 150.0) == 1.0
    assert 2.0 * lexical_factor(8.0, 1.0, 150.0) == 2.0 / 8.0


def test_with_length_zero_every_query_is_of_one_size():
    assert lexical_factor(8.0, 0.0, 150.0) == lexical_factor(800.0, 0.0, 150.0) == 1 / 150.0


def test_half_way_the_factor_is_the_geometric_mean():
    assert lexical_factor(600.0, 0.5, 150.0) == pytest.approx(1 / math.sqrt(600 * 150))


def test_a_query_without_known_terms_gives_zero_and_no_nan():
    assert lexical_factor(0.0, 0.5, 150.0) == 0.0


@given(st.floats(0.01, 1e4), st.floats(1.0, 100.0), st.floats(0, 1))
def test_a_longer_query_never_counts_less_in_all_nor_more_for_each_word(most, times, length):
    short, long = (lexical_factor(each, length, 150.0) for each in (most, most * times))
    assert long <= short * (1 + 1e-9)  # one word of a longer query counts less, or the same
    assert long * most * times >= short * most * (1 - 1e-9)  # all of them together more


@given(st.floats(0, 1))
def test_at_the_given_size_length_makes_no_difference(length):
    assert lexical_factor(150.0, length, 150.0) == pytest.approx(1 / 150.0)


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


# What a short query names -------------------------------------------------------------------------


def test_what_a_short_query_names_counts_as_if_it_were_stated_at_length():
    assert emphasis(50.0, 150.0, 0.5) == pytest.approx(math.sqrt(3))
    assert emphasis(100.0, 150.0, 1.0) == pytest.approx(1.5)
    assert emphasis(50.0, 150.0, 1.0) == emphasis(5.0, 150.0, 0.5) == 2.0  # and no more
    assert emphasis(50.0, 150.0, 0.0) == 1.0
    assert emphasis(150.0, 150.0, 0.5) == emphasis(900.0, 150.0, 0.5) == 1.0
    assert emphasis(0.0, 150.0, 0.5) == 1.0  # no known word: nothing to weigh against
