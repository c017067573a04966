"""What the commands of the yearly run print, and the same as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from matcher.batch import Account
from matcher.changes import KINDS
from matcher.coverage import Dimension
from matcher.run_files import LEVELS
from matcher.run_folder import WORKBOOK
from matcher.yearly import Run
from service.coverage_sheets import Findings
from service.exports import WATERMARK
from service.pages.render import number

Data = dict[str, Any]
SHOWN = 10  # lines of each view; the workbook has all


def run_json(found: Run, account: Account) -> Data:
    """Return what a run is made from and what this call did."""
    return {**found.facts, "folder": str(found.folder), "this_call": asdict(account)}


def run(out: Console, found: Run, account: Account) -> None:
    """Print how well the needs of a run are answered."""
    if found.facts["illustrative"]:
        out.print(WATERMARK, style="bold red")
    counts = found.facts["counts"]
    table = Table(show_header=False, box=None)
    for name in LEVELS:
        table.add_row(name, number(counts["levels"][name]))
    out.print(f"{number(counts['needs'])} nhu cầu × {number(counts['technologies'])} công nghệ:")
    out.print(table)
    told = f"Tính mới {number(account.answered)}"
    if account.taken_over:
        told += f", dùng lại của đợt trước {number(account.taken_over)}"
    if account.there:
        told += f", đã có sẵn {number(account.there)}"
    out.print(f"{told}. Bảng: {found.folder / WORKBOOK}", soft_wrap=True)
    for each in found.facts["notices"]:
        out.print(f"Lưu ý: {each}", soft_wrap=True)


def coverage(out: Console, found: Findings, path: Path | None) -> None:
    """Print what a run covers and what it leaves open, the first lines of each view."""
    if found.illustrative:
        out.print(WATERMARK, style="bold red")
    for each in found.coverage.dimensions:
        if each.stated:
            out.print(_table(each))
    told = [
        (len(found.topics), "đề tài dự thảo đặt hàng"),
        (len(found.blocked), "nhu cầu vướng điều kiện bắt buộc"),
        (len(found.coverage.spread), "công nghệ có thể nhân rộng"),
        (len(found.coverage.unneeded), "công nghệ chưa ai cần"),
    ]
    out.print("; ".join(f"{number(count)} {name}" for count, name in told) + ".", soft_wrap=True)
    for topic in found.topics[:SHOWN]:
        where = "; ".join(topic.places)
        out.print(f" {topic.number}. {topic.name} – {where} ({len(topic.needs)} nhu cầu)")
    _changes(out, found)
    if path is not None:
        out.print(f"Bảng: {path}", soft_wrap=True)


def _table(dimension: Dimension) -> Table:
    table = Table(title=dimension.title, title_justify="left")
    table.add_column("")
    for name in (*LEVELS, "cộng"):
        table.add_column(name, justify="right")
    for each in dimension.groups[:SHOWN]:
        table.add_row(each.name, *map(number, each.levels), number(each.total))
    left = len(dimension.groups) - SHOWN
    if left > 0:
        table.add_row(f"… và {number(left)} nhóm khác")
    return table


def _changes(out: Console, found: Findings) -> None:
    if found.changes is None:
        return
    kinds = Counter(each.kind for each in found.changes)
    told = ", ".join(f"{number(kinds[name])} {name}" for name in KINDS if kinds[name])
    out.print(f"So với đợt trước: {told or 'không có gì thay đổi'}.", soft_wrap=True)
    for each in found.changes[:SHOWN]:
        step = f"{each.before or '–'} → {each.after or '–'}"
        out.print(f"  {each.need}: {step} ({'; '.join(each.reasons)})", soft_wrap=True)
