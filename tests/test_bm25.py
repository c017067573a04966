import random
from collections import Counter
from math import log

import numpy as np
import pytest
import textbook
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Plus

from indexes.bm25 import BM25, Field, Parameters
from indexes.vocabulary import Vocabulary

CALM = settings(deadline=None)
TERMS = st.lists(st.sampled_from("abcdefg"), max_size=8)
QUERIES = st.lists(st.sampled_from("abcdefgz"), max_size=6)
THREE = Parameters(
    fields=(Field("title", 2.0, 0.5), Field("text"), Field("keywords", 0.7, 1.0)), k1=1.6
)
NAMES = [field.name for field in THREE.fields]
RECORDS = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, TERMS)), max_size=8)
PLUS = Parameters(plus=1.0, k1=1.5, fields=(Field("text", b=0.75),))


def one_field(records, **options):
    return BM25.build([{"text": record} for record in records], **options)


def zipf(count, words, seed=7):
    """Records whose term frequencies fall off as those of a language do."""
    dice = random.Random(seed)
    weights = [1 / rank for rank in range(1, words + 1)]
    return [
        [f"t{n}" for n in dice.choices(range(words), weights, k=dice.randint(1, 60))]
        for _ in range(count)
    ]


def files(index, folder):
    folder.mkdir()
    index.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Known answers -----------------------------------------------------------------------------------


def test_three_records_and_one_query_by_hand():
    index = one_field([["vải", "vải", "sấy"], ["vải"], ["nhãn", "tươi"]])
    # k1 = 1.2, b = 0.75, lengths 3, 1 and 2, mean 2; vải is in 2 of 3 records, sấy in 1.
    fruit, drying = log(1 + (3 - 2 + 0.5) / (2 + 0.5)), log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    long, short = 1.2 * (1 - 0.75 + 0.75 * 3 / 2), 1.2 * (1 - 0.75 + 0.75 * 1 / 2)
    assert index.scores(["vải"]).tolist() == pytest.approx(
        [fruit * 2 / (2 + long), fruit * 1 / (1 + short), 0.0], rel=1e-6
    )
    assert index.scores(["vải", "sấy"]).tolist() == pytest.approx(
        [fruit * 2 / (2 + long) + drying * 1 / (1 + long), fruit * 1 / (1 + short), 0.0], rel=1e-6
    )
    assert index.idf("vải") == fruit
    assert index.idf("sấy") == drying
    assert index.ceiling(["vải", "sấy", "sấy"]) == pytest.approx(fruit + 2 * drying, rel=1e-15)
    assert [index.document_frequency(term) for term in ("vải", "sấy", "xoài")] == [2, 1, 0]


def test_two_fields_by_hand():
    parameters = Parameters(fields=(Field("title", 3.0, 0.0), Field("text", 1.0, 1.0)), k1=2.0)
    records = [{"title": ["sấy"], "text": ["sấy", "vải"]}, {"text": ["vải"] * 4}, {"title": ["x"]}]
    index = BM25.build(records, parameters)
    # sấy is in 1 of 3 records; b = 0 takes no notice of length, b = 1 divides by it: 2 of mean 2.
    w = 3 * 1 / 1 + 1 * 1 / (2 / 2)
    expected = log(1 + (3 - 1 + 0.5) / (1 + 0.5)) * w / (2 + w)
    assert index.scores(["sấy"]).tolist() == pytest.approx([expected, 0.0, 0.0], rel=1e-6)
    w = [1 / (2 / 2), 4 / (4 / 2)]
    fruit = log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    assert index.scores(["vải"]).tolist() == pytest.approx(
        [fruit * w[0] / (2 + w[0]), fruit * w[1] / (2 + w[1]), 0.0], rel=1e-6
    )


# Against the textbook ----------------------------------------------------------------------------


