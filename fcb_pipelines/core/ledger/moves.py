"""What a ledger answers when it is read back.

Adapters translate their own records into these values and nothing else; all judgement about them
is in `core`. A read-back document has the same type as the intended one, so the two compare by
content hash, field by field when the hashes differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement


class MoveState(StrEnum):
    """Where a document stands in the ledger. A cancelled move is `CANCELLED`, not absent."""

    NONE = "none"
    DRAFT = "draft"
    POSTED = "posted"
    CANCELLED = "cancelled"


# A move in one of these is in the ledger; a cancelled one is a person's decision that it is not.
IN_BOOKS = frozenset({MoveState.DRAFT, MoveState.POSTED})


class PaymentState(StrEnum):
    """How far a move is settled, judged by its residual."""

    NOT_PAID = "not_paid"
    PARTIAL = "partial"
    PAID = "paid"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMove:
    """One of our moves as the ledger holds it now.

    `document` is the move told as a LedgerDocument, its `partner` one of `partner_links` (the
    external ids of the ledger partner; empty when the partner has none of ours). `residual` is the
    open receivable in minor units of the document's currency, positive for an invoice still owed,
    and positive for a credit note not yet used. What our entries beside it put back (an older debt
    that the invoice collects) is in it until it is paid, and `put_back` is that part of it;
    `payment_state` is of the document alone.
    `accounting_date` is the ledger's own date, which may differ from the document's. `stored_hash`
    is the content hash kept with the move, and `stored_source_hash` the digest of what its source
    had billed when it was written.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMove:
    """One of our moves in short: its ref, where it stands, and the date printed on it."""

    ref: str
    state: MoveState
    date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettlement:
    """One of our settlements as the ledger holds it now.

    `reconciled` is how much of it is matched, in minor units and with the sign of its amount: to the
    receivable of its document, or to another settlement of the same document. All of it where the
    method does not touch the receivable. An allocation stands as long as it is matched.
    """

    ref: str
    move_id: str
    state: MoveState
    settlement: Settlement
    reconciled: int
    stored_hash: str | None

    @property
    def is_reconciled(self) -> bool:
        """Whether all of it is matched."""
        return abs(self.reconciled) >= abs(self.settlement.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What our log of read-backs last saw under an external id; `released` asks for a rewrite."""

    ref: str
    state: str
    content_hash: str | None


RELEASED = "released"
RECONCILED = "reconciled"

# How far an entry has come. What a person took back must not overwrite what it once was.
_PROGRESS = (MoveState.CANCELLED, RELEASED, MoveState.DRAFT, MoveState.POSTED, RECONCILED)


def may_replace(seen: str | None, state: str) -> bool:
    """Whether a state read back now may take the place of the state last seen.

    An entry that went back - cancelled, unposted, unreconciled - keeps its old place in the log, or
    the next look would take the new state for the rightful one and write over it.
    """
    return seen is None or _PROGRESS.index(state) >= _PROGRESS.index(seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """One external id of the month: what stands there now, and what was last seen there.

    `elsewhere` marks a document of another month, looked at because something here is matched with it.
    """

    ref: str
    move: LedgerMove | None = None
    settlement: LedgerSettlement | None = None
    seen: Seen | None = None
    elsewhere: bool = False

    @property
    def absent(self) -> bool:
        """Nothing of ours stands in the ledger: no entry, or one a person cancelled."""
        entry = self.move or self.settlement
        return entry is None or entry.state is MoveState.CANCELLED

    @property
    def was_seen(self) -> str | None:
        """The state last read back (None: never, or released since)."""
        return None if self.seen is None or self.seen.state == RELEASED else self.seen.state

    @property
    def withdrawn(self) -> bool:
        """Whether a person removed, cancelled or unposted what stood here, and nobody released it.

        A cancelled entry says so itself, also where a run died before it was ever logged.
        """
        if self.seen is not None and self.seen.state == RELEASED:
            return False
        if self.absent:
            return self.seen is not None or self.move is not None or self.settlement is not None
        unposted = self.move is not None and self.move.state is MoveState.DRAFT
        return unposted and self.was_seen == MoveState.POSTED


def settled_under(ref: str, ledger_state: Mapping[str, LedgerState]) -> LedgerSettlement | None:
    """The settlement that stands under an external id; None where none does."""
    now = ledger_state.get(ref)
    return None if now is None or now.absent else now.settlement


def is_same_document(move: LedgerMove, content_hash: str | None) -> bool:
    """Whether the move, read back now, is the document with this hash.

    One ledger partner may carry several of our links, and each counts as the intended one.
    """
    links = move.partner_links or (move.document.partner,)
    return any(_owned_by(move.document, link).content_hash == content_hash for link in links)


def _owned_by(document: LedgerDocument, partner: str) -> LedgerDocument:
    # A document that is the partner's already has its digest, or keeps it for the next look.
    return document if document.partner == partner else replace(document, partner=partner)
