"""Provinces before and after 1 July 2025, and what a text says of them, by date.

63 provinces became 34. A name that survived ("An Giang") covers more after that day than before,
a name that went ("Kiên Giang") still covers what it covered. Everything is therefore expressed in
old provinces, the smaller pieces: a place is an area of them. Districts that a text names
(:mod:`corpus.places_units`) tell which of them is meant; a name after "xã", "huyện" … is no
province.

By whose rule: Resolution 202/2025/QH15 (the 34). The tables are in ``corpus/data``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from corpus.lexicon_tables import Row, data_folder, read_table
from corpus.phrases import Both, Contexts, Reading, both, contexts, key, read, span_at
from corpus.places_address import PREFIX, Place, addresses
from corpus.places_area import Area
from corpus.places_communes import Communes
from corpus.places_regions import BEFORE, MERGED, Region, Regions
from corpus.places_units import Piece, Units, covered

__all__ = ["BEFORE", "MERGED", "Nearness", "Place", "Places"]

Nearness = Literal["same", "merged", "region", "other", "unknown"]
_NOT_A_PROVINCE = (
    "xã", "phường", "đặc khu", "huyện", "quận", "thị trấn", "thị xã", "ấp", "thôn", "đường", "phố",
)  # fmt: skip
_NOW_PART_OF = re.compile(rf"[\s(,–-]*(?:nay|hiện) (?:là|thuộc)\s+{PREFIX}")
_IN_BRACKETS = re.compile(rf"\s*[(,–-]\s*(?:(?:trước đây|nguyên) là\s+|thuộc\s+)?{PREFIX}")
_DAY = r"(?:ngày\s+)?0?1/0?7/2025"
_FORMER = re.compile(rf"[\s(]*(?:cũ|trước đây|trước sáp nhập|trước {_DAY})(?!\w)\s*\)?")
_TODAY = re.compile(rf"[\s(]*(?:mới|hiện nay|sau sáp nhập|từ {_DAY})(?!\w)\s*\)?")
_CLOSED = re.compile(r"\s*\)")


@dataclass(frozen=True)
class _Name:
    """How one province may be written, and the phrases in which the word is something else."""

    province: str
    needs_capital: bool
    avoid: tuple[Contexts, Contexts] | None


@dataclass(frozen=True)
class Places:
    """The provinces, districts and regions of the tables; :meth:`load` makes one."""

    new_names: Mapping[str, str]  # old province → province since 1 July 2025
    regional: Regions
    units: Units
    _spellings: Mapping[str, _Name]  # spelling → province
    _phrases: Both
    _data: Traversable

    @classmethod
    def load(cls, folder: Path | None = None) -> Places:
        """Read the tables of places in ``folder`` (default: the package's).

        Raises :class:`corpus.lexicon_tables.TableError` naming file, line and column of a bad cell.
        """
        data = data_folder(folder)
        rows = read_table(data, "provinces.csv", ("name", "new", "aliases", "capital", "avoid"))
        new_names = _new_names(rows)
        spellings = {word: name for row in rows for word, name in _spellings(row)}
        units = Units.load(data, frozenset(new_names))
        regional = Regions.load(data, new_names)
        made = cls(new_names, regional, units, spellings, both(spellings), data)
        if folder is not None:  # tables that people edit are told of now, not in somebody's search
            _ = made.communes
        return made

    @cached_property
    def communes(self) -> Communes:
        """The register of communes, read when the first one is named: most texts name none."""
        return Communes.load(self._data, self.units.districts)

    @property
    def all_regions(self) -> tuple[Region, ...]:
        """The regions of all schemes, the oldest scheme first."""
        return self.regional.all

    def find(self, text: str, as_of: dt.date | None = None) -> tuple[Place, ...]:
        """Return the places that ``text`` names; offsets refer to ``normalise(text)``.

        "An Giang (Kiên Giang cũ)" and "Kiên Giang, nay là An Giang" are one place, the old
        Kiên Giang; "huyện Châu Phú, An Giang" is one in the old An Giang. Names without such help
        mean what they mean on ``as_of`` (default: since 1 July 2025, so either part).
        """
        reading = read(text)
        places = [*self._addresses(reading, as_of)]
        found: list[Place] = []
        while places:
            first, *rest = places
            joined = self._joined(reading.text, first, rest[0]) if rest else None
            found.append(self._placed(joined or self._dated(reading.text, first), as_of))
            places = rest[1:] if joined else rest
        return tuple(found)

    def _addresses(self, reading: Reading, as_of: dt.date | None) -> Iterator[Place]:
        """Put districts and communes to the province that follows them, or that they follow."""
        pieces = self.units.pieces(reading)
        taken = [(each.start, each.end) for each in pieces if not each.bare]
        mentions = self._mentions(reading, as_of)
        provinces = [each for each in mentions if not covered(Piece(each.start, each.end), taken)]
        named = [(each.start, each.end) for each in provinces]
        pieces = [each for each in pieces if not (each.bare and covered(each, named))]
        parts: list[Piece | Place] = [*pieces, *provinces]
        return addresses(reading.text, sorted(parts, key=lambda each: each.start))

    def _mentions(self, reading: Reading, as_of: dt.date | None) -> Iterator[Place]:
        for start, size, words in self._phrases[reading.accented].find(reading.tokens):
            name = self._spellings[words[0]]
            if _is_province(name, words[0], reading, start, size):
                span = span_at(reading, start, size)
                area = Area(self.extent(name.province, as_of))
                yield Place(span.start, span.end, span.text, name.province, area)

    def _joined(self, text: str, first: Place, second: Place) -> Place | None:
        """Return the old province that two neighbouring names describe together, if they do."""
        gap, rest = text[first.end : second.start].lower(), text[second.end :].lower()
        if _NOW_PART_OF.fullmatch(gap) and self._became(first.name, second.name):
            old, end = first, second.end
        elif _IN_BRACKETS.fullmatch(gap) and self._became(second.name, first.name):
            after = _FORMER.match(rest) or (_CLOSED.match(rest) if "(" in gap else None)
            if after is None:
                return None
            old, end = second, second.end + len(after.group().rstrip())
        else:
            return None
        if "(" in gap and text[end : end + 1] == ")":
            end += 1
        exact = frozenset({old.name})
        area = first.area.narrowed(exact) or old.area.narrowed(exact) or Area(exact)
        return Place(first.start, end, text[first.start : end], old.name, area)

    def _dated(self, text: str, place: Place) -> Place:
        """Read what stands behind a name: "cũ", "trước 1/7/2025" or "mới", "từ 1/7/2025"."""
        rest = text[place.end :].lower()
        if place.name and _FORMER.match(rest):
            area = place.area.narrowed(frozenset({place.name}))
            return replace(place, area=area or place.area)
        if place.area == Area(place.extent) and _TODAY.match(rest):
            return replace(place, area=Area(self.extent(place.name)))
        return place

    def _placed(self, place: Place, as_of: dt.date | None) -> Place:
        """Let the register of communes say where a commune lies."""
        if not place.area.commune:
            return place
        whole = bool(place.name) and place.extent == self.extent(place.name)
        return replace(place, area=self.communes.decided(place.area, whole, as_of))

    def _became(self, old: str, new: str) -> bool:
        return bool(old and new) and old != new and self.new_names[old] == new

    def province(self, name: str) -> str | None:
        """Return the province (its old name in the table) that ``name`` spells, if any."""
        for accented in (True, False):
            if phrase := key(name, accented):
                size, words = next(self._phrases[accented].at(phrase, 0), (0, ()))
                if words and size == len(phrase):
                    return self._spellings[words[0]].province
        bare = re.sub(rf"(?i)^{PREFIX}", "", name.strip())
        return self.province(bare) if bare != name.strip() else None

    def new_name(self, name: str) -> str | None:
        """Return the province since 1 July 2025 of an old (or new) province."""
        province = self.province(name)
        return None if province is None else self.new_names[province]

    def extent(self, name: str, as_of: dt.date | None = None) -> frozenset[str]:
        """Return the old provinces that ``name`` (a province or region) covers on ``as_of``.

        Without a date: as since 1 July 2025. A name that ended then always covers itself only;
        an unknown name covers nothing.
        """
        province = self.province(name)
        if province is None:
            region = self.regional.on(name, as_of)
            return region.extent if region else frozenset()
        if as_of is not None and as_of < MERGED:
            return frozenset({province})
        parts = (old for old, new in self.new_names.items() if new == province)
        return frozenset(parts) or frozenset({province})

    def regions(self, name: str, scheme: str | None = None) -> tuple[str, ...]:
        """Return the regions of ``scheme`` (default: the latest) that ``name`` lies in.

        A province since 2025 may lie in two regions of an older scheme.
        """
        scheme = scheme if scheme is not None else self.regional.schemes[-1]
        if scheme not in self.regional.schemes:
            known = ", ".join(self.regional.schemes)
            raise ValueError(f'không có cách chia vùng "{scheme}" (có: {known})')
        extent = self.extent(name)
        found = (r for r in self.all_regions if r.scheme == scheme and r.extent & extent)
        return tuple(region.name for region in found)

    def same_place(self, a: str, b: str, scheme: str | None = None) -> Nearness:
        """Tell how near two places are: the same, in one new province, in one region, or apart."""
        mine, theirs = self.province(a), self.province(b)
        extents = self.extent(a), self.extent(b)
        if not all(extents):
            return "unknown"
        if mine is None or theirs is None:  # at least one is a region
            if extents[0] == extents[1]:
                return "same"
            return "region" if extents[0] & extents[1] else "other"
        if mine == theirs:
            return "same"
        if self.new_names[mine] == self.new_names[theirs]:
            return "merged"
        shared = {*self.regions(mine, scheme)} & {*self.regions(theirs, scheme)}
        return "region" if shared else "other"


def _is_province(name: _Name, word: str, reading: Reading, start: int, size: int) -> bool:
    firsts = [reading.text[begin] for begin, _ in reading.bounds[start : start + size]]
    if (name.needs_capital or word.isupper()) and not all(first.isupper() for first in firsts):
        return False
    if name.avoid and name.avoid[reading.accented].around(reading, start) is not None:
        return False
    before = f" {' '.join(reading.tokens[max(0, start - 2) : start])}"
    if before.endswith(("thành phố", "thanh pho")):
        return True
    units = (" ".join(key(unit, reading.accented)) for unit in _NOT_A_PROVINCE)
    return not any(before.endswith(f" {unit}") for unit in units)


def _new_names(rows: Sequence[Row]) -> dict[str, str]:
    new_names: dict[str, str] = {}
    for row in rows:
        if row.text("name") in new_names:
            raise row.error("name", f'tỉnh "{row.text("name")}" đã có')
        new_names[row.text("name")] = row.text("new")
    for row in rows:
        if new_names.get(new := row.text("new")) != new:
            raise row.error("new", f'"{new}" không phải tên một tỉnh còn lại sau 1/7/2025')
    return new_names


def _spellings(row: Row) -> Iterator[tuple[str, _Name]]:
    for word in (row.text("name"), *row.many("aliases")):
        signs = row.many("avoid")
        avoid = contexts(word, [signs]) if signs else None
        yield word, _Name(row.text("name"), bool(row.cells["capital"]), avoid)
