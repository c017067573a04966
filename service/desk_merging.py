"""Merging two records of one thing, undoing it, and saying that two are not the same.

A merge is one transaction: the kept record says all that both said, the other leaves what is
matched (a need is withdrawn, a technology taken out), and a :class:`corpus.workflow.Merge` holds
both as they were. Undoing puts both back to the byte, unless the kept one has changed since.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from corpus.merging import MERGED_INTO, combined
from corpus.records import KINDS, Need, Record, Technology
from corpus.store import Store, Writing
from corpus.workflow import WITHDRAWN, Apart, Merge
from service.contract import ApiError
from service.desk_base import Work, changed, invalid, made, told, unknown
from service.roles import WRITE_NEEDS

MERGE_PREFIX = "GOP"
MERGING = "gộp bản ghi"
R = TypeVar("R", bound=Record)
MERGED = (Technology.kind_name, Need.kind_name)


class Merging(Work):
    """What a person does with records that tell the same thing."""

    def merge(self, of: str, kept: str, gone: str, kept_tag: str, gone_tag: str) -> Merge:
        """Make ``gone`` part of ``kept``; tags are the content hashes that the person saw.

        Raises:
            ApiError: 403, 404, 412 one has changed since, 422 they are one record.
        """
        self._must(WRITE_NEEDS, MERGING)
        kind = kind_of(of)
        if kept == gone:
            raise invalid("cần hai bản ghi khác nhau")
        with self._writing() as writing:
            mine, theirs = _there(writing, kind, kept), _there(writing, kind, gone)
            writing.unchanged(theirs, gone_tag)
            whole = writing.edit(combined(mine, theirs), kept_tag)
            _take_out(writing, theirs, kept, gone_tag)
            facts = {
                "id": writing.next_id(Merge, MERGE_PREFIX),
                "of": of,
                "kept": kept,
                "gone": gone,
                "kept_before": mine.to_json(),
                "gone_before": theirs.to_json(),
                "kept_after": whole.content_hash(),
                "by": self.person.login,
                "date": self.today(),
            }
            return writing.edit(made(Merge, facts), None)

    def undo_merge(self, key: str) -> Merge:
        """Put both records of a merge back as they were.

        Raises:
            ApiError: 403, 404, 409 the kept record, or the other, has changed since.
        """
        self._must(WRITE_NEEDS, MERGING)
        with self._writing() as writing:
            done = _there(writing, Merge, key)
            kept, gone = done.before()
            now = writing.get(type(kept), done.kept)
            if now is None or now.content_hash() != done.kept_after:
                raise ApiError(409, "changed", _CHANGED.format(done.kept))
            _put_back(writing, done, gone)
            writing.edit(kept, done.kept_after)
            writing.remove(Merge, key, done.content_hash())
            return done

    def keep_apart(self, of: str, one: str, other: str) -> Apart:
        """Remember that two records are not the same; saying it twice changes nothing."""
        self._must(WRITE_NEEDS, MERGING)
        kind = kind_of(of)
        if one == other:
            raise invalid("cần hai bản ghi khác nhau")
        low, high = sorted((one, other))
        with self._writing() as writing:
            for each in (low, high):
                _there(writing, kind, each)
            facts = {"of": of, "one": low, "other": high}
            said = made(Apart, {**facts, "by": self.person.login, "date": self.today()})
            return writing.get(Apart, said.key) or writing.edit(said, None)

    def merges(self) -> tuple[Merge, ...]:
        """Return the merges that stand, newest first."""
        with told():
            return tuple(reversed(self.store.all(Merge)))


_CHANGED = "bản ghi {} đã đổi sau khi gộp: hoàn tác những lần gộp sau trước, hoặc sửa tay"


def kind_of(of: str) -> type[Record]:
    """Return the kind of records called ``of``.

    Raises:
        ApiError: 422, records of that kind are not merged.
    """
    if of not in MERGED:
        raise invalid(f"chỉ gộp được: {', '.join(MERGED)}")
    return KINDS[of]


def _there(writing: Writing, kind: type[R], key: str) -> R:
    found = writing.get(kind, key)
    if found is None:
        raise unknown(kind, key)
    return found


def _take_out(writing: Writing, gone: Record, kept: str, tag: str) -> None:
    """Take a record out of what is matched: needs stay readable, as withdrawn."""
    if isinstance(gone, Need):
        writing.edit(_withdrawn(gone, kept), tag)
    else:
        writing.remove(type(gone), gone.key, tag)


def _withdrawn(gone: Need, kept: str) -> Need:
    return changed(gone, {"status": WITHDRAWN, "extra": {**gone.extra, MERGED_INTO: kept}})


def _put_back(writing: Writing, done: Merge, gone: Record) -> None:
    now = writing.get(type(gone), done.gone)
    left = _withdrawn(gone, done.kept).content_hash() if isinstance(gone, Need) else None
    if (now.content_hash() if now else None) != left:
        raise ApiError(409, "changed", _CHANGED.format(done.gone))
    writing.edit(gone, left)


def led_to(store: Store, of: str, key: str) -> str | None:
    """Return the record that ``key`` was merged into, through all merges; ``None``: into none."""
    into = {each.gone: each.kept for each in store.find(Merge, of=of)}
    found = into.pop(key, None)
    while found in into:  # each at most once: what was merged away may have come back
        found = into.pop(found)
    return found


def merged_hashes(merges: Iterable[Merge], of: str) -> dict[str, str]:
    """Return id → content hash of what merged records were read as: loading it again is no news."""
    found: dict[str, str] = {}
    for done in merges:
        if done.of == of:
            for each in done.before():
                found.setdefault(each.key, each.content_hash())
    return found
