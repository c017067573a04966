"""Ids for rows that came without: they follow from what tells one record from another.

The same file loaded again therefore gives the same ids, and is no change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from corpus.headings import field_of, title
from corpus.tables import Row, Table
from corpus.text import normalise

PREFIX: Final = {"technology": "CN", "product": "SP", "need": "NC", "proposal": "DX", "task": "NV"}
# What tells one record from another where a file gives no ids.
_IDENTITY: Final = {
    "technology": ("name", "owner", "year"),
    "product": ("name", "province"),
    "need": ("product", "text", "asker", "commune", "province"),
    "proposal": ("name", "proposer", "start"),
    "task": ("name", "lead", "start"),
}


def with_ids(table: Table, kind: str) -> Table:
    """Add a column of ids that follow from what tells a row from others."""
    columns = {found[0]: i for i, h in enumerate(table.headings) if (found := field_of(kind, h))}
    rows = []
    for row in table.rows:
        if row.problem or not any(cell and cell.strip() for cell in row.values):
            rows.append(row)
            continue
        key = f"{PREFIX[kind]}-{digest(kind, columns, row.values)}"
        sure = (1.0, *row.sure) if row.sure else ()
        rows.append(Row(row.number, (key, *row.values), sure=sure))
    return replace(table, headings=(title(kind, "id"), *table.headings), rows=tuple(rows))


def digest(kind: str, columns: Mapping[str, int], values: Sequence[str | None]) -> str:
    """Return ten hex digits of what tells a row from others; ``columns`` is field → column."""
    wanted = [columns[name] for name in _IDENTITY[kind] if name in columns]
    said = [(values[i] or "") if i < len(values) else "" for i in wanted]
    found = hashlib.sha256("\n".join(map(normalise, said)).encode("utf-8", "replace"))
    return found.hexdigest()[:10]
