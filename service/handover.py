"""A match list as it leaves the house: every line with whom to phone, why, and how far it has come.

What is assembled here is written as a spreadsheet, CSV and JSON (:mod:`service.handover_files`), as
a Word document (:mod:`service.handover_docx`) and as a printable page: one source, so that no two
of them can differ. A missing fact is "chưa rõ", a part that the reader may not see is "theo NDA",
a sample record is watermarked wherever it stands; the date is the list's own, never the clock's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from corpus.outcomes import Outcome
from corpus.records import Decision, Need, Product, Technology
from corpus.text import squeeze
from corpus.workflow import Listed, MatchList
from matcher import explain, fit

UNKNOWN: Final = explain.UNKNOWN
HIDDEN: Final = "theo NDA"
SAMPLE: Final = "DỮ LIỆU MINH HỌA – không dùng để ký"  # the watermark of one line
GONE: Final = "(bản ghi không còn trong cơ sở dữ liệu)"
# Of these nothing is to come: they stay on the list with date and reason, and out of an annex.
CLOSED: Final = frozenset({Outcome.REJECTED, Outcome.NO_LONGER_NEEDED})
# XML, and so XLSX and DOCX, cannot hold these.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_CONTACT: Final = (  # squeezed headings of columns that needs carry beside their fields
    "lien he", "nguoi lien he", "thong tin lien he", "dien thoai", "so dien thoai", "email",
    "dia chi lien he",
)  # fmt: skip


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


@dataclass(frozen=True)
class Column:
    """A heading, a width in characters, and the text of a line under it."""

    heading: str
    width: int
    text: Callable[[Line], str]


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


def fact(technology: Technology, part: str, shown: str | None) -> str:
    """Return ``shown``, else why it is not there: hidden, or unknown."""
    if shown and shown != UNKNOWN:
        return plain(shown)
    return HIDDEN if part in technology.restricted else UNKNOWN


def price(technology: Technology) -> str:
    """Return the price range in million đồng."""
    hidden = "cost_from" if "cost_from" in technology.restricted else "cost_to"
    return fact(technology, hidden, explain.facts(technology)["Chi phí"])


def places(technology: Technology) -> str:
    """Return where it is used already."""
    return fact(technology, "places_used", "; ".join(technology.places_used))


def accepted(technology: Technology) -> str:
    """Return number and date of acceptance."""
    day = technology.acceptance_date
    told = [technology.acceptance_no or "", f"ngày {day:%d/%m/%Y}" if day else ""]
    return plain(" ".join(filter(None, told))) or UNKNOWN


def contact(need: Need | None) -> str:
    """Return whom to phone on the side of demand: from columns beside the fields of a need."""
    extra = need.extra if need else {}
    found = [value for name, value in extra.items() if squeeze(name) in _CONTACT and value]
    return plain("; ".join(found)) or UNKNOWN


def place_of(need: Need | None) -> str:
    """Return commune and province of a need."""
    told = (need.commune, need.province) if need else ()
    return plain(", ".join(filter(None, told))) or UNKNOWN


def asker(need: Need | None) -> str:
    """Return who stated a need."""
    return plain((need and need.asker) or UNKNOWN)


def told(decision: Decision) -> str:
    """Return a decision in one sentence: what, when, why, by whom."""
    why = ": ".join(filter(None, (decision.reason_kind, decision.reason)))
    parts = [f"{decision.outcome} ngày {decision.date:%d/%m/%Y}", why]
    parts += [f"tại {decision.event}" if decision.event else ""]
    parts += [f"người ghi: {decision.by}" if decision.by else ""]
    return plain("; ".join(filter(None, parts)))


def state(line: Line) -> str:
    """Return how far a line has come."""
    marks = ["công nghệ đã bị rút"] if line.item.withdrawn else []
    marks += [told(line.latest)] if line.latest else []
    return "; ".join(marks) or "chưa liên hệ"


def step(line: Line) -> str:
    """Return the next step and its date; empty where none is planned."""
    latest = line.latest
    if latest is None or not (latest.next_step or latest.next_date):
        return ""
    due = f"hạn {latest.next_date:%d/%m/%Y}" if latest.next_date else ""
    return plain(", ".join(filter(None, (latest.next_step, due))))


def _date(day: dt.date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else UNKNOWN


_PLACE: Final = (Column("Thứ tự", 8, lambda line: str(line.place)),)
_JUDGED: Final = (
    Column("Nhãn", 16, lambda line: plain(line.item.label)),
    Column("Lý do", 48, lambda line: plain(line.item.reason) or UNKNOWN),
)
_DEMAND: Final = (
    Column("Sản phẩm", 22, lambda line: plain(line.product.name) if line.product else UNKNOWN),
    Column("Mã nhu cầu", 12, lambda line: line.need.id if line.need else UNKNOWN),
    Column("Nhu cầu", 52, lambda line: plain(line.need.text) if line.need else UNKNOWN),
    Column("Đơn vị có nhu cầu", 28, lambda line: asker(line.need)),
    Column("Nơi có nhu cầu", 24, lambda line: place_of(line.need)),
    Column("Liên hệ bên cầu", 24, lambda line: contact(line.need)),
)
_SUPPLY: Final = (
    Column("Mã công nghệ", 12, lambda line: line.technology.id),
    Column("Tên công nghệ", 42, lambda line: plain(line.technology.name)),
    Column("Chi phí", 20, lambda line: price(line.technology)),
    Column("TRL", 8, lambda line: explain.facts(line.technology)["TRL"]),
    Column("Đơn vị sở hữu", 28, lambda line: plain(line.technology.owner or UNKNOWN)),
    Column("Tỉnh", 16, lambda line: plain(line.technology.province or UNKNOWN)),
    Column(
        "Liên hệ bên cung",
        24,
        lambda line: fact(line.technology, "contact", line.technology.contact),
    ),
    Column("Nơi đã ứng dụng", 32, lambda line: places(line.technology)),
    Column("Nghiệm thu", 22, lambda line: accepted(line.technology)),
    Column("Hiệu lực đến", 13, lambda line: _date(line.technology.valid_until)),
)
_COURSE: Final = (
    Column("Tình trạng kết nối", 36, state),
    Column("Bước tiếp theo", 24, step),
    Column("Ghi chú", 24, lambda line: plain(line.item.note or "")),
    Column("Dữ liệu", 20, lambda line: SAMPLE if line.illustrative else ""),
)


def columns(handover: Handover) -> tuple[Column, ...]:
    """Return the columns of a list: what the reader does not know yet comes first."""
    if handover.by_offer:
        return (*_PLACE, *_DEMAND, *_JUDGED, *_COURSE[:2], *_SUPPLY, *_COURSE[2:])
    return (*_PLACE, *_SUPPLY, *_JUDGED, *_COURSE[:2], *_DEMAND, *_COURSE[2:])


def short_columns(handover: Handover) -> tuple[Column, ...]:
    """Return the columns that fit on a printed sheet: both sides and whom to phone."""
    product, _, text, *demand = _DEMAND
    number, name, cost, _, owner, _, phone, used, *_ = _SUPPLY
    if handover.by_offer:
        return (*_PLACE, *demand, product, text, *_JUDGED, *_COURSE)
    return (*_PLACE, number, name, cost, owner, phone, used, *_JUDGED, text, *_COURSE)


def rows(handover: Handover, shown: Sequence[Column] = ()) -> list[list[str]]:
    """Return the text of every line under the columns ``shown``: all of them by default."""
    shown = shown or columns(handover)
    return [[column.text(line) for column in shown] for line in handover.lines]


def compared(handover: Handover, lines: Sequence[Line]) -> list[tuple[str, list[str]]]:
    """Return what people compare of some lines: a heading and one text for each line."""
    shown = _TAKER if handover.by_offer else _OFFER
    return [(each.heading, [each.text(line) for line in lines]) for each in shown]


def _stated(part: str) -> Callable[[Line], str]:
    """The text of a technology's own field."""

    def found(line: Line) -> str:
        value = getattr(line.technology, part)
        return fact(line.technology, part, None if value is None else str(value))

    return found


