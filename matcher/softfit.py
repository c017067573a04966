"""Soft fit: what product, stage, process and place add to a score; they never exclude.

Many records share their labels, so a part is worked out once for each distinct value and given only
to the records that gain by it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from indexes import selection
from indexes.segments import Labels
from matcher.hits import Rows

V = TypeVar("V", bound=Hashable)
SEED = 0  # of the numbers that stand for labels


@dataclass(frozen=True, eq=False)
class Groups(Generic[V]):
    """The distinct values of one kind of fact, and each row's number among them."""

    values: list[V]
    numbers: npt.NDArray[np.int32]

    @classmethod
    def of(cls, rows: Iterable[V]) -> Groups[V]:
        """Number the distinct values of ``rows`` in the order in which they first occur."""
        known: dict[V, int] = {}
        numbers = [known.setdefault(each, len(known)) for each in rows]
        return cls(list(known), np.array(numbers, np.int32))

    def __getitem__(self, row: int) -> V:
        return self.values[int(self.numbers[row])]

    @cached_property
    def members(self) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Where each value's rows start and stop, and the rows by value."""
        starts = np.zeros(len(self.values) + 1, np.int64)
        np.cumsum(np.bincount(self.numbers, minlength=len(self.values)), out=starts[1:])
        return starts, np.argsort(self.numbers, kind="stable").astype(np.int32)


def labelled(labels: Labels, prefix: str) -> Groups[frozenset[str]]:
    """Group rows by their labels of one kind, those that begin with ``prefix``.

    There may be as many sets as records and few groups of one kind, so that sets are told apart by
    the sum of one random 64-bit number for each label, not by looking into each: that two of a
    million different sets share a sum has a chance of 3 in 10⁸.
    """
    worth = np.random.default_rng(SEED).integers(2**64, size=len(labels.names), dtype=np.uint64)
    mine = np.array([name.startswith(prefix) for name in labels.names], np.bool_)
    kept = mine[labels.members] if len(mine) else np.zeros(0, np.bool_)
    ends = np.concatenate([[0], np.cumsum(kept)])[labels.starts]
    told = labels.members[kept]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(worth[told], dtype=np.uint64)])
    sets = Groups.of((sums[ends[1:]] - sums[ends[:-1]]).tolist())
    first = np.empty(len(sets.values), np.int64)
    first[sets.numbers[::-1]] = np.arange(len(sets.numbers))[::-1]
    names = [name.removeprefix(prefix) for name in labels.names]
    values = [
        frozenset(names[each] for each in told[ends[at] : ends[at + 1]].tolist())
        for at in first.tolist()
    ]
    return Groups(values, sets.numbers[labels.numbers])


@dataclass(frozen=True, eq=False)
class Fit:
    """One part of the soft fit: what each value of a group gains."""

    group: Groups[Any]
    gains: npt.NDArray[np.float64]

    def of(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Return what ``rows`` gain."""
        found: npt.NDArray[np.float64] = self.gains[self.group.numbers[rows]]
        return found

    def give(self, scores: npt.NDArray[np.float32]) -> None:
        """Add to every row what it gains."""
        starts, rows = self.group.members
        selection.give(rows, starts, self.gains, scores)
