"""What a settlement needs of the books before it may be written: the same in every ledger."""

from dataclasses import dataclass, replace

from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """A requirement that is not met: `why` in words.

    `remedy` is the command that meets it; None where the settlement contradicts the books, which no
    command mends.
    """

    why: str
    remedy: str | None = None


def draws_on_a_document(settlement: Settlement) -> bool:
    """Whether it allocates a document of ours; with a receipt it allocates that."""
    return settlement.drawn_on is not None and settlement.receipt is None


def unmet(
    settlement: Settlement, document: LedgerMove | None, drawn_on: LedgerMove | None = None
) -> Unmet | None:
    """The first requirement that a settlement does not meet: both sides are posted and fit together.

    `document` is what it settles, `drawn_on` the document that it draws on (None where it draws on
    none or on a shared receipt); each as it stands, None where it does not. One on account has none.
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
        return Unmet(why=f"it allocates {settlement.amount}, which is no amount")
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
    """The entry that makes the receipt which this allocation and others draw on.

    It settles no document by itself. Raises ValueError for an allocation of no receipt.
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
    """Whether the receipt that stands, `amount` minor units, is another than the one it draws on."""
    if (amount, currency) == (allocation.receipt, allocation.currency):
        return None
    return Unmet(
        why=f"it draws on {allocation.drawn_on} of {allocation.receipt} {allocation.currency}, "
        f"which stands there over {amount} {currency}"
    )


def _unmet_on_account(settlement: Settlement, document: LedgerMove | None) -> Unmet | None:
    if settlement.is_allocation:
        return Unmet(why="it is left on account, and it is allocated")
    if document is not None:
        return Unmet(why="it is left on account, and its document is ours")
    return None


def _posted(what: str, move: LedgerMove | None) -> LedgerDocument | Unmet:
    if move is None:
        return Unmet(why=f"{what} is not in the ledger", remedy="fcb sync")
    if move.state is not MoveState.POSTED:
        return Unmet(why=f"{what} is {move.state.value}", remedy="fcb post")
    return move.document
