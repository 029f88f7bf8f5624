"""What a settlement needs of the books before it may be written: the same in every ledger."""

from dataclasses import replace

from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState


def draws_on_a_document(settlement: Settlement) -> bool:
    """Whether it allocates a document of ours; with a receipt it allocates that."""
    return settlement.drawn_on is not None and settlement.receipt is None


def assert_settleable(
    settlement: Settlement, document: LedgerMove | None, drawn_on: LedgerMove | None = None
) -> None:
    """Raises NotPrepared or ContractBreach unless both sides are posted and fit together.

    `document` is what it settles, `drawn_on` the document that it draws on (None where it draws on
    none or on a shared receipt); each as it stands, None where it does not. One on account has none.
    """
    tried = f"settling {settlement.document} by {settlement.ref}"
    if settlement.on_account:
        if settlement.is_allocation or document is not None:
            why = "it is allocated" if settlement.is_allocation else "its document is ours"
            raise ContractBreach(tried, f"it is left on account, and {why}")
        return
    found = _posted(tried, "the document", document)
    if (settlement.currency, settlement.kind) != (found.currency, found.kind):
        raise ContractBreach(
            tried,
            f"it is of a {settlement.kind.value} in {settlement.currency}, the document is of kind "
            f"{found.kind.value} in {found.currency}",
        )
    if not settlement.is_allocation:
        return
    if settlement.amount <= 0:
        raise ContractBreach(tried, f"it allocates {settlement.amount}, which is no amount")
    if draws_on_a_document(settlement):
        drawn = _posted(tried, f"{settlement.drawn_on}, which it draws on,", drawn_on)
        if drawn.currency != found.currency or drawn.kind is found.kind:
            raise ContractBreach(
                tried,
                f"{settlement.drawn_on} is of kind {drawn.kind.value} in {drawn.currency}, the "
                f"document of kind {found.kind.value} in {found.currency}",
            )


def receipt_of(allocation: Settlement) -> Settlement:
    """The entry that makes the receipt which this allocation and others draw on.

    It settles no document by itself. Raises ContractBreach for an allocation of no receipt.
    """
    if allocation.drawn_on is None or allocation.receipt is None:
        raise ContractBreach(f"writing the receipt of {allocation.ref}", "it draws on no receipt")
    return replace(
        allocation,
        ref=allocation.drawn_on,
        document="",
        amount=allocation.receipt,
        drawn_on=None,
        receipt=None,
    )


def assert_same_receipt(allocation: Settlement, amount: int, currency: str) -> None:
    """Raises ContractBreach unless the receipt that stands is the one which it draws on."""
    if (amount, currency) != (allocation.receipt, allocation.currency):
        raise ContractBreach(
            f"settling {allocation.document} by {allocation.ref}",
            f"it draws on {allocation.drawn_on} of {allocation.receipt} {allocation.currency}, "
            f"which stands there over {amount} {currency}",
        )


def _posted(tried: str, what: str, move: LedgerMove | None) -> LedgerDocument:
    if move is None:
        raise NotPrepared(tried, f"{what} is not in the ledger", remedy="fcb sync")
    if move.state is not MoveState.POSTED:
        raise NotPrepared(tried, f"{what} is {move.state.value}", remedy="fcb post")
    return move.document
