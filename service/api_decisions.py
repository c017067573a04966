"""Routes for what people found out: decisions with their next steps, and judgments."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from corpus.records import Decision, Judgment
from service import contract_work
from service.api_desk import (
    Expected,
    Listing,
    Once,
    Reading,
    Stating,
    body,
    created,
    new,
    tag,
    tagged,
    versions,
)
from service.api_lending import Key, Plain
from service.desk_judgments import judge, judgments

router = APIRouter(tags=["Quyết định"])


def shown(decision: Decision) -> dict[str, Any]:
    """Return a decision with what it is called and its ETag."""
    return body(decision, id=decision.key, etag=tag(decision))


@router.get("/decisions", response_model=list[contract_work.DecisionBody])
def decisions(desk: Listing, query: Annotated[contract_work.Decided, Query()]) -> JSONResponse:
    """Đọc các quyết định về một nhu cầu, một công nghệ, hoặc của một danh sách, mới nhất trước."""
    found = desk.decisions(need=query.need, technology=query.technology, list_id=query.list)
    return JSONResponse([shown(each) for each in found])


@router.post("/decisions", response_model=contract_work.DecisionBody, status_code=201)
def decide(
    request: Request, desk: Listing, sent: contract_work.DecisionIn, key: Once = None
) -> Response:
    """Ghi một quyết định, cùng phiên bản chỉ mục và mô hình đang dùng."""
    facts = {**sent.model_dump(exclude={"list"}), **versions(request)}

    def create() -> Response:
        made = desk.decide(**facts, list_id=sent.list)
        where = f"decisions/{quote(made.key)}"
        return new(made, where, id=made.key, etag=tag(made))

    return created(request, desk, key, sent.model_dump(mode="json"), create)


@router.get("/decisions/due", response_model=list[contract_work.DecisionBody])
def due(desk: Listing, query: Annotated[contract_work.Due, Query()]) -> JSONResponse:
    """Đọc các bước tiếp theo đến hạn, sớm nhất trước."""
    return JSONResponse([shown(each) for each in desk.due(query.until, query.everybody)])


@router.get("/decisions/{id:path}", response_model=contract_work.DecisionBody)
def decision(desk: Listing, key: Key, _: Plain) -> JSONResponse:
    """Đọc một quyết định; `ETag` dùng để sửa."""
    found = desk.decision(key)
    return tagged(found, id=found.key, etag=tag(found))


@router.patch("/decisions/{id:path}", response_model=contract_work.DecisionBody)
def amend(
    desk: Listing, key: Key, match: Expected, sent: contract_work.DecisionChange
) -> JSONResponse:
    """Sửa lý do, bước tiếp theo và hạn, hoặc sự kiện của một quyết định."""
    found = desk.amend(key, match, **sent.model_dump(exclude_unset=True))
    return tagged(found, id=found.key, etag=tag(found))


def _judged(found: Judgment) -> dict[str, Any]:
    return body(found, etag=tag(found))


@router.get("/judgments", response_model=list[contract_work.JudgmentBody])
def all_judgments(desk: Reading, query: Annotated[contract_work.Judged, Query()]) -> JSONResponse:
    """Đọc các đánh giá về một nhu cầu, một công nghệ, hoặc tất cả."""
    found = judgments(desk, **query.model_dump(exclude_none=True))
    return JSONResponse([_judged(each) for each in found])


@router.post("/judgments", response_model=contract_work.JudgmentBody, status_code=201)
def judge_pair(
    request: Request, desk: Stating, sent: contract_work.JudgmentIn, key: Once = None
) -> Response:
    """Ghi một đánh giá; cặp đã có đánh giá thì trả 412 (sửa bằng PUT)."""

    def create() -> Response:
        made = judge(desk, sent.need, sent.technology, sent.grade, None)
        return new(made, f"judgments?need={quote(made.need)}", etag=tag(made))

    return created(request, desk, key, sent.model_dump(mode="json"), create)


@router.put("/judgments", response_model=contract_work.JudgmentBody)
def judge_again(desk: Stating, match: Expected, sent: contract_work.JudgmentIn) -> JSONResponse:
    """Sửa mức của một đánh giá đã có."""
    made = judge(desk, sent.need, sent.technology, sent.grade, match)
    return tagged(made, etag=tag(made))
