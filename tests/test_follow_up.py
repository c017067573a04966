"""matcher.planning.follow_up: what funded tasks left behind, against targets, and who is silent."""

from __future__ import annotations

import datetime as dt
from io import BytesIO

import pytest
from openpyxl import load_workbook

from corpus.tasks import Progress, Task, TaskKind
from matcher.planning.follow_up import Indicator, Target, follow_up
from service.follow_up import tables, to_json


def task(key: str, start: int, end: int, progress: Progress, **facts: object) -> Task:
    known = {"id": key, "name": key, "start": start, "end": end, "progress": progress, **facts}
    return Task.model_validate({"kind": TaskKind.APPLY, **known})


TASKS = [
    task("a", 2026, 2027, Progress.FINISHED, models=2, trained=10),
    task("b", 2026, 2028, Progress.RUNNING, models=5),  # has left nothing yet
    task("c", 2027, 2028, Progress.FINISHED),  # does not say
    task("d", 2026, 2026, Progress.STOPPED, models=9),
    task("e", 2025, 2026, Progress.FINISHED, models=1, kind=TaskKind.TRIAL),
    task("f", 2026, 2031, Progress.FINISHED, models=7),  # ends after the programme
]
APPLIED = Target(Indicator.APPLIED, 8, 2026, 2030)
MODELS = Target(Indicator.MODELS, 4, 2026, 2030)
MARKETS = (Indicator.MARKET, Indicator.PARTICIPATIONS)


def test_tasks_count_when_they_begin_and_what_they_leave_when_they_end() -> None:
    applied, models = follow_up(TASKS, [APPLIED, MODELS])
    assert applied.by_year == {2026: 3, 2027: 1, 2028: 0, 2029: 0, 2030: 0}
    assert models.by_year == {2026: 1, 2027: 2, 2028: 0, 2029: 0, 2030: 0}
    assert (applied.silent, models.silent) == ((), ("c",))
    assert (applied.until(2026), applied.share(2030)) == (3, 4 / 8)
    assert models.target.middle == 2028


def test_participations_are_counted_apart_from_tasks() -> None:
    """An Giang's 75 are enterprises brought to market, not 75 tasks."""
    market = {"kind": TaskKind.MARKET}
    tasks = [
        *TASKS,  # whose kinds have no participations to tell
        task("m", 2026, 2026, Progress.FINISHED, participations=12, **market),
        task("n", 2026, 2027, Progress.FINISHED, **market),
    ]
    found = follow_up(tasks, [Target(each, 75, 2026, 2030) for each in MARKETS])
    assert [each.until(2030) for each in found] == [2, 12]
    assert [each.silent for each in found] == [(), ("n",)]


def test_a_target_of_nothing_has_no_share() -> None:
    assert follow_up(TASKS, [Target(Indicator.PLACES, 0, 2026, 2030)])[0].share(2030) is None


def test_the_tables_say_the_same() -> None:
    found = follow_up(TASKS, [APPLIED, MODELS])
    day = dt.date(2027, 6, 1)
    book = load_workbook(BytesIO(tables(found, TASKS, day)))
    yearly = [row[:4] for row in book["Theo năm"].iter_rows(values_only=True)]
    assert yearly[-2] == (str(Indicator.APPLIED), 8, 3, 1)
    terms = list(book["Giữa kỳ, cuối kỳ"].iter_rows(values_only=True))[-1]
    assert terms[:5] == (str(Indicator.MODELS), 4, "2028", 3, 75)
    assert terms[-1] == "c"
    assert to_json(found, day)[1]["reached"] == pytest.approx(3)
    assert tables(found, TASKS, day) == tables(found, TASKS, day)
