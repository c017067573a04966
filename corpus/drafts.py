"""Table rows → draft records: every cell of a row read, its faults told all at once.

A draft is a valid record of its own; whether what it refers to exists, and whether it repeats
another, only :mod:`corpus.readers` can tell, which sees all files. Reasons are our own sentences:
the validator's English never reaches a user.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from corpus.cells import CellError, Parser, clean, parser_for
from corpus.headings import Layout, is_numbering, lay_out, nearest, shorten, title
from corpus.records import KINDS, Record
from corpus.rejects import RAW_LINE, Notice, Rejected, mark_columns, where
from corpus.repair import respelt
from corpus.tables import Row, Table
from corpus.text import normalise

_GUESSED: Final = 0.8  # times: how sure a value is of which something had to be guessed
_MISSING: Final = "thiếu giá trị, cột này bắt buộc"


class Problem(NamedTuple):
    """One fault of a row: the column's heading, its value, and what is wrong."""

    column: str | None
    value: str | None
    text: str


@dataclass(frozen=True)
class Source:
    """A recognised table, with what is worked out once for all its rows.

    ``parsers`` maps column index → parser of its field; ``extra`` column index → the key under
    which an unknown column is kept; ``names`` gives every column a heading, also unnamed ones.
    """

    table: Table
    layout: Layout
    names: tuple[str, ...]
    marks: frozenset[int]
    parsers: Mapping[int, Parser]
    extra: Mapping[int, str]
    required: tuple[str, ...]

    def heading(self, field: str) -> str:
        """Return the heading of the column that carries ``field``, else the field's title."""
        columns = (index for index, name in self.layout.fields.items() if name == field)
        index = next(columns, None)
        return title(self.layout.kind, field) if index is None else self.names[index]

    def reject(self, row: Row, problems: Sequence[Problem]) -> Rejected:
        """Return the rejection of ``row``; the first problem gives column and value."""
        column, value, text = problems[0]
        more = [f'cột "{p.column}": {p.text}' if p.column else p.text for p in problems[1:]]
        reason = "; ".join([text, *more])
        place = (self.table.file, self.table.sheet, row.number, column, value, reason)
        return Rejected(*place, self.cells(row), self.layout.kind)

    def cells(self, row: Row) -> tuple[tuple[str, str | None], ...]:
        """Return the whole row as (heading, value) pairs, without the marks of a correction."""
        if row.problem:
            return ((RAW_LINE, row.values[0]),)
        padded = row.values + (None,) * (len(self.names) - len(row.values))
        pairs = zip(self._all_names(len(padded)), padded, strict=True)
        return tuple(pair for index, pair in enumerate(pairs) if index not in self.marks)

    def _all_names(self, width: int) -> tuple[str, ...]:
        return self.names + tuple(_unnamed(index) for index in range(len(self.names), width))


@dataclass(frozen=True)
class Draft:
    """A row whose cells are all valid: its record, and what had to be guessed."""

    source: Source
    row: Row
    record: Record
    notices: tuple[Notice, ...] = ()

    @property
    def place(self) -> str:
        """Where the row stands, for messages."""
        return where(self.source.table.file, self.source.table.sheet, self.row.number)

    def reject(self, field: str, text: str) -> Rejected:
        """Return the rejection of this row for what its ``field`` says."""
        value = str(getattr(self.record, field))
        return self.source.reject(self.row, [Problem(self.source.heading(field), value, text)])

    def notice(self, field: str, text: str) -> Notice:
        """Return a notice about ``field`` of this row."""
        table = self.source.table
        return Notice(table.file, table.sheet, self.row.number, self.source.heading(field), text)


def _unnamed(index: int) -> str:
    return f"Cột {index + 1}"


def open_source(table: Table, layout: Layout) -> Source:
    """Work out what all rows of ``table`` share. The layout must be that of its headings."""
    marks = mark_columns(table.headings)
    shown = ["" if i in marks else heading for i, heading in enumerate(table.headings)]
    layout = lay_out(layout.kind, shown)
    kept = [i for i in sorted((*layout.unknown, *layout.doubles)) if i not in marks]
    kind, fields = layout.kind, layout.fields
    return Source(
        table,
        layout,
        tuple(heading or _unnamed(i) for i, heading in enumerate(table.headings)),
        marks,
        {i: parser_for(kind, field, layout.units[i]) for i, field in fields.items()},
        _extra_keys([(i, shown[i]) for i in kept if not is_numbering(shown[i])]),
        tuple(n for n, info in KINDS[kind].model_fields.items() if info.is_required()),
    )


def _extra_keys(columns: Sequence[tuple[int, str]]) -> dict[int, str]:
    """Return a key for each column to keep: its heading, numbered when it is not the first."""
    keys: dict[int, str] = {}
    for index, heading in columns:
        key = name = normalise(heading) or _unnamed(index)
        number = 1
        while key in keys.values():
            number += 1
            key = f"{name} ({number})"
        keys[index] = key
    return keys


