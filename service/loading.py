"""Files into the store: read, infer what may be inferred, save, account for every row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from corpus.infer import complete
from corpus.lexicon import Lexicon
from corpus.readers import FileCount, Known, Notice, Rejected, read, write_rejected
from corpus.records import KINDS, Need, Product
from corpus.store import Saved, Store
from corpus.workflow import Merge
from service import duplicates
from service.desk_merging import merged_hashes
from service.filled_forms import Forms, note_answers

RECORD_FILES = (".xlsx", ".csv", ".tsv", ".jsonl")  # what a folder is searched for
SAMPLE_FILES = (
    "products.csv",
    "technologies.csv",
    "needs.csv",
    "judgments.tsv",
    "proposals.csv",
    "tasks.csv",
)
REJECTED = "dong-bi-tu-choi.xlsx"


@dataclass(frozen=True)
class Report:
    """What one load did. ``corrections`` are the files to correct and load again."""

    counts: tuple[FileCount, ...]
    rejected: tuple[Rejected, ...]
    notices: tuple[Notice, ...]
    saved: Saved
    corrections: tuple[Path, ...]
    alike: Mapping[str, int | None] = field(default_factory=dict)  # kind → new ones told before
    answered: tuple[str, ...] = ()  # bodies asked for needs whose first form this was


def sample_files() -> list[Path]:
    """The demonstration records that come with the program."""
    folder = Path(str(resources.files("corpus"))) / "sample"
    return [folder / name for name in SAMPLE_FILES]


def expand(paths: Iterable[Path]) -> tuple[list[Path], list[Notice]]:
    """Return ``paths`` with each folder as the record files in it, and what else stands there.

    A folder without any record file stays itself, so that it is rejected by name.
    """
    files: list[Path] = []
    notices: list[Notice] = []
    for path in paths:
        inside = sorted(filter(_is_kept, path.iterdir())) if path.is_dir() else []
        records = [each for each in inside if _is_record_file(each)]
        files += records or [path]
        if records:
            notices += [_skipped(each) for each in inside if each not in records]
    return files, notices


def _is_kept(path: Path) -> bool:
    """Whether somebody put the file there: not what systems and spreadsheets leave beside them."""
    return not path.name.startswith((".", "~$"))


def _is_record_file(path: Path) -> bool:
    return path.suffix.lower() in RECORD_FILES and path.is_file()


def _skipped(path: Path) -> Notice:
    told = "thư mục con" if path.is_dir() else f"không phải tệp {', '.join(RECORD_FILES)}"
    return Notice(path.name, None, 0, None, f"đã bỏ qua: {told}")


def load(
    paths: Sequence[Path], folder: Path, lexicon: Lexicon, day: dt.date | None = None
) -> Report:
    """Load ``paths`` into the store of ``folder``; what is good is loaded whatever else is not.

    A folder among ``paths`` stands for the record files in it (not in its subfolders). A body whose
    form is among them answered on ``day`` (unset: today).

    Raises:
        StoreError: the store cannot be written.
    """
    files, skipped = expand(paths)
    with Store.create(folder) as store:
        there = {kind: store.hashes(kind) for kind in KINDS}
        merges = store.all(Merge)
        known = Known(**{kind: there[kind] | merged_hashes(merges, kind) for kind in KINDS})
        loaded = read(files, known, Forms.of(store).opened)
        saved = store.save(complete(loaded.records, store.all(Product), lexicon))
        alike = duplicates.of_loaded(store, lexicon, loaded.records, there)
        keys = store.hashes(Need.kind_name)
        with store.writing() as writing:
            answered = note_answers(writing, keys, day or dt.date.today())
    corrections = write_rejected(loaded.rejected, folder / REJECTED) if loaded.rejected else ()
    notices = (*skipped, *loaded.notices)
    return Report(loaded.counts, loaded.rejected, notices, saved, corrections, alike, answered)
