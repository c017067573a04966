"""Curves fitted on made-up rows, folds that part nothing that belongs together, emptied columns."""

from dataclasses import replace

import numpy as np
import pytest
from small import NEEDS, PRODUCTS, TECHNOLOGIES, lexical, lexicon

from matcher.calibrate import Observed, calibrate, check, emptied, fit, fold_groups
from matcher.documents import PRODUCT, document
from matcher.testsets import TestSet
from matcher.usefulness import Curve

A, B, C = (each.id for each in PRODUCTS)


def collection(qrels):
    return TestSet(
        "x",
        tuple(document(each, lexicon()) for each in TECHNOLOGIES),
        {each.id: each.text for each in NEEDS},
        qrels,
        2,
        technologies=TECHNOLOGIES,
        products=PRODUCTS,
        needs=NEEDS,
    )


def together(groups, one, other):
    return groups[one] == groups[other]


def test_products_that_share_a_useful_record_are_in_one_fold():
    # N-1 and N-2 are of SP-1, N-3 of SP-2, N-4 of SP-3.
    groups = fold_groups(collection({"N-1": {"CN-1": 3}, "N-4": {"CN-1": 2}, "N-3": {}}), [])
    assert together(groups, A, C)
    assert not together(groups, A, B)
    related = fold_groups(collection({"N-1": {"CN-1": 3}, "N-3": {"CN-1": 1}}), [])
    assert not together(related, A, B)  # related is not useful


def test_products_whose_useful_records_tell_the_same_thing_are_in_one_fold():
    qrels = {"N-1": {"CN-1": 3}, "N-3": {"CN-2": 2}}
    assert not together(fold_groups(collection(qrels), []), A, B)
    assert together(fold_groups(collection(qrels), [("CN-2", "CN-1")]), A, B)
    assert set(fold_groups(collection(qrels), [("CN-2", "CN-1")])) == {A, B, C}


def rows(count=400, seed=5):
    """Useful with odds of exp(4 x - 2); y tells the opposite of nothing."""
    chance = np.random.default_rng(seed)
    x = chance.uniform(0, 1, count)
    useful = chance.uniform(size=count) < 1 / (1 + np.exp(2 - 4 * x))
    facts = np.column_stack([x, -useful.astype(float)])
    return Observed(("x", "y"), facts, useful, np.arange(count) // 4, np.zeros(count, np.bool_))


def test_the_fit_finds_the_odds_and_no_weight_is_negative():
    found = fit(rows(4_000))
    assert found["weights"]["x"] == pytest.approx(4.0, abs=0.5)
    assert found["intercept"] == pytest.approx(-2.0, abs=0.4)
    assert found["weights"]["y"] == 0.0  # it falls with the chance: left out, not turned round
    assert Curve(**found)({"x": 1.0, "y": 0.0}) > Curve(**found)({"x": 0.0, "y": 0.0})


def test_the_check_is_of_rows_that_were_not_fitted_on():
    figures = check(rows())
    assert figures["n"] == 400
    assert 0 < figures["Brier skill"] < 0.5
    assert figures["slope low"] < 1 < figures["slope high"]
    noise = rows()
    shuffled = np.random.default_rng(1).permutation(noise.useful)
    told = check(replace(noise, facts=noise.facts[:, :1].repeat(2, 1), useful=shuffled))
    assert told["Brier skill"] < 0.02  # nothing to learn: no better than the base rate


def test_supposed_rows_are_fitted_on_and_weigh_what_they_take_away():
    judged = [
        ({"x": x}, useful, n) for n, (x, useful) in enumerate([(0.9, True), (0.7, False)] * 5)
    ]
    supposed = [({"x": 0.1}, False, n) for n in range(0, 10, 2)]
    plain, both = Observed.of(("x",), judged), Observed.of(("x",), judged, supposed)
    useless = ~both.useful
    assert both.weights[useless] == pytest.approx(0.5)  # twice as many of them
    assert both.weights[useless].sum() == plain.weights[~plain.useful].sum() == 5
    at = {"x": 0.8}
    assert Curve(**fit(both))(at) > Curve(**fit(plain))(at)  # what is far below is no near miss
    assert check(both)["n"] == 10  # nobody judged the others


def test_a_need_with_an_answer_is_one_more_without(monkeypatch):
    seen = []
    monkeypatch.setattr("matcher.calibrate.fit", lambda observed: seen.append(observed) or {})
    monkeypatch.setattr("matcher.calibrate.check", lambda observed: {})
    qrels = {"N-1": {"CN-1": 3, "CN-2": 1, "CN-3": 0}, "N-2": {"CN-1": 1}, "N-3": {}, "N-4": {}}
    calibrate(collection(qrels), [], lexicon(), lambda testset, dense: lexical())
    needs = [each for each in seen if "purpose" in each.names]
    found = [each for each in needs if each.supposed.any()]
    assert found
    for each in found:  # N-1 alone has an answer, and is asked as it is and emptied, twice each
        assert not each.useful[each.supposed].any()
        assert each.supposed.sum() <= each.useful.sum()
        top, below = (each.facts[rows, 0].max() for rows in (each.useful, each.supposed))
        assert top > below  # CN-3 is not the first, and CN-2 is related


def test_an_emptied_collection_states_nothing_and_labels_by_title():
    bare = emptied(collection({}), lexicon())
    assert all(not (each.products or each.stages or each.keywords) for each in bare.technologies)
    labels = {each.id: each.labels for each in bare.documents}
    assert f"{PRODUCT}vải" in labels["CN-1"]  # "Sấy vải bằng bơm nhiệt"
    assert not any(each.startswith(PRODUCT) for each in labels["CN-7"])
