"""The priority technology list (danh mục công nghệ ưu tiên hỗ trợ): dated versions, kept for ever.

A list has groups, and a group says which technologies belong to it: by stage of the value chain, by
product, by words of their name, summary and keywords. Each *version* is a record of its own, which
names the one before it; once it is issued (with number and date of the decision) it does not
change, a new version takes its place. So what was a priority on any day can be told for ever.

What a group asks of one kind is an alternative, of several kinds a condition: "stage chế biến" with
"products dừa; xoài" takes in processing of coconut or of mango. A group that asks nothing holds
nothing. A fact that a technology does not state meets no condition, and excludes it from nothing
but this list.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from corpus.lexicon import Lexicon
from corpus.records import STAGES, Id, Line, Many, Record, Technology
from corpus.text import joined, normalise

MAX_GROUPS = 100
Name = Annotated[Line, Field(min_length=1, max_length=300)]


class Standing(StrEnum):
    """How far a version is."""

    DRAFT = "dự thảo"
    ISSUED = "đã ban hành"


class PriorityGroup(BaseModel):
    """One group of a list, and which technologies belong to it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    key: Id = Field(title="Ký hiệu")  # (i), (ii) …
    name: Name = Field(title="Tên nhóm")
    stages: Many = Field((), title="Khâu")
    products: Many = Field((), title="Sản phẩm")
    words: Many = Field((), title="Từ ngữ")
    because: Line | None = Field(None, title="Căn cứ")  # why it was drafted or changed

    @model_validator(mode="after")
    def _check(self) -> Self:
        unknown = sorted(set(self.stages) - set(STAGES))
        if unknown:
            raise ValueError(f"khâu chưa biết: {', '.join(unknown)} (có: {', '.join(STAGES)})")
        return self


class PriorityList(Record):
    """One version of the list."""

    kind_name: ClassVar[str] = "priority"
    label: ClassVar[str] = "Danh mục công nghệ ưu tiên"

    id: Id
    name: Name = Field(title="Tên danh mục")
    date: dt.date = Field(title="Ngày")  # of the decision, or of the draft
    standing: Standing = Field(Standing.DRAFT, title="Tình trạng")
    decision: Line | None = Field(None, title="Số quyết định")
    before: Id | None = Field(None, title="Phiên bản trước")
    groups: Annotated[tuple[PriorityGroup, ...], Field(max_length=MAX_GROUPS)] = Field(
        (), title="Nhóm"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        keys = [each.key for each in self.groups]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"ký hiệu nhóm trùng nhau: {', '.join(twice)}")
        if self.standing is Standing.ISSUED and not self.decision:
            raise ValueError("danh mục đã ban hành cần số quyết định")
        if self.before == self.id:
            raise ValueError("phiên bản trước không thể là chính nó")
        return self

    def may_become(self, other: PriorityList) -> bool:
        """Whether the stored version may be replaced by ``other``: never after it was issued."""
        return self.standing is Standing.DRAFT or self == other


@dataclass(frozen=True)
class Difference:
    """What became of one group from one version to the next, in words."""

    key: str
    told: str


def in_force(versions: Iterable[PriorityList], day: dt.date) -> PriorityList | None:
    """Return the version in force on ``day``: the last issued until then; ties by id."""
    issued = (each for each in versions if each.standing is Standing.ISSUED and each.date <= day)
    return max(issued, key=lambda each: (each.date, each.id), default=None)


def differences(before: PriorityList, after: PriorityList) -> tuple[Difference, ...]:
    """Return what ``after`` changes of ``before``, group by group, in the order of their keys."""
    old = {each.key: each for each in before.groups}
    new = {each.key: each for each in after.groups}
    told = ((key, _told(old.get(key), new.get(key))) for key in sorted({*old, *new}))
    return tuple(Difference(key, "; ".join(each)) for key, each in told if each)


def _told(old: PriorityGroup | None, new: PriorityGroup | None) -> list[str]:
    if old is None or new is None:
        group = new or old
        assert group is not None
        return [f"{'thêm' if new else 'bỏ'} nhóm “{group.name}”"]
    return list(_changed(old, new))


def _changed(old: PriorityGroup, new: PriorityGroup) -> Iterator[str]:
    if old.name != new.name:
        yield f"đổi tên “{old.name}” thành “{new.name}”"
    for name in ("stages", "products", "words"):
        title = str(PriorityGroup.model_fields[name].title).lower()
        mine, theirs = getattr(old, name), getattr(new, name)
        for verb, values in (("thêm", _apart(theirs, mine)), ("bỏ", _apart(mine, theirs))):
            if values:
                yield f"{verb} {title}: {', '.join(values)}"


def _apart(these: tuple[str, ...], those: tuple[str, ...]) -> list[str]:
    return [each for each in these if each not in those]


def groups_of(
    technology: Technology, version: PriorityList, lexicon: Lexicon
) -> tuple[PriorityGroup, ...]:
    """Return the groups of ``version`` that a technology belongs to, in their order."""
    return tuple(each for each in version.groups if _belongs(technology, each, lexicon))


def _belongs(technology: Technology, group: PriorityGroup, lexicon: Lexicon) -> bool:
    asked = []
    if group.stages:
        asked.append(not set(group.stages).isdisjoint(technology.stages))
    if group.products:
        asked.append(_of_product(technology, group.products, lexicon))
    if group.words:
        told = (technology.name, technology.summary, *technology.keywords)
        text = _plain("\n".join(filter(None, told)))
        asked.append(any(f" {_plain(word)} " in f" {text} " for word in group.words))
    return bool(asked) and all(asked)


def _of_product(technology: Technology, products: Iterable[str], lexicon: Lexicon) -> bool:
    """Whether it is for one of ``products``, or one that lies under it in the tree."""
    mine = {
        name
        for stated in technology.products
        for term in lexicon.products(stated)
        for name in (term.name, *term.ancestors)
    }
    wanted = {term.name for each in products for term in lexicon.products(each)}
    stated = {_plain(each) for each in technology.products}
    return not mine.isdisjoint(wanted) or not stated.isdisjoint(map(_plain, products))


def _plain(text: str) -> str:
    return joined(normalise(text).lower())
