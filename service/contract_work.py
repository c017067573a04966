"""What may be sent to change something, and what comes back: needs, lists, decisions, searches.

Texts have the limits of forms, not of files. What is missing in a change stays as it is; ``null``
makes a fact unknown.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from corpus.outcomes import Outcome, ReasonKind
from corpus.records import Decision, Judgment, Trl
from corpus.workflow import MAX_ITEMS, MatchList, SavedSearch
from service.contract import Filters, Million, Shape

# What a text that must say something holds: a character that is left when spaces, control and
# invisible characters are taken away. Whoever writes the record checks it; the document says it.
_LETTER = r"[^\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200d\u2060\ufeff]"
SAID: dict[str, JsonValue] = {"pattern": _LETTER}
AskedId = Annotated[str, Field(min_length=1, max_length=100, pattern=_LETTER)]  # nobody writes it
Id = Annotated[str, Field(min_length=1, max_length=100, json_schema_extra=SAID)]
Line = Annotated[str, Field(max_length=1_000)]
Story = Annotated[str, Field(max_length=20_000)]
Told = Annotated[Story, Field(min_length=1, json_schema_extra=SAID)]
Name = Annotated[str, Field(min_length=1, max_length=300, json_schema_extra=SAID)]
Date = dt.date | None


class _NeedFacts(Shape):
    stage: Line | None = Field(None, description="Khâu.", examples=["bảo quản"])
    budget: Million = Field(None, description="Kinh phí tối đa, triệu đồng.", examples=[200])
    trl_min: Trl | None = Field(None, description="TRL tối thiểu.")
    priority: Annotated[int, Field(ge=1, le=9)] | None = Field(None, description="Ưu tiên.")
    asker: Line | None = Field(None, description="Đơn vị có nhu cầu.")
    asker_kind: Line | None = Field(None, description="Loại đơn vị.")
    commune: Line | None = Field(None, description="Xã, phường, đặc khu.")
    province: Line | None = Field(None, description="Tỉnh.", examples=["An Giang"])
    scale: Line | None = Field(None, description="Quy mô.")
    current: Line | None = Field(None, description="Công nghệ đang dùng.")
    collector: Line | None = Field(None, description="Cơ quan tổng hợp.")
    date: Date = Field(None, description="Ngày.")
    topic: Line | None = Field(None, description="Chủ đề.")


class NeedIn(_NeedFacts):
    """A need to state."""

    product: Id = Field(description="Mã sản phẩm.", examples=["SP-029"])
    text: Told = Field(description="Nhu cầu.", examples=["Giữ tươi khoanh khóm cắt sẵn khi đi xa"])


class NeedChange(_NeedFacts):
    """What to change of a need."""

    product: Id = Field("", description="Mã sản phẩm.", examples=["SP-029"])
    text: Told = Field("", description="Nhu cầu.")


class Reason(Shape):
    """Why."""

    reason: Line | None = Field(None, description="Lý do.", examples=["đã tự giải quyết"])


class Change(Shape):
    """One line of a record's history."""

    revision: int = Field(examples=[12])
    action: Literal["added", "changed", "removed"]
    actor: str | None = Field(description="Người làm; null: dòng lệnh.")
    at: str | None = Field(description="Lúc nào (UTC); null: nạp từ tệp.")
    before: dict[str, object] | None = Field(description="Trước đó.")
    after: dict[str, object] | None = Field(description="Sau đó.")


class Pair(Shape):
    """A line of a list: a technology, and the need it is listed for."""

    technology: Id = Field(description="Mã công nghệ.", examples=["CN-001"])
    need: Id | None = Field(None, description="Mã nhu cầu.", examples=["NC-001"])


class Item(Pair):
    """A line to add to a list, as it was found."""

    label: Annotated[str, Field(max_length=60)] = Field("", description="Nhãn đã hiện.")
    reason: Annotated[str, Field(max_length=5_000)] = Field("", description="Lý do đã hiện.")
    note: Annotated[str, Field(max_length=5_000)] | None = Field(None, description="Ghi chú.")
    found_rank: Annotated[int, Field(ge=1, le=9999)] | None = Field(
        None, description="Thứ hạng lúc tìm thấy."
    )


Items = Annotated[list[Item], Field(max_length=MAX_ITEMS)]
Note = Annotated[str, Field(max_length=5_000)] | None


class ListIn(Shape):
    """A match list to start."""

    name: Name = Field(description="Tên danh sách.", examples=["Kết nối khóm Tắc Cậu, đợt 1"])
    product: Id | None = Field(None, description="Mã sản phẩm.", examples=["SP-029"])
    need: Id | None = Field(None, description="Mã nhu cầu.")
    technology: Id | None = Field(None, description="Mã công nghệ chào; các dòng là nơi cần.")
    items: Items = Field([], description="Các dòng, theo thứ tự.")
    note: Note = Field(None, description="Ghi chú.")


class ListChange(Shape):
    """A list's new name and note."""

    name: Name = Field(description="Tên danh sách.", examples=["Kết nối khóm Tắc Cậu, đợt 2"])
    note: Note = Field(None, description="Ghi chú.")


