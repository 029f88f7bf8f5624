"""Every gate as an asset check on its assets, generated from the gate table."""

from collections.abc import Iterator, Sequence
from typing import cast

import dagster as dg
import pandas as pd

from fcb_pipelines.core.proof.gate import Gate, Outcome, Scope
from fcb_pipelines.defs.gates.inputs import TABLE, frames_of, gate_results
from fcb_pipelines.defs.runtime.gating import check_result, observed, spec
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import MONTHS
from fcb_pipelines.defs.runtime.reading import graph_of, reading
from fcb_pipelines.defs.runtime.resources import StoreResource


def _checks(asset: str, gates: Sequence[Gate]) -> dg.AssetChecksDefinition:
    """The checks of one asset (`ledger/documents`), as one step."""
    key = dg.AssetKey(asset.split("/"))
    ins = frames_of(gates)
    if any(len(gate.seen_on) > 1 for gate in gates):
        ins = {name: one for name, one in ins.items() if one.key == key}
    partitions = MONTHS if gates[0].scope is Scope.MONTH else None

    @reading(
        dg.multi_asset_check,
        name=f"{asset.replace('/', '__')}__gates",
        description=f"The gates on {asset}.",
        specs=[spec(gate, key, partitions, ins) for gate in gates],
        ins=ins,
    )
    def gates_of_asset(
        context: dg.AssetCheckExecutionContext, store: StoreResource, **frames: pd.DataFrame
    ) -> Iterator[dg.AssetCheckResult]:
        period = context.partition_key if context.has_partition_key else ""
        results = gate_results(gates, Month(period, frames))
        # A month just built has nothing against it yet; otherwise what passes now may have failed before.
        is_new = key in graph_of(context.job_def)
        told = [one for one in results if one.outcome is not Outcome.PASS or not is_new]
        if period and told:
            observation = observed(told, key, period, store.report_page(period))
            context.op_execution_context.log_event(observation)
        for result in results:
            yield check_result(result, key)

    return cast(dg.AssetChecksDefinition, gates_of_asset)


def _by_asset() -> dict[str, list[Gate]]:
    found: dict[str, list[Gate]] = {}
    for gate in TABLE:
        for asset in gate.seen_on:
            found.setdefault(asset, []).append(gate)
    return found


gate_checks = [_checks(asset, gates) for asset, gates in _by_asset().items()]
