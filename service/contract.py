"""What may be asked of the API and what comes back: the shapes that its OpenAPI document shows.

Questions are checked by these classes. Answers are built by :mod:`service.payloads`, one source for
the command line and the API; their classes here describe them, and a test holds every real answer
against its class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from corpus.records import Need, Product, Technology, Trl

MAX_TEXT = 50_000  # characters of a question; what a pasted report has
MAX_VALUES = 50  # of one kind that a filter may name
MAX_CURSOR = 4_000
Value = Annotated[str, Field(min_length=1, max_length=500)]  # "kind=" would find nothing
Text = Value | None
Values = Annotated[list[Value], Field(max_length=MAX_VALUES)]
Million = Annotated[float | None, Field(ge=0, le=1e9, allow_inf_nan=False)]
Year = Annotated[int | None, Field(ge=0, le=9999)]


# What an id in an address is made of: no control characters but the tab that joins the parts of
# some ids; anything else never reaches a route (:mod:`service.security`).
KEY_PATTERN = r"^[^\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]*$"


class ApiError(Exception):
    """A request that gets no answer: status, a code for programs, a sentence for people."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


NO_TAG = (428, "if_match_needed", "thiếu If-Match: gửi ETag của bản đang sửa")


class Shape(BaseModel):
    """What is not listed is refused in a question and does not occur in an answer."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: object, field: ValidationInfo) -> object:
        """Refuse true where a number is asked for: read as 1 it would be a TRL."""
        asked = cls.model_fields[field.field_name or ""].annotation
        if isinstance(value, bool) and asked is not bool:
            raise PydanticCustomError("truth", "no truth value is asked for")
        return value


class Nothing(Shape):
    """A question without parameters."""


class Top(Shape):
    """How many results to return."""

    k: int = Field(10, ge=1, le=1000, description="Số kết quả.")


class Page(Top):
    """Which part of a list to return."""

    offset: int = Field(0, ge=0, le=10_000, description="Bỏ qua bấy nhiêu kết quả đầu.")


class Listing(Page):
    """Which part of all records to return."""

    k: int = Field(1000, ge=1, le=1000, description="Số bản ghi.")


class Filters(Shape):
    """What to see only; of several values of one kind any will do."""

    kind: Values = Field([], description="Loại công nghệ.", examples=[["quy trình"]])
    field: Values = Field([], description="Lĩnh vực.", examples=[["bảo quản sau thu hoạch"]])
    stage: Values = Field([], description="Khâu của chuỗi giá trị.", examples=[["bảo quản"]])
    product: Values = Field([], description="Từ trong sản phẩm hoặc tên.", examples=[["dứa"]])
    node: Values = Field(
        [], description="Nút của cây sản phẩm, gồm mọi nút dưới nó.", examples=[["cây ăn quả"]]
    )
    place: Values = Field(
        [],
        description="Tỉnh của đơn vị hoặc nơi đã dùng: tỉnh mới, tỉnh cũ, huyện cũ, vùng."
        " Tên có hai địa giới thì ghi rõ thời điểm.",
        examples=[["An Giang (trước 1/7/2025)"]],
    )
    trl_min: Trl | None = Field(None, description="TRL tối thiểu.", examples=[7])
    trl_max: Trl | None = Field(None, description="TRL tối đa.", examples=[9])
    price_max: Million = Field(None, description="Giá thấp nhất không quá, triệu đồng.")
    price_above: Million = Field(None, description="Giá thấp nhất phải hơn, triệu đồng.")
    year_from: Year = Field(None, description="Từ năm.", examples=[2020])
    year_to: Year = Field(None, description="Đến năm.", examples=[2026])
    valid: bool = Field(False, description="Chỉ công nghệ còn hiệu lực.")
    priority: Values = Field(
        [], description="Ký hiệu nhóm của danh mục ưu tiên đang hiệu lực.", examples=[["(ii)"]]
    )


Cursor = Annotated[str | None, Field(min_length=1, max_length=MAX_CURSOR)]


class Search(Page, Filters):
    """A text, and filters, which remove results and never change their order."""

    q: str = Field(
        max_length=MAX_TEXT, description="Điều cần tìm.", examples=["bao quan khom tac cau"]
    )
    cursor: Cursor = Field(
        None, description="`next` của trang trước, cùng câu hỏi và bộ lọc; không dùng cùng offset."
    )
    facets: bool = Field(True, description="Đếm số kết quả theo loại, lĩnh vực, tỉnh.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.cursor is not None and self.offset:
            raise ValueError("cursor không dùng cùng offset")
        return self


class Browse(Filters, Top):
    """All technologies that pass the filters, by id."""

    k: int = Field(100, ge=1, le=1000, description="Số công nghệ.")
    cursor: Cursor = Field(None, description="`next` của trang trước, cùng bộ lọc.")
    facets: bool = Field(False, description="Đếm số công nghệ theo loại, lĩnh vực, tỉnh.")


class Question(Top):
    """What to match: a product, a stated need, or a text with its conditions."""

    product: Text = Field(None, description="Mã hoặc tên sản phẩm.", examples=["SP-029"])
    need: Text = Field(None, description="Mã nhu cầu; không dùng cùng `product` hay `text`.")
    text: Text = Field(None, description="Nhu cầu viết tự do, của `product` nếu có.")
    budget: Million = Field(None, description="Kinh phí tối đa, triệu đồng; cùng `text`.")
    trl_min: Trl | None = Field(None, description="TRL tối thiểu; cùng `text`.")
    place: Text = Field(None, description="Nơi có nhu cầu; cùng `text`.", examples=["An Giang"])

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if self.product is None and self.need is None and self.text is None:
            raise ValueError("cần product, need hoặc text")
        if self.need is not None and (self.product is not None or self.text is not None):
            raise ValueError("need không dùng cùng product hay text")
        unstated = self.budget is None and self.trl_min is None and self.place is None
        if self.text is None and not unstated:
            raise ValueError("budget, trl_min và place chỉ dùng cùng text")
        return self


class Failure(Shape):
    """Why there is no answer."""

    code: str = Field(description="Cho chương trình đọc.", examples=["unknown_id"])
    message: str = Field(description="Cho người đọc.", examples=["không có công nghệ mã 'CN-999'"])


class ErrorBody(Shape):
    """The one body of every failure."""

    error: Failure


class Highlights(Shape):
    """Where the words of the question stand: characters ``[start, end)`` of one field."""

    field: str = Field(examples=["summary"])
    spans: list[tuple[int, int]] = Field(examples=[[[0, 8], [20, 23]]])


class Breach(Shape):
    """A hard rule of the need that the technology breaks."""

    rule: Literal["expired", "budget", "trl"]
    reason: str = Field(examples=["hết hiệu lực từ 30/06/2025"])


class Priority(Shape):
    """A group of the priority technology list in force that a technology belongs to."""

    key: str = Field(description="Ký hiệu nhóm.", examples=["(ii)"])
    name: str = Field(description="Tên nhóm.", examples=["Bảo quản sau thu hoạch"])
    source: str = Field(
        description="Danh mục và quyết định ban hành.",
        examples=["Danh mục công nghệ ưu tiên hỗ trợ (Quyết định 12/QĐ-UBND, 05/01/2026)"],
    )


Priorities = Annotated[
    list[Priority], Field(description="Nhóm của danh mục ưu tiên đang hiệu lực; rỗng: không có.")
]


class Match(Shape):
    """One technology for one question, explained; ``parts`` add up to ``score``."""

    id: str = Field(examples=["CN-001"])
    name: str = Field(examples=["Bảo quản dứa cắt lát bằng màng bao ăn được"])
    label: str = Field(examples=["phù hợp"])
    reason: str = Field(examples=["Cùng sản phẩm dứa; khâu bảo quản."])
    lacks: str = Field(description="Còn thiếu gì so với nhu cầu; rỗng: không thấy thiếu.")
    usefulness: float = Field(description="Xác suất bản ghi hữu ích, 0 đến 1.", examples=[0.8])
    score: float = Field(examples=[1.25])
    parts: dict[str, float] = Field(examples=[{"words": 0.5, "product": 0.75}])
    coverage: float = Field(description="Phần câu hỏi mà bản ghi nói đến.", examples=[0.5])
    cosine: float | None = Field(description="null: không có bộ mã hóa.", examples=[0.87])
    highlights: Highlights
    breaches: list[Breach]
    facts: dict[str, str] = Field(examples=[{"Chi phí": "180 triệu đồng", "TRL": "chưa rõ"}])
    priorities: Priorities
    illustrative: bool = Field(description="Bản ghi minh họa, không có thật.")


class Undecided(Shape):
    """Results of which nobody can tell whether they lie in the place asked for."""

    total: int = Field(description="Số bản ghi như vậy; không tính trong `total`.", examples=[3])
    reason: str = Field(examples=["chưa xác định được thuộc Kiên Giang cũ hay không"])
    matches: list[Match] = Field(description="Chỉ có ở trang đầu, hoặc khi dùng `offset`.")


class Answer(Shape):
    """What a question found: best first, and apart from them what breaks a hard rule."""

    query: str = Field(examples=["bao quan khom tac cau"])
    product: str | None = Field(examples=["Khóm Tắc Cậu"])
    found: bool = Field(description="false: chưa tìm thấy trong cơ sở dữ liệu.")
    answerable: float = Field(
        description="Xác suất cơ sở dữ liệu có bản ghi hữu ích, 0 đến 1.", examples=[0.9]
    )
    total: int = Field(description="Số bản ghi tìm thấy, cả hai danh sách.", examples=[42])
    matches: list[Match]
    set_apart: list[Match]
    nearest: Match | None = Field(description="Bản ghi gần nhất khi chưa tìm thấy.")
    undecided: Undecided | None = Field(
        description="Để riêng: có thể thuộc nơi đang lọc; null: không lọc theo nơi."
    )
    notices: list[str]
    model: str = Field(description="Phiên bản trọng số đã xếp hạng.", examples=["1+3fa9c0d2"])


class Bucket(Shape):
    """One value and how many results have it."""

    value: str = Field(examples=["quy trình"])
    count: int = Field(
        description="Số kết quả nếu chọn giá trị này, các bộ lọc khác giữ nguyên.", examples=[12]
    )
    chosen: bool = Field(description="Đang được chọn.")
    choose: dict[str, bool | float | str] = Field(
        description="Tham số chọn giá trị này.", examples=[{"kind": "quy trình"}]
    )
    above: list[str] = Field(description="Nút trên trong cây sản phẩm, gần nhất trước.")
    parts: list[Bucket] = Field(description="Tỉnh cũ nằm trong tỉnh này.")


class Facet(Shape):
    """How the results divide by one kind of fact, counted under all other filters."""

    name: str = Field(examples=["kind"])
    title: str = Field(examples=["Loại"])
    buckets: list[Bucket]
    unknown: int = Field(
        description="Số kết quả chưa rõ; với `priority`: ngoài danh mục.", examples=[3]
    )
    distinct: int = Field(description="Số giá trị có kết quả; chỉ liệt kê các giá trị nhiều nhất.")


class Found(Answer):
    """An answer to a search, with what is to be known about the index."""

    facets: list[Facet] | None = Field(description="null: không hỏi.")
    next: str | None = Field(description="Con trỏ của trang sau; null: hết.")
    index_notices: list[str]


class Choice(Match):
    """A line of a product's list and the needs it serves."""

    needs: list[str] = Field(examples=[["NC-001", "NC-002"]])


