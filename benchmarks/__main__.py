"""``python -m benchmarks``: measure speed, print the report and write it to results.md."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.generator import SEED, Generator
from benchmarks.likeness import likeness
from benchmarks.report import Run, render
from benchmarks.speed import Task, encoding_rate, run
from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.readers import read
from corpus.records import Need, Technology
from indexes.encoders import FIRST, EncoderError, open_encoder
from service.loading import sample_files

SIZES = (100_000,)
LONG = (100_000, 1_000_000)
ENGINES = (*FIRST, "e5-onnx")  # whose rate is measured beside that of the one that is used
RESULTS = Path(__file__).with_name("results.md")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--records", type=_positive, action="append", metavar="N",
        help="how many records to measure with; may be given again "
        f"(default: {' and '.join(f'{size:,}' for size in SIZES)})",
    )  # fmt: skip
    parser.add_argument(
        "--long", action="store_true",
        help=f"{' and '.join(f'{size:,}' for size in LONG)} records, refresh measured at all sizes",
    )  # fmt: skip
    parser.add_argument("--queries", type=_positive, default=200, metavar="N")
    parser.add_argument("--repetitions", type=_positive, default=3, metavar="N")
    parser.add_argument("--encoder", choices=(*FIRST, "none"), default=FIRST[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE")
    return parser.parse_args(given)


def _positive(text: str) -> int:
    number = int(text.replace(",", "").replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def prepare(options: argparse.Namespace) -> Task:
    """Read the sample and open the encoder; go on without one, visibly, where none runs."""
    records = read(sample_files()).records
    try:
        encoder = open_encoder(options.encoder)
    except EncoderError as error:
        _say(f"no encoder, no hybrid query: {error}")
        encoder = None
    return Task(
        technologies=[each for each in records if isinstance(each, Technology)],
        needs=[each for each in records if isinstance(each, Need)],
        lexicon=Lexicon.load(),
        places=Places.load(),
        encoder=encoder,
        encoder_name=options.encoder if encoder else "none",
        queries=options.queries,
        repetitions=options.repetitions,
        refresh_most=max(LONG) if options.long else Task.refresh_most,
        seed=options.seed,
        say=_say,
    )


def other_rates(used: str, records: Sequence[Technology]) -> dict[str, float]:
    """Records per second of the engines that run here, other than ``used``."""
    rates = {}
    for choice in ENGINES:
        if choice == used:
            continue
        try:
            encoder = open_encoder(choice)
        except EncoderError as error:
            _say(f"{choice} is not measured: {error}")
            continue
        if encoder:
            rates[choice] = encoding_rate(encoder, records)
    return rates


def measure(task: Task, sizes: Sequence[int]) -> Run:
    """Measure likeness and speed at every size."""
    start, before, facts = time.perf_counter(), machine.load(), machine.facts()
    generator = Generator(task.technologies, task.seed)
    sample = likeness(generator.sample)
    few = list(generator.records(2 * len(generator.sample)))
    generated = likeness(few, sample.syllables)
    rate = encoding_rate(task.encoder, few) if task.encoder else None
    others = other_rates(task.encoder_name, few) if task.encoder else {}
    findings = [run(task, size) for size in sizes]
    minutes = (time.perf_counter() - start) / 60
    load = (before, machine.load())
    if machine.commit() != facts["commit"]:
        facts["commit"] += f" at the start, {machine.commit()} at the end"
    return Run(task, sample, generated, findings, facts, load, minutes, rate, others)


def main(given: Sequence[str] | None = None) -> None:
    """Run, print and write."""
    options = arguments(given)
    report = render(measure(prepare(options), options.records or (LONG if options.long else SIZES)))
    options.output.write_text(report, encoding="utf-8")
    print(report)
    _say(f"written: {options.output}")


if __name__ == "__main__":
    main()
