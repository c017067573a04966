"""One attempt at better weights in a work folder, from the records to the model that searches use.

What is learnt is read from public text alone: weights rank for everybody, so nothing under NDA may
move them. The model is written first, then the attempt, then the pointer: a kill in between leaves
the old weights in use and the attempt in the account, never a promoted model without one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.records import Decision, Judgment
from corpus.store import Store
from matcher import evidence, folds
from matcher.evidence import Evidence
from matcher.learn import PROMOTED, Lesson, learn
from matcher.model import DEFAULT, VERSION
from matcher.models import NONE, PLAIN, InUse, Model, ModelError, Models, base_digest
from matcher.testsets import TestSetError, lines
from service.workspace import Opened, Workspace

DUPLICATES = "duplicates.tsv"  # two technology ids a line: one thing, recorded twice


@dataclass(frozen=True)
class Attempt:
    """What one attempt found and did, and on what."""

    lesson: Lesson
    before: str  # version of the weights in use before
    after: str  # … and after
    evidence: Evidence
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return everything, under the names that other programs read."""
        return {
            **self.lesson.to_json(),
            "before": self.before,
            "model": self.after,
            "evidence": {
                "judged": self.evidence.judged,
                "decided": self.evidence.decided,
                "silent": dict(self.evidence.silent),
            },
            "changes": [each.to_json() for each in self.lesson.changes],
            "notices": list(self.notices),
        }


def attempt(space: Workspace, day: dt.date, encoder: str | None = None) -> Attempt:
    """Learn from what the store of ``space`` holds, and use the new weights if they are better.

    Raises:
        ModelError: somebody else is learning here.
        SnapshotError, StoreError: there is no index or no store.
        TestSetError: the list of duplicates cannot be read.
    """
    pairs = _duplicates(space.folder / DUPLICATES)
    with space.models.locked(), space.open(day, encoder) as opened:
        used = space.models.in_use()
        with Store.open(space.folder) as store:
            known = evidence.gather(store.all(Judgment), store.all(Decision))
        matcher = opened.matcher
        pairs += folds.twins(matcher.technologies.values())
        needs, lexicon = matcher.needs.values(), matcher.engine.lexicon
        split = folds.assign(needs, matcher.products, known.shown, lexicon, pairs)
        lesson = learn(matcher, known, split, space.models.attempts())
        model = _promoted(lesson, used, space, day, known)
        if model:
            space.models.keep(model)
        space.models.log(_entry(lesson, used, model, day, known, opened))
        if model:
            space.models.use(model.name)
    after = model.version if model else used.version
    return Attempt(lesson, used.version, after, known, (*opened.notices, *_notices(opened)))


def back(space: Workspace, day: dt.date) -> tuple[str, str]:
    """Return to the model before the current one; returns the versions left and returned to.

    A current model that cannot be read is left for the program's own weights.

    Raises:
        ModelError: no model is in use.
    """
    models = space.models
    name = models.current()
    if name == NONE:
        raise ModelError("đang dùng trọng số của chương trình, không có mô hình nào để quay lại")
    with models.locked():
        current = _or_plain(models, name)
        previous = _or_plain(models, current.previous)
        target = previous.name if previous.multipliers else NONE
        entry = {"date": day.isoformat(), "action": "back", "counted": False}
        models.log({**entry, "from": name, "to": target})
        models.use(target)
    return (current.version if current.multipliers else name), previous.version


def _or_plain(models: Models, name: str) -> Model:
    try:
        return models.read(name)
    except ModelError:
        return PLAIN


def _duplicates(path: Path) -> list[tuple[str, str]]:
    if not path.is_file():
        return []
    pairs = []
    for number, line in lines(path):
        cells = line.split("\t")
        if len(cells) != 2:
            raise TestSetError(f"{path} dòng {number}: cần 2 mã công nghệ, có {len(cells)}")
        pairs.append((cells[0].strip(), cells[1].strip()))
    return pairs


def _promoted(
    lesson: Lesson, used: InUse, space: Workspace, day: dt.date, known: Evidence
) -> Model | None:
    """Return the model to use from now on, if the lesson is that there is a better one."""
    if lesson.outcome != PROMOTED:
        return None
    old = used.model.multipliers
    names = sorted({*old, *lesson.multipliers})
    factors = {
        name: round(old.get(name, 1.0) * lesson.multipliers.get(name, 1.0), 4) for name in names
    }
    facts = {**lesson.to_json(), "date": day.isoformat(), "data": known.digest()}
    previous = space.models.current() if used.model.multipliers else NONE
    scales = {**used.model.scales, **lesson.scales}
    return Model(factors, scales, base_digest(DEFAULT), previous, facts)


def _entry(
    lesson: Lesson,
    used: InUse,
    model: Model | None,
    day: dt.date,
    known: Evidence,
    opened: Opened,
) -> dict[str, Any]:
    return {
        "date": day.isoformat(),
        "action": "learn",
        "counted": lesson.attempt is not None,
        **lesson.to_json(),
        "data": known.digest(),
        "revision": opened.manifest.revision,
        "index": opened.manifest.corpus,
        "weights": VERSION,
        "from": used.version,
        "to": model.name if model else None,
    }


def _notices(opened: Opened) -> list[str]:
    told = sum(each.illustrative for each in opened.matcher.needs.values())
    if not told:
        return []
    return [f"{told:,} nhu cầu là dữ liệu minh họa: trọng số học được cũng chỉ để minh họa."]
