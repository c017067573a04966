"""The records that everything else is about: one class per noun of the domain.

Supply, products, needs, and what people said of them. What all share is :mod:`corpus.record`; tasks
that are proposed or were funded are :mod:`corpus.tasks`. ``KINDS`` are all that files may carry.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from corpus.outcomes import Outcome, ReasonKind
from corpus.record import MAX_CELL, Id, Line, Many, Money, Record, Trl, Year, clean_text
from corpus.tasks import Proposal, Task

__all__ = [
    "KINDS",
    "MAX_CELL",
    "PUBLIC",
    "RESTRICTABLE",
    "STAGES",
    "UNDER_NDA",
    "Decision",
    "Id",
    "Judgment",
    "Line",
    "Many",
    "Money",
    "Need",
    "Product",
    "Proposal",
    "Record",
    "Task",
    "Technology",
    "Trl",
]

STAGES = (
    "vùng nguyên liệu",
    "giống",
    "canh tác/nuôi trồng",
    "phòng trừ dịch bệnh",
    "khai thác",
    "thu hoạch",
    "bảo quản",
    "chế biến",
    "phụ phẩm/môi trường",
    "truy xuất/chất lượng",
    "logistics",
    "mẫu mã/thiết kế",
    "thị trường/quản trị số",
    "năng lượng",
)
PUBLIC, UNDER_NDA = "công khai", "theo NDA"
# The parts of a technology that may be hidden until an agreement is signed. Name, summary, owner
# and what is needed to find the record at all are public by definition.
RESTRICTABLE = ("detail", "effect", "conditions", "contact", "places_used", "cost_from", "cost_to")


class Technology(Record):
    """One piece of supply: a technology, research result, patent, variety, machine, program …"""

    kind_name: ClassVar[str] = "technology"
    label: ClassVar[str] = "Công nghệ"

    id: Id
    name: Annotated[Line, Field(min_length=1)] = Field(title="Tên công nghệ")
    summary: Line | None = Field(None, title="Tóm tắt")
    detail: Line | None = Field(None, title="Mô tả chi tiết")
    kind: Line | None = Field(None, title="Loại")
    fields: Many = Field((), title="Lĩnh vực")
    products: Many = Field((), title="Sản phẩm áp dụng")
    stages: Many = Field((), title="Khâu")
    trl: Trl | None = Field(None, title="TRL")
    owner: Line | None = Field(None, title="Đơn vị sở hữu")
    province: Line | None = Field(None, title="Tỉnh")
    cost_from: Money | None = Field(None, title="Chi phí từ (triệu đồng)")
    cost_to: Money | None = Field(None, title="Chi phí đến (triệu đồng)")
    capacity: Line | None = Field(None, title="Công suất")
    transfer: Line | None = Field(None, title="Hình thức chuyển giao")
    ip_status: Line | None = Field(None, title="Tình trạng SHTT")
    year: Year | None = Field(None, title="Năm")
    valid_until: dt.date | None = Field(None, title="Hiệu lực đến")
    keywords: Many = Field((), title="Từ khóa")
    places_used: Many = Field((), title="Nơi đã ứng dụng")
    effect: Line | None = Field(None, title="Hiệu quả")
    conditions: Line | None = Field(None, title="Điều kiện áp dụng")
    acceptance_no: Line | None = Field(None, title="Số nghiệm thu")
    acceptance_date: dt.date | None = Field(None, title="Ngày nghiệm thu")
    origin: Line | None = Field(None, title="Xuất xứ")
    contact: Line | None = Field(None, title="Liên hệ")
    language: Line | None = Field(None, title="Ngôn ngữ")
    updated: dt.date | None = Field(None, title="Ngày cập nhật")
    restricted: Many = Field((), title="Chế độ hiển thị")  # names of the parts under NDA

    @model_validator(mode="after")
    def _check(self) -> Self:
        low, high = self.cost_from, self.cost_to
        if low is not None and high is not None and low > high:
            raise ValueError(f"chi phí từ ({low:g}) lớn hơn chi phí đến ({high:g})")
        unknown = sorted(set(self.restricted) - set(RESTRICTABLE))
        if unknown:
            raise ValueError(f"phần không thể đặt theo NDA: {', '.join(unknown)}")
        return self

    @property
    def lowest_cost(self) -> float | None:
        """The lowest stated cost, in million VND."""
        return self.cost_from if self.cost_from is not None else self.cost_to

    def visibility(self, part: str) -> str:
        """``công khai`` or ``theo NDA`` for one field; a part without a flag is public."""
        return UNDER_NDA if part in self.restricted else PUBLIC

    def public(self) -> Technology:
        """Return the record as someone without the right to read NDA parts may see it."""
        if not self.restricted:
            return self
        hidden = {part: Technology.model_fields[part].default for part in self.restricted}
        return self.model_copy(update=hidden)


class Product(Record):
    """A key product of a place and period: on one or several lists, maybe under a broader one."""

    kind_name: ClassVar[str] = "product"
    label: ClassVar[str] = "Sản phẩm"

    id: Id
    name: Annotated[Line, Field(min_length=1)] = Field(title="Tên sản phẩm")
    level: Line | None = Field(None, title="Cấp")
    province: Line | None = Field(None, title="Tỉnh")
    sector: Line | None = Field(None, title="Nhóm ngành")
    aliases: Many = Field((), title="Tên khác")
    parent: Line | None = Field(None, title="Sản phẩm cha")  # id of the broader product
    lists: Many = Field((), title="Danh mục")


class Need(Record):
    """A technology need stated for a product by somebody somewhere."""

    kind_name: ClassVar[str] = "need"
    label: ClassVar[str] = "Nhu cầu"

    id: Id
    product: Id = Field(title="Mã sản phẩm")
    text: Annotated[Line, Field(min_length=1)] = Field(title="Nhu cầu")
    stage: Line | None = Field(None, title="Khâu")
    budget: Money | None = Field(None, title="Kinh phí tối đa (triệu đồng)")
    trl_min: Trl | None = Field(None, title="TRL tối thiểu")
    priority: Annotated[int, Field(ge=1, le=9)] | None = Field(None, title="Ưu tiên")
    asker: Line | None = Field(None, title="Đơn vị có nhu cầu")
    asker_kind: Line | None = Field(None, title="Loại đơn vị")
    commune: Line | None = Field(None, title="Xã/phường/đặc khu")
    province: Line | None = Field(None, title="Tỉnh")
    scale: Line | None = Field(None, title="Quy mô")
    current: Line | None = Field(None, title="Công nghệ đang dùng")
    collector: Line | None = Field(None, title="Cơ quan tổng hợp")
    date: dt.date | None = Field(None, title="Ngày")
    status: Line | None = Field(None, title="Trạng thái")
    topic: Line | None = Field(None, title="Chủ đề")


class Judgment(Record):
    """How well a technology answers a need: 3 solves it, 2 with small change, 1 related, 0 not."""

    kind_name: ClassVar[str] = "judgment"
    label: ClassVar[str] = "Đánh giá"

    need: Id = Field(title="Mã nhu cầu")
    technology: Id = Field(title="Mã công nghệ")
    grade: Literal[0, 1, 2, 3] = Field(title="Mức")

    @property
    def key(self) -> str:
        """``need`` and ``technology`` joined by a tab, which no id contains."""
        return f"{self.need}\t{self.technology}"


class Decision(Record):
    """What somebody decided, on one day, about a technology that was shown for a need.

    One pair may have many: shortlisted, then contacted, then signed. A rejection without
    ``reason_kind`` does not say whether the technology was at fault: that is unknown, not a fault.
    """

    kind_name: ClassVar[str] = "decision"
    label: ClassVar[str] = "Quyết định"

    need: Id = Field(title="Mã nhu cầu")
    technology: Id = Field(title="Mã công nghệ")
    outcome: Annotated[Outcome, BeforeValidator(clean_text)] = Field(title="Kết quả")
    date: dt.date = Field(title="Ngày quyết định")
    reason_kind: Annotated[ReasonKind, BeforeValidator(clean_text)] | None = Field(
        None, title="Nhóm lý do"
    )
    reason: Line | None = Field(None, title="Lý do")
    next_step: Line | None = Field(None, title="Bước tiếp theo")
    next_date: dt.date | None = Field(None, title="Hạn bước tiếp theo")
    event: Line | None = Field(None, title="Sự kiện")
    by: Line | None = Field(None, title="Người quyết định")
    rank: Annotated[int, Field(ge=1, le=9999)] | None = Field(None, title="Thứ hạng khi xem")
    index_version: Line | None = Field(None, title="Phiên bản chỉ mục")
    model_version: Line | None = Field(None, title="Phiên bản mô hình")
    list: Id | None = Field(None, title="Mã danh sách")  # the match list it was decided on

    @property
    def key(self) -> str:
        """Need, technology, day and outcome joined by tabs, which none of them contains."""
        return "\t".join((self.need, self.technology, self.date.isoformat(), self.outcome))


KINDS: dict[str, type[Record]] = {
    record.kind_name: record
    for record in (Technology, Product, Need, Judgment, Decision, Proposal, Task)
}
