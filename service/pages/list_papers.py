"""A list as it is read away from its page: side by side, on paper, as a file."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from service import handover_columns, listing
from service.contract import ApiError
from service.exports import WATERMARK
from service.handover_annex import Annex
from service.list_files import FILES, list_file
from service.pages.list_forms import HOME, AtDesk, pair_text, shown_list
from service.pages.render import render

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
    columns = handover_columns.printed_columns(paper)
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
    if tep not in FILES:
        raise ApiError(404, "unknown_route", f"không có tệp này; có: {', '.join(FILES)}")
    return list_file(paper, tep, form)
