"""Invoiced amounts: the source documents that a service's own invoices link (rule M2)."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from fcb_pipelines.core.codes import Status
from fcb_pipelines.core.company.services import Invoicing
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice
from fcb_pipelines.core.metering.cycles import Span
from fcb_pipelines.core.periods import period_of

_BILLED = frozenset({Status.OPEN, Status.PAID, Status.UNCOLLECTIBLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicedLine:
    """One line: minor units before tax, credit notes negative; `period` is its service's month."""

    description: str
    quantity: Decimal
    net: int
    period: str
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoiced:
    """One billed document that a service's invoice claims, before tax and in minor units.

    `subscription_id` is None for a one-off. The lines sum to `net`; where `problem` says why they
    can't be trusted, there are none. `period` is the month of the document's own date. `source` is
    the hash of the listed body that it was read from.
    """

    service: str
    ref: str
    number: str
    customer: str
    subscription_id: str | None
    currency: str
    date: dt.date
    period: str
    net: int
    source: str
    problem: str | None = None
    lines: tuple[InvoicedLine, ...] = ()


def is_billed(facts: InvoiceFacts) -> bool:
    """Whether a document counts as invoiced: finalised, not void, not of the test mode."""
    return facts.livemode and may_be_billed(facts.status, facts.date)


def may_be_billed(status: Status | None, day: dt.date | None) -> bool:
    """Whether a document of this status and date counts, where it is not of the test mode."""
    return status in _BILLED and day is not None


def invoiced(
    link: Invoicing, facts: InvoiceFacts, spans: Mapping[str, Span], timezone: str, source: str
) -> Invoiced | None:
    """The claimed document, or None where it was not billed; `spans` are service times by line key."""
    if facts.date is None or not is_billed(facts):
        return None
    day = facts.date
    return Invoiced(
        service=link.service,
        ref=facts.ref,
        number=facts.number,
        customer=link.customer,
        subscription_id=link.subscription_id,
        currency=facts.currency,
        date=day,
        period=period_of(day),
        net=facts.kind.sign * facts.net,
        source=source,
        # A one-off counts as a whole, without its lines.
        problem=facts.problem if link.subscription_id else None,
        lines=_lines(facts, spans, timezone) if link.subscription_id else (),
    )


def invoicings_of(claimants: Mapping[str, NexaCloudInvoice], service: str) -> tuple[Invoicing, ...]:
    """The NexaCloud invoice that claims each document, in order of the refs."""
    return tuple(
        Invoicing(
            service=service,
            invoice_id=copy.invoice_id,
            ref=ref,
            customer=copy.user_id,
            subscription_id=copy.subscription_id,
        )
        for ref, copy in sorted(claimants.items())
    )


def claimants(own: Iterable[Invoicing], others: Iterable[Invoicing]) -> dict[str, Invoicing]:
    """The one invoice for each claimed document, by the document's ref (rule A7).

    Of several claims the first wins: those of the posted service (`own`) come before the `others`.
    """
    found: dict[str, Invoicing] = {}
    for each in (*own, *others):
        found.setdefault(each.ref, each)
    return found


def still_holds(known: Invoiced, link: Invoicing, source: str | None) -> bool:
    """Whether a document that was read before need not be read again.

    Its listed body (by its hash, `source`), service, customer and subscription are the same, and it was
    read without a problem.
    """
    same = known.service, known.customer, known.subscription_id
    unchanged = same == (link.service, link.customer, link.subscription_id)
    return unchanged and known.source == source and not known.problem


def lines_of(documents: Iterable[Invoiced], period: str) -> list[tuple[Invoiced, InvoicedLine]]:
    """The lines of subscriptions' documents whose service begins in the period."""
    return [
        (document, line)
        for document in documents
        for line in document.lines
        if line.period == period
    ]


def _lines(
    facts: InvoiceFacts, spans: Mapping[str, Span], timezone: str
) -> tuple[InvoicedLine, ...]:
    if facts.problem or facts.date is None:
        return ()
    sign, own = facts.kind.sign, period_of(facts.date)
    lines = []
    for line in facts.lines:
        span = spans.get(line.key)
        period = own
        if span:
            period = period_of(span.start.astimezone(ZoneInfo(timezone)).date())
        lines.append(
            InvoicedLine(
                description=line.description,
                quantity=line.quantity,
                net=sign * line.net,
                period=period,
                span=span,
            )
        )
    rest = sign * facts.net - sum(line.net for line in lines)
    if rest or not lines:
        # Shipping, or a document without lines, counts in the document's own month.
        lines.append(InvoicedLine(description="", quantity=Decimal(1), net=rest, period=own))
    return tuple(lines)
