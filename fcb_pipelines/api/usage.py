"""Usage: handed in by batches, and listed as it was received."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from fcb_pipelines.api.access import Caller, Calling
from fcb_pipelines.api.problems import responses, wrong
from fcb_pipelines.api.shapes import (
    KeptUsage,
    RefusedRecord,
    UsageBatch,
    UsagePage,
    UsageQuery,
    UsageReceipt,
    UsageRecord,
)
from fcb_pipelines.core.intake.usage import Outcome, ReceivedUsage, SentUsage
from fcb_pipelines.core.metering.cycles import cycle_of

# Clocks differ; what lies further ahead is a mistake.
AHEAD = timedelta(days=1)

router = APIRouter(tags=["usage"])


@router.post("/usage", status_code=202, responses=responses(409))
def hand_in_usage(batch: UsageBatch, calling: Calling) -> UsageReceipt:
    """Keep a batch of usage. The same batch again changes nothing.

    A record under a known key replaces the one that was received, as long as the month of that is open;
    afterwards it is refused, listed, and does not count.
    """
    calling.hands_in("usage")
    faults = list(_faults(batch, calling))
    if faults:
        raise wrong(*faults)
    intake = calling.intake
    sent = [_sent(one) for one in batch.usage]
    judged = intake.received.keep(
        calling.code, sent, intake.calendar, request_id=calling.request_id
    )
    counts = Counter(one.outcome for one in judged)
    return UsageReceipt(
        request_id=calling.request_id,
        accepted=counts[Outcome.ACCEPTED],
        replaced=counts[Outcome.REPLACED],
        unchanged=counts[Outcome.UNCHANGED],
        refused=[
            RefusedRecord(index=index, key=one.sent.key, reason=one.why or "")
            for index, one in enumerate(judged)
            if one.outcome is Outcome.REFUSED
        ],
    )


@router.get("/usage", responses=responses())
def list_usage(query: Annotated[UsageQuery, Query()], calling: Calling) -> UsagePage:
    """The received records that count, or those that were refused, in the order in which they came."""
    settings = calling.intake.settings
    month = cycle_of(query.period, None, settings.timezone) if query.period else None
    page = calling.intake.received.page(
        calling.code,
        after=query.after,
        limit=query.limit,
        subscription_id=query.subscription_id,
        metric=query.metric,
        refused=query.state == "refused",
        since=month.start if month else None,
        until=month.end if month else None,
    )
    return UsagePage(
        usage=[_kept(number, one) for number, one in page.records],
        next=page.records[-1][0] if page.more else None,
    )


def _faults(batch: UsageBatch, calling: Caller) -> Iterator[tuple[str, str]]:
    """The fields of well-formed records that make no sense."""
    settings, calendar = calling.intake.settings, calling.intake.calendar
    latest = calling.intake.clock() + AHEAD
    metrics = {metric.key for metric in calling.service.metrics}
    most = settings.intake.rows_a_batch
    if len(batch.usage) > most:
        yield "usage", f"at most {most} records a request, not {len(batch.usage)}"
    for index, one in enumerate(batch.usage):
        field = f"usage[{index}]"
        if one.metric not in metrics:
            known = ", ".join(sorted(metrics)) or "none"
            yield f"{field}.metric", f"{calling.code} has no such metric (configured: {known})"
        if one.period_end <= one.period_start:
            yield f"{field}.period_end", "it does not lie after period_start"
        if one.period_start > latest:
            yield f"{field}.period_start", "it lies in the future"
        elif calendar.month(one.period_start) < settings.first_period:
            yield (
                f"{field}.period_start",
                f"it lies before {settings.first_period}, the first month",
            )
        if one.recorded_at is not None and one.recorded_at > latest:
            yield f"{field}.recorded_at", "it lies in the future"


def _sent(one: UsageRecord) -> SentUsage:
    return SentUsage(
        subscription_id=one.subscription_id,
        metric=one.metric,
        key=one.key,
        start=one.period_start,
        end=one.period_end,
        quantity=one.quantity,
        item=one.item,
        recorded_at=one.recorded_at,
    )


def _kept(number: int, one: ReceivedUsage) -> KeptUsage:
    return KeptUsage(
        number=number,
        key=one.key,
        subscription_id=one.subscription_id,
        metric=one.metric,
        period_start=one.start,
        period_end=one.end,
        quantity=one.quantity,
        item=one.item,
        recorded_at=one.recorded_at,
        refused=one.refused,
    )
