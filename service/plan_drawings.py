"""Lists to fund drawn up from a run by the service: each drawing stands, the next is another.

A drawing is a folder beside the run (``RUN.ke-hoach/ban-N``) with the files of
:mod:`service.plan_files`, the last of which makes it whole, and a note beside it that says who made
it, when and what for. A drawing is never changed: a pin, a ban or a mark draws another, from the
rules file of the one before, so that what is downloaded is what the next drawing starts from, and
what a word displaced is told by comparing the two.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from matcher import run_folder
from matcher.planning.rules import RuleError
from matcher.run_files import write_json
from matcher.yearly import Run
from service import plan_files
from service.planning import year_plan
from service.rules_file import RulesFile
from service.workspace import Workspace
from service.yearly_jobs import KNOWN, Job, Jobs

NAME = re.compile(r"ban-[1-9]\d{0,4}")
MOST = 10_000  # drawings of one run
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What a drawing is made of besides its rules: money in million VND a year.

    ``did`` says in words what sets it apart from ``parent``, the drawing that it starts from.
    """

    year: int
    budget: float
    province: str = ""
    parent: str = ""
    did: str = ""


@dataclass(frozen=True)
class Drawing:
    """One drawing: what was asked by whom and when (UTC), and what became of it.

    ``state`` is ``running``, ``done`` or ``stopped`` (by a failure, told in ``trouble``, or by a
    restart).
    """

    name: str
    folder: Path
    asked: Asked
    actor: str = ""
    made: str = ""
    trouble: str = ""
    state: str = "stopped"

    def read(self) -> dict[str, Any]:
        """Return the plan as :func:`service.plan_files.to_json` wrote it."""
        return run_folder.read_json(self.folder / plan_files.DATA) or {}

    @property
    def rules(self) -> Path:
        """The rules that it was drawn with."""
        return self.folder / plan_files.RULES


class Drawings:
    """The drawings of one finished run."""

    def __init__(self, space: Workspace, run: Job) -> None:
        self._space, self._run = space, run
        self.home = run.folder.with_name(f"{run.name}.ke-hoach")

    def all(self) -> list[Drawing]:
        """Return the drawings, the newest first."""
        found = [each for path in self.home.glob("ban-*") if (each := self.get(path.name))]
        return sorted(found, key=lambda each: int(each.name[4:]), reverse=True)

    def get(self, name: str) -> Drawing | None:
        """Return one drawing, or ``None``."""
        folder = self.home / name
        if not NAME.fullmatch(name) or not folder.is_dir():
            return None
        known = run_folder.read_json(self._note(name))
        if known is None:  # begun a moment ago
            return None
        whole = (folder / plan_files.DATA).is_file()
        state = "done" if whole else "running" if run_folder.held(folder) else "stopped"
        known["asked"] = Asked(**known["asked"])
        return Drawing(name, folder, **known, state=state)

    def begin(
        self,
        asked: Asked,
        said: RulesFile,
        actor: str,
        now: dt.datetime,
        ended: Callable[[str], None],
    ) -> Drawing | None:
        """Begin to draw; ``None``: another drawing of this run is being made.

        Args:
            asked: year, money, province, and what for.
            said: the rules.
            actor: login of who asks.
            now: the time (UTC).
            ended: called with the name of the drawing, when it is whole.
        """
        with _STARTING:
            if any(each.state == "running" for each in self.all()):
                return None
            drawing = Drawing(
                self._claimed(), Path(), asked, actor, now.isoformat(timespec="seconds")
            )
            drawing = replace(drawing, folder=self.home / drawing.name)
            self._write(drawing)
            began = threading.Event()
            work = (drawing, said, began, ended)
            name = f"plan {self._run.name} {drawing.name}"
            threading.Thread(target=self._draw, args=work, name=name, daemon=True).start()
            began.wait(10)  # so that whoever looks next sees it running
            return drawing

    def _claimed(self) -> str:
        """Make the folder of the next drawing; of two processes, each gets its own."""
        for number in range(1, MOST):
            try:
                (self.home / f"ban-{number}").mkdir(parents=True)
            except FileExistsError:
                continue
            return f"ban-{number}"
        raise run_folder.RunFolderError(f"{self.home}: đã có {MOST - 1} bản danh mục")

    def _draw(
        self,
        drawing: Drawing,
        said: RulesFile,
        began: threading.Event,
        ended: Callable[[str], None],
    ) -> None:
        try:
            with run_folder.holding(drawing.folder):
                began.set()
                asked, run = drawing.asked, Run.open(self._run.folder)
                told = year_plan(
                    self._space, run, asked.budget, asked.year, said, asked.province or None
                )
                plan_files.write(told, drawing.folder, self._space.places())
            ended(drawing.name)
        except (RuleError, *KNOWN) as error:
            self._failed(drawing, str(error))
        except OSError as error:
            self._failed(drawing, f"không ghi được ({error.strerror or error})")
        except Exception:
            log.exception("plan %s of %s", drawing.name, self._run.name)
            self._failed(drawing, "lỗi của chương trình, đã ghi vào nhật ký máy chủ")
        finally:
            began.set()

    def _failed(self, drawing: Drawing, trouble: str) -> None:
        try:
            self._write(replace(drawing, trouble=trouble))
        except OSError:
            log.exception("note of %s", drawing.name)

    def _write(self, drawing: Drawing) -> None:
        facts = {k: v for k, v in asdict(drawing).items() if k not in {"name", "folder", "state"}}
        write_json(self._note(drawing.name), facts)

    def _note(self, name: str) -> Path:
        return self.home / f"{name}.json"


def latest(space: Workspace, key: str) -> tuple[Job, Drawing, dict[str, Any]] | None:
    """Return the newest whole drawing that speaks of the proposal ``key``, with what it says."""
    made = [
        (run, drawing)
        for run in Jobs(space).all()
        for drawing in Drawings(space, run).all()
        if drawing.state == "done"
    ]
    made.sort(key=lambda pair: (pair[1].made, pair[0].name, pair[1].name), reverse=True)
    for run, drawing in made:
        told = drawing.read()
        if key in told["checks"]:
            return run, drawing, told
    return None


_STARTING = threading.Lock()
