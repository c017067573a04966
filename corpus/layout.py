"""What a page adds to a text: running headings, page numbers, footnote marks, broken lines.

Each function looks at a text and returns the :class:`Edit`\\ s that would undo one of these. A page
ends where a form feed stands, or where a line holds a lone number and the numbers count up.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from corpus.edits import Edit
from corpus.syllables import LETTERS, VOWELS, inventory

HEADING: Final = "tiêu đề trang"
PAGE: Final = "số trang"
FOOTNOTE: Final = "số chú thích"
HYPHEN: Final = "gạch nối cuối dòng"
BROKEN: Final = "dòng bị ngắt"
_LINE: Final = re.compile(r"[^\n\f]*[\n\f]?")
_NUMBER: Final = re.compile(
    r"[ \t]*[-–—]?[ \t]*(?:Trang )?(\d{1,4})(?:/\d{1,4})?[ \t]*[-–—]?[ \t]*"
)
_LONE_MARK: Final = re.compile(r"(?<=[^\W\d_])[ \t]*\n+(\d{1,3})[ \t]*\n+(?=[.,;:)…]|[^\W\d_])")
_MARK: Final = re.compile(r"(?<![^\W_])([^\W\d_]+)(\d{1,3})(?![\w/.,%-]*\d)(?=[^\w]|$)")
_BREAK: Final = re.compile(r"([^\s])([ \t]*\n\s*)(?=(\S))")
_ITEM: Final = re.compile(r"[-–—+*•▪●○◦·|#>]|\d+(?:\.\d+)*[.)]|\(?(?:\d+|[a-zđ]|[ivx]+)\)|[IVX]+\.")
_SPLIT: Final = re.compile(r"([^\W\d_]+)[-\u00ad\u2010]([ \t]*\n\s*)([^\W\d_]+)")
_SENTENCE_ENDS: Final = ".:;!?…"
_REPEATED: Final = 3  # a running heading stands at least so many times


def page_furniture(text: str) -> list[Edit]:
    """Return edits that take out page numbers and the headings that run over the pages."""
    lines = [match.span() for match in _LINE.finditer(text) if match[0]]
    bodies = [text[start:end].strip() for start, end in lines]
    numbers = _page_numbers(text, lines, bodies)
    headings = _running(bodies, numbers, text, lines)
    edits = []
    for at in sorted({*numbers, *headings}):
        reason = PAGE if at in numbers else HEADING
        edits.append(Edit(*lines[at], "", reason, numbers.get(at) or headings[at]))
    return edits


def _page_numbers(text: str, lines: list[tuple[int, int]], bodies: list[str]) -> dict[int, float]:
    """Return the lines that are page numbers, each with the confidence of that.

    Sure where a page visibly ends, or three numbers or more count up by one over the text.
    """
    found: dict[int, float] = {}
    lone = [(at, int(match[1])) for at, body in enumerate(bodies)
            if body and (match := _NUMBER.fullmatch(body))]  # fmt: skip
    by_number = defaultdict[int, list[int]](list)
    for at, number in lone:
        by_number[number].append(at)
    for at, number in lone:
        start, end = lines[at]
        edge = "\f" in text[max(0, start - 1) : end + 1] or bodies[at].startswith(
            ("-", "–", "Trang")
        )
        neighbours = [
            any((other - at) * step > 3 for other in by_number.get(number + step, ()))
            for step in (-1, 1)
        ]
        twice = any((other - at) * 2 > 6 for other in by_number.get(number + 2, ())) or any(
            (other - at) < -6 for other in by_number.get(number - 2, ())
        )
        if edge:
            found[at] = 0.97
        elif all(neighbours) or (any(neighbours) and twice):
            found[at] = 0.95 if _between_pages(bodies, at) else 0.6
    return found


def _between_pages(bodies: list[str], at: int) -> bool:
    """Whether blank lines surround the number: a footnote's mark stands tight in its sentence."""
    above = at == 0 or not bodies[at - 1]
    below = at + 1 >= len(bodies) or not bodies[at + 1]
    return above and below


def _running(
    bodies: list[str], numbers: dict[int, float], text: str, lines: list[tuple[int, int]]
) -> dict[int, float]:
    """Return the repeated lines at the head or foot of pages."""
    if not numbers and "\f" not in text:
        return {}
    edges: set[int] = set()
    for at, (start, end) in enumerate(lines):
        outer = at in {0, len(lines) - 1}
        if outer or at in numbers or "\f" in text[max(0, start - 1) : end]:
            edges |= set(_near(bodies, at))
    keys = Counter(re.sub(r"\d+", "0", bodies[at]) for at in edges)
    return {
        at: 0.95
        for at in edges
        if at not in numbers
        and len(bodies[at]) > 3
        and keys[re.sub(r"\d+", "0", bodies[at])] >= _REPEATED
    }


