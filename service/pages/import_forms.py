"""What the pages of imports share: an upload of this person, its tables, its plan, its progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.datastructures import FormData

from corpus.store import Store
from corpus.tables import Table
from service import indexing
from service.access import IMPORT, needs
from service.contract import ApiError
from service.filled_forms import Forms, is_form
from service.importing import Progress
from service.mapping import Plan
from service.person import Person
from service.uploads import Upload, UploadError, Uploads
from service.workspace import Workspace

HOME: Final = "/nhap-du-lieu"
TABLES, COLUMNS = 20, 400  # of a file that can be mapped
Importer = Annotated[Person, needs(IMPORT)]


async def form_of(request: Request) -> FormData:
    """Read the form that was sent, for routes that work in a thread."""
    return await request.form()


Form = Annotated[FormData, Depends(form_of)]


def space_of(request: Request) -> Workspace:
    """Return the work folder of the service."""
    space: Workspace = request.app.state.space
    return space


def uploads_of(request: Request) -> Uploads:
    """Return where uploads of the service are kept."""
    return Uploads(space_of(request).folder)


def found(request: Request, person: Person, token: str) -> Upload:
    """Return an upload of this person.

    Raises:
        ApiError: 404, there is none: it was never there, is somebody else's, or has expired.
    """
    kept = uploads_of(request).find(person.login, token)
    if kept is None:
        raise ApiError(404, "unknown_upload", "không có tệp này, hoặc đã quá một ngày: tải lên lại")
    return kept


def tables_of(kept: Upload, space: Workspace) -> list[Table]:
    """Return the tables of an upload; of a filled form its filled rows, with whose they are.

    Raises:
        UploadError: it cannot be read, or holds more than people can map.
    """
    tables = kept.tables()
    if any(map(is_form, tables)):
        with Store.open(space.folder) as store:
            tables = Forms.of(store).opened(tables)
    if len(tables) > TABLES:
        raise UploadError(f"{kept.name}: tệp có {len(tables)} trang tính, nhiều hơn {TABLES}")
    wide = sum(len(table.headings) for table in tables)
    if wide > COLUMNS:
        raise UploadError(f"{kept.name}: các bảng có {wide} cột, nhiều hơn {COLUMNS}")
    return tables


def tables_again(kept: Upload, space: Workspace) -> list[Table]:
    """Return the tables of an upload that could be read before.

    Raises:
        ApiError: 422, it cannot be read any more.
    """
    try:
        return tables_of(kept, space)
    except UploadError as error:
        raise ApiError(422, "unreadable", str(error)) from error


def keep_plans(kept: Upload, plans: Sequence[Plan]) -> None:
    """Note beside an upload what its columns carry."""
    kept.note("plan", [asdict(each) for each in plans])


def plans_of(kept: Upload) -> list[Plan]:
    """Return what was noted of each table."""
    facts: list[dict[str, Any]] = kept.noted("plan") or []
    return [
        Plan(
            each["kind"],
            {int(column): name for column, name in each["fields"].items()},
            each["constants"],
            each["make_ids"],
        )
        for each in facts
    ]


def progress_of(kept: Upload) -> Progress | None:
    """Return how far the load of an upload has come, if it has begun."""
    facts = kept.noted("progress")
    return Progress(**facts) if facts else None


def stopped(progress: Progress) -> bool:
    """Whether it was loading when its process ended."""
    gone = progress.state == "loading" and not indexing.alive(progress.process)
    return gone or progress.stopped()
