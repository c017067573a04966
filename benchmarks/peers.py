"""Other engines on the same words: what each indexes is a list of words per record.

Words are segmented once, by us, for all of them; each then counts, weighs and ranks in its own way.
A peer that is not installed raises ImportError when it is made, and the report says so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

TOP = 50
Bags = Sequence[Sequence[str]]  # one list of words per record; order inside a record is free
Words = Sequence[str]


class Peer(Protocol):
    """An engine that has indexed bags of words."""

    def search(self, words: Words) -> list[int]:
        """Return the rows of the best :data:`TOP` records, best first."""


def best(scores: npt.NDArray[Any], count: int = TOP) -> npt.NDArray[np.int64]:
    """Return the rows of the ``count`` highest of ``scores``, best first."""
    count = min(count, len(scores))
    rows = np.argpartition(-scores, count - 1)[:count] if count else np.zeros(0, np.int64)
    return np.asarray(rows[np.argsort(-scores[rows], kind="stable")], np.int64)


def best_rows(scores: npt.NDArray[Any]) -> list[int]:
    """Return :func:`best` as a list, as the other peers give it."""
    return [int(row) for row in best(scores)]


class RankBM25:
    """rank-bm25's BM25Okapi: plain Python over all records."""

    def __init__(self, bags: Bags) -> None:
        from rank_bm25 import BM25Okapi  # type: ignore[import-untyped]  # noqa: PLC0415

        self._index = BM25Okapi(bags, k1=1.2)

    def search(self, words: Words) -> list[int]:
        """Score every record, then sort the best out."""
        return best_rows(self._index.get_scores(words))


class TfIdf:
    """scikit-learn's TfidfVectorizer and a sparse product."""

    def __init__(self, bags: Bags) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

        self._model = TfidfVectorizer(analyzer=_as_they_are)
        self._by_word = self._model.fit_transform(bags).T.tocsr()

    def search(self, words: Words) -> list[int]:
        """Cosine of the query with every record that shares a word."""
        scores = (self._model.transform([words]) @ self._by_word).toarray()[0]
        return best_rows(scores)


def _as_they_are(words: Words) -> Words:
    return words


class Fts5:
    """SQLite FTS5 in memory, BM25 of words joined by OR."""

    def __init__(self, bags: Bags) -> None:
        self._database = sqlite3.connect(":memory:")
        self._database.execute(
            "CREATE VIRTUAL TABLE record USING fts5"
            "(words, tokenize = \"unicode61 remove_diacritics 0 tokenchars '_'\")"
        )
        rows = ((number, " ".join(bag)) for number, bag in enumerate(bags))
        self._database.executemany("INSERT INTO record(rowid, words) VALUES (?, ?)", rows)
        self._database.execute("INSERT INTO record(record) VALUES ('optimize')")

    def search(self, words: Words) -> list[int]:
        """Let FTS5 rank by its own bm25()."""
        asked = " OR ".join(f'"{word}"' for word in dict.fromkeys(words))
        if not asked:
            return []
        found = self._database.execute(
            "SELECT rowid FROM record WHERE record MATCH ? ORDER BY rank LIMIT ?", (asked, TOP)
        )
        return [row for (row,) in found]


class Bm25s:
    """bm25s with scores computed when indexing; ``backend`` is numpy or numba."""

    def __init__(self, bags: Bags, backend: str = "numpy") -> None:
        import bm25s  # type: ignore[import-untyped]  # noqa: PLC0415

        self._index = bm25s.BM25(k1=1.2, b=0.75, backend=backend)
        self._index.index(list(map(list, bags)), show_progress=False)
        self._count = min(TOP, len(bags))

    def search(self, words: Words) -> list[int]:
        """One query, one thread."""
        if not words:
            return []
        rows, _ = self._index.retrieve(
            [list(words)], k=self._count, show_progress=False, n_threads=0
        )
        return [int(row) for row in rows[0]]


class Tantivy:
    """tantivy (Rust) in memory: stops early where a record cannot reach the best ones."""

    def __init__(self, bags: Bags) -> None:
        import tantivy  # noqa: PLC0415

        self._tantivy = tantivy
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("words", tokenizer_name="whitespace", index_option="freq")
        builder.add_integer_field("row", fast=True)
        self._schema = builder.build()
        index = tantivy.Index(self._schema)
        writer = index.writer(heap_size=128_000_000, num_threads=1)
        for number, bag in enumerate(bags):
            writer.add_document(tantivy.Document(words=" ".join(bag), row=number))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()

    def search(self, words: Words) -> list[int]:
        """Any of the words, best first."""
        lib = self._tantivy
        terms = [
            (lib.Occur.Should, lib.Query.term_query(self._schema, "words", word, "freq"))
            for word in words
        ]
        hits = self._searcher.search(lib.Query.boolean_query(terms), TOP).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        return [int(row) for row in rows if row is not None]


PEERS: dict[str, Callable[[Bags], Peer]] = {
    "bm25s (numba)": lambda bags: Bm25s(bags, "numba"),
    "bm25s (numpy)": Bm25s,
    "tantivy": Tantivy,
    "SQLite FTS5": Fts5,
    "scikit-learn TF-IDF": TfIdf,
    "rank-bm25": RankBM25,
}
# These look at every record, or at every one that shares a word, in Python or by SQL.
SLOW = frozenset({"SQLite FTS5", "scikit-learn TF-IDF", "rank-bm25"})
