"""The files of a plan: workbook, annexes, report, the rules it was made with, and all as data.

They take the places of an earlier plan's together; the same plan gives the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from corpus.places import Places
from matcher.explain import UNKNOWN
from matcher.planning.candidates import Candidate, Dimension
from matcher.planning.drafts import Draft
from matcher.planning.lines import Entry
from matcher.planning.plan import Plan
from matcher.planning.reasons import Line
from matcher.run_files import json_bytes, write_bytes
from service import plan_docx
from service.plan_report import report
from service.plan_sheets import plan_workbook
from service.planning import YearPlan
from service.rules_file import EACH, template

REPORT, RULES, DATA = "bao-cao.html", "luat.xlsx", "plan.json"
FRESH = ".dang-ghi"  # where the files of a plan are written before they take their places
BETTER = 3  # rival technologies told of one proposal


def write(told: YearPlan, folder: Path, places: Places) -> list[Path]:
    """Write the files of ``told`` into ``folder``; return their paths.

    Raises:
        OSError: a file cannot be written; what stood in the folder stands as it was.
    """
    made = {name: make(told) for name, make in WRITTEN.items()}
    return put({**made, REPORT: report(told, places), DATA: json_bytes(to_json(told))}, folder)


def put(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Put a plan's ``files``, the last of which makes it whole, in the place of another's.

    All of them are written aside first. Then the old plan is no longer whole, until the last of the
    new files is in its place: killed at any moment, the folder holds the old plan, the new one, or
    one that is not whole, which the next call makes so.
    """
    fresh, last = folder / FRESH, list(files)[-1]
    shutil.rmtree(fresh, ignore_errors=True)  # of a call that was killed
    fresh.mkdir(parents=True)
    try:
        for name, data in files.items():
            write_bytes(fresh / name, data)
        (folder / last).unlink(missing_ok=True)
        for name in files:
            (fresh / name).replace(folder / name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return [folder / name for name in files]


def _rules(told: YearPlan) -> bytes:
    return template(told.said, told.chosen.rules.budget, told.run.as_of)


WRITTEN: Final[Mapping[str, Callable[[YearPlan], bytes]]] = {
    "danh-muc.xlsx": lambda told: plan_workbook(told, told.run.as_of),
    "phu-luc.docx": plan_docx.annex,
    "kinh-phi.docx": plan_docx.funding,
    RULES: _rules,
}


def to_json(told: YearPlan) -> dict[str, Any]:
    """Return a plan as plain data, with what it was made from."""
    return {
        "year": told.year,
        "province": told.province,
        "illustrative": told.illustrative,
        "made_from": dict(told.run.facts["made_from"]),
        "judged": {"revision": told.judged.revision, "digest": told.judged.digest},
        "budget": {str(year): money for year, money in told.chosen.rules.budget.items()},
        "scenarios": {name: _plan(each) for name, each in told.plans.items()},
        "order": list(told.plans),
        "names": _names(told),
        "quotas": [
            *(each.words for each in told.said.quotas),
            *(each.words.replace(f"{each.dimension} “{EACH}”", f"{EACH} {each.dimension}")
              for each in told.said.each),
        ],
        "overrides": {
            each.id: {"pinned": each.pinned, "reason": each.reason, "by": each.by}
            for each in told.chosen.rules.overrides
        },
        "firm": {}
        if told.stability is None
        else {
            key: [share, told.stability.costs[key]] for key, share in told.stability.scores.items()
        },
        "without_costs": {
            each.checked.proposal.id: each.lacking for each in told.entries if each.lacking
        },
        "displaced": None
        if told.displaced is None
        else {"in": list(told.displaced.added), "out": list(told.displaced.dropped)},
        "more_money": [
            {"money": each.money, "worth": round(each.worth, 6), "in": each.added,
             "out": each.dropped}
            for each in told.steps
        ],
        "marks": {
            each.checked.proposal.id: {
                str(mark.criterion): {"value": mark.value, "evidence": mark.evidence, "by": mark.by}
                for mark in each.marks
            }
            for each in told.by_id.values()
        },
        "checks": {each.checked.proposal.id: _check(each) for each in told.entries},
        "same_as_tasks": {
            each.checked.proposal.id: [
                {"task": one.task.id, "probability": one.probability, "same": one.same,
                 "different": one.different}
                for one in each.checked.earlier
            ]
            for each in told.entries
            if each.checked.earlier
        },
        "drafts": [_draft(each) for each in told.drafts],
    }  # fmt: skip


def _names(told: YearPlan) -> dict[str, str]:
    """Every id that the plan speaks of → its name."""
    lines: dict[str, Candidate] = {}
    for found in told.plans.values():
        lines |= {each.candidate.id: each.candidate for each in (*found.funded, *found.reserve)}
        lines |= {each.candidate.id: each.candidate for each in found.refused}
    proposed = {each.checked.proposal.id: each.checked.proposal.name for each in told.entries}
    return {**{key: line.name for key, line in lines.items()}, **proposed}


def _draft(draft: Draft) -> dict[str, Any]:
    """A draft, with what its kind and group were read from."""
    return {
        "id": draft.proposal.id,
        "name": draft.proposal.name,
        "need": draft.pair.need,
        "technology": draft.pair.technology,
        "kind": draft.kind.value or UNKNOWN,
        "kind_because": draft.kind.evidence,
        "group": draft.group.value or UNKNOWN,
        "group_because": draft.group.evidence,
    }


def _check(entry: Entry) -> dict[str, Any]:
    """What was found about one proposal: pairs as need, technology and label."""
    found = entry.checked
    return {
        "score": entry.score,
        "lacking": entry.lacking,
        "missing": list(found.missing),
        "guessed": [[each.need, each.because] for each in found.guessed],
        "pairs": [[each.need, each.technology, each.told] for each in found.pairs],
        "better": [[each.need, each.technology, each.told] for each in found.better[:BETTER]],
        "cheaper": [[other.id, mine.id] for mine, other in found.cheaper[:BETTER]],
    }


def _plan(found: Plan) -> dict[str, Any]:
    return {
        "worth": round(found.worth, 6),
        "gap": round(found.gap, 6),
        "out_of_time": found.out_of_time,
        "clashing": list(found.clashing),
        "notices": list(found.notices),
        "funded": [_line(each) for each in found.funded],
        "reserve": [_line(each) for each in found.reserve],
        "refused": {each.candidate.id: each.reason for each in found.refused},
    }


def _line(line: Line) -> dict[str, Any]:
    each = line.candidate
    return {
        "id": each.id,
        "name": each.name,
        "score": each.score,
        "kind": _first(each, Dimension.KIND),
        "group": _first(each, Dimension.GROUP),
        "needs": list(each.needs),
        "technology": each.technology,
        "state": {str(year): money for year, money in each.state.items()},
        "own": {str(year): money for year, money in each.own.items()},
        "carried_over": each.carried_over,
        "why": line.why,
        "would": line.would,
        "override": line.override.words if line.override else None,
    }


def _first(line: Candidate, dimension: Dimension) -> str:
    """The value under which a line stands in the list."""
    return next(iter(line.counted.get(dimension, ())), UNKNOWN)
