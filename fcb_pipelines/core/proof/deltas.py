"""Ledger deltas: every difference between the intended entries and the read-back."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from fcb_pipelines.core.agreement.compare import (
    Agreement,
    AgreementRow,
    Value,
    compare,
    disagreements,
    flattened,
    flattened_lines,
    match_lines,
)
from fcb_pipelines.core.agreement.policy import Policy, compared_with
from fcb_pipelines.core.codes import ExceptionCode, Reason, System, Verdict
from fcb_pipelines.core.dispositions.exceptions import TO_REVERSE
from fcb_pipelines.core.ledger.corrections import VOIDED, answered, by_base, open_with, unmatched
from fcb_pipelines.core.ledger.drift import ChangedSide, changed_sides
from fcb_pipelines.core.ledger.entries import DocumentLine, LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerState, MoveState
from fcb_pipelines.core.proof.delta import DATES, READ_BACK, RESIDUAL, LedgerDelta, delta_of
from fcb_pipelines.core.proof.settlement_deltas import settlement_deltas, withdrawn_deltas
from fcb_pipelines.core.refs import base_of
from fcb_pipelines.core.settlements.amended import amendments
from fcb_pipelines.core.settlements.plan import by_document, expected_residual
from fcb_pipelines.core.settlements.withdrawn import unreversed_settlements


def ledger_deltas(
    documents: Sequence[LedgerDocument],
    settlements: Sequence[Settlement],
    ledger_state: Mapping[str, LedgerState],
    *,
    not_posted: Mapping[str, Reason] | None = None,
    exceptions: Iterable[tuple[str, ExceptionCode]] = (),
    refused: Mapping[str, ExceptionCode] | None = None,
    credited: Collection[str] = (),
) -> tuple[LedgerDelta, ...]:
    """The differences between a month's intent and the ledger; empty where they are equal.

    `ledger_state` has every external id of the month as just read back. `not_posted` maps skipped and
    held documents to their reason (a held document may keep its draft). `exceptions` are the
    (document ref, code) pairs of settlements that could not be written; they explain a residual.
    `refused` maps entries that the ledger refused to its code. `credited` are refunds that now belong to
    credit notes; one booked before is no difference.
    """
    explained: dict[str, ExceptionCode] = {}
    for ref, code in exceptions:
        explained.setdefault(ref, code)
    wanted = {document.ref for document in documents}
    corrections = by_base(row.move for row in ledger_state.values() if row.move)
    beside = unmatched(row.settlement for row in ledger_state.values() if row.settlement)
    unreversed = unreversed_settlements(ledger_state)
    amended = amendments(ledger_state)
    of_document = by_document(settlements)
    credited = frozenset(credited)
    rows: list[LedgerDelta] = []
    for document in documents:
        now = ledger_state.get(document.ref) or LedgerState(ref=document.ref)
        corrected = corrections.get(document.ref, ())
        found = _document_deltas(document, now, corrected, (refused or {}).get(document.ref))
        if now.move and now.move.state is MoveState.POSTED:
            own = of_document.get(document.ref, ())
            found += settlement_deltas(
                document, own, ledger_state, amended, explained, refused or {}
            )
            reported = {settlement.ref for settlement in own}
            held = unreversed.get(document.ref, ())
            found += withdrawn_deltas(document, held, reported, credited)
            cause = _cause(document, explained, found, corrected)
            free = beside.get(document.ref, 0)
            found += _residual_delta(document, now.move, corrected, own, free, cause)
            found = [_with_digests(delta, document, now.move) for delta in found]
        rows += found
    for ref, now in ledger_state.items():
        if now.move and not now.absent and base_of(ref) not in wanted and not now.elsewhere:
            reason = (not_posted or {}).get(base_of(ref))
            if reason is Reason.EDITED_IN_LEDGER and now.withdrawn:
                rows.append(_unposted(now.move))
            elif not _is_right(now.move, reason, corrections.get(base_of(ref), ())):
                rows.append(_unexpected(now.move, reason))
    return tuple(rows)


def compare_documents(
    expected: LedgerDocument, actual: LedgerDocument, partner_links: Sequence[str]
) -> tuple[AgreementRow, ...]:
    """The rows of the fields that differ between intent and read-back, of those that the policy compares."""
    if actual == expected:
        return ()
    compared = compared_with(System.LEDGER)
    pairs = match_lines(expected.lines, actual.lines, _LIKENESS)
    left, right = flattened(expected, _DOCUMENT, compared), flattened(actual, _DOCUMENT, compared)
    left |= flattened_lines((pair[0] for pair in pairs), _LINE, compared)
    right |= flattened_lines((pair[1] for pair in pairs), _LINE, compared)
    if compared.get("partner") is Policy.BY_LINK and expected.partner in partner_links:
        right["partner"] = expected.partner
    return disagreements(compare(expected.ref, actual.ref, left, right))


# How each field is read, by its name in the policy table; in the order of the rows.
_DOCUMENT: Mapping[str, Callable[[LedgerDocument], Value]] = {
    "ref": lambda document: document.ref,
    "kind": lambda document: document.kind.value,
    "number": lambda document: document.number,
    "date": lambda document: document.date.isoformat(),
    "currency": lambda document: document.currency,
    "partner": lambda document: document.partner,
    "net": lambda document: document.net,
    "tax": lambda document: document.tax,
    "total": lambda document: document.total,
    "nexacloud_invoice_id": lambda document: document.nexacloud_invoice_id,
    "stripe_invoice_id": lambda document: document.stripe_invoice_id,
    "taxes": lambda document: ", ".join(f"{t.key} {t.amount} on {t.base}" for t in document.taxes),
    "lines": lambda document: len(document.lines),
}
_LINE: Mapping[str, Callable[[DocumentLine], Value]] = {
    "line.description": lambda line: line.description,
    "line.quantity": lambda line: line.quantity,
    "line.unit_price": lambda line: line.unit_price,
    "line.net": lambda line: line.net,
    "line.account": lambda line: line.account,
    "line.taxes": lambda line: ", ".join(line.taxes),
}
_LIKENESS = (
    lambda line: line,
    lambda line: (line.description, line.net),
    lambda line: line.description,
    lambda line: line.net,
    lambda line: None,
)


# The exception of a posted move without an intended document, by the reason of its disposition.
_UNEXPECTED: Mapping[Reason, ExceptionCode] = {
    **TO_REVERSE,
    Reason.MISSING_AT_SOURCE: ExceptionCode.MISSING_AT_SOURCE,
    Reason.UNREACHABLE: ExceptionCode.UNREACHABLE,
}


def _is_right(move: LedgerMove, reason: Reason | None, corrections: Sequence[LedgerMove]) -> bool:
    """Whether a move without an intended document is right: a held draft, or a reversed document."""
    if reason in TO_REVERSE and answered(VOIDED, corrections):
        return True
    held = reason is not None and reason.verdict is Verdict.HOLD
    return held and move.state is MoveState.DRAFT


def _with_digests(delta: LedgerDelta, document: LedgerDocument, move: LedgerMove) -> LedgerDelta:
    """The same difference with its three digests and the sides that changed."""
    sides = changed_sides(document, move)
    return replace(
        delta,
        moved=tuple(sorted(sides)),
        source_now=document.content_hash,
        written=move.stored_hash,
        ledger_now=_as_intended(move, document).content_hash,
    )


def _as_intended(move: LedgerMove, document: LedgerDocument) -> LedgerDocument:
    """The document of a move, with the intended partner where that is a link of the move's partner."""
    known = document.partner in move.partner_links
    return replace(move.document, partner=document.partner) if known else move.document


