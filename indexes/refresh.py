"""A small change of a large index: only what changed is analysed, encoded and written.

The new snapshot takes the segments of the current one as they are (hard links), names the records
that were changed or removed dead, and adds one segment with what is new. When small segments have
become many they are put together, and when they or the dead have become a good part of the whole,
everything is: merging reads postings, not texts. Each audience is refreshed by itself, by the
digests of its own documents, so a change of restricted text alone leaves the public segments and
their dead untouched. What is opened afterwards scores like an index built anew, to the last bit.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from indexes.bm25 import NONE_DEAD
from indexes.documents import Document, corpus_digest, digests
from indexes.encoders import Cache, Encoder
from indexes.segments import Held, Segment, Tick, live_digests, merged
from indexes.snapshot import (
    ALL,
    DAMAGE,
    PUBLIC,
    Audiences,
    IndexBusyError,
    Manifest,
    SnapshotError,
    builder,
    dead_file,
    made_with,
    make_current,
    pointed,
    read_manifest,
    read_states,
)

SEGMENTS = 8  # small ones, before they are put together
SHARE = 0.25  # of all live records that may be new or dead, before everything is put together


def base(home: Path, encoder: Encoder | None, tables: str) -> Manifest | None:
    """Return the current manifest if it is whole and made with the same program and tables."""
    try:
        folder = home / pointed(home)
        manifest = read_manifest(folder)
        read_states(folder, manifest)
    except (SnapshotError, *DAMAGE):
        return None
    same = all(getattr(manifest, name) == mine for name, mine in made_with(encoder).items())
    return manifest if same and manifest.tables == tables else None


def refresh(
    home: Path,
    since: Manifest,
    changed: Audiences,
    removed: Iterable[str],
    encoder: Encoder | None,
    cache: Cache | None = None,
    revision: int = 0,
    store: str = "",
    tick: Tick | None = None,
) -> Manifest:
    """Publish what ``since`` holds with ``changed`` documents in place of those of the same ids.

    Args:
        home: the index folder.
        since: the current manifest, from :func:`base`.
        changed: documents added or changed, ``all`` only if one of them is restricted.
        removed: ids that are no longer there; what is in ``changed`` too is.
        encoder: the encoder of ``since``.
        cache: where vectors are kept between builds.
        revision: the store's revision that the result shows.
        store: the store's digest at that revision.
        tick: as in :func:`indexes.snapshot.publish`.

    Raises:
        IndexBusyError: another process builds here, or has published since.
    """
    with builder(home):
        folder = home / pointed(home)
        if read_manifest(folder) != since:
            raise IndexBusyError(f"chỉ mục trong {home} vừa được cập nhật: chạy lại")
        states = read_states(folder, since)
        if ALL in changed and ALL not in states:
            states[ALL] = list(states[PUBLIC])
        gone = frozenset(removed)
        after = {
            audience: _tidied(
                audience,
                _changed(
                    audience,
                    held,
                    changed.get(audience, changed[PUBLIC]),
                    gone,
                    encoder,
                    cache,
                    tick,
                ),
            )
            for audience, held in states.items()
        }
        manifest = Manifest(
            **made_with(encoder),
            records=sum(len(each.alive) for each in after[PUBLIC]),
            corpus=corpus_digest({name: live_digests(each) for name, each in after.items()}),
            revision=revision,
            store=store,
            restricted=ALL in after,
            tables=since.tables,
            segments={name: [one.name for one in each] for name, each in sorted(after.items())},
        )
        old = {one.name: folder / one.name for each in states.values() for one in each}
        make_current(home, manifest, lambda target: _fill(target, after, old))
    return manifest


def _changed(
    audience: str,
    held: Sequence[Held],
    documents: Sequence[Document],
    removed: frozenset[str],
    encoder: Encoder | None,
    cache: Cache | None,
    tick: Tick | None,
) -> list[Held]:
    """Mark what is no longer true, and add a segment of what is new."""
    places = {
        each.segment.ids[row]: (number, row)
        for number, each in enumerate(held)
        for row in each.alive.tolist()
    }
    new: list[Document] = []
    dead: list[list[int]] = [[] for _ in held]
    for document, digest in zip(documents, digests(documents), strict=True):
        place = places.get(document.id)
        if place is not None:
            number, row = place
            if (held[number].segment.digests[row] == digest).all():
                continue
            dead[number].append(row)
        new.append(document)
    left = removed - {each.id for each in documents}
    for number, row in (places[key] for key in left if key in places):
        dead[number].append(row)
    after = [each.without(rows) for each, rows in zip(held, dead, strict=True)]
    if new:
        new.sort(key=lambda each: each.id)
        segment = Segment.build(new, encoder, cache, tick)
        after.append(Held(_free_name(audience, after), segment, NONE_DEAD))
    return after


def _free_name(audience: str, held: Sequence[Held]) -> str:
    """A name that no segment of ``audience`` has: one more than the largest number."""
    numbers = [
        int(each.name.rpartition("-")[2]) if "-" in each.name else 0
        for each in held
        if each.name.partition("-")[0] == audience
    ]
    return f"{audience}-{max(numbers, default=0) + 1}"


def _tidied(audience: str, held: list[Held]) -> list[Held]:
    """Put segments together where they have become many, or no longer small."""
    alive = sum(len(each.alive) for each in held)
    extra = sum(map(len, (each.segment for each in held[1:])))
    dead = sum(map(len, (each.segment for each in held))) - alive
    if max(extra, dead) > SHARE * alive:
        return [Held(_free_name(audience, held), merged(held), NONE_DEAD)]
    if len(held) > 1 + SEGMENTS:
        small = Held(_free_name(audience, held), merged(held[1:]), NONE_DEAD)
        return [held[0], small]
    return held


def _fill(target: Path, states: dict[str, list[Held]], old: dict[str, Path]) -> None:
    """Write the segments of ``states`` into ``target``, those that are on disk as links."""
    for audience, held in states.items():
        for each in held:
            folder = target / each.name
            if not folder.exists():
                if each.name in old:
                    _link(old[each.name], folder)
                else:
                    each.segment.save(folder)
            if len(each.dead):
                np.save(target / dead_file(audience, each.name), each.dead)


def _link(source: Path, target: Path) -> None:
    """Make ``target`` the same folder as ``source``, without copying where the disk can link."""
    shutil.copytree(source, target, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
