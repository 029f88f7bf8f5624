"""Our posted entries, as far as they are on the receivable: what each adds, and what of it is not matched.

Of a document the matched part is its residual's word, of a settlement its own. So the entries of a document come
to the same by their amounts as by what is open of them, unless something else settles it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, LedgerState, MoveState
from fcb_pipelines.core.refs import base_of, is_correction


class Document(StrEnum):
    """The lines of a roll-forward that are documents; the others are `Method`s."""

    INVOICES = "invoices"
    CREDIT_NOTES = "credit_notes"
    CORRECTIONS = "corrections"


# Matched from one document to another: the receivable as a whole stays as it is.
ALLOCATED = "allocated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One posted entry on the receivable, or the part of it that belongs to the document `of`.

    Minor units, positive where more is owed: `amount` as booked, `open` what is not matched of it.
    `elsewhere` says that the rest is matched with a document that is not its own. A document has its id and its
    number in the ledger (`record`, `ledger_number`).
    """

    ref: str
    of: str
    part: str
    partner: str
    currency: str
    date: date
    amount: int
    open: int
    number: str = ""
    elsewhere: bool = False
    record: str = ""
    ledger_number: str = ""


def booked(state: LedgerState) -> tuple[Booked, ...]:
    """What one of our entries, as the ledger holds it, is on the receivable; nothing where it is not posted."""
    if state.move is not None:
        return _of_move(state.move) if state.move.state is MoveState.POSTED else ()
    entry = state.settlement
    if entry is None or entry.state is not MoveState.POSTED:
        return ()
    if not entry.settlement.method.touches_receivable:
        return ()
    return _of_allocation(entry) if entry.settlement.is_allocation else _of_settlement(entry)


def unique(entries: Iterable[Booked]) -> tuple[Booked, ...]:
    """The entries, each once: a shared receipt comes with each document that draws on it."""
    found: dict[tuple[str, str, str, int], Booked] = {}
    for each in entries:
        # Both sides of a matching may be of one document: a correction's.
        found.setdefault((each.ref, each.of, each.part, each.amount), each)
    return tuple(found.values())


def _of_move(move: LedgerMove) -> tuple[Booked, ...]:
    document = move.document
    kind = Document.CREDIT_NOTES if document.kind is Kind.CREDIT_NOTE else Document.INVOICES
    return (
        Booked(
            ref=move.ref,
            of=base_of(move.ref),
            part=Document.CORRECTIONS if is_correction(move.ref) else kind,
            partner=document.partner,
            currency=document.currency,
            date=move.accounting_date,
            amount=document.kind.sign * document.total,
            # What entries beside it added is open on them, not on the document.
            open=document.kind.sign * (move.residual - move.put_back),
            number=document.number,
            record=move.move_id,
            ledger_number=move.ledger_number,
        ),
    )


def _of_settlement(entry: LedgerSettlement) -> tuple[Booked, ...]:
    settled = entry.settlement
    return (
        _part(
            entry,
            of=base_of(settled.document),
            part=settled.method,
            amount=-settled.amount,
            open_=entry.reconciled - settled.amount,
        ),
    )


def _of_allocation(entry: LedgerSettlement) -> tuple[Booked, ...]:
    """Both sides of a matching; of a shared receipt also the receipt itself, whole."""
    settled, drawn = entry.settlement, str(entry.settlement.drawn_on)
    rest = settled.amount - entry.reconciled
    to = _part(
        entry, of=base_of(settled.document), part=ALLOCATED, amount=-settled.amount, open_=-rest
    )
    if settled.receipt is None:
        # The note's own residual is less already by what is matched.
        return to, _part(
            entry, of=base_of(drawn), part=ALLOCATED, amount=settled.amount, open_=rest
        )
    return (
        to,
        _part(entry, of=drawn, part=ALLOCATED, amount=settled.amount, open_=settled.amount),
        _part(
            entry,
            ref=drawn,
            of=drawn,
            part=settled.method,
            amount=-settled.receipt,
            open_=-settled.receipt,
        ),
    )


def _part(
    entry: LedgerSettlement, *, of: str, part: str, amount: int, open_: int, ref: str = ""
) -> Booked:
    settled = entry.settlement
    sign = settled.kind.sign
    return Booked(
        ref=ref or entry.ref,
        of=of,
        part=part,
        partner=settled.partner,
        currency=settled.currency,
        date=settled.date,
        amount=sign * amount,
        open=sign * open_,
        number=settled.memo if ref else "",
        elsewhere=bool(entry.matched_with),
    )
