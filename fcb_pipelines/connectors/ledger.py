"""The ledger port: what the pipeline needs of any ledger, and nothing more.

Two adapters speak it - `connectors.odoo.ledger` and `connectors.beancount.ledger` - and one contract suite tests
both. Every call takes and returns whole batches. Nothing here edits or deletes a posted entry.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Protocol

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.core.ledger.description import LedgerDescription, SetupStep, TrialBalanceRow
from fcb_pipelines.core.ledger.entries import LedgerDocument, Partner, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, ListedMove
from fcb_pipelines.core.ledger.partners import LinkedPartner


class Ledger(Protocol):
    """One set of books.

    Writers look up what is there by external id before they write, so a call repeated after a lost
    answer or a killed process writes nothing twice. All raise `connectors.failures` errors:
    TransientFailure when the same call may succeed later, PermanentFailure when it can't.
    """

    def describe(self) -> LedgerDescription:
        """What this ledger is and what it still lacks. Reads only."""
        ...

    def setup(self, *, dry_run: bool = False) -> tuple[SetupStep, ...]:
        """Make the accounts, journals and fields that are missing; find (never make) taxes."""
        ...

    def list_moves(self) -> tuple[ListedMove, ...]:
        """All of our moves in short: what belongs to the population whoever forgets it (A13)."""
        ...

    def read_moves(
        self, refs: Collection[str] | None = None, *, of: Collection[str] = ()
    ) -> tuple[LedgerMove, ...]:
        """Our moves with these document refs, and all that reverse the documents `of`.

        `refs` None: all of ours; an absent one is simply not there.
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
        """Link or make each partner; fill what is empty, overwrite nothing. Idempotent.

        Who takes which partner is `core.documents.partners`' answer. `others` are accounts that are not written
        and count where an email is shared. One standing partner for each of `partners` comes back.
        """
        ...

    def write_drafts(
        self, documents: Sequence[LedgerDocument], *, replace: Collection[str] = ()
    ) -> tuple[LedgerMove, ...]:
        """Write each document as a draft with its external id, in one transaction a batch.

        A document already in the ledger is left as it is, unless its ref is in `replace` and it
        stands there as a draft: then the draft is rebuilt. Returns the read-back of all of them.
        """
        ...

    def post(self, refs: Sequence[str]) -> tuple[LedgerMove, ...]:
        """Post these drafts (those already posted stay as they are). Returns the read-back."""
        ...

    def settle(self, settlements: Sequence[Settlement]) -> tuple[LedgerSettlement, ...]:
        """Write, post and reconcile each settlement with its document's receivable.

        A settlement already there is not written again; one that is there but not reconciled is
        reconciled. An allocation matches exactly its amount of what it draws on, and writes a shared
        receipt where it is the first. One that undoes another frees it from the document and is
        matched with it. Returns the read-back.
        """
        ...

    def trial_balance(self) -> tuple[TrialBalanceRow, ...]:
        """Balances by account code and currency over our posted moves and settlements.

        An account that comes to zero may be left out.
        """
        ...


def named_once(refs: Sequence[str]) -> list[str]:
    """The refs of a batch. Raises ContractBreach where it names one of them twice."""
    twice = [ref for ref, times in Counter(refs).items() if times > 1]
    if twice:
        raise ContractBreach("writing a batch", f"named twice in it: {min(twice)}")
    return list(refs)
