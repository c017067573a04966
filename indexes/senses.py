"""What records mean, as vectors: each as a whole, and a long text by its pieces too.

An encoder reads some 500 tokens, about :data:`LONG` Vietnamese words, and of a longer text only the
beginning; and one vector of many subjects is near none of them. So a text that is longer is also
encoded in pieces of about :data:`PIECE` words, cut between sentences, and the piece that is nearest
to a query counts beside the whole: ``(1 - w) * whole + w * best piece`` with ``w`` =
:data:`PIECE_WEIGHT`. Shorter texts, nearly all of them, have one vector as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indexes.vectors import Bounds, Matrix, Rows, Scores, Vectors

LONG = 300
PIECE = 70
PIECE_WEIGHT = 0.7
_BREAK = re.compile(r"(?<=[.;!?])\s+|\n+")
_NO_ROWS = np.zeros(0, np.int64)
_FARTHEST = -1.0  # a cosine that nothing is below


class Near(NamedTuple):
    """Rows, best first, and a cosine that no other row passes."""

    rows: Rows
    bound: float


class Look(NamedTuple):
    """What is near a query, and bounds on every row's cosine, where they are known soon."""

    near: Near
    bounds: Bounds | None


def pieces(text: str) -> Iterator[str]:
    """Yield the pieces of a text that is too long for one vector; nothing for a shorter one."""
    if len(text.split()) <= LONG:
        return
    held: list[str] = []
    words = 0
    for sentence in filter(None, map(str.strip, _BREAK.split(text))):
        size = len(sentence.split())
        if held and words + size > PIECE:
            yield " ".join(held)
            held, words = [], 0
        held.append(sentence)
        words += size
    if held:
        yield " ".join(held)


@dataclass(frozen=True, eq=False)
class Senses:
    """The vectors of one segment: ``whole`` (n) by record, ``parts`` (p) of those with pieces.

    ``owners`` (p, int64) are the records of the pieces, rising.
    """

    whole: Vectors
    parts: Vectors
    owners: Rows

    @classmethod
    def build(cls, matrix: Matrix, parts: Matrix, owners: Rows) -> Senses:
        """Index both matrices; raises ValueError where owners and pieces differ in number."""
        if len(parts) != len(owners):
            raise ValueError(f"chỉ mục lệch nhau: {len(parts):,} mảnh nhưng {len(owners):,} chủ")
        return cls(Vectors.build(matrix), Vectors.build(parts), owners)

    def __len__(self) -> int:
        return len(self.whole)

    def without(self, rows: Rows) -> Senses:
        """Return the same with ``rows`` never near."""
        gone = np.flatnonzero(np.isin(self.owners, rows))
        return Senses(self.whole.without(rows), self.parts.without(gone), self.owners)

    @cached_property
    def _stretches(self) -> tuple[Rows, Rows]:
        """The records with pieces, and where each one's pieces begin (one more at the end)."""
        records, starts = np.unique(self.owners, return_index=True)
        return records, np.append(starts, len(self.owners)).astype(np.int64)

    def scores(self, query: Matrix, rows: Rows) -> Scores:
        """Return the exact cosine of ``query`` (dim,) with each of ``rows``, in -1..1."""
        scores = self.whole.scores(query, rows)
        records, starts = self._stretches
        if not len(records):
            return scores
        places = np.minimum(np.searchsorted(records, rows), len(records) - 1)
        for at in np.flatnonzero(records[places] == rows).tolist():
            mine = np.arange(starts[places[at]], starts[places[at] + 1])
            best = float(self.parts.scores(query, mine).max())
            scores[at] = (1.0 - PIECE_WEIGHT) * scores[at] + PIECE_WEIGHT * best
        return scores

    def looks(self, queries: Matrix, k: int) -> list[Look]:
        """Look for the ``k`` nearest to each of ``queries`` (m, dim), by the whole or a piece."""
        found = zip(self.whole.bounds(queries), self.parts.bounds(queries), strict=True)
        return [
            Look(self._nearest(query, k, whole, parts), self._bounded(whole, parts))
            for query, (whole, parts) in zip(queries, found, strict=True)
        ]

    def _nearest(self, query: Matrix, k: int, seen: Bounds | None, pieced: Bounds | None) -> Near:
        whole = self.whole.nearest(query, k, seen)
        parts = self.parts.nearest(query, k, pieced)
        rows = np.union1d(whole, self.owners[parts]).astype(np.int64)
        bound = _least(self.whole, query, whole, k)
        if len(self.owners):
            piece = _least(self.parts, query, parts, k)
            bound = max(bound, (1.0 - PIECE_WEIGHT) * bound + PIECE_WEIGHT * piece)
        return _cut(rows, self.scores(query, rows), k, bound)

    def bounds(self, queries: Matrix) -> list[Bounds | None]:
        """Return bounds on every row's cosine with each of ``queries`` (m, dim).

        ``None`` where that would take longer than to look for the nearest.
        """
        found = zip(self.whole.bounds(queries), self.parts.bounds(queries), strict=True)
        return [self._bounded(whole, parts) for whole, parts in found]

    def _bounded(self, whole: Bounds | None, parts: Bounds | None) -> Bounds | None:
        if whole is None or parts is None:
            return None
        records, starts = self._stretches
        if len(records):
            for mine, theirs in zip(whole, parts, strict=True):
                best = np.maximum.reduceat(theirs, starts[:-1])
                mine[records] = (1.0 - PIECE_WEIGHT) * mine[records] + PIECE_WEIGHT * best
        return whole

    def directions(self, rows: Rows) -> Matrix:
        """Return the unit vectors of ``rows`` as a whole, shape (len(rows), dim)."""
        return np.asarray(self.whole.matrix[rows])

    def save(self, folder: Path) -> None:
        """Write into ``folder``, which must exist."""
        self.whole.save(folder)
        if len(self.owners):
            (folder / "pieces").mkdir()
            self.parts.save(folder / "pieces")
            np.save(folder / "pieces" / "owners.npy", self.owners)

    @classmethod
    def load(cls, folder: Path) -> Senses:
        """Open what :meth:`save` wrote, memory-mapped."""
        whole, inside = Vectors.load(folder), folder / "pieces"
        if not inside.is_dir():
            return cls(whole, Vectors(np.zeros((0, whole.matrix.shape[1]), np.float32)), _NO_ROWS)
        parts, owners = Vectors.load(inside), np.load(inside / "owners.npy")
        if len(parts) != len(owners):
            raise ValueError(f"chỉ mục lệch nhau: {len(parts):,} mảnh nhưng {len(owners):,} chủ")
        return cls(whole, parts, owners)


