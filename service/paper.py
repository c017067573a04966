"""Landscape A4 in Word for official tables: fixed properties, numbered pages, watermarked samples.

Font and margins are those of Decree 30/2020 on clerical work. Nothing comes from clock or
machine: the same content gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Container, Iterable, Sequence
from typing import Final

import docx
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import _Cell, _Row
from docx.text.paragraph import Paragraph

from service.exports import WATERMARK, timeless
from service.handover import plain

FONT: Final = "Times New Roman"
WIDE: Final = 25.2  # cm between the margins of a landscape A4
Columns = Sequence[tuple[str, int]]  # headings, with widths that only compare


class Paper:
    """One paper being written from top to bottom."""

    def __init__(self, title: str, day: dt.date, marked: bool) -> None:
        """Begin a paper; ``marked``: a sample record stands on it, and every page says so."""
        self.marked = marked
        self.document = docx.Document()
        core = self.document.core_properties
        core.author = core.last_modified_by = "Cung Cầu"
        core.title, core.comments, core.revision = plain(title)[:255], "", 1
        core.created = core.modified = dt.datetime.combine(day, dt.time())
        normal = self.document.styles["Normal"]
        normal.font.name, normal.font.size = FONT, Pt(12)
        normal.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
        self._turn()

    def _turn(self) -> None:
        """Lay the page across, mark and number it."""
        section = self.document.sections[0]
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = Cm(29.7), Cm(21.0)
        section.left_margin, section.right_margin = Cm(2.5), Cm(2.0)
        section.top_margin = section.bottom_margin = Cm(2.0)
        if self.marked:
            for part in (section.header, section.footer):
                _watermark(part.paragraphs[0])
        _number(section.footer.add_paragraph())

    def line(self, text: str, bold: bool = False, italic: bool = False) -> None:
        """Write one centred line."""
        paragraph = self.document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.space_after = Pt(3)
        run = paragraph.add_run(plain(text))
        run.bold, run.italic = bold, italic

    def mark(self) -> None:
        """Write the watermark, where a sample record stands on the paper."""
        if self.marked:
            _watermark(self.document.add_paragraph())

    def table(
        self,
        columns: Columns,
        rows: Sequence[Sequence[str]],
        strong: Sequence[int] = (),
        right: Container[int] = (),
    ) -> None:
        """Write a table whose headings come again on every page.

        Rows in ``strong`` are bold; columns in ``right`` hold numbers, set to the right.
        """
        table = self.document.add_table(rows=1, cols=len(columns), style="Table Grid")
        table.autofit = False
        whole = sum(width for _, width in columns)
        sizes = [Cm(WIDE * width / whole) for _, width in columns]
        for column, size in zip(table.columns, sizes, strict=True):
            column.width = size  # LibreOffice goes by the grid, Word by the cells
        for cell, (heading, _), size in zip(table.rows[0].cells, columns, sizes, strict=True):
            _write(cell, heading, bold=True, centred=True)
            cell.width = size
        _property(table.rows[0], "w:tblHeader")
        for number, row in enumerate(rows):
            added = table.add_row()
            _property(added, "w:cantSplit")  # keep a row on one page where it fits on one
            for place, (cell, text) in enumerate(zip(added.cells, row, strict=True)):
                _write(cell, text, bold=number in strong)
                cell.width = sizes[place]
                if place in right:
                    cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT

    def note(self, heading: str, lines: Iterable[str]) -> None:
        """Write a heading and plain paragraphs under it."""
        for number, text in enumerate((heading, *lines)):
            paragraph = self.document.add_paragraph()
            paragraph.paragraph_format.space_before = Pt(0 if number else 9)
            paragraph.paragraph_format.space_after = Pt(3)
            paragraph.add_run(plain(text)).bold = number == 0

    def to_bytes(self) -> bytes:
        """Return the paper as DOCX."""
        buffer = io.BytesIO()
        self.document.save(buffer)
        return timeless(buffer)


def _watermark(paragraph: Paragraph) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run(WATERMARK)
    run.bold, run.font.color.rgb = True, RGBColor(0xC0, 0, 0)


def _number(paragraph: Paragraph) -> None:
    """Write a field that the program replaces by the number of the page."""
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)


def _write(cell: _Cell, text: str, bold: bool = False, centred: bool = False) -> None:
    for number, part in enumerate(text.split("\n")):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        if centred:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = paragraph.add_run(part)
        run.bold, run.font.size = bold, Pt(11)


def _property(row: _Row, name: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement(name))
