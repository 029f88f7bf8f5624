"""The leak view over all months."""

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.store.frames import to_frame, to_rows
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.leaks import Leak, LeakView
from fcb_pipelines.defs.metering import inputs
from fcb_pipelines.defs.metering.inputs import Metering
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.kept_proof import made_of, unless_same
from fcb_pipelines.defs.runtime.partitions import periods, today
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import StoreResource


@reading(
    dg.asset,
    key=keys.LEAKS,
    ins={
        **inputs.SUBSCRIPTIONS,
        **inputs.CUSTOMERS,
        **inputs.CATALOGUE,
        **inputs.DOCUMENTS,
        "deployments": dg.AssetIn(keys.DEPLOYMENTS),
    },
    after=[
        keys.DEPLOYMENTS,
        dg.AssetDep(keys.METERING_DELTAS, partition_mapping=dg.AllPartitionMapping()),
    ],
    group_name="metering",
    owners=keys.OWNERS,
    kinds={"python"},
    metadata=column_schema(Leak),
)
def leaks(store: StoreResource, **frames: pd.DataFrame) -> dg.MaterializeResult[pd.DataFrame]:
    """One usage, deployment or subscription that no invoice bills."""
    built = store.frames()

    def made() -> pd.DataFrame:
        this = Metering(frames)
        months = (built.read(keys.METERING_DELTAS.path, period) for period in periods())
        view = LeakView(
            service=this.settings.service,
            currency=this.settings.currency,
            timezone=this.settings.timezone,
            today=today(),
            rows=[row for one in months if one is not None for row in to_rows(one, MeteringDelta)],
            documents=this.documents,
            subscriptions=this.subscriptions,
            deployments=this.deployments if this.posted else (),
            plans=this.plans,
            customers=this.customers,
            unread=this.unread_deployments if this.posted else (),
        )
        return to_frame(view.leaks(), Leak)

    snapshot = frames["subscriptions"].attrs.get("snapshot")
    same = made_of(built, [keys.METERING_DELTAS], snapshot)
    frame = unless_same(built, keys.LEAKS, f"{same} {today()}" if same else None, made)
    counts = {str(kind): int(n) for kind, n in frame["kind"].value_counts().items()}
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **counts))
