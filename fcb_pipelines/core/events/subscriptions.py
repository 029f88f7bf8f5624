"""Which subscriptions have ended, and which live again.

The billing source says so. Only where it knows no subscription of a service's own does the service's
table count. A service's subscription may be several at the source, one after the other: it lives as long
as one of them does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines.core.company.services import Subscription
from fcb_pipelines.core.events.event import Event
from fcb_pipelines.core.facts.subscription import SubscriptionFacts
from fcb_pipelines.core.periods import beginning, local_date, period_of
from fcb_pipelines.core.refs import subscription_ref

_ENDED = frozenset({"canceled", "cancelled", "terminated", "expired"})
_TOLD = frozenset({EventType.SUBSCRIPTION_TERMINATED, EventType.SUBSCRIPTION_REACTIVATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Whether a service's subscription lives: the fact that says so, and since when, where known."""

    live: bool
    fact: str
    since: datetime | None


def subscription_events(
    subscriptions: Iterable[Subscription],
    at_source: Mapping[tuple[str, str], Sequence[SubscriptionFacts]],
    told: Mapping[str, Event],
    services: Mapping[str, EventSettings],
    *,
    today: date,
    timezone: str,
) -> tuple[Event, ...]:
    """The events that the present state of these subscriptions calls for, beside those already told.

    `at_source` has the source's subscriptions of a service's one, by service and id; `told` the last
    event of each, by its subject. What ended before the service's `start` is not told.
    """
    found = []
    for one in subscriptions:
        settings = services.get(one.service)
        here = at_source.get((one.service, one.id), ())
        life = life_of(one, here, today=today, timezone=timezone)
        if settings is None or life is None:
            continue
        subject = subscription_ref(one.service, one.id)
        last = told.get(subject)
        was_ended = last is not None and last.type is EventType.SUBSCRIPTION_TERMINATED
        if life.live is not was_ended:
            continue
        type_ = (
            EventType.SUBSCRIPTION_REACTIVATED if life.live else EventType.SUBSCRIPTION_TERMINATED
        )
        day = min(local_date(life.since, timezone), today) if life.since else today
        if type_ not in settings.types or (not life.live and day < settings.start):
            continue
        fact = f"{life.fact} after {last.id}" if last else life.fact
        found.append(
            Event(
                type=type_,
                service=one.service,
                subject=subject,
                period=period_of(day),
                occurred_at=life.since or beginning(day, timezone),
                customer=one.customer,
                subscription=one.id,
                deployment_id=one.deployment_id,
            ).because(fact)
        )
    return tuple(found)


def last_of_life(told: Iterable[Event]) -> dict[str, Event]:
    """The last event of each subscription's life, by subject; `told` is in the order of the telling."""
    return {one.subject: one for one in told if one.type in _TOLD}


def life_of(
    one: Subscription, at_source: Sequence[SubscriptionFacts], *, today: date, timezone: str
) -> Life | None:
    """Whether a service's subscription lives; None where nobody can tell.

    A subscription of the source that can't be read might be the one that lives, so then nothing is said.
    One that only the service knows has ended once its last cycle is over: its table has no other date.
    """
    if any(each.problem for each in at_source):
        return None
    living = sorted(each.ref for each in at_source if each.live)
    if living:
        return Life(live=True, fact=f"lives as {living[0]}", since=None)
    ended = [each for each in at_source if each.ended is not None]
    if ended:
        last = max(ended, key=lambda each: (each.ended, each.ref))
        return Life(live=False, fact=f"ended {last.ref}", since=last.ended)
    if one.problem or not one.status:
        return None
    if one.status in _ENDED:
        if one.end is None or local_date(one.end, timezone) > today:
            return None
        return Life(live=False, fact=f"ended {one.end.isoformat()}", since=one.end)
    return Life(live=True, fact=f"lives {one.status}", since=None)
