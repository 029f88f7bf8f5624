"""Posted corrections of a document, found by their refs, and the open amount of both together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, MoveState
from fcb_pipelines.core.refs import base_of, correction_number, is_correction

# The source hash of a correction for a document that the source has voided.
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
    """The total and tax that posted credit notes, less their corrections, credit of each invoice.

    The keys are refs of invoices, the values minor units.
    """
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
    """Whether the last correction was made for the source's present document: its digest, or VOIDED."""
    return bool(corrections) and corrections[-1].stored_source_hash == source


def residual_with(move: LedgerMove, corrections: Iterable[LedgerMove]) -> int:
    """The open amount of a document and its corrections together, minor units, in the document's sign."""
    sign = move.document.kind.sign
    return sum(sign * each.document.kind.sign * each.residual for each in (move, *corrections))


def unmatched(entries: Iterable[LedgerSettlement]) -> dict[str, int]:
    """The unmatched amount of the posted settlements of each document, minor units, in its sign."""
    found: dict[str, int] = defaultdict(int)
    for entry in entries:
        settled = entry.settlement
        if entry.state is MoveState.POSTED and settled.method.touches_receivable:
            found[settled.document] += settled.amount - entry.reconciled
    return dict(found)


def open_with(move: LedgerMove, corrections: Sequence[LedgerMove], beside: int) -> int:
    """The open amount of a document and its corrections, less the amount `beside` it; minor units.

    `beside` is the unmatched amount of its settlements. A raised invoice and its correction are settled
    together. A correction may credit an invoice by more than was open: the rest is the customer's
    credit, so the result is never below zero. For a credit note it may be: then the customer owes it.
    """
    if not corrections:
        return move.residual
    left = residual_with(move, corrections) - beside
    return left if move.document.kind is Kind.CREDIT_NOTE else max(0, left)
