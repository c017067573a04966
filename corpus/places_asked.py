"""What somebody means who asks for a place, said back so that nothing stays implicit.

"An Giang" has two extents, "Đông Nam Bộ" three memberships, "huyện Châu Thành" is in ten provinces.
Asked for without more, each is read in the way of today and the reading is stated: a filter has a
:attr:`Asked.label` that means the same wherever it is read again, and a note where the words that
were typed could have meant something else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from corpus.places import Places
from corpus.places_address import Place
from corpus.places_area import Area, Lies, nearest, united
from corpus.places_regions import Region
from corpus.text import squeeze

Find = Callable[[str, dt.date | None], Sequence[Place]]
SINCE = "(từ 1/7/2025)"
UNTIL = "(trước 1/7/2025)"


@dataclass(frozen=True)
class Asked:
    """A place asked for: how it is called, what it covers, what is to be said about the reading.

    ``doubt`` is how it is called in "chưa xác định được thuộc … hay không". No areas: unknown.
    """

    label: str
    doubt: str
    areas: tuple[Area, ...]
    note: str = ""


def asked(text: str, places: Places) -> Asked:
    """Read one place that is asked for: a province, a part of one, a district, a region."""
    text = " ".join(text.split())
    if region := places.regional.read(text):
        return _region(text, region)
    found = places.find(text)
    if not found:
        note = f"Không nhận ra nơi “{text}”: hãy ghi tên tỉnh, huyện cũ (kèm tỉnh) hoặc vùng."
        return Asked(text, text, (), note)
    if len(found) == 1 and found[0].area == Area(found[0].extent):
        return _province(text, found[0], places)
    return Asked(text, text, united(each.area for each in found), _several(found))


def label(name: str, extent: frozenset[str], places: Places) -> str:
    """Return how a filter calls the province ``name`` with ``extent``, so that it has one."""
    if places.new_names.get(name) != name or len(places.extent(name)) == 1:
        return name
    return f"{name} {UNTIL if extent == {name} else SINCE}"


def stated(texts: Sequence[str], as_of: dt.date | None, find: Find) -> list[Area]:
    """Return the areas of the places that one record names.

    Args:
        texts: what it states of places.
        as_of: the day whose names it uses, as its dates tell; ``None``: not known.
        find: :meth:`corpus.places.Places.find`, or the same with a memory.
    """
    found = [each.area for text in texts for each in find(text, as_of)]
    # A commune straight under its province is how addresses are written since districts ended:
    # whatever its dates say, the record was written over since.
    if as_of is not None and any(each.commune and not each.districts for each in found):
        return stated(texts, None, find)
    return found


def areas(texts: Iterable[str], places: Places) -> tuple[Area, ...]:
    """Return what several places asked for cover together."""
    return united(area for each in texts for area in asked(each, places).areas)


def lies(found: Iterable[Area], wanted: Iterable[Area]) -> Lies:
    """Tell whether one of the areas ``found`` lies in one of those ``wanted``."""
    wanted = tuple(wanted)
    return nearest(mine.lies(each) for mine in found for each in wanted)


def _province(text: str, found: Place, places: Places) -> Asked:
    called = label(found.name, found.extent, places)
    part = found.extent != places.extent(places.new_names[found.name])
    note = ""
    if called.endswith(SINCE) and squeeze(text) != squeeze(called):
        parts = ", ".join(sorted(found.extent))
        note = (
            f"“{text}” được hiểu là {called}, gồm các tỉnh cũ {parts}."
            f" Để chỉ tìm phần cũ, ghi “{found.name} {UNTIL}”."
        )
    return Asked(called, f"{found.name} cũ" if part else called, (found.area,), note)


def _region(text: str, region: Region) -> Asked:
    note = ""
    if squeeze(text) != squeeze(region.label):
        note = f"“{text}” được hiểu là {region.label}, theo {region.source or region.scheme}."
    return Asked(region.label, region.label, (Area(region.extent),), note)


def _several(found: Iterable[Place]) -> str:
    """Say where a district asked for may lie in several provinces."""
    for each in found:
        if each.area.districts and len(each.extent) > 1:
            where = ", ".join(sorted(each.extent))
            return f"“{each.found}” có ở nhiều tỉnh cũ ({where}); hãy ghi kèm tỉnh cũ."
    return ""
