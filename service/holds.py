"""The right to be the only one who does something in a work folder: it ends with its process.

A file that merely says who is at it would outlive them, and process numbers are given out again, in
a container the same one at every start. A lock of the system's is let go of when its holder ends,
however it ends, and holds against other threads, workers and commands alike.
"""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import IO

PATIENCE = 0.2  # seconds: somebody may be looking whether it is held


class Hold:
    """A right that was taken; it is kept until :meth:`release`, or the end of the process."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    @classmethod
    def take(cls, path: Path) -> Hold | None:
        """Take the right that the file ``path`` stands for; ``None``: somebody has it.

        Raises:
            OSError: the file cannot be written.
        """
        file = path.open("ab")
        until = time.monotonic() + PATIENCE
        while not _locked(file, fcntl.LOCK_EX):
            if time.monotonic() > until:
                file.close()
                return None
            time.sleep(0.01)
        return cls(file)

    def release(self) -> None:
        """Let others have it."""
        self._file.close()


def held(path: Path) -> bool:
    """Whether somebody has the right that ``path`` stands for."""
    try:
        with path.open("rb") as file:
            return not _locked(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _locked(file: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
