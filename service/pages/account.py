"""Logging in and out, and what people change about their own account: password and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from service import access
from service.access import Who
from service.ledger import LedgerError
from service.pages import render
from service.person import Asked
from service.register import Refused, Register
from service.roles import ROLE_NAMES
from service.tokens import SCOPES

router = APIRouter()
Text = Annotated[str, Form()]
Visitor = Annotated[Asked | None, Depends(access.asked)]


def register_of(request: Request) -> Register:
    """Return what is known about accounts."""
    found: Register = request.app.state.register
    return found


def add_to(app: FastAPI) -> None:
    """Send people's browsers to the page that helps them on; programs get the one body."""

    @app.exception_handler(access.ElsewhereError)
    async def _elsewhere(request: Request, error: access.ElsewhereError) -> Response:
        if render.wants_page(request):
            return RedirectResponse(error.path, 303)
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        body = {"error": {"code": error.code, "message": error.message}}
        return JSONResponse(body, error.status, headers)


Book = Annotated[Register, Depends(register_of)]


def local_path(path: str) -> str:
    """Return ``path`` if it leads to a page of this service, else the first page."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if inside and path.isprintable() and "\\" not in path else "/"


@router.get(access.LOGIN_PAGE)
def login(request: Request, _: Visitor, tiep: str = "/") -> Response:
    """Ask for login and password."""
    return render.render(request, "login.html", next=local_path(tiep), login="", wrong="")


@router.post(access.LOGIN_PAGE)
def log_in(
    request: Request,
    _: Visitor,
    book: Book,
    login: Text = "",
    password: Text = "",
    tiep: Text = "/",
) -> Response:
    """Begin a session."""
    address = request.client.host if request.client else ""
    found = book.log_in(login, password, address) if book.any() else Refused()
    if isinstance(found, Refused):
        wrong = "Tên đăng nhập hoặc mật khẩu không đúng."
        headers = {}
        if found.wait:
            wrong = f"Đã thử quá nhiều lần. Hãy thử lại sau {found.wait} giây."
            headers = {"Retry-After": str(found.wait)}
        context = {"next": local_path(tiep), "login": login[:60], "wrong": wrong}
        answer = render.render(request, "login.html", 429 if found.wait else 401, **context)
        answer.headers.update(headers)
        return answer
    return with_cookie(request, RedirectResponse(local_path(tiep), 303), found)


def with_cookie(request: Request, answer: Response, cookie: str) -> Response:
    """Give the browser a session's cookie, in place of the one it has."""
    secure = request.app.rules.secure or request.url.scheme == "https"
    answer.set_cookie(access.COOKIE, cookie, path="/", httponly=True, samesite="lax", secure=secure)
    return answer


@router.post(access.LOGOUT_PAGE)
def log_out(request: Request, _: Visitor, book: Book) -> Response:
    """End the session."""
    book.sessions.end(request.cookies.get(access.COOKIE, ""))
    answer = RedirectResponse(access.LOGIN_PAGE, 303)
    answer.delete_cookie(access.COOKIE, path="/", httponly=True, samesite="lax")
    return answer


@router.get(access.ACCOUNT_PAGE)
def account(request: Request, _: Who, book: Book) -> Response:
    """Show one's own account."""
    return _page(request, book)


@dataclass(frozen=True)
class Change:
    """What the forms of the account page send; ``viec`` says which one."""

    viec: Text = ""
    old: Text = ""
    new: Text = ""
    again: Text = ""
    name: Text = ""
    scope: Text = "read"
    days: Annotated[int, Form()] = 365
    token: Text = ""


@router.post(access.ACCOUNT_PAGE)
def change(
    request: Request, person: Who, book: Book, wanted: Annotated[Change, Depends()]
) -> Response:
    """Change the password, make a token or revoke one."""
    asked: Asked = request.state.asked
    told = ""
    if asked.way != "session":
        told = "Chỉ tài khoản đã đăng nhập mới có mật khẩu và mã truy cập."
    elif asked.must_change and wanted.viec != "mat-khau":
        told = "Cần đổi mật khẩu trước khi làm việc khác."
    if told:
        return _page(request, book, 403, told)
    try:
        return _changed(request, book, person.login, wanted)
    except LedgerError as error:
        return _page(request, book, 422, str(error))


def _changed(request: Request, book: Register, login: str, wanted: Change) -> Response:
    if wanted.viec == "mat-khau":
        return _new_password(request, book, login, wanted)
    if wanted.viec == "tao-ma":
        made, secret = book.tokens.issue(login, wanted.name, wanted.scope, wanted.days, actor=login)
        return _page(request, book, secret=secret, made=made.name)
    if wanted.viec == "thu-hoi":
        book.tokens.revoke(wanted.token, of=login, actor=login)
        return render.go(request, access.ACCOUNT_PAGE, "Đã thu hồi mã truy cập.")
    raise LedgerError("không có việc này")


def _new_password(request: Request, book: Register, login: str, wanted: Change) -> Response:
    address = request.client.host if request.client else ""
    wait = book.throttle.attempt(login, address)
    if wait:
        return _page(request, book, 429, f"Đã thử quá nhiều lần. Hãy thử lại sau {wait} giây.")
    if book.accounts.check(login, wanted.old) is None:
        raise LedgerError("mật khẩu hiện tại không đúng")
    book.throttle.succeeded(login, address)
    if wanted.new != wanted.again:
        raise LedgerError("hai lần nhập mật khẩu mới không giống nhau")
    if wanted.new == wanted.old:
        raise LedgerError("mật khẩu mới phải khác mật khẩu hiện tại")
    book.accounts.set_password(login, wanted.new, actor=login)
    answer = render.go(request, access.ACCOUNT_PAGE, "Đã đổi mật khẩu; mọi phiên khác đã kết thúc.")
    return with_cookie(request, answer, book.sessions.start(login))


def _page(
    request: Request,
    book: Register,
    status: int = 200,
    wrong: str = "",
    secret: str = "",
    made: str = "",
) -> Response:
    asked: Asked = request.state.asked
    own = asked.way == "session"
    return render.render(
        request,
        "account.html",
        status,
        own=own,
        role=ROLE_NAMES.get(asked.person.role, asked.person.role),
        must_change=asked.must_change,
        tokens=book.tokens.all(asked.person.login) if own else [],
        now=book.ledger.now(),
        scopes=SCOPES,
        wrong=wrong[:1].upper() + wrong[1:],
        secret=secret,
        made=made,
    )
