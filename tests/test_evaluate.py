import json
import math
from io import StringIO

import pytest
from rich.console import Console
from small import TODAY, Tiny, lexicon, places

from indexes.hybrid import Index
from matcher import testsets
from matcher.evaluate import Report, evaluate, measure, trec
from matcher.match import Matcher
from matcher.search import Engine
from matcher.testsets import TestSet
from service import show_quality

METRICS = ["nDCG@10", "Recall@20", "MRR@10", "P@1", "judged@10", "queries"]


def log2(number):
    return math.log2(number)


def graded(qrels, useful=2):
    return TestSet("x", (), {key: key for key in qrels}, qrels, useful)


def ranked(*keys):
    """A ranking whose scores all tie: only the order counts."""
    return [(key, 0.5) for key in keys]


# Metrics by hand ---------------------------------------------------------------------------------


def test_every_metric_of_one_ranking_by_hand():
    qrels = {"q": {"a": 3, "b": 2, "c": 1, "d": 0}}
    figures = measure(graded(qrels), {"q": ranked("c", "x", "b", "a", "d")})
    gained = 1 / log2(1 + 1) + 2 / log2(3 + 1) + 3 / log2(4 + 1)
    ideal = 3 / log2(1 + 1) + 2 / log2(2 + 1) + 1 / log2(3 + 1)
    assert figures == {
        "nDCG@10": pytest.approx(gained / ideal),  # gains are the grades themselves
        "Recall@20": 2 / 2,  # a and b are useful, both stand within twenty
        "MRR@10": pytest.approx(1 / 3),  # b is the first useful one; c is only related
        "P@1": 0.0,
        "judged@10": pytest.approx(4 / 5),  # x was never judged; five stand there
        "queries": 1,
    }


def test_binary_grades_count_from_one():
    figures = measure(graded({"q": {"a": 1}}, useful=1), {"q": ranked("b", "a")})
    assert figures["MRR@10"] == 1 / 2
    assert figures["Recall@20"] == 1.0
    assert figures["nDCG@10"] == pytest.approx((1 / log2(3)) / 1)


def test_the_cutoffs_are_ten_and_twenty():
    fill = [f"x{number}" for number in range(20)]
    qrels = {"q": {"a": 3, "b": 3}}
    eleventh = measure(graded(qrels), {"q": ranked(*fill[:10], "a", *fill[10:19], "b")})
    assert (eleventh["nDCG@10"], eleventh["MRR@10"]) == (0.0, 0.0)
    assert eleventh["Recall@20"] == 1 / 2  # a is eleventh, b twenty-first


def test_a_query_that_finds_nothing_counts_zero():
    qrels = {"q1": {"a": 3}, "q2": {"a": 3}}
    figures = measure(graded(qrels), {"q1": ranked("a"), "q2": []})
    assert figures["queries"] == 2
    for name in ("nDCG@10", "Recall@20", "MRR@10", "P@1"):
        assert figures[name] == (1 + 0) / 2


def test_equal_scores_are_measured_in_the_order_they_stand():
    qrels = {"q": {"a": 3}}
    for keys, first in ((("a", "b"), 1.0), (("b", "a"), 0.0)):
        assert measure(graded(qrels), {"q": ranked(*keys)})["P@1"] == first


def test_no_queries_have_no_figures():
    assert measure(graded({}), {}) == {"queries": 0}


