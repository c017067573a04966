"""Districts and communes as texts name them: "huyện Châu Phú", "TP. Long Xuyên", "xã Mỹ Khánh".

Districts ended on 30 June 2025 and stand in a table; of a commune the capitals after the word "xã",
"phường" … are the name, whether or not :mod:`corpus.places_communes` knows it. What is found here
is only pieces of an address with the offsets at which they stand; :mod:`corpus.places` puts them
together with the provinces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from corpus.lexicon_tables import Row, data_folder, read_table
from corpus.phrases import Both, Reading, both, span_at
from corpus.places_area import District
from corpus.text import normalise

KINDS = ("huyện", "quận", "thị xã", "thành phố")
# The word before a district's name; one letter alone counts only as a capital ("Q.1", not "24 h").
_KIND_BEFORE = re.compile(
    r"(?<!\w)(?:(?P<huyện>huy[ệe]n|(?-i:H))|(?P<quận>qu[ậa]n|(?-i:Q))|(?P<xã>th[ịi] x[ãa]|tx)"
    r"|(?P<thành>th[àa]nh ph[ốo]|t\.?p))(?:\s*\.\s*|\s+|(?=\d))$",
    re.IGNORECASE,
)
_GROUPS = {"huyện": "huyện", "quận": "quận", "xã": "thị xã", "thành": "thành phố"}
_OTHER_BEFORE = re.compile(
    r"(?<!\w)(?:x[ãa]|ph[ưu][ờo]ng|th[ịi] tr[ấa]n|đặc khu|[ấa]p|th[ôo]n|b[ảa]n|kh[óo]m"
    r"|đ[ưu][ờo]ng|ph[ốo]|s[ôo]ng|ch[ợo]|c[ảa]ng|(?-i:[PX]\.|TT\.))\s*$",
    re.IGNORECASE,
)
_COMMUNE = re.compile(
    r"(?<!\w)(?<!thị )(?<!thi )(?:xã|xa|phường|phuong|thị trấn|thi tran|(?P<zone>đặc khu|dac khu)"
    r"|(?-i:[PX]\.|TT\.))\s*"
    r"(?P<name>\d{1,2}(?!\w)|[^\W\d_][\w'’]*(?: (?:[^\W\d_][\w'’]*|\d{1,2}(?!\w))){0,4})",
    re.IGNORECASE,
)
# Classes of difficult areas as decisions name them, the more exact first.
_CLASSES = {
    "khu vực III": r"(?:khu vực|kv)\s*(?:iii|3)",
    "khu vực II": r"(?:khu vực|kv)\s*(?:ii|2)",
    "khu vực I": r"(?:khu vực|kv)\s*(?:i|1)",
    "đặc biệt khó khăn": r"đặc biệt khó khăn|đbkk",
    "bãi ngang": r"bãi ngang",
    "xã đảo": r"xã đảo",
    "biên giới": r"biên giới",
    "an toàn khu": r"an toàn khu|atk",
}
_AREA_CLASS = {
    name: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
    for name, words in _CLASSES.items()
}
_ENDS_NAME = frozenset({"tp", "tx", "h", "q", "huyện", "quận", "tỉnh", "t"})
_ENDS_WITH_NEXT = {"thị": ("xã", "trấn"), "thành": ("phố",)}  # "Tân Thành" goes on
_LONGEST = 16  # characters that the word before a name may take


@dataclass(frozen=True)
class Piece:
    """A part of an address at ``[start, end)``: a district's candidates, or a commune's name.

    ``bare``: without the word "huyện" …, so it counts only beside its province.
    """

    start: int
    end: int
    districts: frozenset[District] = frozenset()
    commune: str = ""
    bare: bool = False


@dataclass(frozen=True)
class Units:
    """The districts of the table; :meth:`load` makes one."""

    districts: tuple[District, ...]
    _spellings: Mapping[str, tuple[District, ...]]
    _phrases: Both

    @classmethod
    def load(cls, data: Traversable, provinces: frozenset[str]) -> Units:
        """Read ``districts.csv`` (the program's where ``data`` is older than that table).

        ``provinces`` are the old ones that it may speak of.

        Raises :class:`corpus.lexicon_tables.TableError` naming file, line and column of a bad cell.
        """
        columns = ("province", "kind", "name", "aliases")
        data = data if data.joinpath("districts.csv").is_file() else data_folder()
        found: dict[str, list[District]] = {}
        seen: dict[District, None] = {}
        for row in read_table(data, "districts.csv", columns):
            district = _district(row, provinces)
            if district in seen:
                raise row.error("name", f'"{district.kind} {district.name}" đã có trong tỉnh này')
            seen[district] = None
            for word in (district.name, *row.many("aliases")):
                found.setdefault(word, []).append(district)
        spellings = {word: tuple(each) for word, each in found.items()}
        return cls(tuple(seen), spellings, both(spellings))

    def pieces(self, reading: Reading) -> list[Piece]:
        """Return the districts and communes that a text names, in order, none inside another."""
        communes = [*self._communes(reading.text)]
        taken = [(each.start, each.end) for each in communes]
        found = [each for each in self._districts(reading) if not covered(each, taken)]
        return sorted([*communes, *found], key=lambda each: (each.start, -each.end))

    def _communes(self, text: str) -> Iterator[Piece]:
        """Yield communes; a đặc khu is, but for one, the island district that had its name."""
        for match in _COMMUNE.finditer(text):
            name = _capitals(match["name"])
            known = self._spellings.get(name, ()) if match["zone"] else ()
            whole = any(each.name == name for each in known)
            end = match.start("name") + len(name)
            if name:
                commune = "" if whole else name
                yield Piece(match.start(), end, frozenset(known), commune)

    def _districts(self, reading: Reading) -> Iterator[Piece]:
        for start, size, words in self._phrases[reading.accented].find(reading.tokens):
            span = span_at(reading, start, size)
            known = [each for word in words for each in self._spellings[word]]
            first = max(0, span.start - _LONGEST)
            before = _KIND_BEFORE.search(reading.text[first : span.start])
            if before is None:
                if _names_itself(reading, start, size, span.start):
                    yield Piece(span.start, span.end, frozenset(known), bare=True)
                continue
            kind = _GROUPS[str(before.lastgroup)]
            # what was a thị xã then may be a city in the table
            exact = [each for each in known if each.kind == kind] or known
            yield Piece(first + before.start(), span.end, frozenset(exact))


def area_class(text: str) -> str:
    """Return the classes of its area that ``text`` states with a commune, or ""."""
    text = normalise(text)
    return ", ".join(name for name, words in _AREA_CLASS.items() if words.search(text))


def covered(piece: Piece, taken: list[tuple[int, int]]) -> bool:
    """Whether ``piece`` shares a character with one of the stretches ``taken``."""
    return any(piece.start < end and start < piece.end for start, end in taken)


def _district(row: Row, provinces: frozenset[str]) -> District:
    if row.text("province") not in provinces:
        raise row.error("province", f'không có tỉnh "{row.text("province")}" trước 1/7/2025')
    if row.text("kind") not in KINDS:
        raise row.error("kind", f"cần một trong: {'; '.join(KINDS)}")
    return District(row.text("province"), row.text("kind"), row.text("name"))


def _names_itself(reading: Reading, start: int, size: int, at: int) -> bool:
    """Whether a name without the word before it may be a district: capitals, no number."""
    firsts = [reading.text[begin] for begin, _ in reading.bounds[start : start + size]]
    if not all(first.isupper() for first in firsts):
        return False
    return _OTHER_BEFORE.search(reading.text[max(0, at - _LONGEST) : at]) is None


def _capitals(name: str) -> str:
    """Return the words of ``name`` that begin with a capital, up to the first that does not."""
    if name.isdigit():
        return name
    words = []
    said = name.split(" ")
    for word, after in zip(said, (*said[1:], ""), strict=True):
        if after.lower() in _ENDS_WITH_NEXT.get(word.lower(), ()):
            break
        if not (word[0].isupper() or word[0].isdigit()) or word.lower() in _ENDS_NAME:
            break
        words.append(word)
    return " ".join(words)
