"""Exceptions: what is wrong with a document, beside its disposition."""

from fcb_pipelines.core.agreement.compare import Agreement, AgreementRow, disagreements
from fcb_pipelines.core.codes import Method, Verdict
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.dispositions.case import Case, books_begin, intended
from fcb_pipelines.core.ledger.corrections import answered
from fcb_pipelines.core.ledger.drift import Moved, moved
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import MoveState, Standing
from fcb_pipelines.core.settlements.policy import not_posted

# What a posted document is told as that is skipped now: the correction that answers it is its reversal.
TAKEN_BACK = {
    "void_at_source": "voided_after_posting",
    "invoice_skipped": "voided_after_posting",
    "reversed_already": "taken_back_twice",
}


def exceptions_of(
    case: Case, settings: Settings, verdict: Verdict, reason: str | None
) -> tuple[str, ...]:
    """The exception codes of one document that is to be posted, skipped or held for `reason`."""
    found = [*_copy_exceptions(case.agreement)]
    standing = case.standing or Standing(ref=case.facts.ref)
    posted = standing.move is not None and standing.move.state is MoveState.POSTED
    if verdict is Verdict.POST:
        found += _posted_exceptions(case, standing, settings)
        if not case.facts.lines and not case.facts.shipping:
            found.append("unitemised")
        listed = not_posted(case.facts, settings)
        found += [listed[1]] if listed else []
        if case.facts.owed < 0:
            found.append("overpaid")
        found += [code for code in case.facts.remarks if code not in _decided(settings)]
    elif posted and verdict is Verdict.SKIP and reason in TAKEN_BACK:
        found += [] if case.is_reversed else [TAKEN_BACK[reason]]
    elif posted:
        found.append("source_changed")
    elif not standing.absent and verdict is Verdict.SKIP:
        found.append("stale_draft")
    elif reason == "before_cutover" and _refunded_on_account(case, settings):
        found.append("refund_without_credit_note")
    return tuple(dict.fromkeys(found))


def _refunded_on_account(case: Case, settings: Settings) -> bool:
    """Whether money that was given back since the books began is to stand in refunds pending (S11)."""
    refunds = [s for s in case.facts.settlements if s.method is Method.REFUND and s.amount]
    booked = settings.policies.opening_payment == "settle"
    return booked and any(refund.date >= books_begin(settings) for refund in refunds)


def _decided(settings: Settings) -> frozenset[str]:
    """The source's remarks that the company's policies have answered."""
    policies = settings.policies
    answers = {
        "uncollectible": policies.uncollectible == "write_off",
        "dispute_lost": policies.lost_dispute == "loss",
    }
    return frozenset(code for code, decided in answers.items() if decided)


def _copy_exceptions(agreement: tuple[AgreementRow, ...]) -> list[str]:
    wrong = disagreements(agreement)
    no_items = [row for row in wrong if row.field == "lines" and row.kind is Agreement.MISSING]
    found = ["nexacloud_items_missing"] if no_items else []
    return found + (["nexacloud_differs"] if len(wrong) > len(no_items) else [])


def _posted_exceptions(case: Case, standing: Standing, settings: Settings) -> list[str]:
    if standing.absent:
        return ["edited_in_ledger"] if standing.taken_back else []
    move = standing.move
    if move is None or move.state is not MoveState.POSTED:
        return []
    document = intended(case, settings)
    sides = moved(document if isinstance(document, LedgerDocument) else None, move)
    if answered(case.facts.source_hash, case.corrections):
        sides -= {Moved.SOURCE, Moved.SETTINGS}
    elif case.corrections:
        # It stands as corrected, and the source may have gone back to what it billed at first.
        sides |= {Moved.SOURCE}
    codes = {
        Moved.SOURCE: "source_changed",
        Moved.SETTINGS: "settings_changed",
        Moved.LEDGER: "edited_in_ledger",
    }
    return [code for side, code in codes.items() if side in sides]
