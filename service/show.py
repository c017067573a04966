"""Answers as people read them in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from corpus.records import KINDS, UNDER_NDA, Record, Technology
from corpus.text import Span
from corpus.workflow import Suggestion
from matcher import explain
from matcher.answers import Answer, InDoubt, Match, ProductList, Taker
from service.exports import WATERMARK

if TYPE_CHECKING:
    from service.loading import Report

NOT_FOUND = "Chưa tìm thấy trong cơ sở dữ liệu"
STYLES = {explain.SUITS: "bold green", explain.ADAPT: "bold yellow", explain.REFERENCE: "dim"}
SHOWN = 20  # rejected rows and notices printed; the rest is in the file and in --json
DOUBTFUL = "Đọc chưa chắc (độ tin 0–1)"
MARKED = {"inferred": "chương trình suy ra, chưa ai xác nhận", "restricted": UNDER_NDA}
EXCERPT = 220  # characters of the passage shown under a match


def answer(console: Console, found: Answer, parts: bool = False) -> None:
    """Print an answer: matches, then what breaks a hard rule, with reasons."""
    _watermark(console, (match.technology for match in (*found.matches, *found.set_apart)))
    _answer(console, found, parts)


def _answer(console: Console, found: Answer, parts: bool = False) -> None:
    for each in found.notices:
        console.print(notice(each))
    if not found.found:
        console.print(Text(f"{NOT_FOUND}.", "bold red"))
        if found.nearest:
            console.print("Gần nhất, chỉ để tham khảo:")
    for number, match in enumerate(_shown(found), start=1):
        console.print(_match(str(number), match, parts))
    apart = [match for match in found.set_apart if match.label != explain.REFERENCE]
    if apart:
        head = Text("\nKhông đạt điều kiện bắt buộc", "bold")
        console.print(head.append(" (đúng chủ đề, để riêng):", "not bold"))
    for match in apart:
        console.print(_match("–", match, parts))
    if found.undecided and found.undecided.total:
        _in_doubt(console, found.undecided, parts)


def _in_doubt(console: Console, found: InDoubt, parts: bool) -> None:
    """Print what may lie in the place asked for, apart from what does."""
    reason = found.reason[0].upper() + found.reason[1:]
    head = Text(f"\n{reason}", "bold").append(f" ({found.total} bản ghi, để riêng):", "not bold")
    console.print(head)
    for match in found.matches:
        console.print(_match("?", match, parts))
    if found.total > len(found.matches):
        console.print(f"    … và {found.total - len(found.matches)} bản ghi nữa; xem thêm bằng -k.")


def notice(text: str) -> Text:
    """Return something that the user should know, marked as such."""
    return Text("! ", "yellow").append(text, "default")


def _shown(found: Answer) -> tuple[Match, ...]:
    """Everything where something fits; only the nearest miss where nothing does."""
    return found.matches if found.found else tuple(filter(None, [found.nearest]))


def _match(number: str, match: Match, parts: bool) -> RenderableType:
    technology, told = match.technology, match.explanation
    head = Text(f"{number:>2}. ").append(f"[{told.label}] ", STYLES[told.label])
    head.append(technology.name, "bold").append(f"  {technology.id}", "dim")
    lines: list[RenderableType] = [Text(told.sentence)]
    if told.breaches:
        lines.append(Text("✗ " + "; ".join(each.reason for each in told.breaches), "red"))
    if told.lacks and told.label == explain.REFERENCE:
        lines.append(Text(f"Còn thiếu: {told.lacks}.", "yellow"))
    text = getattr(technology, told.passage.field)
    if text:
        lines.append(_excerpt(text, told.passage.highlights))
    groups = {f"Ưu tiên {each.key}": each.name for each in match.priorities}
    facts = {**explain.facts(technology), **groups}
    lines.append(Text(" · ".join(f"{name}: {value}" for name, value in facts.items()), "dim"))
    if parts:
        told_parts = (f"{name} {value:+.3f}" for name, value in explain.shares(match.hit).items())
        lines.append(Text(f"Điểm {match.hit.score:.3f} = " + " ".join(told_parts), "cyan"))
    return Group(head, Padding(Group(*lines), (0, 0, 0, 4)))


def _excerpt(text: str, marks: tuple[Span, ...]) -> Text:
    """Cut ``text`` around its first marks and show all marks inside the cut."""
    first, last = (marks[0].start, marks[0].end) if marks else (0, 0)
    start = max(0, min(first - 40, len(text) - EXCERPT))
    start = text.find(" ", start, first) + 1 or start if start else 0
    end = min(len(text), start + EXCERPT)
    end = max(text.rfind(" ", last, end), 0) or end if end < len(text) else end
    shown = Text(("… " if start else "") + text[start:end].replace("\n", " "), "italic")
    shift = (2 if start else 0) - start
    for mark in marks:
        if mark.start < end:
            shown.stylize("bold underline", mark.start + shift, min(mark.end, end) + shift)
    return shown.append(" …") if end < len(text) else shown


def product_list(console: Console, found: ProductList, each_need: int = 3) -> None:
    """Print a product's list, then the best matches of each need, then the needs left without."""
    product = found.product
    place = f", {product.province}" if product.province else ""
    head = Text.assemble((product.name, "bold"), place, "  ", (product.id, "dim"))
    console.print(Panel(head, expand=False))
    matches = (match for one in found.answers.values() for match in (*one.matches, *one.set_apart))
    _watermark(console, (match.technology for match in matches))
    if not found.answers:
        console.print("Sản phẩm này chưa có nhu cầu nào.")
        return
    for key, one in found.answers.items():
        console.print(Text("Nhu cầu ", "bold").append(f"{key}: ").append(one.query.text, "italic"))
        _answer(console, replace(one, matches=one.matches[:each_need]))
        console.print()
    _coverage(console, found)


