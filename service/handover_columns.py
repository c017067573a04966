"""The columns of a match list: which facts stand under which heading, on paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from matcher import explain, fit
from service.handover import Handover, Line, plain
from service.handover_facts import (
    UNKNOWN,
    accepted,
    asker,
    contact,
    fact,
    place_of,
    places,
    price,
    state,
    step,
)

SAMPLE: Final = "DỮ LIỆU MINH HỌA – không dùng để ký"  # the watermark of one line


@dataclass(frozen=True)
class Column:
    """A heading, a width in characters, and the text of a line under it."""

    heading: str
    width: int
    text: Callable[[Line], str]


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


def printed_columns(handover: Handover) -> tuple[Column, ...]:
    """Return :func:`short_columns` for paper, which nobody copies lines from.

    Lines are marked only where they differ: else the mark over the sheet tells.
    """
    mixed = len({line.illustrative for line in handover.lines}) > 1
    return short_columns(handover) if mixed else short_columns(handover)[:-1]


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
