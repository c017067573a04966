"""The records of the daily work: lists being drawn up, searches kept, what documents suggest.

They live in the same store and the same log of changes as what is matched, but no spreadsheet
carries them: loaders know :data:`corpus.records.KINDS` only. What is derived (who owns what, what
is due this week, who was contacted before) is asked of the store and never written down twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from corpus.gathering import Round
from corpus.priority import PriorityList
from corpus.records import KINDS, Id, Line, Many, Need, Record
from corpus.text import normalise

WITHDRAWN = "đã rút"  # the status of a need that nobody has any more; it stays in the store
MAX_ITEMS = 500  # a list is handed to people; beyond this it is an export
MAX_SEEN = 1_000  # as many as one search may show

Name = Annotated[Line, Field(min_length=1, max_length=300)]
Note = Annotated[Line, Field(max_length=5_000)]
Login = Annotated[str, Field(min_length=1, max_length=60)]


class Status(StrEnum):
    """How far a list is: being drawn up, or in the hands of those it was drawn up for."""

    DRAFT = "nháp"
    HANDED_OVER = "đã bàn giao"


class Listed(BaseModel):
    """One line of a list: a technology, and the need it is there for, as it was found.

    ``label`` and ``reason`` are what the person who added it read; ``found_rank`` is where it stood
    among the results then (from 1), ``rank`` is its place on the list now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    technology: Id
    need: Id | None = None
    rank: Annotated[int, Field(ge=1, le=MAX_ITEMS)] = 1
    label: Annotated[Line, Field(max_length=60)] = ""
    reason: Note = ""
    note: Note | None = None
    found_rank: Annotated[int, Field(ge=1, le=9999)] | None = None
    withdrawn: bool = False  # the record was no longer in the store when the list was last written

    @property
    def pair(self) -> tuple[str, str | None]:
        """What makes a line the same line."""
        return self.technology, self.need


class MatchList(Record):
    """A list of technologies for a product, a need, or (the other way round) for one offer."""

    kind_name: ClassVar[str] = "list"
    label: ClassVar[str] = "Danh sách kết nối"

    id: Id
    name: Name = Field(title="Tên danh sách")
    product: Id | None = Field(None, title="Mã sản phẩm")
    need: Id | None = Field(None, title="Mã nhu cầu")
    technology: Id | None = Field(None, title="Mã công nghệ chào")  # an offer, lines are takers
    owner: Login = Field(title="Người lập")
    shared: Many = Field((), title="Dùng chung với")
    status: Status = Field(Status.DRAFT, title="Trạng thái")
    created: dt.date = Field(title="Ngày lập")
    handed_over: dt.date | None = Field(None, title="Ngày bàn giao")
    items: tuple[Listed, ...] = Field((), title="Công nghệ")
    index_version: Line | None = Field(None, title="Phiên bản chỉ mục")
    model_version: Line | None = Field(None, title="Phiên bản mô hình")
    note: Note | None = Field(None, title="Ghi chú")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.items) > MAX_ITEMS:
            raise ValueError(f"danh sách có quá {MAX_ITEMS} dòng")
        pairs = [each.pair for each in self.items]
        if len(set(pairs)) != len(pairs):
            raise ValueError("một công nghệ đứng hai lần cho cùng một nhu cầu")
        if [each.rank for each in self.items] != list(range(1, len(pairs) + 1)):
            raise ValueError("thứ tự các dòng phải là 1, 2, 3 …")
        if (self.handed_over is not None) != (self.status is Status.HANDED_OVER):
            raise ValueError("ngày bàn giao chỉ có, và phải có, khi đã bàn giao")
        return self

    def holds(self, technology: str) -> bool:
        """Whether ``technology`` stands on the list, or is the offer it was drawn up for."""
        return self.technology == technology or any(
            each.technology == technology for each in self.items
        )


class Waiting(StrEnum):
    """What became of a suggestion."""

    OPEN = "chờ duyệt"
    ACCEPTED = "đã nhận"
    DROPPED = "đã bỏ"