def _coverage(console: Console, found: ProductList) -> None:
    if found.choices:
        table = Table(
            title="Danh sách đề nghị cho sản phẩm (phủ các nhu cầu)", title_justify="left"
        )
        for column in ("", "Nhãn", "Mã", "Công nghệ", "Đáp ứng nhu cầu"):
            table.add_column(column)
        for number, choice in enumerate(found.choices, start=1):
            match = choice.match
            needs = ", ".join(each.id for each in choice.needs)
            label = Text(match.label, STYLES[match.label])
            table.add_row(str(number), label, match.technology.id, match.technology.name, needs)
        console.print(table)
    for need in found.uncovered:
        console.print(Text(f"{need.id}: ", "bold").append(f"{NOT_FOUND}.", "red"))


def takers(console: Console, technology: Technology, found: Iterable[Taker]) -> None:
    """Print who needs a technology."""
    _watermark(console, [technology])
    table = Table(title=f"Ai cần {technology.id}: {technology.name}", title_justify="left")
    for column in ("", "Nhãn", "Sản phẩm", "Nhu cầu", "Nơi, đơn vị", "Lý do"):
        table.add_column(column)
    for number, taker in enumerate(found, start=1):
        need, label = taker.need, taker.match.label
        who = ", ".join(filter(None, (need.asker, need.commune, need.province))) or explain.UNKNOWN
        reason = "; ".join(each.reason for each in taker.match.explanation.breaches)
        name = taker.product.name if taker.product else need.product
        told = reason or taker.match.explanation.sentence.split(". ")[0]
        need_text = f"{need.id}: {need.text}"
        table.add_row(str(number), Text(label, STYLES[label]), name, need_text, who, told)
    console.print(table)


