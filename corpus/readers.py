"""Files → records, with an account of every row.

Reading goes in two steps. Each table is read on its own (:mod:`corpus.drafts`); then the drafts of
all files are brought together kind by kind, products first whatever the order of the files, so that
a need finds its product and a judgment its need and technology. A row is loaded, repeated (its very
content is already known) or rejected with a reason; for every table the three add up to its rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, NamedTuple, cast

from corpus.drafts import Draft, Source, draft, notices_of, open_source
from corpus.headings import Layout, UnknownTable, lay_out, recognise, shorten
from corpus.links import Catalogue, link_parents, refer
from corpus.records import Product, Record
from corpus.rejects import Notice, Rejected, mark_columns, write_rejected
from corpus.tables import Limits, Row, Table, UnreadableFile, read_tables
from corpus.years import gather

__all__ = [
    "FileCount",
    "Known",
    "Limits",
    "Loaded",
    "Notice",
    "Rejected",
    "UnreadableFile",
    "read",
    "read_as",
    "write_rejected",
]

# What is referred to comes first.
_ORDER: Final = ("product", "technology", "need", "judgment", "decision", "proposal", "task")


@dataclass(frozen=True)
class Known:
    """What the store already holds: for each kind, key → content hash of the record."""

    product: Mapping[str, str] = field(default_factory=dict)
    technology: Mapping[str, str] = field(default_factory=dict)
    need: Mapping[str, str] = field(default_factory=dict)
    judgment: Mapping[str, str] = field(default_factory=dict)
    decision: Mapping[str, str] = field(default_factory=dict)
    proposal: Mapping[str, str] = field(default_factory=dict)
    task: Mapping[str, str] = field(default_factory=dict)
    names: Sequence[tuple[str, str]] = ()  # (name, id) of products

    @classmethod
    def of_kinds(
        cls, hashes: Mapping[str, Mapping[str, str]], products: Iterable[Product] = ()
    ) -> Known:
        """Return what is known from kind → key → content hash; a product also by its names."""
        names = [(name, each.id) for each in products for name in (each.name, *each.aliases)]
        return replace(cls(names=names), **hashes)  # type: ignore[arg-type]

    def of(self, kind: str) -> Mapping[str, str]:
        """Return key → content hash of one kind."""
        return cast(Mapping[str, str], getattr(self, kind))


NOTHING: Final = Known()


@dataclass(frozen=True)
class FileCount:
    """The account of one table: ``rows == loaded + repeated + rejected``; kind None: not read."""

    file: str
    sheet: str | None
    kind: str | None
    rows: int
    loaded: int
    repeated: int
    rejected: int


@dataclass(frozen=True)
class Loaded:
    """What came out of the files: records with products first, the rest in the order of files."""

    records: tuple[Record, ...]
    rejected: tuple[Rejected, ...]
    notices: tuple[Notice, ...]
    counts: tuple[FileCount, ...]


@dataclass(frozen=True)
class _Sheet:
    """One table read on its own, or a file or table that could not be (kind None)."""

    file: str
    sheet: str | None
    kind: str | None
    rows: int
    drafts: tuple[Draft, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class _Repeated:
    """A row that says what is known already."""

    draft: Draft


class _Verdict(NamedTuple):
    sheet: int
    outcome: Draft | Rejected | _Repeated


Opener = Callable[[Path], Sequence[Table]]


def read(
    paths: Sequence[Path],
    known: Known = NOTHING,
    opener: Opener = read_tables,
    labels: Mapping[Path, str] | None = None,
) -> Loaded:
    """Read the files at ``paths`` and return records, rejected rows, notices and counts.

    Args:
        paths: the files.
        known: what the store holds.
        opener: gives the tables of a file; a table's ``file`` begins with the file's name.
        labels: what messages call a file, where that is not its name.

    Never raises for what a file holds: an unreadable file is rejected as row 0. A record whose key
    and content hash stand in ``known`` is repeated; other content for a known key is an update and
    loads. Two rows of one run with the same key and different content: the second is rejected.
    """
    called = {**dict(_labelled(paths)), **(labels or {})}
    sheets = [s for path, label in called.items() for s in _read_file(path, label, opener)]
    return _bring_together(sheets, known)


def read_as(tables: Sequence[tuple[Table, str]], known: Known = NOTHING) -> Loaded:
    """Read tables whose kind somebody chose; each table's headings are those of that kind.

    The same account of every row as :func:`read` gives.
    """
    gathered = [(gather(table), kind) for table, kind in tables]
    sheets = [_read_kind(table, lay_out(kind, table.headings)) for table, kind in gathered]
    return _bring_together(sheets, known)


def _labelled(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each path with the name that messages call it by: with its folder where names clash."""
    names = Counter(path.name for path in dict.fromkeys(paths))
    for path in dict.fromkeys(paths):
        yield path, path.name if names[path.name] == 1 else str(path)


def _read_file(path: Path, label: str, opener: Opener) -> list[_Sheet]:
    try:
        tables = opener(path)
        rest = [table.file.removeprefix(path.name) for table in tables]  # "trang 3 bảng 1"
        return [
            _read_table(replace(table, file=label + place))
            for table, place in zip(tables, rest, strict=True)
        ]
    except UnreadableFile as error:
        rejected = Rejected(label, None, 0, None, None, error.reason)
        return [_Sheet(label, None, None, 0, rejected=(rejected,))]


