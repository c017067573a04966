"""Files into the store: read, infer what may be inferred, save, account for every row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from corpus.infer import complete
from corpus.lexicon import Lexicon
from corpus.readers import FileCount, Known, Notice, Rejected, read, write_rejected
from corpus.records import KINDS, Need, Product, Record
from corpus.store import Saved, Store
from corpus.workflow import Merge, Suggestion
from service import duplicates
from service.desk_merging import merged_hashes
from service.filled_forms import Forms, note_answers
from service.opening import READABLE, Files
from service.suggesting import fresh

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
    """What one load did. ``corrections`` are the files to correct and load again.

    ``suggested`` is what running text proposes: kept apart until a person accepts it.
    """

    counts: tuple[FileCount, ...]
    rejected: tuple[Rejected, ...]
    notices: tuple[Notice, ...]
    saved: Saved
    corrections: tuple[Path, ...]
    alike: Mapping[str, int | None] = field(default_factory=dict)  # kind → new ones told before
    suggested: tuple[Suggestion, ...] = ()
    read: tuple[Record, ...] = ()  # the records out of documents, which say how surely
    answered: tuple[str, ...] = ()  # bodies asked for needs whose first form this was


def sample_files() -> list[Path]:
    """The demonstration records that come with the program."""
    folder = Path(str(resources.files("corpus"))) / "sample"
    return [folder / name for name in SAMPLE_FILES]


def expand(paths: Iterable[Path]) -> tuple[list[Path], list[Notice]]:
    """Return ``paths`` with each folder as its files that can be read, and what else is there.

    A folder without any such file stays itself, so that it is rejected by name.
    """
    files: list[Path] = []
    notices: list[Notice] = []
    for path in paths:
        inside = sorted(filter(_is_kept, path.iterdir())) if path.is_dir() else []
        readable = [each for each in inside if _is_readable(each)]
        files += readable or [path]
        if readable:
            notices += [_skipped(each) for each in inside if each not in readable]
    return files, notices


def _is_kept(path: Path) -> bool:
    """Whether somebody put the file there: not what systems and spreadsheets leave beside them."""
    return not path.name.startswith((".", "~$"))


def _is_readable(path: Path) -> bool:
    about = path.stem.upper() == "README"  # of the folder, not in it
    return path.suffix.lower() in READABLE and path.is_file() and not about


def _skipped(path: Path) -> Notice:
    told = "thư mục con" if path.is_dir() else f"không phải tệp {', '.join(READABLE)}"
    return Notice(path.name, None, 0, None, f"đã bỏ qua: {told}")


def load(
    paths: Sequence[Path], folder: Path, lexicon: Lexicon, day: dt.date | None = None
) -> Report:
    """Load ``paths`` into the store of ``folder``; what is good is loaded whatever else is not.

    A folder among ``paths`` stands for the files in it that can be read (not in its subfolders), an
    archive for those inside. Running text only suggests records: :mod:`service.suggesting`. A body
    whose form is among them answered on ``day`` (unset: today).

    Raises:
        StoreError: the store cannot be written.
    """
    expanded, skipped = expand(paths)
    with TemporaryDirectory(prefix="cungcau-") as scratch, Store.create(folder) as store:
        files, forms = Files(expanded, Path(scratch)), Forms.of(store)
        there = {kind: store.hashes(kind) for kind in KINDS}
        loaded = read(
            files.paths,
            _known(store, there),
            lambda path: forms.opened(list(files.open(path))),
            files.labels,
        )
        records = complete(loaded.records, store.all(Product), lexicon)
        suggested = fresh(store, files.suggested(lexicon))
        needs = {*there[Need.kind_name], *(r.key for r in records if isinstance(r, Need))}
        with store.writing() as writing:  # all of it or nothing
            saved = store.save(records)
            store.save(suggested)
            answered = note_answers(writing, needs, day or dt.date.today())
        alike = duplicates.of_loaded(store, lexicon, loaded.records, there)
    refused, told = files.told()
    rejected = (*loaded.rejected, *refused)
    corrections = write_rejected(rejected, folder / REJECTED) if rejected else ()
    notices = (*skipped, *told, *loaded.notices)
    return Report(
        loaded.counts,
        rejected,
        notices,
        saved,
        corrections,
        alike,
        tuple(suggested),
        tuple(each for each in records if each.certainty),
        answered,
    )


def _known(store: Store, there: Mapping[str, Mapping[str, str]]) -> Known:
    """What the store holds, or held before it was merged; a need may call its product by name."""
    merges = store.all(Merge)
    hashes = {kind: {**there[kind], **merged_hashes(merges, kind)} for kind in KINDS}
    return Known.of_kinds(hashes, store.all(Product))
