"""Vietnamese in fonts from before Unicode: TCVN3 (.VnTime), VNI, VISCII, and Windows-1258 marks.

Such text is Latin-1 to a computer (``C«ng nghÖ``, ``Coâng ngheä``) and Vietnamese only in its font.
One file can hold several, with Unicode between them, so each word is read in every encoding and the
likeliest run of encodings wins (Viterbi): a reading pays for every syllable by how rare it is, more
for letters that are none, and for every change of encoding. A foreign word, a formula or «a
quotation» reads no better in an old encoding and stays as it is.

Tables: TCVN 5712:1993 (VN3), the VNI-Windows fonts, RFC 1456 (VISCII).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from math import exp
from operator import itemgetter
from typing import Final, NamedTuple

from corpus.language import BOUNDARY, Language
from corpus.syllables import inventory
from corpus.text import normalise

_WORD: Final = re.compile(r"\S+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
# Vietnamese letters that Windows-1252 does not show, hence Unicode
_MODERN: Final = re.compile(
    "[\u0100-\u0151\u0300-\u036f\u0154-\u0160\u0162-\u0177\u0179-\u0191\u0193-\u02c5\u1e00-\u1eff]"
)
_STRANGE: Final = 16.0  # the price of letters that are no syllable
_UNUSED: Final = 13.0  # the price of a syllable that no text has used
_SWITCH: Final = 9.0  # the price of another encoding than the word before

_TCVN3: Final = {
    **dict(zip(range(0xA1, 0xAF), "ĂÂÊÔƠƯĐăâêôơưđ", strict=True)),
    **dict(zip(range(0xB5, 0xBA), "àảãáạ", strict=True)),
    **dict(zip(range(0xBB, 0xBF), "ằẳẵắ", strict=True)),
    **dict(zip(range(0xC6, 0xCD), "ặầẩẫấậè", strict=True)),
    **dict(zip(range(0xCE, 0xD9), "ẻẽéẹềểễếệìỉ", strict=True)),
    **dict(zip(range(0xDC, 0xE0), "ĩíịò", strict=True)),
    **dict(zip(range(0xE1, 0xF0), "ỏõóọồổỗốộờởỡớợù", strict=True)),
    **dict(zip(range(0xF1, 0xFF), "ủũúụừửữứựỳỷỹýỵ", strict=True)),
}
_VISCII: Final = dict(
    zip(
        (0x02, 0x05, 0x06, 0x14, 0x19, 0x1E, *range(0x80, 0x100)),
        "ẲẴẪỶỸỴẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳ"
        "ĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ",
        strict=True,
    )
)
_CP1258: Final = {
    **dict(zip((0xC3, 0xD0, 0xD5, 0xDD, 0xE3, 0xF0, 0xF5, 0xFD), "ĂĐƠƯăđơư", strict=True)),
    **dict(zip((0xCC, 0xD2, 0xDE, 0xEC, 0xF2), "\u0300\u0309\u0303\u0301\u0323", strict=True)),
}
# after a, e, o, u, y (ơ and ư are written ô and ö): the tone; after a, e, o: the hat with its tone
_VNI_TONES: Final = dict(zip("ùøûõï", "\u0301\u0300\u0309\u0303\u0323", strict=True))
_VNI_HATS: Final = dict(zip("âáàåãä", ("", *"\u0301\u0300\u0309\u0303\u0323"), strict=True))
_VNI_BREVES: Final = dict(zip("êéèúüë", ("", *"\u0301\u0300\u0309\u0303\u0323"), strict=True))
_VNI_ALONE: Final = dict(zip("ôöñíìæóòîÔÖÑÍÌÆÓÒÎ", "ơưđíìỉĩịỵƠƯĐÍÌỈĨỊỴ", strict=True))


def _vni() -> dict[str, str]:
    """Return letter or letter and mark → Vietnamese letter, in both cases."""
    pairs = dict(_VNI_ALONE)
    for base in "aeouyôö":
        for mark, tone in _VNI_TONES.items():
            pairs[base + mark] = _VNI_ALONE.get(base, base) + tone
    for mark, tone in _VNI_HATS.items():
        pairs |= {base + mark: base + "\u0302" + tone for base in "aeo"}
    for mark, tone in _VNI_BREVES.items():
        pairs["a" + mark] = "a\u0306" + tone
    composed = {key: unicodedata.normalize("NFC", value) for key, value in pairs.items()}
    capital = {key.upper(): value.upper() for key, value in composed.items()}
    mixed = {key[0].upper() + key[1:]: value.upper() for key, value in composed.items()}
    return {**mixed, **capital, **composed}


_VNI: Final = _vni()
_VNI_PARTS: Final = re.compile("|".join(sorted(map(re.escape, _VNI), key=len, reverse=True)))


def _bytes_table(table: dict[int, str]) -> dict[int, str]:
    """Map each byte as Windows-1252 and as Latin-1 show it."""
    shown: dict[int, str] = {}
    for byte, letter in table.items():
        shown[byte] = letter
        try:
            shown[ord(bytes([byte]).decode("cp1252"))] = letter
        except UnicodeDecodeError:
            continue
    return shown


def _tabled(table: dict[int, str]) -> Callable[[str], str]:
    shown = _bytes_table(table)
    return lambda word: unicodedata.normalize("NFC", word.translate(shown))


def _from_tcvn3(word: str) -> str:
    """Read TCVN3; the capital fonts (.VnTimeH) have capitals only for plain letters."""
    read = _TCVN3_READER(word)
    plain = [letter for letter in word if letter.isascii() and letter.isalpha()]
    capital = len(plain) > 1 and all(letter.isupper() for letter in plain)
    return read.upper() if capital else read


_TCVN3_READER: Final = _tabled(_TCVN3)
ENCODINGS: Final[dict[str, Callable[[str], str]]] = {
    "Unicode": lambda word: word,
    "TCVN3": _from_tcvn3,
    "VNI": lambda word: _VNI_PARTS.sub(lambda match: _VNI[match[0]], word),
    "VISCII": _tabled(_VISCII),
    "Windows-1258": _tabled(_CP1258),
}


class Converted(NamedTuple):
    """The word ``[start, end)`` of a text, read as ``after`` in ``encoding``."""

    start: int
    end: int
    after: str
    encoding: str
    confidence: float


def _parts(words: list[re.Match[str]], odd: set[str]) -> Iterator[list[re.Match[str]]]:
    """Yield the runs with an odd word from one word of sure Unicode to the next, these included.

    No old font has the letters of such a word, so what is on one side of it says nothing of the
    other; and most of a text that has a few odd words need not be read in every encoding.
    """
    start, found = 0, False
    for at, word in enumerate(words):
        found |= word[0] in odd
        if _MODERN.search(word[0]):
            if found:
                yield words[start : at + 1]
            start, found = at, False
    if found:
        yield words[start:]


class Decoder:
    """Finds words in old encodings; keeps what each word costs in each."""

    def __init__(self, language: Language) -> None:
        """Take the model that knows which syllables are common."""
        self._language = language
        self._price = cache(self._priced)

    def convert(self, text: str) -> list[Converted]:
        """Return the words of ``text`` that are not Unicode, in order; empty for a clean text."""
        words = list(_WORD.finditer(text))
        odd = {word for word in {each[0] for each in words} if self._odd(word)}
        return [each for part in _parts(words, odd) for each in self._converted(part)]

    def _converted(self, words: list[re.Match[str]]) -> Iterator[Converted]:
        states = self._states([word[0] for word in words])
        for state, run in groupby(zip(words, states, strict=True), key=itemgetter(1)):
            if state == "Unicode":
                continue
            stretch = [word for word, _ in run]
            gain = sum(
                self._price(word[0], "Unicode") - self._price(word[0], state)
                for word in stretch
                if not word[0].isascii()
            )
            confidence = 1 / (1 + exp(-max(-30.0, gain - _SWITCH)))
            for word in stretch:
                after = ENCODINGS[state](word[0])
                if after != word[0]:
                    yield Converted(word.start(), word.end(), after, state, confidence)

    def _odd(self, word: str) -> bool:
        """Whether ``word`` is no Vietnamese as it stands, and reads better in an old encoding."""
        if word.isascii() or _MODERN.search(word):
            return False
        if all(each.lower() in inventory() for each in _LETTERS.findall(word)):
            return False
        as_is = self._price(word, "Unicode")
        return any(self._price(word, name) < as_is for name in ENCODINGS if name != "Unicode")

    def _states(self, words: list[str]) -> list[str]:
        """Return the encoding of each word: the cheapest run (Viterbi)."""
        names = list(ENCODINGS)
        total = [0.0, *([_SWITCH / 2] * (len(names) - 1))]
        back: list[list[int]] = []
        for word in words:
            if word.isascii():
                back.append(list(range(len(names))))
                continue
            best = min(range(len(names)), key=lambda at: total[at])
            came = [at if total[at] <= total[best] + _SWITCH else best for at in range(len(names))]
            total = [
                min(total[at], total[best] + _SWITCH) + self._price(word, name)
                for at, name in enumerate(names)
            ]
            back.append(came)
        at = min(range(len(names)), key=lambda at: (total[at], at))
        states = []
        for came in reversed(back):
            states.append(names[at])
            at = came[at]
        return states[::-1]

    def _priced(self, word: str, encoding: str) -> float:
        """Return what reading ``word`` in ``encoding`` costs: −ln of its syllables."""
        if not _LETTERS.search(word) and encoding != "Unicode":
            return _STRANGE
        if encoding != "Unicode" and _MODERN.search(word):
            return 2 * _STRANGE * len(word)  # an old font has no such letter
        read = ENCODINGS[encoding](word)
        return sum(self._letters(each) for each in _LETTERS.findall(read))

    def _letters(self, letters: str) -> float:
        lowered = normalise(letters).lower()
        number = self._language.number(lowered)
        if lowered in inventory():
            if number == BOUNDARY:
                return _UNUSED
            return min(_STRANGE - 1, -self._language.logp(0, 0, number))
        return _STRANGE
