"""The tables of follow-up: each target year by year, at mid-term and at the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from corpus.tasks import Task
from matcher.planning.follow_up import Reached
from matcher.planning.rules import amount
from service.exports import WATERMARK
from service.sheets import Sheet, Value, workbook


def to_json(found: Sequence[Reached], as_of: dt.date) -> list[dict[str, Any]]:
    """Return the targets and how far each is, as plain data."""
    return [
        {
            "indicator": str(each.target.indicator),
            "target": each.target.number,
            "from": each.target.start,
            "to": each.target.end,
            "by_year": {str(year): number for year, number in each.by_year.items()},
            "reached": each.until(as_of.year),
            "silent": list(each.silent),
        }
        for each in found
    ]


def show(out: Console, found: Sequence[Reached], tasks: Sequence[Task], as_of: dt.date) -> None:
    """Print how far each target is."""
    if any(task.illustrative for task in tasks):
        out.print(Text(f" {WATERMARK} ", "reverse"))
    table = Table(title=f"Kết quả đến hết năm {as_of.year}", title_justify="left")
    for name in ("Chỉ tiêu", "Mục tiêu", "Đã đạt", "Tỷ lệ", "Chưa báo cáo"):
        table.add_column(name)
    for each in found:
        target, share = each.target, each.share(as_of.year)
        table.add_row(
            f"{target.indicator} ({target.start}–{target.end})",
            amount(target.number),
            amount(each.until(as_of.year)),
            "" if share is None else f"{amount(100 * share)} %",
            ", ".join(each.silent),
        )
    out.print(table)


def tables(found: Sequence[Reached], tasks: Sequence[Task], as_of: dt.date) -> bytes:
    """Return the workbook (XLSX): years, mid-term, final, and the tasks behind them."""
    marked = any(task.illustrative for task in tasks)
    years = sorted({year for each in found for year in each.by_year})
    return workbook(
        [
            Sheet(
                "Theo năm",
                f"Kết quả theo năm, đến ngày {as_of:%d/%m/%Y}",
                (("Chỉ tiêu", 46), ("Mục tiêu", 12), *((str(year), 10) for year in years)),
                (_yearly(each, years) for each in found),
                marked,
            ),
            Sheet(
                "Giữa kỳ, cuối kỳ",
                "Cộng dồn đến giữa kỳ và cuối kỳ so với mục tiêu",
                (
                    ("Chỉ tiêu", 46), ("Mục tiêu", 12), ("Năm giữa kỳ", 12), ("Đến giữa kỳ", 12),
                    ("Tỷ lệ (%)", 10), ("Năm cuối kỳ", 12), ("Đến nay", 12), ("Tỷ lệ (%)", 10),
                    ("Nhiệm vụ chưa báo cáo", 40),
                ),
                (_terms(each, as_of.year) for each in found),
                marked,
            ),
            Sheet("Nhiệm vụ", "Nhiệm vụ và kết quả", _TASK, _tasks(tasks), marked),
        ],
        as_of,
    )  # fmt: skip


def _yearly(each: Reached, years: Sequence[int]) -> Sequence[Value]:
    known = (each.by_year.get(year) for year in years)
    return (str(each.target.indicator), each.target.number, *known)


def _terms(each: Reached, year: int) -> Sequence[Value]:
    target = each.target
    middle, final = min(target.middle, year), min(target.end, year)
    shares = [
        None if share is None else round(100 * share, 1)
        for share in (each.share(middle), each.share(final))
    ]
    return (
        str(target.indicator), target.number, str(target.middle), each.until(middle), shares[0],
        str(target.end), each.until(final), shares[1], "; ".join(each.silent),
    )  # fmt: skip


_TASK = (
    ("Mã", 12), ("Tên nhiệm vụ", 56), ("Loại nhiệm vụ", 28), ("Tình trạng", 18), ("Bắt đầu", 10),
    ("Kết thúc", 10), ("NSNN", 12), ("Đối ứng", 12), ("Mô hình", 10), ("Đào tạo", 10),
    ("Tập huấn", 10), ("Lượt tham gia", 12), ("Hợp đồng", 12), ("Nơi nhân rộng", 30),
    ("Phiếu đề xuất", 14),
)  # fmt: skip


def _tasks(tasks: Sequence[Task]) -> Iterator[Sequence[Value]]:
    for task in sorted(tasks, key=lambda each: each.id):
        yield (
            task.id, task.name, str(task.kind or "chưa rõ"), str(task.progress or "chưa rõ"),
            str(task.start or ""), str(task.end or ""), task.state_money, task.own_money,
            task.models, task.trained, task.instructed, task.participations, task.contract_value,
            "; ".join(task.replicated), task.proposal or "",
        )  # fmt: skip
