"""Odoo's entries and matchings, read as settlements.

An entry leaves open the kind of its document, the method among those that share its journal, and the
link of its partner. It is read in every possible way, and the reading with the stored hash is the
written one (`reading.as_written`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
LINKS = ("journal_id", "partner_id")
"""The links of both: of `ENTRY_FIELDS` and of `SIDE_FIELDS`."""
# Of the moves on both sides of a matching: documents; one may be a shared receipt, and the other the
# failure by which an allocation was undone.
SIDE_FIELDS = (
    "state", "move_type", "journal_id", "partner_id", "date", "ref", SOURCE_REF, DOCUMENT_REF,
)  # fmt: skip

Side = tuple[Row, Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """How much of an entry is matched with its document or beside it, minor units; for the rest the
    names of the other moves that it is matched with, and of those that settle its document instead.
    """

    amount: int = 0
    elsewhere: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


def ledger_settlement(
    ref: str, row: Row, lines: Sequence[Row], matched: Matched, lookups: Lookups
) -> LedgerSettlement:
    """The entry of a settlement with its lines."""
    stored = text(row[CONTENT_HASH])
    settlement = as_written(list(_readings(row, lines, lookups)), stored)
    state = STATES[row["state"]]
    sign = 1 if settlement.amount > 0 else -1
    if state is not MoveState.POSTED:
        # Odoo keeps the matchings of an entry that is put back to draft.
        matched = Matched()
    elif route(settlement.method, lookups.chart.settings).against is not None:
        matched = Matched(amount=abs(settlement.amount))
    return LedgerSettlement(
        ref=ref,
        move_id=str(row["id"]),
        state=state,
        settlement=settlement,
        reconciled=sign * matched.amount,
        stored_hash=stored,
        matched_with=matched.elsewhere,
        instead=matched.instead,
    )


def ledger_allocation(
    ref: str, row: Row, debit: Side, credit: Side, lookups: Lookups
) -> LedgerSettlement | None:
    """A matching of ours, read as an allocation; each side is (its line, its move).

    None where a side is not posted: Odoo keeps its matchings, and they settle nothing.
    """
    if any(STATES[move["state"]] is not MoveState.POSTED for _, move in (debit, credit)):
        return None
    stored = text(row[CONTENT_HASH])
    readings = [
        *_allocations(ref, row, debit, credit, Kind.INVOICE, lookups),
        *_allocations(ref, row, credit, debit, Kind.CREDIT_NOTE, lookups),
    ]
    settlement = as_written(readings, stored)
    return LedgerSettlement(
        ref=ref,
        move_id=str(row["id"]),
        state=MoveState.POSTED,
        settlement=settlement,
        reconciled=settlement.amount,
        stored_hash=stored,
    )


def _readings(row: Row, lines: Sequence[Row], lookups: Lookups) -> Iterator[Settlement]:
    """The possible readings of an entry, the most likely first."""
    currency = str(lines[0]["currency_id"][1]) if lines else ""
    for method in _methods(row, lines, lookups):
        path = route(method, lookups.chart.settings)
        taken = -sum(
            minor(line["amount_currency"], currency)
            for line in lines
            if _is_against(line, path, lookups)
        )
        kinds = list(Kind) if taken >= 0 else list(Kind)[::-1]
        for kind in kinds:
            for link in lookups.links.get(id_of(row["partner_id"]), ()) or ("",):
                yield Settlement(
                    ref=text(row[SOURCE_REF]) or "",
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


def _methods(row: Row, lines: Sequence[Row], lookups: Lookups) -> Sequence[Method]:
    """The methods of the journal; those whose accounts the entry has come first."""
    codes = {lookups.accounts.get(id_of(line["account_id"]), "") for line in lines}

    def missing_accounts(method: Method) -> int:
        path = route(method, lookups.chart.settings)
        own = {path.through.code, *([path.against.code] if path.against else [])}
        return len(own - codes)

    methods = lookups.journals.get(id_of(row["journal_id"]), ()) or (Method.PAYMENT,)
    return sorted(methods, key=missing_accounts)


def _is_against(line: Row, path: Route, lookups: Lookups) -> bool:
    if path.against is None:
        return bool(line["account_type"] == "asset_receivable")
    return lookups.accounts.get(id_of(line["account_id"])) == path.against.code


def _allocations(
    ref: str, row: Row, settled: Side, drawn: Side, kind: Kind, lookups: Lookups
) -> Iterator[Settlement]:
    """The possible readings of a matching as an allocation to the document on the settled side."""
    (line, document), (drawn_line, drawn_move) = settled, drawn
    currency = str(line["currency_id"][1])
    side = "debit" if kind is Kind.INVOICE else "credit"
    is_receipt = drawn_move["move_type"] == "entry"
    methods = lookups.journals.get(id_of(drawn_move["journal_id"]), ()) if is_receipt else ()
    receipt = abs(minor(drawn_line["amount_currency"], currency)) if is_receipt else None
    for method in methods or (Method.CREDIT_NOTE,):
        for link in lookups.links.get(id_of(document["partner_id"]), ()) or ("",):
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
