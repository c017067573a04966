"""What the address of a search asks for: the address bar is the whole state, so it can be sent.

A parameter that cannot be read is left out and named, rather than refused: the address may have
been cut by a mail program or typed by hand. Links to other states are made from the address too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.datastructures import QueryParams

from matcher import fit
from matcher.facets import Bucket, Facet
from matcher.need import Conditions

LONGEST = 20_000  # characters of a question; the engine reads fewer
MOST = 20  # values of one kind, so that an address cannot ask for endless work
PAGES = 50  # pages of results; who looks further should narrow the search
MANY = ("kind", "field", "stage", "node", "place", "product", "priority")
Pairs = tuple[tuple[str, str], ...]


def _between(least: float, most: float, kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = kind(text.strip().replace(",", ".") if kind is float else text.strip())
        if not least <= value <= most:
            raise ValueError(text)
        return value

    return read


NUMBERS: dict[str, Callable[[str], Any]] = {
    "trl_min": _between(1, 9, int),
    "trl_max": _between(1, 9, int),
    "price_above": _between(0, 1e9, float),
    "price_max": _between(0, 1e9, float),
    "year_from": _between(1900, 2100, int),
    "year_to": _between(1900, 2100, int),
    "budget": _between(0, 1e9, float),
    "trl": _between(1, 9, int),
    "page": _between(1, PAGES, int),
}
NAMES = {
    "budget": "kinh phí tối đa",
    "trl": "mức sẵn sàng tối thiểu",
    "page": "số trang",
    "price_max": "chi phí",
    "price_above": "chi phí",
    "trl_min": "TRL",
    "trl_max": "TRL",
    "year_from": "năm",
    "year_to": "năm",
}


@dataclass(frozen=True)
class Asked:
    """One search: the text, what to see only, what the need demands, the page.

    ``unread`` are the parameters that were left out, as people call them.
    """

    q: str
    only: fit.Filter
    conditions: Conditions
    page: int
    pairs: Pairs
    unread: tuple[str, ...] = ()

    @property
    def narrowed(self) -> bool:
        """Whether anything found is left out."""
        return self.only != fit.Filter()

    def kept(self, *names: str) -> Pairs:
        """Return the address's pairs without those called ``names`` and without the page."""
        return tuple(pair for pair in self.pairs if pair[0] not in {*names, "page"})


def read(request: Request) -> Asked:
    """Read a search from an address."""
    given = request.query_params
    unread: list[str] = []
    numbers = dict(_numbers(given, unread))
    many: dict[str, Any] = {name: _values(given, name) or None for name in MANY}
    conditions = Conditions(numbers.pop("budget", None), numbers.pop("trl", None), _at(given))
    page = numbers.pop("page", 1)
    only = fit.Filter(
        **many,
        **numbers,
        valid=bool(given.get("valid")),
    )
    pairs = tuple((name, text) for name, text in given.multi_items() if text.strip())
    q = " ".join(given.get("q", "").split())[:LONGEST]
    return Asked(q, only, conditions, page, pairs, tuple(dict.fromkeys(unread)))


def _numbers(given: QueryParams, unread: list[str]) -> Iterable[tuple[str, Any]]:
    for name, reading in NUMBERS.items():
        text = given.get(name, "")
        if not text.strip():
            continue
        try:
            yield name, reading(text)
        except (ValueError, OverflowError):
            unread.append(NAMES[name])


def _values(given: QueryParams, name: str) -> tuple[str, ...]:
    values = (each.strip() for each in given.getlist(name))
    return tuple(dict.fromkeys(each for each in values if each))[:MOST]


def _at(given: QueryParams) -> str | None:
    return given.get("at", "").strip() or None


def link(path: str, pairs: Iterable[tuple[str, str]], **more: object) -> str:
    """Return an address of ``pairs`` and ``more``."""
    query = urlencode([*pairs, *((name, value) for name, value in more.items())])
    return f"{path}?{query}" if query else path


@dataclass(frozen=True)
class Choice:
    """One value of a facet as a link: what it is called, how many it has, where it leads."""

    name: str
    count: int
    chosen: bool
    address: str
    parts: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Narrowing:
    """One kind of fact to narrow a search by."""

    name: str
    title: str
    choices: tuple[Choice, ...]
    unknown: int
    more: int


def narrowings(path: str, asked: Asked, found: Iterable[Facet]) -> tuple[Narrowing, ...]:
    """Return the facets as links that add a value, or take it away where it is chosen."""
    return tuple(
        Narrowing(
            each.name,
            each.title,
            tuple(_choice(path, asked, each.name, bucket) for bucket in each.buckets),
            each.unknown,
            max(0, each.distinct - len(each.buckets)),
        )
        for each in found
        if each.buckets
    )


def _choice(path: str, asked: Asked, dimension: str, bucket: Bucket) -> Choice:
    parts = tuple(_choice(path, asked, dimension, each) for each in bucket.parts)
    wanted = _pairs(bucket.choose)
    names = fit.DIMENSIONS[dimension]
    if names[0] in MANY:  # one more value, or one less
        kept = asked.kept()
        pairs = [pair for pair in kept if pair not in wanted]
    else:  # one stretch in place of another
        pairs = list(asked.kept(*names))
    if not bucket.chosen:
        pairs += wanted
    return Choice(bucket.value, bucket.count, bucket.chosen, link(path, pairs), parts)


def _pairs(choose: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, _text(value)) for name, value in choose.items()]


def _text(value: object) -> str:
    if value is True:
        return "1"
    return f"{value:g}" if isinstance(value, float) else str(value)
