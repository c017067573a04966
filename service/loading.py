"""Files into the store: read, infer what may be inferred, save, account for every row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from corpus import archives
from corpus.apart import read_apart
from corpus.documents import SUFFIXES, Format, format_of
from corpus.files import DEFAULT_LIMITS, UnreadableFile, load_bytes
from corpus.headings import UnknownTable, recognise
from corpus.infer import complete
from corpus.lexicon import Lexicon
from corpus.passages import candidates
from corpus.readers import FileCount, Known, Notice, Rejected, read, write_rejected
from corpus.reading import Content
from corpus.records import KINDS, Need, Product
from corpus.store import Saved, Store
from corpus.tables import Table, read_tables
from corpus.workflow import Merge, Suggestion
from service import duplicates
from service.desk_merging import merged_hashes
from service.filled_forms import Forms, note_answers
from service.suggesting import fresh, suggestions_of

RECORD_FILES = (".xlsx", ".csv", ".tsv", ".jsonl")
READABLE = (*RECORD_FILES, *SUFFIXES, ".zip")  # what a folder is searched for
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


class _Files:
    """The files of one load: what each is called, what is inside archives, what documents hold."""

    def __init__(self, paths: Iterable[Path], scratch: Path, forms: Forms) -> None:
        self.paths: list[Path] = []
        self.labels: dict[Path, str] = {}
        self.refused: list[Rejected] = []
        self.contents: dict[Path, Content] = {}
        self.forms = forms
        for number, path in enumerate(dict.fromkeys(paths)):
            if path.is_file() and _is_archive(path):
                self._unpack(path, scratch / str(number))
            else:
                self.paths.append(path)

    def _unpack(self, path: Path, into: Path) -> None:
        try:
            unpacked = archives.unpack(path, into, DEFAULT_LIMITS)
        except UnreadableFile as error:
            self.refused.append(Rejected(path.name, None, 0, None, None, error.reason))
            return
        for name, reason in unpacked.refused:
            self.refused.append(Rejected(f"{path.name}/{name}", None, 0, None, None, reason))
        for name, file in unpacked.files:
            self.paths.append(file)
            self.labels[file] = f"{path.name}/{name}"

    def open(self, path: Path) -> Sequence[Table]:
        """Return the tables of a file, forms among them. Raises UnreadableFile."""
        found = format_of(path, load_bytes(path, DEFAULT_LIMITS))
        if found is Format.TABLE or (found is Format.TEXT and _is_table(path)):
            return self.forms.opened(read_tables(path))
        content = self.contents[path] = read_apart(path)
        return self.forms.opened(list(content.tables))

    def called(self, path: Path) -> str:
        """Return what messages call a file."""
        return self.labels.get(path, path.name)

    def told(self) -> tuple[list[Rejected], list[Notice]]:
        """Return the forms that could not be read, and what is to be said of the documents."""
        rejected, notices = list(self.refused), []
        for path, content in self.contents.items():
            name = self.called(path)
            notices += [Notice(name, None, 0, None, each) for each in content.notices]
            for place, reason in content.refused:
                rejected.append(Rejected(f"{name}{place}", None, 0, None, None, reason))
        return rejected, notices

    def suggested(self, lexicon: Lexicon) -> list[Suggestion]:
        """Return what the running text of the documents proposes."""
        return [
            suggestion
            for path, content in self.contents.items()
            if content.running
            for suggestion in suggestions_of(
                self.called(path), candidates(content.running, lexicon)
            )
        ]


def _is_table(path: Path) -> bool:
    """Whether a text file is a table of records, as programs export them under any name."""
    try:
        tables = read_tables(path)
        return all(recognise(each.headings, None, path.name) for each in tables)
    except (UnreadableFile, UnknownTable):
        return False


def _is_archive(path: Path) -> bool:
    if path.stat().st_size > DEFAULT_LIMITS.file_bytes:
        return False  # for the readers to refuse
    with path.open("rb") as file:
        packed = file.read(2) == b"PK"
    return packed and format_of(path, path.read_bytes()) is Format.ZIP


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
        files = _Files(expanded, Path(scratch), Forms.of(store))
        there = {kind: store.hashes(kind) for kind in KINDS}
        loaded = read(files.paths, _known(store, there), files.open, files.labels)
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
        answered,
    )


def _known(store: Store, there: Mapping[str, Mapping[str, str]]) -> Known:
    """What the store holds, or held before it was merged; a need may call its product by name."""
    merges = store.all(Merge)
    hashes = {kind: {**there[kind], **merged_hashes(merges, kind)} for kind in KINDS}
    names = [(each, product.id) for product in store.all(Product)
             for each in (product.name, *product.aliases)]  # fmt: skip
    return Known.of_kinds(hashes, names)