def record(console: Console, found: Record) -> None:
    """Print every stated fact of a record; missing ones are "chưa rõ"."""
    _watermark(console, [found])
    table = Table(title=f"{found.label} {found.key}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    fields = type(found).model_fields
    for name in (
        *(each for each in fields if each not in Record.model_fields),
        *Record.model_fields,
    ):
        value = getattr(found, name)
        if name == "extra":
            for heading, text in value.items():
                table.add_row(Text(heading), Text(str(text)))
        elif name == "certainty":
            told = [f"{fields[each].title}: {sure:.2f}" for each, sure in found.doubtful.items()]
            table.add_row(DOUBTFUL, Text("; ".join(told).replace(".", ","))) if told else None
        elif name in {"inferred", "restricted"}:
            names = "; ".join(str(fields[each].title) for each in value)
            table.add_row(fields[name].title, f"{names}: {MARKED[name]}") if value else None
        else:
            table.add_row(fields[name].title, Text(_value(value)))
    console.print(table)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "có" if value else "không"
    if value is None or value in ((), {}):
        return explain.UNKNOWN
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_value(each)}" for key, each in value.items())
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _watermark(console: Console, records: Iterable[Record]) -> None:
    if any(each.illustrative for each in records):
        console.print(Text(f" {WATERMARK} ", "reverse"))


def load_report(console: Console, report: Report) -> None:
    """Print what became of every row, each rejection with its place, and what to do next."""
    table = Table(title="Kết quả nạp", title_justify="left")
    for column in ("Tệp", "Loại", "Số dòng", "Đã nạp", "Đã có sẵn", "Bị từ chối"):
        table.add_column(column, justify="left" if column in {"Tệp", "Loại"} else "right")
    for each in report.counts:
        name = f"{each.file} ({each.sheet})" if each.sheet else each.file
        kind = KINDS[each.kind].label if each.kind else explain.UNKNOWN
        figures = (each.rows, each.loaded, each.repeated, each.rejected)
        table.add_row(name, kind, *(f"{figure:,}" for figure in figures))
    console.print(table)
    saved = report.saved
    console.print(
        f"Mới {saved.added:,}, thay đổi {saved.changed:,}, giữ nguyên {saved.unchanged:,}."
    )
    if report.suggested:
        counts = Counter(KINDS[each.target].label.lower() for each in report.suggested)
        said = ", ".join(f"{number} {label}" for label, number in sorted(counts.items()))
        console.print(
            f"Đề xuất từ văn bản, chưa nạp: {said}. Duyệt ở trang /de-xuat-doc hoặc bằng lệnh "
            "`cungcau suggestions`.",
            soft_wrap=True,
        )
    for kind, count in report.alike.items():
        if count:
            alike = f"{count:,} {KINDS[kind].label.lower()} có thể trùng với bản ghi đã có"
            command = f"cungcau duplicates --kind {kind}"
            console.print(f"{alike}: xem bằng `{command}`.", soft_wrap=True)
    for name in report.answered:
        console.print(f"Đã trả lời đợt thu thập nhu cầu: {name}.", soft_wrap=True)
    for told in report.notices[:SHOWN]:
        console.print(notice(told.message), soft_wrap=True)
    _more(console, len(report.notices), "lưu ý")
    for rejected in report.rejected[:SHOWN]:
        console.print(Text("✗ ", "red").append(rejected.message, "default"), soft_wrap=True)
    _more(console, len(report.rejected), "dòng bị từ chối")
    for path in report.corrections:
        console.print(f"Sửa các dòng bị từ chối trong {path} rồi nạp lại tệp đó.", soft_wrap=True)


def suggestions(console: Console, found: Sequence[Suggestion]) -> None:
    """Print what documents suggest, each with its passage, place and doubts."""
    for each in found:
        head = Text(f"{each.id}  ", "dim").append(KINDS[each.target].label, "bold")
        head.append(f"  {each.name}" if each.target != "need" else "")
        console.print(head.append(f"  (độ tin {each.confidence:.2f})".replace(".", ",")))
        about = f"sản phẩm: {each.product or explain.UNKNOWN}; " if each.target != "product" else ""
        lines = [Text(each.passage, "italic"), Text(f"{about}{each.source}", "dim")]
        lines += [Text(f"chưa chắc: {told}", "yellow") for told in each.doubts]
        console.print(Padding(Group(*lines), (0, 0, 0, 4)))
    console.print(
        f"{len(found)} đề xuất chờ duyệt." if found else "Không có đề xuất nào chờ duyệt."
    )


def _more(console: Console, count: int, name: str) -> None:
    if count > SHOWN:
        console.print(f"… và {count - SHOWN:,} {name} nữa (xem đủ bằng --json).")
