"""Routes for match lists: start, add, order, share, hand over, and what was done about them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from corpus.workflow import Listed, MatchList
from service import contract_work
from service.api_decisions import shown
from service.api_desk import Expected, Listing, Once, created, new, tagged, versions
from service.api_lending import TOTAL, Plain
from service.api_lending import Key as AnyKey
from service.contract_work import ListBody
from service.desk_base import invalid

router = APIRouter(tags=["Danh sách kết nối"])
Key = AnyKey


def _items(sent: list[contract_work.Item]) -> list[Listed]:
    try:
        return [Listed(**each.model_dump()) for each in sent]
    except ValidationError as error:  # an id of nothing but control characters, say
        names = ", ".join(str(each["loc"][0]) for each in error.errors())
        raise invalid(f"items: {names}: không hợp lệ") from error


@router.get("/lists", response_model=list[contract_work.ListLine])
def lists(desk: Listing, query: Annotated[contract_work.Lists, Query()]) -> JSONResponse:
    """Đọc các danh sách của mình và được chia sẻ, mới nhất trước; `X-Total-Count`: số danh sách."""
    found = desk.lists(query.everybody)
    page = found[query.offset : query.offset + query.k]
    return JSONResponse([_line(each) for each in page], headers={TOTAL: str(len(found))})


def _line(found: MatchList) -> dict[str, object]:
    facts = {name: getattr(found, name) for name in ("id", "name", "owner")}
    created = found.created.isoformat()
    return {**facts, "status": found.status, "created": created, "items": len(found.items)}


@router.post("/lists", response_model=ListBody, status_code=201)
def start_list(
    request: Request, desk: Listing, sent: contract_work.ListIn, key: Once = None
) -> Response:
    """Lập một danh sách kết nối; ghi cả phiên bản chỉ mục và mô hình đang dùng."""
    facts = {**sent.model_dump(exclude={"items"}), **versions(request)}

    def create() -> Response:
        found = desk.start_list(**facts, items=_items(sent.items))
        return new(found, f"lists/{found.id}")

    return created(request, desk, key, sent.model_dump(mode="json"), create)


@router.get("/lists/{id}", response_model=ListBody)
def match_list(desk: Listing, key: Key, _: Plain) -> JSONResponse:
    """Đọc một danh sách; `ETag` dùng để sửa."""
    return tagged(desk.match_list(key))


@router.patch("/lists/{id}", response_model=ListBody)
def rename_list(
    desk: Listing, key: Key, match: Expected, sent: contract_work.ListChange
) -> JSONResponse:
    """Đổi tên và ghi chú của một danh sách."""
    return tagged(desk.rename(key, match, sent.name, sent.note))


@router.delete("/lists/{id}", status_code=204)
def remove_list(desk: Listing, key: Key, match: Expected) -> Response:
    """Xóa một danh sách; nhật ký và các quyết định vẫn giữ."""
    desk.remove_list(key, match)
    return Response(status_code=204)


@router.post("/lists/{id}/items", response_model=ListBody)
def add_items(
    desk: Listing, key: Key, match: Expected, sent: contract_work.MoreItems
) -> JSONResponse:
    """Thêm các dòng vào cuối danh sách."""
    return tagged(desk.add(key, match, _items(sent.items)))


@router.delete("/lists/{id}/items", response_model=ListBody)
def remove_item(
    desk: Listing, key: Key, match: Expected, pair: Annotated[contract_work.Pair, Query()]
) -> JSONResponse:
    """Bỏ một dòng khỏi danh sách."""
    return tagged(desk.remove_item(key, match, (pair.technology, pair.need)))


@router.put("/lists/{id}/order", response_model=ListBody)
def order_list(desk: Listing, key: Key, match: Expected, sent: contract_work.Order) -> JSONResponse:
    """Xếp lại thứ tự: gửi đủ các dòng, mỗi dòng một lần."""
    pairs = [(each.technology, each.need) for each in sent.items]
    return tagged(desk.order(key, match, pairs))


@router.put("/lists/{id}/shared", response_model=ListBody)
def share_list(
    desk: Listing, key: Key, match: Expected, sent: contract_work.Shared
) -> JSONResponse:
    """Chia sẻ danh sách với những người này, và không ai khác."""
    return tagged(desk.share(key, match, sent.logins))


@router.post("/lists/{id}/handover", response_model=ListBody)
def hand_over(desk: Listing, key: Key, match: Expected, sent: contract_work.Day) -> JSONResponse:
    """Bàn giao danh sách: từ đó không sửa nữa, trừ khi mở lại."""
    return tagged(desk.hand_over(key, match, sent.date))


@router.post("/lists/{id}/reopen", response_model=ListBody)
def reopen_list(desk: Listing, key: Key, match: Expected) -> JSONResponse:
    """Mở lại một danh sách đã bàn giao."""
    return tagged(desk.reopen(key, match))


@router.get("/lists/{id}/contacts", response_model=list[contract_work.DecisionBody])
def contacts(desk: Listing, key: Key, _: Plain) -> JSONResponse:
    """Đọc nhật ký liên hệ của các dòng trong danh sách, cũ nhất trước."""
    return JSONResponse([shown(each) for each in desk.contact_log(key)])
