"""Mapped tables → what would change → the store, all of it or nothing.

Nothing is loaded before somebody has seen what it would do. A load is one transaction that tells
how far it is after every batch; one that fails or is killed leaves the store as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from corpus.headings import shorten, title
from corpus.infer import complete
from corpus.lexicon import Lexicon
from corpus.readers import FileCount, Known, Loaded, Notice, Rejected, read_as, write_rejected
from corpus.record import ABOUT
from corpus.records import KINDS, Product, Record, Technology
from corpus.shown import json_text
from corpus.store import Store, Writing
from corpus.tables import Table
from corpus.workflow import Merge, Suggestion
from service.desk_merging import merged_hashes
from service.mapping import Plan, apply, check, headings

BATCH: Final = 500
SHOWN: Final = 30  # changed records, rejected rows and first records that a preview lists
HIDDEN: Final = "theo NDA"
CORRECTIONS: Final = "dong-bi-tu-choi"
_GUARDED: Final = (
    "bản ghi này đang có phần theo NDA; chỉ người có quyền đọc phần NDA mới nạp đè lên được"
)


@dataclass(frozen=True)
class Change:
    """A record that the store has and the file says otherwise: heading, old and new text."""

    kind: str
    key: str
    fields: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Preview:
    """What loading would do. ``records`` are those that would be written."""

    records: tuple[Record, ...]
    new: int
    changed: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    notices: tuple[Notice, ...]
    counts: tuple[FileCount, ...]
    changes: tuple[Change, ...]
    suggested: tuple[Suggestion, ...] = ()  # by running text: to wait for a person
    # file, sheet and heading of ours → the file's own heading, where it differs
    headings: Mapping[tuple[str, str | None, str | None], str] = field(default_factory=dict)

    @property
    def first(self) -> tuple[Record, ...]:
        """The first records, to be looked at."""
        return self.records[:SHOWN]


def preview(
    tables: Sequence[tuple[Table, Plan]], store: Store, lexicon: Lexicon, may_read_nda: bool
) -> Preview:
    """Return what loading the mapped tables would do; nothing is written.

    Raises:
        MappingError: a plan lacks something.
    """
    for table, plan in tables:
        check(table, plan)
    products = store.all(Product)
    mapped = [(apply(table, plan, products), plan.kind) for table, plan in tables if plan.kind]
    merges = store.all(Merge)
    hashes = {kind: store.hashes(kind) | merged_hashes(merges, kind) for kind in KINDS}
    guarded = _guarded(store, mapped, may_read_nda)
    hashes["technology"] |= dict.fromkeys(guarded, "")  # never equal: equality would tell the text
    known = Known.of_kinds(hashes, products)
    loaded = read_as([(table, kind) for table, kind in mapped if kind], known)
    kept, refused = _apart(loaded, guarded)
    records = tuple(complete(kept, products, lexicon))
    old = [each for each in records if each.key in hashes[each.kind_name]]
    return Preview(
        records,
        len(records) - len(old),
        len(old),
        sum(each.repeated for each in loaded.counts),
        (*loaded.rejected, *refused),
        loaded.notices,
        _recounted(loaded.counts, refused),
        tuple(_changes(old[:SHOWN], store, may_read_nda)),
        headings=_own_headings(tables),
    )


def _own_headings(
    tables: Sequence[tuple[Table, Plan]],
) -> dict[tuple[str, str | None, str | None], str]:
    return {
        (table.file, table.sheet, ours): own
        for table, plan in tables
        if plan.kind
        for own, ours in headings(table, plan)
        if own != ours
    }


def _guarded(
    store: Store, mapped: Sequence[tuple[Table, str | None]], may_read_nda: bool
) -> frozenset[str]:
    """The technologies that this person may not write over: what is hidden would be erased."""
    if may_read_nda or all(kind != "technology" for _, kind in mapped):
        return frozenset()
    return frozenset(each.id for each in store.all(Technology) if each.restricted)


def _apart(loaded: Loaded, guarded: frozenset[str]) -> tuple[list[Record], list[Rejected]]:
    kept, refused = [], []
    for each in loaded.records:
        if isinstance(each, Technology) and each.id in guarded:
            refused.append(_refusal(each))
        else:
            kept.append(each)
    return kept, refused


def _refusal(record: Technology) -> Rejected:
    cells = [
        (title("technology", name), json_text(value)) for name, value in record.to_json().items()
        if name not in {"extra", *ABOUT}
    ]  # fmt: skip
    cells += list(record.extra.items())
    column = title("technology", "id")
    return Rejected(
        record.source or "", None, 0, column, record.id, _GUARDED, tuple(cells), "technology"
    )


def _recounted(counts: Sequence[FileCount], refused: Sequence[Rejected]) -> tuple[FileCount, ...]:
    """Move what was refused afterwards from loaded to rejected, so that the rows still add up."""
    left = len(refused)
    changed = []
    for each in counts:
        moved = min(left, each.loaded) if each.kind == "technology" else 0
        left -= moved
        changed.append(replace(each, loaded=each.loaded - moved, rejected=each.rejected + moved))
    return tuple(changed)


def _changes(records: Iterable[Record], store: Store, may_read_nda: bool) -> Iterator[Change]:
    for new in records:
        old = store.get(type(new), new.key)
        if old is not None:
            yield Change(new.kind_name, new.key, tuple(_differences(old, new, may_read_nda)))


def _differences(old: Record, new: Record, may_read_nda: bool) -> Iterator[tuple[str, str, str]]:
    before, after = old.to_json(), new.to_json()
    hidden = set(before.get("restricted", ())) if not may_read_nda else set()
    for name in type(new).model_fields:
        if name in ABOUT or before.get(name) == after.get(name):
            continue
        shown = HIDDEN if name in hidden else text(before.get(name))
        yield title(new.kind_name, name), shown, text(after.get(name))


def text(value: object) -> str:
    """Return a value as a preview shows it."""
    return shorten(json_text(value) or "", 200) if value is not None else "chưa rõ"


def wording(record: Record) -> str:
    """Return the words by which people know a record: its name, or what it asks for."""
    facts = record.to_json()
    return next((text(facts[name]) for name in ("name", "topic", "text") if facts.get(name)), "")


# Loading ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far a load has come; written after every batch.

    ``state`` is ``loading``, ``done``, ``failed`` or ``stopped``: its process ended before it did.
    What failed or stopped has loaded nothing.
    """

    state: str
    total: int
    done: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    technologies: int = 0  # of those added or changed: they make the index stale
    suggested: int = 0  # what text proposes, kept for a person to decide
    alike: int = 0  # new records that may tell the same as one that was there before
    message: str = ""
    first: tuple[tuple[str, str, str], ...] = ()  # kind, key and words of the first records

    def nothing(self, state: str, message: str = "") -> Progress:
        """Return what is told where it all was taken back."""
        return Progress(state, self.total, rejected=self.rejected, message=message)


