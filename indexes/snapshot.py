"""An index on disk: built whole, published at once, opened read-only, never changed.

Layout of the index folder::

    CURRENT                 the name of the snapshot that searches should open
    LOCK                    held while somebody builds
    snapshot-<digest>/      manifest.json, ids.json, lease, and one folder per audience:
        public/             text that everybody may read
        all/                public text and what is under NDA; absent when nothing is

An index over restricted text is kept apart as a whole, statistics included, so that no byte of a
public answer can depend on it. A snapshot is written under a temporary name, synced, renamed, and
only then named in ``CURRENT``: a reader sees the old state or the new one. Readers hold a shared
lock on ``lease``; a snapshot is deleted only when nobody holds it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from indexes import analyser
from indexes.documents import Document, corpus_digest
from indexes.encoders import Cache, Encoder
from indexes.hybrid import Index
from indexes.segments import Misaligned, Segment, Tick

FORMAT = 1
PUBLIC, ALL = "public", "all"
Audiences = Mapping[str, Sequence[Document]]


class SnapshotError(RuntimeError):
    """There is no usable index; the message says why and what to do."""


class IndexBusyError(SnapshotError):
    """Somebody else is building an index in this folder."""


@dataclass(frozen=True)
class Manifest:
    """What an index was made of; compared when it is opened."""

    format: int
    analyser: str
    segmenter: str
    encoder: str | None
    dim: int
    records: int
    corpus: str  # digest of the documents of all audiences
    revision: int  # of the store, through which the index goes
    store: str  # the store's chained digest at that revision
    restricted: bool  # whether there is an index for ``all`` besides ``public``


@dataclass(frozen=True, eq=False)
class Snapshot:
    """An opened index. Keep it open while using it: the lease keeps its files on disk."""

    folder: Path
    manifest: Manifest
    indexes: dict[str, Index]
    _lease: IO[str]

    def index(self, audience: str = PUBLIC) -> Index:
        """Return the index for ``public`` or ``all``."""
        return self.indexes.get(audience, self.indexes[PUBLIC])

    def close(self) -> None:
        """Let go of the files."""
        self._lease.close()


def publish(
    home: Path,
    documents: Audiences,
    encoder: Encoder | None,
    cache: Cache | None = None,
    revision: int = 0,
    store: str = "",
    tick: Tick | None = None,
) -> Manifest:
    """Build an index of ``documents`` by audience and make it the current one.

    Args:
        home: the index folder.
        documents: ``{"public": …}`` and, if anything is restricted, ``{"all": …}`` over the same
            ids in the same order.
        encoder: ``None`` for a lexical index.
        cache: where vectors are kept between builds.
        revision: the store's revision that the documents show.
        store: the store's digest at that revision.
        tick: called with what is being done, how many steps were just done, and of how many.

    Raises:
        IndexBusyError: another process is building here.
        Misaligned: the audiences do not have the same ids in the same order.
    """
    _check_aligned(documents)
    home.mkdir(parents=True, exist_ok=True)
    with _builder(home):
        manifest = Manifest(
            format=FORMAT,
            analyser=analyser.VERSION,
            segmenter=f"pyvi {version('pyvi')}",
            encoder=encoder.name if encoder else None,
            dim=encoder.dim if encoder else 0,
            records=len(documents[PUBLIC]),
            corpus=corpus_digest(each for name in sorted(documents) for each in documents[name]),
            revision=revision,
            store=store,
            restricted=ALL in documents,
        )
        name = f"snapshot-{_digest(manifest)[:16]}"
        if not _whole(home / name):
            _write(home, name, manifest, documents, encoder, cache, tick)
        _replace_text(home / "CURRENT", name)
        _prune(home, keep=name)
    return manifest


def _check_aligned(documents: Audiences) -> None:
    public = documents[PUBLIC]
    for audience, rows in documents.items():
        if len(rows) != len(public):
            raise Misaligned(
                f"chỉ mục lệch nhau: {len(public):,} bản ghi trong {PUBLIC} "
                f"nhưng {len(rows):,} trong {audience}"
            )
        for number, (one, other) in enumerate(zip(public, rows, strict=True), start=1):
            if one.id != other.id:
                raise Misaligned(
                    f"chỉ mục lệch nhau: bản ghi thứ {number:,} là {one.id} trong {PUBLIC} "
                    f"nhưng {other.id} trong {audience}"
                )


def _digest(manifest: Manifest) -> str:
    return hashlib.sha256(json.dumps(asdict(manifest), sort_keys=True).encode()).hexdigest()


@contextmanager
def _builder(home: Path) -> Iterator[None]:
    with (home / "LOCK").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IndexBusyError(
                f"một tiến trình khác đang tạo chỉ mục trong {home}: chờ nó xong rồi chạy lại"
            ) from error
        yield


def _write(
    home: Path,
    name: str,
    manifest: Manifest,
    documents: Audiences,
    encoder: Encoder | None,
    cache: Cache | None,
    tick: Tick | None,
) -> None:
    """Write the snapshot aside and rename it: half a snapshot never has the final name."""
    for leftover in home.glob("building-*"):
        shutil.rmtree(
            leftover, ignore_errors=True
        )  # of a builder that was killed: we hold the lock
    with tempfile.TemporaryDirectory(prefix="building-", dir=home) as scratch:
        folder = Path(scratch) / name
        folder.mkdir()
        for audience, rows in documents.items():
            Segment.build(rows, encoder, cache, _named(tick, audience)).save(folder / audience)
        (folder / "lease").touch()
        text = json.dumps(asdict(manifest), ensure_ascii=False, indent=2)
        (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
        for path in [*folder.rglob("*"), folder]:
            _sync(path)
        if (home / name).exists():  # damaged, or we would not be here
            (home / name).rename(Path(scratch) / "damaged")
        folder.rename(home / name)
    _sync(home)


def _named(tick: Tick | None, audience: str) -> Tick | None:
    """Show the work for each audience as a bar of its own."""
    if tick is None or audience == PUBLIC:
        return tick
    return lambda stage, done, total: tick(f"{stage} (NDA)", done, total)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace_text(path: Path, text: str) -> None:
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_text(text, encoding="utf-8")
    _sync(scratch)
    scratch.replace(path)
    _sync(path.parent)


def _prune(home: Path, keep: str) -> None:
    """Delete snapshots that nobody has open."""
    for folder in home.glob("snapshot-*"):
        if folder.name == keep:
            continue
        try:
            with (folder / "lease").open("r") as lease:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
        except BlockingIOError:
            continue
        except FileNotFoundError:
            shutil.rmtree(folder, ignore_errors=True)


# What reading a file raises that is missing, cut short or not what it should be.
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, Misaligned)


def _whole(folder: Path) -> bool:
    """Whether ``folder`` holds a snapshot that opens."""
    try:
        _load(folder).close()
    except (SnapshotError, *_DAMAGE):
        return False
    return True


def open_current(home: Path) -> Snapshot:
    """Open the current snapshot under ``home``.

    Raises:
        SnapshotError: there is none, it is damaged, or another version of the program made it.
    """
    while True:
        name = _pointed(home)
        try:
            return _load(home / name)
        except _DAMAGE as error:
            if _pointed(home) != name:
                continue  # a publication overtook us and deleted what we were about to open
            raise SnapshotError(
                f"chỉ mục {name} thiếu tệp hoặc đã hỏng ({error}): chạy lại `cungcau index`"
            ) from error


def _pointed(home: Path) -> str:
    """Return the name of the current snapshot."""
    pointer = home / "CURRENT"
    if not pointer.is_file():
        raise SnapshotError(f"chưa có chỉ mục trong {home}: chạy `cungcau index`")
    return pointer.read_text(encoding="utf-8", errors="replace").strip()


def _load(folder: Path) -> Snapshot:
    facts: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name, mine in (("format", FORMAT), ("analyser", analyser.VERSION)):
        if facts[name] != mine:
            raise SnapshotError(
                f"chỉ mục được tạo bởi phiên bản khác ({name}: tệp {facts[name]}, "
                f"chương trình {mine}): chạy lại `cungcau index`"
            )
    manifest = Manifest(**facts)
    lease = (folder / "lease").open("r")
    try:
        fcntl.flock(lease, fcntl.LOCK_SH)
        audiences = (PUBLIC, ALL) if manifest.restricted else (PUBLIC,)
        dense = manifest.encoder is not None
        indexes = {each: Index.of([Segment.load(folder / each, dense)]) for each in audiences}
    except BaseException:
        lease.close()
        raise
    return Snapshot(folder, manifest, indexes, lease)