def _near(bodies: list[str], at: int) -> Iterator[int]:
    """Yield the line and the next line with text above and below it."""
    yield at
    for step in (-1, 1):
        other, seen = at + step, 0
        while 0 <= other < len(bodies) and seen < 1:
            if bodies[other]:
                seen += 1
                yield other
            other += step


def footnote_marks(text: str) -> list[Edit]:
    """Return edits that take out footnote numbers grown onto words or alone within a sentence.

    Sure only if the numbers count up through the text as footnotes do (1, 2, 3 …).
    """
    marks = [(match.start(1), match.start(), match.end(), int(match[1]), " ")
             for match in _LONE_MARK.finditer(text)]  # fmt: skip
    marks += [
        (match.start(2), match.start(2), match.end(2), int(match[2]), "")
        for match in _MARK.finditer(text)
        if _may_carry(match[1])
    ]
    marks.sort()
    counted = _counting_up([number for _, _, _, number, _ in marks])
    edits = []
    for at, (_, start, end, _, after) in enumerate(marks):
        joined = "" if text[end : end + 1] in ".,;:)…" else after
        edits.append(Edit(start, end, joined, FOOTNOTE, 0.95 if at in counted else 0.5))
    return edits


def _may_carry(word: str) -> bool:
    """Whether a footnote's number may have grown onto ``word``: not ``m2``, ``A1``, ``CO2``."""
    lowered = word.lower()
    marked = any(letter in LETTERS and not letter.isascii() for letter in lowered)
    return lowered in inventory() and (marked or (len(word) > 2 and word[1:].islower()))


def _counting_up(numbers: list[int]) -> set[int]:
    """Return the places of the longest run 1, 2, 3 … (gaps of one allowed), if three or more."""
    best: list[int] = []
    for first, number in enumerate(numbers):
        if number > 2 or (best and first in best):
            continue
        run = [first]
        for at in range(first + 1, len(numbers)):
            if 1 <= numbers[at] - numbers[run[-1]] <= 2:
                run.append(at)
        best = max(best, run, key=len)
    return set(best) if len(best) >= 3 else set()


def hyphens(text: str) -> list[Edit]:
    """Return edits that join words broken by a hyphen at the end of a line."""
    edits = []
    for match in _SPLIT.finditer(text):
        whole = (match[1] + match[3]).lower()
        parts = {match[1].lower(), match[3].lower()}
        one = whole in inventory() and not parts <= inventory()
        hyphen = "" if one else "-"
        edits.append(Edit(match.end(1), match.start(3), hyphen, HYPHEN, 0.97 if one else 0.9))
    return edits


def broken_lines(text: str) -> list[Edit]:
    """Return edits that join the lines of one sentence; items, headings and tables stay apart."""
    lines = [line.rstrip() for line in text.split("\n")]
    lengths = sorted(len(line) for line in lines if line)
    full = 0.7 * lengths[int(0.9 * (len(lengths) - 1))] if lengths else 0
    doubled = sum(1 for line in lines if not line) > 0.4 * len(lines)
    edits, at = [], 0
    for match in _BREAK.finditer(text):
        at = text.rfind("\n", 0, match.start(2)) + 1
        line = text[at : match.start(2)].strip()
        blank = match[2].count("\n") > (2 if doubled else 1)
        if not blank and _goes_on(line, text[match.end() : match.end() + 24], full):
            sure = 0.99 if match[3].islower() else 0.92
            edits.append(Edit(match.start(2), match.end(2), " ", BROKEN, sure))
    return edits


def _goes_on(line: str, following: str, full: float) -> bool:
    """Whether ``following`` continues the sentence of ``line``."""
    if not line or line[-1] in _SENTENCE_ENDS or _ITEM.match(following) or line.count("|") > 1:
        return False
    if line.isupper() != following[:12].isupper() and not following[0].islower():
        return False
    if following[0].islower() and following[0] in VOWELS | LETTERS:
        return len(line) >= min(full, 20)
    return len(line) >= full and (line[-1] == "," or following[0].isalpha() or line[-1].isalpha())
