"""A sale as a dataset's author writes it: customer, lines, dates and payments.

From it follow the source's object (`objects`), NexaCloud's copy (`copies`) and the expected status
(`expectations`). Amounts are integer minor units of CAD.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid5

from fcb_pipelines.core.money import half_up, spread

_NAMESPACE = UUID("7f3d1c52-9a0e-5f64-8d0b-2c6a1e9b4f10")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class SoldAt(StrEnum):
    """The source that billed the sale."""

    STRIPE = "stripe"
    LAGO = "lago"


class SaleStatus(StrEnum):
    """The document's status at its source."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A tax as billed: `id` at Stripe, `lago_code` at Lago; `percentage` 13 for 13 %."""

    id: str
    type: str
    percentage: Decimal
    name: str
    jurisdiction: str
    state: str | None
    lago_code: str
    country: str = "CA"
    inclusive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A NexaCloud user, and the same customer at the sources."""

    key: str
    email: str
    full_name: str
    company: str | None
    billing_email: str | None
    street: str
    city: str
    state: str
    postal_code: str
    country: str = "CA"
    tax_id: str | None = None

    @property
    def user_id(self) -> str:
        """The id in NexaCloud, which is Lago's external id."""
        return uuid_of(f"user/{self.key}")

    @property
    def stripe_id(self) -> str:
        """The Stripe customer."""
        return stripe_id("cus", self.key, 14)

    @property
    def lago_id(self) -> str:
        """Lago's own id of the customer."""
        return uuid_of(f"lago customer/{self.key}")

    @property
    def name(self) -> str:
        """The name on a document."""
        return self.company or self.full_name


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """One line: `net` is of the whole quantity, `start` and `end` are the service time."""

    description: str
    family: str
    net: int
    start: datetime
    end: datetime
    quantity: int = 1
    proration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """One payment that the source confirms."""

    at: datetime
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyHabit:
    """The differences of NexaCloud's copy from its source; by default only its dates."""

    items: bool = True
    status: str | None = None
    cents_off: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One document at its source.

    `issued` is None for a draft. `by_line` rounds the tax line by line, as some accounts do, so
    that the document's tax may be a cent off its rate. `subscription` is NexaCloud's id.
    """

    key: str
    source: SoldAt
    number: str
    customer: Customer
    status: SaleStatus
    created: datetime
    issued: datetime | None
    lines: tuple[SoldLine, ...]
    rates: tuple[Rate, ...]
    payments: tuple[Paid, ...] = ()
    subscription: str | None = None
    by_line: bool = False
    copied: CopyHabit = field(default_factory=CopyHabit)

    @property
    def source_id(self) -> str:
        """The document's id at its source: `in_…`, or Lago's UUID."""
        if self.source is SoldAt.STRIPE:
            return stripe_id("in", self.key, 24)
        return uuid_of(f"lago invoice/{self.key}")

    @property
    def net(self) -> int:
        """The sum of the lines, before tax."""
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        """The tax billed, all rates together."""
        return sum(sum(shares) for shares in self.line_taxes())

    @property
    def total(self) -> int:
        """The amount to pay, with tax."""
        return self.net + self.tax

    @property
    def paid(self) -> int:
        """The sum of the payments."""
        return sum(payment.amount for payment in self.payments)

    def line_taxes(self) -> tuple[tuple[int, ...], ...]:
        """For each rate the tax of each line; half-up on the document, or `by_line` on each line."""
        return tuple(self._shares(rate.percentage / 100) for rate in self.rates)

    def _shares(self, rate: Decimal) -> tuple[int, ...]:
        nets = [line.net for line in self.lines]
        if self.by_line:
            return tuple(half_up(net * rate) for net in nets)
        return spread(half_up(sum(nets) * rate), nets)


def uuid_of(text: str) -> str:
    """The UUID that this text always gives."""
    return str(uuid5(_NAMESPACE, text))


def stripe_id(prefix: str, text: str, length: int = 24) -> str:
    """An id in Stripe's form, the same for the same text."""
    digest = hashlib.sha256(f"{prefix}/{text}".encode()).digest()
    return f"{prefix}_" + "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:length])


def subscription_at_stripe(subscription: str) -> str:
    """The Stripe subscription of a NexaCloud subscription."""
    return stripe_id("sub", subscription)
