"""Edits of a text, one upon another, that stay reversible to the character.

A :class:`Draft` takes the edits of one step after another and keeps, for the text as it now is,
what stood in the original: an edit of what an earlier step wrote becomes one change with both
reasons. From the mended text and the changes, :func:`restore` gives the original back.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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


@dataclass
class _Group:
    """Edits that become one piece: their stretch of the draft, and the pieces under them."""

    start: int
    end: int
    first: int  # of the pieces under them, by number
    stop: int
    edits: list[Edit] = field(default_factory=list)


def _before(piece: _Piece, edit: Edit) -> bool:
    return piece.end <= edit.start and piece.start < edit.start


def _touches(piece: _Piece, edit: Edit) -> bool:
    taken_out_right_there = piece.start == piece.end == edit.end
    return piece.start < max(edit.end, edit.start + 1) or taken_out_right_there


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
        old, at, length, queue = self._pieces, 0, 0, 0
        for group in self._groups(edits):
            pieces += [
                _moved(piece, length + piece.start - at) for piece in old[queue : group.first]
            ]
            queue, after = group.stop, self._after(group)
            parts += [self.text[at : group.start], after]
            length += group.start - at
            told = [(each.reason, each.confidence) for each in old[group.first : group.stop]]
            told += [(each.reason, each.confidence) for each in group.edits]
            reasons, sure = dict.fromkeys(each for each, _ in told), min(each for _, each in told)
            was, was_end = self._stretch(group)
            pieces.append(
                _Piece(length, length + len(after), was, was_end, " + ".join(reasons), sure)
            )
            length, at = length + len(after), group.end
        pieces += [_moved(piece, length + piece.start - at) for piece in old[queue:]]
        self.text = "".join([*parts, self.text[at:]])
        self._pieces = pieces

    def _groups(self, edits: Sequence[Edit]) -> list[_Group]:
        """Edits with the pieces that they touch; edits of one piece are one group."""
        groups: list[_Group] = []
        queue, known = 0, self._pieces
        for edit in edits:
            if not groups or edit.start >= groups[-1].end:
                while queue < len(known) and _before(known[queue], edit):
                    queue += 1
                groups.append(_Group(edit.start, edit.end, queue, queue))
            group = groups[-1]
            group.edits.append(edit)
            group.end = max(group.end, edit.end)
            while queue < len(known) and _touches(known[queue], edit):
                group.start = min(group.start, known[queue].start)
                group.end = max(group.end, known[queue].end)
                queue += 1
            group.stop = queue
        return groups

    def _stretch(self, group: _Group) -> tuple[int, int]:
        """Return the stretch of the original that a group stands for.

        By the numbers of pieces, not by places: at one place several may stand that are nothing
        now, and each belongs to one group or to none.
        """
        before = self._pieces[group.first - 1] if group.first else None
        was = before.was_end + group.start - before.end if before else group.start
        at, place = was, group.start
        if group.first < group.stop:
            first, last = self._pieces[group.first], self._pieces[group.stop - 1]
            was = first.was - (first.start - group.start)
            at, place = last.was_end, last.end
        return was, at + group.end - place

    def _after(self, group: _Group) -> str:
        """What a group's stretch becomes."""
        parts, at = [], group.start
        for edit in group.edits:
            parts += [self.text[at : edit.start], edit.after]
            at = edit.end
        return "".join([*parts, self.text[at : group.end]])

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
