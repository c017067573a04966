"""The parts of an address put together: communes to their district, districts to their province.

"xã Mỹ Khánh, TP. Long Xuyên, An Giang" is one place, "An Giang (huyện Châu Phú)" as well, and
"huyện Châu Phú, Tri Tôn, tỉnh An Giang" are two. A district that cannot lie in the province beside
it stays a place of its own; nothing is corrected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from corpus.places_area import Area
from corpus.places_units import Piece

PREFIX = r"(?:(?:tỉnh|thành phố|tp)[\s.]+)*"  # before a province's name
_UP = re.compile(rf"[\s,;(–-]*(?:(?:thuộc|của)\s+)?{PREFIX}", re.IGNORECASE)
_BESIDE = re.compile(r"[\s,;(–-]*(?:(?:và|thuộc|của)\s+)?", re.IGNORECASE)
_DOWN = re.compile(r"\s*[(,:–-]\s*(?:các\s+)?", re.IGNORECASE)  # from a province to its districts


@dataclass(frozen=True)
class Place:
    """A province, or districts or a commune in it, named at ``[start, end)`` of a text.

    ``name`` is the province (its old name in the table); "": a district of several provinces.
    """

    start: int
    end: int
    found: str
    name: str
    area: Area

    @property
    def extent(self) -> frozenset[str]:
        """The old provinces that may be meant."""
        return self.area.extent


def addresses(text: str, parts: Iterable[Piece | Place]) -> Iterator[Place]:
    """Yield the places of ``text`` in order; ``parts`` are its provinces and pieces, in order."""
    above: Place | None = None  # a province that what follows may lie in
    waiting: list[Piece] = []
    for each in parts:
        if waiting and not _goes_on(text[waiting[-1].end : each.start], each):
            yield from _below(text, above, waiting)
            above, waiting = None, []
        if isinstance(each, Place):
            yield from _settled(text, above, waiting, each)
            above, waiting = (None, []) if waiting and _merges(waiting, each) else (each, [])
        else:
            if above and not waiting and not _DOWN.fullmatch(text[above.end : each.start]):
                yield above
                above = None
            waiting.append(each)
    yield from _below(text, above, waiting)


def _goes_on(gap: str, part: Piece | Place) -> bool:
    return bool((_UP if isinstance(part, Place) else _BESIDE).fullmatch(gap))


def _entries(waiting: Sequence[Piece]) -> list[Piece]:
    """Give communes the district that follows them; those without one stay as they are."""
    found: list[Piece] = []
    communes: list[Piece] = []
    for each in waiting:
        if not each.districts:
            communes.append(each)
            continue
        found += [replace(one, districts=each.districts, bare=each.bare) for one in communes[:-1]]
        nearest = communes[-1] if communes else each
        found.append(replace(each, start=nearest.start, commune=nearest.commune))
        communes = []
    return [*found, *communes]


def _area(entry: Piece, province: Place | None) -> Area | None:
    """Where an entry lies, if it may lie in ``province`` (``None``: none is named)."""
    if not entry.districts:
        return Area(province.extent, commune=entry.commune) if province else None
    if entry.bare and province is None:
        return None
    extent = frozenset(each.province for each in entry.districts)
    area = Area(extent, entry.districts, entry.commune)
    return area.narrowed(province.extent) if province else area


def _merges(waiting: Sequence[Piece], province: Place) -> bool:
    return _area(_entries(waiting)[-1], province) is not None


def _settled(
    text: str, above: Place | None, waiting: Sequence[Piece], province: Place
) -> Iterator[Place]:
    """Yield what stands before ``province``, and with the last entry the province itself."""
    if not waiting or not _merges(waiting, province):
        yield from _below(text, above, waiting)
        return
    if above:
        yield above
    entries = _entries(waiting)
    for entry in entries[:-1]:
        yield from _alone(text, entry, province)
    last = entries[-1]
    area = _area(last, province)
    assert area is not None  # it merges
    yield Place(last.start, province.end, text[last.start : province.end], province.name, area)


def _below(text: str, above: Place | None, waiting: Sequence[Piece]) -> Iterator[Place]:
    """Yield the entries that follow a province, the first of them with the province."""
    entries = _entries(waiting)
    if above and entries and (area := _area(entries[0], above)):
        first, *entries = entries
        yield Place(above.start, first.end, text[above.start : first.end], above.name, area)
    elif above:
        yield above
        above = None
    for entry in entries:
        yield from _alone(text, entry, above)


def _alone(text: str, entry: Piece, province: Place | None) -> Iterator[Place]:
    area = _area(entry, province) or _area(entry, None)
    if area:
        name = min(area.extent) if len(area.extent) == 1 else ""
        yield Place(entry.start, entry.end, text[entry.start : entry.end], name, area)
