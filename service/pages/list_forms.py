"""What the pages of match lists share: the desk they work at, lists as seen, refusals as pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from corpus.outcomes import Outcome, ReasonKind
from corpus.workflow import Listed, MatchList, Status
from service import handover_facts
from service.access import needs
from service.contract import ApiError
from service.desk import Desk, Person, StaleError
from service.handover import Handover
from service.listing import papers
from service.pages.catalogue import Catalogue
from service.pages.facts import reason
from service.pages.render import go, render
from service.roles import LISTS
from service.shelf import store_of

HOME: Final = "/danh-sach"
OPEN_LIST: Final = "cungcau_danh_sach"  # cookie: the list that was open last
Lister = Annotated[Person, needs(LISTS)]


def at_desk(request: Request, person: Lister) -> Desk:
    """Give the desk of somebody who keeps lists."""
    return Desk(store_of(request), person)


async def form_of(request: Request) -> FormData:
    """Read the form that was sent, for routes that work in a thread."""
    return await request.form()


AtDesk = Annotated[Desk, Depends(at_desk)]
Form = Annotated[FormData, Depends(form_of)]


@contextmanager
def public_catalogue(request: Request) -> Iterator[Catalogue | None]:
    """Lend the public's matcher with what is kept for it; ``None``: there is no index.

    Lists go on without one.
    """
    with ExitStack() as lent:
        try:
            opened = lent.enter_context(request.app.state.live.lease())
        except ApiError:
            yield None
            return
        yield request.app.state.catalogues.of(opened.matcher)


def open_list(request: Request, desk: Desk) -> MatchList | None:
    """Return the list that this browser had open last, if results may still be added to it.

    A list of takers has needs on its lines: what somebody finds elsewhere is none of them.
    """
    key = request.cookies.get(OPEN_LIST, "")
    try:
        found = desk.match_list(key) if key and key.isprintable() else None
    except ApiError:
        return None
    fits = found is not None and found.status is Status.DRAFT and found.technology is None
    return found if fits else None


def text(form: FormData, name: str) -> str:
    """Return one field of a form; "" where it is missing or a file."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def texts(form: FormData, name: str) -> list[str]:
    """Return all fields of a form with one name."""
    return [value for value in form.getlist(name) if isinstance(value, str)]


def text_raw(form: FormData, name: str) -> str:
    """Return a field as it was sent: a pair may end with the tab that parts it."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def day(form: FormData, name: str) -> dt.date | None:
    """Return a date, typed as 2026-11-23 or 23/11/2026.

    Raises:
        ApiError: 422, it is neither.
    """
    given = text(form, name)
    if not given:
        return None
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(given, pattern).date()
        except ValueError:
            continue
    raise ApiError(422, "invalid", f"“{given[:40]}” không phải ngày, viết như 23/11/2026")


def pair_of(given: str) -> tuple[str, str | None]:
    """Return the pair that a form names: technology and need, apart by a tab."""
    technology, _, need = given.partition("\t")
    return technology, need or None


def pair_text(item: Listed) -> str:
    """Return how a form names a line."""
    return f"{item.technology}\t{item.need or ''}"


def shown_list(
    request: Request,
    desk: Desk,
    found: MatchList,
    *,
    status: int = 200,
    wrong: str = "",
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Return the page of one list; ``typed`` is what a refused form held."""
    paper = papers(desk, found)
    return render(
        request,
        "list.html",
        status,
        here="lists",
        found=found,
        paper=paper,
        etag=found.content_hash(),
        works=desk.works_on(found),
        owns=desk.owns(found),
        draft=found.status is Status.DRAFT,
        wrong=wrong,
        typed=typed or {},
        say=handover_facts,
        relation=reason,
        pair=pair_text,
        others=others(desk, paper),
        today=desk.today(),
        outcomes=list(Outcome),
        reasons=list(ReasonKind),
    )


def others(desk: Desk, paper: Handover) -> Mapping[str, list[str]]:
    """Return, by need, what was decided with its people about other technologies, newest first.

    Who refused one machine last month is to be known before one phones about the next.
    """
    if not paper.by_offer:
        return {}
    told: dict[str, list[str]] = {}
    for line in paper.lines:
        if line.need is not None and line.need.id not in told:
            found = desk.decisions(need=line.need.id)
            told[line.need.id] = [
                f"{each.technology}: {handover_facts.told(each)}"
                for each in found
                if each.technology != line.technology.id
            ][:5]
    return told


def act(
    request: Request, desk: Desk, key: str, form: FormData, work: Callable[[], Any], said: str
) -> Response:
    """Do one thing to a list and go back to it; a refusal is shown where it was typed."""
    try:
        work()
    except StaleError as error:
        if not isinstance(error.current, MatchList):
            raise
        return conflict(request, desk, error.current, form)
    except ApiError as error:
        if error.status not in {409, 422}:
            raise
        typed = {name: value for name, value in form.items() if isinstance(value, str)}
        found = desk.match_list(key)
        return shown_list(
            request, desk, found, status=error.status, wrong=error.message, typed=typed
        )
    return go(request, f"{HOME}/{key}", said)


def conflict(request: Request, desk: Desk, current: MatchList, form: FormData) -> Response:
    """Show what was sent beside how the list stands now; it may be sent again on top of that."""
    names = {pair_text(each): each for each in current.items}
    sent = [each for each in texts(form, "dong") if each in names]
    paper = papers(desk, current)
    by_pair = {pair_text(line.item): line for line in paper.lines}
    ranks = ranked(form)
    mine = sorted(sent, key=lambda each: ranks.get(each, 0))
    kept = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and name not in {"csrf", "etag", "dong", "thu-tu"}
    ]
    merged = [*mine, *(each for each in names if each not in mine)]
    is_order = bool(sent)
    return render(
        request,
        "list_conflict.html",
        412,
        here="lists",
        found=current,
        etag=current.content_hash(),
        action=request.url.path,
        kept=kept,
        mine=[by_pair[each] for each in merged] if is_order else [],
        theirs=paper.lines,
        merged=merged if is_order else [],
        is_order=is_order,
        changes=[
            each
            for each in reversed(desk.store.history(MatchList, current.id)[-3:])
            if each.actor is not None
        ],
        pair=pair_text,
    )


def ranked(form: FormData) -> dict[str, float]:
    """Return the number that was typed for every line of an order.

    Raises:
        ApiError: 422, one is no number.
    """
    ranks = {}
    for line, given in zip(texts(form, "dong"), texts(form, "thu-tu"), strict=False):
        try:
            ranks[line] = float(given.replace(",", "."))
        except ValueError:
            raise ApiError(422, "invalid", f"thứ tự “{given[:20]}” không phải là số") from None
    return ranks
