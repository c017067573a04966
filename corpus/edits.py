"""Edits of a text, one upon another, that stay reversible to the character.

A :class:`Draft` takes the edits of one step after another and keeps, for the text as it now is,
what stood in the original: an edit of what an earlier step wrote becomes one change with both
reasons. From the mended text and the changes, :func:`restore` gives the original back.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Edit(NamedTuple):
    """``[start, end)`` of a text is to become ``after``; why, and how sure that is (0–1)."""

    start: int
    end: int
    after: str
    reason: str
    confidence: float = 1.0


class Change(NamedTuple):
    """What was (or, if not ``applied``, could be) mended at ``[start, end)`` of the original."""

    start: int
    end: int
    line: int
    column: int
    before: str
    after: str
    reason: str
    confidence: float
    applied: bool

    def to_json(self) -> dict[str, Any]:
        """Return the change as JSON has it; the confidence to four places."""
        return {**self._asdict(), "confidence": round(self.confidence, 4)}


class _Piece(NamedTuple):
    """``[start, end)`` of the draft stands for ``[was, was_end)`` of the original."""

    start: int
    end: int
    was: int
    was_end: int
    reason: str
    confidence: float


class Draft:
    """A text under repair: ``text`` is how it stands, ``original`` how it came."""

    def __init__(self, original: str) -> None:
        """Start with no change."""
        self.original = self.text = original
        self._pieces: list[_Piece] = []
        self._offers: list[_Piece] = []
        self._offered: list[str] = []

    def apply(self, edits: Sequence[Edit], threshold: float) -> None:
        """Make the edits that are sure enough, in order and without overlap; keep the others."""
        for edit in edits:
            if edit.confidence < threshold:
                was, was_end = self._was(edit.start), self._was(edit.end, end=True)
                self._offers.append(_Piece(0, 0, was, was_end, edit.reason, edit.confidence))
                self._offered.append(edit.after)
        sure = [edit for edit in edits if edit.confidence >= threshold]
        if sure:
            self._rewrite(sure)

    def _rewrite(self, edits: list[Edit]) -> None:
        parts: list[str] = []
        pieces: list[_Piece] = []
        old, at, length = list(self._pieces), 0, 0
        queue = 0
        for edit in edits:
            while (
                queue < len(old) and old[queue].end <= edit.start and old[queue].start < edit.start
            ):
                pieces.append(_moved(old[queue], length + old[queue].start - at))
                queue += 1
            touched = []
            while queue < len(old) and (
                old[queue].start < max(edit.end, edit.start + 1)
                or old[queue].start == old[queue].end == edit.end  # taken out right there
            ):
                touched.append(old[queue])
                queue += 1
            start = min([edit.start, *(piece.start for piece in touched)])
            end = max([edit.end, *(piece.end for piece in touched)])
            after = self.text[start : edit.start] + edit.after + self.text[edit.end : end]
            parts += [self.text[at:start], after]
            length += start - at
            reasons = dict.fromkeys([*(piece.reason for piece in touched), edit.reason])
            sure = min([edit.confidence, *(piece.confidence for piece in touched)])
            pieces.append(
                _Piece(length, length + len(after), self._was(start), self._was(end, end=True),
                       " + ".join(reasons), sure)
            )  # fmt: skip
            length, at = length + len(after), end
        pieces += [_moved(piece, length + piece.start - at) for piece in old[queue:]]
        self.text = "".join([*parts, self.text[at:]])
        self._pieces = pieces

    def _was(self, place: int, *, end: bool = False) -> int:
        """Return the place in the original of a place in the draft."""
        side = bisect_right if end else bisect_left
        at = side(self._pieces, place, key=lambda piece: piece.start)
        if not end and at < len(self._pieces) and self._pieces[at].start == place:
            return self._pieces[at].was
        if at == 0:
            return place
        piece = self._pieces[at - 1]
        if place < piece.end:
            return piece.was_end if end and place > piece.start else piece.was
        return piece.was_end + place - piece.end

    def changes(self) -> tuple[Change, ...]:
        """Return all changes by place, those that were only offered among them."""
        lines = [0, *(at + 1 for at, letter in enumerate(self.original) if letter == "\n")]
        made = [(piece, self.text[piece.start : piece.end], True) for piece in self._pieces]
        offered = [
            (piece, after, False) for piece, after in zip(self._offers, self._offered, strict=True)
        ]
        found = []
        for piece, after, applied in (*made, *offered):
            line = bisect_right(lines, piece.was)
            before = self.original[piece.was : piece.was_end]
            found.append(
                Change(piece.was, piece.was_end, line, piece.was - lines[line - 1] + 1, before,
                       after, piece.reason, piece.confidence, applied)
            )  # fmt: skip
        return tuple(sorted(found, key=lambda each: (each.start, each.end, not each.applied)))


def _moved(piece: _Piece, start: int) -> _Piece:
    return piece._replace(start=start, end=start + piece.end - piece.start)


def restore(text: str, changes: Iterable[Change]) -> str:
    """Return the original of a mended ``text``."""
    parts, at, shift = [], 0, 0
    for change in changes:
        if change.applied:
            start = change.start + shift
            parts += [text[at:start], change.before]
            at = start + len(change.after)
            shift += len(change.after) - (change.end - change.start)
    return "".join([*parts, text[at:]])
