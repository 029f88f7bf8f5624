"""The exceptions of a document: faults that stand beside its disposition and do not decide it."""

from fcb_pipelines.core.agreement.compare import Agreement, AgreementRow, disagreements
from fcb_pipelines.core.codes import ExceptionCode, Method, Reason, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import Case, books_begin, intended
from fcb_pipelines.core.ledger.corrections import answered
from fcb_pipelines.core.ledger.drift import ChangedSide, changed_sides
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerState, MoveState
from fcb_pipelines.core.settlements.policy import not_posted

# The exception of a posted document that is skipped for this reason now; its correction is a reversal.
TO_REVERSE = {
    Reason.VOID_AT_SOURCE: ExceptionCode.VOIDED_AFTER_POSTING,
    Reason.INVOICE_SKIPPED: ExceptionCode.VOIDED_AFTER_POSTING,
    Reason.REVERSED_ALREADY: ExceptionCode.TAKEN_BACK_TWICE,
}


def exceptions_of(
    case: Case, settings: Settings, verdict: Verdict, reason: Reason | None
) -> tuple[ExceptionCode, ...]:
    """The exception codes of one document with this verdict and reason, each once."""
    found = [*_copy_exceptions(case.agreement)]
    ledger_state = case.ledger_state or LedgerState(ref=case.facts.ref)
    posted = ledger_state.move is not None and ledger_state.move.state is MoveState.POSTED
    if verdict is Verdict.POST:
        found += _posted_exceptions(case, ledger_state, settings)
        if not case.facts.lines and not case.facts.shipping:
            found.append(ExceptionCode.UNITEMISED)
        listed = not_posted(case.facts, settings)
        found += [listed[1]] if listed else []
        if case.facts.owed < 0:
            found.append(ExceptionCode.OVERPAID)
        found += [code for code in case.facts.remarks if code not in _decided(case, settings)]
    elif posted and verdict is Verdict.SKIP and reason in TO_REVERSE:
        found += [] if case.is_reversed else [TO_REVERSE[reason]]
    elif posted:
        found.append(ExceptionCode.SOURCE_CHANGED)
    elif not ledger_state.absent and verdict is Verdict.SKIP:
        found.append(ExceptionCode.STALE_DRAFT)
    elif reason == Reason.BEFORE_CUTOVER and _refunded_on_account(case, settings):
        found.append(ExceptionCode.REFUND_WITHOUT_CREDIT_NOTE)
    return tuple(dict.fromkeys(found))


def _refunded_on_account(case: Case, settings: Settings) -> bool:
    """Whether refunds since the books began are booked to refunds pending (S11)."""
    refunds = [s for s in case.facts.settlements if s.method is Method.REFUND and s.amount]
    booked = settings.policies.opening_payment == "settle"
    return booked and any(refund.date >= books_begin(settings) for refund in refunds)


def _decided(case: Case, settings: Settings) -> frozenset[ExceptionCode]:
    """The source's remarks that the company's policies answer: they are not listed.

    A lost dispute that took nothing of what is booked - it was paid in another currency, or later - is.
    """
    policies = settings.policies
    taken = any(each.method is Method.CHARGEBACK for each in case.facts.settlements)
    answers = {
        ExceptionCode.UNCOLLECTIBLE: policies.uncollectible == "write_off",
        ExceptionCode.DISPUTE_LOST: policies.lost_dispute == "loss" and taken,
    }
    return frozenset(code for code, decided in answers.items() if decided)


def _copy_exceptions(agreement: tuple[AgreementRow, ...]) -> list[ExceptionCode]:
    wrong = disagreements(agreement)
    no_items = [row for row in wrong if row.field == "lines" and row.kind is Agreement.MISSING]
    found = [ExceptionCode.NEXACLOUD_ITEMS_MISSING] if no_items else []
    return found + ([ExceptionCode.NEXACLOUD_DIFFERS] if len(wrong) > len(no_items) else [])


def _posted_exceptions(
    case: Case, ledger_state: LedgerState, settings: Settings
) -> list[ExceptionCode]:
    if ledger_state.absent:
        return [ExceptionCode.EDITED_IN_LEDGER] if ledger_state.withdrawn else []
    move = ledger_state.move
    if move is None or move.state is not MoveState.POSTED:
        return []
    document = intended(case, settings)
    sides = changed_sides(document if isinstance(document, LedgerDocument) else None, move)
    if answered(case.facts.source_hash, case.corrections):
        sides -= {ChangedSide.SOURCE, ChangedSide.SETTINGS}
    elif case.corrections:
        # It is posted as corrected, and the source may have returned to its first amounts.
        sides |= {ChangedSide.SOURCE}
    codes = {
        ChangedSide.SOURCE: ExceptionCode.SOURCE_CHANGED,
        ChangedSide.SETTINGS: ExceptionCode.SETTINGS_CHANGED,
        ChangedSide.LEDGER: ExceptionCode.EDITED_IN_LEDGER,
    }
    return [code for side, code in codes.items() if side in sides]
