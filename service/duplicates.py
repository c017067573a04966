"""The pairs of one store that may tell the same thing, found once for each state of it.

Up to :data:`AT_ONCE` records pairs are found when they are asked for and kept in memory. Beyond
that nobody waits: ``cungcau duplicates`` finds them and leaves them in the work folder, with the
state of the store they are of, and pages show what stands there, with a notice where records have
changed since. Pairs that a person kept apart, or whose records are gone, are left out as they are
shown. What is under NDA is never looked at.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.lexicon import Lexicon
from corpus.records import KINDS, Need, Record
from corpus.store import State, Store, StoreError
from corpus.workflow import Apart, Merge
from matcher import duplicates
from matcher.duplicates import THRESHOLD, Duplicate
from service.desk_merging import MERGED
from service.workspace import Workspace

AT_ONCE = 2_000  # records of a kind whose pairs are found while somebody waits
LEAST = 0.1  # probability of the pairs that are kept; what is shown is asked for
SCHEMA = 1
TOO_MANY = (
    "có {count:,} bản ghi: chạy `cungcau duplicates --kind {kind}` trên máy chủ để tìm cặp trùng, "
    "rồi mở lại trang này"
)


@dataclass(frozen=True)
class Pair:
    """Two records that may tell the same thing, as it is shown and kept."""

    kind: str
    one: str
    other: str
    probability: float
    titles: tuple[str, str]
    reasons: tuple[str, ...]
    differences: tuple[str, ...]

    @classmethod
    def of(cls, found: Duplicate) -> Pair:
        """Return what is kept of a pair."""
        told = found.overlap
        return cls(
            found.kind, *found.ids, found.probability, (told.one.title, told.other.title),
            found.reasons, found.differences,
        )  # fmt: skip

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Pair:
        """Read what :meth:`to_json` gave."""
        lists = ("titles", "reasons", "differences")
        return cls(**{**data, **{name: tuple(data[name]) for name in lists}})

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "kind": self.kind,
            "one": self.one,
            "other": self.other,
            "probability": self.probability,
            "titles": list(self.titles),
            "reasons": list(self.reasons),
            "differences": list(self.differences),
        }


@dataclass(frozen=True)
class Pairs:
    """The pairs of one kind, most probable first, and what to know of them."""

    pairs: tuple[Pair, ...]
    notices: tuple[str, ...] = ()


class Found:
    """The pairs of one work folder; safe to use from many threads."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._kept: dict[str, tuple[State, tuple[Pair, ...]]] = {}
        self._finding = threading.Lock()

    def pairs(self, store: Store, kind: str, threshold: float = THRESHOLD) -> Pairs:
        """Return the pairs that nobody has decided on.

        Raises:
            StoreError: there are too many records to be looked through now.
        """
        with self._finding:
            found, notices = self._current(store, kind)
        shown = (each for each in found if each.probability >= threshold)
        return Pairs(undecided(store, kind, shown), notices)

    def _current(self, store: Store, kind: str) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
        state = store.state(kind)
        for kept in (self._kept.get(kind), read(self._space.folder, kind)):
            if kept is not None and kept[0] == state:
                return kept[1], ()
        count = len(store.hashes(kind))
        if count <= AT_ONCE:
            found = find(store.all(KINDS[kind]), self._space.lexicon(), LEAST)
            self._kept[kind] = (state, found)
            return found, ()
        kept = read(self._space.folder, kind)
        if kept is None:
            raise StoreError(TOO_MANY.format(count=count, kind=kind))
        behind = f"Dữ liệu đã đổi từ lần tìm trước: chạy lại `cungcau duplicates --kind {kind}`."
        return kept[1], (behind,)


def find(records: Sequence[Record], lexicon: Lexicon, threshold: float) -> tuple[Pair, ...]:
    """Return the pairs of ``records`` as they are kept."""
    return tuple(map(Pair.of, duplicates.find(records, lexicon, threshold)))


def undecided(store: Store, kind: str, pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Return the pairs whose records are both there and that nobody kept apart."""
    listed = list(pairs)
    apart = {(each.one, each.other) for each in store.find(Apart, of=kind)}
    there = _there(store, kind, {key for each in listed for key in (each.one, each.other)})
    return tuple(
        each
        for each in listed
        if (each.one, each.other) not in apart and {each.one, each.other} <= there
    )


def _there(store: Store, kind: str, keys: set[str]) -> frozenset[str]:
    there = store.present(KINDS[kind], keys)
    if kind != Need.kind_name:
        return there
    return there - {each.gone for each in store.find(Merge, of=kind)}


def of_loaded(
    store: Store,
    lexicon: Lexicon,
    records: Iterable[Record],
    there: Mapping[str, Iterable[str]],
) -> dict[str, int | None]:
    """Return for each kind how many of the loaded ``records`` may tell what was there before.

    ``there``: the ids that the store had before, by kind.
    """
    listed = [(each.kind_name, each.key) for each in records]
    return {
        kind: of_new(
            store, lexicon, kind, frozenset(key for name, key in listed if name == kind),
            frozenset(there[kind]),
        )
        for kind in MERGED
    }  # fmt: skip


def of_new(
    store: Store, lexicon: Lexicon, kind: str, new: frozenset[str], before: frozenset[str]
) -> int | None:
    """Return how many of ``new`` may tell the same as one of ``before``; ``None``: too many to say.

    For whoever loads records: it costs seconds where the store is small, and is not asked where it
    is large.
    """
    new, before = new - before, before - new
    if not new or not before:
        return 0
    if len(new) + len(before) > AT_ONCE:
        return None
    found = duplicates.find(store.all(KINDS[kind]), lexicon, THRESHOLD, only=new)
    pairs = undecided(store, kind, map(Pair.of, found))
    return len({key for each in pairs for key in _newcomer(each, new, before)})


def _newcomer(pair: Pair, new: frozenset[str], before: frozenset[str]) -> tuple[str, ...]:
    both = (pair.one, pair.other)
    return tuple(each for each in both if each in new and not before.isdisjoint(both))


# Kept in the work folder --------------------------------------------------------------------------


def _file(folder: Path, kind: str) -> Path:
    return folder / "duplicates" / f"{kind}.json"


def keep(folder: Path, kind: str, state: State, pairs: Sequence[Pair]) -> None:
    """Leave pairs in the work folder, whole or not at all."""
    path = _file(folder, kind)
    path.parent.mkdir(exist_ok=True)
    data = {
        "schema": SCHEMA,
        "revision": state.revision,
        "digest": state.digest,
        "pairs": [each.to_json() for each in pairs],
    }
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False)
    Path(name).replace(path)


def read(folder: Path, kind: str) -> tuple[State, tuple[Pair, ...]] | None:
    """Return what :func:`keep` left; ``None`` where nothing is, or nothing that can be read."""
    try:
        data = json.loads(_file(folder, kind).read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            return None
        state = State(data["revision"], data["digest"])
        return state, tuple(map(Pair.from_json, data["pairs"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
