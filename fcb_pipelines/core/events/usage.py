"""Which subscriptions have used 80 % and 100 % of what their plan includes."""

from collections.abc import Iterable, Mapping
from datetime import date

from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines.core.company.services import Plans, Subscription
from fcb_pipelines.core.events.event import Event, Reached
from fcb_pipelines.core.metering.usage import Usage
from fcb_pipelines.core.periods import beginning, local_date
from fcb_pipelines.core.refs import subscription_ref

THRESHOLDS = (80, 100)
"""Percent of the quota."""


def usage_events(
    usage: Iterable[Usage],
    subscriptions: Mapping[tuple[str, str], Subscription],
    plans: Plans,
    services: Mapping[str, EventSettings],
    *,
    today: date,
    timezone: str,
) -> tuple[Event, ...]:
    """One event for each threshold that the usage of a cycle has reached.

    A cycle that began before the service's `start` tells nothing, nor does usage that can't be read, or
    a plan without a quota. The event is dated on the day that it is noticed, within its cycle.
    """
    found = []
    for row in usage:
        settings = services.get(row.service)
        known = subscriptions.get((row.service, row.subscription_id))
        if settings is None or known is None or row.unread:
            continue
        if EventType.THRESHOLD_REACHED not in settings.types:
            continue
        if local_date(row.cycle.start, timezone) < settings.start:
            continue
        plan = plans.get((row.service, known.plan_id)) if known.plan_id else None
        for charge in plan.charges if plan else ():
            if charge.charge.metric != row.metric or not charge.quota:
                continue
            for percent in THRESHOLDS:
                if row.quantity * 100 >= charge.quota * percent:
                    reached = Reached(
                        metric=row.metric,
                        percent=percent,
                        quantity=row.quantity,
                        quota=charge.quota,
                        cycle_start=row.cycle.start,
                        cycle_end=row.cycle.end,
                    )
                    found.append(_event(row, known, reached, today, timezone))
    return tuple(found)


def _event(row: Usage, known: Subscription, reached: Reached, today: date, timezone: str) -> Event:
    start = reached.cycle_start.isoformat()
    last = local_date(reached.cycle_end, timezone)
    return Event(
        type=EventType.THRESHOLD_REACHED,
        service=row.service,
        subject=subscription_ref(row.service, row.subscription_id),
        period=row.period,
        occurred_at=max(reached.cycle_start, beginning(min(today, last), timezone)),
        customer=known.customer,
        subscription=row.subscription_id,
        deployment_id=known.deployment_id,
        reached=reached,
    ).because(f"{row.metric} {reached.percent} of the cycle of {start}")
