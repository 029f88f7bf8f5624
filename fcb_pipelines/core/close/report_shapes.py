"""The shapes of the close report's sections over more than its month: receivable, comparison, changes.

Amounts are integer minor units of the currency beside them; dates are ISO 8601, periods `YYYY-MM`.
"""

from typing import TypedDict


class Movement(TypedDict):
    """One line of the roll-forward: entries of one kind dated in the month; what is owed less is negative."""

    part: str
    label: str
    count: int
    amount: int


class ByHand(TypedDict):
    """One document that is open by another amount than our entries come to; `amount` is the difference."""

    ref: str
    number: str
    partner: str
    amount: int
    explained: bool


class RollForward(TypedDict):
    """The receivable of one currency through the month.

    `opening` and `movements` come to `closing`: our posted entries on the receivable, by date of entry.
    `by_hand` is what entries that are not ours settle of documents that are listed for it, `unexplained`
    what nothing explains; with both it is `open`, what the ledger has open at the month's end.
    `differing` are the documents of both.
    """

    currency: str
    opening: int
    movements: list[Movement]
    closing: int
    by_hand: int
    unexplained: int
    open: int
    differing: list[ByHand]


class AgeingRow(TypedDict):
    """What one customer owes in one currency at the month's end, by days overdue.

    `credit` is what is open to the customer's credit, negative; `total` is the sum of the others.
    """

    partner: str
    name: str | None
    currency: str
    current: int
    days_1_30: int
    days_31_60: int
    days_61_90: int
    over_90: int
    credit: int
    total: int


class OpenDocument(TypedDict):
    """One document, or one credit without a document of ours, that is open at the month's end.

    `since` is the day that its age counts from: `due`, or its own date where `basis` is `date`. `days` is None for a credit.
    """

    ref: str
    number: str
    partner: str
    name: str | None
    currency: str
    since: str
    basis: str
    days: int | None
    open: int


class FamilyCompared(TypedDict):
    """Revenue of one family in the company's currency; None where that month was not built."""

    family: str
    amount: int
    month_before: int | None
    year_before: int | None


class Found(TypedDict):
    """Where a document is found: the ledger's own number, and addresses of pages (None: not configured)."""

    ledger_number: str
    ledger_url: str | None
    source_url: str | None


class Since(TypedDict):
    """The report that this one is compared with; `intact` says that its data had the digest that it carried."""

    snapshot: str
    version: str
    digest: str
    intact: bool


class DocumentChange(TypedDict):
    """One document that is `new`, `gone` or `changed`; `details` say each field's value now and before."""

    ref: str
    number: str
    what: str
    details: list[str]


class AmountChange(TypedDict):
    """One amount of the report, minor units; None where the report has or had no such row."""

    name: str
    currency: str
    before: int | None
    now: int | None


class GateChange(TypedDict):
    """One gate with another outcome; empty where it was or is not evaluated."""

    name: str
    before: str
    now: str


class Changes(TypedDict):
    """What is otherwise than in the report before; `since` is None for the first report of a month."""

    since: Since | None
    documents: list[DocumentChange]
    amounts: list[AmountChange]
    gates: list[GateChange]
