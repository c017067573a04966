"""The index of one audience: BM25 over the four views, and the records' vectors.

Both sides give the exact score of any record; which of them counts how much is the matcher's
business (:mod:`matcher.fusion`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt

from indexes import analyser
from indexes.bm25 import BM25, NONE_DEAD, Field, Parameters
from indexes.documents import Document
from indexes.encoders import Cache, Encoder
from indexes.segments import Held, Labels, Misaligned, Segment, Tick, check_aligned
from indexes.senses import Layers, Look, Near
from indexes.vectors import Bounds, Matrix
from indexes.vocabulary import Array

__all__ = ["PARAMETERS", "Index", "Misaligned", "Tick"]

# Weights chosen on the domain collection and the two public ones together, one set for all; see
# docs/decisions.md. A title says what a record is about; products are what officers match on.
PARAMETERS = Parameters(
    fields=(
        Field("title", weight=2.0),
        Field("text", weight=1.0),
        Field("keywords", weight=1.0),
        Field("products", weight=2.0),
    ),
    k1=1.2,
)


@dataclass(frozen=True, eq=False)
class Index:
    """The views and vectors of one audience, rows in the order of ``ids``.

    Rows of segments follow each other. ``dead`` says, (n,) or (0,) where nobody is, which rows are
    no longer there: they are found by nothing, and their ids may stand in a later row again.
    """

    ids: tuple[str, ...]
    labels: Labels
    views: dict[str, BM25]
    vectors: Layers | None
    dead: Array = field(default_factory=lambda: NONE_DEAD)

    def __post_init__(self) -> None:
        check_aligned(len(self.ids), self._sizes())
        if self.vectors is not None:
            check_aligned(len(self.ids), [("vectơ", len(self.vectors))])

    def _sizes(self) -> Iterator[tuple[str, int]]:
        yield "bộ nhãn", len(self.labels)
        yield from ((f"bản ghi trong {name}", len(view)) for name, view in self.views.items())
        if len(self.dead):
            yield "dấu đã bỏ", len(self.dead)

    @classmethod
    def of(cls, held: Sequence[Held]) -> Index:
        """Put one or more segments together."""
        segments, dead = [each.segment for each in held], [each.dead for each in held]
        views = {
            view: BM25.of([each.views[view] for each in segments], PARAMETERS, dead)
            for view in analyser.VIEWS
        }
        gone = np.concatenate([_marks(each) for each in held])
        senses = [
            each.segment.senses.without(np.flatnonzero(each.dead))
            if len(each.dead)
            else each.segment.senses
            for each in held
            if each.segment.senses is not None
        ]
        return cls(
            tuple(chain.from_iterable(each.ids for each in segments)),
            Labels.joined([each.labels for each in segments]),
            views,
            Layers(senses) if senses else None,
            gone if gone.any() else NONE_DEAD,
        )

    @classmethod
    def build(
        cls,
        documents: Sequence[Document],
        encoder: Encoder | None = None,
        cache: Cache | None = None,
        tick: Tick | None = None,
    ) -> Index:
        """Index ``documents``; their order is the order of rows."""
        return cls.of([Held("", Segment.build(documents, encoder, cache, tick), NONE_DEAD)])

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many rows each segment has."""
        return tuple(len(part) for part in self.views[analyser.VIEWS[0]].parts)

    @cached_property
    def live(self) -> npt.NDArray[np.int64]:
        """The rows that are there."""
        return np.flatnonzero(~self.dead) if len(self.dead) else np.arange(len(self.ids))

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The live row of each id."""
        if not len(self.dead):
            return {key: row for row, key in enumerate(self.ids)}
        return {self.ids[row]: row for row in self.live.tolist()}

    @cached_property
    def place(self) -> npt.NDArray[np.int64]:
        """Where each row stands when rows are put in the order in which ties are listed.

        One segment keeps the order it was given; several are put together by id.
        """
        if len(self.sizes) < 2:
            return np.arange(len(self.ids))
        order = np.array(sorted(range(len(self.ids)), key=self.ids.__getitem__), np.int64)
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return place

    def nearest(self, query: Matrix, k: int) -> Near:
        """Return the rows of the ``k`` nearest live records, best first, and a bound on the rest.

        Raises:
            ValueError: the index has no vectors; so do the next four.
        """
        return self._senses().nearest(query, k)

    def looks(self, queries: Matrix, k: int) -> list[Look]:
        """Return what is near each of ``queries`` (m, dim): many cost less together than alone."""
        return self._senses().looks(queries, k)

    def bounds(self, queries: Matrix) -> list[Bounds | None]:
        """Return bounds on each row's cosine with each of ``queries``, where known soon."""
        return self._senses().bounds(queries)

    def cosines(self, query: Matrix, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the exact cosines of ``query`` with ``rows``, in -1..1."""
        return self._senses().scores(query, rows)

    def directions(self, rows: npt.NDArray[np.int64]) -> Matrix:
        """Return the unit vectors of ``rows`` as a whole, shape (len(rows), dim)."""
        return self._senses().directions(rows)

    def _senses(self) -> Layers:
        if self.vectors is None:
            raise ValueError("chỉ mục không có vectơ")
        return self.vectors


def _marks(held: Held) -> npt.NDArray[np.bool_]:
    """Which records are dead, as many as there are."""
    return held.dead if len(held.dead) else np.zeros(len(held.segment), np.bool_)
