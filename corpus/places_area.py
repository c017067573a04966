"""What a name of a place leaves open: the old provinces, districts and commune it may be.

Everything is expressed in what there was until 30 June 2025, the smaller pieces. "An Giang" without
a date may be either part of today's province, "huyện Châu Thành" one of many: an area holds all of
them. An area lies *inside* another where every one of its candidates does, *outside* where none
does; in between nobody can tell, and nobody guesses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from corpus.text import squeeze

Lies = Literal["inside", "perhaps", "outside"]
T = TypeVar("T")
_ORDER: tuple[Lies, ...] = ("inside", "perhaps", "outside")


@dataclass(frozen=True, order=True)
class District:
    """A district of one old province: huyện, quận, thị xã, or a city of a province."""

    province: str
    kind: str
    name: str


@dataclass(frozen=True, order=True)
class Parcel:
    """What a commune of before 1 July 2025 and one of since then have in common."""

    district: District
    old: str  # "xã Bình An"
    new: str


@dataclass(frozen=True)
class Area:
    """One of ``extent``'s old provinces, there one of ``districts``, there ``commune``.

    No districts and an empty commune: none was named, so it may be any. ``parcels`` are what the
    register knows of the commune; none: it knows none of that name there.
    """

    extent: frozenset[str]
    districts: frozenset[District] = frozenset()
    commune: str = ""  # its name as written, without the word before it
    parcels: frozenset[Parcel] = frozenset()

    def narrowed(self, extent: frozenset[str]) -> Area | None:
        """Return the part in ``extent``, or ``None`` where there is none."""
        districts = frozenset(each for each in self.districts if each.province in extent)
        if self.districts and not districts:
            return None
        left = frozenset(each.province for each in districts) or self.extent & extent
        parcels = frozenset(each for each in self.parcels if each.district.province in extent)
        return Area(left, districts, self.commune, parcels) if left else None

    def lies(self, asked: Area) -> Lies:
        """Tell whether this lies in ``asked``, whatever of its candidates is meant."""
        return _worst(
            _among(self.extent, asked.extent),
            _among(self.districts, asked.districts) if asked.districts else "inside",
            self._in_commune(asked) if asked.commune else "inside",
        )

    def _in_commune(self, asked: Area) -> Lies:
        """By their parcels; else two names differ for sure only in one time's names."""
        if self.parcels and asked.parcels:
            return _among(self.parcels, asked.parcels)
        if self.commune and squeeze(self.commune) == squeeze(asked.commune):
            return "inside"
        both_old = self.commune and self.districts and asked.districts
        return "outside" if both_old else "perhaps"


def _among(mine: frozenset[T], asked: frozenset[T]) -> Lies:
    if not mine:
        return "perhaps"
    return "inside" if mine <= asked else "outside" if mine.isdisjoint(asked) else "perhaps"


def _worst(*found: Lies) -> Lies:
    return max(found, key=_ORDER.index)


def nearest(found: Iterable[Lies]) -> Lies:
    """Return the best of several answers; of none: outside."""
    return min(found, key=_ORDER.index, default="outside")


def united(areas: Iterable[Area]) -> tuple[Area, ...]:
    """Return the same areas with whole provinces put together into one.

    An undecided "An Giang" lies inside its two old parts together, though in neither alone.
    """
    areas = tuple(areas)
    whole = frozenset[str]().union(
        *(each.extent for each in areas if not each.districts and not each.commune)
    )
    parts = (each for each in areas if each.districts or each.commune)
    return (*([Area(whole)] if whole else []), *dict.fromkeys(parts))
