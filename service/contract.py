"""What may be asked of the API and what comes back: the shapes that its OpenAPI document shows.

Questions are checked by these classes. Answers are built by :mod:`service.payloads`, one source for
the command line and the API; their classes here describe them, and a test holds every real answer
against its class.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from corpus.records import Need, Product, Technology, Trl

Text = Annotated[str | None, Field(min_length=1)]  # "kind=" would silently find nothing
Million = Annotated[float | None, Field(ge=0, allow_inf_nan=False)]


class ApiError(Exception):
    """A request that gets no answer: status, a code for programs, a sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Shape(BaseModel):
    """What is not listed is refused in a question and does not occur in an answer."""

    model_config = ConfigDict(extra="forbid")


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


class Search(Page):
    """A text, and filters, which remove results and never change their order."""

    q: str = Field(description="Điều cần tìm.", examples=["bao quan khom tac cau"])
    kind: Text = Field(None, description="Loại công nghệ.", examples=["quy trình"])
    field: Text = Field(None, description="Lĩnh vực.", examples=["bảo quản sau thu hoạch"])
    product: Text = Field(None, description="Sản phẩm áp dụng.", examples=["dứa"])
    place: Text = Field(
        None, description="Tỉnh của đơn vị hoặc nơi đã dùng.", examples=["An Giang"]
    )
    trl_min: Trl | None = Field(None, description="TRL tối thiểu.", examples=[7])
    price_max: Million = Field(None, description="Giá thấp nhất không quá, triệu đồng.")
    year_from: int | None = Field(None, description="Từ năm.", examples=[2020])
    valid: bool = Field(False, description="Chỉ công nghệ còn hiệu lực.")


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
    illustrative: bool = Field(description="Bản ghi minh họa, không có thật.")


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
    notices: list[str]
    model: str = Field(description="Phiên bản trọng số đã xếp hạng.", examples=["1+3fa9c0d2"])


class Found(Answer):
    """An answer to a search, with what is to be known about the index."""

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


class TechnologyBody(Technology):
    """A technology's stated facts; a fact that is missing is unknown ("chưa rõ")."""

    type: Literal["technology"]


class ProductBody(Product):
    """A product's stated facts."""

    type: Literal["product"]


class NeedBody(Need):
    """A need's stated facts."""

    type: Literal["need"]
