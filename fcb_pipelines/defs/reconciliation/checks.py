"""The gates of agreement, dispositions and read-back."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.agreement.compare import AgreementRow
from fcb_pipelines.core.proof.amount_rows import AmountRow, amount_gates
from fcb_pipelines.core.proof.completeness import CompletenessRow, completeness_gate
from fcb_pipelines.core.proof.delta import LedgerDelta
from fcb_pipelines.core.proof.gates import (
    ledger_agrees,
    nexacloud_agrees,
    nothing_is_held,
    population_adds_up,
    tax_as_expected,
)
from fcb_pipelines.core.proof.tax_witness import WitnessRow
from fcb_pipelines.defs.reconciliation.proof import receivable_result
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.gating import check_result, spec
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import MONTHS, today

_DECIDED = {**month.INDEXES, **month.COPIES, **month.DISPOSITIONS}


@dg.multi_asset_check(
    specs=[spec("nexacloud_agrees_with_source", keys.AGREEMENTS, MONTHS)],
    ins={"rows": dg.AssetIn(keys.AGREEMENTS)},
)
def copies_agree(rows: pd.DataFrame) -> dg.AssetCheckResult:
    """NexaCloud's copies agree with their sources."""
    return check_result(nexacloud_agrees(to_rows(rows, AgreementRow)), keys.AGREEMENTS)


@dg.multi_asset_check(
    specs=[
        spec(gate, keys.DISPOSITIONS, MONTHS, _DECIDED)
        for gate in ("population_adds_up", "nothing_is_held")
    ],
    ins=_DECIDED,
)
def every_member_is_decided(
    context: dg.AssetCheckExecutionContext, **frames: pd.DataFrame
) -> Iterator[dg.AssetCheckResult]:
    """Population = post + skip + hold; and what is held."""
    this = Month(context.partition_key, frames)
    members = {member.ref for member in this.members}
    yield check_result(population_adds_up(members, this.dispositions), keys.DISPOSITIONS)
    yield check_result(nothing_is_held(this.dispositions, today()), keys.DISPOSITIONS)


@dg.multi_asset_check(
    specs=[spec("tax_as_expected", keys.TAX_WITNESS, MONTHS)],
    ins={"rows": dg.AssetIn(keys.TAX_WITNESS)},
)
def billed_tax_is_expected(rows: pd.DataFrame) -> dg.AssetCheckResult:
    """The tax billed is what address and date lead one to expect."""
    return check_result(tax_as_expected(to_rows(rows, WitnessRow)), keys.TAX_WITNESS)


@dg.multi_asset_check(
    specs=[
        spec(gate, keys.LEDGER_DELTAS, MONTHS)
        for gate in ("read_back_equals_intent", "dates_as_intended", "residuals_match_source")
    ],
    ins={"deltas": dg.AssetIn(keys.LEDGER_DELTAS)},
)
def ledger_stands_as_intended(deltas: pd.DataFrame) -> Iterator[dg.AssetCheckResult]:
    """What stands in the ledger is what should, on its dates, settled as the source says."""
    for result in ledger_agrees(to_rows(deltas, LedgerDelta)):
        yield check_result(result, keys.LEDGER_DELTAS)


@dg.multi_asset_check(
    specs=[spec("completeness", keys.COMPLETENESS)],
    ins={"rows": dg.AssetIn(keys.COMPLETENESS)},
)
def every_member_has_one_disposition(rows: pd.DataFrame) -> dg.AssetCheckResult:
    """Over all months and unplaced."""
    return check_result(completeness_gate(to_rows(rows, CompletenessRow)), keys.COMPLETENESS)


@dg.multi_asset_check(
    specs=[spec("receivable_ties_out", keys.RECEIVABLE)],
    ins={"rows": dg.AssetIn(keys.RECEIVABLE)},
)
def receivable_agrees(rows: pd.DataFrame) -> dg.AssetCheckResult:
    """Source receivable = ledger receivable + what is not posted, per billing account."""
    return check_result(receivable_result(rows), keys.RECEIVABLE)


@dg.multi_asset_check(
    specs=[
        spec(gate, keys.AMOUNTS)
        for gate in ("nothing_is_lost", "cash_without_document", "credit_has_an_origin")
    ],
    ins={"rows": dg.AssetIn(keys.AMOUNTS)},
)
def every_amount_is_somewhere(rows: pd.DataFrame) -> Iterator[dg.AssetCheckResult]:
    """Source = posted + listed, amount by amount; and what is listed of cash and credit."""
    for result in amount_gates(to_rows(rows, AmountRow)):
        yield check_result(result, keys.AMOUNTS)
