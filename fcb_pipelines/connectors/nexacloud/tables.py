"""The NexaCloud tables that are read: the closed list of their columns, with types, nulls and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


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
