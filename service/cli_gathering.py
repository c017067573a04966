"""The commands for gathering needs: blank forms, and rounds of who was asked and who answered."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from corpus.gathering import AskedKind, Round, Standing, answers
from corpus.records import Need
from corpus.store import Store
from service import asked_lists
from service.asked_lists import AskedListError
from service.console import emit, fail, out
from service.contract import ApiError
from service.desk_base import made, told
from service.exports import write_whole
from service.need_forms import Blank, blank
from service.settings import DATA, AsOf, Data, Exit, Json, today

app = typer.Typer(no_args_is_help=True, help="Đợt thu thập nhu cầu: hỏi ai, ai đã trả lời.")
Key = Annotated[str, typer.Argument(metavar="MÃ ĐỢT", help="Mã của đợt thu thập.")]


def form(
    file: Annotated[Path, typer.Option("--out", metavar="TỆP", help="Tệp .xlsx hoặc .docx.")],
    kind: Annotated[
        str | None, typer.Option("--for", metavar="sở|xã|doanh nghiệp", help="Phiếu dành cho ai.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--round", metavar="MÃ", help="Đợt thu thập của phiếu.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--body", metavar="TÊN", help="Đơn vị được hỏi trong đợt.")
    ] = None,
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Ghi phiếu trống để thu thập nhu cầu; điền xong thì nạp lại bằng `cungcau load`."""
    from service.need_form_files import SUFFIXES, make  # noqa: PLC0415 - it takes docx along

    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise typer.BadParameter(f"--out phải là tệp {' hoặc '.join(SUFFIXES)}")
    with Store.open(data or DATA()) as store:
        what = _blank(store, kind, key, name)
    write_whole(file, make(what, suffix))
    if as_json:
        body = what.body.name if what.body else None
        emit({"file": str(file), "for": what.kind, "round": key, "body": body})
        return
    out.print(f"Phiếu trống: {file}. Điền xong thì chạy `cungcau load {file}`.", soft_wrap=True)


def _blank(store: Store, told_kind: str | None, key: str | None, name: str | None) -> Blank:
    kind = asked_lists.kind_of(told_kind) if told_kind else None
    if told_kind and kind is None:
        raise typer.BadParameter(f"--for phải là một trong: {asked_lists.KINDS}")
    if name and not key:
        raise typer.BadParameter("--body cần --round: đơn vị được hỏi trong đợt nào")
    of = _one(store, key) if key else None
    body = of.named(name) if of and name else None
    if of and name and body is None:
        asked = "; ".join(each.name for each in of.asked) or "(chưa hỏi ai)"
        fail(f"đợt {of.id} không hỏi {name!r}; đã hỏi: {asked}", Exit.USAGE)
    return blank(store, kind or (body.kind if body else AskedKind.DEPARTMENT), of, body)


def _one(store: Store, key: str) -> Round:
    found = store.get(Round, key)
    if found is None:
        known = ", ".join(each.id for each in store.all(Round)) or "chưa có đợt nào"
        fail(f"không có đợt thu thập mã {key!r} (đang có: {known})", Exit.USAGE)
    return found


@app.command()
def add(
    key: Key,
    name: Annotated[str, typer.Option(help="Tên đợt.")],
    deadline: Annotated[
        dt.datetime, typer.Option(formats=["%Y-%m-%d"], metavar="NGÀY", help="Hạn trả lời.")
    ],
    file: Annotated[
        Path, typer.Option("--asked", metavar="TỆP", help="CSV, XLSX: Đơn vị, Loại, Liên hệ.")
    ],
    year: Annotated[int | None, typer.Option(help="Năm kế hoạch (mặc định: sau năm hạn).")] = None,
    province: Annotated[str | None, typer.Option(help="Tỉnh, thành phố.")] = None,
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Mở một đợt thu thập và ghi các đơn vị được hỏi."""
    day = deadline.date()
    try:
        bodies = asked_lists.loaded(file)
        asked = [{"number": n, **each._asdict()} for n, each in enumerate(bodies, start=1)]
        facts = {"name": name, "year": year or day.year + 1, "province": province, "deadline": day}
        opened = made(Round, {"id": key, **facts, "asked": asked})
        with Store.create(data or DATA()) as store:
            if store.get(Round, key) is not None:
                fail(f"đã có đợt thu thập mã {key!r}", Exit.USAGE)
            with told():
                store.edit(opened, actor=None, at=None, expected=None)
    except (AskedListError, ApiError) as error:
        fail(str(error), Exit.BAD_INPUT)
    if as_json:
        emit(opened.to_json())
        return
    out.print(f"{opened.id}: đã hỏi {len(opened.asked)} đơn vị, hạn {day:%d/%m/%Y}.")


@app.command("list")
def list_rounds(data: Data = None, as_of: AsOf = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """Liệt kê các đợt: hỏi bao nhiêu, bao nhiêu đã trả lời, bao nhiêu quá hạn."""
    with Store.open(data or DATA()) as store:
        found = store.all(Round)
    if as_json:
        emit([each.to_json() for each in found])
        return
    for each in found:
        late = sum(b.standing(each.deadline, today(as_of)) is Standing.LATE for b in each.asked)
        answered = len(each.asked) - len(each.silent)
        out.print(
            f"{each.id}  {each.name}: {answered}/{len(each.asked)} đã trả lời, {late} quá hạn "
            f"(hạn {each.deadline:%d/%m/%Y})",
            soft_wrap=True,
        )
    if not found:
        out.print("Chưa có đợt thu thập nào.")


@app.command("show")
def show_round(key: Key, data: Data = None, as_of: AsOf = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """In từng đơn vị của một đợt: đã trả lời hay chưa, bao nhiêu nhu cầu."""
    with Store.open(data or DATA()) as store:
        of = _one(store, key)
        codes = answers(store.hashes(Need.kind_name), of.id)
    lines = [
        {
            **each.model_dump(mode="json"),
            "standing": each.standing(of.deadline, today(as_of)),
            "needs": len(codes.get(each.number, ())),
        }
        for each in of.asked
    ]
    if as_json:
        emit({**of.to_json(), "asked": lines})
        return
    out.print(f"{of.id}: {of.name}, hạn {of.deadline:%d/%m/%Y}", soft_wrap=True)
    for line in lines:
        count = f", {line['needs']} nhu cầu" if line["answered"] else ""
        note = f" ({line['note']})" if line["note"] else ""
        out.print(
            f" {line['number']:>3}  {line['name']} [{line['kind']}]: {line['standing']}"
            f"{count}{note}",
            soft_wrap=True,
        )


def register(program: typer.Typer) -> None:
    """Add the commands to the program."""
    program.command()(form)
    program.add_typer(app, name="round")
