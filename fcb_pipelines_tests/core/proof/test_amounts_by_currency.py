"""An amount counts in its own currency: the source's in the one it names now, the books' in that of the move."""

from dataclasses import replace

import pytest

from fcb_pipelines.core.agreement.compare import Agreement, AgreementRow
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.dispositions.cases import decided
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement
from fcb_pipelines.core.proof.amount_rows import AmountRow, nothing_is_lost, totals
from fcb_pipelines.core.proof.amounts import AmountInputs, amounts
from fcb_pipelines.core.proof.delta import LedgerDelta, delta_of
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.core.proof.receivable import receivable, receivable_gate
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    LAST_PERIOD,
    a_case,
    a_move,
    a_settlement,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
    stands,
)

INVOICE = an_invoice()
MOVE = a_move(document_of(a_case()))
(PAID,) = settlements_of(a_case())
IN_DOLLARS = replace(INVOICE, currency="USD", settlements=())


def changed(entry: str, field: str, code: str) -> LedgerDelta:
    row = AgreementRow(
        ref=INVOICE.ref, other_ref=entry, field=field, kind=Agreement.DIFFERS, expected="USD",
        actual="CAD", difference=None, policy="",
    )  # fmt: skip
    return delta_of(INVOICE.ref, entry, row, code, "USD")


def rows_of(
    facts: InvoiceFacts,
    move: LedgerMove,
    *deltas: LedgerDelta,
    entries: tuple[LedgerSettlement, ...] = (),
) -> tuple[AmountRow, ...]:
    now = {move.ref: stands(move, seen=move.state)}
    cases = [replace(a_case(facts), ledger_state=now[move.ref])]
    rows = decided(cases, (), (), now, SETTINGS, BOOKS, LAST_PERIOD)
    return amounts(
        AmountInputs(
            facts=[facts], dispositions=rows, deltas=deltas, moves=[move], settlements=entries,
            settings=SETTINGS,
        )
    )  # fmt: skip


def shown(rows: tuple[AmountRow, ...], measure: str) -> set[tuple[str, int, int, int, str | None]]:
    return {
        (row.currency, row.source, row.posted, row.listed, row.why)
        for row in rows
        if row.measure == measure
    }


def test_a_document_whose_currency_changed_at_its_source_is_posted_in_the_books_and_listed_in_both() -> (
    None
):
    rows = rows_of(IN_DOLLARS, MOVE, changed(INVOICE.ref, "currency", "source_changed"))
    assert shown(rows, "revenue") == {
        ("USD", 20000, 0, 20000, "source_changed"),
        ("CAD", 0, 20000, -20000, "source_changed"),
    }
    assert shown(rows, "tax") == {
        ("USD", 2600, 0, 2600, "source_changed"),
        ("CAD", 0, 2600, -2600, "source_changed"),
    }
    assert nothing_is_lost(rows).outcome is Outcome.WARN
    found = totals(rows)
    assert found["CAD"]["revenue"]["posted"] == 20000
    assert found["USD"]["revenue"]["posted"] == 0


@pytest.mark.parametrize("method", [Method.PAYMENT, Method.REFUND, Method.CHARGEBACK])
def test_cash_in_another_currency_than_its_document_is_listed_in_its_own(method: Method) -> None:
    dollars = a_settlement(INVOICE.ref, 8300, "usd", currency="USD", method=method)
    facts = replace(INVOICE, settlements=(*INVOICE.settlements, dollars))
    rows = rows_of(facts, MOVE, entries=(an_entry(PAID),))
    assert shown(rows, "cash") == {
        ("CAD", 22600, 22600, 0, None),
        ("USD", 8300, 0, 8300, "settlement_unsupported"),
    }
    assert nothing_is_lost(rows).outcome is Outcome.WARN


def test_a_booked_payment_whose_currency_changed_at_its_source_counts_in_both() -> None:
    facts = replace(INVOICE, settlements=(a_settlement(INVOICE.ref, 22600, currency="USD"),))
    taken_back = changed(PAID.ref, "settlement.amount", "settlement_taken_back")
    rows = rows_of(facts, MOVE, taken_back, entries=(an_entry(PAID),))
    assert {(c, s, p, listed) for c, s, p, listed, _ in shown(rows, "cash")} == {
        ("USD", 22600, 0, 22600),
        ("CAD", 0, 22600, -22600),
    }


def test_the_receivable_of_a_changed_currency_ties_out_in_neither() -> None:
    [row] = decided([a_case(IN_DOLLARS)], (), (), {}, SETTINGS, BOOKS, LAST_PERIOD)
    rows = receivable([row], [replace(MOVE, residual=22600)], {})
    assert {(each.currency, each.source, each.ledger) for each in rows} == {
        ("USD", 22600, 0),
        ("CAD", 0, 22600),
    }
    assert receivable_gate(rows, ()).outcome is Outcome.FAIL
