import json

import pytest
from small import lexicon

from matcher.testsets import TestSetError, Variant, load


def write(folder, **files):
    for name, text in files.items():
        stem, _, ending = name.replace("__", "/").rpartition("_")
        path = folder / f"{stem}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


CORPUS = lines(
    {"_id": "d2", "title": "", "text": "Sấy nhãn"},
    {"_id": "d1", "title": "Sấy vải", "text": "Bơm nhiệt"},
)
QUERIES = lines({"_id": "q1", "text": "sấy vải"}, {"_id": 2, "text": "hòa"})
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\n"
BEIR = {"corpus_jsonl": CORPUS, "queries_jsonl": QUERIES, "qrels__test_tsv": QRELS}

INTERCHANGE = {
    "technologies_csv": "Mã,Tên công nghệ,Tóm tắt\nT2,Sấy nhãn,\nT1,Sấy vải,Bơm nhiệt\n",
    "products_csv": "Mã,Tên sản phẩm\nP1,Vải thiều\n",
    "needs_csv": "Mã,Mã sản phẩm,Nhu cầu\nN1,P1,Sấy cho khô\nN2,P1,Bay lên trời\n",
    "judgments_tsv": "N1\tT1\t3\nN1\tT2\t1\n",
}


def read(folder, **files):
    return load(write(folder, **files), lexicon())


def refused(folder, **files):
    with pytest.raises(TestSetError) as caught:
        read(folder, **files)
    return str(caught.value)


# BEIR --------------------------------------------------------------------------------------------


def test_a_beir_folder_is_documents_queries_and_grades(tmp_path):
    found = read(tmp_path, **BEIR)
    assert [each.id for each in found.documents] == ["d1", "d2"]  # rows in the order of ids
    assert [each.passages for each in found.documents] == [("Sấy vải", "Bơm nhiệt"), ("Sấy nhãn",)]
    assert found.queries == {"q1": "sấy vải", "2": "hòa"}
    assert found.qrels == {"q1": {"d1": 1, "d2": 0}}
    assert (found.useful, found.answered) == (1, {"q1"})
    assert (found.name, found.needs, found.violations) == (tmp_path.name, (), None)


def test_all_splits_of_the_grades_are_read(tmp_path):
    more = "query-id\tcorpus-id\tscore\n2\td2\t1\n\n"
    found = read(tmp_path, **BEIR, qrels__dev_tsv=more)
    assert found.qrels == {"q1": {"d1": 1, "d2": 0}, "2": {"d2": 1}}


def test_texts_are_normalised_and_a_missing_title_is_empty(tmp_path):
    corpus = lines({"_id": "d", "text": "hoà"}, {"_id": "e", "title": None, "text": "thuỷ"})
    found = read(tmp_path, **{**BEIR, "corpus_jsonl": corpus})
    assert [(each.title, each.text) for each in found.documents] == [("", "hòa"), ("", "thủy")]


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("corpus_jsonl", CORPUS + "{oops\n", "corpus.jsonl dòng 3"),
        ("corpus_jsonl", CORPUS + "[]\n", "corpus.jsonl dòng 3"),
        ("corpus_jsonl", "\n" + lines({"_id": "d"}), "corpus.jsonl dòng 2"),
        ("corpus_jsonl", lines({"_id": "d", "title": 5, "text": "x"}), "corpus.jsonl dòng 1"),
        ("corpus_jsonl", CORPUS.encode("utf-16"), "corpus.jsonl"),
        ("queries_jsonl", QUERIES + '"x"\n', "queries.jsonl dòng 3"),
        ("queries_jsonl", lines({"_id": "q", "text": None}), "queries.jsonl dòng 1"),
        ("queries_jsonl", QUERIES.encode("utf-16"), "queries.jsonl"),
        ("qrels__test_tsv", QRELS + "q1\td1\n", "test.tsv dòng 4: cần 3 cột, có 2"),
        ("qrels__test_tsv", QRELS + "q1\td1\tnhiều\n", "test.tsv dòng 4: mức 'nhiều'"),
        ("qrels__test_tsv", QRELS.encode("utf-16"), "test.tsv"),
        ("qrels__test_tsv", "a\tb\tc\nq\td\t" + "9" * 200_000, "test.tsv dòng 2"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "utf-16",
)
def test_a_damaged_beir_file_is_named_with_its_line(tmp_path, file, text, told):
    assert told in refused(tmp_path, **{**BEIR, file: text})


