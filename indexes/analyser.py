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

import warnings
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise

from corpus.text import Span, fold, syllables

VIEWS = ("words", "syllables", "bigrams", "unaccented")
VERSION = "1"  # raise when a view changes: snapshots built with another version are refused
JOINT = "_"  # between the syllables of one term
_CLAUSE_ENDS = frozenset('.,;:!?()[]{}"“”\n–—…•|/')


@cache
def _segmenter() -> Callable[[str], str]:
    with warnings.catch_warnings():
        # pyvi's regular expressions are not raw strings and its model file names an older
        # scikit-learn class; both work and neither is ours to change.
        warnings.simplefilter("ignore")
        from pyvi import ViTokenizer  # noqa: PLC0415 - loading the model takes two seconds
    return ViTokenizer.tokenize  # type: ignore[no-any-return]


def segment(text: str) -> list[Span]:
    """Return the words of ``text`` in order: syllables joined by ``_``, lower-cased, with offsets.

    Punctuation is left out. The segmenter's pieces occur in the text in the same order, so each
    one is found again from where the last one ended.
    """
    words: list[Span] = []
    position = 0
    for token in _segmenter()(text).split():
        pieces: list[Span] = []
        for piece in token.split(JOINT):
            found = text.find(piece, position)
            if found < 0:
                continue
            position = found + len(piece)
            core = piece.rstrip(".")  # pyvi takes the full stop of "OCOP." for an abbreviation's
            if any(char.isalnum() for char in core):
                pieces.append(Span(core.lower(), found, found + len(core)))
        if pieces:
            term = JOINT.join(piece.text for piece in pieces)
            words.append(Span(term, pieces[0].start, pieces[-1].end))
    return words


def spans(text: str) -> list[Span]:
    """Return the lower-cased syllables of ``text`` with offsets."""
    return [Span(span.text.lower(), span.start, span.end) for span in syllables(text)]


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
    """Return :func:`analyse` without the offsets, as the index wants it."""
    return {view: [span.text for span in found] for view, found in analyse(text).items()}
