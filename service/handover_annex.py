"""The annex of an official document: the seven columns of a province's form, for open lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.handover import Handover, Line, plain
from service.handover_facts import UNKNOWN, fact

ANNEX: Final = (  # the form of a province's annex: names and order are not ours to change
    ("Stt", 7),
    ("Nhóm nhiệm vụ", 22),
    ("Nội dung thực hiện", 46),
    ("Sản phẩm/Kết quả dự kiến", 34),
    ("Cơ quan chủ trì", 20),
    ("Cơ quan phối hợp", 24),
    ("Thời gian thực hiện", 14),
)
_DOTS: Final = "………"


@dataclass(frozen=True)
class Annex:
    """What only the main document knows; what is left empty is printed as dots to fill in."""

    number: str = ""
    document: str = ""
    document_no: str = ""
    document_day: str = ""
    issuer: str = ""
    lead: str = ""
    period: str = ""

    @property
    def heading(self) -> str:
        """``PHỤ LỤC II``."""
        return plain(f"PHỤ LỤC {self.number or _DOTS}")

    @property
    def attached(self) -> str:
        """``(Kèm theo Kế hoạch số 12/KH-SKHCN ngày 02/03/2026 của Sở …)``."""
        of = f" của {self.issuer}" if self.issuer else ""
        named = self.document or _DOTS
        day = self.document_day or "…/…/……"
        return plain(f"(Kèm theo {named} số {self.document_no or _DOTS} ngày {day}{of})")


BLANK: Final = Annex()


def annex_rows(handover: Handover, annex: Annex) -> list[list[str]]:
    """Return the seven columns of every line that is still to be carried out."""
    open_lines = [line for line in handover.lines if not line.closed]
    return [
        [
            str(number),
            *_task(line),
            plain(annex.lead) or UNKNOWN,
            _partners(line),
            _period(line, annex),
        ]
        for number, line in enumerate(open_lines, start=1)
    ]


def _task(line: Line) -> Sequence[str]:
    """Group, content and expected result of one line."""
    need, technology = line.need, line.technology
    stage = (need and need.stage) or next(iter(technology.stages), "")
    group = " – ".join(filter(None, (line.product.name if line.product else "", stage)))
    content = f"Kết nối, tiếp nhận công nghệ: {technology.name} (mã {technology.id})"
    if need:
        content += f"; đáp ứng nhu cầu {need.id}: {need.text}"
    effect = fact(technology, "effect", technology.effect)
    return plain(group) or UNKNOWN, plain(content), effect


def _partners(line: Line) -> str:
    """Who takes it, where, and who owns it, as stated; nobody is invented."""
    known = [line.need.asker if line.need else None, line.technology.owner]
    return plain("; ".join(dict.fromkeys(filter(None, known)))) or UNKNOWN


def _period(line: Line, annex: Annex) -> str:
    due = line.latest.next_date if line.latest else None
    return plain(annex.period) or (f"Bước tiếp theo: {due:%d/%m/%Y}" if due else UNKNOWN)
