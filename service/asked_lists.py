"""Lists of the bodies to ask, as people paste or load them: name; kind; contact.

The kind may be left out where the name tells it ("Sở …", "UBND xã …", "Công ty …").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from corpus.gathering import AskedKind
from corpus.tables import Table, read_tables
from corpus.text import normalise, squeeze

# First words of a name → kind, tried in this order: "hợp tác xã" is no "xã".
_BEGINNINGS: Final = (
    (AskedKind.ENTERPRISE, ("cong ty", "hop tac xa", "htx", "doanh nghiep", "tap doan")),
    (AskedKind.COMMUNE, ("ubnd xa", "ubnd phuong", "ubnd dac khu", "uy ban nhan dan xa",
                         "uy ban nhan dan phuong", "uy ban nhan dan dac khu", "xa", "phuong",
                         "dac khu")),
    (AskedKind.DEPARTMENT, ("so", "ban", "chi cuc", "trung tam", "vien", "truong", "hoi")),
)  # fmt: skip
_KINDS: Final = {
    **{squeeze(kind): kind for kind in AskedKind},
    "so nganh": AskedKind.DEPARTMENT,
    "phuong": AskedKind.COMMUNE,
    "dac khu": AskedKind.COMMUNE,
    "htx": AskedKind.ENTERPRISE,
    "hop tac xa": AskedKind.ENTERPRISE,
}
_NAMES: Final = frozenset(
    {"ten", "co quan", "don vi", "ten don vi", "ten co quan", "co quan don vi", "don vi duoc hoi"}
)
_KIND, _CONTACT = frozenset({"loai", "loai don vi"}), frozenset({"lien he", "thong tin lien he"})


class Body(NamedTuple):
    """A body to ask."""

    name: str
    kind: AskedKind
    contact: str | None


class AskedListError(ValueError):
    """A list that cannot be meant; the message says where and what to do."""


def pasted(text: str) -> tuple[Body, ...]:
    """Return the bodies of a pasted list: one a line, its parts apart by ``;`` or tabs.

    Raises:
        AskedListError: a line cannot be meant.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = next(csv.reader(io.StringIO(line), delimiter="\t" if "\t" in line else ";"), [])
        if any(map(str.strip, parts)) and not (number == 1 and squeeze(parts[0]) in _NAMES):
            found.append(_body(parts, f"dòng {number}"))
    return tuple(found)


def loaded(path: Path) -> tuple[Body, ...]:
    """Return the bodies of a CSV or XLSX file with a column for the name.

    Raises:
        UnreadableFile: it is no table.
        AskedListError: it has no such column, or a row cannot be meant.
    """
    return tuple(body for table in read_tables(path) for body in _of_table(table))


def _of_table(table: Table) -> Iterator[Body]:
    headings = [squeeze(each) for each in table.headings]
    columns = [_column(headings, known) for known in (_NAMES, _KIND, _CONTACT)]
    if columns[0] is None:
        raise AskedListError(
            f"{table.file}: cần cột “Đơn vị” (và nên có “Loại”, “Liên hệ”); các cột đọc được: "
            + ", ".join(each for each in table.headings if each)
        )
    for row in table.rows:
        cells = [row.values[n] if n is not None and n < len(row.values) else "" for n in columns]
        yield _body([each or "" for each in cells], f"{table.file}, dòng {row.number}")


def _column(headings: Sequence[str], known: Iterable[str]) -> int | None:
    return next((number for number, each in enumerate(headings) if each in known), None)


def _body(parts: Sequence[str], where: str) -> Body:
    name, kind, contact = (*map(normalise, parts[:3]), *[""] * 3)[:3]
    contact = "; ".join(filter(None, [contact, *map(normalise, parts[3:])]))
    if not name:
        raise AskedListError(f"{where}: thiếu tên đơn vị")
    return Body(name, _kind(kind, name, where), contact or None)


def _kind(told: str, name: str, where: str) -> AskedKind:
    if told:
        found = kind_of(told)
        if found is None:
            raise AskedListError(f"{where}: “{told[:60]}” không phải loại đơn vị; dùng: {KINDS}")
        return found
    words = f"{squeeze(name)} "
    for kind, beginnings in _BEGINNINGS:
        if any(words.startswith(f"{each} ") for each in beginnings):
            return kind
    raise AskedListError(f"{where}: “{name[:60]}” là loại đơn vị nào? Ghi thêm một trong: {KINDS}")


def kind_of(told: str) -> AskedKind | None:
    """Return the kind that people call ``told``."""
    return _KINDS.get(squeeze(told))


KINDS: Final = ", ".join(AskedKind)
