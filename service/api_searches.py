"""Routes for searches that somebody keeps, and what they find that is new."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from corpus.workflow import SavedSearch
from matcher.answers import Answer
from service import contract_work
from service.api_desk import Expected, Once, Reading, created, new, tagged
from service.api_lending import Current, Key, Plain, chosen
from service.contract import ApiError
from service.contract_work import Kept
from service.workspace import Opened

router = APIRouter(tags=["Tìm kiếm đã lưu"])
SEEN = 200  # results that count as seen


def address(search: Kept) -> str:
    """Return a search as an address bar carries it."""
    return urlencode(search.model_dump(exclude_defaults=True), doseq=True)


def kept(query: str) -> Kept:
    """Read what :func:`address` wrote, or a page's address bar did.

    Raises:
        ApiError: 422, it is no search.
    """
    asked = parse_qs(query)
    several = {name for name, each in Kept.model_fields.items() if each.default == []}
    facts = {
        name: values if name in several else values[-1]
        for name, values in asked.items()
        if name in Kept.model_fields
    }
    try:
        return Kept.model_validate(facts)
    except ValidationError as error:
        raise ApiError(422, "invalid", "câu tìm đã lưu không đọc được nữa") from error


def answered(opened: Opened, search: Kept) -> Answer:
    """Return what answers a search now, as far down as counts as seen."""
    matcher = opened.matcher
    return matcher.answer(matcher.text(search.q), SEEN, chosen(search))


def found(opened: Opened, search: Kept) -> list[str]:
    """Return the ids that a search finds now, best first."""
    return [each.technology.id for each in answered(opened, search).matches]


@router.get("/searches", response_model=list[contract_work.SearchBody])
def searches(desk: Reading, _: Plain) -> JSONResponse:
    """Đọc các tìm kiếm mà người hỏi đã lưu."""
    return JSONResponse([{"type": "search", **each.to_json()} for each in desk.searches()])


@router.post("/searches", response_model=contract_work.SearchBody, status_code=201)
def save_search(
    request: Request,
    desk: Reading,
    opened: Current,
    sent: contract_work.SearchIn,
    key: Once = None,
) -> Response:
    """Lưu một tìm kiếm; kết quả lúc này coi như đã xem."""
    seen = found(opened, sent.search)

    def create() -> Response:
        made = desk.save_search(sent.name, address(sent.search), seen, opened.version)
        return new(made, f"searches/{made.id}")

    return created(request, desk, key, sent.model_dump(mode="json"), create)


@router.get("/searches/{id}", response_model=contract_work.SearchBody)
def saved_search(desk: Reading, key: Key, _: Plain) -> JSONResponse:
    """Đọc một tìm kiếm đã lưu."""
    return tagged(desk.search(key))


@router.get("/searches/{id}/new", response_model=contract_work.New)
def new_results(desk: Reading, opened: Current, key: Key, _: Plain) -> JSONResponse:
    """Chạy lại một tìm kiếm đã lưu: có gì mới, có gì không còn; không đánh dấu là đã xem."""
    search = desk.search(key)
    return JSONResponse(_new(search, opened))


def _new(search: SavedSearch, opened: Opened) -> dict[str, object]:
    now, before = found(opened, kept(search.query)), set(search.seen)
    return {
        "id": search.id,
        "new": [each for each in now if each not in before],
        "gone": sorted(before - set(now)),
        "index_changed": search.index_version != opened.version,
    }


@router.post("/searches/{id}/seen", response_model=contract_work.SearchBody)
def mark_seen(desk: Reading, opened: Current, key: Key, match: Expected) -> JSONResponse:
    """Đánh dấu những gì tìm kiếm này thấy lúc này là đã xem."""
    seen = found(opened, kept(desk.search(key).query))
    return tagged(desk.searched(key, match, seen, opened.version))


@router.delete("/searches/{id}", status_code=204)
def forget_search(desk: Reading, key: Key, match: Expected) -> Response:
    """Xóa một tìm kiếm đã lưu."""
    desk.forget_search(key, match)
    return Response(status_code=204)
