"""How well a word fits its sentence, told by E5's inner states: a judge for text repair.

A sentence is read with each word that may stand at the place, through the lower two thirds of E5's
layers; a linear probe of the states of the word and of its neighbours says how much it looks like
what somebody wrote (after Clark et al. 2020, whose discriminator tells such words from others).
The probe in ``fits.npz`` was fitted by ``python -m benchmarks.fits``; E5 itself stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from corpus.choices import Choice
from indexes.e5_int8 import E5Int8
from indexes.e5_weights import Floats

DATA: Final = Path(__file__).parent / "fits.npz"
DEPTHS: Final = (6, 8)  # after how many of E5's layers the states are read
_WORDS: Final = 9  # read along on either side
_BATCH: Final = 64  # sentences at once: their states take 2 MB


class Fits:
    """Weighs the words of choices; E5 is opened when the first choice is met.

    Raises :class:`indexes.encoders.EncoderError` then, where it cannot run.
    """

    @cached_property
    def _encoder(self) -> E5Int8:
        return E5Int8()

    @cached_property
    def _probe(self) -> Floats:
        with np.load(DATA) as stored:
            return np.asarray(stored["probe"], np.float32)

    def __call__(self, choices: Sequence[Choice]) -> list[list[float]]:
        """Return for each word of each choice ln of how much it fits, up to a constant."""
        if not choices:
            return []
        said = iter((self.states(choices) @ self._probe).tolist())
        return [list(islice(said, len(choice.words))) for choice in choices]

    def states(self, choices: Sequence[Choice]) -> Floats:
        """Return what the probe reads, one row a word, all words of the first choice first."""
        pieces = self._encoder.pieces
        cuts: list[tuple[int, ...]] = []
        spans: list[tuple[int, int]] = []
        for choice in choices:
            before = pieces("query: " + " ".join(choice.before.split()[-_WORDS:]))
            after = pieces(" ".join(choice.after.split()[:_WORDS])) if choice.after.strip() else []
            for word in choice.words:
                middle = pieces(word)
                cuts.append((*before, *middle, *after))
                spans.append((1 + len(before), 1 + len(before) + len(middle)))  # a mark comes first
        rows: list[Floats] = []
        for start in range(0, len(cuts), _BATCH):
            inner = self._encoder.inner(cuts[start : start + _BATCH], DEPTHS)
            rows += map(_row, inner, spans[start : start + _BATCH])
        return np.array(rows, np.float32)


def _row(inner: Floats, span: tuple[int, int]) -> Floats:
    """Return the states of a word and of the pieces beside it, ``inner`` by depth and piece."""
    start, end = span
    parts = (inner[:, start:end].mean(axis=1), inner[:, start - 1], inner[:, end])
    row: Floats = np.stack(parts, axis=1).ravel()
    return row
