"""From what a page found to the HTML that people read: the one place where templates are filled.

Templates escape everything and refuse a name they were not given. Every page gets who asks
(``person``), the token that its forms carry (``csrf``), what was just done (``notices``) and where
in the house it stands (``here``). What was just done travels to the next page in a signed cookie,
so that an address bar never says what somebody did, and is shown once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from itsdangerous import BadData, URLSafeSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.datastructures import URL

from corpus.text import Span
from matcher import explain, fit
from service.desk_base import VIETNAM
from service.person import Person
from service.roles import ADMIN, IMPORT, LISTS, PLAN, READ, may
from service.sessions import signing_key

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"
NOTICES = "cungcau_bao"  # name of the cookie with what was just done
EXCERPT = 260  # characters of a passage under a result
MOST = 1_500  # characters of a notice that fit into a cookie


class Place(NamedTuple):
    """One of the places that every page leads to; ``name`` is what ``here`` is compared with."""

    name: str
    path: str
    title: str


PLACES = (
    Place("search", "/", "Tìm kiếm"),
    Place("searches", "/tim-kiem-da-luu", "Đã lưu"),
    Place("products", "/san-pham", "Sản phẩm"),
    Place("technologies", "/cong-nghe", "Công nghệ"),
    Place("lists", "/danh-sach", "Danh sách kết nối"),
    Place("import", "/nhap-du-lieu", "Nhập dữ liệu"),
    Place("overview", "/tong-quan", "Tổng quan"),
    Place("yearly", "/ke-hoach-nam", "Kế hoạch năm"),
    Place("admin", "/quan-tri", "Quản trị"),
)
PAGES = {  # kind of record → where its page stands
    "technology": "/cong-nghe",
    "product": "/san-pham",
    "need": "/nhu-cau",
    "proposal": "/phieu",
    "task": "/nhiem-vu",
}
ASKED = {
    "lists": LISTS,
    "import": IMPORT,
    "yearly": PLAN,
    "admin": ADMIN,
}  # to go there; elsewhere reading will do


def render(
    request: Request, name: str, status: int = 200, *, here: str = "", **context: Any
) -> HTMLResponse:
    """Fill the template ``name``.

    Args:
        request: the request that is answered.
        name: file in ``service/templates``.
        status: HTTP status of the answer.
        here: the place in :data:`PLACES` that the page belongs to.
        context: what the template names.
    """
    told = said(request)
    asked = getattr(request.state, "asked", None)
    context.setdefault("notices", ())
    body = TEMPLATES.get_template(name).render(
        person=asked.person if asked else None,
        csrf=asked.csrf if asked else "",
        places=_places(asked.person if asked else None),
        here=here,
        path=request.url.path,
        address_here=_address(request.url),
        **{**context, "notices": (*told, *context["notices"])},
    )
    answer = HTMLResponse(body, status, headers={"Cache-Control": "no-store"})
    if told:
        answer.delete_cookie(NOTICES, path="/", httponly=True, samesite="lax")
    return answer


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks: it would rather read a page than the one error body."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get(
        "accept", ""
    )


def failure(
    request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """Return the page that says what went wrong and what to do."""
    answer = render(request, "error.html", status, code=status, message=message)
    answer.headers.update(headers or {})
    return answer


def _places(person: Person | None) -> tuple[Place, ...]:
    """Return the places to lead to; nobody is led to where they would be refused."""
    if person is None:
        return PLACES
    return tuple(each for each in PLACES if may(person, ASKED.get(each.name, READ)))


def _address(url: URL) -> str:
    """Return where a page stands within the service, with its question."""
    return f"{url.path}?{url.query}" if url.query else url.path


def go(request: Request, path: str, *said: str) -> RedirectResponse:
    """Answer a form: send the browser on to ``path``, which will show what was ``said``."""
    answer = RedirectResponse(path, 303)
    if said:
        text = signer(request, "thông báo").dumps([each[:MOST] for each in said])
        secure = request.url.scheme == "https"
        answer.set_cookie(
            NOTICES, str(text), max_age=120, path="/", httponly=True, samesite="lax", secure=secure
        )
    return answer


def said(request: Request) -> tuple[str, ...]:
    """Return what the page before left to say; what was not signed here is not said."""
    try:
        told = signer(request, "thông báo").loads(request.cookies.get(NOTICES, ""))
    except BadData:
        return ()
    return tuple(map(str, told)) if isinstance(told, list) else ()


def signer(request: Request, purpose: str) -> URLSafeSerializer:
    """Return what signs cookies for one purpose; workers of one service share its key.

    Where the work folder cannot keep a key there is one for the life of the process.
    """
    state = request.app.state
    if not hasattr(state, "secret"):
        try:
            state.secret = signing_key(state.space.folder)
        except OSError:
            state.secret = secrets.token_bytes(32)
    return URLSafeSerializer(state.secret, salt=f"cungcau {purpose}")


def marked(text: str, spans: Sequence[Span]) -> Markup:
    """Return ``text`` escaped, with the spans in ``<mark>``; spans are in order and apart."""
    pieces: list[str] = []
    end = 0
    for span in spans:
        pieces += [escape(text[end : span.start]), MARK.format(text[span.start : span.end])]
        end = span.end
    return Markup("").join([*pieces, escape(text[end:])])


def excerpt(text: str, spans: Sequence[Span], most: int = EXCERPT) -> Markup:
    """Cut ``text`` to about ``most`` characters around its first spans, and mark those inside."""
    first, last = (spans[0].start, spans[0].end) if spans else (0, 0)
    start = max(0, min(first - 60, len(text) - most))
    start = text.find(" ", start, first) + 1 or start if start else 0
    end = min(len(text), max(start + most, last))
    end = max(text.rfind(" ", last, end), 0) or end if end < len(text) else end
    inside = [
        Span(each.text, each.start - start, min(each.end, end) - start)
        for each in spans
        if start <= each.start < end
    ]
    shown = marked(text[start:end], inside)
    return Markup("{}{}{}").format("… " if start else "", shown, " …" if end < len(text) else "")


MARK = Markup("<mark>{}</mark>")


def day(value: dt.date | None) -> str:
    """Write a date as people do; "chưa rõ" where it is not known."""
    return f"{value:%d/%m/%Y}" if value else explain.UNKNOWN


def moment(at: str | None, to: str = "%d/%m/%Y %H:%M") -> str:
    """Write a time that is kept in UTC as the clock here showed it; "chưa rõ" where none was."""
    if not at:
        return explain.UNKNOWN
    return f"{dt.datetime.fromisoformat(at).astimezone(VIETNAM):{to}}"


def number(value: float) -> str:
    """Write a count with the separators of Vietnamese."""
    return f"{value:,.0f}".replace(",", ".")


def known(value: object) -> str:
    """Write a fact; "chưa rõ" where it is missing."""
    if value is None or value in ("", ()):
        return explain.UNKNOWN
    return "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def key(value: str) -> str:
    """Write an id as a part of a path; ids may hold a slash, but no path may begin anew."""
    return quote(value, safe="/").replace("/./", "/%2E/").replace("/../", "/%2E%2E/")


def address(path: str, **parts: object) -> str:
    """Return ``path`` with those ``parts`` that are set as its query; lists repeat their name."""
    pairs: list[tuple[str, object]] = []
    for name, value in parts.items():
        many: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
        pairs += [(name, each) for each in many if each not in (None, "", False)]
    pairs = [(name, "1" if each is True else each) for name, each in pairs]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def changed(url: URL, **parts: object) -> str:
    """Return the path and query of ``url`` with some parameters replaced, or dropped (``None``)."""
    kept = url.remove_query_params(list(parts))
    kept = kept.include_query_params(**{k: v for k, v in parts.items() if v is not None})
    return kept.path + (f"?{kept.query}" if kept.query else "")


def static(name: str) -> str:
    """Return the address of a file in ``service/static``; it changes with the file's content."""
    if name not in _DIGESTS:
        _DIGESTS[name] = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={_DIGESTS[name]}"


_DIGESTS: dict[str, str] = {}


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for each in (day, moment, number, known, key, excerpt, marked):
        made.filters[each.__name__] = each
    made.filters["money"] = fit.money
    made.globals |= {"static": static, "address": address, "UNKNOWN": explain.UNKNOWN}
    made.globals |= {"SUITS": explain.SUITS, "ADAPT": explain.ADAPT, "facts": explain.facts}
    return made


TEMPLATES = _environment()
