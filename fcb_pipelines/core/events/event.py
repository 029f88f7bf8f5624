"""An event: what a service is told, from verified facts alone.

    Event(type=EventType.PAYMENT_FAILED, subject=ref, …).because("due 2026-05-14")    # with its id
    Event(…).body                                                                     # the very text that is sent

The id is a digest of service, type, subject and the fact that made it. So a rerun makes the same event,
and the queue has it once.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import TypeAdapter

from fcb_pipelines.core.codes import EventType
from fcb_pipelines.core.digests import digest
from fcb_pipelines.core.refs import event_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A threshold of a plan's quota that the usage of a cycle has reached; `percent` is 80 or 100."""

    metric: str
    percent: int
    quantity: Decimal
    quota: Decimal
    cycle_start: datetime
    cycle_end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. Amounts are minor units of `currency`, as the document's source has them.

    `subject` is what its order is kept of: a document's ref, or a subscription's (`subscription_ref`).
    `customer` and `subscription` are the service's own ids. `occurred_at` is in UTC; of a fact that the
    sources date by the day it is the day's beginning in the company's timezone. `period` is the month
    that told it; it and `subject` are not in the body. `id` is empty until `because` gave it.
    """

    type: EventType
    service: str
    subject: str
    period: str
    occurred_at: datetime
    customer: str
    subscription: str | None = None
    deployment_id: str | None = None
    document: str | None = None
    number: str | None = None
    currency: str | None = None
    total: int | None = None
    paid: int | None = None
    owed: int | None = None
    reached: Reached | None = None
    id: str = ""

    def because(self, fact: str) -> "Event":
        """The event with the id that follows from service, type, subject and the fact that made it."""
        made = digest(json.dumps([self.service, self.type.value, self.subject, fact]))
        return replace(self, id=event_id(made))

    @property
    def body(self) -> str:
        """The JSON that is sent and signed: keys sorted, no blanks, ASCII."""
        return json.dumps(_payload(self), sort_keys=True, separators=(",", ":"))


_EVENT = TypeAdapter(Event)

TEST = "test"
"""The type of an event by which an endpoint is tried out."""


def event_of(body: str, *, subject: str, period: str) -> Event:
    """The event whose body this is. Raises pydantic.ValidationError for another text."""
    told = json.loads(body)
    reached = told.pop("usage", None)
    return _EVENT.validate_python(
        {**told, "reached": reached, "subject": subject, "period": period}
    )


def test_body(service: str, at: datetime) -> tuple[str, str]:
    """The id and the body of a test event, which says nothing of anybody."""
    moment = _utc(at)
    one = event_id(digest(json.dumps([service, TEST, moment])))
    told = {"id": one, "type": TEST, "occurred_at": moment, "service": service}
    return one, json.dumps(told, sort_keys=True, separators=(",", ":"))


def _payload(one: Event) -> dict[str, object]:
    return {
        "id": one.id,
        "type": one.type.value,
        "occurred_at": _utc(one.occurred_at),
        "service": one.service,
        "customer": one.customer,
        "subscription": one.subscription,
        "deployment_id": one.deployment_id,
        "document": one.document,
        "number": one.number,
        "currency": one.currency,
        "total": one.total,
        "paid": one.paid,
        "owed": one.owed,
        "usage": None if one.reached is None else _reached(one.reached),
    }


def _reached(one: Reached) -> dict[str, object]:
    return {
        "metric": one.metric,
        "percent": one.percent,
        "quantity": f"{one.quantity.normalize():f}",
        "quota": f"{one.quota.normalize():f}",
        "cycle_start": _utc(one.cycle_start),
        "cycle_end": _utc(one.cycle_end),
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
