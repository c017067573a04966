"""Vectors of records: exact scores for any record; the nearest, exactly or nearly, in milliseconds.

A record may have several passages (title, summary, detail); its vector is their mean, brought back
to length 1, so a long detail does not drown a telling title. Who is near is found in one of three
ways, by size; the score itself is always computed here, in one order and in float64, so that it is
the same to the last bit whether a record is scored alone, in a batch or among a million:

* up to :data:`SCANNED` records one matrix product, and all within its error of the k-th: exact;
* up to :data:`CODED` codes of 8 bits bound every cosine (:mod:`indexes.codes`), and all whose bound
  reaches the k-th are scored: exact too;
* beyond, FAISS scans codes in some of the clusters of an inverted file (IVF), and the best
  :data:`RESCORED` are scored. How many clusters is measured when it is built, on the vectors
  themselves (:mod:`indexes.neighbours`).

The index of the last two is a file beside the matrix; both are memory-mapped.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from indexes import neighbours, selection
from indexes.codes import Codes

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Bounds = tuple[Matrix, Matrix]  # the least and the most that each row's cosine can be, (n,) each

SCANNED = 30_000
CODED = 200_000
RESCORED = 400  # candidates scored exactly where FAISS chose them
TOGETHER = 8  # queries from which one product of matrices is faster than codes, query by query
NOWHERE = -2.0  # below any cosine
_ERROR = np.float32(1e-4)  # more than it errs on a product of unit vectors of up to 1,024 numbers
_NOBODY = np.zeros(0, np.int64)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _dots(matrix: Any, rows: Any, query: Any, out: Any) -> None:
    """Products of ``rows`` with ``query``, each added up in float64 from the first column on.

    Eight rows go side by side: a sum must wait for the one before, and eight sums wait together.
    Each row's own order is that of one row alone, and so is its sum, to the last bit.
    """
    full = rows.shape[0] // 8 * 8
    for at in range(0, full, 8):
        r0, r1, r2, r3 = rows[at], rows[at + 1], rows[at + 2], rows[at + 3]
        r4, r5, r6, r7 = rows[at + 4], rows[at + 5], rows[at + 6], rows[at + 7]
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
        for column in range(query.shape[0]):
            value = query[column]
            s0 += matrix[r0, column] * value
            s1 += matrix[r1, column] * value
            s2 += matrix[r2, column] * value
            s3 += matrix[r3, column] * value
            s4 += matrix[r4, column] * value
            s5 += matrix[r5, column] * value
            s6 += matrix[r6, column] * value
            s7 += matrix[r7, column] * value
        out[at], out[at + 1], out[at + 2], out[at + 3] = s0, s1, s2, s3
        out[at + 4], out[at + 5], out[at + 6], out[at + 7] = s4, s5, s6, s7
    for position in range(full, rows.shape[0]):
        row = rows[position]
        total = 0.0
        for column in range(query.shape[0]):
            total += matrix[row, column] * query[column]
        out[position] = total


def pool(passages: Matrix, owners: npt.NDArray[np.int64], count: int) -> Matrix:
    """Average unit ``passages`` (p, dim) by owner into ``count`` unit vectors (count, dim).

    An owner without passages gets the zero vector, which is near nothing.
    """
    sums = np.zeros((count, passages.shape[1]), np.float64)
    np.add.at(sums, owners, passages.astype(np.float64))
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.where(norms > 0, norms, 1.0)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Vectors:
    """Unit vectors of ``n`` records, (n, dim) float32, of which ``dead`` rows are never near."""

    matrix: Matrix
    dead: Rows = field(default_factory=lambda: _NOBODY)  # sorted
    index: Any = field(default=None, repr=False)  # codes, FAISS; None where the matrix is scanned

    @classmethod
    def build(cls, matrix: Matrix) -> Vectors:
        """Index ``matrix``: the same matrix gives the same bytes."""
        if SCANNED < len(matrix) <= CODED:
            return cls(matrix, index=Codes.build(matrix))
        return cls(matrix, index=neighbours.build(matrix, SCANNED, CODED, RESCORED))

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def without(self, rows: Rows) -> Vectors:
        """Return the same vectors, ``rows`` (and those dead before) never near; nothing is copied.

        Rows keep their numbers and can still be scored.
        """
        return replace(self, dead=np.union1d(self.dead, rows.astype(np.int64)))

    def scores(self, query: Matrix, rows: Rows) -> Scores:
        """Return the exact cosines of ``query`` (dim,) with ``rows``, in -1..1."""
        out = np.empty(len(rows), np.float64)
        _dots(self.matrix, rows.astype(np.int64), query.astype(np.float64), out)
        return out

    def bounds(self, queries: Matrix) -> list[Bounds | None]:
        """Return the bounds on every row's cosine with each of ``queries`` (m, dim).

        ``None`` where not all rows are looked at: beyond :data:`CODED` records. Those of dead rows
        are :data:`NOWHERE`.
        """
        coded = isinstance(self.index, Codes)
        if self.index is not None and not coded:
            return [None] * len(queries)
        if coded and len(queries) < TOGETHER:
            found = [self.index.bounds(query) for query in queries]
        else:
            near = np.asarray(queries, np.float32) @ self.matrix.T
            found = list(zip(near - _ERROR, near + _ERROR, strict=True))
        for lower, upper in found:
            lower[self.dead] = upper[self.dead] = NOWHERE
        return list(found)

    def nearest(self, query: Matrix, k: int, bounds: Bounds | None = None) -> Rows:
        """Return the rows of the ``k`` nearest records, best first, ties by row.

        Fewer where fewer are alive. Exact up to :data:`CODED` records, nearly so beyond.
        ``bounds`` are those of :meth:`bounds`, where they are known already.
        """
        k = min(k, len(self) - len(self.dead))
        if k <= 0:
            return _NOBODY
        query = np.asarray(query, np.float32)
        known = bounds or self.bounds(query[None])[0]
        if known is None:
            return self._best(query, self._search(query[None], k)[0], k)
        lower, upper = known
        return self._best(query, np.flatnonzero(upper >= selection.kth(lower, k)), k)

    def _search(self, queries: Matrix, k: int) -> Any:
        most = min(max(RESCORED, 2 * k), len(self))
        return neighbours.search(self.index, queries, most, self.dead, len(self))

    def _best(self, query: Matrix, rows: Rows, k: int) -> Rows:
        """Order candidates by their exact scores; -1 stands for none."""
        rows = np.unique(rows[rows >= 0])
        if len(self.dead):
            rows = np.setdiff1d(rows, self.dead, assume_unique=True)
        order = np.argsort(-self.scores(query, rows), kind="stable")
        return rows[order[:k]]

    def save(self, folder: Path) -> None:
        """Write matrix and index into ``folder``, which must exist; the dead are not kept."""
        np.save(folder / "vectors.npy", self.matrix)
        if isinstance(self.index, Codes):
            self.index.save(folder)
        elif self.index is not None:
            neighbours.save(self.index, folder / "vectors.faiss")

    @classmethod
    def load(cls, folder: Path) -> Vectors:
        """Open what :meth:`save` wrote, memory-mapped.

        Raises:
            ValueError: index and matrix do not have the same number of records.
        """
        matrix, path = np.load(folder / "vectors.npy", mmap_mode="r"), folder / "vectors.faiss"
        index = neighbours.load(path) if path.exists() else Codes.load(folder)
        if index is not None and index.ntotal != len(matrix):
            raise ValueError(
                f"chỉ mục lệch nhau: {len(matrix):,} vectơ nhưng {index.ntotal:,} trong {path.stem}"
            )
        return cls(np.asarray(matrix), index=index)
