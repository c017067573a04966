"""How likely a syllable is after the two before it: counts of clean Vietnamese, smoothed.

The counts (``data/syllables.npz``) are built by ``python -m benchmarks.syllables`` from text whose
sources that module names. Probabilities are interpolated with absolute discounting (Ney, Essen,
Kneser 1994): a trigram seen is trusted, one not seen falls back on the bigram, that on the
syllable. A document lends its own undamaged syllables as further counts, so that its own names and
terms are likely in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Final

import numpy as np

from corpus.syllables import inventory

DATA: Final = Path(__file__).parent / "data" / "syllables.npz"
BOUNDARY: Final = 0  # foreign words, ends of sentences: whatever is none of the others
NUMBER: Final = "0"  # stands for any number
COMMA: Final = ","  # stands for any mark within a sentence
_DISCOUNT: Final = 0.9
_SHIFT: Final = 15  # ids of syllables are below 2 ** 15
_UNSEEN: Final = 0.05  # the count of a syllable never met


class Counts:
    """Counts of syllables, pairs and triples, and what follows from them per context."""

    def __init__(self) -> None:
        """Start empty."""
        self.single: dict[int, float] = {}
        self.pair: dict[int, float] = {}
        self.triple: dict[int, float] = {}
        self.after_one: dict[int, tuple[float, int]] = {}
        self.after_two: dict[int, tuple[float, int]] = {}

    def add(self, ids: Sequence[int], weight: float = 1.0) -> None:
        """Count the syllables of one stretch; ``BOUNDARY`` stands where words do not join."""
        for each in ids:
            self.single[each] = self.single.get(each, 0.0) + weight
        for a, b in pairwise(ids):
            if a or b:
                _grow(self.pair, self.after_one, a << _SHIFT | b, weight)
        for a, b, c in zip(ids, ids[1:], ids[2:], strict=False):
            if b and (a or c):
                _grow(self.triple, self.after_two, (a << _SHIFT | b) << _SHIFT | c, weight)


def _grow(
    counts: dict[int, float], contexts: dict[int, tuple[float, int]], key: int, weight: float
) -> None:
    context = key >> _SHIFT
    total, kinds = contexts.get(context, (0.0, 0))
    contexts[context] = (total + weight, kinds + (key not in counts))
    counts[key] = counts.get(key, 0.0) + weight


class Language:
    """Syllables by number, and the probability of one after two others."""

    def __init__(self, words: Sequence[str], counts: Counts) -> None:
        """Take the syllables in use (id = place + 1) and their counts."""
        self.words = ("", *words)
        self.ids = {word: at for at, word in enumerate(self.words) if word}
        self._base = counts
        self._total = sum(counts.single.values()) + _UNSEEN * len(inventory())

    @classmethod
    def load(cls, path: Path = DATA) -> Language:
        """Read the model that comes with the program."""
        with np.load(path) as stored:
            counts = Counts()
            words = str(stored["words"]).split()
            counts.single = dict(enumerate(stored["single"].tolist()))
            for name, kept, contexts in (
                ("pair", counts.pair, counts.after_one),
                ("triple", counts.triple, counts.after_two),
            ):
                keys = np.cumsum(stored[f"{name}_steps"].astype(np.int64))
                kept.update(zip(keys.tolist(), stored[f"{name}_counts"].tolist(), strict=True))
                heads, first = np.unique(keys >> _SHIFT, return_index=True)
                sums = np.add.reduceat(stored[f"{name}_counts"].astype(float), first)
                kinds = np.diff([*first, len(keys)])
                contexts.update(
                    zip(
                        heads.tolist(), zip(sums.tolist(), kinds.tolist(), strict=True), strict=True
                    )
                )
        return cls(words, counts)

    def save(self, path: Path) -> None:
        """Write the model; counts above 255 are cut to 255, but those of single syllables."""
        arrays = {
            "words": np.array(" ".join(self.words[1:])),
            "single": np.array(
                [self._base.single.get(at, 0) for at in range(len(self.words))], np.uint32
            ),
        }
        for name, counts in (("pair", self._base.pair), ("triple", self._base.triple)):
            keys = np.array(sorted(counts), np.int64)
            arrays[f"{name}_steps"] = np.diff(keys, prepend=0)
            arrays[f"{name}_counts"] = np.array(
                [min(255, counts[k]) for k in keys.tolist()], np.uint8
            )
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]

    def number(self, word: str) -> int:
        """Return the id of a lower-case syllable, ``BOUNDARY`` for what is none."""
        return self.ids.get(word, BOUNDARY)

    def met(self, words: Sequence[str], own: Counts) -> bool:
        """Whether these two or three words, in any case, stand together in what was counted."""
        ids = [self.number(word.lower()) for word in words]
        if BOUNDARY in ids or len(ids) not in {2, 3}:
            return False
        key = reduce(lambda head, each: head << _SHIFT | each, ids)
        return any(
            key in (counts.pair if len(ids) == 2 else counts.triple) for counts in (self._base, own)
        )

    def sign(self, text: str) -> int:
        """Return the id of what stands between syllables, told by its first characters."""
        start = text.lstrip(' \t("“')[:1]
        name = NUMBER if start.isdigit() else COMMA if start in {",", ";", "-", "–", "/"} else ""
        return self.ids.get(name, BOUNDARY)

    def logp(self, a: int, b: int, c: int, own: Counts | None = None) -> float:
        """Return ln P(c | a b); ``own`` are the counts of the document, with their weight."""
        p = self._one(c, own)
        p = _discounted(p, b << _SHIFT | c, self._base.pair, self._base.after_one)
        if own is not None:
            p = _discounted(p, b << _SHIFT | c, own.pair, own.after_one)
        key = (a << _SHIFT | b) << _SHIFT | c
        p = _discounted(p, key, self._base.triple, self._base.after_two)
        if own is not None:
            p = _discounted(p, key, own.triple, own.after_two)
        return log(p)

    def _one(self, c: int, own: Counts | None) -> float:
        count = self._base.single.get(c, 0.0) + _UNSEEN
        if own is not None:
            count += 10 * own.single.get(c, 0.0)
        return count / self._total


def _discounted(
    lower: float, key: int, counts: dict[int, float], contexts: dict[int, tuple[float, int]]
) -> float:
    total, kinds = contexts.get(key >> _SHIFT, (0.0, 0))
    if not total:
        return lower
    seen = counts.get(key, 0.0)
    # fractional counts: never discount more than there is
    return (max(seen - _DISCOUNT, 0.0) + _DISCOUNT * kinds * lower) / (
        max(total, _DISCOUNT * kinds)
    )


@lru_cache(maxsize=1)
def language() -> Language:
    """Return the model that comes with the program, read once (0.2 s)."""
    return Language.load()
