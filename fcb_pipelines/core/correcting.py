"""What would lawfully correct one posted document, given its source and the ledger as they are now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fcb_pipelines.core.company import Settings
from fcb_pipelines.core.corrections import Correction, answered, correction, first_open_day
from fcb_pipelines.core.dispositions import Books, Case, intended
from fcb_pipelines.core.documents import LedgerDocument, Settlement
from fcb_pipelines.core.facts import Method, Status
from fcb_pipelines.core.settlement_deltas import taken_back
from fcb_pipelines.core.standing import MoveState, Standing, StandingMove, StandingSettlement
from fcb_pipelines.core.three_way import Moved, moved
from fcb_pipelines.core.writing import settlement_refs


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionPlan:
    """What to write for one document, and in words why, or why nothing.

    `undo` are settlements that take back what the source no longer confirms.
    """

    ref: str
    why: str
    correction: Correction | None = None
    undo: tuple[Settlement, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self.correction is None and not self.undo


def plan_correction(
    case: Case,
    standing: Mapping[str, Standing],
    settings: Settings,
    books: Books,
    today: date,
) -> CorrectionPlan:
    """The plan for one document; `standing` is what stands now under it and its settlements."""
    ref = case.facts.ref
    move = case.standing.move if case.standing else None
    if move is None or move.state is not MoveState.POSTED:
        return CorrectionPlan(ref=ref, why="nothing of it is posted")
    target = _target(case, settings)
    if isinstance(target, str):
        return CorrectionPlan(ref=ref, why=target)
    if Moved.LEDGER in moved(target, move):
        return CorrectionPlan(ref=ref, why="it was edited in the ledger: undo the edit first")
    day = first_open_day(today, books.entry_lock)
    told = settlement_refs([case.facts])
    entries = [entry for entry in taken_back(ref, told, standing) if _can_undo(entry)]
    undo = tuple(_undone(entry, day) for entry in entries)
    found = _correction(
        case, move, target, settings, books, today, sum(e.reconciled for e in entries)
    )
    told_of = [f"{found.document.kind} over {found.document.total}"] if found else []
    why = "; ".join([*told_of, *(f"{each.undoes} is taken back" for each in undo)])
    return CorrectionPlan(
        ref=ref,
        why=why or "the source is as it was, or only a label changed: nothing to write",
        correction=found,
        undo=undo,
    )


def _target(case: Case, settings: Settings) -> LedgerDocument | str | None:
    """What should stand now; None: nothing; a text: why that can't be told."""
    if case.facts.status is Status.VOID:
        return None
    document = intended(case, settings)
    if isinstance(document, LedgerDocument):
        return document
    return f"its source is in doubt ({document.reason}: {document.detail})"


def _correction(
    case: Case,
    move: StandingMove,
    target: LedgerDocument | None,
    settings: Settings,
    books: Books,
    today: date,
    freed: int,
) -> Correction | None:
    if target is None:
        day = first_open_day(case.facts.voided_on or today, books.invoice_lock)
        return correction(move, case.corrections, None, day=day, settings=settings, freed=freed)
    if Moved.SOURCE not in moved(target, move):
        return None
    if answered(case.facts.source_hash, case.corrections):
        return None
    day = first_open_day(today, books.invoice_lock)
    return correction(move, case.corrections, target, day=day, settings=settings, freed=freed)


def _can_undo(entry: StandingSettlement) -> bool:
    """An allocation is no entry: it goes with the credit note that it draws on."""
    return not entry.settlement.is_allocation and entry.state is MoveState.POSTED


def _undone(entry: StandingSettlement, day: date) -> Settlement:
    settled = entry.settlement
    failed = settled.method is Method.PAYMENT
    return Settlement(
        ref=f"{entry.ref}:undone",
        document=settled.document,
        kind=settled.kind,
        partner=settled.partner,
        method=Method.PAYMENT_FAILURE if failed else settled.method,
        date=max(day, settled.date),
        amount=-settled.amount,
        currency=settled.currency,
        memo=settled.memo,
        undoes=entry.ref,
    )
