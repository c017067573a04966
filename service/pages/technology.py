"""Technologies: which there are, and all that is known of one: facts, takers, others like it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from fastapi import APIRouter, Request, Response

from corpus.records import UNDER_NDA, Record, Technology
from matcher import explain, facets
from matcher.answers import InDoubt
from service.api import Current
from service.api_desk import Reading
from service.contract import ApiError
from service.desk_merging import led_to
from service.listing import by_label
from service.pages import asked, history
from service.pages.catalogue import Listed, Reader
from service.pages.facts import Fact, age, badges, price, reason
from service.pages.product import Key
from service.pages.render import go, render
from service.pages.render import key as address_of
from service.roles import LISTS, NDA, may

router = APIRouter()
PAGE = 30
TAKERS, LIKE, OWN = 20, 6, 10  # how many of each are shown
LANGUAGES = {"vi": "tiếng Việt", "en": "tiếng Anh"}
LONG = ("detail", "effect", "conditions")  # told as text, not in the table
HIDDEN = {
    *Record.model_fields,
    *LONG,
    "id",
    "name",
    "summary",
    "restricted",
    "cost_from",
    "cost_to",
}


@router.get("/cong-nghe")
def technologies(request: Request, _: Reader, opened: Current, listed: Listed) -> Response:
    """Duyệt các công nghệ theo tên, thu hẹp theo loại, lĩnh vực, khâu, nơi, giá."""
    matcher, wanted = opened.matcher, asked.read(request)
    rows = listed.in_order[np.asarray(matcher.admitted(wanted.only))[listed.in_order]]
    doubtful = int(matcher.undecided(wanted.only).sum())
    first = (wanted.page - 1) * PAGE
    keys = (matcher.engine.index.ids[row] for row in rows[first : first + PAGE].tolist())
    path = request.url.path
    return render(
        request,
        "technologies.html",
        here="technologies",
        total=len(rows),
        undecided=InDoubt(matcher.places_asked(wanted.only), (), doubtful),
        shown=[
            (
                each,
                badges(each, matcher.as_of, matcher.priorities_of(each)),
                age(each, matcher.as_of),
            )
            for each in (matcher.technologies[key] for key in keys)
        ],
        asked=wanted,
        narrowings=asked.narrowings(path, wanted, facets.facets(matcher, None, wanted.only)),
        before=asked.link(path, wanted.kept(), page=wanted.page - 1) if wanted.page > 1 else "",
        after=asked.link(path, wanted.kept(), page=wanted.page + 1)
        if len(rows) > first + PAGE and wanted.page < asked.PAGES
        else "",
    )


@router.get("/cong-nghe/{id:path}")
def technology(
    request: Request, person: Reader, desk: Reading, opened: Current, listed: Listed, key: Key
) -> Response:
    """Đọc một công nghệ: ai cần, cái gì giống, đơn vị còn có gì."""
    matcher = opened.matcher
    known = matcher.technologies.get(key)
    if known is None and (kept := led_to(request.app.state.shelf.store(), "technology", key)):
        return go(request, f"/cong-nghe/{address_of(kept)}", f"{key} đã gộp vào bản ghi này.")
    if known is None:
        raise ApiError(404, "unknown_id", f"không có công nghệ mã {key!r}")
    takers = listed.takers(known, TAKERS, wait=bool(request.query_params.get("ai-can")))
    others = [each for each in listed.owners.get(known.owner or "", ()) if each != key]
    return render(
        request,
        "technology.html",
        here="technologies",
        technology=known,
        badges=badges(known, matcher.as_of, matcher.priorities_of(known)),
        priority=matcher.priority if matcher.priorities_of(known) else None,
        facts=tuple(told(known)),
        texts=tuple(_texts(known)),
        looked=takers is not None,
        open_needs=len(matcher.open_needs),
        takers=[(each, reason(each.match.explanation.sentence)) for each in by_label(takers or ())],
        similar=listed.similar(known, LIKE),
        history=history.told(desk.history(Technology, key), may(person, NDA)),
        others=[matcher.technologies[each] for each in others[:OWN]],
        others_more=max(0, len(others) - OWN),
        may_list=may(person, LISTS),
    )


def told(technology: Technology) -> Iterator[Fact]:
    """Yield every fact of a record; a missing one is "chưa rõ", a hidden one "theo NDA"."""
    yield price(technology)
    for name, described in Technology.model_fields.items():
        if name in HIDDEN:
            continue
        yield _fact(technology, name, str(described.title))
    for heading, text in technology.extra.items():
        yield Fact(heading, str(text))
    if technology.source:
        yield Fact("Nguồn", technology.source)


def _fact(technology: Technology, name: str, title: str) -> Fact:
    value = getattr(technology, name)
    if value in (None, "", ()):
        hidden = name in technology.restricted
        return Fact(title, UNDER_NDA if hidden else explain.UNKNOWN, False)
    if isinstance(value, tuple):
        return Fact(title, "; ".join(value))
    if name == "language":
        return Fact(title, LANGUAGES.get(value, value))
    return Fact(title, f"{value:%d/%m/%Y}" if hasattr(value, "strftime") else str(value))


def _texts(technology: Technology) -> Iterator[tuple[str, Fact]]:
    for name in LONG:
        found = _fact(technology, name, str(Technology.model_fields[name].title))
        if found.known or name in technology.restricted:
            yield name, found
