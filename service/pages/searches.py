"""Searches that somebody keeps, and what each finds that was not there when they last looked.

What is kept is the address bar of a search, so that opening one is following its link. Records
come with an index: while it is the one that was looked at, nothing can be new and nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from corpus.records import Technology
from corpus.workflow import SavedSearch
from service.api import Current
from service.api_desk import Reading
from service.api_searches import SEEN, answered, found, kept
from service.contract import ApiError
from service.listing import named
from service.pages.catalogue import Catalogue, Listed, sound, without_ranking
from service.pages.list_forms import form_of, text
from service.pages.render import go, render
from service.workspace import Opened

HOME = "/tim-kiem-da-luu"
SHOWN = 5  # new records named of each search
LONGEST = 90  # characters of a name that is taken from the question
router = APIRouter()
Form = Annotated[FormData, Depends(form_of)]


@dataclass(frozen=True)
class Look:
    """A kept search, where it leads, and what it finds that is new."""

    search: SavedSearch
    address: str
    fresh: tuple[Technology, ...] = ()
    gone: int = 0
    etag: str = ""
    readable: bool = True


@router.get(HOME)
def searches(request: Request, desk: Reading, opened: Current, listed: Listed) -> Response:
    """Cho biết mỗi tìm kiếm đã lưu có gì mới."""
    looks = list(_looks(desk.searches(), opened, listed))
    looks.sort(key=lambda each: (not each.fresh, each.search.name, each.search.id))
    return render(request, "searches.html", here="searches", looks=looks, shown=SHOWN)


def _looks(some: tuple[SavedSearch, ...], opened: Opened, listed: Catalogue) -> Iterator[Look]:
    known = opened.matcher.technologies
    for search in some:
        address, etag = f"/?{search.query}", search.content_hash()
        try:
            now = _found(search, opened, listed)
        except ApiError:
            yield Look(search, address, etag=etag, readable=False)
            continue
        before = set(search.seen)
        fresh = tuple(known[key] for key in now if key not in before and key in known)
        # What was seen beyond the most that is looked at is not gone, only further down.
        gone = len(before - set(now)) if len(now) < SEEN else 0
        yield Look(search, address, fresh, gone, etag)


def _found(search: SavedSearch, opened: Opened, listed: Catalogue) -> list[str]:
    """The ids that a search finds; those it found then, where the index is the same."""
    asked = kept(search.query)
    if search.index_version == opened.version:
        return list(search.seen)
    answer = listed.once(
        "kept search", search.query, lambda: without_ranking(answered(opened, asked)),
        *listed.supply, sound=sound,
    )  # fmt: skip
    return [each.technology.id for each in answer.matches]


@router.post(HOME)
def save(request: Request, desk: Reading, opened: Current, form: Form) -> Response:
    """Lưu một tìm kiếm; kết quả lúc này coi như đã xem."""
    pairs = [(name, value) for name, value in parse_qsl(text(form, "cau")) if name != "page"]
    query = urlencode(pairs)
    asked = kept(query)
    same = next((each for each in desk.searches() if each.query == query), None)
    if same is None:
        name = text(form, "ten") or named(opened.matcher, None, asked.q)[:LONGEST]
        same = desk.save_search(name, query, found(opened, asked), opened.version)
        return go(request, f"/?{query}", f"Đã lưu tìm kiếm “{same.name}”; xem ở trang Đã lưu.")
    return go(request, f"/?{query}", f"Tìm kiếm này đã lưu với tên “{same.name}”.")


@router.post(f"{HOME}/{{ma}}/da-xem")
def seen(request: Request, desk: Reading, opened: Current, ma: str, form: Form) -> Response:
    """Đánh dấu những gì tìm kiếm này thấy lúc này là đã xem."""
    search = desk.search(ma)
    ids = found(opened, kept(search.query))
    desk.searched(ma, text(form, "etag"), ids, opened.version)
    return go(request, HOME, f"Đã đánh dấu “{search.name}” là đã xem.")


@router.post(f"{HOME}/{{ma}}/xoa")
def forget(request: Request, desk: Reading, ma: str, form: Form) -> Response:
    """Bỏ một tìm kiếm đã lưu."""
    search = desk.search(ma)
    desk.forget_search(ma, text(form, "etag"))
    return go(request, HOME, f"Đã bỏ tìm kiếm “{search.name}”.")
