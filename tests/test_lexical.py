"""The best without scoring all: the same rows and the same bits as scoring every record."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import Tiny, lexicon, places

from indexes import kernels, selection
from indexes.analyser import VIEWS
from indexes.bm25 import BM25
from indexes.hybrid import PARAMETERS, Index
from indexes.lexical import Evidence, Terms
from indexes.postings import build
from indexes.segments import Labels
from indexes.senses import Layers, Senses
from indexes.vocabulary import Vocabulary
from matcher.need import Conditions, Query
from matcher.search import Engine

CALM = settings(deadline=None, max_examples=50)
COUNT = 17_000  # records: more than stay in a near cache, and no whole number of vectors
LABELS = [("sản phẩm:vải",), ("sản phẩm:tôm", "khâu:chế biến"), ("nghĩa khác:t1",), ()]


def zipf(count, words, seed):
    """Records whose terms fall off as those of a language do; twenty of them each."""
    dice = np.random.default_rng(seed)
    weights = 1 / np.arange(1, words + 1)
    drawn = dice.choice(words, (count, 20), p=weights / weights.sum())
    return [{"title": [f"t{n}" for n in row[:4]], "text": [f"t{n}" for n in row]} for row in drawn]


def made(dense=False):
    """An index of drawn terms, without any text."""
    names = [field.name for field in PARAMETERS.fields]
    views = {
        view: BM25.of([build(zipf(COUNT, 3_000, seed), names)], PARAMETERS)
        for seed, view in enumerate(VIEWS)
    }
    labels = Labels.of(LABELS[row % 4] for row in range(COUNT))
    dice = np.random.default_rng(9)
    matrix = (2 + dice.standard_normal((COUNT, 16))).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    owners = np.sort(dice.choice(COUNT, 500))  # some are long, and have pieces
    senses = Senses.build(matrix, np.roll(matrix, 7, axis=0)[owners], owners)
    ids = tuple(f"CN{row:05d}" for row in range(COUNT))
    return Index(ids, labels, views, Layers([senses]) if dense else None)


INDEX = made()
DENSE = made(dense=True)
NUMBERS = st.lists(st.integers(0, 3_100), min_size=1, max_size=25, unique=True)


def asked(numbers, rare=False, **facts):
    """A query of drawn terms, the same in every view."""
    counts = {f"t{n * (3 if rare else 1) % 3_100}": 1.0 + n % 3 for n in numbers}
    return Query(
        text="ữ",
        terms=dict.fromkeys(VIEWS, counts),
        variants={view: {"t7": 0.5} for view in VIEWS},
        content=frozenset(counts),
        **facts,
    )


def queries():
    yield asked(range(25))
    yield asked(range(0, 2_500, 100))
    yield asked([5])
    yield asked([2_999, 2_998, 1])
    yield asked(range(3, 60, 7), products=frozenset(["vải"]), stages=frozenset(["chế biến"]))
    yield asked([1, 2, 40, 900], homographs=frozenset(["t1"]))
    yield asked([1, 50, 400], conditions=Conditions(place="Bắc Giang"))
    yield replace(asked([1, 50, 400]), text="khong dau")


SEATS = tuple(("Bắc Giang", None, "An Giang")[row % 3] for row in range(COUNT))


@pytest.mark.parametrize("index", [INDEX, DENSE], ids=["lexical", "dense"])
@pytest.mark.parametrize("query", list(queries()))
def test_the_first_hits_are_the_beginning_of_the_whole_ranking_to_the_last_bit(index, query):
    encoder = Tiny() if index.vectors is not None else None
    engine = Engine(index, encoder, lexicon(), places())
    first, whole = engine.rank(query, SEATS), engine.rank(query, SEATS)
    list(whole.rows)  # everything is scored at once
    size = min(60, len(whole))
    assert len(first) == len(whole) > 0
    assert [first.hit(place) for place in range(size)] == [whole.hit(n) for n in range(size)]
    last = len(whole) - 1
    assert first.hit(last) == whole.hit(last)
    assert math.fsum(first.hit(0).parts.values()) == first.hit(0).score


@pytest.mark.parametrize("place", [-1, 10**9])
def test_a_place_beyond_the_ranking_is_an_index_error(place):
    ranking = Engine(INDEX, None, lexicon(), places()).rank(asked([5]))
    with pytest.raises(IndexError):
        ranking.hit(place)


def packed(mask):
    padded = np.append(mask, [False] * (-len(mask) % 64))
    return np.packbits(padded, bitorder="little").view(np.uint64)


def evidence(numbers, muted=(), factors=(1.0, 0.7, 0.4, 0.2)):
    counts = {f"t{n}": 1.0 + n % 3 for n in numbers}
    terms = {
        view: Terms.of(INDEX.views[view], counts, [n % 2 == 0 for n in numbers]) for view in VIEWS
    }
    return Evidence(INDEX.views, terms, dict(zip(VIEWS, factors, strict=True)), muted)


@CALM
@given(NUMBERS, st.integers(1, 80), st.booleans(), st.integers(0, 99))
def test_the_best_are_among_the_rows_returned_and_these_are_few(numbers, k, mute, seed):
    muted = [packed(np.random.default_rng(seed).random(COUNT) < 0.3)] if mute else ()
    found = evidence(numbers, muted)
    hits = np.random.default_rng(seed + 1).random(COUNT) < 0.6
    begin = np.where(hits, np.random.default_rng(seed).random(COUNT) * 0.1, selection.OUT)
    begin = begin.astype(np.float32)
    scores = found.everything()
    factors = dict(zip(VIEWS, (1.0, 0.7, 0.4, 0.2), strict=True))
    total = begin + sum(scores[view] * factors[view] for view in VIEWS)
    best = found.best([begin.copy()], k)
    least = np.sort(total[hits])[-k]
    assert set(np.flatnonzero(hits & (total >= least)).tolist()) <= set(best.tolist())
    assert np.all(np.diff(best) > 0)
    assert hits[best].all()
    near = found.totals([begin.copy()])
    assert np.abs(near[hits] - total[hits]).max() <= found.slack(found.work[0], begin) / 2
    rows = np.sort(np.random.default_rng(seed).choice(COUNT, 30, replace=False))
    exact = found.exact(rows)
    assert all(exact[view].tobytes() == scores[view][rows].tobytes() for view in VIEWS)


def test_where_most_terms_are_frequent_few_records_are_scored_exactly():
    begin = np.zeros(COUNT, np.float32)
    assert len(evidence(range(40)).best([begin], 10)) < 40


def test_rows_of_levels_are_added_in_vectors_as_one_by_one():
    dice = np.random.default_rng(3)
    scores, factors = dice.random(37, np.float32), dice.random(4, np.float32)
    rows = dice.integers(0, 256, (4, 37)).astype(np.uint8)
    a, b, c, d = rows.astype(np.float32) * factors[:, None]
    expected = scores + ((a + b) + (c + d))
    kernels._raise_by_four(scores, *rows, factors)
    assert scores.tolist() == expected.tolist()


@CALM
@given(st.lists(st.floats(0, 9, width=32), max_size=200), st.integers(1, 50))
def test_the_kth_largest(values, k):
    expected = sorted(values)[-k] if len(values) >= k else float(selection.OUT)
    assert selection.kth(np.array(values, np.float32), k) == pytest.approx(expected)


@CALM
@given(st.sets(st.integers(0, 299)))
def test_bits_are_counted_and_start_records(numbers):
    mask = np.zeros(300, np.bool_)
    mask[list(numbers)] = True
    assert selection.counted(packed(mask)) == len(numbers)
    out = np.empty(300, np.float32)
    selection.begin(packed(mask), out)
    assert out.tolist() == np.where(mask, np.float32(0), selection.OUT).tolist()


# Vocabulary --------------------------------------------------------------------------------------


@CALM
@given(st.sets(st.text(max_size=6)), st.lists(st.text(max_size=6)))
def test_a_vocabulary_numbers_its_terms_in_order_and_knows_no_others(terms, others):
    ordered = sorted(terms)
    known = Vocabulary.of(ordered)
    assert list(known) == ordered
    assert known.numbers(ordered).tolist() == list(range(len(ordered)))
    expected = [ordered.index(each) if each in terms else -1 for each in others]
    assert known.numbers(others).tolist() == expected


def test_a_saved_vocabulary_loads(tmp_path):
    Vocabulary.of(["", "a", "ă", "đ", "\ud800"]).save(tmp_path)
    loaded = Vocabulary.load(tmp_path)
    assert dict(loaded) == {"": 0, "a": 1, "ă": 2, "đ": 3, "\ud800": 4}
    assert "b" not in loaded
    assert loaded.get("ă") == 2
    with pytest.raises(KeyError):
        loaded["ê"]


def test_a_word_that_misleads_counts_nothing_in_the_records_that_mean_something_else():
    engine = Engine(INDEX, None, lexicon(), places())
    query = asked([1, 2, 40], homographs=frozenset(["t1"]))
    plain = {hit.id: hit for hit in engine.rank(replace(query, homographs=frozenset())).hits()}
    lower = 0
    for hit in engine.rank(query).hits():
        other = plain[hit.id]
        if hit.row % 4 == 2:  # labelled with the other meaning
            assert hit.score <= other.score
            lower += hit.score < other.score
        else:
            assert hit == other
    assert lower > 100
