"""Who asks, and what they may do.

A request comes with a bearer token, with the cookie of a session, or with neither; without any
account a service on loopback takes whoever can reach it for its one local officer. Roles are sets
of capabilities, not a ladder: a broker may do things that an administrator's token with a narrow
scope may not. Routes name the capability that they need::

    @router.get("/needs")
    def needs_page(who: Who) -> ...                      # anybody who is known

    @router.post("/needs")
    def state(who: Annotated[Person, needs(WRITE_NEEDS)]) -> ...

What changes something is refused when another site made the browser send it: a request that a
browser marks as cross-site never passes, and one with a session's cookie also carries the session's
own token, in the form field ``csrf`` or the header ``X-CSRF-Token``.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Protocol
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from service.contract import ApiError
from service.person import LOCAL, Asked, Person
from service.roles import Capability, may

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF-Token"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


LOGIN_PAGE, ACCOUNT_PAGE, LOGOUT_PAGE = "/dang-nhap", "/tai-khoan", "/dang-xuat"


class ElsewhereError(ApiError):
    """A refusal that people can do something about, on the page ``path``."""

    def __init__(self, status: int, code: str, message: str, path: str) -> None:
        super().__init__(status, code, message)
        self.path = path


@dataclass(frozen=True)
class Rules:
    """On what terms a service is reached.

    Args:
        local: whoever reaches it while there is no account is the local officer.
        nda: the local officer may read what is under NDA.
        hosts: the names by which it may be called, in lower case, without port; empty: any.
        secure: cookies travel over HTTPS only.
    """

    local: bool = True
    nda: bool = False
    hosts: frozenset[str] = frozenset()
    secure: bool = False


IN_PROCESS = Rules()  # asked by programs of the same process, as in tests


class Known(Protocol):
    """Where accounts are kept, as far as asking who somebody is goes."""

    def any(self) -> bool:
        """Whether there is an account."""

    def by_token(self, secret: str) -> Asked | None:
        """Return who holds a bearer token, or ``None`` where it is not, or no longer, valid."""

    def by_session(self, cookie: str) -> Asked | None:
        """Return whose session a cookie shows, or ``None``."""


class Guard:
    """Answers who asks, for one service."""

    def __init__(self, rules: Rules, known: Known | None = None) -> None:
        self.rules, self._known = rules, known

    def ask(self, token: str | None, cookie: str | None) -> Asked | None:
        """Return who shows ``token`` or ``cookie``; ``None``: nobody known.

        A token that is not valid is never made up for by a cookie or by being near.
        """
        if token is not None:
            return self._known.by_token(token) if self._known else None
        if cookie and self._known and (found := self._known.by_session(cookie)):
            return found
        if self.rules.local and not (self._known and self._known.any()):
            return Asked(Person(LOCAL, "Cán bộ", "administrator", self.rules.nda), "local")
        return None


COOKIE = "cungcau_phien"


def bearer(request: Request) -> str | None:
    """Return the token of the ``Authorization`` header; ``""`` where the header is not one."""
    given = request.headers.get("authorization")
    if given is None:
        return None
    scheme, _, secret = given.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


async def asked(request: Request) -> Asked | None:
    """Find out who asks, once a request; ``None``: nobody known.

    Raises:
        ApiError: 403, another site made the browser send this.
    """
    if not hasattr(request.state, "asked"):
        guard: Guard = request.app.state.guard
        token, cookie = bearer(request), request.cookies.get(COOKIE)
        found = await run_in_threadpool(guard.ask, token, cookie)
        if request.method not in SAFE and (found is None or found.way != "token"):
            await _own_site(request, found)
        request.state.asked = found
    known: Asked | None = request.state.asked
    return known


async def _own_site(request: Request, found: Asked | None) -> None:
    """Refuse a change that this service's own pages, or a program, did not ask for."""
    if not same_site(request):
        raise ApiError(403, "cross_site", "yêu cầu này đến từ một trang khác nên không thực hiện")
    if found is None or found.way != "session":
        return
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").startswith(FORMS):
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if given is None or not hmac.compare_digest(given.encode(), found.csrf.encode()):
        raise ApiError(
            403, "csrf", "biểu mẫu đã cũ: tải lại trang rồi gửi lại (chương trình: X-CSRF-Token)"
        )


def same_site(request: Request) -> bool:
    """Whether the browser says that this service's own page made the request, or is no browser."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    except ValueError:
        return False


async def who(request: Request) -> AsyncIterator[Person]:
    """Give the person who asks to one request.

    Raises:
        ApiError: 401, nobody known; 403, a token that only reads was used to change something.
    """
    try:
        found = await asked(request)
        if found is None:
            raise login_needed(request)
        if found.must_change and request.url.path not in {ACCOUNT_PAGE, LOGOUT_PAGE}:
            told = "cần đổi mật khẩu trước khi làm việc khác"
            raise ElsewhereError(403, "must_change", told, ACCOUNT_PAGE)
        if not found.writes and request.method not in SAFE:
            raise ApiError(403, "read_only", "mã truy cập này chỉ được đọc")
        yield found.person
    finally:
        await request.close()  # a form that was read for its token


def login_needed(request: Request) -> ElsewhereError:
    """Refuse, and send a person to the login, which leads back here."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    path = LOGIN_PAGE
    if request.method in SAFE and len(back) < 2_000:
        path += f"?tiep={quote(back, safe='')}"
    told = "cần đăng nhập, hoặc mã truy cập còn hiệu lực"
    return ElsewhereError(401, "login_needed", told, path)


Who = Annotated[Person, Depends(who)]


def needs(capability: Capability) -> Any:
    """Make the dependency that gives the person who asks, if they have ``capability``.

    Raises (when a request comes):
        ApiError: 401 nobody known; 403 not allowed.
    """

    def allowed(person: Who) -> Person:
        if not may(person, capability):
            raise ApiError(403, "not_allowed", "tài khoản này không được làm việc này")
        return person

    allowed.capability = capability  # type: ignore[attr-defined]  # read by tests over all routes
    return Depends(allowed)


def csrf(request: Request) -> str:
    """Return the token that a form on this page carries; "" where the page has no session."""
    found: Asked | None = getattr(request.state, "asked", None)
    return found.csrf if found else ""
