"""What is timed, at one number of records: indexing, searching, opening, and the peers.

Vectors of the generated records are drawn like E5's (:mod:`benchmarks.drawn`), not encoded:
encoding tens of thousands of texts takes the better part of an hour. Queries are encoded for real,
and the encoder's rate on records is measured apart.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path

import faiss
import numpy as np

from benchmarks import opening, peers, refresh
from benchmarks.drawn import DIM, DrawnEncoder, Space
from benchmarks.filled import add_vectors
from benchmarks.generator import SEED, Generator, queries
from benchmarks.peers import SLOW, TOP, Peer, best
from benchmarks.refresh import Refreshed
from benchmarks.timing import Seconds, interleaved
from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.records import Need, Technology
from corpus.text import normalise
from indexes.analyser import segment
from indexes.bm25 import BM25
from indexes.documents import Document
from indexes.encoders import Encoder
from indexes.hybrid import Index
from indexes.senses import Layers
from indexes.snapshot import PUBLIC, open_current, publish
from indexes.vectors import Matrix
from matcher.documents import documents
from matcher.match import Matcher
from matcher.model import DEFAULT
from matcher.need import from_text
from matcher.search import Engine

LEXICAL = "cungcau, all views, from text"
READING = "reading the query, by itself"
WORDS = "cungcau, words view only"
SEGMENTING = "segmenting the query (pyvi)"
HYBRID = "cungcau, hybrid, from text"
ENCODING = "encoding the query, by itself"
NEAREST = "cungcau vectors"
FLAT = "FAISS IndexFlatIP"
NUMPY = "numpy, one product and a partition"
ENCODED = 24  # records encoded to tell the encoder's rate
BM25S = "bm25s (numba)"
BATCH = 10_000  # needs matched in one go
THREADS = 2  # that match in batch
AS_OF = dt.date(2026, 11, 23)
_WARM = 100  # needs matched before the batch is timed
_BATCH_SECONDS = 20.0  # of these, as many are matched as this allows; the rest is multiplied
PEERS_SLOW_FROM = 200_000  # records from which on peers that score record by record are left out


@dataclass(frozen=True)
class Task:
    """What one run measures with."""

    technologies: Sequence[Technology]
    needs: Sequence[Need]
    lexicon: Lexicon
    places: Places
    encoder: Encoder | None
    encoder_name: str = "none"
    queries: int = 200
    repetitions: int = 3
    seed: int = SEED
    refresh_most: int = 20_000  # records up to which the refresh is measured
    say: Callable[[str], None] = print


@dataclass(frozen=True)
class Grown:
    """How far a generated text's vocabulary and bigrams have grown, and the curves there."""

    syllables: int
    vocabulary: int
    vocabulary_curve: float
    bigrams: int
    bigrams_curve: float


@dataclass
class Findings:
    """What was measured at one size. ``times``, ``cpu``, ``built``: seconds by system."""

    records: int
    vocabulary: dict[str, tuple[int, int]]  # view → terms, postings
    grown: Grown
    indexing: dict[str, float] = field(default_factory=dict)  # step → seconds
    times: dict[str, Seconds] = field(default_factory=dict)
    cpu: dict[str, Seconds] = field(default_factory=dict)  # the same, of the processor
    indexing_cpu: float = 0.0  # of this process, its children not counted
    built: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # peer → why it did not run
    exact: float = 0.0  # share of the true nearest TOP that the vector search finds
    opening: dict[str, list[float]] = field(default_factory=dict)
    disk: int = 0  # bytes of the snapshot
    batch: float = 0.0  # seconds for BATCH needs, encoding not counted
    batch_cpu: float = 0.0  # the same, of the processor, both threads together
    batched: int = 0  # needs that were matched for that figure
    refreshed: Refreshed | None = None
    query_words: tuple[float, float] = (0.0, 0.0)  # median words: stated needs, short queries