# A BEIR folder -----------------------------------------------------------------------------------


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def beir(folder):
    (folder / "qrels").mkdir(parents=True)
    texts = {"d1": "Sấy vải", "d2": "Sấy nhãn", "d3": "Nuôi tôm"}
    corpus = lines(*({"_id": key, "title": "", "text": text} for key, text in texts.items()))
    queries = {"q1": "sấy vải", "q2": "xyzzy", "q3": "tôm"}
    asked = lines(*({"_id": key, "text": text} for key, text in queries.items()))
    (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    (folder / "queries.jsonl").write_text(asked, encoding="utf-8")
    grades = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t2\nq2\td3\t1\n"
    (folder / "qrels" / "test.tsv").write_text(grades, encoding="utf-8")
    return folder


def run(folder, encoder=None) -> Report:
    testset = testsets.load(folder, lexicon())
    return evaluate(testset, encoder, None, lexicon(), places(), TODAY)


def test_a_beir_folder_is_measured_over_its_graded_queries(tmp_path):
    report = run(beir(tmp_path))
    assert [key for key, _ in report.run["q1"]] == ["d1", "d2"]
    gained = 1 / log2(2) + 2 / log2(3)
    ideal = 2 / log2(2) + 1 / log2(3)
    assert report.overall == {
        "nDCG@10": pytest.approx((gained / ideal + 0) / 2),  # q2 finds nothing, q3 is not graded
        "Recall@20": (2 / 2 + 0) / 2,
        "MRR@10": (1 + 0) / 2,
        "P@1": (1 + 0) / 2,
        "judged@10": (2 / 2 + 0) / 2,
        "queries": 2,
    }
    assert (report.variants, report.constraints) == ({}, None)


def test_the_report_has_the_keys_that_programs_read(tmp_path):
    found = run(beir(tmp_path)).to_json()
    assert list(found) == [
        *("overall", "variants", "none", "useful", "beside_plain", "constraints", "notices")
    ]
    assert list(found["overall"]) == METRICS
    json.dumps(found, allow_nan=False)


def test_a_run_file_has_the_six_columns_of_trec(tmp_path):
    report = run(beir(tmp_path), Tiny())
    rows = [line.split(" ") for line in trec(report.run)]
    assert {len(row) for row in rows} == {6}
    for key, hits in report.run.items():
        mine = [row for row in rows if row[0] == key]
        assert [row[2] for row in mine] == [record for record, _ in hits]
        assert [row[3] for row in mine] == [str(rank + 1) for rank in range(len(hits))]
        assert [row[4] for row in mine] == [f"{score:.6f}" for _, score in hits]
    assert {(row[1], row[5]) for row in rows} == {("Q0", "cungcau")}
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_a_run_by_hand():
    hits = {"q2": [("b", 0.5), ("a", 0.25)], "q1": [("a", 1 / 3)]}
    assert list(trec(hits)) == [
        "q1 Q0 a 1 0.333333 cungcau",
        "q2 Q0 b 1 0.500000 cungcau",
        "q2 Q0 a 2 0.250000 cungcau",
    ]


def test_progress_counts_every_query_once(tmp_path):
    ticks = []
    testset = testsets.load(beir(tmp_path), lexicon())
    evaluate(testset, None, None, lexicon(), places(), TODAY, tick=lambda *step: ticks.append(step))
    ranked_steps = [done for name, done, total in ticks if name == "xếp hạng" and total == 3]
    assert sum(ranked_steps) == 3


# An interchange folder ---------------------------------------------------------------------------

FILES = {
    "products.csv": "Mã,Tên sản phẩm,Tên khác\nP1,Vải thiều,\nP2,Tôm sú,\n",
    "technologies.csv": (
        "Mã,Tên công nghệ,Tóm tắt,Sản phẩm áp dụng,TRL,Chi phí từ (triệu đồng),Hiệu lực đến\n"
        "T1,Lò sấy bơm nhiệt cho vải,Giữ màu vỏ,vải,8,300,\n"
        "T2,Sấy tôm sú,Giữ màu đỏ,tôm,4,50,2020-01-01\n"
        "T3,Ao nuôi tôm tuần hoàn,Ít thay nước,tôm,8,,\n"
    ),
    "needs.csv": (
        "Mã,Mã sản phẩm,Nhu cầu,Kinh phí tối đa (triệu đồng),TRL tối thiểu\n"
        "N1,P1,Sấy khô mà giữ màu,200,\n"
        "N2,P2,Sấy khô mà giữ màu,200,6\n"
        "N3,P2,Bay lên mặt trăng,,\n"
    ),
    "judgments.tsv": "N1\tT1\t3\nN1\tT2\t1\nN2\tT2\t2\nN2\tT1\t1\nN2\tT3\t0\nN3\tT1\t1\n",
    "queries_variants.tsv": "N1\tnodia\tSay kho ma giu mau\nN2\tshort\tsấy\nN3\tshort\ttrăng\n",
    # N1-T1 over budget; N2-T2 readiness too low; N2-T1 is not over budget for nobody said so
    "constraint_violations.tsv": "N1\tT1\tbudget\nN2\tT2\ttrl\nN2\tT1\ttrl\n",
}


def interchange(folder, **changed):
    folder.mkdir(exist_ok=True)
    for name, text in {**FILES, **changed}.items():
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_need_is_ranked_for_its_product(tmp_path):
    report = run(interchange(tmp_path))
    assert report.run["N1"][0][0] == "T1"  # the same words, for lychee
    assert report.run["N2"][0][0] == "T2"  # and for shrimp
    assert report.overall["P@1"] == (1 + 1) / 2
    assert report.overall["queries"] == 2  # N3 has no useful record


def test_hard_rules_remove_nothing_from_the_measured_ranking(tmp_path):
    run_of_n2 = [key for key, _ in run(interchange(tmp_path)).run["N2"]]
    assert "T2" in run_of_n2  # expired and not ready, but right in topic


def test_hard_rules_are_scored_apart_over_what_is_right_in_topic(tmp_path):
    # Found by the rules, grade >= 1: N1-T1 budget (300 > 200), N1-T2 expired, N2-T2 expired,
    # N2-T2 trl (4 < 6), N2-T1 budget (300 > 200). Expected: three. Right: N1-T1 budget, N2-T2 trl.
    assert run(interchange(tmp_path)).constraints == {
        "recall": pytest.approx(2 / 3),
        "precision": pytest.approx(2 / 5),
        "expected": 3,
        "found": 5,
    }


def test_without_a_file_of_violations_nothing_is_scored(tmp_path):
    report = run(interchange(tmp_path, **{"constraint_violations.tsv": None}))
    assert report.constraints is None


def test_an_empty_file_of_violations_asks_for_nothing(tmp_path):
    report = run(interchange(tmp_path, **{"constraint_violations.tsv": ""}))
    assert report.constraints == {"recall": 1.0, "precision": 0.0, "expected": 0, "found": 5}


def test_each_kind_of_variant_stands_beside_the_unchanged_needs_it_came_from(tmp_path):
    report = run(interchange(tmp_path))
    assert set(report.variants) == {"nodia", "short"}
    alone = {
        key: measure(graded({key: grades}), {key: report.run[key]})["nDCG@10"]
        for key, grades in {"N1": {"T1": 3, "T2": 1}, "N2": {"T2": 2, "T1": 1, "T3": 0}}.items()
    }
    assert report.variants["nodia"]["unchanged nDCG@10"] == alone["N1"]
    assert report.variants["short"]["unchanged nDCG@10"] == alone["N2"]
    assert report.variants["short"]["queries"] == 1  # N3 has no answer, changed or not
    assert list(report.variants["nodia"]) == [*METRICS, "unchanged nDCG@10"]


def test_a_need_without_accents_is_ranked_for_its_product_without_accents(tmp_path):
    # Only the product's name can tell the two apart: the words of the need stand in both records.
    files = {
        "technologies.csv": "Mã,Tên công nghệ\nT1,Sấy tôm sú\nT2,Sấy vải thiều\nT3,Kho\n",
        "judgments.tsv": "N1\tT2\t3\n",
        "queries_variants.tsv": "N1\tnodia\tSay\n",
        "constraint_violations.tsv": None,
    }
    figures = run(interchange(tmp_path, **files)).variants["nodia"]
    assert (figures["P@1"], figures["nDCG@10"]) == (1.0, 1.0)


def test_needs_without_an_answer_give_an_auroc(tmp_path):
    report = run(interchange(tmp_path))
    testset = testsets.load(tmp_path, lexicon())
    engine = Engine(Index.build(testset.documents), None, lexicon(), places())
    matcher = Matcher.of(engine, testset.technologies, testset.products, testset.needs, TODAY)
    asked = {key: matcher.stated(need) for key, need in matcher.needs.items()}
    told = {key: matcher.answerable(each, matcher.rank(each)) for key, each in asked.items()}
    pairs = [(told[key] > told["N3"]) + (told[key] == told["N3"]) / 2 for key in ("N1", "N2")]
    assert report.none["AUROC"] == sum(pairs) / 2
    assert (report.none["with"], report.none["without"]) == (2, 1)
    assert {"Brier skill", "slope", "AUROC low", "AUROC high"} <= set(report.none)


def test_without_both_kinds_of_needs_there_is_no_auroc(tmp_path):
    report = run(interchange(tmp_path, **{"judgments.tsv": "N1\tT1\t3\nN2\tT2\t2\nN3\tT3\t2\n"}))
    assert report.none == {"with": 3, "without": 0}


def test_a_need_nobody_judged_has_no_answer(tmp_path):
    report = run(interchange(tmp_path, **{"judgments.tsv": "N1\tT1\t3\n"}))
    assert report.overall["queries"] == 1
    assert report.none["without"] == 2


def test_the_same_folder_gives_the_same_report(tmp_path):
    one, other = (run(interchange(tmp_path), Tiny()) for _ in range(2))
    assert one == other


def test_rejected_rows_are_noticed_in_the_report(tmp_path):
    judgments = FILES["judgments.tsv"] + "N1\tT99\t3\n"
    report = run(interchange(tmp_path, **{"judgments.tsv": judgments}))
    (notice,) = report.to_json()["notices"]
    assert notice.startswith("judgments.tsv dòng 7")


def test_what_is_printed_stands_beside_plain_fusion_with_intervals(tmp_path):
    console = Console(file=StringIO(), width=200)
    report = run(interchange(tmp_path))
    show_quality.evaluation(console, "x", report)
    text = console.file.getvalue()
    figures = report.beside_plain["all"]
    told = [f"{figures[name]:.3f}".replace(".", ",") for name in ("plain", "full")]
    assert all(each in text for each in told)
    assert "khâu chưa rõ" in text
    assert "lĩnh vực chưa rõ" in text
    assert "Xác suất nhu cầu có lời giải: AUROC 1,000 (" in text
    assert "có lời giải 2; không có lời giải 1" in text
    assert "Xác suất bản ghi hữu ích: AUROC " in text
