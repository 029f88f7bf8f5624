"""The metered dual run: the engine's charges against the invoiced amounts. It measures and never posts."""

from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.store.frames import to_frame
from fcb_pipelines.core.company.services import CataloguePlan
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.expected import ExpectedCharge
from fcb_pipelines.core.metering.invoiced import Invoiced
from fcb_pipelines.core.metering.usage import Usage
from fcb_pipelines.core.metering.usage import usage as aggregated
from fcb_pipelines.defs.metering import inputs
from fcb_pipelines.defs.metering.freshness import EXTRACTS, built_from, made_of
from fcb_pipelines.defs.metering.inputs import Metering
from fcb_pipelines.defs.metering.invoices import read_invoiced
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.partitions import MONTHS
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import StoreResource
from fcb_pipelines.defs.runtime.snapshots import one_snapshot
from fcb_pipelines.defs.sources.reading import readers
from fcb_pipelines.defs.sources.registry import LAGO

Frame = dg.MaterializeResult[pd.DataFrame]
_COMMON: dict[str, Any] = {"group_name": "metering", "owners": keys.OWNERS, "kinds": {"python"}}


@reading(
    dg.asset,
    key=keys.PLAN_CATALOG,
    ins={**inputs.PLANS},
    metadata=column_schema(CataloguePlan),
    **_COMMON,
)
def plan_catalog(**frames: pd.DataFrame) -> Frame:
    """One plan of one service: its flat prices, quotas and charges."""
    rows = Metering(frames).catalogue_rows
    frame = to_frame(rows, CataloguePlan, snapshot=frames["plans"].attrs.get("snapshot"))
    unpriced = sum(row.price_monthly is None for row in rows)
    return dg.MaterializeResult(
        value=frame, metadata=row_metadata(frame, without_monthly_price=unpriced)
    )


@reading(
    dg.asset,
    key=keys.INVOICED_DOCUMENTS,
    ins={
        **month.INDEXES,
        **month.COPIES,
        "service_invoices": inputs.SERVICE_TABLES["service_invoices"],
        "intake_subscriptions": inputs.SUBSCRIPTIONS["intake_subscriptions"],
    },
    after=[
        *(keys.source_key(name, "index") for name in keys.SOURCES),
        dg.AssetKey(["nexacloud", "service_invoices"]),
        keys.INTAKE_SUBSCRIPTIONS,
    ],
    metadata=column_schema(Invoiced),
    # The rest of a document is read from Lago; Stripe's list hardly ever lacks a part.
    pool=LAGO.rules.name,
    required_resource_keys={*keys.SOURCES, "store"},
    **_COMMON,
)
def invoiced_documents(context: dg.AssetExecutionContext, **frames: pd.DataFrame) -> Frame:
    """One billed document that a service's invoices claim, with the service time of its lines."""
    before = context.resources.store.frames().read(keys.INVOICED_DOCUMENTS.path)
    rows, read = read_invoiced(frames, readers(context.resources), before)
    frame = to_frame(rows, Invoiced, snapshot=frames["copies"].attrs.get("snapshot"))
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, read_anew=read))


@reading(
    dg.asset,
    key=keys.USAGE,
    partitions_def=MONTHS,
    ins={**inputs.READINGS, **inputs.SUBSCRIPTIONS},
    after=[one.key or dg.AssetKey(name) for name, one in inputs.READINGS.items()],
    metadata=column_schema(Usage),
    **_COMMON,
)
def usage(context: dg.AssetExecutionContext, store: StoreResource, **frames: pd.DataFrame) -> Frame:
    """The usage of one metric by one subscription in the cycle that begins in the month."""
    this, period = Metering(frames), context.partition_key
    rows = aggregated(
        this.readings(period),
        this.subscriptions,
        this.metrics,
        period=period,
        timezone=this.settings.timezone,
        late_after_hours=this.settings.metering.late_after_hours,
        unread=this.unread_readings,
        refused=this.refused,
    )
    snapshot = frames["subscriptions"].attrs.get("snapshot")
    frame = to_frame(rows, Usage, snapshot=snapshot, unread=this.unread_usage)
    frame.attrs[EXTRACTS] = made_of(store.frames(), snapshot)
    remarks = sum(len(row.remarks) for row in rows)
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, remarks=remarks))


@reading(
    dg.asset,
    key=keys.EXPECTED_CHARGES,
    partitions_def=MONTHS,
    ins={**inputs.SUBSCRIPTIONS, **inputs.CATALOGUE, **inputs.DOCUMENTS, **inputs.USAGE},
    after=[keys.PLAN_CATALOG, keys.INVOICED_DOCUMENTS, keys.USAGE],
    metadata=column_schema(ExpectedCharge),
    **_COMMON,
)
def expected_charges(
    context: dg.AssetExecutionContext, store: StoreResource, **frames: pd.DataFrame
) -> Frame:
    """One expected charge of a subscription: its flat price, or a metric's overage."""
    this, period = Metering(frames), context.partition_key
    snapshot = frames["subscriptions"].attrs.get("snapshot")
    frame = to_frame(this.charges(period), ExpectedCharge)
    frame.attrs[EXTRACTS] = made_of(store.frames(), snapshot, [frames["usage"]])
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))


@reading(
    dg.asset,
    key=keys.METERING_DELTAS,
    partitions_def=MONTHS,
    ins={
        **inputs.SUBSCRIPTIONS,
        **inputs.CUSTOMERS,
        **inputs.CATALOGUE,
        **inputs.DOCUMENTS,
        **inputs.USAGE,
        **inputs.EXPECTED,
        **inputs.RECEIVED,
    },
    after=[
        keys.EXPECTED_CHARGES,
        keys.INTAKE_CUSTOMERS,
        dg.AssetKey(["nexacloud", "service_customers"]),
    ],
    metadata=column_schema(MeteringDelta),
    **_COMMON,
)
def deltas(
    context: dg.AssetExecutionContext, store: StoreResource, **frames: pd.DataFrame
) -> Frame:
    """One subscription's month, expected against invoiced, or one invoice without a subscription."""
    this, period = Metering(frames), context.partition_key
    same = ("subscriptions", "users", "plan_catalog", "invoiced_documents", "usage")
    snapshot = one_snapshot(context, [frames[name] for name in same])
    frame = to_frame(
        this.compared(period),
        MeteringDelta,
        snapshot=snapshot,
        built_from=built_from(this, this.usage, period),
    )
    before = [frames["usage"], frames["expected_charges"]]
    frame.attrs[EXTRACTS] = made_of(store.frames(), snapshot, before)
    counts = {str(verdict): int(n) for verdict, n in frame["verdict"].value_counts().items()}
    return dg.MaterializeResult(
        value=frame, metadata=row_metadata(frame, snapshot=snapshot, **counts)
    )
