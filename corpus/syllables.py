"""Which strings are Vietnamese syllables: onset × rime × tone, by the rules of quốc ngữ.

The inventory is generated, not listed: every onset with every rime that spelling allows after it
(``k``, ``gh``, ``ngh`` before e, ê, i, y; ``q`` before a glide), with the six tones, of which a
rime closed by c, ch, p or t takes two. That gives some 17,000 lower-case syllables, of which about
7,000 are in use; which of them are likely is for :mod:`corpus.language` to say.

Spelling is that of :func:`corpus.text.normalise` (``hòa``, ``thủy``).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from corpus.text import normalise

_PLAIN: Final = "b c ch d đ g gi h kh l m n ng nh p ph r s t th tr v x"
_BEFORE_FRONT: Final = {"c": "k", "g": "gh", "ng": "ngh"}
_OPEN: Final = (
    "a ai am an ang anh ao au ay ăm ăn ăng âm ân âng âu ây e em en eng eo ê êm ên ênh êu "
    "i ia im in inh iu iêm iên iêng iêu o oi om on ong oong oa oai oam oan oang oanh oao oay "
    "oăm oăn oăng oe oen oeo ô ôi ôm ôn ông ơ ơi ơm ơn u ua ui um un ung uân uâng uây uê uên uênh "
    "uôi uôm uôn uông uơ uy uya uynh uyu uyn uyên ư ưa ưi ưng ưu ươi ươm ươn ương ươu"
)
_CLOSED: Final = (
    "ac ach ap at ăc ăp ăt âc âp ât ec ep et êch êp êt ich ip it iêc iêp iêt oc op ot ooc oac oach "
    "oap oat oăc oăt oet ôc ôp ôt ơp ơt uc up ut uât uêch uôc uôt uych uyt uyp uyêt ưc ưt ươc ươp "
    "ươt"
)
_TONES: Final = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
_CHECKED: Final = ("\u0301", "\u0323")
_GLIDES: Final = re.compile(r"o(?=[aăe])|u(?=[âêơy])")
_NUCLEUS: Final = re.compile(r"[aăâeêioôơuưy]+")
LETTERS: Final = frozenset("abcdđeghiklmnopqrstuvxyăâêôơư") | frozenset(
    unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in _TONES
)
VOWELS: Final = frozenset(c for c in LETTERS if unicodedata.normalize("NFD", c)[0] in "aeiouy")


@lru_cache(maxsize=1)
def inventory() -> frozenset[str]:
    """Return every well-formed lower-case syllable."""
    found: set[str] = set()
    for rimes, tones in ((_OPEN, _TONES), (_CLOSED, _CHECKED)):
        for rime in rimes.split():
            for spelt in _spellings(rime):
                found |= {_toned(spelt, tone) for tone in tones}
    return frozenset(found)


def is_syllable(text: str) -> bool:
    """Whether ``text``, in any case, is one well-formed syllable."""
    return text.lower() in inventory()


def _spellings(rime: str) -> set[str]:
    """Return ``rime`` behind every onset that may stand before it, and alone."""
    front = rime[0] in "eêi" or rime.startswith("y")
    onsets = {_BEFORE_FRONT.get(onset, onset) if front else onset for onset in _PLAIN.split()}
    spelt = {onset + rime for onset in onsets if not (onset == "gi" and rime[0] == "i")}
    if rime[0] == "i":  # gì, gìn, giêng
        spelt.add("g" + rime)
    if _GLIDES.match(rime) or rime == "uôc":
        spelt.add("qu" + rime[1:])
    if rime == "i":
        spelt |= {onset + "y" for onset in ("h", "k", "l", "m", "s", "t", "v", "qu", "")}
    if rime.startswith("iê"):
        return spelt | {"y" + rime[1:]}
    return spelt | {rime}


def _toned(spelt: str, tone: str) -> str:
    """Put ``tone`` on the vowel that carries it: the one with a mark, else by position."""
    start = 2 if re.match(r"qu|gi[aăâeêoôơuư]", spelt) else 0
    match = _NUCLEUS.search(spelt, start)
    if match is None:  # unreachable by construction: every rime has a vowel
        raise ValueError(f"no vowel in {spelt!r}")
    vowels = match[0]
    marked = [at for at, vowel in enumerate(vowels) if vowel in "ăâêôơư"]
    closed = match.end() < len(spelt)
    at = marked[-1] if marked else len(vowels) - 1 if closed else max(0, len(vowels) - 2)
    if len(vowels) == 3 and not marked:
        at = 1  # oai, oeo, uya, uyu
    place = match.start() + at + 1
    return normalise(unicodedata.normalize("NFC", spelt[:place] + tone + spelt[place:]))
