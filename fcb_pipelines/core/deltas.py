"""Ledger deltas: every difference between what should stand in the books and the read-back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fcb_pipelines.core.agreement import (
    Agreement,
    AgreementRow,
    Value,
    compare,
    disagreements,
    match_lines,
)
from fcb_pipelines.core.documents import DocumentLine, LedgerDocument, Settlement
from fcb_pipelines.core.reasons import REASONS, Verdict
from fcb_pipelines.core.standing import (
    MoveState,
    Standing,
    StandingMove,
    stands_as,
)
from fcb_pipelines.core.writing import expected_residual

READ_BACK, DATES, RESIDUAL = "read_back", "dates", "residual"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDelta:
    """One difference. `entry` is the external id that differs: the document's or a settlement's.

    `expected` is the intent and `actual` the read-back, as text; `difference` is actual less
    expected in minor units for amounts. `aspect` says which gate it trips, `code` which exception
    it is; a settlement of a draft is no difference, since it waits for the posting.
    """

    ref: str
    entry: str
    field: str
    kind: Agreement
    expected: str | None
    actual: str | None
    difference: int | None
    aspect: str
    code: str


def ledger_deltas(
    documents: Sequence[LedgerDocument],
    settlements: Sequence[Settlement],
    standing: Mapping[str, Standing],
    *,
    not_posted: Mapping[str, str] | None = None,
    exceptions: Iterable[tuple[str, str]] = (),
    refused: Mapping[str, str] | None = None,
) -> tuple[LedgerDelta, ...]:
    """Compare the month's intent with what stands now.

    `standing` holds every external id of the month as just read back; `not_posted` tells the
    reason of documents that are skipped or held (a held one's draft waits for a person); `exceptions` are the (document ref, code) pairs of
    settlements that could not be written, which explain a residual; `refused` are the entries that
    the ledger itself would not take, with the code it gave.
    """
    explained: dict[str, str] = {}
    for ref, code in exceptions:
        explained.setdefault(ref, code)
    wanted = {document.ref for document in documents}
    rows: list[LedgerDelta] = []
    for document in documents:
        now = standing.get(document.ref, Standing(ref=document.ref))
        found = _document_deltas(document, now, (refused or {}).get(document.ref))
        if now.move and now.move.state is MoveState.POSTED:
            own = [s for s in settlements if s.document == document.ref]
            found += _settlement_deltas(own, standing, explained)
            found += _residual_delta(document, now.move, own, _cause(document, explained, found))
        rows += found
    for ref, now in standing.items():
        reason = (not_posted or {}).get(ref, "")
        held = reason in REASONS and REASONS[reason].verdict is Verdict.HOLD
        waits = held and now.move is not None and now.move.state is MoveState.DRAFT
        if now.move and not now.absent and ref not in wanted and not waits:
            rows.append(_unexpected(now.move, reason))
    return tuple(rows)


def document_fields(
    document: LedgerDocument, lines: Sequence[DocumentLine | None]
) -> dict[str, Value]:
    """A document flattened for `compare`; `lines` is its lines as matched with the other side's."""
    flat: dict[str, Value] = {
        "kind": document.kind.value,
        "number": document.number,
        "date": document.date.isoformat(),
        "currency": document.currency,
        "partner": document.partner,
        "net": document.net,
        "tax": document.tax,
        "total": document.total,
        "nexacloud_invoice_id": document.nexacloud_invoice_id,
        "stripe_invoice_id": document.stripe_invoice_id,
        "taxes": ", ".join(f"{tax.key} {tax.amount} on {tax.base}" for tax in document.taxes),
        "lines": len(document.lines),
    }
    for i, line in enumerate(lines, start=1):
        if line is not None:
            flat[f"line[{i}].description"] = line.description
            flat[f"line[{i}].quantity"] = line.quantity
            flat[f"line[{i}].unit_price"] = line.unit_price
            flat[f"line[{i}].net"] = line.net
            flat[f"line[{i}].account"] = line.account
            flat[f"line[{i}].taxes"] = ", ".join(line.taxes)
    return flat


def compare_documents(
    expected: LedgerDocument, actual: LedgerDocument, partner_links: Sequence[str]
) -> tuple[AgreementRow, ...]:
    """The fields in which a read-back differs from the intent; any of the partner's links counts."""
    pairs = match_lines(expected.lines, actual.lines, _LIKENESS)
    left = document_fields(expected, [pair[0] for pair in pairs])
    right = document_fields(actual, [pair[1] for pair in pairs])
    if expected.partner in partner_links:
        right["partner"] = expected.partner
    return disagreements(compare(expected.ref, actual.ref, left, right))


_LIKENESS = (
    lambda line: line,
    lambda line: (line.description, line.net),
    lambda line: line.description,
    lambda line: line.net,
    lambda line: None,
)


def _document_deltas(
    document: LedgerDocument, now: Standing, refused: str | None
) -> list[LedgerDelta]:
    move = now.move
    if move is None or now.absent:
        code = refused or ("edited_in_ledger" if now.taken_back else "not_written")
        return [_not_standing(document, now, code, now.was_seen or MoveState.DRAFT.value)]
    if refused and move.state is MoveState.DRAFT:
        return [_not_standing(document, now, refused, MoveState.POSTED.value)]
    edited = not stands_as(move, move.stored_hash)
    code = "edited_in_ledger" if edited else "source_changed"
    rows = [
        _as_delta(row, code)
        for row in compare_documents(document, move.document, move.partner_links)
    ]
    posted = move.state is MoveState.POSTED
    if posted and move.accounting_date != move.document.date:
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
                code="edited_in_ledger",
            )
        )
    return rows


