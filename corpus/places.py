"""Provinces before and after 1 July 2025, and the economic regions, by date.

63 provinces became 34. A name that survived ("An Giang") covers more after that day than before,
a name that went ("Kiên Giang") still covers what it covered. Everything is therefore expressed in
old provinces, the smaller pieces: a place is the set of old provinces it covers. Districts ended
and communes were redrawn; they are not kept here, and a name after "xã", "huyện" … is no province.

By whose rule: Resolution 202/2025/QH15 (the 34); Decree 92/2006, Resolution 81/2023/QH15 and
Resolution 306/NQ-CP of 5 October 2025 (the regions). The tables are in ``corpus/data``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from corpus.lexicon_tables import Row, data_folder, read_table
from corpus.phrases import Both, Contexts, Reading, both, contexts, key, read, span_at
from corpus.text import squeeze

MERGED = dt.date(2025, 7, 1)
Nearness = Literal["same", "merged", "region", "other", "unknown"]
_NOT_A_PROVINCE = (
    "xã", "phường", "đặc khu", "huyện", "quận", "thị trấn", "thị xã", "ấp", "thôn", "đường", "phố",
)  # fmt: skip
_PREFIX = r"(?:(?:tỉnh|thành phố|tp)[\s.]+)*"
_NOW_PART_OF = re.compile(rf"[\s(,–-]*(?:nay|hiện) (?:là|thuộc)\s+{_PREFIX}")
_IN_BRACKETS = re.compile(rf"\s*[(,–-]\s*(?:(?:trước đây|nguyên) là\s+|thuộc\s+)?{_PREFIX}")
_FORMER = re.compile(r"[\s(]*(?:cũ|trước đây|trước sáp nhập)(?!\w)\s*\)?")
_CLOSED = re.compile(r"\s*\)")


@dataclass(frozen=True)
class Place:
    """A province named at ``[start, end)`` of a text, and the old provinces it covers."""

    start: int
    end: int
    found: str
    name: str
    extent: frozenset[str]


@dataclass(frozen=True)
class Region:
    """An economic region of one scheme; its extent is a set of old provinces."""

    scheme: str
    since: dt.date
    name: str
    extent: frozenset[str]


@dataclass(frozen=True)
class _Name:
    """How one province may be written, and the phrases in which the word is something else."""

    province: str
    needs_capital: bool
    avoid: tuple[Contexts, Contexts] | None


@dataclass(frozen=True)
class Places:
    """The provinces and regions of the tables; :meth:`load` makes one."""

    new_names: Mapping[str, str]  # old province → province since 1 July 2025
    all_regions: tuple[Region, ...]  # oldest scheme first
    _spellings: Mapping[str, _Name]  # spelling → province
    _region_keys: Mapping[str, str]  # squeezed name or alias → region name
    _phrases: Both

    @classmethod
    def load(cls, folder: Path | None = None) -> Places:
        """Read ``provinces.csv`` and ``regions.csv`` of ``folder`` (default: the package's).

        Raises :class:`corpus.lexicon_tables.TableError` naming file, line and column of a bad cell.
        """
        data = data_folder(folder)
        rows = read_table(data, "provinces.csv", ("name", "new", "aliases", "capital", "avoid"))
        new_names = _new_names(rows)
        spellings = {word: name for row in rows for word, name in _spellings(row)}
        columns = ("scheme", "from", "region", "provinces", "aliases")
        region_rows = read_table(data, "regions.csv", columns)
        regions = sorted((_region(row, new_names) for row in region_rows), key=_since)
        return cls(
            new_names=new_names,
            all_regions=tuple(regions),
            _spellings=spellings,
            _region_keys=dict(pair for row in region_rows for pair in _region_keys(row)),
            _phrases=both(spellings),
        )

    def find(self, text: str, as_of: dt.date | None = None) -> tuple[Place, ...]:
        """Return the provinces that ``text`` names; offsets refer to ``normalise(text)``.

        "An Giang (Kiên Giang cũ)" and "Kiên Giang, nay là An Giang" are one place, the old
        Kiên Giang. Other names mean what they mean on ``as_of`` (default: since 1 July 2025).
        """
        reading = read(text)
        places = [*self._mentions(reading, as_of)]
        found: list[Place] = []
        while places:
            first, *rest = places
            joined = self._joined(reading.text, first, rest[0]) if rest else None
            found.append(joined or self._former(reading.text, first))
            places = rest[1:] if joined else rest
        return tuple(found)

    def _mentions(self, reading: Reading, as_of: dt.date | None) -> Iterator[Place]:
        for start, size, words in self._phrases[reading.accented].find(reading.tokens):
            name = self._spellings[words[0]]
            if _is_province(name, words[0], reading, start, size):
                span = span_at(reading, start, size)
                extent = self.extent(name.province, as_of)
                yield Place(span.start, span.end, span.text, name.province, extent)

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
        found = text[first.start : end]
        return Place(first.start, end, found, old.name, frozenset({old.name}))

    def _former(self, text: str, place: Place) -> Place:
        if _FORMER.match(text[place.end :].lower()):
            return replace(place, extent=frozenset({place.name}))
        return place

    def _became(self, old: str, new: str) -> bool:
        return old != new and self.new_names[old] == new

    def province(self, name: str) -> str | None:
        """Return the province (its old name in the table) that ``name`` spells, if any."""
        for accented in (True, False):
            if phrase := key(name, accented):
                size, words = next(self._phrases[accented].at(phrase, 0), (0, ()))
                if words and size == len(phrase):
                    return self._spellings[words[0]].province
        bare = re.sub(rf"(?i)^{_PREFIX}", "", name.strip())
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
            return self._region_extent(name, as_of)
        if as_of is not None and as_of < MERGED:
            return frozenset({province})
        parts = (old for old, new in self.new_names.items() if new == province)
        return frozenset(parts) or frozenset({province})

    def _region_extent(self, name: str, as_of: dt.date | None) -> frozenset[str]:
        region = self._region_keys.get(squeeze(name)) or self._region_keys.get(
            squeeze(name).removeprefix("vung ")
        )
        known = [r for r in self.all_regions if r.name == region]
        in_force = [r for r in known if as_of is None or r.since <= as_of]
        return in_force[-1].extent if in_force else frozenset()

    def regions(self, name: str, scheme: str | None = None) -> tuple[str, ...]:
        """Return the regions of ``scheme`` (default: the latest) that ``name`` lies in.

        A province since 2025 may lie in two regions of an older scheme.
        """
        scheme = scheme if scheme is not None else self.all_regions[-1].scheme
        if all(region.scheme != scheme for region in self.all_regions):
            known = ", ".join(dict.fromkeys(region.scheme for region in self.all_regions))
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


def _region(row: Row, new_names: Mapping[str, str]) -> Region:
    try:
        since = dt.date.fromisoformat(row.text("from"))
    except ValueError as error:
        raise row.error("from", "cần ngày dạng 2025-10-05") from error
    members = row.many("provinces")
    for name in members:
        if name not in new_names:
            raise row.error("provinces", f'không có tỉnh "{name}"')
    current = new_names if since >= MERGED else {name: name for name in new_names}
    extent = frozenset(old for old, new in current.items() if new in members)
    return Region(row.text("scheme"), since, row.text("region"), extent)


def _since(region: Region) -> dt.date:
    return region.since


def _region_keys(row: Row) -> Iterator[tuple[str, str]]:
    for name in (row.text("region"), *row.many("aliases")):
        yield squeeze(name), row.text("region")
