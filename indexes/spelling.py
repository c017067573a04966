"""Did you mean: slips of the keyboard mended with the corpus's own words.

Only a syllable that no record holds is doubted, so a question that finds what it says is left
alone; a name that nobody writes yet stays as typed where no known word is near. Near means one
slip: a letter too many, too few, another one, or two neighbours swapped (Damerau 1964; optimal
string alignment), where a letter's hook or roof is part of it and a syllable's tone a letter behind
it. Which of the near words is meant the neighbours tell: what counts is how many records hold it,
and twice as much how many hold it right beside the syllable before or after it.

Words are looked up under what is left of them when one letter is dropped (deletion neighbourhoods;
Mor, Fraenkel 1982), so a look-up costs a few dictionary accesses however large the corpus is.
A speller knows the words of one index: who may not read what is under NDA uses one without.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from corpus.text import fold, has_accents, normalise
from indexes.analyser import JOINT, spans
from indexes.bm25 import BM25

LEAST = 2  # records that must hold a word before it is proposed
SHORTEST = 2  # letters of a syllable that is doubted
LONGEST = 12  # letters; nothing longer is a syllable
_TOGETHER = 2.0  # how much more standing beside the neighbour tells than standing anywhere
TONES = "\u0300\u0301\u0303\u0309\u0323"  # huyền, sắc, ngã, hỏi, nặng


@dataclass(frozen=True, eq=False)
class Speller:
    """Mends texts by the views of one index."""

    syllables: BM25
    bigrams: BM25
    unaccented: BM25

    def suggest(self, text: str) -> str | None:
        """Return ``text`` with unknown syllables mended; ``None``: nothing to mend it with."""
        text = normalise(text)
        accented = has_accents(text)
        units = spans(text)
        said = [unit.text if accented else fold(unit.text) for unit in units]
        mended = {
            place: better
            for place, word in enumerate(said)
            if self._doubtful(word, accented)
            and (better := self._best(word, accented, said, place)) is not None
        }
        if not mended:
            return None
        pieces, end = [], 0
        for place, unit in enumerate(units):
            pieces += [text[end : unit.start], mended.get(place, text[unit.start : unit.end])]
            end = unit.end
        return "".join((*pieces, text[end:]))

    def _doubtful(self, word: str, accented: bool) -> bool:
        """Whether ``word`` can be a slip: letters only, and in no record, under any accents."""
        if not word.isalpha() or not SHORTEST <= len(word) <= LONGEST:
            return False
        if not accented or not has_accents(word):  # one plain word may be English, or a name
            return not self._held(self.unaccented, [fold(word)])[0]
        return not self._held(self.syllables, [word])[0]

    def _best(self, word: str, accented: bool, said: list[str], place: int) -> str | None:
        """The likeliest word one slip from ``word``; ties by alphabet."""
        found = sorted(self._near(word, accented))
        alone, pairs = (
            (self.syllables, self.bigrams) if accented else (self.unaccented, self.unaccented)
        )
        weights = [math.log(count) for count in self._held(alone, found)]
        for beside in self._beside(found, said, place):
            for number, count in enumerate(self._held(pairs, beside)):
                weights[number] += _TOGETHER * math.log1p(count)
        ranked = zip(weights, found, strict=True)
        return min(ranked, key=lambda each: (-round(each[0], 9), each[1]), default=(0.0, None))[1]

    @staticmethod
    def _beside(found: list[str], said: list[str], place: int) -> Iterator[list[str]]:
        """Each of ``found`` in pairs with the syllable before it, and with the one after it."""
        if place:
            yield [f"{said[place - 1]}{JOINT}{each}" for each in found]
        if place + 1 < len(said):
            yield [f"{each}{JOINT}{said[place + 1]}" for each in found]

    def _near(self, word: str, accented: bool) -> Iterator[str]:
        known = self._accented if accented else self._plain
        spelt = toned(word)
        seen = {each for less in _less(spelt) for each in known.get(less, ())}
        yield from (each for each in seen if distance(spelt, toned(each)) <= 1)

    @staticmethod
    def _held(view: BM25, terms: list[str]) -> list[int]:
        return list(map(int, view.frequencies_of(view.numbers(terms)).tolist())) if terms else []

    @cached_property
    def _accented(self) -> Mapping[str, tuple[str, ...]]:
        return _neighbourhoods(_words(self.syllables))

    @cached_property
    def _plain(self) -> Mapping[str, tuple[str, ...]]:
        return _neighbourhoods(_words(self.unaccented))


def _words(view: BM25) -> list[str]:
    """The words of a view that may be proposed."""
    terms = sorted({term for part in view.parts for term in part.postings.vocabulary})
    held = view.frequencies_of(view.numbers(terms)).tolist()
    return [
        term
        for term, count in zip(terms, held, strict=True)
        if count >= LEAST and len(term) <= LONGEST and term.isalpha()
    ]


def _neighbourhoods(words: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """By what is left of a word with at most one letter dropped: the words."""
    found: dict[str, list[str]] = defaultdict(list)
    for word in words:
        for less in _less(toned(word)):
            found[less].append(word)
    return {less: tuple(each) for less, each in found.items()}


def _less(word: str) -> set[str]:
    """``word``, and what is left of it when any one letter is dropped."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def toned(word: str) -> str:
    """Return ``word`` with its tone behind it, as it is spoken: ``vải`` and ``vaỉ`` are alike."""
    letters = unicodedata.normalize("NFD", word)
    bare = "".join(each for each in letters if each not in TONES)
    return unicodedata.normalize("NFC", bare) + "".join(each for each in letters if each in TONES)


def distance(first: str, second: str) -> int:
    """Edits from one word to another, swaps of neighbours included (optimal string alignment)."""
    rows = [list(range(len(second) + 1))]
    for i, letter in enumerate(first, start=1):
        row = [i]
        for j, other in enumerate(second, start=1):
            least = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]
