"""What is asked and answered about records that tell the same thing."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from matcher.duplicates import THRESHOLD
from service.contract import Shape
from service.contract_work import Id

Kind = Literal["technology", "need"]
Tag = Annotated[str, Field(min_length=1, max_length=200)]


class Asked(Shape):
    """Which pairs to return."""

    kind: Kind = Field("technology", description="Loại bản ghi.")
    threshold: float = Field(THRESHOLD, ge=0.1, le=1.0, description="Xác suất thấp nhất.")
    k: int = Field(100, ge=1, le=1000, description="Số cặp.")
    offset: int = Field(0, ge=0, le=100_000, description="Bỏ qua bấy nhiêu cặp đầu.")


class Pair(Shape):
    """Two records that may tell the same thing."""

    kind: Kind
    one: str = Field(examples=["CN-026"])
    other: str = Field(examples=["CN-193"])
    probability: float = Field(description="Xác suất kể cùng một điều.", examples=[0.997])
    titles: list[str]
    reasons: list[str] = Field(description="Điều giống nhau.")
    differences: list[str] = Field(description="Điều khác nhau.")
    etags: list[str] = Field(description="ETag của hai bản ghi, để gộp.")


class Found(Shape):
    """Pairs, most probable first."""

    total: int
    pairs: list[Pair]
    notices: list[str]


class MergeIn(Shape):
    """Which record becomes part of which; tags are the ETags of both as they were read."""

    kind: Kind = Field(description="Loại bản ghi.")
    kept: Id = Field(description="Mã giữ lại.", examples=["CN-026"])
    gone: Id = Field(description="Mã được gộp vào.", examples=["CN-193"])
    kept_etag: Tag = Field(description="ETag của bản giữ lại.")
    gone_etag: Tag = Field(description="ETag của bản được gộp.")


class ApartIn(Shape):
    """Two records that are not the same."""

    kind: Kind = Field(description="Loại bản ghi.")
    one: Id = Field(description="Mã thứ nhất.", examples=["CN-004"])
    other: Id = Field(description="Mã thứ hai.", examples=["CN-010"])


class MergeLine(Shape):
    """A merge that stands."""

    id: str = Field(examples=["GOP-0001"])
    kind: Kind
    kept: str
    gone: str
    by: str
    date: dt.date


class ApartLine(Shape):
    """A pair that a person said is not the same."""

    kind: Kind
    one: str
    other: str
    by: str
    date: dt.date
