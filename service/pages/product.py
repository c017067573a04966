"""Products: which there are, and how well the needs of each are answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from corpus.records import Need, Product
from corpus.text import fold
from matcher import explain
from matcher.answers import Answer
from matcher.match import WORDS_ONLY
from service.api import Current
from service.contract import ApiError
from service.pages import asked
from service.pages.catalogue import Catalogue, Listed, Reader
from service.pages.facts import Card, card
from service.pages.render import render
from service.roles import LISTS, may

router = APIRouter()
PAGE = 50
EACH = 3  # matches shown under each need
MANY = 60  # needs up to which all are answered at once
Key = Annotated[str, Path(alias="id", max_length=200)]
STRONG, WEAK, NONE = "mạnh", "yếu", "không"


@dataclass(frozen=True)
class Covered:
    """One need of a product, how well it is answered, and by what."""

    need: Need
    coverage: str
    cards: tuple[Card, ...]
    nearest: Card | None
    suits: int
    adapt: int


@router.get("/san-pham")
def products(
    request: Request, _: Reader, listed: Listed, q: str = "", tinh: str = "", danh_muc: str = "",
    trang: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:  # fmt: skip
    """Liệt kê sản phẩm theo tên, tỉnh, danh mục."""
    found = [each for each in listed.products if _admits(each, q, tinh, danh_muc)]
    first = (trang - 1) * PAGE
    kept = [(k, v) for k, v in (("q", q), ("tinh", tinh), ("danh_muc", danh_muc)) if v]
    return render(
        request,
        "products.html",
        here="products",
        q=q,
        province=tinh,
        list_name=danh_muc,
        provinces=sorted({each.province for each in listed.products if each.province}),
        lists=sorted({name for each in listed.products for name in each.lists}),
        shown=found[first : first + PAGE],
        total=len(found),
        needs=listed.needs,
        page=trang,
        before=asked.link("/san-pham", kept, trang=trang - 1) if trang > 1 else "",
        after=asked.link("/san-pham", kept, trang=trang + 1) if len(found) > first + PAGE else "",
    )


def _admits(product: Product, q: str, province: str, list_name: str) -> bool:
    named = fold(" ".join((product.name, *product.aliases, product.id)).casefold())
    return (
        fold(" ".join(q.split()).casefold()) in named
        and province in {"", product.province}
        and (not list_name or list_name in product.lists)
    )


@router.get("/san-pham/{id:path}")
def product(
    request: Request, person: Reader, opened: Current, listed: Listed, key: Key
) -> Response:
    """Cho biết các nhu cầu của một sản phẩm được đáp ứng đến đâu."""
    matcher = opened.matcher
    known = matcher.products.get(key)
    if known is None:
        raise ApiError(404, "unknown_id", f"không có sản phẩm mã {key!r}")
    needs = list(_needs(listed, known))
    answered = len(needs) <= MANY
    found = listed.product_list(known) if answered else None
    lexicon = matcher.engine.lexicon
    choices = [
        (card(each.match, found.answers[each.needs[0].id].query, lexicon, matcher.as_of), each)
        for each in (found.choices if found else ())
        if found and each.needs
    ]
    answers = found.answers if found else {}
    covered = [_covered(each, matcher.needs[need], listed) for need, each in answers.items()]
    words = [each.coverage for each in covered]
    return render(
        request,
        "product.html",
        here="products",
        product=known,
        parent=matcher.products.get(known.parent or ""),
        parts=listed.parts.get(known.id, ()),
        needs=needs,
        answered=answered,
        covered=covered,
        counts={word: words.count(word) for word in (STRONG, WEAK, NONE)},
        choices=choices,
        trouble=sorted({WORDS_ONLY} & {told for each in answers.values() for told in each.notices}),
        may_list=may(person, LISTS),
    )


def _needs(listed: Catalogue, product: Product) -> Iterator[Need]:
    """What was stated for a product and for everything under it."""
    waiting, seen = [product.id], set()
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            yield from listed.needs.get(key, ())
            waiting += [each.id for each in listed.parts.get(key, ())]


def coverage(answer: Answer) -> str:
    """Say how well a need is answered: something suits, something can be adapted, or nothing."""
    labels = {each.label for each in answer.matches}
    if explain.SUITS in labels:
        return STRONG
    return WEAK if explain.ADAPT in labels else NONE


def _covered(answer: Answer, need: Need, listed: Catalogue) -> Covered:
    matcher = listed.matcher
    lexicon, as_of = matcher.engine.lexicon, matcher.as_of
    good = [each for each in answer.matches if each.label != explain.REFERENCE]
    cards = tuple(card(each, answer.query, lexicon, as_of) for each in good[:EACH])
    nearest = card(answer.nearest, answer.query, lexicon, as_of) if answer.nearest else None
    suits = sum(each.label == explain.SUITS for each in good)
    return Covered(need, coverage(answer), cards, nearest, suits, len(good) - suits)
