"""The proof of cash over all months: the balance, its payouts, and what is open on the outstanding account."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import FrameStore, to_frame, to_rows
from fcb_pipelines.core.cash.balance import (
    BalanceRow,
    PayoutRow,
    balance_rows,
    payout_rows,
    placed_wrongly,
)
from fcb_pipelines.core.cash.clearing import ClearingRow, clearing
from fcb_pipelines.core.cash.entries import Placement, entries_of
from fcb_pipelines.core.cash.settled import SettledCash, booked_cash
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout, ReportedBalance
from fcb_pipelines.core.ledger.cash import OutstandingAt
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.periods import first_day, following
from fcb_pipelines.defs.cash.writing import cash_ledger
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.ledger_reading import open_reader
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import LedgerResource, ReadBackLogResource, StoreResource
from fcb_pipelines.defs.sources.registry import source

Frame = dg.MaterializeResult[pd.DataFrame]
Row = TypeVar("Row")
_PROOF: dict[str, Any] = {"owners": keys.OWNERS, "kinds": {"python"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What the months of one source and of the entries hold, as they were built last."""

    frames: FrameStore

    def rows(self, key: dg.AssetKey, row_type: type[Row]) -> list[Row]:
        """The rows of all months."""
        found = (self.frames.read(key.path, period) for period in periods())
        return [row for one in found if one is not None for row in to_rows(one, row_type)]

    def lacking(self, *wanted: dg.AssetKey) -> list[str]:
        """The months without one of these frames, in words."""
        return [
            f"{period} is not built: {key.to_user_string()}"
            for period in periods()
            for key in wanted
            if self.frames.read(key.path, period) is None
        ]


def proof_assets(names: tuple[str, ...]) -> list[dg.AssetsDefinition]:
    """The proof of the balances of these sources."""
    of_months = [
        dg.AssetDep(key, partition_mapping=dg.AllPartitionMapping())
        for key in (
            keys.CASH_ENTRIES,
            *(keys.source_key(name, noun) for name in names for noun in keys.BALANCE_NOUNS[1:]),
        )
    ]

    @reading(
        dg.asset,
        key=keys.BALANCE_ROWS,
        group_name="reconciliation",
        ins={name: dg.AssetIn(keys.source_key(name, "balance")) for name in names},
        deps=of_months,
        metadata=column_schema(BalanceRow),
        **_PROOF,
    )
    def balance(store: StoreResource, **frames: pd.DataFrame) -> Frame:
        """The balance of one source in one currency: opening, transactions, and what is reported."""
        built = Built(frames=store.frames())
        placed = built.rows(keys.CASH_ENTRIES, Placement)
        rows: list[BalanceRow] = []
        faults: dict[str, list[str]] = {}
        for name in names:
            key = keys.source_key(name, "balance_transactions")
            moved = built.rows(key, BalanceTransaction)
            own = [one for one in placed if one.source == source(name).service]
            reported = to_rows(frames[name], ReportedBalance)
            rows += balance_rows(name, moved, own, reported, current())
            lacking = built.lacking(key, keys.CASH_ENTRIES)
            faults[name] = [*lacking, *placed_wrongly(moved, own)]
        frame = to_frame(rows, BalanceRow, faults=faults)
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))

    @dg.asset(
        key=keys.PAYOUT_ROWS,
        group_name="reconciliation",
        deps=of_months,
        metadata=column_schema(PayoutRow),
        **_PROOF,
    )
    def payouts(store: StoreResource) -> Frame:
        """One payout beside its transactions."""
        built = Built(frames=store.frames())
        rows: list[PayoutRow] = []
        for name in names:
            paid = built.rows(keys.source_key(name, "payouts"), Payout)
            moved = built.rows(keys.source_key(name, "balance_transactions"), BalanceTransaction)
            rows += payout_rows(paid, moved, current())
        frame = to_frame(rows, PayoutRow)
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))

    @reading(
        dg.multi_asset,
        outs={
            "clearing": dg.AssetOut(
                key=keys.CLEARING,
                group_name="reconciliation",
                metadata=column_schema(ClearingRow),
                **_PROOF,
            ),
            "outstanding": dg.AssetOut(
                key=keys.OUTSTANDING,
                group_name="ledger",
                metadata=column_schema(OutstandingAt),
                **_PROOF,
            ),
        },
        ins={"settled": dg.AssetIn(keys.CASH_SETTLED)},
        deps=[
            *of_months,
            dg.AssetDep(keys.STATEMENT_LINES, partition_mapping=dg.AllPartitionMapping()),
        ],
    )
    def against_the_outstanding_account(
        context: dg.AssetExecutionContext,
        ledger: LedgerResource,
        read_back_log: ReadBackLogResource,
        store: StoreResource,
        settled: pd.DataFrame,
    ) -> Iterator[Frame]:
        """What is open at the end of each month: by the settlements and transactions, and in the ledger."""
        built = Built(frames=store.frames())
        reader = open_reader(ledger.open(), read_back_log.open(), context.run.run_id)
        kept = cash_ledger(reader.ledger)
        posted = [
            one.settlement
            for one in reader.ledger.read_settlements(None)
            if one.state is MoveState.POSTED
        ]
        ends = {period: first_day(following(period)) - timedelta(days=1) for period in periods()}
        entries = {one.ref: one for one in entries_of(built.rows(keys.CASH_ENTRIES, Placement))}
        # What the books have counts on the day on which they have it.
        held = {one.ref: one.entry for one in kept.read_cash() if one.state is MoveState.POSTED}
        rows = clearing(
            booked_cash(posted, current()),
            [held.get(ref, entry) for ref, entry in entries.items()],
            ends,
            {row.key: row.document for row in to_rows(settled, SettledCash)},
        )
        frame = to_frame(rows, ClearingRow, last=periods()[-1])
        yield dg.MaterializeResult(
            asset_key=keys.CLEARING, value=frame, metadata=row_metadata(frame)
        )
        items = [
            OutstandingAt(period=period, item=item)
            for period, end in ends.items()
            for item in kept.outstanding(end)
        ]
        frame = to_frame(items, OutstandingAt, periods=[*ends])
        yield dg.MaterializeResult(
            asset_key=keys.OUTSTANDING, value=frame, metadata=row_metadata(frame)
        )

    return [balance, payouts, against_the_outstanding_account]


proofs = proof_assets(keys.BALANCES) if keys.BALANCES else []
