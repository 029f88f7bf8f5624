"""Changes since a document was written, found by three digests (D2, D3).

The ledger keeps with each move the digest of the document as it was intended when written. The intent
of today and the read-back of today are each compared with it.
"""

from dataclasses import replace
from enum import StrEnum

from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState, is_as_written


class ChangedSide(StrEnum):
    """A side that has changed since the document was written.

    SETTINGS: the source bills the same, but the configuration would now write another document, or
    NexaCloud's copy of it has another id.
    """

    SOURCE = "source"
    SETTINGS = "settings"
    LEDGER = "ledger"


def changed_sides(document: LedgerDocument | None, move: LedgerMove) -> frozenset[ChangedSide]:
    """The sides that changed since `move` was written; `document` is the intent now, if there is one.

    Old moves carry no digest of the source: for them every change of the intent counts as the source's.
    """
    found = set()
    if document is not None and not _is_as_then(document, move):
        found.add(ChangedSide.SETTINGS if _is_same_sale(document, move) else ChangedSide.SOURCE)
    redated = move.state is MoveState.POSTED and move.accounting_date != move.document.date
    if redated or not is_as_written(move):
        found.add(ChangedSide.LEDGER)
    return frozenset(found)


def _is_as_then(document: LedgerDocument, move: LedgerMove) -> bool:
    """Whether the intent is what was written; any account of the move's partner counts as its owner (A9)."""
    if document.content_hash == move.stored_hash:
        return True
    others = move.partner_links if document.partner in move.partner_links else ()
    return any(replace(document, partner=link).content_hash == move.stored_hash for link in others)


def _is_same_sale(document: LedgerDocument, move: LedgerMove) -> bool:
    """Whether the source bills the same as then, to the same partner."""
    owned = document.partner in move.partner_links
    return move.stored_source_hash == document.source_hash and owned
