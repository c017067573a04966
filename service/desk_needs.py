"""Needs as people state, change and withdraw them; supply that is taken back; kept searches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from corpus.record import ABOUT
from corpus.records import Need, Product, Record, Technology
from corpus.store import Change
from corpus.workflow import MAX_SEEN, WITHDRAWN, SavedSearch, withdrawn
from service.contract import ApiError
from service.desk_base import (
    Work,
    changed,
    invalid,
    made,
    must_exist,
    told,
    unknown,
)
from service.roles import WRITE_NEEDS

NEED_PREFIX, SEARCH_PREFIX = "NC", "TK"
WRITING_NEEDS = "ghi nhu cầu"
REASON = "Lý do rút"  # a column of its own of a withdrawn need
_FIXED = frozenset({*ABOUT, "id", "illustrative", "extra"})


class Needs(Work):
    """What a person does with needs, and with supply that is no longer offered."""

    def need(self, key: str) -> Need:
        """Return one need, also a withdrawn one."""
        with told():
            found = self.store.get(Need, key)
        if found is None:
            raise unknown(Need, key)
        return found

    def need_history(self, key: str) -> tuple[Change, ...]:
        """Return what happened to a need, oldest first."""
        with told():
            found = tuple(self.store.history(Need, key))
        if not found:
            raise unknown(Need, key)
        return found

    def state_need(self, product: str, text: str, **facts: Any) -> Need:
        """Record a need of a product; ``facts`` are other fields of :class:`Need`."""
        self._must(WRITE_NEEDS, WRITING_NEEDS)
        _check_fields(facts)
        with self._writing() as writing:
            must_exist(writing, Product, product)
            key = writing.next_id(Need, NEED_PREFIX)
            stated = {"date": self.today(), **facts, "id": key, "product": product, "text": text}
            return writing.edit(made(Need, stated), None)

    def change_need(self, key: str, expected: str, **facts: Any) -> Need:
        """Change fields of a need; ``None`` makes one unknown. What is stated is not inferred."""
        self._must(WRITE_NEEDS, WRITING_NEEDS)
        _check_fields(facts)
        with self._writing() as writing:
            found = writing.get(Need, key)
            if found is None:
                raise unknown(Need, key)
            must_exist(writing, Product, facts.get("product"))
            about = {
                "inferred": [each for each in found.inferred if each not in facts],
                "certainty": {k: v for k, v in found.certainty.items() if k not in facts},
            }
            return writing.edit(changed(found, {**facts, **about}), expected)

    def withdraw_need(self, key: str, expected: str, reason: str | None = None) -> Need:
        """Mark a need as withdrawn: it is matched no more, and stays on lists and in the log."""
        self._must(WRITE_NEEDS, "rút nhu cầu")
        with self._writing() as writing:
            found = writing.get(Need, key)
            if found is None:
                raise unknown(Need, key)
            if withdrawn(found):
                raise ApiError(409, "exists", f"nhu cầu {key} đã rút trước đó")
            extra = {**found.extra, **({REASON: reason} if reason else {})}
            return writing.edit(changed(found, {"status": WITHDRAWN, "extra": extra}), expected)

    def withdraw_technology(self, key: str, expected: str) -> None:
        """Take a technology out of supply; lists on which it stands show it as withdrawn."""
        self._must(WRITE_NEEDS, "rút công nghệ")
        with self._writing() as writing:
            if writing.get(Technology, key) is None:
                raise unknown(Technology, key)
            writing.remove(Technology, key, expected)

    def history(self, kind: type[Record], key: str) -> tuple[Change, ...]:
        """Return what happened to a record, oldest first; bodies are as the store has them.

        Whoever shows them hides what the person may not read (:meth:`Technology.public`).
        """
        with told():
            return tuple(self.store.history(kind, key))


class Searches(Work):
    """Searches that a person keeps for themselves."""

    def searches(self) -> tuple[SavedSearch, ...]:
        """Return the person's searches, by id."""
        with told():
            return tuple(self.store.find(SavedSearch, owner=self.person.login))

    def search(self, key: str) -> SavedSearch:
        """Return one of the person's searches."""
        with told():
            found = self.store.get(SavedSearch, key)
        if found is None or found.owner != self.person.login:
            raise unknown(SavedSearch, key)
        return found

    def save_search(
        self, name: str, query: str, seen: Sequence[str] = (), index_version: str | None = None
    ) -> SavedSearch:
        """Keep a search: the address bar's query string, and the ids that it showed now."""
        with self._writing() as writing:
            facts = {
                "id": writing.next_id(SavedSearch, SEARCH_PREFIX),
                "owner": self.person.login,
                "name": name,
                "query": query,
                "seen": tuple(seen)[:MAX_SEEN],
                "index_version": index_version,
            }
            return writing.edit(made(SavedSearch, facts), None)

    def searched(
        self, key: str, expected: str, seen: Sequence[str], index_version: str | None
    ) -> SavedSearch:
        """Note what a kept search showed now; what it shows beyond that later is new."""
        self.search(key)
        facts = {"seen": tuple(seen)[:MAX_SEEN], "index_version": index_version}
        with self._writing() as writing:
            found = writing.get(SavedSearch, key)
            if found is None:
                raise unknown(SavedSearch, key)
            return writing.edit(changed(found, facts), expected)

    def forget_search(self, key: str, expected: str) -> None:
        """Remove one of the person's searches."""
        self.search(key)
        with self._writing() as writing:
            writing.remove(SavedSearch, key, expected)


def _check_fields(facts: dict[str, Any]) -> None:
    wrong = sorted(name for name in facts if name in _FIXED or name not in Need.model_fields)
    if wrong:
        raise invalid(f"không ghi được: {', '.join(wrong)}")
    if isinstance(facts.get("date"), dt.datetime):
        raise invalid("Ngày: phải là ngày, viết như 2026-11-23")
