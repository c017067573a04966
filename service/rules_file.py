"""The rules of a plan as a workbook that planners fill in: read with the place of every fault.

Each sheet is one kind of rule; a sheet that is not there says nothing. The workbook that
:func:`template` writes is the one that :func:`read_rules` reads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar

from corpus.cells import CellError, parse_number
from corpus.tables import Table, read_tables
from corpus.tasks import TaskKind
from corpus.text import normalise, squeeze
from matcher.planning.candidates import Dimension
from matcher.planning.criteria import WEIGHTS, ByPeople, Criterion, Mark, Weights
from matcher.planning.drafts import Norm
from matcher.planning.follow_up import TARGETS, Indicator, Target
from matcher.planning.rules import Ceiling, Measure, Override, Quota, RuleError, Rules
from service.sheets import Sheet, workbook

EACH: Final = "mỗi"  # as the value of a quota: one for each value that the candidates have
BUDGET, QUOTAS, CEILINGS = "Ngân sách", "Hạn mức", "Trần hỗ trợ"
WEIGHING, PEOPLE, OVERRIDES = "Trọng số", "Chấm điểm", "Ghim, loại"
NORM, SCENARIOS, TARGETED = "Định mức", "Kịch bản", "Chỉ tiêu"
COLUMNS: Final[Mapping[str, tuple[tuple[str, int], ...]]] = {
    BUDGET: (("Năm", 10), ("NSNN (triệu đồng)", 20)),
    QUOTAS: (
        ("Tính theo", 24), ("Giá trị", 40), ("Đo bằng", 22), ("Ít nhất", 12), ("Nhiều nhất", 12),
        ("Năm", 10),
    ),
    CEILINGS: (
        ("Loại nhiệm vụ", 40), ("Tỷ lệ NSNN tối đa (%)", 22), ("NSNN tối đa (triệu đồng)", 24),
    ),
    WEIGHING: (("Loại nhiệm vụ", 40), ("Tiêu chí", 30), ("Trọng số", 12)),
    PEOPLE: (
        ("Mã", 14), ("Tiêu chí", 30), ("Điểm (0–1)", 12), ("Người chấm", 24), ("Lý do", 50),
    ),
    OVERRIDES: (("Mã", 14), ("Ghim hay loại", 16), ("Lý do", 50), ("Người quyết định", 24)),
    NORM: (("NSNN (triệu đồng)", 20), ("Đối ứng (triệu đồng)", 20)),
    SCENARIOS: (
        ("Tên", 36), ("NSNN nhân với", 16), ("Ưu tiên theo", 24), ("Giá trị", 30),
        ("Điểm nhân với", 16),
    ),
    TARGETED: (("Chỉ tiêu", 46), ("Mục tiêu", 12), ("Từ năm", 10), ("Đến năm", 10)),
}  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True)
class Scenario:
    """One way to see the year: more or less money, and lines of one kind that count for more."""

    name: str
    money: float = 1.0
    dimension: Dimension | None = None
    value: str = ""
    factor: float = 1.0


SCENARIOS_OF_ALL = (
    Scenario("Cơ sở"),
    Scenario("Ngân sách giảm 20 %", money=0.8),
    Scenario("Ưu tiên địa bàn khó khăn", 1.0, Dimension.AREA, "đặc biệt khó khăn", 1.5),
)


@dataclass(frozen=True)
class RulesFile:
    """All that a rules workbook says. ``each`` are quotas to be set for every value there is."""

    budget: Mapping[int, float] = field(default_factory=dict)
    quotas: tuple[Quota, ...] = ()
    each: tuple[Quota, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()
    overrides: tuple[Override, ...] = ()
    weights: Mapping[TaskKind | None, Weights] = field(default_factory=lambda: WEIGHTS)
    people: tuple[ByPeople, ...] = ()
    norm: Norm | None = None
    scenarios: tuple[Scenario, ...] = SCENARIOS_OF_ALL
    targets: tuple[Target, ...] = TARGETS

    def rules(
        self, budget: Mapping[int, float], values: Mapping[Dimension, Collection[str]]
    ) -> Rules:
        """Return the rules under ``budget`` (million VND by year); the file's own years win.

        Args:
            budget: what holds for years of which the file says nothing.
            values: what the candidates have, by dimension; for quotas of every value.
        """
        more = tuple(
            replace(quota, value=value)
            for quota in self.each
            for value in sorted(values.get(quota.dimension, ()))
        )
        return Rules(
            {**budget, **self.budget}, (*self.quotas, *more), self.ceilings, self.overrides
        )


DEFAULT = RulesFile(each=(Quota(Dimension.OWNER, EACH, Measure.COUNT, most=2),))


class _Row:
    """One row of a sheet, whose cells are read by heading; a fault is told with its place."""

    def __init__(self, table: Table, number: int, cells: Mapping[str, str]) -> None:
        self.where = f"{table.file}, trang “{table.sheet}”, dòng {number}"
        self.cells = cells

    def fault(self, heading: str, text: str) -> RuleError:
        value = self.cells.get(squeeze(heading), "")
        return RuleError(f"{self.where}, cột “{heading}”: “{value}” {text}")

    def text(self, heading: str) -> str:
        return normalise(self.cells.get(squeeze(heading), ""))

    def needed(self, heading: str) -> str:
        text = self.text(heading)
        if not text:
            raise RuleError(f"{self.where}: thiếu cột “{heading}”")
        return text

    def number(self, heading: str) -> float | None:
        text = self.text(heading)
        try:
            return parse_number(text.removesuffix("%").strip()) if text else None
        except CellError as error:
            raise self.fault(heading, f"không đọc được ({error})") from None

    def amount(self, heading: str) -> float:
        self.needed(heading)
        value = self.number(heading)
        assert value is not None
        return value

    def year(self, heading: str) -> int | None:
        value = self.number(heading)
        if value is not None and not (value.is_integer() and 2000 <= value <= 2100):
            raise self.fault(heading, "không phải một năm")
        return None if value is None else int(value)

    def one_of(self, heading: str, values: Mapping[str, T]) -> T:
        found = values.get(squeeze(self.needed(heading)))
        if found is None:
            listed = "; ".join(map(str, values.values()))
            raise self.fault(heading, f"không có; các giá trị dùng được: {listed}")
        return found


def read_rules(path: Path) -> RulesFile:
    """Return what the workbook at ``path`` says.

    Raises:
        UnreadableFile: it is no workbook.
        RuleError: a cell cannot be meant; the message gives sheet, row and column.
    """
    sheets: dict[str, list[_Row]] = {}
    for table in read_tables(path):
        name = next((each for each in COLUMNS if squeeze(each) == squeeze(table.sheet or "")), None)
        if name is None:
            known = "; ".join(COLUMNS)
            raise RuleError(f"{table.file}: trang “{table.sheet}” không có trong mẫu ({known})")
        sheets[name] = list(_rows(table, name))
    told = [_quota(row) for row in sheets.get(QUOTAS, ())]
    return RulesFile(
        {_year(row): row.amount("NSNN (triệu đồng)") for row in sheets.get(BUDGET, ())},
        tuple(each for each in told if squeeze(each.value) != squeeze(EACH)),
        tuple(each for each in told if squeeze(each.value) == squeeze(EACH)),
        tuple(map(_ceiling, sheets.get(CEILINGS, ()))),
        tuple(map(_override, sheets.get(OVERRIDES, ()))),
        _weights(sheets.get(WEIGHING, ())),
        tuple(map(_mark, sheets.get(PEOPLE, ()))),
        next(map(_norm, sheets.get(NORM, ())), None),
        tuple(map(_scenario, sheets.get(SCENARIOS, ()))) or SCENARIOS_OF_ALL,
        tuple(map(_target, sheets.get(TARGETED, ()))) or TARGETS,
    )


def _rows(table: Table, name: str) -> Iterator[_Row]:
    """The rows under the headings, wherever those stand: a title or a note may come before them."""
    wanted = {squeeze(heading) for heading, _ in COLUMNS[name]}
    lines = [(1, table.headings), *((row.number, row.values) for row in table.rows)]
    start = next(
        (
            i
            for i, (_, cells) in enumerate(lines)
            if len(wanted & _squeezed(cells)) >= len(wanted) / 2
        ),
        None,
    )
    if start is None:
        listed = "; ".join(heading for heading, _ in COLUMNS[name])
        raise RuleError(f"{table.file}, trang “{name}”: không thấy các cột {listed}")
    headings = [squeeze(cell or "") for cell in lines[start][1]]
    for number, cells in lines[start + 1 :]:
        found = {h: c for h, c in zip(headings, cells, strict=False) if h and c and c.strip()}
        if found:
            yield _Row(table, number, found)


def _squeezed(cells: Sequence[str | None]) -> set[str]:
    return {squeeze(cell) for cell in cells if cell}


def _year(row: _Row) -> int:
    row.needed("Năm")
    year = row.year("Năm")
    assert year is not None
    return year


def _named(values: Iterable[T]) -> dict[str, T]:
    return {squeeze(str(each)): each for each in values}


def _stated(row: _Row, make: Callable[[], T]) -> T:
    """Make a rule, and say where a rule that cannot be stands."""
    try:
        return make()
    except RuleError as error:
        raise RuleError(f"{row.where}: {error}") from None


def _quota(row: _Row) -> Quota:
    dimension = row.one_of("Tính theo", _named(Dimension))
    measure = row.one_of("Đo bằng", _named(Measure))
    value = "" if dimension is Dimension.ALL else row.needed("Giá trị")
    low, high, year = row.number("Ít nhất"), row.number("Nhiều nhất"), row.year("Năm")
    return _stated(row, lambda: Quota(dimension, value, measure, low, high, year))


def _ceiling(row: _Row) -> Ceiling:
    kind = row.text("Loại nhiệm vụ")
    share, most = row.number("Tỷ lệ NSNN tối đa (%)"), row.number("NSNN tối đa (triệu đồng)")
    if share is None and most is None:
        raise RuleError(f"{row.where}: cần tỷ lệ hoặc số tiền tối đa")
    if share is not None and not 0 <= share <= 100:
        raise row.fault("Tỷ lệ NSNN tối đa (%)", "phải từ 0 đến 100")
    return Ceiling(
        str(row.one_of("Loại nhiệm vụ", _named(TaskKind))) if kind else None,
        None if share is None else share / 100,
        most,
    )


def _override(row: _Row) -> Override:
    pinned = row.one_of("Ghim hay loại", {"ghim": "ghim", "loai": "loại"}) == "ghim"
    return Override(row.needed("Mã"), pinned, row.needed("Lý do"), row.needed("Người quyết định"))


def _weights(rows: Sequence[_Row]) -> Mapping[TaskKind | None, Weights]:
    found: dict[TaskKind | None, dict[Criterion, float]] = {}
    for row in rows:
        kind = row.text("Loại nhiệm vụ")
        key = row.one_of("Loại nhiệm vụ", _named(TaskKind)) if kind else None
        weight = row.amount("Trọng số")
        if weight < 0:
            raise row.fault("Trọng số", "không được âm")
        found.setdefault(key, {})[row.one_of("Tiêu chí", _named(Criterion))] = weight
    return {**WEIGHTS, **found}


def _mark(row: _Row) -> ByPeople:
    value = row.amount("Điểm (0–1)")
    if not 0 <= value <= 1:
        raise row.fault("Điểm (0–1)", "phải từ 0 đến 1")
    criterion = row.one_of("Tiêu chí", _named(Criterion))
    mark = Mark(criterion, value, row.needed("Lý do"), row.needed("Người chấm"))
    return ByPeople(row.needed("Mã"), mark)


def _norm(row: _Row) -> Norm:
    return Norm(row.amount("NSNN (triệu đồng)"), row.number("Đối ứng (triệu đồng)") or 0.0)


def _scenario(row: _Row) -> Scenario:
    by = row.text("Ưu tiên theo")
    money, factor = row.number("NSNN nhân với"), row.number("Điểm nhân với")
    return Scenario(
        row.needed("Tên"),
        1.0 if money is None else money,
        row.one_of("Ưu tiên theo", _named(Dimension)) if by else None,
        row.needed("Giá trị") if by else "",
        1.0 if factor is None else factor,
    )


def _target(row: _Row) -> Target:
    row.needed("Từ năm"), row.needed("Đến năm")
    start, end = row.year("Từ năm") or 0, row.year("Đến năm") or 0
    if start > end:
        raise row.fault("Đến năm", "đứng trước năm đầu")
    return Target(row.one_of("Chỉ tiêu", _named(Indicator)), row.amount("Mục tiêu"), start, end)


def template(told: RulesFile, budget: Mapping[int, float], as_of: dt.date) -> bytes:
    """Return the workbook (XLSX) that says what ``told`` says under ``budget``."""
    title = "Luật lựa chọn: sửa, thêm dòng rồi lưu; trang không cần thì xóa"
    rows = _template_rows(told, {**budget, **told.budget})
    sheets = [Sheet(name, title, COLUMNS[name], rows.get(name, ())) for name in COLUMNS]
    return workbook(sheets, as_of)


def _template_rows(
    told: RulesFile, budget: Mapping[int, float]
) -> dict[str, list[tuple[str | int | float | None, ...]]]:
    quotas = [
        (str(q.dimension), q.value, str(q.measure), q.least, q.most, q.year and str(q.year))
        for q in (*told.quotas, *told.each)
    ]
    weights = [
        (str(kind or ""), str(name), weight)
        for kind, each in told.weights.items()
        for name, weight in each.items()
    ]
    scenarios = [
        (each.name, each.money, str(each.dimension or ""), each.value, each.factor)
        for each in told.scenarios
    ]
    return {
        BUDGET: [(str(year), money) for year, money in sorted(budget.items())],
        QUOTAS: list(quotas),
        CEILINGS: [
            (each.kind or "", each.share and 100 * each.share, each.most) for each in told.ceilings
        ],
        WEIGHING: list(weights),
        PEOPLE: [
            (each.id, str(each.mark.criterion), each.mark.value, each.mark.by, each.mark.evidence)
            for each in told.people
        ],
        OVERRIDES: [
            (each.id, "ghim" if each.pinned else "loại", each.reason, each.by)
            for each in told.overrides
        ],
        NORM: [(told.norm.state, told.norm.own)] if told.norm else [],
        SCENARIOS: list(scenarios),
        TARGETED: [
            (str(each.indicator), each.number, str(each.start), str(each.end))
            for each in told.targets
        ],
    }
