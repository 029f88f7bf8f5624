"""Rows of the service tables as values: NexaCloud's own tables, and those of the other services.

Each function takes rows as mappings with the columns of the tables' contract. NexaCloud's tables
belong to one service; the tables `service_…` have a column that names theirs.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from fcb_pipelines.core.charges import Charge, Reading
from fcb_pipelines.core.cycles import instant
from fcb_pipelines.core.services import (
    CataloguePlan,
    Invoicing,
    PlanCharge,
    Service,
    ServiceCustomer,
    Subscription,
    email_key,
)

Rows = Iterable[Mapping[str, Any]]


def nexacloud_plans(rows: Rows, service: Service) -> tuple[CataloguePlan, ...]:
    """NexaCloud's plans; the quota of a charge by the plan is cpu_seconds_quota."""
    return tuple(_plan(row, service, row["cpu_seconds_quota"]) for row in rows)


def service_plans(rows: Rows, services: Mapping[str, Service]) -> tuple[CataloguePlan, ...]:
    """The plans of the services that are configured."""
    own = ((row, services[row["service"]]) for row in rows if row["service"] in services)
    return tuple(_plan(row, service, row["quota"]) for row, service in own)


def nexacloud_subscriptions(rows: Rows, service: str, timezone: str) -> tuple[Subscription, ...]:
    """NexaCloud's subscriptions."""
    return tuple(
        _subscription(row, service, row["user_id"], row["deployment_id"], timezone) for row in rows
    )


def service_subscriptions(rows: Rows, timezone: str) -> tuple[Subscription, ...]:
    """The subscriptions of the other services; they have no deployments."""
    return tuple(
        _subscription(row, row["service"], row["customer_id"], None, timezone) for row in rows
    )


def nexacloud_readings(rows: Rows, service: Service, timezone: str) -> tuple[Reading, ...]:
    """A reading of each metric of NexaCloud for each row of usage_records."""
    columns = [(metric.key, metric.column) for metric in service.metrics if metric.column]
    return tuple(
        _reading(row, service.key, key, row[column], None, row.get("created_at"), timezone)
        for row in rows
        for key, column in columns
    )


def service_readings(rows: Rows, timezone: str) -> tuple[Reading, ...]:
    """A reading for each row of service_usage."""
    return tuple(
        _reading(
            row,
            row["service"],
            row["metric"],
            row["quantity"],
            row["item"],
            row["recorded_at"],
            timezone,
        )
        for row in rows
    )


def service_invoicings(
    rows: Rows, claimed: Callable[[str | None], str | None]
) -> tuple[Invoicing, ...]:
    """The invoices of the other services that name a source document.

    `claimed` turns a source id (in_…, lago:…) into a document's ref. Where two name the same
    document the one with the smaller id has it (rule A7).
    """
    found: dict[tuple[str, str], Invoicing] = {}
    for row in sorted(rows, key=lambda row: str(row["id"])):
        ref = claimed(row["source_id"])
        if ref is not None:
            one = Invoicing(
                service=row["service"],
                invoice_id=row["id"],
                ref=ref,
                customer=row["customer_id"],
                subscription_id=row["subscription_id"] or None,
            )
            found.setdefault((one.service, ref), one)
    return tuple(found.values())


def nexacloud_customers(rows: Rows, service: str) -> tuple[ServiceCustomer, ...]:
    """NexaCloud's users as customers of their service."""
    return tuple(
        ServiceCustomer(
            service=service,
            id=row["id"],
            name=row["company"] or row["full_name"] or row["email"] or row["id"],
            emails=_emails(row["email"], row["billing_email"]),
        )
        for row in rows
    )


def service_customers(rows: Rows) -> tuple[ServiceCustomer, ...]:
    """The customers of the other services."""
    return tuple(
        ServiceCustomer(
            service=row["service"],
            id=row["id"],
            name=row["name"] or row["email"] or row["id"],
            emails=_emails(row["email"]),
        )
        for row in rows
    )


def _plan(row: Mapping[str, Any], service: Service, quota: Decimal | None) -> CataloguePlan:
    return CataloguePlan(
        service=service.key,
        plan_id=row["id"],
        plan=row["name"],
        active=row["is_active"] is not False,
        price_monthly=row["price_monthly"],
        price_yearly=row["price_yearly"],
        charges=tuple(PlanCharge(charge=one, quota=_quota(one, quota)) for one in service.charges),
    )


def _quota(charge: Charge, of_plan: Decimal | None) -> Decimal | None:
    return charge.quota if isinstance(charge.quota, Decimal) else of_plan


def _subscription(
    row: Mapping[str, Any], service: str, customer: str, deployment: str | None, timezone: str
) -> Subscription:
    return Subscription(
        service=service,
        id=row["id"],
        customer=customer,
        plan_id=row["plan_id"],
        status=(row["status"] or "").strip().casefold(),
        billing_cycle=row["billing_cycle"],
        start=_moment(row["current_period_start"], timezone),
        end=_moment(row["current_period_end"], timezone),
        deployment_id=deployment,
    )


def _reading(
    row: Mapping[str, Any],
    service: str,
    metric: str,
    value: Decimal,
    item: str | None,
    recorded: datetime | date | None,
    timezone: str,
) -> Reading:
    return Reading(
        service=service,
        subscription_id=row["subscription_id"],
        metric=metric,
        start=instant(row["period_start"], timezone),
        end=instant(row["period_end"], timezone),
        value=value,
        item=item,
        recorded_at=_moment(recorded, timezone),
    )


def _moment(value: datetime | date | None, timezone: str) -> datetime | None:
    return None if value is None else instant(value, timezone)


def _emails(*told: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for one in told if (key := email_key(one))))
