"""The folder of a yearly run: who works in it, what was begun there, what may be thrown away."""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

FORMAT = 1
STARTED, RUN, TIMING, LOCK, PARTS_FOLDER = (
    "started.json", "run.json", "timing.json", ".lock", "parts",
)  # fmt: skip
NEEDS, MATCHES, TECHNOLOGIES, PRODUCTS = (
    "needs.parquet", "matches.parquet", "technologies.parquet", "products.parquet",
)  # fmt: skip
WORKBOOK = "ket-qua.xlsx"  # for people; written from the tables
TABLES = (NEEDS, MATCHES, TECHNOLOGIES, PRODUCTS)
TRIES = 5  # to take the lock
Facts = Mapping[str, Any]
OURS = (*TABLES, RUN, STARTED, TIMING, WORKBOOK)


class RunFolderError(RuntimeError):
    """A run's folder cannot be used; the message says why and what to do."""


@contextmanager
def holding(folder: Path, fresh: bool = False) -> Iterator[None]:
    """Make the folder of a run where it is missing, and be the only one who works in it.

    Args:
        folder: where the run stands, or will.
        fresh: throw away what an earlier run left there.

    Raises:
        RunFolderError: it holds something else, or another process works in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as lock:
        _take(lock, folder)
        begun = any((folder / name).exists() for name in (RUN, STARTED))
        strange = sorted(each.name for each in folder.iterdir() if not _ours(each.name))
        if strange and not begun:
            raise RunFolderError(
                f"{folder} không trống và không phải một đợt chạy (có {strange[0]}): "
                "chọn thư mục khác"
            )
        _sweep(folder)
        if fresh:
            clear(folder)
        yield


def _take(lock: IO[str], folder: Path) -> None:
    """Take the lock; who only looks (:func:`held`) has it for a moment, so ask more than once."""
    for again in reversed(range(TRIES)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if not again:
                told = f"một tiến trình khác đang ghi đợt chạy {folder}"
                raise RunFolderError(told) from error
            time.sleep(0.02)


def _sweep(folder: Path) -> None:
    """Remove the half-written files of whoever was killed here."""
    for name in OURS:
        for scratch in folder.glob(f".{name}.*"):
            scratch.unlink(missing_ok=True)


def held(folder: Path) -> bool:
    """Whether somebody works in the folder of a run at this moment."""
    try:
        with (folder / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def begun_with(folder: Path) -> Facts | None:
    """Return the settings of the run in ``folder``, finished or not; ``None``: none was begun."""
    for name in (RUN, STARTED):
        facts = read_json(folder / name)
        if facts is not None:
            settings: Facts = facts.get("made_from", {}).get("settings", {})
            return settings
    return None


def clear(folder: Path) -> None:
    """Remove what a run left in ``folder``, what it is known by first."""
    for name in (RUN, STARTED, *OURS):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / PARTS_FOLDER, ignore_errors=True)


def _ours(name: str) -> bool:
    scratch = any(name.startswith(f".{each}.") for each in OURS)
    return scratch or name in {*OURS, LOCK, PARTS_FOLDER}


def read_json(path: Path) -> dict[str, Any] | None:
    """Read what :func:`write_json` wrote; ``None``: there is no such file.

    Raises:
        RunFolderError: it holds something else.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, IsADirectoryError, NotADirectoryError) as error:
        raise RunFolderError(f"{path} không phải tệp của một đợt chạy ({error})") from error
    if not isinstance(facts, dict):
        raise RunFolderError(f"{path} không phải tệp của một đợt chạy")
    return facts
