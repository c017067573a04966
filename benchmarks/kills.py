"""Kill a yearly run with SIGKILL at random moments, go on, and compare every byte.

``python -m benchmarks.kills`` loads the sample records into a folder of its own (words only), makes
one unbroken run, and then for each moment: a process begins the run, is killed at a random time of
what a run takes (batch and export), another goes on, and its folder must be that of the unbroken
run. The first needs only are matched, in small shards: what is tried is where a process dies, not
how long it works. Moments come from a seed; where they fall in the work depends on the machine, so
the report counts what was there when the process died.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from matcher import batch, run_folder
from matcher.batch import Batch
from matcher.match import Matcher
from matcher.run_basis import Made
from service import loading, yearly
from service.workspace import Workspace

AS_OF = dt.date(2026, 11, 23)
NEEDS, SHARD = 24, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    batch.SHARD = SHARD
    with tempfile.TemporaryDirectory() as place:
        space = Workspace(Path(place) / "data")
        loading.load(loading.sample_files(), space.folder, space.lexicon())
        space.build(None)
        with space.open(AS_OF) as opened:
            made = yearly.made(space, opened)
            matcher = opened.matcher
            first = sorted(matcher.needs)[:NEEDS]
            matcher = replace(matcher, needs={key: matcher.needs[key] for key in first})
            list(matcher.answers([matcher.stated(matcher.open_needs[0])]))  # compiled once
            wrong = check(Path(place), matcher, made, asked.moments, asked.seed)
    raise SystemExit(1 if wrong else 0)


def check(place: Path, matcher: Matcher, made: Made, moments: int, seed: int) -> int:
    """Return after how many of ``moments`` the bytes differed; print the account."""
    whole = place / "whole"
    began = time.monotonic()
    wait(begin(lambda: make(whole, matcher, made)))
    length = time.monotonic() - began
    expected = contents(whole)
    chance, wrong, died = random.Random(seed), 0, Counter[str]()
    for number in range(moments):
        folder = place / f"killed-{number}"
        process = begin(lambda folder=folder: make(folder, matcher, made))
        time.sleep(chance.uniform(0, length))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        died[standing(folder)] += 1
        wait(begin(lambda folder=folder: make(folder, matcher, made)))
        wrong += contents(folder) != expected
        shutil.rmtree(folder)
    told = ", ".join(f"{count} {name}" for name, count in sorted(died.items()))
    print(f"{'FAIL' if wrong else 'OK'}: {moments} kills ({told}), {wrong} with other bytes")
    return wrong


def make(folder: Path, matcher: Matcher, made: Made) -> None:
    with run_folder.holding(folder):
        yearly.finish(Batch(folder, matcher, made))


def begin(work: Callable[[], None]) -> int:
    """Run ``work`` in a process of its own; return its id."""
    process = os.fork()
    if process == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return process


def wait(process: int) -> None:
    _, status = os.waitpid(process, 0)
    if status:
        raise RuntimeError(f"the run ended with status {status}")


def contents(folder: Path) -> dict[str, bytes]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes() for each in files}


def standing(folder: Path) -> str:
    """What stood in the folder of a run that was killed."""
    if (folder / run_folder.WORKBOOK).is_file():
        return "when all was done"
    if (folder / run_folder.RUN).is_file():
        return "while exporting"
    if (folder / run_folder.NEEDS).is_file() or (folder / run_folder.MATCHES).is_file():
        return "while joining"
    if (folder / run_folder.STARTED).is_file():
        parts = len(list((folder / run_folder.PARTS_FOLDER).glob("*.needs.parquet")))
        return "among shards" if parts else "before the first shard"
    return "before it was begun"


if __name__ == "__main__":
    main()
