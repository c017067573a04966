"""Routes for files on their way out: records, and the files of a match list.

Technologies are those that the matcher of whoever asks knows: what is under NDA is in no file of
somebody who may not read it. Needs and products come from the store, also while there is no index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from corpus.records import Need, Product, Record
from service import contract_files, record_files
from service.api_desk import Listing, Reading
from service.api_lending import Current, Key, chosen
from service.contract import ApiError
from service.contract_files import Form, ListFile, files
from service.handover_annex import Annex
from service.list_files import TYPES, list_file
from service.listing import papers

router = APIRouter(tags=["Xuất dữ liệu"])
RECORDS = files(record_files.TYPES)
LISTS = files(TYPES)
FILES = {
    ListFile.XLSX: "danh-sach.xlsx",
    ListFile.CSV: "danh-sach.csv",
    ListFile.JSON: "danh-sach.json",
    ListFile.ANNEX: "phu-luc.docx",
    ListFile.CONTACTS: "lien-he.docx",
}


@router.get("/exports/technologies", response_class=Response, responses=RECORDS)
def export_technologies(
    opened: Current, query: Annotated[contract_files.TechnologiesOut, Query()]
) -> Response:
    """Tải các công nghệ qua bộ lọc, theo thứ tự mã; nạp lại được như cũ."""
    matcher = opened.matcher
    rows = np.flatnonzero(matcher.admitted(chosen(query))).tolist()
    ids = sorted(matcher.engine.index.ids[row] for row in rows)
    return _file([matcher.technologies[each] for each in ids], "technology", query.format)


@router.get("/exports/products", response_class=Response, responses=RECORDS)
def export_products(
    desk: Reading, query: Annotated[contract_files.ProductsOut, Query()]
) -> Response:
    """Tải các sản phẩm, theo thứ tự mã; nạp lại được như cũ."""
    wanted = query.model_dump(exclude={"format"})
    return _file(_passing(desk.store.all(Product), wanted), "product", query.format)


@router.get("/exports/needs", response_class=Response, responses=RECORDS)
def export_needs(desk: Reading, query: Annotated[contract_files.NeedsOut, Query()]) -> Response:
    """Tải các nhu cầu, cả đã rút, theo thứ tự mã; nạp lại được như cũ."""
    wanted = query.model_dump(exclude={"format"})
    return _file(_passing(desk.store.all(Need), wanted), "need", query.format)


@router.get("/lists/{id}/export", response_class=Response, responses=LISTS)
def export_list(
    desk: Listing, key: Key, query: Annotated[contract_files.ListOut, Query()]
) -> Response:
    """Tải một tệp của danh sách kết nối: bảng đầy đủ, phụ lục của văn bản, bảng liên hệ."""
    form = Annex(**query.model_dump(exclude={"format"}))
    return list_file(papers(desk, desk.match_list(key)), FILES[query.format], form)


def _passing(records: Iterable[Record], wanted: dict[str, list[str]]) -> list[Record]:
    """Keep what has one of the values that are wanted of every fact."""
    return [
        each
        for each in records
        if all(not some or getattr(each, name) in some for name, some in wanted.items())
    ]


def _file(records: Sequence[Record], kind: str, form: Form) -> Response:
    try:
        parts = record_files.MAKERS[form](records, kind)
    except ValueError as error:
        raise ApiError(422, "too_many", str(error)) from error
    headers = {"Content-Disposition": f'attachment; filename="{kind}.{form}"'}
    return StreamingResponse(parts, media_type=record_files.TYPES[form], headers=headers)
