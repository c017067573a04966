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
from functools import cached_property
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

    @property
    def told(self) -> str:
        """What it is called, with its decision once it is issued."""
        by = f"Quyết định {self.decision}, " if self.standing is Standing.ISSUED else ""
        return f"{self.name} ({by}{self.date:%d/%m/%Y})"

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


@dataclass(frozen=True)
class Priority:
    """One group that a technology belongs to, and the decision that says so, in words."""

    key: str
    name: str
    source: str


class Membership:
    """Tells which groups of one version technologies belong to.

    What a group asks is read once, and so is each product that technologies state: a column of a
    hundred thousand records is made with it. Texts of records are taken as normalised.
    """

    def __init__(self, version: PriorityList, lexicon: Lexicon) -> None:
        self.version, self._lexicon = version, lexicon
        self._above: dict[str, frozenset[str]] = {}  # stated product → nodes, broader ones included
        self._asked = tuple(_Asked.of(each, lexicon) for each in version.groups)

    def groups(self, technology: Technology) -> tuple[PriorityGroup, ...]:
        """Return the groups that a technology belongs to, in their order."""
        told = _Told(technology, frozenset[str]().union(*map(self._nodes, technology.products)))
        return tuple(each.group for each in self._asked if each.takes_in(told))

    def of(self, technology: Technology) -> tuple[Priority, ...]:
        """Return the same as people are told it."""
        source = self.version.told
        return tuple(Priority(each.key, each.name, source) for each in self.groups(technology))

    def _nodes(self, product: str) -> frozenset[str]:
        found = self._above.get(product)
        if found is None:
            terms = self._lexicon.products(product)
            found = frozenset(name for term in terms for name in (term.name, *term.ancestors))
            self._above[product] = found
        return found


@dataclass(frozen=True)
class _Asked:
    """What one group asks, read: of one kind any will do, every kind that is asked must hold."""

    group: PriorityGroup
    nodes: frozenset[str]
    names: frozenset[str]
    words: tuple[str, ...]

    @classmethod
    def of(cls, group: PriorityGroup, lexicon: Lexicon) -> _Asked:
        nodes = (term.name for each in group.products for term in lexicon.products(each))
        words = (f" {_plain(each)} " for each in map(normalise, group.words))
        return cls(
            group,
            frozenset(nodes),
            frozenset(_plain(normalise(each)) for each in group.products),
            tuple(each for each in words if each.strip()),
        )

    def takes_in(self, told: _Told) -> bool:
        group, technology = self.group, told.technology
        if not (group.stages or group.products or group.words):
            return False
        if group.stages and set(group.stages).isdisjoint(technology.stages):
            return False
        apart = self.nodes.isdisjoint(told.nodes) and self.names.isdisjoint(told.names)
        if group.products and apart:
            return False
        return not group.words or any(map(told.says, self.words))


@dataclass(frozen=True)
class _Told:
    """What one technology says: its nodes of the product tree, and its words when asked for."""

    technology: Technology
    nodes: frozenset[str]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Its products as they are compared with those of a group."""
        return tuple(map(_plain, self.technology.products))

    def says(self, words: str) -> bool:
        """Whether ``words``, one space around each, stand in name, summary or keywords."""
        rough = self._rough  # few texts hold all syllables: only those are taken apart
        return all(each in rough for each in words.split()) and words in self._text

    @cached_property
    def _rough(self) -> str:
        of = self.technology
        return "\n".join(filter(None, (of.name, of.summary, *of.keywords))).lower()

    @cached_property
    def _text(self) -> str:
        return f" {joined(self._rough)} "


def _plain(text: str) -> str:
    """Return the words of a normalised text as they are compared."""
    return joined(text.lower())