def _document_deltas(
    document: LedgerDocument,
    now: LedgerState,
    corrections: Sequence[LedgerMove],
    refused: ExceptionCode | None,
) -> list[LedgerDelta]:
    move = now.move
    if move is None or now.absent:
        code = refused or (
            ExceptionCode.EDITED_IN_LEDGER if now.withdrawn else ExceptionCode.NOT_WRITTEN
        )
        return [_missing(document, now, code, now.was_seen or MoveState.DRAFT.value)]
    if refused and move.state is MoveState.DRAFT:
        return [_missing(document, now, refused, MoveState.POSTED.value)]
    differing = compare_documents(document, move.document, move.partner_links)
    rows = _explained(differing, document, move, corrections) if differing else []
    posted = move.state is MoveState.POSTED
    redated = move.accounting_date != move.document.date
    if posted and redated and "date" in compared_with(System.LEDGER):
        rows.append(
            LedgerDelta(
                ref=document.ref,
                entry=document.ref,
                field="accounting_date",
                kind=Agreement.DIFFERS,
                expected=move.document.date.isoformat(),
                actual=move.accounting_date.isoformat(),
                difference=None,
                aspect=DATES,
                code=ExceptionCode.EDITED_IN_LEDGER,
                currency=document.currency,
            )
        )
    return rows


