"""A match list as it leaves the house: every line with whom to phone, why, and how far it has come.

What is assembled here is told in words (:mod:`service.handover_facts`), put under headings
(:mod:`service.handover_columns`, :mod:`service.handover_annex`) and written as a spreadsheet, CSV
and JSON (:mod:`service.handover_files`), as a Word document (:mod:`service.handover_docx`) and as a
printable page: one source, so that no two of them can differ. A missing fact is "chưa rõ", a part
that the reader may not see is "theo NDA", a sample record is watermarked wherever it stands; the
date is the list's own, never the clock's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from corpus.outcomes import Outcome
from corpus.records import Decision, Need, Product, Technology
from corpus.workflow import Listed, MatchList

GONE: Final = "(bản ghi không còn trong cơ sở dữ liệu)"
# Of these nothing is to come: they stay on the list with date and reason, and out of an annex.
CLOSED: Final = frozenset({Outcome.REJECTED, Outcome.NO_LONGER_NEEDED})
# XML, and so XLSX and DOCX, cannot hold these.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Line:
    """One line of a list with the records it speaks of, as its reader may see them."""

    place: int
    item: Listed
    technology: Technology
    need: Need | None = None
    product: Product | None = None
    log: tuple[Decision, ...] = ()  # oldest first
    sample: bool = False  # the list itself is one

    @property
    def latest(self) -> Decision | None:
        """The last thing decided about this pair."""
        return self.log[-1] if self.log else None

    @property
    def closed(self) -> bool:
        """Whether nothing is to come of it: refused, no longer needed, or withdrawn."""
        ended = self.latest is not None and self.latest.outcome in CLOSED
        return ended or self.item.withdrawn

    @property
    def gone(self) -> bool:
        """Whether the technology was withdrawn, or is not there any more."""
        return self.item.withdrawn or self.technology.name == GONE

    @property
    def illustrative(self) -> bool:
        """Whether the list or any record of the line is a sample."""
        records = (self.technology, self.need, self.product)
        return self.sample or any(each is not None and each.illustrative for each in records)


@dataclass(frozen=True)
class Handover:
    """A match list with all that its files say."""

    list: MatchList
    subject: str
    lines: tuple[Line, ...]

    @property
    def day(self) -> dt.date:
        """The day of the files: that of the hand-over, else of the list."""
        return self.list.handed_over or self.list.created

    @property
    def by_offer(self) -> bool:
        """Whether the list names the takers of one offer."""
        return self.list.technology is not None

    @property
    def illustrative(self) -> bool:
        """Whether the files are to be watermarked."""
        return self.list.illustrative or any(each.illustrative for each in self.lines)

    @property
    def title(self) -> str:
        """What stands above the table."""
        return f"Danh sách kết nối cung – cầu công nghệ: {self.list.name}"

    @property
    def standing(self) -> str:
        """Who made it, when, and whether it is final."""
        made = (
            f"{self.list.id}, người lập: {self.list.owner}, lập ngày {self.list.created:%d/%m/%Y}"
        )
        if self.list.handed_over is None:
            return f"{made}; bản nháp, chưa bàn giao"
        return f"{made}; bàn giao ngày {self.list.handed_over:%d/%m/%Y}"


def plain(text: str) -> str:
    """Return ``text`` without what no office file can hold."""
    return _ILLEGAL.sub(" ", text)


def assemble(
    listed: MatchList,
    technologies: Mapping[str, Technology],
    needs: Mapping[str, Need],
    products: Mapping[str, Product],
    decisions: Iterable[Decision],
    may_read_nda: bool,
) -> Handover:
    """Put a list together with its records, as somebody with or without the right to NDA sees them.

    Args:
        technologies: as stored; what is restricted is taken out here without ``may_read_nda``.
        decisions: of any pairs and lists; those about a pair of the list become its log.
    """
    known = sorted(decisions, key=_when)
    items = sorted(listed.items, key=lambda each: each.rank)
    lines = []
    for place, item in enumerate(items, start=1):
        technology = technologies.get(item.technology) or _gone(item.technology)
        technology = technology if may_read_nda else technology.public()
        need = needs.get(item.need or listed.need or "")
        product = products.get(need.product if need else listed.product or "")
        log = tuple(each for each in known if _about(each, item, listed))
        lines.append(Line(place, item, technology, need, product, log, listed.illustrative))
    return Handover(listed, subject(listed, technologies, needs, products), tuple(lines))


def _about(decision: Decision, item: Listed, listed: MatchList) -> bool:
    """Whether a decision is about a line; one for no need in particular has those of its list."""
    if decision.technology != item.technology:
        return False
    wanted = item.need or listed.need
    return decision.need == wanted if wanted else decision.list == listed.id


def _gone(key: str) -> Technology:
    return Technology.model_validate({"id": key, "name": GONE})


def _when(decision: Decision) -> tuple[dt.date, int]:
    """On one day, what comes later in the course of things."""
    return decision.date, list(Outcome).index(decision.outcome)


def subject(
    listed: MatchList,
    technologies: Mapping[str, Technology],
    needs: Mapping[str, Need],
    products: Mapping[str, Product],
) -> str:
    """Return what the list was made for, in one line."""
    if listed.technology is not None:
        offer = technologies.get(listed.technology)
        return f"Bên tiếp nhận cho công nghệ {listed.technology}: {offer.name if offer else GONE}"
    if listed.need is not None:
        need = needs.get(listed.need)
        return f"Công nghệ cho nhu cầu {listed.need}: {need.text if need else GONE}"
    if listed.product is not None:
        product = products.get(listed.product)
        return f"Công nghệ cho sản phẩm {listed.product}: {product.name if product else GONE}"
    return "Công nghệ chọn từ kết quả tìm kiếm"
