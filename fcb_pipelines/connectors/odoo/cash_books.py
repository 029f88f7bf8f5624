"""The port's calls for the cash of a balance (`connectors.ledger.CashLedger`), over one company's books."""

from collections.abc import Collection, Sequence
from datetime import date

from fcb_pipelines.connectors.failures import ContractBreach, EntriesRefused, NotPrepared
from fcb_pipelines.connectors.ledger import unique_refs
from fcb_pipelines.connectors.odoo.books import Books
from fcb_pipelines.connectors.odoo.cash import Cash
from fcb_pipelines.connectors.odoo.cash_balances import CashBalances
from fcb_pipelines.connectors.odoo.chart import BANK_ACCOUNT, Chart
from fcb_pipelines.connectors.odoo.statements import Statements
from fcb_pipelines.core.ledger.cash import (
    CashBalance,
    CashEntry,
    CashStatement,
    LedgerCash,
    LedgerStatement,
    OutstandingItem,
)


class CashBooks(Books):
    """Books that also hold cash. With cash off each call raises NotPrepared."""

    def read_cash(self, refs: Collection[str] | None = None) -> tuple[LedgerCash, ...]:
        """Our cash entries with these refs, in their order; None: all of ours."""
        return () if refs is not None and not refs else self._cash().read(refs)

    def write_cash(self, entries: Sequence[CashEntry]) -> tuple[LedgerCash, ...]:
        """Write and post each absent entry, then match the keys of all; one transaction a batch.

        Raises ContractBreach, NotPrepared or NotAllowed as the port says, and then writes nothing.
        Raises EntriesRefused for those that Odoo refused, after the others were written.
        """
        refs = unique_refs([entry.ref for entry in entries])
        for entry in entries:
            if not entry.is_balanced:
                raise ContractBreach(
                    f"writing {entry.ref}", "its lines do not add up to its amount"
                )
        if not entries:
            return ()
        self._assert_ours()
        cash = self._cash()
        found = cash.find(refs)
        there = {each.ref for each in cash.read(list(found))}
        new = [entry for entry in entries if entry.ref not in there]
        self._assert_has(self._chart(), (BANK_ACCOUNT,), cash=True)
        rows = cash.rows(new)
        self._assert_open(((each.ref, each.booked_on, each.currency) for each in new), "entry_lock")
        refused = cash.write(entries, rows)
        if refused:
            raise EntriesRefused(f"writing {len(new)} cash entries to Odoo", refused)
        return cash.read(refs)

    def read_statements(self, refs: Collection[str] | None = None) -> tuple[LedgerStatement, ...]:
        """Our statements with these refs, in their order; None: all of ours."""
        return () if refs is not None and not refs else self._statements().read(refs)

    def write_statements(self, statements: Sequence[CashStatement]) -> tuple[LedgerStatement, ...]:
        """Write each absent statement over its entries, in this order; one transaction a batch."""
        refs = unique_refs([each.ref for each in statements])
        if not statements:
            return ()
        self._assert_ours()
        writer = self._statements()
        there = {each.ref for each in writer.read(refs)}
        new = [each for each in statements if each.ref not in there]
        if new:
            lines = self._cash().find([ref for each in new for ref in each.entries])
            writer.write(new, lines)
        return writer.read(refs)

    def state_balances(self, balances: Sequence[CashBalance]) -> tuple[CashBalance, ...]:
        """What the bank accounts have at the end of each of these days. Reads only."""
        return CashBalances(self._odoo, self._cash_chart()).at(balances)

    def outstanding(self, days: Sequence[date]) -> tuple[tuple[OutstandingItem, ...], ...]:
        """The lines of the outstanding account that were open at the end of each of these days."""
        return CashBalances(self._odoo, self._cash_chart()).outstanding(days)

    def _cash_chart(self) -> Chart:
        """The chart. Raises NotPrepared with cash off, and without the fields of cash."""
        if self._settings.cash is None:
            raise NotPrepared(
                f"opening the cash of Odoo database {self._odoo.database}",
                "cash is off",
                remedy="set `cash: on` in the configuration",
            )
        chart = self._chart()
        self._assert_has(chart, ("field",), cash=True)
        return chart

    def _cash(self) -> Cash:
        chart = self._cash_chart()
        return Cash(self._odoo, self._batches(), chart, self._lookups())

    def _statements(self) -> Statements:
        return Statements(self._odoo, self._batches(), self._cash_chart())
