"""The list to fund as a workbook that still adds up: sums are formulas, every line tells why.

The first sheet is the list by kind and priority group with money year by year; the others say what
waits, what stays out, what each line rests on, and what would change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from openpyxl.utils import get_column_letter

from corpus.tasks import Proposal
from matcher.explain import UNKNOWN
from matcher.planning.candidates import Candidate, Dimension
from matcher.planning.lines import Entry
from matcher.planning.plan import Plan
from matcher.planning.reasons import Line
from service.planning import YearPlan, grouped
from service.sheets import Formula, Sheet, Strong, Value, workbook

Columns = tuple[tuple[str, int], ...]
Rows = Iterable[Sequence[Value]]
FIRST: Columns = (
    ("Stt", 6), ("Mã", 12), ("Tên nhiệm vụ", 52), ("Đơn vị chủ trì", 28), ("Đơn vị tiếp nhận", 28),
    ("Địa chỉ ứng dụng", 28), ("Phương thức", 14),
)  # fmt: skip
LAST: Columns = (
    ("Điểm (0–1)", 10), ("Vì sao", 48), ("Giữ chỗ khi điểm lệch 10 % (%)", 14),
    ("Giữ chỗ khi chi phí lệch 10 % (%)", 14),
)  # fmt: skip
NUMBERS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")


def plan_workbook(told: YearPlan, as_of: dt.date) -> bytes:
    """Return the workbook (XLSX) of a year."""
    return workbook(_sheets(told), as_of)


def _sheets(told: YearPlan) -> Iterator[Sheet]:
    where = f" – {told.province}" if told.province else ""
    title = f"Danh mục nhiệm vụ đề nghị hỗ trợ năm {told.year}{where} (triệu đồng)"
    marked, chosen = told.illustrative, told.chosen
    columns = (*FIRST, *_money_columns(told), *LAST)
    start = 4 if marked else 3  # under title, watermark and headings
    yield Sheet("Danh mục", title, columns, _listed(told, start), marked)
    if chosen.clashing:
        rows: Rows = [(each,) for each in chosen.clashing]
        yield Sheet("Luật mâu thuẫn", "Các luật không thể cùng giữ", (("Luật", 90),), rows, marked)
    yield Sheet("Dự phòng", "Danh mục dự phòng, theo thứ tự", _RESERVE, _reserve(told), marked)
    yield Sheet("Không đưa vào", "Chưa đưa vào, và vì sao", _OUT, _out(told), marked)
    yield Sheet("Tiêu chí", "Điểm từng tiêu chí và căn cứ", _MARKS, _marks(told), marked)
    yield Sheet("Kiểm tra", "Kiểm tra từng phiếu", _CHECKS, _checks(told), marked)
    yield Sheet("Máy soạn", "Cặp mạnh chưa ai đề xuất", _DRAFTS, _drafts(told), marked)
    yield Sheet("Kịch bản", "So các kịch bản", *_scenarios(told), marked)
    yield Sheet("Thêm bớt tiền", "Thêm, bớt tiền thì đổi gì", _STEPS, _steps(told), marked)
    yield Sheet(
        "Luật", "Luật và căn cứ đã dùng", (("Mục", 30), ("Nội dung", 100)), _said(told), marked
    )
    yield Sheet("Truy vết", "Từ dòng về phiếu, nhu cầu, công nghệ", _TRACE, _trace(told), marked)


# The list ---------------------------------------------------------------------------------------


def _money_columns(told: YearPlan) -> Columns:
    years = told.years
    return (
        *((f"NSNN {year}", 12) for year in years), ("Cộng NSNN", 13),
        *((f"Đối ứng {year}", 12) for year in years), ("Cộng đối ứng", 13), ("Tổng", 13),
    )  # fmt: skip


def _listed(told: YearPlan, start: int) -> Iterator[Sequence[Value]]:
    """The list by kind and group; ``start`` is the row of the sheet on which it begins."""
    row, number = start, 0
    for place, (kind, of_kind) in enumerate(grouped(told.chosen.funded, Dimension.KIND)):
        groups = grouped(of_kind, Dimension.GROUP)
        size = sum(1 + len(lines) for _, lines in groups)
        yield _subtotal(
            told, f"{NUMBERS[min(place, 9)]}. {kind[:1].upper()}{kind[1:]}", row + 1, row + size
        )
        row += 1
        for group, lines in groups:
            yield _subtotal(told, f"    {group}", row + 1, row + len(lines))
            row += 1
            for line in lines:
                number += 1
                yield _line(told, line, number, row)
                row += 1
    yield _subtotal(told, "TỔNG CỘNG", start, row - 1)


def _subtotal(told: YearPlan, name: str, first: int, last: int) -> Sequence[Value]:
    """A row of sums; ``SUBTOTAL`` leaves out the sums within, so that all of them agree."""
    count, begin = len(_money_columns(told)), len(FIRST)
    columns = [get_column_letter(begin + index + 1) for index in range(count)]
    sums = [Formula(f"=SUBTOTAL(9,{each}{first}:{each}{last})") for each in columns]
    return ("", "", Strong(name), *[""] * (begin - 3), *sums)


def _line(told: YearPlan, line: Line, number: int, row: int) -> Sequence[Value]:
    each, years = line.candidate, told.years
    proposal = _proposal(told, each)
    size, begin = len(years), len(FIRST) + 1
    state, own = begin + size, begin + 2 * size + 1  # columns of the two sums
    money: list[Value] = [
        *(_million(each.state.get(year)) for year in years), _sum(begin, state - 1, row),
        *(_million(each.own.get(year)) for year in years), _sum(state + 1, own - 1, row),
        Formula(f"={get_column_letter(state)}{row}+{get_column_letter(own)}{row}"),
    ]  # fmt: skip
    stable = told.stability
    firm: list[Value] = [None, None]
    if stable is not None:
        firm = [round(100 * each) for each in (stable.scores[line.candidate.id],
                                               stable.costs[line.candidate.id])]  # fmt: skip
    return (
        str(number), each.id, each.name,
        *(_stated(proposal, field) for field in ("lead", "receiver", "place", "method")),
        *money, each.score, line.why, *firm,
    )  # fmt: skip


def _million(money: float | None) -> int | float | None:
    """Money in million VND; whole millions without decimals."""
    return int(money) if money is not None and float(money).is_integer() else money


def _sum(first: int, last: int, row: int) -> Formula:
    return Formula(f"=SUM({get_column_letter(first)}{row}:{get_column_letter(last)}{row})")


def _proposal(told: YearPlan, line: Candidate) -> Proposal | None:
    entry = told.by_id.get(line.id)
    return entry.checked.proposal if entry else None


def _stated(proposal: Proposal | None, field: str) -> str:
    value = getattr(proposal, field) if proposal is not None else None
    return str(value) if value else UNKNOWN


# What waits, what stays out ---------------------------------------------------------------------

_RESERVE: Columns = (
    ("Thứ tự", 8), ("Mã", 12), ("Tên nhiệm vụ", 56), ("NSNN", 12), ("Đối ứng", 12),
    ("Điểm (0–1)", 10), ("Vì sao chưa vào", 60), ("Điều gì đưa vào", 50),
)  # fmt: skip
_OUT: Columns = (("Mã", 12), ("Tên nhiệm vụ", 60), ("Vì sao", 90))


def _reserve(told: YearPlan) -> Rows:
    for number, line in enumerate(told.chosen.reserve, start=1):
        each = line.candidate
        own = _million(each.own_total) if each.own else UNKNOWN
        money = (_million(each.state_total), own, each.score)
        yield (str(number), each.id, each.name, *money, line.why, line.would)


def _out(told: YearPlan) -> Rows:
    for refused in told.chosen.refused:
        yield (refused.candidate.id, refused.candidate.name, refused.reason)
    for entry in told.entries:
        if entry.candidate is None:
            yield (entry.checked.proposal.id, entry.checked.proposal.name, entry.lacking)


# What each line rests on ------------------------------------------------------------------------

_MARKS: Columns = (
    ("Mã", 12), ("Tên nhiệm vụ", 46), ("Tiêu chí", 28), ("Điểm (0–1)", 12), ("Căn cứ", 60),
    ("Người chấm", 20),
)  # fmt: skip
_CHECKS: Columns = (
    ("Mã", 12), ("Tên nhiệm vụ", 46), ("Nhu cầu", 16), ("Nhu cầu suy ra (phiếu không nêu)", 44),
    ("Công nghệ của phiếu", 36), ("Nguồn cung khác tốt hơn", 36), ("Nguồn cung rẻ hơn", 36),
    ("Giống nhiệm vụ", 44), ("Khác ở", 44), ("Còn thiếu", 40),
)  # fmt: skip
_DRAFTS: Columns = (
    ("Mã", 14), ("Tên dự thảo", 60), ("Nhu cầu", 12), ("Công nghệ", 12), ("Nhãn", 24),
    ("Khả năng hữu ích", 12), ("Loại nhiệm vụ (suy ra)", 28), ("Căn cứ loại", 34),
    ("Nhóm ưu tiên (suy ra)", 28), ("Căn cứ nhóm", 34), ("Tỉnh", 20), ("Bên tiếp nhận", 30),
    ("Giá chào (không phải dự toán)", 28), ("Kinh phí", 14),
)  # fmt: skip


def _marks(told: YearPlan) -> Rows:
    for entry in told.by_id.values():
        proposal = entry.checked.proposal
        for mark in entry.marks:
            value = UNKNOWN if mark.value is None else mark.value
            told_by = mark.by or "theo luật"
            yield (proposal.id, proposal.name, str(mark.criterion), value, mark.evidence, told_by)


def _checks(told: YearPlan) -> Rows:
    for entry in told.entries:
        found, proposal = entry.checked, entry.checked.proposal
        guessed = (f"{each.need}: {each.because}" for each in found.guessed)
        own = (f"{each.technology} – {each.told}" for each in found.pairs)
        better = (f"{each.technology} – {each.told}" for each in found.better[:3])
        cheaper = (f"{other.id} rẻ hơn {mine.id}" for mine, other in found.cheaper[:3])
        same = (
            f"{each.task.id} {each.task.name}: {'; '.join(each.same)}" for each in found.earlier
        )
        differs = ("; ".join(each.different) for each in found.earlier)
        lists = (found.served, guessed, own, better, cheaper, same, differs)
        missing = "; ".join(found.missing)
        yield (proposal.id, proposal.name, *map("\n".join, lists), missing)


def _drafts(told: YearPlan) -> Rows:
    cost = UNKNOWN if told.said.norm is None else "theo định mức"
    for each in told.drafts:
        pair = each.pair
        yield (
            each.proposal.id, each.proposal.name, pair.need, pair.technology, pair.told,
            round(pair.worth, 6), each.kind.value or UNKNOWN, each.kind.evidence,
            each.group.value or UNKNOWN, each.group.evidence, each.proposal.province or UNKNOWN,
            each.proposal.receiver or UNKNOWN, each.price or UNKNOWN, cost,
        )  # fmt: skip


# What would change ------------------------------------------------------------------------------

_STEPS: Columns = (
    ("NSNN thêm (triệu đồng)", 18), ("Tổng điểm", 12), ("Vào thêm", 60), ("Ra", 60),
)  # fmt: skip


def _scenarios(told: YearPlan) -> tuple[Columns, Rows]:
    names = list(told.plans)
    columns = (("Mã", 12), ("Tên nhiệm vụ", 60), *((name, 20) for name in names))
    return columns, _scenario_rows(told, list(told.plans.values()))


def _scenario_rows(told: YearPlan, plans: Sequence[Plan]) -> Rows:
    money = [
        sum(line.candidate.state.get(told.year, 0.0) for line in each.funded) for each in plans
    ]
    yield ("", f"NSNN năm {told.year}", *money)
    yield ("", "Số nhiệm vụ", *(len(each.funded) for each in plans))
    yield ("", "Tổng điểm", *(round(each.worth, 6) for each in plans))
    yield ("", "Cách tối ưu nhiều nhất (%)", *(round(100 * each.gap, 3) for each in plans))
    yield ("", "Luật mâu thuẫn", *("; ".join(each.clashing) for each in plans))
    lines = {
        line.candidate.id: line.candidate
        for each in plans
        for line in (*each.funded, *each.reserve)
    }
    for key, each in sorted(lines.items()):
        yield (key, each.name, *("có" if key in one.ids else "" for one in plans))


def _steps(told: YearPlan) -> Rows:
    for step in told.steps:
        yield (step.money, round(step.worth, 6), "; ".join(step.added), "; ".join(step.dropped))


# What it was made from --------------------------------------------------------------------------

_TRACE: Columns = (
    ("Mã", 12), ("Trong danh mục", 12), ("Phiếu đọc từ", 30), ("Nhu cầu", 14), ("Công nghệ", 14),
    ("Thành phần điểm của cặp", 60), ("Người quyết định", 44),
)  # fmt: skip


def _said(told: YearPlan) -> Rows:
    made, chosen = told.run.facts["made_from"], told.chosen
    yield ("Dữ liệu", f"lần sửa {made['data']['revision']}, {made['data']['digest']}")
    yield ("Chỉ mục, mô hình", f"{made['index']['name']}; {made['model']['version']}")
    yield ("Đánh giá của người", f"đến lần sửa {told.judged.revision}, {told.judged.digest}")
    yield ("Ngày xét hiệu lực", made["settings"]["as_of"])
    for year, money in sorted(chosen.rules.budget.items()):
        yield (f"NSNN năm {year}", money)
    for quota in chosen.rules.quotas:
        yield ("Hạn mức", quota.words)
    for each in chosen.rules.overrides:
        yield ("Ghim, loại", each.words)
    for text in chosen.notices:
        yield ("Lưu ý", text)
    if told.displaced is not None:
        yield ("Vì ghim, loại mà vào", "; ".join(told.displaced.added) or "(không)")
        yield ("Vì ghim, loại mà ra", "; ".join(told.displaced.dropped) or "(không)")
    yield ("Tối ưu", _optimum(chosen))


def _optimum(chosen: Plan) -> str:
    if chosen.clashing:
        return "không có danh mục nào giữ được mọi luật"
    cut = "; dừng vì hết giờ, chạy ở máy khác có thể khác" if chosen.out_of_time else ""
    gap = f"{100 * chosen.gap:.3f}".replace(".", ",")
    return (
        f"tổng điểm {chosen.worth:.6f}".replace(".", ",") + f", cách tối ưu nhiều nhất {gap} %{cut}"
    )


def _trace(told: YearPlan) -> Rows:
    overrides = {each.id: each.words for each in told.chosen.rules.overrides}
    drafted = {each.proposal.id for each in told.drafts}
    for entry in told.by_id.values():
        proposal = entry.checked.proposal
        funded = "có" if proposal.id in told.chosen.ids else "không"
        read = "máy soạn, chưa ai đề xuất" if proposal.id in drafted else proposal.source
        source, by = read or UNKNOWN, overrides.get(proposal.id, "")
        yield (proposal.id, funded, source, *_pair(entry), by)


def _pair(entry: Entry) -> tuple[str, str, str]:
    best = entry.checked.best
    if best is None:
        return "; ".join(entry.checked.served), "; ".join(entry.checked.proposal.technologies), ""
    parts = (f"{name} {value:+.3f}".replace(".", ",") for name, value in best.parts.items())
    return best.need, best.technology, "; ".join(parts)
