"""A process that puts a plan's files into a folder and is killed before a given step."""

import os
import signal
from pathlib import Path

from service import plan_files

STEPS = ("mkdir", "replace", "unlink", "rmdir")  # what changes the folder


def put_and_die(folder: Path, files: dict[str, bytes], step: int) -> None:
    left = [step]

    def counted(change):
        def killed_first(*args, **named):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return change(*args, **named)

        return killed_first

    for name in STEPS:
        setattr(Path, name, counted(getattr(Path, name)))
    plan_files.put(files, folder)
