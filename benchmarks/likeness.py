"""How like the sample the generated records are, in what speed depends on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.generator import WORDS, Curve, growth_of, texts
from corpus.records import Technology
from indexes.analyser import segment, spans

SEGMENTED = 100  # records whose words are told by the segmenter, which is slow


@dataclass(frozen=True)
class Likeness:
    """Statistics of one set of records; lengths are in words of all texts of a record."""

    records: int
    syllables: int
    vocabulary: int
    once: float  # share of the vocabulary that stands once
    bigrams: int
    heaps: Curve
    heaps_bigrams: Curve
    mean: float
    spread: float  # standard deviation / mean
    tails: tuple[float, float]  # 10th and 90th percentile / mean
    per_record: float  # distinct syllables / syllables inside a record
    words: int  # distinct words in the first SEGMENTED records, cut to equal length


def likeness(records: Sequence[Technology], limit: int | None = None) -> Likeness:
    """Measure ``records``, the first ones up to ``limit`` syllables."""
    written = _first([texts(record) for record in records], limit)
    points = growth_of(written)
    units = [[span.text for text in record for span in spans(text)] for record in written]
    counts = Counter(unit for record in units for unit in record)
    lengths = np.array([sum(len(text.split()) for text in record) for record in written])
    mean = float(lengths.mean())
    low, high = np.percentile(lengths, (10, 90)) / mean
    return Likeness(
        records=len(written),
        syllables=counts.total(),
        vocabulary=len(counts),
        once=sum(count == 1 for count in counts.values()) / len(counts),
        bigrams=points[-1][2],
        heaps=Curve.fit([(n, count) for n, count, _ in points]),
        heaps_bigrams=Curve.fit([(n, count) for n, _, count in points]),
        mean=mean,
        spread=float(lengths.std()) / mean,
        tails=(float(low), float(high)),
        per_record=float(np.mean([len(set(each)) / len(each) for each in units if each])),
        words=_distinct_words(written),
    )


def _first(written: list[list[str]], limit: int | None) -> list[list[str]]:
    if limit is None:
        return written
    total, found = 0, []
    for record in written:
        if total >= limit:
            break
        found.append(record)
        total += sum(len(spans(text)) for text in record)
    return found


def _distinct_words(written: Sequence[Sequence[str]]) -> int:
    """Distinct words in the first ``SEGMENTED * WORDS`` words."""
    found: list[str] = []
    for record in written:
        if len(found) >= SEGMENTED * WORDS:
            break
        found += [span.text for text in record for span in segment(text)]
    return len(set(found[: SEGMENTED * WORDS]))
