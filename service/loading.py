"""Files into the store: read, infer what may be inferred, save, account for every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from corpus.infer import complete
from corpus.lexicon import Lexicon
from corpus.readers import FileCount, Known, Notice, Rejected, read, write_rejected
from corpus.records import Judgment, Need, Product, Technology
from corpus.store import Saved, Store

SAMPLE_FILES = ("products.csv", "technologies.csv", "needs.csv", "judgments.tsv")
REJECTED = "dong-bi-tu-choi.xlsx"


@dataclass(frozen=True)
class Report:
    """What one load did. ``corrections`` are the files to correct and load again."""

    counts: tuple[FileCount, ...]
    rejected: tuple[Rejected, ...]
    notices: tuple[Notice, ...]
    saved: Saved
    corrections: tuple[Path, ...]


def sample_files() -> list[Path]:
    """The demonstration records that come with the program."""
    folder = Path(str(resources.files("corpus"))) / "sample"
    return [folder / name for name in SAMPLE_FILES]


def load(paths: Sequence[Path], folder: Path, lexicon: Lexicon) -> Report:
    """Load ``paths`` into the store of ``folder``; what is good is loaded whatever else is not.

    Raises:
        StoreError: the store cannot be written.
    """
    with Store.create(folder) as store:
        kinds = (Product, Technology, Need, Judgment)
        known = Known(**{kind.kind_name: store.hashes(kind.kind_name) for kind in kinds})
        loaded = read(paths, known)
        saved = store.save(complete(loaded.records, store.all(Product), lexicon))
    corrections = write_rejected(loaded.rejected, folder / REJECTED) if loaded.rejected else ()
    return Report(loaded.counts, loaded.rejected, loaded.notices, saved, corrections)
