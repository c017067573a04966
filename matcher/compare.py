"""Two rankings of the same queries: which got better, which worse, and is it more than chance?

A mean hides what a change did: ten needs that gain and nine that lose look like nothing. So every
query is measured under both, the changes are listed with their texts and the records that came into
the first ten or left them, and only then is the overall difference judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import ir_measures

from corpus.headings import shorten
from matcher import significance
from matcher.runs import Ranked, RunError
from matcher.testsets import Qrels, TestSet

TOP = 10
LEVEL = 0.05


@dataclass(frozen=True)
class Moved:
    """A record that came into the first ten or left them; ``grade`` None: nobody judged it."""

    id: str
    title: str
    grade: int | None


@dataclass(frozen=True)
class Change:
    """One query under both rankings; ``before`` and ``after`` are nDCG@10, 0 to 1."""

    query: str
    text: str
    before: float
    after: float
    entered: tuple[Moved, ...]
    left: tuple[Moved, ...]

    @property
    def difference(self) -> float:
        """How much the query gained, -1 to 1."""
        return self.after - self.before

    def to_json(self) -> dict[str, Any]:
        """Return everything, the difference too."""
        return {**asdict(self), "difference": self.difference}


@dataclass(frozen=True)
class Comparison:
    """Two runs on one collection, ``changes`` by falling gain, then by query."""

    before: float
    after: float
    low: float  # of the 95 % bootstrap interval of the mean difference
    high: float
    p: float
    changes: tuple[Change, ...]
    notices: tuple[str, ...] = ()

    @property
    def difference(self) -> float:
        """The mean difference of nDCG@10."""
        return self.after - self.before

    @property
    def better(self) -> tuple[Change, ...]:
        """What gained, most first."""
        return gained(self.changes)

    @property
    def worse(self) -> tuple[Change, ...]:
        """What lost, most first."""
        return lost(self.changes)

    @property
    def significant(self) -> bool:
        """Whether a difference like this would be rare if there were none."""
        return self.p < LEVEL

    def to_json(self) -> dict[str, Any]:
        """Return everything, under the names that other programs read."""
        return {
            "queries": len(self.changes),
            "before": self.before,
            "after": self.after,
            "difference": self.difference,
            "interval": [self.low, self.high],
            "p": self.p,
            "level": LEVEL,
            "significant": self.significant,
            "better": len(self.better),
            "worse": len(self.worse),
            "changes": [each.to_json() for each in self.changes],
            "notices": list(self.notices),
        }


def compare(
    testset: TestSet,
    before: Ranked,
    after: Ranked,
    flips: int = significance.FLIPS,
    seed: int = significance.SEED,
) -> Comparison:
    """Measure two runs on the queries of ``testset`` that have an answer.

    A query that a run does not rank counts 0 there.

    Raises:
        RunError: the collection has no query with an answer, or a run ranks none of them.
    """
    answered = testset.answered
    for name, run in (("A", before), ("B", after)):
        if not answered.intersection(run):
            raise RunError(
                f"tệp thứ hạng {name} không xếp hạng truy vấn nào có đáp án của {testset.name} "
                f"({len(run):,} truy vấn trong tệp, {len(answered):,} có đáp án)"
            )
    qrels = {key: testset.qrels[key] for key in sorted(answered)}
    titles = {each.id: each.title or each.text for each in testset.documents}
    found = changes(qrels, before, after, testset.queries, titles)
    gains = [each.difference for each in sorted(found, key=lambda each: each.query)]
    low, high = significance.interval(gains, seed=seed)
    return Comparison(
        math.fsum(each.before for each in found) / len(found),
        math.fsum(each.after for each in found) / len(found),
        low,
        high,
        significance.randomisation(gains, flips, seed),
        found,
        tuple(_notices(testset, before, after)),
    )


def changes(
    qrels: Qrels,
    before: Ranked,
    after: Ranked,
    texts: Mapping[str, str],
    titles: Mapping[str, str],
) -> tuple[Change, ...]:
    """Return what became of every query of ``qrels``: most gained first, then by query."""
    old, new = ndcg(qrels, before), ndcg(qrels, after)
    found = (
        Change(
            key,
            texts.get(key, ""),
            old[key],
            new[key],
            tuple(_moved(after.get(key, ()), before.get(key, ()), grades, titles)),
            tuple(_moved(before.get(key, ()), after.get(key, ()), grades, titles)),
        )
        for key, grades in qrels.items()
    )
    return tuple(sorted(found, key=lambda each: (-each.difference, each.query)))


def gained(found: Iterable[Change]) -> tuple[Change, ...]:
    """Return what is better than before, most gained first."""
    better = (each for each in found if each.difference > significance.SAME)
    return tuple(sorted(better, key=lambda each: (-each.difference, each.query)))


def lost(found: Iterable[Change]) -> tuple[Change, ...]:
    """Return what is worse than before, most lost first."""
    worse = (each for each in found if each.difference < -significance.SAME)
    return tuple(sorted(worse, key=lambda each: (each.difference, each.query)))


def ndcg(qrels: Qrels, run: Ranked, k: int = TOP) -> dict[str, float]:
    """Return nDCG@k of every query of ``qrels``, 0 to 1; 0 where nothing is ranked.

    DCG is the sum of ``grade / log2(1 + rank)``, divided by that of the best order (Järvelin and
    Kekäläinen, 2002; gains are the grades themselves, as trec_eval has it). Records that are not
    judged gain nothing.
    """
    # By rank, so that scores that tie are not ordered anew.
    ranked = {
        key: {record: float(-place) for place, record in enumerate(run[key])}
        for key in qrels
        if run.get(key)
    }
    metric = ir_measures.nDCG @ k
    found = {each.query_id: each.value for each in ir_measures.iter_calc([metric], qrels, ranked)}
    return {key: float(found.get(key, 0.0)) for key in qrels}


def _moved(
    here: Sequence[str], there: Sequence[str], grades: Mapping[str, int], titles: Mapping[str, str]
) -> Iterator[Moved]:
    """Yield what stands in the first ten ``here`` and not ``there``, best first."""
    gone = set(there[:TOP])
    for record in here[:TOP]:
        if record not in gone:
            yield Moved(record, shorten(titles.get(record, ""), 100), grades.get(record))


def _notices(testset: TestSet, before: Ranked, after: Ranked) -> Iterator[str]:
    for name, run in (("A", before), ("B", after)):
        missing = len(testset.answered.difference(run))
        if missing:
            yield f"tệp {name} thiếu {missing:,} truy vấn có đáp án; mỗi truy vấn ấy tính 0 điểm"
        unknown = len(set(run).difference(testset.queries))
        if unknown:
            yield f"tệp {name} có {unknown:,} truy vấn không thuộc {testset.name}: không tính"
    unanswered = len(testset.queries) - len(testset.answered)
    if unanswered:
        yield f"{unanswered:,} truy vấn không có đáp án nên không đo được thứ hạng"
    yield from testset.notices
