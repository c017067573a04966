"""The steps of E5 in 8 bits, compiled: quantise, multiply, attend, normalise.

Numbers are quantised as in the wheel's ``e5.c``: blocks of 32 share a factor, their largest becomes
127. Everything else is single precision, without fastmath, each sum in one fixed order: a piece's
numbers depend on its text only, not on what stands beside it, on threads or on the processor.

Arrays have a row a piece and are padded to whole tiles by :func:`padded`; what the padding holds is
never read for a real row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from indexes.e5_tiles import (
    BLOCK,
    FLOATS_WIDTH,
    ROWS,
    floats,
    fma,
    nibbles_avx2,
    nibbles_vnni,
    whole,
)

Array = npt.NDArray[Any]
_LANES = 16  # sums that go side by side in one row
_MAGIC = np.float32(12582912.0)  # added and taken away again, it rounds to the nearest whole number
_ONE, _HALF, _ZERO = np.float32(1), np.float32(0.5), np.float32(0)
_FLAT = np.float32(4)  # erf is 1 from here on, in single precision
_LEAST = np.float32(-87)  # less has no exponential, in single precision


class Linear(NamedTuple):
    """A matrix of 4-bit weights in the order in which a tile reads them, and its bias.

    Attributes:
        weights: uint8 (panels, blocks, BLOCK * width), 0 to 15 for -8 to 7.
        scales: float32 (panels, blocks, width).
        bias: float32 (panels * width,).
    """

    weights: Array
    scales: Array
    bias: Array


class Quantised(NamedTuple):
    """Numbers ``value * factor``, and what each block's sum begins with: -8 times its values.

    Attributes:
        values: int8 (rows, depth).
        factors: float32 (rows, blocks).
        shifts: int32 (rows, blocks).
    """

    values: Array
    factors: Array
    shifts: Array


def packed(nibbles: Array, scales: Array, bias: Array, width: int) -> Linear:
    """Order a matrix (outputs, depth), 0 to 15, and its scales (outputs, blocks) for tiles."""
    outputs, depth = nibbles.shape
    blocks = depth // BLOCK
    fours = nibbles.view(np.uint32)  # what a lane adds up at once moves at once
    lanes = fours.reshape(outputs // width, width, blocks, BLOCK // 4).transpose(0, 2, 3, 1)
    weights = np.ascontiguousarray(lanes).view(np.uint8)
    heights = scales.reshape(outputs // width, width, blocks).transpose(0, 2, 1)
    return Linear(
        weights.reshape(outputs // width, blocks, BLOCK * width),
        np.ascontiguousarray(heights),
        bias,
    )


def padded(ends: Array) -> int:
    """How many rows windows that end there take: whole tiles, also for one that begins in one."""
    begins = np.concatenate([[0], ends[:-1]])
    return int(_tiles(np.max(begins + _tiles(ends - begins))))


def _tiles(rows: Any) -> Any:
    return (rows + ROWS - 1) // ROWS * ROWS


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def quantise(states: Array) -> Quantised:
    """Round every block of a row to whole numbers of -127 to 127."""
    rows, depth = states.shape
    blocks = depth // BLOCK
    values = np.empty((rows, depth), np.int8)
    factors = np.empty((rows, blocks), np.float32)
    shifts = np.empty((rows, blocks), np.int32)
    numbers, wholes = states.ctypes.data, values.ctypes.data
    scales, starts = factors.ctypes.data, shifts.ctypes.data
    for block in range(rows * blocks):
        at = block * BLOCK
        whole(numbers + 4 * at, wholes + at, scales + 4 * block, starts + 4 * block)
    return Quantised(values, factors, shifts)


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def product_avx2(given: Quantised, linear: Linear) -> Array:
    """Return ``given`` (rows, depth) times the matrix, plus bias: float32 (rows, outputs)."""
    rows, blocks = given.factors.shape
    panels, _, width = linear.scales.shape
    stride = 4 * panels * width
    out = np.empty((rows, panels * width), np.float32)
    for panel in range(panels):
        here = 4 * panel * width
        for row in range(0, rows, ROWS // 2):
            nibbles_avx2(
                out.ctypes.data + row * stride + here,
                stride,
                linear.bias.ctypes.data + here,
                linear.weights.ctypes.data + panel * blocks * width * BLOCK,
                linear.scales.ctypes.data + blocks * here,
                given.values.ctypes.data + row * blocks * BLOCK,
                given.factors.ctypes.data + 4 * row * blocks,
                given.shifts.ctypes.data + 4 * row * blocks,
                blocks,
            )
    return out


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def product_vnni(given: Quantised, linear: Linear) -> Array:
    """Do what :func:`product_avx2` does, to the bit, on processors that have AVX512-VNNI."""
    rows, blocks = given.factors.shape
    panels, _, width = linear.scales.shape
    stride = 4 * panels * width
    out = np.empty((rows, panels * width), np.float32)
    for panel in range(panels):
        here = 4 * panel * width
        for row in range(0, rows, ROWS):
            nibbles_vnni(
                out.ctypes.data + row * stride + here,
                stride,
                linear.bias.ctypes.data + here,
                linear.weights.ctypes.data + panel * blocks * width * BLOCK,
                linear.scales.ctypes.data + blocks * here,
                given.values.ctypes.data + row * blocks * BLOCK,
                given.factors.ctypes.data + 4 * row * blocks,
                given.shifts.ctypes.data + 4 * row * blocks,
                blocks,
            )
    return out


@njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _exp(x: Any) -> Any:
    """``exp(x)`` for -87 to 0 (less is taken as -87): 2 ** whole times a Taylor sum of the rest."""
    x = x if x > _LEAST else _LEAST
    near = fma(x, np.float32(1.4426950408889634), _MAGIC)
    whole = near - _MAGIC
    rest = fma(whole, np.float32(-0.693145751953125), x)
    rest = fma(whole, np.float32(-1.42860682030941723e-6), rest)
    total = np.float32(1 / 720)
    total = fma(total, rest, np.float32(1 / 120))
    total = fma(total, rest, np.float32(1 / 24))
    total = fma(total, rest, np.float32(1 / 6))
    total = fma(total, rest, _HALF)
    total = fma(total, rest, _ONE)
    total = fma(total, rest, _ONE)
    power = (np.int32(whole) + np.int32(127)) << np.int32(23)
    return total * np.int32(power).view(np.float32)


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def exponentials(values: Array) -> None:
    """Replace float32 numbers of at most 0 with their exponentials."""
    flat = values.reshape(-1)
    for at in range(flat.shape[0]):
        flat[at] = _exp(flat[at])


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def gelu(states: Array) -> None:
    """Replace x with ``x / 2 * (1 + erf(x / sqrt(2)))``; erf as a rational function (XLA's)."""
    flat = states.reshape(-1)
    for at in range(flat.shape[0]):
        value = flat[at]
        x = value * np.float32(0.7071067811865476)
        x = x if x < _FLAT else _FLAT
        x = x if x > -_FLAT else -_FLAT
        square = x * x
        top = np.float32(-2.72614225801306e-10)
        top = fma(top, square, np.float32(2.77068142495902e-08))
        top = fma(top, square, np.float32(-2.10102402082508e-06))
        top = fma(top, square, np.float32(-5.69250639462346e-05))
        top = fma(top, square, np.float32(-7.34990630326855e-04))
        top = fma(top, square, np.float32(-2.95459980854025e-03))
        top = fma(top, square, np.float32(-1.60960333262415e-02))
        below = np.float32(-1.45660718464996e-05)
        below = fma(below, square, np.float32(-2.13374055278905e-04))
        below = fma(below, square, np.float32(-1.68282697438203e-03))
        below = fma(below, square, np.float32(-7.37332916720468e-03))
        below = fma(below, square, np.float32(-1.42647390514189e-02))
        flat[at] = _HALF * value * (_ONE + x * top / below)


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _total(values: Array, sums: Array) -> Any:
    """The sum of a row in 16 sums side by side; ``sums`` (16,) is used up."""
    sums[:] = _ZERO
    for start in range(0, values.shape[0], _LANES):
        for lane in range(_LANES):
            sums[lane] += values[start + lane]
    total = _ZERO
    for lane in range(_LANES):
        total += sums[lane]
    return total


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def add_and_norm(states: Array, change: Array, weight: Array, bias: Array, epsilon: float) -> None:
    """Add ``change``, then bring every row of ``states`` to mean 0 and variance 1; in place."""
    rows, width = states.shape
    sums, squares = np.empty(_LANES, np.float32), np.empty(width, np.float32)
    for row in range(rows):
        mine, other = states[row], change[row]
        for column in range(width):
            mine[column] += other[column]
        mean = _total(mine, sums) / np.float32(width)
        for column in range(width):
            mine[column] -= mean
            squares[column] = mine[column] * mine[column]
        variance = _total(squares, sums) / np.float32(width)
        scale = _ONE / np.sqrt(variance + np.float32(epsilon))
        for column in range(width):
            mine[column] = fma(mine[column] * scale, weight[column], bias[column])


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def attend(mixed: Array, ends: Array, heads: int) -> Array:
    """Return what every piece sees of the pieces of its own window, by softmax(Q K' / sqrt d) V.

    Args:
        mixed: float32 (rows, 3 * width): queries, keys, values.
        ends: int64, where each window ends; the first begins at row 0.
        heads: how many; each has width // heads columns, a multiple of :data:`FLOATS_WIDTH`.
    """
    rows, width = mixed.shape[0], mixed.shape[1] // 3
    deep = width // heads
    scale = _ONE / np.sqrt(np.float32(deep))
    seen = np.zeros((rows, width), np.float32)
    start = 0
    for end in ends:
        count = end - start
        wide = (count + FLOATS_WIDTH - 1) // FLOATS_WIDTH * FLOATS_WIDTH
        turned = np.zeros((deep, wide), np.float32)
        chances = np.zeros((count + ROWS, wide), np.float32)  # keys x queries
        for head in range(heads):
            first = head * deep
            for piece in range(count):
                for column in range(deep):
                    turned[column, piece] = mixed[start + piece, first + column] * scale
            queries = mixed.ctypes.data + 4 * (start * 3 * width + first)
            keys, values, stride = queries + 4 * width, queries + 8 * width, 12 * width
            scores, across = chances.ctypes.data, 4 * wide
            _fill(scores, across, keys, stride, 4, turned.ctypes.data, across, count, wide, deep)
            over = _softmax(chances, count)
            out = seen.ctypes.data + 4 * (start * width + first)
            _fill(out, 4 * width, scores, 4, across, values, stride, count, deep, count)
            for piece in range(count):
                for column in range(first, first + deep):
                    seen[start + piece, column] *= over[piece]
        start = end
    return seen


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _fill(
    out: int,
    stride: int,
    left: int,
    left_row: int,
    left_column: int,
    right: int,
    right_row: int,
    rows: int,
    columns: int,
    depth: int,
) -> None:
    """Fill ``out`` (rows, columns) with left times right, all floats, tile by tile."""
    for row in range(0, rows, ROWS):
        for column in range(0, columns, FLOATS_WIDTH):
            floats(
                out + row * stride + 4 * column,
                stride,
                left + row * left_row,
                left_row,
                left_column,
                right + 4 * column,
                right_row,
                depth,
            )


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def _softmax(chances: Array, count: int) -> Array:
    """Replace ``chances`` (keys, queries) with exponentials; return one over their sums."""
    wide = chances.shape[1]
    most = np.full(wide, np.float32(-1e30), np.float32)
    for key in range(count):
        for piece in range(wide):
            value = chances[key, piece]
            most[piece] = value if value > most[piece] else most[piece]
    sums = np.zeros(wide, np.float32)
    for key in range(count):
        for piece in range(wide):
            value = _exp(chances[key, piece] - most[piece])
            chances[key, piece] = value
            sums[piece] += value
    for piece in range(wide):
        sums[piece] = _ONE / sums[piece]
    return sums
