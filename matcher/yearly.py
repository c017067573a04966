"""A finished yearly run, read back as records: what was asked, what was listed, how well.

Coverage, plans and next year's run start from here and never from the store, whose records go on
changing. What stands in the folder is told in :mod:`matcher.batch`.

A machine proposes and people decide: where somebody judged a technology for a need, the judgment is
the label (3: phù hợp, 2: cần điều chỉnh, 1 and 0: tham khảo), and the level follows from it.
Who said so, and when, is told beside it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from corpus.held import Held
from corpus.records import Need, Product, Record
from matcher.explain import ADAPT, PARTS, REFERENCE, SUITS
from matcher.fit import Breach
from matcher.run_files import NOT_FOUND, digest_of, level, rows
from matcher.run_folder import (
    FORMAT,
    MATCHES,
    NEEDS,
    PRODUCTS,
    RUN,
    STARTED,
    TABLES,
    TECHNOLOGIES,
    RunFolderError,
    read_json,
)

R = TypeVar("R", bound=Record)
Grades = Mapping[tuple[str, str], int]  # need and technology → grade 0..3
JUDGED = (REFERENCE, REFERENCE, ADAPT, SUITS)  # label by grade
OF_REFERENCE = 0.25  # the most that a mere reference counts where one must be chosen


@dataclass(frozen=True)
class Pair:
    """One technology listed for one need."""

    need: str
    technology: str
    apart: bool
    rank: int
    label: str
    usefulness: float
    score: float
    parts: Mapping[str, float]
    coverage: float
    cosine: float | None
    relation: str
    reason: str
    lacks: str
    breaches: tuple[Breach, ...]
    grade: int | None = None  # what somebody judged; it decided the label
    judged: str = ""  # who judged, and when, as far as it is known

    @property
    def good(self) -> bool:
        """Whether it is more than a reference and breaks no hard rule."""
        return not self.apart and self.label != REFERENCE

    @property
    def worth(self) -> float:
        """What it counts where a list is chosen, 0..1.

        A third for each grade where somebody judged; else the chance that it is of use, of which a
        reference keeps :data:`OF_REFERENCE` at most: what fights another pest agrees in all words.
        """
        if self.grade is not None:
            return round(self.grade / 3, 6)
        least = OF_REFERENCE if self.label == REFERENCE else 1.0
        return min(self.usefulness, least)

    @property
    def told(self) -> str:
        """The label, and whose judgment it is where it is not the machine's."""
        if self.grade is None:
            return self.label
        by = f", {self.judged}" if self.judged else ""
        return f"{self.label} (người đánh giá mức {self.grade}{by})"


@dataclass(frozen=True)
class Answered:
    """One need as it was matched, and how well it was answered."""

    need: Need
    level: str
    answerable: float
    hits: int
    blocked: int
    notices: tuple[str, ...]
    asked: str

    @property
    def gap(self) -> bool:
        """Whether nothing that may be used was found."""
        return self.level in {REFERENCE, NOT_FOUND}


@dataclass(frozen=True)
class Run:
    """A finished run, read from its folder; records are as they were when it was made."""

    folder: Path
    facts: Mapping[str, Any]  # run.json
    grades: Grades = field(default_factory=dict)
    judges: Mapping[tuple[str, str], str] = field(default_factory=dict)  # of each grade: who, when

    @classmethod
    def open(cls, folder: Path, grades: Grades | None = None) -> Run:
        """Open a finished run and check that its tables are those that it was finished with.

        Args:
            folder: where it stands.
            grades: what people judged, by need and technology; it decides labels and levels.

        Raises:
            RunFolderError: there is none, it is not finished, of another format, or was changed.
        """
        facts = read_json(folder / RUN)
        if facts is None:
            started = (folder / STARTED).is_file()
            told = "chưa chạy xong: chạy tiếp `cungcau batch --out" if started else "không có đợt"
            raise RunFolderError(f"{folder}: {told}{f' {folder}`' if started else ' chạy nào'}")
        if facts.get("format") != FORMAT:
            told = f"định dạng {facts.get('format')}, chương trình đọc {FORMAT}"
            raise RunFolderError(f"{folder}: đợt chạy của phiên bản khác ({told}): chạy lại")
        for name in TABLES:
            if digest_of(folder / name) != facts["files"].get(name):
                raise RunFolderError(f"{folder}: {name} thiếu hoặc đã bị sửa sau khi chạy xong")
        return cls(folder, facts, grades or {})

    @property
    def as_of(self) -> dt.date:
        """The day on which validity was judged."""
        return dt.date.fromisoformat(self.facts["made_from"]["settings"]["as_of"])

    @cached_property
    def needs(self) -> dict[str, Answered]:
        """The needs by id."""
        read = {row["id"]: _answered(row) for row in rows(self.folder / NEEDS)}
        judged = {need for need, _ in self.grades if need in read}
        return {**read, **{key: _judged(read[key], self.pairs[key]) for key in sorted(judged)}}

    @cached_property
    def pairs(self) -> dict[str, tuple[Pair, ...]]:
        """What is listed for each need: what breaks no rule first, each list best first."""
        found: dict[str, list[Pair]] = {row["id"]: [] for row in rows(self.folder / NEEDS)}
        for row in rows(self.folder / MATCHES):
            key = (row["need"], row["technology"])
            pair = pair_of(row, self.grades.get(key), self.judges.get(key, ""))
            found[row["need"]].append(pair)
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def technologies(self) -> Held:
        """The supply by id, public parts only; each is read when it is looked at."""
        bodies = {row["id"]: row["body"].encode() for row in rows(self.folder / TECHNOLOGIES)}
        return Held(bodies, public=True)

    @cached_property
    def products(self) -> dict[str, Product]:
        """The products by id."""
        told = rows(self.folder / PRODUCTS)
        return {row["id"]: Product.model_validate_json(row["body"]) for row in told}


def _judged(answered: Answered, pairs: Sequence[Pair]) -> Answered:
    found = level((each.label, each.relation, each.apart) for each in pairs)
    blocked = sum(each.apart and each.label != REFERENCE for each in pairs)
    return replace(answered, level=found, blocked=blocked)


def _answered(row: Mapping[str, Any]) -> Answered:
    return Answered(
        Need.model_validate_json(row["body"]),
        row["level"],
        row["answerable"],
        row["hits"],
        row["blocked"],
        tuple(row["notices"]),
        row["asked"],
    )


def pair_of(row: Mapping[str, Any], grade: int | None = None, judged: str = "") -> Pair:
    """Read one row of ``matches.parquet``; ``grade`` is what somebody judged of it, if anybody."""
    parts = {name: row[f"part_{name}"] for name in PARTS}
    return Pair(
        **{name: row[name] for name in (
            "need", "technology", "apart", "rank", "usefulness", "score", "coverage",
            "cosine", "relation", "reason", "lacks",
        )},
        label=row["label"] if grade is None else JUDGED[grade],
        grade=grade,
        judged=judged,
        parts={name: value for name, value in parts.items() if value is not None},
        breaches=tuple(Breach(**each) for each in row["breaches"]),
    )  # fmt: skip
