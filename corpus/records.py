"""The records that everything else is about: one class per noun of the domain, frozen, validated.

One line per field: name in the field's English term, type, and the Vietnamese heading (``title``)
under which people's spreadsheets carry it. Missing facts are ``None`` or ``()`` and are shown as
"chưa rõ"; they are never zero and never a failed rule. Ids are strings, unique per kind; money is
in million VND; dates are ISO; text is NFC (see :mod:`corpus.text`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from corpus.outcomes import Outcome, ReasonKind
from corpus.text import normalise

MAX_CELL = 200_000  # characters; a cell beyond this is a pasted file, not a field
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


def _clean(value: object) -> object:
    return normalise(value) if isinstance(value, str) else value


def _clean_list(value: object) -> object:
    """Split ``a; b`` and drop empty and repeated members, keeping the first of each."""
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.split(";")
    if not isinstance(value, list | tuple):
        return value
    cleaned = [_clean(item) for item in value]
    if not all(isinstance(item, str) for item in cleaned):
        return cleaned  # for the field's own validation to refuse, by position
    return tuple(dict.fromkeys(item for item in cleaned if item != ""))


def _clean_columns(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {_clean(name): _clean(cell) for name, cell in value.items()}


Id = Annotated[str, BeforeValidator(_clean), Field(min_length=1, max_length=100, title="Mã")]
Line = Annotated[str, BeforeValidator(_clean), Field(max_length=MAX_CELL)]
Many = Annotated[tuple[str, ...], BeforeValidator(_clean_list)]
Columns = Annotated[Mapping[str, str], BeforeValidator(_clean_columns)]
Money = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]  # million VND
Trl = Annotated[int, Field(ge=1, le=9)]


class Record(BaseModel):
    """What all records share: frozen, validated, unknown columns kept in ``extra``."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    kind_name: ClassVar[str]
    label: ClassVar[str]

    illustrative: bool = Field(False, title="Dữ liệu minh họa")
    inferred: Many = Field((), title="Giá trị suy ra")
    source: Line | None = Field(None, title="Nguồn")
    extra: Columns = Field(default_factory=dict, title="Cột khác")

    @property
    def key(self) -> str:
        """The id under which the store keeps the record."""
        return str(getattr(self, "id"))  # noqa: B009 - subclasses declare it

    def to_json(self) -> dict[str, Any]:
        """Return the stated facts only, in field order, ready for ``json.dumps``."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def content_hash(self) -> str:
        """SHA-256 (hex) of the stated facts: equal records have equal hashes."""
        facts = self.to_json()
        # Where a record was read from, and what we inferred of it, do not change what it says.
        for name in ("source", "inferred", *self.inferred):
            facts.pop(name, None)
        text = json.dumps(facts, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


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
    year: Annotated[int, Field(ge=1900, le=2100)] | None = Field(None, title="Năm")
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
    outcome: Annotated[Outcome, BeforeValidator(_clean)] = Field(title="Kết quả")
    date: dt.date = Field(title="Ngày quyết định")
    reason_kind: Annotated[ReasonKind, BeforeValidator(_clean)] | None = Field(
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
    record.kind_name: record for record in (Technology, Product, Need, Judgment, Decision)
}
