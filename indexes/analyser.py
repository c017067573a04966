"""One text, four views of its words, each with the place in the text it came from.

Vietnamese writes a space between syllables, not between words, and no segmenter is right all the
time (``làm giá thể`` comes out as ``làm_giá thể``). So a text is indexed under four views that fail
in different ways, and their scores are added:

* ``words``: pyvi's segmentation, lower-cased: the most precise where it is right;
* ``syllables``: what the segmenter saw before it decided;
* ``bigrams``: neighbouring syllables inside one clause: words again, whoever segments them;
* ``unaccented``: syllables and bigrams with the accents off, for queries typed without them.

Texts must be normalised (:func:`corpus.text.normalise`) before they come here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import NamedTuple

from corpus.text import Span, bounds, fold
from indexes.segmenter import Segmenter, open_segmenter, pyvi, tokens

VIEWS = ("words", "syllables", "bigrams", "unaccented")
VERSION = "1"  # raise when a view changes: snapshots built with another version are refused
JOINT = "_"  # between the syllables of one term
_CLAUSE_ENDS = frozenset('.,;:!?()[]{}"“”\n–—…•|/')
_MOST = 100_000  # pieces kept, about 80 MB, before all are forgotten


def segment(text: str) -> list[Span]:
    """Return the words of ``text`` in order: syllables joined by ``_``, lower-cased, with offsets.

    Punctuation is left out. The segmenter's pieces occur in the text in the same order, so each
    one is found again from where the last one ended.
    """
    words: list[Span] = []
    position = 0
    for token in _segmented(text).split():
        pieces: list[Span] = []
        for piece in token.split(JOINT):
            found = text.find(piece, position)
            if found < 0:
                continue
            position = found + len(piece)
            if core := _core(piece):
                pieces.append(Span(core.lower(), found, found + len(core)))
        if pieces:
            term = JOINT.join(piece.text for piece in pieces)
            words.append(Span(term, pieces[0].start, pieces[-1].end))
    return words


def _core(piece: str) -> str:
    """Return what counts of a piece of a word: nothing of punctuation."""
    core = piece.rstrip(".")  # pyvi takes the full stop of "OCOP." for an abbreviation's
    return core if any(char.isalnum() for char in core) else ""


def _segmented(text: str) -> str:
    """Return ``text`` as pyvi gives it: words divided by spaces, their syllables by ``_``."""
    kept = memory()
    if kept is None:
        return pyvi()(text)
    found = tokens(unicodedata.normalize("NFC", text))
    joined = kept.segmenter.joined([kept.segmenter.row(token) for token in found])
    pairs = zip(found, joined, strict=True)
    return "".join(f"{JOINT if glued else ' '}{token}" for token, glued in pairs)


def spans(text: str) -> list[Span]:
    """Return the lower-cased syllables of ``text`` with offsets."""
    return [Span(text[start:end].lower(), start, end) for start, end in bounds(text)]


def bigrams(text: str, units: list[Span]) -> list[Span]:
    """Return neighbouring ``units`` joined by ``_``, never across a clause boundary of ``text``."""
    return [
        Span(f"{left.text}{JOINT}{right.text}", left.start, right.end)
        for left, right in pairwise(units)
        if _CLAUSE_ENDS.isdisjoint(text[left.end : right.start])
    ]


def folded(units: Iterable[Span]) -> list[Span]:
    """Return ``units`` with the accents off, offsets kept."""
    return [Span(fold(unit.text), unit.start, unit.end) for unit in units]


def analyse(text: str) -> dict[str, list[Span]]:
    """Return the terms of normalised ``text`` under each of :data:`VIEWS`, in reading order."""
    units = spans(text)
    pairs = bigrams(text, units)
    return {
        "words": segment(text),
        "syllables": units,
        "bigrams": pairs,
        "unaccented": folded(units) + folded(pairs),
    }


def terms(text: str) -> dict[str, list[str]]:
    """Return :func:`analyse` without the offsets, as the index wants it.

    The same pieces come again and again in other texts, so what each one gives is kept.
    """
    kept = memory()
    if kept is None or not unicodedata.is_normalized("NFC", text):
        return {view: [span.text for span in found] for view, found in analyse(text).items()}
    pieces = kept.pieces(text)
    units = list(chain.from_iterable([piece.units for piece in pieces]))
    folds = list(chain.from_iterable([piece.folded for piece in pieces]))
    plain = [unit for unit in folds if unit is not None]
    return {
        "words": _words(pieces, kept.segmenter),
        "syllables": [unit for unit in units if unit is not None],
        "bigrams": _pairs(units),
        "unaccented": plain + _pairs(folds),
    }


class Piece(NamedTuple):
    """What one stretch without white space gives, whatever stands around it."""

    rows: tuple[int, ...]  # the segmenter's numbers of its tokens
    cores: tuple[str, ...]  # per token: what the words view has of it, "" of punctuation
    units: tuple[str | None, ...]  # its syllables, None where a clause ends
    folded: tuple[str | None, ...]  # the same with the accents off


class Memory(dict[str, Piece]):
    """The pieces met so far, and the segmenter whose numbers they hold."""

    def __init__(self, segmenter: Segmenter) -> None:
        super().__init__()
        self.segmenter = segmenter

    def __missing__(self, raw: str) -> Piece:
        self[raw] = piece = self.read(raw)
        return piece

    def read(self, raw: str) -> Piece:
        """Return what ``raw`` gives; nothing is kept."""
        found, units = tokens(raw), list(_clauses(raw))
        return Piece(
            tuple(map(self.segmenter.row, found)),
            tuple(map(_cores, found)),
            tuple(units),
            tuple(None if unit is None else fold(unit) for unit in units),
        )

    def pieces(self, text: str) -> list[Piece]:
        """Return the pieces of ``text`` in order; a line break is one."""
        lines = [[self[raw] for raw in line.split()] for line in text.split("\n")]
        found = lines[0]
        for line in lines[1:]:
            found.append(self["\n"])
            found += line
        return found


_memories: list[Memory] = []  # the one in use; a thread that began with another goes on with it


def memory() -> Memory | None:
    """Return what is kept of the texts met so far; ``None`` where pyvi itself segments."""
    segmenter = open_segmenter()
    if segmenter is None:
        return None
    if not _memories or len(_memories[0]) > _MOST or len(_memories[0].segmenter) > _MOST:
        _memories[:] = [Memory(segmenter.fresh())]
    return _memories[0]


def _clauses(raw: str) -> Iterator[str | None]:
    """Yield the syllables of ``raw``, and ``None`` where a clause ends."""
    end = 0
    for span in spans(raw):
        if not _CLAUSE_ENDS.isdisjoint(raw[end : span.start]):
            yield None
        yield span.text
        end = span.end
    if not _CLAUSE_ENDS.isdisjoint(raw[end:]):
        yield None


def _cores(token: str) -> str:
    """Return what counts of a token of pyvi's, which may hold ``_`` itself."""
    cores = (_core(piece) for piece in token.split(JOINT))
    return JOINT.join(core.lower() for core in cores if core)


def _words(pieces: Iterable[Piece], segmenter: Segmenter) -> list[str]:
    """Return the words that the tokens of ``pieces`` make."""
    words: list[str] = []
    word = ""
    rows = list(chain.from_iterable([piece.rows for piece in pieces]))
    cores = chain.from_iterable([piece.cores for piece in pieces])
    for core, glued in zip(cores, segmenter.joined(rows), strict=True):
        if not glued:
            if word:
                words.append(word)
            word = core
        elif core:
            word = f"{word}{JOINT}{core}" if word else core
    return [*words, word] if word else words


def _pairs(units: list[str | None]) -> list[str]:
    """Return neighbours joined; ``None`` divides."""
    return [
        f"{left}{JOINT}{right}"
        for left, right in pairwise(units)
        if left is not None and right is not None
    ]
