"""Nhập dữ liệu: a file is uploaded, its columns placed, looked at, loaded; nothing before that.

Every step has an address of its own, so that going back, reloading and leaving for a coffee do what
people expect. Loading goes on in a thread and is noted batch by batch (:mod:`service.importing`).
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from corpus.headings import title
from corpus.ids import PREFIX
from corpus.records import KINDS, Record
from corpus.store import Store, StoreError
from corpus.tables import Table
from service import importing, indexing, mapping
from service.access import IMPORT, needs
from service.contract import ApiError
from service.importing import Preview, Progress
from service.mapping import DROP, KEEP, MappingError, Plan
from service.pages.render import go, render
from service.person import Person
from service.uploads import LIMITS, SUFFIXES, Upload, UploadError, Uploads
from service.workspace import Workspace

HOME: Final = "/nhap-du-lieu"
TABLES, COLUMNS, EXAMPLES = 20, 400, 3  # of a file that can be mapped; cells shown of a column
log = logging.getLogger(__name__)
router = APIRouter()
Importer = Annotated[Person, needs(IMPORT)]


async def form_of(request: Request) -> FormData:
    """Read the form that was sent, for routes that work in a thread."""
    return await request.form()


Form = Annotated[FormData, Depends(form_of)]


def space_of(request: Request) -> Workspace:
    """Return the work folder of the service."""
    space: Workspace = request.app.state.space
    return space


def uploads_of(request: Request) -> Uploads:
    """Return where uploads of the service are kept."""
    return Uploads(space_of(request).folder)


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
        tables = _tables(kept)
    except UploadError as error:
        uploads.drop(kept)
        return _home(request, person, 422, str(error))
    province = space_of(request).places().province
    _keep_plans(kept, [mapping.guess(table, province) for table in tables])
    return RedirectResponse(f"{HOME}/{kept.token}", 303)


@router.post(f"{HOME}/chi-muc")
def refresh_index(request: Request, person: Importer, ve: str = "") -> Response:
    """Begin to refresh the index."""
    del person
    back = f"{HOME}/{ve}/ket-qua" if ve and ve.isalnum() else HOME
    begun = indexing.start(space_of(request), dt.datetime.now(dt.UTC))
    told = "Đang cập nhật chỉ mục." if begun else "Chỉ mục đang được cập nhật rồi."
    return go(request, back, f"{told} Tìm kiếm vẫn dùng chỉ mục cũ cho đến khi xong.")


def _tables(kept: Upload) -> list[Table]:
    tables = kept.tables()
    if len(tables) > TABLES:
        raise UploadError(f"{kept.name}: tệp có {len(tables)} trang tính, nhiều hơn {TABLES}")
    wide = sum(len(table.headings) for table in tables)
    if wide > COLUMNS:
        raise UploadError(f"{kept.name}: các bảng có {wide} cột, nhiều hơn {COLUMNS}")
    return tables


def found(request: Request, person: Person, token: str) -> Upload:
    """Return an upload of this person.

    Raises:
        ApiError: 404, there is none: it was never there, is somebody else's, or has expired.
    """
    kept = uploads_of(request).find(person.login, token)
    if kept is None:
        raise ApiError(404, "unknown_upload", "không có tệp này, hoặc đã quá một ngày: tải lên lại")
    return kept


# The plan -----------------------------------------------------------------------------------------


def _keep_plans(kept: Upload, plans: Sequence[Plan]) -> None:
    kept.note("plan", [asdict(each) for each in plans])


def _plans(kept: Upload) -> list[Plan]:
    facts: list[dict[str, Any]] = kept.noted("plan") or []
    return [
        Plan(
            each["kind"],
            {int(column): name for column, name in each["fields"].items()},
            each["constants"],
            each["make_ids"],
        )
        for each in facts
    ]


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
def columns(request: Request, person: Importer, token: str) -> Response:
    """Show the columns of a file and what each probably carries."""
    kept = found(request, person, token)
    if progress_of(kept) is not None:
        return RedirectResponse(f"{HOME}/{token}/ket-qua", 303)
    return _columns(request, kept, _tables_again(kept))


def _tables_again(kept: Upload) -> list[Table]:
    try:
        return _tables(kept)
    except UploadError as error:
        raise ApiError(422, "unreadable", str(error)) from error


def _columns(
    request: Request, kept: Upload, tables: Sequence[Table], status: int = 200, wrong: str = ""
) -> HTMLResponse:
    province = space_of(request).places().province
    shown = [
        _shown(table, plan, province) for table, plan in zip(tables, _plans(kept), strict=True)
    ]
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
        "may_make_ids": plan.kind in PREFIX and "id" in missing,
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
def choose(request: Request, person: Importer, token: str, form: Form) -> Response:
    """Keep what was chosen; another kind of table is guessed anew, otherwise go on."""
    kept = found(request, person, token)
    tables = _tables_again(kept)
    before, plans = _plans(kept), _read_plans(form, tables)
    anew = [new.kind != old.kind for new, old in zip(plans, before, strict=True)]
    if any(anew):
        province = space_of(request).places().province
        plans = [
            _guessed(table, plan.kind, province) if changed else plan
            for table, plan, changed in zip(tables, plans, anew, strict=True)
        ]
        _keep_plans(kept, plans)
        return RedirectResponse(f"{HOME}/{token}", 303)
    _keep_plans(kept, plans)
    try:
        if all(plan.kind is None for plan in plans):
            raise MappingError("Chưa chọn bảng nào để nạp")
        for table, plan in zip(tables, plans, strict=True):
            mapping.check(table, plan)
    except MappingError as error:
        return _columns(request, kept, tables, 422, str(error))
    return RedirectResponse(f"{HOME}/{token}/xem-truoc", 303)


def _guessed(table: Table, kind: str | None, province: mapping.Province) -> Plan:
    if kind is None:
        return Plan(None)
    guesses = mapping.guess_columns(table, kind, province)
    lacks = kind in PREFIX and all(each.field != "id" for each in guesses)
    return Plan(kind, {each.column: each.field for each in guesses}, {}, lacks)


# Preview, loading, report -------------------------------------------------------------------------


@router.get(f"{HOME}/{{token}}/xem-truoc")
def preview(request: Request, person: Importer, token: str) -> Response:
    """Show what loading would do; nothing is written."""
    kept = found(request, person, token)
    try:
        seen = _preview(space_of(request), person, kept)
    except MappingError as error:
        return _columns(request, kept, _tables_again(kept), 422, str(error))
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


def _preview(space: Workspace, person: Person, kept: Upload) -> Preview:
    pairs = list(zip(_tables_again(kept), _plans(kept), strict=True))
    with Store.open(space.folder) as store:
        return importing.preview(pairs, store, space.lexicon(), person.nda)


def _facts(record: Record) -> list[tuple[str, str]]:
    """The stated facts of a record under their headings, for the preview."""
    shown = [
        (title(record.kind_name, name), importing.text(value))
        for name, value in record.to_json().items()
        if name not in {"extra", "inferred"}
    ]
    return shown + [(f"{name} (cột khác)", text) for name, text in record.extra.items()]


@router.post(f"{HOME}/{{token}}/nap")
def load(request: Request, person: Importer, token: str) -> Response:
    """Begin to load; pressing twice loads once."""
    kept = found(request, person, token)
    seen = progress_of(kept)
    running = seen is not None and seen.state == "loading" and not stopped(seen)
    if running or (seen is not None and seen.state == "done"):
        return RedirectResponse(f"{HOME}/{token}/ket-qua", 303)
    with _STARTING:
        if not _claim(kept, seen):
            return RedirectResponse(f"{HOME}/{token}/ket-qua", 303)
        kept.note("progress", importing.begun().to_json())
    threading.Thread(target=_load, args=(space_of(request), person, kept), daemon=True).start()
    return RedirectResponse(f"{HOME}/{token}/ket-qua", 303)


_STARTING = threading.Lock()


def _claim(kept: Upload, seen: Progress | None) -> bool:
    """Take the right to load this file, also from workers that are gone."""
    lock = kept.folder / ".loading"
    if seen is not None:  # failed or stopped: its lock is nobody's
        lock.unlink(missing_ok=True)
    try:
        lock.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _load(space: Workspace, person: Person, kept: Upload) -> None:
    """Load, noting every batch; whatever goes wrong is noted as well."""
    progress = importing.begun()
    try:
        seen = _preview(space, person, kept)
        importing.corrections(seen.rejected, kept.rejected, ".xlsx")
        importing.corrections(seen.rejected, kept.rejected, ".csv")
        progress = importing.start(seen)
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with Store.open(space.folder) as store:
            for progress in importing.write(store, seen, person.login, at):
                kept.note("progress", progress.to_json())
    except (StoreError, MappingError, UploadError, ApiError) as error:
        _failed(kept, progress, str(error))
    except Exception:
        log.exception("import of %s", kept.token)
        _failed(kept, progress, "lỗi của chương trình, đã ghi vào nhật ký máy chủ")


def _failed(kept: Upload, progress: Progress, message: str) -> None:
    try:
        kept.note("progress", replace(progress, state="failed", message=message).to_json())
    except OSError:
        log.exception("note of import %s", kept.token)


def progress_of(kept: Upload) -> Progress | None:
    """Return how far the load of an upload has come, if it has begun."""
    facts = kept.noted("progress")
    return Progress(**facts) if facts else None


def stopped(progress: Progress) -> bool:
    """Whether it was loading when its process ended."""
    gone = progress.state == "loading" and not indexing.alive(progress.process)
    return gone or progress.stopped()


@router.get(f"{HOME}/{{token}}/ket-qua")
def report(request: Request, person: Importer, token: str) -> Response:
    """Show how far loading is, and in the end what was loaded."""
    kept = found(request, person, token)
    progress = progress_of(kept)
    if progress is None:
        return RedirectResponse(f"{HOME}/{token}", 303)
    refresh = indexing.last(space_of(request))
    halted = stopped(progress)
    going = progress.state == "loading" and not halted
    return render(
        request,
        "import_report.html",
        here="import",
        upload=kept,
        progress=progress,
        stopped=halted,
        waiting=going or (refresh is not None and refresh.running),
        refresh=refresh,
    )


@router.get(f"{HOME}/{{token}}/tu-choi{{suffix}}")
def rejected(request: Request, person: Importer, token: str, suffix: str) -> Response:
    """Return the rejected rows, to be corrected and loaded again."""
    if suffix not in {".xlsx", ".csv"}:
        raise ApiError(404, "unknown_route", "chỉ có tu-choi.xlsx và tu-choi.csv")
    kept = found(request, person, token)
    if progress_of(kept) is None:
        importing.corrections(
            _preview(space_of(request), person, kept).rejected, kept.rejected, suffix
        )
    files = sorted(kept.rejected.glob("*")) if kept.rejected.is_dir() else []
    wanted = [each for each in files if each.suffix in {suffix, ".jsonl"}]
    if suffix == ".xlsx":  # what a workbook cannot hold stands beside it
        wanted = wanted or [each for each in files if each.suffix == ".csv"]
    if not wanted:
        raise ApiError(
            404, "nothing_rejected", "không có dòng nào bị từ chối có thể sửa và nạp lại"
        )
    if len(wanted) == 1:
        return FileResponse(wanted[0], filename=wanted[0].name)
    name = f"{importing.CORRECTIONS}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_packed(wanted), media_type="application/zip", headers=headers)


def _packed(files: Iterable[Path]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for each in files:
            packed.writestr(zipfile.ZipInfo(each.name, (1980, 1, 1, 0, 0, 0)), each.read_bytes())
    return buffer.getvalue()


@router.post(f"{HOME}/{{token}}/xoa")
def drop(request: Request, person: Importer, token: str) -> Response:
    """Throw an upload away; what was loaded from it stays."""
    kept = found(request, person, token)
    uploads_of(request).drop(kept)
    return go(request, HOME, f"Đã bỏ tệp “{kept.name}” khỏi nơi chờ.")
