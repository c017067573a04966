"""The list to fund as Word annexes: tasks in the province's seven columns, and the money.

Names, columns and order of the first are those of the form; what a proposal does not state is "chưa
rõ". Carry-over stands before what is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from corpus.tasks import Proposal
from matcher.explain import UNKNOWN
from matcher.planning.candidates import Dimension
from matcher.planning.reasons import Line
from matcher.planning.rules import amount
from service.handover_annex import ANNEX, BLANK, Annex
from service.paper import Paper
from service.planning import YearPlan, grouped

SAMPLE: Final = "(dữ liệu minh họa)"
DRAFTED: Final = "(máy soạn, chưa có phiếu đề xuất)"


def annex(told: YearPlan, form: Annex = BLANK) -> bytes:
    """Return the annex of tasks as DOCX: the seven columns of the form."""
    paper = _begin(told, form, "danh mục nhiệm vụ đề nghị hỗ trợ")
    rows: list[list[str]] = []
    strong: list[int] = []
    number = 0
    for title, lines in _parts(told):
        strong.append(len(rows))
        rows.append(["", "", title, *[""] * 4])
        for line in lines:
            number += 1
            rows.append(_task(told, line, number))
    paper.table(ANNEX, rows, strong)
    return paper.to_bytes()


def funding(told: YearPlan, form: Annex = BLANK) -> bytes:
    """Return the funded list as DOCX: state and counterpart money, year by year, with sums."""
    paper = _begin(told, form, "phân bổ kinh phí (triệu đồng)")
    years = told.years
    columns = (
        ("Stt", 8), ("Tên nhiệm vụ", 44), ("Đơn vị chủ trì", 26),
        *((f"NSNN {year}", 12) for year in years), ("Cộng NSNN", 13),
        *((f"Đối ứng {year}", 12) for year in years), ("Cộng đối ứng", 13),
    )  # fmt: skip
    rows: list[list[str]] = []
    strong: list[int] = []
    number = 0
    for kind, of_kind in grouped(told.chosen.funded, Dimension.KIND):
        strong.append(len(rows))
        rows.append(["", f"{kind[:1].upper()}{kind[1:]}", "", *_sums(of_kind, years)])
        for group, lines in grouped(of_kind, Dimension.GROUP):
            strong.append(len(rows))
            rows.append(["", group, "", *_sums(lines, years)])
            for line in lines:
                number += 1
                rows.append(
                    [
                        str(number),
                        _name(told, line),
                        _said(told, line, "lead"),
                        *_sums([line], years),
                    ]
                )
    strong.append(len(rows))
    rows.append(["", "Tổng cộng", "", *_sums(told.chosen.funded, years)])
    paper.table(columns, rows, strong, right=range(3, len(columns)))
    return paper.to_bytes()


def _begin(told: YearPlan, form: Annex, what: str) -> Paper:
    where = f" của {told.province}" if told.province else ""
    title = f"{what} năm {told.year}{where}".upper()
    paper = Paper(title, told.run.as_of, told.illustrative)
    paper.line(form.heading, bold=True)
    paper.line(title, bold=True)
    paper.line(form.attached, italic=True)
    paper.mark()
    return paper


def _parts(told: YearPlan) -> Iterable[tuple[str, Sequence[Line]]]:
    funded = told.chosen.funded
    old = [line for line in funded if line.candidate.carried_over]
    new = [line for line in funded if not line.candidate.carried_over]
    if old:
        yield "A. Nhiệm vụ chuyển tiếp", old
    if new:
        yield "B. Nhiệm vụ mở mới", new


def _task(told: YearPlan, line: Line, number: int) -> list[str]:
    proposal = _proposal(told, line)
    group = next(iter(line.candidate.counted.get(Dimension.GROUP, ())), UNKNOWN)
    content = "\n".join(filter(None, (_name(told, line), proposal.content)))
    partners = "; ".join(filter(None, (*proposal.partners, proposal.receiver)))
    return [
        str(number),
        group,
        content,
        proposal.outputs or UNKNOWN,
        proposal.lead or UNKNOWN,
        partners or UNKNOWN,
        _years(proposal, line),
    ]


def _years(proposal: Proposal, line: Line) -> str:
    """The years that a proposal states, else those in which its line costs money."""
    costing = sorted({*line.candidate.state, *line.candidate.own})
    years = (proposal.start, proposal.end) if proposal.start or proposal.end else costing
    stated = [str(year) for year in years if year is not None]
    return "–".join(dict.fromkeys(stated)) or UNKNOWN


def _proposal(told: YearPlan, line: Line) -> Proposal:
    return told.by_id[line.candidate.id].checked.proposal


def _name(told: YearPlan, line: Line) -> str:
    drafted = any(each.proposal.id == line.candidate.id for each in told.drafts)
    marks = (DRAFTED * drafted, SAMPLE * _proposal(told, line).illustrative)
    return " ".join(filter(None, (line.candidate.name, *marks)))


def _said(told: YearPlan, line: Line, field: str) -> str:
    return str(getattr(_proposal(told, line), field) or UNKNOWN)


def _sums(lines: Sequence[Line], years: Sequence[int]) -> list[str]:
    """State money by year and in all, then the receiver's."""
    cells = []
    for name in ("state", "own"):
        money = [
            sum(getattr(line.candidate, name).get(year, 0.0) for line in lines) for year in years
        ]
        cells += [amount(each) if each else "" for each in (*money, sum(money))]
    return cells
