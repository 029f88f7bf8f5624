"""The proof over all months: completeness, the receivable, and every amount against the present ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_frame, to_rows, values_of
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
from fcb_pipelines.defs.reconciliation.basis import PARTNERS, partners_now
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata, sums
from fcb_pipelines.defs.runtime.kept_proof import made_of, unless_same
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
# The frames of each month that are held against the ledger.
_AGAINST = (
    keys.DISPOSITIONS,
    keys.LEDGER_DELTAS,
    *(one.key for one in month.FACTS.values() if one.key),
)


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
    kept = store.frames()

    def made() -> pd.DataFrame:
        this, built = Month("", frames), FrameReport(kept).dispositions()
        members = population(this.index, this.copies, this.claimants)
        rows = completed(members, built, to_rows(frames["unplaced"], Disposition))
        return to_frame(rows, CompletenessRow)

    same = made_of(kept, [keys.DISPOSITIONS], frames["copies"].attrs.get("snapshot"))
    frame = unless_same(kept, keys.COMPLETENESS, same, made)
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
    kept = store.frames()
    reader = open_reader(ledger.open(), read_back_log.open(), context.run.run_id)
    moves, settlements = reader.ledger.read_moves(None), reader.ledger.read_settlements(None)
    foreign = foreign_credit(reader.ledger.foreign_credits(books_begin(current())))
    same = made_of(kept, _AGAINST, unplaced.attrs.get("snapshot"), moves, settlements, foreign)
    sides = _Sides(FrameReport(kept), unplaced, unplaced_documents)

    def owed() -> pd.DataFrame:
        return to_frame(
            tied(sides.decided, moves, sides.proof.unsettled(), settlements),
            ReceivableRow,
            orphans=list(orphans(moves, sides.known)),
            foreign_credits=list(foreign),
        )

    def every_amount() -> pd.DataFrame:
        inputs = AmountInputs(
            facts=sides.facts,
            dispositions=sides.decided,
            deltas=sides.proof.deltas(),
            moves=moves,
            settlements=settlements,
            settings=current(),
        )
        drawn = drawn_without_origin(settlements, sides.known, sides.facts)
        return to_frame([*amounts(inputs), *drawn], AmountRow)

    frame = unless_same(kept, keys.RECEIVABLE, same, owed)
    frame.attrs[PARTNERS] = partners_now(kept, reader.ledger.partners_digest())
    told = {
        **sums("owed at the source", _amounts(frame, "source")),
        **sums("open in the ledger", _amounts(frame, "ledger")),
    }
    yield dg.MaterializeResult(
        asset_key=keys.RECEIVABLE, value=frame, metadata=row_metadata(frame, **told)
    )
    frame = unless_same(kept, keys.AMOUNTS, same, every_amount)
    listed: dict[str, Any] = {}
    for measure in (Measure.REVENUE, Measure.TAX, Measure.CASH):
        of_it = frame[frame["measure"] == measure.value]
        listed |= sums(f"{measure.value} listed, not posted,", _amounts(of_it, "listed"))
    yield dg.MaterializeResult(
        asset_key=keys.AMOUNTS, value=frame, metadata=row_metadata(frame, **listed)
    )


def _amounts(frame: pd.DataFrame, name: str) -> Iterator[tuple[str, int]]:
    """A column of amounts, each with its currency."""
    return zip(values_of(frame["currency"]), values_of(frame[name]), strict=True)


@dataclass(frozen=True)
class _Sides:
    """What the months and the unplaced documents say, read when it is asked for."""

    proof: FrameReport
    unplaced: pd.DataFrame
    unplaced_documents: pd.DataFrame

    @cached_property
    def decided(self) -> list[Disposition]:
        built = [row for rows in self.proof.dispositions().values() for row in rows]
        return [*built, *to_rows(self.unplaced, Disposition)]

    @cached_property
    def known(self) -> dict[str, Disposition]:
        return {row.ref: row for row in self.decided}

    @cached_property
    def facts(self) -> list[InvoiceFacts]:
        without = self.unplaced_documents
        more = () if without.empty else to_rows(without, InvoiceFacts)
        return [*self.proof.facts(), *more]
