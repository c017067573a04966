"""A run as people judged its pairs until now: with the grades, who gave them, and when."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from corpus.records import Judgment
from corpus.store import Change, Store
from matcher.yearly import Run
from service.desk_base import VIETNAM

EVERY = 1_000_000  # changes looked at, at most


def judged(run: Run, store: Store) -> Run:
    """Return ``run`` with what the store's judgments say of its pairs."""
    grades = {(each.need, each.technology): each.grade for each in store.all(Judgment)}
    said: dict[str, Change] = {}
    for change in store.changes(Judgment.kind_name, limit=EVERY):  # newest first
        said.setdefault(change.id, change)
    judges = {key: _who(said["\t".join(key)]) for key in grades if "\t".join(key) in said}
    if (grades, judges) == (run.grades, run.judges):
        return run
    return replace(run, grades=grades, judges=judges)


def _who(change: Change) -> str:
    by = change.actor or (f"nạp từ {change.source}" if change.source else "bằng dòng lệnh")
    if change.at is None:
        return by
    return f"{by}, {dt.datetime.fromisoformat(change.at).astimezone(VIETNAM):%d/%m/%Y}"
