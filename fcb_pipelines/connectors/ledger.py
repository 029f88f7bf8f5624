"""The ledger port: the calls that the pipeline needs of any ledger, and no others.

Two adapters implement it - `connectors.odoo.ledger` and `connectors.beancount.ledger` - and one contract
suite tests both. Every call takes and returns whole batches. None edits or deletes a posted entry.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.core.ledger.cash import (
    CashBalance,
    CashEntry,
    CashStatement,
    LedgerCash,
    LedgerStatement,
    OutstandingItem,
)
from fcb_pipelines.core.ledger.description import LedgerDescription, SetupStep, TrialBalanceRow
from fcb_pipelines.core.ledger.entries import LedgerDocument, Partner, Settlement
from fcb_pipelines.core.ledger.moves import (
    ForeignCredit,
    LedgerMove,
    LedgerSettlement,
    ListedMove,
)
from fcb_pipelines.core.ledger.partners import LinkedPartner


def _nobody(other: str) -> None:
    """Who names nobody has nobody who listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes: the deployment, its run's name as people know it and its id, and who is told of a wait.

    `waits` is called about each second with the name of the other that is waited for. Without a
    `deployment`, as in a test, a writer in Odoo keeps no other from writing and is kept by none.
    """

    deployment: str = ""
    name: str = "fcb"
    run: str = ""
    waits: Callable[[str], None] = _nobody


class Ledger(Protocol):
    """One set of books.

    Each write looks up its external ids first, so a call repeated after a lost answer or a killed
    process writes nothing twice. All raise `connectors.failures` errors:
    TransientFailure when the same call may succeed later, PermanentFailure when it can't.
    """

    def begin_writing(self, writer: Writer) -> bool:
        """From now on write in this name. True where another deployment wrote, and was waited for.

        One deployment writes at a time, however many know these books. Raises Busy, which names the other,
        after a long wait; so does each write that finds another's, before anything of it is done.
        """
        ...

    def describe(self) -> LedgerDescription:
        """The ledger's identity, currencies, locks and missing parts. Reads only."""
        ...

    def setup(self, *, dry_run: bool = False, unarchive: bool = False) -> tuple[SetupStep, ...]:
        """Make the accounts, journals and fields that are missing; find (never make) taxes.

        `unarchive`: also bring back those that a person archived. Nothing in embedded books is.
        """
        ...

    def list_moves(self) -> tuple[ListedMove, ...]:
        """All of our moves in short. They stay in the population when a source forgets them (A13)."""
        ...

    def read_moves(
        self, refs: Collection[str] | None = None, *, of: Collection[str] = ()
    ) -> tuple[LedgerMove, ...]:
        """Our moves with these document refs, and all that reverse the documents `of`.

        `refs` None: all of ours. A ref without a move is left out of the answer.
        """
        ...

    def read_settlements(
        self, refs: Collection[str] | None = None, *, of: Collection[str] = ()
    ) -> tuple[LedgerSettlement, ...]:
        """Our settlements with these refs, and all that settle or draw on the documents `of`.

        `refs` None: all of ours.
        """
        ...

    def partners_digest(self) -> str:
        """A text that differs once a partner of the books, ours or not, was added, changed or removed."""
        ...

    def upsert_partners(
        self, partners: Sequence[Partner], *, others: Sequence[Partner] = ()
    ) -> tuple[LinkedPartner, ...]:
        """Link or create each partner; fill empty fields, overwrite none. Idempotent.

        `core.documents.partners` decides which account takes which partner. `others` are accounts that
        are not written and count where an email is shared. Returns one partner for each of `partners`.
        """
        ...

    def write_drafts(
        self, documents: Sequence[LedgerDocument], *, replace: Collection[str] = ()
    ) -> tuple[LedgerMove, ...]:
        """Write each document as a draft with its external id, in one transaction a batch.

        A document already in the ledger is left as it is, unless its ref is in `replace` and
        its move is a draft: then the draft is rebuilt. Returns the read-back of all of them.
        """
        ...

    def post(self, refs: Sequence[str]) -> tuple[LedgerMove, ...]:
        """Post these drafts; moves already posted stay as they are. Returns the read-back."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> tuple[LedgerSettlement, ...]:
        """Write, post and reconcile each settlement with its document's receivable.

        A settlement that exists is not written again; one that exists unreconciled is reconciled. An
        allocation matches exactly its amount with the receipt or credit note that it draws on; the
        first one also writes a shared receipt. A settlement that undoes another releases that one from
        the document and is matched with it. Returns the read-back.
        """
        ...

    def foreign_credits(self, since: date) -> tuple[ForeignCredit, ...]:
        """The open credits of partners with a link of ours, in entries that are not ours, dated `since` or later.

        By date and move. What a person has matched with a document is no open credit.
        """
        ...

    def trial_balance(self) -> tuple[TrialBalanceRow, ...]:
        """Balances by account code and currency over our posted moves and settlements.

        An account that comes to zero may be left out.
        """
        ...


@runtime_checkable
class CashLedger(Protocol):
    """Books that also hold the cash of a source's balance (`core.ledger.cash`), beside `Ledger`.

    `setup` makes, and `describe` misses (`MissingPart.cash`), what `Settings.cash` names, only where
    that is not off. The account of the balance is the bank account of its journal - `journals.stripe`
    for the company's currency, `cash.balances` for others - and `trial_balance` counts cash entries and
    statements' lines too. As everywhere, each write looks up its external ids first, a batch is one
    transaction, what was written is read back, and nothing posted is edited or deleted.
    """

    def read_cash(self, refs: Collection[str] | None = None) -> tuple[LedgerCash, ...]:
        """Our cash entries with these refs; None: all of ours. A ref without an entry is left out.

        Cancelled ones are given as such. A constant number of calls for a batch.
        """
        ...

    def write_cash(self, entries: Sequence[CashEntry]) -> tuple[LedgerCash, ...]:
        """Write and post each entry with its external id, then match; returns the read-back of all.

        Of an entry: `ref` the external id; the journal of its `currency`; the day `booked_on`, beside which
        `date` is kept; the bank line of `amount`; each line on its account with its label, its key and,
        where it has one, its `original` amount in that currency; `content_hash` and `kind`. An entry
        that exists is not written again and keeps what it is.

        Matched are, on the outstanding account of `journals.stripe`, all open lines of one key (`meets`)
        in one currency: those of cash entries, and those of the settlements, shared receipts and reversals
        of settlements of ours with that `matching_key`. All keys of the batch go into one reconcile plan,
        each key by itself; a key with one side alone stays open, and is matched by a later call that names an
        entry of it. Lines that a person matched otherwise stay as they are.

        Raises ContractBreach for a ref twice in the batch or an entry that does not balance; NotPrepared
        for an account or journal that the ledger lacks; NotAllowed for a locked day; EntriesRefused
        naming each entry that the ledger refused, after the others of the batch were written.
        """
        ...

    def read_statements(self, refs: Collection[str] | None = None) -> tuple[LedgerStatement, ...]:
        """Our statements with these refs; None: all of ours, in the order they were written in.

        The dates of the statements of a currency have to be in that order, too: none is before an earlier one's.
        """
        ...

    def write_statements(self, statements: Sequence[CashStatement]) -> tuple[LedgerStatement, ...]:
        """Write each statement over its entries, oldest first; returns the read-back of all.

        Every entry of a statement is in the books already and in no other statement; else ContractBreach.
        A statement that exists is not written again. In Odoo it is an account.bank.statement; in
        embedded books it is a note with its balances, and the entries get its ref and a link of it.
        """
        ...

    def state_balances(self, balances: Sequence[CashBalance]) -> tuple[CashBalance, ...]:
        """What the bank accounts really have at the end of each of these days, in the same order.

        All posted entries count, also those that are not ours. Embedded books also get a `balance`
        directive of the given amount on the day after, once for each day and currency, so that their own
        loader proves it; one that is not what the books have is not written. `balances` with the amounts
        as last read is therefore a mere reading. Our entry of an earlier day, written later, takes the
        directives after it away: state them again. Raises ContractBreach for a currency without a journal.
        """
        ...

    def outstanding(self, days: Sequence[date]) -> tuple[tuple[OutstandingItem, ...], ...]:
        """The lines of the outstanding account of `journals.stripe` that were open at the end of each of these days.

        In the order of `days`, in a constant number of calls. A matching counts from the later of the
        days of its two lines. Lines that are not ours count too; the sum of the residuals in a currency
        is the account's balance in it on its day.
        """
        ...


def unique_refs(refs: Sequence[str]) -> list[str]:
    """The refs of a batch. Raises ContractBreach where the batch names a ref twice."""
    twice = [ref for ref, times in Counter(refs).items() if times > 1]
    if twice:
        raise ContractBreach("writing a batch", f"named twice in it: {min(twice)}")
    return list(refs)
