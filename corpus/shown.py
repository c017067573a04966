"""How a stored value shows in a cell, and how a cell is kept from running as a formula.

Numbers and dates reach the parsers as text, so that every format goes through the same rules.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from decimal import Decimal

from openpyxl.utils.escape import unescape

_GUARDED = re.compile(r"'*\s*[=+\-@]")
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")


def shown(value: object) -> str | None:
    """Return a cell's value as people see it."""
    if value is None or isinstance(value, str):
        return unescape(value) if value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(" ")
    return str(value)


def number_text(value: float) -> str:
    """Return a number in full: ``350`` for 350.0, ``1.5``; three decimals get a comma.

    ``1.125`` would be read as a Vietnamese thousand, ``1,125`` cannot be.
    """
    if not math.isfinite(value):
        return str(value)
    text = str(int(value)) if value == int(value) else format(Decimal(repr(value)), "f")
    return text.replace(".", ",") if _THOUSANDS.fullmatch(text) else text


def json_text(value: object) -> str | None:
    """Return a JSON value as a cell shows it; lists are joined with ``;``."""
    if isinstance(value, list):
        return ";".join(text for item in value if (text := json_text(item)))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return shown(value) if not isinstance(value, str) else value


def guard(value: str) -> str:
    """Put ``'`` before what a spreadsheet would run as a formula (``=``, ``+``, ``-``, ``@``)."""
    return f"'{value}" if _GUARDED.match(value) else value


def unguard(value: str) -> str:
    """Take back what :func:`guard` did: ``unguard(guard(v)) == v``."""
    return value[1:] if value.startswith("'") and _GUARDED.match(value) else value
