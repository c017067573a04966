"""The two answers to "is it more than chance?", against arithmetic and slow counting."""

import itertools
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from matcher.significance import interval, randomisation

GAINS = st.lists(st.integers(-8, 8).map(lambda each: each / 8), max_size=9)


def counted(differences):
    """The definition: every sign vector, one after another."""
    observed = abs(sum(differences))
    vectors = list(itertools.product((1, -1), repeat=len(differences)))
    sums = [abs(sum(map(float.__mul__, differences, map(float, each)))) for each in vectors]
    return sum(each >= observed - 1e-12 for each in sums) / len(vectors)


def test_three_gains_by_hand():
    # Of the eight sign vectors only +++ and --- reach 0.6.
    assert randomisation([0.1, 0.2, 0.3]) == 2 / 8
    # 0.3 - 0.1 = 0.2: reached by all but those where |±0.1 ± 0.3| < 0.2, none: 0.2 or 0.4.
    assert randomisation([0.3, -0.1]) == 1.0


@settings(deadline=None)
@given(GAINS)
def test_few_differences_are_counted_exactly(differences):
    assert randomisation(differences) == pytest.approx(counted(differences))


@settings(deadline=None)
@given(GAINS)
def test_neither_side_order_nor_ties_matter(differences):
    p = randomisation(differences)
    assert randomisation([-each for each in differences]) == p
    assert randomisation(differences[::-1]) == p
    assert randomisation([*differences, 0.0, 0.0]) == p


def test_without_a_difference_there_is_nothing_to_find():
    assert randomisation([]) == randomisation([0.0] * 50) == 1.0


def test_many_differences_are_drawn_and_agree_with_scipy():
    values = np.random.default_rng(5).normal(0.02, 0.1, 80)
    theirs = stats.permutation_test(
        (values, np.zeros(80)),
        lambda one, other: (one - other).mean(),
        permutation_type="samples",
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    ).pvalue
    assert randomisation(values, 20_000) == pytest.approx(theirs, abs=0.015)


def test_a_drawn_value_is_repeatable_and_never_zero():
    gains = [0.1] * 100
    assert randomisation(gains, 1000) == 1 / 1001
    noise = list(np.random.default_rng(3).normal(0, 0.1, 40))
    assert randomisation(noise, 500, seed=1) == randomisation(noise, 500, seed=1)
    assert randomisation(noise, 500, seed=1) != randomisation(noise, 500, seed=2)


def test_more_draws_than_one_chunk_are_all_counted():
    noise = list(np.random.default_rng(3).normal(0.01, 0.1, 40))
    p = randomisation(noise, 2_500)
    assert (p * 2_501) == pytest.approx(round(p * 2_501))


def test_chance_alone_is_called_significant_as_often_as_the_level_says():
    random = np.random.default_rng(11)
    found = [randomisation(random.normal(0, 1, 12)) <= 0.1 for _ in range(400)]
    assert 0.06 < sum(found) / 400 < 0.14  # four standard errors around 0.1 are 0.06


def test_the_interval_of_one_value_is_that_value():
    assert interval([0.25]) == interval([0.25] * 30) == (0.25, 0.25)


def test_the_interval_is_that_of_the_normal_distribution_where_that_holds():
    values = list(np.random.default_rng(7).normal(0.3, 0.2, 400))
    low, high = interval(values)
    mean, error = statistics.fmean(values), statistics.stdev(values) / 20
    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.002)
    assert interval(values) == (low, high)
    narrow = interval(values, level=0.5)
    assert low < narrow[0] < narrow[1] < high
