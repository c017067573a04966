"""Columns of a stranger's spreadsheet → fields of our records: a guess that people correct.

Departments, fairs and exchanges each have headings of their own. A known heading is certain, a near
one likely, and where the heading says nothing the cells may: dates, stages, provinces, phone
numbers. Every guess is shown with how sure it is; a column that nobody can place is kept beside the
fields, never lost. What is applied is a table with our own headings, so that the readers' rules,
messages and corrections hold for it as for any other file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import median
from typing import Final

from corpus.cells import CellError, parse_date, parse_money, parse_stages, parse_trl, parse_year
from corpus.headings import (
    MONEY_FIELDS,
    UnknownTable,
    field_of,
    is_numbering,
    likely,
    recognise,
    title,
    unit_of,
)
from corpus.ids import PREFIX, with_ids
from corpus.records import KINDS, STAGES, Product
from corpus.tables import Row, Table
from corpus.text import squeeze

KEEP: Final = "+"  # not a field: kept beside them under its own heading
DROP: Final = "-"  # not loaded at all
SAMPLED: Final = 50  # cells of a column that a guess looks at
MOST: Final = 0.8  # share of them that must agree
# as people choose
OFFERED: Final = ("need", "technology", "product", "proposal", "task", "decision", "judgment")
_PHONE: Final = re.compile(r"(?:\+84|0)[\d .\-]{8,13}|[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)
_CODE: Final = re.compile(r"[^\W\d_]{1,8}[-_./ ]?\d[\w./-]{0,20}")
_MONEY_WORDS: Final = frozenset({"gia", "phi", "von", "tien", "ngan", "dau"})


Province = Callable[[str], object]


def _nowhere(_: str) -> None:
    """Know no province."""


class Certainty(StrEnum):
    """How sure a guess is, in the words that people see."""

    SURE = "chắc chắn"
    LIKELY = "có thể"
    CONTENT = "đoán theo nội dung"
    NONE = "chưa rõ"


@dataclass(frozen=True)
class Guess:
    """What one column probably carries; ``field`` is also :data:`KEEP` or :data:`DROP`."""

    column: int
    field: str
    certainty: Certainty


@dataclass(frozen=True)
class Plan:
    """How one table is to be read; ``kind`` None: not at all.

    ``constants`` are values for all rows of fields that have no column. ``make_ids`` gives rows
    without an id one that follows from what they say: the same file loaded again is no change.
    """

    kind: str | None
    fields: Mapping[int, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    make_ids: bool = False


class MappingError(ValueError):
    """A plan that cannot be carried out; the message is for the user."""


def fields_of(kind: str) -> list[str]:
    """Return the fields of ``kind`` that a column may carry, required ones first."""
    fields = KINDS[kind].model_fields
    wanted = [name for name in fields if name not in {"extra", "certainty", "inferred"}]
    return sorted(wanted, key=lambda name: not fields[name].is_required())


def required(kind: str) -> tuple[str, ...]:
    """Return the fields without which a row of ``kind`` is rejected."""
    return tuple(name for name, info in KINDS[kind].model_fields.items() if info.is_required())


def guess(table: Table, province: Province = _nowhere) -> Plan:
    """Return the likeliest plan for ``table``.

    Args:
        province: tells whether a cell names a province (:meth:`corpus.places.Places.province`).
    """
    try:
        kind = table.kind or recognise(table.headings, table.sheet, table.file).kind
    except UnknownTable:
        kind = max(OFFERED, key=lambda each: _fit(each, guess_columns(table, each, province)))
    columns = guess_columns(table, kind, province)
    return Plan(kind, {each.column: each.field for each in columns}, {}, _lacks_id(kind, columns))


def _fit(kind: str, guesses: Sequence[Guess]) -> int:
    """How well a kind fits: sure columns count most, required fields without a column against."""
    worth = {Certainty.SURE: 3, Certainty.LIKELY: 2, Certainty.CONTENT: 1, Certainty.NONE: 0}
    found = {each.field for each in guesses}
    missing = [name for name in required(kind) if name not in found]
    lack = sum(1 if name == "id" else 4 for name in missing)
    return (
        sum(worth[each.certainty] for each in guesses if each.field in KINDS[kind].model_fields)
        - lack
    )


def _lacks_id(kind: str, guesses: Iterable[Guess]) -> bool:
    return kind in PREFIX and all(each.field != "id" for each in guesses)


def guess_columns(table: Table, kind: str, province: Province = _nowhere) -> tuple[Guess, ...]:
    """Return a guess for every column, no field twice: surest first, then from the left."""
    headings = table.headings
    found: dict[int, Guess] = {}
    taken: set[str] = set()

    def settle(column: int, name: str | None, certainty: Certainty) -> None:
        if name is not None and name not in taken and column not in found:
            taken.add(name)
            found[column] = Guess(column, name, certainty)

    for column, heading in enumerate(headings):
        if is_numbering(heading):
            found[column] = Guess(column, DROP, Certainty.SURE)
        known = field_of(kind, heading)
        settle(column, known[0] if known else None, Certainty.SURE)
    for column, heading in enumerate(headings):
        settle(column, likely(kind, heading) if heading else None, Certainty.LIKELY)
    for column, heading in enumerate(headings):
        if column not in found:
            cells = _sample(table, column)
            for name in _by_content(kind, heading, cells, province):
                settle(column, name, Certainty.CONTENT)
    return tuple(
        found.get(column, Guess(column, KEEP, Certainty.NONE)) for column in range(len(headings))
    )


def _sample(table: Table, column: int) -> list[str]:
    cells = (row.values[column] for row in table.rows if column < len(row.values))
    filled = (cell.strip() for cell in cells if cell and cell.strip())
    return [cell for cell, _ in zip(filled, range(SAMPLED), strict=False)]


def _by_content(kind: str, heading: str, cells: Sequence[str], province: Province) -> Iterable[str]:
    """Yield the fields that the cells of a column may be, the likeliest first."""
    if not cells:
        return
    words = set(squeeze(heading).split())
    need, technology = kind == "need", kind == "technology"
    if need or technology:
        if _mostly(cells, lambda cell: bool(province(cell))):
            yield "province"
        if _mostly(cells, _is_stage):
            yield "stage" if need else "stages"
        if _mostly(cells, lambda cell: "trl" in cell.lower() and _reads(parse_trl, cell)):
            yield "trl_min" if need else "trl"
        if words & _MONEY_WORDS and _mostly(cells, lambda cell: _reads(parse_money, cell)):
            yield from ("budget",) if need else ("cost_from", "cost_to")
    if technology and _mostly(cells, lambda cell: bool(_PHONE.search(cell))):
        yield "contact"
    if technology and _mostly(cells, lambda cell: _reads(parse_year, cell)):
        yield "year"
    if need and _mostly(cells, lambda cell: _reads(parse_date, cell)):
        yield "date"
    if kind in PREFIX and len(set(cells)) == len(cells) and _mostly(cells, _is_code):
        yield "id"
    length = median(map(len, cells))
    if need and length > 60:
        yield "text"
    if technology and length > 80:
        yield from ("summary", "detail")


def _mostly(cells: Sequence[str], test: Callable[[str], bool]) -> bool:
    return sum(map(test, cells)) >= MOST * len(cells)


def _reads(parse: Callable[[str], object], cell: str) -> bool:
    try:
        parse(cell)
    except CellError:
        return False
    return True


def _is_stage(cell: str) -> bool:
    try:
        stages = parse_stages(cell).value
    except CellError:
        return False
    return bool(stages) and all(stage in STAGES for stage in stages)


def _is_code(cell: str) -> bool:
    return _CODE.fullmatch(cell) is not None


def check(table: Table, plan: Plan, whole: bool = True) -> None:
    """Raise MappingError where ``plan`` lacks a required field or gives one to two columns.

    ``whole``: false where it may still lack something.
    """
    if plan.kind is None:
        return
    mapped = [name for name in plan.fields.values() if name not in {KEEP, DROP}]
    twice = sorted({name for name in mapped if mapped.count(name) > 1})
    if twice:
        told = ", ".join(f'"{title(plan.kind, name)}"' for name in twice)
        raise MappingError(f"{_named(table)}: {told} được chọn cho hai cột; mỗi trường một cột")
    unknown = sorted({*mapped, *plan.constants} - set(fields_of(plan.kind)))
    if unknown:
        raise MappingError(f"{_named(table)}: không có trường {', '.join(unknown)}")
    given = {*mapped, *(name for name, value in plan.constants.items() if value.strip())}
    given |= {"id"} if plan.make_ids and plan.kind in PREFIX else set()
    lacking = [name for name in required(plan.kind) if name not in given]
    if lacking and whole:
        told = ", ".join(f'"{title(plan.kind, name)}"' for name in lacking)
        label = KINDS[plan.kind].label.lower()
        raise MappingError(
            f"{_named(table)}: {label} cần có {told}; hãy chọn cột hoặc ghi giá trị chung"
        )


def _named(table: Table) -> str:
    return f'trang tính "{table.sheet}"' if table.sheet else f"tệp {table.file}"


def apply(table: Table, plan: Plan, products: Sequence[Product] = ()) -> Table:
    """Return ``table`` under our own headings, as ``plan`` says. ``plan`` must have a kind.

    A need's product may be called by a name that only one of ``products`` has.
    """
    assert plan.kind is not None
    kept = _kept(table, plan)
    renamed = [ours for _, ours in headings(table, plan)]
    mapped = set(plan.fields.values())
    added = {
        name: text for name, text in plan.constants.items() if text.strip() and name not in mapped
    }
    renamed += [title(plan.kind, name) for name in added]
    names = product_names(products) if plan.kind == "need" else {}
    makes = plan.make_ids and plan.kind in PREFIX and "id" not in mapped
    rows = []
    for row in table.rows:
        if row.problem:
            rows.append(row)
            continue
        padded = (*row.values, *([None] * (len(table.headings) - len(row.values))))
        cells = [_renamed(plan, column, padded[column], names) for column in kept]
        cells += [names.get(squeeze(text), text) for text in added.values()]
        cells += padded[len(table.headings) :]  # a row longer than its headings is told as such
        sure = (*(row.sure[each] for each in kept), *(1.0 for _ in added)) if row.sure else ()
        rows.append(Row(row.number, tuple(cells), sure=sure))
    made = replace(table, headings=tuple(renamed), rows=tuple(rows))
    return with_ids(made, plan.kind) if makes else made


def headings(table: Table, plan: Plan) -> list[tuple[str, str]]:
    """Return the table's own heading and ours for every column that is loaded."""
    return [
        (table.headings[column], _heading(plan, column, table.headings[column]))
        for column in _kept(table, plan)
    ]


