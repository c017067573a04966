"""Rounds of gathering needs: opened, more bodies asked, answers that came without a form.

A form that is loaded marks its body by itself (:func:`service.filled_forms.note_answers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from corpus.gathering import Round, answers
from corpus.records import Need
from service.asked_lists import Body
from service.contract import ApiError
from service.desk_base import Work, changed, invalid, made, told, unknown
from service.roles import WRITE_NEEDS

ROUND_PREFIX = "DTT"
GATHERING = "thu thập nhu cầu"


class Gathering(Work):
    """What a person does with rounds of gathering needs."""

    def rounds(self) -> tuple[Round, ...]:
        """Return all rounds, the latest deadline first."""
        self._must(WRITE_NEEDS, GATHERING)
        with told():
            found = self.store.all(Round)
        return tuple(sorted(found, key=lambda each: (-each.deadline.toordinal(), each.id)))

    def round(self, key: str) -> Round:
        """Return one round.

        Raises:
            ApiError: 403, 404.
        """
        self._must(WRITE_NEEDS, GATHERING)
        with told():
            found = self.store.get(Round, key)
        if found is None:
            raise unknown(Round, key)
        return found

    def answered_needs(self, of: Round) -> Mapping[int, int]:
        """Return body number → how many needs it stated."""
        with told():
            found = answers(self.store.hashes(Need.kind_name), of.id)
        return {number: len(codes) for number, codes in found.items()}

    def open_round(self, bodies: Iterable[Body], key: str | None = None, **facts: Any) -> Round:
        """Open a round and ask ``bodies``; without ``key`` it gets the next id.

        Raises:
            ApiError: 403, 409 there is one of that id, 422.
        """
        self._must(WRITE_NEEDS, GATHERING)
        with self._writing() as writing:
            key = key or writing.next_id(Round, ROUND_PREFIX)
            if writing.get(Round, key) is not None:
                raise ApiError(409, "exists", f"đã có đợt thu thập mã {key!r}")
            asked = _numbered(bodies, 1)
            return writing.edit(made(Round, {**facts, "id": key, "asked": asked}), None)

    def ask_more(self, key: str, expected: str, bodies: Iterable[Body]) -> Round:
        """Ask more bodies in a round that was opened before.

        Raises:
            ApiError: 403, 404, 412 somebody changed the round, 422 nobody, or one asked before.
        """
        found = self.round(key)
        asked = _numbered(bodies, 1 + max((each.number for each in found.asked), default=0))
        if not asked:
            raise invalid("chưa ghi đơn vị nào")
        return self._edit(changed(found, {"asked": [*found.asked, *asked]}), expected)

    def mark_answered(self, key: str, expected: str, number: int, note: str | None) -> Round:
        """Mark a body as having answered, otherwise than by a form; ``note`` says how.

        Raises:
            ApiError: 403, 404, 412, 422.
        """
        told = {"answered": self.today(), "by": self.person.login, "note": note or None}
        return self._mark(key, expected, number, told)

    def unmark(self, key: str, expected: str, number: int) -> Round:
        """Take back that a body was marked by hand; a form that was loaded is not taken back.

        Raises:
            ApiError: 403, 404, 412, 422 it was not marked by hand.
        """
        body = self.round(key).body(number)
        if body is not None and body.by is None:
            raise invalid(f"{body.name}: không phải đánh dấu bằng tay nên không bỏ được")
        return self._mark(key, expected, number, {"answered": None, "by": None, "note": None})

    def _mark(self, key: str, expected: str, number: int, facts: Mapping[str, Any]) -> Round:
        found = self.round(key)
        body = found.body(number)
        if body is None:
            raise invalid(f"đợt {key} không hỏi đơn vị nào mang số {number}")
        asked = [{**each.model_dump(), **facts} if each is body else each for each in found.asked]
        return self._edit(changed(found, {"asked": asked}), expected)

    def _edit(self, after: Round, expected: str) -> Round:
        with self._writing() as writing:
            return writing.edit(after, expected)


def _numbered(bodies: Iterable[Body], first: int) -> list[Mapping[str, Any]]:
    return [{"number": number, **each._asdict()} for number, each in enumerate(bodies, first)]
