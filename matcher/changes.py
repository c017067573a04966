"""What changed between two runs, need by need, and why: nothing in a yearly list moves unexplained.

Reasons are looked for where they would show: in the need itself, in the records that answered it
then or now, and, only where none of these changed, in what all answers share (model, tables,
encoder, statistics of the supply, the day).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corpus.record import ABOUT
from matcher.run_files import LEVELS
from matcher.yearly import Pair, Run

NEW, GONE, BETTER, WORSE, OTHER = (
    "nhu cầu mới", "nhu cầu không còn", "tốt lên", "kém đi", "đổi công nghệ đứng đầu",
)  # fmt: skip
KINDS = (WORSE, BETTER, NEW, GONE, OTHER)
SHARED = (  # of what all answers share, in the order in which it is named
    ("model", "mô hình xếp hạng thay đổi"),
    ("tables", "bảng từ vựng thay đổi"),
    ("packages", "phiên bản chương trình thay đổi"),
)
NAMED = 3  # records named for one reason


@dataclass(frozen=True)
class Change:
    """What became of one need."""

    need: str
    kind: str
    before: str  # level, or "" where it was not there
    after: str
    reasons: tuple[str, ...]


def changes(before: Run, after: Run) -> tuple[Change, ...]:
    """Return what changed from ``before`` to ``after``: what got worse first, ties by need."""
    found = (_change(before, after, key) for key in sorted({*before.needs, *after.needs}))
    told = [each for each in found if each is not None]
    return tuple(sorted(told, key=lambda each: (KINDS.index(each.kind), each.need)))


def _change(before: Run, after: Run, key: str) -> Change | None:
    old, new = before.needs.get(key), after.needs.get(key)
    if old is None or new is None:
        if new is not None:
            return Change(key, NEW, "", new.level, ("nhu cầu chưa có trong đợt trước",))
        assert old is not None
        return Change(key, GONE, old.level, "", ("nhu cầu đã rút hoặc không còn trong dữ liệu",))
    step = LEVELS.index(new.level) - LEVELS.index(old.level)
    first = _best(before, key) != _best(after, key)
    if not step and not first:
        return None
    kind = (BETTER if step < 0 else WORSE) if step else OTHER
    return Change(key, kind, old.level, new.level, tuple(reasons(before, after, key)))


def reasons(before: Run, after: Run, key: str) -> Iterator[str]:
    """Yield why the answer to one need is another; at least one reason."""
    told = [*_of_need(before, after, key), *_lost(before, after, key), *_gained(before, after, key)]
    yield from told or [_shared(before, after)]


def _of_need(before: Run, after: Run, key: str) -> Iterator[str]:
    old, new = before.needs[key], after.needs[key]
    if old.asked != new.asked:
        same = old.need.text == new.need.text
        yield "sản phẩm hoặc điều kiện của nhu cầu đã sửa" if same else "nhu cầu đã sửa lời"


def _lost(before: Run, after: Run, key: str) -> Iterator[str]:
    """Why what answered then does so no more."""
    now = {each.technology: each for each in after.pairs[key]}
    there = after.technologies
    for each in [pair for pair in before.pairs[key] if pair.good][:NAMED]:
        pair = now.get(each.technology)
        if each.technology not in there:
            yield f"{each.technology} không còn trong cơ sở dữ liệu"
        elif pair is not None and pair.apart:
            yield f"{each.technology} nay không đạt: {'; '.join(b.reason for b in pair.breaches)}"
        elif _edited(before, after, each.technology) and (pair is None or pair.label != each.label):
            yield f"{each.technology} đã sửa bản ghi"


def _gained(before: Run, after: Run, key: str) -> Iterator[str]:
    """Why what answers now did not do so then."""
    then = {each.technology: each for each in before.pairs[key]}
    for each in [pair for pair in after.pairs[key] if pair.good][:NAMED]:
        pair = then.get(each.technology)
        if each.technology not in before.technologies:
            yield f"{each.technology} mới có trong cơ sở dữ liệu"
        elif _edited(before, after, each.technology) and (pair is None or pair.label != each.label):
            yield f"{each.technology} đã sửa bản ghi"


def _edited(before: Run, after: Run, technology: str) -> bool:
    ignored = set(ABOUT)
    old, new = before.technologies.get(technology), after.technologies.get(technology)
    if old is None or new is None:
        return False
    return old.model_dump(exclude=ignored) != new.model_dump(exclude=ignored)


def _shared(before: Run, after: Run) -> str:
    """What all answers share, where nothing of the need's own changed."""
    then, now = before.facts["made_from"], after.facts["made_from"]
    for name, told in SHARED:
        if then[name] != now[name]:
            return told
    if then["settings"]["encoder"] != now["settings"]["encoder"]:
        return "bộ mã hóa ngữ nghĩa thay đổi"
    if then["settings"]["k"] != now["settings"]["k"]:
        return "số công nghệ nêu cho mỗi nhu cầu thay đổi"
    if _corpus(then) != _corpus(now):
        return "kho công nghệ thay đổi làm thống kê của chỉ mục, và điểm của mọi bản ghi, thay đổi"
    return "ngày xét hiệu lực thay đổi"


def _corpus(made_from: Mapping[str, Mapping[str, object]]) -> object:
    return made_from["index"].get("corpus")


def _best(run: Run, key: str) -> str | None:
    found: Pair | None = next((each for each in run.pairs[key] if each.good), None)
    return found.technology if found else None
