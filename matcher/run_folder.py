"""The folder of a yearly run: who works in it, what was begun there, what may be thrown away."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matcher import run_files as files
from matcher.run_files import RunFolderError

Facts = Mapping[str, Any]
OURS = (*files.TABLES, files.RUN, files.STARTED, files.TIMING, files.WORKBOOK)


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
    with (folder / files.LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunFolderError(f"một tiến trình khác đang ghi đợt chạy {folder}") from error
        begun = any((folder / name).exists() for name in (files.RUN, files.STARTED))
        strange = sorted(each.name for each in folder.iterdir() if not _ours(each.name))
        if strange and not begun:
            raise RunFolderError(
                f"{folder} không trống và không phải một đợt chạy (có {strange[0]}): "
                "chọn thư mục khác"
            )
        if fresh:
            clear(folder)
        yield


def held(folder: Path) -> bool:
    """Whether somebody works in the folder of a run at this moment."""
    try:
        with (folder / files.LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def begun_with(folder: Path) -> Facts | None:
    """Return the settings of the run in ``folder``, finished or not; ``None``: none was begun."""
    for name in (files.RUN, files.STARTED):
        facts = files.read_json(folder / name)
        if facts is not None:
            settings: Facts = facts.get("made_from", {}).get("settings", {})
            return settings
    return None


def clear(folder: Path) -> None:
    """Remove what a run left in ``folder``, what it is known by first."""
    for name in (files.RUN, files.STARTED, *OURS):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / files.PARTS_FOLDER, ignore_errors=True)


def _ours(name: str) -> bool:
    return name in {*OURS, files.LOCK, files.PARTS_FOLDER} or name.startswith(".")
