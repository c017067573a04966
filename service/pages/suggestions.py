"""Đề xuất từ văn bản: what documents suggest, with the passage, for a person to decide on."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from corpus.records import KINDS, Product
from service import suggesting
from service.api_desk import Stating
from service.contract import ApiError
from service.desk import Desk
from service.pages.imports import doubts
from service.pages.list_forms import Form, text
from service.pages.render import go, render

HOME: Final = "/de-xuat-doc"
PAGE: Final = 20
router = APIRouter()
Number = Annotated[int, Query(alias="trang", ge=1, le=10_000)]


@router.get(HOME)
def home(request: Request, desk: Stating, page: Number = 1) -> Response:
    """Show what waits, the surest first."""
    return _home(request, desk, page)


def _home(
    request: Request, desk: Desk, page: int = 1, status: int = 200, wrong: str = ""
) -> Response:
    waiting = suggesting.waiting(desk)
    last = max(1, -(-len(waiting) // PAGE))
    page = min(page, last)
    products = desk.store.all(Product)
    shown = waiting[(page - 1) * PAGE : page * PAGE]
    return render(
        request,
        "suggestions.html",
        status,
        here="import",
        shown=[
            (each, each.content_hash(), suggesting.product_of(each, products)) for each in shown
        ],
        total=len(waiting),
        page=page,
        last=last,
        products=products,
        doubtful=[
            (record.label, record.key, record.source, doubts(record))
            for record in suggesting.doubtful(desk)
        ],
        labels={kind: record.label for kind, record in KINDS.items()},
        wrong=wrong,
    )


@router.post(f"{HOME}/{{ma}}")
def decide(request: Request, desk: Stating, ma: str, form: Form) -> Response:
    """Accept a suggestion, as it is or changed, or drop it."""
    etag, back = text(form, "etag"), text(form, "trang")
    page = int(back) if back.isdecimal() and len(back) < 5 else 1
    try:
        if text(form, "viec") == "nhan":
            facts = {"name": text(form, "ten"), "product": text(form, "san-pham")}
            record = suggesting.accept(desk, ma, etag or None, facts)
            told = f"Đã nhận {record.label.lower()} {record.key}."
        elif text(form, "viec") == "bo":
            suggesting.drop(desk, ma, etag or None)
            told = f"Đã bỏ đề xuất {ma}."
        else:
            raise ApiError(422, "invalid", "hãy chọn Nhận hoặc Bỏ")
    except ApiError as error:
        if error.status in {403, 503}:
            raise
        return _home(request, desk, page, error.status, error.message)
    return go(request, f"{HOME}?trang={page}", told)
