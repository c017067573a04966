import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.vectors import Vectors, pool

CALM = settings(deadline=None, max_examples=50)


def unit(rows, dim, seed):
    matrix = np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def many():
    return Vectors(unit(300, 16, seed=1))


QUERY = unit(1, 16, seed=2)[0]


def test_pool_averages_the_passages_of_a_record_to_length_one():
    passages = np.array([[1, 0], [0, 1], [0, 1], [0.6, 0.8]], np.float32)
    owners = np.array([0, 0, 2, 2])
    pooled = pool(passages, owners, 3)
    half = 1 / 2**0.5
    sums = [0 + 0.6, 1 + 0.8]
    length = (sums[0] ** 2 + sums[1] ** 2) ** 0.5
    expected = [[half, half], [0, 0], [sums[0] / length, sums[1] / length]]
    assert pooled.dtype == np.float32
    assert pooled.tolist() == [pytest.approx(row, abs=1e-7) for row in expected]


def test_a_record_of_one_passage_has_its_vector():
    passages = unit(5, 16, seed=3)
    assert np.allclose(pool(passages, np.arange(5), 5), passages, atol=1e-7)


def test_records_without_any_passage_are_zero_and_near_nothing():
    vectors = Vectors(pool(np.zeros((0, 16), np.float32), np.zeros(0, np.int64), 2))
    assert vectors.scores(QUERY, np.arange(2)).tolist() == [0.0, 0.0]
    assert vectors.moments(QUERY) == (0.0, 1e-12**0.5)


def test_opposite_passages_cancel_to_zero_not_to_nan():
    passages = np.array([[1, 0], [-1, 0]], np.float32)
    assert pool(passages, np.array([0, 0]), 1).tolist() == [[0.0, 0.0]]


def test_scores_are_those_of_numpy_in_float64(many):
    expected = many.matrix.astype(np.float64) @ QUERY.astype(np.float64)
    scores = many.scores(QUERY, np.arange(300))
    assert scores.dtype == np.float64
    assert scores.tolist() == pytest.approx(expected.tolist(), rel=1e-12, abs=1e-15)


@CALM
@given(st.lists(st.integers(0, 299), max_size=40))
def test_the_score_of_a_row_does_not_depend_on_the_other_rows_asked(many, rows):
    everything = many.scores(QUERY, np.arange(300))
    some = many.scores(QUERY, np.array(rows, np.int64))
    assert some.tobytes() == everything[rows].tobytes()


@pytest.mark.parametrize("k", [1, 10, 300, 1_000])
def test_nearest_is_brute_force(many, k):
    scores = many.scores(QUERY, np.arange(300))
    found = many.nearest(QUERY, k)
    assert len(found) == len(set(found.tolist())) == min(k, 300)
    # Rows by score, so that rows FAISS cannot tell apart in float32 may stand in either order.
    assert scores[found].tolist() == pytest.approx(sorted(scores, reverse=True)[:k], abs=1e-6)


def test_nearest_of_nothing_is_nothing(many):
    assert many.nearest(QUERY, 0).tolist() == []
    assert Vectors(np.zeros((0, 16), np.float32)).nearest(QUERY, 5).tolist() == []


@CALM
@given(st.integers(0, 30), st.integers(0, 1_000))
def test_moments_are_mean_and_deviation_of_all_cosines(rows, seed):
    vectors = Vectors(unit(rows, 16, seed))
    mean, deviation = vectors.moments(QUERY)
    scores = vectors.scores(QUERY, np.arange(rows))
    assert mean == pytest.approx(scores.mean() if rows else 0.0, abs=1e-9)
    expected = max(float(scores.std()), 1e-6) if rows else 1e-6
    assert deviation == pytest.approx(expected, rel=1e-6)


def test_saved_vectors_load_to_the_same_bytes_and_scores(many, tmp_path):
    many.save(tmp_path)
    loaded = Vectors.load(tmp_path)
    rows = np.arange(300)
    assert loaded.matrix.tobytes() == many.matrix.tobytes()
    assert loaded.scores(QUERY, rows).tobytes() == many.scores(QUERY, rows).tobytes()
    assert loaded.nearest(QUERY, 20).tolist() == many.nearest(QUERY, 20).tolist()
    assert loaded.moments(QUERY) == many.moments(QUERY)


def test_no_vectors_at_all_survive_the_disk(tmp_path):
    Vectors(np.zeros((0, 16), np.float32)).save(tmp_path)
    assert Vectors.load(tmp_path).matrix.shape == (0, 16)
