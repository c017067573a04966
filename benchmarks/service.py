"""``python -m benchmarks.service``: how many searches the running service answers, and how fast.

The service runs as ``cungcau serve`` runs it, in processes of its own; the requests come from
another (:mod:`benchmarks.load`). The same is asked of a bare FastAPI route in the same run, so that
what the machine and the framework cost is seen beside what a search costs. Processor time of the
server's processes for a request says what a busy machine cannot change.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from benchmarks import load, machine
from benchmarks.filled import fill, sample
from benchmarks.generator import queries
from indexes.encoders import FIRST
from service.workspace import Workspace

RESULTS = Path(__file__).with_name("results-service.md")
USERS, WORKERS = (1, 8, 32), (1, 2)
ASKED = 200  # different questions
WARMING, ENOUGH, ROUNDS = 4.0, 3.0, 30  # seconds of a round; of each worker's processor; rounds
ALONE = 0.5  # processes that want a core before we begin, and others are at work
_ROOT = Path(__file__).resolve().parent.parent
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Row:
    """What was measured of one service with so many workers and users; times in milliseconds."""

    name: str
    workers: int
    users: int
    requests: int
    seconds: float
    times: tuple[float, float, float]  # 50th, 95th, 99th percentile
    cpu: float  # of the server's processes, for one request
    least: float  # share of the processor time that went to the worker with least of it


def prepare(space: Workspace, records: int, encoder: str) -> list[str]:
    """Fill and index ``space``, unless it is; return questions. ``records`` 0: the sample."""
    fill(space, records, encoder)
    supply, needs, _ = sample()
    asked = queries(supply, needs, ASKED)
    return [f"/api/v1/search?{urlencode({'q': text, 'k': 10})}" for text in asked]


@contextmanager
def running(command: Sequence[str], port: int, path: str) -> Iterator[int]:
    """Run a server until it answers ``path``; yield its process."""
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait(f"http://127.0.0.1:{port}{path}")
            yield server.pid
        finally:
            server.terminate()


def _wait(url: str, seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def cpu_seconds(process: int) -> float:
    """Return the processor time of a process and all that it started, in seconds."""
    total, waiting = 0, [process]
    while waiting:
        each = waiting.pop()
        fields = Path(f"/proc/{each}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
        for task in Path(f"/proc/{each}/task").iterdir():
            waiting += map(int, (task / "children").read_text("ascii").split())
    return total / _TICK


def answering(server: int, workers: int) -> list[int]:
    """Return the processes that answer: the server itself, or those that it has begun for that."""
    if workers == 1:
        return [server]
    children = Path(f"/proc/{server}/task/{server}/children").read_text("ascii").split()
    lines = {int(each): Path(f"/proc/{each}/cmdline").read_bytes() for each in children}
    return [each for each, line in lines.items() if b"spawn_main" in line]


def warm(processes: Sequence[int], port: int, paths: Sequence[str]) -> None:
    """Ask until every process has worked enough: what is asked first, it opens and compiles for.

    Raises:
        RuntimeError: one got nearly nothing to do.
    """
    before = [cpu_seconds(each) for each in processes]
    for _ in range(ROUNDS):
        load.in_a_new_process("127.0.0.1", port, max(USERS), WARMING, paths)
        pairs = zip(processes, before, strict=True)
        if all(cpu_seconds(each) - then >= ENOUGH for each, then in pairs):
            return
    raise RuntimeError("not every worker was asked enough to be warm")


def measured(
    name: str, workers: int, server: int, port: int, paths: Sequence[str], seconds: float
) -> Iterator[Row]:
    """Ask with more and more users."""
    processes = answering(server, workers)
    warm(processes, port, paths)
    for users in USERS:
        before = [cpu_seconds(each) for each in processes]
        times = load.in_a_new_process("127.0.0.1", port, users, seconds, paths)
        used = [cpu_seconds(each) - then for each, then in zip(processes, before, strict=True)]
        # The requests of the first second are not counted, their processor time is.
        share = seconds / (seconds + load.WARM)
        low, high, highest = (float(each) for each in np.percentile(times, (50, 95, 99)))
        cost = 1e3 * sum(used) * share / len(times)
        least = min(used) / sum(used)
        yield Row(name, workers, users, len(times), seconds, (low, high, highest), cost, least)


def run(
    name: str, space: Workspace, paths: Sequence[str], seconds: float, bare: bool
) -> Iterator[Row]:
    """Measure the service over ``space`` and, if asked for, the bare route."""
    for workers in WORKERS:
        port = free_port()
        served = [sys.executable, "-c", "from service.cli import main; main()", "serve"]
        served += ["--data", str(space.folder), "--port", str(port), "--workers", str(workers)]
        with running(served, port, paths[0]) as server:
            yield from measured(name, workers, server, port, paths, seconds)
        if bare:
            port = free_port()
            small = [sys.executable, "-m", "uvicorn", "benchmarks.bare:app", "--port", str(port)]
            small += ["--workers", str(workers), "--no-access-log"]
            asked = [f"/bare?{path.partition('?')[2]}" for path in paths]
            with running(small, port, asked[0]) as server:
                yield from measured("bare route", workers, server, port, asked, seconds)


def render(rows: Sequence[Row], facts: Sequence[tuple[str, str]]) -> str:
    """Return the report."""
    head = (
        "# The running service\n\nWritten by `python -m benchmarks.service`; do not edit, run it "
        "again. Requests come from a process of their own on the same machine; every user asks the "
        "next question as soon as the last is answered. CPU ms: processor time of all processes of "
        "the server for one request, which others on the machine change little; requests/s and "
        "percentiles are of the machine as it was. Every worker was warm before; least: what share "
        "of that time went to the worker with least of it, for a connection stays with the worker "
        "that took it. Vectors of generated records are drawn, questions are encoded.\n\n"
    )
    told = "".join(f"- **{name}**: {value}\n" for name, value in facts)
    titles = ["asked", "workers", "users", "requests", "requests/s", "50 % ms", "95 % ms"]
    titles += ["99 % ms", "CPU ms", "least %"]
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * (len(titles) - 1)]
    for each in rows:
        low, high, highest = each.times
        lines.append(
            f"| {each.name} | {each.workers} | {each.users} | {each.requests} | "
            f"{each.requests / each.seconds:.1f} | {low:.1f} | {high:.1f} | {highest:.1f} | "
            f"{each.cpu:.2f} | {100 * each.least:.0f} |"
        )
    return head + told + "\n" + "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--data", type=Path, help="folder that is kept between runs")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    began, before, rows = time.monotonic(), machine.load(), list[Row]()
    with tempfile.TemporaryDirectory() as scratch:
        home = options.data or Path(scratch)
        for name, records, encoder in (
            (f"search, {options.records:,} records, {FIRST[0]}", options.records, FIRST[0]),
            (f"search, sample of 408 records, {FIRST[0]}", 0, FIRST[0]),
        ):
            space = Workspace(home / f"{records}-{encoder}")
            paths = prepare(space, records, encoder)
            for row in run(name, space, paths, options.seconds, bare=not rows):
                print(json.dumps(row.__dict__), file=sys.stderr, flush=True)
                rows.append(row)
    facts = [(name, text) for name, text in machine.facts().items() if name != "threads"]
    told = "shared with other work" if float(before) >= ALONE else "nothing else ran"
    facts.append(("load", f"{before} processes before ({told}), {machine.load()} after with ours"))
    facts.append(("took", f"{(time.monotonic() - began) / 60:.1f} minutes"))
    report = render(rows, facts)
    options.output.write_text(report, encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
