"""Routes for needs: read, state, change, withdraw, what happened to one.

They speak to the store, not to the index: needs can be stated while there is none.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from corpus.records import Need
from service import contract, contract_work
from service.api_desk import Expected, Once, Reading, Stating, created, new, tagged
from service.api_lending import Key, Plain
from service.api_records import many

router = APIRouter(tags=["Nhu cầu"])


@router.get("/needs", response_model=list[Need])
def needs(desk: Reading, query: Annotated[contract.Listing, Query()]) -> JSONResponse:
    """Đọc các nhu cầu, cả đã rút, theo thứ tự mã; `X-Total-Count` là số nhu cầu có."""
    return many([each.to_json() for each in desk.store.all(Need)], query)


@router.post("/needs", response_model=contract.NeedBody, status_code=201)
def state(
    request: Request, desk: Stating, sent: contract_work.NeedIn, key: Once = None
) -> Response:
    """Ghi một nhu cầu mới; được tìm ngay, không cần tạo lại chỉ mục."""
    facts = sent.model_dump(exclude_unset=True)

    def create() -> Response:
        stated = desk.state_need(**facts)
        return new(stated, f"needs/{quote(stated.id)}")

    return created(request, desk, key, sent.model_dump(mode="json"), create)


@router.get("/needs/{id:path}/history", response_model=list[contract_work.Change])
def need_history(desk: Reading, key: Key, _: Plain) -> JSONResponse:
    """Đọc mọi thay đổi của một nhu cầu: ai, lúc nào, trước và sau."""
    return JSONResponse(
        [
            {name: value for name, value in asdict(each).items() if name in SHOWN}
            for each in desk.need_history(key)
        ]
    )


SHOWN = contract_work.Change.model_fields.keys()


@router.get("/needs/{id:path}", response_model=contract.NeedBody)
def need(desk: Reading, key: Key, _: Plain) -> JSONResponse:
    """Đọc một nhu cầu; `ETag` dùng để sửa."""
    return tagged(desk.need(key))


@router.patch("/needs/{id:path}", response_model=contract.NeedBody)
def change_need(
    desk: Stating, key: Key, match: Expected, sent: contract_work.NeedChange
) -> JSONResponse:
    """Sửa một nhu cầu: phần không gửi giữ nguyên, `null` là không rõ nữa."""
    return tagged(desk.change_need(key, match, **sent.model_dump(exclude_unset=True)))


@router.post("/needs/{id:path}/withdraw", response_model=contract.NeedBody)
def withdraw_need(
    desk: Stating, key: Key, match: Expected, sent: contract_work.Reason
) -> JSONResponse:
    """Rút một nhu cầu: không được ghép nữa, vẫn đọc được và còn trong nhật ký."""
    return tagged(desk.withdraw_need(key, match, sent.reason))
