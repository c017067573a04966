"""Proposals and tasks as pages: all that was stated, "chưa rõ" where nothing was, what was found.

They are for planners: what somebody asks to have funded is not public before it is decided.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from corpus.headings import shorten
from corpus.record import Record
from corpus.records import Need, Product, Technology
from corpus.store import Store
from corpus.tasks import Proposal, Task
from matcher import explain
from matcher.fit import money
from service.contract import ApiError
from service.pages.facts import Fact
from service.pages.plan_lines import marks, standing
from service.pages.product import Key
from service.pages.render import render
from service.pages.yearly import Planner, space_of
from service.plan_drawings import Drawing, latest
from service.shelf import store_of
from service.yearly_jobs import Job

router = APIRouter()
APART = {
    *Record.model_fields,
    "id",
    "name",
    "products",
    "needs",
    "technologies",
    "proposal",
}  # not as facts

SUMS = {"state_total": "state_money", "own_total": "own_money"}


@router.get("/phieu/{id:path}")
def proposal(request: Request, _: Planner, key: Key) -> Response:
    """Đọc một phiếu đề xuất: điều đã nêu, điểm và kiểm tra trong bản danh mục mới nhất."""
    store = store_of(request)
    found = store.get(Proposal, key)
    if found is None:
        raise ApiError(404, "unknown_id", f"không có phiếu đề xuất mã {key!r}")
    judged = latest(space_of(request), key)
    return render(
        request,
        "work.html",
        here="yearly",
        work=found,
        facts=tuple(facts(found)),
        origin=None,
        names=_names(store, found),
        tasks=store.find(Task, proposal=key),
        **_judged(judged, key),
    )


@router.get("/nhiem-vu/{id:path}")
def task(request: Request, _: Planner, key: Key) -> Response:
    """Đọc một nhiệm vụ đã hoặc đang được hỗ trợ, và kết quả để lại."""
    store = store_of(request)
    found = store.get(Task, key)
    if found is None:
        raise ApiError(404, "unknown_id", f"không có nhiệm vụ mã {key!r}")
    return render(
        request,
        "work.html",
        here="yearly",
        work=found,
        facts=tuple(facts(found)),
        names=_names(store, found),
        origin=store.get(Proposal, found.proposal) if found.proposal else None,
        tasks=(),
        **_judged(None, key),
    )


def _judged(judged: tuple[Job, Drawing, dict[str, Any]] | None, key: str) -> dict[str, Any]:
    """What the newest plan that speaks of a proposal says, for the template."""
    if judged is None:
        return {"told": None}
    job, drawing, told = judged
    return {
        "job": job,
        "drawing": drawing,
        "told": told,
        "found": standing(told, key),
        "marks": marks(told, key),
    }


def _names(store: Store, work: Proposal | Task) -> dict[str, str]:
    """Return what the records are called that a proposal or task names by id."""
    offered, asked = (work.technologies, work.needs) if isinstance(work, Proposal) else ((), ())
    products = (store.get(Product, each) for each in work.products)
    offers = (store.get(Technology, each) for each in offered)
    needs = (store.get(Need, each) for each in asked)
    named = {each.id: each.name for each in (*products, *offers) if each}
    return named | {each.id: each.topic or shorten(each.text) for each in needs if each}


def facts(work: Proposal | Task) -> Iterator[Fact]:
    """Yield every fact of a record under its heading; a missing one is "chưa rõ"."""
    for name, described in type(work).model_fields.items():
        if name in APART:
            continue
        value = getattr(work, name)
        if name in SUMS and value is None:
            value = getattr(work, SUMS[name])  # what the years add up to
        yield Fact(str(described.title), _written(value), value not in (None, "", (), {}))
    for heading, text in work.extra.items():
        yield Fact(heading, text)
    yield Fact("Nguồn", work.source or explain.UNKNOWN, bool(work.source))


def _written(value: object) -> str:
    if value in (None, "", (), {}):
        return explain.UNKNOWN
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, Mapping):
        return "; ".join(f"{year}: {money(each)}" for year, each in sorted(value.items()))
    if isinstance(value, tuple):
        return "; ".join(value)
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    return money(value) if isinstance(value, float) else str(value)