def _asked(part: str) -> Callable[[Line], str]:
    """The text of a need's own field."""

    def found(line: Line) -> str:
        value = getattr(line.need, part) if line.need else None
        return UNKNOWN if value is None else plain(str(value))

    return found


def _budget(line: Line) -> str:
    budget = line.need.budget if line.need else None
    return f"{fit.money(budget)} triệu đồng" if budget is not None else UNKNOWN


_OFFER: Final = (
    *_JUDGED,
    _SUPPLY[2],
    _SUPPLY[3],
    Column("Công suất", 0, _stated("capacity")),
    Column("Hiệu quả", 0, _stated("effect")),
    _SUPPLY[7],
    *_SUPPLY[4:7],
    Column("Điều kiện áp dụng", 0, _stated("conditions")),
    Column("Hình thức chuyển giao", 0, _stated("transfer")),
    Column("Tình trạng SHTT", 0, _stated("ip_status")),
    Column("Năm", 0, _stated("year")),
    *_SUPPLY[8:],
    *_COURSE[:3],
)
_TAKER: Final = (
    *_JUDGED,
    *_DEMAND,
    Column("Công nghệ đang dùng", 0, _asked("current")),
    Column("Quy mô", 0, _asked("scale")),
    Column("Kinh phí tối đa", 0, _budget),
    Column("TRL tối thiểu", 0, _asked("trl_min")),
    *_COURSE[:3],
)

# The annex of an official document ----------------------------------------------------------------

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
