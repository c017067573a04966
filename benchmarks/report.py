"""The report: Markdown that says what was measured, how, on what, and beside whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks import targets
from benchmarks.generator import WORDS
from benchmarks.likeness import SEGMENTED, Likeness
from benchmarks.peers import PEERS, TOP
from benchmarks.speed import (
    BATCH,
    ENCODED,
    ENCODING,
    FLAT,
    HYBRID,
    LEXICAL,
    NEAREST,
    NUMPY,
    READING,
    SEGMENTING,
    THREADS,
    Findings,
    Grown,
    Task,
)
from benchmarks.speed import WORDS as WORDS_VIEW
from benchmarks.timing import Seconds, median, p99, ratio

Row = Sequence[str]


@dataclass(frozen=True)
class Run:
    """All that one call of ``python -m benchmarks`` found."""

    task: Task
    sample: Likeness
    generated: Likeness  # the first generated records, as many syllables as the sample has
    findings: Sequence[Findings]
    machine: dict[str, str]
    load: tuple[str, str]  # before and after
    minutes: float
    encoding_rate: float | None = None
    other_rates: Mapping[str, float] = field(default_factory=dict)  # of engines beside it


def table(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table; all but the first column are right-aligned."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def render(run: Run) -> str:
    """Return the whole report."""
    parts = [
        "# Speed\n\nWritten by `python -m benchmarks` (`make bench`); do not edit, run it again.",
        _conditions(run),
        _likeness(run),
    ]
    parts += [each for found in run.findings for each in _size(run, found)]
    return "\n\n".join(parts) + "\n"


def _conditions(run: Run) -> str:
    sizes = ", ".join(f"{found.records:,}" for found in run.findings)
    facts = run.machine | {
        "records": f"{sizes} (generated, seed {run.task.seed})",
        "repetitions": f"{run.task.repetitions}, systems in turn inside each; figures are medians "
        "over repetitions, ranges in brackets are the lowest and highest repetition",
        "load": f"{run.load[0]} processes before, {run.load[1]} after; the benchmark itself is "
        "one: more means that others used the machine and times are too long",
        "took": f"{run.minutes:.1f} minutes",
    }
    lines = [f"- **{name}**: {value}" for name, value in facts.items()]
    if run.encoding_rate is None:
        lines.append("- **encoder**: none: no hybrid query was measured")
    else:
        lines.append(
            f"- **encoder**: {run.encoding_rate:.1f} records/s on {ENCODED} records of about "
            f"{WORDS} words, title, summary and detail encoded apart"
        )
    lines += [f"- **{name}**: {rate:.1f} records/s" for name, rate in run.other_rates.items()]
    return "\n".join(lines)


def _likeness(run: Run) -> str:
    head = ("over as many syllables", "sample", "generated")
    pairs = zip(_statistics(run.sample), _statistics(run.generated), strict=True)
    rows = [(name, mine, theirs) for (name, mine), (_, theirs) in pairs]
    grown = [_grown_row(found.grown) for found in run.findings]
    return "\n\n".join(
        [
            "## The records beside the sample they imitate\n\n"
            "How they are made stands at the top of `benchmarks/generator.py`. Products, keywords "
            "and other facts are those of sample records.",
            table(head, rows),
            "Against public Vietnamese text (`cungcau evaluate`'s collections): at "
            "57,000 syllables ViMedAQA's 1,000 passages have 3,123 distinct syllables and 23,339 "
            "bigrams, the sample 4,864 and 34,729, generated records 5,442 and 37,317; Heaps "
            "exponents are 0.434 and 0.782 there, 0.300 and 0.671 in ALQAC's 304 articles of law, "
            "0.424 and 0.885 in the sample, 0.441 and 0.792 in 300,000 generated syllables. "
            "Standard deviation / mean of lengths: ViMedAQA 0.73, ALQAC 0.85, sample 0.20, "
            "generated 0.26. So generated text has more terms than real text of that size (indexes "
            "are larger) and its records are more alike in length.",
            "Beyond the sample's size its curves are extrapolated.",
            table(
                ("syllables", "vocabulary", "curve says", "bigrams", "curve says"),
                grown,
            ),
        ]
    )


def _grown_row(grown: Grown) -> Row:
    counts = (
        grown.syllables,
        grown.vocabulary,
        grown.vocabulary_curve,
        grown.bigrams,
        grown.bigrams_curve,
    )
    return [f"{count:,.0f}" for count in counts]


def _statistics(like: Likeness) -> Iterator[tuple[str, str]]:
    low, high = like.tails
    curve, pairs = like.heaps, like.heaps_bigrams
    yield "records", f"{like.records:,}"
    yield "syllables", f"{like.syllables:,}"
    yield "distinct syllables", f"{like.vocabulary:,}"
    yield "… Heaps curve k·n^b", f"{curve.k:.1f}·n^{curve.b:.3f}"
    yield "… that stand once", f"{like.once:.0%}"
    yield "distinct bigrams", f"{like.bigrams:,}"
    yield "… share of syllables", f"{like.bigrams / like.syllables:.3f}"
    yield "… Heaps curve k·n^b", f"{pairs.k:.2f}·n^{pairs.b:.3f}"
    yield f"distinct words (pyvi) in {SEGMENTED * WORDS:,}", f"{like.words:,}"
    yield "distinct share of a record's syllables", f"{like.per_record:.3f}"
    yield f"words per record (generated: set to {WORDS})", f"{like.mean:.0f}"
    yield "… standard deviation / mean", f"{like.spread:.2f}"
    yield "… 10th and 90th percentile / mean", f"{low:.2f}, {high:.2f}"


def _size(run: Run, found: Findings) -> Iterator[str]:
    yield f"## {found.records:,} records"
    yield _asked_for(run, found)
    yield _indexing(found)
    yield _searching(run, found)
    yield _beside_peers(found)
    yield _vectors(found)
    yield _opened(found)


def _asked_for(run: Run, found: Findings) -> str:
    held = targets.LARGE if found.records <= targets.LARGE else 1_000_000
    notes = [
        f"Targets are those for {held:,} records on two cores.",
        "CPU is the processor's time, of all threads of the process: on a machine that others use "
        "too it says what the work costs, the clock what it took that day.",
        f"Batch: {found.batched:,} needs were matched, labelled and explained by "
        f"`Matcher.answers` on {THREADS} threads and the time multiplied to {BATCH:,}; their "
        "vectors are drawn.",
    ]
    if found.refreshed is None:
        most = run.task.refresh_most
        notes.append(f"The refresh is measured up to {most:,} records, with `--long` at all sizes.")
    else:
        new = found.refreshed
        notes.append(
            f"Refresh: lexical, by `Workspace.build`; {new.searches:,} searches meanwhile, the "
            f"slowest {new.slowest:.2f} s, {new.mixed} answers of a mixed state; the first build "
            f"from the store took {new.first:.1f} s."
        )
    rows = targets.rows(found)
    return "\n\n".join(
        ["### What was asked for", table(("", "target", "measured", ""), rows), " ".join(notes)]
    )


def _indexing(found: Findings) -> str:
    total = sum(found.indexing.values())
    rows = [
        (name, f"{seconds:.1f}", f"{found.records / seconds:,.0f}")
        for name, seconds in (*found.indexing.items(), ("records to snapshot", total))
    ]
    views = "; ".join(
        f"{name} {terms:,} terms, {postings:,} postings"
        for name, (terms, postings) in found.vocabulary.items()
    )
    return (
        "### Lexical indexing, text to snapshot (once)\n\n"
        + table(("step", "s", "records/s"), rows)
        + f"\n\nCPU of the process, without those that read labels beside it: "
        f"{found.indexing_cpu:.1f} s."
        f"\n\n{views}. On disk with vectors: {found.disk / 1e6:.0f} MB."
    )


def _searching(run: Run, found: Findings) -> str:
    names = [LEXICAL, READING, HYBRID, ENCODING]
    rows = [_times(name, found) for name in names if name in found.times]
    needs, short = found.query_words
    return (
        f"### Search from text to {TOP} hits\n\n"
        f"{run.task.queries} queries: half are the sample's needs as stated (median {needs:.0f} "
        f"words), half are 3–8 words from the records (median {short:.0f}). From text to hits: "
        "reading (segmenting, product and process of the need, dialect), the views, soft fit, "
        "finding the best. For the hybrid query the records' vectors are drawn like E5's "
        "(how, and how that was checked: `benchmarks/drawn.py`); queries are encoded for real. "
        "Each line is timed in turn and on as many queries as the time allows, so under load a "
        "part may come out longer than the whole. Everybody has answered all queries once before "
        "the clock starts.\n\n"
        + table(
            (
                "ms",
                "queries",
                "median",
                "99th",
                "CPU: median",
                "99th",
                "needs, median",
                "short, median",
            ),
            rows,
        )
    )


def _times(name: str, found: Findings) -> Row:
    times, cpu = found.times[name], found.cpu[name]
    figures = (median(times), p99(times), median(cpu), p99(cpu), *_halves(cpu))
    return (name, str(times.shape[1]), *map(_ms, figures))


def _halves(times: Seconds) -> tuple[float, float]:
    """Medians of the stated needs and of the short queries, which take turns."""
    return median(times[:, ::2]), median(times[:, 1::2])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


def _beside_peers(found: Findings) -> str:
    segmenting, ours = found.cpu[SEGMENTING], found.cpu[LEXICAL]
    rows = [_peer(found, name, segmenting, ours) for name in (WORDS_VIEW, *PEERS)]
    return (
        "### Beside peers\n\n"
        f"Peers index the segmented words alone and return their top {TOP}. "
        f"Segmenting a query takes {_ms(median(segmenting))} ms (median; 99th "
        f"{_ms(p99(segmenting))}). The last two columns say how many times as long the whole "
        "lexical search above takes (all views, from text): as the peer with the query segmented "
        "for it, and as the peer given the words. Below 1 we are faster. A peer that would take "
        "long answers fewer queries and is compared on those. Both compare CPU time.\n\n"
        + table(
            ("words only", "indexing s", "queries", "median ms", "99th ms", "CPU: median", "99th",
             "ours : peer + segmenting", "ours : peer"),
            rows,
        )
    )  # fmt: skip


def _peer(found: Findings, name: str, segmenting: Seconds, ours: Seconds) -> Row:
    if name not in found.times:
        return (name, found.missing[name], *["–"] * 7)
    times, cpu = found.times[name], found.cpu[name]
    asked = times.shape[1]
    indexing = f"{found.built[name]:.1f}" if name in found.built else "(above)"
    return (
        name,
        indexing,
        str(asked),
        _ms(median(times)),
        _ms(p99(times)),
        _ms(median(cpu)),
        _ms(p99(cpu)),
        _ratio(ours, cpu + segmenting[:, :asked]),
        _ratio(ours, cpu),
    )


def _ratio(ours: Seconds, theirs: Seconds) -> str:
    found = ratio(ours, theirs)
    return f"{found.median:.2f} ({found.low:.2f}–{found.high:.2f})"


def _vectors(found: Findings) -> str:
    names, nearest = (NEAREST, FLAT, NUMPY), found.cpu[NEAREST]
    rows = [
        (name, *map(_ms, (median(times), p99(times), median(cpu))), _ratio(nearest, cpu))
        for name, times, cpu in ((name, found.times[name], found.cpu[name]) for name in names)
    ]
    return (
        f"### Vector search, top {TOP}\n\n"
        f"Found of the true {TOP} (float64, ties allowed): {found.exact:.2%}. Queries are drawn "
        "like the records' vectors.\n\n"
        + table(("system", "median ms", "99th ms", "CPU: median", "ours : peer, CPU"), rows)
    )


def _opened(found: Findings) -> str:
    if "opening" in found.missing:
        return f"### Opening, in a process of its own\n\n{found.missing['opening']}."
    rows = [
        (name, f"{np.median(values):.2f}", f"{min(values):.2f}–{max(values):.2f}")
        if name.startswith("s:")
        else (name, f"{np.median(values):.0f}", f"{min(values):.0f}–{max(values):.0f}")
        for name, values in found.opening.items()
    ]
    return (
        "### Opening, in a process of its own\n\n"
        "From modules imported to a first answer (tables of words and the segmenter's model are "
        "loaded on the way), files in the page cache. Memory is resident, memory-mapped pages in "
        "use included; the store of records, which a service holds too, is not open here.\n\n"
        + table(("", "median", "range"), rows)
    )
