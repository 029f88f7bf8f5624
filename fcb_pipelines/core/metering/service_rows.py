"""Rows of the service tables as values: NexaCloud's own tables, and those of the other services.

Each function takes rows as mappings with the columns of the tables' contract. NexaCloud's tables
belong to one service; the tables `service_…` have a column that names theirs.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fcb_pipelines.core.company.charges import Charge, Reading, UnreadReading
from fcb_pipelines.core.company.services import (
    CataloguePlan,
    Invoicing,
    PlanCharge,
    Service,
    ServiceCustomer,
    Subscription,
    email_key,
)
from fcb_pipelines.core.metering.cycles import instant, is_moment

Row = Mapping[str, Any]
Rows = Iterable[Row]
# A row that breaks its table's contract, and why it can't be read.
Unread = Iterable[tuple[Row, str]]


def nexacloud_plans(rows: Rows, service: Service) -> tuple[CataloguePlan, ...]:
    """NexaCloud's plans; the quota of a charge by the plan is cpu_seconds_quota."""
    return tuple(_plan(row, service, row["cpu_seconds_quota"]) for row in rows)


def service_plans(rows: Rows, services: Mapping[str, Service]) -> tuple[CataloguePlan, ...]:
    """The plans of the services that are configured."""
    own = ((row, services[row["service"]]) for row in rows if row["service"] in services)
    return tuple(_plan(row, service, row["quota"]) for row, service in own)


def listed_plans(services: Iterable[Service]) -> tuple[CataloguePlan, ...]:
    """The plans of these services that the registry lists."""
    return tuple(
        CataloguePlan(
            service=service.key,
            plan_id=plan.id,
            plan=plan.name,
            active=plan.active,
            price_monthly=plan.price_monthly,
            price_yearly=plan.price_yearly,
            charges=_charges(service, plan.quota),
        )
        for service in services
        for plan in service.plans
    )


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


def unread_plans(rows: Unread, service: str | None) -> tuple[CataloguePlan, ...]:
    """The plans whose rows can't be read; `problem` carries the reason to all that depends on them.

    `service` owns the table; None where each row names its own. A row without a service or an id is
    left out: only the gate lists it. The two functions below do the same.
    """
    return tuple(
        CataloguePlan(
            service=own,
            plan_id=key,
            plan=_text(row.get("name")) or key,
            active=row.get("is_active") is not False,
            price_monthly=None,
            price_yearly=None,
            charges=(),
            problem=why,
        )
        for row, why in rows
        if (own := service or _text(row.get("service"))) and (key := _text(row.get("id")))
    )


def unread_subscriptions(
    rows: Unread, service: str | None, timezone: str
) -> tuple[Subscription, ...]:
    """The subscriptions whose rows can't be read, with their customer and cycle where those can."""
    return tuple(
        Subscription(
            service=own,
            id=key,
            customer=_text(row.get("user_id" if service else "customer_id")) or "",
            plan_id=None,
            status="",
            billing_cycle=None,
            start=_known(row.get("current_period_start"), timezone),
            end=None,
            deployment_id=_text(row.get("deployment_id")),
            problem=why,
        )
        for row, why in rows
        if (own := service or _text(row.get("service"))) and (key := _text(row.get("id")))
    )


def unread_readings(rows: Unread, service: str | None, timezone: str) -> tuple[UnreadReading, ...]:
    """The usage whose rows can't be read; `at` is the first of a row's moments that can, or None."""
    return tuple(
        UnreadReading(
            service=own,
            subscription_id=key,
            metric=_text(row.get("metric")),
            at=next(filter(None, (_placing(row, name, timezone) for name in _PLACING)), None),
            why=why,
        )
        for row, why in rows
        if (own := service or _text(row.get("service")))
        and (key := _text(row.get("subscription_id")))
    )


def service_invoicings(
    rows: Rows, claimed: Callable[[str | None], str | None]
) -> tuple[Invoicing, ...]:
    """The invoices of the other services that name a source document, in order of their ids.

    `claimed` turns a source id (in_…, lago:…) into a document's ref.
    """
    named = ((row, claimed(row["source_id"])) for row in sorted(rows, key=_by_id))
    return tuple(
        Invoicing(
            service=row["service"],
            invoice_id=row["id"],
            ref=ref,
            customer=row["customer_id"],
            subscription_id=row["subscription_id"] or None,
        )
        for row, ref in named
        if ref is not None
    )


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


def _by_id(row: Row) -> tuple[str, str]:
    return str(row["id"]), str(row["service"])


def _plan(row: Row, service: Service, quota: Decimal | None) -> CataloguePlan:
    return CataloguePlan(
        service=service.key,
        plan_id=row["id"],
        plan=row["name"],
        active=row["is_active"] is not False,
        price_monthly=row["price_monthly"],
        price_yearly=row["price_yearly"],
        charges=_charges(service, quota),
    )


def _charges(service: Service, quota: Decimal | None) -> tuple[PlanCharge, ...]:
    return tuple(PlanCharge(charge=one, quota=_quota(one, quota)) for one in service.charges)


def _quota(charge: Charge, of_plan: Decimal | None) -> Decimal | None:
    return charge.quota if isinstance(charge.quota, Decimal) else of_plan


def _subscription(
    row: Row, service: str, customer: str, deployment: str | None, timezone: str
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
        at_source=_text(row.get("stripe_subscription_id") or row.get("source_subscription_id")),
    )


def _reading(
    row: Row,
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


_PLACING = ("period_start", "period_end", "created_at", "recorded_at")


def _placing(row: Row, name: str, timezone: str) -> datetime | None:
    moment = _known(row.get(name), timezone)
    # A window that ends at midnight is of the day before.
    return moment - timedelta(microseconds=1) if moment and name == "period_end" else moment


def _known(value: Any, timezone: str) -> datetime | None:
    """The moment in UTC, None for a value that is none."""
    return instant(value, timezone) if is_moment(value) else None


def _text(value: object) -> str | None:
    """A value as text, None for a missing one."""
    return None if value is None or value != value else str(value)


def _emails(*addresses: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for one in addresses if (key := email_key(one))))
