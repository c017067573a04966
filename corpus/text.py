"""Vietnamese text brought to one form, so that equal words are equal bytes.

Vietnamese arrives in several spellings of the same word: decomposed Unicode (NFD), the tone mark
on the other vowel (``hoà``/``hòa``, ``thuỷ``/``thủy``), look-alike letters left by PDF fonts
(``ƣ`` for ``ư``). Every text passes through :func:`normalise` before it is stored, indexed or
compared;
:func:`fold` gives the unaccented form that people type in a hurry.

Tone placement follows the older of the two orthographies in use (``hòa``, ``thủy``), which is what
most records carry; the rule is a change of notation only, so either choice gives the same answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

# Wrong code points that Vietnamese files carry: LATIN LETTER OI (U+01A2/3) drawn as Ư by some PDF
# fonts, Latin ETH/AFRICAN D for Đ, and invisible characters that split words.
_WRONG_LETTERS = str.maketrans(
    {
        "ƣ": "ư",
        "Ƣ": "Ư",
        "Ð": "Đ",
        "ð": "đ",
        "Ɖ": "Đ",
        "\u00a0": " ",
        "\u00ad": "",
        "\u200b": "",
        "\u200c": "",
        "\u200d": "",
        "\u2060": "",
        "\ufeff": "",
    }
)
_TONES = "\u0300\u0301\u0303\u0309\u0323"  # huyền, sắc, ngã, hỏi, nặng
# Open syllables only: no letter follows, and no other mark of the second vowel. (In NFD the dot of
# "hoặc" stands before the breve.)
_END = r"(?![a-zA-Z\u0300-\u036f])"
_TONED_SECOND = re.compile(
    rf"(?<![qQ])([oO])([aAeE])([{_TONES}]){_END}|(?<![qQ])([uU])([yY])([{_TONES}]){_END}"
)
_SPACES = re.compile(r"[^\S\n]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# All that _rewrite may change in a text that is NFC already: marks, look-alikes, controls, spaces
# other than single plain ones, a tone on the second vowel (and, cheaply, some that may stay there).
_SUSPECT = re.compile(
    rf"[\u0300-\u036f{''.join(map(chr, _WRONG_LETTERS))}\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[^\S\n ]| [ \n]|\n "
    r"|[oO][àáảãạèéẻẽẹÀÁẢÃẠÈÉẺẼẸ](?![a-zA-Z])|[uU][ỳýỷỹỵỲÝỶỸỴ](?![a-zA-Z])"
)
# \w without the underscore; digits keep their decimal mark so that "1,5" and "0.3" are one token,
# chemical and trade names keep inner hyphens apart ("1-MCP" gives "1" and "mcp" on both sides).
_SYLLABLE = re.compile(r"[^\W_]+(?:(?<=\d)[.,]\d+)*")


class Span(NamedTuple):
    """A stretch of a text: the text itself and its character offsets ``[start, end)``."""

    text: str
    start: int
    end: int


def normalise(text: str) -> str:
    """Return ``text`` in the one form used everywhere: NFC, one tone placement, plain spaces.

    Idempotent; never raises. Line breaks are kept, other control characters become spaces.
    """
    if not _SUSPECT.search(text) and unicodedata.is_normalized("NFC", text):
        return text.strip()  # nearly every text, at a fifth of the cost
    return _rewrite(text)


def _rewrite(text: str) -> str:
    """Normalise the long way; on a text without suspects this only strips."""
    text = text.translate(_WRONG_LETTERS)
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n"))
    decomposed = unicodedata.normalize("NFD", text)
    if any(tone in decomposed for tone in _TONES):
        decomposed = _TONED_SECOND.sub(_move_tone, decomposed)
    text = unicodedata.normalize("NFC", decomposed)
    text = _SPACES.sub(" ", text)
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def _move_tone(match: re.Match[str]) -> str:
    first, second, tone = match.group(1, 2, 3) if match.group(1) else match.group(4, 5, 6)
    return f"{first}{tone}{second}"


class _Folded(dict[int, str]):
    """What each character becomes without its marks, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        decomposed = unicodedata.normalize("NFD", chr(code))
        self[code] = plain = "".join(c for c in decomposed if not unicodedata.combining(c))
        return plain


_FOLDED = _Folded({ord("đ"): "d"})


def fold(text: str) -> str:
    """Return ``text`` lower-cased and without accents: ``Đồng Kỵ`` → ``dong ky``."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    # character by character: decomposing moves no letter, and the marks, which it may move, go
    plain = lowered.translate(_FOLDED)
    return plain if plain.isascii() else unicodedata.normalize("NFC", plain)


def has_accents(text: str) -> bool:
    """Whether any letter of ``text`` carries a Vietnamese mark (``đ`` counts)."""
    lowered = text.lower()
    return fold(lowered) != lowered


def syllables(text: str) -> Iterator[Span]:
    """Yield the syllables (letters or digits) of ``text`` in order, case kept, with offsets."""
    for start, end in bounds(text):
        yield Span(text[start:end], start, end)


def bounds(text: str) -> list[tuple[int, int]]:
    """Return the offsets of the syllables of ``text``: see :func:`syllables`."""
    return [match.span() for match in _SYLLABLE.finditer(text)]


def squeeze(text: str) -> str:
    """Return the comparison key of a label: folded syllables joined by one space."""
    return joined(fold(normalise(text)))


def joined(text: str) -> str:
    """Return the syllables of ``text`` with one space between them."""
    return " ".join(_SYLLABLE.findall(text))
