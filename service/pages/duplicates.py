"""Trùng lặp: pairs of records that may tell the same thing, side by side, for a person to decide.

A pair is merged into one of its records or kept apart; what was merged stands below, and can be
undone. Nothing here is decided by a machine. What is under NDA is neither compared nor shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from corpus.records import KINDS, Record, Technology
from corpus.store import Store, StoreError
from corpus.text import squeeze
from matcher.duplicates import SURE
from service.access import needs
from service.api_desk import Stating
from service.contract import ApiError
from service.contract_duplicates import Kind
from service.desk import Desk
from service.desk_base import told
from service.duplicates import Found, Pair
from service.pages.render import PAGES, address, go, render
from service.roles import WRITE_NEEDS

PATH = "/trung-lap"
PAGE = 10
LINKS = {kind: PAGES[kind] for kind in ("technology", "need")}  # what may be told twice
HIDDEN = frozenset({"id", "certainty", "inferred", "extra", "restricted"})
Text = Annotated[str, Form(max_length=300)]
router = APIRouter(dependencies=[needs(WRITE_NEEDS)])


class Row(NamedTuple):
    """One fact of both records; ``same`` says whether both state the same."""

    title: str
    one: str
    other: str
    same: bool


@dataclass(frozen=True)
class Shown:
    """A pair as the page shows it; tags are the content hashes of both."""

    pair: Pair
    rows: tuple[Row, ...]
    tags: tuple[str, str]

    @property
    def told(self) -> str:
        """How sure it is, in words."""
        return "rất có thể trùng" if self.pair.probability >= SURE else "có thể trùng"


@dataclass(frozen=True)
class Sought:
    """Which pairs are asked for."""

    loai: Annotated[Kind, Query()] = "technology"
    trang: Annotated[int, Query(ge=1, le=10_000)] = 1


@dataclass(frozen=True)
class Sent:
    """What the forms of this page send; ``viec`` says which one."""

    viec: Text = ""
    loai: Text = ""
    giu: Text = ""
    bo: Text = ""
    dau_giu: Text = ""
    dau_bo: Text = ""
    lan: Text = ""


@router.get(PATH)
def pairs(request: Request, desk: Stating, sought: Annotated[Sought, Depends()]) -> Response:
    """Show the pairs that nobody has decided on, and the merges that stand."""
    known: Found = request.app.state.duplicates
    try:
        found = known.pairs(desk.store, sought.loai)
    except StoreError as error:
        return _page(request, desk, sought, wrong=str(error))
    first = (sought.trang - 1) * PAGE
    shown = tuple(_shown(desk.store, found.pairs[first : first + PAGE]))
    more = len(found.pairs) > first + PAGE
    return _page(request, desk, sought, shown, len(found.pairs), more, found.notices)


def _page(
    request: Request,
    desk: Desk,
    sought: Sought,
    shown: tuple[Shown, ...] = (),
    total: int = 0,
    more: bool = False,
    notices: tuple[str, ...] = (),
    wrong: str = "",
) -> Response:
    kind, page = sought.loai, sought.trang
    return render(
        request,
        "duplicates.html",
        here="import",
        kind=kind,
        kinds={name: KINDS[name].label for name in LINKS},
        path_of=LINKS[kind],
        shown=shown,
        total=total,
        wrong=wrong,
        notices=notices,
        merges=[each for each in desk.merges() if each.of == kind],
        before=address(PATH, loai=kind, trang=page - 1) if page > 1 else "",
        after=address(PATH, loai=kind, trang=page + 1) if more else "",
    )


def _shown(store: Store, listed: tuple[Pair, ...]) -> Iterator[Shown]:
    for pair in listed:
        kind = KINDS[pair.kind]
        one, other = store.get(kind, pair.one), store.get(kind, pair.other)
        if one is not None and other is not None:
            tags = one.content_hash(), other.content_hash()
            yield Shown(pair, tuple(_rows(_public(one), _public(other))), tags)


def _public(record: Record) -> Record:
    return record.public() if isinstance(record, Technology) else record


def _rows(one: Record, other: Record) -> Iterator[Row]:
    """Yield the facts that either states: its own fields in their order, where it is from last."""
    fields = type(one).model_fields
    own = (name for name in fields if name not in Record.model_fields)
    for name in (*own, *Record.model_fields):
        mine, theirs = _text(getattr(one, name)), _text(getattr(other, name))
        if name not in HIDDEN and (mine or theirs):
            yield Row(str(fields[name].title), mine, theirs, squeeze(mine) == squeeze(theirs))


def _text(value: object) -> str:
    if value in (None, "", (), False):
        return ""
    if value is True:
        return "có"
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


@router.post(PATH)
def decide(request: Request, desk: Stating, sent: Annotated[Sent, Depends()]) -> Response:
    """Merge a pair, keep it apart, or undo a merge."""
    back = address(PATH, loai=sent.loai if sent.loai in LINKS else None)
    with told():
        if sent.viec == "gop":
            done = desk.merge(sent.loai, sent.giu, sent.bo, sent.dau_giu, sent.dau_bo)
            said = f"Đã gộp {done.gone} vào {done.kept}. Có thể hoàn tác ở cuối trang."
        elif sent.viec == "khong-trung":
            apart = desk.keep_apart(sent.loai, sent.giu, sent.bo)
            said = f"Đã ghi nhớ: {apart.one} và {apart.other} không trùng nhau."
        elif sent.viec == "hoan-tac":
            done = desk.undo_merge(sent.lan)
            said = f"Đã hoàn tác: {done.kept} và {done.gone} trở lại như trước khi gộp."
        else:
            raise ApiError(422, "invalid", "không có việc này")
    return go(request, back, said)