class Suggestion(Record):
    """A record that a passage of a document seems to tell: proposed, not entered.

    It stays when somebody has accepted or dropped it, so that the same document loaded again does
    not propose it again.
    """

    kind_name: ClassVar[str] = "suggestion"
    label: ClassVar[str] = "Đề xuất từ văn bản"

    id: Id
    target: Literal["product", "need", "technology"] = Field(title="Loại bản ghi")
    name: Annotated[Line, Field(min_length=1)] = Field(title="Tên hoặc nội dung")
    product: Line | None = Field(None, title="Sản phẩm")
    passage: Line = Field(title="Đoạn văn")
    confidence: Annotated[float, Field(ge=0, le=1)] = Field(title="Độ tin")
    doubts: Many = Field((), title="Chỗ chưa chắc")  # what the passage might say instead
    state: Waiting = Field(Waiting.OPEN, title="Tình trạng")
    entered: Id | None = Field(None, title="Mã bản ghi đã tạo")


class SavedSearch(Record):
    """A search that somebody keeps, to be told what is new since they last looked."""

    kind_name: ClassVar[str] = "search"
    label: ClassVar[str] = "Tìm kiếm đã lưu"

    id: Id
    owner: Login = Field(title="Người lưu")
    name: Name = Field(title="Tên")
    query: Annotated[str, BeforeValidator(str.strip), Field(max_length=4_000)] = Field(
        title="Câu tìm"  # the address bar's query string
    )
    seen: Annotated[tuple[Id, ...], Field(max_length=MAX_SEEN)] = Field((), title="Đã xem")
    index_version: Line | None = Field(None, title="Phiên bản chỉ mục")


class Merge(Record):
    """Two records of one thing that a person made into one; both as they were, to be put back.

    The kept record holds what both say; the other is gone from what is matched, and whoever looks
    for it is led to the kept one.
    """

    kind_name: ClassVar[str] = "merge"
    label: ClassVar[str] = "Lần gộp"

    id: Id
    of: Line = Field(title="Loại bản ghi")
    kept: Id = Field(title="Mã giữ lại")
    gone: Id = Field(title="Mã đã gộp")
    kept_before: Mapping[str, Any] = Field(title="Bản ghi giữ lại, trước khi gộp")
    gone_before: Mapping[str, Any] = Field(title="Bản ghi đã gộp, trước khi gộp")
    kept_after: Line = Field(title="Dấu của bản ghi sau khi gộp")  # its content hash
    by: Login = Field(title="Người gộp")
    date: dt.date = Field(title="Ngày gộp")

    def before(self) -> tuple[Record, Record]:
        """Return the kept record and the other as they were."""
        kind = KINDS[self.of]
        return kind.model_validate(self.kept_before), kind.model_validate(self.gone_before)


class Apart(Record):
    """Two records that look alike, and of which a person said that they are not the same."""

    kind_name: ClassVar[str] = "apart"
    label: ClassVar[str] = "Cặp không trùng"

    of: Line = Field(title="Loại bản ghi")
    one: Id = Field(title="Mã thứ nhất")
    other: Id = Field(title="Mã thứ hai")
    by: Login = Field(title="Người quyết định")
    date: dt.date = Field(title="Ngày")

    @property
    def key(self) -> str:
        """Kind and both ids, the lower first, joined by tabs."""
        return "\t".join((self.of, *sorted((self.one, self.other))))


STORED: dict[str, type[Record]] = {
    **KINDS,
    **{
        kind.kind_name: kind
        for kind in (MatchList, SavedSearch, PriorityList, Round, Merge, Apart, Suggestion)
    },
}
"""Every kind that a store may hold; :data:`corpus.records.KINDS` are those that files may carry."""


def withdrawn(need: Need) -> bool:
    """Whether ``need`` was withdrawn: it stays readable and is matched no more."""
    return normalise(need.status or "").casefold() == WITHDRAWN
