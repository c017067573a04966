"""A run as a workbook for officers: each need, what answers it, what breaks a rule, the gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from corpus.records import Technology
from matcher import explain
from matcher.run_files import LEVELS, write_bytes
from matcher.run_folder import WORKBOOK
from matcher.yearly import Answered, Pair, Run
from service.exports import WATERMARK
from service.sheets import Sheet, Value, workbook

SAMPLE = "dữ liệu minh họa"  # on every line that has such a record
NEED = (("Mã nhu cầu", 12), ("Sản phẩm", 20), ("Nhu cầu", 60))
NEEDS = (
    *NEED, ("Khâu", 18), ("Đơn vị có nhu cầu", 26), ("Xã/phường/đặc khu", 20), ("Tỉnh", 16),
    ("Mức đáp ứng", 16), ("Phù hợp", 10), ("Cần điều chỉnh", 10),
    ("Không đạt điều kiện", 11), ("Ghi chú", 20),
)  # fmt: skip
LISTED = (
    *NEED, ("Thứ tự", 8), ("Nhãn", 16), ("Mã công nghệ", 13), ("Tên công nghệ", 44), ("Lý do", 52),
    ("Còn thiếu", 34), ("Chi phí", 20), ("TRL", 8), ("Đơn vị", 30), ("Tỉnh", 16),
    ("Hiệu lực đến", 13), ("Ghi chú", 18),
)  # fmt: skip
NUMBERS = (
    ("Khả năng hữu ích (0–1)", 12), ("Điểm", 10), *((name, 10) for name in explain.PARTS.values()),
)  # fmt: skip
BROKEN = (*LISTED[:8], ("Điều kiện không đạt", 44), *LISTED[9:])
GAPS = (*NEED, ("Mức đáp ứng", 16), ("Gần nhất", 50), ("Còn thiếu", 50), ("Ghi chú", 18))


def write_workbook(run: Run) -> Path:
    """Write the workbook of ``run`` into its folder, whole or not at all; return where."""
    as_of = dt.date.fromisoformat(run.facts["made_from"]["settings"]["as_of"])
    data = workbook(sheets(run, as_of), as_of)
    path = run.folder / WORKBOOK
    write_bytes(path, data)
    return path


def sheets(run: Run, as_of: dt.date) -> Iterator[Sheet]:
    """Yield a sheet for each view of ``run``."""
    marked: bool = run.facts["illustrative"]
    title = f"Kết nối cung – cầu hằng năm, lập ngày {as_of:%d/%m/%Y}"
    yield Sheet("Tóm tắt", title, (("Mục", 40), ("Giá trị", 70)), _summary(run), marked)
    yield Sheet("Nhu cầu", title, NEEDS, _needs(run), marked)
    listed = (*LISTED, *NUMBERS)
    yield Sheet("Kết nối", title, listed, _listed(run, False), marked, len(LISTED))
    broken = (*BROKEN, *NUMBERS)
    yield Sheet("Không đạt điều kiện", title, broken, _listed(run, True), marked, len(BROKEN))
    yield Sheet("Chưa có lời đáp", title, GAPS, _gaps(run), marked)


def _summary(run: Run) -> Iterator[Sequence[Value]]:
    facts, made = run.facts, run.facts["made_from"]
    settings = made["settings"]
    if facts["illustrative"]:
        yield ("Lưu ý", WATERMARK)
    yield ("Ngày xét hiệu lực", f"{dt.date.fromisoformat(settings['as_of']):%d/%m/%Y}")
    yield ("Số nhu cầu", facts["counts"]["needs"])
    for name in LEVELS:
        yield (f"… {name}", facts["counts"]["levels"][name])
    yield ("… trong đó có công nghệ đúng chủ đề nhưng không đạt điều kiện bắt buộc",
           sum(each.gap and each.blocked > 0 for each in run.needs.values()))  # fmt: skip
    yield ("Số công nghệ", facts["counts"]["technologies"])
    yield ("Số công nghệ nêu cho mỗi nhu cầu, nhiều nhất", settings["k"])
    yield ("Phiên bản dữ liệu", f"{made['data']['revision']} ({made['data']['digest'][:16]})")
    yield ("Chỉ mục", made["index"]["name"])
    yield ("Bộ mã hóa", settings["encoder"] or "không có (chỉ theo từ ngữ)")
    yield ("Mô hình", f"{made['model']['version']} ({made['model']['digest'][:16]})")
    for each in facts["notices"]:
        yield ("Lưu ý", each)


def _needs(run: Run) -> Iterator[Sequence[Value]]:
    for key, each in run.needs.items():
        need = each.need
        labels = [pair.label for pair in run.pairs[key] if pair.good]
        yield (
            *_asked(run, each), need.stage or explain.UNKNOWN, need.asker or explain.UNKNOWN,
            need.commune or explain.UNKNOWN, need.province or explain.UNKNOWN, each.level,
            labels.count(explain.SUITS), labels.count(explain.ADAPT), each.blocked,
            SAMPLE if need.illustrative else "",
        )  # fmt: skip


def _listed(run: Run, apart: bool) -> Iterator[Sequence[Value]]:
    """Rows of what is more than a reference: what may be used, or what breaks a hard rule."""
    for key, answered in run.needs.items():
        for pair in run.pairs[key]:
            if pair.apart == apart and pair.label != explain.REFERENCE:
                technology = run.technologies[pair.technology]
                yield _line(run, answered, pair, technology)


def _line(run: Run, answered: Answered, pair: Pair, technology: Technology) -> Sequence[Value]:
    facts = explain.facts(technology)
    broken = "; ".join(each.reason for each in pair.breaches)
    marked = technology.illustrative or answered.need.illustrative
    return (
        *_asked(run, answered), pair.rank, pair.label, technology.id, technology.name, pair.reason,
        broken if pair.apart else pair.lacks, facts["Chi phí"], facts["TRL"], facts["Đơn vị"],
        facts["Tỉnh"], facts["Hiệu lực đến"], SAMPLE if marked else "",
        pair.usefulness, pair.score, *(pair.parts.get(name) for name in explain.PARTS),
    )  # fmt: skip


def _gaps(run: Run) -> Iterator[Sequence[Value]]:
    for key, answered in run.needs.items():
        if answered.gap:
            nearest = next(iter(run.pairs[key]), None)
            named = run.technologies[nearest.technology].name if nearest else ""
            yield (
                *_asked(run, answered), answered.level,
                f"{nearest.technology}: {named}" if nearest else explain.UNKNOWN,
                nearest.lacks if nearest else "", SAMPLE if answered.need.illustrative else "",
            )  # fmt: skip


def _asked(run: Run, answered: Answered) -> tuple[str, str, str]:
    need = answered.need
    product = run.products.get(need.product)
    return need.id, product.name if product else need.product, need.text