def run(task: Task, count: int) -> Findings:
    """Measure everything at ``count`` records."""
    task.say(f"{count:,} records: writing them")
    generator = Generator(task.technologies, task.seed)
    records = list(generator.records(count))
    asked = [normalise(each) for each in queries(records, task.needs, task.queries, task.seed)]
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        task.say(f"{count:,} records: indexing")
        used = time.process_time()
        steps = _publish(home, records, task.lexicon)
        used = time.process_time() - used
        matrix = _space(task).records(count, task.seed)
        add_vectors(home, matrix, task.encoder)
        snapshot = open_current(home)
        index = snapshot.index()
        found = Findings(count, _vocabulary(index), _grown(generator), steps)
        found.indexing_cpu = used
        lengths = [len(text.split()) for text in asked]
        found.query_words = float(np.median(lengths[::2])), float(np.median(lengths[1::2]))
        found.disk = sum(each.stat().st_size for each in snapshot.folder.rglob("*"))
        task.say(f"{count:,} records: searching, {len(asked)} queries")
        _lexical(task, found, index, asked)
        _dense(task, found, index, matrix, asked)
        task.say(f"{count:,} records: needs in batch")
        _batch(task, found, index, records)
        snapshot.close()
        task.say(f"{count:,} records: opening the snapshot in new processes")
        _opening(task, found, home, asked[0])
    if count <= task.refresh_most:
        task.say(f"{count:,} records: 100 changes until they are found")
        found.refreshed = refresh.measure(records)
    return found


def _grown(generator: Generator) -> Grown:
    text = generator.growth
    curves = generator.vocabulary.at(text.n), generator.bigrams.at(text.n)
    return Grown(text.n, len(text.seen), curves[0], len(text.pairs), curves[1])


def _publish(home: Path, records: Sequence[Technology], lexicon: Lexicon) -> dict[str, float]:
    start = time.perf_counter()
    rows: list[Document] = documents(records, lexicon)[PUBLIC]
    labelled = time.perf_counter()
    publish(home, {PUBLIC: rows}, encoder=None)
    done = time.perf_counter()
    return {"records → documents, labels read": labelled - start, "→ snapshot": done - labelled}


def _space(task: Task) -> Space:
    return Space.of(task.seed, task.encoder.dim if task.encoder else DIM)


def _vocabulary(index: Index) -> dict[str, tuple[int, int]]:
    return {name: (len(view.vocabulary), len(view.docs)) for name, view in index.views.items()}


def bags(view: BM25) -> list[list[str]]:
    """The terms of each record of ``view``, as often as they stand in it, sorted."""
    found: list[list[str]] = [[] for _ in range(len(view))]
    counts = view.frequencies.sum(axis=1, dtype=np.int64)
    for term, number in view.vocabulary.items():
        for place in range(int(view.starts[number]), int(view.starts[number + 1])):
            found[view.docs[place]] += [term] * int(counts[place])
    return found


def words_of(text: str) -> list[str]:
    """The words of a query, as the words view has them."""
    return [span.text for span in segment(text)]


def _lexical(task: Task, found: Findings, index: Index, asked: Sequence[str]) -> None:
    """Time lexical search, ours from text and everybody's from words."""
    engine = Engine(replace(index, vectors=None), None, task.lexicon, task.places)
    view = index.views["words"]
    systems: dict[str, Callable[..., object]] = {
        LEXICAL: lambda text: _answer(engine, text),
        READING: lambda text: from_text(text, task.lexicon, DEFAULT),
        SEGMENTING: words_of,
        WORDS: lambda words: best(view.scores(words)),
    }
    systems |= {name: peer.search for name, peer in _made(found, bags(view), task).items()}
    words = [words_of(text) for text in asked]
    forms: dict[str, Sequence[object]] = {name: words for name in systems}  # noqa: C420 - typed
    forms |= {LEXICAL: asked, READING: asked, SEGMENTING: asked}
    _timed(task, found, systems, forms)


def _timed(
    task: Task,
    found: Findings,
    systems: dict[str, Callable[..., object]],
    forms: dict[str, Sequence[object]],
) -> None:
    timed = interleaved(systems, forms, task.repetitions)
    found.times |= timed.wall
    found.cpu |= timed.cpu


