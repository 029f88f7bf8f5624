"""The dual run, row by row: each row of the table flips one fact of a subscription that matches."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as of
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Reason
from fcb_pipelines.core.company.charges import Reading
from fcb_pipelines.core.company.services import CataloguePlan, Subscription
from fcb_pipelines.core.metering.cycles import Span
from fcb_pipelines.core.metering.dual_rows import DualRun, active_subscriptions
from fcb_pipelines.core.metering.dual_run import CAUSES, Cause, MeteringDelta, MeteringVerdict
from fcb_pipelines.core.metering.expected import expected_charges
from fcb_pipelines.core.metering.invoiced import Invoiced, InvoicedLine
from fcb_pipelines.core.metering.usage import usage
from fcb_pipelines.core.money import half_up
from fcb_pipelines_tests.metering import (
    MAY,
    MAY_CYCLE,
    METRICS,
    NOBODY,
    ZONE,
    a_billed_line,
    a_document,
    a_plan,
    a_reading,
    a_subscription,
    at,
    span,
)

MATCH, DELTA, FAILED = MeteringVerdict.MATCH, MeteringVerdict.DELTA, MeteringVerdict.FAILED
SOME = a_reading("2026-05-01", "2026-05-02", "10")
MUCH = a_reading("2026-05-02", "2026-05-03", "300")  # 210 core-hours beyond the quota: 1.58
WHOLE = a_billed_line(20000)
OVERAGE = a_billed_line(158, description="CPU beyond the plan")
STARTER = a_plan("p2", plan="Hosting - Starter", price_monthly=Decimal("44.25"))


@dataclass(frozen=True, kw_only=True)
class World:
    """s1 on p1 in May: some usage, and one invoice of its price."""

    subscription: Subscription | None = of(default_factory=a_subscription)
    plans: Sequence[CataloguePlan] = (a_plan(), STARTER)
    readings: Sequence[Reading] = (SOME,)
    documents: Sequence[Invoiced] = (a_document(WHOLE),)
    period: str = MAY

    def rows(self) -> tuple[MeteringDelta, ...]:
        known = {("cloud", "s1"): self.subscription} if self.subscription else {}
        plans = {(plan.service, plan.plan_id): plan for plan in self.plans}
        used = usage(
            self.readings, known, METRICS, period=self.period, timezone=ZONE, late_after_hours=24
        )
        expected = expected_charges(
            active_subscriptions(self.documents, used, self.period),
            known,
            plans,
            used,
            period=self.period,
            timezone=ZONE,
        )
        return DualRun(
            period=self.period,
            currency="CAD",
            timezone=ZONE,
            documents=self.documents,
            usage=used,
            expected=expected,
            subscriptions=known,
            plans=plans,
            customers=NOBODY,
        ).rows()


def billed(*lines: InvoicedLine, **facts: object) -> tuple[Invoiced, ...]:
    return (a_document(*lines, **facts),)


def line(net: int, start: str, end: str = "2026-06-01", **facts: object) -> InvoicedLine:
    """A line for the time from `start` in May."""
    return a_billed_line(net, span(start, end), **facts)


def remaining(
    net: int, start: str, plan: str = "Hosting - Pro", end: str = "2026-06-01"
) -> InvoicedLine:
    return line(net, start, end, description=f"Remaining time on {plan} after {start[:10]}")


def unused(net: int, start: str, plan: str) -> InvoicedLine:
    return line(net, start, description=f"Unused time on {plan} after {start[:10]}")


YEARLY = a_subscription(billing_cycle="yearly", start=at("2026-05-20"), end=at("2027-05-20"))
A_YEAR = line(200000, "2026-05-20", "2027-05-20")


@pytest.mark.parametrize(
    ("world", "verdict", "cause", "expected", "actual"),
    [
        (World(), MATCH, None, 20000, 20000),
        (World(readings=()), MATCH, None, 20000, 20000),
        # One cent is rounding, two are not.
        (World(documents=billed(a_billed_line(20001))), MATCH, None, 20000, 20001),
        (World(documents=billed(a_billed_line(20002))), DELTA, Cause.LIST_PRICE_DIFFERS, 20000, 20002),
        (World(documents=billed(a_billed_line(4425))), DELTA, Cause.LIST_PRICE_DIFFERS, 20000, 4425),
        (World(documents=billed(a_billed_line(0))), DELTA, Cause.LIST_PRICE_DIFFERS, 20000, 0),
        # Overage: invoiced, not invoiced, and what nobody measured.
        (World(readings=(SOME, MUCH), documents=billed(WHOLE, OVERAGE)), MATCH, None, 20158, 20158),
        (World(readings=(SOME, MUCH)), DELTA, Cause.NOT_INVOICED, 20158, 20000),
        (World(documents=()), DELTA, Cause.NOT_INVOICED, 20000, 0),
        (World(readings=(), documents=billed(WHOLE, OVERAGE)), DELTA, Cause.NO_USAGE, 20000, 20158),
        (World(documents=billed(WHOLE, OVERAGE)), DELTA, Cause.LIST_PRICE_DIFFERS, 20000, 20158),
        # Prorations: to the second, with overage beside it, and by whole days.
        (World(documents=billed(remaining(911, "2026-05-30 14:06:39"))), DELTA, Cause.PRORATION, 20000, 911),
        (World(documents=billed(remaining(913, "2026-05-30 14:06:39"))), DELTA, Cause.LIST_PRICE_DIFFERS, 20000, 913),
        (World(documents=billed(line(911, "2026-05-30 14:06:39"))), DELTA, Cause.PRORATION, 20000, 911),
        (World(documents=billed(line(10968, "2026-05-15"))), DELTA, Cause.PRORATION, 20000, 10968),
        (World(documents=billed(line(9032, "2026-05-01", "2026-05-15"))), DELTA, Cause.PRORATION, 20000, 9032),
        (World(readings=(SOME, MUCH), documents=billed(remaining(911, "2026-05-30 14:06:39"), OVERAGE)), DELTA, Cause.PRORATION, 20158, 1069),
        (World(readings=(SOME, MUCH), documents=billed(remaining(911, "2026-05-30 14:06:39"))), DELTA, Cause.NOT_INVOICED, 20158, 911),
        # A change of plan in the middle of the month: billed, taken back, billed.
        (World(documents=billed(a_billed_line(4425, description="Hosting - Starter"), unused(-2427, "2026-05-15", "Hosting - Starter"), remaining(10968, "2026-05-15"))), DELTA, Cause.PRORATION, 20000, 12966),
        (World(documents=billed(a_billed_line(4425, description="Hosting - Starter"), unused(-1000, "2026-05-15", "Hosting - Starter"), remaining(10968, "2026-05-15"))), DELTA, Cause.LIST_PRICE_DIFFERS, 20000, 14393),
        # A yearly plan owes its price in the month its cycle begins.
        (World(subscription=YEARLY, readings=(), documents=billed(A_YEAR)), MATCH, None, 200000, 200000),
        (World(subscription=a_subscription(billing_cycle="yearly", start=at("2026-04-01"))), DELTA, Cause.LIST_PRICE_DIFFERS, 0, 20000),
        (World(subscription=a_subscription(billing_cycle="yearly", start=at("2026-04-01")), documents=()), MATCH, None, 0, 0),
        # Not, or no longer, in force.
        (World(subscription=a_subscription(status="trialing"), documents=billed(a_billed_line(0))), MATCH, None, 0, 0),
        (World(subscription=a_subscription(status="canceled", end=at("2026-05-01")), documents=()), MATCH, None, 0, 0),
        (World(subscription=a_subscription(status="canceled")), MATCH, None, 20000, 20000),
        # What can't be told is never a silent price.
        (World(subscription=a_subscription(billing_cycle="weekly")), FAILED, Cause.UNKNOWN_CYCLE, None, 20000),
        (World(subscription=a_subscription(billing_cycle=None)), FAILED, Cause.UNKNOWN_CYCLE, None, 20000),
        (World(subscription=a_subscription(billing_cycle="yearly", start=None)), FAILED, Cause.UNKNOWN_CYCLE, None, 20000),
        (World(plans=(a_plan(price_monthly=None),)), FAILED, Cause.MISSING_PRICE, None, 20000),
        (World(subscription=YEARLY, plans=(a_plan(price_yearly=None),), readings=(), documents=billed(A_YEAR)), FAILED, Cause.MISSING_PRICE, None, 200000),
        (World(plans=()), FAILED, Cause.MISSING_PRICE, None, 20000),
        (World(subscription=a_subscription(plan_id=None)), FAILED, Cause.MISSING_PRICE, None, 20000),
        (World(subscription=None), FAILED, Cause.MISSING_PRICE, None, 20000),
        (World(plans=(a_plan(quota=None),)), FAILED, Cause.MISSING_QUOTA, None, 20000),
        (World(plans=(a_plan(quota=None),), readings=()), MATCH, None, 20000, 20000),
        (World(documents=billed(WHOLE, currency="USD")), FAILED, Cause.OTHER_CURRENCY, 20000, 20000),
        (World(documents=billed(net=20000, problem=Reason.UNREACHABLE)), FAILED, Cause.UNREADABLE_DOCUMENT, 20000, 20000),
        # Two invoices of one month are one row.
        (World(documents=(a_document(a_billed_line(15000)), a_document(a_billed_line(5000), ref="stripe:a:in_2"))), MATCH, None, 20000, 20000),
    ],
)  # fmt: skip
def test_a_row_is_judged_by_its_facts(
    world: World, verdict: MeteringVerdict, cause: Cause | None, expected: int | None, actual: int
) -> None:
    (row,) = world.rows()
    assert (row.verdict, row.cause, row.expected, row.actual) == (verdict, cause, expected, actual)
    assert row.subscription_id == "s1"
    assert row.detail
    assert row.explained is (verdict is MATCH or cause is Cause.PRORATION)
    if cause:
        assert CAUSES[cause].verdict is verdict


@pytest.mark.parametrize(
    ("price", "net", "start", "told"),
    [
        ("200", 911, "2026-05-30 14:06:39", "200.00 x 122001 s of 2678400 s = 9.11"),
        ("50", 913, "2026-05-26 08:08:44", "50.00 x 489076 s of 2678400 s = 9.13"),
        ("200", 915, "2026-05-30 13:57:43", "200.00 x 122537 s of 2678400 s = 9.15"),
        ("50", 917, "2026-05-26 07:33:01", "50.00 x 491219 s of 2678400 s = 9.17"),
    ],
)
def test_the_witness_shows_the_arithmetic(price: str, net: int, start: str, told: str) -> None:
    world = World(
        plans=(a_plan(price_monthly=Decimal(price)),), documents=billed(remaining(net, start))
    )
    assert [row.detail for row in world.rows()] == [told]


def test_what_is_taken_back_is_told_below_zero() -> None:
    (row,) = World(
        documents=billed(
            unused(-2427, "2026-05-15", "Hosting - Starter"), remaining(10968, "2026-05-15")
        )
    ).rows()
    assert row.detail == (
        "-44.25 x 1468800 s of 2678400 s = -24.27; 200.00 x 1468800 s of 2678400 s = 109.68"
    )


@given(
    price=st.integers(100, 100_000),
    second=st.integers(1, 2_678_399),
    off=st.sampled_from((-3, -2, 2, 3)),
)
def test_whatever_second_a_plan_changed_the_witness_knows_its_share_and_no_other(
    price: int, second: int, off: int
) -> None:
    begun = Span(start=MAY_CYCLE.end - timedelta(seconds=second), end=MAY_CYCLE.end)
    net = half_up(Decimal(price) * second / 2_678_400)
    plan = a_plan(price_monthly=Decimal(price) / 100, price_yearly=None)
    rows = {}
    for billed_net in (net, net + off):
        own = a_billed_line(billed_net, begun, description="Remaining time on Hosting - Pro")
        (rows[billed_net],) = World(plans=(plan,), documents=billed(own)).rows()
    if abs(price - net) > 1 and net > 0:
        assert rows[net].cause is Cause.PRORATION
    if rows[net + off].verdict is DELTA:
        assert rows[net + off].cause is Cause.LIST_PRICE_DIFFERS


def test_an_invoice_without_a_subscription_is_a_row_of_its_own() -> None:
    one_off = a_document(ref="stripe:a:in_7", subscription_id=None, net=3220, number="N-7")
    june = a_document(
        ref="stripe:a:in_8", subscription_id=None, net=5, period="2026-06", date=date(2026, 6, 1)
    )
    rows = World(documents=(a_document(WHOLE), one_off, june)).rows()
    assert [(row.verdict, row.subscription_id, row.expected, row.actual) for row in rows] == [
        (MATCH, "s1", 20000, 20000),
        (MeteringVerdict.ONE_OFF, None, None, 3220),
    ]
    assert (rows[1].documents, rows[1].delta) == (("stripe:a:in_7",), None)


def test_neither_invoice_nor_usage_is_no_row() -> None:
    assert World(readings=(), documents=()).rows() == ()
    assert World(period="2026-04").rows() == ()
