"""A list as it is read away from its page: side by side, on paper, as a file."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from corpus.text import fold
from service import handover_columns, listing
from service.contract import ApiError
from service.exports import WATERMARK
from service.handover import Handover
from service.handover_annex import Annex
from service.handover_docx import annex, contacts
from service.handover_files import delimited, document, workbook
from service.pages.list_forms import HOME, AtDesk, pair_text, shown_list
from service.pages.render import render

TYPES: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
COMPARED: Final = 3  # lines side by side, at most
router = APIRouter()


@router.get(f"{HOME}/{{ma}}/so-sanh")
def compare(
    request: Request, desk: AtDesk, ma: str, dong: Annotated[list[str] | None, Query()] = None
) -> Response:
    """Show two or three lines side by side."""
    found = desk.match_list(ma)
    paper = listing.papers(desk, found)
    wanted = dong or []
    lines = [each for each in paper.lines if pair_text(each.item) in wanted]
    if not 2 <= len(lines) <= COMPARED:
        wrong = f"hãy đánh dấu hai hoặc {COMPARED} dòng để so sánh"
        return shown_list(request, desk, found, status=422, wrong=wrong)
    rows = handover_columns.compared(paper, lines)
    return render(
        request, "compare.html", here="lists", found=found, paper=paper, lines=lines, rows=rows
    )


@router.get(f"{HOME}/{{ma}}/in")
def printed(request: Request, desk: AtDesk, ma: str) -> Response:
    """Show a list as it is to be printed."""
    paper = listing.papers(desk, desk.match_list(ma))
    columns = handover_columns.short_columns(paper)
    rows = handover_columns.rows(paper, columns)
    return render(
        request, "list_print.html", here="lists", paper=paper, columns=columns, rows=rows,
        watermark=WATERMARK,
    )  # fmt: skip


@router.get(f"{HOME}/{{ma}}/tai/{{tep}}")
def download(
    desk: AtDesk,
    ma: str,
    tep: str,
    so: str = "",
    van_ban: str = "",
    so_van_ban: str = "",
    ngay: str = "",
    co_quan: str = "",
    chu_tri: str = "",
    thoi_gian: str = "",
) -> Response:
    """Return one of the files of a list."""
    paper = listing.papers(desk, desk.match_list(ma))
    given = (so, van_ban, so_van_ban, ngay, co_quan, chu_tri, thoi_gian)
    form = Annex(*(" ".join(each.split())[:200] for each in given))
    makers = {
        "danh-sach.xlsx": lambda: workbook(paper, form),
        "danh-sach.csv": lambda: delimited(paper),
        "danh-sach.json": lambda: document(paper),
        "phu-luc.docx": lambda: annex(paper, form),
        "lien-he.docx": lambda: contacts(paper),
    }
    if tep not in makers:
        raise ApiError(404, "unknown_route", f"không có tệp này; có: {', '.join(makers)}")
    name = _file_name(paper, tep)
    plain = f'attachment; filename="{paper.list.id}-{tep}"'
    headers = {
        "Content-Disposition": f"{plain}; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
    }
    return Response(makers[tep](), media_type=TYPES[tep.rpartition(".")[2]], headers=headers)


def _file_name(paper: Handover, tep: str) -> str:
    words = "".join(c if c.isalnum() else " " for c in fold(paper.list.name)).split()
    return f"{paper.list.id}-{'-'.join(words)[:60]}-{tep}"
