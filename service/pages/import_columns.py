"""The columns of an uploaded table: what each probably carries, shown, and changed by people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from corpus.headings import title
from corpus.records import KINDS
from corpus.tables import Table
from service import mapping
from service.api_desk import Bringing
from service.imports import NO_TABLE, Imports, plans_of
from service.mapping import DROP, KEEP, MappingError, Plan
from service.pages.render import render
from service.uploads import Upload

HOME: Final = "/nhap-du-lieu"
EXAMPLES: Final = 3  # cells shown of a column
router = APIRouter()


async def form_of(request: Request) -> FormData:
    """Read the form that was sent, for routes that work in a thread."""
    return await request.form()


Form = Annotated[FormData, Depends(form_of)]


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
    return shown_columns(request, mine, kept)


def shown_columns(
    request: Request, mine: Imports, kept: Upload, status: int = 200, wrong: str = ""
) -> HTMLResponse:
    """Return the page of the columns; ``wrong`` is why going on was refused."""
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
        return shown_columns(request, mine, kept, 422, str(error))
    return RedirectResponse(f"{HOME}/{token}/xem-truoc", 303)
