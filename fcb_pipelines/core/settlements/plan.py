"""What to write to the ledger, given what should stand and what does."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.codes import ExceptionCode, Method
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.corrections import answered, by_base
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import (
    RECONCILED,
    LedgerMove,
    LedgerState,
    MoveState,
    is_same_document,
)
from fcb_pipelines.core.refs import Suffix, suffixed

# Why a settlement that its source confirms is not written. What a person undid is none of them: that
# the plan leaves alone as well, and the books are wrong by it.
KEPT_OUT = frozenset(
    {
        ExceptionCode.SETTLEMENT_PERIOD_LOCKED,
        ExceptionCode.CREDIT_NOTE_WAITS,
        ExceptionCode.OPENING_DOCUMENT,
        ExceptionCode.ACCOUNT_MISSING,
        ExceptionCode.SETTLEMENT_UNSUPPORTED,
    }
)


def settlement_refs(facts: Iterable[InvoiceFacts]) -> tuple[str, ...]:
    """Every external id under which a settlement of these documents, or what it shares, may stand."""
    refs = [
        ref
        for one in facts
        for s in one.settlements
        for ref in (s.ref, suffixed(s.ref, Suffix.CREDITED), *s.shares)
    ]
    return tuple(dict.fromkeys(refs))


def expected_residual(document: LedgerDocument, settlements: Iterable[Settlement]) -> int:
    """What should be open on the document once these settlements stand; never below zero."""
    settled = sum(
        s.amount
        for s in settlements
        if document.ref in (s.document, s.drawn_on) and s.method.touches_receivable
    )
    return max(0, document.total - settled)


def waits_for_payment(settlement: Settlement, settlements: Iterable[Settlement]) -> bool:
    """Whether it is open lawfully: an older debt that an invoice collects and nothing pays (B9)."""
    puts_back = settlement.amount < 0 and settlement.undoes is None
    if not puts_back or not settlement.method.touches_receivable:
        return False
    beside = [each for each in settlements if each.document == settlement.document]
    undone = {each.undoes for each in beside}
    return not any(
        each.amount > 0 and not each.is_allocation and each.ref not in undone for each in beside
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPlan:
    """Which settlements to write (or finish), and the exceptions of those that can't be."""

    write: tuple[Settlement, ...]
    exceptions: tuple[tuple[str, ExceptionCode], ...]


def plan_settlements(
    settlements: Sequence[Settlement],
    posted: Mapping[str, LedgerDocument],
    moves: Mapping[str, LedgerMove],
    ledger_state: Mapping[str, LedgerState],
    entry_lock: date | None,
    *,
    opening: Collection[str] = (),
    lacking: Collection[Method] = (),
) -> SettlementPlan:
    """Settle only documents that are posted as intended; never redo what a person undid (D3).

    `posted` are the intended documents of the month, `moves` what stands under them and under the
    documents of other months that an allocation is with. `opening` are documents of before the
    cutover: what is matched with one waits for a person, as long as it is open (B12). `lacking` are
    the methods whose account the ledger lacks.
    """
    write: list[Settlement] = []
    exceptions: list[tuple[str, ExceptionCode]] = []
    left_out: dict[str, ExceptionCode] = {}
    corrections = by_base(moves.values())
    # What undoes another comes after it: without the other it has nothing to undo.
    for settlement in sorted(settlements, key=lambda each: each.undoes is not None):
        own, other = _sides(settlement, posted)
        if not own or not all(
            _stands(posted.get(ref), moves.get(ref), corrections.get(ref, ())) for ref in own
        ):
            continue
        now = ledger_state.get(settlement.ref, LedgerState(ref=settlement.ref))
        if not now.absent and waits_for_payment(settlement, settlements):
            continue
        code = left_out.get(settlement.undoes or "") or obstacle(
            settlement, now, entry_lock, lacking
        )
        waits = not all(_stands(None, moves.get(ref), ()) for ref in other)
        if code is None and now.absent and not _fits(settlement, moves, corrections):
            code = ExceptionCode.SETTLEMENT_UNSUPPORTED
        if waits and code is None and any(ref in opening for ref in other):
            code = ExceptionCode.OPENING_DOCUMENT
        if code or waits:
            left_out[settlement.ref] = code or ExceptionCode.CREDIT_NOTE_WAITS
            exceptions += [(ref, left_out[settlement.ref]) for ref in own]
        elif not (_done(now) or _is_all_used(now, moves.get(settlement.document))):
            write.append(settlement)
    return SettlementPlan(write=tuple(write), exceptions=tuple(dict.fromkeys(exceptions)))


def counterparts(facts: Mapping[str, InvoiceFacts]) -> tuple[str, ...]:
    """The documents that these are matched with and that are not among them."""
    found = [
        ref
        for one in facts.values()
        for s in one.settlements
        if s.drawn_on is not None and s.receipt is None
        for ref in (s.document, s.drawn_on)
        if ref not in facts
    ]
    return tuple(dict.fromkeys(found))


def _sides(
    settlement: Settlement, documents: Container[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The documents that a settlement is matched with: those of the month, and the others."""
    from_note = settlement.drawn_on if settlement.receipt is None else None
    sides = [ref for ref in (settlement.document, from_note) if ref is not None]
    own = tuple(ref for ref in sides if ref in documents)
    return own, tuple(ref for ref in sides if ref not in documents)


def _stands(
    document: LedgerDocument | None, move: LedgerMove | None, corrections: Sequence[LedgerMove]
) -> bool:
    """Whether a document is posted: as intended where the intent is known, or corrected to be so."""
    if move is None or move.state is not MoveState.POSTED:
        return False
    if document is None or is_same_document(move, document.content_hash):
        return True
    corrected = answered(document.source_hash or "", corrections)
    return corrected and is_same_document(move, move.stored_hash)


def _fits(
    settlement: Settlement,
    moves: Mapping[str, LedgerMove],
    corrections: Mapping[str, Sequence[LedgerMove]],
) -> bool:
    """Whether a part of a shared payment has room: a raised document is open on its correction, too."""
    ref = settlement.document
    if settlement.receipt is None or ref not in corrections:
        return True
    return settlement.amount <= moves[ref].residual


def _done(now: LedgerState) -> bool:
    return now.settlement is not None and now.settlement.is_reconciled


def _is_all_used(now: LedgerState, move: LedgerMove | None) -> bool:
    """S3: the payment stands, its document owes nothing more; the rest is the customer's credit."""
    entry = now.settlement
    stands = entry is not None and entry.state is MoveState.POSTED
    return stands and move is not None and move.residual == 0


def obstacle(
    settlement: Settlement, now: LedgerState, entry_lock: date | None, lacking: Collection[Method]
) -> ExceptionCode | None:
    """Why a settlement can't be written: the exception that lists it; None where nothing hinders it.

    `lacking` are the methods whose account the ledger lacks.
    """
    if now.withdrawn:
        return ExceptionCode.EDITED_IN_LEDGER
    if not now.absent and not _done(now) and now.was_seen == RECONCILED:
        return ExceptionCode.EDITED_IN_LEDGER
    makes_entry = not settlement.is_allocation or settlement.receipt is not None
    if now.absent and makes_entry and entry_lock and settlement.date <= entry_lock:
        return ExceptionCode.SETTLEMENT_PERIOD_LOCKED
    return ExceptionCode.ACCOUNT_MISSING if now.absent and settlement.method in lacking else None
