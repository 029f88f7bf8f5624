"""One plan a batch in the real Odoo, and what a person does to its matchings afterwards."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.connectors.odoo.connection import Row
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerSettlement, LedgerState
from fcb_pipelines.core.proof.deltas import ledger_deltas
from fcb_pipelines_tests.documents import (
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.ledgers import balances, written

pytestmark = pytest.mark.odoo

MAY = date(2026, 5, 4)


@pytest.fixture
def books(odoo_ledger: OdooLedger) -> OdooLedger:
    """Prepared books with the usual partner."""
    odoo_ledger.upsert_partners([a_partner()])
    return odoo_ledger


def receivable(books: OdooLedger, ref: str) -> Row:
    """The receivable line of a document or of a settlement's entry."""
    (row,) = books.connection.rows(
        "account.move.line",
        [("move_id.x_fc_source_ref", "=", ref), ("account_type", "=", "asset_receivable")],
        ["move_id", "move_name", "partner_id", "account_id", "amount_residual"],
    )
    return row


def unmatch(books: OdooLedger, *refs: str) -> None:
    """A person undoes the matchings of these entries."""
    ids = [receivable(books, ref)["id"] for ref in refs]
    books.connection.call("account.move.line", "remove_move_reconcile", ids)


def pair(books: OdooLedger, one: int, other: int) -> None:
    """A person matches two lines."""
    books.connection.call("account.move.line", "reconcile", [one, other])


def paid_by_hand(books: OdooLedger, document: LedgerDocument) -> str:
    """A person enters a payment of a document; its number."""
    owed = receivable(books, document.ref)
    context = {"active_model": "account.move", "active_ids": [owed["move_id"][0]]}
    wizard = books.connection.call(
        "account.payment.register", "create", {"payment_date": "2026-05-20"}, context=context
    )
    books.connection.call(
        "account.payment.register", "action_create_payments", [wizard], context=context
    )
    (made,) = books.connection.rows(
        "account.move.line",
        [("account_type", "=", "asset_receivable"), ("move_id.x_fc_source_ref", "=", False),
         ("parent_state", "=", "posted")],
        ["move_name"],
    )  # fmt: skip
    return str(made["move_name"])


def standing(books: OdooLedger, *refs: str) -> dict[str, LedgerState]:
    """The ledger as a run reads it."""
    moves = {move.ref: LedgerState(ref=move.ref, move=move) for move in books.read_moves(refs)}
    entries = books.read_settlements((), of=refs)
    return moves | {each.ref: LedgerState(ref=each.ref, settlement=each) for each in entries}


def told(
    books: OdooLedger, documents: Sequence[LedgerDocument], payments: Sequence[Settlement]
) -> dict[str, str | None]:
    """Settlement -> how its matching differs."""
    now = standing(books, *(document.ref for document in documents))
    rows = ledger_deltas(documents, payments, now)
    assert {row.field for row in rows} <= {"settlement.reconciled"}
    return {row.entry: row.actual for row in rows}


def entry(books: OdooLedger, payment: Settlement) -> LedgerSettlement:
    """A settlement as it is read back."""
    (found,) = books.read_settlements([payment.ref])
    return found


