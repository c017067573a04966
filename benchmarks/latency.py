"""How long one text takes to encode, engine beside engine.

``python -m benchmarks.latency`` asks engines in turn for the same text, another one each time, cut
from the sample's records: pairs see the same machine. Time of the processor is that of all threads
together, so an engine that works on two cores at once has twice its wall time there.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.timing import median, p99
from corpus.readers import read
from corpus.records import Technology
from indexes.encoders import Encoder, open_encoder
from service.loading import sample_files

LENGTHS = (6, 20, 80)  # words
Times = dict[str, list[tuple[float, float]]]  # by engine: seconds on the clock and of the processor


def main() -> None:
    """Measure and print a line for each length and engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", default=["e5-int8", "e5"])
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    opened = ((choice, open_encoder(choice)) for choice in asked.engines)
    engines = {choice: engine for choice, engine in opened if engine is not None}
    for length in LENGTHS:
        texts = list(cut(length, asked.texts, asked.seed))
        for choice, times in measure(engines, texts).items():
            wall, spent = (1000 * each[None] for each in np.array(times).T)
            print(
                f"{length:2} words, {choice:8} wall {median(wall):6.1f} ms, p99 {p99(wall):6.1f};"
                f" CPU {median(spent):6.1f} ms, p99 {p99(spent):6.1f}",
                flush=True,
            )


def cut(length: int, count: int, seed: int) -> Iterator[str]:
    """Yield ``count`` stretches of ``length`` words of the sample's records."""
    records = [each for each in read(sample_files()).records if isinstance(each, Technology)]
    words = " ".join(each.detail or each.name for each in records).split()
    chance = random.Random(seed)
    for _ in range(count):
        start = chance.randrange(len(words) - length)
        yield " ".join(words[start : start + length])


def measure(engines: dict[str, Encoder], texts: Sequence[str]) -> Times:
    """Ask every engine for every text, one at a time."""
    times: Times = {choice: [] for choice in engines}
    for engine in engines.values():
        engine.queries(texts[:1])  # compiled once
    for number, text in enumerate(texts):
        turn = list(engines) if number % 2 else list(engines)[::-1]
        for choice in turn:
            wall, spent = time.perf_counter(), time.process_time()
            engines[choice].queries([text])
            times[choice].append((time.perf_counter() - wall, time.process_time() - spent))
    return times


if __name__ == "__main__":
    main()
