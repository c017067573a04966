"""The economic regions in dated schemes: who divides the country how, since when.

A scheme that one report uses beside the one in force (Bình Thuận in Đông Nam Bộ) is there for those
who name it; it never answers for a date.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from corpus.lexicon_tables import Row, read_table
from corpus.text import squeeze

MERGED = dt.date(2025, 7, 1)  # on this day 63 provinces became 34
BEFORE = MERGED - dt.timedelta(days=1)
_COLUMNS = ("scheme", "from", "region", "provinces", "aliases")
_WITH_SCHEME = re.compile(r"(?P<name>[^()]*?)\s*(?:\((?:theo\s+)?(?P<scheme>[^()]*)\))?")


@dataclass(frozen=True)
class Region:
    """An economic region of one scheme; its extent is a set of old provinces.

    ``named``: the scheme is used only where somebody names it. ``source`` says who made it.
    """

    scheme: str
    since: dt.date
    name: str
    extent: frozenset[str]
    named: bool = False
    source: str = ""

    @property
    def label(self) -> str:
        """The region with its scheme, as a filter states it: :meth:`Regions.read` reads it."""
        return f"{self.name} ({self.scheme})"


@dataclass(frozen=True)
class Regions:
    """The regions of the table, the oldest scheme first; :meth:`load` makes one."""

    all: tuple[Region, ...]
    _names: Mapping[str, str]  # squeezed name or alias → region name

    @classmethod
    def load(cls, data: Traversable, new_names: Mapping[str, str]) -> Regions:
        """Read ``regions.csv``; ``new_names`` tell each old province's new one.

        Raises :class:`corpus.lexicon_tables.TableError` naming file, line and column of a bad cell.
        """
        rows = read_table(data, "regions.csv", _COLUMNS)
        made = sorted((_region(row, new_names) for row in rows), key=lambda each: each.since)
        return cls(tuple(made), dict(pair for row in rows for pair in _names(row)))

    @property
    def schemes(self) -> tuple[str, ...]:
        """The names of the schemes, the oldest first."""
        return tuple(dict.fromkeys(each.scheme for each in self.all))

    def on(self, name: str, as_of: dt.date | None = None) -> Region | None:
        """Return the region ``name`` of the scheme in force on ``as_of`` (default: the latest)."""
        known = [each for each in self._called(name) if not each.named]
        in_force = [each for each in known if as_of is None or each.since <= as_of]
        return in_force[-1] if in_force else None

    def read(self, text: str) -> Region | None:
        """Return the region that ``text`` names, of the scheme in brackets or else the latest."""
        match = _WITH_SCHEME.fullmatch(text.strip())
        if match is None:
            return None
        if match["scheme"] is None:
            return self.on(match["name"])
        wanted = squeeze(match["scheme"])
        found = (each for each in self._called(match["name"]) if squeeze(each.scheme) == wanted)
        return next(found, None)

    def _called(self, name: str) -> list[Region]:
        key = squeeze(name)
        region = self._names.get(key) or self._names.get(key.removeprefix("vung "))
        return [each for each in self.all if each.name == region]


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
    named, source = bool(row.cells.get("named")), row.cells.get("source", "")  # younger columns
    return Region(row.text("scheme"), since, row.text("region"), extent, named, source)


def _names(row: Row) -> Iterator[tuple[str, str]]:
    for name in (row.text("region"), *row.many("aliases")):
        yield squeeze(name), row.text("region")
