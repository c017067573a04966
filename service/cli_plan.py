"""The command that draws up the list to fund: a run, a budget and rules in, signed tables out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.console import emit, fail, out
from service.settings import DATA, Data, Exit, Json
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
