"""Documents → blocks: which format a file is, and which reader reads it.

The content decides, not the extension. Documents come from anywhere, so each is read in a process
of its own (:mod:`corpus.apart`); this module is what runs there.
"""

from __future__ import annotations

import io
import zipfile
from enum import StrEnum
from pathlib import Path
from typing import Final

from corpus.blocks import LINE, MAX_BLOCKS, MAX_CELLS, Document, Grid, Line
from corpus.doc_docx import BROKEN, read_docx
from corpus.doc_html import read_html
from corpus.doc_ole import read_ole
from corpus.doc_pdf import read_pdf
from corpus.doc_rtf import read_rtf
from corpus.files import Limits, UnreadableFile, by_line, check_burst, load_bytes

SUFFIXES: Final = (".docx", ".doc", ".pdf", ".rtf", ".html", ".htm", ".txt", ".md", ".xls")
TEXT_SUFFIXES: Final = frozenset({".txt", ".md", ""})
_HTML: Final = (b"<!doctype html", b"<html", b"<head", b"<body", b"<table")


class Format(StrEnum):
    """What a file is by its content; ``TABLE``: for :mod:`corpus.tables` to read or refuse."""

    DOCX, PDF, OLE, RTF, HTML, TEXT = "DOCX", "PDF", "DOC hoặc XLS", "RTF", "HTML", "TXT"
    ZIP, TABLE = "ZIP", "bảng"


_NAMED: Final = {
    Format.DOCX: {".docx", ".docm"},
    Format.PDF: {".pdf"},
    Format.OLE: {".doc", ".xls"},
    Format.RTF: {".rtf", ".doc"},
    Format.HTML: {".html", ".htm", ".xls", ".doc"},
    Format.TEXT: set(TEXT_SUFFIXES),
}


def format_of(path: Path, data: bytes) -> Format:
    """Return what ``data``, the content of the file at ``path``, is."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if data[:1024].find(b"%PDF-") >= 0:
        return Format.PDF
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return Format.OLE
    if data.startswith(b"{\\rtf"):
        return Format.RTF
    named = path.suffix.lower()
    if data.startswith(b"PK"):
        return _package(data, named)
    if (
        named in {".html", ".htm"}
        or start.startswith(_HTML)
        or (start.startswith(b"<?xml") and b"<html" in start)
    ):
        return Format.HTML
    return Format.TEXT if named in TEXT_SUFFIXES else Format.TABLE


def _package(data: bytes, named: str) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = package.namelist()
    except Exception:  # broken: for the reader of what it is called to refuse
        return {".docx": Format.DOCX, ".zip": Format.ZIP}.get(named, Format.TABLE)
    if "word/document.xml" in names:
        return Format.DOCX
    office = any(name.startswith(("xl/", "ppt/")) for name in names) or "content.xml" in names
    return Format.TABLE if office or not names else Format.ZIP


def read_document(path: Path, limits: Limits) -> Document:
    """Return the blocks of a document. Raises UnreadableFile; MemoryError under a limit."""
    data = load_bytes(path, limits)
    found = format_of(path, data)
    document = _read(path, data, found, limits)
    if not document.blocks:
        raise UnreadableFile(path, "tệp không có chữ nào; hãy kiểm tra lại tệp")
    _count(path, document)
    named = path.suffix.lower()
    if named in _NAMED[found]:
        return document
    told = f'tên tệp ghi "{named}" nhưng nội dung là {found}; đã đọc theo nội dung'
    return Document(document.blocks, document.unit, (told, *document.notices))


def _read(path: Path, data: bytes, found: Format, limits: Limits) -> Document:
    match found:
        case Format.PDF:
            return read_pdf(path)
        case Format.OLE:
            return read_ole(path)
        case Format.RTF:
            return read_rtf(data)
        case Format.DOCX:
            check_burst(path, data, limits, BROKEN)
            return read_docx(path)
        case Format.HTML:
            return read_html(text_of(path, data))
        case Format.TEXT:
            return read_text(text_of(path, data))
        case _:
            raise UnreadableFile(
                path, "đây không phải là văn bản; hãy lưu lại thành .docx hay .pdf"
            )


def read_text(text: str) -> Document:
    """Return the lines of a text; a form feed begins a page, lines count anew on each."""
    pages = text.split("\f")
    lines = [
        Line(line, number if len(pages) > 1 else None, at)
        for number, page in enumerate(pages, 1)
        for at, line in enumerate(page.splitlines(), 1)
        if line.strip()
    ]
    return Document(tuple(lines), LINE)


def text_of(path: Path, data: bytes) -> str:
    """Return the text of ``data``; old encodings are left for :mod:`corpus.repair` to mend.

    UTF-8 or UTF-16; lines that are neither byte by byte in Windows-1252, which is how TCVN3 and VNI
    show themselves.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        text = by_line(data)
    if "\x00" in text or sum(letter < " " for letter in text[:65536]) > 8 + text[:65536].count(
        "\n"
    ) + text[:65536].count("\r") + text[:65536].count("\t") + text[:65536].count("\f"):
        raise UnreadableFile(path, "tệp nhị phân hoặc bảng mã lạ; hãy lưu lại ở dạng .txt UTF-8")
    return text


def _count(path: Path, document: Document) -> None:
    cells = sum(len(each.rows) * len(each.rows[0]) for each in document.blocks
                if isinstance(each, Grid))  # fmt: skip
    if len(document.blocks) > MAX_BLOCKS or cells > MAX_CELLS:
        raise UnreadableFile(path, "tệp có quá nhiều đoạn hoặc ô; hãy tách thành nhiều tệp")