def notices_of(source: Source) -> Iterator[Notice]:
    """Yield what to say about the columns of a table as a whole."""
    table, layout = source.table, source.layout
    for index in source.extra:
        heading = source.names[index]
        if field := layout.doubles.get(index):
            first = source.heading(field)
            text = f'cùng nội dung với cột "{first}" đứng trước nên được giữ riêng ở "Cột khác"'
        elif not table.headings[index]:
            continue
        else:
            guess = nearest(layout.kind, heading)
            hint = f'; có phải là "{guess}"?' if guess else ""
            text = f'tiêu đề không có trong mẫu, nội dung được giữ nguyên ở "Cột khác"{hint}'
        yield Notice(table.file, table.sheet, 0, heading, text)


def draft(source: Source, row: Row) -> Draft | Rejected:
    """Read one row: a draft record, or its rejection with every problem found."""
    if row.problem:
        return source.reject(row, [Problem(None, row.values[0], row.problem)])
    width = len(source.names)
    if source.table.sheet is None and len(row.values) > width:
        text = f"dòng có {len(row.values)} ô, nhiều hơn {width} cột tiêu đề (thiếu dấu ngoặc kép?)"
        return source.reject(row, [Problem(None, row.values[width], text)])
    values, problems, notices = _values(source, row)
    problems += _missing(source, values, problems)
    if not problems:
        problems += _published_doubles(source, row, values)
    if problems:
        return source.reject(row, problems)
    place = where(source.table.file, source.table.sheet, row.number)
    values["source"] = "; ".join([values.get("source") or place, *_respelt(source, row)])
    try:
        record = KINDS[source.layout.kind].model_validate(values)
    except ValidationError as error:
        return source.reject(row, [_explain(source, row, each) for each in error.errors()])
    return Draft(source, row, record, tuple(notices))


def _values(source: Source, row: Row) -> tuple[dict[str, Any], list[Problem], list[Notice]]:
    """Read the filled cells of a row: values by field, problems, notices."""
    values: dict[str, Any] = {}
    extra: dict[str, str] = {}
    certainty: dict[str, float] = {}
    problems: list[Problem] = []
    notices: list[Notice] = []
    table = source.table
    for index, cell in enumerate(row.values):
        if cell is None or not cell.strip() or index in source.marks:
            continue
        name = source.names[index] if index < len(source.names) else _unnamed(index)
        try:
            text, note = clean(cell)
            if parser := source.parsers.get(index):
                parsed = parser(text)
                field = source.layout.fields[index]
                values[field] = parsed.value
                note = "; ".join(filter(None, (note, parsed.note)))
                if index < len(row.sure):
                    certainty[field] = round(row.sure[index] * (_GUESSED if note else 1.0), 3)
            elif index in source.extra or index >= len(source.names):
                extra[source.extra.get(index, name)] = normalise(text)
        except CellError as error:
            fault = f'giá trị "{shorten(cell)}" không hợp lệ ({error})'
            problems.append(Problem(name, cell, fault))
            continue
        if note:
            notices.append(Notice(table.file, table.sheet, row.number, name, note))
    values["certainty"] = certainty
    values["extra"] = {key: text for key, text in extra.items() if text}
    return values, problems, notices


def _respelt(source: Source, row: Row) -> Iterator[str]:
    """Yield what the one form of writing changed in a row, for its provenance.

    Counts by column and reason, no words: a column may be under NDA, where a record is from is not.
    """
    for name, cell in zip(source.names, row.values, strict=False):
        if cell and (reasons := respelt(cell)):
            told = ", ".join(f"{each} ({count} chữ)" for each, count in sorted(reasons.items()))
            yield f'đã sửa ở cột "{name}": {told}'


def _missing(
    source: Source, values: Mapping[str, Any], problems: Sequence[Problem]
) -> list[Problem]:
    told = {problem.column for problem in problems}
    lacking = [source.heading(field) for field in source.required if field not in values]
    return [Problem(heading, None, _MISSING) for heading in lacking if heading not in told]


def _published_doubles(source: Source, row: Row, values: Mapping[str, Any]) -> list[Problem]:
    """A second column of a part under NDA would be published among the other columns: refuse."""
    return [
        Problem(
            source.names[index], row.values[index], "cùng nội dung với phần theo NDA; hãy gộp cột"
        )
        for index, field in source.layout.doubles.items()
        if field in values.get("restricted", ()) and index < len(row.values) and row.values[index]
    ]


def _explain(source: Source, row: Row, error: ErrorDetails) -> Problem:
    """Say in Vietnamese what the validator found."""
    context = error.get("ctx", {})
    if not error["loc"]:  # a rule over several fields, whose message is already ours
        column = source.heading("cost_from") if source.layout.kind == "technology" else None
        return Problem(column, None, str(context.get("error", "các ô của dòng mâu thuẫn nhau")))
    field = str(error["loc"][0])
    index = next((i for i, name in source.layout.fields.items() if name == field), None)
    value = row.values[index] if index is not None and index < len(row.values) else None
    match error["type"]:
        case "missing" | "string_too_short" | "too_short":
            text = _MISSING
        case "string_too_long" | "too_long":
            limit = context.get("max_length")
            text = f'giá trị "{shorten(value or "")}" dài quá {limit} ký tự'
        case _:
            text = f'giá trị "{shorten(value or "")}" không hợp lệ'
    return Problem(source.heading(field), value, text)
