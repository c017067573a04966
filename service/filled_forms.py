"""Forms that come back: which rows are filled, what each is called, whose it is, who has answered.

A form is known by its column of codes (:data:`ROW`); what else stands in its file (guidance, lists
to choose from) is no table of records. Rows that nobody filled are left out. What the round knows
is written beside what people wrote, never over it: the body that was asked gathered the need, an
enterprise has the need itself, and a round of one province is about that province.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from corpus.gathering import AskedKind, Code, Round, answers, code_of
from corpus.headings import field_of, is_numbering, title
from corpus.ids import PREFIX, digest
from corpus.records import Need, Product
from corpus.store import Store, Writing
from corpus.tables import Row, Table
from corpus.text import squeeze
from service.mapping import product_names

ROW: Final = "Mã dòng"
ROUND: Final = "Đợt thu thập"  # a column of its own of a need that came on a form
KIND: Final = Need.kind_name
Cells = Mapping[str, str]


@dataclass(frozen=True)
class Forms:
    """What has to be known to read the forms that come back."""

    rounds: Mapping[str, Round]
    names: Mapping[str, str]  # squeezed name of a product → its id

    @classmethod
    def of(cls, store: Store) -> Forms:
        """Return what ``store`` knows."""
        rounds = {each.id: each for each in store.all(Round)}
        return cls(rounds, product_names(store.all(Product)))

    def opened(self, tables: list[Table]) -> list[Table]:
        """Return the forms among the tables of one file, made ready; without any, all of them."""
        return [self._filled(each) for each in tables if is_form(each)] or tables

    def _filled(self, table: Table) -> Table:
        columns: dict[str, int] = {}
        for number, heading in enumerate(table.headings):
            if found := field_of(KIND, heading):
                columns.setdefault(found[0], number)
        mine = next((code for row in table.rows if (code := _code(row, columns["id"]))), None)
        told = [
            (row, self._row(row, columns, mine)) for row in table.rows if _is_filled(table, row)
        ]
        added = list(dict.fromkeys(h for _, (_, more) in told for h in more))
        rows = [
            _joined(row, cells, more, added, len(table.headings)) for row, (cells, more) in told
        ]
        return replace(table, headings=(*table.headings, *added), rows=tuple(rows))

    def _row(
        self, row: Row, columns: Mapping[str, int], mine: Code | None
    ) -> tuple[list[str | None], dict[str, str]]:
        """Return the cells of a filled row, and what stands in columns that the form lacks."""
        cells = [*row.values, *[None] * (max(columns.values()) + 1 - len(row.values))]
        product = columns.get("product")
        if product is not None and cells[product]:
            cells[product] = self.names.get(squeeze(cells[product] or ""), cells[product])
        code = _code(row, columns["id"]) or mine
        if not cells[columns["id"]]:
            cells[columns["id"]] = _made(columns, cells, code)
        more = {}
        for name, value in self._known(code):
            place = columns.get(name)
            if place is None:
                more[ROUND if name == ROUND else title(KIND, name)] = value
            else:
                cells[place] = cells[place] or value
        return cells, more

    def _known(self, code: Code | None) -> Iterator[tuple[str, str]]:
        """Yield what round and body of a row say: field (or :data:`ROUND`) and value."""
        found = self.rounds.get(code.round) if code else None
        body = found.body(code.body) if found and code else None
        if found is None or body is None:
            return
        yield "collector", body.name
        if found.province:
            yield "province", found.province
        if body.kind is AskedKind.ENTERPRISE:
            yield "asker", body.name
        yield ROUND, found.id


def is_form(table: Table) -> bool:
    """Whether ``table`` is one of our forms, filled or not."""
    return any(squeeze(each) == squeeze(ROW) for each in table.headings)


def _code(row: Row, column: int) -> Code | None:
    return code_of(row.values[column] or "") if column < len(row.values) else None


def _is_filled(table: Table, row: Row) -> bool:
    """Whether somebody wrote anything into a row besides what the blank form holds."""
    idle = {
        n for n, h in enumerate(table.headings) if is_numbering(h) or squeeze(h) == squeeze(ROW)
    }
    return bool(row.problem) or any(v and n not in idle for n, v in enumerate(row.values))


def _made(columns: Mapping[str, int], cells: Sequence[str | None], form: Code | None) -> str:
    """The id of a row without a code, which follows from what it says."""
    told = digest(KIND, columns, cells)
    return str(form._replace(row=told)) if form else f"{PREFIX[KIND]}-{told}"


def _joined(
    row: Row, cells: Sequence[str | None], more: Cells, added: Sequence[str], width: int
) -> Row:
    if row.problem:
        return row
    padded = [*cells, *[None] * (width - len(cells))]
    new = [more.get(heading) for heading in added]
    sure = (*row.sure[:width], *(1.0 for _ in added)) if row.sure else ()
    return Row(row.number, (*padded[:width], *new, *padded[width:]), sure=sure)


def note_answers(writing: Writing, keys: Collection[str], day: dt.date) -> tuple[str, ...]:
    """Mark the bodies that stated needs among ``keys`` as having answered; return their names.

    What was marked before keeps its day: a form that is loaded again is no news.
    """
    noted: list[str] = []
    for each in writing.find(Round) if any(map(code_of, keys)) else ():
        told = answers(keys, each.id)
        new = [body for body in each.asked if body.number in told and body.answered is None]
        changed = each
        for body in new:
            changed = changed.with_body(body.model_copy(update={"answered": day}))
        if new:
            writing.edit(changed, each.content_hash())
        noted += [body.name for body in new]
    return tuple(noted)