class MoreItems(Shape):
    """Lines to add at the end."""

    items: Annotated[list[Item], Field(min_length=1, max_length=MAX_ITEMS)] = Field(
        description="Các dòng thêm vào cuối."
    )


class Order(Shape):
    """All lines in their new order."""

    items: Annotated[list[Pair], Field(max_length=MAX_ITEMS)] = Field(
        description="Đủ các dòng, mỗi dòng một lần, theo thứ tự mới."
    )


class Shared(Shape):
    """Who else works on a list."""

    logins: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=100)] = Field(
        description="Tên đăng nhập của những người cùng làm; thay cho danh sách cũ.",
        examples=[["lan"]],
    )


class Day(Shape):
    """A day."""

    date: Date = Field(None, description="Ngày; bỏ trống: hôm nay.", examples=["2026-11-25"])


class ListBody(MatchList):
    """A match list."""

    type: Literal["list"]


class ListLine(Shape):
    """A match list in short."""

    id: str = Field(examples=["DS-0001"])
    name: str
    owner: str
    status: str = Field(examples=["nháp"])
    created: dt.date
    items: int = Field(description="Số dòng.", examples=[8])


class Lists(Shape):
    """Which lists to show."""

    everybody: bool = Field(False, description="Cả danh sách của người khác, nếu được xem.")
    k: int = Field(100, ge=1, le=1000, description="Số danh sách.")
    offset: int = Field(0, ge=0, le=10_000, description="Bỏ qua bấy nhiêu danh sách đầu.")


class _DecisionFacts(Shape):
    reason_kind: ReasonKind | None = Field(None, description="Nhóm lý do.")
    reason: Story | None = Field(None, description="Lý do.")
    next_step: Line | None = Field(None, description="Bước tiếp theo.")
    next_date: Date = Field(None, description="Hạn bước tiếp theo.")
    event: Line | None = Field(None, description="Sự kiện.")


class DecisionIn(_DecisionFacts):
    """A decision about a technology for a need."""

    technology: Id = Field(description="Mã công nghệ.", examples=["CN-001"])
    need: Id | None = Field(None, description="Mã nhu cầu; có thể bỏ nếu danh sách đã nói.")
    list: Id | None = Field(None, description="Mã danh sách.")
    outcome: Outcome = Field(description="Kết quả.")
    date: Date = Field(None, description="Ngày quyết định; bỏ trống: hôm nay.")
    rank: Annotated[int, Field(ge=1, le=9999)] | None = Field(None, description="Thứ hạng khi xem.")


class DecisionChange(_DecisionFacts):
    """What to change of a decision; what is not sent stays."""


class DecisionBody(Decision):
    """A decision; ``id`` names it in addresses, ``etag`` in ``If-Match``."""

    type: Literal["decision"]
    id: str
    etag: str


class Decided(Shape):
    """Which decisions to show, newest first."""

    need: AskedId | None = Field(None, description="Mã nhu cầu.")
    technology: AskedId | None = Field(None, description="Mã công nghệ.")
    list: AskedId | None = Field(None, description="Mã danh sách.")


class Due(Shape):
    """Which next steps to show."""

    until: dt.date = Field(description="Đến hạn không muộn hơn ngày này.", examples=["2026-12-01"])
    everybody: bool = Field(False, description="Cả việc của người khác, nếu được xem.")


class JudgmentIn(Shape):
    """How well a technology answers a need."""

    need: Id = Field(description="Mã nhu cầu.", examples=["NC-001"])
    technology: Id = Field(description="Mã công nghệ.", examples=["CN-001"])
    grade: Annotated[int, Field(ge=0, le=3)] = Field(
        description="3 giải quyết, 2 cần sửa ít, 1 liên quan, 0 không.", examples=[2]
    )


class JudgmentBody(Judgment):
    """A judgment; ``etag`` names its state in ``If-Match``."""

    type: Literal["judgment"]
    etag: str


class Judged(Shape):
    """Which judgments to show."""

    need: AskedId | None = Field(None, description="Mã nhu cầu.")
    technology: AskedId | None = Field(None, description="Mã công nghệ.")


class Kept(Filters):
    """A question with its filters, as it is kept."""

    q: Annotated[str, Field(min_length=1, max_length=2_000)] = Field(
        description="Điều cần tìm.", examples=["bảo quản khóm"]
    )


class SearchIn(Shape):
    """A search to keep; what it finds now counts as seen."""

    name: Name = Field(description="Tên.", examples=["Bảo quản khóm"])
    search: Kept = Field(description="Câu hỏi và bộ lọc.")


class SearchBody(SavedSearch):
    """A kept search."""

    type: Literal["search"]


class New(Shape):
    """What a kept search finds that it did not find when it was last looked at."""

    id: str = Field(examples=["TK-0001"])
    new: list[str] = Field(description="Mã công nghệ mới, theo thứ tự tìm thấy.")
    gone: list[str] = Field(description="Mã đã thấy lần trước, nay không còn trong kết quả.")
    index_changed: bool = Field(description="Chỉ mục đã đổi từ lần xem trước.")
