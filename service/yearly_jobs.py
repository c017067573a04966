"""Yearly runs as jobs of the service: begun, watched, stopped and gone on with from a page.

A run is made in a thread of the worker that was asked, in a folder under the work folder; whether
somebody works in it is told by the lock of the folder, so every worker and the next start of the
service see the same. What a page needs to know besides stands in a note beside the folder. To stop
one, a mark is laid beside it: the run sees it at the next need, from whatever process.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from matcher import run_folder
from matcher.batch import Tick
from matcher.run_files import write_json
from matcher.run_folder import RunFolderError
from service import indexing, yearly
from service.workspace import Workspace

RUNS = "runs"
NAME = re.compile(r"dot-\d{4}-\d\d-\d\d(-\d{1,4})?")
EVERY = 0.5  # seconds between notes of how far a run is
KNOWN = (*indexing.KNOWN, RunFolderError)  # their messages say what to do
log = logging.getLogger(__name__)


class StoppedError(Exception):
    """Somebody asked the run to stop."""


@dataclass(frozen=True)
class Job:
    """One run: who began it and when (UTC), how far it is, and what went wrong.

    ``state`` is ``running``, ``done`` or ``stopped`` (by somebody, by a failure, by a restart).
    """

    name: str
    folder: Path
    actor: str = ""
    began: str = ""
    since: str = ""
    done: int = 0
    total: int = 0
    trouble: str = ""
    state: str = "stopped"

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.state == "running"


class Jobs:
    """The yearly runs of one work folder."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self.home = space.folder / RUNS

    def all(self) -> list[Job]:
        """Return the runs, the newest first."""
        names = (each.name for each in self.home.glob("dot-*") if each.is_dir())
        found = [job for name in names if (job := self.get(name)) is not None]
        return sorted(found, key=lambda each: (each.began, each.name), reverse=True)

    def get(self, name: str) -> Job | None:
        """Return one run, or ``None``."""
        folder = self.home / name
        if not NAME.fullmatch(name) or not folder.is_dir():
            return None
        known = run_folder.read_json(self._note(name)) or {}
        whole = all((folder / each).is_file() for each in (run_folder.RUN, run_folder.WORKBOOK))
        state = "running" if run_folder.held(folder) else "done" if whole else "stopped"
        return Job(name, folder, **known, state=state)

    def begin(self, day: dt.date, actor: str, now: dt.datetime, since: str = "") -> Job | None:
        """Begin a run as of ``day``; ``None``: one is under way already."""
        with _STARTING:
            if any(each.running for each in self.all()):
                return None
            name = next(each for each in _names(day) if not (self.home / each).exists())
            folder = self.home / name
            folder.mkdir(parents=True)
            job = Job(name, folder, actor, now.isoformat(timespec="seconds"), since)
            return self._go(job, day)

    def go_on(self, name: str) -> Job | None:
        """Go on with a run that was cut short; ``None``: there is none, or one is under way."""
        with _STARTING:
            job = self.get(name)
            if job is None or job.state != "stopped" or any(each.running for each in self.all()):
                return None
            return self._go(replace(job, trouble=""), None)

    def stop(self, name: str) -> None:
        """Ask a run to stop; it is left as it is, to be gone on with."""
        if self.get(name) is not None:
            self._mark(name).touch()

    def _go(self, job: Job, day: dt.date | None) -> Job:
        self._mark(job.name).unlink(missing_ok=True)
        self._write(job)
        began = threading.Event()
        work = (job, day or _day_of(job.name), began)
        name = f"yearly {job.name}"
        threading.Thread(target=self._run, args=work, name=name, daemon=True).start()
        began.wait(10)  # so that whoever looks next sees it running
        return job

    def _run(self, job: Job, day: dt.date, began: threading.Event) -> None:
        told = [job]
        try:
            since = self.home / job.since if job.since else None
            yearly.run(
                self._space, job.folder, day, since=since, tick=self._ticking(told), began=began
            )
        except StoppedError:
            self._write(replace(told[0], trouble=""))
        except KNOWN as error:
            self._failed(told[0], str(error))
        except OSError as error:
            self._failed(told[0], f"không ghi được ({error.strerror or error})")
        except Exception:
            log.exception("yearly run %s", job.name)
            self._failed(told[0], "lỗi của chương trình, đã ghi vào nhật ký máy chủ")
        finally:
            began.set()

    def _ticking(self, told: list[Job]) -> Tick:
        last = [0.0]

        def tick(done: int, total: int) -> None:
            if self._mark(told[0].name).exists():
                raise StoppedError
            if time.monotonic() - last[0] >= EVERY or done == total:
                last[0] = time.monotonic()
                told[0] = replace(told[0], done=done, total=total)
                self._write(told[0])

        return tick

    def _failed(self, job: Job, trouble: str) -> None:
        try:
            self._write(replace(job, trouble=trouble))
        except OSError:
            log.exception("note of %s", job.name)

    def _write(self, job: Job) -> None:
        facts = {k: v for k, v in asdict(job).items() if k not in {"name", "folder", "state"}}
        write_json(self._note(job.name), facts)

    def _note(self, name: str) -> Path:
        return self.home / f"{name}.json"

    def _mark(self, name: str) -> Path:
        return self.home / f"{name}.stop"


_STARTING = threading.Lock()


def _names(day: dt.date) -> Iterator[str]:
    yield f"dot-{day}"
    yield from (f"dot-{day}-{number}" for number in range(2, 10_000))


def _day_of(name: str) -> dt.date:
    """Return the day that a run was begun for, from its name."""
    return dt.date.fromisoformat(name[4:14])
