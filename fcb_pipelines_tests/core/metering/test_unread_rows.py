"""Rule M4: what can't be read is a failed row with its reason, never nothing and never the list price."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fcb_pipelines.core.company.services import Subscription
from fcb_pipelines.core.metering.dual_run import Cause
from fcb_pipelines.core.metering.expected import ExpectedCharge, expected_charges
from fcb_pipelines.core.metering.leaks import Deployment, LeakView
from fcb_pipelines.core.metering.service_rows import (
    unread_plans,
    unread_readings,
    unread_subscriptions,
)
from fcb_pipelines.core.metering.usage import RemarkKind, Usage, usage
from fcb_pipelines_tests.metering import (
    CLOUD,
    MAY,
    METRICS,
    NOBODY,
    ZONE,
    a_billed_line,
    a_document,
    a_plan,
    a_reading,
    a_subscription,
    at,
)

WHY = "nexacloud.usage_records subscription_id s1: cpu_hours: no finite number ('NaN')"
WINDOW = {
    "subscription_id": "s1",
    "period_start": at("2026-05-02"),
    "period_end": at("2026-05-03"),
    "cpu_hours": "NaN",
}
APRIL, JUNE = "2026-04", "2026-06"


def used(period: str, **changes: Any) -> tuple[Usage, ...]:
    own = a_subscription()
    return usage(
        [a_reading("2026-05-01", "2026-05-02", "2")],
        {(own.service, own.id): own},
        METRICS,
        period=period,
        timezone=ZONE,
        late_after_hours=24,
        unread=unread_readings([({**WINDOW, **changes}, WHY)], "cloud", ZONE),
    )


@pytest.mark.parametrize(
    ("case", "changes", "months"),
    [
        ("by its beginning", {}, {MAY}),
        ("its beginning is no moment: by its end", {"period_start": "0044-05-02 BC"}, {MAY}),
        ("it ends with the month", {"period_start": None, "period_end": at("2026-06-01")}, {MAY}),
        ("by when it was written", {"period_start": "infinity", "period_end": None, "created_at": at("2026-04-09")}, {APRIL}),
        ("in the year 1, that some zones lack", {"period_start": datetime(1, 1, 1, tzinfo=UTC)}, {MAY}),
        ("by nothing: it may be of every month", {"period_start": "infinity", "period_end": None}, {APRIL, MAY, JUNE}),
        ("whose it is, nobody knows", {"subscription_id": None}, set()),
    ],
)  # fmt: skip
def test_usage_that_cannot_be_read_is_a_remark_in_the_cycle_it_lies_in(
    case: str, changes: dict[str, Any], months: set[str]
) -> None:
    told = {month: used(month, **changes) for month in (APRIL, MAY, JUNE)}
    unread = {month for month, rows in told.items() if any(row.unread for row in rows)}
    assert unread == months, case
    for month in months:
        (row,) = told[month]
        (remark,) = row.remarks
        assert (remark.kind, remark.value) == (RemarkKind.UNREADABLE, None)
        assert remark.detail.startswith(WHY)


def expected(
    subscription: Subscription, *plans: Any, usage: tuple[Usage, ...] = (), **more: Any
) -> list[ExpectedCharge]:
    rows = expected_charges(
        [("cloud", "s1")],
        {("cloud", "s1"): subscription},
        {(plan.service, plan.plan_id): plan for plan in plans},
        usage,
        period=MAY,
        timezone=ZONE,
        **more,
    )
    return [row for row in rows if row.amount is None]


def test_usage_that_cannot_be_read_gives_no_overage() -> None:
    (row,) = expected(a_subscription(), a_plan(), usage=used(MAY))
    assert (row.cause, row.basis, row.used) == (Cause.UNREADABLE_ROW, WHY, None)


def test_without_a_readable_table_of_usage_no_overage_is_known() -> None:
    (row,) = expected(a_subscription(), a_plan(), unread={"cloud": "the column is missing"})
    assert (row.cause, row.basis) == (Cause.UNREADABLE_ROW, "the column is missing")
    assert expected(a_subscription(), a_plan(), unread={"maps": "it is missing"}) == []


def test_a_plan_or_subscription_that_cannot_be_read_gives_no_price() -> None:
    (plan,) = unread_plans([({"id": "p1", "name": None}, "price_monthly: 'NaN'")], "cloud")
    (row,) = expected(a_subscription(), plan)
    assert (row.cause, row.basis) == (Cause.UNREADABLE_ROW, "price_monthly: 'NaN'")
    broken = {
        "id": "s1",
        "user_id": "u1",
        "plan_id": "p1",
        "current_period_start": at("2026-05-09"),
    }
    (subscription,) = unread_subscriptions([(broken, "44 BC")], "cloud", ZONE)
    # What can be read of it is: whose it is, and when its cycle begins.
    assert (subscription.customer, subscription.start) == ("u1", at("2026-05-09"))
    (row,) = expected(subscription, a_plan())
    assert (row.cause, row.basis) == (Cause.UNREADABLE_ROW, "44 BC")


def test_a_row_of_another_service_says_whose_it_is_or_is_nobodys() -> None:
    rows = [({"service": "maps", "id": "p1"}, "why"), ({"service": None, "id": "p2"}, "why")]
    assert [(plan.service, plan.plan_id) for plan in unread_plans(rows, None)] == [("maps", "p1")]


@pytest.mark.parametrize(
    ("case", "subscription", "deployments", "unread", "leaks"),
    [
        ("it has none", a_subscription(), (), (), 1),
        ("its deployment can't be read", a_subscription(), (), ("d1",), 0),
        ("no deployment can be read", a_subscription(), None, (), 0),
        ("the subscription can't be read", a_subscription(problem="44 BC"), (), (), 0),
    ],
)
def test_nothing_is_said_of_a_deployment_that_cannot_be_read(
    case: str,
    subscription: Subscription,
    deployments: tuple[Deployment, ...] | None,
    unread: tuple[str, ...],
    leaks: int,
) -> None:
    view = LeakView(
        service=CLOUD.key,
        currency="CAD",
        timezone=ZONE,
        today=at("2026-04-20").date(),
        rows=(),
        documents=[a_document(a_billed_line(20000))],
        subscriptions={("cloud", "s1"): subscription},
        deployments=deployments,
        plans={("cloud", "p1"): a_plan()},
        customers=NOBODY,
        unread=unread,
    )
    assert len(view.leaks()) == leaks, case
