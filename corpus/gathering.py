"""A round in which needs are gathered: who was asked until when, and who has answered.

Every row of a form that goes out carries a code – round, body, row – which becomes the id of the
need that is written there. So a form that comes back says by itself whose it is, the same form
loaded again is no change, and a row that was corrected changes the need it stated before. How many
needs a body stated is read off the ids and never written down.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from corpus.record import Id, Line, Record, Year, clean_text
from corpus.text import squeeze

MAX_ASKED: Final = 999  # the number of a body has three digits in a code
ROUND_ID: Final = re.compile(r"[A-Za-z0-9-]{1,40}")
_CODE: Final = re.compile(rf"({ROUND_ID.pattern})\.(\d{{3}})\.(\w{{1,12}})")
Name = Annotated[Line, Field(min_length=1, max_length=300)]
Note = Annotated[Line, Field(max_length=2_000)]


class AskedKind(StrEnum):
    """What kind of body is asked; each has a form of its own."""

    DEPARTMENT = "sở"
    COMMUNE = "xã"
    ENTERPRISE = "doanh nghiệp"


class Standing(StrEnum):
    """How far a body is on one day."""

    ANSWERED = "đã trả lời"
    WAITING = "chưa trả lời"
    LATE = "quá hạn"


class Asked(BaseModel):
    """A body that was asked. ``number`` (from 1) stays its own for as long as the round is kept.

    ``answered`` is the day on which its first form was loaded, or on which ``by`` marked it by
    hand; ``note`` says what was told then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    number: Annotated[int, Field(ge=1, le=MAX_ASKED)] = Field(title="Số")
    name: Name = Field(title="Cơ quan, đơn vị")
    kind: Annotated[AskedKind, BeforeValidator(clean_text)] = Field(title="Loại")
    contact: Note | None = Field(None, title="Liên hệ")
    answered: dt.date | None = Field(None, title="Ngày trả lời")
    by: Line | None = Field(None, title="Người đánh dấu")
    note: Note | None = Field(None, title="Ghi chú")

    def standing(self, deadline: dt.date, day: dt.date) -> Standing:
        """Return how far the body is on ``day``: late from the day after the deadline."""
        if self.answered is not None:
            return Standing.ANSWERED
        return Standing.LATE if day > deadline else Standing.WAITING


class Round(Record):
    """One round of asking for needs."""

    kind_name: ClassVar[str] = "round"
    label: ClassVar[str] = "Đợt thu thập nhu cầu"

    id: Id
    name: Name = Field(title="Tên đợt")
    year: Year = Field(title="Năm")
    province: Name | None = Field(None, title="Tỉnh")
    deadline: dt.date = Field(title="Hạn trả lời")
    asked: Annotated[tuple[Asked, ...], Field(max_length=MAX_ASKED)] = Field(
        (), title="Đơn vị được hỏi"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not ROUND_ID.fullmatch(self.id):
            raise ValueError("mã đợt chỉ gồm chữ không dấu, số và gạch nối, nhiều nhất 40 ký tự")
        numbers = [each.number for each in self.asked]
        if len(set(numbers)) != len(numbers):
            raise ValueError("hai đơn vị được hỏi mang cùng một số")
        names = Counter(squeeze(each.name) for each in self.asked)
        twice = sorted({each.name for each in self.asked if names[squeeze(each.name)] > 1})
        if twice:
            raise ValueError(f"đơn vị được hỏi hai lần: {', '.join(twice)}")
        return self

    def body(self, number: int) -> Asked | None:
        """Return the body of that number."""
        return next((each for each in self.asked if each.number == number), None)

    def named(self, name: str) -> Asked | None:
        """Return the body of that name, however it is accented."""
        return next((each for each in self.asked if squeeze(each.name) == squeeze(name)), None)

    def with_body(self, changed: Asked) -> Round:
        """Return the round with one body changed."""
        asked = [changed if each.number == changed.number else each for each in self.asked]
        return Round.model_validate({**self.model_dump(), "asked": asked})

    @property
    def silent(self) -> tuple[Asked, ...]:
        """The bodies that have not answered."""
        return tuple(each for each in self.asked if each.answered is None)


class Code(NamedTuple):
    """What the code of a row says: which round, which body, and what tells the row from others."""

    round: str
    body: int
    row: str

    def __str__(self) -> str:
        return f"{self.round}.{self.body:03}.{self.row}"


def code_of(text: str) -> Code | None:
    """Return what ``text`` says as the code of a row; ``None``: it is no such code."""
    match = _CODE.fullmatch(text.strip())
    return Code(match[1], int(match[2]), match[3]) if match else None


def answers(keys: Iterable[str], key: str) -> Mapping[int, tuple[Code, ...]]:
    """Return body number → codes of the needs among ``keys`` that answer the round ``key``."""
    found: dict[int, list[Code]] = {}
    for code in filter(None, map(code_of, sorted(keys))):
        if code.round == key:
            found.setdefault(code.body, []).append(code)
    return {number: tuple(codes) for number, codes in found.items()}
