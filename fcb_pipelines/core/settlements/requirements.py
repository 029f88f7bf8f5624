"""The requirements that a settlement must meet before it may be written; the same in every ledger."""

from dataclasses import dataclass, replace

from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.naming import money


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """A requirement that a settlement does not meet; `why` describes it.

    `remedy` is the command that meets it; None where the settlement contradicts the books and no command
    helps.
    """

    why: str
    remedy: str | None = None


def draws_on_a_document(settlement: Settlement) -> bool:
    """Whether a settlement allocates a credit note, and not a shared receipt."""
    return settlement.drawn_on is not None and settlement.receipt is None


def unmet(
    settlement: Settlement, document: LedgerMove | None, drawn_on: LedgerMove | None = None
) -> Unmet | None:
    """The first requirement that a settlement does not meet; None where it meets all.

    Both documents must be posted, in one currency and of fitting kinds. `document` is the ledger's move
    of the settled document, `drawn_on` that of the document it draws on (a shared receipt is none);
    None where the ledger has no such move. The document of a settlement on account must not be ours.
    """
    if settlement.on_account:
        return _unmet_on_account(settlement, document)
    found = _posted("the document", document)
    if isinstance(found, Unmet):
        return found
    if (settlement.currency, settlement.kind) != (found.currency, found.kind):
        return Unmet(
            why=f"it is of a {settlement.kind.value} in {settlement.currency}, the document is of "
            f"kind {found.kind.value} in {found.currency}"
        )
    if not settlement.is_allocation:
        return None
    if settlement.amount <= 0:
        allocated = money(settlement.amount, settlement.currency)
        return Unmet(why=f"it allocates {allocated}, an amount not above zero")
    if not draws_on_a_document(settlement):
        return None
    drawn = _posted(f"{settlement.drawn_on}, which it draws on,", drawn_on)
    if isinstance(drawn, Unmet):
        return drawn
    if drawn.currency != found.currency or drawn.kind is found.kind:
        return Unmet(
            why=f"{settlement.drawn_on} is of kind {drawn.kind.value} in {drawn.currency}, the "
            f"document of kind {found.kind.value} in {found.currency}"
        )
    return None


def receipt_of(allocation: Settlement) -> Settlement:
    """The entry of the shared receipt that this allocation draws on; it settles no document by itself.

    Raises ValueError for an allocation that draws on no receipt.
    """
    if allocation.drawn_on is None or allocation.receipt is None:
        raise ValueError(f"{allocation.ref} draws on no receipt")
    return replace(
        allocation,
        ref=allocation.drawn_on,
        document="",
        amount=allocation.receipt,
        drawn_on=None,
        receipt=None,
    )


def unlike_receipt(allocation: Settlement, amount: int, currency: str) -> Unmet | None:
    """The contradiction where the ledger's receipt, `amount` minor units, is not the one it draws on."""
    if (amount, currency) == (allocation.receipt, allocation.currency):
        return None
    drawn = money(allocation.receipt or 0, allocation.currency)
    return Unmet(
        why=f"it draws on {allocation.drawn_on} of {drawn}, which the ledger holds over "
        f"{money(amount, currency)}"
    )


def _unmet_on_account(settlement: Settlement, document: LedgerMove | None) -> Unmet | None:
    if settlement.is_allocation:
        return Unmet(why="it is left on account, and it is allocated")
    if document is not None:
        return Unmet(why="it is left on account, and its document is ours")
    return None


def _posted(name: str, move: LedgerMove | None) -> LedgerDocument | Unmet:
    if move is None:
        return Unmet(why=f"{name} is not in the ledger", remedy="fcb sync")
    if move.state is not MoveState.POSTED:
        return Unmet(why=f"{name} is {move.state.value}", remedy="fcb post")
    return move.document
