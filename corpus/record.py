"""What all records share: how their fields are cleaned, validated, shown and compared.

One line per field: name in the field's English term, type, and the Vietnamese heading (``title``)
under which people's spreadsheets carry it. Missing facts are ``None`` or ``()`` and are shown as
"chưa rõ"; they are never zero and never a failed rule. Ids are strings, unique per kind; money is
in million VND; dates are ISO; text is NFC (see :mod:`corpus.text`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from corpus.text import normalise

# What is known of a record beside what it says: whence, how surely read, what was inferred.
ABOUT = ("source", "certainty", "inferred")
DOUBTFUL = 0.9  # a field read less surely than this is to be looked at
MAX_CELL = 200_000  # characters; a cell beyond this is a pasted file, not a field


def clean_text(value: object) -> object:
    """Return text in its one form (NFC, tone placement, spaces); anything else as it is."""
    return normalise(value) if isinstance(value, str) else value


def _clean_list(value: object) -> object:
    """Split ``a; b`` and drop empty and repeated members, keeping the first of each."""
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.split(";")
    if not isinstance(value, list | tuple):
        return value
    cleaned = [clean_text(item) for item in value]
    if not all(isinstance(item, str) for item in cleaned):
        return cleaned  # for the field's own validation to refuse, by position
    return tuple(dict.fromkeys(item for item in cleaned if item != ""))


def _clean_columns(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {clean_text(name): clean_text(cell) for name, cell in value.items()}


Id = Annotated[str, BeforeValidator(clean_text), Field(min_length=1, max_length=100, title="Mã")]
Line = Annotated[str, BeforeValidator(clean_text), Field(max_length=MAX_CELL)]
Many = Annotated[tuple[str, ...], BeforeValidator(_clean_list)]
Columns = Annotated[Mapping[str, str], BeforeValidator(_clean_columns)]
Money = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]  # million VND
Trl = Annotated[int, Field(ge=1, le=9)]
Year = Annotated[int, Field(ge=1900, le=2100)]
Sure = Mapping[str, Annotated[float, Field(ge=0, le=1)]]  # field → how sure it was read
Yearly = Mapping[Year, Money]  # what falls to each year; a year that is not there: not stated


class Record(BaseModel):
    """What all records share: frozen, validated, unknown columns kept in ``extra``."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    kind_name: ClassVar[str]
    label: ClassVar[str]
    # Columns that tell a table of this kind from others with the same required ones.
    telling: ClassVar[tuple[str, ...]] = ()

    illustrative: bool = Field(False, title="Dữ liệu minh họa")
    inferred: Many = Field((), title="Giá trị suy ra")
    source: Line | None = Field(None, title="Nguồn")
    certainty: Sure = Field(default_factory=dict, title="Độ tin khi đọc từng trường")
    extra: Columns = Field(default_factory=dict, title="Cột khác")

    @property
    def doubtful(self) -> dict[str, float]:
        """The fields that a person should look at, and how sure they are; the least sure first."""
        low = [(sure, name) for name, sure in self.certainty.items() if sure < DOUBTFUL]
        return {name: sure for sure, name in sorted(low)}

    @property
    def key(self) -> str:
        """The id under which the store keeps the record."""
        return str(getattr(self, "id"))  # noqa: B009 - subclasses declare it

    def to_json(self) -> dict[str, Any]:
        """Return the stated facts only, in field order, ready for ``json.dumps``."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def content_hash(self) -> str:
        """SHA-256 (hex) of the stated facts: equal records have equal hashes."""
        facts = self.to_json()
        # Where and how surely a record was read, and what we inferred of it, do not change what it
        # says.
        for name in (*ABOUT, *self.inferred):
            facts.pop(name, None)
        text = json.dumps(facts, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
