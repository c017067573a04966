"""What is done to one list: put in order, noted, decided, shared, handed over, taken away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from corpus.records import Need
from service.contract import ApiError
from service.desk import Desk
from service.pages.list_forms import (
    HOME,
    AtDesk,
    Form,
    act,
    day,
    pair_of,
    ranked,
    text,
    text_raw,
)
from service.pages.render import go

router = APIRouter()


@router.post(f"{HOME}/{{ma}}/thu-tu")
def order(request: Request, desk: AtDesk, ma: str, form: Form) -> Response:
    """Put the lines in the order of their numbers; equal numbers stay as they were sent."""

    def work() -> None:
        ranks = ranked(form)
        desk.order(
            ma, text(form, "etag"), [pair_of(each) for each in sorted(ranks, key=ranks.__getitem__)]
        )

    return act(request, desk, ma, form, work, "Đã lưu thứ tự.")


@router.post(f"{HOME}/{{ma}}/bo-dong")
def remove_line(request: Request, desk: AtDesk, ma: str, form: Form) -> Response:
    """Take one line off."""
    pair = pair_of(text_raw(form, "cap"))
    return act(
        request, desk, ma, form, lambda: desk.remove_item(ma, text(form, "etag"), pair),
        f"Đã bỏ {pair[0]} khỏi danh sách.",
    )  # fmt: skip


@router.post(f"{HOME}/{{ma}}/ghi-chu")
def note(request: Request, desk: AtDesk, ma: str, form: Form) -> Response:
    """Write a note to one line."""
    pair, words = pair_of(text_raw(form, "cap")), text(form, "ghi-chu")
    return act(
        request, desk, ma, form,
        lambda: desk.note_item(ma, text(form, "etag"), pair, words or None), "Đã lưu ghi chú.",
    )  # fmt: skip


@router.post(f"{HOME}/{{ma}}/ten")
def rename(request: Request, desk: AtDesk, ma: str, form: Form) -> Response:
    """Change name and note of a list."""
    return act(
        request, desk, ma, form,
        lambda: desk.rename(
            ma, text(form, "etag"), text(form, "ten"), text(form, "ghi-chu") or None
        ),
        "Đã lưu tên danh sách.",
    )  # fmt: skip


@router.post(f"{HOME}/{{ma}}/chia-se")
def share(request: Request, desk: AtDesk, ma: str, form: Form) -> Response:
    """Let colleagues work on a list."""
    logins = text(form, "nguoi").replace(";", ",").split(",")
    return act(
        request, desk, ma, form, lambda: desk.share(ma, text(form, "etag"), logins),
        "Đã lưu người dùng chung.",
    )  # fmt: skip


@router.post(f"{HOME}/{{ma}}/quyet-dinh")
def decide(request: Request, desk: AtDesk, ma: str, form: Form) -> Response:
    """Record what came of one line: result, reason, next step and its date."""
    technology, need = pair_of(text_raw(form, "cap"))

    def work() -> None:
        need_id = need or text(form, "nhu-cau") or desk.match_list(ma).need
        date = day(form, "ngay") or desk.today()
        facts: dict[str, Any] = {
            "reason_kind": text(form, "nhom") or None,
            "reason": text(form, "ly-do") or None,
            "next_step": text(form, "buoc") or None,
            "next_date": day(form, "han"),
            "event": text(form, "su-kien") or None,
        }
        outcome = text(form, "ket-qua")
        try:
            desk.decide(technology, outcome, need=need_id, list_id=ma, date=date, **facts)
        except ApiError as error:
            if error.code != "exists":
                raise
            _again(desk, technology, need_id, outcome, date, facts)

    return act(
        request, desk, ma, form, work, f"Đã ghi kết quả: {_line(desk, ma, technology, need)}."
    )


def _line(desk: Desk, ma: str, technology: str, need: str | None) -> str:
    """Whom a line names: on a list of takers the one that asks, elsewhere the technology."""
    asks = desk.store.get(Need, need) if need and desk.match_list(ma).technology else None
    return (asks.asker or f"nhu cầu {asks.id}") if asks else technology


def _again(
    desk: Desk,
    technology: str,
    need: str | None,
    outcome: str,
    date: dt.date,
    facts: Mapping[str, Any],
) -> None:
    """Add a second call of one day with one result to the first: its words are kept before."""
    some = desk.decisions(need=need, technology=technology)
    first = next(each for each in some if (each.date, each.outcome) == (date, outcome))
    words = "; ".join(dict.fromkeys(filter(None, (first.reason, facts["reason"]))))
    given = {name: value for name, value in facts.items() if value is not None}
    desk.amend(first.key, first.content_hash(), **{**given, "reason": words or None})


@router.post(f"{HOME}/{{ma}}/ban-giao")
def hand_over(request: Request, desk: AtDesk, ma: str, form: Form) -> Response:
    """Close a list as handed over today."""
    return act(
        request, desk, ma, form, lambda: desk.hand_over(ma, text(form, "etag")),
        "Đã bàn giao. Tải các tệp ở dưới; mở lại được nếu cần sửa.",
    )  # fmt: skip


@router.post(f"{HOME}/{{ma}}/mo-lai")
def reopen(request: Request, desk: AtDesk, ma: str, form: Form) -> Response:
    """Make a list a draft again."""
    return act(
        request, desk, ma, form, lambda: desk.reopen(ma, text(form, "etag")), "Đã mở lại danh sách."
    )


@router.post(f"{HOME}/{{ma}}/xoa")
def remove(request: Request, desk: AtDesk, ma: str, form: Form) -> Response:
    """Take a list away; decisions made on it stay."""
    if text(form, "chac-chan") != "1":
        raise ApiError(422, "invalid", "cần đánh dấu “tôi chắc chắn” để bỏ danh sách")
    desk.remove_list(ma, text(form, "etag"))
    return go(request, HOME, f"Đã bỏ danh sách {ma}; các quyết định đã ghi vẫn còn.")
