"""Danh mục cần hỗ trợ: the plan of a year drawn up from a run, read, argued with line by line.

A plan is drawn in the background (:mod:`service.plan_drawings`); a word about a line draws another
from the rules of the one that was read, so nothing that somebody saw ever changes under them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from matcher.planning.criteria import Criterion
from matcher.planning.rules import amount
from service import plan_files
from service.contract import ApiError
from service.exports import WATERMARK
from service.pages import plan_lines
from service.pages.list_forms import Form
from service.pages.plan_forms import FormError, asked_of, rules_of, text, word_of
from service.pages.product import Key
from service.pages.render import go, render
from service.pages.yearly import HOME, TYPES, Planner, job_of, space_of
from service.person import Person
from service.plan_drawings import Asked, Drawing, Drawings
from service.rules_file import DEFAULT, RulesFile, read_rules, template
from service.yearly_jobs import Job

PLANS: Final = f"{HOME}/{{ma}}/danh-muc"
XLSX: Final = TYPES["ket-qua.xlsx"]
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FILES: Final = {  # what may be downloaded of a drawing: name → what it is, type
    "danh-muc.xlsx": ("bảng tính", XLSX),
    "phu-luc.docx": ("phụ lục", DOCX),
    "kinh-phi.docx": ("bảng kinh phí", DOCX),
    plan_files.REPORT: ("báo cáo", "text/html; charset=utf-8"),
    plan_files.RULES: ("luật đã dùng", XLSX),
    plan_files.DATA: ("dữ liệu", "application/json"),
}
FIRST: Final = "luat-mac-dinh.xlsx"  # the rules by default, to be filled in
SPOKEN: Final = ("viec", "ly_do", "tieu_chi", "diem")  # what is said about a line
BUSY: Final = "Một bản khác đang được lập: chờ nó xong rồi làm lại."
router = APIRouter()


@router.get(PLANS)
def home(request: Request, _: Planner, ma: str) -> Response:
    """Liệt kê các bản danh mục của một đợt, và nơi lập bản mới."""
    return _home(request, _run(request, ma))


def _home(request: Request, run: Job, wrong: str = "", typed: Asked | None = None) -> Response:
    year = int(run.name[4:8]) + 1
    return render(
        request,
        "plans.html",
        422 if wrong else 200,
        here="yearly",
        job=run,
        drawings=Drawings(space_of(request), run).all(),
        wrong=wrong,
        typed=typed or {"nam": str(year), "nsnn": "", "tinh": ""},
        first=FIRST,
        amount=amount,
    )


@router.post(PLANS)
def begin(request: Request, person: Planner, ma: str, form: Form) -> Response:
    """Begin to draw up a plan."""
    run, places = _run(request, ma), space_of(request).places()
    try:
        asked, said = asked_of(form, places), rules_of(form)
    except FormError as error:
        typed: Any = {name: text(form, name) for name in ("nam", "nsnn", "tinh")}
        return _home(request, run, str(error), typed)
    return _draw(request, person, run, asked, said)


@router.get(f"{PLANS}/{FIRST}")
def rules_by_default(request: Request, _: Planner, ma: str) -> Response:
    """Return the workbook of rules that holds when none is sent, to be filled in."""
    run = _run(request, ma)
    body = template(DEFAULT, {}, dt.date.fromisoformat(run.name[4:14]))
    told = {"Content-Disposition": f'attachment; filename="{FIRST}"'}
    return Response(body, media_type=XLSX, headers=told)


@router.get(f"{PLANS}/{{ban}}")
def show(request: Request, _: Planner, ma: str, ban: str) -> Response:
    """Show a drawing: how far it is, then the list with everything that is asked of it."""
    run = _run(request, ma)
    drawing = _drawing(request, run, ban)
    told = drawing.read() if drawing.state == "done" else None
    return render(
        request,
        "plan.html",
        here="yearly",
        job=run,
        drawing=drawing,
        files={name: what for name, (what, _) in FILES.items()},
        amount=amount,
        watermark=WATERMARK if told and told["illustrative"] else "",
        **({"told": None} if told is None else _shown(request, run, drawing, told)),
    )


def _shown(request: Request, run: Job, drawing: Drawing, told: dict[str, Any]) -> dict[str, Any]:
    """What the template needs of a finished drawing."""
    plan = plan_lines.main(told)
    when = plan_lines.years(plan["funded"])
    sides = plan_lines.sides(told)
    before = Drawings(space_of(request), run).get(drawing.asked.parent)
    return {
        "told": told,
        "plan": plan,
        "as_of": dt.date.fromisoformat(told["made_from"]["settings"]["as_of"]),
        "years": when,
        "sum": plan_lines.total(plan["funded"], when),
        "parts": plan_lines.parts(plan["funded"], when),
        "outside": {**plan["refused"], **told["without_costs"]},
        "sides": sides,
        "differing": plan_lines.differing(sides),
        "moved": plan_lines.moved(before.read(), told)
        if before is not None and before.state == "done"
        else None,
    }


@router.get(f"{PLANS}/{{ban}}/tai/{{tep}}")
def download(request: Request, _: Planner, ma: str, ban: str, tep: str) -> Response:
    """Return one file of a finished drawing."""
    drawing = _drawing(request, _run(request, ma), ban)
    if tep not in FILES or drawing.state != "done":
        raise ApiError(404, "unknown_id", f"bản {ban} của đợt {ma} không có tệp {tep!r}")
    name = f"{ma}-{ban}-{tep}"
    return FileResponse(drawing.folder / tep, filename=name, media_type=FILES[tep][1])


@router.get(f"{PLANS}/{{ban}}/dong/{{id:path}}")
def line(request: Request, _: Planner, ma: str, ban: str, key: Key) -> Response:
    """Show one line: where it stands and why, its marks with their evidence, what may be said."""
    return _line(request, _run(request, ma), ban, key)


def _line(
    request: Request, run: Job, ban: str, key: str, wrong: str = "", typed: Any = None
) -> Response:
    drawing = _drawing(request, run, ban)
    told = drawing.read() if drawing.state == "done" else {}
    found = plan_lines.standing(told, key) if told else None
    if found is None:
        raise ApiError(404, "unknown_id", f"bản {ban} của đợt {run.name} không có dòng {key!r}")
    return render(
        request,
        "plan_line.html",
        422 if wrong else 200,
        here="yearly",
        job=run,
        drawing=drawing,
        told=told,
        id=key,
        found=found,
        marks=plan_lines.marks(told, key),
        criteria=[str(each) for each in Criterion],
        wrong=wrong,
        typed=typed or dict.fromkeys(SPOKEN, ""),
        amount=amount,
        watermark=WATERMARK if told["illustrative"] else "",
    )


@router.post(f"{PLANS}/{{ban}}/y-kien")
def speak(request: Request, person: Planner, ma: str, ban: str, form: Form) -> Response:
    """Take a word about one line (ghim, loại, chấm điểm, rút lại) and draw the plan with it."""
    run = _run(request, ma)
    drawing = _drawing(request, run, ban)
    if drawing.state != "done":
        raise ApiError(422, "not_done", f"bản {ban} chưa lập xong")
    try:
        word = word_of(form, read_rules(drawing.rules), person)
    except FormError as error:
        typed = {name: text(form, name) for name in SPOKEN}
        return _line(request, run, ban, text(form, "dong"), str(error), typed)
    old = drawing.asked
    asked = Asked(old.year, old.budget, old.province, parent=ban, did=word.did)
    return _draw(request, person, run, asked, word.said)


def _draw(request: Request, person: Person, run: Job, asked: Asked, said: RulesFile) -> Response:
    """Begin a drawing and lead to it; what was drawn is noted in the audit."""
    ledger = request.app.state.register.ledger
    drawings = Drawings(space_of(request), run)

    def ended(name: str) -> None:
        with ledger.transaction(write=True) as connection:
            ledger.note(connection, person.login, "plan.draw", f"{run.name}/{name}", asked.did)

    drawing = drawings.begin(asked, said, person.login, dt.datetime.now(dt.UTC), ended)
    back = f"{HOME}/{run.name}/danh-muc"
    if drawing is None:
        return go(request, f"{back}/{asked.parent}" if asked.parent else back, BUSY)
    return RedirectResponse(f"{back}/{drawing.name}", 303)


def _run(request: Request, name: str) -> Job:
    run = job_of(request, name)
    if run.state != "done":
        raise ApiError(404, "unknown_id", f"đợt {name} chưa chạy xong nên chưa lập danh mục được")
    return run


def _drawing(request: Request, run: Job, name: str) -> Drawing:
    drawing = Drawings(space_of(request), run).get(name)
    if drawing is None:
        raise ApiError(404, "unknown_id", f"đợt {run.name} không có bản danh mục {name!r}")
    return drawing
