"""Old Office files: Word 97–2003 (.doc) and Excel 97–2003 (.xls) → blocks.

A .doc keeps its text in pieces that a table of the file names in order; cells end with the mark
U+0007 and so do rows, which is how tables are found again. Fields' instructions are passed over.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from corpus.blocks import MAX_CELLS, PARAGRAPH, Block, Document, Grid, Line, squared
from corpus.doc_pdf import MISSING
from corpus.files import UnreadableFile

LOCKED: Final = "tệp Office có mật khẩu; hãy bỏ mật khẩu rồi nạp lại"
_BROKEN_DOC: Final = "tệp Word cũ (.doc) bị hỏng; hãy mở bằng Word và lưu lại thành .docx"
_BROKEN_XLS: Final = "tệp Excel cũ (.xls) bị hỏng; hãy mở bằng Excel và lưu lại thành .xlsx"
_FIELD: Final = re.compile("\x13[^\x13\x14\x15]*\x14?")
_MAX_COLUMNS: Final = 63  # Word's own limit


def read_ole(path: Path) -> Document:
    """Return the blocks of a .doc or .xls. Raises UnreadableFile."""
    try:
        import olefile  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UnreadableFile(path, MISSING) from error
    try:
        with olefile.OleFileIO(path) as ole:
            streams = {each[0] for each in ole.listdir()}
            if "WordDocument" in streams:
                return _word(path, ole)
    except UnreadableFile:
        raise
    except Exception as error:  # the parser lets through whatever it met
        raise UnreadableFile(path, _BROKEN_DOC) from error
    if streams & {"EncryptedPackage", "EncryptionInfo"}:
        raise UnreadableFile(path, LOCKED)
    if streams & {"Workbook", "Book"}:
        return _excel(path)
    raise UnreadableFile(path, "tệp Office cũ không phải Word hay Excel; hãy lưu lại thành .docx")


def _excel(path: Path) -> Document:
    try:
        import xlrd  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UnreadableFile(path, MISSING) from error
    try:
        with Path("/dev/null").open("w") as quiet, xlrd.open_workbook(path, logfile=quiet) as book:
            grids = [_sheet(path, book, sheet) for sheet in book.sheets()]
    except UnreadableFile:
        raise
    except Exception as error:
        locked = "encrypt" in str(error).lower() or "password" in str(error).lower()
        raise UnreadableFile(path, LOCKED if locked else _BROKEN_XLS) from error
    return Document(tuple(each for each in grids if each.rows), PARAGRAPH)


def _sheet(path: Path, book: Any, sheet: Any) -> Grid:
    """A sheet, blank rows kept: rows are told by their numbers."""
    if sheet.nrows * sheet.ncols > MAX_CELLS:
        raise UnreadableFile(path, f"trang tính có quá {MAX_CELLS:,} ô; hãy chia nhỏ tệp")
    rows = [[_cell(book, each) for each in sheet.row(number)] for number in range(sheet.nrows)]
    return Grid(tuple(map(tuple, rows)), None, sheet.name)


def _cell(book: Any, cell: Any) -> str:
    import xlrd  # noqa: PLC0415 - an extra

    from corpus.shown import shown  # noqa: PLC0415 - it takes openpyxl along

    if cell.ctype == xlrd.XL_CELL_ERROR:
        return ""
    if cell.ctype == xlrd.XL_CELL_DATE:
        return shown(xlrd.xldate_as_datetime(cell.value, book.datemode)) or ""
    return shown(bool(cell.value) if cell.ctype == xlrd.XL_CELL_BOOLEAN else cell.value) or ""


def _word(path: Path, ole: Any) -> Document:
    """Read the text by its pieces (the file's own table of them, "Clx")."""
    main = ole.openstream("WordDocument").read()
    magic, flags = struct.unpack_from("<H", main, 0)[0], struct.unpack_from("<H", main, 10)[0]
    if magic != 0xA5EC:
        raise UnreadableFile(path, _BROKEN_DOC)
    if flags & 0x0100:
        raise UnreadableFile(path, LOCKED)
    table = ole.openstream("1Table" if flags & 0x0200 else "0Table").read()
    start, size = struct.unpack_from("<II", main, 0x01A2)
    text = "".join(_pieces(main, table[start : start + size]))
    length = struct.unpack_from("<I", main, 0x004C)[0]  # of the body, without notes and headers
    return Document(tuple(_blocks(text[:length])), PARAGRAPH)


def _pieces(main: bytes, clx: bytes) -> Iterator[str]:
    at = 0
    while at < len(clx) and clx[at] == 1:  # formatting of pieces
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    size = struct.unpack_from("<I", clx, at + 1)[0]
    plc = clx[at + 5 : at + 5 + size]
    count = (len(plc) - 4) // 12
    ends = struct.unpack_from(f"<{count + 1}I", plc, 0)
    for number in range(count):
        place = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * number + 2)[0]
        length = ends[number + 1] - ends[number]
        if place & 0x40000000:
            begin = (place & 0x3FFFFFFF) // 2
            yield main[begin : begin + length].decode("cp1252", "replace")
        else:
            yield main[place : place + 2 * length].decode("utf-16-le", "replace")


def _blocks(text: str) -> Iterator[Block]:
    """Split text at paragraph marks; what ends with cell marks is a table."""
    text = _FIELD.sub("", text).replace("\x15", "")
    page, number, paged = 1, 0, "\f" in text
    cells: list[str] = []
    begun = ""  # paragraphs of a cell that goes on
    for part in re.findall(r"[^\r\x07\f]*[\r\x07\f]?", text):
        end, said = part[-1:], part.rstrip("\r\x07\f").replace("\x0b", "\n").strip("\x01\x08 \n")
        if end == "\x07":
            cells.append(f"{begun}{said}")
            begun = ""
            continue
        if end == "\r" and cells and cells[-1]:  # the row is not closed by its empty mark
            begun += f"{said}\n"
            continue
        if cells:
            yield from _table(cells, page if paged else None)
            cells = []
        number += end == "\r" or bool(said)
        if said:
            yield Line(said, page if paged else None, number)
        page += end == "\f"
    if cells:
        yield from _table(cells, page if paged else None)


def _table(cells: list[str], page: int | None) -> Iterator[Grid]:
    """A row of n cells is n texts and one empty mark: the least n for which that holds."""
    for width in range(1, _MAX_COLUMNS + 1):
        step = width + 1
        if len(cells) % step == 0 and not any(cells[width::step]):
            rows = [cells[at : at + width] for at in range(0, len(cells), step)]
            break
    else:
        rows = [[each] for each in cells]
    if filled := squared(rows):
        yield Grid(filled, page)
