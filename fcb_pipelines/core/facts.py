"""What one side says of one document.

NexaCloud, Stripe, Lago and the ledger are all told in the same frozen values, so comparing any two
of them is one function (`core.agreement`). Amounts are integer minor units; dates are calendar
dates in the company's timezone.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """Who tells the facts."""

    NEXACLOUD = "nexacloud"
    STRIPE = "stripe"
    LAGO = "lago"
    LEDGER = "ledger"


class Kind(StrEnum):
    """What sort of document it is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"

    @property
    def sign(self) -> int:
        """What its positive amounts count as in a sum: 1, or -1 for a credit note."""
        return -1 if self is Kind.CREDIT_NOTE else 1


class Status(StrEnum):
    """A document's status, in one vocabulary for all sides."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"
    UNKNOWN = "unknown"


class Method(StrEnum):
    """How a settlement takes a debt away."""

    PAYMENT = "payment"
    CUSTOMER_BALANCE = "customer_balance"
    OFF_PLATFORM = "off_platform"
    PREPAID_CREDIT = "prepaid_credit"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxFacts:
    """One tax as billed, on a line or on a document.

    `type` is hst, gst, qst, pst or what the source says, lower case; `percentage` is 13 for 13 %;
    `amount` and `base` are minor units; `state` is a province code (ON) where known.
    """

    type: str
    percentage: Decimal
    amount: int
    base: int | None = None
    country: str | None = None
    state: str | None = None
    inclusive: bool = False
    source_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """One line. `net` is after discounts and before tax; `net` = `gross` - `discount`.

    `unit_amount` is in major units and only shown: the line's amount is the truth.
    """

    key: str
    description: str
    quantity: Decimal
    net: int
    gross: int
    discount: int = 0
    unit_amount: Decimal | None = None
    taxes: tuple[TaxFacts, ...] = ()
    service_start: date | None = None
    service_end: date | None = None
    proration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementFacts:
    """One allocation of one payment (or credit) to one document, as the source confirms it.

    `ref` is its own identity, `payment_id` the source's payment (pi_…, ch_…) on a bank statement.
    Only confirmed settlements exist as facts; NexaCloud's own paid_at never makes one.
    """

    ref: str
    document: str
    method: Method
    date: date
    amount: int
    currency: str
    payment_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillTo:
    """The customer as the document itself shows it (a snapshot, not today's master record)."""

    name: str | None = None
    email: str | None = None
    street: str | None = None
    city: str | None = None
    zip: str | None = None
    state: str | None = None
    country: str | None = None
    vat: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """One document as one side tells it.

    `ref` is the identity (`stripe:<account>:<in_…>`, `lago:<organization>:<lago_id>`,
    `nexacloud:<invoice id>`); `number` is a label for people. `total` is what was billed, before any
    settlement; `paid` what that side says is settled. `problem` names why the document's own
    amounts can't be trusted (None when they add up).
    """

    side: Side
    ref: str
    kind: Kind
    number: str
    status: Status
    status_at_source: str
    currency: str
    date: date | None
    net: int
    tax: int
    total: int
    paid: int
    customer: str | None
    lines: tuple[LineFacts, ...] = ()
    taxes: tuple[TaxFacts, ...] = ()
    settlements: tuple[SettlementFacts, ...] = ()
    bill_to: BillTo = BillTo()
    livemode: bool = True
    discount: int = 0
    shipping: int = 0
    problem: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()

    def with_settlements(self, settlements: tuple[SettlementFacts, ...]) -> "InvoiceFacts":
        """The same document with these settlements."""
        return replace(self, settlements=settlements)

    @property
    def owed(self) -> int:
        """What the source says is still owed, in minor units: total less confirmed settlements."""
        return self.total - sum(settlement.amount for settlement in self.settlements)