def _not_standing(document: LedgerDocument, now: Standing, code: str, expected: str) -> LedgerDelta:
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
    )


def _as_delta(row: AgreementRow, code: str) -> LedgerDelta:
    return LedgerDelta(
        ref=row.ref,
        entry=row.ref,
        field=row.field,
        kind=row.kind,
        expected=row.expected,
        actual=row.actual,
        difference=row.difference,
        aspect=DATES if row.field == "date" else READ_BACK,
        code=code,
    )


def _settlement_deltas(
    settlements: Sequence[Settlement],
    standing: Mapping[str, Standing],
    explained: Mapping[str, str],
) -> list[LedgerDelta]:
    rows = []
    for settlement in settlements:
        now = standing.get(settlement.ref, Standing(ref=settlement.ref))
        entry = None if now.absent else now.settlement
        if entry is not None:
            as_written = entry.settlement.content_hash == entry.stored_hash
            code = "source_changed" if as_written else "edited_in_ledger"
        elif settlement.document in explained:
            code = explained[settlement.document]
        else:
            code = "edited_in_ledger" if now.taken_back else "not_written"
        left = _settlement_fields(settlement, reconciled=True)
        right = {}
        if entry is not None:
            right = _settlement_fields(entry.settlement, reconciled=entry.reconciled > 0)
        for row in compare(settlement.document, settlement.ref, left, right):
            if row.kind is not Agreement.MATCH:
                undone = entry is not None and row.field == "settlement.reconciled"
                told = "edited_in_ledger" if undone else code
                rows.append(_settlement_delta(settlement, row, told))
    return rows


def _settlement_delta(settlement: Settlement, row: AgreementRow, code: str) -> LedgerDelta:
    return LedgerDelta(
        ref=settlement.document,
        entry=settlement.ref,
        field=row.field,
        kind=row.kind,
        expected=row.expected,
        actual=row.actual,
        difference=row.difference,
        aspect=DATES if row.field == "settlement.date" else READ_BACK,
        code=code,
    )


def _settlement_fields(settlement: Settlement, *, reconciled: bool) -> dict[str, Value]:
    return {
        "settlement.reconciled": "yes" if reconciled else "no",
        "settlement.amount": settlement.amount,
        "settlement.date": settlement.date.isoformat(),
        "settlement.currency": settlement.currency,
        "settlement.memo": settlement.memo,
        "settlement.method": settlement.method.value,
        "settlement.document": settlement.document,
    }


def _cause(
    document: LedgerDocument, explained: Mapping[str, str], found: Sequence[LedgerDelta]
) -> str:
    """What a residual comes from: whatever else is wrong here, else somebody's hand."""
    codes = {delta.code for delta in found}
    alone = codes.pop() if len(codes) == 1 else "edited_in_ledger"
    return explained.get(document.ref, alone)


def _residual_delta(
    document: LedgerDocument,
    move: StandingMove,
    settlements: Sequence[Settlement],
    code: str,
) -> list[LedgerDelta]:
    expected = expected_residual(document, settlements)
    if move.residual == expected:
        return []
    return [
        LedgerDelta(
            ref=document.ref,
            entry=document.ref,
            field="paid",
            kind=Agreement.DIFFERS,
            expected=str(expected),
            actual=str(move.residual),
            difference=move.residual - expected,
            aspect=RESIDUAL,
            code=code,
        )
    ]


def _unexpected(move: StandingMove, reason: str) -> LedgerDelta:
    posted = "voided_after_posting" if reason == "void_at_source" else "source_changed"
    return LedgerDelta(
        ref=move.ref,
        entry=move.ref,
        field="state",
        kind=Agreement.EXTRA,
        expected=MoveState.NONE.value,
        actual=move.state.value,
        difference=move.document.total,
        aspect=READ_BACK,
        code="stale_draft" if move.state is MoveState.DRAFT else posted,
    )
