"""What the command of the plan prints, and the same as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from matcher.planning.reasons import Line
from matcher.planning.rules import amount
from service import plan_files
from service.exports import WATERMARK
from service.planning import YearPlan

WAITING = 5  # lines of the reserve that are printed; the workbook has all


def to_json(told: YearPlan, files: Sequence[Path]) -> dict[str, Any]:
    """Return the plan and where its files are."""
    return {**plan_files.to_json(told), "files": [str(each) for each in files]}


def plan(out: Console, told: YearPlan, files: Sequence[Path]) -> None:
    """Print the list, the first of the reserve, what is refused, and where the files are."""
    chosen = told.chosen
    if told.illustrative:
        out.print(Text(f" {WATERMARK} ", "reverse"))
    for words in chosen.clashing:
        out.print(f"Mâu thuẫn: {words}", soft_wrap=True)
    out.print(_table(f"Danh mục năm {told.year} (triệu đồng)", chosen.funded, told.year))
    money = sum(each.candidate.state.get(told.year, 0.0) for each in chosen.funded)
    budget = chosen.rules.budget[told.year]
    out.print(f"{len(chosen.funded)} nhiệm vụ, NSNN {amount(money)} / {amount(budget)} triệu đồng.")
    if chosen.reserve:
        out.print(_table("Dự phòng", chosen.reserve[:WAITING], told.year))
    for refused in chosen.refused:
        out.print(f"Không đưa vào: {refused.candidate.id} – {refused.reason}", soft_wrap=True)
    for each in told.entries:
        if each.lacking:
            out.print(f"Chưa xét được: {each.checked.proposal.id} – {each.lacking}", soft_wrap=True)
    for text in chosen.notices:
        out.print(f"Lưu ý: {text}", soft_wrap=True)
    if told.displaced is not None:
        moved = "; ".join(told.displaced.dropped) or "không dòng nào"
        out.print(f"Vì ghim, loại mà ra khỏi danh mục: {moved}", soft_wrap=True)
    out.print("Bảng: " + ", ".join(map(str, files)), soft_wrap=True)


def _table(title: str, lines: Sequence[Line], year: int) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("Mã", "Tên nhiệm vụ", "NSNN", "Đối ứng", "Vì sao"):
        table.add_column(name, justify="right" if name in {"NSNN", "Đối ứng"} else "left")
    for line in lines:
        each = line.candidate
        money = (each.state.get(year, 0.0), each.own.get(year, 0.0))
        why = line.why if line.funded else f"{line.why}. {line.would}".rstrip(". ")
        table.add_row(each.id, each.name, *map(amount, money), why)
    return table