def _made(found: Findings, held: list[list[str]], task: Task) -> dict[str, Peer]:
    """Index ``held`` with every peer that is installed; note the time, or why not."""
    made: dict[str, Peer] = {}
    for name, make in peers.PEERS.items():
        if name in SLOW and found.records > PEERS_SLOW_FROM:
            found.missing[name] = f"left out above {PEERS_SLOW_FROM:,} records"
            continue
        task.say(f"  {name}")
        start = time.perf_counter()
        try:
            made[name] = make(held)
        except ImportError as error:
            found.missing[name] = f"not installed ({error.name})"
            continue
        found.built[name] = time.perf_counter() - start
    return made


def _answer(engine: Engine, text: str) -> int:
    """Answer ``text`` as the program does: read it, rank all that is found, make the best hits."""
    ranking = engine.rank(from_text(text, engine.lexicon, engine.weights))
    return len([ranking.hit(place) for place in range(min(TOP, len(ranking)))])


def _dense(task: Task, found: Findings, index: Index, matrix: Matrix, asked: Sequence[str]) -> None:
    """Time vector search beside FAISS and numpy, and the hybrid query where an encoder runs."""
    vectors = index.vectors
    assert vectors is not None
    flat = faiss.IndexFlatIP(matrix.shape[1])
    flat.add(matrix)
    drawn = list(_space(task).queries(len(asked), task.seed))
    systems: dict[str, Callable[..., object]] = {
        NEAREST: lambda query: vectors.nearest(query, TOP),
        FLAT: lambda query: flat.search(query.reshape(1, -1), TOP),
        NUMPY: lambda query: best(matrix @ query),
    }
    forms: dict[str, Sequence[object]] = dict.fromkeys(systems, drawn)
    encoder = task.encoder
    if encoder is not None:
        engine = Engine(index, encoder, task.lexicon, task.places)
        systems[HYBRID] = lambda text: _answer(engine, text)
        systems[ENCODING] = lambda text: encoder.queries([text])
        forms |= {HYBRID: asked, ENCODING: asked}
    _timed(task, found, systems, forms)
    found.exact = float(np.mean([_overlap(matrix, vectors, query) for query in drawn]))


def _batch(task: Task, found: Findings, index: Index, records: Sequence[Technology]) -> None:
    """Match needs as the program does, :data:`THREADS` at a time, with vectors that cost nothing.

    What is timed is :meth:`Matcher.answers`: ranked, labelled, explained, ten matches a need.
    """
    encoder = DrawnEncoder(_space(task), task.seed)
    engine = Engine(index, encoder, task.lexicon, task.places)
    matcher = Matcher.of(engine, records, (), task.needs, AS_OF)
    asked = (matcher.stated(each) for each in cycle(task.needs))
    for _ in matcher.answers(map(matcher.stated, task.needs[:_WARM]), threads=THREADS):
        pass
    start, used, done = time.perf_counter(), time.process_time(), 0
    for _ in matcher.answers(islice(asked, BATCH), threads=THREADS):
        done += 1
        if time.perf_counter() - start > _BATCH_SECONDS:
            break
    found.batched, scale = done, BATCH / done
    found.batch = (time.perf_counter() - start) * scale
    found.batch_cpu = (time.process_time() - used) * scale


def _overlap(matrix: Matrix, vectors: Layers, query: Matrix) -> float:
    """Share of the nearest records found that are as near as the true TOP (ties allowed)."""
    exact = matrix.astype(np.float64) @ query.astype(np.float64)
    nearest = vectors.nearest(query, TOP).rows
    least = np.sort(exact)[-len(nearest)] - 1e-6
    return float(np.mean(exact[nearest] >= least))


def _opening(task: Task, found: Findings, home: Path, query: str) -> None:
    for _ in range(task.repetitions):
        try:
            facts = opening.in_a_new_process(home, task.encoder_name, query)
        except subprocess.CalledProcessError as error:
            task.say(error.stderr)
            found.missing["opening"] = f"the process failed with exit code {error.returncode}"
            return
        for name, value in facts.items():
            found.opening.setdefault(name, []).append(value)


def encoding_rate(encoder: Encoder, records: Sequence[Technology]) -> float:
    """Records per second: title, summary and detail are encoded apart, in one call."""
    rows = records[:ENCODED]
    texts = [text for each in rows for text in (each.name, each.summary, each.detail) if text]
    encoder.passages(texts[:1])
    start = time.perf_counter()
    encoder.passages(texts)
    return len(rows) / (time.perf_counter() - start)
