"""The contract of each NexaCloud table: the columns that are read, their types, nulls and keys.

`TABLES` is the closed list. `breaches` needs a frame alone: that of an extract, or one of a test.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

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


class ColumnType(StrEnum):
    """The type of a column, and its Python type in a frame.

    uuid and text are str; numeric is Decimal; timestamptz an aware UTC datetime; moment either that
    or a date; a missing value is None (NaT among timestamps).
    """

    UUID = "uuid"
    TEXT = "text"
    NUMERIC = "numeric"
    TIMESTAMPTZ = "timestamptz"
    MOMENT = "timestamptz or date"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnContract:
    """One column: its type, whether it may be null, whether it identifies the row.

    An optional one may be missing; then it is in no frame.
    """

    name: str
    type: ColumnType
    nullable: bool = True
    key: bool = False
    optional: bool = False


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


def _table(**columns: str) -> tuple[ColumnContract, ...]:
    """Columns from `type`, `type!` (never null), `type key` (never null, unique), `type?` (optional)."""
    return tuple(
        ColumnContract(
            name=name,
            type=ColumnType(kind.removesuffix(" key").rstrip("!?")),
            nullable=not kind.endswith(("!", " key")),
            key=kind.endswith(" key"),
            optional=kind.endswith("?"),
        )
        for name, kind in columns.items()
    )


# Nullable where the pipeline has an answer to null: a plan without a price, an invoice never paid.
# Usage has no key, since a replayed window may be there twice.
TABLES: Mapping[str, tuple[ColumnContract, ...]] = {
    "users": _table(
        id="uuid key",
        email="text!",
        full_name="text",
        company="text",
        billing_email="text",
        billing_address="text",
        billing_city="text",
        billing_state="text",
        billing_postal_code="text",
        billing_country="text",
        tax_id="text",
        stripe_customer_id="text",
    ),
    "plans": _table(
        id="uuid key",
        product_id="text",
        name="text!",
        price_monthly="numeric",
        price_yearly="numeric",
        stripe_price_id="text",
        cpu_seconds_quota="numeric",
        is_active="boolean",
    ),
    "deployments": _table(
        id="uuid key",
        user_id="uuid",
        product_id="text",
        plan_id="uuid",
        name="text",
        status="text",
        billing_cycle="text",
        next_due_date="timestamptz or date",
    ),
    "subscriptions": _table(
        id="uuid key",
        user_id="uuid!",
        deployment_id="uuid",
        plan_id="uuid",
        status="text",
        billing_cycle="text",
        current_period_start="timestamptz or date",
        current_period_end="timestamptz or date",
        stripe_subscription_id="text",
    ),
    "usage_records": _table(
        subscription_id="uuid!",
        period_start="timestamptz or date!",
        period_end="timestamptz or date!",
        cpu_hours="numeric!",
        created_at="timestamptz or date?",
    ),
    "invoices": _table(
        id="uuid key",
        user_id="uuid!",
        subscription_id="uuid",
        stripe_invoice_id="text",
        invoice_number="text",
        created_at="timestamptz!",
        currency="text!",
        status="text!",
        subtotal="numeric!",
        tax="numeric!",
        amount_due="numeric",
        amount_paid="numeric",
        paid_at="timestamptz",
    ),
    "invoice_items": _table(
        id="uuid key",
        invoice_id="uuid!",
        description="text",
        quantity="numeric",
        unit_price="numeric",
        amount="numeric!",
        period_start="timestamptz or date",
        period_end="timestamptz or date",
    ),
}

# Records of the company's other services, all in the same tables. A missing table has no rows.
SERVICE_TABLES: Mapping[str, tuple[ColumnContract, ...]] = {
    "service_customers": _table(service="text!", id="text!", email="text", name="text"),
    "service_plans": _table(
        service="text!",
        id="text!",
        name="text!",
        price_monthly="numeric",
        price_yearly="numeric",
        quota="numeric",
        is_active="boolean",
    ),
    "service_subscriptions": _table(
        service="text!",
        id="text!",
        customer_id="text!",
        plan_id="text",
        status="text",
        billing_cycle="text",
        current_period_start="timestamptz or date",
        current_period_end="timestamptz or date",
        source_subscription_id="text?",
    ),
    "service_usage": _table(
        service="text!",
        subscription_id="text!",
        metric="text!",
        period_start="timestamptz or date!",
        period_end="timestamptz or date!",
        quantity="numeric!",
        item="text",
        recorded_at="timestamptz or date",
    ),
    "service_invoices": _table(
        service="text!", id="text!", customer_id="text!", subscription_id="text", source_id="text"
    ),
}
# The tables that the books need. The others are the dual run's, which never stops the books.
POSTED_TABLES = ("users", "invoices", "invoice_items")
METERED_TABLES = tuple(table for table in TABLES if table not in POSTED_TABLES)
ALL_TABLES: Mapping[str, tuple[ColumnContract, ...]] = {**TABLES, **SERVICE_TABLES}


def column_names(table: str) -> tuple[str, ...]:
    """The columns that are read of a table, in their order."""
    return tuple(column.name for column in ALL_TABLES[table])


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
