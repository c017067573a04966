"""Whether the first results of a search changed since the same person last saw them, and why.

An order that changes without notice costs trust. What a browser showed for its last searches
travels in a signed cookie: short digests of the ids in order, and what they were ranked by. A
filter never changes an order, so every search is compared with itself only: same words, same
conditions, same filters.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from itsdangerous import BadData

from service.pages.asked import Asked
from service.pages.render import signer
from service.workspace import Opened

COOKIE = "cungcau_xem"
SEARCHES = 12  # remembered, the latest ones: a cookie holds 4 kB
RESULTS = 10
DAYS = 60


@dataclass(frozen=True)
class Change:
    """Why an order is not what it was, and which of the results were not there."""

    reasons: tuple[str, ...]
    fresh: frozenset[str]
    gone: int


def look(
    request: Request, answer_ids: Sequence[str], asked: Asked, opened: Opened
) -> tuple[Change | None, str]:
    """Compare with what was seen; return the change, and the cookie that remembers this time."""
    seen = _read(request)
    key, now = _digest(repr(sorted(asked.kept())), 6), _state(answer_ids, opened)
    before = seen.pop(key, None)
    kept = dict(list(seen.items())[-SEARCHES + 1 :])
    cookie = signer(request, "đã xem").dumps({**kept, key: now})
    return _change(before, now, answer_ids), str(cookie)


def remember(request: Request, answer: Response, cookie: str) -> None:
    """Have the browser keep what it was shown."""
    answer.set_cookie(
        COOKIE, cookie, max_age=DAYS * 86_400, path="/", httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def _read(request: Request) -> dict[str, Any]:
    try:
        found = signer(request, "đã xem").loads(request.cookies.get(COOKIE, ""))
    except BadData:
        return {}
    return found if isinstance(found, dict) else {}


def _state(ids: Sequence[str], opened: Opened) -> list[object]:
    manifest, matcher = opened.manifest, opened.matcher
    index = _digest(f"{manifest.store} {manifest.corpus} {manifest.encoder} {manifest.tables}", 6)
    told = "".join(_digest(key, 4) for key in ids[:RESULTS])
    return [told, index, manifest.revision, _digest(matcher.model, 4), matcher.as_of.isoformat()]


def _change(before: Any, now: list[object], ids: Sequence[str]) -> Change | None:
    if not isinstance(before, list) or len(before) != len(now) or before[0] == now[0]:
        return None
    old = {before[0][at : at + 4] for at in range(0, len(before[0]), 4)}
    fresh = frozenset(key for key in ids[:RESULTS] if _digest(key, 4) not in old)
    reasons = []
    if before[1] != now[1]:
        changes = int(str(now[2])) - int(before[2])
        told = f" ({changes:,} thay đổi dữ liệu đã được đưa vào)".replace(",", ".")
        reasons.append("chỉ mục mới" + (told if changes > 0 else ""))
    if before[3] != now[3]:
        reasons.append("mô hình xếp hạng mới")
    if before[4] != now[4]:
        reasons.append("ngày xét hiệu lực đã khác")
    gone = len(old) - (min(len(ids), RESULTS) - len(fresh))
    return Change(tuple(reasons or ("bản ghi đã được sửa",)), fresh, max(0, gone))


def _digest(text: str, letters: int) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()[:letters]
