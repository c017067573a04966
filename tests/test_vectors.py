import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import indexes.vectors as module
from indexes.codes import Codes, _products
from indexes.vectors import Vectors, pool
from indexes.whole_dots import LANES

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


def test_rows_that_cannot_be_told_apart_go_by_number():
    same = np.repeat(unit(1, 16, seed=4), 5, axis=0)
    assert Vectors(same).nearest(same[0], 3).tolist() == [0, 1, 2]


def in_clusters(rows, seed, dim=32):
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(40, dim))
    near = centres[chance.integers(0, 40, rows)] + 0.7 * chance.normal(size=(rows, dim))
    return (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module", params=["scanned", "coded", "clustered"])
def large(request):
    """The same 6,000 vectors in each of the three ways."""
    sizes = {"scanned": (10_000, 20_000), "coded": (0, 20_000), "clustered": (0, 1)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SCANNED", sizes[request.param][0])
        patch.setattr(module, "CODED", sizes[request.param][1])
        yield Vectors.build(in_clusters(6_000, seed=1))


PROBES = in_clusters(40, seed=2)


def truth(vectors, query, k, dead=()):
    scores = vectors.scores(query, np.arange(len(vectors)))
    scores[list(dead)] = -2
    return np.lexsort((np.arange(len(vectors)), -scores))[:k]


def test_the_nearest_are_the_true_ones_or_nearly_all(large):
    found = [np.isin(truth(large, each, 50), large.nearest(each, 50)).mean() for each in PROBES]
    exact = not isinstance(large.index, faiss.IndexIVF)
    assert np.mean(found) == 1.0 if exact else np.mean(found) >= 0.98


def test_many_queries_at_once_are_bounded_and_find_what_each_finds_alone(large):
    gone = truth(large, PROBES[0], 5)
    left = large.without(gone)
    together = left.bounds(PROBES)
    assert len(together) == len(PROBES) >= module.TOGETHER
    for query, bounds in zip(PROBES, together, strict=True):
        assert left.nearest(query, 50, bounds).tolist() == left.nearest(query, 50).tolist()
        if bounds is not None:
            scores = left.scores(query, np.arange(len(left)))
            scores[gone] = module.NOWHERE
            assert (bounds[0] <= scores).all()
            assert (scores <= bounds[1]).all()


def test_what_is_found_is_ordered_by_its_exact_scores(large):
    for each in PROBES[:10]:
        found = large.nearest(each, 50)
        scores = large.scores(each, found)
        assert found.tolist() == found[np.lexsort((found, -scores))].tolist()


def test_the_dead_are_never_near_and_leave_their_place_to_others(large):
    query = PROBES[0]
    gone = truth(large, query, 30)[::2]
    left = large.without(gone[:9]).without(gone[9:])
    assert left.nearest(query, 20).tolist() == truth(large, query, 20, gone).tolist()
    assert left.scores(query, gone).tolist() == large.scores(query, gone).tolist()


def test_all_may_be_dead():
    left = Vectors(unit(3, 16, seed=5)).without(np.arange(3))
    assert left.nearest(QUERY, 2).tolist() == []


def files(folder):
    found = (each for each in folder.glob("vectors.*") if each.name != "vectors.npy")
    return {each.name: each.read_bytes() for each in found}


def test_the_same_matrix_gives_the_same_files(large, tmp_path, monkeypatch):
    large.save(tmp_path)
    if large.index is None:
        assert files(tmp_path) == {}
        return
    clustered = isinstance(large.index, faiss.IndexIVF)
    monkeypatch.setattr(module, "SCANNED", 0)
    monkeypatch.setattr(module, "CODED", 1 if clustered else 20_000)
    (tmp_path / "again").mkdir()
    Vectors.build(in_clusters(6_000, seed=1)).save(tmp_path / "again")
    assert files(tmp_path) == files(tmp_path / "again") != {}


@CALM
@given(st.integers(0, 2**31), st.integers(1, 60), st.integers(1, 99), st.sampled_from([1, 0.3, 4]))
def test_codes_bound_every_cosine_and_name_all_that_may_be_near(seed, count, dim, length):
    matrix, query = unit(count, dim, seed), unit(1, dim, seed + 1)[0] * np.float32(length)
    matrix[seed % count] = 0.0  # a record without text
    codes, exact = Codes.build(matrix), matrix.astype(np.float64) @ query.astype(np.float64)
    lower, upper = codes.bounds(query)
    assert (lower <= exact).all()
    assert (exact <= upper).all()
    k = 1 + seed % count
    reached = np.flatnonzero(exact >= np.sort(exact)[-k])
    assert set(reached) <= set(candidates(codes, query, k))


@pytest.mark.parametrize("width", [1, LANES - 1, LANES, LANES + 1, 3 * LANES, 3 * LANES + 5])
def test_products_of_codes_are_those_of_whole_numbers(width):
    chance = np.random.default_rng(width)
    codes = chance.integers(-127, 128, (7, width), np.int8)
    asked = chance.integers(-32_767, 32_768, width, np.int16)
    totals = np.empty(len(codes), np.int32)
    _products(codes, asked, totals)
    assert totals.tolist() == (codes.astype(np.int64) @ asked.astype(np.int64)).tolist()


def candidates(codes, query, k):
    """All that may be among the ``k`` nearest."""
    lower, upper = codes.bounds(query)
    return np.flatnonzero(upper >= np.sort(lower)[-k])


def test_codes_leave_few_rows_to_score(large):
    if isinstance(large.index, Codes):
        named = [len(candidates(large.index, each, 50)) for each in PROBES]
        assert np.mean(named) < 100  # of 6,000


def test_any_way_survives_the_disk(large, tmp_path):
    large.save(tmp_path)
    loaded = Vectors.load(tmp_path)
    for each in PROBES[:10]:
        assert loaded.nearest(each, 50).tolist() == large.nearest(each, 50).tolist()


def test_a_damaged_or_foreign_index_is_refused(large, tmp_path):
    if large.index is None:
        return
    large.save(tmp_path)
    np.save(tmp_path / "vectors.npy", large.matrix[:-1])
    with pytest.raises(ValueError, match="5,999 vectơ nhưng 6,000"):
        Vectors.load(tmp_path)
    name = "vectors.codes.npy" if isinstance(large.index, Codes) else "vectors.faiss"
    (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(ValueError, match=name):
        Vectors.load(tmp_path)


def test_codes_of_other_vectors_are_refused(tmp_path):
    Codes.build(unit(9, 16, seed=1)).save(tmp_path)
    np.save(tmp_path / "vectors.rows.npy", np.zeros((8, 2), np.float32))
    with pytest.raises(ValueError, match="mã 9 × 16"):
        Codes.load(tmp_path)


def test_saved_vectors_load_to_the_same_bytes_and_scores(many, tmp_path):
    many.save(tmp_path)
    loaded = Vectors.load(tmp_path)
    rows = np.arange(300)
    assert loaded.matrix.tobytes() == many.matrix.tobytes()
    assert loaded.scores(QUERY, rows).tobytes() == many.scores(QUERY, rows).tobytes()
    assert loaded.nearest(QUERY, 20).tolist() == many.nearest(QUERY, 20).tolist()


def test_no_vectors_at_all_survive_the_disk(tmp_path):
    Vectors(np.zeros((0, 16), np.float32)).save(tmp_path)
    assert Vectors.load(tmp_path).matrix.shape == (0, 16)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 21])
def test_a_row_scores_the_same_to_the_last_bit_alone_and_beside_others(count: int) -> None:
    chance = np.random.default_rng(7)
    matrix = chance.standard_normal((40, 33)).astype(np.float32)
    query = chance.standard_normal(33).astype(np.float32)
    rows = chance.choice(40, count, replace=False).astype(np.int64)
    held = Vectors(matrix)
    alone = [float(held.scores(query, rows[place : place + 1])[0]) for place in range(count)]
    products = matrix[rows].astype(np.float64) * query.astype(np.float64)
    slow = np.cumsum(products, axis=1)[:, -1].tolist()  # one after another, unlike a plain sum
    assert held.scores(query, rows).tolist() == alone == slow
