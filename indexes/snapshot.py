"""An index on disk: built whole or by what changed, published at once, never changed after that.

Layout of the index folder::

    CURRENT                 the name of the snapshot that searches should open
    LOCK                    held while somebody builds
    snapshot-<digest>/      manifest.json, lease, and folders of segments:
        public/             text that everybody may read
        all/                public text and what is under NDA; absent when nothing is
        public-1/ …         what was added or changed since, see indexes/refresh.py
        public.public.dead.npy      which records of public/ count no longer for ``public``

An index over restricted text is kept apart as a whole, statistics included, so that no byte of a
public answer can depend on it. A snapshot is written under a temporary name, synced, renamed, and
only then named in ``CURRENT``: a reader sees the old state or the new one. Readers hold a shared
lock on ``lease``; a snapshot is deleted only when nobody holds it. Snapshots that share a segment
share its files by hard links, so that each is whole by itself and any may be deleted.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import numpy as np

from indexes import analyser
from indexes.bm25 import NONE_DEAD
from indexes.documents import Document, corpus_digest, digests
from indexes.encoders import Cache, Encoder
from indexes.hybrid import Index
from indexes.segments import Held, Misaligned, Segment, Tick
from indexes.vocabulary import Array

FORMAT = 2
PUBLIC, ALL = "public", "all"
Audiences = Mapping[str, Sequence[Document]]
States = Mapping[str, Sequence[Held]]  # audience → its segments


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
    tables: str = ""  # digest of the tables that the documents were read with
    segments: dict[str, list[str]] = field(default_factory=dict)  # audience → folders, oldest first


@dataclass(frozen=True, eq=False)
class Snapshot:
    """An opened index. Keep it open while using it: the lease keeps its files on disk."""

    folder: Path
    manifest: Manifest
    indexes: dict[str, Index]
    versions: dict[str, str]  # audience → what tells its index from others
    _lease: IO[str]

    def index(self, audience: str = PUBLIC) -> Index:
        """Return the index for ``public`` or ``all``."""
        return self.indexes.get(audience, self.indexes[PUBLIC])

    def version(self, audience: str = PUBLIC) -> str:
        """Return what tells the index of ``public`` or ``all`` from others.

        The folder's name depends on everything in it; that of the public's index must not depend on
        what is restricted.
        """
        return self.versions.get(audience, self.versions[PUBLIC])

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
    tables: str = "",
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
        tables: digest of what else the documents depend on.

    Raises:
        IndexBusyError: another process is building here.
        Misaligned: the audiences do not have the same ids in the same order.
    """
    _check_aligned(documents)
    home.mkdir(parents=True, exist_ok=True)
    with builder(home):
        known = {name: digests(rows) for name, rows in documents.items()}
        by_id = {
            name: each[sorted(range(len(each)), key=lambda row: documents[name][row].id)]
            for name, each in known.items()
        }
        manifest = Manifest(
            **made_with(encoder),
            records=len(documents[PUBLIC]),
            corpus=corpus_digest(by_id),
            revision=revision,
            store=store,
            restricted=ALL in documents,
            tables=tables,
            segments={name: [name] for name in sorted(documents)},
        )

        def fill(folder: Path) -> None:
            for name, rows in documents.items():
                shown = _named(tick, name)
                Segment.build(rows, encoder, cache, shown, known[name]).save(folder / name)

        make_current(home, manifest, fill)
    return manifest


def made_with(encoder: Encoder | None) -> dict[str, Any]:
    """The facts of a manifest that say what an index is made with."""
    return {
        "format": FORMAT,
        "analyser": analyser.VERSION,
        "segmenter": f"pyvi {version('pyvi')}",
        "encoder": encoder.name if encoder else None,
        "dim": encoder.dim if encoder else 0,
    }


def make_current(home: Path, manifest: Manifest, fill: Callable[[Path], None]) -> None:
    """Write the snapshot of ``manifest``, unless it is there already, and point to it.

    The caller holds the lock. ``fill`` writes everything but manifest and lease into a folder.
    """
    name = f"snapshot-{_digest(manifest)[:16]}"
    if not _whole(home / name):
        _write(home, name, manifest, fill)
    _replace_text(home / "CURRENT", name)
    _prune(home, keep=name)


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
def builder(home: Path) -> Iterator[None]:
    """Be the only one who builds in ``home``."""
    with (home / "LOCK").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IndexBusyError(
                f"một tiến trình khác đang tạo chỉ mục trong {home}: chờ nó xong rồi chạy lại"
            ) from error
        yield