def begun() -> Progress:
    """Return the progress of a load that has yet to look at its file."""
    return Progress("loading", 0)


def start(found: Preview) -> Progress:
    """Return the progress of a load that is about to begin."""
    return Progress(
        "loading",
        len(found.records),
        unchanged=found.unchanged,
        rejected=len(found.rejected),
        suggested=len(found.suggested),
        first=tuple((each.kind_name, each.key, wording(each)) for each in found.first),
    )


def write(writing: Writing, found: Preview) -> Iterator[Progress]:
    """Write the records of ``found``, all in the one transaction; yield how far it is.

    Raises:
        StoreError: the store cannot be written.
    """
    progress = start(found)
    for first in range(0, len(found.records), BATCH):
        batch = found.records[first : first + BATCH]
        added, changed, unchanged = writing.save(batch)
        progress = replace(
            progress,
            done=progress.done + len(batch),
            added=progress.added + added,
            changed=progress.changed + changed,
            unchanged=progress.unchanged + unchanged,
            technologies=progress.technologies + sum(isinstance(r, Technology) for r in batch),
        )
        yield progress


def corrections(rejected: Sequence[Rejected], folder: Path, suffix: str) -> tuple[Path, ...]:
    """Write the rejected rows into ``folder``, ready to be corrected and loaded again."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_rejected(rejected, folder / f"{CORRECTIONS}{suffix}")
