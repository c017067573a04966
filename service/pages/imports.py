"""Nhập dữ liệu: a file is uploaded, its columns placed, looked at, loaded; nothing before that.

Every step has an address of its own, so that going back, reloading and leaving for a coffee do what
people expect. The steps themselves are those of :mod:`service.imports`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from corpus.headings import title
from corpus.records import KINDS, Record
from corpus.tables import Table
from service import importing, mapping
from service.access import IMPORT, needs
from service.api_desk import Bringing
from service.contract import ApiError
from service.imports import NO_TABLE, TYPES, Imports, plans_of
from service.indexing import Indexing
from service.mapping import DROP, KEEP, MappingError, Plan
from service.pages.render import go, render
from service.person import Person
from service.uploads import LIMITS, SUFFIXES, Upload, UploadError

HOME: Final = "/nhap-du-lieu"
EXAMPLES = 3  # cells shown of a column
router = APIRouter()
Importer = Annotated[Person, needs(IMPORT)]


async def form_of(request: Request) -> FormData:
    """Read the form that was sent, for routes that work in a thread."""
    return await request.form()


Form = Annotated[FormData, Depends(form_of)]


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
        suffixes=SUFFIXES,
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
    return RedirectResponse(f"{HOME}/{kept.token}", 303)


@router.post(f"{HOME}/chi-muc")
def refresh_index(request: Request, person: Importer, ve: str = "") -> Response:
    """Begin to refresh the index."""
    back = f"{HOME}/{ve}/ket-qua" if ve and ve.isalnum() else HOME
    begun = indexing_of(request).start(person.login)
    told = "Đang cập nhật chỉ mục." if begun else "Chỉ mục đang được cập nhật rồi."
    return go(request, back, f"{told} Tìm kiếm vẫn dùng chỉ mục cũ cho đến khi xong.")


# The plan -----------------------------------------------------------------------------------------


def _read_plans(form: FormData, tables: Sequence[Table]) -> list[Plan]:
    """Read the form of the mapping page; what it leaves out is kept beside the fields."""
    return [_read_plan(form, number, table) for number, table in enumerate(tables)]


def _read_plan(form: FormData, number: int, table: Table) -> Plan:
    kind = _text(form, f"loai-{number}")
    if kind not in KINDS:
        return Plan(None)
    known = {*mapping.fields_of(kind), KEEP, DROP}
    columns = range(len(table.headings))
    chosen = {each: _text(form, f"cot-{number}-{each}") for each in columns}
    fields = {each: name if name in known else KEEP for each, name in chosen.items()}
    constants = {name: _text(form, f"chung-{number}-{name}") for name in mapping.required(kind)}
    given = {name: text for name, text in constants.items() if text}
    return Plan(kind, fields, given, _text(form, f"ma-{number}") == "1")


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:1000] if isinstance(value, str) else ""


@router.get(f"{HOME}/{{token}}")
def columns(request: Request, mine: Bringing, token: str) -> Response:
    """Show the columns of a file and what each probably carries."""
    kept = mine.find(token)
    if mine.progress(kept) is not None:
        return RedirectResponse(f"{HOME}/{token}/ket-qua", 303)
    return _columns(request, mine, kept)


def _columns(
    request: Request, mine: Imports, kept: Upload, status: int = 200, wrong: str = ""
) -> HTMLResponse:
    province = mine.space.places().province
    pairs = zip(mine.tables(kept), plans_of(kept), strict=True)
    shown = [_shown(table, plan, province) for table, plan in pairs]
    return render(
        request,
        "import_map.html",
        status,
        here="import",
        upload=kept,
        tables=shown,
        wrong=wrong,
        kinds=[(kind, KINDS[kind].label) for kind in mapping.OFFERED],
        KEEP=KEEP,
        DROP=DROP,
    )


def _shown(table: Table, plan: Plan, province: mapping.Province) -> Mapping[str, Any]:
    """What the mapping page shows of one table."""
    guesses = mapping.guess_columns(table, plan.kind, province) if plan.kind else ()
    sure = {each.column: (each.field, each.certainty) for each in guesses}
    chosen = set(plan.fields.values())
    missing = (
        [name for name in mapping.required(plan.kind) if name not in chosen] if plan.kind else []
    )
    return {
        "name": table.sheet or table.file,
        "rows": len(table.rows),
        "plan": plan,
        "columns": [
            {
                "heading": heading,
                "field": plan.fields.get(column, KEEP),
                "certainty": _certainty(sure, column, plan),
                "examples": _examples(table, column),
            }
            for column, heading in enumerate(table.headings)
        ],
        "choices": [(name, _choice(plan.kind, name)) for name in mapping.fields_of(plan.kind)]
        if plan.kind
        else [],
        "missing": [(name, title(plan.kind, name)) for name in missing if name != "id"]
        if plan.kind
        else [],
        "may_make_ids": plan.kind in mapping.PREFIX and "id" in missing,
        "lacks_id": "id" in missing,
    }


def _certainty(sure: Mapping[int, tuple[str, str]], column: int, plan: Plan) -> str:
    name, certainty = sure.get(column, (KEEP, mapping.Certainty.NONE))
    return str(certainty) if plan.fields.get(column, KEEP) == name else "bạn chọn"


def _choice(kind: str, name: str) -> str:
    mark = " (bắt buộc)" if name in mapping.required(kind) else ""
    return f"{title(kind, name)}{mark}"


def _examples(table: Table, column: int) -> list[str]:
    cells = (row.values[column] for row in table.rows if column < len(row.values))
    filled = dict.fromkeys(cell.strip()[:80] for cell in cells if cell and cell.strip())
    return list(filled)[:EXAMPLES]


@router.post(f"{HOME}/{{token}}")
def choose(request: Request, mine: Bringing, token: str, form: Form) -> Response:
    """Keep what was chosen; another kind of table is guessed anew, otherwise go on."""
    kept = mine.find(token)
    tables = mine.tables(kept)
    before, plans = plans_of(kept), _read_plans(form, tables)
    anew = [new.kind != old.kind for new, old in zip(plans, before, strict=True)]
    if any(anew):
        plans = [
            mine.guessed(table, plan.kind) if changed else plan
            for table, plan, changed in zip(tables, plans, anew, strict=True)
        ]
    mine.choose(kept, plans)
    if any(anew):
        return RedirectResponse(f"{HOME}/{token}", 303)
    try:
        if all(plan.kind is None for plan in plans):
            raise MappingError(NO_TABLE)
        for table, plan in zip(tables, plans, strict=True):
            mapping.check(table, plan)
    except MappingError as error:
        return _columns(request, mine, kept, 422, str(error))
    return RedirectResponse(f"{HOME}/{token}/xem-truoc", 303)


# Preview, loading, report -------------------------------------------------------------------------


@router.get(f"{HOME}/{{token}}/xem-truoc")
def preview(request: Request, mine: Bringing, token: str) -> Response:
    """Show what loading would do; nothing is written."""
    kept = mine.find(token)
    try:
        seen = mine.preview(kept)
    except MappingError as error:
        return _columns(request, mine, kept, 422, str(error))
    return render(
        request,
        "import_preview.html",
        here="import",
        upload=kept,
        seen=seen,
        rejected=seen.rejected[: importing.SHOWN],
        first=[(KINDS[each.kind_name].label, each.key, _facts(each)) for each in seen.first[:5]],
        labels={kind: record.label for kind, record in KINDS.items()},
    )


def _facts(record: Record) -> list[tuple[str, str]]:
    """The stated facts of a record under their headings, for the preview."""
    shown = [
        (title(record.kind_name, name), importing.text(value))
        for name, value in record.to_json().items()
        if name not in {"extra", "inferred"}
    ]
    return shown + [(f"{name} (cột khác)", text) for name, text in record.extra.items()]


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
