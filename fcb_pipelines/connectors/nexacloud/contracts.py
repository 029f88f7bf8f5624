"""The contract of each NexaCloud table: the rules of its columns (`tables.py`) that a frame breaks.

`breaches` needs a frame alone: that of an extract, or one of a test.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from fcb_pipelines.connectors.nexacloud.tables import ALL_TABLES, ColumnContract, ColumnType
from fcb_pipelines.connectors.nexacloud.values import (
    WHOLE_DIGITS,
    is_beyond_moments,
    is_beyond_numbers,
    is_number,
    is_uuid,
    row_name,
    shown,
    typed,
)
from fcb_pipelines.connectors.nexacloud.whole_columns import is_sound
from fcb_pipelines.core.metering.cycles import is_moment

CHANGED = "the schema may have changed"
MENDED = "correct the row in NexaCloud, then `fcb sync`"
TWICE = "duplicate key"
SAMPLE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule broken in one column: how many rows break it (`count`), some of them and their values.

    `rows` are the positions of all of them; empty where the column or the table is missing, which
    breaks every row. `remedy` says what mends it.
    """

    table: str
    column: str
    rule: str
    count: int
    sample: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    remedy: str = CHANGED

    def __str__(self) -> str:
        rows = f": {self.count} row{'' if self.count == 1 else 's'}" if self.count else ""
        shown = f" ({', '.join(self.sample)})" if self.sample else ""
        return f"nexacloud.{self.table}.{self.column}: {self.rule}{rows}{shown}; {self.remedy}"


def breaches(table: str, frame: pd.DataFrame) -> tuple[Breach, ...]:
    """Every rule of the table's contract that the frame breaks; empty when it keeps all of them.

    A frame without any column is a missing table. Further columns are no breach: they are not read.
    """
    if frame.columns.empty:
        return (Breach(table=table, column="*", rule="the table is missing", count=0),)
    if all(
        is_sound(frame[each.name], each.type, nullable=each.nullable, key=each.key)
        if each.name in frame
        else each.optional
        for each in ALL_TABLES[table]
    ):
        return ()
    checked = _with_nan_seen(table, frame.reset_index(drop=True))
    try:
        _schemas[table].validate(checked, lazy=True)
    except SchemaErrors as errors:
        return tuple(_breaches(table, errors.failure_cases, checked))
    return ()


def _with_nan_seen(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a Decimal NaN as text: pandas takes it for a missing value."""
    seen = {}
    for name in (c.name for c in ALL_TABLES[table] if c.type is ColumnType.NUMERIC):
        if name in frame and frame[name].isna().any():
            lost = [isinstance(value, Decimal) and value.is_nan() for value in frame[name]]
            seen[name] = frame[name].astype(object).mask(pd.Series(lost), "NaN")
    return frame.assign(**seen) if seen else frame


def _breaches(table: str, cases: pd.DataFrame, frame: pd.DataFrame) -> Iterator[Breach]:
    missing = cases[cases["check"] == "column_in_dataframe"]
    for column in missing["failure_case"]:
        yield Breach(
            table=table, column=str(column), rule="the column is missing", count=len(frame)
        )
    others = cases[cases["check"] != "column_in_dataframe"]
    for (column, check), group in others.groupby(["column", "check"], sort=False):
        rows = sorted(int(row) for row in group["index"])
        values = frame[str(column)]
        kind = next(one.type for one in ALL_TABLES[table] if one.name == column)
        is_beyond, beyond_rule = _BEYOND.get(kind, (lambda value: False, ""))
        beyond = [row for row in rows if is_beyond(values.iloc[row])]
        wrong = sorted({*rows} - {*beyond})
        hidden = is_hidden(table, str(column))
        for rule, own, say, remedy in (
            (beyond_rule, beyond, shown, MENDED),
            (_RULES.get(str(check), str(check)), wrong, typed, CHANGED),
        ):
            if own:
                yield Breach(
                    table=table,
                    column=str(column),
                    rule=rule,
                    count=len(own),
                    sample=tuple(
                        f"{row_name(table, frame, row)}: {say(values.iloc[row], hidden=hidden)}"
                        for row in own[:SAMPLE]
                    ),
                    rows=tuple(own),
                    remedy=remedy,
                )


def is_hidden(table: str, column: str) -> bool:
    """Whether a message shows no value of the column: what stands in one of text may be a person's."""
    return any(c.name == column and c.type is ColumnType.TEXT for c in ALL_TABLES[table])


_RULES = {"not_nullable": "null where none may be", "field_uniqueness": TWICE}
_NO_MOMENT = "no moment in the years 1 to 9999"
# A value that Postgres has and nobody can count with, rather than one of another type.
_BEYOND: Mapping[ColumnType, tuple[Callable[[Any], bool], str]] = {
    ColumnType.NUMERIC: (
        is_beyond_numbers,
        f"no finite number of at most {WHOLE_DIGITS} digits before the point",
    ),
    ColumnType.TIMESTAMPTZ: (is_beyond_moments, _NO_MOMENT),
    ColumnType.MOMENT: (is_beyond_moments, _NO_MOMENT),
}
_HOLDS: Mapping[ColumnType, Callable[[Any], bool]] = {
    ColumnType.UUID: is_uuid,
    ColumnType.TEXT: lambda value: isinstance(value, str),
    ColumnType.NUMERIC: is_number,
    ColumnType.TIMESTAMPTZ: lambda value: isinstance(value, datetime) and is_moment(value),
    ColumnType.MOMENT: is_moment,
    ColumnType.BOOLEAN: lambda value: isinstance(value, bool),
}


def _typed(kind: ColumnType) -> pa.Check:
    holds = _HOLDS[kind]
    return pa.Check(
        lambda series: series.map(holds).astype(bool),
        ignore_na=True,
        error=f"wrong type, not {kind.value}",
    )


def _schema(columns: tuple[ColumnContract, ...]) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                nullable=column.nullable,
                unique=column.key,
                required=not column.optional,
                report_duplicates="exclude_first",
                checks=[_typed(column.type)],
            )
            for column in columns
        }
    )


_schemas = {table: _schema(columns) for table, columns in ALL_TABLES.items()}
