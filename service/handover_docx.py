"""A match list as Word documents: the annex of an official letter, and the broker's table.

The annex has the seven columns that provinces use, under "PHỤ LỤC …" and "(Kèm theo … số … ngày
…)"; quốc hiệu and signatures belong to the main document. Font and margins are those of Decree
30/2020 on clerical work. Sample records are watermarked on every page.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import Final

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph

from service.exports import WATERMARK, timeless
from service.handover import Handover, Line, plain
from service.handover_annex import ANNEX, BLANK, Annex, annex_rows
from service.handover_facts import asker, contact, fact, place_of, price, state, step

FONT: Final = "Times New Roman"
WIDE: Final = 25.2  # cm between the margins of a landscape A4
CONTACTS: Final = (
    ("Stt", 7),
    ("Bên cầu, nơi và liên hệ", 26),
    ("Nhu cầu", 30),
    ("Công nghệ, chi phí", 28),
    ("Bên cung và liên hệ", 26),
    ("Nhãn và lý do", 30),
    ("Tình trạng, bước tiếp theo", 28),
)


def annex(handover: Handover, form: Annex = BLANK) -> bytes:
    """Return the annex table as DOCX."""
    paper = _paper(handover)
    _line(paper, form.heading, bold=True)
    _line(paper, plain(handover.title).upper(), bold=True)
    _line(paper, form.attached, italic=True)
    _mark(paper, handover)
    _table(paper, ANNEX, annex_rows(handover, form))
    return _bytes(paper)


def contacts(handover: Handover) -> bytes:
    """Return the broker's table as DOCX: both sides, whom to phone, how far it has come."""
    paper = _paper(handover)
    _line(paper, plain(handover.title).upper(), bold=True)
    _line(paper, plain(handover.subject))
    _line(paper, plain(handover.standing), italic=True)
    _mark(paper, handover)
    _table(paper, CONTACTS, [_row(each) for each in handover.lines])
    return _bytes(paper)


def _row(line: Line) -> list[str]:
    need, technology, item = line.need, line.technology, line.item
    demand = [asker(need), place_of(need), f"Liên hệ: {contact(need)}"]
    supply = [
        technology.owner or "chưa rõ",
        technology.province or "",
        f"Liên hệ: {fact(technology, 'contact', technology.contact)}",
    ]
    offer = [f"{technology.id}: {technology.name}", f"Chi phí: {price(technology)}"]
    offer += ["(dữ liệu minh họa)"] if line.illustrative else []
    following = step(line)
    course = [state(line), f"Tiếp theo: {following}" if following else "", item.note or ""]
    cells = (
        [str(line.place)],
        demand,
        [f"{need.id}: {need.text}" if need else "chưa rõ"],
        offer,
        supply,
        [item.label, item.reason],
        course,
    )
    return ["\n".join(plain(text) for text in cell if text) for cell in cells]


def _paper(handover: Handover) -> Document:
    """Start a landscape A4 with fixed properties: nothing in it comes from clock or machine."""
    paper = docx.Document()
    core, day = paper.core_properties, dt.datetime.combine(handover.day, dt.time())
    core.author = core.last_modified_by = "Cung Cầu"
    core.title, core.comments, core.revision = plain(handover.title)[:255], "", 1
    core.created = core.modified = day
    normal = paper.styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(12)
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    section = paper.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21.0)
    section.left_margin, section.right_margin = Cm(2.5), Cm(2.0)
    section.top_margin = section.bottom_margin = Cm(2.0)
    if handover.illustrative:
        for part in (section.header, section.footer):
            _watermark(part.paragraphs[0])
    _number(section.footer.add_paragraph())
    return paper


def _line(paper: Document, text: str, bold: bool = False, italic: bool = False) -> None:
    paragraph = paper.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.space_after = Pt(3)
    run = paragraph.add_run(text)
    run.bold, run.italic = bold, italic


def _mark(paper: Document, handover: Handover) -> None:
    if handover.illustrative:
        _watermark(paper.add_paragraph())


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


def _table(
    paper: Document, widths: Sequence[tuple[str, int]], rows: Sequence[Sequence[str]]
) -> Table:
    table: Table = paper.add_table(rows=1, cols=len(widths), style="Table Grid")
    table.autofit = False
    whole = sum(width for _, width in widths)
    sizes = [Cm(WIDE * width / whole) for _, width in widths]
    for column, size in zip(table.columns, sizes, strict=True):
        column.width = size  # LibreOffice goes by the grid, Word by the cells
    for cell, (heading, _), size in zip(table.rows[0].cells, widths, sizes, strict=True):
        _write(cell, heading, bold=True)
        cell.width = size
    _repeat(table.rows[0])
    for row in rows:
        added = table.add_row()  # type: ignore[no-untyped-call]
        _whole(added)
        for cell, text, size in zip(added.cells, row, sizes, strict=True):
            _write(cell, text)
            cell.width = size
    return table


def _write(cell: _Cell, text: str, bold: bool = False) -> None:
    for number, part in enumerate(text.split("\n")):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        if bold:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = paragraph.add_run(part)
        run.bold, run.font.size = bold, Pt(11)


def _repeat(row: _Row) -> None:
    """Show the headings again on every page."""
    _property(row, "w:tblHeader")


def _whole(row: _Row) -> None:
    """Keep a row on one page where it fits on one."""
    _property(row, "w:cantSplit")


def _property(row: _Row, name: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement(name))


def _bytes(paper: Document) -> bytes:
    buffer = io.BytesIO()
    paper.save(buffer)
    return timeless(buffer)
