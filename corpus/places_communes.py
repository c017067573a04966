"""The register of communes: what each was made of on 1 July 2025, so that a name decides its place.

10,035 communes, wards and towns became 3,316. What an old and a new one have in common is a
:class:`Parcel`; every commune, old or new, is a set of parcels, and whatever can be told of two
communes follows from their sets. A name that several communes share decides nothing by itself:
what stands beside it, province or district, leaves some of them out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources.abc import Traversable

from corpus.lexicon_tables import Row, data_folder, read_table
from corpus.places_area import Area, District, Parcel
from corpus.places_regions import MERGED
from corpus.text import fold, has_accents, joined, normalise

FILE = "communes.csv"
PARTLY = "(một phần)"  # after an old commune that went to several new ones
_KIND = re.compile(r"(?:xã|phường|thị trấn|đặc khu) ")

Named = Mapping[str, Sequence[Parcel]]  # how a name is compared → parcels of communes so called


@dataclass(frozen=True)
class Communes:
    """The communes of before (``old``) and since 1 July 2025 (``new``), by name."""

    old: Named
    new: Named

    @classmethod
    def load(cls, data: Traversable, districts: Iterable[District]) -> Communes:
        """Read ``communes.csv`` (the program's where ``data`` is older than that table).

        Raises :class:`corpus.lexicon_tables.TableError` naming file, line and column of a bad cell.
        """
        data = data if data.joinpath(FILE).is_file() else data_folder()
        known = {f"{each.province}, {each.kind} {each.name}": each for each in districts}
        old: dict[str, list[Parcel]] = defaultdict(list)
        new: dict[str, list[Parcel]] = defaultdict(list)
        for row in read_table(data, FILE, ("province", "name", "parts")):
            parcels = [*_parcels(row, known)]
            new[_bare(row.text("name"))] += parcels
            for each in parcels:
                old[_bare(each.old)].append(each)
        return cls(old, new)

    @cached_property
    def folded(self) -> tuple[Named, Named]:
        """Both by their names without accents, for texts that carry none."""
        return _folded(self.old), _folded(self.new)

    def decided(self, area: Area, whole: bool, as_of: dt.date | None) -> Area:
        """Return ``area`` with the parcels that its commune may be; as it is where none is known.

        Args:
            area: a commune by name, in provinces and perhaps districts.
            whole: whether its provinces are one of today, so that communes of today may be meant.
            as_of: the day whose names are used; ``None``: either.
        """
        accented = has_accents(area.commune)
        name = _compared(area.commune if accented else fold(area.commune))
        old, new = (self.old, self.new) if accented else self.folded
        found = {each for each in old.get(name, ()) if _inside(each, area)}
        if whole and not area.districts and (as_of is None or as_of >= MERGED):
            found |= {each for each in new.get(name, ()) if _inside(each, area)}
        if not found:
            return area
        districts = frozenset(each.district for each in found)
        extent = frozenset(each.province for each in districts)
        return replace(area, extent=extent, districts=districts, parcels=frozenset(found))


def _inside(parcel: Parcel, area: Area) -> bool:
    if area.districts:
        return parcel.district in area.districts
    return parcel.district.province in area.extent


def _parcels(row: Row, known: Mapping[str, District]) -> Iterator[Parcel]:
    for part in row.many("parts"):
        place, _, names = part.partition(": ")
        if place not in known:
            raise row.error("parts", f'không có huyện "{place}" trong districts.csv')
        for name in names.split(", "):
            old = name.removesuffix(PARTLY).rstrip()
            if not _KIND.match(old):
                raise row.error("parts", f'"{name}" cần bắt đầu bằng xã, phường hoặc thị trấn')
            yield Parcel(known[place], old, row.text("name"))


def _bare(name: str) -> str:
    return _compared(_KIND.sub("", name, count=1))


def _compared(name: str) -> str:
    return joined(normalise(name).lower())


def _folded(named: Named) -> Named:
    found: dict[str, list[Parcel]] = defaultdict(list)
    for name, parcels in named.items():
        found[fold(name)] += parcels
    return found