def test_missing_beir_files_are_named(tmp_path):
    assert "queries.jsonl" in refused(tmp_path / "a", corpus_jsonl=CORPUS)
    assert "qrels" in refused(tmp_path / "b", corpus_jsonl=CORPUS, queries_jsonl=QUERIES)


def test_a_folder_of_neither_layout_says_what_it_would_take(tmp_path):
    told = refused(tmp_path, other_txt="x")
    assert "corpus.jsonl" in told
    assert "technologies.csv" in told
    with pytest.raises(TestSetError, match="không phải thư mục đánh giá"):
        load(tmp_path / "nowhere", lexicon())


# Interchange -------------------------------------------------------------------------------------


def test_an_interchange_folder_is_records_and_grades(tmp_path):
    found = read(tmp_path, **INTERCHANGE)
    assert [each.id for each in found.technologies] == ["T1", "T2"]
    assert [each.id for each in found.documents] == ["T1", "T2"]
    assert [each.id for each in found.products] == ["P1"]
    assert found.queries == {"N1": "Sấy cho khô", "N2": "Bay lên trời"}
    assert found.qrels == {"N1": {"T1": 3, "T2": 1}, "N2": {}}
    assert (found.useful, found.answered) == (2, {"N1"})  # grade 1 is no answer, nor is nothing
    assert (found.variants, found.violations, found.notices) == ((), None, ())


def test_variants_and_violations_are_read_where_there_are_any(tmp_path):
    found = read(
        tmp_path,
        **INTERCHANGE,
        queries_variants_tsv="N1\tnodia\tSay cho kho\n",
        constraint_violations_tsv="N1\tT1\tbudget\n",
    )
    assert found.variants == (Variant("N1", "nodia", "Say cho kho"),)
    assert found.violations == {("N1", "T1", "budget")}


def test_headings_of_variants_and_violations_are_no_rows(tmp_path):
    found = read(
        tmp_path,
        **INTERCHANGE,
        queries_variants_tsv="need\tkind\ttext\nN1\tshort\tsấy\n",
        constraint_violations_tsv="need\ttechnology\trule\n",
    )
    assert found.variants == (Variant("N1", "short", "sấy"),)
    assert found.violations == frozenset()


def test_restricted_text_is_read_too(tmp_path):
    technologies = "Mã,Tên công nghệ,Mô tả chi tiết,Chế độ hiển thị\nT1,Lò,zeolit kín,detail\n"
    files = {**INTERCHANGE, "technologies_csv": technologies, "judgments_tsv": "N1\tT1\t3\n"}
    found = read(tmp_path, **files)
    assert "zeolit" in found.documents[0].text


def test_a_rejected_row_is_told_by_file_and_row_and_the_rest_is_measured(tmp_path):
    needs = INTERCHANGE["needs_csv"] + "N3,P9,Của sản phẩm lạ\n"
    found = read(tmp_path, **{**INTERCHANGE, "needs_csv": needs})
    assert set(found.queries) == {"N1", "N2"}
    (notice,) = found.notices
    assert notice.startswith("needs.csv dòng 4")
    assert "P9" in notice


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("technologies_csv", b"PK\x03\x04 not a table", "technologies.csv"),
        ("technologies_csv", "", "technologies.csv"),
        ("products_csv", "a,b\n1,2\n", "products.csv"),
        ("judgments_tsv", "", "judgments.tsv"),
    ],
    ids=["binary", "empty", "another table", "empty grades"],
)
def test_an_unreadable_interchange_file_is_named_and_nothing_is_measured(
    tmp_path, file, text, told
):
    assert told in refused(tmp_path, **{**INTERCHANGE, file: text})


def test_missing_interchange_files_are_named(tmp_path):
    told = refused(tmp_path, technologies_csv=INTERCHANGE["technologies_csv"])
    assert told.endswith("thiếu products.csv, needs.csv, judgments.tsv")


@pytest.mark.parametrize("file", ["queries_variants_tsv", "constraint_violations_tsv"])
@pytest.mark.parametrize(
    ("text", "told"),
    [("N1\tx\n", "dòng 1: cần 3 cột, có 2"), ("x".encode("utf-16"), "dòng 1: không phải")],
    ids=["two cells", "utf-16"],
)
def test_a_damaged_side_file_is_named_with_its_line(tmp_path, file, text, told):
    message = refused(tmp_path, **INTERCHANGE, **{file: text})
    assert told in message
    assert file.replace("_tsv", ".tsv") in message
