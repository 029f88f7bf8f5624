"""The case of one document: its facts, NexaCloud's copy and the ledger's state, side by side."""

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


class _Building:
    """A case's intended document, kept with the settings that it was built for."""

    __slots__ = ("_built",)

    _built: tuple[Settings, LedgerDocument | Held]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(_Building):
    """Everything that the disposition of one document depends on.

    `claimant` is the NexaCloud invoice that claims the document, `agreement` the comparison of the two.
    `corrections` are its posted corrections. `owner_move` is the move that names the billing account
    where NexaCloud has erased the document: its own move, or that of a credit note's invoice; `account` is that
    account as its cash on account names it, where it has no move. `invoice` and `reversing`, the posted move of
    its invoice, are of a credit note alone.
    `credited` is the sum of the credit notes of this document at its source, minor units.
    """

    facts: InvoiceFacts
    claimant: NexaCloudInvoice | None
    agreement: tuple[AgreementRow, ...] = ()
    ledger_state: LedgerState | None = None
    corrections: tuple[LedgerMove, ...] = ()
    owner_move: LedgerMove | None = None
    account: str | None = None
    invoice: Credited | None = None
    reversing: LedgerMove | None = None
    credited: int = 0

    @property
    def is_posted(self) -> bool:
        """Whether its move is posted now."""
        move = self.ledger_state.move if self.ledger_state else None
        return move is not None and move.state is MoveState.POSTED

    @property
    def is_reversed(self) -> bool:
        """Whether a correction has reversed it as a whole."""
        return answered(VOIDED, self.corrections)

    @property
    def is_reversed_by_notes(self) -> bool:
        """Whether its source voided it and issued credit notes over its whole total, which reverse it (B12)."""
        is_void = self.facts.status is Status.VOID and self.is_posted and not self.is_reversed
        return is_void and 0 < self.facts.total <= self.credited

    @property
    def nexacloud_invoice_id(self) -> str | None:
        """The id of its invoice in NexaCloud; None where nobody knows one."""
        if self.claimant is not None:
            return self.claimant.invoice_id
        return self.owner_move.document.nexacloud_invoice_id if self.owner_move else None

    @property
    def partner(self) -> str:
        """The key of its billing account: NexaCloud's user, the ledger's partner, or the source's customer.

        The first that is known counts. A document that names nobody is an account of its own.
        """
        if self.claimant is not None:
            return nexacloud_ref(self.claimant.user_id)
        if self.owner_move is not None and self.owner_move.document.partner:
            return self.owner_move.document.partner
        if self.account is not None:
            return self.account
        if self.facts.payer is None:
            return self.facts.ref
        return account_ref(document_name(self.facts.ref).service, self.facts.payer)


def intended(case: Case, settings: Settings) -> LedgerDocument | Held:
    """The intended ledger document of a case, or the reason why there is none; built once."""
    kept: tuple[Settings, LedgerDocument | Held] | None = getattr(case, "_built", None)
    if kept is not None and kept[0] is settings:
        return kept[1]
    built = intended_document(
        case.facts,
        settings,
        partner=case.partner,
        nexacloud_invoice_id=case.nexacloud_invoice_id,
        reversing=case.reversing.document.lines if case.reversing else (),
    )
    object.__setattr__(case, "_built", (settings, built))
    return built


def books_begin(settings: Settings) -> date:
    """The first day of the books; documents dated earlier are part of the opening balance (A4)."""
    first = first_day(settings.first_period)
    return max(settings.cutover or first, first)
