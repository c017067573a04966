"""The commands of the yearly run: every need against all supply, and what that leaves uncovered.

They stand on the same command as those of :mod:`service.cli`, which takes them in. What reads and
writes Parquet is imported by the commands that need it: no other command waits for it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from service.console import emit, err, out, progress
from service.settings import DATA, AsOf, Data, EncoderChoice, Json
from service.workspace import Workspace

app = typer.Typer()
Since = Annotated[
    Path | None,
    typer.Option("--since", metavar="THƯ MỤC", help="Đợt chạy trước để so và dùng lại."),
]


@app.command()
def batch(
    folder: Annotated[Path, typer.Option("--out", metavar="THƯ MỤC", help="Nơi ghi đợt chạy.")],
    since: Since = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Bỏ đợt đang có trong thư mục và chạy lại từ đầu.")
    ] = False,
    k: Annotated[
        int | None, typer.Option("-k", "--top", min=1, max=1000, help="Số công nghệ mỗi nhu cầu.")
    ] = None,
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    encoder: EncoderChoice = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes", min=1, max=64, help="Số tiến trình cùng làm; mỗi tiến trình thêm bộ nhớ."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Kết nối mọi nhu cầu với mọi công nghệ; dừng lúc nào cũng chạy tiếp được."""
    from service import show_yearly, yearly  # noqa: PLC0415

    with _resumable(), progress() as shown:
        counted = [0]

        def tick(done: int, total: int) -> None:
            shown("kết nối nhu cầu", done - counted[0], total)
            counted[0] = done

        space, day = Workspace(data or DATA()), as_of.date() if as_of else None
        run, account = yearly.run(
            space, folder, day, k, since, fresh, encoder, tick, processes=processes
        )
    if as_json:
        emit(show_yearly.run_json(run, account))
    else:
        show_yearly.run(out, run, account)


@contextmanager
def _resumable() -> Iterator[None]:
    """Say of work that was cut short that the same command goes on with it."""
    try:
        yield
    except (KeyboardInterrupt, OSError) as error:
        if isinstance(error, KeyboardInterrupt) or error.errno == errno.ENOSPC:
            err.print("Phần đã xong vẫn còn: chạy lại cùng lệnh để đi tiếp.")
        raise


@app.command()
def coverage(
    folder: Annotated[Path, typer.Option("--run", metavar="THƯ MỤC", help="Đợt chạy đã xong.")],
    target: Annotated[
        Path | None, typer.Option("--out", metavar="THƯ MỤC", help="Nơi ghi tệp XLSX.")
    ] = None,
    since: Annotated[
        Path | None, typer.Option("--since", metavar="THƯ MỤC", help="Đợt trước để so sánh.")
    ] = None,
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Mức đáp ứng nhu cầu, phần còn trống, danh mục đặt hàng, thay đổi so với đợt trước."""
    from matcher.yearly import Run  # noqa: PLC0415
    from service import coverage_sheets, show_yearly, yearly  # noqa: PLC0415

    space = Workspace(data or DATA())
    judged = yearly.grades(space)
    run, before = Run.open(folder, judged), Run.open(since, judged) if since else None
    found = coverage_sheets.find(run, space.places(), space.lexicon(), before)
    path = coverage_sheets.write(found, target) if target else None
    if as_json:
        emit({**coverage_sheets.to_json(found), "file": str(path) if path else None})
    else:
        show_yearly.coverage(out, found, path)
