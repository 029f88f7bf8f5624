"""Facts about the balance that a source keeps: its transactions, its payouts, and what it reports.

Amounts are signed integers in minor units; dates are calendar dates in the company's timezone. `created` is
a Unix instant: what came when is told by it, not by the date.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from fcb_pipelines.core.codes import CashKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """One part of a transaction's fee, in the transaction's currency; below zero where it came back.

    `is_tax`: it is a tax on the fee. `type` is the source's own word.
    """

    type: str
    amount: int
    is_tax: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceTransaction:
    """One transaction of a source's balance (C1): `net` moves the balance, and `net` = `amount` - fees.

    `category` is the source's own word for `kind`. `balance` is the balance that it moves; only `payments`
    is the one that the journal keeps. `made_by` is the object that it comes from (ch_…, re_…, po_…), `paid_by`
    the ids of the payment behind it (pi_…, ch_…) as settlements name them. `paid` is the amount of that
    object in `paid_currency`, signed as `amount`, where it differs from the balance's (C8).

    `customer` and `metadata` are the payer's, as far as the source shows them. `problem` says what can't be
    read: then the amounts are not trusted, and may be zero.
    """

    ref: str
    id: str
    kind: CashKind
    category: str
    date: dt.date
    created: int
    available_on: dt.date
    currency: str
    amount: int
    net: int
    fees: tuple[Fee, ...] = ()
    is_available: bool = True
    balance: str = "payments"
    exchange_rate: Decimal | None = None
    made_by: str | None = None
    paid_by: tuple[str, ...] = ()
    paid: int | None = None
    paid_currency: str | None = None
    customer: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    description: str = ""
    problem: str = ""

    @property
    def counts(self) -> bool:
        """Whether it moves the balance that the source reports as available or pending."""
        return self.balance == PAYMENTS


PAYMENTS = "payments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One transaction of a payout, as the source lists it for that payout (C12)."""

    id: str
    category: str
    date: dt.date
    net: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """One payout. `amount` left the balance: above zero to the bank, below zero from it.

    `claims` are its transactions without its own, None where the source can't say: of a manual or instant
    payout, and of an automatic one that is not reconciled yet. `arrives` is the day at the bank.
    `transactions` are the ids of its own transaction and of that of its failure.
    """

    ref: str
    id: str
    date: dt.date
    created: int
    arrives: dt.date
    currency: str
    amount: int
    status: str
    is_automatic: bool
    method: str = "standard"
    failure: str | None = None
    claims: tuple[Claim, ...] | None = None
    transactions: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedBalance:
    """What a source reports of its balance in one currency: available and pending, minor units.

    It was read right after the transaction created at `newest`; `at_newest` are the ids of those that had
    been created in that same second. None and () where the source had no transaction at all. `is_sure`: no
    transaction came between the two readings.
    """

    currency: str
    available: int
    pending: int
    newest: int | None = None
    at_newest: tuple[str, ...] = ()
    is_sure: bool = True

    @property
    def amount(self) -> int:
        """Available and pending together."""
        return self.available + self.pending

    def covers(self, one: BalanceTransaction) -> bool:
        """Whether a transaction had been made when the balance was read."""
        if self.newest is None:
            return False
        return one.created < self.newest or one.id in self.at_newest
