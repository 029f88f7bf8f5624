"""What services are told: the sources' subscriptions, the outbox of a month, and the state of delivery.

Nothing is sent here: the outbox queues, once for each event, and `deliver_events` sends.
"""

from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.failures import Failure
from fcb_pipelines.connectors.sources import Subscribing
from fcb_pipelines.connectors.store.frames import to_frame
from fcb_pipelines.core.events.event import Event
from fcb_pipelines.core.events.outbox import outbox as outbox_of
from fcb_pipelines.core.events.proof import DeliveryRow, delivery_rows, events_status
from fcb_pipelines.core.facts.subscription import SubscriptionFacts
from fcb_pipelines.defs.events.inputs import Facts, wants_subscriptions
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.partitions import MONTHS, periods, today
from fcb_pipelines.defs.runtime.resources import EventsResource, StoreResource
from fcb_pipelines.defs.sources.registry import STRIPE, registered

Frame = dg.MaterializeResult[pd.DataFrame]
_COMMON: dict[str, Any] = {"group_name": "events", "owners": keys.OWNERS, "kinds": {"python"}}


@dg.asset(
    key=keys.EVENT_SUBSCRIPTIONS,
    metadata=column_schema(SubscriptionFacts),
    pool=STRIPE.rules.name,
    required_resource_keys={*keys.SOURCES},
    **_COMMON,
)
def subscriptions(context: dg.AssetExecutionContext) -> Frame:
    """One subscription of a billing source as it is now; none where no service is told of them."""
    rows: list[SubscriptionFacts] = []
    problems: list[str] = []
    for one in registered(current()) if wants_subscriptions() else ():
        source = getattr(context.resources, one.name).open()
        rules = one.rules.subscriptions
        if rules is None or not isinstance(source, Subscribing):
            continue
        try:
            bodies = source.subscriptions()
        except Failure as failure:
            # The books never wait for what services are told; the gate on this frame names it.
            problems.append(str(failure))
            continue
        rows += [rules.facts(body, one.section.owner) for body in bodies]
    frame = to_frame(rows, SubscriptionFacts, problem="; ".join(problems) or None)
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))


@dg.asset(
    key=keys.OUTBOX,
    partitions_def=MONTHS,
    deps=[keys.USAGE, keys.SETTLEMENTS, keys.EVENT_SUBSCRIPTIONS],
    metadata=column_schema(Event),
    **_COMMON,
)
def outbox(
    context: dg.AssetExecutionContext, store: StoreResource, events: EventsResource
) -> Frame:
    """One event that a service is told of this month; what is new is queued, and nothing is sent."""
    period, open_period = context.partition_key, periods()[-1]
    rows: tuple[Event, ...] = ()
    queued = 0
    if current().told:
        facts = Facts(
            period=period,
            frames=store.frames(),
            evidence=store.evidence(),
            is_open_month=period == open_period,
        )
        queue = events.queue()
        told = queue.told(period, facts.subjects())
        called_for = facts.called_for(told, today())
        rows, new = outbox_of(period, told, called_for, open_period=open_period)
        queued = queue.put(new, run_id=context.run.run_id)
    frame = to_frame(rows, Event)
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, queued=queued))


@dg.asset(
    key=keys.DELIVERIES,
    deps=[dg.AssetDep(keys.OUTBOX, partition_mapping=dg.AllPartitionMapping())],
    metadata=column_schema(DeliveryRow),
    **_COMMON,
)
def deliveries(events: EventsResource) -> Frame:
    """One event of the queue and the state of its delivery, when it was looked at."""
    rows: tuple[DeliveryRow, ...] = ()
    if current().told:
        look = events.queue().look(every=True)
        rows = delivery_rows(look.standings, look.now)
    frame = to_frame(rows, DeliveryRow)
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **events_status(rows)))
