"""The proof that what was to be told was told, and its part of status and close report."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from fcb_pipelines.core.events.delivery import Standing, State
from fcb_pipelines.core.events.event import Event
from fcb_pipelines.core.facts.subscription import SubscriptionFacts
from fcb_pipelines.core.proof.gate import Finding, failing, warning


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One event and the state of its delivery, when it was looked at. Instants are in UTC.

    `late`: it is dead, or has waited for more than a day. `detail` is the last answer.
    """

    event_id: str
    type: str
    service: str
    subject: str
    period: str
    state: State
    tries: int
    queued_at: datetime
    late: bool
    detail: str


class EventsStatus(TypedDict):
    """The object `events` of the status, and of a month's close report: how many are in which state."""

    told: int
    delivered: int
    waiting: int
    dead: int
    dropped: int
    late: int


class ToldEvent(TypedDict):
    """One event of a month in the close report; `state` is `waiting` where no proof has seen it yet."""

    id: str
    type: str
    service: str
    customer: str
    subject: str
    number: str | None
    occurred_at: str
    state: str
    tries: int
    late: bool
    detail: str


class EventsSection(EventsStatus):
    """One month's events in the close report, delivered or not."""

    events: list[ToldEvent]


def delivery_rows(known: Iterable[Standing], now: datetime) -> tuple[DeliveryRow, ...]:
    """A row for each event, in the order of the queue."""
    return tuple(
        DeliveryRow(
            event_id=one.event.id,
            type=one.event.type,
            service=one.event.service,
            subject=one.event.subject,
            period=one.event.period,
            state=one.state,
            tries=one.tries,
            queued_at=one.event.queued_at,
            late=one.is_late(now),
            detail=f"behind {one.behind}" if one.behind and not one.detail else one.detail,
        )
        for one in known
    )


def events_delivered(rows: Iterable[DeliveryRow]) -> Finding:
    """Fails where an event is dead, or waits for more than a day."""
    return failing(
        [
            f"{row.service} {row.event_id} {row.type} of {row.subject}: {row.state} after "
            f"{row.tries} tries{f' ({row.detail})' if row.detail else ''}"
            for row in rows
            if row.late
        ]
    )


def subscriptions_are_known(problem: str | None, rows: Iterable[SubscriptionFacts]) -> Finding:
    """Warns where a source's list failed, or one of its subscriptions can't be read."""
    unread = [f"{row.ref}: {row.problem}" for row in rows if row.problem]
    return warning([*([problem] if problem else []), *unread])


def events_status(rows: Iterable[DeliveryRow]) -> EventsStatus:
    """The number of events by state."""
    rows = tuple(rows)
    states = Counter(row.state for row in rows)
    return {
        "told": len(rows),
        "delivered": states[State.DELIVERED],
        "waiting": states[State.WAITING],
        "dead": states[State.DEAD],
        "dropped": states[State.DROPPED],
        "late": sum(row.late for row in rows),
    }


def events_section(told: Iterable[Event], rows: Iterable[DeliveryRow]) -> EventsSection:
    """The section of a month with these events; `rows` are those of the last proof, of all months."""
    told, known = tuple(told), {row.event_id: row for row in rows}
    counts = events_status(known[one.id] for one in told if one.id in known)
    unseen = sum(one.id not in known for one in told)
    return {
        **counts,
        "told": len(told),
        "waiting": counts["waiting"] + unseen,
        "events": [_told(one, known.get(one.id)) for one in told],
    }


def _told(one: Event, row: DeliveryRow | None) -> ToldEvent:
    return {
        "id": one.id,
        "type": one.type.value,
        "service": one.service,
        "customer": one.customer,
        "subject": one.subject,
        "number": one.number,
        "occurred_at": one.occurred_at.isoformat(),
        "state": (row.state if row else State.WAITING).value,
        "tries": row.tries if row else 0,
        "late": row.late if row else False,
        "detail": row.detail if row else "",
    }
