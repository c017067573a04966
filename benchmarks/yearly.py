"""``python -m benchmarks.yearly``: the yearly run of 10,000 needs over 100,000 technologies.

``cungcau batch`` runs as people run it, in a process of its own, with all its files written. Needs
are the sample's again and again under ids of their own; their vectors are in the cache before, so
that encoding is not counted, and those of the technologies are drawn (:mod:`benchmarks.filled`).
Prints one line for each number of needs: what the run costs whatever it matches is in the first.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.filled import fill, repeated, sample
from corpus.store import Store
from indexes.encoders import FIRST, open_encoder
from service.workspace import Workspace

AS_OF = "2026-11-23"
_ROOT = Path(__file__).resolve().parent.parent


def batch(data: Path, out: Path) -> tuple[float, float]:
    """Run the command; return seconds on the clock and of the processor, its children's too."""
    program = [sys.executable, "-c", "from service.cli import main; main()"]
    asked = ["batch", "--data", str(data), "--out", str(out), "--as-of", AS_OF]
    before, began = _used(), time.monotonic()
    subprocess.run([*program, *asked], cwd=_ROOT, check=True, capture_output=True)
    return time.monotonic() - began, _used() - before


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def prepare(space: Workspace, records: int, needs: int, encoder: str) -> None:
    """Fill ``space``, have ``needs`` in it, and put their vectors into its cache."""
    fill(space, records, encoder)
    _, asked, products = sample()
    with Store.open(space.folder) as store:
        store.save(list(repeated(asked, needs)))
    engine = open_encoder(encoder)
    if engine is not None:
        texts = [*(each.text for each in asked), *(each.name for each in products)]
        space.cache().queries(engine, texts)


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.yearly", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--needs", type=int, action="append", help="default: 130 and 10,000")
    parser.add_argument("--encoder", choices=(*FIRST, "none"), default=FIRST[0])
    parser.add_argument("--data", type=Path, help="folder that is kept between runs")
    options = parser.parse_args(given)
    print("; ".join(f"{name}: {text}" for name, text in machine.facts().items()))
    print(f"load: {machine.load()} processes before\n")
    print("| technologies | needs | s | CPU s | most memory, GB |\n|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as scratch:
        home = options.data or Path(scratch)
        space = Workspace(home / f"{options.records}-{options.encoder}")
        for needs in sorted(options.needs or (130, 10_000)):
            prepare(space, options.records, needs, options.encoder)
            wall, used = batch(space.folder, Path(scratch) / f"run-{needs}")
            most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
            print(
                f"| {options.records:,} | {needs:,} | {wall:.0f} | {used:.0f} | {most:.2f} |",
                flush=True,
            )
    print(f"\nload: {machine.load()} processes after")


if __name__ == "__main__":
    main()
