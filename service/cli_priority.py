"""The priority technology list from the terminal: drafted, edited as JSON, issued, compared."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from corpus.priority import PriorityList, Standing, differences, in_force
from corpus.store import Store
from service.console import emit, fail, out
from service.settings import DATA, AsOf, Data, Exit, Json, today
from service.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Danh mục công nghệ ưu tiên hỗ trợ.")
Key = Annotated[str, typer.Argument(help="Mã phiên bản.")]


def _one(store: Store, key: str) -> PriorityList:
    found = store.get(PriorityList, key)
    if found is None:
        fail(f"không có phiên bản danh mục nào mã {key!r}", Exit.USAGE)
    return found


def _save(store: Store, version: PriorityList) -> None:
    known = store.get(PriorityList, version.id)
    if known is not None and not known.may_become(version):
        fail(f"{version.id} đã ban hành nên không sửa: lập phiên bản mới", Exit.USAGE)
    if version.before is not None:
        _one(store, version.before)
    store.save([version])


@app.command("list")
def list_versions(data: Data = None, as_of: AsOf = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """Liệt kê các phiên bản và phiên bản đang có hiệu lực."""
    with Store.open(data or DATA()) as store:
        versions = sorted(store.all(PriorityList), key=lambda each: (each.date, each.id))
    used = in_force(versions, today(as_of))
    if as_json:
        told = [each.to_json() for each in versions]
        emit({"in_force": used.id if used else None, "versions": told})
        return
    for each in versions:
        mark = " (đang hiệu lực)" if used is not None and each.id == used.id else ""
        out.print(f"{each.id}  {each.date:%d/%m/%Y}  {each.standing}{mark}: {each.name}")
    if not versions:
        out.print("Chưa có phiên bản nào.")


@app.command()
def draft(
    key: Key,
    folder: Annotated[Path, typer.Option("--run", metavar="THƯ MỤC", help="Đợt chạy đã xong.")],
    name: Annotated[str, typer.Option(help="Tên danh mục.")] = "Danh mục công nghệ ưu tiên hỗ trợ",
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Dự thảo một phiên bản từ mức đáp ứng của một đợt chạy."""
    from matcher import coverage, priorities  # noqa: PLC0415
    from matcher.yearly import Run  # noqa: PLC0415
    from service import yearly  # noqa: PLC0415

    space, day = Workspace(data or DATA()), today(as_of)
    run = Run.open(folder, yearly.grades(space))
    with Store.open(space.folder) as store:
        before = in_force(store.all(PriorityList), day)
        found = coverage.coverage(run, space.places())
        version = priorities.draft(found, key, name, day, before)
        _save(store, version)
    _tell(version, as_json)


@app.command()
def save(
    file: Annotated[Path, typer.Argument(help="Tệp JSON của một phiên bản, như `show --json` in.")],
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Ghi một phiên bản đã sửa; phiên bản đã ban hành không sửa được."""
    try:
        version = PriorityList.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        fail(f"{file}: {place}: {first['msg'].removeprefix('Value error, ')}", Exit.BAD_INPUT)
    with Store.open(data or DATA()) as store:
        _save(store, version)
    _tell(version, as_json)


@app.command("show")
def show_version(key: Key, data: Data = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """In một phiên bản."""
    with Store.open(data or DATA()) as store:
        found = _one(store, key)
    _tell(found, as_json)


@app.command()
def issue(
    key: Key,
    decision: Annotated[str, typer.Option(help="Số quyết định.")],
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Ban hành một dự thảo; từ đó nó không đổi nữa."""
    with Store.open(data or DATA()) as store:
        found = _one(store, key)
        day: dt.date = today(as_of)
        facts = {"standing": Standing.ISSUED, "decision": decision, "date": day}
        version = PriorityList.model_validate({**found.model_dump(), **facts})
        _save(store, version)
    _tell(version, as_json)


@app.command()
def diff(before: Key, after: Key, data: Data = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """Cho biết hai phiên bản khác nhau thế nào."""
    with Store.open(data or DATA()) as store:
        found = differences(_one(store, before), _one(store, after))
    if as_json:
        emit([{"group": each.key, "told": each.told} for each in found])
        return
    for each in found:
        out.print(f"{each.key} {each.told}", soft_wrap=True)
    if not found:
        out.print("Không khác.")


def _tell(version: PriorityList, as_json: bool) -> None:
    if as_json:
        emit(version.to_json())
        return
    out.print(f"{version.id}: {version.name} ({version.standing}, {version.date:%d/%m/%Y})")
    for each in version.groups:
        because = f" – {each.because}" if each.because else ""
        out.print(f" {each.key} {each.name}: {', '.join(each.products)}{because}", soft_wrap=True)
