"""Mapped tables → what would change → the store, in short batches that say how far they came.

Nothing is loaded before somebody has seen what it would do. Loading goes on after the request: each
batch is one transaction and is then noted beside the upload, so that a process that is stopped or
killed leaves a store that is whole and a note that is true; loading the file again goes on where it
stopped, since what is loaded already is no change.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from corpus.headings import shorten, title
from corpus.infer import complete
from corpus.lexicon import Lexicon
from corpus.readers import FileCount, Known, Loaded, Notice, Rejected, read_as, write_rejected
from corpus.records import KINDS, Product, Record, Technology
from corpus.shown import json_text
from corpus.store import Store
from corpus.tables import Table
from corpus.workflow import Merge
from service.desk_base import VIETNAM
from service.desk_merging import merged_hashes
from service.filled_forms import note_answers
from service.mapping import Plan, apply, check

BATCH: Final = 500
SHOWN: Final = 30  # changed records, rejected rows and first records that a preview lists
STALE: Final = 120.0  # seconds without a sign of life after which a load counts as stopped
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
    loaded = read_as([(table, kind) for table, kind in mapped if kind], Known(**hashes))
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
    )


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
        if name not in {"extra", "source", "inferred"}
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
        if name in {"source", "inferred"} or before.get(name) == after.get(name):
            continue
        shown = HIDDEN if name in hidden else text(before.get(name))
        yield title(new.kind_name, name), shown, text(after.get(name))


def text(value: object) -> str:
    """Return a value as a preview shows it."""
    return shorten(json_text(value) or "", 200) if value is not None else "chưa rõ"


# Loading ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far a load has come; written after every batch.

    ``state`` is ``loading``, ``done`` or ``failed``; ``seen`` the time of the last sign of life.
    """

    state: str
    total: int
    done: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    technologies: int = 0  # of those added or changed: they make the index stale
    alike: int = 0  # new records that may tell the same as one that was there before
    message: str = ""
    seen: float = 0.0
    process: int = 0

    def stopped(self, now: float | None = None) -> bool:
        """Whether it says ``loading`` but whoever did it gives no sign of life any more."""
        return self.state == "loading" and (time.time() if now is None else now) - self.seen > STALE

    def to_json(self) -> Mapping[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def begun() -> Progress:
    """Return the progress of a load that has yet to look at its file."""
    return _alive(Progress("loading", 0))


def start(found: Preview) -> Progress:
    """Return the progress of a load that is about to begin."""
    ready = Progress("loading", len(found.records), unchanged=found.unchanged)
    return _alive(replace(ready, rejected=len(found.rejected)))


def _alive(progress: Progress) -> Progress:
    return replace(progress, seen=time.time(), process=os.getpid())


def write(store: Store, found: Preview, actor: str, at: str) -> Iterator[Progress]:
    """Write the records of ``found``, one transaction a batch; yield how far it is after each.

    Raises:
        StoreError: the store cannot be written; what was yielded before is written.
    """
    progress = start(found)
    for first in range(0, len(found.records), BATCH):
        batch = found.records[first : first + BATCH]
        saved = store.save(batch, actor=actor, at=at)
        supply = sum(isinstance(each, Technology) for each in batch)
        progress = _alive(
            replace(
                progress,
                done=progress.done + len(batch),
                added=progress.added + saved.added,
                changed=progress.changed + saved.changed,
                unchanged=progress.unchanged + saved.unchanged,
                technologies=progress.technologies + supply,
            )
        )
        yield progress
    note_answers(store, dt.datetime.fromisoformat(at).astimezone(VIETNAM).date(), actor, at)
    yield replace(progress, state="done")


def corrections(rejected: Sequence[Rejected], folder: Path, suffix: str) -> tuple[Path, ...]:
    """Write the rejected rows into ``folder``, ready to be corrected and loaded again."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_rejected(rejected, folder / f"{CORRECTIONS}{suffix}")
