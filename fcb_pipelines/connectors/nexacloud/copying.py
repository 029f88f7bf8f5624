"""A table copied by record batches: from Postgres's COPY straight into a frame's file.

A first query asks Postgres what each column holds; the copy then needs no Python value of any cell. It
serves a table whose columns are of the contract's own types and hold only values that a frame has: for
any other `as_copied` is None, and the table is read row by row, so that the contract can name the fault.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name
from pyarrow import csv

from fcb_pipelines.connectors.nexacloud.columns import FoundType
from fcb_pipelines.connectors.nexacloud.tables import ColumnContract, ColumnType
from fcb_pipelines.connectors.nexacloud.values import DECIMAL_PLACES, is_number
from fcb_pipelines.connectors.store.frame_writer import FrameWriter

# Bytes of COPY's text that become one record batch.
BATCH_BYTES = 8 << 20

_INSTANT = pa.timestamp("us", "UTC")
# Postgres's types by oid.
_NUMBERS = frozenset({20, 21, 23, 1700})
_BOOLEAN, _TIMESTAMPTZ, _DATE = 16, 1184, 1082
# The digits of the longest decimal that Arrow reads out of a text.
_DIGITS = 38


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """The columns of a table that can be copied: each one's type in the frame's file, in their order."""

    types: Mapping[str, pa.DataType]


def as_copied(
    connection: Connection,
    table: str,
    columns: Sequence[ColumnContract],
    found: Sequence[FoundType],
) -> Copied | None:
    """How these columns of a table are copied; None where one of them has to be read row by row."""
    pairs = list(zip(columns, found, strict=True))
    if not all(_is_own(column.type, of) for column, of in pairs):
        return None
    asked = [question for column, of in pairs for question in _questions(column.name, of)]
    with connection.cursor() as cursor:
        query = sql.SQL("select {} from {}")
        cursor.execute(query.format(sql.SQL(", ").join(asked), sql.Identifier(table)))
        (answers,) = cursor.fetchall()
    types = {
        column.name: _type(column.type, of, *answers[3 * n : 3 * n + 3])
        for n, (column, of) in enumerate(pairs)
    }
    known = {name: kind for name, kind in types.items() if kind is not None}
    return Copied(types=known) if len(known) == len(types) else None


def copy(connection: Connection, query: sql.Composable, copied: Copied, into: FrameWriter) -> None:
    """Write the rows of a query, whose columns are those of `copied`, in its order.

    The connection's encoding is UTF-8: the server refuses a text that is none.
    """
    batches = _Batches(copied.types, into.write)
    with connection.cursor() as cursor:
        text = sql.SQL("copy ({}) to stdout (format csv)").format(query)
        cursor.copy_expert(text, batches)
    batches.flush()


class _Batches:
    """What COPY writes into, a row at a time; whole rows go on as one table."""

    def __init__(self, types: Mapping[str, pa.DataType], write: Callable[[pa.Table], None]) -> None:
        self._write = write
        self._names = list(types)
        self._rows = bytearray()
        self._parse = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
        # COPY quotes an empty text, and so keeps it apart from null.
        self._convert = csv.ConvertOptions(
            column_types=dict(types),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        )

    def write(self, row: bytes) -> None:
        """One row, as COPY sends it."""
        self._rows += row
        if len(self._rows) >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """The rows that came since the last time, as a table."""
        if not self._rows:
            return
        rows, self._rows = bytes(self._rows), bytearray()
        read = csv.ReadOptions(
            column_names=self._names, use_threads=False, block_size=len(rows) + 1
        )
        self._write(
            csv.read_csv(
                pa.BufferReader(rows),
                read_options=read,
                parse_options=self._parse,
                convert_options=self._convert,
            )
        )


def _is_own(kind: ColumnType, found: FoundType) -> bool:
    """Whether the contract's type is the one that Postgres has for the column."""
    match kind:
        case ColumnType.UUID | ColumnType.TEXT:
            return found.is_text
        case ColumnType.NUMERIC:
            return found.oid in _NUMBERS
        case ColumnType.TIMESTAMPTZ:
            return found.oid == _TIMESTAMPTZ
        case ColumnType.MOMENT:
            return found.oid in (_TIMESTAMPTZ, _DATE)
        case ColumnType.BOOLEAN:
            return found.oid == _BOOLEAN


def _questions(name: str, found: FoundType) -> tuple[sql.Composable, ...]:
    """What is asked of a column: whether it has a value, and two figures by which its type is chosen.

    Any calendar and any time zone have the moments of the years between 2 and 9999.
    """
    asked = ("count({0}) > 0", "null", "null")
    if found.oid in _NUMBERS:
        asked = ("count({0}) > 0", "max(abs({0}::numeric))", "max(scale({0}::numeric))")
    elif found.oid in (_TIMESTAMPTZ, _DATE):
        asked = ("count({0}) > 0", "min({0}) >= '0002-01-01'", "max({0}) < '9999-01-01'")
    return tuple(sql.SQL(each).format(sql.Identifier(name)) for each in asked)


def _type(
    kind: ColumnType, found: FoundType, any_value: bool, first: Any, second: Any
) -> pa.DataType | None:
    """A column's type in the file, from the answers; None where a value of it is beyond the type."""
    if not any_value:
        instants = kind in (ColumnType.TIMESTAMPTZ, ColumnType.MOMENT)
        return _INSTANT if instants else pa.null()
    if found.oid in _NUMBERS:
        return _decimal(first, second)
    if found.oid in (_TIMESTAMPTZ, _DATE):
        own = _INSTANT if found.oid == _TIMESTAMPTZ else pa.date32()
        return own if first and second else None
    return pa.bool_() if found.oid == _BOOLEAN else pa.string()


def _decimal(greatest: Decimal | str, places: int) -> pa.DataType | None:
    """The decimal that holds every value; the greatest is a text where nobody can count with it."""
    if not isinstance(greatest, Decimal) or not is_number(greatest) or places > DECIMAL_PLACES:
        return None
    digits = max(1, greatest.adjusted() + 1) + places
    return pa.decimal128(digits, places) if digits <= _DIGITS else None
