"""Coverage, gaps and changes of a run as a workbook, and as plain data for programs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openpyxl.styles import PatternFill

from corpus.lexicon import Lexicon
from corpus.places import Places
from matcher import changes as changed
from matcher import coverage as covered
from matcher import explain, gaps
from matcher.changes import Change
from matcher.coverage import Coverage, Dimension, Group
from matcher.gaps import Blocked, Topic
from matcher.run_files import LEVELS, write_bytes
from matcher.yearly import Run
from service.exports import WATERMARK
from service.sheets import Shaded, Sheet, Value, workbook
from service.yearly_sheets import SAMPLE

FILE = "do-phu.xlsx"
COUNTS = (
    *((name.capitalize(), 14) for name in LEVELS), ("Vướng điều kiện bắt buộc", 16), ("Cộng", 10),
)  # fmt: skip
ORDERS = (
    ("Stt", 6), ("Tên đề tài, dự án đặt hàng", 50), ("Mục tiêu", 70), ("Yêu cầu sản phẩm", 60),
    ("Phương thức", 14), ("Thời gian", 12), ("Kinh phí", 12), ("Địa chỉ ứng dụng", 34),
    ("Khả năng chi trả đã nêu", 24), ("Nhu cầu", 20), ("Công nghệ gần nhất", 20), ("Ghi chú", 16),
)  # fmt: skip
BLOCKED = (
    ("Mã nhu cầu", 12), ("Nhu cầu", 60), ("Công nghệ", 50), ("Vướng", 50), ("Ghi chú", 16),
)  # fmt: skip
SPREAD = (
    ("Mã", 11), ("Tên công nghệ", 50), ("Nhãn tốt nhất", 15), ("Số nơi", 8), ("Số nhu cầu", 9),
    ("Nơi có nhu cầu", 50), ("Sản phẩm", 36), ("Nơi đã áp dụng", 40), ("Nhu cầu", 30),
    ("Ghi chú", 16),
)  # fmt: skip
UNNEEDED = (
    ("Mã", 11), ("Tên công nghệ", 60), ("Sản phẩm", 36), ("Khâu", 24), ("Đơn vị", 34),
    ("Hiệu lực đến", 14), ("Ghi chú", 16),
)  # fmt: skip
CHANGES = (
    ("Mã nhu cầu", 12), ("Nhu cầu", 60), ("Thay đổi", 20), ("Đợt trước", 16), ("Đợt này", 16),
    ("Vì sao", 70), ("Ghi chú", 16),
)  # fmt: skip
OPEN = PatternFill("solid", fgColor="F8CBAD")  # some of the needs have no answer
SHADES = tuple(PatternFill("solid", fgColor=each) for each in ("DDEBF7", "BDD7EE", "9BC2E6"))


@dataclass(frozen=True)
class Findings:
    """All that is found out about one run."""

    run: Run
    coverage: Coverage
    topics: tuple[Topic, ...]
    blocked: tuple[Blocked, ...]
    changes: tuple[Change, ...] | None  # None: not compared with an earlier run
    before: Run | None = None

    @property
    def as_of(self) -> dt.date:
        """The day the run speaks of."""
        return dt.date.fromisoformat(self.run.facts["made_from"]["settings"]["as_of"])

    @property
    def illustrative(self) -> bool:
        """Whether the files are to be watermarked."""
        earlier = self.before is not None and self.before.facts["illustrative"]
        return bool(self.run.facts["illustrative"] or earlier)


def find(run: Run, places: Places, lexicon: Lexicon, before: Run | None = None) -> Findings:
    """Find out what ``run`` covers, what it leaves open, and what changed since ``before``."""
    return Findings(
        run,
        covered.coverage(run, places),
        gaps.topics(run, places, lexicon),
        gaps.blocked(run),
        changed.changes(before, run) if before is not None else None,
        before,
    )


def write(found: Findings, folder: Path) -> Path:
    """Write the workbook into ``folder``, whole or not at all; return where."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    write_bytes(path, workbook(sheets(found), found.as_of))
    return path


