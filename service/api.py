"""The routes of ``/api/v1``: what the command line answers with ``--json``, for other programs.

A route borrows the matcher that is current, asks it, and returns what :mod:`service.payloads`
makes of the answer. Routes are plain functions and write their JSON themselves: both happen in a
thread, so that neither the encoder nor a long list holds up other requests. Whoever asks here
belongs to the public: what is under NDA is not even loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse

from corpus.records import Need, Product, Record, Technology
from matcher import fit
from matcher.match import Answer, Matcher
from matcher.need import Conditions
from service import contract, payloads
from service.contract import ApiError
from service.workspace import Opened

R = TypeVar("R", bound=Record)
TOTAL = "X-Total-Count"  # of a list that is returned in part


def borrowed(request: Request) -> Iterator[Opened]:
    """Lend one matcher to a request, from its start to its end."""
    with request.app.state.live.lease() as opened:
        yield opened


Current = Annotated[Opened, Depends(borrowed)]
Key = Annotated[str, Path(alias="id", description="Mã bản ghi.", examples=["CN-001"])]
Listing = Annotated[contract.Listing, Query()]
Plain = Annotated[contract.Nothing, Query()]
router = APIRouter(prefix="/api/v1")


@router.get("/search", response_model=contract.Found, tags=["Tìm"])
def search(opened: Current, query: Annotated[contract.Search, Query()]) -> JSONResponse:
    """Tìm công nghệ theo câu chữ, có dấu hoặc không dấu; bộ lọc chỉ bỏ bớt, không đổi thứ tự.

    Trang sau: tăng `offset`; hết khi cả `matches` và `set_apart` đều rỗng.
    """
    matcher = opened.matcher
    only = fit.Filter(**query.model_dump(exclude={"q", "k", "offset"}))
    whole = matcher.answer(matcher.text(query.q), query.offset + query.k, only)
    part = _part(query)
    page = replace(whole, matches=whole.matches[part], set_apart=whole.set_apart[part])
    told = {**payloads.answer(page), "found": whole.found, "nearest": payloads.nearest(whole)}
    return JSONResponse({**told, "index_notices": list(opened.notices)})


@router.get("/matches", response_model=contract.ProductList | contract.Answer, tags=["Tìm"])
def matches(opened: Current, query: Annotated[contract.Question, Query()]) -> JSONResponse:
    """Lập danh sách kết nối cho một sản phẩm, một nhu cầu, hoặc nhu cầu viết tự do.

    Chỉ `product`: danh sách đáp ứng các nhu cầu của sản phẩm. Còn lại: câu trả lời cho một nhu cầu.
    """
    matcher = opened.matcher
    product = _product(matcher, query.product) if query.product is not None else None
    if product is not None and query.text is None:
        return JSONResponse(payloads.product_list(matcher.for_product(product, query.k)))
    return JSONResponse(payloads.answer(_answer(matcher, query, product)))


def _answer(matcher: Matcher, query: contract.Question, product: Product | None) -> Answer:
    if query.text is None:
        stated = _known(Need, matcher.needs, query.need or "")
        return matcher.answer(matcher.stated(stated), query.k)
    conditions = Conditions(query.budget, query.trl_min, query.place)
    return matcher.answer(matcher.text(query.text, product, conditions), query.k)


# An id may hold a slash ("CN/2024/01"), so ids are paths, and what follows an id comes first.
@router.get("/technologies/{id:path}/takers", response_model=list[contract.Taker], tags=["Tìm"])
def takers(opened: Current, key: Key, query: Annotated[contract.Top, Query()]) -> JSONResponse:
    """Tìm ai cần một công nghệ."""
    known = _known(Technology, opened.matcher.technologies, key)
    return JSONResponse([payloads.taker(each) for each in opened.matcher.takers(known, query.k)])


@router.get("/technologies/{id:path}", response_model=contract.TechnologyBody, tags=["Bản ghi"])
def technology(opened: Current, key: Key, _: Plain) -> JSONResponse:
    """Đọc một công nghệ, trừ những phần theo NDA."""
    return _one(_known(Technology, opened.matcher.technologies, key))


@router.get("/products", response_model=list[Product], tags=["Bản ghi"])
def products(opened: Current, query: Listing) -> JSONResponse:
    """Đọc các sản phẩm, theo thứ tự mã; `X-Total-Count` là số sản phẩm có."""
    return _many([payloads.product(each) for each in opened.matcher.products.values()], query)


@router.get("/products/{id:path}", response_model=contract.ProductBody, tags=["Bản ghi"])
def product(opened: Current, key: Key, _: Plain) -> JSONResponse:
    """Đọc một sản phẩm."""
    return _one(_known(Product, opened.matcher.products, key))


@router.get("/needs", response_model=list[Need], tags=["Bản ghi"])
def needs(opened: Current, query: Listing) -> JSONResponse:
    """Đọc các nhu cầu, theo thứ tự mã; `X-Total-Count` là số nhu cầu có."""
    return _many([payloads.need(each) for each in opened.matcher.needs.values()], query)


@router.get("/needs/{id:path}", response_model=contract.NeedBody, tags=["Bản ghi"])
def need(opened: Current, key: Key, _: Plain) -> JSONResponse:
    """Đọc một nhu cầu."""
    return _one(_known(Need, opened.matcher.needs, key))


def _known(kind: type[R], records: Mapping[str, R], key: str) -> R:
    if key not in records:
        raise ApiError(404, "unknown_id", f"không có {kind.label.lower()} mã {key!r}")
    return records[key]


def _product(matcher: Matcher, key: str) -> Product:
    return matcher.product(key) or _known(Product, matcher.products, key)


def _one(record: Record) -> JSONResponse:
    return JSONResponse({"type": record.kind_name, **record.to_json()})


def _many(items: Sequence[payloads.Data], page: contract.Page) -> JSONResponse:
    return JSONResponse(items[_part(page)], headers={TOTAL: str(len(items))})


def _part(page: contract.Page) -> slice:
    return slice(page.offset, page.offset + page.k)
