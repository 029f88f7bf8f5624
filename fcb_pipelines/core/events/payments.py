"""Which invoices are not paid, and which were paid after all.

An invoice is not paid once its source has given up collecting it: it is open (or written off there),
nothing is tried any more, and the grace days since it was due are over. Or a confirmed payment of it
failed later (S7), and it is owed again. That it is paid is told only of an invoice of which the failure
was told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fcb_pipelines.core.codes import EventType, Kind, Method, Status
from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines.core.events.event import Event
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.periods import beginning, period_of

_GIVEN_UP = frozenset({Status.OPEN, Status.UNCOLLECTIBLE})
_TOLD = frozenset({EventType.PAYMENT_FAILED, EventType.PAYMENT_SUCCEEDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """One verified invoice of a service, with the service's own ids of whom it was sold to."""

    service: str
    facts: InvoiceFacts
    customer: str
    subscription: str | None = None
    deployment_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """An event that is called for: the fact that makes it, and the day on which it became so."""

    type: EventType
    fact: str
    day: date


def payment_events(
    sold: Iterable[Sold],
    told: Mapping[str, Event],
    services: Mapping[str, EventSettings],
    *,
    today: date,
    timezone: str,
) -> tuple[Event, ...]:
    """The events that these invoices call for now, beside those already told.

    `told` maps the ref of a document to the last event of its payment; `services` are those that are
    told anything.
    """
    found = []
    for one in sold:
        settings = services.get(one.service)
        if settings is None or one.facts.kind is not Kind.INVOICE or one.facts.problem:
            continue
        call = _call(one.facts, told.get(one.facts.ref), settings, today)
        if call is not None and call.type in settings.types:
            found.append(_event(call, one, timezone))
    return tuple(found)


def last_of_payment(told: Iterable[Event]) -> dict[str, Event]:
    """The last event of each document's payment; `told` is in the order of the telling."""
    return {one.subject: one for one in told if one.type in _TOLD}


def is_of_another_service(row: IndexRow, period: str, *, is_open_month: bool) -> bool:
    """Whether a document may be another service's and belongs to this month, by its date.

    What NexaCloud claims is never another service's. The open month has also what is not paid of earlier
    months, those before the books among them: nobody else would tell of it.
    """
    if not row.found or row.claimed or row.date is None:
        return False
    own = period_of(row.date)
    is_left = is_open_month and own < period and row.status in _GIVEN_UP
    return is_left or own == period


def not_paid(facts: InvoiceFacts, grace_days: int, today: date) -> tuple[str, date] | None:
    """The fact and the day by which an invoice counts as not paid; None while it does not."""
    if facts.owed <= 0 or facts.date is None:
        return None
    failures = [one for one in facts.settlements if one.method is Method.PAYMENT_FAILURE]
    if failures and facts.status in {*_GIVEN_UP, Status.PAID}:
        last = max(failures, key=lambda one: (one.date, one.ref))
        return f"failed {last.ref}", last.date
    if facts.status not in _GIVEN_UP or facts.collecting:
        return None
    due = facts.due or facts.date
    over = due + timedelta(days=grace_days)
    return (f"due {due}", over) if over <= today else None


def paid_after_all(facts: InvoiceFacts) -> tuple[str, date] | None:
    """The fact and the day by which nothing is owed of an invoice any more; None while something is."""
    if facts.status is not Status.PAID or facts.owed > 0:
        return None
    made = [one for one in facts.settlements if one.method.at_source and one.amount > 0]
    last = max(made, key=lambda one: (one.date, one.ref), default=None)
    return (f"paid {last.ref}", last.date) if last else None


def _call(
    facts: InvoiceFacts, last: Event | None, settings: EventSettings, today: date
) -> _Call | None:
    if last is not None and last.type is EventType.PAYMENT_FAILED:
        type_, found = EventType.PAYMENT_SUCCEEDED, paid_after_all(facts)
    else:
        type_, found = EventType.PAYMENT_FAILED, not_paid(facts, settings.grace_days, today)
        if found and found[1] < settings.start:
            return None
    if found is None:
        return None
    fact, day = found
    # What was told before is part of the fact, so that the same day may make an invoice unpaid again.
    return _Call(type=type_, fact=f"{fact} after {last.id}" if last else fact, day=day)


def _event(call: _Call, one: Sold, timezone: str) -> Event:
    facts = one.facts
    return Event(
        type=call.type,
        service=one.service,
        subject=facts.ref,
        period=period_of(facts.date or call.day),
        occurred_at=beginning(call.day, timezone),
        customer=one.customer,
        subscription=one.subscription,
        deployment_id=one.deployment_id,
        document=facts.ref,
        number=facts.number,
        currency=facts.currency,
        total=facts.total,
        paid=facts.total - facts.owed,
        owed=facts.owed,
    ).because(call.fact)
