"""What one side says of one document.

NexaCloud, Stripe, Lago and the ledger are all told in the same frozen values, so comparing any two
of them is one function (`core.agreement.compare`). Amounts are integer minor units; dates are calendar
dates in the company's timezone.
"""

import datetime as dt
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from fcb_pipelines.core.codes import ExceptionCode, Kind, Method, Reason, Status
from fcb_pipelines.core.digests import Digested, Form


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

    `unit_amount` is in major units and only shown: the line's amount is the truth. `reverses` is the
    description of the line that a credit note's line takes back, whose account it therefore has.
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
    reverses: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementFacts:
    """One allocation of one payment (or credit) to one document, as the source confirms it.

    `ref` is its own identity, `payment_id` the source's payment (pi_…, ch_…) on a bank statement.
    `amount` is what it takes off the document, minor units; below zero it puts something back.
    `drawn_on` names what it draws on and does not make: a credit note (which it takes the same amount
    off), or a receipt of `receipt` minor units that several documents share; `shares` are the refs of
    the other documents' parts of it. `undoes` is the settlement that it takes back. `debt` is what of
    the amount the customer's balance holds as a debt of the customer, and no credit (B9). Only confirmed
    settlements exist as facts; NexaCloud's paid_at makes none.
    """

    ref: str
    document: str
    method: Method
    date: date
    amount: int
    currency: str
    payment_id: str | None = None
    drawn_on: str | None = None
    receipt: int | None = None
    shares: tuple[str, ...] = ()
    undoes: str | None = None
    debt: int = 0


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
class InvoiceFacts(Digested):
    """One document as one side tells it: `side` is a source's name, or NexaCloud's.

    `ref` is the identity (`stripe:<account>:<in_…>`, `lago:<organization>:<lago_id>`,
    `nexacloud:<invoice id>`); `number` is a label for people. `total` is what was billed, before any
    settlement; `paid` what that side says is settled. `settlements` are those of the document, and
    those that draw on it. `credits` is the ref of the invoice that a credit note is of, `voided_on` the
    day it was voided. `remarks` are the exceptions that the source's own objects raise; `tax_exempt`
    says that it marks the customer so. `customer_account` is the account that the source bills where it
    names no customer (Stripe `acct_…`). `withdrawn` are the refs of settlements that the source took
    back, each with the day on which it did (S13). `problem` names why the document's own
    amounts can't be trusted (None when they add up).
    """

    side: str
    ref: str
    kind: Kind
    number: str
    status: Status
    status_at_source: str
    currency: str
    date: dt.date | None
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
    tax_exempt: bool = False
    discount: int = 0
    shipping: int = 0
    credits: str | None = None
    remarks: tuple[ExceptionCode, ...] = ()
    voided_on: dt.date | None = None
    withdrawn: tuple[tuple[str, dt.date], ...] = ()
    problem: Reason | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    customer_account: str | None = None

    def with_settlements(self, settlements: tuple[SettlementFacts, ...]) -> "InvoiceFacts":
        """The same document with these settlements."""
        return replace(self, settlements=settlements)

    @property
    def payer(self) -> str | None:
        """Whom the source bills: its customer, else the account in a customer's place.

        The account is no part of the source hash: documents that were posted before it was read keep
        the hash they were posted with.
        """
        return self.customer or self.customer_account

    @property
    def owed(self) -> int:
        """What the source says is still owed, in minor units: total less confirmed settlements."""
        return self.total - sum(s.amount for s in self.settlements if s.method.at_source)

    @property
    def source_hash(self) -> str:
        """Digest (64 hex digits) of what was billed: not of how it is settled, nor of who says so."""
        return self.digest_in(_BILLED)


_BILLED = Form(
    {
        InvoiceFacts: (
            "ref", "kind", "number", "currency", "date", "net", "tax", "total", "discount",
            "shipping", "customer", "lines", "taxes", "credits",
        ),
    },
    compact=False,
)  # fmt: skip
