"""Odoo's entries and matchings told as settlements.

An entry does not say in so many words which kind of document it settles, by which of the methods
that share its journal, nor which of a partner's links was meant. It is told in every way, and the
telling that has the hash kept with it is the one that was written (`odoo_reading`).
"""

from collections.abc import Iterator, Sequence
from datetime import date

from fcb_pipelines.connectors.odoo.connection import Row
from fcb_pipelines.connectors.odoo.fields import CONTENT_HASH, DOCUMENT_REF, SOURCE_REF
from fcb_pipelines.connectors.odoo.reading import STATES, Lookups, as_written, id_of, minor, text
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerSettlement, MoveState
from fcb_pipelines.core.settlements.routes import Route, route

ENTRY_FIELDS = (
    "state", "ref", "date", "journal_id", "partner_id", SOURCE_REF, DOCUMENT_REF, "x_fc_undoes",
    CONTENT_HASH,
)  # fmt: skip
# Of both sides of a matching: documents or, for one of them, a shared receipt; for the other a failure
# beside its document, where the allocation was undone.
SIDE_FIELDS = (
    "move_type", "journal_id", "partner_id", "date", "ref", SOURCE_REF, DOCUMENT_REF,
)  # fmt: skip

Side = tuple[Row, Row]


def standing_settlement(
    ref: str, row: Row, lines: Sequence[Row], matched: int, around: Lookups
) -> LedgerSettlement:
    """The entry of a settlement with its lines; `matched` minor units of it are."""
    stored = text(row[CONTENT_HASH])
    settlement = as_written(list(_tellings(ref, row, lines, around)), stored)
    state = STATES[row["state"]]
    sign = 1 if settlement.amount > 0 else -1
    if route(settlement.method, around.chart.settings).against is not None:
        matched = abs(settlement.amount) if state is MoveState.POSTED else 0
    return LedgerSettlement(
        ref=ref,
        move_id=str(row["id"]),
        state=state,
        settlement=settlement,
        reconciled=sign * matched,
        stored_hash=stored,
    )


def standing_allocation(
    ref: str, row: Row, debit: Side, credit: Side, around: Lookups
) -> LedgerSettlement:
    """A matching of ours as the allocation that it is; each side is (its line, its move)."""
    stored = text(row[CONTENT_HASH])
    told = [
        *_allocations(ref, row, debit, credit, Kind.INVOICE, around),
        *_allocations(ref, row, credit, debit, Kind.CREDIT_NOTE, around),
    ]
    settlement = as_written(told, stored)
    return LedgerSettlement(
        ref=ref,
        move_id=str(row["id"]),
        state=MoveState.POSTED,
        settlement=settlement,
        reconciled=settlement.amount,
        stored_hash=stored,
    )


def _tellings(ref: str, row: Row, lines: Sequence[Row], around: Lookups) -> Iterator[Settlement]:
    """The ways to tell an entry, the plainest first."""
    currency = str(lines[0]["currency_id"][1]) if lines else ""
    for method in _methods(row, lines, around):
        path = route(method, around.chart.settings)
        taken = -sum(
            minor(line["amount_currency"], currency)
            for line in lines
            if _is_against(line, path, around)
        )
        kinds = list(Kind) if taken >= 0 else list(Kind)[::-1]
        for kind in kinds:
            for link in around.links.get(id_of(row["partner_id"]), ()) or ("",):
                yield Settlement(
                    ref=ref,
                    document=text(row[DOCUMENT_REF]) or "",
                    kind=kind,
                    partner=link,
                    method=method,
                    date=date.fromisoformat(row["date"]),
                    amount=kind.sign * taken,
                    currency=currency,
                    memo=text(row["ref"]) or "",
                    undoes=text(row["x_fc_undoes"]),
                )


def _methods(row: Row, lines: Sequence[Row], around: Lookups) -> Sequence[Method]:
    """The methods of the journal, those first whose accounts the entry has."""
    codes = {around.accounts.get(id_of(line["account_id"]), "") for line in lines}

    def strangers(method: Method) -> int:
        path = route(method, around.chart.settings)
        own = {path.through.code, *([path.against.code] if path.against else [])}
        return len(own - codes)

    methods = around.journals.get(id_of(row["journal_id"]), ()) or (Method.PAYMENT,)
    return sorted(methods, key=strangers)


def _is_against(line: Row, path: Route, around: Lookups) -> bool:
    if path.against is None:
        return bool(line["account_type"] == "asset_receivable")
    return around.accounts.get(id_of(line["account_id"])) == path.against.code


def _allocations(
    ref: str, row: Row, settled: Side, drawn: Side, kind: Kind, around: Lookups
) -> Iterator[Settlement]:
    """The ways to tell a matching as an allocation to the document on the settled side."""
    (line, document), (drawn_line, drawn_move) = settled, drawn
    currency = str(line["currency_id"][1])
    side = "debit" if kind is Kind.INVOICE else "credit"
    is_receipt = drawn_move["move_type"] == "entry"
    methods = around.journals.get(id_of(drawn_move["journal_id"]), ()) if is_receipt else ()
    receipt = abs(minor(drawn_line["amount_currency"], currency)) if is_receipt else None
    for method in methods or (Method.CREDIT_NOTE,):
        for link in around.links.get(id_of(document["partner_id"]), ()) or ("",):
            yield Settlement(
                ref=ref,
                document=text(document[DOCUMENT_REF]) or text(document[SOURCE_REF]) or "",
                kind=kind,
                partner=link,
                method=method,
                date=date.fromisoformat(text(row["x_fc_date"]) or drawn_move["date"]),
                amount=minor(row[f"{side}_amount_currency"], currency),
                currency=currency,
                memo=text(row["x_fc_memo"]) or "",
                drawn_on=text(drawn_move[SOURCE_REF]),
                receipt=receipt,
            )
