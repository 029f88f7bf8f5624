"""Read-backs: the moves and settlements that a ledger holds.

Adapters translate their own records into these values and judge nothing; all judgement is in `core`. A
read-back document has the same type as the intended one, so the two compare by content hash, and field
by field where the hashes differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement


class MoveState(StrEnum):
    """The state of a document in the ledger. A cancelled move is `CANCELLED`, not absent."""

    NONE = "none"
    DRAFT = "draft"
    POSTED = "posted"
    CANCELLED = "cancelled"


# A move in one of these states counts as in the books; a person has taken a cancelled one out.
IN_BOOKS = frozenset({MoveState.DRAFT, MoveState.POSTED})


class PaymentState(StrEnum):
    """The payment state of a move, derived from its residual."""

    NOT_PAID = "not_paid"
    PARTIAL = "partial"
    PAID = "paid"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMove:
    """One of our moves as the ledger holds it now.

    `document` is the move as a LedgerDocument, its `partner` one of `partner_links` (the external ids
    of the ledger partner; empty when the partner has none of ours). `residual` is the open receivable
    in minor units of the document's currency, positive for an invoice still owed and for a credit note
    not yet used. It includes `put_back`, the amount that our entries beside the document added (an
    older debt that the invoice collects) until that is paid; `payment_state` leaves it out.
    `accounting_date` is the ledger's own date, which may differ from the document's. `stored_hash` is
    the content hash kept with the move, `stored_source_hash` the digest of the source's document when
    the move was written. `ledger_number` is the ledger's own name of a posted move: Odoo's number
    (`INV/2026/00005`), the link in embedded books.
    """

    ref: str
    move_id: str
    state: MoveState
    payment_state: PaymentState
    document: LedgerDocument
    partner_links: tuple[str, ...]
    accounting_date: date
    residual: int
    stored_hash: str | None
    stored_source_hash: str | None = None
    put_back: int = 0
    ledger_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMove:
    """One of our moves in short: its ref, its state, and the date printed on it."""

    ref: str
    state: MoveState
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettlement:
    """One of our settlements as the ledger holds it now.

    `reconciled` is the matched part of its amount, minor units of the same sign: matched to the
    receivable of its document, or to another settlement of the same document. It is the whole amount
    where the method does not touch the receivable, and none of an entry that is not posted. An allocation
    exists as long as it is matched, and its sides are posted.

    Of an entry that is not wholly matched, `matched_with` names the other moves that it is matched with,
    `instead` those that settle its document and are not ours; both as the ledger prints them.
    """

    ref: str
    move_id: str
    state: MoveState
    settlement: Settlement
    reconciled: int
    stored_hash: str | None
    matched_with: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()

    @property
    def is_reconciled(self) -> bool:
        """Whether all of it is matched."""
        return abs(self.reconciled) >= abs(self.settlement.amount)

    @property
    def is_as_written(self) -> bool:
        """Whether the entry, as read back now, is the settlement that was written: nobody edited it since."""
        return self.settlement.content_hash == self.stored_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignCredit:
    """An open credit of one of our partners in an entry that is not ours: made by hand, or by another import.

    `move` is the entry as the ledger prints it, `partner` a link of ours, `name` the partner's own. `amount` is
    what is open of it, minor units, positive.
    """

    move: str
    partner: str
    name: str
    date: date
    currency: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The last entry in the log of read-backs for an external id; state `released` asks for a rewrite."""

    ref: str
    state: str
    content_hash: str | None


RELEASED = "released"
RECONCILED = "reconciled"

# The states in order of progress: a person who withdraws an entry must not lower its logged state.
_PROGRESS = (MoveState.CANCELLED, RELEASED, MoveState.DRAFT, MoveState.POSTED, RECONCILED)


def may_replace(seen: str | None, state: str) -> bool:
    """Whether a state read back now may replace the logged one: only where it is as far or further.

        may_replace("draft", "posted")     # True
        may_replace("posted", "draft")     # False: a person reset it

    A cancelled, unposted or unreconciled entry keeps its logged state; otherwise the next run would
    take the person's change for the pipeline's own state and write over it.
    """
    return seen is None or _PROGRESS.index(state) >= _PROGRESS.index(seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """One external id of the month: the ledger's entry now, and the last one logged.

    `elsewhere` marks a document of another month that is matched with an entry of this one.
    """

    ref: str
    move: LedgerMove | None = None
    settlement: LedgerSettlement | None = None
    seen: Seen | None = None
    elsewhere: bool = False

    @property
    def absent(self) -> bool:
        """Whether the ledger holds no entry of ours, or one that a person cancelled."""
        entry = self.move or self.settlement
        return entry is None or entry.state is MoveState.CANCELLED

    @property
    def was_seen(self) -> str | None:
        """The state last logged (None: never, or released since)."""
        return None if self.seen is None or self.seen.state == RELEASED else self.seen.state

    @property
    def withdrawn(self) -> bool:
        """Whether a person removed, cancelled or unposted the entry, and nobody released it since.

        A cancelled entry counts even where a run died before it was logged.
        """
        if self.seen is not None and self.seen.state == RELEASED:
            return False
        if self.absent:
            return self.seen is not None or self.move is not None or self.settlement is not None
        unposted = self.move is not None and self.move.state is MoveState.DRAFT
        return unposted and self.was_seen == MoveState.POSTED


def settled_under(ref: str, ledger_state: Mapping[str, LedgerState]) -> LedgerSettlement | None:
    """The settlement in the ledger under an external id; None where there is none."""
    now = ledger_state.get(ref)
    return None if now is None or now.absent else now.settlement


def is_same_document(move: LedgerMove, content_hash: str | None) -> bool:
    """Whether the move, as read back now, is the document with this hash.

    One ledger partner may carry several of our links; any of them counts as the document's partner.
    """
    links = move.partner_links or (move.document.partner,)
    return any(_owned_by(move.document, link).content_hash == content_hash for link in links)


def is_as_written(move: LedgerMove) -> bool:
    """Whether the move, as read back now, is the document that was written: nobody edited it since."""
    return is_same_document(move, move.stored_hash)


def _owned_by(document: LedgerDocument, partner: str) -> LedgerDocument:
    # The document itself keeps its digest once computed; a copy would compute it again.
    return document if document.partner == partner else replace(document, partner=partner)
