"""The index of one audience: BM25 over the four views, and the records' vectors.

Both sides give the exact score of any record; which of them counts how much is the matcher's
business (:mod:`matcher.fusion`).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes import analyser
from indexes.bm25 import BM25, Field, Parameters
from indexes.documents import FIELDS, Document
from indexes.encoders import Cache, Encoder
from indexes.vectors import Vectors, pool

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
Tick = Callable[[str, int, int], None]  # what is being done, steps just done, steps in all


class Misaligned(RuntimeError):  # noqa: N818 - it names what is wrong
    """Parts of an index do not have the same number of records."""


@dataclass(frozen=True, eq=False)
class Index:
    """The views and vectors of one audience, rows in the order of ``ids``."""

    ids: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    views: dict[str, BM25]
    vectors: Vectors | None

    def __post_init__(self) -> None:
        for name, size in self._sizes():
            if size != len(self.ids):
                raise Misaligned(f"chỉ mục lệch nhau: {len(self.ids):,} mã nhưng {size:,} {name}")

    def _sizes(self) -> Iterator[tuple[str, int]]:
        yield "bộ nhãn", len(self.labels)
        yield from ((f"bản ghi trong {name}", len(view)) for name, view in self.views.items())
        if self.vectors is not None:
            yield "vectơ", len(self.vectors)

    @classmethod
    def build(
        cls,
        documents: Sequence[Document],
        encoder: Encoder | None = None,
        cache: Cache | None = None,
        tick: Tick | None = None,
    ) -> Index:
        """Index ``documents``; their order is the order of rows."""
        analysed: dict[str, list[dict[str, list[str]]]] = {view: [] for view in analyser.VIEWS}
        for document in documents:
            fields = {name: analyser.terms(getattr(document, name)) for name in FIELDS}
            for view, rows in analysed.items():
                rows.append({name: found[view] for name, found in fields.items()})
            if tick:
                tick("phân tích văn bản", 1, len(documents))
        views = {view: BM25.build(rows, PARAMETERS) for view, rows in analysed.items()}
        ids = tuple(document.id for document in documents)
        labels = tuple(document.labels for document in documents)
        vectors = _encode(documents, encoder, cache, tick) if encoder else None
        return cls(ids, labels, views, vectors)

    def save(self, folder: Path) -> None:
        """Write into ``folder``, which is made here."""
        for view, bm25 in self.views.items():
            (folder / view).mkdir(parents=True)
            bm25.save(folder / view)
        text = json.dumps(self.labels, ensure_ascii=False)
        (folder / "labels.json").write_text(text, encoding="utf-8")
        if self.vectors is not None:
            self.vectors.save(folder)

    @classmethod
    def load(cls, folder: Path, ids: tuple[str, ...], dense: bool) -> Index:
        """Open what :meth:`save` wrote, memory-mapped."""
        views = {view: BM25.load(folder / view, PARAMETERS) for view in analyser.VIEWS}
        labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        vectors = Vectors.load(folder) if dense else None
        return cls(ids, tuple(tuple(each) for each in labels), views, vectors)


def _encode(
    documents: Sequence[Document], encoder: Encoder, cache: Cache | None, tick: Tick | None
) -> Vectors:
    texts = [text for document in documents for text in document.passages]
    owners = [row for row, document in enumerate(documents) for _ in document.passages]
    with tempfile.TemporaryDirectory() as scratch:
        cache = cache or Cache(Path(scratch) / "embeddings.sqlite")
        passages = cache.passages(
            encoder,
            texts,
            (lambda done: tick("mã hóa ngữ nghĩa", done, len(texts))) if tick else None,
        )
    return Vectors(pool(passages, np.array(owners, np.int64), len(documents)))
