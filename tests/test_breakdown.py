"""Plain fusion by hand, and the full matcher beside it by group."""

import math
from dataclasses import replace

import numpy as np
import pytest
from small import NEEDS, PRODUCTS, Tiny, dense, lexical

from matcher import baseline
from matcher.breakdown import breakdown
from matcher.testsets import TestSet


def test_z_scores_by_hand():
    values = np.array([1.0, 2.0, 6.0])
    spread = math.sqrt(((1 - 3) ** 2 + (2 - 3) ** 2 + (6 - 3) ** 2) / 3)
    assert baseline.z(values) == pytest.approx([-2 / spread, -1 / spread, 3 / spread])
    assert baseline.z(np.array([4.0, 4.0])).tolist() == [0.0, 0.0]


def test_without_an_encoder_plain_fusion_is_bm25_of_two_views():
    index = lexical().engine.index
    (found,) = baseline.rank(index, None, None, ["Sấy vải"], 3)
    views = index.views
    total = views["syllables"].scores(["sấy", "vải"]) + views["bigrams"].scores(["sấy_vải"])
    order = np.lexsort((np.arange(len(total)), -np.round(baseline.z(total), 6)))[:3]
    assert [key for key, _ in found] == [index.ids[row] for row in order]


def test_with_an_encoder_both_sides_count_half():
    index, encoder = dense().engine.index, Tiny()
    (found,) = baseline.rank(index, encoder, None, ["Sấy vải"], len(index.ids))
    (words,) = baseline.rank(index, None, None, ["Sấy vải"], len(index.ids))
    vector = encoder.queries(["Sấy vải"])[0]
    near = baseline.z(index.cosines(vector, np.arange(len(index.ids))))
    row = index.ids.index("CN-1")
    assert dict(found)["CN-1"] == pytest.approx(0.5 * dict(words)["CN-1"] + 0.5 * near[row])


QRELS = {"N-1": {"CN-1": 3}, "N-2": {"CN-2": 3}, "N-3": {"CN-5": 2}, "N-4": {"CN-6": 1}}


def collection():
    needs = (NEEDS[0].model_copy(update={"stage": "chế biến"}), *NEEDS[1:])
    return TestSet(
        "x", (), {each.id: each.text for each in needs}, QRELS, 2, products=PRODUCTS, needs=needs
    )


def test_groups_hold_every_need_with_an_answer_once():
    run = {"N-1": [("CN-1", 1.0)], "N-2": [("CN-1", 1.0), ("CN-2", 0.5)], "N-3": []}
    found = breakdown(collection(), lexical(), run)
    assert found["all"]["needs"] == 3  # N-4 has nothing of use
    assert found["all"]["full"] == pytest.approx((1 + 1 / math.log2(3) + 0) / 3)
    assert {name: each["needs"] for name, each in found["stage"].items()} == {
        "chế biến": 1,
        "chưa rõ": 2,
    }
    assert found["stage"]["chế biến"]["full"] == 1.0
    assert sum(each["needs"] for each in found["field"].values()) == 3
    for figures in (found["all"], *found["stage"].values()):
        assert figures["gain"] == pytest.approx(figures["full"] - figures["plain"])
        assert figures["full low"] <= figures["full"] <= figures["full high"]


def test_a_collection_without_needs_has_no_groups():
    assert breakdown(replace(collection(), needs=()), lexical(), {}) == {}
