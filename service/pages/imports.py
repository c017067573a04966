"""Nhập dữ liệu: a file is uploaded, its columns placed, looked at, loaded; nothing before that.

Every step has an address of its own, so that going back, reloading and leaving for a coffee do what
people expect. The steps themselves are those of :mod:`service.imports`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from corpus.headings import title
from corpus.records import KINDS, Record
from service import importing, mapping
from service.access import needs
from service.api_desk import Bringing
from service.contract import ApiError
from service.imports import TYPES, Imports
from service.indexing import Indexing
from service.mapping import MappingError
from service.opening import READABLE
from service.pages.import_columns import HOME, shown_columns
from service.pages.render import PAGES, go, render
from service.person import Person
from service.roles import IMPORT
from service.uploads import LIMITS, UploadError

router = APIRouter()
Importer = Annotated[Person, needs(IMPORT)]


def indexing_of(request: Request) -> Indexing:
    """Return what refreshes the index of the service."""
    indexing: Indexing = request.app.state.indexing
    return indexing


@router.get(HOME)
def home(request: Request, mine: Bringing) -> HTMLResponse:
    """Show where to upload, and what this person uploaded and has not loaded yet."""
    return _home(request, mine)


def _home(request: Request, mine: Imports, status: int = 200, wrong: str = "") -> HTMLResponse:
    pending = [(each, mine.progress(each)) for each in mine.all()]
    return render(
        request,
        "imports.html",
        status,
        here="import",
        pending=pending,
        wrong=wrong,
        suffixes=READABLE,
        most_mb=LIMITS.file_bytes // 2**20,
        refresh=indexing_of(request).last(),
        titles={kind: [title(kind, name) for name in mapping.required(kind)] for kind in KINDS},
        labels={kind: record.label for kind, record in KINDS.items()},
    )


@router.post(HOME)
def upload(request: Request, mine: Bringing, tep: UploadFile | None = None) -> Response:
    """Keep an uploaded file and go on to its columns."""
    if tep is None or not tep.filename:
        return _home(request, mine, 422, "Chưa chọn tệp nào.")
    try:
        kept = mine.receive(tep.filename, tep.file)
    except UploadError as error:
        return _home(request, mine, 422, str(error))
    # the columns of a document were told by their headings: what they give is looked at first
    first = "/xem-truoc" if kept.held() else ""
    return RedirectResponse(f"{HOME}/{kept.token}{first}", 303)


@router.post(f"{HOME}/chi-muc")
def refresh_index(request: Request, person: Importer, ve: str = "") -> Response:
    """Begin to refresh the index."""
    back = f"{HOME}/{ve}/ket-qua" if ve and ve.isalnum() else HOME
    begun = indexing_of(request).start(person.login)
    told = "Đang cập nhật chỉ mục." if begun else "Chỉ mục đang được cập nhật rồi."
    return go(request, back, f"{told} Tìm kiếm vẫn dùng chỉ mục cũ cho đến khi xong.")


@router.get(f"{HOME}/{{token}}/xem-truoc")
def preview(request: Request, mine: Bringing, token: str) -> Response:
    """Show what loading would do; nothing is written."""
    kept = mine.find(token)
    try:
        seen = mine.preview(kept)
    except MappingError as error:
        return shown_columns(request, mine, kept, 422, str(error))
    return render(
        request,
        "import_preview.html",
        here="import",
        upload=kept,
        seen=seen,
        rejected=[
            (each, seen.headings.get((each.file, each.sheet, each.column)))
            for each in seen.rejected[: importing.SHOWN]
        ],
        first=[(KINDS[each.kind_name].label, each.key, _facts(each)) for each in seen.first[:5]],
        doubtful=[
            (KINDS[each.kind_name].label, each.key, each.source, doubts(each))
            for each in seen.records
            if each.doubtful
        ],
        suggested=seen.suggested[: importing.SHOWN],
        labels={kind: record.label for kind, record in KINDS.items()},
    )


def _facts(record: Record) -> list[tuple[str, str]]:
    """The stated facts of a record under their headings, for the preview."""
    shown = [
        (title(record.kind_name, name), importing.text(value))
        for name, value in record.to_json().items()
        if name not in {"extra", "certainty", "inferred"}
    ]
    return shown + [(f"{name} (cột khác)", text) for name, text in record.extra.items()]


def doubts(record: Record) -> list[tuple[str, str, float]]:
    """Return the fields of a record that were not read surely: heading, value, how sure (0–1)."""
    told = record.to_json()
    return [
        (title(record.kind_name, name), importing.text(told.get(name)), sure)
        for name, sure in record.doubtful.items()
    ]


@router.post(f"{HOME}/{{token}}/nap")
def load(mine: Bringing, token: str) -> Response:
    """Begin to load; pressing twice loads once."""
    mine.start(mine.find(token))
    return RedirectResponse(f"{HOME}/{token}/ket-qua", 303)


@router.get(f"{HOME}/{{token}}/ket-qua")
def report(request: Request, mine: Bringing, token: str) -> Response:
    """Show how far loading is, and in the end what was loaded."""
    kept = mine.find(token)
    progress = mine.progress(kept)
    if progress is None:
        return RedirectResponse(f"{HOME}/{token}", 303)
    refresh = indexing_of(request).last()
    return render(
        request,
        "import_report.html",
        here="import",
        upload=kept,
        progress=progress,
        waiting=progress.state == "loading" or (refresh is not None and refresh.running),
        refresh=refresh,
        labels={kind: record.label for kind, record in KINDS.items()},
        pages=PAGES,
    )


@router.get(f"{HOME}/{{token}}/tu-choi{{suffix}}")
def rejected(mine: Bringing, token: str, suffix: str) -> Response:
    """Return the rejected rows, to be corrected and loaded again."""
    if suffix not in {".xlsx", ".csv"}:
        raise ApiError(404, "unknown_route", "chỉ có tu-choi.xlsx và tu-choi.csv")
    try:
        name, content = mine.rejected(mine.find(token), suffix)
    except MappingError as error:
        raise ApiError(422, "unplaced", str(error)) from error
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=TYPES[Path(name).suffix], headers=headers)


@router.post(f"{HOME}/{{token}}/xoa")
def drop(request: Request, mine: Bringing, token: str) -> Response:
    """Throw an upload away; what was loaded from it stays."""
    kept = mine.find(token)
    mine.drop(kept)
    return go(request, HOME, f"Đã bỏ tệp “{kept.name}” khỏi nơi chờ.")
