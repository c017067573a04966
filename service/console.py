"""The terminal: what is printed where, how long work shows, how a failure is told.

A user's mistake, a full disk or Ctrl-C ends in one sentence on standard error and an exit code of
:class:`service.settings.Exit`, never in a traceback.
"""

from __future__ import annotations

import errno
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from corpus.lexicon_tables import TableError
from corpus.store import StoreError
from corpus.tables import UnreadableFile
from indexes.encoders import EncoderError
from indexes.hybrid import Tick
from indexes.snapshot import SnapshotError
from matcher.models import ModelError
from matcher.planning.rules import RuleError
from matcher.run_folder import RunFolderError
from matcher.runs import RunError
from matcher.testsets import TestSetError
from service.settings import Exit

# Records and questions may hold "[/b]" or ":cat:": nothing that is printed is read as markup.
out = Console(highlight=False, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


REASONS = {
    errno.ENOENT: "không có tệp hay thư mục này",
    errno.EACCES: "không có quyền đọc hoặc ghi",
    errno.EROFS: "nơi này chỉ đọc được",
    errno.EISDIR: "đây là thư mục, không phải tệp",
    errno.ENOTDIR: "đây là tệp, không phải thư mục",
}


@contextmanager
def told_failures() -> Iterator[None]:
    """Turn a known failure into a sentence and an exit code."""
    try:
        yield
    except (ModelError, RunFolderError, StoreError, SnapshotError) as error:
        fail(str(error), Exit.NO_DATA)
    except (EncoderError, RuleError, RunError, TableError, TestSetError, UnreadableFile) as error:
        fail(str(error), Exit.BAD_INPUT)
    except OSError as error:
        fail(*_told(error))
    except sqlite3.OperationalError as error:
        told = "không dùng được tệp giữ vectơ (đĩa đầy, không có quyền, hoặc đang bận)"
        fail(f"{told}: {error}", Exit.NO_DATA)
    except KeyboardInterrupt:
        _interrupted()
    except SystemExit as stop:  # typer has its own way with Ctrl-C
        if stop.code == Exit.INTERRUPTED:
            _interrupted()
        raise


def readable(argument: str) -> str:
    """Replace the bytes of ``argument`` that are no UTF-8, unless it names a file."""
    text = argument.encode("utf-8", "replace").decode("utf-8")
    with suppress(OSError):  # too long for a name
        if text != argument and Path(argument).exists():
            return argument
    return text


def _told(error: OSError) -> tuple[str, Exit]:
    """Say what the system could not do, and with which exit code to end."""
    if error.errno == errno.ENOSPC:
        told = "đĩa đã đầy: giải phóng dung lượng rồi chạy lại; dữ liệu và chỉ mục cũ còn nguyên"
        return told, Exit.NO_DATA
    reason = REASONS.get(error.errno or 0, error.strerror or str(error))
    return f"{reason}: {error.filename}" if error.filename else reason, Exit.BAD_INPUT


def _interrupted() -> NoReturn:
    fail("đã dừng theo yêu cầu; dữ liệu và chỉ mục cũ còn nguyên", Exit.INTERRUPTED)


def fail(message: str, code: Exit) -> NoReturn:
    """End with a sentence on standard error."""
    err.print(Text("Lỗi: ", "bold red").append(message, "not bold default"), soft_wrap=True)
    sys.exit(code)


def emit(data: Any) -> None:
    """Print ``data`` as JSON; NaN is an error, not JSON."""
    json.dump(data, sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")


@contextmanager
def progress() -> Iterator[Tick]:
    """Show a bar with the time left for each stage of long work (on standard error)."""
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err) as progress:
        tasks: dict[str, Any] = {}

        def tick(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.advance(tasks[stage], done)

        yield tick
