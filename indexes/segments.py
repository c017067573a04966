"""Some records of one audience, indexed together and never changed: the unit that is written.

A small change of a large collection must not cost a rebuild. So an index is a list of segments: one
large, and small ones with what was added or changed since; a record that was changed or removed is
named *dead* in the segment that held it (:mod:`indexes.snapshot`). A segment holds nothing that
depends on other records. Statistics are those of all live records (:mod:`indexes.bm25`), so scores
are those of an index built anew, to the last bit.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexes import analyser, merging
from indexes.documents import FIELDS, Digests, Document, digests
from indexes.encoders import Cache, Encoder
from indexes.inverting import Inverter
from indexes.postings import Postings
from indexes.senses import Senses, pieces
from indexes.vectors import pool
from indexes.vocabulary import Array, mapped

Tick = Callable[[str, int, int], None]  # what is being done, steps just done, steps in all


class Misaligned(RuntimeError):  # noqa: N818 - it names what is wrong
    """Parts of an index do not have the same number of records."""


def check_aligned(ids: int, sizes: Iterable[tuple[str, int]]) -> None:
    """Raise :class:`Misaligned` with both numbers where a part has not as many records as ids."""
    for name, size in sizes:
        if size != ids:
            raise Misaligned(f"chỉ mục lệch nhau: {ids:,} mã nhưng {size:,} {name}")


@dataclass(frozen=True, eq=False)
class Labels:
    """What is kept beside the text of each record, as arrays: many records share their labels.

    ``names`` are the distinct labels, ``members`` (int32) their numbers, set after set, and
    ``starts`` (S+1, int64) where each set begins; ``numbers`` (n, int32) is each record's set.
    """

    names: tuple[str, ...]
    members: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int32]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, ...]]) -> Labels:
        """Number labels and sets in the order in which they first occur."""
        sets: dict[tuple[str, ...], int] = {}
        numbers = [sets.setdefault(row, len(sets)) for row in rows]
        names: dict[str, int] = {}
        members = [names.setdefault(each, len(names)) for row in sets for each in row]
        starts = [0, *accumulate(map(len, sets))]
        return cls(
            tuple(names),
            np.array(members, np.int32),
            np.array(starts, np.int64),
            np.array(numbers, np.int32),
        )

    @classmethod
    def joined(cls, several: Sequence[Labels]) -> Labels:
        """Put the labels of segments one after another; a set may then stand there twice."""
        names: dict[str, int] = {}
        members, starts, numbers = [], [np.zeros(1, np.int64)], []
        sets = held = 0
        for labels in several:
            new = np.array([names.setdefault(each, len(names)) for each in labels.names], np.int32)
            members.append(new[labels.members] if len(new) else labels.members)
            starts.append(labels.starts[1:] + held)
            numbers.append(labels.numbers + np.int32(sets))
            held, sets = held + len(labels.members), sets + len(labels.starts) - 1
        return cls(
            tuple(names), np.concatenate(members), np.concatenate(starts), np.concatenate(numbers)
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, row: int) -> tuple[str, ...]:
        number = int(self.numbers[row])
        mine = self.members[self.starts[number] : self.starts[number + 1]]
        return tuple(self.names[each] for each in mine.tolist())

    def save(self, folder: Path) -> None:
        """Write into ``folder``, which must exist."""
        _write_json(folder / "labels.json", self.names)
        for name in ("members", "starts", "numbers"):
            np.save(folder / f"label-{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Labels:
        """Open what :meth:`save` wrote."""
        names = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        members, starts, numbers = (
            np.load(folder / f"label-{name}.npy") for name in ("members", "starts", "numbers")
        )
        for name, size, expected in (
            ("nhãn", len(names), int(members.max(initial=-1)) + 1),
            ("nhãn trong các bộ", len(members), int(starts[-1])),
            ("bộ nhãn", len(starts) - 1, int(numbers.max(initial=-1)) + 1),
        ):
            if size != expected:
                raise Misaligned(f"chỉ mục lệch nhau: {size:,} {name} nhưng {expected:,}")
        return cls(tuple(names), members, starts, numbers)


@dataclass(frozen=True, eq=False)
class Segment:
    """Records in the order of ``ids``: their labels, their postings by view, their vectors."""

    ids: tuple[str, ...]
    labels: Labels
    views: Mapping[str, Postings]
    senses: Senses | None
    digests: Digests  # of the documents, so that unchanged ones are recognised

    def __post_init__(self) -> None:
        check_aligned(len(self.ids), self._sizes())

    def _sizes(self) -> Iterator[tuple[str, int]]:
        yield "bộ nhãn", len(self.labels)
        yield "mã băm", len(self.digests)
        yield from ((f"bản ghi trong {name}", len(view)) for name, view in self.views.items())
        if self.senses is not None:
            yield "vectơ", len(self.senses)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def build(
        cls,
        documents: Sequence[Document],
        encoder: Encoder | None = None,
        cache: Cache | None = None,
        tick: Tick | None = None,
        known: Digests | None = None,
    ) -> Segment:
        """Index ``documents``, whose digests may be known; their order is the order of rows."""
        inverter = Inverter(len(FIELDS))
        for document in documents:
            for name in FIELDS:
                inverter.add(getattr(document, name))
            if tick:
                tick("phân tích văn bản", 1, len(documents))
        views = inverter.finish()
        ids = tuple(document.id for document in documents)
        labels = Labels.of(document.labels for document in documents)
        senses = _encode(documents, encoder, cache, tick) if encoder else None
        return cls(ids, labels, views, senses, digests(documents) if known is None else known)

    def save(self, folder: Path) -> None:
        """Write into ``folder``, which is made here."""
        for view, postings in self.views.items():
            (folder / view).mkdir(parents=True)
            postings.save(folder / view)
        _write_json(folder / "ids.json", self.ids)
        self.labels.save(folder)
        np.save(folder / "digests.npy", self.digests)
        if self.senses is not None:
            self.senses.save(folder)

    @classmethod
    def load(cls, folder: Path, dense: bool) -> Segment:
        """Open what :meth:`save` wrote, memory-mapped."""
        views = {view: Postings.load(folder / view) for view in analyser.VIEWS}
        return cls(
            tuple(json.loads((folder / "ids.json").read_text(encoding="utf-8"))),
            Labels.load(folder),
            views,
            Senses.load(folder) if dense else None,
            mapped(folder / "digests.npy"),
        )


@dataclass(frozen=True, eq=False)
class Held:
    """A segment as one state of an index holds it: by name, and which of its records are dead."""

    name: str
    segment: Segment
    dead: Array  # (n,) bool, (0,) where nobody is

    @property
    def alive(self) -> npt.NDArray[np.int64]:
        """The rows that are not dead."""
        everybody = np.arange(len(self.segment))
        return everybody[~self.dead] if len(self.dead) else everybody

    def without(self, rows: Iterable[int]) -> Held:
        """Return the same with ``rows`` dead too."""
        gone = list(rows)
        if not gone:
            return self
        dead = self.dead.copy() if len(self.dead) else np.zeros(len(self.segment), np.bool_)
        dead[gone] = True
        return replace(self, dead=dead)


def in_order(held: Sequence[Held]) -> list[tuple[str, int, int]]:
    """Return (id, number of the segment, row there) of every live record, by id."""
    return sorted(
        (each.segment.ids[row], number, row)
        for number, each in enumerate(held)
        for row in each.alive.tolist()
    )


def live_digests(held: Sequence[Held]) -> Digests:
    """Return the digests of the live records, by id."""
    order = in_order(held)
    return _gathered([each.segment.digests for each in held], order)


def merged(held: Sequence[Held]) -> Segment:
    """Return the live records of several segments as one: what building them anew would give."""
    order = in_order(held)
    rows = [np.full(len(each.segment), -1, np.int64) for each in held]
    for new, (_, number, row) in enumerate(order):
        rows[number][row] = new
    segments = [each.segment for each in held]
    views = {
        view: merging.merged([each.views[view] for each in segments], rows)
        for view in analyser.VIEWS
    }
    senses = [each.senses for each in segments if each.senses is not None]
    return Segment(
        tuple(key for key, _, _ in order),
        Labels.of(segments[number].labels[row] for _, number, row in order),
        views,
        _merged_senses(senses, order, rows) if senses else None,
        _gathered([each.digests for each in segments], order),
    )


def _gathered(arrays: Sequence[Array], order: Sequence[tuple[str, int, int]]) -> Array:
    """Return the rows of several arrays in ``order``."""
    firsts = np.cumsum([0, *map(len, arrays)])
    places = np.array([firsts[number] + row for _, number, row in order], np.int64)
    return np.asarray(np.concatenate(arrays)[places])


def _write_json(path: Path, value: Sequence[object]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _merged_senses(
    several: Sequence[Senses], order: Sequence[tuple[str, int, int]], rows: Sequence[Array]
) -> Senses:
    """Put the vectors of several segments in ``order``; ``rows`` has each old row's new one."""
    owners = np.concatenate(
        [mine[each.owners] for each, mine in zip(several, rows, strict=True)]
    ).astype(np.int64)
    parts = np.concatenate([each.parts.matrix for each in several])
    kept = np.flatnonzero(owners >= 0)
    kept = kept[np.argsort(owners[kept], kind="stable")]
    whole = _gathered([each.whole.matrix for each in several], order)
    return Senses.build(whole, parts[kept], owners[kept])


def _encode(
    documents: Sequence[Document], encoder: Encoder, cache: Cache | None, tick: Tick | None
) -> Senses:
    texts = [text for document in documents for text in document.passages]
    owners = [row for row, document in enumerate(documents) for _ in document.passages]
    cut = [(row, piece) for row, text in zip(owners, texts, strict=True) for piece in pieces(text)]
    everything = [*texts, *(piece for _, piece in cut)]
    with tempfile.TemporaryDirectory() as scratch:
        cache = cache or Cache(Path(scratch) / "embeddings.sqlite")
        vectors = cache.passages(
            encoder,
            everything,
            (lambda done: tick("mã hóa ngữ nghĩa", done, len(everything))) if tick else None,
        )
    whole = pool(vectors[: len(texts)], np.array(owners, np.int64), len(documents))
    return Senses.build(whole, vectors[len(texts) :], np.array([row for row, _ in cut], np.int64))
