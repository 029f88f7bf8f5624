"""The plan of settlements: the ones to write, given those intended and the ledger's state."""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.codes import ExceptionCode, Method
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.corrections import by_base
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import (
    RECONCILED,
    LedgerMove,
    LedgerState,
    MoveState,
    settled_under,
)
from fcb_pipelines.core.refs import Suffix, suffixed
from fcb_pipelines.core.settlements.requirements import draws_on_a_document, unmet
from fcb_pipelines.core.settlements.taking import Rooms

# The exceptions that keep a confirmed settlement out of a correct ledger. One that a person undid is not
# written either, but it leaves the books wrong, so its exception is not among these.
KEPT_OUT = frozenset(
    {
        ExceptionCode.SETTLEMENT_PERIOD_LOCKED,
        ExceptionCode.CREDIT_NOTE_WAITS,
        ExceptionCode.OPENING_DOCUMENT,
        ExceptionCode.ACCOUNT_MISSING,
        ExceptionCode.SETTLEMENT_UNSUPPORTED,
        ExceptionCode.REFUSED_BY_LEDGER,
    }
)


def settlement_refs(facts: Iterable[InvoiceFacts]) -> tuple[str, ...]:
    """Every external id that the ledger may hold a settlement of these documents under, shared parts too.

    A payment of several documents may be booked under its own id, from when it named one of them.
    """
    refs = [
        ref
        for one in facts
        for s in one.settlements
        for ref in (s.ref, suffixed(s.ref, Suffix.CREDITED), *s.shares, s.receipt and s.drawn_on)
    ]
    return tuple(ref for ref in dict.fromkeys(refs) if ref)


def by_document(settlements: Iterable[Settlement]) -> dict[str, list[Settlement]]:
    """The settlements of each document, in their order: those that settle it and those that draw on it."""
    found: dict[str, list[Settlement]] = defaultdict(list)
    for settlement in settlements:
        found[settlement.document].append(settlement)
        if settlement.drawn_on is not None and settlement.drawn_on != settlement.document:
            found[settlement.drawn_on].append(settlement)
    return found


def expected_residual(document: LedgerDocument, settlements: Iterable[Settlement]) -> int:
    """The amount open on the document after these settlements, minor units; never below zero."""
    settled = sum(
        s.amount
        for s in settlements
        if document.ref in (s.document, s.drawn_on)
        and s.method.touches_receivable
        and s.currency == document.currency
    )
    return max(0, document.total - settled)


