"""Danh mục ưu tiên: its versions, a draft edited group by group with reasons, and its issue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from corpus.priority import PriorityGroup, PriorityList, Standing, differences, in_force
from corpus.records import STAGES
from service import desk_priorities
from service.access import needs
from service.contract import ApiError
from service.desk import Desk
from service.pages.gathering import day_of
from service.pages.list_forms import Form, text, texts
from service.pages.render import address, go, key, render
from service.person import Person
from service.roles import PLAN
from service.shelf import store_of

HOME: Final = "/danh-muc-uu-tien"
SHOWN: Final = {403, 503}  # refusals that are no word about what was typed
router = APIRouter()


def at_desk(request: Request, person: Annotated[Person, needs(PLAN)]) -> Desk:
    """Give the desk of somebody who plans."""
    return Desk(store_of(request), person)


Planning = Annotated[Desk, Depends(at_desk)]


@router.get(HOME)
def home(request: Request, desk: Planning) -> Response:
    """Show all versions, and where to begin a draft."""
    versions = desk_priorities.versions(desk)
    return render(
        request,
        "priorities.html",
        here="yearly",
        versions=versions,
        used=in_force(versions, day_of(request, desk)),
        usual=desk_priorities.NAME,
    )


@router.post(HOME)
def begin(request: Request, desk: Planning, form: Form) -> Response:
    """Begin a draft from a version, or an empty one."""
    made = desk_priorities.begin(desk, text(form, "ten"), text(form, "tu"))
    return go(request, f"{HOME}/{key(made.id)}", f"Đã lập dự thảo {made.id}.")


@router.get(f"{HOME}/{{ma}}")
def show(request: Request, desk: Planning, ma: str) -> Response:
    """Show one version; a draft with its forms."""
    return _page(request, desk, ma)


def _page(
    request: Request,
    desk: Desk,
    ma: str,
    status: int = 200,
    wrong: str = "",
    at: str = "",
    typed: PriorityGroup | None = None,
) -> Response:
    found = desk_priorities.version(desk, ma)
    before = desk.store.get(PriorityList, found.before) if found.before else None
    used = in_force(desk_priorities.versions(desk), day_of(request, desk))
    return render(
        request,
        "priority.html",
        status,
        here="yearly",
        of=found,
        draft=found.standing is Standing.DRAFT,
        in_force=used is not None and used.id == found.id,
        etag=found.content_hash(),
        before=before,
        changes=differences(before, found) if before else (),
        dropped=desk_priorities.reasons(found),
        stages=STAGES,
        blank=PriorityGroup.model_construct(key="", name=""),
        wrong=wrong,
        at=at,
        typed=typed,
    )


@router.post(f"{HOME}/{{ma}}")
def change(request: Request, desk: Planning, ma: str, form: Form) -> Response:
    """Put a group, take one out, or issue the draft; what is refused comes back as it was typed."""
    verb = VERBS.get(text(form, "viec"))
    try:
        if verb is None:
            raise ApiError(422, "invalid", "không có việc này")
        said = verb(request, desk, ma, form)
    except ApiError as error:
        if error.status in SHOWN or error.code == "unknown_id":
            raise
        typed = PriorityGroup.model_construct(**_facts(form)) if "ky_hieu" in form else None
        at = text(form, "nhom") or text(form, "viec")
        return _page(request, desk, ma, error.status, error.message, at, typed)
    return go(request, address(f"{HOME}/{key(ma)}"), said)


def _facts(form: FormData) -> Mapping[str, Any]:
    """Return the group that was typed; lists are parted by semicolons."""
    return {
        "key": text(form, "ky_hieu"),
        "name": text(form, "ten"),
        "stages": tuple(texts(form, "khau")),
        "products": _parted(text(form, "san_pham")),
        "words": _parted(text(form, "tu_ngu")),
        "because": text(form, "can_cu") or None,
    }


def _parted(listed: str) -> tuple[str, ...]:
    return tuple(filter(None, (each.strip() for each in listed.split(";"))))


def _put(_: Request, desk: Desk, ma: str, form: FormData) -> str:
    old, facts = text(form, "nhom"), _facts(form)
    desk_priorities.put(desk, ma, text(form, "etag"), old, facts)
    return f"Đã {'sửa' if old else 'thêm'} nhóm {facts['key']}."


def _drop(_: Request, desk: Desk, ma: str, form: FormData) -> str:
    gone = text(form, "nhom")
    desk_priorities.drop(desk, ma, text(form, "etag"), gone, text(form, "ly_do"))
    return f"Đã bỏ nhóm {gone}."


def _issue(request: Request, desk: Desk, ma: str, form: FormData) -> str:
    day = day_of(request, desk)
    desk_priorities.issue(desk, ma, text(form, "etag"), text(form, "so_quyet_dinh"), day)
    return f"{ma} đã ban hành và có hiệu lực từ {day:%d/%m/%Y}; từ nay không sửa nữa."


VERBS: Mapping[str, Callable[[Request, Desk, str, FormData], str]] = {
    "ghi-nhom": _put,
    "bo-nhom": _drop,
    "ban-hanh": _issue,
}
