"""The dual run: the charges of the metering engine against the invoiced ones, row by row.

A row is a (service, subscription, period) that has an invoice or usage, or one invoice without a
subscription (rule M3). Verdicts and causes are closed lists.
"""

from dataclasses import dataclass
from enum import StrEnum


class MeteringVerdict(StrEnum):
    """The result of a row."""

    MATCH = "match"
    DELTA = "delta"
    ONE_OFF = "one_off"
    FAILED = "failed"


class Cause(StrEnum):
    """The cause of a delta or of a failed row."""

    PRORATION = "proration"
    LIST_PRICE_DIFFERS = "list_price_differs"
    NO_USAGE = "no_usage"
    NOT_INVOICED = "not_invoiced"
    UNKNOWN_CYCLE = "unknown_cycle"
    MISSING_PRICE = "missing_price"
    MISSING_QUOTA = "missing_quota"
    OTHER_CURRENCY = "other_currency"
    UNREADABLE_DOCUMENT = "unreadable_document"
    UNREADABLE_ROW = "unreadable_row"


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseMeaning:
    """A cause with its verdict, its meaning, and whether it explains the delta."""

    cause: Cause
    verdict: MeteringVerdict
    meaning: str
    explains: bool = False


_DELTA, _FAILED = MeteringVerdict.DELTA, MeteringVerdict.FAILED

CAUSES: dict[Cause, CauseMeaning] = {
    each.cause: each
    for each in (
        CauseMeaning(cause=Cause.PRORATION, verdict=_DELTA, explains=True, meaning="Each line for a plan bills the share of its price that the arithmetic beside it shows."),
        CauseMeaning(cause=Cause.NOT_INVOICED, verdict=_DELTA, meaning="Usage without an invoice, or its overage is on none."),
        CauseMeaning(cause=Cause.NO_USAGE, verdict=_DELTA, meaning="More than the flat price was invoiced, and no usage is recorded."),
        CauseMeaning(cause=Cause.LIST_PRICE_DIFFERS, verdict=_DELTA, meaning="Another amount was invoiced than the plan's price and the usage give."),
        CauseMeaning(cause=Cause.UNKNOWN_CYCLE, verdict=_FAILED, meaning="The billing cycle is neither monthly nor yearly, or the start of a yearly one is unknown."),
        CauseMeaning(cause=Cause.MISSING_PRICE, verdict=_FAILED, meaning="The subscription, its plan or the plan's price for its cycle is missing."),
        CauseMeaning(cause=Cause.MISSING_QUOTA, verdict=_FAILED, meaning="There is usage, and the plan does not say how much of it is included."),
        CauseMeaning(cause=Cause.OTHER_CURRENCY, verdict=_FAILED, meaning="It was invoiced in another currency than the prices are in."),
        CauseMeaning(cause=Cause.UNREADABLE_DOCUMENT, verdict=_FAILED, meaning="A linked document could not be read, or its lines do not sum."),
        CauseMeaning(cause=Cause.UNREADABLE_ROW, verdict=_FAILED, meaning="A row of its subscription, its plan or its usage breaks the contract of its table."),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteringDelta:
    """One row. Amounts are minor units of `currency` before tax; `delta` is expected less actual.

    `subscription_id` is None only for a one-off. `overage` is the part of `expected` for usage
    beyond the quota. `detail` gives the arithmetic or the fault; `documents` are refs.
    """

    service: str
    subscription_id: str | None
    period: str
    customer: str
    customer_name: str
    plan: str
    currency: str
    verdict: MeteringVerdict
    cause: Cause | None
    expected: int | None
    overage: int
    actual: int
    detail: str
    documents: tuple[str, ...] = ()

    @property
    def delta(self) -> int | None:
        """Expected less actual; None where nothing can be expected."""
        return None if self.expected is None else self.expected - self.actual

    @property
    def explained(self) -> bool:
        """Whether it is a match, or a delta that its cause explains to the cent."""
        if self.verdict is MeteringVerdict.MATCH:
            return True
        return self.cause is not None and CAUSES[self.cause].explains
