"""The contract of each NexaCloud table: the columns that are read, their types, nulls and keys.

`TABLES` is the closed list. `breaches` looks at a frame alone, so the same contract holds for a
live extract, a stored frame and a test.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

CHANGED = "the schema may have changed"
SAMPLE = 5

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ColumnType(StrEnum):
    """What a column holds, and how a frame shows it.

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
    """One column: its type, whether null may stand in it, whether it identifies the row.

    An optional one may be missing; then it is in no frame.
    """

    name: str
    type: ColumnType
    nullable: bool = True
    key: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule broken in one column: how many rows break it (`count`) and some of their values."""

    table: str
    column: str
    rule: str
    count: int
    sample: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = f": {self.count} row{'' if self.count == 1 else 's'}" if self.count else ""
        shown = f" ({', '.join(self.sample)})" if self.sample else ""
        return f"nexacloud.{self.table}.{self.column}: {self.rule}{rows}{shown}; {CHANGED}"


def _table(**columns: str) -> tuple[ColumnContract, ...]:
    """Columns from `type`, `type!` (never null), `type key` (never null, unique), `type?` (optional)."""
    return tuple(
        ColumnContract(
            name=name,
            type=ColumnType(told.removesuffix(" key").rstrip("!?")),
            nullable=not told.endswith(("!", " key")),
            key=told.endswith(" key"),
            optional=told.endswith("?"),
        )
        for name, told in columns.items()
    )


# Nullable where the pipeline has an answer to null: a plan without a price, an invoice never paid.
# Usage has no key, since a replayed window may stand there twice.
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

# What the company's other services tell of themselves, all in the same tables. A table that isn't
# there is one without rows.
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
        service="text!",
        id="text!",
        customer_id="text!",
        subscription_id="text",
        source_id="text",
    ),
}
ALL_TABLES: Mapping[str, tuple[ColumnContract, ...]] = {**TABLES, **SERVICE_TABLES}


def column_names(table: str) -> tuple[str, ...]:
    """The columns that are read of a table, in their order."""
    return tuple(column.name for column in ALL_TABLES[table])


def breaches(table: str, frame: pd.DataFrame) -> tuple[Breach, ...]:
    """Every rule of the table's contract that the frame breaks; empty when it keeps all of them.

    A frame without any column is a table that is not there. Columns beyond the contract are no
    breach: they are not read.
    """
    if frame.columns.empty:
        return (Breach(table=table, column="*", rule="the table is missing", count=0),)
    try:
        _schemas[table].validate(frame, lazy=True)
    except SchemaErrors as errors:
        return tuple(_told(table, errors.failure_cases, rows=len(frame)))
    return ()


def _told(table: str, cases: pd.DataFrame, *, rows: int) -> Iterator[Breach]:
    missing = cases[cases["check"] == "column_in_dataframe"]
    for column in missing["failure_case"]:
        yield Breach(table=table, column=str(column), rule="the column is missing", count=rows)
    others = cases[cases["check"] != "column_in_dataframe"]
    for (column, check), group in others.groupby(["column", "check"], sort=False):
        yield Breach(
            table=table,
            column=str(column),
            rule=_RULES.get(str(check), str(check)),
            count=len(group),
            sample=_sample(group, str(check)),
        )


def _sample(group: pd.DataFrame, check: str) -> tuple[str, ...]:
    if check == "not_nullable":
        return ()
    values = dict.fromkeys(_shown(value) for value in group["failure_case"])
    return tuple(list(values)[:SAMPLE])


def _shown(value: object) -> str:
    text = str(value)
    return f"{text[:60]!r} is {type(value).__name__}"


_RULES = {"not_nullable": "null where none may be", "field_uniqueness": "duplicate key"}


def _is_moment(value: object) -> bool:
    return isinstance(value, date) and (not isinstance(value, datetime) or value.tzinfo is not None)


_HOLDS: Mapping[ColumnType, Callable[[Any], bool]] = {
    ColumnType.UUID: lambda value: isinstance(value, str) and bool(_UUID.fullmatch(value)),
    ColumnType.TEXT: lambda value: isinstance(value, str),
    ColumnType.NUMERIC: lambda value: isinstance(value, Decimal) and value.is_finite(),
    ColumnType.TIMESTAMPTZ: lambda value: isinstance(value, datetime) and value.tzinfo is not None,
    ColumnType.MOMENT: _is_moment,
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
