"""The gates before a write, as checks of the documents, and of whom they are written to."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from fcb_pipelines.core.proof.gates import revenue_in_other, unitemised_lines
from fcb_pipelines.core.proof.partners import shared_email
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.gating import check_result, spec
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.partitions import MONTHS

_GATES = (
    "external_ids_unique",
    "documents_balance",
    "documents_match_dispositions",
    "document_rules_hold",
    "revenue_in_other",
    "unitemised_lines",
)

_INS = {**month.GATED, **month.STANDING}


@dg.multi_asset_check(
    specs=[spec(gate, keys.DOCUMENTS, MONTHS, _INS) for gate in _GATES],
    ins=_INS,
)
def documents_are_fit_to_write(
    context: dg.AssetCheckExecutionContext, **frames: pd.DataFrame
) -> Iterator[dg.AssetCheckResult]:
    """What the writing assets ask again of the same rows; and what a person should look at."""
    this = Month(context.partition_key, frames)
    results = [
        *this.written_gates(this.ledger_state, this.books),
        revenue_in_other(this.document_rows),
        unitemised_lines(this.document_rows),
    ]
    for result in results:
        if result.gate in _GATES:
            yield check_result(result, keys.DOCUMENTS)


@dg.multi_asset_check(specs=[spec("shared_email", keys.PARTNERS, MONTHS)], ins=month.PARTNERS)
def no_email_joins_two_companies(
    context: dg.AssetCheckExecutionContext, partners: pd.DataFrame
) -> Iterator[dg.AssetCheckResult]:
    """Accounts that were kept apart though their email is equal, for a person to look at."""
    this = Month(context.partition_key, {"partners": partners})
    yield check_result(shared_email(this.partners), keys.PARTNERS)
