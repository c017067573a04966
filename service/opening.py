"""Files of every kind → their tables and what else they hold.

Archives are unpacked, documents read in a process of their own. The command line and the import
page open files the same way; what cannot be read is told by the
name of the file, in an archive by its name there, and never stops the others.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from corpus import archives
from corpus.apart import Allowance, read_apart
from corpus.documents import SUFFIXES, Format, format_of
from corpus.files import DEFAULT_LIMITS, Limits, UnreadableFile, load_bytes
from corpus.headings import UnknownTable, recognise
from corpus.lexicon import Lexicon
from corpus.passages import candidates
from corpus.readers import Notice, Rejected
from corpus.reading import Content, table_of_json
from corpus.tables import Table, read_tables
from corpus.workflow import Suggestion
from service.suggesting import suggestions_of

RECORD_FILES: Final = (".xlsx", ".csv", ".tsv", ".jsonl")
USUAL: Final = Allowance()
_SLOW: Final = "các tệp trước nó đã cần hơn {:g} giây nên chưa đọc; hãy nạp tệp này riêng"
READABLE: Final = (*RECORD_FILES, *SUFFIXES, ".zip")


class Files:
    """Files to be read: what each is called, what is inside archives, what documents hold."""

    def __init__(
        self,
        paths: Iterable[Path],
        scratch: Path,
        limits: Limits = DEFAULT_LIMITS,
        allowed: Allowance = USUAL,
    ) -> None:
        """Unpack what is an archive into the folder ``scratch``."""
        self.paths: list[Path] = []
        self.labels: dict[Path, str] = {}
        self.refused: list[Rejected] = []
        self.contents: dict[Path, Content] = {}
        self._limits, self._allowed = limits, allowed
        for number, path in enumerate(dict.fromkeys(paths)):
            if path.is_file() and self._is_archive(path):
                self._unpack(path, scratch / str(number))
            else:
                self.paths.append(path)

    def _is_archive(self, path: Path) -> bool:
        if path.stat().st_size > self._limits.file_bytes:
            return False  # for the readers to refuse
        with path.open("rb") as file:
            packed = file.read(2) == b"PK"
        return packed and format_of(path, path.read_bytes()) is Format.ZIP

    def _unpack(self, path: Path, into: Path) -> None:
        try:
            unpacked = archives.unpack(path, into, self._limits)
        except UnreadableFile as error:
            self.refused.append(_refusal(path.name, error.reason))
            return
        self.refused += [_refusal(f"{path.name}/{name}", why) for name, why in unpacked.refused]
        for name, file in unpacked.files:
            self.paths.append(file)
            self.labels[file] = f"{path.name}/{name}"

    def open(self, path: Path) -> Sequence[Table]:
        """Return the tables of a file, forms among them. Raises UnreadableFile."""
        found = format_of(path, load_bytes(path, self._limits))
        if found is Format.TABLE or (found is Format.TEXT and _is_table(path)):
            return read_tables(path, self._limits)
        content = self.contents[path] = read_apart(path, self._limits, self._allowed)
        return content.tables

    def called(self, path: Path) -> str:
        """Return what messages call a file."""
        return self.labels.get(path, path.name)

    def told(self) -> tuple[list[Rejected], list[Notice]]:
        """Return the forms that could not be read, and what is to be said of the documents."""
        rejected, notices = list(self.refused), []
        for path, content in self.contents.items():
            name = self.called(path)
            notices += [Notice(name, None, 0, None, each) for each in content.notices]
            rejected += [_refusal(f"{name}{place}", why) for place, why in content.refused]
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


def _refusal(name: str, reason: str) -> Rejected:
    return Rejected(name, None, 0, None, None, reason)


def _is_table(path: Path) -> bool:
    """Whether a text file is a table of records, as programs export them under any name."""
    try:
        tables = read_tables(path)
        return all(recognise(each.headings, None, path.name) for each in tables)
    except (UnreadableFile, UnknownTable):
        return False


@dataclass(frozen=True)
class Held:
    """What one file holds, once read: the tables of each file in it, and what is beside them."""

    groups: tuple[tuple[Table, ...], ...]
    rejected: tuple[Rejected, ...] = ()
    notices: tuple[Notice, ...] = ()
    suggested: tuple[Suggestion, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, to be kept beside the file."""
        return {
            "groups": [[_plain(each) for each in group] for group in self.groups],
            "rejected": [[each.file, each.reason] for each in self.rejected],
            "notices": [[each.file, each.text] for each in self.notices],
            "suggested": [each.to_json() for each in self.suggested],
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Held:
        """Return what :meth:`to_json` wrote."""
        return cls(
            tuple(tuple(map(table_of_json, group)) for group in data["groups"]),
            tuple(_refusal(*each) for each in data["rejected"]),
            tuple(Notice(file, None, 0, None, text) for file, text in data["notices"]),
            tuple(map(Suggestion.model_validate, data["suggested"])),
        )


def _plain(table: Table) -> dict[str, Any]:
    rows = [
        {"number": n, "values": values, "problem": problem, "sure": sure}
        for n, values, problem, sure in (
            (row.number, row.values, row.problem, row.sure) for row in table.rows
        )
    ]
    facts = {"file": table.file, "sheet": table.sheet, "headings": table.headings}
    return {**facts, "kind": table.kind, "rows": rows}


def is_document(path: Path, limits: Limits) -> bool:
    """Whether a file is read as a document or archive, not as a table. Raises UnreadableFile."""
    found = format_of(path, load_bytes(path, limits))
    return not (found is Format.TABLE or (found is Format.TEXT and _is_table(path)))


def hold(path: Path, lexicon: Lexicon, limits: Limits, allowed: Allowance, seconds: float) -> Held:
    """Read a document or an archive once, whatever of it can be read within so many seconds.

    ``allowed`` is what each file in it may take.
    """
    until = time.monotonic() + seconds
    with TemporaryDirectory(prefix="cungcau-") as scratch:
        files = Files([path], Path(scratch), limits, allowed)
        groups, rejected = [], []
        for each in files.paths:
            try:
                if time.monotonic() > until:
                    raise UnreadableFile(each, _SLOW.format(seconds))
                found = files.open(each)
            except UnreadableFile as error:
                rejected.append(_refusal(files.called(each), error.reason))
                continue
            label, name = files.called(each), each.name
            groups.append(tuple(
                replace(table, file=label + table.file.removeprefix(name)) for table in found
            ))  # fmt: skip
        refused, notices = files.told()
        suggested = tuple(files.suggested(lexicon))
    return Held(tuple(groups), (*rejected, *refused), tuple(notices), suggested)