def _read_table(table: Table) -> _Sheet:
    table = gather(table)
    if table.kind:
        return _read_kind(table, lay_out(table.kind, table.headings))
    rows = _filled(table)
    marks = mark_columns(table.headings)
    headings = ["" if i in marks else heading for i, heading in enumerate(table.headings)]
    try:
        layout = recognise(headings, table.sheet, Path(table.file).name)
    except UnknownTable as error:
        reason = f"{error}. {len(rows)} dòng chưa được nạp"
        rejected = Rejected(table.file, table.sheet, 0, None, None, reason)
        return _Sheet(table.file, table.sheet, None, len(rows), rejected=(rejected,))
    return _read_kind(table, layout)


def _read_kind(table: Table, layout: Layout) -> _Sheet:
    """Read a table whose kind is known."""
    rows = _filled(table)
    source = open_source(table, layout)
    read_rows = [draft(source, row) for row in rows if not _is_blank(source, row.values)]
    drafts = tuple(each for each in read_rows if isinstance(each, Draft))
    rejections = tuple(each for each in read_rows if isinstance(each, Rejected))
    notices = tuple(notices_of(source))
    counted = len(read_rows)
    return _Sheet(table.file, table.sheet, layout.kind, counted, drafts, rejections, notices)


def _filled(table: Table) -> list[Row]:
    return [row for row in table.rows if any(value and value.strip() for value in row.values)]


def _is_blank(source: Source, values: Sequence[str | None]) -> bool:
    """Whether a row holds nothing but the marks of a correction or a row number."""
    idle = source.marks | (set(source.layout.unknown) - set(source.extra))
    return not any(v and v.strip() for index, v in enumerate(values) if index not in idle)


def _bring_together(sheets: Sequence[_Sheet], known: Known) -> Loaded:
    """Link and compare the drafts of all sheets, kind by kind, and draw up the accounts."""
    catalogues: dict[str, Catalogue] = {}
    verdicts: list[_Verdict] = []
    for kind in _ORDER:
        numbers, drafts = _drafts_of(sheets, kind)
        linked: Sequence[Draft | Rejected]
        if kind == "product":
            linked = link_parents(drafts, known.product)
        else:
            linked = [refer(each, catalogues) for each in drafts]
        settled = list(_compare(linked, known.of(kind)))
        verdicts += [_Verdict(*each) for each in zip(numbers, settled, strict=True)]
        names = known.names if kind == "product" else ()
        catalogues[kind] = _catalogue(settled, known.of(kind), names)
    return _account(sheets, verdicts)


def _drafts_of(sheets: Sequence[_Sheet], kind: str) -> tuple[list[int], list[Draft]]:
    """Return the drafts of one kind, and for each the number of its sheet."""
    placed = [(n, each) for n, s in enumerate(sheets) if s.kind == kind for each in s.drafts]
    return [number for number, _ in placed], [each for _, each in placed]


def _compare(
    drafts: Iterable[Draft | Rejected], known: Mapping[str, str]
) -> Iterator[Draft | Rejected | _Repeated]:
    """Tell repeated rows, and reject the second of two that say different things of one key."""
    first: dict[str, tuple[str, str]] = {}  # key → content hash and place of its first row
    for each in drafts:
        if isinstance(each, Rejected):
            yield each
            continue
        key, content = each.record.key, each.record.content_hash()
        seen = first.setdefault(key, (content, each.place))
        if seen[0] != content:
            yield _conflict(each, seen[1])
        elif seen[1] != each.place or known.get(key) == content:
            yield _Repeated(each)
        else:
            yield each


def _conflict(draft: Draft, place: str) -> Rejected:
    field = "id" if "id" in type(draft.record).model_fields else "need"
    key = draft.record.key.replace("\t", " – ")
    return draft.reject(field, f'trùng mã "{shorten(key)}" với {place} nhưng nội dung khác')


def _catalogue(
    settled: Iterable[Draft | Rejected | _Repeated],
    known: Mapping[str, str],
    known_names: Sequence[tuple[str, str]],
) -> Catalogue:
    drafts = [each for each in settled if isinstance(each, Draft)]
    drafts += [each.draft for each in settled if isinstance(each, _Repeated)]
    records = [each.record for each in drafts]
    names = [(record.name, record.id) for record in records if isinstance(record, Product)]
    names += [each for each in known_names if each not in names]
    return Catalogue([*known, *(record.key for record in records)], names)


def _account(sheets: Sequence[_Sheet], verdicts: Sequence[_Verdict]) -> Loaded:
    """Put records in the order of kinds, everything else in the order of files and rows."""
    rejected = [list(sheet.rejected) for sheet in sheets]
    notices = [list(sheet.notices) for sheet in sheets]
    loaded, repeated = Counter[int](), Counter[int]()
    records = []
    for number, outcome in verdicts:
        if isinstance(outcome, Rejected):
            rejected[number].append(outcome)
            continue
        if isinstance(outcome, _Repeated):
            repeated[number] += 1
            notices[number] += outcome.draft.notices
            continue
        loaded[number] += 1
        notices[number] += outcome.notices
        records.append(outcome.record)
    counts = []
    for number, sheet in enumerate(sheets):
        refused = sheet.rows - loaded[number] - repeated[number]
        rest = (sheet.rows, loaded[number], repeated[number], refused)
        counts.append(FileCount(sheet.file, sheet.sheet, sheet.kind, *rest))
    return Loaded(
        tuple(records),
        tuple(each for group in rejected for each in sorted(group, key=lambda r: r.row)),
        tuple(each for group in notices for each in sorted(group, key=lambda n: n.row)),
        tuple(counts),
    )
