"""Which side moved: source now, intended when it was written, ledger now (D2, D3).

Three digests of one document. What the ledger keeps with the move is what was intended when it was
written; the source now and the ledger now are each compared with it.
"""

from enum import StrEnum

from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState, is_same_document


class ChangedSide(StrEnum):
    """A side that is no longer what it was when the document was written.

    SETTINGS: the source bills the same, but the configuration would now write another document, or
    NexaCloud's copy of it has another id.
    """

    SOURCE = "source"
    SETTINGS = "settings"
    LEDGER = "ledger"


def changed_sides(document: LedgerDocument | None, move: LedgerMove) -> frozenset[ChangedSide]:
    """The sides that moved since `move` was written; `document` is the intent now, where there is one.

    A move of before the source's digest was kept counts every change of the intent as the source's.
    """
    found = set()
    if document is not None and document.content_hash != move.stored_hash:
        found.add(ChangedSide.SETTINGS if _is_same_sale(document, move) else ChangedSide.SOURCE)
    redated = move.state is MoveState.POSTED and move.accounting_date != move.document.date
    if redated or not is_same_document(move, move.stored_hash):
        found.add(ChangedSide.LEDGER)
    return frozenset(found)


def _is_same_sale(document: LedgerDocument, move: LedgerMove) -> bool:
    """Whether the source bills what it billed then, to the same owner."""
    owned = document.partner in move.partner_links
    return move.stored_source_hash == document.source_hash and owned
