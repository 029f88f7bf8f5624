"""A table's columns: which are there, how each is selected, and how a frame shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a lower-case name

from fcb_pipelines.connectors.nexacloud.tables import ColumnContract, ColumnType
from fcb_pipelines.connectors.nexacloud.values import READ_AS_IT_IS, UUID

# Postgres's categories of types: strings and enumerations, booleans.
_TEXTS, _BOOLEAN = "SE", "B"


def columns_there(connection: Connection, table: str) -> frozenset[str]:
    """The columns of the table, or view, that the search path finds; empty when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select attname from pg_attribute "
            "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            (table,),
        )
        return frozenset(name for (name,) in cursor.fetchall())


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundType:
    """A column's type in Postgres: its oid, and the letter of its category (`N` for numbers)."""

    oid: int
    category: str

    @property
    def is_text(self) -> bool:
        """Whether its values are read as texts: strings, enumerations and uuids."""
        return self.category in _TEXTS or self.oid == UUID


def found_types(
    connection: Connection, table: str, columns: Sequence[ColumnContract]
) -> tuple[FoundType, ...]:
    """The types of these columns, in their order; a domain is what it is made of."""
    names = [sql.Identifier(column.name) for column in columns]
    with connection.cursor() as cursor:
        query = sql.SQL("select {} from {} limit 0")
        cursor.execute(query.format(sql.SQL(", ").join(names), sql.Identifier(table)))
        types = [each.type_code for each in cursor.description or ()]
        cursor.execute("select oid::int, typcategory from pg_type where oid = any(%s)", (types,))
        categories = dict(cursor.fetchall())
    return tuple(FoundType(oid=oid, category=categories[oid]) for oid in types)


def as_read(
    columns: Sequence[ColumnContract], found: Sequence[FoundType]
) -> dict[str, sql.Composable]:
    """How each of these columns is selected: as it is or, of no type for it, as bytes of its text.

    So an array, a range or JSON reaches the contract, whatever it holds, and no frame takes it for a
    text that should stand there.
    """
    as_text = sql.SQL("convert_to({}::text, 'UTF8')")
    names = {column.name: sql.Identifier(column.name) for column in columns}
    return {
        column.name: names[column.name]
        if _is_plain(column.type, of)
        else as_text.format(names[column.name])
        for column, of in zip(columns, found, strict=True)
    }


def _is_plain(kind: ColumnType, found: FoundType) -> bool:
    """Whether values of this type of Postgres's are read as what they are."""
    if found.is_text:
        return True
    is_text = kind in {ColumnType.TEXT, ColumnType.UUID}
    return not is_text and (found.category == _BOOLEAN or found.oid in READ_AS_IT_IS)


def series(kind: ColumnType, values: Sequence[Any]) -> pd.Series:
    """A column as frames show it; values of another type stay as they came, for the contract."""
    values = [bytes(v) if isinstance(v, memoryview) else v for v in values]
    if kind is ColumnType.NUMERIC:
        values = [Decimal(v) if type(v) is int else v for v in values]
    instants = kind in {ColumnType.TIMESTAMPTZ, ColumnType.MOMENT} and all(
        value is None or (isinstance(value, datetime) and value.tzinfo) for value in values
    )
    if instants:
        return pd.Series(pd.to_datetime(list(values), utc=True), dtype="datetime64[us, UTC]")
    if kind is ColumnType.MOMENT:
        values = [_day(value) for value in values]
    return pd.Series(list(values), dtype=object)


def _day(value: Any) -> Any:
    """Dates stay dates; nothing is guessed about a timestamp without a zone."""
    return value if isinstance(value, date | bytes) or value is None else str(value)
