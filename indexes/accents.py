"""Accents put back onto a text typed without them, from the corpus's own words.

The encoder reads nothing in ``bao quan xoai``, and the accented views find nothing. Each syllable
can be several words; which one is meant, the neighbours tell, as in any language model. The model
here is the index itself: in how many records a syllable stands, and in how many it stands right
after another one, so that it knows the words of this corpus and grows with it (Viterbi over a
bigram model with Dirichlet smoothing; Zhai, Lafferty 2004). About three of four syllables come out
right, which is enough to add meaning and the accented views to the unaccented one, and too little
to stand alone or to be shown: the text as typed always counts too.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from corpus.text import fold
from indexes.analyser import JOINT, spans
from indexes.bm25 import BM25

READINGS = 12  # accented forms kept for one syllable, the most frequent ones
_SMOOTHING = 5.0  # records' worth of belief in a syllable whatever stands before it
_UNSEEN = 0.02  # … and in a syllable that no record holds
Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Restorer:
    """Restores accents by the views of one index."""

    syllables: BM25
    bigrams: BM25

    @cached_property
    def readings(self) -> Mapping[str, tuple[str, ...]]:
        """The accented forms of each unaccented syllable, the most frequent first."""
        terms = sorted({term for part in self.syllables.parts for term in part.postings.vocabulary})
        held = self.syllables.frequencies_of(self.syllables.numbers(terms)).tolist()
        forms: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for term, count in zip(terms, held, strict=True):
            if count:
                forms[fold(term)].append((-count, term))
        return {
            plain: tuple(term for _, term in sorted(found)[:READINGS])
            for plain, found in forms.items()
        }

    def restore(self, text: str) -> str:
        """Return normalised ``text`` with the likeliest accents; unknown syllables stay."""
        units = spans(text)
        if not units:
            return text
        columns = [self.readings.get(fold(unit.text), (unit.text,)) for unit in units]
        pieces, end = [], 0
        for unit, word in zip(units, self._likeliest(columns), strict=True):
            pieces += [text[end : unit.start], word]
            end = unit.end
        return "".join((*pieces, text[end:]))

    def _likeliest(self, columns: list[tuple[str, ...]]) -> list[str]:
        """Viterbi: the path of greatest probability; ties go to the more frequent form."""
        alone = [self._alone(column) for column in columns]
        belief = np.log(alone[0])
        back: list[npt.NDArray[np.int64]] = []
        for before, column, prior in zip(columns, columns[1:], alone[1:], strict=False):
            paths = belief[:, None] + np.log(self._after(before, column, prior))
            back.append(paths.argmax(axis=0))
            belief = paths.max(axis=0)
        places = [int(belief.argmax())]
        for pointers in reversed(back):
            places.append(int(pointers[places[-1]]))
        return [column[place] for column, place in zip(columns, reversed(places), strict=True)]

    def _held(self, view: BM25, terms: list[str]) -> Probabilities:
        return view.frequencies_of(view.numbers(terms)).astype(np.float64)

    def _alone(self, column: tuple[str, ...]) -> Probabilities:
        return (self._held(self.syllables, list(column)) + _UNSEEN) / self._total

    @cached_property
    def _total(self) -> float:
        terms = [term for forms in self.readings.values() for term in forms]
        return math.fsum(self._held(self.syllables, terms).tolist()) + 1.0

    def _after(
        self, before: tuple[str, ...], column: tuple[str, ...], prior: Probabilities
    ) -> Probabilities:
        """P(column | before), shape (len(before), len(column))."""
        pairs = [f"{first}{JOINT}{second}" for first in before for second in column]
        together = self._held(self.bigrams, pairs).reshape(len(before), len(column))
        first = self._held(self.syllables, list(before))[:, None]
        after: Probabilities = (together + _SMOOTHING * prior) / (first + _SMOOTHING)
        return after
