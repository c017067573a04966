"""A match list as Word documents: the annex of an official letter, and the broker's table.

The annex has the seven columns that provinces use, under "PHỤ LỤC …" and "(Kèm theo … số … ngày
…)"; quốc hiệu and signatures belong to the main document.
"""

from __future__ import annotations

from typing import Final

from service.handover import Handover, Line, plain
from service.handover_annex import ANNEX, BLANK, Annex, annex_rows
from service.handover_facts import asker, contact, fact, place_of, price, state, step
from service.paper import Paper

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
    paper = Paper(handover.title, handover.day, handover.illustrative)
    paper.line(form.heading, bold=True)
    paper.line(plain(handover.title).upper(), bold=True)
    paper.line(form.attached, italic=True)
    paper.mark()
    paper.table(ANNEX, annex_rows(handover, form))
    return paper.to_bytes()


def contacts(handover: Handover) -> bytes:
    """Return the broker's table as DOCX: both sides, whom to phone, how far it has come."""
    paper = Paper(handover.title, handover.day, handover.illustrative)
    paper.line(plain(handover.title).upper(), bold=True)
    paper.line(plain(handover.subject))
    paper.line(plain(handover.standing), italic=True)
    paper.mark()
    paper.table(CONTACTS, [_row(each) for each in handover.lines])
    return paper.to_bytes()


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
