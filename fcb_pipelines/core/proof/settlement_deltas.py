"""Differences of settlements: what the source confirms against what stands beside a document."""

from collections.abc import Collection, Mapping, Sequence

from fcb_pipelines.core.agreement.compare import Agreement, Value, compare
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerState, MoveState
from fcb_pipelines.core.proof.delta import READ_BACK, LedgerDelta, delta_of
from fcb_pipelines.core.settlements.plan import waits_for_payment
from fcb_pipelines.core.settlements.withdrawn import taken_back


def taken_back_deltas(
    document: LedgerDocument, told: Collection[str], ledger_state: Mapping[str, LedgerState]
) -> list[LedgerDelta]:
    """Those settlements as differences; `told` are all refs that the source tells."""
    return [
        LedgerDelta(
            ref=document.ref,
            entry=entry.ref,
            field="settlement.amount",
            kind=Agreement.EXTRA,
            expected=None,
            actual=str(entry.settlement.amount),
            difference=entry.settlement.amount,
            aspect=READ_BACK,
            code=ExceptionCode.SETTLEMENT_TAKEN_BACK,
        )
        for entry in taken_back(document.ref, told, ledger_state)
    ]


def settlement_deltas(
    document: LedgerDocument,
    settlements: Sequence[Settlement],
    ledger_state: Mapping[str, LedgerState],
    explained: Mapping[str, ExceptionCode],
) -> list[LedgerDelta]:
    rows = []
    move = ledger_state[document.ref].move
    settled = move is not None and move.residual == 0
    links = {*move.partner_links} if move is not None else set()
    for settlement in settlements:
        now = ledger_state.get(settlement.ref, LedgerState(ref=settlement.ref))
        entry = None if now.absent else now.settlement
        if entry is not None:
            as_written = entry.settlement.content_hash == entry.stored_hash
            code = ExceptionCode.SOURCE_CHANGED if as_written else ExceptionCode.EDITED_IN_LEDGER
        elif document.ref in explained:
            code = explained[document.ref]
        else:
            code = ExceptionCode.EDITED_IN_LEDGER if now.taken_back else ExceptionCode.NOT_WRITTEN
        left = _settlement_fields(settlement, reconciled=True)
        right = {}
        if entry is not None:
            # Paid beyond what is open (S3), or put back and not paid (B9), nothing need be matched.
            free = settled or waits_for_payment(settlement, settlements)
            matched = entry.reconciled != 0 or free
            right = _settlement_fields(entry.settlement, reconciled=matched)
            if {settlement.partner, entry.settlement.partner} <= links:
                right["settlement.partner"] = settlement.partner
        for row in compare(document.ref, settlement.ref, left, right):
            if row.kind is not Agreement.MATCH:
                undone = entry is not None and row.field == "settlement.reconciled"
                told = ExceptionCode.EDITED_IN_LEDGER if undone else code
                rows.append(delta_of(document.ref, settlement.ref, row, told))
    return rows


def on_account_deltas(
    settlements: Sequence[Settlement],
    ledger_state: Mapping[str, LedgerState],
    explained: Mapping[str, ExceptionCode],
    links: Mapping[str, Collection[str]],
) -> list[LedgerDelta]:
    """Differences of what should stand on account (S11); whether a person matched it makes none.

    `explained` has the code of each that can't be written, by its own ref, `links` all links of the
    billing account of each document: one ledger partner carries them, and each counts.
    """
    rows = []
    for settlement in settlements:
        now = ledger_state.get(settlement.ref, LedgerState(ref=settlement.ref))
        entry = None if now.absent else now.settlement
        left = {"settlement.state": MoveState.POSTED.value, **_fields(settlement)}
        right: dict[str, Value] = {}
        code = ExceptionCode.EDITED_IN_LEDGER if now.taken_back else ExceptionCode.NOT_WRITTEN
        code = explained.get(settlement.ref, code)
        if entry is not None:
            right = {"settlement.state": entry.state.value, **_fields(entry.settlement)}
            if entry.settlement.partner in links.get(settlement.document, ()):
                right["settlement.partner"] = settlement.partner
            posted = entry.state is MoveState.POSTED
            as_written = posted and entry.settlement.content_hash == entry.stored_hash
            code = ExceptionCode.SOURCE_CHANGED if as_written else ExceptionCode.EDITED_IN_LEDGER
        for row in compare(settlement.document, settlement.ref, left, right):
            if row.kind is not Agreement.MATCH:
                rows.append(delta_of(settlement.document, settlement.ref, row, code))
    return rows


def _settlement_fields(settlement: Settlement, *, reconciled: bool) -> dict[str, Value]:
    return {"settlement.reconciled": "yes" if reconciled else "no", **_fields(settlement)}


def _fields(settlement: Settlement) -> dict[str, Value]:
    matched_with = {
        "settlement.drawn_on": settlement.drawn_on,
        "settlement.undoes": settlement.undoes,
    }
    return {
        "settlement.amount": settlement.amount,
        "settlement.date": settlement.date.isoformat(),
        "settlement.currency": settlement.currency,
        "settlement.memo": settlement.memo,
        "settlement.method": settlement.method.value,
        "settlement.document": settlement.document,
        "settlement.partner": settlement.partner,
        **{field: ref for field, ref in matched_with.items() if ref is not None},
    }
