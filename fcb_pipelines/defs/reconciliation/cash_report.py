"""Cash read back from the frames: for the close report, the status, and what is told of one payout."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import dagster as dg

from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import FrameStore, to_rows
from fcb_pipelines.core.cash.balance import BalanceRow, PayoutRow
from fcb_pipelines.core.cash.clearing import ClearingRow
from fcb_pipelines.core.cash.entries import Placement
from fcb_pipelines.core.cash.report import cash_section, cash_status, payout_story
from fcb_pipelines.core.cash.settled import SettledCash
from fcb_pipelines.core.cash.shapes import CashSection, CashStatus, PayoutStory
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout
from fcb_pipelines.defs.reconciliation.naming import numbers
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.built import Built
from fcb_pipelines.defs.runtime.partitions import periods

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class CashReport:
    """What the frames of one dataset say of cash. Without cash in the configuration each answer is None."""

    frames: FrameStore

    def section(self, period: str) -> CashSection | None:
        """The part of the month's close report, from the months up to it as they were built last."""
        if current().cash is None:
            return None
        until = [one for one in periods() if one <= period]
        return cash_section(
            period,
            self._of_sources("balance_transactions", BalanceTransaction, until),
            self._of_sources("payouts", Payout, [period]),
            self._built.rows(keys.CASH_ENTRIES, Placement, until),
            self._rows(keys.CLEARING, ClearingRow),
            current(),
        )

    def status(self) -> CashStatus | None:
        """The object `cash` of the status, as the last proof found it."""
        if current().cash is None:
            return None
        balances = self.frames.read(keys.BALANCE_ROWS.path)
        clearing = self.frames.read(keys.CLEARING.path)
        last = clearing.attrs.get("last") if clearing is not None else None
        statements = self.frames.read(keys.STATEMENTS.path)
        return cash_status(
            self._rows(keys.BALANCE_ROWS, BalanceRow),
            self._rows(keys.PAYOUT_ROWS, PayoutRow),
            0 if statements is None else len(statements),
            [row for row in self._rows(keys.CLEARING, ClearingRow) if row.period == last],
            len(balances.attrs.get("to_explain", ())) if balances is not None else 0,
        )

    def payout(self, named: str) -> PayoutStory | None:
        """The payout with this id or ref, and the documents that it pays; None where no month has it."""
        if current().cash is None:
            return None
        found = self._of_sources("payouts", Payout, periods())
        payout = next((one for one in found if named in (one.id, one.ref)), None)
        if payout is None:
            return None
        settled = self._rows(keys.CASH_SETTLED, SettledCash)
        return payout_story(
            payout,
            self._of_sources("balance_transactions", BalanceTransaction, periods()),
            self._built.rows(keys.CASH_ENTRIES, Placement),
            {row.key: row.document for row in settled},
            numbers(self.frames),
        )

    @property
    def _built(self) -> Built:
        return Built(frames=self.frames)

    def _of_sources(self, noun: str, row_type: type[Row], months: Sequence[str]) -> list[Row]:
        rows = (
            self._built.rows(keys.source_key(name, noun), row_type, months)
            for name in keys.CAN_KEEP
        )
        return [row for own in rows for row in own]

    def _rows(self, key: dg.AssetKey, row_type: type[Row]) -> tuple[Row, ...]:
        frame = self.frames.read(key.path)
        return to_rows(frame, row_type) if frame is not None else ()
