"""A whole store in one file, taken while others write, put back on either database.

The file is gzipped lines of JSON: a first line that says what it is, then every row of every table,
all read in one transaction, so of one moment. Putting it back is one transaction too, and ends with
the chain of digests worked out anew: what was damaged on the way is not restored.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.schema import change_table, metadata, record_table
from corpus.store import EMPTY_DIGEST, State, Store, StoreError
from corpus.writing import chained, state_of
from service import ledger

FORMAT = "cungcau backup 1"
BATCH = 500  # rows written at a time
# A table stands after those that it refers to.
TABLES = {each.name: each for each in (*metadata.sorted_tables, *ledger.metadata.sorted_tables)}
Row = tuple[str, dict[str, Any]]  # table and values


def backup(store: Store, path: Path) -> State:
    """Write all of ``store`` to ``path``, which is replaced only once the new file is whole.

    Raises:
        StoreError: the store cannot be read. OSError: the file cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with store.database.transaction() as connection, gzip.open(part, "wt", 6, "utf-8") as out:
            state = state_of(connection)
            out.write(_line({"format": FORMAT, "revision": state.revision, "digest": state.digest}))
            for table in TABLES.values():
                ordered = sa.select(table).order_by(*table.primary_key.columns)
                for row in connection.execute(ordered).mappings():
                    out.write(_line({"table": table.name, "row": dict(row)}))
            out.write(_line({"end": True}))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return state


def restore(path: Path, where: Path | str, force: bool = False) -> State:
    """Put what ``path`` holds into the store of a folder or URL; return the state it has then.

    Raises:
        StoreError: the file is none of ours or damaged, or the store has data and ``force`` is not
            given; the store is as it was before.
    """
    head = next(_lines(path))
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise StoreError(f"{path} không phải tệp sao lưu của Cung Cầu, hoặc của phiên bản khác")
    with Store.create(where) as store, store.database.transaction(write=True) as connection:
        if state_of(connection).revision and not force:
            raise StoreError(f"{store.name} đã có dữ liệu: chọn nơi khác, hoặc thêm --force")
        for table in reversed(TABLES.values()):
            connection.execute(table.delete())
        _fill(connection, path)
        state = state_of(connection)
        if state != State(head["revision"], head["digest"]) or not _whole(connection):
            raise StoreError(f"{path} bị hỏng: chuỗi thay đổi không khớp; dữ liệu cũ còn nguyên")
    return state


def _fill(connection: Connection, path: Path) -> None:
    waiting: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for line in _rows(path):
        name, row = line
        if name not in waiting:
            raise StoreError(f"{path} có bảng {name!r} mà chương trình này không biết: cập nhật")
        waiting[name].append(row)
        if len(waiting[name]) >= BATCH:
            _put_all(connection, waiting)
    _put_all(connection, waiting)
    if connection.dialect.name == "postgresql":  # what counts up goes on after what was put back
        last = sa.func.coalesce(sa.func.max(ledger.audit_table.c.id), 1)
        counter = sa.func.pg_get_serial_sequence("audit", "id")
        connection.execute(sa.select(sa.func.setval(counter, last)))


def _put_all(connection: Connection, waiting: dict[str, list[dict[str, Any]]]) -> None:
    for name, rows in waiting.items():  # in the order of tables: what is referred to comes first
        if rows:
            connection.execute(TABLES[name].insert(), rows)
            waiting[name] = []


def _whole(connection: Connection) -> bool:
    """Whether every digest follows from the one before, and every record is its last change."""
    digest, last = EMPTY_DIGEST, dict[tuple[str, str], str]()
    change, record = change_table.c, record_table.c
    query = sa.select(
        change.revision, change.action, change.kind, change.id, change.hash, change.digest
    ).order_by(change.revision)
    for number, row in enumerate(connection.execute(query), 1):
        digest = chained(digest, row.action, row.kind, row.id, row.hash)
        if row.digest != digest or row.revision != number:
            return False
        last[row.kind, row.id] = row.hash
        if row.action == "removed":
            del last[row.kind, row.id]
    rows = connection.execute(sa.select(record.kind, record.id, record.hash))
    return {(row.kind, row.id): row.hash for row in rows} == last


def _rows(path: Path) -> Iterator[Row]:
    lines = _lines(path)
    next(lines)
    ended = False
    for line in lines:
        if ended or not isinstance(line, dict) or not ({"table", "row"} <= set(line) or
                                                       "end" in line):  # fmt: skip
            raise StoreError(f"{path} bị hỏng: có dòng không đọc được; dữ liệu cũ còn nguyên")
        if "end" in line:
            ended = True
        else:
            yield str(line["table"]), line["row"]
    if not ended:
        raise StoreError(f"{path} bị cắt cụt: sao lưu chưa xong; dữ liệu cũ còn nguyên")


def _lines(path: Path) -> Iterator[Any]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (gzip.BadGzipFile, EOFError, ValueError) as error:
        raise StoreError(f"{path} không phải tệp sao lưu của Cung Cầu, hoặc đã hỏng") from error


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
