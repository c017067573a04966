"""Which of many texts may tell the same thing: pairs that share rare terms, without trying all.

A text is a bag of terms; a term counts by how few texts have it. Two texts are a candidate pair if
either is among the other's nearest by the terms that are rare enough to tell texts apart: a term of
one text says nothing of duplicates, a term of thousands names a trade. That is one product of a
sparse matrix with itself, in stretches of rows, so 100,000 texts need seconds and little memory.
The likeness of whole texts (:meth:`Bags.cosine`) is exact and uses all terms.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexes.vectors import Rows, Scores

if TYPE_CHECKING:
    from scipy import sparse

NEAREST = 10  # candidates of each text
COMMON = 400  # texts: a term of more is no reason to compare two of them
_STRETCH = 2_000  # rows at a time
_PAIRS = 50_000  # pairs at a time
_LEAST = 0.05  # share of a text's weight that a candidate must have in common with it
Pairs = npt.NDArray[np.int64]  # (m, 2), the lower row first, in order


@dataclass(frozen=True, eq=False)
class Bags:
    """Texts as unit vectors of weighted terms (``n`` rows), and what each term weighs."""

    matrix: sparse.csr_matrix
    weights: Scores  # of each term: ln(1 + n / number of texts that have it)
    texts: Rows  # number of texts that have each term
    columns: Mapping[str, int]  # term → its column

    @classmethod
    def of(cls, bags: Iterable[Sequence[str]]) -> Bags:
        """Count terms; how often one stands in a text counts by the root."""
        from scipy import sparse  # noqa: PLC0415 - a fifth of a second, seldom needed

        vocabulary: dict[str, int] = {}
        terms = array("q")
        ends = [0]
        for bag in bags:
            terms.extend([vocabulary.setdefault(term, len(vocabulary)) for term in bag])
            ends.append(len(terms))
        shape = (len(ends) - 1, max(len(vocabulary), 1))
        ones = np.ones(len(terms), np.float32)
        counts = sparse.csr_matrix((ones, np.array(terms, np.int64), np.array(ends)), shape=shape)
        counts.sum_duplicates()
        texts = np.bincount(counts.indices, minlength=shape[1]).astype(np.int64)
        weights = np.log1p(shape[0] / np.maximum(texts, 1))
        matrix = counts.sqrt()
        matrix.data *= weights[matrix.indices].astype(np.float32)
        return cls(_unit(matrix), weights, texts, vocabulary)

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def weight(self, term: str) -> float:
        """Return what ``term`` weighs; 0 for one that no text has."""
        column = self.columns.get(term)
        return 0.0 if column is None else float(self.weights[column])

    def rarity(self, term: str) -> float:
        """How much it says that two texts have ``term``: 1 where nobody else has it, towards 0."""
        return self.weight(term) / math.log1p(max(len(self), 2) / 2)

    def pairs(self, nearest: int = NEAREST) -> Pairs:
        """Return the candidate pairs, each once."""
        rare = _unit(self._only(self.texts <= max(COMMON, 2)))
        across = rare.T.tocsr()
        found = [
            _nearest(rare[start : start + _STRETCH] @ across, start, nearest)
            for start in range(0, len(self), _STRETCH)
        ]
        pairs = np.sort(np.concatenate([np.zeros((0, 2), np.int64), *found]), axis=1)
        return np.unique(pairs, axis=0)

    def _only(self, wanted: npt.NDArray[np.bool_]) -> sparse.csr_matrix:
        kept = self.matrix.copy()
        kept.data *= wanted[kept.indices]
        kept.eliminate_zeros()
        return kept

    def cosine(self, pairs: Pairs) -> Scores:
        """Return how alike the texts of each pair are, in 0..1."""
        parts = [
            np.asarray(
                self.matrix[each[:, 0]].multiply(self.matrix[each[:, 1]]).sum(axis=1)
            ).ravel()
            for each in (pairs[at : at + _PAIRS] for at in range(0, len(pairs), _PAIRS))
        ]
        return np.concatenate([np.zeros(0), *parts]).astype(np.float64)


def _unit(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    from scipy import sparse  # noqa: PLC0415 - as above

    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = 1.0 / np.where(lengths > 0, lengths, 1.0)
    return sparse.csr_matrix(sparse.diags(scale.astype(matrix.dtype)) @ matrix)


def _nearest(alike: sparse.csr_matrix, start: int, nearest: int) -> Pairs:
    """Return the pairs of the rows from ``start`` with their nearest others."""
    found = []
    for row in range(alike.shape[0]):
        inside = slice(alike.indptr[row], alike.indptr[row + 1])
        others, values = alike.indices[inside], alike.data[inside]
        apart = (others != start + row) & (values >= _LEAST)
        others, values = others[apart].astype(np.int64), values[apart]
        best = others[np.lexsort((others, -values))[:nearest]]
        found.append(np.column_stack([np.full(len(best), start + row, np.int64), best]))
    return np.concatenate([np.zeros((0, 2), np.int64), *found])
