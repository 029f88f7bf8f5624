"""Events and their settings for tests: each maker gives a plain one, and a test changes what it is about."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fcb_pipelines.core.codes import EventType, Status
from fcb_pipelines.core.company.events import EventSettings
from fcb_pipelines.core.events.delivery import Queued
from fcb_pipelines.core.events.event import Event
from fcb_pipelines.core.events.payments import Sold
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.periods import beginning
from fcb_pipelines_tests.facts import DAY, an_invoice

ZONE = "America/Toronto"
SERVICE = "nexacloud"
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def settings(**changes: Any) -> EventSettings:
    """The endpoint of NexaCloud, told of everything since the year began."""
    told: dict[str, Any] = {
        "url": "https://nexacloud.example/fusion",
        "start": date(2026, 1, 1),
        "secrets": ("FCB_NEXACLOUD_EVENTS_SECRET",),
        **changes,
    }
    return EventSettings.model_validate(told)


def unpaid(**changes: Any) -> InvoiceFacts:
    """An open invoice of April 3 that Stripe no longer tries to collect."""
    facts = an_invoice(status=Status.OPEN, status_at_source="open", paid=0, settlements=())
    return replace(facts, **changes)


def sold(facts: InvoiceFacts | None = None, **changes: Any) -> Sold:
    """The invoice as sold by NexaCloud to user 17."""
    one = Sold(
        service=SERVICE,
        facts=facts or unpaid(),
        customer="17",
        subscription="s1",
        deployment_id="d1",
    )
    return replace(one, **changes)


def an_event(
    type_: EventType = EventType.PAYMENT_FAILED,
    fact: str = "due 2026-04-03",
    subject: str = "stripe:acct_1:in_1",
    **more: Any,
) -> Event:
    """An event of an invoice of April."""
    told: dict[str, Any] = {
        "service": SERVICE,
        "period": "2026-04",
        "occurred_at": beginning(DAY, ZONE),
        "customer": "17",
        "document": subject,
        "number": "NC-1",
        "currency": "CAD",
        "total": 22600,
        "paid": 0,
        "owed": 22600,
        **more,
    }
    return Event(type=type_, subject=subject, **told).because(fact)


def queued(number: int = 1, subject: str = "doc", **changes: Any) -> Queued:
    """The n-th event of the queue, queued at noon."""
    one = Queued(
        sequence=number,
        id=f"evt_{number}",
        type=EventType.PAYMENT_FAILED,
        service=SERVICE,
        subject=subject,
        period="2026-04",
        queued_at=NOON,
    )
    return replace(one, **changes)


def later(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)
