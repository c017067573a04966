"""Routes that look for something: search, matches, takers, what is like what.

Routes are plain functions and write their JSON themselves: both happen in a thread, so that neither
the encoder nor a long list holds up other requests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from corpus.records import Need, Product
from matcher.answers import Answer
from matcher.facets import facets
from matcher.fit import Filter
from matcher.hits import Key as Ranked
from matcher.match import FIRST_PAGE, WORDS_ONLY, Matcher
from matcher.need import Conditions
from matcher.similar import similar
from service import contract, cursors, payloads
from service.api_lending import MERGED, Current, Key, chosen, known, offered, product
from service.cursors import Made, Place
from service.workspace import Opened

router = APIRouter(tags=["Tìm"])


@router.get("/search", response_model=contract.Found)
def search(opened: Current, query: Annotated[contract.Search, Query()]) -> JSONResponse:
    """Tìm công nghệ theo câu chữ, có dấu hoặc không dấu; bộ lọc chỉ bỏ bớt, không đổi thứ tự.

    Trang sau: gửi lại câu hỏi với `cursor` là `next` của trang trước; trang không lặp và không sót
    khi dữ liệu thay đổi, và trả 410 khi chỉ mục đã đổi. Cũng có thể tăng `offset`. Hết khi cả
    `matches` và `set_apart` đều rỗng. Số đếm trong `facets` là số kết quả nếu chọn giá trị ấy thay
    cho các giá trị đang chọn cùng loại.
    """
    matcher, only = opened.matcher, chosen(query)
    asked = matcher.text(query.q)
    made = _made(opened, query)
    if query.cursor is None:
        whole = matcher.answer(asked, query.offset + query.k, only)
        part = slice(query.offset, query.offset + query.k)
        page = replace(whole, matches=whole.matches[part], set_apart=whole.set_apart[part])
        if doubt := whole.undecided:
            page = replace(page, undecided=replace(doubt, matches=doubt.matches[part]))
        place = Place(_behind(whole, FIRST_PAGE), whole.found, WORDS_ONLY not in whole.notices)
        nearest = payloads.nearest(whole)
    else:
        place = Place.of(cursors.decode(query.cursor, made))
        page = matcher.answer(asked, query.k, only, place.after)
        if place.dense is (WORDS_ONLY in page.notices):  # the encoder failed meanwhile, or works
            raise cursors.expired()
        place, nearest = replace(place, after=_behind(page, place.after)), None
    more = query.k in {len(page.matches), len(page.set_apart)}
    told = {**payloads.answer(page), "found": place.found, "nearest": nearest}
    told["facets"] = _counted(matcher, page, only) if query.facets else None
    told["next"] = cursors.encode(made, place.plain()) if more else None
    return JSONResponse({**told, "index_notices": list(opened.notices)})


def _made(opened: Opened, query: contract.Search) -> Made:
    """What a page of this search is made with: another page of it is asked for alike."""
    question = query.model_dump(exclude={"k", "offset", "cursor", "facets"})
    matcher = opened.matcher
    return Made(opened.version, matcher.model, str(matcher.as_of), Made.digest(question))


def _behind(answer: Answer, before: tuple[Ranked, Ranked]) -> tuple[Ranked, Ranked]:
    """The keys behind which the next page begins."""
    lists = (answer.matches, answer.set_apart)
    first, second = (
        found[-1].key if found else key for found, key in zip(lists, before, strict=True)
    )
    return first, second


def _counted(matcher: Matcher, page: Answer, only: Filter) -> list[payloads.Data]:
    return [payloads.facet(each) for each in facets(matcher, page.ranking, only)]


@router.get("/matches", response_model=contract.ProductList | contract.Answer)
def matches(opened: Current, query: Annotated[contract.Question, Query()]) -> JSONResponse:
    """Lập danh sách kết nối cho một sản phẩm, một nhu cầu, hoặc nhu cầu viết tự do.

    Chỉ `product`: danh sách đáp ứng các nhu cầu của sản phẩm. Còn lại: câu trả lời cho một nhu cầu.
    """
    matcher = opened.matcher
    named = product(matcher, query.product) if query.product is not None else None
    if named is not None and query.text is None:
        return JSONResponse(payloads.product_list(matcher.for_product(named, query.k)))
    return JSONResponse(payloads.answer(_answer(matcher, query, named)))


def _answer(matcher: Matcher, query: contract.Question, named: Product | None) -> Answer:
    if query.text is None:
        stated = known(Need, matcher.needs, query.need or "")
        return matcher.answer(matcher.stated(stated), query.k)
    conditions = Conditions(query.budget, query.trl_min, query.place)
    return matcher.answer(matcher.text(query.text, named, conditions), query.k)


# An id may hold a slash ("CN/2024/01"), so ids are paths, and what follows an id comes first.
@router.get("/technologies/{id:path}/takers", response_model=list[contract.Taker], responses=MERGED)
def takers(
    request: Request, opened: Current, key: Key, query: Annotated[contract.Top, Query()]
) -> JSONResponse:
    """Tìm ai cần một công nghệ."""
    offer = offered(request, opened.matcher, key)
    return JSONResponse([payloads.taker(each) for each in opened.matcher.takers(offer, query.k)])


@router.get(
    "/technologies/{id:path}/similar", response_model=list[contract.Similar], responses=MERGED
)
def alike(
    request: Request, opened: Current, key: Key, query: Annotated[contract.Top, Query()]
) -> JSONResponse:
    """Tìm công nghệ tương tự một công nghệ, kèm lý do; nói cả khi có thể là cùng một công nghệ."""
    offer = offered(request, opened.matcher, key)
    found = similar(opened.matcher, offer, query.k)
    return JSONResponse([payloads.similar(each) for each in found])
