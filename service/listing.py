"""Drawing up a list: from what the matcher finds to the lines of a match list, and to its papers.

Labels and reasons of lines are always those that the public may read, whoever draws the list up:
a list is shared and handed over, and a reason may quote the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from corpus.records import Need, Product, Record, Technology
from corpus.workflow import MAX_ITEMS, Listed, MatchList
from matcher import explain
from matcher.answers import Answer, Match, ProductList, Taker
from matcher.match import Matcher
from matcher.need import Query
from service.desk import Desk
from service.handover import Handover, assemble
from service.roles import NDA, may

R = TypeVar("R", bound=Record)
TAKERS = 50  # lines of a new list of takers, at most


def for_product(found: ProductList) -> tuple[Listed, ...]:
    """Return lines that together serve the needs of a product, one for each need they serve."""
    pairs = [
        (choice.match.technology.id, need) for choice in found.choices for need in choice.needs
    ]
    lines = []
    for technology, need in pairs:
        places = found.answers[need.id].matches
        rank = next(n for n, each in enumerate(places, 1) if each.technology.id == technology)
        lines.append(line(places[rank - 1], need, rank))
    return tuple(lines[:MAX_ITEMS])


def for_need(found: Answer, need: Need) -> tuple[Listed, ...]:
    """Return lines for what answers ``need``; mere references are left out."""
    ranked = enumerate(found.matches, 1)
    return tuple(line(each, need, n) for n, each in ranked if each.label != explain.REFERENCE)


def for_offer(takers: Sequence[Taker]) -> tuple[Listed, ...]:
    """Return lines for the needs that an offer may serve; mere references are left out."""
    fit = by_label(takers)[:TAKERS]
    return tuple(line(each.match, each.need, n) for n, each in enumerate(fit, 1))


def by_label(takers: Sequence[Taker]) -> list[Taker]:
    """Return those that fit before those to be adapted; mere references are left out."""
    order = (explain.SUITS, explain.ADAPT)
    fit = [each for each in takers if each.match.label in order]
    return sorted(fit, key=lambda each: order.index(each.match.label))  # within a label by score


def chosen(
    matcher: Matcher | None, technologies: Iterable[Technology], need: Need | None, text: str
) -> tuple[Listed, ...]:
    """Return lines for technologies that somebody picked, explained for ``need`` or ``text``.

    Without a matcher (no index) or a question they stand without a label.
    """
    query = _query(matcher, need, text)
    lines = []
    for each in technologies:
        match = matcher.one(query, each.public()) if matcher and query else None
        bare = Listed.model_validate({"technology": each.id, "need": need.id if need else None})
        lines.append(line(match, need, None) if match else bare)
    return tuple(lines)


def named(matcher: Matcher | None, need: Need | None, text: str) -> str:
    """Return what to call what was found for ``text`` or ``need``; "" for neither.

    Words typed without accents are read as they were searched: a list is handed over.
    """
    if need is not None and not text.strip():
        return need.topic or need.text
    query = matcher.text(text) if matcher and text.strip() else None
    if query is None or query.restored is None:
        return " ".join(text.split())
    return query.restored.text[:1].upper() + query.restored.text[1:]


def _query(matcher: Matcher | None, need: Need | None, text: str) -> Query | None:
    if matcher is None:
        return None
    if need is not None:
        return matcher.stated(need)
    return matcher.text(text) if text.strip() else None


def line(match: Match, need: Need | None, found: int | None) -> Listed:
    """Return one line; what breaks a hard rule of the need is told after the reason."""
    told = match.explanation
    broken = "; ".join(each.reason for each in told.breaches)
    return Listed(
        technology=match.technology.id,
        need=need.id if need else None,
        label=told.label,
        reason=f"{told.sentence} Lưu ý: {broken}." if broken else told.sentence,
        found_rank=found,
    )


def papers(desk: Desk, found: MatchList) -> Handover:
    """Return a list with its records and contact log, as the person at the desk may see them."""
    store = desk.store
    needs = {each.need or found.need for each in found.items} | {found.need}
    technologies = {each.technology for each in found.items} | {found.technology}
    known_needs = _by_key(store.get(Need, each) for each in sorted(filter(None, needs)))
    products = {each.product for each in known_needs.values()} | {found.product}
    return assemble(
        found,
        _by_key(store.get(Technology, each) for each in sorted(filter(None, technologies))),
        known_needs,
        _by_key(store.get(Product, each) for each in sorted(filter(None, products))),
        desk.contact_log(found.id),
        may(desk.person, NDA),
    )


def _by_key(records: Iterable[R | None]) -> dict[str, R]:
    return {each.key: each for each in records if each is not None}