@dataclass(frozen=True, eq=False)
class Layers:
    """The senses of several segments as one: rows are numbered through, in their order."""

    parts: Sequence[Senses]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @cached_property
    def _starts(self) -> Rows:
        return np.cumsum([0, *map(len, self.parts)])

    def _owned(self, rows: Rows) -> Iterator[tuple[Senses, Rows, Rows]]:
        """Yield each segment with the places of its rows among ``rows``, and these rows there."""
        owner = np.searchsorted(self._starts, rows, side="right") - 1
        for number, part in enumerate(self.parts):
            mine = np.flatnonzero(owner == number)
            yield part, mine, rows[mine] - self._starts[number]

    def scores(self, query: Matrix, rows: Rows) -> Scores:
        """See :meth:`Senses.scores`."""
        if len(self.parts) == 1:
            return self.parts[0].scores(query, rows)
        out = np.empty(len(rows), np.float64)
        for part, mine, there in self._owned(rows):
            out[mine] = part.scores(query, there)
        return out

    def nearest(self, query: Matrix, k: int) -> Near:
        """Return what is nearest to one query."""
        return self.looks(query[None], k)[0].near

    def looks(self, queries: Matrix, k: int) -> list[Look]:
        """See :meth:`Senses.looks`; every look is the same whoever else is asked for."""
        if len(self.parts) == 1:
            return self.parts[0].looks(queries, k)
        found = zip(*(part.looks(queries, k) for part in self.parts), strict=True)
        return [
            self._together(query, k, looks) for query, looks in zip(queries, found, strict=True)
        ]

    def _together(self, query: Matrix, k: int, looks: Sequence[Look]) -> Look:
        pairs = zip(looks, self._starts, strict=False)
        rows = np.concatenate([each.near.rows + start for each, start in pairs])
        bound = max(each.near.bound for each in looks)
        near = _cut(rows, self.scores(query, rows), k, bound)
        return Look(near, _concatenated([each.bounds for each in looks]))

    def bounds(self, queries: Matrix) -> list[Bounds | None]:
        """See :meth:`Senses.bounds`."""
        found = zip(*(part.bounds(queries) for part in self.parts), strict=True)
        return [_concatenated(each) for each in found]

    def directions(self, rows: Rows) -> Matrix:
        """See :meth:`Senses.directions`."""
        out = np.empty((len(rows), self.parts[0].whole.matrix.shape[1]), np.float32)
        for part, mine, there in self._owned(rows):
            out[mine] = part.directions(there)
        return out


def _concatenated(found: Sequence[Bounds | None]) -> Bounds | None:
    """The bounds of all segments together; ``None`` where one of them has none."""
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    lower, upper = (np.concatenate(each) for each in zip(*known, strict=True))
    return lower, upper


def _least(vectors: Vectors, query: Matrix, near: Rows, k: int) -> float:
    """The cosine that no row outside the ``k`` nearest passes."""
    if len(near) < k:
        return _FARTHEST  # these are all there are
    return float(vectors.scores(query, near[-1:])[0])


def _cut(rows: Rows, scores: npt.NDArray[np.float64], k: int, bound: float) -> Near:
    order = np.lexsort((rows, -scores))
    left_out = float(scores[order[k]]) if len(order) > k else _FARTHEST
    return Near(rows[order[:k]], max(bound, left_out))
