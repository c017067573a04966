"""Routes for files on their way in: upload, columns, preview, load, rejected rows; the index.

The steps are those of the pages (:mod:`service.imports`). An upload is its sender's own and lies
apart until it is loaded, thrown away or a day old; its ETag names file and plan, so that what is
loaded is what somebody has seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import JSONResponse, Response

from corpus.headings import title
from corpus.tables import Table
from service import contract_files, mapping
from service.access import needs
from service.api_desk import Bringing, Expected, Once, created
from service.api_lending import Key, Plain
from service.contract import ApiError
from service.contract_files import ImportBody, files
from service.desk import Desk
from service.importing import Preview
from service.imports import TYPES, Imports, plans_of, tag_of
from service.indexing import Indexing
from service.mapping import KEEP, Certainty, MappingError, Plan
from service.opening import READABLE
from service.person import Person
from service.roles import IMPORT
from service.uploads import Upload, UploadError

router = APIRouter(tags=["Nhập dữ liệu"])
Sent = Annotated[UploadFile, File(description=f"Tệp {', '.join(READABLE)}, tối đa 20 MB.")]


@router.get("/imports", response_model=list[contract_files.ImportLine])
def imports(mine: Bringing, _: Plain) -> JSONResponse:
    """Đọc các tệp mà người hỏi đã tải lên và còn giữ, mới nhất trước."""
    return JSONResponse([_line(mine, each) for each in mine.all()])


@router.post("/imports", response_model=ImportBody, status_code=201)
def upload(request: Request, mine: Bringing, file: Sent, key: Once = None) -> Response:
    """Tải một tệp lên; các cột được đoán, chưa có gì được nạp. Tệp tự mất sau một ngày."""
    asked = [file.filename, _digest(file.file)]
    try:
        kept = mine.receive(file.filename or "", file.file)
    except UploadError as error:
        raise ApiError(422, "unreadable", str(error)) from error
    made = _body(mine, kept, 201)
    try:  # the file was read before: the store is not kept waiting for it
        answer = created(request, Desk(mine.store, mine.person), key, asked, lambda: made)
    except ApiError:
        mine.drop(kept)
        raise
    if answer.headers["location"] != made.headers["location"]:
        mine.drop(kept)  # sent before
    return answer


@router.get("/imports/{id}", response_model=ImportBody)
def one_import(mine: Bringing, key: Key, _: Plain) -> JSONResponse:
    """Đọc một tệp đã tải lên: các bảng, các cột được hiểu là gì, đã nạp đến đâu."""
    return _body(mine, mine.find(key))


@router.delete("/imports/{id}", status_code=204)
def drop_import(mine: Bringing, key: Key, match: Expected) -> Response:
    """Bỏ một tệp đã tải lên; những gì đã nạp từ nó thì ở lại."""
    mine.drop(_unchanged(mine, key, match))
    return Response(status_code=204)


@router.put("/imports/{id}/plan", response_model=ImportBody)
def plan_import(
    mine: Bringing, key: Key, match: Expected, sent: contract_files.ImportPlan
) -> JSONResponse:
    """Chọn loại bản ghi của mỗi bảng và trường của mỗi cột."""
    kept = _unchanged(mine, key, match)
    if mine.progress(kept) is not None:
        raise ApiError(409, "loaded", "tệp này đã hoặc đang được nạp: tải lên lại để nạp cách khác")
    tables = mine.tables(kept)
    if len(sent.tables) != len(tables):
        raise _unplaced(f"tables: tệp có {len(tables)} bảng, nhận {len(sent.tables)}")
    plans = [_plan(mine, *pair) for pair in zip(tables, sent.tables, strict=True)]
    try:
        for table, plan in zip(tables, plans, strict=True):
            mapping.check(table, plan, whole=False)
    except MappingError as error:
        raise _unplaced(str(error)) from error
    mine.choose(kept, plans)
    return _body(mine, kept)


@router.get("/imports/{id}/preview", response_model=contract_files.ImportPreview)
def preview_import(
    mine: Bringing, key: Key, query: Annotated[contract_files.Seen, Query()]
) -> JSONResponse:
    """Xem nạp sẽ thêm, đổi, từ chối những gì, và vì sao; chưa ghi gì."""
    return JSONResponse(_preview(_seen(mine, mine.find(key)), query.offset, query.k))


@router.post("/imports/{id}/load", response_model=ImportBody, status_code=202)
def load_import(mine: Bringing, key: Key, match: Expected) -> JSONResponse:
    """Bắt đầu nạp: tất cả hoặc không gì cả. Gửi lại không nạp hai lần; `state` nói đã đến đâu."""
    kept = _unchanged(mine, key, match)
    if mine.progress(kept) is None:
        _seen(mine, kept)  # what lacks something is told now
    mine.start(kept)
    return _body(mine, kept, 202)


@router.get(
    "/imports/{id}/rejected",
    response_class=Response,
    responses=files(TYPES),
)
def rejected_rows(
    mine: Bringing, key: Key, query: Annotated[contract_files.Corrections, Query()]
) -> Response:
    """Tải các dòng bị từ chối cùng lý do, để sửa rồi tải lên lại."""
    kept = mine.find(key)
    try:
        name, content = mine.rejected(kept, f".{query.format}")
    except MappingError as error:
        raise _unplaced(str(error)) from error
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=TYPES[Path(name).suffix], headers=headers)


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := stream.read(2**20):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()


# The index ----------------------------------------------------------------------------------------


@router.get("/index", response_model=contract_files.IndexBody)
def index_state(
    request: Request, _person: Annotated[Person, needs(IMPORT)], _: Plain
) -> JSONResponse:
    """Đọc lần cập nhật chỉ mục đang chạy hoặc gần nhất."""
    return _index(request.app.state.indexing)


@router.post("/index", response_model=contract_files.IndexBody, status_code=202)
def refresh_index(request: Request, person: Annotated[Person, needs(IMPORT)]) -> JSONResponse:
    """Bắt đầu cập nhật chỉ mục, nếu chưa có lần nào đang chạy; tìm kiếm vẫn dùng chỉ mục cũ."""
    indexing: Indexing = request.app.state.indexing
    indexing.start(person.login)
    return _index(indexing, 202)


def _index(indexing: Indexing, status: int = 200) -> JSONResponse:
    last = indexing.last()
    return JSONResponse(asdict(last) if last else {"state": "never"}, status)


# What is shown of an upload -----------------------------------------------------------------------


def _line(mine: Imports, kept: Upload) -> dict[str, Any]:
    progress = mine.progress(kept)
    told = asdict(progress) if progress else None
    if told:
        del told["first"]  # for people: programs read what is there by its ids
    state = told.pop("state") if told else "new"
    return {"id": kept.token, "name": kept.name, "state": state, "progress": told}


def _body(mine: Imports, kept: Upload, status: int = 200) -> JSONResponse:
    pairs = zip(mine.tables(kept), plans_of(kept), strict=True)
    tables = [_table(mine, table, plan) for table, plan in pairs]
    body = {"type": "import", **_line(mine, kept), "tables": tables}
    headers = {"ETag": f'"{tag_of(kept)}"', "Location": f"/api/v1/imports/{kept.token}"}
    return JSONResponse(body, status, headers)


def _table(mine: Imports, table: Table, plan: Plan) -> dict[str, Any]:
    guesses = mine.guesses(table, plan.kind)
    sure = {each.column: (each.field, each.certainty) for each in guesses}
    fields = [plan.fields.get(column, KEEP) for column in range(len(table.headings))]
    required = mapping.required(plan.kind) if plan.kind else ()
    return {
        "name": table.sheet or table.file,
        "rows": len(table.rows),
        "kind": plan.kind,
        "columns": [
            {
                "heading": heading,
                "field": field,
                "certainty": sure[column][1]
                if sure.get(column, ("",))[0] == field
                else Certainty.NONE,
                "examples": contract_files.examples(table.rows, column),
            }
            for column, (heading, field) in enumerate(zip(table.headings, fields, strict=True))
        ],
        "constants": dict(plan.constants),
        "make_ids": plan.make_ids,
        "fields": [
            {"field": name, "title": title(plan.kind, name), "required": name in required}
            for name in mapping.fields_of(plan.kind)
        ]
        if plan.kind
        else [],
        "missing": [
            name
            for name in required
            if name not in fields
            and name not in plan.constants
            and not (name == "id" and plan.make_ids)
        ],
    }


def _plan(mine: Imports, table: Table, sent: contract_files.TablePlan) -> Plan:
    if sent.columns is None or sent.kind is None:
        return mine.guessed(table, sent.kind)
    if len(sent.columns) != len(table.headings):
        told = f"columns: bảng có {len(table.headings)} cột, nhận {len(sent.columns)}"
        raise _unplaced(told)
    given = {name: text for name, text in sent.constants.items() if text.strip()}
    return Plan(sent.kind, dict(enumerate(sent.columns)), given, sent.make_ids)


def _preview(seen: Preview, offset: int, k: int) -> dict[str, Any]:
    facts = ("file", "sheet", "row", "column", "value", "reason")
    changes = [
        {"type": each.kind, "id": each.key, "fields": list(map(_difference, each.fields))}
        for each in seen.changes
    ]
    return {
        "new": seen.new,
        "changed": seen.changed,
        "unchanged": seen.unchanged,
        "rejected": len(seen.rejected),
        "faults": [
            {name: getattr(each, name) for name in facts}
            for each in seen.rejected[offset : offset + k]
        ],
        "notices": [each.message for each in seen.notices],
        "changes": changes,
        "first": [{"type": each.kind_name, **each.to_json()} for each in seen.first],
        "doubtful": sum(bool(each.doubtful) for each in seen.records),
        "suggested": [each.to_json() for each in seen.suggested],
    }


def _difference(fields: Sequence[str]) -> dict[str, str]:
    return dict(zip(("field", "before", "after"), fields, strict=True))


def _unchanged(mine: Imports, key: str, match: str) -> Upload:
    """Return an upload that is as its sender saw it."""
    kept = mine.find(key)
    if tag_of(kept) != match:
        raise ApiError(412, "stale_etag", "cách hiểu các cột đã đổi từ lúc xem: đọc lại rồi làm")
    return kept


def _seen(mine: Imports, kept: Upload) -> Preview:
    try:
        return mine.preview(kept)
    except MappingError as error:
        raise _unplaced(str(error)) from error


def _unplaced(message: str) -> ApiError:
    return ApiError(422, "unplaced", message)
