"""A process of its own that opens a snapshot, answers one query and tells time and memory.

Run as ``python -m benchmarks.opening FOLDER ENCODER QUERY``; prints one line of JSON. The clock
starts when the program's modules are imported. The encoder is loaded after the first answer, so
that its time and memory stand apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from corpus.lexicon import Lexicon
from corpus.places import Places
from indexes.encoders import Encoder, open_encoder
from indexes.hybrid import Index
from indexes.snapshot import open_current
from matcher.model import DEFAULT
from matcher.need import from_text
from matcher.search import Engine

Facts = dict[str, float]
_ROOT = Path(__file__).resolve().parent.parent


def resident() -> float:
    """Resident memory of this process in MB (10^6 bytes), memory-mapped pages in use included."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) * 1024 / 1e6


def measure(home: Path, encoder: str, query: str) -> Facts:
    """Open the current snapshot of ``home`` and answer ``query``, without and with ``encoder``."""
    facts = {"MB: modules imported": resident()}
    start = time.perf_counter()
    snapshot = open_current(home)
    facts["s: snapshot open"] = time.perf_counter() - start
    lexicon, places = Lexicon.load(), Places.load()
    _answer(snapshot.index(), None, lexicon, places, query)
    facts["s: first answer, words only"] = time.perf_counter() - start
    facts["MB: after the first answer"] = resident()
    if encoder != "none":
        start = time.perf_counter()
        loaded = open_encoder(encoder)
        facts["s: encoder loaded"] = time.perf_counter() - start
        _answer(snapshot.index(), loaded, lexicon, places, query)
        facts["MB: after a hybrid answer, encoder loaded"] = resident()
    snapshot.close()
    return facts


def _answer(
    index: Index, encoder: Encoder | None, lexicon: Lexicon, places: Places, query: str
) -> None:
    engine = Engine(index, encoder, lexicon, places)
    next(iter(engine.rank(from_text(query, lexicon, DEFAULT)).hits()), None)


def in_a_new_process(home: Path, encoder: str, query: str) -> Facts:
    """Run :func:`measure` in a fresh interpreter."""
    command = [sys.executable, "-m", "benchmarks.opening", str(home), encoder, query]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    facts: Facts = json.loads(done.stdout.splitlines()[-1])
    return facts


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
