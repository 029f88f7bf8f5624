"""What services handed in over HTTP, for the dual run. Where no service does, nothing is read."""

from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_frame
from fcb_pipelines.core.company.services import ServiceCustomer, Subscription
from fcb_pipelines.core.intake.usage import ReceivedMonth, ReceivedUsage
from fcb_pipelines.core.metering.cycles import cycle_of
from fcb_pipelines.defs.metering import inputs
from fcb_pipelines.defs.metering.inputs import Metering
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.partitions import MONTHS
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import IntakeResource

Frame = dg.MaterializeResult[pd.DataFrame]
_COMMON: dict[str, Any] = {"group_name": "intake", "owners": keys.OWNERS, "kinds": {"postgres"}}


@dg.asset(key=keys.INTAKE_CUSTOMERS, metadata=column_schema(ServiceCustomer), **_COMMON)
def customers(intake: IntakeResource) -> Frame:
    """One customer that a service handed in."""
    services = current().by_intake("customers")
    found = intake.handed().customers(services) if services else ()
    return _result(to_frame((one.account.customer for one in found), ServiceCustomer))


@dg.asset(key=keys.INTAKE_SUBSCRIPTIONS, metadata=column_schema(Subscription), **_COMMON)
def subscriptions(intake: IntakeResource) -> Frame:
    """One subscription that a service handed in."""
    services = current().by_intake("subscriptions")
    found = intake.handed().subscriptions(services) if services else ()
    return _result(to_frame((one.subscription for one in found), Subscription))


@dg.asset(key=keys.INTAKE_RECEIVED, metadata=column_schema(ReceivedMonth), **_COMMON)
def received(intake: IntakeResource) -> Frame:
    """What was received of one subscription and calendar month: how many records, and the newest."""
    services = current().by_intake("usage")
    rows, newest = intake.received().months(services) if services else ((), 0)
    return _result(to_frame(rows, ReceivedMonth, through=newest))


@reading(
    dg.asset,
    key=keys.INTAKE_USAGE,
    partitions_def=MONTHS,
    ins={**inputs.SUBSCRIPTIONS, **inputs.RECEIVED},
    metadata=column_schema(ReceivedUsage),
    **_COMMON,
)
def usage(
    context: dg.AssetExecutionContext, intake: IntakeResource, **frames: pd.DataFrame
) -> Frame:
    """One record of usage that a service handed in and that lies in a cycle of the month.

    Records that came after the extract wait for the next one, so that a month built again is the same.
    """
    settings, period = current(), context.partition_key
    services = settings.by_intake("usage")
    if not services:
        return _result(to_frame((), ReceivedUsage))
    this = Metering(frames)
    cycles = {key: this.cycle(*key, period) for key in this.subscriptions if key[0] in services}
    month = cycle_of(period, None, settings.timezone)
    through = int(frames["intake_received"].attrs.get("through", 0))
    rows = intake.received().within(services, month, cycles, through=through)
    refused = sum(row.refused is not None for row in rows)
    return _result(to_frame(rows, ReceivedUsage), refused=refused)


def _result(frame: pd.DataFrame, **more: int) -> Frame:
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **more))
