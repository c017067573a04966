"""Judgments at the desk: how well a technology answers a need, said by people."""

from __future__ import annotations

from corpus.records import Judgment, Need, Technology
from service.desk import Desk
from service.desk_base import made, must_exist, told
from service.roles import WRITE_NEEDS


def judgments(desk: Desk, **facts: str) -> tuple[Judgment, ...]:
    """Return the judgments whose fields are ``facts``, by id."""
    with told():
        return tuple(desk.store.find(Judgment, **facts))


def judge(desk: Desk, need: str, technology: str, grade: int, expected: str | None) -> Judgment:
    """Record how well a technology answers a need.

    Args:
        desk: whose judgment it is.
        need: id of the need.
        technology: id of the technology.
        grade: 3 solves it, 2 with small change, 1 related, 0 not.
        expected: content hash of the judgment that is changed; ``None``: there is none yet.
    """
    desk._must(WRITE_NEEDS, "đánh giá")
    with desk._writing() as writing:
        must_exist(writing, Need, need)
        must_exist(writing, Technology, technology)
        facts = {"need": need, "technology": technology, "grade": grade}
        return writing.edit(made(Judgment, facts), expected)
