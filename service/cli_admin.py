"""Commands for whoever looks after the data: a copy of it, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corpus.store import Store
from service import backup as copies
from service.console import emit, out
from service.settings import DATA, Data, Json


def backup(
    file: Annotated[Path, typer.Argument(help="Tệp sao lưu sẽ ghi.")],
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Sao lưu toàn bộ dữ liệu ra một tệp, cả khi dịch vụ đang chạy."""
    with Store.open(data or DATA()) as store:
        state = copies.backup(store, file)
    if as_json:
        emit({"file": str(file), "revision": state.revision, "digest": state.digest})
        return
    out.print(f"Đã sao lưu ra {file} (phiên bản dữ liệu {state.revision:,}).", soft_wrap=True)


def restore(
    file: Annotated[Path, typer.Argument(help="Tệp sao lưu.")],
    data: Data = None,  # type: ignore[assignment]
    force: Annotated[bool, typer.Option("--force", help="Thay dữ liệu đang có.")] = False,
    as_json: Json = False,
) -> None:
    """Khôi phục dữ liệu từ tệp sao lưu và kiểm tra chuỗi thay đổi."""
    state = copies.restore(file, data or DATA(), force)
    if as_json:
        emit({"file": str(file), "revision": state.revision, "digest": state.digest})
        return
    out.print(f"Đã khôi phục đến phiên bản dữ liệu {state.revision:,}; chuỗi thay đổi khớp.")
    out.print("Tiếp theo: `cungcau index`.")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(backup)
    app.command()(restore)
