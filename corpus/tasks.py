"""Tasks: what is proposed for funding (phiếu đề xuất), and what was or is being funded.

A proposal links needs and technologies to money, years and a place of use. A task is what came of
one: its results and, as it is followed up, what it left behind. Money is in million VND; what the
state pays (NSNN) and what the receiver adds (đối ứng) stay apart, and neither is ever the asking
price of a technology.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from corpus.record import Id, Line, Many, Money, Record, Year, Yearly

CENT = 0.5  # million VND: sums that differ by no more than this agree, as tables round
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class TaskKind(StrEnum):
    """The kinds of task that programmes set criteria, floors and ceilings for."""

    APPLY = "ứng dụng, chuyển giao, đổi mới"
    TRIAL = "sản xuất thử nghiệm, thương mại hóa"
    MARKET = "phát triển thị trường"


class Progress(StrEnum):
    """How far a funded task is."""

    APPROVED = "đã phê duyệt"
    RUNNING = "đang thực hiện"
    FINISHED = "đã nghiệm thu"
    STOPPED = "dừng thực hiện"


# Other ways to write the values, separated by ";". The members' English names are known as well.
ALSO: dict[StrEnum, str] = {
    TaskKind.APPLY: "ứng dụng; chuyển giao; đổi mới; ứng dụng chuyển giao; đổi mới công nghệ; "
    "ứng dụng, chuyển giao; ứng dụng, đổi mới; ứng dụng, chuyển giao, đổi mới công nghệ",
    TaskKind.TRIAL: "sản xuất thử nghiệm; thương mại hóa; SXTN; thử nghiệm; dự án SXTN",
    TaskKind.MARKET: "thị trường; phát triển thị trường KH&CN; xúc tiến; hội chợ",
    Progress.APPROVED: "phê duyệt; được duyệt; chưa triển khai",
    Progress.RUNNING: "đang chạy; đang triển khai; thực hiện; chuyển tiếp",
    Progress.FINISHED: "nghiệm thu; hoàn thành; đã hoàn thành; kết thúc; đã kết thúc",
    Progress.STOPPED: "dừng; đình chỉ; không thực hiện; hủy; chấm dứt",
}


class _Work(Record):
    """What a proposal and a task have in common."""

    id: Id
    name: Annotated[Line, Field(min_length=1)] = Field(title="Tên nhiệm vụ")
    kind: TaskKind | None = Field(None, title="Loại nhiệm vụ")
    lead: Line | None = Field(None, title="Đơn vị chủ trì")
    partners: Many = Field((), title="Đơn vị phối hợp")
    receiver: Line | None = Field(None, title="Đơn vị tiếp nhận")
    receiver_kind: Line | None = Field(None, title="Loại đơn vị tiếp nhận")
    place: Line | None = Field(None, title="Địa chỉ ứng dụng")
    commune: Line | None = Field(None, title="Xã/phường/đặc khu")
    province: Line | None = Field(None, title="Tỉnh")
    area_class: Line | None = Field(None, title="Loại địa bàn")
    goal: Line | None = Field(None, title="Mục tiêu")
    content: Line | None = Field(None, title="Nội dung, quy mô")
    outputs: Line | None = Field(None, title="Sản phẩm dự kiến")
    products: Many = Field((), title="Sản phẩm chủ lực")
    fields: Many = Field((), title="Lĩnh vực")
    priority_group: Line | None = Field(None, title="Nhóm ưu tiên")
    start: Year | None = Field(None, title="Năm bắt đầu")
    end: Year | None = Field(None, title="Năm kết thúc")
    state_total: Money | None = Field(None, title="Kinh phí NSNN (triệu đồng)")
    own_total: Money | None = Field(None, title="Kinh phí đối ứng (triệu đồng)")
    state_yearly: Yearly = Field(default_factory=dict, title="NSNN từng năm (triệu đồng)")
    own_yearly: Yearly = Field(default_factory=dict, title="Đối ứng từng năm (triệu đồng)")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start is not None and self.end is not None and self.start > self.end:
            raise ValueError(f"năm bắt đầu ({self.start}) sau năm kết thúc ({self.end})")
        _check_sum("NSNN", self.state_total, self.state_yearly)
        _check_sum("đối ứng", self.own_total, self.own_yearly)
        return self

    @property
    def state_money(self) -> float | None:
        """What the state would pay over all years, in million VND; ``None``: not stated."""
        return _total(self.state_total, self.state_yearly)

    @property
    def own_money(self) -> float | None:
        """What the receiver would add over all years, in million VND; ``None``: not stated."""
        return _total(self.own_total, self.own_yearly)


def _total(stated: float | None, yearly: Yearly) -> float | None:
    return stated if stated is not None else sum(yearly.values()) if yearly else None


def _check_sum(name: str, stated: float | None, yearly: Yearly) -> None:
    if stated is not None and yearly and abs(stated - sum(yearly.values())) > CENT:
        total = sum(yearly.values())
        raise ValueError(f"kinh phí {name} các năm cộng lại là {total:g}, khác tổng ghi {stated:g}")


class Proposal(_Work):
    """A proposal for a task: what somebody asks the programme to fund."""

    kind_name: ClassVar[str] = "proposal"
    label: ClassVar[str] = "Phiếu đề xuất"
    telling: ClassVar[tuple[str, ...]] = ("proposer",)

    proposer: Line | None = Field(None, title="Đơn vị đề xuất")
    urgency: Line | None = Field(None, title="Tính cấp thiết")
    needs: Many = Field((), title="Nhu cầu liên quan")  # ids
    technologies: Many = Field((), title="Công nghệ liên quan")  # ids
    origin: Line | None = Field(None, title="Xuất xứ")  # the result or patent that it builds on
    method: Line | None = Field(None, title="Phương thức")
    carried_over: bool = Field(False, title="Chuyển tiếp")
    status: Line | None = Field(None, title="Trạng thái")
    date: dt.date | None = Field(None, title="Ngày đề xuất")


class Task(_Work):
    """A task that was or is being funded, with what came of it as it is followed up."""

    kind_name: ClassVar[str] = "task"
    label: ClassVar[str] = "Nhiệm vụ"
    telling: ClassVar[tuple[str, ...]] = ("progress",)

    leader: Line | None = Field(None, title="Chủ nhiệm")
    level: Line | None = Field(None, title="Cấp quản lý")
    progress: Progress | None = Field(None, title="Tình trạng thực hiện")
    result: Line | None = Field(None, title="Kết quả đạt được")
    acceptance_no: Line | None = Field(None, title="Số nghiệm thu")
    proposal: Line | None = Field(None, title="Mã phiếu đề xuất")  # the proposal it came from
    contract_value: Money | None = Field(None, title="Giá trị hợp đồng chuyển giao (triệu đồng)")
    models: Count | None = Field(None, title="Số mô hình")
    trained: Count | None = Field(None, title="Số người được đào tạo")
    instructed: Count | None = Field(None, title="Số người được tập huấn")
    participations: Count | None = Field(None, title="Số lượt tham gia thị trường")
    replicated: Many = Field((), title="Nơi nhân rộng")
