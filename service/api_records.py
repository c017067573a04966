"""Routes that read records: technologies and who offers them, products, needs.

What is read is what the matcher of whoever asks knows, so a page, its counts and a search always
speak of the same state.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from corpus.records import Product, Record
from matcher.facets import facets
from matcher.match import Matcher
from service import contract, cursors, payloads
from service.api_lending import (
    MERGED,
    TOTAL,
    Current,
    Key,
    Listing,
    Plain,
    chosen,
    known,
    offered,
)
from service.contract import ApiError
from service.cursors import Made

router = APIRouter(tags=["Bản ghi"])


@router.get("/technologies", response_model=contract.Browsed)
def technologies(opened: Current, query: Annotated[contract.Browse, Query()]) -> JSONResponse:
    """Đọc các công nghệ qua bộ lọc, theo thứ tự mã; trang sau bắt đầu sau mã cuối đã trả."""
    matcher, only = opened.matcher, chosen(query)
    made = Made("", "", "", Made.digest(query.model_dump(exclude={"k", "cursor", "facets"})))
    after = None if query.cursor is None else cursors.decode(query.cursor, made)
    ids = _ids(matcher, np.flatnonzero(matcher.admitted(only)))
    start = bisect_right(ids, str(after[0])) if after else 0
    shown = ids[start : start + query.k]
    counted = facets(matcher, None, only) if query.facets else None
    return JSONResponse(
        {
            "total": len(ids),
            "undecided": int(matcher.undecided(only).sum()),
            "technologies": [matcher.technologies[each].to_json() for each in shown],
            "facets": None if counted is None else [payloads.facet(each) for each in counted],
            "next": cursors.encode(made, [shown[-1]]) if start + query.k < len(ids) else None,
        }
    )


def _ids(matcher: Matcher, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[str]:
    return sorted(matcher.engine.index.ids[row] for row in rows.tolist())


@router.get("/technologies/{id:path}", response_model=contract.TechnologyBody, responses=MERGED)
def technology(request: Request, opened: Current, key: Key, _: Plain) -> JSONResponse:
    """Đọc một công nghệ; những phần theo NDA chỉ dành cho người có quyền."""
    found = offered(request, opened.matcher, key)
    return _one(found, priorities=payloads.priorities(opened.matcher.priorities_of(found)))


@router.get("/products", response_model=list[Product])
def products(opened: Current, query: Listing) -> JSONResponse:
    """Đọc các sản phẩm, theo thứ tự mã; `X-Total-Count` là số sản phẩm có."""
    return many([payloads.product(each) for each in opened.matcher.products.values()], query)


@router.get("/products/{id:path}", response_model=contract.ProductBody)
def product(opened: Current, key: Key, _: Plain) -> JSONResponse:
    """Đọc một sản phẩm."""
    return _one(known(Product, opened.matcher.products, key))


Name = Annotated[
    str,
    Path(
        alias="name",
        max_length=2_000,
        pattern=contract.KEY_PATTERN,
        description="Tên đơn vị.",
        examples=["Viện A"],
    ),
]


@router.get("/owners", response_model=list[contract.OwnerLine])
def owners(opened: Current, query: Listing) -> JSONResponse:
    """Đọc các đơn vị sở hữu công nghệ, nhiều công nghệ nhất trước; `X-Total-Count`: số đơn vị."""
    column = opened.matcher.columns.owner
    counts = column.by_value(column.tally(np.flatnonzero(opened.matcher.columns.known)))
    lines = sorted(zip(column.values, counts.tolist(), strict=True), key=lambda each: -each[1])
    return many([{"name": name, "technologies": count} for name, count in lines], query)


@router.get("/owners/{name:path}", response_model=contract.Owner)
def owner(opened: Current, name: Name, _: Plain) -> JSONResponse:
    """Đọc một đơn vị: công nghệ họ có, và liên hệ nếu người hỏi được xem."""
    matcher = opened.matcher
    column = matcher.columns.owner
    rows = np.flatnonzero(column.rows(column.exactly([name])))
    if not len(rows):
        raise ApiError(404, "unknown_owner", f"không có đơn vị nào tên {name[:100]!r}")
    offers = [matcher.technologies[each] for each in _ids(matcher, rows)]
    return JSONResponse(payloads.owner(name, offers))


def _one(record: Record, **more: object) -> JSONResponse:
    return JSONResponse({"type": record.kind_name, **record.to_json(), **more})


def many(items: Sequence[payloads.Data], page: contract.Page) -> JSONResponse:
    """Return one page of a list, and how long the list is."""
    part = slice(page.offset, page.offset + page.k)
    return JSONResponse(items[part], headers={TOTAL: str(len(items))})
