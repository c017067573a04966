"""The whole at a glance: needs and whether they are answered, supply by the same, what expires.

Answering every need takes a while, so it is done once for each state of index, model and day, in
the background, and the page says how far it is. Everything else comes from columns.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from fastapi import APIRouter, Request, Response

from corpus.records import STAGES, Need, Technology
from matcher import explain, facets
from matcher.match import Matcher
from service.api import Current
from service.pages.catalogue import Catalogue, Listed, Reader, sound
from service.pages.product import NONE, STRONG, WEAK, coverage
from service.pages.render import render

router = APIRouter()
log = logging.getLogger(__name__)
SOON = 183  # days: six months
SHOWN = 12  # lines of a plot; the rest is summed up
EXPIRING = 30
WAIT = 0.4  # seconds that a reader waits for a short count before being told to look again
HEAT = 15  # products in the heat map: those with most needs


@dataclass(frozen=True)
class Line:
    """One line of a plot: how many needs are answered well, weakly, not at all."""

    name: str
    strong: int
    weak: int
    none: int

    @property
    def total(self) -> int:
        """How many there are."""
        return self.strong + self.weak + self.none


@dataclass
class Work:
    """How far the needs of one matcher have been answered."""

    total: int
    covered: dict[str, str] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    trouble: bool = False
    words_only: bool = False  # the encoder failed for some of them


@router.get("/tong-quan")
def overview(request: Request, _: Reader, opened: Current, listed: Listed) -> Response:
    """Cho biết nhu cầu nào đã có lời đáp, nguồn cung ra sao, gì sắp hết hiệu lực."""
    matcher = opened.matcher
    work = listed.once("overview", "", lambda: begin(listed), *listed.state)
    work.done.wait(WAIT)
    done = work.done.is_set() and not work.trouble
    if work.trouble or work.words_only:
        listed.forget("overview", "")  # who looks again has it tried again
    supply = {each.name: each for each in facets.facets(matcher, None)}
    needs = list(matcher.open_needs) if done else []
    ending = expiring(matcher)
    return render(
        request,
        "overview.html",
        here="overview",
        work=work,
        answered=len(work.covered),
        done=done,
        sums=_line("", work.covered.values()),
        groups=[
            (title, name, lines(needs, work.covered, by))
            for title, name, by in (
                ("nhóm ngành", "field", lambda need: _sector(matcher, need)),
                ("khâu", "stage", lambda need: need.stage),
                ("tỉnh, thành phố", "province", lambda need: need.province),
            )
        ],
        supply=[
            (each.title, name, each.buckets[:SHOWN], each.unknown)
            for name in ("field", "stage", "place")
            if (each := supply.get(name)) is not None and each.buckets
        ],
        heat=heat(matcher, needs, work.covered),
        expiring=ending[:EXPIRING],
        expiring_total=len(ending),
        as_of=matcher.as_of,
        records=len(matcher.technologies),
    )


def begin(listed: Catalogue) -> Work:
    """Start answering every need; the work ends early when its matcher is replaced."""
    keys = sorted(each.id for each in listed.matcher.open_needs)
    work = Work(len(keys))
    threading.Thread(
        target=_answer, args=(listed, keys, work), name="overview", daemon=True
    ).start()
    return work


def _answer(listed: Catalogue, keys: Sequence[str], work: Work) -> None:
    try:
        for key in keys:
            matcher = listed.current()
            if matcher is None:
                break
            work.covered[key] = _cover(listed, matcher, matcher.needs[key], work)
            del matcher
    except Exception:
        log.exception("tổng quan")
        work.trouble = True
    finally:
        work.done.set()


def _cover(listed: Catalogue, matcher: Matcher, need: Need, work: Work) -> str:
    """How well one need is answered: worked out again only where the need was changed."""

    def cover() -> tuple[str, bool]:
        answer = matcher.answer(matcher.stated(need))
        return coverage(answer), sound(answer)

    of = listed.made_of(matcher, need)
    word, whole = listed.once(
        "covered", need.id, cover, *of, most=work.total, sound=lambda made: made[1]
    )
    work.words_only |= not whole
    return word


def lines(
    needs: Iterable[Need], covered: Mapping[str, str], by: Callable[[Need], str | None]
) -> list[Line]:
    """Return how the needs are answered by one fact of them, the most frequent values first."""
    groups: dict[str, list[str]] = {}
    for each in needs:
        groups.setdefault(by(each) or explain.UNKNOWN, []).append(covered.get(each.id, NONE))
    found = [_line(name, words) for name, words in groups.items()]
    return sorted(found, key=lambda each: (-each.total, each.name))


def _line(name: str, words: Iterable[str]) -> Line:
    counted = Counter(words)
    return Line(name, counted[STRONG], counted[WEAK], counted[NONE])


def _sector(matcher: Matcher, need: Need) -> str | None:
    product = matcher.products.get(need.product)
    return product.sector if product else None


@dataclass(frozen=True)
class Cell:
    """Needs of one product at one stage, and how many of them nothing answers."""

    total: int
    open: int
    shade: int


def heat(
    matcher: Matcher, needs: Sequence[Need], covered: Mapping[str, str]
) -> tuple[list[str], list[tuple[str, str, list[Cell]]]]:
    """Return the stages that occur, and for the products with most needs a cell for each."""
    stages = [each for each in STAGES if any(need.stage == each for need in needs)]
    most = Counter(each.product for each in needs).most_common()
    rows = []
    for key, _ in sorted(most, key=lambda each: (-each[1], each[0]))[:HEAT]:
        mine = [each for each in needs if each.product == key]
        product = matcher.products.get(key)
        cells = [_cell([each for each in mine if each.stage == one], covered) for one in stages]
        rows.append((key, product.name if product else key, cells))
    return stages, rows


def _cell(needs: Sequence[Need], covered: Mapping[str, str]) -> Cell:
    return Cell(
        len(needs),
        sum(covered.get(each.id) == NONE for each in needs),
        min(3, len(needs)),
    )


def expiring(matcher: Matcher) -> list[Technology]:
    """Return what is in force now and ends within six months, the soonest first."""
    ends = np.asarray(matcher.columns.ends)
    today = matcher.as_of.toordinal()
    rows = np.flatnonzero((ends >= today) & (ends <= today + SOON) & matcher.columns.known)
    order = sorted(rows.tolist(), key=lambda row: (int(ends[row]), row))
    return [matcher.technologies[matcher.engine.index.ids[row]] for row in order]
