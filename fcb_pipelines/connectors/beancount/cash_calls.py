"""The calls of the port `CashLedger` on a folder of books."""

from collections.abc import Callable, Collection, Sequence
from datetime import date

from fcb_pipelines.connectors.beancount.books import BooksFolder, Scope
from fcb_pipelines.connectors.beancount.cash import CashRecords
from fcb_pipelines.connectors.beancount.cash_writing import (
    add_balances,
    add_cash,
    add_statements,
    annotate_entries,
    refused,
    to_state,
)
from fcb_pipelines.connectors.beancount.changes import Changes
from fcb_pipelines.connectors.beancount.loading import journal
from fcb_pipelines.connectors.beancount.reading import Records
from fcb_pipelines.connectors.failures import ContractBreach, EntriesRefused
from fcb_pipelines.connectors.ledger import unique_refs
from fcb_pipelines.connectors.stopping import stop_if_asked
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.cash import (
    CashBalance,
    CashEntry,
    CashStatement,
    LedgerCash,
    LedgerStatement,
    OutstandingItem,
)


class CashCalls:
    """What books hold of the cash of a balance. Every call raises NotPrepared where cash is off."""

    def __init__(self, books: BooksFolder[Records], settings: Settings) -> None:
        self._books = books
        self._settings = settings
        self._read: CashRecords | None = None

    def read_cash(self, refs: Collection[str] | None = None) -> tuple[LedgerCash, ...]:
        """Our cash entries in the order of `refs`, or all of them in date order."""
        cash = self._cash(Scope(names=refs) if refs is not None else None)
        return cash.held(cash.records.cash if refs is None else refs)

    def write_cash(self, entries: Sequence[CashEntry]) -> tuple[LedgerCash, ...]:
        """Write each absent entry, posted. Its lines are matched by being there, whatever was first.

        Nothing of the batch is written where this raises ContractBreach for a ref named twice or an entry that
        does not balance, NotPrepared for an account, journal or currency that the books lack, NotAllowed for
        a locked day. EntriesRefused names the entries that Beancount can't hold: a line whose amount in
        another currency is nothing or has the other sign. The others were written then.
        """
        refs = unique_refs([entry.ref for entry in entries])
        for entry in entries:
            if not entry.is_balanced:
                raise ContractBreach(f"booking {entry.ref}", "its lines do not add up to zero")
        held = {each.ref for each in self.read_cash(refs)}
        new = [entry for entry in entries if entry.ref not in held]
        refusals = refused(new)
        names = {each.ref for each in refusals}
        new = [entry for entry in new if entry.ref not in names]
        if new:
            scope = Scope(
                names=[entry.ref for entry in new],
                files={journal(entry.booked_on) for entry in new},
                stated_after=min(entry.booked_on for entry in new),
            )
            self._change_cash(lambda cash, changes: add_cash(new, cash, changes), scope)
        if refusals:
            raise EntriesRefused("booking cash", refusals)
        return self.read_cash(refs)

    def read_statements(self, refs: Collection[str] | None = None) -> tuple[LedgerStatement, ...]:
        """Our statements in the order of `refs`, or all of them in date order."""
        cash = self._cash(Scope(names=refs) if refs is not None else None)
        return cash.statements(cash.records.statements if refs is None else refs)

    def write_statements(self, statements: Sequence[CashStatement]) -> tuple[LedgerStatement, ...]:
        """Write each absent statement: a note on the bank account, which its entries name.

        The entries come first, so that who finds the note finds all of them. Raises ContractBreach for an
        entry that is not in the books or in another statement; then nothing is written.
        """
        refs = unique_refs([statement.ref for statement in statements])
        named = {ref for statement in statements for ref in statement.entries}
        files = {journal(statement.date) for statement in statements}
        scope = Scope(names={*refs, *named}, files=files)
        self._change_cash(lambda cash, changes: annotate_entries(statements, cash, changes), scope)
        self._change_cash(lambda cash, changes: add_statements(statements, cash, changes), scope)
        return self.read_statements(refs)

    def state_balances(self, balances: Sequence[CashBalance]) -> tuple[CashBalance, ...]:
        """What the bank accounts have at the end of these days; those given right are asserted in the books.

        Reads the whole books, and writes them checked as a whole where an assertion is new. Raises
        ContractBreach for a currency without a journal, and where Beancount denies what it was to prove.
        """
        if to_state(balances, self._cash(None)):
            self._change_cash(lambda cash, changes: add_balances(balances, cash, changes), None)
        cash = self._cash(None)
        for denied in to_state(balances, cash):
            raise ContractBreach(
                f"stating the balance of {denied.date}",
                f"Beancount denies {denied.amount} {denied.currency}",
                remedy="fcb books",
            )
        return tuple(
            CashBalance(
                currency=each.currency,
                date=each.date,
                amount=cash.balance(each.currency, each.date),
            )
            for each in balances
        )

    def outstanding(self, days: Sequence[date]) -> tuple[tuple[OutstandingItem, ...], ...]:
        """The lines of the outstanding account that were open at the end of each day, in date order."""
        cash = self._cash(None)
        return tuple(cash.outstanding(day) for day in days)

    def _cash(self, scope: Scope | None) -> CashRecords:
        records, read = self._books.load(scope), self._read
        if read is None or read.records is not records:
            read = self._read = CashRecords(records, self._settings)
        return read

    def _change_cash(
        self, change: Callable[[CashRecords, Changes], None], scope: Scope | None
    ) -> None:
        self._change(
            lambda records, changes: change(CashRecords(records, self._settings), changes), scope
        )

    def _change(self, change: Callable[[Records, Changes], None], scope: Scope | None) -> None:
        stop_if_asked()

        def make(records: Records) -> Changes:
            changes = Changes()
            change(records, changes)
            return changes

        self._books.change(make, scope)