def _kept(table: Table, plan: Plan) -> list[int]:
    return [each for each in range(len(table.headings)) if plan.fields.get(each, KEEP) != DROP]


def _heading(plan: Plan, column: int, heading: str) -> str:
    """The heading under which the readers know the column."""
    assert plan.kind is not None
    name = plan.fields.get(column, KEEP)
    if name == KEEP:  # a heading of the user's own, which must not be taken for a field
        known = field_of(plan.kind, heading) is not None or is_numbering(heading)
        return f"Cột gốc: {heading}" if known else heading
    unit = unit_of(heading)
    if name in MONEY_FIELDS and unit:
        return f"{title(plan.kind, name).partition(' (')[0]} ({unit})"
    return title(plan.kind, name)


def _renamed(plan: Plan, column: int, cell: str | None, names: Mapping[str, str]) -> str | None:
    if cell is None or plan.fields.get(column) != "product":
        return cell
    return names.get(squeeze(cell), cell)


def product_names(products: Sequence[Product]) -> dict[str, str]:
    """Squeezed name → id, of names that only one product has; an id stays itself."""
    found: dict[str, str] = {}
    for each in products:
        for name in {squeeze(each.name), *map(squeeze, each.aliases)}:
            found[name] = each.id if found.get(name, each.id) == each.id else ""
    ids = {squeeze(each.id) for each in products}
    return {name: key for name, key in found.items() if key and name not in ids}
