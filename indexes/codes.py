"""Codes of 8 bits that bound every cosine: the nearest are found exactly, from a quarter the bytes.

A row is its distance from the mean of all rows, axis by axis as multiples of that axis's deviation,
in steps of 1/127 of its own largest: ``x = mean + scale * code * axes + rest``. The length of the
rest is known for each row, and the cosine with a unit query cannot be further from the code's than
that (Cauchy-Schwarz). So whoever may be among the nearest is named by the codes, all of them, and
is then scored exactly (:mod:`indexes.vectors`). Products are whole numbers: exact in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from indexes.vocabulary import Array, frozen, mapped
from indexes.whole_dots import LANES, whole_dot

_FILES = ("codes", "rows", "axes")
_BLOCK = 8_192  # rows coded at a time
_LARGEST = 127
_ASKED = 32_767  # of a query's whole numbers, at 384 axes; fewer where more would overflow
_SLACK = 1e-5  # more than float32 can be out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _products(codes: Array, asked: Array, totals: Array) -> None:
    """The product of each row with ``asked``; what fills no vector is added in a second loop."""
    width = asked.shape[0]
    full = width // LANES * LANES
    first, other = np.uintp(codes.ctypes.data), np.uintp(asked.ctypes.data)
    for row in range(codes.shape[0]):
        totals[row] = whole_dot(first + np.uintp(row * width), other, width)
    if full < width:
        for row in range(codes.shape[0]):
            for axis in range(full, width):
                totals[row] += np.int32(codes[row, axis]) * np.int32(asked[axis])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _bounds(
    codes: Array,
    rows: Array,
    asked: Array,
    unit: float,
    offset: float,
    length: np.float32,
    rounding: np.float32,
    lower: Array,
    upper: Array,
) -> None:
    """The least and the most that the cosine of each row can be."""
    totals = np.empty(codes.shape[0], np.int32)
    _products(codes, asked, totals)
    for row in range(codes.shape[0]):
        middle = offset + unit * rows[row, 0] * np.float32(totals[row])
        rest = length * rows[row, 1] + rounding
        lower[row] = middle - rest
        upper[row] = middle + rest


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _reach(codes: Array, rows: Array) -> float:
    """The length of the longest row in units of its axes, as it is coded."""
    most = 0.0
    for row in range(codes.shape[0]):
        total = np.int32(0)
        for axis in range(codes.shape[1]):
            total = np.int32(total + np.int32(codes[row, axis]) * np.int32(codes[row, axis]))
        most = max(most, rows[row, 0] * np.sqrt(total))
    return most


@dataclass(frozen=True, eq=False)
class Codes:
    """``codes`` (n, dim, int8), ``rows`` (n, 2: scale, length of the rest), ``axes`` (2, dim).

    ``axes`` holds mean and deviation; both others than the codes are float32.
    """

    codes: Array
    rows: Array
    axes: Array

    def __post_init__(self) -> None:
        for name in _FILES:
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @classmethod
    def build(cls, matrix: npt.NDArray[np.float32]) -> Codes:
        """Code the rows of ``matrix`` (n, dim), n > 0: the same matrix gives the same bytes."""
        mean = matrix.mean(axis=0, dtype=np.float64).astype(np.float32)
        deviation = matrix.std(axis=0, dtype=np.float64).astype(np.float32)
        axes = np.stack([mean, np.maximum(deviation, np.float32(1e-6))])
        codes = np.empty(matrix.shape, np.int8)
        rows = np.empty((len(matrix), 2), np.float32)
        for start in range(0, len(matrix), _BLOCK):
            block = slice(start, start + _BLOCK)
            codes[block], rows[block] = _coded(matrix[block], axes.astype(np.float64))
        return cls(codes, rows, axes)

    @cached_property
    def _longest(self) -> float:
        return float(_reach(self.codes, self.rows))

    @property
    def ntotal(self) -> int:
        """How many rows there are; FAISS calls it so."""
        return int(self.codes.shape[0])

    def bounds(self, query: npt.NDArray[np.float32]) -> tuple[Array, Array]:
        """Return the least and the most that each row's cosine can be, both (n,) float32.

        ``query`` is (dim,), of any length: what the codes leave out counts by that length.
        """
        mean, deviation = self.axes.astype(np.float64)
        wide = query.astype(np.float64)
        turned = wide * deviation
        most = min(_ASKED, (2**31 - 1) // (_LARGEST * len(wide)))
        unit = max(float(np.abs(turned).max(initial=0.0)) / most, 1e-30)
        asked = np.rint(turned / unit).astype(np.int16)
        lower, upper = np.empty(self.ntotal, np.float32), np.empty(self.ntotal, np.float32)
        length = np.float32(np.linalg.norm(wide))
        # What rounding the query leaves out counts by the length of what it is multiplied by.
        rounding = np.float32(np.linalg.norm(turned - unit * asked) * self._longest)
        offset = float(wide @ mean)
        _bounds(self.codes, self.rows, asked, unit, offset, length, rounding, lower, upper)
        return lower, upper

    def save(self, folder: Path) -> None:
        """Write the arrays into ``folder``, which must exist."""
        for name in _FILES:
            np.save(folder / f"vectors.{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Codes | None:
        """Open what :meth:`save` wrote, memory-mapped; ``None`` where there is nothing.

        Raises:
            ValueError: a file is damaged or the arrays do not belong together.
        """
        if not (folder / f"vectors.{_FILES[0]}.npy").exists():
            return None
        codes, rows, axes = (_opened(folder / f"vectors.{name}.npy") for name in _FILES)
        if rows.shape != (len(codes), 2) or axes.shape != (2, codes.shape[1]):
            raise ValueError(
                "chỉ mục lệch nhau: mã {} × {}, dòng {} × {}".format(*codes.shape, *rows.shape)
            )
        return cls(codes, rows, axes)


def _opened(path: Path) -> Array:
    try:
        return mapped(path)
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _coded(block: Any, axes: npt.NDArray[np.float64]) -> tuple[Array, Array]:
    """Return the codes of a block of rows, and their scales and what is left of them."""
    apart = block.astype(np.float64) - axes[0]
    relative = apart / axes[1]
    largest = np.maximum(np.abs(relative).max(axis=1, initial=0.0), 1e-12)
    scales = (largest / _LARGEST * (1 + 1e-6)).astype(np.float32)
    codes = np.rint(relative / scales[:, None].astype(np.float64))
    rest = np.linalg.norm(apart - codes * scales[:, None] * axes[1], axis=1)
    return codes.astype(np.int8), np.stack([scales, rest + _SLACK], axis=1).astype(np.float32)
