"""What the routes of the API share: the matcher that they borrow, ids, one answer for one record.

A route borrows the matcher of the audience that the person who asks belongs to. Whoever may not
read what is under NDA is answered by a matcher that never saw it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import Depends, Path, Query, Request

from corpus.records import Product, Record, Technology
from indexes.snapshot import ALL, PUBLIC
from matcher import fit
from matcher.match import Matcher
from service import contract
from service.access import needs
from service.contract import ApiError
from service.desk_merging import led_to
from service.person import Person
from service.roles import NDA, READ, may
from service.shelf import store_of
from service.workspace import Opened

R = TypeVar("R", bound=Record)
TECHNOLOGIES = "/api/v1/technologies"
MERGED: dict[int | str, dict[str, Any]] = {  # not for ever: a merge can be undone
    307: {
        "model": contract.ErrorBody,
        "description": "Công nghệ đã gộp vào một công nghệ khác; `Location` dẫn tới đó.",
        "headers": {"Location": {"schema": {"type": "string"}, "description": "Địa chỉ bản gộp."}},
        "content": {
            "application/json": {
                "example": {"error": {"code": "merged", "message": "CN-193 đã gộp vào CN-026"}}
            }
        },
    }
}
TOTAL = "X-Total-Count"  # of a list that is returned in part
Reader = Annotated[Person, needs(READ)]


def audience(person: Person) -> str:
    """Return which matcher answers ``person``."""
    return ALL if may(person, NDA) else PUBLIC


def borrowed(request: Request, person: Reader) -> Iterator[Opened]:
    """Lend one matcher to a request, from its start to its end."""
    with request.app.state.live.lease(audience(person)) as opened:
        yield opened


def borrowed_by_anybody(request: Request) -> Iterator[Opened]:
    """Lend the public's matcher to a request that says nothing about records."""
    with request.app.state.live.lease() as opened:
        yield opened


Current = Annotated[Opened, Depends(borrowed)]
Public = Annotated[Opened, Depends(borrowed_by_anybody)]
Key = Annotated[
    str,
    Path(
        alias="id",
        max_length=2_000,
        pattern=contract.KEY_PATTERN,
        description="Mã bản ghi.",
        examples=["CN-001"],
    ),
]
Listing = Annotated[contract.Listing, Query()]
Plain = Annotated[contract.Nothing, Query()]


def known(kind: type[R], records: Mapping[str, R], key: str) -> R:
    """Return the record ``key``.

    Raises:
        ApiError: 404, there is none, or none that the person who asks may know of.
    """
    if key not in records:
        raise unknown(kind, key)
    return records[key]


def offered(request: Request, matcher: Matcher, key: str) -> Technology:
    """Return the technology ``key``.

    Raises:
        ApiError: 307, it was merged into another one, to which ``Location`` leads; 404, there is
            none, or none that the person who asks may know of.
    """
    found = matcher.technologies.get(key)
    if found is not None:
        return found
    kept = led_to(store_of(request), Technology.kind_name, key)
    if kept is None:
        raise unknown(Technology, key)
    rest = request.scope["path"].removeprefix(f"{TECHNOLOGIES}/{key}")  # the same of the other one
    query = f"?{request.url.query}" if request.url.query else ""
    where = f"{TECHNOLOGIES}/{quote(kept)}{rest}{query}"
    told = f"{key[:100]} đã gộp vào {kept}"
    raise ApiError(307, "merged", told, {"Location": where})


def unknown(kind: type[Record], key: str) -> ApiError:
    """What is said where there is no such record."""
    return ApiError(404, "unknown_id", f"không có {kind.label.lower()} mã {key[:100]!r}")


def product(matcher: Matcher, key: str) -> Product:
    """Return the product with that id or name."""
    return matcher.product(key) or known(Product, matcher.products, key)


def chosen(filters: contract.Filters) -> fit.Filter:
    """Return the filter that was asked for."""
    asked = {name: getattr(filters, name) for name in contract.Filters.model_fields}
    several = {
        name: tuple(dict.fromkeys(value)) or None
        for name, value in asked.items()
        if isinstance(value, list)
    }
    return fit.Filter(**{**asked, **several})
