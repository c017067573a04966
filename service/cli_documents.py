"""The commands for documents: mend the text of a file; accept or drop what documents suggest.

They stand on the same command as those of :mod:`service.cli`, which takes them in.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from corpus import repair as mending
from corpus.bytewise import decode
from corpus.choices import Judge
from corpus.store import Store
from indexes.encoders import EncoderError
from indexes.fits import Fits
from service import show
from service.console import emit, err, fail, out
from service.person import LOCAL, Person
from service.settings import DATA, Data, Exit, Json

app = typer.Typer()
MAX_BYTES: Final = 64 * 2**20


@app.command()
def repair(
    file: Annotated[Path, typer.Argument(metavar="TỆP", help="Tệp văn bản; - là đầu vào chuẩn.")],
    pages: Annotated[
        bool,
        typer.Option("--pages/--no-pages", help="Bỏ số trang, tiêu đề trang; nối dòng bị ngắt."),
    ] = True,
    encoder: Annotated[
        bool,
        typer.Option(
            "--encoder/--no-encoder", help="Điền chữ bị mất theo nghĩa cả câu, bằng bộ mã hóa E5."
        ),
    ] = True,
    as_json: Json = False,
) -> None:
    """Sửa văn bản tiếng Việt bị hỏng, in ra bản đã sửa; --json: từng chỗ sửa và lý do."""
    text, encoding = _read(file)
    mended = _mended(text, pages=pages, judge=Fits() if encoder else None)
    if as_json:
        answer = {"encoding": encoding, "text": mended.text, **mended.to_json()}
        _write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")
        return
    _write(mended.text)
    made = sum(change.applied for change in mended.changes)
    err.print(f"Đã sửa {made} chỗ, để lại {len(mended.changes) - made} chỗ chưa chắc (xem --json).")


@app.command()
def suggestions(
    accept: Annotated[
        list[str] | None, typer.Option("--accept", metavar="MÃ", help="Nhận đề xuất này.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", metavar="MÃ", help="Bỏ đề xuất này.")
    ] = None,
    product: Annotated[
        str, typer.Option("--product", metavar="MÃ", help="Sản phẩm của các nhu cầu được nhận.")
    ] = "",
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Xem, nhận hoặc bỏ các bản ghi mà văn bản đã nạp gợi ra; chưa nhận thì chưa vào dữ liệu."""
    from service import suggesting  # noqa: PLC0415 - the desk: no search waits for it
    from service.contract import ApiError  # noqa: PLC0415
    from service.desk import Desk, now  # noqa: PLC0415

    with Store.open(data or DATA()) as store:
        desk = Desk(store, Person(LOCAL, LOCAL, "officer"))
        try:
            with store.writing(LOCAL, now().isoformat(timespec="seconds")):  # all of it or nothing
                facts = {"product": product}
                entered = [suggesting.accept(desk, each, None, facts) for each in accept or ()]
                dropped = [suggesting.drop(desk, each, None) for each in drop or ()]
        except ApiError as error:
            fail(error.message, Exit.USAGE)
        waiting = suggesting.waiting(desk)
    if as_json:
        made = [{"kind": each.kind_name, **each.to_json()} for each in entered]
        gone, left = [each.id for each in dropped], [each.to_json() for each in waiting]
        emit({"accepted": made, "dropped": gone, "waiting": left})
        return
    for each in entered:
        out.print(f"Đã nhận: {each.label} {each.key}")
    for each in dropped:
        out.print(f"Đã bỏ: {each.id}")
    if not (accept or drop):
        show.suggestions(out, waiting)


def _mended(text: str, *, pages: bool, judge: Judge | None) -> mending.Mended:
    """Mend with the judge; where its encoder cannot run, say so and mend without."""
    try:
        return mending.mend(text, pages=pages, judge=judge)
    except EncoderError as error:
        err.print(
            f"Không dùng được bộ mã hóa ({error}): chữ bị mất chỉ được đoán theo các từ kề bên."
        )
        return mending.mend(text, pages=pages)


def _read(file: Path) -> tuple[str, str]:
    """Return the text and its encoding; a file that is no text ends the command."""
    data = sys.stdin.buffer.read(MAX_BYTES + 1) if str(file) == "-" else _bytes(file)
    if len(data) > MAX_BYTES:
        fail(f"{file}: văn bản quá lớn (giới hạn {MAX_BYTES // 2**20} MB)", Exit.BAD_INPUT)
    if data.startswith((b"%PDF", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf")):
        told = "đây không phải tệp văn bản; hãy lưu lại ở dạng .txt rồi sửa"
        fail(f"{file}: {told}", Exit.BAD_INPUT)
    text, encoding = decode(data)
    if "\x00" in text or (data and not text):
        fail(f"{file}: tệp nhị phân hoặc hỏng, không phải văn bản", Exit.BAD_INPUT)
    return text, encoding


def _bytes(file: Path) -> bytes:
    if file.is_dir():
        fail(f"{file}: đây là thư mục, không phải tệp", Exit.BAD_INPUT)
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _write(text: str) -> None:
    """Write UTF-8, with the line ends as they are."""
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
