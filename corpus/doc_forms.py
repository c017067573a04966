"""Forms in a document → one record each: the labels are headings, what stands after them values.

A form is known by its title ("Phiếu đề xuất", "Phiếu nhu cầu", "Hồ sơ công nghệ"), else by its
labels. It goes on until the next title, or until the label comes again that names the thing. What
follows a label on further lines belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from corpus.blocks import Block, Grid, Line, page
from corpus.headings import UnknownTable, field_of, is_known, lay_out, recognise, title
from corpus.ids import PREFIX, with_ids
from corpus.records import KINDS
from corpus.tables import Row, Table
from corpus.text import squeeze

_NUMBERED: Final = r"(?:[-–•*+]\s*|\(?(?:\d{1,2}(?:\.\d{1,2})*|[a-zđ]|[IVX]{1,4})[.)]\s*)"
_PAIR: Final = re.compile(rf"\s*({_NUMBERED}?)\s*([^:]{{2,120}}?)\s*:(?!//)\s*(.*)", re.DOTALL)
_TITLE: Final = re.compile(r"(?:mau )?(?:phieu|ho so|ban (?:mo ta|dang ky|thong tin)|to khai)\b")
_KINDS: Final = (  # the first that the title says
    ("need", "nhu cau"),
    ("proposal", "de xuat"),
    ("technology", "cong nghe"),
    ("technology", "chao ban"),
    ("technology", "ket qua nghien cuu"),
)
_END: Final = re.compile(
    r"\s*(?:\(?ký(?: tên|,|\))|nơi nhận|đại diện|xác nhận của|thủ trưởng|người (?:đề xuất|lập)"
    r"|[^,]{0,40},\s*ngày\s*[\d.… ]*\s*tháng)",
    re.IGNORECASE,
)
_BLANK: Final = re.compile(r"[.…_]{3,}")
_ASIDE: Final = re.compile(r"\s*\([^()]*\)\s*$")
_PLAINER: Final = 0.95  # how sure a label is that is known without its aside only
_MORE: Final = 0.97  # times: for each further line that is taken for more of a value
_TITLED, _UNTITLED = 2, 4  # known labels that make a form


@dataclass
class _Form:
    """A form being read; ``lines`` are those it took, to be given back if it is none."""

    kind: str | None
    line: Line
    pairs: list[tuple[str, str, float]] = field(default_factory=list)  # label, value, how sure
    lines: list[Line] = field(default_factory=list)

    def known(self) -> int:
        return sum(_is_label(label, self.kind) for label, *_ in self.pairs)


def split(
    blocks: Iterable[Block], name: str
) -> tuple[list[Table], list[tuple[str, str]], list[Block]]:
    """Return the forms as tables of one row, those that cannot be read (place, why), the rest."""
    tables: list[Table] = []
    refused: list[tuple[str, str]] = []
    rest: list[Block] = []
    for each in _forms(blocks, rest):
        known = each.known()
        place = f" {page(each.line.page)}phiếu {len(tables) + len(refused) + 1}"
        if known < (_TITLED if each.kind else _UNTITLED):
            rest += each.lines
            continue
        try:
            tables.append(_table(each, name + place))
        except UnknownTable as error:
            refused.append((place, str(error)))
    return tables, refused, rest


def _forms(blocks: Iterable[Block], rest: list[Block]) -> Iterator[_Form]:
    """Yield forms, titled or not; what belongs to none goes to ``rest``."""
    form: _Form | None = None
    for block in blocks:
        lines = [block] if isinstance(block, Line) else _grid_lines(block)
        if not lines:
            rest.append(block)
        for line in lines:
            if found := _titled(line.text):
                if form:
                    yield form
                form = _Form(found, line, lines=[line])
                continue
            pair = _pair(line.text, form)
            if pair and form and _begins_anew(form, pair[0]):
                yield form
                form = _Form(form.kind, line)
            if pair and form is None:
                form = _Form(None, line)
            if form is None or not _take(form, pair, line):
                if form:
                    yield form
                form = None
                rest.append(line)
    if form:
        yield form


def _take(form: _Form, pair: tuple[str, str] | None, line: Line) -> bool:
    """Add a line to the form; False where the form has ended."""
    if pair is None and (_END.match(line.text) or (form.kind is None and not _more(form, line))):
        return False
    form.lines.append(line)
    if pair:
        form.pairs.append((*pair, line.sure * _label_sureness(pair[0], form.kind)))
    elif form.pairs:
        label, value, sure = form.pairs[-1]
        form.pairs[-1] = (label, f"{value} {line.text.strip()}".strip(), sure * line.sure * _MORE)
    return True


def _label_sureness(label: str, kind: str | None) -> float:
    """How sure it is what a label names: less without the aside that it stands with."""
    whole = field_of(kind, label) is not None if kind else is_known(label)
    return 1.0 if whole else _PLAINER


def _more(form: _Form, line: Line) -> bool:
    """Whether an untitled form, which may be none, goes on with a line that has no label."""
    return len(form.lines) >= 2 and len(line.text) < 400


def _titled(text: str) -> str | None:
    """Return the kind that the title of a form says, ``None`` for other lines."""
    said = squeeze(text)
    if len(text) > 120 or ":" in text or not _TITLE.match(said):
        return None
    return next((kind for kind, words in _KINDS if words in said), None)


def _pair(text: str, form: _Form | None) -> tuple[str, str] | None:
    """Return label and value of a line that has a label, numbered ones also where unknown."""
    match = _PAIR.match(text)
    if match is None:
        return None
    number, label, value = match.groups()
    kind = form.kind if form else None
    if _is_label(label, kind) or (form and form.pairs and number and len(label) <= 60):
        return label, " ".join(_BLANK.sub(" ", value).split())
    return None


def _is_label(label: str, kind: str | None) -> bool:
    plain = _ASIDE.sub("", label)
    if kind is None:
        return is_known(label) or is_known(plain)
    return field_of(kind, label) is not None or field_of(kind, plain) is not None


def _begins_anew(form: _Form, label: str) -> bool:
    """Whether ``label`` names the thing, and the form has it already."""
    kind = form.kind
    naming = {"name", "text", "product"}
    for each in [kind] if kind else KINDS:
        found = field_of(each, _ASIDE.sub("", label))
        if found and found[0] in naming and KINDS[each].model_fields[found[0]].is_required():
            return any(squeeze(label) == squeeze(known) for known, *_ in form.pairs)
    return False


def _grid_lines(grid: Grid) -> list[Line]:
    """A grid of labels and values as lines, else nothing: most of its rows begin with a label."""
    rows = [tuple(dict.fromkeys(row)) for row in grid.rows]
    pairs = [row[-2:] if len(row) == 3 and _counts(row[0]) else row for row in rows if row]
    sure = [min(each, default=1.0) for row, each in zip(rows, grid.sureness(), strict=True) if row]
    known = sum(len(row) == 2 and is_known(_label(row[0])) for row in pairs)
    if grid.sheet is not None or known < 2 or known < 0.4 * len(pairs):
        return []
    if max(map(len, pairs)) > 2:
        return []
    texts = [f"1. {_label(row[0])}: {row[1]}" if len(row) == 2 else row[0] for row in pairs]
    return [
        Line(text, grid.page, number, each)
        for number, (text, each) in enumerate(zip(texts, sure, strict=True), 1)
    ]


def _counts(cell: str) -> bool:
    return re.fullmatch(r"\(?\d{0,3}[.)]?|[IVX]{1,4}\.?", cell.strip()) is not None


def _label(cell: str) -> str:
    return _ASIDE.sub("", re.sub(rf"^\s*{_NUMBERED}", "", cell)).strip(" :")


def _table(form: _Form, called: str) -> Table:
    """Return the form as a table of one row. Raises UnknownTable: its labels fit no kind."""
    said = [(_plain(label, form.kind), value, sure) for label, value, sure in form.pairs if value]
    headings = tuple(label for label, *_ in said)
    identified = any(squeeze(each) == squeeze("Mã") for each in headings)
    kind = form.kind
    if kind is None:
        needed = headings if identified else (title("technology", "id"), *headings)
        kind = recognise(needed).kind
    row = Row(form.line.number, tuple(v for _, v, _ in said), sure=tuple(s for *_, s in said))
    table = Table(called, None, headings, (row,), kind)
    lacks = kind in PREFIX and "id" not in lay_out(kind, headings).fields.values()
    return with_ids(table, kind) if lacks else table


def _plain(label: str, kind: str | None) -> str:
    """The label without its aside, unless that is a unit of money that counts."""
    whole = field_of(kind, label) if kind else is_known(label)
    return label if whole else _ASIDE.sub("", label)
