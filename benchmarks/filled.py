"""A work folder with as many generated records as are asked for, indexed as the program does it.

Vectors of generated records are drawn (:mod:`benchmarks.drawn`): to encode 100,000 takes the better
part of an hour. Questions are encoded for real, by the engine that the index says it was made with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

from benchmarks.drawn import Space
from benchmarks.generator import SEED, Generator
from corpus.readers import read
from corpus.records import Need, Product, Technology
from corpus.store import Store
from indexes.encoders import Encoder, open_encoder
from indexes.vectors import Matrix, Vectors
from service.loading import sample_files
from service.workspace import Workspace

BLOCK = 10_000  # records stored at a time


def sample() -> tuple[list[Technology], list[Need], list[Product]]:
    """Return the records that come with the program."""
    records = read(sample_files()).records
    technologies = [each for each in records if isinstance(each, Technology)]
    needs = [each for each in records if isinstance(each, Need)]
    return technologies, needs, [each for each in records if isinstance(each, Product)]


def fill(space: Workspace, records: int, encoder: str) -> None:
    """Fill and index ``space``, unless it is.

    Args:
        space: where.
        records: technologies to generate; 0: those of the sample.
        encoder: the engine's name, or ``none``.
    """
    if (space.index_folder / "CURRENT").is_file():
        return
    supply, asked, products = sample()
    if records:
        supply = list(Generator(supply, SEED).records(records))
    with Store.create(space.folder) as store:
        store.save([*products, *asked])
        for first in range(0, len(supply), BLOCK):
            store.save(supply[first : first + BLOCK])
    engine = open_encoder(encoder)
    space.build(None if records else engine)
    if records and engine is not None:
        drawn = Space.of(SEED, engine.dim).records(records, SEED)
        add_vectors(space.index_folder, drawn, engine)


def repeated(needs: Sequence[Need], count: int) -> Iterator[Need]:
    """Yield ``count`` needs: those given, again and again under ids of their own."""
    for number, each in enumerate(islice(cycle(needs), count)):
        turn = number // len(needs)
        yield each.model_copy(update={"id": f"{each.id}-{turn:03}"}) if turn else each


def add_vectors(home: Path, matrix: Matrix, encoder: Encoder | None) -> None:
    """Put ``matrix`` into the snapshot just published, as if ``encoder`` had made it."""
    folder = home / (home / "CURRENT").read_text(encoding="utf-8")
    vectors = Vectors.build(matrix)
    for audience in (each for each in sorted(folder.iterdir()) if each.is_dir()):
        vectors.save(audience)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest |= {"encoder": encoder.name if encoder else "drawn", "dim": matrix.shape[1]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
