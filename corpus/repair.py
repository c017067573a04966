"""Damaged Vietnamese mended: ``mend(text)`` gives the mended text and every change made.

In this order, each step reading what the one before left: old encodings (:mod:`corpus.legacy`),
wrong code points, NFD and tone placement (:func:`corpus.text.normalise`), page numbers and running
headings, footnote marks (:mod:`corpus.layout`), letters that vanished (:mod:`corpus.vanished`),
hyphens and broken lines. A change below :data:`THRESHOLD` is listed with ``applied`` false and not
made. ``Mended.original()`` is the text as it came, to the character.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from corpus import layout
from corpus.choices import Judge
from corpus.edits import Change, Draft, Edit, restore
from corpus.language import language
from corpus.legacy import Decoder
from corpus.syllables import inventory
from corpus.text import normalise
from corpus.vanished import Restorer

THRESHOLD: Final = 0.9  # benchmarks/repair.md shows what others would give
LEGACY: Final = "bảng mã cũ"
CODE_POINT: Final = "mã ký tự sai"
LOOK_ALIKE: Final = "chữ giống hình"
DECOMPOSED: Final = "Unicode tổ hợp"
TONE: Final = "vị trí dấu thanh"
INVISIBLE: Final = "ký tự ẩn"
BROKEN_BYTE: Final = "byte hỏng"
VANISHED: Final = "chữ bị mất"
# Cyrillic and Greek letters drawn like Latin ones
_LOOK_ALIKES: Final = str.maketrans(
    "асеіјорѕухԁһАВЕЅІЈКМНОРСТУХοανρυχιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aceijopsyxdhABESIJKMHOPCTYXoavpuxiABEZHIKMNOPTYX",
)
_HIDDEN: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MIXED: Final = re.compile(r"[^\W\d_]*[\u0370-\u03ff\u0400-\u04ff\u0500-\u052f][^\W\d_]*")
_WORD: Final = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*")


@dataclass(frozen=True)
class Mended:
    """A mended ``text`` and its ``changes``, by place; those not ``applied`` are only offered."""

    text: str
    changes: tuple[Change, ...]

    def original(self) -> str:
        """Return the text as it came."""
        return restore(self.text, self.changes)

    def to_json(self) -> dict[str, Any]:
        """Return counts by reason and every change; offsets are characters of the original."""
        made = Counter(change.reason for change in self.changes if change.applied)
        return {
            "applied": sum(made.values()),
            "offered": sum(not change.applied for change in self.changes),
            "by_reason": dict(sorted(made.items())),
            "changes": [change.to_json() for change in self.changes],
        }


@lru_cache(maxsize=1)
def _tools() -> tuple[Decoder, Restorer]:
    model = language()
    return Decoder(model), Restorer(model)


def mend(
    text: str, *, pages: bool = True, threshold: float = THRESHOLD, judge: Judge | None = None
) -> Mended:
    """Mend ``text``; without ``pages``, lines, page numbers and footnotes stay (cells, forms).

    ``judge`` says which word fits where letters were lost (:mod:`corpus.choices`). Never
    raises; the same text gives the same changes.
    """
    draft = Draft(text)
    steps: list[Callable[[str], list[Edit]]] = [_broken_bytes, _legacy, _code_points]
    if pages:
        steps += [layout.page_furniture, layout.footnote_marks]
    steps.append(partial(_vanished, judge=judge))
    if pages:
        steps += [layout.hyphens, layout.broken_lines]
    for step in steps:
        draft.apply(step(draft.text), threshold)
    return Mended(draft.text, draft.changes())


def _broken_bytes(text: str) -> list[Edit]:
    """Bytes that no encoding explains, kept by the decoder as surrogates, become U+FFFD."""
    return [
        Edit(match.start(), match.end(), "\ufffd" * len(match[0]), BROKEN_BYTE)
        for match in re.finditer("[\ud800-\udfff]+", text)
    ]


def _legacy(text: str) -> list[Edit]:
    decoder, _ = _tools()
    return [
        Edit(each.start, each.end, each.after, f"{LEGACY} {each.encoding}", each.confidence)
        for each in decoder.convert(text)
    ]


def _code_points(text: str) -> list[Edit]:
    """Look-alikes, wrong and invisible code points, NFD, the tone on the other vowel."""
    edits = []
    for match in re.finditer(r"\S+", text):
        word = match[0]
        if word.isascii():
            continue
        after, reasons = _spelt(word)
        if after != word:
            edits.append(Edit(match.start(), match.end(), after, " + ".join(reasons)))
    return edits


def respelt(text: str) -> Counter[str]:
    """Count by reason the words that :func:`corpus.text.normalise` writes otherwise."""
    if normalise(text) == text.strip():
        return Counter()  # nearly every cell of a table
    reasons: Counter[str] = Counter()
    for word in text.split():
        if not word.isascii() and normalise(word) != word:
            reasons.update(each for each in _spelt(word)[1] if each != LOOK_ALIKE)
    return reasons


@lru_cache(maxsize=65536)
def _spelt(word: str) -> tuple[str, tuple[str, ...]]:
    """Return ``word`` in the one form, and what was done to it."""
    reasons = []
    now = word
    for reason, step in (
        (LOOK_ALIKE, lambda text: _MIXED.sub(_latin, text)),
        (INVISIBLE, lambda text: _HIDDEN.sub("", text)),
        (DECOMPOSED, lambda text: unicodedata.normalize("NFC", text)),
        (CODE_POINT, lambda text: text.translate(_CODE_POINTS)),
        (TONE, _toned),
    ):
        changed = step(now)
        if changed != now:
            reasons.append(reason)
        now = changed
    return now, tuple(reasons)


_CODE_POINTS: Final = str.maketrans("ƣƢðÐƉ", "ưƯđĐĐ")


def _toned(text: str) -> str:
    return _WORD.sub(lambda match: normalise(match[0]), text)


def _latin(match: re.Match[str]) -> str:
    """Return a word of Latin letters and look-alikes in Latin; a Greek word stays Greek."""
    word = match[0]
    read = word.translate(_LOOK_ALIKES)
    foreign = any("\u0370" <= letter <= "\u052f" for letter in read)
    latin = any(letter.isascii() or letter > "\u1e00" for letter in word)
    whole = not latin and normalise(read).lower() in inventory() and len(read) > 2
    return read if (latin or whole) and not foreign else word


def _vanished(text: str, judge: Judge | None) -> list[Edit]:
    _, restorer = _tools()
    return [
        Edit(each.start, each.end, each.after, VANISHED, each.confidence)
        for each in restorer.fill(text, judge)
    ]
