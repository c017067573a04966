"""What the routes share that change something: the desk, ETags, requests sent twice.

Every body that may be changed carries its ETag. A change names the one that its sender saw
(``If-Match``): without it the answer is 428, with an old one 412. A create may carry an
``Idempotency-Key``: sent again it is answered as the first time, and nothing is made twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse, Response

from corpus.records import Record
from service.access import needs
from service.contract import NO_TAG, ApiError
from service.desk import Desk
from service.desk_base import told
from service.imports import Imports
from service.person import Person
from service.roles import IMPORT, LISTS, READ, WRITE_NEEDS
from service.shelf import store_of


def _desk(request: Request, person: Person) -> Desk:
    return Desk(store_of(request), person)


def reading(request: Request, person: Annotated[Person, needs(READ)]) -> Desk:
    """Give the desk of whoever may read."""
    return _desk(request, person)


def listing(request: Request, person: Annotated[Person, needs(LISTS)]) -> Desk:
    """Give the desk of whoever keeps lists."""
    return _desk(request, person)


def stating(request: Request, person: Annotated[Person, needs(WRITE_NEEDS)]) -> Desk:
    """Give the desk of whoever writes needs."""
    return _desk(request, person)


def bringing(request: Request, person: Annotated[Person, needs(IMPORT)]) -> Imports:
    """Give the imports of whoever loads files."""
    register = request.app.state.register
    return Imports(request.app.state.space, store_of(request), register.ledger, person)


Reading = Annotated[Desk, Depends(reading)]
Listing = Annotated[Desk, Depends(listing)]
Stating = Annotated[Desk, Depends(stating)]
Bringing = Annotated[Imports, Depends(bringing)]


def expected(
    if_match: Annotated[
        str,
        Header(
            alias="If-Match",
            max_length=200,
            description="ETag của bản đang sửa, như lần đọc cuối trả về; đã cũ: 412.",
            examples=['"5f7bc0b6e1f1a3d24f0f1f9f0a0c2b7e6d8c9a1b3e5f7a9c0d2e4f6a8b0c1d3e"'],
        ),
    ],
) -> str:
    """Return the content hash that the sender saw; :mod:`service.failures` says 428 without one.

    Raises:
        ApiError: 428, what was sent names no state.
    """
    tag = if_match.strip().removeprefix("W/").strip('"')
    if not tag or tag == "*":
        raise ApiError(*NO_TAG)
    return tag


Expected = Annotated[str, Depends(expected)]
Once = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Khóa do nơi gửi đặt: gửi lại cùng khóa, cùng nội dung thì không tạo lần nữa.",
        examples=["7c0e-1"],
    ),
]


def versions(request: Request) -> dict[str, str | None]:
    """Return what index and model are being searched, unknown where none is: work goes on."""
    try:
        with request.app.state.live.lease() as opened:
            return {"index_version": opened.version, "model_version": opened.matcher.model}
    except ApiError:
        return {"index_version": None, "model_version": None}


def body(record: Record, **more: Any) -> dict[str, Any]:
    """Return the stated facts of a record with its type."""
    return {"type": record.kind_name, **record.to_json(), **more}


def tag(record: Record) -> str:
    """Return the ETag of a record."""
    return f'"{record.content_hash()}"'


def tagged(record: Record, **more: Any) -> JSONResponse:
    """Answer with a record and its ETag."""
    return JSONResponse(body(record, **more), headers={"ETag": tag(record)})


def created(
    request: Request, desk: Desk, key: str | None, asked: Any, create: Callable[[], Response]
) -> Response:
    """Answer a create: once for a key, whatever how often it is sent.

    Raises:
        ApiError: 422, the key was used for something else.
    """
    if key is None:
        return create()
    sent = [request.method, request.url.path, asked]
    digest = hashlib.sha256(json.dumps(sent, sort_keys=True, default=str).encode()).hexdigest()

    def answer() -> tuple[int, str]:
        made = create()
        headers = {name: made.headers[name] for name in ("etag", "location")}
        return made.status_code, json.dumps({"headers": headers, "body": _text(made)})

    with told():
        found = desk.store.once(key, desk.person.login, digest, desk.clock(), answer)
    kept = json.loads(found.body)
    return Response(kept["body"], found.status, kept["headers"], "application/json")


def _text(made: Response) -> str:
    return bytes(made.body).decode()


def new(record: Record, where: str, **more: Any) -> JSONResponse:
    """Answer with a record that was just made, and where it is."""
    return JSONResponse(
        body(record, **more), 201, headers={"ETag": tag(record), "Location": f"/api/v1/{where}"}
    )
