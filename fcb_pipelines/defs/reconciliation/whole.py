"""The proof over all months: completeness, the receivable, and every amount against the present ledger."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_frame, to_rows
from fcb_pipelines.core.close.alerts import OVERDUE
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.proof.amount_rows import AmountRow, Measure
from fcb_pipelines.core.proof.amounts import AmountInputs, amounts
from fcb_pipelines.core.proof.completeness import CompletenessRow, population
from fcb_pipelines.core.proof.completeness import completeness as completed
from fcb_pipelines.core.proof.credit import drawn_without_origin
from fcb_pipelines.core.proof.receivable import ReceivableRow, foreign_credit, orphans
from fcb_pipelines.core.proof.receivable import receivable as tied
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata, sums
from fcb_pipelines.defs.runtime.ledger_reading import open_reader
from fcb_pipelines.defs.runtime.month import Month
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import LedgerResource, ReadBackLogResource, StoreResource

Frame = dg.MaterializeResult[pd.DataFrame]
_COMMON: dict[str, Any] = {
    "group_name": "reconciliation",
    "owners": keys.OWNERS,
    "kinds": {"python"},
    # As the watchdog: the page shows in red what was not proved for so long.
    "freshness_policy": dg.FreshnessPolicy.time_window(fail_window=OVERDUE),
}
_UNPLACED = {"unplaced": dg.AssetIn(keys.UNPLACED)}


@reading(
    dg.asset,
    key=keys.COMPLETENESS,
    ins={**month.INDEXES, **month.COPIES, **_UNPLACED},
    after=[
        keys.UNPLACED,
        dg.AssetDep(keys.DISPOSITIONS, partition_mapping=dg.AllPartitionMapping()),
    ],
    metadata=column_schema(CompletenessRow),
    **_COMMON,
)
def completeness(store: StoreResource, **frames: pd.DataFrame) -> Frame:
    """One member of the population and its one disposition over all months and unplaced."""
    this = Month("", frames)
    built = FrameReport(store.frames()).dispositions()
    members = population(this.index, this.copies, this.claimants)
    rows = completed(members, built, to_rows(frames["unplaced"], Disposition))
    frame = to_frame(rows, CompletenessRow)
    counts = {str(answer): int(n) for answer, n in frame["answer"].value_counts().items()}
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, **counts))


@reading(
    dg.multi_asset,
    outs={
        "receivable": dg.AssetOut(
            key=keys.RECEIVABLE,
            description="The amount owed on one document, at its source and in the present ledger.",
            metadata=column_schema(ReceivableRow),
            **_COMMON,
        ),
        "amounts": dg.AssetOut(
            key=keys.AMOUNTS,
            description="One amount of one document - revenue, tax or cash: at its source, posted, listed and why.",
            metadata=column_schema(AmountRow),
            **_COMMON,
        ),
    },
    ins={**_UNPLACED, **month.UNPLACED_DOCUMENTS},
    after=[
        keys.UNPLACED,
        dg.AssetDep(keys.LEDGER_DELTAS, partition_mapping=dg.AllPartitionMapping()),
    ],
)
def against_the_ledger(
    context: dg.AssetExecutionContext,
    ledger: LedgerResource,
    read_back_log: ReadBackLogResource,
    store: StoreResource,
    unplaced: pd.DataFrame,
    unplaced_documents: pd.DataFrame,
) -> Iterator[Frame]:
    """The amount owed on one document, and each amount of it, at its source and in the present ledger."""
    proof = FrameReport(store.frames())
    decided = [row for rows in proof.dispositions().values() for row in rows]
    decided += to_rows(unplaced, Disposition)
    reader = open_reader(ledger.open(), read_back_log.open(), context.run.run_id)
    moves, settlements = reader.ledger.read_moves(None), reader.ledger.read_settlements(None)
    known = {row.ref: row for row in decided}
    tied_out = tied(decided, moves, proof.unsettled(), settlements)
    owed = to_frame(
        tied_out,
        ReceivableRow,
        orphans=list(orphans(moves, known)),
        foreign_credits=list(foreign_credit(reader.ledger.foreign_credits(books_begin(current())))),
    )
    sides = {
        **sums("owed at the source", ((row.currency, row.source) for row in tied_out)),
        **sums("open in the ledger", ((row.currency, row.ledger) for row in tied_out)),
    }
    yield dg.MaterializeResult(
        asset_key=keys.RECEIVABLE, value=owed, metadata=row_metadata(owed, **sides)
    )
    facts = [*proof.facts()]
    if not unplaced_documents.empty:
        facts += to_rows(unplaced_documents, InvoiceFacts)
    inputs = AmountInputs(
        facts=facts,
        dispositions=decided,
        deltas=proof.deltas(),
        moves=moves,
        settlements=settlements,
        settings=current(),
    )
    drawn = drawn_without_origin(settlements, known, facts)
    rows = [*amounts(inputs), *drawn]
    frame = to_frame(rows, AmountRow)
    listed: dict[str, Any] = {}
    for measure in (Measure.REVENUE, Measure.TAX, Measure.CASH):
        own = ((row.currency, row.listed) for row in rows if row.measure is measure)
        listed |= sums(f"{measure.value} listed, not posted,", own)
    yield dg.MaterializeResult(
        asset_key=keys.AMOUNTS, value=frame, metadata=row_metadata(frame, **listed)
    )
