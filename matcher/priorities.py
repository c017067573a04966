"""A first draft of the next priority list, from what a run covers: people edit it and issue it.

Each stage of the value chain for which needs were stated becomes a group, those with most needs
without an answer first; its products are those the needs are for, and the reason is the count. A
group that the version in force has for the same stage keeps its name and its words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from corpus.priority import PriorityGroup, PriorityList
from corpus.records import STAGES
from matcher.coverage import Coverage, Group
from matcher.run_files import LEVELS

NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv")


def draft(
    found: Coverage, key: str, name: str, day: dt.date, before: PriorityList | None = None
) -> PriorityList:
    """Draft a version of the list.

    Args:
        found: what a run covers.
        key: id of the new version.
        name: what the list is called.
        day: day of the draft.
        before: the version it would take the place of.
    """
    kept = {each.stages: each for each in before.groups} if before else {}
    stages = next(each for each in found.dimensions if each.name == "stage").groups
    asked = [each for each in stages if each.name in STAGES]
    asked.sort(key=lambda each: (-each.gaps, -each.total, STAGES.index(each.name)))
    groups = [
        _group(number, each, tuple(_products(found, each.name)), kept.get((each.name,)))
        for number, each in zip(NUMERALS, asked, strict=False)
    ]
    facts = {"id": key, "name": name, "date": day, "groups": groups}
    return PriorityList.model_validate({**facts, "before": before.id if before else None})


def _group(
    number: str, stage: Group, products: tuple[str, ...], kept: PriorityGroup | None
) -> PriorityGroup:
    suits, adapts = stage.levels[:2]
    told = f"{stage.total} nhu cầu: {suits} {LEVELS[0]}, {adapts} {LEVELS[1]}"
    facts = {
        "key": f"({number})",
        "name": kept.name if kept else f"Công nghệ khâu {stage.name}",
        "stages": (stage.name,),
        "products": products,
        "words": kept.words if kept else (),
        "because": f"{told}, {stage.gaps} chưa có lời đáp",
    }
    return PriorityGroup.model_validate(facts)


def _products(found: Coverage, stage: str) -> Iterator[str]:
    """The products with needs at ``stage``, those with most needs first."""
    for _, name, cells in found.heat:
        if any(each.name == stage and each.total for each in cells):
            yield name
