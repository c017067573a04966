"""What one owner offers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.api import Current
from service.contract import ApiError
from service.pages.catalogue import Listed, Reader
from service.pages.facts import accepted, badges
from service.pages.product import Key
from service.pages.render import render

router = APIRouter()
SHOWN = 200


@router.get("/so-huu/{id:path}")
def owner(request: Request, _: Reader, opened: Current, listed: Listed, key: Key) -> Response:
    """Liệt kê công nghệ của một đơn vị."""
    keys = listed.owners.get(key)
    if keys is None:
        raise ApiError(404, "unknown_owner", f"không có đơn vị {key!r} trong cơ sở dữ liệu")
    matcher = opened.matcher
    found = [matcher.technologies[each] for each in keys[:SHOWN]]
    return render(
        request,
        "owner.html",
        here="technologies",
        owner=key,
        total=len(keys),
        shown=[
            (each, badges(each, matcher.as_of, matcher.priorities_of(each)), accepted(each))
            for each in found
        ],
        contacts=sorted({each.contact for each in found if each.contact}),
    )
