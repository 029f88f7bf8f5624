"""Sales as rows of NexaCloud's tables, with the differences that a copy may have."""

from collections.abc import Iterable
from datetime import UTC, datetime

from fcb_pipelines.core.money import exponent, to_major
from fcb_pipelines.sandbox.scenarios.builders.sales import (
    Customer,
    Sale,
    SaleStatus,
    SoldAt,
    uuid_of,
)

Row = dict[str, str | None]


def user_row(customer: Customer) -> Row:
    """The row of `users`."""
    return {
        "id": customer.user_id,
        "email": customer.email,
        "full_name": customer.full_name,
        "company": customer.company,
        "billing_email": customer.billing_email,
        "billing_address": customer.street,
        "billing_city": customer.city,
        "billing_state": customer.state,
        "billing_postal_code": customer.postal_code,
        "billing_country": customer.country,
        "tax_id": customer.tax_id,
        "stripe_customer_id": customer.stripe_id,
    }


def invoice_row(sale: Sale, synced: datetime) -> Row:
    """The row of `invoices`; its created_at, and paid_at if paid, are the moment of the sync."""
    status = sale.copied.status or sale.status.value
    net = sale.net + sale.copied.cents_off
    named = sale.source_id if sale.source is SoldAt.STRIPE else f"lago:{sale.source_id}"
    void_as_paid = status == "paid" and sale.status is SaleStatus.VOID
    return {
        "id": copy_id(sale),
        "user_id": sale.customer.user_id,
        "subscription_id": sale.subscription,
        "stripe_invoice_id": named,
        "invoice_number": None if sale.status is SaleStatus.DRAFT else sale.number,
        "created_at": instant(synced),
        "currency": "CAD",
        "status": status,
        "subtotal": money(net),
        "tax": money(sale.tax),
        "amount_due": money(net + sale.tax),
        "amount_paid": money(sale.total if void_as_paid else sale.paid),
        "paid_at": instant(synced) if status == "paid" else None,
    }


def item_rows(sale: Sale) -> list[Row]:
    """The rows of `invoice_items`; none for a copy without items."""
    if not sale.copied.items:
        return []
    return [
        {
            "id": uuid_of(f"item/{sale.key}/{n}"),
            "invoice_id": copy_id(sale),
            "description": line.description,
            "quantity": str(line.quantity),
            "unit_price": str(to_major(line.net, "CAD") / line.quantity),
            "amount": money(line.net),
            "period_start": instant(line.start),
            "period_end": instant(line.end),
        }
        for n, line in enumerate(sale.lines)
    ]


def sale_tables(sales: Iterable[Sale], synced: datetime) -> dict[str, list[Row]]:
    """The tables `invoices` and `invoice_items`, in the order of the sales."""
    known = list(sales)
    return {
        "invoices": [invoice_row(sale, synced) for sale in known],
        "invoice_items": [row for sale in known for row in item_rows(sale)],
    }


def copy_id(sale: Sale) -> str:
    """NexaCloud's id of its copy."""
    return uuid_of(f"invoice/{sale.key}")


def money(minor: int, currency: str = "CAD") -> str:
    """Minor units as the text of a numeric column: 21450 -> `214.50`."""
    return f"{to_major(minor, currency):.{exponent(currency)}f}"


def instant(at: datetime) -> str:
    """An instant as the text of a timestamptz column, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00")
