"""The shapes of cash in the JSON of the status, the close report and `fcb explain`.

Amounts are integer minor units of the currency beside them; dates are ISO 8601.
"""

from typing import TypedDict


class RollForward(TypedDict):
    """The balance in one currency over a month: `opening` and all that moved it are `closing`.

    `fees` are those of all transactions with the tax on them, `charges`, `refunds` and `disputes` are without
    theirs. `of_other_services` is what of all this is of other services of the company, fees included.
    """

    currency: str
    opening: int
    charges: int
    refunds: int
    disputes: int
    fees: int
    payouts: int
    other: int
    closing: int
    of_other_services: int


class InPayout(TypedDict):
    """What a payout holds of one category: how many transactions, and their net."""

    category: str
    count: int
    net: int


class PaidOut(TypedDict):
    """One payout of a month. `holds` is null where its source can't say what is in it."""

    ref: str
    id: str
    date: str
    arrives: str
    currency: str
    amount: int
    status: str
    is_automatic: bool
    holds: list[InPayout] | None


class FeeSum(TypedDict):
    """The fees of one category of transactions in a month, and the tax on them.

    `basis_points` is `amount` as a share of the month's charges in that currency, in hundredths of a percent; null
    without a charge.
    """

    currency: str
    category: str
    count: int
    amount: int
    tax: int
    basis_points: int | None


class OnItsWay(TypedDict):
    """What is open on the outstanding account at the month's end: `open` minor units, `age` in days."""

    key: str
    document: str | None
    currency: str
    open: int
    since: str
    age: int
    state: str


class CashSection(TypedDict):
    """The cash of one month in the close report; `under_way` is as the last proof found it."""

    roll_forward: list[RollForward]
    payouts: list[PaidOut]
    fees: list[FeeSum]
    under_way: list[OnItsWay]


class BalanceStatus(TypedDict):
    """One balance: `opening` and `moved` are `reported`, or differ by `difference`; `booked` is in entries."""

    source: str
    currency: str
    opening: int
    moved: int
    booked: int
    reported: int
    pending: int
    difference: int


class OpenSum(TypedDict):
    """What is open on the outstanding account in one currency; `oldest` in days."""

    currency: str
    count: int
    open: int
    oldest: int


class CashStatus(TypedDict):
    """The object `cash` of the status, as the last proof found it; payouts are counted by their status."""

    balances: list[BalanceStatus]
    payouts: dict[str, int]
    statements: int
    under_way: list[OpenSum]
    to_explain: int


class InvoicePaid(TypedDict):
    """One document that a transaction of a payout pays, refunds or disputes; `amount` moves the balance."""

    ref: str
    number: str | None
    currency: str
    amount: int


class PayoutLine(TypedDict):
    """One transaction of a payout. `reason` says what is to be known of it; null where nothing is."""

    id: str
    date: str
    category: str
    amount: int | None
    fees: int | None
    net: int
    documents: list[InvoicePaid]
    reason: str | None


class PayoutStory(TypedDict):
    """One payout with its transactions, null where its source can't say them, and the documents they are of."""

    ref: str
    id: str
    date: str
    arrives: str
    currency: str
    amount: int
    status: str
    is_automatic: bool
    transactions: list[PayoutLine] | None
