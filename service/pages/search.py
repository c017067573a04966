"""The first page: one box, and what was found, label and reason first."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request, Response

from matcher import explain, facets
from matcher.answers import Answer, Match
from service.api import Current
from service.api_desk import Reading
from service.pages import asked, seen
from service.pages.asked import Asked
from service.pages.catalogue import Listed, Reader
from service.pages.facts import Card, card
from service.pages.list_forms import open_list
from service.pages.render import render
from service.roles import LISTS, may
from service.workspace import Opened

router = APIRouter()
SHOWN = 10  # results on a page
EXAMPLES = ("bảo quản khóm cắt lát", "bao quan xoai xuat khau", "xử lý nước thải ao tôm")


@router.get("/")
def search(
    request: Request, person: Reader, desk: Reading, opened: Current, listed: Listed
) -> Response:
    """Tìm công nghệ theo câu chữ."""
    wanted = asked.read(request)
    if not wanted.q:
        return _welcome(request, opened, wanted)
    matcher = opened.matcher
    first = (wanted.page - 1) * SHOWN
    query = matcher.text(wanted.q, None, wanted.conditions)
    found = matcher.answer(query, first + SHOWN + 1, wanted.only)
    shown = found.matches[first : first + SHOWN]
    change, cookie = None, ""
    if wanted.page == 1:
        change, cookie = seen.look(request, [m.technology.id for m in shown], wanted, opened)
    fresh = change.fresh if change else frozenset()
    counted = facets.facets(matcher, found.ranking, wanted.only)
    answer = render(
        request,
        "search.html",
        here="search",
        asked=wanted,
        found=found,
        cards=_cards(shown, found, opened, fresh),
        apart=_cards(_apart(found, wanted), found, opened),
        doubtful=_cards(_doubtful(found, wanted), found, opened),
        nearest=_cards(filter(None, [found.nearest]), found, opened),
        first=first,
        more=len(found.matches) > first + SHOWN and wanted.page < asked.PAGES,
        suggestion=_suggestion(listed, wanted),
        narrowings=asked.narrowings("/", wanted, counted),
        change=change,
        may_list=may(person, LISTS),
        open_list=open_list(request, desk) if may(person, LISTS) else None,
        link=asked.link,
        index_notices=opened.notices,
        illustrative=any(match.technology.illustrative for match in shown),
    )
    if cookie:
        seen.remember(request, answer, cookie)
    return answer


def _welcome(request: Request, opened: Opened, wanted: Asked) -> Response:
    return render(
        request,
        "welcome.html",
        here="search",
        asked=wanted,
        records=len(opened.matcher.technologies),
        needs=len(opened.matcher.needs),
        products=len(opened.matcher.products),
        examples=EXAMPLES,
        index_notices=opened.notices,
    )


def _apart(found: Answer, wanted: Asked) -> tuple[Match, ...]:
    """What is to the point and breaks a hard rule: on the first page, below."""
    told = [each for each in found.set_apart if each.label != explain.REFERENCE]
    return tuple(told[:SHOWN]) if wanted.page == 1 else ()


def _doubtful(found: Answer, wanted: Asked) -> tuple[Match, ...]:
    """What may lie in the place asked for: on the first page, below."""
    return found.undecided.matches[:SHOWN] if found.undecided and wanted.page == 1 else ()


def _cards(
    matches: Iterable[Match], found: Answer, opened: Opened, fresh: frozenset[str] = frozenset()
) -> list[Card]:
    matcher = opened.matcher
    return [
        card(each, found.query, matcher.engine.lexicon, matcher.as_of, each.technology.id in fresh)
        for each in matches
    ]


def _suggestion(listed: Listed, wanted: Asked) -> tuple[str, str] | None:
    """What may have been meant, and the address that asks it."""
    better = listed.speller.suggest(wanted.q)
    return (better, asked.link("/", wanted.kept("q"), q=better)) if better else None
