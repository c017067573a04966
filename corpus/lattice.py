"""All readings of a damaged stretch at once: a lattice of syllables, weighed forward and backward.

A *stretch* is letters and blanks without punctuation. An :class:`Edge` reads some of its characters
as one syllable; blanks inside it are letters that vanished. A path through the lattice reads the
whole stretch; its weight is the product of the probabilities of its syllables after the two before
and of the losses it supposes (Rabiner 1989, with pairs of syllables as states).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import exp, inf, log
from typing import Final, NamedTuple

Pair = tuple[int, int]
_WIDE: Final = -2.5  # ln, for each blank beyond the first that is left between two words
_KEEP: Final = 24  # states kept at one place


class Edge(NamedTuple):
    """``[start, end)`` of a stretch read as the syllable ``word`` (an id), at ``cost`` (ln)."""

    start: int
    end: int
    word: int
    text: str
    lost: str
    dropped: bool
    cost: float


class _Arc(NamedTuple):
    source: tuple[int, Pair]
    target: tuple[int, Pair]
    gain: float
    edge: Edge


class Reading(NamedTuple):
    """The likeliest path, and the probability of every edge among all paths."""

    path: list[Edge]
    posterior: dict[Edge, float]


def read(
    stretch: str,
    before: Pair,
    after: int | None,
    edges: Callable[[int], list[Edge]],
    logp: Callable[[int, int, int], float],
) -> Reading:
    """Weigh all paths through ``stretch`` between the syllables ``before`` and ``after``.

    ``edges(at)`` gives the readings that start at ``at``, blanks before the word left out.
    """
    forward, arcs, ends = _forward(stretch, before, edges, logp)
    if not ends:
        return Reading([], {})
    last = {end: 0.0 if after is None else logp(*end[1], after) for end in ends}
    backward = dict(last)
    for arc in reversed(arcs):
        if arc.target in backward:
            _add(backward, arc.source, backward[arc.target] + arc.gain)
    total = _sum([forward[end] + last[end] for end in ends])
    posterior: dict[Edge, float] = {}
    for arc in arcs:
        if arc.target in backward:
            mass = exp(min(0.0, forward[arc.source] + arc.gain + backward[arc.target] - total))
            posterior[arc.edge] = posterior.get(arc.edge, 0.0) + mass
    return Reading(_best(arcs, last, (0, before)), posterior)


def _forward(
    stretch: str,
    before: Pair,
    edges: Callable[[int], list[Edge]],
    logp: Callable[[int, int, int], float],
) -> tuple[dict[tuple[int, Pair], float], list[_Arc], list[tuple[int, Pair]]]:
    """Return the forward sums by place and state, the arcs in order, and the final states."""
    forward: dict[tuple[int, Pair], float] = {(0, before): 0.0}
    at: dict[int, list[tuple[int, Pair]]] = {0: [(0, before)]}
    arcs: list[_Arc] = []
    for place in range(len(stretch)):
        states = sorted(at.get(place, ()), key=lambda node: (-forward[node], node))[:_KEEP]
        if not states:
            continue
        for start, gap in _starts(stretch, place):
            for edge in edges(start):
                for node in states:
                    a, b = node[1]
                    gain = gap + edge.cost + logp(a, b, edge.word)
                    target = (edge.end, (b, edge.word))
                    if target not in forward:
                        at.setdefault(edge.end, []).append(target)
                    _add(forward, target, forward[node] + gain)
                    arcs.append(_Arc(node, target, gain, edge))
    tail = len(stretch.rstrip())
    ends = [node for place, nodes in at.items() if place >= tail and place for node in nodes]
    return forward, arcs, ends


def _starts(stretch: str, place: int) -> Iterator[tuple[int, float]]:
    """Yield where the next word may start after one that ends at ``place``, with what it costs."""
    end = place
    while end < len(stretch) and stretch[end].isspace():
        end += 1
    if end == len(stretch) and place:
        if place < end - 1:  # a lone lost letter before the end of the line
            yield end - 1, 0.0
        return
    broken = "\n" in stretch[place:end]
    for start in range(max(place + (place > 0), end - 2), end + 1):
        wide = 0 if broken or not place else max(0, start - place - 1)
        yield start, wide * _WIDE


def _best(
    arcs: list[_Arc], last: dict[tuple[int, Pair], float], first: tuple[int, Pair]
) -> list[Edge]:
    score: dict[tuple[int, Pair], float] = {first: 0.0}
    came: dict[tuple[int, Pair], _Arc] = {}
    for arc in arcs:
        if arc.source in score:
            value = score[arc.source] + arc.gain
            if value > score.get(arc.target, -inf):
                score[arc.target], came[arc.target] = value, arc
    node = max(last, key=lambda end: (score.get(end, -inf) + last[end], end))
    path: list[Edge] = []
    while node in came:
        path.append(came[node].edge)
        node = came[node].source
    return path[::-1]


def _add(sums: dict[tuple[int, Pair], float], node: tuple[int, Pair], value: float) -> None:
    old = sums.get(node)
    sums[node] = value if old is None else _sum([old, value])


def _sum(logs: list[float]) -> float:
    top = max(logs)
    return top + log(sum(exp(each - top) for each in logs))
