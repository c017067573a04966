"""Two records of one thing made into one that says all that both say.

What the kept record states stands; what it leaves out is taken from the other; lists are united;
where both state something else, the other's word is kept in a column of its own, named after the
record it comes from. So nothing is lost, and whoever reads the one record sees every source.
"""

from __future__ import annotations

from typing import Any, TypeVar

from corpus.record import ABOUT
from corpus.records import Record, Technology
from corpus.text import squeeze

MERGED_FROM = "Gộp từ"
MERGED_INTO = "Đã gộp vào"
# Facts that belong together: half of a price from each of two sources is no price.
_TOGETHER = (("cost_from", "cost_to"), ("acceptance_no", "acceptance_date"))
_OWN = frozenset({*ABOUT, "id", "extra", "illustrative", "restricted", "status"})
R = TypeVar("R", bound=Record)


def combined(kept: R, gone: R) -> R:
    """Return ``kept`` with all that ``gone`` adds to it.

    A part of ``gone`` that is under NDA stays under NDA where it is taken over; where ``kept``
    states that part itself, the hidden one is not copied into a column that everybody reads.
    """
    hidden = frozenset(gone.restricted) if isinstance(gone, Technology) else frozenset[str]()
    facts = kept.model_dump()
    theirs = gone.model_dump()
    extra, filled = dict(kept.extra), set[str]()
    for names in _groups(type(kept)):
        if all(facts[name] in (None, "", ()) for name in names):
            facts |= {name: theirs[name] for name in names}
            filled.update(name for name in names if theirs[name] not in (None, "", ()))
            continue
        for name in names:
            if isinstance(facts[name], tuple):
                facts[name] = _united(facts[name], theirs[name])
            elif _other(facts[name], theirs[name]) and name not in hidden:
                heading = f"{type(kept).model_fields[name].title} (theo {gone.key})"
                extra[heading] = _text(theirs[name])
    facts["extra"] = {**gone.extra, **extra, MERGED_FROM: _sources(kept, gone)}
    facts["inferred"] = tuple(name for name in kept.inferred if name not in filled)
    facts["source"] = "; ".join(dict.fromkeys(filter(None, (kept.source, gone.source)))) or None
    facts["illustrative"] = kept.illustrative or gone.illustrative
    if isinstance(kept, Technology):
        facts["restricted"] = tuple(dict.fromkeys((*kept.restricted, *sorted(hidden & filled))))
    return type(kept).model_validate(facts)


def _groups(kind: type[Record]) -> list[tuple[str, ...]]:
    together = {name for group in _TOGETHER for name in group}
    alone = [(n,) for n in kind.model_fields if n not in _OWN and n not in together]
    return [*alone, *(group for group in _TOGETHER if group[0] in kind.model_fields)]


def _united(mine: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    found = {squeeze(each): each for each in reversed((*mine, *theirs))}
    return tuple(dict.fromkeys(found[squeeze(each)] for each in (*mine, *theirs)))


def _other(mine: Any, theirs: Any) -> bool:
    if theirs in (None, "", ()):
        return False
    return squeeze(_text(mine)) != squeeze(_text(theirs))


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sources(kept: Record, gone: Record) -> str:
    told = f"{gone.key} (nguồn: {gone.source})" if gone.source else gone.key
    before = kept.extra.get(MERGED_FROM)
    return f"{before}; {told}" if before else told
