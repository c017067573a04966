"""Routes for records that tell the same thing: the pairs, merging, undoing, keeping apart."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from corpus.workflow import Apart, Merge
from service import contract_duplicates
from service.api_desk import Stating
from service.api_lending import Key, Plain
from service.desk_base import told
from service.duplicates import Found

router = APIRouter(tags=["Trùng lặp"])


@router.get("/duplicates", response_model=contract_duplicates.Found)
def pairs(
    request: Request, desk: Stating, query: Annotated[contract_duplicates.Asked, Query()]
) -> JSONResponse:
    """Đọc các cặp bản ghi có thể kể cùng một điều mà chưa ai quyết định, chắc nhất trước."""
    known: Found = request.app.state.duplicates
    with told():
        found = known.pairs(desk.store, query.kind, query.threshold)
    page = found.pairs[query.offset : query.offset + query.k]
    hashes = desk.store.hashes(query.kind)  # what merging names
    listed = [
        {**each.to_json(), "etags": [f'"{hashes[key]}"' for key in (each.one, each.other)]}
        for each in page
    ]
    return JSONResponse(
        {"total": len(found.pairs), "pairs": listed, "notices": list(found.notices)}
    )


@router.get("/duplicates/merges", response_model=list[contract_duplicates.MergeLine])
def merges(desk: Stating, _: Plain) -> list[dict[str, Any]]:
    """Đọc các lần gộp đang có hiệu lực, mới nhất trước."""
    return [line(each) for each in desk.merges()]


@router.post("/duplicates/merge", response_model=contract_duplicates.MergeLine, status_code=201)
def merge(desk: Stating, sent: contract_duplicates.MergeIn) -> dict[str, Any]:
    """Gộp một bản ghi vào bản kia: giữ mọi nguồn, hoàn tác được; ETag cũ: 412."""
    tags = (each.strip().strip('"') for each in (sent.kept_etag, sent.gone_etag))
    return line(desk.merge(sent.kind, sent.kept, sent.gone, *tags))


@router.post("/duplicates/apart", response_model=contract_duplicates.ApartLine)
def keep_apart(desk: Stating, sent: contract_duplicates.ApartIn) -> dict[str, Any]:
    """Ghi nhớ rằng hai bản ghi không trùng; cặp đó không được nêu nữa."""
    said: Apart = desk.keep_apart(sent.kind, sent.one, sent.other)
    facts = {name: getattr(said, name) for name in ("one", "other", "by", "date")}
    return {"kind": said.of, **facts}


@router.post("/duplicates/{id}/undo", response_model=contract_duplicates.MergeLine)
def undo(desk: Stating, key: Key, _: Plain) -> dict[str, Any]:
    """Hoàn tác một lần gộp: cả hai bản ghi trở lại đúng như trước; đã sửa sau đó: 409."""
    return line(desk.undo_merge(key))


def line(done: Merge) -> dict[str, Any]:
    """Return a merge in short, without the records that it holds."""
    facts = {name: getattr(done, name) for name in ("id", "kept", "gone", "by", "date")}
    return {"kind": done.of, **facts}
