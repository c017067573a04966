"""Kế hoạch năm: yearly runs begun, watched, stopped, gone on with; what they cover, what not."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from corpus.records import Judgment
from corpus.store import Store
from matcher.coverage import Coverage, Group
from matcher.run_folder import MATCHES, NEEDS, RUN, WORKBOOK, RunFolderError
from matcher.yearly import Run
from service import coverage_sheets, yearly
from service.access import needs
from service.contract import ApiError
from service.coverage_sheets import Findings
from service.exports import WATERMARK
from service.pages.overview import HEAT, Cell, Line
from service.pages.render import go, render
from service.person import Person
from service.roles import PLAN
from service.workspace import Workspace
from service.yearly_jobs import RUNS, Job, Jobs

HOME: Final = "/ke-hoach-nam"
SHOWN: Final = 20  # lines of each table; the workbook has all
TYPES: Final = {  # what may be downloaded of a run
    WORKBOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    coverage_sheets.FILE: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    RUN: "application/json",
    NEEDS: "application/vnd.apache.parquet",
    MATCHES: "application/vnd.apache.parquet",
}
router = APIRouter()


def space_of(request: Request) -> Workspace:
    """Return the work folder of the service."""
    space: Workspace = request.app.state.space
    return space


Planner = Annotated[Person, needs(PLAN)]


@router.get(HOME)
def home(request: Request, _: Planner) -> Response:
    """Liệt kê các đợt chạy, và nơi bắt đầu một đợt mới."""
    jobs = Jobs(space_of(request)).all()
    return render(
        request,
        "yearly.html",
        here="yearly",
        jobs=jobs,
        running=next((each for each in jobs if each.running), None),
        finished=[each for each in jobs if each.state == "done"],
    )


@router.post(HOME)
def begin(
    request: Request, person: Planner, dot_truoc: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """Begin a run as of today; with an earlier one, only what changed is worked out."""
    jobs = Jobs(space_of(request))
    before = jobs.get(dot_truoc) if dot_truoc else None
    if dot_truoc and (before is None or before.state != "done"):
        raise ApiError(422, "unknown_id", f"không có đợt chạy đã xong nào mã {dot_truoc!r}")
    day: dt.date = request.app.state.as_of or dt.date.today()
    job = jobs.begin(day, person.login, dt.datetime.now(dt.UTC), dot_truoc)
    if job is None:
        return go(request, HOME, "Một đợt khác đang chạy: chờ nó xong, hoặc dừng nó.")
    return RedirectResponse(f"{HOME}/{job.name}", 303)


@router.get(f"{HOME}/{{ma}}")
def show(request: Request, _: Planner, ma: str) -> Response:
    """Show how far a run is, and when it is done what it covers."""
    job, space = job_of(request, ma), space_of(request)
    found, trouble = None, job.trouble
    if job.state == "done":
        try:
            found = findings(space, job)
        except RunFolderError as error:
            trouble = str(error)
    return render(
        request,
        "yearly_run.html",
        here="yearly",
        job=job,
        trouble=trouble,
        found=found,
        whole=None if found is None else line(found.coverage.whole),
        groups=[] if found is None else _groups(found.coverage),
        heat=([], []) if found is None else heat(found.coverage),
        files=[name for name in TYPES if name == coverage_sheets.FILE or _there(job, name)],
        watermark=WATERMARK if found is not None and found.illustrative else "",
        shown=SHOWN,
    )


@router.post(f"{HOME}/{{ma}}/dung")
def stop(request: Request, _: Planner, ma: str) -> Response:
    """Ask a run to stop; what is finished stays."""
    job = job_of(request, ma)
    Jobs(space_of(request)).stop(job.name)
    return go(request, f"{HOME}/{ma}", "Đã yêu cầu dừng; phần đã xong được giữ để chạy tiếp.")


@router.post(f"{HOME}/{{ma}}/tiep")
def go_on(request: Request, _: Planner, ma: str) -> Response:
    """Go on with a run that was stopped."""
    job = job_of(request, ma)
    if Jobs(space_of(request)).go_on(job.name) is None and job.state == "stopped":
        return go(request, f"{HOME}/{ma}", "Một đợt khác đang chạy: chờ nó xong, hoặc dừng nó.")
    return RedirectResponse(f"{HOME}/{ma}", 303)


@router.get(f"{HOME}/{{ma}}/tai/{{tep}}")
def download(request: Request, _: Planner, ma: str, tep: str) -> Response:
    """Return one file of a finished run."""
    job = job_of(request, ma)
    if tep not in TYPES or job.state != "done":
        raise ApiError(404, "unknown_id", f"đợt {ma} không có tệp {tep!r}")
    if tep == coverage_sheets.FILE:
        path = coverage_sheets.write(findings(space_of(request), job), job.folder / "do-phu")
    else:
        path = job.folder / tep
    return FileResponse(path, filename=f"{ma}-{tep}", media_type=TYPES[tep])


def findings(space: Workspace, job: Job) -> Findings:
    """Return what is found out about a finished run; the last few are kept.

    Raises:
        RunFolderError: the run, or the one it was compared with, was changed or is gone.
    """
    before = space.folder / RUNS / job.since if job.since else None
    with Store.open(space.folder) as store:
        judged = store.state(Judgment.kind_name).digest
    stamp = f"{(job.folder / RUN).stat().st_mtime_ns} {judged} {space.tables_stamp()}"
    return _findings(space, job.folder, before, stamp)


@lru_cache(maxsize=4)
def _findings(space: Workspace, folder: Path, before: Path | None, _stamp: str) -> Findings:
    judged = yearly.grades(space)
    run, earlier = Run.open(folder, judged), Run.open(before, judged) if before else None
    return coverage_sheets.find(run, space.places(), space.lexicon(), earlier)


def job_of(request: Request, name: str) -> Job:
    """Return a run.

    Raises:
        ApiError: 404, there is none.
    """
    job = Jobs(space_of(request)).get(name)
    if job is None:
        raise ApiError(404, "unknown_id", f"không có đợt chạy mã {name!r}")
    return job


def _there(job: Job, name: str) -> bool:
    return (job.folder / name).is_file()


def line(group: Group) -> Line:
    """Return a group as the plot of the overview shows it: references are no answer."""
    return Line(group.name, group.levels[0], group.levels[1], group.gaps)


def _groups(coverage: Coverage) -> list[tuple[str, str, list[Line]]]:
    stated = (each for each in coverage.dimensions if each.stated)
    return [(each.name, each.title, [line(group) for group in each.groups]) for each in stated]


def heat(coverage: Coverage) -> tuple[list[str], list[tuple[str, str, list[Cell]]]]:
    """Return the heat map of the overview: stages, and products with a cell for each of them."""
    rows = [
        (key, name, [Cell(each.total, each.gaps, min(3, each.total)) for each in cells])
        for key, name, cells in coverage.heat[:HEAT]
    ]
    return list(coverage.stages), rows
