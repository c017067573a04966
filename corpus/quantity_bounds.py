"""Words beside a number that make it a bound: "dưới 500 triệu", "từ 2 tỷ trở lên", "khoảng 3 tấn".

Apart from the numbers because what is compared between records is the number that was written; the
bound is for those who ask what is admitted.
"""

from __future__ import annotations

import re
from typing import Literal

Bound = Literal["", "at most", "at least", "about"]
_BEFORE: dict[Bound, re.Pattern[str]] = {
    "at most": re.compile(
        r"(?:(?<!không )dưới|không (?:vượt )?quá|tối đa|nhiều nhất|cao nhất"
        r"|(?<!không )(?:nhỏ|ít|thấp) hơn|chưa (?:đến|tới)|lên (?:đến|tới)|≤|<=?)(?: là)?\s*$",
        re.IGNORECASE,
    ),
    "at least": re.compile(
        r"(?:không (?:dưới|ít hơn|nhỏ hơn)|trên|hơn|ít nhất|thấp nhất|tối thiểu|≥|>=?)(?: là)?\s*$",
        re.IGNORECASE,
    ),
    "about": re.compile(r"(?:khoảng|chừng|gần|xấp xỉ|ước(?: tính| đạt)?|~|≈)\s*$", re.IGNORECASE),
}
_UPWARDS = re.compile(r"\s*(?:trở|đổ) lên", re.IGNORECASE)
_DOWNWARDS = re.compile(r"\s*(?:(?:trở|đổ) xuống|đổ lại)", re.IGNORECASE)


def bound(text: str, start: int, end: int) -> Bound:
    """Return what the words before and after ``[start, end)`` make of the number there."""
    if _UPWARDS.match(text, end):
        return "at least"
    if _DOWNWARDS.match(text, end):
        return "at most"
    before = text[max(0, start - 24) : start]
    return next((name for name, words in _BEFORE.items() if words.search(before)), "")


def is_bound(words: str) -> bool:
    """Whether ``words`` are such words and nothing else."""
    return any(each.fullmatch(words) for each in _BEFORE.values())
