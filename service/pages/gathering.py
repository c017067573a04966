"""Thu thập nhu cầu: who is asked until when, a blank form for each, who has answered, who is late.

A filled form is loaded on the page of imports and marks its body by itself; an answer that came
otherwise is marked here with a note.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from corpus.gathering import Round, Standing
from corpus.shown import guard
from corpus.tables import UnreadableFile
from service import asked_lists
from service.access import needs
from service.api_desk import Stating
from service.asked_lists import AskedListError, Body
from service.contract import ApiError
from service.desk import Desk
from service.desk_base import told
from service.list_files import TYPES
from service.need_form_files import SUFFIXES, make, of_all
from service.need_forms import blank
from service.pages.render import go, render
from service.roles import WRITE_NEEDS
from service.uploads import LIMITS

HOME: Final = "/thu-thap"
SILENT: Final = "chua-tra-loi.csv"
NO_FILE: Final = "không có tệp này"
router = APIRouter(dependencies=[needs(WRITE_NEEDS)])
Text = Annotated[str, Form(max_length=300)]
Long = Annotated[str, Form(max_length=100_000)]
Number = Annotated[int, Form(ge=0, le=999)]


def day_of(request: Request, desk: Desk) -> dt.date:
    """Return the day the service speaks of: its as-of, else today in Vietnam."""
    day: dt.date | None = request.app.state.as_of
    return day or desk.today()


@router.get(HOME)
def rounds(request: Request, desk: Stating) -> Response:
    """Show all rounds, and where to open one."""
    return _home(request, desk)


def _home(
    request: Request, desk: Desk, status: int = 200, wrong: str = "", **typed: str
) -> HTMLResponse:
    day = day_of(request, desk)
    return render(
        request,
        "gathering.html",
        status,
        here="import",
        of=None,
        rounds=[(each, _late(each, day)) for each in desk.rounds()],
        wrong=wrong,
        typed=typed,
        year=day.year + 1,
    )


def _late(of: Round, day: dt.date) -> int:
    return sum(each.standing(of.deadline, day) is Standing.LATE for each in of.asked)


@router.post(HOME)
def begin(
    request: Request,
    desk: Stating,
    ten: Text = "",
    nam: Text = "",
    tinh: Text = "",
    han: Text = "",
    don_vi: Long = "",
    tep: UploadFile | None = None,
) -> Response:
    """Open a round; a refused form comes back with what was typed."""
    try:
        with told():
            bodies = _bodies(don_vi, tep)
            facts = {"name": ten, "year": nam, "province": tinh or None, "deadline": han}
            opened = desk.open_round(bodies, **facts)
    except (ApiError, AskedListError) as error:
        if isinstance(error, ApiError) and error.status != 422:
            raise
        typed = {"ten": ten, "nam": nam, "tinh": tinh, "han": han, "don_vi": don_vi}
        return _home(request, desk, 422, str(error), **typed)
    said = f"Đã mở đợt {opened.id}, hỏi {len(opened.asked)} đơn vị."
    return go(request, f"{HOME}/{opened.id}", said)


def _bodies(text: str, file: UploadFile | None) -> tuple[Body, ...]:
    """Return the bodies that were pasted, and those of the file."""
    return (*asked_lists.pasted(text), *(_of_file(file) if file and file.filename else ()))


def _of_file(file: UploadFile) -> tuple[Body, ...]:
    name = Path(file.filename or "").name
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"danh-sach{Path(name).suffix.lower()[:6]}"
        data = file.file.read(LIMITS.file_bytes + 1)
        if len(data) > LIMITS.file_bytes:
            raise AskedListError(f"{name}: tệp quá lớn")
        path.write_bytes(data)
        try:
            return asked_lists.loaded(path)
        except UnreadableFile as error:
            raise AskedListError(f"{name}: {error.reason}") from error


@router.get(f"{HOME}/{{ma}}")
def show(
    request: Request, desk: Stating, ma: str, chua: Annotated[bool, Query()] = False
) -> Response:
    """Show one round; ``chua``: only who has not answered, to be printed."""
    return _page(request, desk, desk.round(ma), chua)


def _page(
    request: Request, desk: Desk, of: Round, silent: bool, status: int = 200, **told: Any
) -> HTMLResponse:
    day, counts = day_of(request, desk), desk.answered_needs(of)
    shown = of.silent if silent else of.asked
    return render(
        request,
        "gathering.html",
        status,
        here="import",
        of=of,
        etag=of.content_hash(),
        day=day,
        rows=[(b, b.standing(of.deadline, day), counts.get(b.number, 0)) for b in shown],
        silent=silent,
        late=_late(of, day),
        needs=sum(counts.values()),
        **{"wrong": "", "typed": {}, **told},
    )


@router.post(f"{HOME}/{{ma}}")
def change(
    request: Request,
    desk: Stating,
    ma: str,
    viec: Text = "",
    dau: Text = "",
    so: Number = 0,
    ghi_chu: Text = "",
    don_vi: Long = "",
    tep: UploadFile | None = None,
) -> Response:
    """Mark a body as having answered, take the mark back, or ask more bodies."""
    of = desk.round(ma)
    with told():
        if viec == "da-tra-loi":
            desk.mark_answered(ma, dau, so, ghi_chu)
            said = "Đã đánh dấu là đã trả lời."
        elif viec == "bo-danh-dau":
            desk.unmark(ma, dau, so)
            said = "Đã bỏ đánh dấu."
        elif viec == "hoi-them":
            try:
                added = _bodies(don_vi, tep)
                desk.ask_more(ma, dau, added)
            except AskedListError as error:
                typed = {"don_vi": don_vi}
                return _page(request, desk, of, False, 422, wrong=str(error), typed=typed)
            said = f"Đã hỏi thêm {len(added)} đơn vị."
        else:
            raise ApiError(422, "invalid", "không có việc này")
    return go(request, f"{HOME}/{ma}", said)


@router.get(f"{HOME}/{{ma}}/tai/{{tep}}")
def download(request: Request, desk: Stating, ma: str, tep: str) -> Response:
    """Return a blank form, a ZIP of all, or the list of who has not answered."""
    of = desk.round(ma)
    name, dot, ending = tep.rpartition(".")
    if tep == SILENT:
        return _file(f"{ma}-{tep}", _silent(of, day_of(request, desk)), TYPES["csv"])
    with told():
        if tep in {f"phieu{suffix}.zip" for suffix in SUFFIXES}:
            suffix = tep.removeprefix("phieu").removesuffix(".zip")
            return _file(f"{ma}-{tep}", of_all(desk.store, of, suffix), "application/zip")
        body = of.body(int(name)) if name.isdecimal() and len(name) <= 3 else None
        if body is None or dot + ending not in SUFFIXES:
            raise ApiError(404, "unknown_route", NO_FILE)
        form = blank(desk.store, body.kind, of, body)
        return _file(f"{ma}-{form.file(dot + ending)}", make(form, dot + ending), TYPES[ending])


def _file(name: str, data: bytes, kind: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(data, media_type=kind, headers=headers)


def _silent(of: Round, day: dt.date) -> bytes:
    """Return who has not answered as CSV that spreadsheets read as text."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(("Đơn vị", "Loại", "Liên hệ", "Hạn trả lời", "Tình trạng"))
    for each in of.silent:
        standing = each.standing(of.deadline, day)
        cells = (each.name, each.kind, each.contact or "", f"{of.deadline:%d/%m/%Y}", standing)
        writer.writerow(map(guard, cells))
    return text.getvalue().encode("utf-8-sig")
