"""Danh sách kết nối cung – cầu: started from a product, a need, an offer or a search; due steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from corpus.records import Decision, Need, Product, Record, Technology
from corpus.text import fold
from corpus.workflow import Listed, MatchList
from matcher.answers import Taker
from service import listing
from service.contract import ApiError
from service.desk import Desk
from service.handover import GONE
from service.handover_facts import asker
from service.pages.account import local_path
from service.pages.catalogue import Catalogue
from service.pages.list_forms import (
    HOME,
    OPEN_LIST,
    AtDesk,
    Form,
    act,
    open_list,
    public_catalogue,
    shown_list,
    text,
    texts,
)
from service.pages.render import go, render
from service.roles import ALL_LISTS, may

WEEK = dt.timedelta(days=7)
SOURCES = {"san-pham": Product, "nhu-cau": Need, "cong-nghe": Technology}
router = APIRouter()


@router.get(HOME)
def home(
    request: Request, desk: AtDesk, tat_ca: Annotated[bool, Query(alias="tat-ca")] = False
) -> Response:
    """Show the lists of this person, and what is due this week."""
    return _home(request, desk, everybody=tat_ca)


def _home(
    request: Request,
    desk: Desk,
    *,
    status: int = 200,
    wrong: str = "",
    typed: dict[str, str] | None = None,
    choices: Sequence[Record] = (),
    everybody: bool = False,
) -> HTMLResponse:
    today = desk.today()
    lists = desk.lists(everybody)
    return render(
        request,
        "lists.html",
        status,
        here="lists",
        mine=[each for each in lists if each.owner == desk.person.login],
        others=[each for each in lists if each.owner != desk.person.login],
        everybody=everybody,
        sees_all=may(desk.person, ALL_LISTS),
        due=[_due(desk, each) for each in desk.due(today + WEEK)],
        today=today,
        wrong=wrong,
        typed=typed or {"nguon": "nhu-cau"},
        choices=choices,
    )


def _due(desk: Desk, decision: Decision) -> dict[str, Any]:
    need = desk.store.get(Need, decision.need)
    technology = desk.store.get(Technology, decision.technology)
    return {
        "decision": decision,
        "who": asker(need),
        "need": need,
        "technology": technology.name if technology else GONE,
        "late": decision.next_date is not None and decision.next_date < desk.today(),
    }


@router.post(HOME)
def start(request: Request, desk: AtDesk, form: Form) -> Response:
    """Start a list; a name that several records have is asked back."""
    source, given = text(form, "nguon"), text(form, "ma")
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        with public_catalogue(request) as listed:
            made = _started(desk, listed, source, given, text(form, "ten"))
    except ApiError as error:
        if error.status not in {404, 422}:
            raise
        return _home(request, desk, status=422, wrong=error.message, typed=typed)
    if isinstance(made, MatchList):
        lines = len(made.items)
        told = f"Đã lập danh sách {made.id} với {lines} dòng."
        if not lines:
            told += " Chưa tìm thấy trong cơ sở dữ liệu; có thể thêm từ trang Tìm kiếm."
        return go(request, f"{HOME}/{made.id}", told)
    said = (
        "Có nhiều bản ghi; hãy chọn một." if made else f"Không có bản ghi nào tên “{given[:60]}”."
    )
    return _home(request, desk, status=422, wrong=said, typed=typed, choices=made)


def _started(
    desk: Desk, listed: Catalogue | None, source: str, given: str, name: str
) -> MatchList | Sequence[Record]:
    """Start a list, or return the records that ``given`` may mean."""
    if source == "trong":
        return desk.start_list(name or "Danh sách mới")
    if source not in SOURCES or not given:
        raise ApiError(422, "invalid", "cần chọn nguồn và ghi mã hoặc tên")
    kind: type[Product | Need | Technology] = SOURCES[source]  # type: ignore[assignment]
    record = desk.store.get(kind, given) or (
        listed.matcher.product(given) if listed and kind is Product else None
    )
    if record is None:
        return _named(desk, kind, given)
    versions = {"model_version": listed.matcher.model if listed else None}
    if isinstance(record, Product):
        items = listing.for_product(listed.product_list(record)) if listed else ()
        return desk.start_list(name or record.name, product=record.id, items=items, **versions)
    if isinstance(record, Need):
        items = listing.for_need(listed.answer(_same(listed, record)), record) if listed else ()
        title = name or _title(record.topic or record.text)
        return desk.start_list(title, need=record.id, items=items, **versions)
    items = listing.for_offer(_takers(listed, record.public())) if listed else ()
    title = name or _title(f"Bên tiếp nhận {record.name}")
    return desk.start_list(title, technology=record.id, items=items, **versions)


def _same(listed: Catalogue, need: Need) -> Need:
    """Return the need as the matcher holds it, for which its answer is kept, unless it changed."""
    known = listed.matcher.needs.get(need.id)
    return known if known == need else need


def _takers(listed: Catalogue, offer: Technology) -> Sequence[Taker]:
    """All needs that may take ``offer``, best first."""
    return listed.takers(offer, len(listed.matcher.needs), wait=True) or ()


def _title(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= 90 else line[:89].rsplit(" ", 1)[0] + "…"


def _named(desk: Desk, kind: type[Product | Need | Technology], given: str) -> Sequence[Record]:
    """The records whose name or text says all of ``given``, accents or not."""
    wanted = fold(given).split()
    found: list[Record] = []
    for each in desk.store.all(kind):
        said = fold(
            " ".join(
                filter(
                    None,
                    (
                        each.key,
                        getattr(each, "name", ""),
                        getattr(each, "text", ""),
                        getattr(each, "topic", ""),
                    ),
                )
            )
        )
        if all(word in said for word in wanted):
            found.append(each)
    return found[:12]


@router.post(f"{HOME}/them")
def add(request: Request, desk: AtDesk, form: Form) -> Response:
    """Add chosen results to the list named, else to the one that is open, else to a new one."""
    ids = list(dict.fromkeys(texts(form, "cong-nghe")))
    question = text(form, "q")
    need = desk.store.get(Need, text(form, "nhu-cau")) if text(form, "nhu-cau") else None
    chosen = [each for each in (desk.store.get(Technology, one) for one in ids[:100]) if each]
    if not chosen:
        raise ApiError(
            422,
            "invalid",
            "chưa chọn công nghệ nào; hãy bấm “Thêm vào danh sách kết nối” ở một kết quả",
        )
    with public_catalogue(request) as listed:
        matcher = listed.matcher if listed else None
        lines = listing.chosen(matcher, chosen, need, question)
        words = listing.named(matcher, need, question)
    open_now = open_list(request, desk)
    target = text(form, "danh-sach") or (open_now.id if open_now else "")
    back = local_path(text(form, "ve")) if text(form, "ve") else ""
    if target in {"", "moi"}:
        name = text(form, "ten") or _title(words) or "Danh sách mới"
        made = desk.start_list(name, need=need.id if need else None, items=lines)
        told = f"Đã lập danh sách {made.id} với {len(lines)} dòng."
        return _opened(go(request, back or f"{HOME}/{made.id}", told), made.id)
    found = desk.match_list(target)
    there = {each.pair for each in found.items}
    new = [each for each in lines if each.pair not in there]
    where = f"danh sách {target} ({found.name})"
    told = (
        f"Đã thêm {len(new)} dòng vào {where}." if new else f"Những công nghệ này đã có: {where}."
    )
    done = act(request, desk, target, form, lambda: _add(desk, found, new), told)
    if back and done.status_code == 303:  # who goes through results goes on with them
        done = go(request, back, told)
    return _opened(done, target)


def _opened(answer: Response, key: str) -> Response:
    """Remember in the browser which list is open; the desk still asks whose it is."""
    answer.set_cookie(OPEN_LIST, key, max_age=43_200, path="/", httponly=True, samesite="lax")
    return answer


def _add(desk: Desk, found: MatchList, new: Sequence[Listed]) -> None:
    if new:
        desk.add(found.id, found.content_hash(), new)


@router.get(f"{HOME}/{{ma}}")
def one(request: Request, desk: AtDesk, ma: str) -> Response:
    """Show one list."""
    return _opened(shown_list(request, desk, desk.match_list(ma)), ma)
