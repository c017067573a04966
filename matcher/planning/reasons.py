"""Why each line is in or out, which rule binds, and what would bring it in.

The reasons are read off prices: what one more unit of each rule's bound would be worth. A line that
is worth less than what it would use of what is short stays out; the difference is its ``margin``,
and the dearest of the rules it would use up is the one that binds. Prices are those of the
programme in which lines may be taken in part: near the edge of the list, margins are estimates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matcher.planning.candidates import Candidate
from matcher.planning.rows import Programme
from matcher.planning.rules import Override, Rules, amount
from matcher.planning.solve import Prices, Solution

SHORT = 1e-7  # worth; a price below it is rounding
TOLD = 2  # rules named for a line


@dataclass(frozen=True)
class Line:
    """One candidate with what became of it.

    ``margin`` is its worth less the price of what it uses (in worth): how safely it is in, or how
    far it is from coming in. ``binding``: the words of the rules that keep it out, dearest first.
    """

    candidate: Candidate
    funded: bool
    why: str
    margin: float
    binding: tuple[str, ...] = ()
    would: str = ""
    override: Override | None = None

    @property
    def forbidden(self) -> bool:
        """Whether a person's word keeps it out."""
        return self.override is not None and not self.override.pinned


def lines(asked: Programme, solution: Solution, prices: Prices, rules: Rules) -> list[Line]:
    """Return what became of every line of ``asked``, in their order."""
    said = {each.id: each for each in rules.overrides}
    taken = _takers(asked, solution)
    used = _used(asked, prices)
    found = []
    for column, line in enumerate(asked.lines):
        override = said.get(line.id)
        funded, margin = bool(solution.chosen[column]), float(prices.columns[column])
        rival = next(((need, taken[need].id) for need in line.needs if need in taken), None)
        binding = tuple(words for words, _ in used[column][:TOLD])
        if override is not None:
            found.append(Line(line, funded, override.words, margin, override=override))
        elif funded:
            found.append(Line(line, True, _in(line, margin), margin))
        else:
            why, would = _out(binding), _would(line, margin, used[column])
            if rival is not None:
                why, would = f"nhu cầu {rival[0]} đã có {rival[1]}", f"vào khi {rival[1]} rút"
            found.append(Line(line, False, why, margin, binding, would))
    return found


def _takers(asked: Programme, solution: Solution) -> dict[str, Candidate]:
    """Need → the first chosen line that serves it."""
    taken: dict[str, Candidate] = {}
    for column, line in enumerate(asked.lines):
        if solution.chosen[column]:
            for need in line.needs:
                taken.setdefault(need, line)
    return taken


def _used(asked: Programme, prices: Prices) -> list[list[tuple[str, float]]]:
    """For each line, the rules that it would use up: words and cost in worth, dearest first."""
    used: list[list[tuple[str, float]]] = [[] for _ in asked.lines]
    for row, price in zip(asked.rows, prices.rows, strict=True):
        for column, entry in row.entries.items():
            if column < len(used) and price * entry > SHORT:
                used[column].append((row.words, float(price * entry)))
    return [sorted(each, key=lambda pair: (-pair[1], pair[0])) for each in used]


def _in(line: Candidate, margin: float) -> str:
    if line.carried_over:
        return "nhiệm vụ chuyển tiếp, bố trí trước"
    if margin > SHORT:
        return "giá trị lớn hơn phần kinh phí, hạn mức phải dùng"
    return "nằm ở ranh giới: có nó thì danh sách vừa đủ ngân sách và hạn mức"


def _out(binding: Sequence[str]) -> str:
    if binding:
        return f"đáng giá ít hơn các dòng được chọn khi đã vướng: {'; '.join(binding)}"
    return "các dòng được chọn dùng hết phần còn lại"


def _would(line: Candidate, margin: float, used: Sequence[tuple[str, float]]) -> str:
    """What would bring a line in, as far as prices tell; more worth, or less money."""
    short = -margin
    if short <= SHORT:
        return "vào ngay khi có thêm kinh phí hoặc một dòng khác rút"
    return "; ".join(_ways(line, short, used))


def _ways(line: Candidate, short: float, used: Sequence[tuple[str, float]]) -> Iterator[str]:
    if line.score > SHORT:
        yield f"điểm tăng khoảng {amount(100 * short / line.score)} %"
    money = sum(cost for words, cost in used if words.startswith("NSNN năm"))
    if money > short:
        yield f"hoặc NSNN giảm khoảng {amount(100 * short / money)} %"
