"""Brier skill, slope and AUROC by hand, and intervals that hold what they should."""

import numpy as np
import pytest

from matcher import calibration
from matcher.calibration import auroc, brier_skill, measure, slope

TRUTH = np.array([True, False, True, False])


def test_brier_skill_by_hand():
    told = np.array([0.9, 0.2, 0.6, 0.1])
    error = (0.1**2 + 0.2**2 + 0.4**2 + 0.1**2) / 4
    assert brier_skill(told, TRUTH) == pytest.approx(1 - error / (0.5 * 0.5))
    assert brier_skill(np.full(4, 0.5), TRUTH) == pytest.approx(0.0)  # the base rate itself
    assert brier_skill(1.0 - TRUTH, TRUTH) == pytest.approx(1 - 1 / 0.25)


def test_auroc_by_hand():
    # Of the four pairs (useful, useless) three are in order: .9>.2, .9>.7, .6>.2, but .6<.7.
    assert auroc(np.array([0.9, 0.2, 0.6, 0.7]), TRUTH) == 3 / 4


@pytest.mark.parametrize("bend", [0.5, 1.0, 2.0])
def test_the_slope_undoes_what_bent_the_odds(bend):
    chance = np.random.default_rng(7)
    right = chance.uniform(0.05, 0.95, 20_000)
    truth = chance.uniform(size=right.size) < right
    odds = np.log(right / (1 - right)) * bend
    assert slope(1 / (1 + np.exp(-odds)), truth) == pytest.approx(1 / bend, rel=0.05)


def test_intervals_hold_the_figure_and_are_the_same_every_time():
    chance = np.random.default_rng(3)
    told = chance.uniform(0.05, 0.95, 400)
    truth = chance.uniform(size=400) < told
    groups = np.arange(400) // 4
    figures = measure(told, truth, groups, draws=50)
    assert figures == measure(told, truth, groups, draws=50)
    for name in calibration.MEASURES:
        assert figures[f"{name} low"] < figures[name] < figures[f"{name} high"]
    assert figures["n"] == 400
    assert figures["useful"] == truth.sum()


def test_groups_are_drawn_whole():
    """With one group every draw is the collection itself: no width."""
    told = np.array([0.9, 0.2, 0.6, 0.7])
    figures = measure(told, TRUTH, np.zeros(4, np.int64), draws=5)
    assert figures["AUROC low"] == figures["AUROC high"] == 3 / 4


def test_where_everything_is_useful_there_is_nothing_to_measure():
    assert measure(np.array([0.9]), np.array([True]), np.array([0])) == {"n": 1.0, "useful": 1.0}