def sheets(found: Findings) -> Iterator[Sheet]:
    """Yield a sheet for each view."""
    marked, run = found.illustrative, found.run
    title = f"Mức đáp ứng nhu cầu công nghệ, tính đến {found.as_of:%d/%m/%Y}"
    views = [each for each in found.coverage.dimensions if each.stated]
    summary = (("Nhóm", 44), *COUNTS)
    yield Sheet("Tổng hợp", title, summary, _summary(found, views), marked)
    for each in views:
        columns = ((each.title, 44), *COUNTS)
        yield Sheet(SHEETS[each.name], title, columns, map(_counts, each.groups), marked)
    stages = ((name, 12) for name in found.coverage.stages)
    heat = (("Mã", 10), ("Sản phẩm", 32), *stages, ("Cộng", 8), ("Chưa có lời đáp", 10))
    told = "Số nhu cầu của từng sản phẩm ở từng khâu; ô cam: có nhu cầu chưa có lời đáp"
    yield Sheet("Sản phẩm × khâu", told, heat, _heat(found), marked)
    order = (
        "DANH MỤC ĐẶT HÀNG (dự thảo): chỉ ghi điều các nhu cầu đã nêu, cán bộ điền phần “chưa rõ”"
    )
    yield Sheet("Danh mục đặt hàng", order, ORDERS, map(_order, found.topics), marked)
    told = "Nhu cầu có công nghệ đúng chủ đề nhưng không đạt điều kiện bắt buộc"
    rows = (_blocked(run, each) for each in found.blocked)
    yield Sheet("Vướng điều kiện", told, BLOCKED, rows, marked)
    told = "Công nghệ đáp ứng nhu cầu của từ hai nơi trở lên: xem xét nhân rộng"
    yield Sheet("Có thể nhân rộng", told, SPREAD, _spread(found), marked)
    k = run.facts["made_from"]["settings"]["k"]
    told = f"Công nghệ không đứng trong danh sách {k} công nghệ đáp ứng nhu cầu nào"
    yield Sheet("Chưa ai cần", told, UNNEEDED, _unneeded(found), marked)
    if found.changes is not None and found.before is not None:
        day = found.before.facts["made_from"]["settings"]["as_of"]
        told = f"Thay đổi so với đợt {dt.date.fromisoformat(day):%d/%m/%Y}, và vì sao"
        yield Sheet("Thay đổi", told, CHANGES, _changes(found), marked)


SHEETS = {
    "field": "Theo lĩnh vực",
    "stage": "Theo khâu",
    "product": "Theo sản phẩm",
    "province": "Theo tỉnh",
    "old_province": "Theo tỉnh cũ",
    "commune": "Theo xã",
    "area": "Theo loại địa bàn",
    "receiver": "Theo đơn vị tiếp nhận",
    "collector": "Theo cơ quan tổng hợp",
}


def _counts(group: Group) -> Sequence[Value]:
    return (group.name, *group.levels, group.blocked, group.total)


def _summary(found: Findings, views: Sequence[Dimension]) -> Iterator[Sequence[Value]]:
    """The whole, what each sheet holds, and what no need states."""
    yield ("Tất cả nhu cầu", *_counts(found.coverage.whole)[1:])
    for each in views:
        unknown = [group for group in each.groups if group.name == explain.UNKNOWN]
        if unknown:
            yield (f"{each.title}: {explain.UNKNOWN}", *_counts(unknown[0])[1:])
    judged = sum(pair.grade is not None for pairs in found.run.pairs.values() for pair in pairs)
    if judged:
        yield (f"Nhãn theo đánh giá của người: {judged:,} cặp".replace(",", "."),)
    for each in found.coverage.dimensions:
        if each not in views:
            yield (f"{each.title}: chưa nhu cầu nào nêu",)


