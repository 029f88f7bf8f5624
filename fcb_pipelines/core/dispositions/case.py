"""One document with all its sides, and what the ledger allows: what a disposition depends on."""

from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.agreement.compare import AgreementRow
from fcb_pipelines.core.codes import Status
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.credit_notes import Credited
from fcb_pipelines.core.documents.build import Held, intended_document
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice
from fcb_pipelines.core.ledger.corrections import VOIDED, answered
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerState, MoveState
from fcb_pipelines.core.periods import first_day
from fcb_pipelines.core.refs import account_ref, document_name, nexacloud_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that one document's disposition depends on; `corrections` are posted ones of it.

    `keeper` is the move that says whose the document is where NexaCloud has forgotten it: its own, or
    that of the invoice which a credit note is of. `invoice` is that invoice, for a credit note alone;
    `noted` what credit notes take back of this one by its source, minor units.
    """

    facts: InvoiceFacts
    claimant: NexaCloudInvoice | None
    agreement: tuple[AgreementRow, ...] = ()
    ledger_state: LedgerState | None = None
    corrections: tuple[LedgerMove, ...] = ()
    keeper: LedgerMove | None = None
    invoice: Credited | None = None
    noted: int = 0

    @property
    def is_posted(self) -> bool:
        """Whether it stands in the books now."""
        move = self.ledger_state.move if self.ledger_state else None
        return move is not None and move.state is MoveState.POSTED

    @property
    def is_reversed(self) -> bool:
        """Whether a correction has taken it back as a whole."""
        return answered(VOIDED, self.corrections)

    @property
    def is_taken_back_by_notes(self) -> bool:
        """Whether its source voided it and gave credit notes over all of it, which take it back (B12)."""
        is_void = self.facts.status is Status.VOID and self.is_posted and not self.is_reversed
        return is_void and 0 < self.facts.total <= self.noted

    @property
    def nexacloud_invoice_id(self) -> str | None:
        """NexaCloud's own id of it."""
        if self.claimant is not None:
            return self.claimant.invoice_id
        return self.keeper.document.nexacloud_invoice_id if self.keeper else None

    @property
    def partner(self) -> str:
        """The billing account: NexaCloud's user, whoever the books know, else the source's customer.

        A document that names nobody is an account of its own.
        """
        if self.claimant is not None:
            return nexacloud_ref(self.claimant.user_id)
        if self.keeper is not None and self.keeper.document.partner:
            return self.keeper.document.partner
        if self.facts.payer is None:
            return self.facts.ref
        return account_ref(document_name(self.facts.ref).service, self.facts.payer)


def intended(case: Case, settings: Settings) -> LedgerDocument | Held:
    """The ledger document of a case, or why there can be none."""
    return intended_document(
        case.facts,
        settings,
        partner=case.partner,
        nexacloud_invoice_id=case.nexacloud_invoice_id,
    )


def books_begin(settings: Settings) -> date:
    """The first day of the books: what is dated earlier stands in the opening balance (A4)."""
    first = first_day(settings.first_period)
    return max(settings.cutover or first, first)
