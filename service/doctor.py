"""Is everything here that a search needs? Each finding says what was checked and what to do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from corpus.records import KINDS, Technology
from corpus.store import Store, StoreError
from indexes.encoders import EncoderError
from indexes.snapshot import SnapshotError, open_current
from matcher.models import ModelError
from service.workspace import WORDS_KEPT, Workspace

KNOWN = (StoreError, SnapshotError, ModelError, EncoderError, ValueError, OSError)
LEAST_FREE = 500  # MB; an index of 100,000 records and its vectors fit


@dataclass(frozen=True)
class Finding:
    """One thing that was checked."""

    name: str
    ok: bool
    text: str


def examine(space: Workspace) -> list[Finding]:
    """Check program, tables, store, index, encoder and disk; never raises for what it finds."""
    checks: tuple[tuple[str, Callable[[Workspace], str]], ...] = (
        ("chương trình", _program),
        ("bảng từ vựng", _tables),
        ("dữ liệu", _store),
        ("chỉ mục", _index),
        ("mô hình", _model),
        ("bộ mã hóa", _encoder),
        ("đĩa", _disk),
    )
    return [*_run(space, checks)]


def _run(
    space: Workspace, checks: tuple[tuple[str, Callable[[Workspace], str]], ...]
) -> Iterator[Finding]:
    for name, check in checks:
        try:
            yield Finding(name, True, check(space))
        except KNOWN as error:
            yield Finding(name, False, str(error))


def _program(_: Workspace) -> str:
    return f"cungcau {version('cungcau')}, Python {sys.version.split()[0]}"


def _tables(space: Workspace) -> str:
    space.lexicon()
    space.places()
    own = space.tables.is_dir()
    return f"của riêng thư mục này: {space.tables}" if own else "đi kèm chương trình"


def _store(space: Workspace) -> str:
    with Store.open(space.folder) as store:
        counts = ", ".join(
            f"{len(store.hashes(name)):,} {kind.label.lower()}" for name, kind in KINDS.items()
        )
        return f"{space.folder}: {counts}; phiên bản {store.state().revision:,}"


def _index(space: Workspace) -> str:
    opened = open_current(space.index_folder)
    try:
        manifest = opened.manifest
        with Store.open(space.folder) as store:
            behind = store.changed_since(manifest.revision, Technology.kind_name)
            if store.digest_at(manifest.revision) != manifest.store:
                raise SnapshotError("chỉ mục thuộc về dữ liệu khác: chạy lại `cungcau index`")
        late = f"; chưa gồm {behind:,} thay đổi, chạy `cungcau index`" if behind else ""
        name = manifest.encoder or "chỉ theo từ ngữ"
        return f"{manifest.records:,} công nghệ, {name}{late}"
    finally:
        opened.close()


def _model(space: Workspace) -> str:
    used = space.models.in_use()
    if used.notice:
        raise ModelError(used.notice)
    if not used.model.multipliers:
        return f"{used.version}, trọng số của chương trình"
    return f"{used.version}, học ngày {used.model.facts.get('date', 'chưa rõ')}"


def _encoder(space: Workspace) -> str:
    encoder, notice = space.encoder()
    if encoder is None and notice == WORDS_KEPT:
        return notice
    if encoder is None:
        raise EncoderError(notice)
    return f"{encoder.name} chạy được. {notice}".strip()


def _disk(space: Workspace) -> str:
    home = next(each for each in (space.folder, *space.folder.resolve().parents) if each.exists())
    free = shutil.disk_usage(home).free // 1_000_000
    if free < LEAST_FREE:
        raise OSError(f"chỉ còn {free:,} MB trống; cần ít nhất {LEAST_FREE} MB")
    return f"còn trống {free:,} MB"