def waits_for_payment(settlement: Settlement, settlements: Iterable[Settlement]) -> bool:
    """Whether a settlement may stay unmatched: an older debt collected with an invoice that is unpaid (B9)."""
    is_debt = settlement.amount < 0 and settlement.undoes is None
    if not is_debt or not settlement.method.touches_receivable:
        return False
    beside = [each for each in settlements if each.document == settlement.document]
    undone = {each.undoes for each in beside}
    return not any(
        each.amount > 0 and not each.is_allocation and each.ref not in undone for each in beside
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPlan:
    """The settlements to write or to finish, and (document ref, exception) for each that can't be."""

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
    """Settle only documents that are posted as they were written, and never redo what a person undid (D3).

    `posted` are the intended documents of the month by ref; `moves` are the ledger's moves of them and
    of the documents of other months that they are allocated with. `opening` are documents dated before
    the cutover: a match with one waits for a person, as long as it is open (B12). `lacking` are the
    methods whose account the ledger lacks. Nothing can be posted on or before `entry_lock`. A settlement
    that contradicts its documents, or an entry under its id, is left out by itself.
    """
    write: list[Settlement] = []
    exceptions: list[tuple[str, ExceptionCode]] = []
    left_out: dict[str, ExceptionCode] = {}
    corrections = by_base(moves.values())
    of_document = by_document(settlements)
    held = [row.settlement.settlement for row in ledger_state.values() if row.settlement]
    receipts = _receipts(held)
    rooms = Rooms(posted, moves, corrections, of_document, ledger_state)
    # A reversal comes after the settlement that it reverses: without that it has nothing to reverse.
    for settlement in sorted(settlements, key=lambda each: each.undoes is not None):
        own, other = _sides(settlement, posted)
        if not own or not all(_is_posted(moves.get(ref)) for ref in own):
            continue
        now = ledger_state.get(settlement.ref, LedgerState(ref=settlement.ref))
        if not now.absent and waits_for_payment(settlement, of_document[settlement.document]):
            continue
        code = left_out.get(settlement.undoes or "") or obstacle(
            settlement, now, entry_lock, lacking
        )
        done = _done(now) or _owes_nothing_more(now, moves.get(settlement.document))
        if code is None and not done:
            code = rooms.refusal(settlement, own, absent=now.absent)
        waits = not all(_is_posted(moves.get(ref)) for ref in other)
        if code is None and now.absent and not waits:
            fits = _fits(settlement, moves, corrections) and not _contradicts(
                settlement, moves, ledger_state, receipts
            )
            code = None if fits else ExceptionCode.SETTLEMENT_UNSUPPORTED
        if waits and code is None and any(ref in opening for ref in other):
            code = ExceptionCode.OPENING_DOCUMENT
        if code or waits:
            left_out[settlement.ref] = code or ExceptionCode.CREDIT_NOTE_WAITS
            exceptions += [(ref, left_out[settlement.ref]) for ref in own]
        elif not done:
            write.append(settlement)
            receipts |= _receipts([settlement])
            rooms.take(settlement, own if now.absent else ())
    return SettlementPlan(write=tuple(write), exceptions=tuple(dict.fromkeys(exceptions)))


def counterparts(facts: Mapping[str, InvoiceFacts]) -> tuple[str, ...]:
    """The refs of the documents that these are allocated with and that are not among them."""
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
    """The refs of the documents that a settlement settles or draws on: of the month, and of others."""
    from_note = settlement.drawn_on if settlement.receipt is None else None
    sides = [ref for ref in (settlement.document, from_note) if ref is not None]
    own = tuple(ref for ref in sides if ref in documents)
    return own, tuple(ref for ref in sides if ref not in documents)


def _is_posted(move: LedgerMove | None) -> bool:
    return move is not None and move.state is MoveState.POSTED


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


def _receipts(settlements: Iterable[Settlement]) -> dict[str, tuple[int, str]]:
    """Amount and currency of the shared receipts that these settlements draw on, by ref."""
    return {
        each.drawn_on: (each.receipt, each.currency)
        for each in settlements
        if each.receipt is not None and each.drawn_on is not None
    }


def _contradicts(
    settlement: Settlement,
    moves: Mapping[str, LedgerMove],
    ledger_state: Mapping[str, LedgerState],
    receipts: Mapping[str, tuple[int, str]],
) -> bool:
    """Whether no ledger could take a settlement: of another currency or kind, or of an id that is taken."""
    drawn_on = settlement.drawn_on or ""
    note = moves.get(drawn_on) if draws_on_a_document(settlement) else None
    if unmet(settlement, moves.get(settlement.document), note) is not None:
        return True
    if settlement.receipt is None:
        return settlement.ref in receipts
    receipt = settlement.receipt, settlement.currency
    is_taken = settled_under(drawn_on, ledger_state) is not None
    return is_taken or receipts.get(drawn_on, receipt) != receipt


def _done(now: LedgerState) -> bool:
    return now.settlement is not None and now.settlement.is_reconciled


def _owes_nothing_more(now: LedgerState, move: LedgerMove | None) -> bool:
    """S3: the payment is posted and its document is paid; the rest is the customer's credit."""
    entry = now.settlement
    posted = entry is not None and entry.state is MoveState.POSTED
    return posted and move is not None and move.residual == 0


def obstacle(
    settlement: Settlement, now: LedgerState, entry_lock: date | None, lacking: Collection[Method]
) -> ExceptionCode | None:
    """The exception of a settlement that can't be written; None where nothing is in its way.

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
