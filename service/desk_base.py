"""What all work at the desk shares: who does it, when, in one transaction, and how it is refused.

Refusals are :class:`service.contract.ApiError`: 404 ``unknown_id`` for what is not there or not for
these eyes (which of the two is not told), 403 ``not_allowed`` for what may be seen and not changed,
409 ``exists`` or ``handed_over``, 412 ``stale_etag`` (:class:`StaleError`), 422 ``invalid``, 503
``store_unavailable`` with what to do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from corpus.records import Record
from corpus.store import ConflictError, KeyReusedError, Store, StoreError, Writing
from service.contract import ApiError
from service.person import Person
from service.roles import Capability, may

VIETNAM = dt.timezone(dt.timedelta(hours=7))  # the day that people here call today
LONGEST = 20_000  # characters of one text that somebody types
Clock = Callable[[], dt.datetime]
R = TypeVar("R", bound=Record)

TOLD = {  # pydantic's kinds of error, for those who fill in forms
    "missing": "thiếu",
    "extra_forbidden": "không có trường này",
    "string_type": "phải là chữ",
    "string_too_short": "không được để trống",
    "too_short": "không được để trống",
    "string_too_long": "dài quá {max_length} ký tự",
    "string_unicode": "có ký tự không đọc được",
    "too_long": "có quá {max_length} mục",
    "int_type": "phải là số nguyên",
    "int_parsing": "phải là số nguyên",
    "int_from_float": "phải là số nguyên",
    "float_type": "phải là số",
    "float_parsing": "phải là số",
    "finite_number": "phải là số hữu hạn",
    "greater_than_equal": "không được nhỏ hơn {ge}",
    "less_than_equal": "không được lớn hơn {le}",
    "date_type": "phải là ngày, viết như 2026-11-23",
    "date_parsing": "phải là ngày, viết như 2026-11-23",
    "date_from_datetime_parsing": "phải là ngày, viết như 2026-11-23",
    "date_from_datetime_inexact": "phải là ngày, viết như 2026-11-23",
    "enum": "phải là một trong: {expected}",
    "literal_error": "phải là một trong: {expected}",
    "tuple_type": "phải là một dãy",
    "value_error": "{error}",
}


class StaleError(ApiError):
    """412: somebody changed the record since; ``current`` is how it stands now."""

    def __init__(self, message: str, current: Record) -> None:
        super().__init__(412, "stale_etag", message)
        self.current = current


def now() -> dt.datetime:
    """The clock's time, in UTC."""
    return dt.datetime.now(dt.UTC)


class Work:
    """A person with the store before them."""

    def __init__(self, store: Store, person: Person, clock: Clock = now) -> None:
        self.store, self.person, self.clock = store, person, clock

    def today(self) -> dt.date:
        """The day it is in Vietnam."""
        return self.clock().astimezone(VIETNAM).date()

    @contextmanager
    def _writing(self) -> Iterator[Writing]:
        at = self.clock().astimezone(dt.UTC).isoformat(timespec="seconds")
        with told(), self.store.writing(self.person.login, at) as writing:
            yield writing

    def _must(self, capability: Capability, what: str) -> None:
        if not may(self.person, capability):
            raise ApiError(403, "not_allowed", f"tài khoản này không được {what}")


@contextmanager
def told() -> Iterator[None]:
    """Raise what the store or a record's rules refuse as an :class:`ApiError`."""
    try:
        yield
    except ConflictError as error:
        if error.current is None:
            raise ApiError(404, "unknown_id", str(error)) from error
        raise StaleError(str(error), error.current) from error
    except KeyReusedError as error:
        raise ApiError(422, "key_reused", str(error)) from error
    except StoreError as error:
        raise ApiError(503, "store_unavailable", str(error)) from error


def unknown(kind: type[Record], key: str) -> ApiError:
    """Return the refusal of an id that is not there, or not for these eyes."""
    return ApiError(404, "unknown_id", f"không có {kind.label.lower()} mã {key[:100]!r}")


def invalid(message: str) -> ApiError:
    """Return the refusal of what was typed."""
    return ApiError(422, "invalid", message)


def made(kind: type[R], facts: Mapping[str, Any]) -> R:
    """Return the record that ``facts`` state.

    Raises:
        ApiError: 422, they do not; the message names every field and what is wrong with it.
    """
    for field, value in facts.items():
        if isinstance(value, str) and len(value) > LONGEST:
            raise invalid(f"{_title(kind, field)}: dài quá {LONGEST} ký tự")
    try:
        return kind.model_validate(dict(facts))
    except ValidationError as error:
        raise invalid("; ".join(fault(kind, each) for each in error.errors())) from error


def changed(record: R, facts: Mapping[str, Any]) -> R:
    """Return ``record`` with ``facts`` changed, checked like a new one."""
    return made(type(record), {**record.model_dump(), **facts})


def must_exist(writing: Writing, kind: type[R], key: str | None) -> R | None:
    """Return what a reference names, ``None`` for no reference.

    Raises:
        ApiError: 422, there is no such record.
    """
    if key is None:
        return None
    found = writing.get(kind, key)
    if found is None:
        raise invalid(unknown(kind, key).message)
    return found


def _title(kind: type[BaseModel], field: str) -> str:
    info = kind.model_fields.get(field)
    return (info.title if info else None) or field


def fault(kind: type[BaseModel], error: Any) -> str:
    """Say which field of ``kind`` is wrong, by its title, and what it should be."""
    where = [str(each) for each in error["loc"]]
    name = " › ".join([_title(kind, where[0]), *where[1:]]) if where else ""
    what = (
        TOLD.get(error["type"], "không hợp lệ")
        .format(**error.get("ctx", {}))
        .replace("' or '", "', '")
    )
    return f"{name}: {what}" if name else what
