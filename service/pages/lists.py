"""Danh sách kết nối cung – cầu: started from a product, a need, an offer or a search; due steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from corpus.records import Decision, Need, Product, Record, Technology
from corpus.text import fold
from corpus.workflow import Listed, MatchList, Status
from matcher.match import Matcher
from service import handover, listing
from service.access import ALL_LISTS, may
from service.contract import ApiError
from service.desk import Desk
from service.exports import WATERMARK
from service.handover import Annex
from service.list_files import FILES, list_file
from service.pages.account import local_path
from service.pages.list_forms import (
    HOME,
    AtDesk,
    Form,
    act,
    day,
    pair_of,
    pair_text,
    public_matcher,
    ranked,
    shown_list,
    text,
    texts,
)
from service.pages.render import go, render

WEEK = dt.timedelta(days=7)
SOURCES = {"san-pham": Product, "nhu-cau": Need, "cong-nghe": Technology}
COMPARED = 3
OPEN_LIST = "cungcau_danh_sach"  # cookie: the list that was open last
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
        "who": handover.asker(need),
        "need": need,
        "technology": technology.name if technology else handover.GONE,
        "late": decision.next_date is not None and decision.next_date < desk.today(),
    }


@router.post(HOME)
def start(request: Request, desk: AtDesk, form: Form) -> Response:
    """Start a list; a name that several records have is asked back."""
    source, given = text(form, "nguon"), text(form, "ma")
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        with public_matcher(request) as matcher:
            made = _started(desk, matcher, source, given, text(form, "ten"))
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
    desk: Desk, matcher: Matcher | None, source: str, given: str, name: str
) -> MatchList | Sequence[Record]:
    """Start a list, or return the records that ``given`` may mean."""
    if source == "trong":
        return desk.start_list(name or "Danh sách mới")
    if source not in SOURCES or not given:
        raise ApiError(422, "invalid", "cần chọn nguồn và ghi mã hoặc tên")
    kind: type[Product | Need | Technology] = SOURCES[source]  # type: ignore[assignment]
    record = desk.store.get(kind, given) or (
        matcher.product(given) if matcher and kind is Product else None
    )
    if record is None:
        return _named(desk, kind, given)
    versions = {"model_version": matcher.model if matcher else None}
    if isinstance(record, Product):
        items = listing.for_product(matcher, record) if matcher else ()
        return desk.start_list(name or record.name, product=record.id, items=items, **versions)
    if isinstance(record, Need):
        items = listing.for_need(matcher, record) if matcher else ()
        title = name or _title(record.topic or record.text)
        return desk.start_list(title, need=record.id, items=items, **versions)
    items = listing.for_offer(matcher, record.public()) if matcher else ()
    title = name or _title(f"Bên tiếp nhận {record.name}")
    return desk.start_list(title, technology=record.id, items=items, **versions)


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
        raise ApiError(422, "invalid", "chưa chọn công nghệ nào; hãy đánh dấu rồi thêm lại")
    with public_matcher(request) as matcher:
        lines = listing.chosen(matcher, chosen, need, question)
    target = text(form, "danh-sach") or _open_list(request, desk)
    back = local_path(text(form, "ve")) if text(form, "ve") else ""
    if target in {"", "moi"}:
        name = (
            text(form, "ten") or _title(question or (need.text if need else "")) or "Danh sách mới"
        )
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


def _open_list(request: Request, desk: Desk) -> str:
    """Return the list that this browser had open last, if it may still be added to."""
    key = request.cookies.get(OPEN_LIST, "")
    try:
        found = desk.match_list(key) if key and key.isprintable() else None
    except ApiError:
        return ""
    return key if found is not None and found.status is Status.DRAFT else ""


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

    return act(request, desk, ma, form, work, f"Đã ghi kết quả cho {technology}.")


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


def text_raw(form: Any, name: str) -> str:
    """Return a field as it was sent: a pair may end with the tab that parts it."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


@router.get(f"{HOME}/{{ma}}/so-sanh")
def compare(
    request: Request, desk: AtDesk, ma: str, dong: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Show two or three lines side by side."""
    found = desk.match_list(ma)
    paper = listing.papers(desk, found)
    wanted = dong or []
    lines = [each for each in paper.lines if pair_text(each.item) in wanted]
    if not 2 <= len(lines) <= COMPARED:
        wrong = f"hãy đánh dấu hai hoặc {COMPARED} dòng để so sánh"
        return shown_list(request, desk, found, status=422, wrong=wrong)
    rows = handover.compared(paper, lines)
    return render(
        request, "compare.html", here="lists", found=found, paper=paper, lines=lines, rows=rows
    )


@router.get(f"{HOME}/{{ma}}/in")
def printed(request: Request, desk: AtDesk, ma: str) -> Response:
    """Show a list as it is to be printed."""
    paper = listing.papers(desk, desk.match_list(ma))
    columns = handover.short_columns(paper)
    rows = handover.rows(paper, columns)
    return render(
        request, "list_print.html", here="lists", paper=paper, columns=columns, rows=rows,
        watermark=WATERMARK,
    )  # fmt: skip


@router.get(f"{HOME}/{{ma}}/tai/{{tep}}")
def download(
    desk: AtDesk,
    ma: str,
    tep: str,
    so: str = "",
    van_ban: str = "",
    so_van_ban: str = "",
    ngay: str = "",
    co_quan: str = "",
    chu_tri: str = "",
    thoi_gian: str = "",
) -> Response:
    """Return one of the files of a list."""
    paper = listing.papers(desk, desk.match_list(ma))
    given = (so, van_ban, so_van_ban, ngay, co_quan, chu_tri, thoi_gian)
    form = Annex(*(" ".join(each.split())[:200] for each in given))
    if tep not in FILES:
        raise ApiError(404, "unknown_route", f"không có tệp này; có: {', '.join(FILES)}")
    return list_file(paper, tep, form)
