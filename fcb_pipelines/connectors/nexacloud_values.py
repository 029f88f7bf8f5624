"""NexaCloud's values as the frames hold them; what can't be counted with stays the text it was.

Postgres knows numbers and moments that Python's have no room for, or that pandas takes for a missing
value: NaN, Infinity, 1e500, the year 12026, 44 BC. Read as their text they are what they are: a
breach of the column's contract that can be named.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

# Enough for any amount and any usage; sums of many of them still fit 28 digits and 64 bits.
WHOLE_DIGITS, DECIMAL_PLACES = 15, 30

_NUMERIC, _FLOATS = (1700,), (700, 701)
_TIMESTAMPTZ, _TIMESTAMP, _DATE = (1184,), (1114,), (1082,)
_BEYOND = ("infinity", " BC")
# No clock in the world is further from UTC.
_ANY_ZONE = timedelta(hours=14)

Cast = Callable[[str | None, Any], Any]


def is_number(value: object) -> bool:
    """A Decimal that can be counted with: finite, not longer than the digits above."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    places = value.as_tuple().exponent
    return value.adjusted() < WHOLE_DIGITS and isinstance(places, int) and -places <= DECIMAL_PLACES


def is_moment(value: object) -> bool:
    """A date, or a datetime with its zone, that every zone's calendar has."""
    if not isinstance(value, date) or (isinstance(value, datetime) and value.tzinfo is None):
        return False
    moment = value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)
    try:
        return bool(moment.astimezone(UTC) - _ANY_ZONE < moment.astimezone(UTC) + _ANY_ZONE)
    except OverflowError:
        return False


def tell_as_it_is(connection: Connection) -> None:
    """Make the connection read every value, and as text what Python or a frame has no value for."""
    casts: tuple[tuple[tuple[int, ...], str, Any], ...] = (
        (_NUMERIC, "FCB_NUMERIC", _number),
        (_FLOATS, "FCB_FLOAT", _float),
        (_TIMESTAMPTZ, "FCB_TIMESTAMPTZ", _moment(extensions.PYDATETIMETZ)),
        (_TIMESTAMP, "FCB_TIMESTAMP", _moment(extensions.PYDATETIME)),
        (_DATE, "FCB_DATE", _moment(extensions.PYDATE)),
    )
    for kinds, name, cast in casts:
        extensions.register_type(extensions.new_type(kinds, name, cast), connection)


def _number(told: str | None, cursor: Any) -> Decimal | str | None:
    if told is None:
        return None
    value = Decimal(told)
    return value if is_number(value) else told


def _float(told: str | None, cursor: Any) -> float | str | None:
    if told is None:
        return None
    value = float(told)
    return value if math.isfinite(value) else told


def _moment(cast: Cast) -> Cast:
    def read(told: str | None, cursor: Any) -> Any:
        if told is None or told.endswith(_BEYOND):
            return told
        try:
            return cast(told, cursor)
        except (ValueError, OverflowError, psycopg2.DataError):
            return told

    return read
