"""Two runs side by side: what gained, what lost, what moved, by hand and against evaluate."""

import json
import math

import pytest

from indexes.documents import Document
from matcher.compare import Moved, compare, ndcg
from matcher.evaluate import measure
from matcher.runs import RunError
from matcher.testsets import TestSet

DOCUMENTS = tuple(Document(f"d{number:02}", f"Tên {number}") for number in range(30))
QRELS = {
    "q1": {"d00": 3, "d01": 1},
    "q2": {"d02": 2},
    "q3": {"d03": 2, "d04": 0},
    "q4": {"d05": 1},  # nothing useful
}
QUERIES = {"q1": "sấy vải", "q2": "tưới nhỏ giọt", "q3": "ao tôm", "q4": "bay lên trăng"}
TESTSET = TestSet("thử", DOCUMENTS, QUERIES, QRELS, useful=2)
BEFORE = {"q1": ["d01", "d00"], "q2": ["d02"], "q3": ["d10", "d03"], "q4": ["d05"]}
AFTER = {"q1": ["d00", "d01"], "q2": ["d11", "d02"], "q3": ["d10", "d03"], "q4": []}


def test_ndcg_by_hand():
    best = 3 / math.log2(2) + 1 / math.log2(3)
    swapped = 1 / math.log2(2) + 3 / math.log2(3)
    found = ndcg(QRELS, {"q1": ["d01", "d00"], "q2": ["d09", "d02"]})
    assert found == pytest.approx(
        {"q1": swapped / best, "q2": 1 / math.log2(3), "q3": 0.0, "q4": 0.0}
    )
    deep = {"q2": [f"d{number}" for number in range(10, 20)] + ["d02"]}
    assert ndcg({"q2": QRELS["q2"]}, deep) == {"q2": 0.0}


def test_ndcg_is_the_one_that_evaluate_reports():
    scored = {key: [(record, 0.0) for record in found] for key, found in BEFORE.items()}
    run = {key: scored[key] for key in ("q1", "q2", "q3")}
    found = ndcg({key: QRELS[key] for key in run}, BEFORE)
    assert sum(found.values()) / 3 == pytest.approx(measure(TESTSET, run)["nDCG@10"])


def test_changes_are_sorted_by_gain_and_say_what_moved():
    found = compare(TESTSET, BEFORE, AFTER)
    assert [each.query for each in found.changes] == ["q1", "q3", "q2"]
    assert [each.query for each in found.better] == ["q1"]
    (lost,) = found.worse
    assert (lost.text, lost.before, lost.after) == ("tưới nhỏ giọt", 1.0, 1 / math.log2(3))
    assert lost.entered == (Moved("d11", "Tên 11", None),)
    assert lost.left == ()
    assert found.changes[1].difference == 0.0
    assert found.difference == pytest.approx(sum(each.difference for each in found.changes) / 3)


def test_two_of_two_differences_are_no_evidence():
    found = compare(TESTSET, BEFORE, AFTER)
    # q1 gains 0.20, q2 loses 0.37: each of the four sign vectors reaches |0.17| or |0.57|.
    assert found.p == 1.0
    assert not found.significant
    assert found.low < 0 < found.high


def test_the_worst_loss_comes_first_and_the_tenth_place_counts():
    places = [f"d{number}" for number in range(10, 19)]
    before = {"q1": ["d00", "d01"], "q2": ["d02"], "q3": ["d03"]}
    after = {"q1": ["d01", "d00"], "q2": [*places, "d02"], "q3": [*places, "d19", "d03"]}
    found = compare(TESTSET, before, after)
    assert [each.query for each in found.worse] == ["q3", "q2", "q1"]
    assert found.worse[0].left == (Moved("d03", "Tên 3", 2),)
    assert found.worse[1].left == ()


def test_what_a_run_does_not_rank_counts_nothing_and_is_said():
    found = compare(TESTSET, {"q1": ["d00", "d01"], "q9": ["d00"]}, AFTER)
    assert {each.query: each.before for each in found.changes} == {"q1": 1.0, "q2": 0.0, "q3": 0.0}
    assert found.notices == (
        "tệp A thiếu 2 truy vấn có đáp án; mỗi truy vấn ấy tính 0 điểm",
        "tệp A có 1 truy vấn không thuộc thử: không tính",
        "1 truy vấn không có đáp án nên không đo được thứ hạng",
    )


def test_a_run_of_another_collection_is_refused():
    with pytest.raises(RunError, match="tệp thứ hạng B không xếp hạng truy vấn nào"):
        compare(TESTSET, BEFORE, {"x": ["d00"], "q4": ["d05"]})


def test_a_run_against_itself_differs_in_nothing():
    found = compare(TESTSET, BEFORE, BEFORE)
    assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert found.better == found.worse == ()


def test_many_gains_are_significant_and_go_through_json():
    qrels = {f"q{number}": {"d00": 2} for number in range(20)}
    testset = TestSet("nhiều", DOCUMENTS, dict.fromkeys(qrels, "câu"), qrels, useful=2)
    before, after = {key: ["d01", "d00"] for key in qrels}, {key: ["d00"] for key in qrels}
    found = compare(testset, before, after)
    assert found.significant
    assert found.p == 1 / 10_001  # of 2^20 sign vectors two reach it: none of those drawn
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert (told["queries"], told["better"], told["worse"]) == (20, 20, 0)
    assert told["changes"][0]["left"] == [{"id": "d01", "title": "Tên 1", "grade": None}]
    assert told["interval"] == pytest.approx([1 - 1 / math.log2(3)] * 2)
