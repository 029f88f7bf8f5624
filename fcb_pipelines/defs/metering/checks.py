"""The gates of the dual run."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.metering.dual_rows import active
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.gates import (
    flip_readiness,
    no_empty_subscription,
    nothing_leaks,
    one_row_each,
    services_meet_contract,
    unexplained,
    usage_is_clean,
)
from fcb_pipelines.core.metering.leaks import Leak
from fcb_pipelines.core.metering.usage import Usage
from fcb_pipelines.defs.metering import inputs
from fcb_pipelines.defs.metering.inputs import Metering
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.gating import check_result, spec
from fcb_pipelines.defs.runtime.partitions import MONTHS, today

_ROWS = {**inputs.DELTAS, **inputs.DOCUMENTS, **inputs.USAGE}


@dg.multi_asset_check(
    specs=[spec("services_meet_contract", keys.PLAN_CATALOG, ins=inputs.MEASURED_TABLES)],
    ins={**inputs.MEASURED_TABLES},
)
def services_are_read(**frames: pd.DataFrame) -> dg.AssetCheckResult:
    """The tables of the services can be measured."""
    return check_result(
        services_meet_contract(Metering(frames).service_breaches()), keys.PLAN_CATALOG
    )


@dg.multi_asset_check(
    specs=[spec("usage_is_clean", keys.USAGE, MONTHS)], ins={"rows": dg.AssetIn(keys.USAGE)}
)
def every_window_came_once(rows: pd.DataFrame) -> dg.AssetCheckResult:
    """Replays, corrections, overlaps and late records of the month."""
    return check_result(usage_is_clean(to_rows(rows, Usage)), keys.USAGE)


@dg.multi_asset_check(
    specs=[
        spec(gate, keys.METERING_DELTAS, MONTHS, _ROWS)
        for gate in (
            "one_row_each_subscription",
            "no_empty_subscription",
            "unexplained_deltas_within_ceiling",
            "flip_readiness",
        )
    ],
    ins=_ROWS,
)
def the_dual_run_is_whole(
    context: dg.AssetCheckExecutionContext, **frames: pd.DataFrame
) -> Iterator[dg.AssetCheckResult]:
    """Each subscription's month is one row; what is unexplained; whether the engine may bill."""
    this, period = Metering(frames), context.partition_key
    rows = to_rows(frames["deltas"], MeteringDelta)
    for result in (
        one_row_each(rows, active(this.documents, this.usage, period)),
        no_empty_subscription(rows),
        unexplained(rows, current().metering),
        flip_readiness(rows, period, today()),
    ):
        yield check_result(result, keys.METERING_DELTAS)


@dg.multi_asset_check(
    specs=[spec("nothing_leaks", keys.LEAKS)], ins={"rows": dg.AssetIn(keys.LEAKS)}
)
def everything_is_invoiced(rows: pd.DataFrame) -> dg.AssetCheckResult:
    """The leaks by kind."""
    return check_result(nothing_leaks(to_rows(rows, Leak)), keys.LEAKS)
