"""Differences of settlements: those that the source confirms against those in the ledger."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence

from fcb_pipelines.core.agreement.compare import Agreement, Value, compare, flattened
from fcb_pipelines.core.agreement.policy import Policy, compared_with
from fcb_pipelines.core.codes import ExceptionCode, System
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState, MoveState
from fcb_pipelines.core.proof.delta import READ_BACK, LedgerDelta, delta_of
from fcb_pipelines.core.settlements.amended import amended
from fcb_pipelines.core.settlements.plan import waits_for_payment
from fcb_pipelines.core.settlements.withdrawn import Unreversed, withdrawn_settlements


def withdrawn_deltas(
    document: LedgerDocument, unreversed: Iterable[Unreversed], *reported: Container[str]
) -> list[LedgerDelta]:
    """One difference for each settlement that the source withdrew, or reports again after it was reversed.

    `unreversed` are the document's settlements in the ledger; a ref in any of `reported` is one that the
    source reports.
    """
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
            currency=entry.settlement.currency,
        )
        for entry in withdrawn_settlements(unreversed, *reported)
    ]


def settlement_deltas(
    document: LedgerDocument,
    settlements: Sequence[Settlement],
    ledger_state: Mapping[str, LedgerState],
    corrections: Mapping[str, Sequence[LedgerSettlement]],
    explained: Mapping[str, ExceptionCode],
    refused: Mapping[str, ExceptionCode],
) -> list[LedgerDelta]:
    """The differences of a posted document's settlements.

    `corrections` are the posted ones of each settlement, from `amendments`. `explained` maps documents to the
    exception of settlements that could not be written, `refused` settlements to the code of the ledger's
    refusal.
    """
    rows: list[LedgerDelta] = []
    move = ledger_state[document.ref].move
    settled = move is not None and move.residual == 0
    links = {*move.partner_links} if move is not None else set()
    for settlement in settlements:
        now = ledger_state.get(settlement.ref) or LedgerState(ref=settlement.ref)
        entry = None if now.absent else now.settlement
        # A payment beyond the open amount (S3) and an unpaid older debt (B9) stay unmatched.
        matched = entry is not None and (
            _is_matched(entry, settled) or waits_for_payment(settlement, settlements)
        )
        more = corrections.get(settlement.ref, ())
        booked = amended(entry, more) if entry is not None else None
        if matched and booked == settlement:
            continue
        if entry is not None:
            as_written = all(each.is_as_written for each in (entry, *more))
            code = ExceptionCode.SOURCE_CHANGED if as_written else ExceptionCode.EDITED_IN_LEDGER
        elif settlement.ref in refused:
            code = refused[settlement.ref]
        elif document.ref in explained:
            code = explained[document.ref]
        else:
            code = ExceptionCode.EDITED_IN_LEDGER if now.withdrawn else ExceptionCode.NOT_WRITTEN
        compared = compared_with(System.LEDGER)
        left = _intended(settlement, entry, compared, {"settlement.reconciled": "yes"})
        right = {}
        if entry is not None and booked is not None:
            state = {"settlement.reconciled": "yes" if matched else _unmatched(entry)}
            right = _fields(booked, compared, state)
            if _by_link(compared) and {settlement.partner, booked.partner} <= links:
                right["settlement.partner"] = settlement.partner
        for row in compare(document.ref, settlement.ref, left, right):
            if row.kind is not Agreement.MATCH:
                undone = entry is not None and row.field == "settlement.reconciled"
                cause = ExceptionCode.EDITED_IN_LEDGER if undone else code
                rows.append(delta_of(document.ref, settlement.ref, row, cause, settlement.currency))
    return rows


def _is_matched(entry: LedgerSettlement, settled: bool) -> bool:
    """Whether an entry is matched as it must be, in a document that is `settled` or not.

    A payment beyond the open amount stays unmatched (S3), as long as our own entries settle the document:
    where another move took its place, the customer was credited twice. An entry that is not posted settles
    nothing, whatever the ledger says of its document.
    """
    if entry.state is not MoveState.POSTED:
        return False
    return entry.is_reconciled or (not entry.instead and (entry.reconciled != 0 or settled))


def _unmatched(entry: LedgerSettlement) -> str:
    """`no`, with the state of an entry that is not posted, else the moves on both sides."""
    if entry.state is not MoveState.POSTED:
        return f"no: it is {entry.state}"
    with_others = f"it is matched with {', '.join(entry.matched_with)}"
    instead = f"its document with {', '.join(entry.instead)}"
    told = [*([with_others] if entry.matched_with else ()), *([instead] if entry.instead else ())]
    return f"no: {', '.join(told)}" if told else "no"


def on_account_deltas(
    settlements: Sequence[Settlement],
    ledger_state: Mapping[str, LedgerState],
    explained: Mapping[str, ExceptionCode],
    links: Mapping[str, Collection[str]],
) -> list[LedgerDelta]:
    """The differences of settlements on account (S11); a match that a person made is none.

    `explained` maps settlements that can't be written to their exception. `links` maps documents to all
    links of their billing account: the ledger's partner may have any of them.
    """
    compared, rows = compared_with(System.LEDGER), []
    for settlement in settlements:
        now = ledger_state.get(settlement.ref, LedgerState(ref=settlement.ref))
        entry = None if now.absent else now.settlement
        left = _intended(settlement, entry, compared, {"settlement.state": MoveState.POSTED.value})
        right: dict[str, Value] = {}
        code = ExceptionCode.EDITED_IN_LEDGER if now.withdrawn else ExceptionCode.NOT_WRITTEN
        code = explained.get(settlement.ref, code)
        if entry is not None:
            right = _fields(entry.settlement, compared, {"settlement.state": entry.state.value})
            known = links.get(settlement.document, ())
            if _by_link(compared) and entry.settlement.partner in known:
                right["settlement.partner"] = settlement.partner
            posted = entry.state is MoveState.POSTED
            as_written = posted and entry.is_as_written
            code = ExceptionCode.SOURCE_CHANGED if as_written else ExceptionCode.EDITED_IN_LEDGER
        for row in compare(settlement.document, settlement.ref, left, right):
            if row.kind is not Agreement.MATCH:
                rows.append(
                    delta_of(settlement.document, settlement.ref, row, code, settlement.currency)
                )
    return rows


def _intended(
    settlement: Settlement,
    entry: LedgerSettlement | None,
    compared: Container[str],
    state: Mapping[str, str],
) -> dict[str, Value]:
    """The fields that the entry must have; of one that is missing its reference is no field of its own."""
    fields = _fields(settlement, compared, state)
    if entry is None:
        fields.pop("settlement.ref", None)
    return fields


def _fields(
    settlement: Settlement, compared: Container[str], state: Mapping[str, str]
) -> dict[str, Value]:
    """The compared fields of a settlement, with its `state` in the ledger first."""
    matched_with = flattened(settlement, _MATCHED_WITH, compared)
    return {
        **{field: value for field, value in state.items() if field in compared},
        **flattened(settlement, _SETTLEMENT, compared),
        **{field: ref for field, ref in matched_with.items() if ref is not None},
    }


def _by_link(compared: Mapping[str, Policy]) -> bool:
    return compared.get("settlement.partner") is Policy.BY_LINK


# How each field is read, by its name in the policy table; in the order of the rows.
_SETTLEMENT: Mapping[str, Callable[[Settlement], Value]] = {
    "settlement.ref": lambda settlement: settlement.ref,
    "settlement.amount": lambda settlement: settlement.amount,
    "settlement.date": lambda settlement: settlement.date.isoformat(),
    "settlement.currency": lambda settlement: settlement.currency,
    "settlement.memo": lambda settlement: settlement.memo,
    "settlement.method": lambda settlement: settlement.method.value,
    "settlement.document": lambda settlement: settlement.document,
    "settlement.partner": lambda settlement: settlement.partner,
}
_MATCHED_WITH: Mapping[str, Callable[[Settlement], Value]] = {
    "settlement.drawn_on": lambda settlement: settlement.drawn_on,
    "settlement.undoes": lambda settlement: settlement.undoes,
}
