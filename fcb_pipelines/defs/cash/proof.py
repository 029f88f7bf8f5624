"""The proof of cash over all months at its source: the balance, and its payouts."""

from typing import Any, TypeVar

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_frame, to_rows
from fcb_pipelines.core.cash.balance import (
    BalanceRow,
    PayoutRow,
    balance_rows,
    of_others_as_ours,
    payout_rows,
    placed_wrongly,
    to_explain,
)
from fcb_pipelines.core.cash.entries import Placement
from fcb_pipelines.core.cash.settled import SettledCash
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout, ReportedBalance
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.built import Built
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import StoreResource
from fcb_pipelines.defs.sources.registry import source

Frame = dg.MaterializeResult[pd.DataFrame]
Row = TypeVar("Row")
_PROOF: dict[str, Any] = {"owners": keys.OWNERS, "kinds": {"python"}}
# Above the entries lie the transactions and payouts of every month, and the balance.
_ENTRIES = dg.AssetDep(keys.CASH_ENTRIES, partition_mapping=dg.AllPartitionMapping())


def proof_assets(names: tuple[str, ...]) -> list[dg.AssetsDefinition]:
    """The proof of the balances of these sources."""

    @reading(
        dg.asset,
        key=keys.BALANCE_ROWS,
        group_name="reconciliation",
        ins={
            "settled": dg.AssetIn(keys.CASH_SETTLED),
            **{name: dg.AssetIn(keys.source_key(name, "balance")) for name in names},
        },
        after=[_ENTRIES],
        metadata=column_schema(BalanceRow),
        **_PROOF,
    )
    def balance(store: StoreResource, settled: pd.DataFrame, **frames: pd.DataFrame) -> Frame:
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
            theirs = of_others_as_ours(
                moved,
                own,
                to_rows(settled, SettledCash),
                settled.attrs["customers"],
                source(name).section.scope_metadata_key,
            )
            faults[name] = [*lacking, *placed_wrongly(moved, own), *theirs]
        frame = to_frame(rows, BalanceRow, faults=faults, to_explain=[*to_explain(placed)])
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))

    @dg.asset(
        key=keys.PAYOUT_ROWS,
        group_name="reconciliation",
        deps=[_ENTRIES],
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

    return [balance, payouts]


proofs = proof_assets(keys.BALANCES) if keys.BALANCES else []
