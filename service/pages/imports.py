"""Nhập dữ liệu: a file is uploaded, its columns placed, looked at, loaded; nothing before that.

Every step has an address of its own, so that going back, reloading and leaving for a coffee do what
people expect. Loading goes on in a thread and is noted batch by batch (:mod:`service.importing`).
"""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from corpus.headings import title
from corpus.records import KINDS
from service import indexing, mapping
from service.pages.import_forms import (
    HOME,
    Importer,
    found,
    keep_plans,
    progress_of,
    space_of,
    tables_of,
    uploads_of,
)
from service.pages.render import go, render
from service.person import Person
from service.uploads import LIMITS, SUFFIXES, UploadError

router = APIRouter()


@router.get(HOME)
def home(request: Request, person: Importer) -> HTMLResponse:
    """Show where to upload, and what this person uploaded and has not loaded yet."""
    return _home(request, person)


def _home(request: Request, person: Person, status: int = 200, wrong: str = "") -> HTMLResponse:
    pending = [(each, progress_of(each)) for each in uploads_of(request).of(person.login)]
    return render(
        request,
        "imports.html",
        status,
        here="import",
        pending=pending,
        wrong=wrong,
        suffixes=SUFFIXES,
        most_mb=LIMITS.file_bytes // 2**20,
        refresh=indexing.last(space_of(request)),
        titles={kind: [title(kind, name) for name in mapping.required(kind)] for kind in KINDS},
        labels={kind: record.label for kind, record in KINDS.items()},
    )


@router.post(HOME)
def upload(request: Request, person: Importer, tep: UploadFile | None = None) -> Response:
    """Keep an uploaded file and go on to its columns."""
    if tep is None or not tep.filename:
        return _home(request, person, 422, "Chưa chọn tệp nào.")
    uploads = uploads_of(request)
    try:
        kept = uploads.keep(person.login, tep.filename, tep.file)
    except UploadError as error:
        return _home(request, person, 422, str(error))
    try:
        tables = tables_of(kept, space_of(request))
    except UploadError as error:
        uploads.drop(kept)
        return _home(request, person, 422, str(error))
    province = space_of(request).places().province
    keep_plans(kept, [mapping.guess(table, province) for table in tables])
    return RedirectResponse(f"{HOME}/{kept.token}", 303)


@router.post(f"{HOME}/chi-muc")
def refresh_index(request: Request, person: Importer, ve: str = "") -> Response:
    """Begin to refresh the index."""
    del person
    back = f"{HOME}/{ve}/ket-qua" if ve and ve.isalnum() else HOME
    begun = indexing.start(space_of(request), dt.datetime.now(dt.UTC))
    told = "Đang cập nhật chỉ mục." if begun else "Chỉ mục đang được cập nhật rồi."
    return go(request, back, f"{told} Tìm kiếm vẫn dùng chỉ mục cũ cho đến khi xong.")


@router.post(f"{HOME}/{{token}}/xoa")
def drop(request: Request, person: Importer, token: str) -> Response:
    """Throw an upload away; what was loaded from it stays."""
    kept = found(request, person, token)
    uploads_of(request).drop(kept)
    return go(request, HOME, f"Đã bỏ tệp “{kept.name}” khỏi nơi chờ.")
