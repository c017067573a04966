"""The priority list at the desk: a draft is begun from a version, edited with reasons, and issued.

A version that was issued does not change; what is to be otherwise goes into a new draft. Why a
group is there, or was changed, is its own ``because``; why one was taken out stands beside the
groups, so that whoever decides on the draft reads it. Each change is one transaction of the log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from corpus.priority import PriorityGroup, PriorityList, Standing
from service.contract import ApiError
from service.desk import Desk
from service.desk_base import changed, fault, invalid, made, told, unknown
from service.roles import PLAN

PREFIX: Final = "DM"
DROPPED: Final = "Đã bỏ "  # begins the column that says why a group was taken out
NAME: Final = "Danh mục công nghệ ưu tiên hỗ trợ"
Groups = tuple[PriorityGroup, ...]


def versions(desk: Desk) -> tuple[PriorityList, ...]:
    """Return all versions, newest first."""
    with told():
        found = desk.store.all(PriorityList)
    return tuple(sorted(found, key=lambda each: (each.date, each.id), reverse=True))


def version(desk: Desk, key: str) -> PriorityList:
    """Return one version.

    Raises:
        ApiError: 404, there is none.
    """
    with told():
        found = desk.store.get(PriorityList, key)
    if found is None:
        raise unknown(PriorityList, key)
    return found


def begin(desk: Desk, name: str, before: str) -> PriorityList:
    """Begin a draft with the groups of the version ``before``; with none where that is empty."""
    desk._must(PLAN, "lập danh mục ưu tiên")
    old = version(desk, before) if before else None
    with desk._writing() as writing:
        facts = {
            "id": writing.next_id(PriorityList, PREFIX),
            "name": name or (old.name if old else NAME),
            "date": desk.today(),
            "before": old.id if old else None,
            "groups": old.groups if old else (),
            "illustrative": bool(old and old.illustrative),
        }
        return writing.edit(made(PriorityList, facts), None)


def put(desk: Desk, key: str, tag: str, old: str, facts: Mapping[str, Any]) -> PriorityList:
    """Put a group in the place of the group ``old``, or at the end where that is empty.

    Raises:
        ApiError: 404, 409 issued, 412 changed since, 422 what was typed is no group, or says not
            why.
    """
    try:
        group = PriorityGroup.model_validate(facts)
    except ValidationError as error:
        raise invalid("; ".join(fault(PriorityGroup, each) for each in error.errors())) from error
    if not group.because:
        raise invalid("Căn cứ: hãy nêu vì sao thêm hoặc sửa nhóm này")

    def replaced(groups: Groups) -> Groups:
        if not old:
            return (*groups, group)
        return tuple(group if each.key == old else each for each in groups)

    return _edit(desk, key, tag, lambda found: {"groups": replaced(_holding(found, old))})


def drop(desk: Desk, key: str, tag: str, gone: str, reason: str) -> PriorityList:
    """Take a group out, and say why.

    Raises:
        ApiError: 404, 409 issued, 412 changed since, 422 no such group, or no reason.
    """
    if not reason:
        raise invalid("Lý do: hãy nêu vì sao bỏ nhóm này")

    def without(found: PriorityList) -> dict[str, Any]:
        groups = _holding(found, gone)
        (name,) = (each.name for each in groups if each.key == gone)
        said = {**found.extra, f"{DROPPED}{gone} {name}": reason}
        return {"groups": tuple(each for each in groups if each.key != gone), "extra": said}

    return _edit(desk, key, tag, without)


def issue(desk: Desk, key: str, tag: str, decision: str, day: dt.date) -> PriorityList:
    """Issue a draft by a decision; from then on it does not change."""
    facts = {"standing": Standing.ISSUED, "decision": decision or None, "date": day}
    return _edit(desk, key, tag, lambda _: facts)


def reasons(of: PriorityList) -> list[tuple[str, str]]:
    """Return which groups were taken out of a version, and why."""
    return [
        (heading.removeprefix(DROPPED), why)
        for heading, why in of.extra.items()
        if heading.startswith(DROPPED)
    ]


def _holding(found: PriorityList, key: str) -> Groups:
    if key and key not in {each.key for each in found.groups}:
        raise invalid(f"danh mục không có nhóm {key[:100]!r}")
    return found.groups


def _edit(
    desk: Desk, key: str, tag: str, facts: Callable[[PriorityList], Mapping[str, Any]]
) -> PriorityList:
    desk._must(PLAN, "sửa danh mục ưu tiên")
    with desk._writing() as writing:
        found = writing.get(PriorityList, key)
        if found is None:
            raise unknown(PriorityList, key)
        if found.standing is not Standing.DRAFT:
            why = f"{found.id} đã ban hành nên không sửa: lập phiên bản mới"
            raise ApiError(409, "issued", why)
        return writing.edit(changed(found, facts(found)), tag)
