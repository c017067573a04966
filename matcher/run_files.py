"""The files of a yearly run: the columns of its tables, and how files are written whole.

The layout is told in :mod:`matcher.batch`. A file is written under a temporary name beside its
place, synced and renamed, so that whoever looks sees all of it or nothing; nothing in it depends on
the clock, the machine's name or the order in which threads ended.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from matcher.explain import ADAPT, PARTS, REFERENCE, SUITS

NOT_FOUND = "chưa tìm thấy"
LEVELS = (SUITS, ADAPT, REFERENCE, NOT_FOUND)  # how well a need is answered, best first
BLOCK = 5_000  # records in a row group

_text, _flag = pa.string(), pa.bool_()
NEED_COLUMNS = pa.schema(
    [
        ("id", _text),
        ("product", _text),
        ("text", _text),
        ("level", _text),  # one of LEVELS
        ("answerable", pa.float64()),  # probability that anything in the collection is of use
        ("hits", pa.int64()),  # records that the need finds, listed or not
        ("blocked", pa.int32()),  # better than a reference, but breaking a hard rule
        ("notices", pa.list_(_text)),
        ("illustrative", _flag),
        ("asked", _text),  # digest of the need and its product, as they were matched
        ("body", _text),  # the record as JSON
    ]
)
MATCH_COLUMNS = pa.schema(
    [
        ("need", _text),
        ("technology", _text),
        ("apart", _flag),  # breaks a hard rule of the need: listed apart
        ("rank", pa.int32()),  # from 1, in its list
        ("label", _text),
        ("usefulness", pa.float64()),  # calibrated probability, comparable between needs
        ("score", pa.float64()),  # the sum of the parts
        *((f"part_{name}", pa.float64()) for name in PARTS),  # null: no such part
        ("coverage", pa.float64()),
        ("cosine", pa.float64()),
        ("relation", _text),  # of the products: same, broader, near, other, unknown
        ("reason", _text),
        ("lacks", _text),
        ("breaches", pa.list_(pa.struct([("rule", _text), ("reason", _text)]))),
    ]
)
RECORD_COLUMNS = pa.schema(
    [("id", _text), ("name", _text), ("illustrative", _flag), ("body", _text)]
)


def level(listed: Iterable[tuple[str, str, bool]]) -> str:
    """Return how well a need is answered by what is listed for it.

    Args:
        listed: label, relation of the products, and whether a hard rule is broken, of each. What
            breaks a rule answers nothing, nor does a reference about another product.
    """
    usable = [(label, relation) for label, relation, apart in listed if not apart]
    labels = {label for label, _ in usable if label != REFERENCE}
    if any(relation != "other" for _, relation in usable):
        labels.add(REFERENCE)
    return next((each for each in LEVELS if each in labels), NOT_FOUND)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BLOCK):
            yield from batch.to_pylist()


def count(path: Path) -> int:
    """Return how many rows a table has."""
    return int(pq.read_metadata(path).num_rows)


def write_whole(path: Path, fill: Callable[[IO[bytes]], None]) -> None:
    """Write a file aside, sync and rename it: it is there whole, or as it was before.

    Raises:
        OSError: it cannot be written (the disk is full …); nothing is left behind.
    """
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).chmod(0o644)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def write_table(path: Path, schema: pa.Schema, groups: Iterable[list[dict[str, Any]]]) -> None:
    """Write rows to a Parquet file, each group of them as it comes."""

    def fill(file: IO[bytes]) -> None:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for group in groups:
                writer.write_table(pa.Table.from_pylist(group, schema=schema))

    write_whole(path, fill)


def join_tables(path: Path, schema: pa.Schema, parts: Iterable[Path]) -> None:
    """Write the tables of ``parts`` one after another, a row group each, to one file."""

    def fill(file: IO[bytes]) -> None:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for each in parts:
                writer.write_table(pq.ParquetFile(each).read())

    write_whole(path, fill)


def json_bytes(facts: Mapping[str, Any]) -> bytes:
    """Return facts as JSON with sorted keys."""
    text = json.dumps(facts, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n"
    return text.encode()


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Write facts as JSON with sorted keys."""
    write_bytes(path, json_bytes(facts))


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to a file, whole or not at all."""

    def fill(file: IO[bytes]) -> None:
        file.write(data)

    write_whole(path, fill)


def digest_of(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's content; "" where there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
