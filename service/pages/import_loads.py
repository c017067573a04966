"""Loading an upload: looked at first, loaded in a thread, reported, rejected rows given back."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from corpus.headings import title
from corpus.records import KINDS, Record
from corpus.store import Store, StoreError
from service import importing, indexing
from service.contract import ApiError
from service.importing import Preview, Progress
from service.mapping import MappingError
from service.pages.import_columns import shown_columns
from service.pages.import_forms import (
    HOME,
    Importer,
    found,
    plans_of,
    progress_of,
    space_of,
    stopped,
    tables_again,
)
from service.pages.render import render
from service.person import Person
from service.uploads import Upload, UploadError
from service.workspace import Workspace

log = logging.getLogger(__name__)
router = APIRouter()


@router.get(f"{HOME}/{{token}}/xem-truoc")
def preview(request: Request, person: Importer, token: str) -> Response:
    """Show what loading would do; nothing is written."""
    kept = found(request, person, token)
    try:
        seen = _preview(space_of(request), person, kept)
    except MappingError as error:
        return shown_columns(request, kept, tables_again(kept, space_of(request)), 422, str(error))
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
    pairs = list(zip(tables_again(kept, space), plans_of(kept), strict=True))
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