def test_a_batch_is_one_plan_in_which_each_payment_meets_its_own_document(
    books: OdooLedger,
) -> None:
    # Of one partner, with equal amounts, in two currencies, later payments first.
    own = [an_invoice(f"in_{n}", a_line(20000 + n % 3)) for n in range(6)]
    abroad = [
        an_invoice(f"us_{n}", a_line(10000, currency="USD"), currency="USD") for n in range(4)
    ]
    documents = [*own, *abroad]
    written(books, *documents)
    payments = [a_settlement(document, day=MAY) for document in documents[2:]][::-1]
    halves = [
        a_settlement(document, amount, name=f"half_{name}_{part}", day=MAY)
        for name, document in (("own", own[0]), ("us", abroad[0]))
        for part, amount in enumerate((document.total // 2, document.total - document.total // 2))
    ]
    payments = [each for each in payments if each.document != abroad[0].ref]
    payments += [a_settlement(own[1], 5000, name="first", day=MAY), *halves]
    books.settle(payments)
    for payment in payments:
        assert entry(books, payment).reconciled == payment.amount, payment.ref
        assert entry(books, payment).settlement.document == payment.document
    open_ = {move.ref: move.residual for move in books.read_moves([d.ref for d in documents])}
    assert open_ == {d.ref: 0 for d in documents} | {own[1].ref: own[1].total - 5000}
    assert balances(books) == expected_balances(documents, payments)
    # The rate of May is another: each document abroad has the differences of its own payments.
    rows = books.connection.rows(
        "account.partial.reconcile",
        [("exchange_move_id", "!=", False)],
        ["debit_move_id", "exchange_move_id"],
    )
    named = {row["debit_move_id"][0] for row in rows}
    assert named == {receivable(books, document.ref)["id"] for document in abroad}
    assert len({row["exchange_move_id"][0] for row in rows}) == len(rows)


def test_an_invoice_that_was_paid_again_by_hand_is_told_with_both_moves(
    books: OdooLedger,
) -> None:
    invoice = an_invoice()
    payment = a_settlement(invoice)
    written(books, invoice)
    books.settle([payment])
    assert told(books, [invoice], [payment]) == {}
    unmatch(books, payment.ref)
    by_hand = paid_by_hand(books, invoice)
    assert told(books, [invoice], [payment]) == {payment.ref: f"no: its document with {by_hand}"}


def test_a_payment_that_a_person_puts_back_to_draft_is_told_though_odoo_calls_its_invoice_paid(
    books: OdooLedger,
) -> None:
    invoice = an_invoice()
    payment = a_settlement(invoice)
    written(books, invoice)
    books.settle([payment])
    (row,) = books.connection.rows("account.payment", [("memo", "=", payment.memo)], ["id"])
    books.connection.call("account.payment", "action_draft", [row["id"]])
    assert receivable(books, invoice.ref)["amount_residual"] == 0
    assert entry(books, payment).reconciled == 0
    assert told(books, [invoice], [payment]) == {payment.ref: "no: it is draft"}


def test_payments_that_a_person_swapped_are_both_told(books: OdooLedger) -> None:
    first, second = an_invoice("in_1"), an_invoice("in_2")
    payments = [a_settlement(first), a_settlement(second)]
    written(books, first, second)
    books.settle(payments)
    unmatch(books, *(payment.ref for payment in payments))
    lines = {ref: receivable(books, ref) for ref in (first.ref, second.ref)}
    lines |= {payment.ref: receivable(books, payment.ref) for payment in payments}
    for payment, document in zip(payments, (second, first), strict=True):
        pair(books, lines[payment.ref]["id"], lines[document.ref]["id"])
    for payment in payments:
        beside = {each.document: each.ref for each in payments}
        (other,) = {first.ref, second.ref} - {payment.document}
        assert told(books, [first, second], payments)[payment.ref] == (
            f"no: it is matched with {lines[other]['move_name']}, "
            f"its document with {lines[beside[other]]['move_name']}"
        )


def test_a_payment_beyond_what_is_open_stays_the_customer_s_credit_and_is_no_edit(
    books: OdooLedger,
) -> None:
    invoice = an_invoice()
    payments = [a_settlement(invoice, name="once"), a_settlement(invoice, name="twice", day=MAY)]
    written(books, invoice)
    books.settle(payments)
    assert told(books, [invoice], payments) == {}


@pytest.mark.parametrize("state", ["draft", "posted"])
def test_a_source_reference_that_a_person_cleared_is_told(books: OdooLedger, state: str) -> None:
    invoice = an_invoice()
    books.write_drafts([invoice])
    if state == "posted":
        books.post([invoice.ref])
    move = receivable(books, invoice.ref)["move_id"][0]
    books.connection.call("account.move", "write", [move], {"x_fc_source_ref": False})
    now = standing(books, invoice.ref)
    found = now[invoice.ref].move
    assert found is not None
    assert found.document == replace(found.document, ref="")
    (row,) = ledger_deltas([invoice], [], now)
    assert (row.field, row.expected, row.actual, row.code) == (
        "ref", invoice.ref, "", "edited_in_ledger",
    )  # fmt: skip
