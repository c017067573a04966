"""Rankings as files: the six columns that TREC tools exchange, read with every fault located.

Records are ordered by rank, as the file's writer ordered them: scores are rounded and may tie.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from corpus.headings import shorten
from matcher.testsets import lines

Ranked = Mapping[str, Sequence[str]]  # query → records, best first
LONGEST = 2_000  # characters of a line; two ids and three short cells are far below
# `cungcau evaluate` writes ids as they are; one with spaces makes more than six words of a line.
_SPACED = re.compile(r"(\S.*?)\s+Q0\s+(\S.*?)\s+(\d+)\s+(\S+)\s+(\S+)\s*")


class RunError(ValueError):
    """A run file cannot be read or does not belong to the collection; the message says where."""


def read_run(path: Path) -> dict[str, list[str]]:
    """Read a TREC run file: query, Q0, record, rank, score, tag on each line.

    Returns:
        The records of each query, best first; queries in the order of their ids.

    Raises:
        RunError: a line has other columns, a rank or a record comes twice for one query, or the
            file is empty; the message names file and line.
        TestSetError: the file is missing or not UTF-8.
    """
    ranks: dict[str, dict[int, str]] = {}
    places: dict[tuple[str, str], int] = {}
    for number, line in lines(path):
        query, record, rank = _cells(line, f"{path} dòng {number}")
        first = places.setdefault((query, record), number)
        if first != number:
            raise RunError(f"{path} dòng {number}: {query} – {record} đã có ở dòng {first}")
        taken = ranks.setdefault(query, {})
        if rank in taken:
            told = f"thứ hạng {rank} của {query} đã dùng cho {taken[rank]}"
            raise RunError(f"{path} dòng {number}: {told}")
        taken[rank] = record
    if not ranks:
        raise RunError(f"{path} không có dòng nào")
    return {
        query: [record for _, record in sorted(found.items())]
        for query, found in sorted(ranks.items())
    }


def _cells(line: str, place: str) -> tuple[str, str, int]:
    """Return query, record and rank of one line; ``place`` names it in messages."""
    words = line.split() if len(line) <= LONGEST else []
    if len(words) == 6:
        query, _, record, rank, score, _ = words
    else:
        spaced = _SPACED.fullmatch(line) if words else None
        if spaced is None:
            expected = "cần 6 cột: truy vấn, Q0, bản ghi, thứ hạng, điểm, tên"
            raise RunError(f'{place}: {expected}; dòng là "{shorten(line)}"')
        query, record, rank, score, _ = spaced.groups()
    if not _is_whole(rank):
        raise RunError(f'{place}: thứ hạng "{shorten(rank)}" không phải số nguyên từ 0')
    if not _is_number(score):
        raise RunError(f'{place}: điểm "{shorten(score)}" không phải số')
    return query, record, int(rank)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
