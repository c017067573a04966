"""A list that covers a product's needs, from the answer of each: greedy by what each line adds.

A line is worth what it adds to the best score that each need has so far; when none adds anything
the list ends. Ties go to the lower id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corpus.records import Need
from matcher import explain
from matcher.answers import Answer, Choice, Match


def cover(needs: Sequence[Need], answers: Mapping[str, Answer], k: int) -> tuple[Choice, ...]:
    """Return at most ``k`` technologies that cover ``needs``, in the order they were chosen."""
    candidates = {
        match.technology.id: match
        for each in reversed(needs)
        for match in reversed(answers[each.id].matches)
    }
    gains = {
        (match.technology.id, each.id): match
        for each in needs
        for match in answers[each.id].matches
        if match.label != explain.REFERENCE
    }
    best = dict.fromkeys((each.id for each in needs), 0.0)
    chosen: list[Choice] = []
    while len(chosen) < k:
        left = sorted(set(candidates) - {choice.match.technology.id for choice in chosen})
        totals = {key: _gain(key, needs, gains, best) for key in left}
        winner = min(left, key=lambda key: (-round(totals[key], 6), key), default=None)
        if winner is None or totals[winner] <= 0:
            break
        served = [each for each in needs if (winner, each.id) in gains]
        served.sort(key=lambda each: (-round(gains[winner, each.id].hit.score, 6), each.id))
        chosen.append(Choice(gains[winner, served[0].id], tuple(served)))
        for each in served:
            best[each.id] = max(best[each.id], gains[winner, each.id].hit.score)
    return tuple(chosen)


def _gain(
    key: str,
    needs: Sequence[Need],
    gains: Mapping[tuple[str, str], Match],
    best: Mapping[str, float],
) -> float:
    scores = ((gains.get((key, each.id)), best[each.id]) for each in needs)
    return sum(max(0.0, match.hit.score - so_far) for match, so_far in scores if match)