@CALM
@given(
    st.lists(TERMS, min_size=1, max_size=8),
    QUERIES,
    st.floats(0.1, 3),
    st.floats(0, 1),
)
def test_one_field_is_lucene(records, query, k1, b):
    if not any(records):
        records = [*records, ["a"]]
    parameters = Parameters(fields=(Field("text", b=b),), k1=k1)
    scores = one_field(records, parameters=parameters).scores(query)
    assert scores.dtype == np.float32
    assert scores.tolist() == pytest.approx(textbook.lucene(records, query, k1, b), rel=1e-5)


def test_one_field_is_lucene_on_a_larger_corpus():
    records = zipf(150, words=300)
    index = one_field(records)
    for query in zipf(15, words=320, seed=8):
        expected = textbook.lucene(records, query, 1.2, 0.75)
        assert index.scores(query).tolist() == pytest.approx(expected, rel=1e-5)


@CALM
@given(RECORDS, QUERIES)
def test_several_fields_are_the_stated_formula(records, query):
    fields = {field.name: (field.weight, field.b) for field in THREE.fields}
    expected = textbook.bm25f(records, Counter(query), fields, THREE.k1)
    scores = BM25.build(records, THREE).scores(query)
    assert scores.tolist() == pytest.approx(expected, rel=1e-5)


@CALM
@given(st.lists(TERMS, min_size=1, max_size=8), QUERIES)
def test_bm25_plus_in_float64_is_rank_bm25(records, query):
    if not any(records):
        records = [*records, ["a"]]
    index = one_field(records, parameters=PLUS, dtype=np.float64)
    expected = BM25Plus(records, k1=1.5, b=0.75, delta=1.0).get_scores(query)
    assert index.scores(query).tolist() == pytest.approx(expected.tolist(), rel=1e-9)


def test_bm25_plus_in_float64_is_rank_bm25_on_a_larger_corpus():
    records = zipf(300, words=500)
    index = one_field(records, parameters=PLUS, dtype=np.float64)
    reference = BM25Plus(records, k1=1.5, b=0.75, delta=1.0)
    for query in zipf(20, words=520, seed=8):
        expected = reference.get_scores(query).tolist()
        assert index.scores(query).tolist() == pytest.approx(expected, rel=1e-9)


# Queries -----------------------------------------------------------------------------------------


@CALM
@given(RECORDS, st.dictionaries(st.sampled_from("abcdz"), st.floats(0, 4), max_size=4))
def test_weights_in_a_query_multiply(records, query):
    index = BM25.build(records, THREE)
    expected = np.zeros(len(records))
    for term, weight in query.items():
        expected += weight * index.scores([term]).astype(np.float64)
    assert index.scores(query).tolist() == pytest.approx(expected.tolist(), rel=1e-5, abs=1e-30)


def test_a_term_that_stands_twice_counts_twice():
    index = one_field([["a", "b"], ["a"], ["c"]])
    assert index.scores(["a", "b", "a"]).tolist() == index.scores({"a": 2.0, "b": 1.0}).tolist()
    assert index.scores(["a", "a"]).tolist() == pytest.approx((2 * index.scores(["a"])).tolist())
    assert index.scores(["a"])[0] > 0


def test_unknown_terms_count_nothing():
    index = one_field([["a", "b"], ["c"]])
    assert index.scores(["a", "zz"]).tolist() == index.scores(["a"]).tolist()
    assert index.scores(["zz"]).tolist() == index.scores([]).tolist() == [0.0, 0.0]


@CALM
@given(RECORDS, QUERIES, st.randoms(use_true_random=False))
def test_the_order_of_a_query_changes_no_bit(records, query, dice):
    index = BM25.build(records, THREE)
    shuffled = dice.sample(query, len(query))
    assert index.scores(query).tobytes() == index.scores(shuffled).tobytes()


@CALM
@given(RECORDS, QUERIES, st.sampled_from([THREE, Parameters(THREE.fields, plus=0.5)]))
def test_no_score_passes_the_ceiling(records, query, parameters):
    index = BM25.build(records, parameters, np.float64)
    ceiling = index.ceiling(query)
    assert all(score <= ceiling for score in index.scores(query).tolist())


