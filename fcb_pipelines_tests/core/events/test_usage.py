"""Who has used 80 % and 100 % of what the plan includes."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.company.charges import Charge
from fcb_pipelines.core.company.services import PlanCharge
from fcb_pipelines.core.events.event import Event, event_of
from fcb_pipelines.core.events.usage import usage_events
from fcb_pipelines.core.metering.usage import Remark, RemarkKind, Usage
from fcb_pipelines_tests.events import ZONE, settings
from fcb_pipelines_tests.metering import MAY, MAY_CYCLE, a_plan, a_subscription

TODAY = date(2026, 5, 20)
METRIC = "cpu_seconds"
CHARGE = PlanCharge(
    charge=Charge(metric=METRIC, batch=Decimal(3600), price=Decimal(1)), quota=Decimal(1000)
)
OWN = a_subscription()
PLAN = a_plan(charges=(CHARGE,))


def a_use(quantity: str, **changes: Any) -> Usage:
    row = Usage(
        service=OWN.service,
        subscription_id=OWN.id,
        metric=METRIC,
        period=MAY,
        cycle=MAY_CYCLE,
        quantity=Decimal(quantity),
        readings=1,
    )
    return replace(row, **changes)


def told_of(*rows: Usage, plan: Any = PLAN, **how: Any) -> tuple[Event, ...]:
    return usage_events(
        rows,
        {(OWN.service, OWN.id): OWN},
        {(OWN.service, plan.plan_id): plan},
        {OWN.service: settings(**how)},
        today=TODAY,
        timezone=ZONE,
    )


@pytest.mark.parametrize(
    ("quantity", "percents"),
    [("799.999", []), ("800", [80]), ("999.999", [80]), ("1000", [80, 100]), ("5000", [80, 100])],
)
def test_each_threshold_is_told_from_the_quantity_on_that_reaches_it(
    quantity: str, percents: list[int]
) -> None:
    assert [one.reached and one.reached.percent for one in told_of(a_use(quantity))] == percents


@pytest.mark.parametrize(
    ("row", "plan", "how"),
    [
        (a_use("900", metric="storage"), PLAN, {}),
        (a_use("900", subscription_id="another"), PLAN, {}),
        (a_use("900", service="another"), PLAN, {}),
        (a_use("900", remarks=(Remark(kind=RemarkKind.UNREADABLE, start=MAY_CYCLE.start, end=MAY_CYCLE.end, value=None, detail="no"),)), PLAN, {}),
        (a_use("900"), replace(PLAN, charges=()), {}),
        (a_use("900"), replace(PLAN, charges=(replace(CHARGE, quota=None),)), {}),
        (a_use("900"), replace(PLAN, charges=(replace(CHARGE, quota=Decimal(0)),)), {}),
        (a_use("900"), replace(PLAN, plan_id="another"), {}),
        (a_use("900"), PLAN, {"start": date(2026, 5, 2)}),
        (a_use("900"), PLAN, {"types": [EventType.PAYMENT_FAILED]}),
    ],
)  # fmt: skip
def test_nothing_is_told_of_what_has_no_quota_or_is_not_measured_or_past(
    row: Usage, plan: Any, how: dict[str, Any]
) -> None:
    assert told_of(row, plan=plan, **how) == ()


def test_more_usage_is_the_same_event_and_another_cycle_another() -> None:
    (first,), (same,) = told_of(a_use("800")), told_of(a_use("900"))
    june = replace(MAY_CYCLE, start=MAY_CYCLE.end, end=MAY_CYCLE.end)
    (other,) = told_of(a_use("800", cycle=june))
    assert first.id == same.id != other.id
    assert first.subject == same.subject == other.subject


def test_the_figures_come_back_from_the_body() -> None:
    (one,) = told_of(a_use("812.50"))
    assert '"quantity":"812.5","quota":"1000"' in one.body
    back = event_of(one.body, subject=one.subject, period=one.period)
    assert back == one
    assert one.reached is not None
    assert one.reached.cycle_start <= one.occurred_at < one.reached.cycle_end
