"""Which filling is taken: the readings of a place, what a judge says of them, and names apart.

The lattice knows two syllables to the left and one to the right. A :class:`Judge` that reads the
whole sentence may weigh the words that fit one place against each other; it is handed in from
above, so that this package needs no encoder. In the name of a person no context tells one given
name from another: such a filling is offered and not made, unless the name has been met.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from math import exp, log
from typing import Final, NamedTuple

from corpus.lattice import Edge, Reading
from corpus.suspects import Window

NAMED: Final = 0.5  # the most that a guess within a person's name is believed
_AROUND: Final = 160  # characters shown to a judge on either side
_RIVAL: Final = 0.001  # a word less likely than this is no rival
_RIVALS: Final = 4
_WEIGHT: Final = 1.0  # of the judge, beside the lattice; fitted on texts to develop with
_BEFORE_NAME: Final = re.compile(r"(?:[^\W\d_]+ ){1,3}$")
_SURNAMES: Final = """
Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đào Đoàn Vương Trịnh
Trương Đinh Lâm Phùng Mai Tô Hà Tạ Lưu Lương Thái Châu Cao Thạch Quách Tống Kiều Chu Triệu Doãn
La Nông Hứa Giàng Vi Quàng Lò Sầm Đàm Nghiêm Khuất Tăng Từ
"""
_SURNAME: Final = frozenset(_SURNAMES.split())


class Choice(NamedTuple):
    """One place: the mended text before it, the words that may stand there, the text after it."""

    before: str
    words: tuple[str, ...]
    after: str


Judge = Callable[[Sequence[Choice]], Sequence[Sequence[float]]]  # ln, for each word of each choice

Met = Callable[[Sequence[str]], bool]  # whether two or three words have been counted together


class Filling(NamedTuple):
    """``[start, end)`` of a text reads ``after``, with the confidence (0–1) in that."""

    start: int
    end: int
    after: str
    confidence: float


class _Place(NamedTuple):
    """A lost syllable on the likeliest path: where it is, and word → posterior, likeliest first."""

    start: int
    end: int
    words: dict[str, float]


def fillings(
    text: str,
    found: Sequence[Window],
    readings: Sequence[Reading],
    power: float,
    judge: Judge | None,
    met: Met,
) -> list[Filling]:
    """Return the likeliest filling of each place; the confidence is its posterior to ``power``."""
    places = [
        _place(window.start, edge, reading)
        for window, reading in zip(found, readings, strict=True)
        for edge in reading.path
        if edge.lost
    ]
    if judge is not None:
        places = _judged(text, places, judge)
    taken = [
        Filling(place.start, place.end, word, p**power)
        for place in places
        for word, p in [max(place.words.items(), key=lambda each: each[1])]
    ]
    return [_unless_named(text, each, met) for each in taken]


def _place(offset: int, edge: Edge, reading: Reading) -> _Place:
    """Gather what stands at the place of ``edge``; its own word is first."""
    words = {edge.text: reading.posterior[edge]}
    for other, mass in sorted(reading.posterior.items(), key=lambda each: (-each[1], each[0])):
        if (other.start, other.end) == (edge.start, edge.end) and other.lost and other != edge:
            words[other.text] = words.get(other.text, 0.0) + mass
    return _Place(offset + edge.start, offset + edge.end, words)


def _judged(text: str, places: Sequence[_Place], judge: Judge) -> list[_Place]:
    """Return the places with the posteriors of rivals weighed anew; their sum stays."""
    doubtful = {at: rivals for at, each in enumerate(places) if len(rivals := _rivals(each)) > 1}
    around = dict(_around(text, places, doubtful))
    heard = judge([Choice(around[at][0], words, around[at][1]) for at, words in doubtful.items()])
    weighed = list(places)
    for (at, words), said in zip(doubtful.items(), heard, strict=True):
        old = places[at].words
        logs = [log(old[w]) + _WEIGHT * gain for w, gain in zip(words, said, strict=True)]
        top = max(logs)
        shares = [exp(each - top) for each in logs]
        scale = sum(old[word] for word in words) / sum(shares)
        anew = {word: share * scale for word, share in zip(words, shares, strict=True)}
        weighed[at] = places[at]._replace(words=anew)
    return weighed


def _rivals(place: _Place) -> tuple[str, ...]:
    likely = sorted(place.words, key=lambda word: (-place.words[word], word))
    return tuple(word for word in likely[:_RIVALS] if place.words[word] > _RIVAL)


def _around(
    text: str, places: Sequence[_Place], wanted: dict[int, tuple[str, ...]]
) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield for the ``wanted`` places the text on both sides, the other places filled."""
    pieces, starts, length, at = [], [], 0, 0
    for place in places:
        for piece in (text[at : place.start], next(iter(place.words))):
            starts.append(length)
            pieces.append(piece)
            length += len(piece)
        at = place.end
    whole = "".join([*pieces, text[at:]])
    for number in wanted:
        start = starts[2 * number + 1]
        end = start + len(pieces[2 * number + 1])
        yield number, (whole[max(0, start - _AROUND) : start], whole[end : end + _AROUND])


def _unless_named(text: str, filling: Filling, met: Met) -> Filling:
    """Believe a filling less where a surname and capitals before it make it part of a name."""
    lead = _BEFORE_NAME.search(text, max(0, filling.start - 24), filling.start)
    words = lead[0].split() if lead and filling.after.istitle() else []
    while words and not (words[0] in _SURNAME and all(each.istitle() for each in words)):
        words = words[1:]
    if not words or met([*words, filling.after]):
        return filling
    return filling._replace(confidence=min(filling.confidence, NAMED))