class ProductList(Shape):
    """A list that covers a product's needs."""

    product: Product
    choices: list[Choice]
    needs: dict[str, Answer]
    uncovered: list[Need]


class Taker(Shape):
    """A need that a technology may serve."""

    need: Need
    product: Product | None
    label: str = Field(examples=["cần điều chỉnh"])
    reason: str = Field(examples=["Cùng quy trình, sản phẩm khác."])
    score: float
    parts: dict[str, float]
    breaches: list[Breach]


class Similar(Shape):
    """A technology like another, and why."""

    id: str = Field(examples=["CN-002"])
    name: str = Field(examples=["Bảo quản vải bằng khí điều biến"])
    relation: Literal["same", "broader", "near", "other", "unknown"]
    reason: str = Field(examples=["Cùng sản phẩm (vải); cùng quá trình: bảo quản"])
    duplicate: bool = Field(description="Có thể là cùng một công nghệ.")
    score: float
    parts: dict[str, float]
    facts: dict[str, str]
    illustrative: bool


class Browsed(Shape):
    """Technologies by id."""

    total: int = Field(description="Số công nghệ qua bộ lọc.", examples=[320])
    undecided: int = Field(
        description="Số công nghệ chưa xác định được có thuộc nơi đang lọc hay không.", examples=[3]
    )
    technologies: list[Technology]
    facets: list[Facet] | None = Field(description="null: không hỏi.")
    next: str | None = Field(description="Con trỏ của trang sau; null: hết.")


class Offered(Shape):
    """One technology of an owner, in short."""

    id: str = Field(examples=["CN-001"])
    name: str
    kind: str | None
    products: list[str]


class OwnerLine(Shape):
    """An owner and how much they offer."""

    name: str = Field(examples=["Viện Cơ điện nông nghiệp (minh họa)"])
    technologies: int = Field(examples=[4])


class Owner(OwnerLine):
    """An owner with what they offer; contacts only where they are open to whoever asks."""

    provinces: list[str] = Field(examples=[["Hà Nội"]])
    contacts: list[str] = Field(description="Rỗng: chưa rõ, hoặc theo NDA.")
    offers: list[Offered] = Field(description="Theo thứ tự mã; tối đa 1.000.")


class TechnologyBody(Technology):
    """A technology's stated facts; a fact that is missing is unknown ("chưa rõ")."""

    type: Literal["technology"]
    priorities: Priorities


class ProductBody(Product):
    """A product's stated facts."""

    type: Literal["product"]


class NeedBody(Need):
    """A need's stated facts."""

    type: Literal["need"]
