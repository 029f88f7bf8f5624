"""The status: dispositions, totals, gates and exceptions, joined by ref over source, NexaCloud and ledger.

`status()` returns the JSON that other tools read; docs/status.md describes it and it stays stable.
All amounts are integer minor units.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from fcb_pipelines.core.cash.shapes import CashStatus
from fcb_pipelines.core.close.month import LISTED_BY_AMOUNT, MonthStatus
from fcb_pipelines.core.close.seen import acknowledgement
from fcb_pipelines.core.close.shapes import (
    Amounts,
    CurrencyTotals,
    Document,
    GateDetail,
    Period,
    Settled,
    StatusJson,
)
from fcb_pipelines.core.codes import ExceptionCode, Verdict
from fcb_pipelines.core.dispositions.decide import Disposition
from fcb_pipelines.core.events.proof import EventsStatus, events_status
from fcb_pipelines.core.ledger.corrections import by_base, residual_with
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import (
    LedgerMove,
    LedgerSettlement,
    MoveState,
    PaymentState,
)
from fcb_pipelines.core.metering.shapes import MeteringStatus
from fcb_pipelines.core.proof.amount_rows import AmountRow
from fcb_pipelines.core.proof.completeness import UNPLACED
from fcb_pipelines.core.proof.gate import GateResult, Outcome
from fcb_pipelines.core.refs import is_correction

_WHY_NOT_IN_LEDGER = frozenset(
    {ExceptionCode.EDITED_IN_LEDGER, ExceptionCode.TAX_MISMATCH, ExceptionCode.REFUSED_BY_LEDGER}
)


def status(
    months: Mapping[str, MonthStatus],
    unplaced: MonthStatus,
    global_gates: Sequence[GateResult],
    other_service: int,
    families: Mapping[str, str],
    metering: MeteringStatus,
    amounts: Amounts,
    events: EventsStatus | None = None,
    cash: CashStatus | None = None,
    snapshot: str = "",
) -> StatusJson:
    """The status of these months and unplaced, as plain JSON values.

    `families` maps each income account code to its family; `other_service` is the number of documents
    at the sources that belong to other products of the company; `metering` is the summary of the dual
    run; `amounts` are the sums at the sources, posted and listed, by currency and measure;
    `events` counts what services were told (None: nothing); `cash` is the summary of the balances (None: cash
    is off); `snapshot` is that of the last extract (empty: none).
    """
    places = {**months, UNPLACED: unplaced}
    return {
        "periods": {place: _counts(month) for place, month in places.items()},
        "gates": {result.gate: result.outcome.value for result in global_gates},
        "gate_details": gate_details(
            {**{place: month.gates for place, month in places.items()}, None: global_gates}
        ),
        "documents": [document for month in places.values() for document in documents_of(month)],
        "totals": totals(months.values(), families),
        "other_service": other_service,
        "amounts": amounts,
        "metering": metering,
        "events": events or events_status(()),
        "cash": cash,
        "snapshot": snapshot,
    }


def gate_details(results: Mapping[str | None, Sequence[GateResult]]) -> list[GateDetail]:
    """The faults and the remedy of each gate that does not pass; `results` are by period (None: over all)."""
    return [
        {
            "gate": result.gate,
            "period": period,
            "outcome": result.outcome.value,
            "count": result.count,
            "detail": result.detail,
            "sample": list(result.sample),
            "recovery": result.recovery,
        }
        for period, own in results.items()
        for result in own
        if result.outcome is not Outcome.PASS
    ]


def documents_of(month: MonthStatus) -> list[Document]:
    """One entry for each disposition, as billed by its source and as held by the ledger."""
    intended = {document.ref: document for document in month.documents}
    delta_codes: dict[str, list[str]] = defaultdict(list)
    for delta in month.deltas:
        delta_codes[delta.ref].append(delta.code)
    corrections = by_base(month.moves.values())
    settlements: dict[str, list[LedgerSettlement]] = defaultdict(list)
    for entry in month.settlements:
        settlements[entry.settlement.document].append(entry)
    documents = [
        _document(
            row,
            intended.get(row.ref),
            month.moves.get(row.ref),
            corrections.get(row.ref, ()),
            settlements[row.ref],
            delta_codes[row.ref],
            month.amounts.get(row.ref, ()),
        )
        for row in month.dispositions
    ]
    for document in documents:
        document["acknowledged"] = [
            code for code in codes_of(document) if acknowledgement(month, document["ref"], code)
        ]
    return documents


def codes_of(document: Document) -> list[str]:
    """The reason of a held document and its exceptions, each once."""
    held = [str(document["reason"])] if document["disposition"] == Verdict.HOLD else []
    return [*dict.fromkeys((*held, *document["exceptions"]))]


def totals(months: Iterable[MonthStatus], families: Mapping[str, str]) -> dict[str, CurrencyTotals]:
    """The posted totals by currency, minor units; credit notes are negative."""
    posted: dict[str, CurrencyTotals] = {}
    for month in months:
        for move in month.moves.values():
            if move.state is MoveState.POSTED:
                _add(posted, move, families)
    return {
        currency: {**entry, "by_family": dict(sorted(entry["by_family"].items()))}
        for currency, entry in sorted(posted.items())
    }


def _add(posted: dict[str, CurrencyTotals], move: LedgerMove, families: Mapping[str, str]) -> None:
    document = move.document
    sign = document.kind.sign
    entry = posted.setdefault(
        document.currency,
        {"posted_count": 0, "posted_total": 0, "receivable": 0, "by_family": Counter()},
    )
    # A correction is one more move of the same document.
    entry["posted_count"] += not is_correction(move.ref)
    entry["posted_total"] += sign * document.total
    entry["receivable"] += sign * move.residual
    for line in document.lines:
        entry["by_family"][families.get(line.account, line.account)] += sign * line.net


def _counts(month: MonthStatus) -> Period:
    verdicts = Counter(row.verdict for row in month.dispositions)
    return {
        "population": len(month.dispositions),
        "post": verdicts[Verdict.POST],
        "skip": verdicts[Verdict.SKIP],
        "hold": verdicts[Verdict.HOLD],
        "gates": {result.gate: result.outcome.value for result in month.gates},
    }


def _document(
    row: Disposition,
    intended: LedgerDocument | None,
    move: LedgerMove | None,
    corrections: Sequence[LedgerMove],
    settlements: Sequence[LedgerSettlement],
    delta_codes: Sequence[str],
    amounts: Sequence[AmountRow],
) -> Document:
    in_ledger = move is not None and move.state in (MoveState.DRAFT, MoveState.POSTED)
    posted = move is not None and move.state is MoveState.POSTED
    state = move.state.value if move is not None and in_ledger else MoveState.NONE.value
    exceptions = {*row.exceptions, *delta_codes}
    exceptions |= {each.why for each in amounts if each.why in LISTED_BY_AMOUNT}
    if row.verdict is Verdict.POST and not in_ledger and not exceptions & _WHY_NOT_IN_LEDGER:
        # The run stopped before the month's read-back: no delta lists it.
        exceptions.add(ExceptionCode.NOT_WRITTEN)
    return {
        "ref": row.ref,
        "number": row.number,
        "period": row.period,
        "date": row.date.isoformat() if row.date else None,
        "kind": row.kind.value,
        "disposition": row.verdict.value,
        "reason": row.reason,
        "detail": row.detail,
        "exceptions": sorted(exceptions),
        "acknowledged": [],
        "partner": row.partner,
        "currency": row.currency,
        "net": row.net,
        "tax": row.tax,
        "total": row.total,
        "paid": _paid(move, corrections) if move is not None and posted else 0,
        "state": state,
        "payment_state": (
            move.payment_state.value if move is not None and posted else PaymentState.NOT_PAID.value
        ),
        "lines": [
            {"family": line.family, "account": line.account, "net": line.net, "tax": line.tax}
            for line in (intended.lines if intended else ())
        ],
        "settlements": _settlements(settlements),
        "listed": [
            {
                "what": each.measure.value,
                "entry": each.entry,
                "date": each.day.isoformat() if each.day else None,
                "amount": each.listed or each.posted,
                "why": each.why,
            }
            for each in amounts
            if each.listed or each.why == ExceptionCode.OPENING_DOCUMENT
        ],
    }


def _settlements(entries: Sequence[LedgerSettlement]) -> list[Settled]:
    """The posted settlements of a document in order of date; a reversal is negative."""
    posted = [entry.settlement for entry in entries if entry.state is MoveState.POSTED]
    rows: list[Settled] = [
        {"date": each.date.isoformat(), "method": each.method.value, "amount": each.amount}
        for each in posted
    ]
    return sorted(rows, key=lambda each: (each["date"], each["method"], each["amount"]))


def _paid(move: LedgerMove, corrections: Sequence[LedgerMove]) -> int:
    """The settled amount of a document in the ledger, minor units; corrections change its total."""
    sign = move.document.kind.sign
    billed = sum(sign * each.document.kind.sign * each.document.total for each in corrections)
    # An unpaid older debt beside the document reduces nothing of it.
    return max(0, move.document.total + billed - residual_with(move, corrections))
