"""What measuring, comparing and learning found, as people read it in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from corpus.headings import shorten
from matcher import explain
from matcher.compare import LEVEL, TOP, Change, Comparison, Moved, gained, lost
from matcher.evaluate import Report as Evaluation
from matcher.learn import LEAST_LOCKED, LEAST_TRAIN, NO_CHANGE, PROMOTED, TOO_LITTLE
from service.learning import Attempt
from service.show import notice

NEARLY = 0.05  # a multiplier this near to 1 is told as no change
MOVED = 3  # records named on each side of a change
SHOWN = 10  # changed queries printed on each side; all of them are in --json


def comparison(console: Console, found: Comparison, names: tuple[str, str], name: str) -> None:
    """Print the verdict on two runs, then what gained and what lost, with the texts."""
    table = Table(title=f"So sánh trên {name}, nDCG@{TOP}", title_justify="left")
    for column in ("", "A", "B", "B − A"):
        table.add_column(column, justify="right" if column else "left")
    table.add_row(
        f"trung bình của {len(found.changes):,} truy vấn",
        f"{found.before:.4f}",
        f"{found.after:.4f}",
        f"{found.difference:+.4f}",
    )
    console.print(Text(f"A: {names[0]}\nB: {names[1]}"), soft_wrap=True)
    console.print(table)
    console.print(Text(verdict(found), "bold"), soft_wrap=True)
    for each in found.notices:
        console.print(notice(each), soft_wrap=True)
    _changes(console, "Tốt lên", found.better)
    _changes(console, "Kém đi", found.worse)


def verdict(found: Comparison) -> str:
    """Say in a sentence whether the difference is more than chance."""
    same = len(found.changes) - len(found.better) - len(found.worse)
    counts = f"{len(found.better):,} truy vấn tốt lên, {len(found.worse):,} kém đi, {same:,} như cũ"
    if not found.better and not found.worse:
        return f"Hai tệp cho thứ hạng tốt như nhau: {counts}."
    p = decimal(found.p, 4) if found.p >= 0.0001 else "dưới 0,0001"
    test = (
        f"p = {p} so với mức {decimal(LEVEL, 2)}, kiểm định hoán vị theo cặp; khoảng tin cậy "
        f"95 % của chênh lệch: {decimal(found.low, 4)} đến {decimal(found.high, 4)}"
    )
    if not found.significant:
        return f"Chưa đủ căn cứ để nói A và B khác nhau ({test}): {counts}."
    word = "tốt hơn" if found.difference > 0 else "kém hơn"
    return f"B {word} A, khác biệt có ý nghĩa thống kê ({test}): {counts}."


def attempt(console: Console, found: Attempt) -> None:
    """Print what was learnt from, what came of it, what counts more or less, who gained or lost."""
    lesson, known = found.lesson, found.evidence
    for each in found.notices:
        console.print(notice(each), soft_wrap=True)
    console.print(
        f"Học từ {known.judged:,} đánh giá và {known.decided:,} quyết định: {lesson.train:,} nhu "
        f"cầu để học, {lesson.locked:,} nhu cầu khóa riêng để kiểm tra.",
        soft_wrap=True,
    )
    if known.silent:
        told = "; ".join(f"{why} {count:,}" for why, count in known.silent.items())
        console.print(f"Không nói gì về độ phù hợp nên không dùng: {told}.", soft_wrap=True)
    console.print(Text(outcome(found), "bold"), soft_wrap=True)
    if lesson.multipliers:
        told = "Từ nay" if lesson.outcome == PROMOTED else "Trọng số đã thử"
        console.print(f"{told}, so với trước, mỗi phần của điểm:")
    for name, factor in lesson.multipliers.items():
        console.print(Text(f"  {explain.PARTS.get(name, name)}: {_weight(factor)}"))
    _changes(console, "Tốt lên (trong phần để học)", gained(lesson.changes))
    _changes(console, "Kém đi (trong phần để học)", lost(lesson.changes))


def outcome(found: Attempt) -> str:
    """Say in a sentence or two what came of an attempt to learn."""
    lesson = found.lesson
    if lesson.outcome == TOO_LITTLE:
        return (
            f"Chưa đủ dữ liệu: cần ít nhất {LEAST_TRAIN} nhu cầu để học và {LEAST_LOCKED} nhu cầu "
            "để kiểm tra, mỗi nhu cầu có cả bản ghi hữu ích lẫn không hữu ích. Không thay đổi gì."
        )
    if lesson.outcome == NO_CHANGE:
        return (
            "Không có trọng số nào dự đoán tốt hơn trọng số đang dùng. Không thay đổi gì; phần đã "
            "khóa chưa bị xem đến."
        )
    figures = (
        f"nDCG@{TOP} trên phần đã khóa {decimal(lesson.old or 0.0, 4)} → "
        f"{decimal(lesson.new or 0.0, 4)}; p = {decimal(lesson.p or 0.0, 5)}, mức của lần thử thứ "
        f"{lesson.attempt} là {decimal(lesson.level or 0.0, 5)}"
    )
    if lesson.outcome == PROMOTED:
        return (
            f"Trọng số mới tốt hơn ({figures}). Từ nay dùng mô hình {found.after}; quay lại "
            f"{found.before} bằng `cungcau learn --back`."
        )
    return f"Chưa chứng minh được là tốt hơn ({figures}). Giữ mô hình {found.before}."


def _weight(factor: float) -> str:
    """Say how much more or less a part counts."""
    if abs(factor - 1) < NEARLY:
        return f"gần như cũ (× {decimal(factor, 2)})"
    return f"tính {'nhiều hơn' if factor > 1 else 'ít hơn'} (× {decimal(factor, 2)})"


def decimal(value: float, digits: int) -> str:
    """Return a number with a decimal comma."""
    return f"{value:.{digits}f}".replace(".", ",").replace("-", "−")


def _changes(console: Console, head: str, found: Sequence[Change]) -> None:
    if not found:
        return
    console.print(Text(f"\n{head}:", "bold"))
    for each in found[:SHOWN]:
        figures = f"{each.before:.3f} → {each.after:.3f} ({each.difference:+.3f})"
        line = Text(f"{each.query}  ", "bold").append(figures, "cyan").append("  ")
        console.print(line.append(each.text, "italic"), soft_wrap=True)
        for told, moved in (("vào", each.entered), ("ra khỏi", each.left)):
            if moved:
                names = "; ".join(map(_moved, moved[:MOVED]))
                more = f" và {len(moved) - MOVED} bản ghi nữa" if len(moved) > MOVED else ""
                text = Text(f"{told} {TOP} kết quả đầu: {names}{more}", "dim")
                console.print(Padding(text, (0, 0, 0, 4)))
    if len(found) > SHOWN:
        console.print(f"… và {len(found) - SHOWN:,} truy vấn nữa (xem đủ bằng --json).")


def _moved(each: Moved) -> str:
    grade = "chưa đánh giá" if each.grade is None else f"mức {each.grade}"
    return f"{shorten(each.title) or '(không có tên)'} [{each.id}, {grade}]"


def evaluation(console: Console, name: str, report: Evaluation) -> None:
    """Print the measurements of a collection: overall, variants, no answer, hard rules."""
    metrics = ("nDCG@10", "Recall@20", "MRR@10", "P@1", "judged@10", "queries")
    table = Table(title=f"Đánh giá trên {name}", title_justify="left")
    for column in ("", *metrics, "nguyên bản nDCG@10"):
        table.add_column(column, justify="right" if column else "left")
    rows = {"toàn bộ": report.overall, **report.variants}
    for kind, figures in rows.items():
        cells = (_figure(figures.get(each)) for each in (*metrics, "unchanged nDCG@10"))
        table.add_row(kind, *cells)
    console.print(table)
    _beside_plain(console, report)
    for head, figures in (
        ("Xác suất nhu cầu có lời giải", report.none),
        ("Xác suất bản ghi hữu ích", report.useful),
    ):
        if figures:
            console.print(f"{head}: {_calibration(figures)}", soft_wrap=True)
    if report.constraints:
        told = ", ".join(f"{key} {_figure(value)}" for key, value in report.constraints.items())
        console.print(f"Điều kiện bắt buộc: {told}")
    for each in report.notices:
        console.print(notice(each), soft_wrap=True)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _beside_plain(console: Console, report: Evaluation) -> None:
    """Print plain fusion beside the matcher: over all needs, by stage and by field."""
    found = report.beside_plain
    if not found:
        return
    table = Table(
        title=f"nDCG@{TOP} so với tìm kiếm trộn thông thường (khoảng tin cậy 95 %)",
        title_justify="left",
    )
    for column in ("", "nhu cầu", "thông thường", "Cung Cầu", "chênh lệch"):
        table.add_column(column, justify="right" if column else "left")
    rows = {"toàn bộ": found["all"]}
    rows |= {f"khâu {name}": figures for name, figures in found["stage"].items()}
    rows |= {f"lĩnh vực {name}": figures for name, figures in found["field"].items()}
    for name, figures in rows.items():
        cells = (_interval(figures, each) for each in ("plain", "full", "gain"))
        table.add_row(Text(name), f"{figures['needs']:,}", *cells)
    console.print(table)


NAMES = {"AUROC": "AUROC", "Brier skill": "điểm Brier so với tỷ lệ nền", "slope": "độ dốc"}
COUNTS = {
    "with": "có lời giải",
    "without": "không có lời giải",
    "n": "số cặp",
    "useful": "hữu ích",
    "unfound": "không tìm ra",
}


def _calibration(figures: Mapping[str, float]) -> str:
    """Say how far stated chances came true, with intervals, then of how many."""
    told = [f"{name} {_interval(figures, key)}" for key, name in NAMES.items() if key in figures]
    told += [f"{name} {figures[key]:,.0f}" for key, name in COUNTS.items() if key in figures]
    return "; ".join(told)


def _interval(figures: Mapping[str, float], key: str) -> str:
    value = decimal(figures[key], 3)
    if f"{key} low" not in figures:
        return value
    low, high = (decimal(figures[f"{key} {end}"], 3) for end in ("low", "high"))
    return f"{value} ({low} đến {high})"
