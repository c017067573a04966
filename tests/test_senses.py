"""Whole vectors and pieces of long texts: by hand, against the obvious, through the index."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import Tiny

from indexes.documents import Document
from indexes.hybrid import Index
from indexes.senses import LONG, PIECE_WEIGHT, Layers, Near, Senses, pieces

QUERY = np.array([1.0, 0.0], np.float32)


def unit(count, seed=0, dim=8):
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def of(whole, parts=(), owners=()):
    return Senses.build(
        np.array(whole, np.float32).reshape(-1, 2),
        np.array(parts, np.float32).reshape(-1, 2),
        np.array(owners, np.int64),
    )


def test_the_best_piece_counts_beside_the_whole():
    senses = of([[0.6, 0.8], [0.8, 0.6]], parts=[[0.0, 1.0], [1.0, 0.0]], owners=[0, 0])
    w = PIECE_WEIGHT
    expected = [(1 - w) * 0.6 + w * 1.0, 0.8]
    assert senses.scores(QUERY, np.array([0, 1])) == pytest.approx(expected)
    assert senses.looks(QUERY[None], 2)[0].near.rows.tolist() == [0, 1]  # by the whole, 1 is nearer


def test_a_text_is_cut_between_sentences_and_only_where_it_is_long():
    sentence = " ".join(["chữ"] * 19) + " hết."
    assert list(pieces(" ".join([sentence] * (LONG // 20)))) == []
    cut = list(pieces(" ".join([sentence] * (LONG // 20 + 1))))
    assert " ".join(cut).split() == (sentence.split() * (LONG // 20 + 1))
    assert {len(each.split()) for each in cut} <= {20, 40, 60}
    endless = " ".join(["chữ"] * (LONG + 1))
    assert list(pieces(endless)) == [endless]  # nothing to cut at


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=3), st.integers(1, 30), st.data())
def test_layers_are_one_over_all_rows_and_the_bound_holds(sizes, k, data):
    total = sum(sizes)
    whole = unit(total)
    owners = np.array(sorted(data.draw(st.lists(st.integers(0, total - 1)))) if total else [], int)
    parts = unit(len(owners), seed=1)
    gone = np.array(sorted(data.draw(st.sets(st.integers(0, total - 1)))) if total else [], int)
    layered = []
    for start, end in pairwise(np.cumsum([0, *sizes])):
        mine, out = ((each >= start) & (each < end) for each in (owners, gone))
        one = Senses.build(whole[start:end], parts[mine], owners[mine] - start)
        layered.append(one.without(gone[out] - start))
    layers, single = Layers(layered), Senses.build(whole, parts, owners).without(gone)
    query, rows = unit(1, seed=2)[0], np.arange(total)[::-1]
    scores = single.scores(query, rows)
    assert layers.scores(query, rows).tobytes() == scores.tobytes()
    assert layers.directions(rows).tobytes() == single.directions(rows).tobytes()
    by_row = dict(zip(rows.tolist(), scores.tolist(), strict=True))
    alive = set(range(total)) - set(gone.tolist())
    for near in (layers.nearest(query, k), single.looks(query[None], k)[0].near):
        found = near.rows.tolist()
        assert set(found) <= alive
        assert len(found) == min(k, len(alive))
        assert found == sorted(found, key=lambda row: (-by_row[row], row))
        assert all(by_row[row] <= near.bound for row in alive - set(found))
    asked = np.concatenate([query[None], unit(9, seed=3)])
    for each, look in zip(asked, layers.looks(asked, k), strict=True):
        assert look.near.rows.tolist() == layers.nearest(each, k).rows.tolist()
        exact = single.scores(each, np.arange(total))
        live = sorted(alive)
        assert (look.bounds[0][live] <= exact[live]).all()
        assert (exact[live] <= look.bounds[1][live]).all()


def test_saved_senses_load_to_the_same_scores(tmp_path):
    senses = Senses.build(unit(20), unit(6, 1), np.array([3, 3, 3, 9, 9, 11]))
    senses.save(tmp_path)
    loaded, rows = Senses.load(tmp_path), np.arange(20)
    query = unit(1, seed=2)[0]
    assert loaded.scores(query, rows).tobytes() == senses.scores(query, rows).tobytes()
    np.save(tmp_path / "pieces" / "owners.npy", np.array([3]))
    with pytest.raises(ValueError, match="6 mảnh nhưng 1 chủ"):
        Senses.load(tmp_path)


def test_without_pieces_nothing_more_is_written(tmp_path):
    of([[1.0, 0.0]]).save(tmp_path)
    assert not (tmp_path / "pieces").exists()
    assert isinstance(Senses.load(tmp_path).looks(QUERY[None], 1)[0].near, Near)


def test_what_a_long_text_says_at_its_end_is_found():
    filler = "Điều khoản chung về tổ chức thực hiện và trách nhiệm của các bên. " * 40
    long = Document("dài", text=filler, passages=(f"{filler} Sấy tôm sú bằng bơm nhiệt.",))
    plain = Document("ngắn", text=filler, passages=(filler,))
    index = Index.build([long, plain], Tiny())
    query = Tiny().queries(["sấy tôm sú bằng bơm nhiệt"])[0]
    whole = index.vectors.parts[0].whole.scores(query, np.arange(2))
    best = index.cosines(query, np.arange(2))
    assert best[0] - best[1] > 2 * (whole[0] - whole[1]) > 0
