"""Cash in the books over all months: what is open, the statements, and the journal's balance day by day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import dagster as dg
import pandas as pd

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.ledger import CashLedger
from fcb_pipelines.connectors.store.frames import to_frame, to_rows
from fcb_pipelines.core.cash.balance import payout_rows
from fcb_pipelines.core.cash.clearing import ClearingRow, clearing
from fcb_pipelines.core.cash.entries import Placement, entries_of
from fcb_pipelines.core.cash.journal import (
    JournalRow,
    balances_expected,
    cash_deltas,
    days_to_prove,
    journal_rows,
)
from fcb_pipelines.core.cash.plan import CashPlan, counted, plan_cash
from fcb_pipelines.core.cash.settled import SettledCash, booked_cash
from fcb_pipelines.core.cash.statements import StatementInputs, plan_statements
from fcb_pipelines.core.dispositions.case import books_begin
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout
from fcb_pipelines.core.ledger.cash import (
    CashEntry,
    LedgerCash,
    LedgerStatement,
    OutstandingAt,
)
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.periods import first_day, following
from fcb_pipelines.defs.cash.reading import ReadAt
from fcb_pipelines.defs.cash.writing import cash_ledger
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.built import Built
from fcb_pipelines.defs.runtime.frame_rows import column_schema, row_metadata
from fcb_pipelines.defs.runtime.ledger_reading import LedgerReader, open_writer
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines.defs.runtime.reading import reading
from fcb_pipelines.defs.runtime.resources import LedgerResource, ReadBackLogResource, StoreResource
from fcb_pipelines.defs.sources.registry import source

Frame = dg.MaterializeResult[pd.DataFrame]


@dataclass(frozen=True)
class Kept:
    """What the books have of cash beside what was built; each is read once."""

    reader: LedgerReader
    built: Built
    names: tuple[str, ...]

    @cached_property
    def ledger(self) -> CashLedger:
        """The ledger as one that keeps cash."""
        return cash_ledger(self.reader.ledger)

    @cached_property
    def placements(self) -> list[Placement]:
        """Every placement of the months that are built."""
        return self.built.rows(keys.CASH_ENTRIES, Placement)

    @cached_property
    def entries(self) -> tuple[CashEntry, ...]:
        """Every intended entry."""
        return tuple({one.ref: one for one in entries_of(self.placements)}.values())

    @cached_property
    def held(self) -> dict[str, LedgerCash]:
        """Every entry of ours in the books."""
        return {one.ref: one for one in self.ledger.read_cash()}

    @cached_property
    def plan(self) -> CashPlan:
        """What a run that posts would write, and what differs."""
        seen = self.reader.log.latest(
            self.reader.description.identity, [entry.ref for entry in self.entries]
        )
        return plan_cash(
            self.entries,
            self.held,
            {ref: one.seen for ref, one in seen.items()},
            self.reader.description.entry_lock,
        )

    def payouts(self, name: str) -> list[Payout]:
        """The payouts of one source."""
        return self.built.rows(keys.source_key(name, "payouts"), Payout)


def books_assets(names: tuple[str, ...]) -> list[dg.AssetsDefinition]:
    """The one asset that looks at the cash of all months in the books."""

    @reading(
        dg.multi_asset,
        outs={
            "clearing": _out(
                keys.CLEARING,
                ClearingRow,
                "One key that is open on the outstanding account at a month's end, and why.",
            ),
            "outstanding": _out(
                keys.OUTSTANDING,
                OutstandingAt,
                "One line that the ledger has open there at a month's end.",
            ),
            "statements": _out(
                keys.STATEMENTS,
                LedgerStatement,
                "One statement of a balance, as the ledger answers it.",
            ),
            "journal": _out(
                keys.JOURNAL,
                JournalRow,
                "The balance of one journal at a payout or a month's end: of the transactions, and in the books.",
            ),
        },
        ins={"settled": dg.AssetIn(keys.CASH_SETTLED)},
        after=[dg.AssetDep(keys.STATEMENT_LINES, partition_mapping=dg.AllPartitionMapping())],
        pool=keys.LEDGER_POOL,
    )
    def cash_in_the_books(
        context: dg.AssetExecutionContext,
        ledger: LedgerResource,
        read_back_log: ReadBackLogResource,
        store: StoreResource,
        settled: pd.DataFrame,
    ) -> Iterator[Frame]:
        """What is open at each month's end; the statements, written over what is posted; the journal's balance.

        A statement moves nothing, so it is written whether or not this run may post.
        """
        today = ReadAt.of(settled.attrs.get("snapshot"), current().timezone).day
        built = Built(frames=store.frames())
        with open_writer(ledger.open(), read_back_log.open(), context.run.run_id) as reader:
            kept = Kept(reader, built, names)
            documents = {row.key: row.document for row in to_rows(settled, SettledCash)}
            yield from _open(kept, documents)
            yield _statements(kept, today)
            yield _journal(kept, today)

    return [cash_in_the_books]


def _out(key: dg.AssetKey, row_type: type[Any], row: str) -> dg.AssetOut:
    return dg.AssetOut(
        key=key,
        description=row,
        group_name=key.path[0],
        owners=keys.OWNERS,
        kinds={"python"},
        metadata=column_schema(row_type),
    )


def _open(kept: Kept, documents: Mapping[str, str]) -> Iterator[Frame]:
    """What is open at the end of each month: by the settlements and transactions, and in the ledger."""
    held = kept.reader.ledger.read_settlements(None)
    posted = [one.settlement for one in held if one.state is MoveState.POSTED]
    ends = {period: first_day(following(period)) - timedelta(days=1) for period in periods()}
    rows = clearing(
        booked_cash(posted, current()), counted(kept.entries, kept.plan, kept.held), ends, documents
    )
    frame = to_frame(rows, ClearingRow, last=periods()[-1])
    yield _made(keys.CLEARING, frame)
    items = [
        OutstandingAt(period=period, item=item)
        for period, found in zip(ends, kept.ledger.outstanding([*ends.values()]), strict=True)
        for item in found
    ]
    yield _made(keys.OUTSTANDING, to_frame(items, OutstandingAt, periods=[*ends]))


def _statements(kept: Kept, today: date) -> Frame:
    """Write the statements that are complete now; all of ours as the ledger has them."""
    waiting: dict[str, str] = {}
    written = 0
    for name in kept.names:
        service = source(name).service
        transactions = kept.built.rows(
            keys.source_key(name, "balance_transactions"), BalanceTransaction
        )
        payouts = kept.payouts(name)
        faulty = {row.ref for row in payout_rows(payouts, transactions, current()) if row.faults}
        plan = plan_statements(
            StatementInputs(
                source=service,
                placements=[one for one in kept.placements if one.source == service],
                payouts=payouts,
                faulty=faulty,
                held=kept.held,
                written=kept.ledger.read_statements(),
                begin=books_begin(current()),
                today=today,
            )
        )
        if plan.write:
            kept.ledger.write_statements(plan.write)
        written += len(plan.write)
        waiting |= dict(plan.waiting)
    frame = to_frame(kept.ledger.read_statements(), LedgerStatement, waiting=waiting)
    return _made(keys.STATEMENTS, frame, written=written, waiting=len(waiting))


def _journal(kept: Kept, today: date) -> Frame:
    """State the balance at each payout and month's end, in embedded books as directives; and compare each entry."""
    payouts = [one for name in kept.names for one in kept.payouts(name)]
    days = days_to_prove(payouts, kept.entries, books_begin(current()), today)
    expected = balances_expected(days, kept.entries, kept.plan, kept.held)
    found = kept.ledger.state_balances(expected) if expected else ()
    rows = journal_rows(expected, found, kept.plan, kept.held)
    built = {
        period
        for period in periods()
        if kept.built.frames.read(keys.CASH_ENTRIES.path, period) is not None
    }
    deltas = cash_deltas(kept.entries, kept.held, kept.plan, built)
    told = [[one.ref, one.period, one.side.value, one.detail] for one in deltas]
    return _made(keys.JOURNAL, to_frame(rows, JournalRow, deltas=told), differ=len(deltas))


def _made(key: dg.AssetKey, frame: pd.DataFrame, **facts: int) -> Frame:
    return dg.MaterializeResult(asset_key=key, value=frame, metadata=row_metadata(frame, **facts))


booked = books_assets(keys.BALANCES) if keys.BALANCES else []
