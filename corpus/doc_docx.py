"""Word documents (.docx) → blocks, read from the XML itself.

python-docx gives neither the places of page breaks nor what stands in content controls and tracked
insertions, and takes minutes for long tables. Nothing is followed or run: macros and links to
elsewhere are left alone and told; pictures are never unpacked.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from corpus.blocks import PARAGRAPH, Block, Document, Grid, Line, squared, unmerged
from corpus.files import UnreadableFile

_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HIDDEN: Final = frozenset({f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr", f"{_W}instrText"})
_PARTS: Final = ("word/footnotes.xml", "word/endnotes.xml")
MANY_IMAGES: Final = 100
BROKEN: Final = "tệp Word bị hỏng hoặc chưa tải hết; hãy mở bằng Word, lưu lại hoặc tải lại tệp"


def read_docx(path: Path) -> Document:
    """Return the blocks of a .docx whose zip has been checked. Raises UnreadableFile."""
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
            body = ET.fromstring(package.read("word/document.xml")).find(f"{_W}body")
            notes = [ET.fromstring(package.read(each)) for each in _PARTS if each in names]
            links = [package.read(each) for each in names if each.endswith(".rels")]
    except RuntimeError as error:  # zipfile's word for a password
        raise UnreadableFile(path, "tệp Word có mật khẩu; hãy bỏ mật khẩu rồi nạp lại") from error
    except Exception as error:  # whatever unzipping and parsing met
        raise UnreadableFile(path, BROKEN) from error
    if body is None:
        raise UnreadableFile(path, BROKEN)
    reader = _Reader()
    reader.walk(body)
    for each in notes:
        reader.walk(each)
    return Document(tuple(reader.blocks), PARAGRAPH, tuple(_told(names, b"".join(links))))


def _told(names: list[str], links: bytes) -> Iterator[str]:
    if any(name.endswith("vbaProject.bin") for name in names):
        yield "tệp có macro; macro không được chạy"
    outside = len(re.findall(rb'TargetMode="External"', links))
    pictures = re.findall(
        rb'(?:image|attachedTemplate|oleObject)"[^>]*TargetMode="External"', links
    )
    if pictures:
        yield f"tệp có {len(pictures)} liên kết nạp nội dung từ bên ngoài; không mở liên kết nào"
    elif outside > MANY_IMAGES:
        yield f"tệp có {outside} liên kết ra bên ngoài; không mở liên kết nào"
    images = sum(name.startswith("word/media/") for name in names)
    if images > MANY_IMAGES:
        yield f"tệp có {images:,} hình; chữ trong hình không đọc được".replace(",", ".")


class _Reader:
    """Walks the body in order; pages count only where the file says where they end."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.page, self.paragraphs, self.paged = 1, 0, False

    def walk(self, parent: ET.Element) -> None:
        for child in parent:
            if child.tag == f"{_W}tbl":
                rows = squared(unmerged(_rows(child)))
                if rows:
                    self.blocks.append(Grid(rows, self._page()))
                self._turn(child)
            elif child.tag == f"{_W}p":
                self._paragraph(child)
            elif child.tag not in _HIDDEN:
                self.walk(child)  # content controls, insertions, notes

    def _page(self) -> int | None:
        return self.page if self.paged else None

    def _paragraph(self, element: ET.Element) -> None:
        text = _text(element)
        pieces = text.split("\f")
        self.paragraphs += 1
        for number, piece in enumerate(pieces):
            if number:
                self.page, self.paged = self.page + 1, True
            if piece.strip():
                self.blocks.append(Line(piece.strip(), self._page(), self.paragraphs))
        # A frame or text box inside the paragraph may hold a table of its own.
        for table in element.iter(f"{_W}tbl"):
            if rows := squared(unmerged(_rows(table))):
                self.blocks.append(Grid(rows, self._page()))

    def _turn(self, table: ET.Element) -> None:
        turned = sum(1 for _ in table.iter(f"{_W}lastRenderedPageBreak"))
        if turned:
            self.page, self.paged = self.page + turned, True


def _text(element: ET.Element) -> str:
    """The text under ``element`` without deleted runs; a page break is a form feed."""
    out: list[str] = []
    stack = [element]
    while stack:
        node = stack.pop()
        if node.tag == f"{_W}t":
            out.append(node.text or "")
        elif node.tag in {f"{_W}tab", f"{_W}cr"}:
            out.append("\t")
        elif node.tag == f"{_W}noBreakHyphen":
            out.append("-")
        elif node.tag == f"{_W}br":
            out.append("\f" if node.get(f"{_W}type") == "page" else "\n")
        elif node.tag == f"{_W}lastRenderedPageBreak":
            out.append("\f")
        elif node.tag not in _HIDDEN and node.tag != f"{_W}tbl":
            stack.extend(reversed(node))
    return "".join(out)


def _rows(table: ET.Element) -> list[list[tuple[str, int, int]]]:
    """The cells of a table as text, columns spanned, rows spanned."""
    raw: list[list[tuple[str, int, str | None]]] = []
    for row in _children(table, "tr"):
        line: list[tuple[str, int, str | None]] = [("", 1, None)] * _int(
            row, f"{_W}trPr/{_W}gridBefore"
        )
        for cell in _children(row, "tc"):
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            state = None if merge is None else merge.get(f"{_W}val") or "continue"
            text = "\n".join(_text(each) for each in cell.iter(f"{_W}p")).replace("\f", " ")
            line.append((text, max(1, _int(cell, f"{_W}tcPr/{_W}gridSpan")), state))
        raw.append(line)
    return _filled_down(raw)


def _children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    """The rows or cells of a table, also those inside content controls."""
    for child in element:
        if child.tag == f"{_W}{name}":
            yield child
        elif child.tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins"}:
            yield from _children(child, name)


def _int(element: ET.Element, where: str) -> int:
    found = element.find(where)
    value = "" if found is None else found.get(f"{_W}val") or ""
    return min(int(value), 200) if value.isdecimal() else 0


def _filled_down(
    raw: list[list[tuple[str, int, str | None]]],
) -> list[list[tuple[str, int, int]]]:
    """Give cells that go on from the row above what stands there."""
    above: dict[int, str] = {}  # column → text of the merge that is open there
    rows = []
    for line in raw:
        row, column, now = [], 0, dict[int, str]()
        for text, across, state in line:
            said = above.get(column, text) if state == "continue" else text
            if state:
                now[column] = said
            row.append((said, across, 1))
            column += across
        above = now
        rows.append(row)
    return rows
