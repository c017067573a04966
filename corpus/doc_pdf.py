"""PDF → blocks: lines outside tables, tables with merged cells filled, page by page.

pdfplumber finds tables by their rules and says where every cell is. A page without a letter but
with a picture is a scan: it is told, not guessed at (character recognition is not included).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

from corpus.blocks import LINE, Block, Document, Grid, Line, squared
from corpus.files import UnreadableFile

MAX_PAGES: Final = 1_000
BROKEN: Final = "tệp PDF bị hỏng hoặc chưa tải hết; hãy tải lại hoặc in lại ra PDF"
_LOCKED: Final = "tệp PDF có mật khẩu; hãy bỏ mật khẩu rồi nạp lại"
_EMPTY: Final = "tệp PDF không có trang nào; hãy kiểm tra lại tệp"
_SCAN: Final = (
    "tệp PDF là bản quét (ảnh chụp), không có chữ để đọc; chương trình chưa nhận dạng chữ trong "
    "ảnh, hãy dùng bản gốc hoặc nhận dạng chữ (OCR) trước"
)
MISSING: Final = "cần cài thêm phần đọc văn bản: pip install 'cungcau[documents]'"


def read_pdf(path: Path) -> Document:
    """Return the blocks of a PDF. Raises UnreadableFile."""
    try:
        import pdfplumber  # noqa: PLC0415 - an extra
        from pdfminer.pdfdocument import PDFPasswordIncorrect, PDFTextExtractionNotAllowed  # noqa: PLC0415 - an extra
        from pdfplumber.utils.exceptions import PdfminerException  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UnreadableFile(path, MISSING) from error
    logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
    locked = (PDFPasswordIncorrect, PDFTextExtractionNotAllowed)
    try:
        with pdfplumber.open(path) as pdf:
            return _pages(path, pdf.pages)
    except (UnreadableFile, MemoryError):
        raise
    except PdfminerException as error:
        asked = any(isinstance(each, locked) for each in (*error.args, error.__cause__))
        raise UnreadableFile(path, _LOCKED if asked else BROKEN) from error
    except Exception as error:  # the parser lets through whatever it met
        raise UnreadableFile(path, BROKEN) from error


def _pages(path: Path, pages: list[Any]) -> Document:
    if not pages:
        raise UnreadableFile(path, _EMPTY)
    if len(pages) > MAX_PAGES:
        many = f"tệp có {len(pages)} trang, nhiều hơn {MAX_PAGES}; hãy tách thành nhiều tệp"
        raise UnreadableFile(path, many)
    blocks: list[Block] = []
    scans = []
    for number, page in enumerate(pages, 1):
        found = _page(page, number)
        blocks += found
        if not found and page.images:
            scans.append(number)
        page.close()
    if not blocks:
        raise UnreadableFile(path, _SCAN if scans else "tệp PDF không có chữ nào; hãy kiểm tra lại")
    return Document(tuple(blocks), LINE, _told(scans))


def _told(scans: list[int]) -> tuple[str, ...]:
    if not scans:
        return ()
    some = ", ".join(map(str, scans[:10])) + (" …" if len(scans) > 10 else "")
    return (f"trang {some} là ảnh chụp, không có chữ để đọc; các trang khác đã đọc",)


def _page(page: Any, number: int) -> list[Block]:
    """The lines and tables of a page from top to bottom."""
    tables = page.find_tables()
    placed: list[tuple[float, Block]] = [
        (table.bbox[1], Grid(rows, number))
        for table in tables
        if (rows := squared(_rows(page, table)))
    ]
    boxes = [table.bbox for table in tables]
    words = [each for each in page.extract_words(use_text_flow=False, keep_blank_chars=True)
             if not any(_inside(each, box) for box in boxes)]  # fmt: skip
    for order, (top, text) in enumerate(_lines(words), 1):
        placed.append((top, Line(text, number, order)))
    return [block for _, block in sorted(placed, key=lambda each: each[0])]


def _inside(word: Any, box: tuple[float, float, float, float]) -> bool:
    x, y = (word["x0"] + word["x1"]) / 2, (word["top"] + word["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _lines(words: list[Any]) -> list[tuple[float, str]]:
    """Words that overlap in height are one line; left to right."""
    lines: list[list[Any]] = []
    for word in sorted(words, key=lambda each: (each["bottom"], each["x0"])):
        height = word["bottom"] - word["top"]
        if lines and word["top"] < lines[-1][0]["bottom"] - 0.5 * height:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [
        (line[0]["top"], " ".join(each["text"] for each in sorted(line, key=lambda w: w["x0"])))
        for line in lines
    ]


def _rows(page: Any, table: Any) -> list[list[str]]:
    """The texts of a table; where a merged cell covers others, each says what it says."""
    said: dict[tuple[float, ...], str] = {}
    for box in table.cells:
        said[box] = page.crop(box, strict=False).extract_text() or ""
    lefts = sorted({box[0] for box in table.cells})
    rights = [*lefts[1:], max(box[2] for box in table.cells)]
    middles = [(left + right) / 2 for left, right in zip(lefts, rights, strict=True)]
    rows = []
    for row in table.rows:
        y = (row.bbox[1] + row.bbox[3]) / 2
        across = [box for box in table.cells if box[1] <= y <= box[3]]
        rows.append([
            next((said[box] for box in across if box[0] <= x <= box[2]), "") for x in middles
        ])  # fmt: skip
    return rows
