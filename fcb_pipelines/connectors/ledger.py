"""The ledger port: the calls that the pipeline needs of any ledger, and no others.

Two adapters implement it - `connectors.odoo.ledger` and `connectors.beancount.ledger` - and one contract
suite tests both. Every call takes and returns whole batches. None edits or deletes a posted entry.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date
from typing import Protocol

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.core.ledger.description import LedgerDescription, SetupStep, TrialBalanceRow
from fcb_pipelines.core.ledger.entries import LedgerDocument, Partner, Settlement
from fcb_pipelines.core.ledger.moves import (
    ForeignCredit,
    LedgerMove,
    LedgerSettlement,
    ListedMove,
)
from fcb_pipelines.core.ledger.partners import LinkedPartner


class Ledger(Protocol):
    """One set of books.

    Each write looks up its external ids first, so a call repeated after a lost answer or a killed
    process writes nothing twice. All raise `connectors.failures` errors:
    TransientFailure when the same call may succeed later, PermanentFailure when it can't.
    """

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


def unique_refs(refs: Sequence[str]) -> list[str]:
    """The refs of a batch. Raises ContractBreach where the batch names a ref twice."""
    twice = [ref for ref, times in Counter(refs).items() if times > 1]
    if twice:
        raise ContractBreach("writing a batch", f"named twice in it: {min(twice)}")
    return list(refs)
