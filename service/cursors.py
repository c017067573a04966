"""Where the next page begins: opaque to programs, plain to us.

A page cursor names what its first page was made with: snapshot, model and day. The next page is
the same ranking gone on with, behind the last hit that was returned, so that nothing is listed
twice or left out while records change. When the index or the model is another by then, positions
mean nothing any more: the cursor has expired, and the answer is 410. Nothing in it is secret and
nothing is trusted: a made-up one only names another place to begin.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

from matcher.hits import Key
from matcher.match import FIRST_PAGE
from service.contract import ApiError


@dataclass(frozen=True)
class Made:
    """What a page was made with and for; a cursor holds for nothing else."""

    version: str  # of the index
    model: str
    day: str
    question: str  # digest of text and filters

    @staticmethod
    def digest(question: dict[str, Any]) -> str:
        """Tell one question from another."""
        text = json.dumps(question, sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def encode(made: Made, place: list[Any]) -> str:
    """Return the cursor that goes on from ``place``."""
    body = [made.version, made.model, made.day, made.question, place]
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, made: Made) -> list[Any]:
    """Return where to go on.

    Raises:
        ApiError: 422, it is no cursor or belongs to another question; 410, it has expired.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        body = json.loads(base64.b64decode(padded.encode("ascii"), b"-_", validate=True))
        version, model, day, question, place = body
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise _wrong("không phải con trỏ trang của dịch vụ này") from error
    if question != made.question or not isinstance(place, list):
        raise _wrong("con trỏ trang thuộc về câu hỏi khác")
    if (version, model, day) != (made.version, made.model, made.day):
        raise expired()
    return place


def expired() -> ApiError:
    """What is said where the ranking that a cursor goes on with is another by now."""
    told = "kết quả đã đổi từ trang trước: tìm lại từ trang đầu"
    return ApiError(410, "expired_cursor", told)


@dataclass(frozen=True)
class Place:
    """Where a search goes on: behind which hits of both lists; what its first page said."""

    after: tuple[Key, Key]
    found: bool
    dense: bool  # meaning was searched too

    def plain(self) -> list[Any]:
        """Return it as :meth:`of` reads it; "before all hits" is written as ``null``."""
        after = [None if math.isinf(each[0]) else list(each) for each in self.after]
        return [after, self.found, self.dense]

    @classmethod
    def of(cls, plain: list[Any]) -> Place:
        """Read what :meth:`plain` returned.

        Raises:
            ApiError: 422, it is something else.
        """
        try:
            (first, second), found, dense = plain
            keys = _key(first, 0), _key(second, 1)
        except (ValueError, TypeError, OverflowError) as error:
            raise _wrong("không phải con trỏ trang của dịch vụ này") from error
        return cls(keys, bool(found), bool(dense))


def _key(plain: Any, which: int) -> Key:
    if plain is None:
        return FIRST_PAGE[which]
    total, row = plain
    if not isinstance(row, int) or not math.isfinite(total):
        raise ValueError(plain)
    return float(total), row


def _wrong(message: str) -> ApiError:
    return ApiError(422, "invalid", f"cursor: {message}")
