"""A work folder as a running program sees it: store, current index, tables, records.

Layout of the folder (``--data`` or ``CUNGCAU_DATA``)::

    cungcau.sqlite     the records and the log of their changes
    index/             snapshots of the index
    cache/             vectors by content, so that nothing is encoded twice
    model/             weights learnt from judgments and decisions; absent = the program's own
    lexicon/           tables that officers edit; absent = the ones that come with the program
    duplicates/        pairs found by the last `cungcau duplicates`, and of which state of the store
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from corpus.held import Held
from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.priority import PriorityList
from corpus.records import Need, Product, Record, Technology
from corpus.store import EMPTY_DIGEST, State, Store
from indexes import refresh, snapshot
from indexes.encoders import FIRST, Cache, Encoder, EncoderError, choice_of, open_encoder
from indexes.hybrid import Tick
from indexes.snapshot import Manifest, Snapshot, SnapshotError
from matcher.documents import documents
from matcher.match import Matcher
from matcher.models import Models
from matcher.search import Engine

R = TypeVar("R", bound=Record)
EMPTY = State(0, EMPTY_DIGEST)
WORDS_KEPT = (
    "Chỉ tìm theo từ ngữ, như chỉ mục đang có; muốn tìm cả theo ý nghĩa: "
    "`cungcau index --encoder e5-int8`."
)
BEHIND = "Chỉ mục chưa gồm"  # begins the notice of changes that are not indexed
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
    version: str = ""  # of the index of this audience
    state: State = EMPTY  # of the store, as the records show it
    audience: str = snapshot.PUBLIC
    behind: int = 0  # changes of technologies that the index lacks


@dataclass(frozen=True)
class _Records:
    """What there is to match, by id, and the state of the store that it shows."""

    state: State
    technologies: Held
    products: Mapping[str, Product]
    needs: Mapping[str, Need]
    priorities: Mapping[str, PriorityList]

    @classmethod
    def read(cls, store: Store, audience: str, before: Opened | None) -> _Records:
        """Read the store; only what changed, where ``before`` is an earlier state of it."""
        known: _Records | None = None
        supply = before.matcher.technologies if before is not None else None
        if before is not None and before.audience == audience and isinstance(supply, Held):
            since = before.state
            if store.digest_at(since.revision) == since.digest:
                matcher = before.matcher
                known = cls(since, supply, matcher.products, matcher.needs, matcher.priorities)
        if known is None:
            known = cls(EMPTY, Held({}, False), {}, {}, {})
        state = store.state()  # first: what changes meanwhile is read again next time
        return cls(
            state,
            _supply(store, known.technologies, known.state, audience),
            _changed(store, Product, known.products, known.state),
            _changed(store, Need, known.needs, known.state),
            _changed(store, PriorityList, known.priorities, known.state),
        )


def _supply(store: Store, known: Held, since: State, audience: str) -> Held:
    """Return the technologies as ``audience`` may see them, ``known`` where none changed."""
    if not known and not since.revision:
        return Held(store.bodies(Technology), audience == snapshot.PUBLIC)
    _, changed, removed = store.changes_with_state(Technology, since.revision)
    return known.changed(changed, removed) if changed or removed else known


def _changed(store: Store, kind: type[R], known: Mapping[str, R], since: State) -> Mapping[str, R]:
    """Return the records of ``kind``, those of ``known`` that did not change since then kept."""
    if not known and not since.revision:
        return {each.key: each for each in store.all(kind)}
    _, changed, removed = store.changes_with_state(kind, since.revision)
    if not changed and not removed:
        return known
    new = {each.key: each for each in changed}
    return {**{key: each for key, each in known.items() if key not in removed}, **new}


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

    def encoder(self, choice: str | None = None) -> tuple[Encoder | None, str]:
        """Open the encoder to index with; where none is asked for, that of the current index.

        Returns and raises what :func:`encoder_or_words` does.
        """
        try:
            folder = self.index_folder / snapshot.pointed(self.index_folder)
            before = snapshot.read_manifest(folder)
        except (SnapshotError, *snapshot.DAMAGE):
            return encoder_or_words(choice)
        if choice is None and before.encoder is None:
            return None, WORDS_KEPT
        return encoder_or_words(choice, before.encoder)

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
        tables = self.tables_digest()
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

    def tables_stamp(self) -> str:
        """Tell whether officers edited their tables since: names, sizes and times of the files."""
        files = sorted(self.tables.glob("*.csv")) if self.tables.is_dir() else []
        stats = ((each.name, each.stat()) for each in files)
        return " ".join(f"{name}:{stat.st_size}:{stat.st_mtime_ns}" for name, stat in stats)

    def tables_digest(self) -> str:
        """SHA-256 (hex) of the program's version and the tables that records are read with."""
        folder = self.tables if self.tables.is_dir() else resources.files("corpus") / "data"
        digest = hashlib.sha256(version("cungcau").encode())
        for each in sorted(folder.iterdir(), key=lambda path: path.name):
            if each.name.endswith(".csv"):
                digest.update(f"\n{each.name}\n".encode() + each.read_bytes())
        return digest.hexdigest()

    @contextmanager
    def open(
        self,
        as_of: dt.date,
        encoder: str | None = None,
        audience: str = snapshot.PUBLIC,
        before: Opened | None = None,
    ) -> Iterator[Opened]:
        """Open the store and the current index together.

        Args:
            as_of: the day on which validity is judged.
            encoder: how to read queries; ``None`` takes what the index was built with.
            audience: ``public``, or ``all`` for somebody who may read what is under NDA.
            before: what was open before, so that only records that changed are read.
        """
        with Store.open(self.folder) as store:
            opened = snapshot.open_current(self.index_folder)
            try:
                _check(opened, store)
                used = self.models.in_use()
                notices = [*filter(None, [used.notice])]
                engine = Engine(
                    opened.index(audience),
                    _query_encoder(encoder, opened.manifest, notices),
                    self.lexicon(),
                    self.places(),
                    used.weights,
                    self.cache() if opened.manifest.encoder else None,
                )
                read = _Records.read(store, audience, before)
                matcher = Matcher.of(
                    engine,
                    read.technologies,
                    read.products.values(),
                    read.needs.values(),
                    as_of,
                    used.version,
                    read.priorities.values(),
                )
                behind = _behind(opened.manifest, store)
                yield Opened(
                    matcher,
                    opened.manifest,
                    (*_stale(behind), *notices),
                    opened.version(audience),
                    read.state,
                    audience,
                    behind,
                )
            finally:
                opened.close()

    def renewed(self, before: Opened, as_of: dt.date) -> Opened:
        """Return what is open with the records as they are now, over the same index.

        Raises:
            StoreError: the store cannot be read.
            SnapshotError: the index is none of this store any more.
        """
        manifest, matcher = before.manifest, before.matcher
        with Store.open(self.folder) as store:
            if not _grew_from(store, manifest):
                raise SnapshotError(_foreign(manifest, store))
            read = _Records.read(store, before.audience, before)
            behind = _behind(manifest, store)
        same = read.technologies is matcher.technologies and as_of == matcher.as_of
        needs, products, priorities = read.needs, read.products, read.priorities
        same = same and priorities is matcher.priorities
        if same and needs is matcher.needs and products is matcher.products:
            renewed = matcher
        else:
            renewed = matcher.renewed(read.technologies, products, needs, priorities, as_of)
        stale = set(_stale(before.behind))
        others = (each for each in before.notices if each not in stale)
        notices = (*_stale(behind), *others)
        return replace(before, matcher=renewed, notices=notices, state=read.state, behind=behind)


