"""``python -m benchmarks.duplicates``: how well pairs that tell the same thing twice are found.

Fitted on the sample's pairs only: ``corpus/sample/duplicates.tsv`` and the second tellings of
``corpus/sample/duplicates/``. Every figure on them is of folds that share no thing told. With
``--fit`` the curves are written anew to ``matcher/duplicates.json``. Folders given are measured and
never fitted on; each holds ``technologies.csv`` and ``duplicates.tsv``. ``--records N`` finds the
pairs among N generated records, of which one in two hundred is told a second time.
"""

from __future__ import annotations

import argparse
import json
import random
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold

from benchmarks.generator import Generator
from corpus.lexicon import Lexicon
from corpus.readers import read
from corpus.records import Need, Record, Technology
from matcher import duplicates
from matcher.calibrate import Observed, fit
from matcher.overlap import FACTS, Comparison, Overlap
from matcher.usefulness import Curve
from service.loading import sample_files

FOLDS = 10
TWICE = 200  # one in so many generated records is told twice
SEED = 20_261_123
# Facts that sources leave out.
STATED = (
    "capacity_same", "capacity_other", "cost", "owner_same", "owner_other", "number_same",
    "number_other", "year",
)  # fmt: skip


@dataclass(frozen=True)
class Collection:
    """Records of one kind, the pairs among them that are the same, and fold groups by id."""

    name: str
    records: tuple[Record, ...]
    same: frozenset[frozenset[str]]
    groups: dict[str, int]

    @classmethod
    def of(
        cls, name: str, kind: type[Record], tables: Sequence[Path], pairs: Sequence[Path]
    ) -> Collection:
        """Read tables and pairs; a pair's third column says 0 where the two are not the same."""
        records = (each for each in read(list(tables)).records if isinstance(each, kind))
        rows = [
            line.split("\t")
            for path in pairs
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        same = frozenset(frozenset(row[:2]) for row in rows if row[2:3] != ["0"])
        return cls(name, tuple(records), same, _groups([(row[0], row[1]) for row in rows]))

    def group(self, key: str) -> int:
        """The fold that a record belongs to: with all that it is listed with."""
        return self.groups.get(key, zlib.crc32(key.encode()))


def _groups(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    for one, other in pairs:
        parent[max(root(one), root(other))] = min(root(one), root(other))
    return {key: zlib.crc32(root(key).encode()) for key in list(parent)}


def own() -> tuple[Collection, Collection]:
    """Return the sample's technologies and needs, each with their second tellings."""
    folder = sample_files()[0].parent
    more = folder / "duplicates"
    return (
        Collection.of(
            "sample", Technology,
            [folder / "technologies.csv", more / "technologies.csv"],
            [folder / "duplicates.tsv", more / "pairs.tsv"],
        ),
        Collection.of(
            "sample, needs", Need,
            [folder / "products.csv", folder / "needs.csv", more / "needs.csv"],
            [more / "need_pairs.tsv"],
        ),
    )  # fmt: skip


def observed(found: Iterable[Overlap], collection: Collection) -> Observed:
    """Return candidate pairs as rows to fit on."""
    listed = list(found)
    table = [[each.facts[name] for name in FACTS] for each in listed]
    same = [frozenset((each.one.id, each.other.id)) in collection.same for each in listed]
    return Observed(
        FACTS,
        np.array(table, np.float64).reshape(-1, len(FACTS)),
        np.array(same, np.bool_),
        np.array([collection.group(each.one.id) for each in listed], np.int64),
    )


def with_gaps(rows: Observed) -> Observed:
    """Return ``rows`` as they are, once more with facts left out, and some with one owner.

    Sources leave out owner, price, year and number, and one owner has a hundred things; the sample,
    whose owners have one or two each, shows neither. So of the pairs that are not the same every
    second is also taken as if both were of one owner.
    """
    place = {name: column for column, name in enumerate(rows.names)}
    others = np.flatnonzero(~rows.useful)[::2]
    bare, owned = rows.facts.copy(), rows.facts[others].copy()
    bare[:, [place[name] for name in STATED]] = 0.0
    owned[:, place["owner_same"]] = owned[:, place["text"]]
    owned[:, place["owner_other"]] = 0.0
    return replace(
        rows,
        facts=np.concatenate([rows.facts, bare, owned]),
        useful=np.concatenate([rows.useful, rows.useful, rows.useful[others]]),
        groups=np.concatenate([rows.groups, rows.groups, rows.groups[others]]),
    )


def curve_of(rows: Observed) -> dict[str, Any]:
    """Fit a curve; facts that weigh nothing are left out."""
    found = fit(with_gaps(rows))
    weights = {name: value for name, value in found["weights"].items() if value}
    return {"intercept": found["intercept"], "weights": weights}


Found = Callable[[float], frozenset[frozenset[str]]]  # pairs as probable as a threshold


def cross_validated(collection: Collection, lexicon: Lexicon) -> tuple[dict[str, Any], Found]:
    """Return the curve of all pairs, and what curves find in the folds they were not fitted on."""
    comparison = Comparison.of(map(duplicates.told, collection.records), lexicon)
    pairs = comparison.candidates
    rows = observed(comparison.overlaps(pairs), collection)
    curves: dict[int, Curve] = {}
    for train, held_out in GroupKFold(FOLDS).split(rows.facts, groups=rows.groups):
        part = replace(
            rows, facts=rows.facts[train], useful=rows.useful[train], groups=rows.groups[train]
        )
        curves |= dict.fromkeys(held_out.tolist(), Curve(**curve_of(part)))

    def found(threshold: float) -> frozenset[frozenset[str]]:
        pieces = [
            duplicates.judged(comparison, pairs[rows_of], curve, threshold)
            for curve, rows_of in _by_curve(curves)
        ]
        return frozenset(
            frozenset((each.one.id, each.other.id)) for piece in pieces for each in piece
        )

    return curve_of(rows), found


def _by_curve(curves: dict[int, Curve]) -> list[tuple[Curve, npt.NDArray[np.int64]]]:
    rows: dict[int, tuple[Curve, list[int]]] = {}
    for row, curve in sorted(curves.items()):
        rows.setdefault(id(curve), (curve, []))[1].append(row)
    return [(curve, np.array(mine, np.int64)) for curve, mine in rows.values()]


def shipped(collection: Collection, lexicon: Lexicon) -> Found:
    """Return what the curves that come with the program find."""
    listed = duplicates.find(collection.records, lexicon, 0.1)

    def found(threshold: float) -> frozenset[frozenset[str]]:
        return frozenset(frozenset(each.ids) for each in listed if each.probability >= threshold)

    return found


def line(name: str, found: Found, same: frozenset[frozenset[str]]) -> str:
    """Return one row of the table: recall and precision at three thresholds."""
    cells = []
    for threshold in THRESHOLDS:
        pairs = found(threshold)
        right = len(pairs & same)
        cells.append(f"{right / max(len(same), 1):.3f} / {right / max(len(pairs), 1):.3f}")
    return f"| {name} | {len(same)} | " + " | ".join(cells) + " |"


THRESHOLDS = (0.3, duplicates.THRESHOLD, 0.7)


def speed(count: int, lexicon: Lexicon) -> None:
    """Time the pairs of ``count`` generated records, some of them told again with words changed."""
    sample = [each for each in own()[0].records if isinstance(each, Technology)]
    records = [_alone(each, row) for row, each in enumerate(Generator(sample).records(count))]
    chance = random.Random(SEED)
    again = [retold(each, chance) for each in records[::TWICE]]
    same = frozenset(frozenset((each.id, f"{each.id}-LAI")) for each in records[::TWICE])
    everything = sorted([*records, *again], key=lambda each: each.id)
    marks = [(time.perf_counter(), time.process_time())]
    comparison = Comparison.of(map(duplicates.told, everything), lexicon)
    marks.append((time.perf_counter(), time.process_time()))
    pairs = comparison.candidates
    marks.append((time.perf_counter(), time.process_time()))
    curve = duplicates.shipped()[Technology.kind_name]
    found = duplicates.judged(comparison, pairs, curve, duplicates.THRESHOLD)
    marks.append((time.perf_counter(), time.process_time()))
    print(f"{len(everything):,} records, {len(pairs):,} candidates, {len(found):,} pairs")
    steps = zip(("read", "candidates", "judge"), marks, marks[1:], strict=False)
    for name, before, after in [*steps, ("all", marks[0], marks[-1])]:
        clock, cpu = (end - start for start, end in zip(before, after, strict=True))
        print(f"{name:>10}: {cpu:6.1f} s of CPU, {clock:6.1f} s by the clock")
    told = frozenset(frozenset((each.one.id, each.other.id)) for each in found)
    print(f"told twice: {len(same):,}, found {len(told & same) / len(same):.3f}")


def _alone(record: Technology, row: int) -> Technology:
    """Take from a generated record what it has of the sample record that it was modelled on."""
    own = {"owner": f"Cơ sở Sinh {row // 5}", "year": 2005 + row % 20}
    bare = dict.fromkeys(("acceptance_no", "capacity", "cost_from", "cost_to", "conditions"))
    return record.model_copy(update={**bare, **own})


def retold(record: Technology, chance: random.Random) -> Technology:
    """Tell a record again: half of its words, in another order of sentences, by somebody else."""
    sentences = (record.detail or record.summary or record.name).split(". ")
    chance.shuffle(sentences)
    words = " ".join(sentences).split()
    kept = [each for each in words if chance.random() < 0.6]
    title = record.name.split()
    chance.shuffle(title)
    return record.model_copy(
        update={
            "id": f"{record.id}-LAI", "name": " ".join(title), "detail": " ".join(kept),
            "owner": "Đơn vị giới thiệu lại", "acceptance_no": None, "trl": None,
        }
    )  # fmt: skip


def main(given: Sequence[str] | None = None) -> None:
    """Measure, and fit where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="collections to measure on")
    parser.add_argument("--fit", action="store_true", help="write matcher/duplicates.json anew")
    parser.add_argument("--records", type=int, default=0, metavar="N", help="records to generate")
    options = parser.parse_args(given)
    lexicon = Lexicon.load()
    if options.records:
        speed(options.records, lexicon)
        return
    head = " | ".join(f"p ≥ {each:g}" for each in THRESHOLDS)
    print(f"| recall / precision | pairs | {head} |\n|---|---|{'---|' * len(THRESHOLDS)}")
    curves: dict[str, Any] = {}
    for collection in own():
        curve, found = cross_validated(collection, lexicon)
        curves[collection.records[0].kind_name] = curve
        print(line(f"{collection.name}, {FOLDS} folds", found, collection.same))
    if options.fit:
        target = Path(duplicates.__file__).with_name(duplicates.FILE)
        data = {"fitted_on": [each.name for each in own()], "curves": curves}
        target.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        duplicates.shipped.cache_clear()
    for folder in options.folders:
        tables, pairs = [folder / "technologies.csv"], [folder / "duplicates.tsv"]
        other = Collection.of(folder.name, Technology, tables, pairs)
        print(line(folder.name, shipped(other, lexicon), other.same))


if __name__ == "__main__":
    main()
