"""Facts: one document as one system reports it.

NexaCloud, Stripe and Lago share the same frozen values, so one function compares any two of them
(`core.agreement.compare`). Amounts are integer minor units; dates are calendar dates in the company's
timezone.
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

    `type` is hst, gst, qst, pst or the source's own word, lower case; `percentage` is 13 for 13 %;
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

    `unit_amount` is in major units and only shown; `net` counts. `reverses` is the description of the
    invoice line that a credit note's line credits: it decides the account.
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
    `amount` is subtracted from the document's open amount, minor units; a negative one raises it. Where
    `currency`, its own, is not the document's, it is of no amount of the document and can't be posted.
    `drawn_on` is the ref of an existing entry that the amount comes from: a credit note, whose open
    amount falls as well, or a receipt of `receipt` minor units that several documents share; `shares`
    are the refs of the other documents' parts of that receipt. `undoes` is the settlement that this one
    reverses. `debt` is the part of the amount that is a debt of the customer on the customer's balance,
    and no credit (B9). Only confirmed settlements become facts; NexaCloud's paid_at makes none.
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
    """The customer as printed on the document (a snapshot, not today's master record)."""

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
    """One document as one system reports it; `side` is the name of a source or of NexaCloud.

    `ref` is the identity (`stripe:<account>:<in_…>`, `lago:<organization>:<lago_id>`,
    `nexacloud:<invoice id>`); `number` is a label for people. `total` is the billed amount before any
    settlement, `paid` the amount that this side reports as settled. `settlements` are those of the
    document and those that draw on it. `credits` is the ref of the invoice that a credit note credits,
    `voided_on` the day of the void. `remarks` are exceptions that follow from the source's own objects;
    `tax_exempt` says that the source marks the customer as exempt. `customer_account` is the account
    that the source bills where it names no customer (Stripe `acct_…`). `withdrawn` are the refs of
    settlements that the source withdrew, each with its day (S13). `problem` is the reason why the
    document's own amounts can't be trusted (None when they add up). `due` is the day by which it is to
    be paid, where the source names one; `collecting` says that the source still tries, or will try, to
    collect it by itself.
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
    due: dt.date | None = None
    collecting: bool = False

    def with_settlements(self, settlements: tuple[SettlementFacts, ...]) -> "InvoiceFacts":
        """The same document with these settlements."""
        return replace(self, settlements=settlements)

    @property
    def payer(self) -> str | None:
        """The customer that the source bills, else the account in a customer's place.

        The account is no part of the source hash, so documents posted before it was read keep theirs.
        """
        return self.customer or self.customer_account

    @property
    def is_unread(self) -> bool:
        """Whether its body can't be read: only ref, kind and customer are known, and no amount."""
        return (
            self.problem is Reason.UNREADABLE
            and self.status is Status.UNKNOWN
            and not self.status_at_source
        )

    @property
    def owed(self) -> int:
        """The amount still owed at the source, minor units: total less confirmed settlements in its currency."""
        return self.total - sum(
            s.amount for s in self.settlements if s.method.at_source and s.currency == self.currency
        )

    @property
    def source_hash(self) -> str:
        """Digest (64 hex digits) of the billed document, without its settlements and without `side`."""
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