def _grew_from(store: Store, manifest: Manifest) -> bool:
    """Whether the index shows an earlier state of this store."""
    return store.digest_at(manifest.revision) == manifest.store


def _check(opened: Snapshot, store: Store) -> None:
    """Refuse an index of another store."""
    if not _grew_from(store, opened.manifest):
        raise SnapshotError(_foreign(opened.manifest, store))


def _foreign(manifest: Manifest, store: Store) -> str:
    known = store.digest_at(manifest.revision)
    return (
        f"chỉ mục thuộc về dữ liệu khác (chỉ mục {manifest.store[:12]} tại phiên bản "
        f"{manifest.revision}, dữ liệu {(known or 'không có')[:12]}): chạy lại `cungcau index`"
    )


def _behind(manifest: Manifest, store: Store) -> int:
    """Count the changes of technologies that the index lacks; it holds nothing else."""
    return store.changed_since(manifest.revision, Technology.kind_name)


def _stale(behind: int) -> Iterator[str]:
    if behind:
        yield f"{BEHIND} {behind:,} thay đổi mới nhất; chạy `cungcau index` để cập nhật."


def encoder_or_words(choice: str | None, before: str | None = None) -> tuple[Encoder | None, str]:
    """Open the encoder asked for; else the first that runs here, else go on with words.

    Args:
        choice: what was asked for; ``None`` leaves it to the program.
        before: the engine that the index there names: it is not changed unasked where it runs.

    Returns:
        The encoder, or ``None`` for words alone, and a notice where it is not the first, or "".

    Raises:
        EncoderError: an encoder was asked for by name and cannot run.
    """
    if choice is not None:
        return open_encoder(choice), ""
    kept, why = choice_of(before) if before else None, ""
    for each in dict.fromkeys((kept or FIRST[0], *FIRST)):
        try:
            return open_encoder(each), f"Dùng bộ mã hóa {each}: {why}." if why else ""
        except EncoderError as error:
            why += f"; {error}" if why else f"{error}"
    return None, f"Chỉ tìm theo từ ngữ: {why}."


def _query_encoder(choice: str | None, manifest: Manifest, notices: list[str]) -> Encoder | None:
    """Open the encoder the index was built with; fall back to words, visibly."""
    if manifest.encoder is None:
        if choice not in {None, "none"}:
            notices.append("Chỉ mục không có vectơ: chỉ tìm theo từ ngữ.")
        return None
    try:
        encoder = open_encoder(choice or choice_of(manifest.encoder) or FIRST[-1])
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
