"""A process of its own that asks a service as several people do at once, and tells the times.

Run as ``python -m benchmarks.load HOST PORT USERS SECONDS`` with one path a line on standard input;
prints one line of JSON. Every user keeps one connection and asks the next question as soon as the
last is answered, so that N users are N requests at any moment.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
WARM = 1.0  # seconds that are asked and not counted


def ask(host: str, port: int, users: int, seconds: float, paths: Sequence[str]) -> list[float]:
    """Return the milliseconds of every request that was answered, in any order.

    Raises:
        RuntimeError: something else than 200 came back.
    """
    times: list[float] = []
    faults: list[str] = []
    begin = time.perf_counter() + WARM
    end = begin + seconds

    def user(number: int) -> None:
        connection = http.client.HTTPConnection(host, port, timeout=120)
        mine, at = [], number * 7
        while (started := time.perf_counter()) < end and not faults:
            connection.request("GET", paths[at % len(paths)])
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                faults.append(f"{paths[at % len(paths)]}: {answer.status}")
            if started >= begin:
                mine.append(1e3 * (time.perf_counter() - started))
            at += 1
        times.extend(mine)

    threads = [threading.Thread(target=user, args=(number,)) for number in range(users)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if faults:
        raise RuntimeError(faults[0])
    return times


def in_a_new_process(
    host: str, port: int, users: int, seconds: float, paths: Sequence[str]
) -> list[float]:
    """Run :func:`ask` in a fresh interpreter, so that it shares no lock with what it measures."""
    command = [sys.executable, "-m", "benchmarks.load", host, str(port), str(users), str(seconds)]
    done = subprocess.run(
        command, cwd=_ROOT, input="\n".join(paths), capture_output=True, text=True, check=True
    )
    times: list[float] = json.loads(done.stdout)
    return times


if __name__ == "__main__":
    where, door, people, long = sys.argv[1:]
    asked = sys.stdin.read().split("\n")
    print(json.dumps(ask(where, int(door), int(people), float(long), asked)))
