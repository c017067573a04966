"""What administrators look after: accounts, the index, what was done, the settings."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from corpus.records import Technology
from corpus.store import StoreError
from matcher.models import NONE
from service import limits, security, sessions
from service.access import needs
from service.contract import ApiError
from service.desk_base import VIETNAM
from service.indexing import Indexing
from service.ledger import Ledger, LedgerError, stamp
from service.pages import render
from service.pages.account import Book, Text
from service.person import Asked, Person
from service.register import Register
from service.roles import ADMIN, ROLE_NAMES
from service.shelf import store_of

PATH = "/quan-tri"
PAGE = 50  # lines of the audit on one page
ACTIONS = {  # of the audit, for people
    "user.add": "thêm tài khoản",
    "user.change": "sửa tài khoản",
    "user.passwd": "đặt mật khẩu",
    "user.disable": "khóa tài khoản",
    "user.enable": "mở tài khoản",
    "token.add": "tạo mã truy cập",
    "token.revoke": "thu hồi mã truy cập",
    "index.build": "cập nhật chỉ mục",
    "import.load": "nạp dữ liệu",
    "plan.draw": "lập danh mục",
}
DAY = r"^(\d{4}-\d\d-\d\d)?$"
router = APIRouter()
Administrator = Annotated[Person, needs(ADMIN)]


class Setting(NamedTuple):
    """One setting as data: its name, what it is now, and what it does."""

    name: str
    value: str
    told: str


class Index(NamedTuple):
    """What is known of the index that is served; ``trouble`` says why there is none."""

    records: int = 0
    revision: int = 0
    encoder: str = ""
    notices: tuple[str, ...] = ()
    trouble: str = ""
    behind: int = 0


@dataclass(frozen=True)
class Sought:
    """Which lines of the audit are asked for."""

    ai: Annotated[str, Query(max_length=60)] = ""
    viec: Annotated[str, Query(max_length=40)] = ""
    tu: Annotated[str, Query(pattern=DAY)] = ""
    den: Annotated[str, Query(pattern=DAY)] = ""
    trang: Annotated[int, Query(ge=1, le=10_000)] = 1


@dataclass(frozen=True)
class Wanted:
    """What the forms of this page send; ``viec`` says which one."""

    viec: Text = ""
    login: Text = ""
    name: Text = ""
    role: Text = ""
    nda: Text = ""
    token: Text = ""


@router.get(PATH)
def admin(
    request: Request, _: Administrator, book: Book, sought: Annotated[Sought, Depends()]
) -> Response:
    """Show all of it."""
    return _page(request, book, sought=sought)


@router.post(PATH)
def administrate(
    request: Request, person: Administrator, book: Book, wanted: Annotated[Wanted, Depends()]
) -> Response:
    """Do one thing."""
    verb = VERBS.get(wanted.viec)
    if verb is None:
        raise ApiError(422, "invalid", "không có việc này")
    try:
        return verb(request, book, _actor(request), wanted)
    except LedgerError as error:
        return _page(request, book, 422, wrong=str(error))


def _actor(request: Request) -> str:
    asked: Asked = request.state.asked
    return asked.person.login


def _add(request: Request, book: Register, actor: str, wanted: Wanted) -> Response:
    password = _first_password()
    made = book.accounts.add(
        wanted.login, wanted.name, wanted.role, password,
        nda=bool(wanted.nda), must_change=True, actor=actor,
    )  # fmt: skip
    return _page(request, book, password=password, login=made.login)


def _reset(request: Request, book: Register, actor: str, wanted: Wanted) -> Response:
    password = _first_password()
    book.accounts.set_password(wanted.login, password, must_change=True, actor=actor)
    return _page(request, book, password=password, login=wanted.login)


def _change(request: Request, book: Register, actor: str, wanted: Wanted) -> Response:
    book.accounts.change(wanted.login, role=wanted.role, nda=bool(wanted.nda), actor=actor)
    return render.go(request, PATH, f"Đã sửa tài khoản {wanted.login}.")


def _disable(request: Request, book: Register, actor: str, wanted: Wanted) -> Response:
    book.accounts.set_disabled(wanted.login, True, actor=actor)
    told = f"Đã khóa tài khoản {wanted.login}: phiên đã kết thúc, mã truy cập đã thu hồi."
    return render.go(request, PATH, told)


def _enable(request: Request, book: Register, actor: str, wanted: Wanted) -> Response:
    book.accounts.set_disabled(wanted.login, False, actor=actor)
    return render.go(request, PATH, f"Đã mở tài khoản {wanted.login}.")


def _revoke(request: Request, book: Register, actor: str, wanted: Wanted) -> Response:
    book.tokens.revoke(wanted.token, actor=actor)
    return render.go(request, PATH, "Đã thu hồi mã truy cập.")


def _build(request: Request, book: Register, actor: str, _: Wanted) -> Response:
    del book
    indexing: Indexing = request.app.state.indexing
    began = indexing.start(actor)
    told = "Đang cập nhật chỉ mục; chỉ mục cũ vẫn được dùng cho đến khi xong."
    return render.go(request, PATH, told if began else "Chỉ mục đang được cập nhật rồi.")


VERBS: dict[str, Callable[[Request, Register, str, Wanted], Response]] = {
    "them": _add,
    "dat-mat-khau": _reset,
    "sua": _change,
    "khoa": _disable,
    "mo": _enable,
    "thu-hoi": _revoke,
    "chi-muc": _build,
}


def _first_password() -> str:
    """Make a password that is told once and changed at the first login."""
    return "-".join(secrets.token_hex(2) for _ in range(5))


def _page(
    request: Request,
    book: Register,
    status: int = 200,
    *,
    sought: Sought = Sought(),
    wrong: str = "",
    password: str = "",
    login: str = "",
) -> Response:
    return render.render(
        request,
        "admin.html",
        status,
        here="admin",
        accounts=book.accounts.all(),
        roles=ROLE_NAMES,
        tokens=book.tokens.all(),
        now=book.ledger.now(),
        index=_index(request),
        work=request.app.state.indexing.last(),
        lines=_entries(book.ledger, sought),
        actions=ACTIONS,
        sought=sought,
        per_page=PAGE,
        settings=_settings(request),
        wrong=wrong[:1].upper() + wrong[1:],
        password=password,
        login=login,
    )


def _entries(ledger: Ledger, sought: Sought) -> list[object]:
    """Return the lines asked for and one more, if there is a next page."""
    found = ledger.entries(
        actor={"": None, "dòng lệnh": ""}.get(sought.ai, sought.ai),
        action=sought.viec or None,
        since=_edge(sought.tu),
        until=_edge(sought.den, 1),
        limit=PAGE + 1,
        offset=(sought.trang - 1) * PAGE,
    )
    return list(found)


def _edge(day: str, later: int = 0) -> str | None:
    """Return when a day begins in Vietnam, or so many days later, as the audit writes moments."""
    if not day:
        return None
    try:
        first = dt.date.fromisoformat(day) + dt.timedelta(later)
        return stamp(dt.datetime.combine(first, dt.time(), VIETNAM))
    except (ValueError, OverflowError) as error:
        raise ApiError(422, "invalid", f"không có ngày {day!r}") from error


def _index(request: Request) -> Index:
    try:
        with request.app.state.live.lease() as opened:
            manifest = opened.manifest
            found = Index(
                manifest.records, manifest.revision, manifest.encoder or "", opened.notices
            )
        behind = store_of(request).changed_since(manifest.revision, Technology.kind_name)
        return found._replace(behind=behind)
    except (ApiError, StoreError) as error:
        return Index(trouble=str(error))


def _settings(request: Request) -> tuple[Setting, ...]:
    space, rules = request.app.state.space, request.app.rules
    hours, mebi = sessions.IDLE.total_seconds() / 3600, security.MIB
    biggest = max(security.UPLOADS.values()) // mebi
    model = space.models.current()
    tables = "riêng" if space.tables.is_dir() else "của chương trình"
    return (
        Setting("Phiên bản", version("cungcau"), "của chương trình"),
        Setting("Thư mục làm việc", str(space.folder), "--data hoặc CUNGCAU_DATA"),
        Setting("Bảng từ vựng", tables, "lexicon/"),
        Setting("Mô hình", "của chương trình" if model == NONE else model, "trọng số đang dùng"),
        Setting("Không cần đăng nhập", "có" if rules.local else "không", "khi chưa có tài khoản"),
        Setting("Tên máy được phục vụ", ", ".join(sorted(rules.hosts)) or "mọi tên", "--name"),
        Setting("Phiên hết hạn sau", f"{hours:.0f} giờ không dùng", "và lâu nhất 24 giờ"),
        Setting("Đăng nhập sai", f"{limits.FREE_OF_LOGIN} lần", "rồi phải chờ, đến 15 phút"),
        Setting("Tệp tải lên", f"{biggest} MB", "lớn nhất"),
        Setting("Số tiến trình", os.environ.get("CUNGCAU_WORKERS", "1"), "--workers"),
    )
