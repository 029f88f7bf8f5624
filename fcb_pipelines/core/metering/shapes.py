"""The shapes of the dual run's JSON: `metering` of the status, and the section of the close report.

docs/status.md describes the first two. Amounts are integer minor units of the currency beside them.
"""

from typing import TypedDict


class Figures(TypedDict):
    """The figures of the dual run of one month or of one service."""

    rows: int
    match: int
    delta: int
    failed: int
    causes: dict[str, int]
    expected: int
    actual: int
    unexplained_count: int
    unexplained_sum: int
    one_off: int
    one_off_actual: int


class MeteringStatus(TypedDict):
    """The object `metering` of the status."""

    currency: str
    flip_ready: bool
    cycle: str | None
    periods: dict[str, Figures]
    services: dict[str, Figures]
    leaks: int


class SubscriptionRow(TypedDict):
    """One subscription's month, or one invoice without a subscription."""

    service: str
    subscription: str | None
    customer: str
    customer_name: str
    plan: str | None
    verdict: str
    cause: str | None
    meaning: str
    explained: bool
    currency: str
    expected: int | None
    overage: int | None
    actual: int
    delta: int | None
    detail: str
    documents: list[str]


class CauseSums(TypedDict):
    """Expected and actual of the rows with one cause."""

    cause: str
    rows: int
    expected: int
    actual: int


class CustomerSum(TypedDict):
    """The sum invoiced to one customer by one service in one currency."""

    customer: str
    name: str
    service: str
    currency: str
    actual: int


class LeakRow(TypedDict):
    """One leak: a `Leak` of leaks.py as JSON."""

    kind: str
    service: str
    subscription_id: str | None
    deployment_id: str | None
    customer: str
    customer_name: str
    period: str | None
    currency: str
    amount: int | None
    detail: str


class MeteringSection(Figures):
    """One month's dual run in the close report."""

    currency: str
    difference: int
    subscriptions: list[SubscriptionRow]
    one_offs: list[SubscriptionRow]
    by_cause: list[CauseSums]
    by_customer: list[CustomerSum]
    leaks: list[LeakRow]