def _explained(
    differing: Sequence[AgreementRow],
    document: LedgerDocument,
    move: LedgerMove,
    corrections: Sequence[LedgerMove],
) -> list[LedgerDelta]:
    """A delta for each differing field, by the side that changed; none where a correction answers them."""
    sides = changed_sides(document, move)
    if ChangedSide.LEDGER in sides:
        code = ExceptionCode.EDITED_IN_LEDGER
    elif answered(document.source_hash or "", corrections):
        return []
    elif ChangedSide.SETTINGS in sides:
        code = ExceptionCode.SETTINGS_CHANGED
    else:
        code = ExceptionCode.SOURCE_CHANGED
    return [delta_of(row.ref, row.ref, row, code, document.currency) for row in differing]


def _missing(
    document: LedgerDocument, now: LedgerState, code: ExceptionCode, expected: str
) -> LedgerDelta:
    return LedgerDelta(
        ref=document.ref,
        entry=document.ref,
        field="state",
        kind=Agreement.MISSING,
        expected=expected,
        actual=now.move.state.value if now.move else MoveState.NONE.value,
        difference=-document.total,
        aspect=READ_BACK,
        code=code,
        currency=document.currency,
    )


def _cause(
    document: LedgerDocument,
    explained: Mapping[str, ExceptionCode],
    found: Sequence[LedgerDelta],
    corrections: Sequence[LedgerMove],
) -> ExceptionCode:
    """The exception that explains a residual.

    It is that of a settlement that could not be written, else that of another difference that moves the
    open amount, else a source that changed after the correction, else an edit in the ledger. A label, a
    date or an account moves none.
    """
    if document.ref in explained:
        return explained[document.ref]
    moving = {row.code for row in found if row.entry != document.ref or row.field in _MOVES_OPEN}
    changed_again = corrections and not answered(document.source_hash or "", corrections)
    otherwise = ExceptionCode.SOURCE_CHANGED if changed_again else ExceptionCode.EDITED_IN_LEDGER
    return next((code for code in _CAUSES if code in moving), otherwise)


# The fields of a document that move its open amount, and the causes of one, the gravest first.
_MOVES_OPEN = frozenset({"total", "currency", "kind"})
_CAUSES = (
    ExceptionCode.EDITED_IN_LEDGER,
    ExceptionCode.SETTLEMENT_TAKEN_BACK,
    ExceptionCode.SOURCE_CHANGED,
    ExceptionCode.NOT_WRITTEN,
)


def _residual_delta(
    document: LedgerDocument,
    move: LedgerMove,
    corrections: Sequence[LedgerMove],
    settlements: Sequence[Settlement],
    beside: int,
    code: ExceptionCode,
) -> list[LedgerDelta]:
    expected = expected_residual(document, settlements)
    actual = open_with(move, corrections, beside)
    if actual == expected or "paid" not in compared_with(System.LEDGER):
        return []
    return [
        LedgerDelta(
            ref=document.ref,
            entry=document.ref,
            field="paid",
            kind=Agreement.DIFFERS,
            expected=str(expected),
            actual=str(actual),
            difference=actual - expected,
            aspect=RESIDUAL,
            code=code,
            currency=document.currency,
        )
    ]


def _unposted(move: LedgerMove) -> LedgerDelta:
    """The delta of a move that a person set back to draft: it is held, and still missing in the books."""
    return LedgerDelta(
        ref=move.ref,
        entry=move.ref,
        field="state",
        kind=Agreement.DIFFERS,
        expected=MoveState.POSTED.value,
        actual=move.state.value,
        difference=-move.document.total,
        aspect=READ_BACK,
        code=ExceptionCode.EDITED_IN_LEDGER,
        currency=move.document.currency,
    )


def _unexpected(move: LedgerMove, reason: Reason | None) -> LedgerDelta:
    posted = ExceptionCode.SOURCE_CHANGED
    if reason is not None:
        posted = _UNEXPECTED.get(reason, posted)
    return LedgerDelta(
        ref=move.ref,
        entry=move.ref,
        field="state",
        kind=Agreement.EXTRA,
        expected=MoveState.NONE.value,
        actual=move.state.value,
        difference=move.document.total,
        aspect=READ_BACK,
        code=ExceptionCode.STALE_DRAFT if move.state is MoveState.DRAFT else posted,
        currency=move.document.currency,
    )
