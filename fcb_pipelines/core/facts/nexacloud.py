"""NexaCloud's users, and its invoices as facts, each with the source document that it claims."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from fcb_pipelines.core.codes import Kind, Status, System
from fcb_pipelines.core.facts.model import InvoiceFacts, LineFacts
from fcb_pipelines.core.money import exponent, half_up
from fcb_pipelines.core.refs import nexacloud_ref

# The columns of the tables of invoices and of their items that `copies` reads.
INVOICE_COLUMNS = (
    "id",
    "user_id",
    "subscription_id",
    "stripe_invoice_id",
    "invoice_number",
    "created_at",
    "currency",
    "status",
    "subtotal",
    "tax",
    "amount_paid",
)
ITEM_COLUMNS = ("id", "invoice_id", "description", "quantity", "amount")

_STATUSES = {
    "draft": Status.DRAFT,
    "open": Status.OPEN,
    "pending": Status.OPEN,
    "paid": Status.PAID,
    "uncollectible": Status.UNCOLLECTIBLE,
    "void": Status.VOID,
    "voided": Status.VOID,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NexaCloudInvoice:
    """One row of NexaCloud's invoices: its user, the document it claims, and its facts.

    `claims` is the ref of the source document; None where the row names none that can be looked up.
    """

    invoice_id: str
    user_id: str
    subscription_id: str | None
    source_id: str | None
    claims: str | None
    created_at: datetime
    facts: InvoiceFacts

    @property
    def ref(self) -> str:
        """The row's own ref, its identity in the population where it has no document of its own."""
        return self.facts.ref


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One NexaCloud user: the master data of a billing account."""

    id: str
    email: str | None
    full_name: str | None
    company: str | None
    billing_email: str | None
    billing_address: str | None
    billing_city: str | None
    billing_state: str | None
    billing_postal_code: str | None
    billing_country: str | None
    tax_id: str | None
    stripe_customer_id: str | None

    @property
    def name(self) -> str:
        """The name for people: company, else full name, else email, else id."""
        return self.company or self.full_name or self.email or self.id

    @property
    def customer_at_stripe(self) -> str | None:
        """The id of its Stripe customer without spaces around it; None where there is none."""
        return (self.stripe_customer_id or "").strip() or None


def copies(
    invoices: Iterable[Mapping[str, Any]],
    items: Iterable[Mapping[str, Any]],
    *,
    claims: Callable[[str | None], str | None],
) -> tuple[NexaCloudInvoice, ...]:
    """Every NexaCloud invoice with its items, oldest first (created_at, then id).

    `claims` converts a row's `stripe_invoice_id` into the ref of the source document.
    """
    by_invoice: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for item in items:
        by_invoice[item["invoice_id"]].append(item)
    rows = [
        NexaCloudInvoice(
            invoice_id=row["id"],
            user_id=row["user_id"],
            subscription_id=row["subscription_id"] or None,
            source_id=row["stripe_invoice_id"] or None,
            claims=claims(row["stripe_invoice_id"]),
            created_at=row["created_at"],
            facts=_facts(row, by_invoice[row["id"]]),
        )
        for row in invoices
    ]
    return tuple(sorted(rows, key=lambda copy: (copy.created_at, copy.invoice_id)))


def first_claimants(rows: Iterable[NexaCloudInvoice]) -> dict[str, NexaCloudInvoice]:
    """The earliest row (created_at, then id) that claims each source document, by its ref (rule A7)."""
    claimants: dict[str, NexaCloudInvoice] = {}
    for row in sorted(rows, key=lambda copy: (copy.created_at, copy.invoice_id)):
        if row.claims:
            claimants.setdefault(row.claims, row)
    return claimants


def _facts(row: Mapping[str, Any], items: list[Mapping[str, Any]]) -> InvoiceFacts:
    currency = str(row["currency"]).upper()
    places = exponent(currency)
    raw = str(row["status"])
    net, tax = _minor(row["subtotal"], places), _minor(row["tax"], places)
    # A negative invoice is a credit note with positive amounts, as on the source's side.
    sign = -1 if net + tax < 0 else 1
    return InvoiceFacts(
        side=System.NEXACLOUD,
        ref=nexacloud_ref(row["id"]),
        kind=Kind.CREDIT_NOTE if sign < 0 else Kind.INVOICE,
        number=row["invoice_number"] or "",
        status=_STATUSES.get(raw.lower(), Status.UNKNOWN),
        status_at_source=raw,
        currency=currency,
        date=None,
        net=sign * net,
        tax=sign * tax,
        total=sign * (net + tax),
        paid=_minor(row["amount_paid"], places),
        customer=row["user_id"],
        lines=tuple(_line(item, places, sign) for item in items),
    )


def _line(item: Mapping[str, Any], places: int, sign: int) -> LineFacts:
    net = sign * _minor(item["amount"], places)
    return LineFacts(
        key=str(item["id"]),
        description=item["description"] or "",
        quantity=Decimal(1) if item["quantity"] is None else Decimal(item["quantity"]).normalize(),
        net=net,
        gross=net,
    )


def _minor(amount: Decimal | None, places: int) -> int:
    """The nearest minor units: a copy is only compared, so a rounded fraction of a cent just differs."""
    return half_up(amount.scaleb(places)) if amount else 0
