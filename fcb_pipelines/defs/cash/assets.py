"""The cash of every source that keeps a balance: what moved in it, and what each transaction is.

Nothing of it is defined where cash is off.
"""

from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.connectors.store.frames import to_frame, to_rows
from fcb_pipelines.core.cash.entries import CashScope, Placement, opening_placements, place
from fcb_pipelines.core.cash.settled import SettledBy, SettledCash
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout, ReportedBalance
from fcb_pipelines.defs.cash.reading import (
    ReadAt,
    balance_of,
    read_payouts,
    read_transactions,
    transactions_in,
)
from fcb_pipelines.defs.cash.settled import customers, form, settled_rows
from fcb_pipelines.defs.runtime import keys, month
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata, users_of
from fcb_pipelines.defs.runtime.partitions import MONTHS
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import StoreResource
from fcb_pipelines.defs.sources.reading import reader_of
from fcb_pipelines.defs.sources.registry import rules, source

Frame = dg.MaterializeResult[pd.DataFrame]
_CASH: dict[str, Any] = {"group_name": "cash", "owners": keys.OWNERS, "kinds": {"python"}}


def balance_assets(name: str) -> list[dg.AssetsDefinition]:
    """balance, balance_transactions and payouts of one source."""
    reads: dict[str, Any] = {
        "group_name": name,
        "kinds": {name},
        "owners": keys.OWNERS,
        "pool": name,
        "required_resource_keys": {name, "store"},
    }

    @reading(
        dg.asset,
        key=keys.source_key(name, "balance"),
        ins={"index": dg.AssetIn(keys.source_key(name, "index"))},
        description=f"The balance that {name} reports in one currency.",
        metadata=column_schema(ReportedBalance),
        **reads,
    )
    def balance(context: dg.AssetExecutionContext, index: pd.DataFrame) -> Frame:
        reader = reader_of(name, context.resources)
        found = balance_of(reader).balance()
        evidence = reader.evidence.put(name, found.body)
        rows = reader.of.cash.balance(found.body, found.newest, is_sure=found.is_sure)
        frame = to_frame(rows, ReportedBalance, evidence=evidence, **_snapshot(index))
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, calls=found.calls))

    @reading(
        dg.asset,
        key=keys.source_key(name, "balance_transactions"),
        ins={"reported": dg.AssetIn(keys.source_key(name, "balance"))},
        partitions_def=MONTHS,
        description=f"One transaction of the balance that {name} keeps, made in the month.",
        metadata=column_schema(BalanceTransaction),
        **reads,
    )
    def balance_transactions(context: dg.AssetExecutionContext, reported: pd.DataFrame) -> Frame:
        at = ReadAt.of(reported.attrs.get("snapshot"), current().timezone)
        before = _before(context, keys.source_key(name, "balance_transactions"))
        frame = read_transactions(
            reader_of(name, context.resources), context.partition_key, at, before
        )
        return _listed(name, frame)

    @reading(
        dg.asset,
        key=keys.source_key(name, "payouts"),
        ins={"reported": dg.AssetIn(keys.source_key(name, "balance"))},
        partitions_def=MONTHS,
        description=f"One payout of {name} that was made in the month, with its transactions.",
        metadata=column_schema(Payout),
        **reads,
    )
    def payouts(context: dg.AssetExecutionContext, reported: pd.DataFrame) -> Frame:
        at = ReadAt.of(reported.attrs.get("snapshot"), current().timezone)
        before = _before(context, keys.source_key(name, "payouts"))
        frame = read_payouts(reader_of(name, context.resources), context.partition_key, at, before)
        return _listed(name, frame)

    return [balance, balance_transactions, payouts]


def cash_assets(names: tuple[str, ...]) -> list[dg.AssetsDefinition]:
    """The settlements that transactions may meet, and the placement of each transaction of these sources."""

    @reading(
        dg.asset,
        key=keys.CASH_SETTLED,
        ins={**month.INDEXES, **month.USERS},
        metadata=column_schema(SettledCash),
        **_CASH,
    )
    def settled(store: StoreResource, **frames: pd.DataFrame) -> Frame:
        """One settlement in cash of any document, as its source confirms it."""
        indexes = {name: frames[f"{name}_index"] for name in keys.SOURCES}
        before = store.frames().read(keys.CASH_SETTLED.path)
        users = users_of(frames["users"])
        ours = {each for one in rules().values() for each in one.customers(users)}
        frame = to_frame(
            settled_rows(indexes, store.evidence(), before),
            SettledCash,
            form=form(),
            customers=sorted(ours | customers(indexes)),
            **_snapshot(next(iter(indexes.values()))),
        )
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame))

    @reading(
        dg.asset,
        key=keys.CASH_ENTRIES,
        ins={
            "settled": dg.AssetIn(keys.CASH_SETTLED),
            **{
                f"{name}_{noun}": dg.AssetIn(keys.source_key(name, noun))
                for name in names
                for noun in keys.BALANCE_NOUNS[1:]
            },
        },
        partitions_def=MONTHS,
        metadata=column_schema(Placement),
        **_CASH,
    )
    def entries(
        context: dg.AssetExecutionContext, settled: pd.DataFrame, **frames: pd.DataFrame
    ) -> Frame:
        """One transaction of a balance, or a sum of other services', and its entry or why it has none."""
        company = current()
        at = ReadAt.of(settled.attrs.get("snapshot"), company.timezone)
        rows: list[Placement] = []
        for name in names:
            of = source(name)
            scope = CashScope(
                settled=SettledBy(to_rows(settled, SettledCash)),
                customers=frozenset(settled.attrs["customers"]),
                metadata_key=of.section.scope_metadata_key,
                until=at.instant,
                today=at.day,
                payouts=to_rows(frames[f"{name}_payouts"], Payout),
            )
            if context.partition_key == company.first_period:
                rows += opening_placements(of.service, company)
            rows += place(transactions_in(frames[f"{name}_balance_transactions"]), scope, company)
        frame = to_frame(rows, Placement)
        booked = sum(row.entry is not None for row in rows)
        return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, booked=booked))

    return [settled, entries]


def _snapshot(frame: pd.DataFrame) -> dict[str, Any]:
    return {"snapshot": frame.attrs.get("snapshot")}


def _before(context: dg.AssetExecutionContext, key: dg.AssetKey) -> pd.DataFrame | None:
    frame: pd.DataFrame | None = context.resources.store.frames().read(
        key.path, context.partition_key
    )
    return frame


def _listed(name: str, frame: pd.DataFrame) -> Frame:
    """A list of the month. Raises ContractBreach for one that is not whole: it must not be booked from."""
    if frame.attrs["problem"]:
        raise ContractBreach(f"{name}: listing its balance", str(frame.attrs["problem"]))
    calls = frame.attrs["calls"]
    return dg.MaterializeResult(value=frame, metadata=row_metadata(frame, calls=calls))


balances = [asset for name in keys.BALANCES for asset in balance_assets(name)]
booked = cash_assets(keys.BALANCES) if keys.BALANCES else []
