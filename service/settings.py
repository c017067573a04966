"""Settings as data: the options that several commands share, with their defaults and help."""

from __future__ import annotations

import datetime as dt
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer

from corpus.store import default_folder

SAMPLE_PRODUCTS = ("SP-029", "SP-030", "SP-048")  # whose match lists the demonstration prints


class Exit(IntEnum):
    """Exit codes of the command, documented in the README."""

    DONE = 0
    PARTLY = 1  # done, but rows were rejected or a check failed
    USAGE = 2  # the command's own words are off, or an id is unknown
    NO_DATA = 3  # store or index missing, damaged, busy, or of another corpus
    BAD_INPUT = 4  # a file or folder given as input cannot be read
    INTERRUPTED = 130


def _day(text: str) -> dt.datetime:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time())
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} không phải ngày, viết như 2026-11-23") from error


Data = Annotated[
    Path,
    typer.Option(
        "--data", help="Thư mục làm việc (mặc định: CUNGCAU_DATA, hoặc ./data).", show_default=False
    ),
]
DATA = default_folder
Json = Annotated[bool, typer.Option("--json", help="In JSON cho chương trình khác đọc.")]
AsOf = Annotated[
    dt.datetime | None,
    typer.Option(
        "--as-of", parser=_day, metavar="NGÀY", help="Ngày xét hiệu lực (mặc định: hôm nay)."
    ),
]
Top = Annotated[int, typer.Option("-k", "--top", min=1, max=1000, help="Số kết quả.")]
EncoderChoice = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        metavar="e5-int8|e5|none|THƯ MỤC",
        help="Bộ mã hóa ngữ nghĩa: e5-int8 (nhanh, cần AVX2), e5, none (chỉ theo từ ngữ), hoặc "
        "thư mục mô hình. Không nêu: như chỉ mục đang có; chưa có thì e5-int8, không được thì e5.",
    ),
]
Restricted = Annotated[
    bool, typer.Option("--nda", help="Đọc cả phần theo NDA (chỉ dùng khi có quyền).")
]
Parts = Annotated[bool, typer.Option("--parts", help="In từng phần của điểm số.")]


def today(as_of: dt.datetime | None) -> dt.date:
    """The day a command speaks of: ``--as-of``, else the clock's."""
    return as_of.date() if as_of else dt.date.today()
