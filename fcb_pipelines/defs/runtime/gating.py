"""Gates in Dagster: a gate's result as an asset check, and as a refusal to write."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from fcb_pipelines.core.naming import amount
from fcb_pipelines.core.proof.gate import Gate, GateResult, Outcome

_SEVERITY = {
    Outcome.PASS: dg.AssetCheckSeverity.WARN,
    Outcome.WARN: dg.AssetCheckSeverity.WARN,
    Outcome.FAIL: dg.AssetCheckSeverity.ERROR,
}


def check_result(result: GateResult, asset: dg.AssetKey) -> dg.AssetCheckResult:
    """The asset check of a gate's result: outcome, exact count, a sample and, where it does not pass, the recovery."""
    metadata: dict[str, Any] = {"count": result.count}
    if result.outcome is not Outcome.PASS:
        metadata |= {"proves": result.proves, "recovery": result.recovery}
    if result.sample:
        metadata["sample"] = dg.MetadataValue.md("\n".join(f"- {fault}" for fault in result.sample))
    for currency, minor in result.amounts:
        metadata[f"amount {currency}"] = amount(minor, currency)
        metadata[f"minor units {currency}"] = minor
    return dg.AssetCheckResult(
        check_name=result.gate,
        asset_key=asset,
        passed=result.outcome is Outcome.PASS,
        severity=_SEVERITY[result.outcome],
        description=result.detail,
        metadata=metadata,
    )


def observed(
    results: Iterable[GateResult], asset: dg.AssetKey, period: str, report: dg.MetadataValue[str]
) -> dg.AssetObservation:
    """What the gates say of one month, for the page of the asset's partition.

    Dagster shows an asset's checks by their newest evaluation, whichever month that was of.
    """
    told = {f"gate {result.gate}": _in_words(result) for result in results}
    return dg.AssetObservation(
        asset, partition=period, metadata={**told, "close report of the month": report}
    )


def _in_words(result: GateResult) -> str:
    """`fails (2): … What mends it: …`."""
    if result.outcome is Outcome.PASS:
        return "passes"
    verb = "fails" if result.outcome is Outcome.FAIL else "warns"
    return f"{verb} ({result.count}): {result.detail}. What mends it: {result.recovery}"


def spec(
    gate: Gate,
    asset: dg.AssetKey,
    partitions: dg.PartitionsDefinition[Any] | None = None,
    ins: Mapping[str, dg.AssetIn] | None = None,
) -> dg.AssetCheckSpec:
    """The check of a gate: partitioned like its asset, blocking where the gate is.

    `ins` are the check's inputs; those of other assets are declared as its dependencies.
    """
    others = {one.key for one in (ins or {}).values() if one.key not in (None, asset)}
    return dg.AssetCheckSpec(
        gate.name,
        asset=asset,
        description=gate.proves,
        blocking=gate.blocking,
        partitions_def=partitions,
        additional_deps=sorted(others, key=str),
    )


def require(results: Iterable[GateResult]) -> None:
    """Raise dg.Failure where a gate fails, in runs without checks too."""
    failed = [result for result in results if result.outcome is Outcome.FAIL]
    if not failed:
        return
    reasons = "; ".join(f"{result.gate}: {result.detail}" for result in failed)
    raise dg.Failure(
        f"refused by {reasons}. A rerun alone will not help. {failed[0].recovery}",
        metadata={
            result.gate: dg.MetadataValue.md("\n".join(f"- {fault}" for fault in result.sample))
            for result in failed
        },
        allow_retries=False,
    )
