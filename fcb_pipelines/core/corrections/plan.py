"""The plan of a correction for one posted document, given its source and the ledger as they are now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from fcb_pipelines.core.codes import Kind, Method, Status
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.corrections.document import Correction, correction, unmade_match
from fcb_pipelines.core.corrections.settlements import (
    Amendment,
    can_undo,
    plan_amendments,
    reversal,
)
from fcb_pipelines.core.dispositions.case import Case, intended
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.facts.index import IndexRow
from fcb_pipelines.core.ledger.books import Books, first_open_day
from fcb_pipelines.core.ledger.corrections import answered
from fcb_pipelines.core.ledger.drift import ChangedSide, changed_sides
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, LedgerState, MoveState
from fcb_pipelines.core.naming import money
from fcb_pipelines.core.refs import base_of, is_correction, original_of
from fcb_pipelines.core.settlements.amended import amendments, made_of
from fcb_pipelines.core.settlements.intended import intended_settlements
from fcb_pipelines.core.settlements.plan import settlement_refs
from fcb_pipelines.core.settlements.withdrawn import unreversed_settlements, withdrawn_settlements


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTotals:
    """The ledger's totals of a document with its credit notes and corrections, minor units, signed.

    Cash is positive where it was received. The receivable is revenue and tax less everything that
    settles them, cash or not.
    """

    revenue: int
    tax: int
    cash: int
    receivable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A posted document: its move, its corrections, its credit notes and the settlements of them all.

    `notes` include the corrections of notes. `confirmed` are the notes that their source still reports;
    `credited` is their sum at the source, minor units.
    """

    move: LedgerMove
    corrections: tuple[LedgerMove, ...]
    notes: tuple[LedgerMove, ...]
    confirmed: tuple[LedgerMove, ...]
    credited: int
    entries: tuple[LedgerSettlement, ...]

    @property
    def documents(self) -> tuple[LedgerDocument, ...]:
        """The document itself, its corrections and its notes."""
        return tuple(each.document for each in (self.move, *self.corrections, *self.notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionPlan:
    """The correction and reversals to write for one document; `why` describes them, or why there are none.

    `undo` are reversals of settlements that the source no longer confirms, `amend` the differences of those
    that it confirms with another amount; `match` is that of an earlier correction, which was never made.
    `now` and `after` are the ledger's totals before and after; None where nothing of the document is
    posted, or its source does not give it.
    """

    ref: str
    why: str
    correction: Correction | None = None
    undo: tuple[Settlement, ...] = ()
    amend: tuple[Settlement, ...] = ()
    match: Settlement | None = None
    currency: str = ""
    now: BookTotals | None = None
    after: BookTotals | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.correction or self.undo or self.amend or self.match)


def not_given(row: Disposition) -> CorrectionPlan:
    """The plan for a document that its source does not give: nothing is written, `why` names the hold."""
    cause = f"{row.reason}: {row.detail}" if row.detail else str(row.reason)
    return CorrectionPlan(
        ref=row.ref, why=f"its source does not give it ({cause})", currency=row.currency or ""
    )


def posted_with_notes(
    case: Case, ledger_state: Mapping[str, LedgerState], index: Iterable[IndexRow]
) -> Posted | None:
    """The posted document with everything that reverses or settles it; None where it is not posted.

    `index` shows which of its credit notes their source still reports.
    """
    ref = case.facts.ref
    moves = [row.move for row in ledger_state.values() if row.move]
    posted = [move for move in moves if move.state is MoveState.POSTED]
    own = next((move for move in posted if move.ref == ref), None)
    if own is None:
        return None
    notes = [m for m in posted if m.document.reverses == ref and not is_correction(m.ref)]
    names = {note.ref for note in notes}
    notes += [m for m in posted if m.document.reverses in names]
    reported = {row.ref for row in index if row.found and row.status is not Status.VOID}
    entries = [row.settlement for row in ledger_state.values() if row.settlement]
    return Posted(
        move=own,
        corrections=case.corrections,
        notes=tuple(notes),
        confirmed=tuple(note for note in notes if base_of(note.ref) in reported),
        credited=case.credited,
        entries=tuple(e for e in entries if e.settlement.document in {ref, *names}),
    )


def plan_correction(
    case: Case,
    posted: Posted | None,
    ledger_state: Mapping[str, LedgerState],
    settings: Settings,
    books: Books,
    today: date,
    *,
    withdrawn: bool = False,
) -> CorrectionPlan:
    """The plan for one document; `posted` is the ledger's side of it, from `posted_with_notes`.

    `withdrawn` reverses it as a whole, regardless of its own status (a credit note whose invoice a correction
    has reversed already). The plan writes nothing where the ledger would not equal the source afterwards.
    """
    ref = case.facts.ref
    if posted is None:
        return CorrectionPlan(ref=ref, why="nothing of it is posted")
    move, currency = posted.move, posted.move.document.currency
    now = _totals(posted.documents, posted.entries)
    target = None if withdrawn else _target(case, settings)
    if isinstance(target, str):
        return CorrectionPlan(ref=ref, why=target, currency=currency, now=now, after=now)
    why = _why_not(move, target)
    if why:
        return CorrectionPlan(ref=ref, why=why, currency=currency, now=now, after=now)
    reported = settlement_refs([case.facts])
    gone = withdrawn_settlements(unreversed_settlements(ledger_state).get(ref, ()), reported)
    more = amendments(ledger_state)
    entries = [each for entry in gone for each in (entry, *made_of(entry, more)) if can_undo(each)]
    back = dict(case.facts.withdrawn)
    undo = tuple(
        reversal(entry, first_open_day(back.get(original_of(entry.ref), today), books.entry_lock))
        for entry in entries
    )
    differing = _amendments(case, target, ledger_state, settings, books)
    amend = tuple(each.write for each in differing if each.write)
    freed = sum(entry.reconciled for entry in entries) - sum(min(0, each.amount) for each in amend)
    found = _correction(case, posted, target, settings, books, today, freed)
    match = None if found else unmade_match(move, posted.corrections, ledger_state)
    plan = CorrectionPlan(
        ref=ref,
        why=_in_words(case, found, undo, differing, match),
        correction=found,
        undo=undo,
        amend=amend,
        match=match,
        currency=currency,
        now=now,
        after=_after(now, found, (*undo, *amend), move.document.kind),
    )
    return _refused(plan, case, posted, target)


def _why_not(move: LedgerMove, target: LedgerDocument | None) -> str | None:
    """Why a posted document can't be corrected to its target (None: reversed); None where it can."""
    if ChangedSide.LEDGER in changed_sides(target, move):
        return "it was edited in the ledger: undo the edit first"
    posted = move.document
    if target is None or (target.kind, target.currency) == (posted.kind, posted.currency):
        return None
    return (
        f"refused: it is posted as {posted.kind} in {posted.currency}, and its source has it as {target.kind} "
        f"in {target.currency}: void it there and issue it anew"
    )


def _amendments(
    case: Case,
    target: LedgerDocument | None,
    ledger_state: Mapping[str, LedgerState],
    settings: Settings,
    books: Books,
) -> tuple[Amendment, ...]:
    """The differences of its settlements; none where the document itself is reversed."""
    if target is None:
        return ()
    facts = {target.ref: case.facts}
    settlements = intended_settlements([target], facts, settings, ledger_state)
    days = {settled.ref: settled.date for settled in case.facts.settlements}
    return plan_amendments(settlements, days, ledger_state, settings, books.entry_lock)


def _in_words(
    case: Case,
    found: Correction | None,
    undo: Sequence[Settlement],
    differing: Sequence[Amendment],
    match: Settlement | None,
) -> str:
    document: list[str] = []
    if found:
        total = money(found.document.total, found.document.currency)
        document.append(f"{found.document.kind} over {total}")
    reversals = [f"{each.undoes} is reversed" for each in undo]
    matched = [f"{match.memo} is matched with its document"] if match else []
    why = "; ".join([*document, *reversals, *(each.why for each in differing), *matched])
    if why:
        return why
    if case.is_reversed_by_notes:
        return "its credit notes reverse it: nothing to write"
    return "its amounts are as posted; a new label, day or customer is no entry: nothing to write"


def _target(case: Case, settings: Settings) -> LedgerDocument | str | None:
    """The document as it should be posted; None to reverse it; a text says why neither is known."""
    if case.facts.status is Status.VOID and not case.is_reversed_by_notes:
        return None
    document = intended(case, settings)
    if isinstance(document, LedgerDocument):
        return document
    return f"its source is in doubt ({document.reason}: {document.detail})"


def _correction(
    case: Case,
    posted: Posted,
    target: LedgerDocument | None,
    settings: Settings,
    books: Books,
    today: date,
    freed: int,
) -> Correction | None:
    move = posted.move
    if target is None:
        day = first_open_day(case.facts.voided_on or today, books.invoice_lock)
        return correction(
            move,
            posted.corrections,
            None,
            day=day,
            settings=settings,
            freed=freed,
            notes=posted.confirmed,
        )
    if not posted.corrections and ChangedSide.SOURCE not in changed_sides(target, move):
        return None
    if answered(case.facts.source_hash, posted.corrections):
        return None
    day = first_open_day(today, books.invoice_lock)
    return correction(move, posted.corrections, target, day=day, settings=settings, freed=freed)


def _refused(
    plan: CorrectionPlan, case: Case, posted: Posted, target: LedgerDocument | None
) -> CorrectionPlan:
    """The plan, or an empty one that says why: the ledger would not equal the source afterwards."""
    if plan.correction is None or plan.after is None:
        return plan
    reversed_ = -sum(note.document.kind.sign * note.document.total for note in posted.confirmed)
    if target is None and posted.credited != reversed_:
        why = (
            f"refused: its credit notes are over {money(posted.credited, plan.currency)} and "
            f"{money(reversed_, plan.currency)} of them are posted; `fcb sync`, post them (`fcb post`) and "
            "try again"
        )
        return _nothing(plan, why)
    sign = posted.move.document.kind.sign
    net, tax = (target.net, target.tax) if target else (0, 0)
    # The notes of a changed document count on both sides; of a void document only the unconfirmed ones,
    # which are corrected by themselves.
    unconfirmed = [each for each in posted.notes if each not in posted.confirmed]
    beside = posted.notes if target else unconfirmed
    net = sign * net + sum(each.document.kind.sign * each.document.net for each in beside)
    tax = sign * tax + sum(each.document.kind.sign * each.document.tax for each in beside)
    if (plan.after.revenue, plan.after.tax) == (net, tax):
        return plan
    why = (
        f"refused: the ledger would have revenue {plan.after.revenue} and tax {plan.after.tax}, the source "
        f"has {net} and {tax}"
    )
    return _nothing(plan, why)


def _nothing(plan: CorrectionPlan, why: str) -> CorrectionPlan:
    return replace(plan, why=why, correction=None, undo=(), amend=(), match=None, after=plan.now)


def _totals(documents: Iterable[LedgerDocument], entries: Iterable[LedgerSettlement]) -> BookTotals:
    documents = tuple(documents)
    revenue = sum(each.kind.sign * each.net for each in documents)
    tax = sum(each.kind.sign * each.tax for each in documents)
    cash = other = 0
    for entry in entries:
        settled = entry.settlement
        if entry.state is not MoveState.POSTED:
            continue
        amount = settled.kind.sign * settled.amount
        cash += amount if settled.method.is_cash else 0
        if settled.method.touches_receivable and settled.method is not Method.CREDIT_NOTE:
            other += amount
    return BookTotals(revenue=revenue, tax=tax, cash=cash, receivable=revenue + tax - other)


def _after(
    now: BookTotals, found: Correction | None, undo: Sequence[Settlement], kind: Kind
) -> BookTotals:
    net = tax = 0
    if found is not None:
        sign = found.document.kind.sign
        net, tax = sign * found.document.net, sign * found.document.tax
    cash = sum(kind.sign * each.amount for each in undo if each.method.is_cash)
    other = sum(kind.sign * each.amount for each in undo if each.method.touches_receivable)
    return BookTotals(
        revenue=now.revenue + net,
        tax=now.tax + tax,
        cash=now.cash + cash,
        receivable=now.receivable + net + tax - other,
    )