def test_the_ceiling_is_approached_by_a_record_full_of_the_query():
    index = one_field([["a"] * 1_000, ["b"]], parameters=Parameters((Field("text", b=0.0),)))
    ceiling = log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    assert index.ceiling(["a"]) == ceiling
    assert index.scores(["a"])[0] == pytest.approx(ceiling * 1000 / 1001.2, rel=1e-6)


@CALM
@given(RECORDS, QUERIES)
def test_matching_records_are_those_that_hold_a_term_in_any_field(records, query):
    index = BM25.build(records, THREE)
    expected = [
        any(term in terms for terms in record.values() for term in query) for record in records
    ]
    assert index.matching(query).tolist() == expected
    assert (index.scores(query) > 0).tolist() == expected


def test_a_field_that_the_parameters_do_not_name_is_not_searched():
    index = one_field([["a"]])
    assert BM25.build([{"text": ["a"], "note": ["b"]}]).vocabulary == index.vocabulary == {"a": 0}


@pytest.mark.parametrize("records", [[], [{}], [{"text": []}, {}]])
def test_an_empty_index_answers_with_zeros(records, tmp_path):
    index = BM25.build(records)
    index.save(tmp_path)
    for each in (index, BM25.load(tmp_path, Parameters())):
        assert len(each) == len(records)
        assert each.scores(["a"]).tolist() == [0.0] * len(records)
        assert each.matching(["a"]).tolist() == [False] * len(records)
        assert each.vocabulary == {}


# On disk -----------------------------------------------------------------------------------------


def test_a_saved_index_loads_and_saves_to_the_same_bytes(tmp_path):
    records = [{"title": each[:3], "text": each} for each in zipf(60, words=90)]
    index = BM25.build(records, THREE)
    written = files(index, tmp_path / "a")
    loaded = BM25.load(tmp_path / "a", THREE)
    assert files(loaded, tmp_path / "b") == written
    assert list(loaded.vocabulary.items()) == list(index.vocabulary.items())
    for query in zipf(10, words=95, seed=3):
        assert loaded.scores(query).tobytes() == index.scores(query).tobytes()
        assert loaded.ceiling(query) == index.ceiling(query)


def test_equal_records_give_equal_bytes_however_they_are_handed_over(tmp_path):
    records = [{"title": each[:3], "text": each} for each in zipf(40, words=60)]
    swapped = ({name: tuple(row[name]) for name in reversed(row)} for row in records)
    assert files(BM25.build(records, THREE), tmp_path / "a") == files(
        BM25.build(swapped, THREE), tmp_path / "b"
    )


def test_terms_are_kept_sorted():
    index = one_field([["đ", "b", "a"], ["ă", "a"]])
    assert list(index.vocabulary.items()) == [("a", 0), ("b", 1), ("ă", 2), ("đ", 3)]


@pytest.mark.parametrize(
    ("count", "dtype"), [(255, np.uint8), (256, np.uint16), (65_536, np.uint32)]
)
def test_frequencies_take_the_smallest_type_that_holds_them(count, dtype):
    index = one_field([["a"] * count, ["b"]], parameters=Parameters((Field("text", b=0.0),)))
    assert index.frequencies.dtype == dtype
    expected = log(1 + 1.5 / 1.5) * count / (count + 1.2)
    assert index.scores(["a"])[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("starts", lambda array: array[:-1]),
        ("docs", lambda array: array[:-1]),
        ("frequencies", lambda array: array[:-1]),
        ("lengths", lambda array: array[:, :1]),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, name, damage):
    BM25.build([{"title": ["a"], "text": ["b", "c"]}], THREE).save(tmp_path)
    path = tmp_path / f"{name}.npy"
    np.save(path, damage(np.load(path)))
    with pytest.raises(ValueError, match=r"lệch nhau: \d+ .* nhưng \d+"):
        BM25.load(tmp_path, THREE)


def test_missing_terms_are_refused_with_both_numbers(tmp_path):
    one_field([["a", "b", "c"]]).save(tmp_path)
    Vocabulary.of(["a", "b"]).save(tmp_path)
    with pytest.raises(ValueError, match="2 từ nhưng 3"):
        BM25.load(tmp_path, Parameters())
