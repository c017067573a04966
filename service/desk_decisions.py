"""Decisions and contacts: what came of a technology for a need, and what is to be done next.

One pair of need and technology has a story of decisions, one a day and outcome. Everybody who
keeps lists may know that somebody was contacted, when and with what result; on which of the
lists that they may not see it was decided they are not told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from corpus.outcomes import Outcome, ReasonKind
from corpus.records import Decision, Need, Technology
from corpus.store import Writing
from corpus.workflow import MatchList
from service.contract import ApiError
from service.desk_base import changed, invalid, made, must_exist, told, unknown
from service.desk_lists import Lists
from service.roles import ALL_LISTS, LISTS, may

DECIDING = "ghi quyết định"
_ORDER = tuple(Outcome)


class Decisions(Lists):
    """What a person decides, and what was decided before."""

    def decide(
        self,
        technology: str,
        outcome: Outcome | str,
        *,
        need: str | None = None,
        list_id: str | None = None,
        date: dt.date | None = None,
        reason_kind: ReasonKind | str | None = None,
        reason: str | None = None,
        next_step: str | None = None,
        next_date: dt.date | None = None,
        event: str | None = None,
        rank: int | None = None,
        index_version: str | None = None,
        model_version: str | None = None,
    ) -> Decision:
        """Record a decision of today or an earlier day; one of its pair, day and outcome is one.

        On a list, what is not given comes from the list: the need, the rank at which the technology
        was found, the versions of index and model.

        Raises:
            ApiError: 409 ``exists``, the same was recorded for that day (amend it instead).
        """
        self._must(LISTS, DECIDING)
        facts = {
            "technology": technology,
            "outcome": outcome,
            "need": need,
            "date": date or self.today(),
            "reason_kind": reason_kind,
            "reason": reason,
            "next_step": next_step,
            "next_date": next_date,
            "event": event,
            "by": self.person.login,
            "rank": rank,
            "index_version": index_version,
            "model_version": model_version,
        }
        with self._writing() as writing:
            if list_id is not None:
                found = self._found(writing, list_id, self.works_on)
                facts = _from_list(found, facts)
            if facts["need"] is None:
                raise invalid("Mã nhu cầu: thiếu")
            decision = self._sensible(made(Decision, facts))
            must_exist(writing, Need, decision.need)
            must_exist(writing, Technology, decision.technology)
            if writing.get(Decision, decision.key) is not None:
                raise ApiError(
                    409,
                    "exists",
                    f"ngày {decision.date:%d/%m/%Y} đã ghi {decision.outcome!s} cho "
                    f"{decision.technology}: sửa quyết định đó",
                )
            return writing.edit(decision, None)

    def amend(self, key: str, expected: str, **facts: Any) -> Decision:
        """Change the reason, the next step and its date, or the event of a decision."""
        other = sorted(set(facts) - {"reason_kind", "reason", "next_step", "next_date", "event"})
        if other:
            raise invalid(f"không sửa được: {', '.join(other)}")
        self._must(LISTS, DECIDING)
        with self._writing() as writing:
            found = writing.get(Decision, key)
            if found is None:
                raise unknown(Decision, key)
            if not self._answers_for(writing, found):
                raise ApiError(403, "not_allowed", "quyết định của người khác: không được sửa")
            return writing.edit(self._sensible(changed(found, facts)), expected)

    def next_step(
        self, key: str, expected: str, step: str | None, date: dt.date | None = None
    ) -> Decision:
        """Note what is to be done next and by when; ``None``: it is done."""
        return self.amend(key, expected, next_step=step, next_date=date if step else None)

    def decision(self, key: str) -> Decision:
        """Return one decision."""
        self._must(LISTS, "xem quyết định")
        with told():
            found = self.store.get(Decision, key)
        if found is None:
            raise unknown(Decision, key)
        return self._shown([found])[0]

    def decisions(
        self,
        *,
        need: str | None = None,
        technology: str | None = None,
        list_id: str | None = None,
    ) -> tuple[Decision, ...]:
        """Return the decisions about a need, a technology, both, or on a list; the newest first."""
        self._must(LISTS, "xem quyết định")
        if list_id is not None:
            self.match_list(list_id)
        wanted = {"need": need, "technology": technology, "list": list_id}
        facts = {name: value for name, value in wanted.items() if value is not None}
        with told():
            found = self.store.find(Decision, **facts)
        return self._shown(sorted(found, key=_when, reverse=True))

    def contact_log(self, list_id: str) -> tuple[Decision, ...]:
        """Return what was decided about the pairs of a list, there or elsewhere, oldest first."""
        found = self.match_list(list_id)
        pairs = {each.pair for each in found.items}
        loose = {technology for technology, need in pairs if need is None}
        with told():
            some = [
                each
                for each in self.store.all(Decision)
                if (each.technology, each.need) in pairs
                or each.list == list_id
                or (each.technology in loose and each.need == found.need)
            ]
        return self._shown(sorted(some, key=_when))

    def due(self, until: dt.date, everybody: bool = False) -> tuple[Decision, ...]:
        """Return the decisions whose next step is to be done by ``until``, the earliest first.

        A step counts as done when its pair was decided about again. One's own decisions and those
        on lists that one works on; ``everybody``: all that may be seen.
        """
        self._must(LISTS, "xem quyết định")
        with told():
            found = self.store.all(Decision)
        last = {(each.need, each.technology): each for each in sorted(found, key=_when)}
        due = [each for each in last.values() if each.next_date and each.next_date <= until]
        if not (everybody and may(self.person, ALL_LISTS)):
            mine = {each.id for each in self.lists()}
            names = {self.person.login, self.person.name}
            due = [each for each in due if each.by in names or each.list in mine]
        return self._shown(sorted(due, key=lambda each: (each.next_date, each.key)))

    def _answers_for(self, writing: Writing, found: Decision) -> bool:
        """Whether the person made the decision, works on its list, or looks after all of them."""
        if may(self.person, ALL_LISTS) or found.by in {self.person.login, self.person.name}:
            return True
        on = writing.get(MatchList, found.list) if found.list else None
        return on is not None and self.works_on(on)

    def _sensible(self, decision: Decision) -> Decision:
        if decision.date > self.today():
            raise invalid("Ngày quyết định: chưa đến")
        if decision.next_date and not decision.next_step:
            raise invalid("Bước tiếp theo: thiếu, vì đã có hạn")
        if decision.next_date and decision.next_date < decision.date:
            raise invalid("Hạn bước tiếp theo: trước ngày quyết định")
        return decision

    def _shown(self, found: Iterable[Decision]) -> tuple[Decision, ...]:
        """Return decisions without the lists that the person may not see."""
        some = tuple(found)
        named = {each.list for each in some} - {None}
        if may(self.person, ALL_LISTS) or not named:
            return some
        seen = {each.id for each in self.lists(everybody=True)}
        return tuple(
            each if each.list is None or each.list in seen else _elsewhere(each) for each in some
        )


def _elsewhere(decision: Decision) -> Decision:
    return decision.model_copy(update={"list": None})


def _when(decision: Decision) -> tuple[dt.date, int, str]:
    return decision.date, _ORDER.index(decision.outcome), decision.key


def _from_list(found: MatchList, facts: dict[str, Any]) -> dict[str, Any]:
    """Complete what is decided on a list; the technology must stand there, for that need if any."""
    lines = [
        each
        for each in found.items
        if each.technology == facts["technology"]
        and (facts["need"] is None or each.need in {None, facts["need"]})
    ]
    if not lines:
        raise invalid(f"danh sách {found.id} không có {facts['technology']!r} cho nhu cầu này")
    needs = {each.need or found.need for each in lines}
    if facts["need"] is None and len(needs) > 1:
        raise invalid("Mã nhu cầu: cần nêu, vì công nghệ này đứng cho nhiều nhu cầu")
    line = next((each for each in lines if each.need == facts["need"]), lines[0])
    defaults = {
        "need": line.need or found.need,
        "rank": line.found_rank,
        "index_version": found.index_version,
        "model_version": found.model_version,
    }
    missing = {name: value for name, value in defaults.items() if facts[name] is None}
    return {**facts, **missing, "list": found.id}
