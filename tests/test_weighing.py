"""The fit against its own definition written slowly, and on data whose answer is known."""

import math
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize_scalar

from matcher import weighing
from matcher.model import DEFAULT
from matcher.weighing import STRENGTHS, Case, choose, fit


def case(need, grades, counts=None, **parts):
    ids = tuple(f"{need}-{n:02}" for n in range(len(grades)))
    arrays = {name: np.array(values, np.float64) for name, values in parts.items()}
    counts = np.ones(len(grades)) if counts is None else np.array(counts, np.float64)
    return Case(need, ids, arrays, np.array(grades, np.int64), counts)


def known_cases(count, seed=0, telling=0.1, start=0):
    """Meaning tells the grade, product misleads, words say nothing."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(start, start + count):
        grades = random.integers(0, 4, 8)
        made.append(
            case(
                f"N{number:03}",
                grades,
                words=random.normal(0.3, 0.08, 8),
                meaning=telling * (grades / 3) + random.normal(0, 0.02, 8),
                product=0.05 * (grades < 2) + random.normal(0, 0.01, 8),
            )
        )
    return made


def slow_loss(m, steepness, cases, names, strength):
    """The definition of ``fit``, pair by pair."""
    total = 0.0
    for each in cases:
        losses, weights = [], []
        for one in range(len(each.ids)):
            for other in range(len(each.ids)):
                step = int(each.grades[one]) - int(each.grades[other])
                if step <= 0:
                    continue
                gap = 0.0
                for name, values in each.parts.items():
                    factor = m[names.index(name)] if name in names else 1.0
                    gap += factor * (values[one] - values[other])
                weights.append(step * max(each.counts[one], each.counts[other]))
                losses.append(math.log1p(math.exp(-steepness * gap)))
        if weights:
            total += sum(w * x for w, x in zip(weights, losses, strict=True)) / sum(weights)
    return total + strength / 2 * sum((each - 1) ** 2 for each in m)


@pytest.fixture(scope="module")
def cases():
    return [
        *known_cases(6),
        case("A", [3, 0, 1], [1, 4, 2], words=[0.1, 0.2, 0.3], stage=[0.0, 0.04, 0.0]),
        case("B", [2, 2], words=[0.1, 0.2]),  # nothing to tell apart
    ]


def test_the_loss_is_its_definition_and_the_gradient_its_slope(cases):
    names = weighing.learnable(cases)
    assert names == ("meaning", "product", "stage")
    pairs = weighing._pairs(cases, names)
    for x in (np.array([2.5, 1.0, 1.0, 1.0]), np.array([1.0, 1.3, 0.0, 2.5])):
        loss, gradient = weighing._loss(x, pairs, 3.0)
        assert loss == pytest.approx(slow_loss(list(x[1:]), math.exp(x[0]), cases, names, 3.0))
        slopes = approx_fprime(x, lambda x: weighing._loss(x, pairs, 3.0)[0], 1e-6)
        assert gradient == pytest.approx(slopes, abs=1e-3)


def test_no_other_multipliers_have_less_loss(cases):
    names = weighing.learnable(cases)
    found = np.array([fit(cases, 2.0)[name] for name in names])

    def least(m):
        return minimize_scalar(
            lambda each: slow_loss(m, math.exp(each), cases, names, 2.0), bounds=(0, 7)
        ).fun

    best = least(found)
    for name in range(3):
        for step in (-0.05, 0.05):
            assert least(np.maximum(found + step * np.eye(3)[name], 0.0)) >= best - 1e-6


def test_a_part_can_overrule_words_that_mislead():
    made = [case(f"N{n}", [3, 0], words=[0.28, 0.30], place=[0.01, 0.0]) for n in range(40)]
    assert fit(made, 0.3)["place"] > 2.0  # 0.28 + 2 * 0.01 = 0.30


def test_what_tells_counts_more_and_what_misleads_less_but_never_below_zero():
    found = fit(known_cases(60), 0.3)
    assert found["meaning"] > 1.3
    assert 0 <= found["product"] < 0.1
    assert set(found) == {"meaning", "product"}


def test_a_strong_pull_changes_nothing():
    found = fit(known_cases(60), 1e7)
    assert found == pytest.approx({"meaning": 1.0, "product": 1.0}, abs=1e-3)


def test_the_pull_works_both_ways_and_monotonically():
    factors = [fit(known_cases(40), strength)["product"] for strength in (1, 10, 100, 1000)]
    assert factors == sorted(factors)
    assert factors[0] < factors[-1] < 1


def test_the_lexical_parts_are_the_measure():
    made = [
        case(f"N{n}", [3, 0], words=[0.2, 0.1], unaccented=[0.1, 0.2], meaning=[0.3, 0.1])
        for n in range(5)
    ]
    assert weighing.learnable(made) == ("meaning",)


def test_what_nobody_was_shown_makes_no_pair():
    parts = {"words": [0.2, 0.1, 0.9], "meaning": [0.1, 0.3, 0.9]}
    one = case("N", [2, 0, weighing.NOT_SHOWN], **parts)
    assert len(weighing._pairs([one], ("meaning",)).rest) == 1
    two = case("N", [2, 0], words=[0.2, 0.1], meaning=[0.1, 0.3])
    assert fit([one], 1.0) == fit([two], 1.0)
    assert not weighing._has_pairs(case("N", [2, weighing.NOT_SHOWN], words=[0.2, 0.1]))


def test_the_order_is_that_of_a_search():
    one = case("N", [0, 1, 2], words=[0.2, 0.2, 0.1], meaning=[0.0, 1e-9, 0.2])
    assert one.order({}) == ["N-02", "N-00", "N-01"]  # equal to 1e-6: by id
    assert one.order({"meaning": 0.0}) == ["N-00", "N-01", "N-02"]


def test_refitting_orders_new_needs_better():
    multipliers = fit(known_cases(60), 1.0)
    fresh = known_cases(30, seed=9, start=500)

    def mistakes(factors):
        wrong = 0
        for each in fresh:
            grades = dict(zip(each.ids, each.grades.tolist(), strict=True))
            ranked = [grades[key] for key in each.order(factors)]
            wrong += sum(a < b for i, a in enumerate(ranked) for b in ranked[i + 1 :])
        return wrong

    assert mistakes(multipliers) < 0.8 * mistakes({})


def test_scales_put_an_even_chance_where_as_many_records_stand_above_it_as_before():
    weights = replace(DEFAULT, evidence_scale=2.0)
    made = [
        case("A", [3, 0], words=[0.2, 0.1], meaning=[0.2, 0.1]),  # 0.4, 0.2
        case("B", [3, 0], words=[0.3, 0.0], meaning=[0.0, 0.1]),  # 0.3, 0.1
    ]
    even = {"evidence_scale": 0.7, "words_evidence_scale": 0.15}  # 0.7 / 2: one stands above
    found = weighing.scales(made, weights, {"meaning": 0.5}, even)  # then 0.3, 0.15, 0.3, 0.05
    assert found == {
        "evidence_scale": round(0.7 / 0.3, 4),  # one as before, if two did not tie now
        "words_evidence_scale": 1.0,  # words alone: 0.2, 0.1, 0.3, 0.0; two, halfway is 0.15
    }


def test_with_nothing_changed_as_many_records_keep_an_even_chance():
    made = known_cases(30)
    scores = np.concatenate([each.total({}) for each in made])
    even = {"evidence_scale": 0.35, "words_evidence_scale": 0.15}
    found = weighing.scales(made, DEFAULT, {"meaning": 1.0}, even)
    assert 0 < (scores >= 0.35).sum() < len(scores)
    assert (scores * found["evidence_scale"] >= 0.35).sum() == (scores >= 0.35).sum()


def test_left_out_folds_choose_a_weak_pull_where_there_is_much_to_learn():
    folds = [known_cases(25, seed=n, start=100 * n) for n in range(4)]
    assert choose(folds) in STRENGTHS[:3]


def test_where_the_weights_are_right_they_stay_what_they_are():
    # Grades follow from words and meaning as they are weighted now, and noise.
    for seed in range(2):
        random = np.random.default_rng(seed)
        folds = []
        for _ in range(4):
            fold = []
            for n in range(60):
                words, meaning = random.normal(0, 0.1, 8), random.normal(0, 0.1, 8)
                grades = np.clip((words + meaning + random.normal(0, 0.1, 8)) * 6 + 1.5, 0, 3)
                fold.append(case(f"N{n}", grades.astype(int), words=words, meaning=meaning))
            folds.append(fold)
        strength = choose(folds)
        if strength is not None:
            found = fit(list(chain.from_iterable(folds)), strength)
            assert found["meaning"] == pytest.approx(1, abs=0.2)


def test_one_fold_alone_chooses_nothing():
    assert choose([known_cases(20), [], []]) is None


def test_the_same_cases_give_the_same_multipliers():
    assert fit(known_cases(20), 1.0) == fit(known_cases(20), 1.0)
