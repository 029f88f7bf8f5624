"""NexaCloud's values as the frames hold them; a value that nobody can count with stays text.

Postgres has numbers and moments that Python lacks, or that pandas takes for a missing value: NaN,
Infinity, 1e500, the year 12026, 44 BC. They are read as text, and so break the column's contract in
a way that can be reported.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from fcb_pipelines.core.metering.cycles import is_moment

# Enough for any amount and any usage; sums of many of them still fit 28 digits and 64 bits.
WHOLE_DIGITS, DECIMAL_PLACES = 15, 30

_NUMERIC, _FLOATS, _WHOLE = (1700,), (700, 701), (20, 21, 23)
_TIMESTAMPTZ, _TIMESTAMP, _DATE = (1184,), (1114,), (1082,)
UUID = 2950
UUID_PATTERN = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# The types of which a value is read as what it is, beside strings and booleans.
READ_AS_IT_IS = (*_NUMERIC, *_FLOATS, *_WHOLE, *_TIMESTAMPTZ, *_TIMESTAMP, *_DATE)
_BEYOND = ("infinity", " BC")

_NUMBER = re.compile(
    rf"NaN|-?Infinity|-?\d{{{WHOLE_DIGITS},}}(\.\d+)?|-?\d+\.\d{{{DECIMAL_PLACES},}}"
)
_MOMENT = re.compile(r"-?infinity|.* BC|\d{5,}-\d\d-\d\d.*")
# Usage has no key.
_NAMED_BY = {
    "usage_records": ("subscription_id", "period_start"),
    "service_usage": ("service", "subscription_id", "metric", "period_start"),
}

Cast = Callable[[str | None, Any], Any]


def is_number(value: object) -> bool:
    """A Decimal that can be counted with: finite, not longer than the digits above."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    places = value.as_tuple().exponent
    return value.adjusted() < WHOLE_DIGITS and isinstance(places, int) and -places <= DECIMAL_PLACES


def is_uuid(value: object) -> bool:
    """The text of a uuid."""
    return isinstance(value, str) and bool(re.fullmatch(UUID_PATTERN, value, re.IGNORECASE))


def is_beyond_numbers(value: object) -> bool:
    """A number that Postgres has and that can't be counted with, as a Decimal or as its text."""
    if isinstance(value, str):
        return bool(_NUMBER.fullmatch(value))
    return isinstance(value, Decimal) and not is_number(value)


def is_beyond_moments(value: object) -> bool:
    """A moment that Postgres has and some calendar lacks, as a datetime or as its text."""
    if isinstance(value, str):
        return bool(_MOMENT.fullmatch(value))
    naive = isinstance(value, datetime) and value.tzinfo is None
    return isinstance(value, date) and not naive and not is_moment(value)


def row_name(table: str, frame: pd.DataFrame, row: int) -> str:
    """The name of the row at a position, by its key or the columns nearest to one: `id 7`."""
    names = _NAMED_BY.get(table, ("service", "id"))
    parts = [f"{name} {frame[name].iloc[row]}" for name in names if name in frame]
    return ", ".join(parts) or f"row {row + 1}"


def shown(value: object, *, hidden: bool = False) -> str:
    """A value as a message has it, null for a missing one; of a hidden one that it is there."""
    missing = value is None or value is pd.NaT or value is pd.NA
    if missing or (isinstance(value, float) and value != value):
        return "null"
    if hidden:
        return "a value"
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def typed(value: object, *, hidden: bool = False) -> str:
    """The same, with the type of what is there."""
    text = shown(value, hidden=hidden)
    kind = "of another type" if isinstance(value, bytes) else type(value).__name__
    return text if text == "null" else f"{text} is {kind}"


def register_casts(connection: Connection) -> None:
    """Make the connection read every value: as text where Python or a frame has no such value."""
    casts: tuple[tuple[tuple[int, ...], str, Any], ...] = (
        (_NUMERIC, "fcb_numeric", _number),
        (_FLOATS, "fcb_float", _float),
        (_TIMESTAMPTZ, "fcb_timestamptz", _moment(extensions.PYDATETIMETZ)),
        (_TIMESTAMP, "fcb_timestamp", _moment(extensions.PYDATETIME)),
        (_DATE, "fcb_date", _moment(extensions.PYDATE)),
    )
    for kinds, name, cast in casts:
        extensions.register_type(extensions.new_type(kinds, name, cast), connection)


def _number(text: str | None, cursor: Any) -> Decimal | str | None:
    if text is None:
        return None
    value = Decimal(text)
    return value if is_number(value) else text


def _float(text: str | None, cursor: Any) -> float | str | None:
    if text is None:
        return None
    value = float(text)
    return value if math.isfinite(value) else text


def _moment(cast: Cast) -> Cast:
    def read(text: str | None, cursor: Any) -> Any:
        if text is None or text.endswith(_BEYOND):
            return text
        try:
            return cast(text, cursor)
        except (ValueError, OverflowError, psycopg2.DataError):
            return text

    return read
