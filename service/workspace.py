"""A work folder as a running program sees it: store, current index, tables, records.

Layout of the folder (``--data`` or ``CUNGCAU_DATA``)::

    cungcau.sqlite     the records and the log of their changes
    index/             snapshots of the index
    cache/             vectors by content, so that nothing is encoded twice
    model/             weights learnt from judgments and decisions; absent = the program's own
    lexicon/           tables that officers edit; absent = the ones that come with the program
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.records import Need, Product, Technology
from corpus.store import Store
from indexes import refresh, snapshot
from indexes.encoders import Cache, Encoder, EncoderError, choice_of, open_encoder
from indexes.hybrid import Tick
from indexes.snapshot import Manifest, Snapshot, SnapshotError
from matcher.documents import documents
from matcher.match import Matcher
from matcher.models import Models
from matcher.search import Engine

WHOLE_BELOW = (
    2_000  # records: below, an index is built whole, so that equal stores give equal bytes
)
LITTLE = 0.1  # share of the records that may have changed for a refresh to be worth it


@dataclass(frozen=True)
class Opened:
    """Everything a search needs, of one moment, and what the user should know about it."""

    matcher: Matcher
    manifest: Manifest
    notices: tuple[str, ...]


class Workspace:
    """One work folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index_folder = folder / "index"
        self.tables = folder / "lexicon"
        self.models = Models(folder / "model")

    def lexicon(self) -> Lexicon:
        """Load the officers' tables where they have their own, else those of the program."""
        return Lexicon.load(self.tables if self.tables.is_dir() else None)

    def places(self) -> Places:
        """Load the table of places in the same way."""
        return Places.load(self.tables if self.tables.is_dir() else None)

    def cache(self) -> Cache:
        """Open the cache of vectors."""
        return Cache(self.folder / "cache" / "embeddings.sqlite")

    def copy_tables(self) -> list[Path]:
        """Copy the program's tables here to be edited; tables that are here already stay."""
        self.tables.mkdir(parents=True, exist_ok=True)
        copied = []
        for source in sorted((resources.files("corpus") / "data").iterdir(), key=str):
            target = self.tables / source.name
            if source.name.endswith((".csv", ".md")) and not target.exists():
                target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
                copied.append(target)
        return copied

    def build(self, encoder: Encoder | None, tick: Tick | None = None) -> Manifest:
        """Index what the store holds now and make it the current index.

        Where a large index was made with the same program, encoder and tables from an earlier state
        of this store, only what changed since then is read, encoded and written.
        """
        tables = self._tables_digest()
        cache = self.cache() if encoder else None
        since = refresh.base(self.index_folder, encoder, tables)
        with Store.open(self.folder) as store:
            if since is not None and since.records >= WHOLE_BELOW and _grew_from(store, since):
                state, changed, removed = store.changes_with_state(Technology, since.revision)
                if len(changed) + len(removed) <= LITTLE * since.records:
                    rows = documents(changed, self.lexicon())
                    return refresh.refresh(
                        self.index_folder, since, rows, removed, encoder, cache,
                        state.revision, state.digest, tick,
                    )  # fmt: skip
            state, technologies = store.all_with_state(Technology)
        rows = documents(technologies, self.lexicon())
        return snapshot.publish(
            self.index_folder, rows, encoder, cache, state.revision, state.digest, tick, tables
        )

    def _tables_digest(self) -> str:
        """SHA-256 (hex) of the program's version and the tables that records are read with."""
        folder = self.tables if self.tables.is_dir() else resources.files("corpus") / "data"
        digest = hashlib.sha256(version("cungcau").encode())
        for each in sorted(folder.iterdir(), key=lambda path: path.name):
            if each.name.endswith(".csv"):
                digest.update(f"\n{each.name}\n".encode() + each.read_bytes())
        return digest.hexdigest()

    @contextmanager
    def open(
        self, as_of: dt.date, encoder: str | None = None, audience: str = snapshot.PUBLIC
    ) -> Iterator[Opened]:
        """Open the store and the current index together.

        Args:
            as_of: the day on which validity is judged.
            encoder: how to read queries; ``None`` takes what the index was built with.
            audience: ``public``, or ``all`` for somebody who may read what is under NDA.
        """
        with Store.open(self.folder) as store:
            opened = snapshot.open_current(self.index_folder)
            try:
                _check(opened, store)
                used = self.models.in_use()
                notices = [*_stale(opened.manifest, store), *filter(None, [used.notice])]
                engine = Engine(
                    opened.index(audience),
                    _query_encoder(encoder, opened.manifest, notices),
                    self.lexicon(),
                    self.places(),
                    used.weights,
                    self.cache() if opened.manifest.encoder else None,
                )
                technologies = store.all(Technology)
                if audience == snapshot.PUBLIC:
                    technologies = [each.public() for each in technologies]
                matcher = Matcher.of(
                    engine, technologies, store.all(Product), store.all(Need), as_of, used.version
                )
                yield Opened(matcher, opened.manifest, tuple(notices))
            finally:
                opened.close()


def _grew_from(store: Store, manifest: Manifest) -> bool:
    """Whether the index shows an earlier state of this store."""
    return store.digest_at(manifest.revision) == manifest.store


def _check(opened: Snapshot, store: Store) -> None:
    """Refuse an index of another store."""
    manifest = opened.manifest
    known = store.digest_at(manifest.revision)
    if known != manifest.store:
        raise SnapshotError(
            f"chỉ mục thuộc về dữ liệu khác (chỉ mục {manifest.store[:12]} tại phiên bản "
            f"{manifest.revision}, dữ liệu {(known or 'không có')[:12]}): chạy lại `cungcau index`"
        )


def _stale(manifest: Manifest, store: Store) -> Iterator[str]:
    """Say how many changes of technologies the index lacks; it holds nothing else."""
    behind = store.changed_since(manifest.revision, Technology.kind_name)
    if behind:
        yield f"Chỉ mục chưa gồm {behind:,} thay đổi mới nhất; chạy `cungcau index` để cập nhật."


def encoder_or_words(choice: str | None) -> tuple[Encoder | None, str]:
    """Open the encoder asked for; where the default cannot run, go on with words and say so.

    Returns:
        The encoder, or ``None`` for words alone, and a notice for the user, or "".

    Raises:
        EncoderError: an encoder was asked for by name and cannot run.
    """
    if choice is not None:
        return open_encoder(choice), ""
    try:
        return open_encoder("e5"), ""
    except EncoderError as error:
        return None, f"Chỉ tìm theo từ ngữ: {error}."


def _query_encoder(choice: str | None, manifest: Manifest, notices: list[str]) -> Encoder | None:
    """Open the encoder the index was built with; fall back to words, visibly."""
    if manifest.encoder is None:
        if choice not in {None, "none"}:
            notices.append("Chỉ mục không có vectơ: chỉ tìm theo từ ngữ.")
        return None
    try:
        encoder = open_encoder(choice or choice_of(manifest.encoder))
    except EncoderError as error:
        notices.append(f"Chỉ tìm theo từ ngữ: {error}.")
        return None
    if encoder is not None and encoder.name != manifest.encoder:
        notices.append(
            f"Chỉ tìm theo từ ngữ: chỉ mục dùng bộ mã hóa {manifest.encoder}, "
            f"không phải {encoder.name}."
        )
        return None
    return encoder
