"""Corrections that stand in the ledger: found by their refs, and what is open on a document with them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, MoveState
from fcb_pipelines.core.refs import base_of, correction_number, is_correction

# The digest that a correction carries where the source has voided the document.
VOIDED = "void"


def by_base(moves: Iterable[LedgerMove]) -> dict[str, tuple[LedgerMove, ...]]:
    """The posted corrections of each document among these moves, oldest first."""
    own: dict[str, list[LedgerMove]] = defaultdict(list)
    for move in moves:
        if is_correction(move.ref) and move.state is MoveState.POSTED:
            own[base_of(move.ref)].append(move)
    return {
        ref: tuple(sorted(found, key=lambda move: correction_number(move.ref)))
        for ref, found in own.items()
    }


def credited_by_notes(moves: Iterable[LedgerMove | None]) -> dict[str, tuple[int, int]]:
    """What posted credit notes, less their corrections, take back of each invoice: total and tax."""
    posted = {move.ref: move for move in moves if move and move.state is MoveState.POSTED}
    found: dict[str, tuple[int, int]] = {}
    for move in posted.values():
        note = posted.get(base_of(move.ref))
        invoice = note.document.reverses if note else None
        if invoice and not is_correction(invoice):
            total, tax = found.get(invoice, (0, 0))
            sign, document = move.document.kind.sign, move.document
            found[invoice] = total - sign * document.total, tax - sign * document.tax
    return found


def answered(source: str, corrections: Sequence[LedgerMove]) -> bool:
    """Whether the last correction answers what the source says now (its digest, or VOIDED)."""
    return bool(corrections) and corrections[-1].stored_source_hash == source


def residual_with(move: LedgerMove, corrections: Iterable[LedgerMove]) -> int:
    """What is open on a document and its corrections together, in the document's direction."""
    sign = move.document.kind.sign
    return sum(sign * each.document.kind.sign * each.residual for each in (move, *corrections))


def unmatched(entries: Iterable[LedgerSettlement]) -> dict[str, int]:
    """What the settlements of each document hold that is matched with nothing, in its direction."""
    found: dict[str, int] = defaultdict(int)
    for entry in entries:
        settled = entry.settlement
        if entry.state is MoveState.POSTED and settled.method.touches_receivable:
            found[settled.document] += settled.amount - entry.reconciled
    return dict(found)


def open_with(move: LedgerMove, corrections: Sequence[LedgerMove], beside: int) -> int:
    """What is open on a document and its corrections, in its direction, less what is held `beside` it.

    A raised invoice is settled as one: what its payment leaves over is for the correction. What a correction
    credits beyond what was open is the customer's credit; what it takes back of a credit note is owed.
    """
    if not corrections:
        return move.residual
    left = residual_with(move, corrections) - beside
    return left if move.document.kind is Kind.CREDIT_NOTE else max(0, left)
