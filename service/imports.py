"""One upload on its way into the store: kept, its columns placed, looked at, loaded.

Pages and API take the same steps here. Loading goes on after the request, in a thread that holds a
lock beside the upload, and is one transaction that ends with its line in the audit: whoever is
killed before has loaded nothing, whoever is killed after has loaded all, and the audit says which.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import threading
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

from corpus.ids import PREFIX
from corpus.records import Need
from corpus.store import Store, StoreError, Writing
from corpus.tables import Table
from service import duplicates, importing, mapping
from service.contract import ApiError
from service.desk_base import VIETNAM
from service.desk_merging import MERGED
from service.discretion import discreet
from service.filled_forms import Forms, is_form, note_answers
from service.holds import Hold, held
from service.importing import Preview, Progress
from service.ledger import Ledger
from service.mapping import MappingError, Plan
from service.person import Person
from service.roles import NDA, may
from service.suggesting import fresh
from service.uploads import Upload, UploadError, Uploads
from service.workspace import Workspace

TABLES: Final = 20  # of a file that can be mapped
COLUMNS: Final = 400
PARTS: Final = 10  # times as many of a document or archive: each form in it is a table
NO_TABLE: Final = "Chưa chọn bảng nào để nạp"
AUDITED: Final = "import.load"
LOCK: Final = ".loading"
TYPES: Final = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".jsonl": "application/jsonl",
    ".zip": "application/zip",
}
log = logging.getLogger(__name__)


class Imports:
    """The imports of one person."""

    def __init__(self, space: Workspace, store: Store, ledger: Ledger, person: Person) -> None:
        self.space, self.store, self.ledger, self.person = space, store, ledger, person
        self._uploads = Uploads(space.folder)

    def receive(self, name: str, stream: BinaryIO) -> Upload:
        """Keep a file and guess what its columns carry.

        Raises:
            UploadError: it is none that can be loaded; nothing of it is kept.
        """
        kept = self._uploads.keep(self.person.login, name, stream)
        try:
            kept.read(self.space.lexicon)
            province = self.space.places().province
            self.choose(kept, [mapping.guess(each, province) for each in self._tables(kept)])
        except BaseException:
            self.drop(kept)
            raise
        return kept

    def all(self) -> list[Upload]:
        """Return what this person uploaded and is still kept, the newest first."""
        return self._uploads.of(self.person.login)

    def find(self, token: str) -> Upload:
        """Return one upload of this person.

        Raises:
            ApiError: 404, it was never there, is somebody else's, or has expired.
        """
        kept = self._uploads.find(self.person.login, token)
        if kept is None:
            told = "không có tệp này, hoặc đã quá một ngày: tải lên lại"
            raise ApiError(404, "unknown_upload", told)
        return kept

    def drop(self, kept: Upload) -> None:
        """Throw an upload away; what was loaded from it stays."""
        self._uploads.drop(kept)

    def tables(self, kept: Upload) -> list[Table]:
        """Return the tables of an upload.

        Raises:
            ApiError: 422, they cannot be read any more.
        """
        try:
            return self._tables(kept)
        except UploadError as error:
            raise ApiError(422, "unreadable", str(error)) from error

    def _tables(self, kept: Upload) -> list[Table]:
        """Return the tables of an upload; of a filled form its filled rows, with whose they are."""
        groups = _tables(kept)
        if not any(is_form(each) for group in groups for each in group):
            return [each for group in groups for each in group]
        forms = Forms.of(self.store)
        return [each for group in groups for each in forms.opened(list(group))]

    def choose(self, kept: Upload, plans: Sequence[Plan]) -> None:
        """Keep how the tables of an upload are to be read."""
        kept.note("plan", [asdict(each) for each in plans])

    def guessed(self, table: Table, kind: str | None) -> Plan:
        """Return the likeliest plan for ``table`` as a table of ``kind``."""
        if kind is None:
            return Plan(None)
        guesses = self.guesses(table, kind)
        lacks = kind in PREFIX and all(each.field != "id" for each in guesses)
        return Plan(kind, {each.column: each.field for each in guesses}, {}, lacks)

    def guesses(self, table: Table, kind: str | None) -> tuple[mapping.Guess, ...]:
        """Return what every column of ``table`` probably carries."""
        if kind is None:
            return ()
        return mapping.guess_columns(table, kind, self.space.places().province)

    def preview(self, kept: Upload) -> Preview:
        """Return what loading an upload would do.

        Raises:
            MappingError: its plan lacks something. ApiError: 422, it cannot be read any more.
        """
        pairs = list(zip(self.tables(kept), plans_of(kept), strict=True))
        held = kept.held()
        if all(plan.kind is None for _, plan in pairs) and not (held and held.suggested):
            raise MappingError(NO_TABLE)
        seen = importing.preview(pairs, self.store, self.space.lexicon(), may(self.person, NDA))
        if held is None:
            return seen
        return replace(
            seen,
            rejected=(*held.rejected, *seen.rejected),
            notices=(*held.notices, *seen.notices),
            suggested=tuple(fresh(self.store, held.suggested)),
        )

    def rejected(self, kept: Upload, suffix: str) -> tuple[str, bytes]:
        """Return the rows that do not load, to be corrected: name and content of a file.

        Raises:
            ApiError: 404, there are none. MappingError: the plan lacks something.
        """
        if self.progress(kept) is None:
            importing.corrections(self.preview(kept).rejected, kept.rejected, suffix)
        files = sorted(kept.rejected.glob("*")) if kept.rejected.is_dir() else []
        wanted = [each for each in files if each.suffix in {suffix, ".jsonl"}]
        if suffix == ".xlsx":  # what a workbook cannot hold stands beside it
            wanted = wanted or [each for each in files if each.suffix == ".csv"]
        if not wanted:
            told = "không có dòng nào bị từ chối có thể sửa và nạp lại"
            raise ApiError(404, "nothing_rejected", told)
        if len(wanted) == 1:
            return wanted[0].name, wanted[0].read_bytes()
        return f"{importing.CORRECTIONS}.zip", _packed(wanted)

    # Loading -------------------------------------------------------------------------------------

    def progress(self, kept: Upload) -> Progress | None:
        """Return how far the load of an upload has come, if it was ever begun."""
        found = _noted(kept)
        if found is None or found.state != "loading" or held(kept.folder / LOCK):
            return found
        again = _noted(kept)  # it may have ended between the two looks
        if again is None or again.state != "loading":
            return again
        if self.ledger.entries(action=AUDITED, target=kept.token, limit=1):
            return replace(again, state="done")  # killed right after the last word
        return again.nothing("stopped")

    def start(self, kept: Upload) -> bool:
        """Begin to load an upload; false: that is under way or done already."""
        seen = self.progress(kept)
        if seen is not None and seen.state in {"loading", "done"}:
            return False
        hold = Hold.take(kept.folder / LOCK)
        if hold is None:
            return False
        if (again := _noted(kept)) is not None and again.state == "done":  # by somebody just now
            hold.release()
            return False
        kept.note("progress", asdict(importing.begun()))
        threading.Thread(target=self._load, args=(kept, hold), daemon=True).start()
        return True

    def load(self, kept: Upload) -> Progress:
        """Load an upload, all of it or nothing; return how it ended."""
        progress = importing.begun()
        try:
            seen = self.preview(kept)
            progress = importing.start(seen)
            importing.corrections(seen.rejected, kept.rejected, ".xlsx")
            importing.corrections(seen.rejected, kept.rejected, ".csv")
            there = {kind: frozenset(self.store.hashes(kind)) for kind in MERGED}
            at = self.ledger.clock().astimezone(dt.UTC).isoformat(timespec="seconds")
            with self.store.writing(self.person.login, at) as writing:
                for progress in importing.write(writing, seen):
                    kept.note("progress", asdict(progress))
                writing.save(seen.suggested)
                self._note_answers(writing, seen, there[Need.kind_name])
                told = _told(kept, progress)
                who = self.person.login
                self.ledger.note(writing.connection, who, AUDITED, kept.token, told)
            progress = replace(progress, state="done", alike=self._alike(seen, there))
        except (StoreError, MappingError, UploadError, ApiError) as error:
            log.warning("import of %s: %s", kept.token, error)
            progress = progress.nothing("failed", discreet(str(error), self.space.folder))
        except Exception:
            log.exception("import of %s", kept.token)
            told = "lỗi của chương trình, đã ghi vào nhật ký máy chủ"
            progress = progress.nothing("failed", told)
        return progress

    def _note_answers(self, writing: Writing, seen: Preview, there: frozenset[str]) -> None:
        new = {each.key for each in seen.records if isinstance(each, Need)}
        note_answers(writing, there | new, self.ledger.clock().astimezone(VIETNAM).date())

    def _alike(self, seen: Preview, there: Mapping[str, frozenset[str]]) -> int:
        """How many new records may tell what was there before; loaded they are whatever comes."""
        try:
            found = duplicates.of_loaded(self.store, self.space.lexicon(), seen.records, there)
        except StoreError:
            log.exception("looking for duplicates after an import")
            return 0
        return sum(filter(None, found.values()))

    def _load(self, kept: Upload, hold: Hold) -> None:
        try:
            kept.note("progress", asdict(self.load(kept)))
        except OSError:  # the audit knows whether it was loaded
            log.exception("note of import %s", kept.token)
        finally:
            hold.release()


def plans_of(kept: Upload) -> list[Plan]:
    """Return how the tables of an upload are to be read."""
    facts: list[dict[str, Any]] = kept.noted("plan") or []
    return [
        Plan(
            each["kind"],
            {int(column): name for column, name in each["fields"].items()},
            each["constants"],
            each["make_ids"],
        )
        for each in facts
    ]


def tag_of(kept: Upload) -> str:
    """Return the hash of what somebody has seen of an upload: its file and its plan."""
    text = json.dumps([kept.token, kept.noted("plan")], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _noted(kept: Upload) -> Progress | None:
    facts = kept.noted("progress")
    if not facts:
        return None
    first = tuple((kind, key, words) for kind, key, words in facts.pop("first", ()))
    return Progress(**facts, first=first)


def _tables(kept: Upload) -> list[tuple[Table, ...]]:
    groups = kept.tables()
    tables = [each for group in groups for each in group]
    times = PARTS if kept.held() else 1
    if len(tables) > TABLES * times:
        told = f"tệp có {len(tables)} bảng, nhiều hơn {TABLES * times}"
        raise UploadError(f"{kept.name}: {told}; hãy chia thành nhiều tệp")
    wide = sum(len(table.headings) for table in tables)
    if wide > COLUMNS * times:
        raise UploadError(f"{kept.name}: các bảng có {wide} cột, nhiều hơn {COLUMNS * times}")
    return groups


def _told(kept: Upload, seen: Progress) -> str:
    proposed = f", {seen.suggested} đề xuất từ văn bản" if seen.suggested else ""
    return (
        f"{kept.name}: {seen.added} mới, {seen.changed} thay đổi, {seen.unchanged} không đổi, "
        f"{seen.rejected} dòng bị từ chối{proposed}"
    )


def _packed(files: Iterable[Path]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for each in files:
            packed.writestr(zipfile.ZipInfo(each.name, (1980, 1, 1, 0, 0, 0)), each.read_bytes())
    return buffer.getvalue()
