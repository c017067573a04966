"""The commands around the list to fund: drawn up under rules, and followed up against targets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.console import emit, fail, out
from service.settings import DATA, AsOf, Data, Exit, Json, today
from service.workspace import Workspace

app = typer.Typer()


@app.command()
def plan(
    run_folder: Annotated[
        Path, typer.Option("--run", metavar="THƯ MỤC", help="Đợt chạy của `cungcau batch`.")
    ],
    budget: Annotated[
        float, typer.Option("--budget", min=0, metavar="TRIỆU", help="NSNN một năm, triệu đồng.")
    ],
    target: Annotated[Path, typer.Option("--out", metavar="THƯ MỤC", help="Nơi ghi các bảng.")],
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="TỆP.xlsx", help="Luật lựa chọn.")
    ] = None,
    year: Annotated[
        int | None, typer.Option("--year", min=2000, max=2100, help="Năm kế hoạch.")
    ] = None,
    province: Annotated[
        str | None, typer.Option("--province", help="Chỉ xét phiếu của tỉnh này.")
    ] = None,
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Lập danh mục nhiệm vụ cần hỗ trợ: chuyển tiếp trước, mở mới theo luật và ngân sách."""
    from matcher.yearly import Run  # noqa: PLC0415
    from service import plan_files, show_plan  # noqa: PLC0415
    from service.planning import year_plan  # noqa: PLC0415
    from service.rules_file import DEFAULT, read_rules  # noqa: PLC0415

    run = Run.open(run_folder)
    said = read_rules(rules) if rules else DEFAULT
    when = year or run.as_of.year + 1
    space = Workspace(data or DATA())
    told = year_plan(space, run, budget, when, said, province)
    files = plan_files.write(told, target, space.places())
    if as_json:
        emit(show_plan.to_json(told, files))
    else:
        show_plan.plan(out, told, files)
    if told.chosen.clashing:
        fail("các luật không thể cùng giữ; xem ở trên", Exit.USAGE)


@app.command(name="follow-up")
def follow_up(
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="TỆP.xlsx", help="Tệp luật, trang Chỉ tiêu.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", metavar="TỆP.xlsx", help="Nơi ghi các bảng.")
    ] = None,
    province: Annotated[
        str | None, typer.Option("--province", help="Chỉ tính nhiệm vụ của tỉnh này.")
    ] = None,
    data: Data = None,  # type: ignore[assignment]
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Kết quả các nhiệm vụ đã hỗ trợ theo năm, giữa kỳ, cuối kỳ so với chỉ tiêu."""
    from matcher.planning.follow_up import follow_up as reached  # noqa: PLC0415
    from matcher.run_files import write_bytes  # noqa: PLC0415
    from service import follow_up as told  # noqa: PLC0415
    from service.planning import tasks_of  # noqa: PLC0415
    from service.rules_file import DEFAULT, read_rules  # noqa: PLC0415

    said = read_rules(rules) if rules else DEFAULT
    day = today(as_of)
    tasks = tasks_of(Workspace(data or DATA()), province)
    found = reached(tasks, said.targets)
    if target:
        write_bytes(target, told.tables(found, tasks, day))
    if as_json:
        emit(told.to_json(found, day))
    else:
        told.show(out, found, tasks, day)
