"""Match lists: drawing up, ordering, sharing, handing over.

A list belongs to who started it. Those it is shared with work on it as well; only the owner (or an
administrator) shares or removes it. Officers see every list. What was handed over stays as it was
until it is reopened; decisions about it go on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from corpus.records import Need, Product, Technology
from corpus.store import Writing
from corpus.workflow import Listed, MatchList, Status, withdrawn
from service.contract import ApiError
from service.desk_base import (
    Work,
    changed,
    invalid,
    made,
    must_exist,
    told,
    unknown,
)
from service.roles import ADMIN, ALL_LISTS, LISTS, may

PREFIX = "DS"
KEEPING = "lập hay sửa danh sách"
Pair = tuple[str, str | None]  # technology and the need it is listed for


class Lists(Work):
    """What a person does with match lists."""

    def sees(self, found: MatchList) -> bool:
        """Whether the person may look at the list."""
        return may(self.person, ALL_LISTS) or self.works_on(found)

    def works_on(self, found: MatchList) -> bool:
        """Whether the person may change the list."""
        mine = self.owns(found) or self.person.login in found.shared
        return mine and may(self.person, LISTS)

    def owns(self, found: MatchList) -> bool:
        """Whether the person may share or remove the list."""
        return found.owner == self.person.login or may(self.person, ADMIN)

    def lists(self, everybody: bool = False) -> tuple[MatchList, ...]:
        """Return the person's own lists and those shared with them, the newest first.

        ``everybody``: all that the person may look at.
        """
        with told():
            found = self.store.all(MatchList)
        mine = self.person.login
        some = (
            each
            for each in found
            if self.sees(each) and (everybody or each.owner == mine or mine in each.shared)
        )
        return tuple(sorted(some, key=lambda each: (each.created, each.id), reverse=True))

    def match_list(self, key: str) -> MatchList:
        """Return one list."""
        with told():
            found = self.store.get(MatchList, key)
        if found is None or not self.sees(found):
            raise unknown(MatchList, key)
        return found

    def lists_with(self, technology: str) -> tuple[MatchList, ...]:
        """Return the lists, of those the person may look at, on which a technology stands."""
        return tuple(each for each in self.lists(everybody=True) if each.holds(technology))

    def gone(self, found: MatchList) -> frozenset[str]:
        """Return the technologies of a list that are no longer in the store, as of now."""
        with told():
            there = {each.technology for each in found.items}
            return frozenset(there - self.store.present(Technology, there))

    def start_list(
        self,
        name: str,
        *,
        product: str | None = None,
        need: str | None = None,
        technology: str | None = None,
        items: Sequence[Listed] = (),
        index_version: str | None = None,
        model_version: str | None = None,
        note: str | None = None,
    ) -> MatchList:
        """Start a list for a product, a need, or takers of an offer; return it with its id."""
        self._must(LISTS, KEEPING)
        with self._writing() as writing:
            must_exist(writing, Product, product)
            must_exist(writing, Need, need)
            must_exist(writing, Technology, technology)
            facts: dict[str, Any] = {
                "id": writing.next_id(MatchList, PREFIX),
                "name": name,
                "product": product,
                "need": need,
                "technology": technology,
                "owner": self.person.login,
                "created": self.today(),
                "items": _numbered(self._checked(writing, items)),
                "index_version": index_version,
                "model_version": model_version,
                "note": note,
            }
            return writing.edit(made(MatchList, facts), None)

    def rename(self, key: str, expected: str, name: str, note: str | None = None) -> MatchList:
        """Change the name and the note of a list."""
        return self._draft(key, expected, lambda _, __: {"name": name, "note": note})

    def add(self, key: str, expected: str, items: Sequence[Listed]) -> MatchList:
        """Add lines at the end; one that is there already is refused."""

        def added(writing: Writing, found: MatchList) -> dict[str, Any]:
            there = {each.pair for each in found.items}
            twice = next((each for each in items if each.pair in there), None)
            if twice is not None:
                raise ApiError(409, "exists", f"{twice.technology} đã có trong danh sách {key}")
            return {"items": _numbered([*found.items, *self._checked(writing, items)])}

        return self._draft(key, expected, added)

    def remove_item(self, key: str, expected: str, pair: Pair) -> MatchList:
        """Take one line off."""

        def without(_: Writing, found: MatchList) -> dict[str, Any]:
            _line(found, pair)
            return {"items": _numbered([each for each in found.items if each.pair != pair])}

        return self._draft(key, expected, without)

    def note_item(self, key: str, expected: str, pair: Pair, note: str | None) -> MatchList:
        """Write a note to one line."""

        def noted(_: Writing, found: MatchList) -> dict[str, Any]:
            _line(found, pair)
            lines = ({**each.model_dump()} for each in found.items)
            return {
                "items": [
                    {**line, "note": note} if (line["technology"], line["need"]) == pair else line
                    for line in lines
                ]
            }

        return self._draft(key, expected, noted)

    def order(self, key: str, expected: str, pairs: Sequence[Pair]) -> MatchList:
        """Put the lines in the order of ``pairs``, which names each of them once."""

        def ordered(_: Writing, found: MatchList) -> dict[str, Any]:
            lines = {each.pair: each for each in found.items}
            if len(pairs) != len(lines) or set(pairs) != set(lines):
                raise invalid("thứ tự mới phải có đủ các dòng của danh sách, mỗi dòng một lần")
            return {"items": _numbered([lines[each] for each in pairs])}

        return self._draft(key, expected, ordered)

    def share(self, key: str, expected: str, logins: Iterable[str]) -> MatchList:
        """Let others work on a list: these, and nobody else."""
        wanted = sorted({each.strip() for each in logins} - {""})
        return self._change(key, expected, lambda _, __: {"shared": wanted}, self.owns)

    def hand_over(self, key: str, expected: str, date: dt.date | None = None) -> MatchList:
        """Close a list as handed over on a day (today); it needs at least one line."""

        def handed(_: Writing, found: MatchList) -> dict[str, Any]:
            if not found.items:
                raise invalid("danh sách chưa có công nghệ nào")
            day = date or self.today()
            if not found.created <= day <= self.today():
                raise invalid("ngày bàn giao phải từ ngày lập đến hôm nay")
            return {"status": Status.HANDED_OVER, "handed_over": day}

        return self._draft(key, expected, handed)

    def reopen(self, key: str, expected: str) -> MatchList:
        """Make a list that was handed over a draft again."""
        again = {"status": Status.DRAFT, "handed_over": None}
        return self._change(key, expected, lambda _, __: again, self.works_on)

    def remove_list(self, key: str, expected: str) -> None:
        """Take a list away; the log keeps it, and decisions made on it stay."""
        with self._writing() as writing:
            self._found(writing, key, self.owns)
            writing.remove(MatchList, key, expected)

    def _draft(
        self,
        key: str,
        expected: str,
        change: Callable[[Writing, MatchList], dict[str, Any]],
    ) -> MatchList:
        """Change a list that is not handed over yet."""

        def open_one(writing: Writing, found: MatchList) -> dict[str, Any]:
            if found.status is Status.HANDED_OVER:
                raise ApiError(409, "handed_over", f"danh sách {key} đã bàn giao: mở lại trước")
            return change(writing, found)

        return self._change(key, expected, open_one, self.works_on)

    def _change(
        self,
        key: str,
        expected: str,
        change: Callable[[Writing, MatchList], dict[str, Any]],
        allowed: Callable[[MatchList], bool],
    ) -> MatchList:
        with self._writing() as writing:
            found = self._found(writing, key, allowed)
            writing.unchanged(found, expected)  # before anything is said of what it holds
            new = changed(found, change(writing, found))
            return writing.edit(_marked(writing, new), expected)

    def _found(self, writing: Writing, key: str, allowed: Callable[[MatchList], bool]) -> MatchList:
        found = writing.get(MatchList, key)
        if found is None or not self.sees(found):
            raise unknown(MatchList, key)
        if not allowed(found):
            raise ApiError(403, "not_allowed", f"danh sách {key} của người khác: không được sửa")
        return found

    def _checked(self, writing: Writing, items: Sequence[Listed]) -> list[Listed]:
        """Return new lines that refer to something and tell nothing under NDA.

        Others read the list: the reason that somebody with the right to NDA parts was shown may
        quote them, so it is not kept with a record that has such parts.
        """
        kept = []
        for each in items:
            technology = must_exist(writing, Technology, each.technology)
            need = must_exist(writing, Need, each.need)
            if need is not None and withdrawn(need):
                raise invalid(f"nhu cầu {need.id} đã rút")
            told_more = self.person.nda and technology is not None and technology.restricted
            kept.append(each.model_copy(update={"reason": ""} if told_more else {}))
        return kept


def _numbered(items: Iterable[Listed]) -> list[dict[str, Any]]:
    return [{**each.model_dump(), "rank": rank} for rank, each in enumerate(items, 1)]


def _line(found: MatchList, pair: Pair) -> Listed:
    line = next((each for each in found.items if each.pair == pair), None)
    if line is None:
        raise invalid(f"danh sách {found.id} không có {pair[0]!r} cho nhu cầu này")
    return line


def _marked(writing: Writing, new: MatchList) -> MatchList:
    """Mark the lines whose record is no longer in the store."""
    there = writing.present(Technology, {each.technology for each in new.items})
    marks = (each.technology not in there for each in new.items)
    items = (
        each.model_copy(update={"withdrawn": mark})
        for each, mark in zip(new.items, marks, strict=True)
    )
    return new.model_copy(update={"items": tuple(items)})
