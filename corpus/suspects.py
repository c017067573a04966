"""Where a text may have lost letters: its damaged stretches, and a window around each damage.

A *stretch* is letters and blanks with nothing between them. Nearly all stretches of a clean text
are plainly clean; of the others only the words near a fragment are read again, as a window that
says what stands around it. Finding is wide: :mod:`corpus.vanished` decides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from corpus.language import BOUNDARY, Counts, Language
from corpus.syllables import LETTERS, VOWELS, inventory

WORD: Final = re.compile(r"[^\W\d_]+")
# letters and blanks without anything between them: what holds a damaged stretch together
_STRETCH: Final = re.compile(r"[ \t]{0,2}[^\W\d_]+(?:\s{1,3}[^\W\d_]+)*[ \t]{0,2}")
_AROUND: Final = 3  # words read along on either side of the damage
_GROWN_ON: Final = frozenset(".&@_-'")
_ONSET: Final = "gi"  # the one onset that is a syllable itself, and hardly ever meant as one
_ENDS: Final = frozenset({"", "\n", ".", "?", "!"})


class Window(NamedTuple):
    """A part of a stretch around damage: its offset, its text, the syllables around it.

    ``counted``: a number stands before its first fragment; ``touched``: something is grown onto
    its last; ``opens``: a sentence or a line begins with it.
    """

    start: int
    text: str
    before: tuple[int, int]
    after: int
    counted: bool
    touched: bool
    opens: bool


def stretches(text: str) -> Iterator[re.Match[str]]:
    """Yield the stretches of ``text`` in order."""
    return _STRETCH.finditer(text)


def windows(stretch: re.Match[str], language: Language) -> Iterator[Window]:
    """Yield the windows of one stretch; none if it is plainly clean."""
    if _plainly_clean(stretch[0]):
        return
    words = list(WORD.finditer(stretch[0]))
    for low, high in _spans(stretch, words, language):
        first, last = low == 0, high == len(words) - 1
        start = _lead(stretch) if first else words[low].start()
        end = _tail(stretch) if last else words[high].end()
        yield Window(
            stretch.start() + start,
            stretch[0][start:end],
            _before(stretch, words[max(0, low - 2) : low], language),
            _after(stretch, words[high + 1 : high + 2], language),
            counted=first and _after_number(stretch),
            touched=last and _touched(stretch),
            opens=first and stretch.string[: stretch.start()].rstrip(" \t-–+*•")[-1:] in _ENDS,
        )


def intact(text: str, language: Language) -> Counts:
    """Count the undamaged syllables of the document itself."""
    counts = Counts()
    for stretch in stretches(text):
        ids = [language.sign(text[max(0, stretch.start() - 1) : stretch.start()])]
        if _plainly_clean(stretch[0]):
            ids += [language.number(word) for word in stretch[0].lower().split()]
        else:
            words = list(WORD.finditer(stretch[0]))
            odd = [_suspect(stretch[0], word, language) for word in words]
            for at, word in enumerate(words):  # the neighbours of a fragment may belong to it
                doubt = any(odd[max(0, at - 1) : at + 2])
                ids.append(BOUNDARY if doubt else language.number(word[0].lower()))
        counts.add([*ids, language.sign(text[stretch.end() : stretch.end() + 8])])
    return counts


def capitals(text: str) -> frozenset[str]:
    """Return the syllables that the document mostly writes with a capital within a sentence."""
    balance: Counter[str] = Counter()
    for stretch in stretches(text):
        for word in stretch[0].split()[1:]:
            if not word.isupper():
                balance[word.lower()] += 1 if word[0].isupper() else -1
    return frozenset(word for word, more in balance.items() if more > 0)


def _spans(
    stretch: re.Match[str], words: list[re.Match[str]], language: Language
) -> list[tuple[int, int]]:
    """Return the first and last word of each window; windows that touch are one."""
    spans: list[tuple[int, int]] = []
    for at, word in enumerate(words):
        if not _suspect(stretch[0], word, language):
            continue
        low, high = max(0, at - _AROUND), min(len(words) - 1, at + _AROUND)
        if spans and low <= spans[-1][1] + 2:
            spans[-1] = (spans[-1][0], high)
        else:
            spans.append((low, high))
    return spans


def _before(
    stretch: re.Match[str], words: list[re.Match[str]], language: Language
) -> tuple[int, int]:
    behind = stretch.string[max(0, stretch.start() - 8) : stretch.start()].rstrip()
    ids = [BOUNDARY, language.sign(behind[-1:]), *(language.number(w[0].lower()) for w in words)]
    return ids[-2], ids[-1]


def _after(stretch: re.Match[str], words: list[re.Match[str]], language: Language) -> int:
    if words:
        return language.number(words[0][0].lower())
    return language.sign(stretch.string[stretch.end() : stretch.end() + 8])


def _lead(stretch: re.Match[str]) -> int:
    """Return where reading starts: one blank after a sign is a blank, two may hide a letter."""
    blanks = len(stretch[0]) - len(stretch[0].lstrip(" \t"))
    before = stretch.string[max(0, stretch.start() - 1) : stretch.start()]
    return 1 if blanks == 1 and before not in {"", "\n"} else 0


def _tail(stretch: re.Match[str]) -> int:
    """Return where reading ends: before a number or a bracket one blank is a blank."""
    after = stretch.string[stretch.end() : stretch.end() + 1]
    blanks = len(stretch[0]) - len(stretch[0].rstrip(" \t"))
    return len(stretch[0]) - (
        blanks == 1 and bool(after) and (after.isalnum() or after in "<>=≤≥±×+~&([“\"'")
    )


def _after_number(stretch: re.Match[str]) -> bool:
    """Whether a number precedes, or a sign is grown on: ``5 kg``, ``gov.vn``, ``KH&CN``."""
    touching = stretch.string[max(0, stretch.start() - 1) : stretch.start()]
    if touching in _GROWN_ON and not stretch[0][0].isspace():
        return True
    before = stretch.string[max(0, stretch.start() - 8) : stretch.start()].rstrip(" \t")[-1:]
    return before.isdigit() or before in {"°", "/", "%"}


def _touched(stretch: re.Match[str]) -> bool:
    """Whether a sign is grown onto the last fragment: ``m3``, ``t-test``, the whole of ``b)``."""
    after = stretch.string[stretch.end() : stretch.end() + 1]
    if not after or stretch[0][-1].isspace():
        return False
    alone = " " not in stretch[0].strip() and "\n" not in stretch[0].strip()
    return after in "&-@'°²³_" or after.isdigit() or (after == ")" and alone)


def _plainly_clean(stretch: str) -> bool:
    """Whether all words are syllables of more than a vowel, one blank apart: nearly all text."""
    words = stretch.lower().split()
    return (
        inventory().issuperset(words)
        and VOWELS.isdisjoint(words)
        and _ONSET not in words
        and "  " not in stretch
        and "\t" not in stretch
    )


def _suspect(stretch: str, word: re.Match[str], language: Language) -> bool:
    """Whether ``word`` is a fragment, or stands beside a blank too many."""
    lowered = word[0].lower()
    if lowered not in inventory():
        if len(word[0]) > 1 and word[0].isupper():
            return False
        return len(lowered) <= 6 and set(lowered) <= LETTERS
    before = stretch[max(0, word.start() - 2) : word.start()]
    if lowered == _ONSET or (lowered in VOWELS and before[-1:] in {" ", "\t"}):
        return True
    after = stretch[word.end() : word.end() + 2]
    return any(len(blanks) == 2 and not blanks.strip(" \t") for blanks in (before, after))
