"""One need and what answers it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from corpus.workflow import withdrawn
from matcher import explain
from service.api import Current
from service.contract import ApiError
from service.desk_merging import led_to
from service.pages.catalogue import Listed, Reader
from service.pages.facts import card
from service.pages.product import Key
from service.pages.render import go, render
from service.pages.render import key as address_of
from service.roles import LISTS, may

router = APIRouter()


@router.get("/nhu-cau/{id:path}")
def need(request: Request, person: Reader, opened: Current, listed: Listed, key: Key) -> Response:
    """Đọc một nhu cầu và những công nghệ đáp ứng."""
    matcher = opened.matcher
    known = matcher.needs.get(key)
    gone = known is None or withdrawn(known)
    if gone and (kept := led_to(request.app.state.shelf.store(), "need", key)):
        return go(request, f"/nhu-cau/{address_of(kept)}", f"{key} đã gộp vào nhu cầu này.")
    if known is None:
        raise ApiError(404, "unknown_id", f"không có nhu cầu mã {key!r}")
    found = listed.answer(known)
    lexicon, as_of = matcher.engine.lexicon, matcher.as_of
    apart = [each for each in found.set_apart if each.label != explain.REFERENCE]
    shown = found.matches if found.found else tuple(filter(None, [found.nearest]))
    return render(
        request,
        "need.html",
        here="products",
        need=known,
        product=matcher.products.get(known.product),
        found=found,
        cards=[card(each, found.query, lexicon, as_of) for each in shown],
        apart=[card(each, found.query, lexicon, as_of) for each in apart],
        may_list=may(person, LISTS),
    )
