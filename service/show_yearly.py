"""What the commands of the yearly run print, and the same as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from matcher.batch import Account
from matcher.run_files import LEVELS
from matcher.run_folder import WORKBOOK
from matcher.yearly import Run
from service.exports import WATERMARK
from service.pages.render import number

Data = dict[str, Any]


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
