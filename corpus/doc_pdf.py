"""PDF → blocks: lines outside tables, tables with merged cells filled, page by page.

pdfplumber finds tables by their rules and says where every cell is; those without rules are found
by their columns (:mod:`corpus.doc_columns`). A page without a letter but with a picture is a scan:
it is told, not guessed at (character recognition is not included).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, Final

from corpus import doc_columns
from corpus.blocks import LINE, Block, Document, Grid, Line, joined_lines, squared
from corpus.doc_columns import Print, Word
from corpus.files import UnreadableFile

Box = tuple[float, float, float, float]  # left, top, right, bottom
_FOOT: Final = 3  # lines below a table that may be the foot of the page
MAX_PAGES: Final = 1_000  # the first ones are read
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
    blocks: list[Block] = []
    scans = []
    whites: Sequence[float] = ()
    for number, page in enumerate(pages[:MAX_PAGES], 1):
        found, whites = _page(page, number, whites)
        blocks += found
        if not found and page.images:
            scans.append(number)
        page.close()
    if not blocks:
        raise UnreadableFile(path, _SCAN if scans else "tệp PDF không có chữ nào; hãy kiểm tra lại")
    return Document(tuple(blocks), LINE, tuple(_told(scans, len(pages))))


def _told(scans: list[int], pages: int) -> Iterator[str]:
    """Yield what of a file of ``pages`` pages was not read."""
    if pages > MAX_PAGES:
        yield (
            f"tệp có {pages} trang; chỉ đọc {MAX_PAGES} trang đầu, hãy tách từ trang "
            f"{MAX_PAGES + 1} thành tệp khác để đọc tiếp"
        )
    if scans:
        some = ", ".join(map(str, scans[:10])) + (" …" if len(scans) > 10 else "")
        yield f"trang {some} là ảnh chụp, không có chữ để đọc; các trang khác đã đọc"


def _page(page: Any, number: int, before: Sequence[float]) -> tuple[list[Block], Sequence[float]]:
    """The lines and tables of a page from top to bottom, and the columns that it ends with.

    ``before``: the columns that the page before ended with (see :mod:`corpus.doc_columns`).
    """
    tables = page.find_tables()
    placed: list[tuple[float, Block]] = [
        (table.bbox[1], Grid(rows, number))
        for table in tables
        if (rows := squared(_rows(page, table)))
    ]
    boxes = [table.bbox for table in tables]
    words = [
        Word(each["x0"], each["x1"], each["top"], each["bottom"], each["text"])
        for each in page.extract_words(use_text_flow=False, keep_blank_chars=True)
    ]
    lines = _lines([each for each in words if not any(_inside(each, box) for box in boxes)])
    printed = list(map(Print.of, lines))
    columned = doc_columns.find(printed, number, before)
    taken = {at for each in columned for at in range(each.first, each.end)}
    placed += [(printed[each.first].top, each.grid) for each in columned]
    for order, line in enumerate(lines, 1):
        if order - 1 not in taken:
            text = " ".join(word.text for word in sorted(line))
            placed.append((line[0].top, Line(text, number, order)))
    last = columned[-1] if columned else None
    open_ = last is not None and len(lines) - last.end <= _FOOT
    return [block for _, block in sorted(placed, key=lambda each: each[0])], (
        last.whites if last and open_ else ()
    )


def _inside(word: Word, box: Box) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.top + word.bottom) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    """Words that overlap in height are one line."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda each: (each.bottom, each.x0)):
        height = word.bottom - word.top
        if lines and word.top < lines[-1][0].bottom - 0.5 * height:
            lines[-1].append(word)
        else:
            lines.append([word])
    return lines


def _rows(page: Any, table: Any) -> list[list[str]]:
    """The texts of a table; where a merged cell covers others, each says what it says."""
    said = _texts(page, table.cells)
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


def _texts(page: Any, boxes: Sequence[Box]) -> dict[Box, str]:
    """Return box → the letters whose middles lie in it: their edges reach into other cells."""
    from pdfplumber.utils.text import extract_text  # noqa: PLC0415 - an extra

    letters: dict[Box, list[Any]] = {box: [] for box in boxes}
    for each in page.chars:
        x, y = (each["x0"] + each["x1"]) / 2, (each["top"] + each["bottom"]) / 2
        for box in boxes:
            if box[0] <= x <= box[2] and box[1] <= y <= box[3]:
                letters[box].append(each)
                break
    return {
        box: reduce(joined_lines, (extract_text(found) or "").splitlines(), "")
        for box, found in letters.items()
    }