def _write(home: Path, name: str, manifest: Manifest, fill: Callable[[Path], None]) -> None:
    """Write the snapshot aside and rename it: half a snapshot never has the final name."""
    for leftover in home.glob("building-*"):
        shutil.rmtree(
            leftover, ignore_errors=True
        )  # of a builder that was killed: we hold the lock
    with tempfile.TemporaryDirectory(prefix="building-", dir=home) as scratch:
        folder = Path(scratch) / name
        folder.mkdir()
        fill(folder)
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
DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, Misaligned)


def _whole(folder: Path) -> bool:
    """Whether ``folder`` holds a snapshot that opens."""
    try:
        _load(folder).close()
    except (SnapshotError, *DAMAGE):
        return False
    return True


def open_current(home: Path) -> Snapshot:
    """Open the current snapshot under ``home``.

    Raises:
        SnapshotError: there is none, it is damaged, or another version of the program made it.
    """
    while True:
        name = pointed(home)
        try:
            return _load(home / name)
        except DAMAGE as error:
            if pointed(home) != name:
                continue  # a publication overtook us and deleted what we were about to open
            raise SnapshotError(
                f"chỉ mục {name} thiếu tệp hoặc đã hỏng ({error}): chạy lại `cungcau index`"
            ) from error


def pointed(home: Path) -> str:
    """Return the name of the current snapshot."""
    pointer = home / "CURRENT"
    if not pointer.is_file():
        raise SnapshotError(f"chưa có chỉ mục trong {home}: chạy `cungcau index`")
    return pointer.read_text(encoding="utf-8", errors="replace").strip()


def read_manifest(folder: Path) -> Manifest:
    """Read what a snapshot was made of.

    Raises:
        SnapshotError: another version of the program made it.
    """
    facts: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name, mine in (("format", FORMAT), ("analyser", analyser.VERSION)):
        if facts[name] != mine:
            raise SnapshotError(
                f"chỉ mục được tạo bởi phiên bản khác ({name}: tệp {facts[name]}, "
                f"chương trình {mine}): chạy lại `cungcau index`"
            )
    return Manifest(**facts)


def read_states(folder: Path, manifest: Manifest) -> dict[str, list[Held]]:
    """Open the segments of every audience, memory-mapped; one that two share is opened once."""
    names = {name for each in manifest.segments.values() for name in each}
    dense = manifest.encoder is not None
    segments = {name: Segment.load(folder / name, dense) for name in sorted(names)}
    return {
        audience: [
            Held(name, segments[name], _read_dead(folder, audience, name, len(segments[name])))
            for name in each
        ]
        for audience, each in manifest.segments.items()
    }


def dead_file(audience: str, segment: str) -> str:
    """The name of the file that says which records of a segment are dead for an audience."""
    return f"{audience}.{segment}.dead.npy"


def _read_dead(folder: Path, audience: str, segment: str, size: int) -> Array:
    path = folder / dead_file(audience, segment)
    if not path.exists():
        return NONE_DEAD
    dead = np.load(path)
    if len(dead) != size:
        raise Misaligned(f"chỉ mục lệch nhau: {size:,} mã nhưng {len(dead):,} dấu đã bỏ")
    return np.asarray(dead, np.bool_)


def _load(folder: Path) -> Snapshot:
    manifest = read_manifest(folder)
    lease = (folder / "lease").open("r")
    try:
        fcntl.flock(lease, fcntl.LOCK_SH)
        states = read_states(folder, manifest)
        indexes = {audience: Index.of(held) for audience, held in states.items()}
        if (found := sum(len(each.alive) for each in states[PUBLIC])) != manifest.records:
            raise Misaligned(f"chỉ mục lệch nhau: {manifest.records:,} bản ghi nhưng {found:,}")
    except BaseException:
        lease.close()
        raise
    versions = {audience: _version(manifest, held) for audience, held in states.items()}
    return Snapshot(folder, manifest, indexes, versions, lease)


def _version(manifest: Manifest, held: Sequence[Held]) -> str:
    """Name the index of one audience by how it was made and what it holds, whatever its age."""
    made = ("format", "analyser", "segmenter", "encoder", "dim", "tables")
    digest = hashlib.sha256(repr([getattr(manifest, name) for name in made]).encode())
    for each in held:
        digest.update(each.segment.digests.tobytes() + each.dead.tobytes())
    return f"snapshot-{digest.hexdigest()[:16]}"
