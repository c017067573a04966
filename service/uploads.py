"""Files that people upload to be looked at before they are loaded: kept apart, for a while.

An upload changes nothing: it lies in a folder of its person's own under ``uploads/`` until it is
loaded, thrown away, or a day old. Names come from outside and name no path; what is kept beside the
file (mapping, how far loading came) is written whole or not at all, so that any worker process can
go on with it and a killed one leaves something true.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from corpus.apart import Allowance
from corpus.files import Limits, UnreadableFile
from corpus.lexicon import Lexicon
from corpus.tables import Table, read_tables
from corpus.text import normalise
from service.opening import READABLE, Held, hold, is_document

FOLDER: Final = "uploads"
KEPT: Final = 24 * 3600  # seconds
MOST: Final = 10  # uploads of one person at a time; the oldest goes first
LIMITS: Final = Limits(
    file_bytes=20 * 2**20, unpacked_bytes=200 * 2**20, rows=200_000, cells=4_000_000, seconds=60
)
ALLOWED: Final = Allowance(seconds=60, memory=2**30)  # of the process that reads one document
ALL_SECONDS: Final = 240.0  # of all that an archive holds: somebody waits for it
_NOTHING: Final = (
    "không thấy bảng, phiếu hay đoạn văn nào có thể thành sản phẩm, nhu cầu, công nghệ"
)
_TOKEN: Final = re.compile(r"[0-9a-f]{32}")
_BAD: Final = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\ud800-\udfff]+')


class UploadError(ValueError):
    """An upload that is refused; the message says why and what to do."""


@dataclass(frozen=True)
class Upload:
    """One uploaded file."""

    token: str
    name: str  # as the person calls it, without any path
    folder: Path

    @property
    def file(self) -> Path:
        """Where its bytes are."""
        return self.folder / self.name

    @property
    def rejected(self) -> Path:
        """The folder of files with rejected rows."""
        return self.folder / "rejected"

    def tables(self) -> list[tuple[Table, ...]]:
        """Return the tables of each file in it. Raises UploadError: none can be loaded of it."""
        if held := self.held():
            return list(held.groups)
        try:
            return [tuple(read_tables(self.file, LIMITS))]
        except UnreadableFile as error:
            raise UploadError(f"{self.name}: {error.reason}") from error

    def held(self) -> Held | None:
        """Return what the document or archive holds as it was read once; ``None``: a table."""
        facts = self.noted("held")
        return Held.of_json(facts) if facts else None

    def read(self, lexicon: Callable[[], Lexicon]) -> None:
        """Read a document or an archive and keep what it holds; a table is read when it is needed.

        Raises:
            UploadError: nothing of it can be loaded.
        """
        try:
            if not is_document(self.file, LIMITS):
                return
        except UnreadableFile as error:
            raise UploadError(f"{self.name}: {error.reason}") from error
        found = hold(self.file, lexicon(), LIMITS, ALLOWED, ALL_SECONDS)
        if not found.suggested and not any(found.groups):
            told = "; ".join(f"{each.file}: {each.reason}" for each in found.rejected[:3])
            raise UploadError(told or f"{self.name}: {_NOTHING}")
        self.note("held", found.to_json())

    def note(self, name: str, facts: Any) -> None:
        """Keep plain data beside the file, whole or not at all."""
        handle, scratch = tempfile.mkstemp(dir=self.folder, prefix=".note-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(facts, file, ensure_ascii=False)
        Path(scratch).replace(self.folder / f".{name}.json")

    def noted(self, name: str) -> Any:
        """Return what :meth:`note` kept, or ``None``."""
        try:
            return json.loads((self.folder / f".{name}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None


def clean_name(name: str) -> str:
    """Return the name of an uploaded file without path, control characters and dots in front."""
    last = re.split(r"[/\\]", name)[-1]
    stem, dot, suffix = normalise(_BAD.sub(" ", last)).rpartition(".")
    stem = stem.lstrip(". ") if dot else suffix
    while len(stem.encode()) > 120:
        stem = stem[:-1]
    suffix = f".{suffix.lower()}" if dot else ""
    if suffix not in READABLE:
        raise UploadError(
            f"chỉ nhận tệp {', '.join(READABLE)}; hãy lưu lại tệp ở một trong các dạng này"
        )
    return f"{stem.strip() or 'tep'}{suffix}"


class Uploads:
    """The uploads under one work folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def keep(self, login: str, name: str, stream: BinaryIO) -> Upload:
        """Keep what ``stream`` holds as an upload of ``login``.

        Raises:
            UploadError: the name has no known ending, or the file is too large.
        """
        name = clean_name(name)
        home = self._home(login)
        home.mkdir(parents=True, exist_ok=True)
        self.purge()
        self._make_room(home)
        token = secrets.token_hex(16)
        upload = Upload(token, name, home / token)
        upload.folder.mkdir()
        try:
            self._copy(stream, upload.file)
        except BaseException:
            shutil.rmtree(upload.folder, ignore_errors=True)
            raise
        upload.note("upload", {"name": name})
        return upload

    def _copy(self, stream: BinaryIO, target: Path) -> None:
        size = 0
        with target.open("wb") as file:
            while block := stream.read(2**20):
                size += len(block)
                if size > LIMITS.file_bytes:
                    limit = LIMITS.file_bytes // 2**20
                    raise UploadError(f"tệp quá {limit} MB; hãy chia thành nhiều tệp")
                file.write(block)

    def find(self, login: str, token: str) -> Upload | None:
        """Return an upload of ``login``, or ``None``: there is none, or it is somebody else's."""
        if not _TOKEN.fullmatch(token):
            return None
        found = Upload(token, "", self._home(login) / token)
        facts = found.noted("upload")
        return Upload(token, facts["name"], found.folder) if facts else None

    def of(self, login: str) -> list[Upload]:
        """Return the uploads of ``login``, the newest first."""
        found = [self.find(login, each.name) for each in _by_age(self._home(login))]
        return [each for each in reversed(found) if each]

    def drop(self, upload: Upload) -> None:
        """Throw an upload away."""
        shutil.rmtree(upload.folder, ignore_errors=True)

    def purge(self, now: float | None = None) -> None:
        """Throw away what is older than a day."""
        oldest = (time.time() if now is None else now) - KEPT
        for home in self.folder.glob("*"):
            for each in _by_age(home):
                if _changed(each) < oldest:
                    shutil.rmtree(each, ignore_errors=True)

    def _make_room(self, home: Path) -> None:
        for each in list(_by_age(home))[: -(MOST - 1)]:
            shutil.rmtree(each, ignore_errors=True)

    def _home(self, login: str) -> Path:
        """The folder of one person: a login may hold anything, its digest names no path."""
        return self.folder / hashlib.sha256(login.encode("utf-8", "replace")).hexdigest()[:32]


def _by_age(home: Path) -> Iterator[Path]:
    """The uploads of one person, the oldest first."""
    if home.is_dir():
        yield from sorted(home.iterdir(), key=lambda each: (_changed(each), each.name))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # thrown away by another worker a moment ago
        return 0.0
