"""The leak view: each row of the table flips one fact of a company in which nothing leaks."""

from dataclasses import dataclass
from dataclasses import field as of
from datetime import date
from decimal import Decimal

import pytest

from fcb_pipelines.core.company.services import Subscription
from fcb_pipelines.core.metering.dual_run import Cause, MeteringDelta, MeteringVerdict
from fcb_pipelines.core.metering.invoiced import Invoiced
from fcb_pipelines.core.metering.leaks import Deployment, Leak, LeakKind, LeakView
from fcb_pipelines_tests.metering import (
    MAY,
    NOBODY,
    ZONE,
    a_billed_line,
    a_delta,
    a_document,
    a_plan,
    a_subscription,
    at,
)

OVERAGE, HOMELESS, UNBILLED, SILENT = LeakKind
FREE = a_plan("p0", price_monthly=Decimal(0))


def a_deployment(number: str = "d1", **facts: str | None) -> Deployment:
    told: dict[str, str | None] = {"user_id": "u1", "plan_id": "p1", "name": "acme-01"}
    told |= {"status": "running", "billing_cycle": "monthly", **facts}
    return Deployment(id=number, **told)


def not_invoiced(**facts: object) -> MeteringDelta:
    told = {"verdict": MeteringVerdict.DELTA, "cause": Cause.NOT_INVOICED, "detail": "no invoice"}
    return a_delta(**{**told, "expected": 20158, "overage": 158, **facts})


@dataclass(frozen=True, kw_only=True)
class Company:
    """One subscription with its running deployment, invoiced and measured in May."""

    rows: tuple[MeteringDelta, ...] = (a_delta(),)
    documents: tuple[Invoiced, ...] = (a_document(a_billed_line(20000)),)
    subscriptions: tuple[Subscription, ...] = (a_subscription(),)
    deployments: tuple[Deployment, ...] = of(default_factory=lambda: (a_deployment(),))

    def leaks(self) -> tuple[Leak, ...]:
        plans = {(plan.service, plan.plan_id): plan for plan in (a_plan(), FREE)}
        return LeakView(
            service="cloud",
            currency="CAD",
            timezone=ZONE,
            today=date(2026, 5, 31),
            rows=self.rows,
            documents=self.documents,
            subscriptions={(one.service, one.id): one for one in self.subscriptions},
            deployments=self.deployments,
            plans=plans,
            customers=NOBODY,
        ).leaks()


OTHER = a_subscription("s2", deployment_id=None)


@pytest.mark.parametrize(
    ("company", "found"),
    [
        (Company(), []),
        # Usage beyond the quota: all of it, the part that is on no invoice, or explained otherwise.
        (Company(rows=(not_invoiced(),)), [(OVERAGE, 158, MAY)]),
        (Company(rows=(not_invoiced(actual=20058),)), [(OVERAGE, 100, MAY)]),
        (Company(rows=(not_invoiced(actual=0),)), [(OVERAGE, 158, MAY)]),
        (Company(rows=(not_invoiced(overage=0, expected=20000, actual=0),)), []),
        (Company(rows=(not_invoiced(cause=Cause.LIST_PRICE_DIFFERS),)), []),
        # Invoiced subscriptions and their deployments.
        (Company(subscriptions=(a_subscription(deployment_id=None),), deployments=()), [(HOMELESS, 20000, None)]),
        (Company(deployments=()), [(HOMELESS, 20000, None)]),
        (Company(deployments=(a_deployment(status="deleted"),)), [(HOMELESS, 20000, None)]),
        (Company(deployments=(a_deployment(status="deleted"),), subscriptions=(a_subscription(status="canceled"),)), []),
        # Deployments that nobody is invoiced for.
        (Company(deployments=(a_deployment(), a_deployment("d2"))), [(UNBILLED, 20000, None)]),
        (Company(deployments=(a_deployment(), a_deployment("d2", billing_cycle="yearly"))), [(UNBILLED, 200000, None)]),
        (Company(deployments=(a_deployment(), a_deployment("d2", plan_id=None))), [(UNBILLED, None, None)]),
        (Company(deployments=(a_deployment(), a_deployment("d2", plan_id="p0"))), []),
        (Company(deployments=(a_deployment(), a_deployment("d2", status="stopped"))), []),
        (Company(documents=(a_document(a_billed_line(0)),)), [(UNBILLED, 20000, None)]),
        # Subscriptions in force with neither invoice nor usage.
        (Company(subscriptions=(a_subscription(), OTHER)), [(SILENT, 20000, MAY)]),
        (Company(subscriptions=(a_subscription(), a_subscription("s2", status="canceled"))), []),
        (Company(subscriptions=(a_subscription(), a_subscription("s2", status="trialing"))), []),
        (Company(subscriptions=(a_subscription(), a_subscription("s2", plan_id="p0"))), []),
        (Company(subscriptions=(a_subscription(), a_subscription("s2", start=None))), [(SILENT, 20000, None)]),
        (Company(subscriptions=(a_subscription(), a_subscription("s2", start=at("2026-06-01")))), []),
        (Company(rows=(a_delta(period="2026-04"),)), [(SILENT, 20000, MAY)]),
        (Company(rows=(a_delta(period="2026-06"),)), []),
    ],
)  # fmt: skip
def test_a_leak_is_told_with_what_it_is_worth(
    company: Company, found: list[tuple[LeakKind, int | None, str | None]]
) -> None:
    told = company.leaks()
    assert [(leak.kind, leak.amount, leak.period) for leak in told] == found
    assert all(leak.detail for leak in told)


def test_another_service_has_no_deployments_to_miss() -> None:
    maps = a_subscription("m1", service="maps", deployment_id=None)
    document = a_document(a_billed_line(100), service="maps", subscription_id="m1")
    row = a_delta(service="maps", subscription_id="m1")
    company = Company(
        rows=(a_delta(), row),
        documents=(a_document(a_billed_line(20000)), document),
        subscriptions=(a_subscription(), maps),
    )
    assert company.leaks() == ()
