"""Vectors of records: exact scores for any record, nearest records through FAISS.

A record may have several passages (title, summary, detail); its vector is their mean, brought back
to length 1, so a long detail does not drown a telling title. FAISS finds who is near; the score
itself is always computed here, in one order and in float64, so that it is the same to the last bit
whether a record is scored alone or among a million.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from numba import njit

Matrix = npt.NDArray[np.float32]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _dots(matrix: Any, rows: Any, query: Any, out: Any) -> None:
    for position in range(rows.shape[0]):
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
    """Unit vectors of ``n`` records, with the moments that normalise a query's scores.

    ``mean`` (dim,) and ``covariance`` (dim, dim) are those of the whole collection, so the mean and
    variance of a query's cosines follow without touching a record: ``q.mean`` and ``q' C q``.
    """

    matrix: Matrix
    mean: npt.NDArray[np.float64] = field(init=False)
    covariance: npt.NDArray[np.float64] = field(init=False)
    _index: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        wide = self.matrix.astype(np.float64)
        mean = wide.mean(axis=0) if len(wide) else np.zeros(self.matrix.shape[1])
        covariance = (wide.T @ wide) / max(len(wide), 1) - np.outer(mean, mean)
        index = faiss.IndexFlatIP(self.matrix.shape[1])
        if len(self.matrix):
            index.add(np.ascontiguousarray(self.matrix))
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", covariance)
        object.__setattr__(self, "_index", index)

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def scores(self, query: Matrix, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the exact cosines of ``query`` (dim,) with ``rows``, in -1..1."""
        out = np.empty(len(rows), np.float64)
        _dots(self.matrix, rows.astype(np.int64), query.astype(np.float64), out)
        return out

    def nearest(self, query: Matrix, k: int) -> npt.NDArray[np.int64]:
        """Return the rows of the ``k`` nearest records, best first (fewer if there are fewer)."""
        k = min(k, len(self))
        if k == 0:
            return np.zeros(0, np.int64)
        _, rows = self._index.search(query.reshape(1, -1).astype(np.float32), k)
        return np.asarray(rows[0], np.int64)

    def moments(self, query: Matrix) -> tuple[float, float]:
        """Return mean and standard deviation of ``query``'s cosines over the whole collection."""
        wide = query.astype(np.float64)
        variance = float(wide @ self.covariance @ wide)
        return float(wide @ self.mean), max(variance, 1e-12) ** 0.5

    def save(self, folder: Path) -> None:
        """Write the matrix into ``folder``, which must exist."""
        np.save(folder / "vectors.npy", self.matrix)

    @classmethod
    def load(cls, folder: Path) -> Vectors:
        """Open what :meth:`save` wrote."""
        return cls(np.load(folder / "vectors.npy", mmap_mode="r"))