def _heat(found: Findings) -> Iterator[Sequence[Value]]:
    for key, name, cells in found.coverage.heat:
        total, left = sum(each.total for each in cells), sum(each.gaps for each in cells)
        yield (key, name, *map(_cell, cells), total, left)


def _cell(needs: Group) -> Value:
    """Return a cell of the heat map: the more needs the darker."""
    if not needs.total:
        return None
    shade = SHADES[min(needs.total, len(SHADES)) - 1]
    return Shaded(needs.total, OPEN if needs.gaps else shade)


def _order(topic: Topic) -> Sequence[Value]:
    return (
        topic.number, topic.name, topic.goal, topic.product, topic.way, topic.time, topic.money,
        "; ".join(topic.places), topic.payable, ", ".join(topic.needs),
        ", ".join(key for key, _ in topic.nearest), SAMPLE if topic.illustrative else "",
    )  # fmt: skip


def _blocked(run: Run, blocked: Blocked) -> Sequence[Value]:
    technology = run.technologies[blocked.technology]
    marked = technology.illustrative or blocked.need.illustrative
    return (
        blocked.need.id, blocked.need.text, f"{technology.id}: {technology.name}",
        "; ".join(blocked.reasons), SAMPLE if marked else "",
    )  # fmt: skip


def _spread(found: Findings) -> Iterator[Sequence[Value]]:
    for each in found.coverage.spread:
        technology = each.technology
        yield (
            technology.id, technology.name, each.best, len(each.places), len(each.needs),
            "; ".join(each.places), "; ".join(each.products),
            "; ".join(technology.places_used) or explain.UNKNOWN, ", ".join(each.needs),
            SAMPLE if technology.illustrative else "",
        )  # fmt: skip


def _unneeded(found: Findings) -> Iterator[Sequence[Value]]:
    for each in found.coverage.unneeded:
        yield (
            each.id, each.name, "; ".join(each.products) or explain.UNKNOWN,
            "; ".join(each.stages) or explain.UNKNOWN, each.owner or explain.UNKNOWN,
            explain.facts(each)["Hiệu lực đến"], SAMPLE if each.illustrative else "",
        )  # fmt: skip


def _changes(found: Findings) -> Iterator[Sequence[Value]]:
    for each in found.changes or ():
        runs = [run for run in (found.run, found.before) if run and each.need in run.needs]
        need = runs[0].needs[each.need].need
        yield (
            each.need, need.text, each.kind, each.before or "–", each.after or "–",
            "; ".join(each.reasons), SAMPLE if need.illustrative else "",
        )  # fmt: skip


def to_json(found: Findings) -> dict[str, Any]:
    """Return everything as plain data; groups carry their counts by level."""
    cover = found.coverage
    return {
        "run": str(found.run.folder),
        "made_from": found.run.facts["made_from"],
        "watermark": WATERMARK if found.illustrative else None,
        "whole": _group_json(cover.whole),
        "by": {
            each.name: {
                "title": each.title,
                "stated": each.stated,
                "groups": [_group_json(group) for group in each.groups],
            }
            for each in cover.dimensions
        },
        "topics": [asdict(each) for each in found.topics],
        "blocked": [
            {"need": each.need.id, "technology": each.technology, "reasons": list(each.reasons)}
            for each in found.blocked
        ],
        "spread": [
            {
                "technology": each.technology.id, "label": each.best, "needs": list(each.needs),
                "places": list(each.places), "products": list(each.products),
            }
            for each in cover.spread
        ],
        "unneeded": [each.id for each in cover.unneeded],
        "changes": None if found.changes is None else [asdict(each) for each in found.changes],
    }  # fmt: skip


def _group_json(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "levels": dict(zip(LEVELS, group.levels, strict=True)),
        "blocked": group.blocked,
        "total": group.total,
    }
