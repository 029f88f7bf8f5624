"""What only the real Odoo can show of a document's life; the rest is in test_ledger_life."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.connectors.failures import NotPrepared, Unreachable
from fcb_pipelines.connectors.odoo.action_code import MODULE
from fcb_pipelines.connectors.odoo.connection import Row
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import MoveState, PaymentState
from fcb_pipelines_tests.connectors.odoo.test_ledger import LosesAnswers
from fcb_pipelines_tests.documents import (
    SETTINGS,
    a_credit_note,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.ledgers import assert_settled, balances, residual, written

pytestmark = pytest.mark.odoo

MAY, JUNE = date(2026, 5, 4), date(2026, 6, 8)


@pytest.fixture
def books(odoo_ledger: OdooLedger) -> OdooLedger:
    """Prepared books with the usual partner."""
    odoo_ledger.upsert_partners([a_partner()])
    return odoo_ledger


def abroad(name: str = "in_1", net: int = 20000, **changes: object) -> LedgerDocument:
    """A document in US dollars."""
    return replace(an_invoice(name, a_line(net, currency="USD"), currency="USD"), **changes)  # type: ignore[arg-type]


def allocated(
    note: LedgerDocument, document: LedgerDocument, amount: int, name: str = "alloc"
) -> Settlement:
    """So much of a credit note, allocated to a document."""
    return a_settlement(
        document, amount, name=name, day=MAY, method=Method.CREDIT_NOTE, drawn_on=note.ref
    )


def failed(payment: Settlement) -> Settlement:
    """The failure of a payment, in June."""
    method, ref = Method.PAYMENT_FAILURE, f"{payment.ref}:failure"
    return replace(
        payment, ref=ref, method=method, date=JUNE, amount=-payment.amount, undoes=payment.ref
    )


def receivable(books: OdooLedger, *documents: LedgerDocument) -> list[Row]:
    """The receivable lines of these documents."""
    refs = [document.ref for document in documents]
    return books.connection.rows(
        "account.move.line",
        [("move_id.x_fc_source_ref", "in", refs), ("account_type", "=", "asset_receivable")],
        ["amount_residual", "amount_residual_currency", "balance", "reconciled", "move_id"],
    )


def exchange_entries(books: OdooLedger) -> list[Row]:
    """Odoo's own entries of exchange differences, reversals of them included."""
    return books.connection.rows(
        "account.move",
        [("move_type", "=", "entry"), ("journal_id.code", "=", "EXCH")],
        ["date", "state", "x_fc_source_ref", "line_ids"],
    )


# --- setup ------------------------------------------------------------------------------------


def test_books_of_an_older_version_get_the_fields_that_are_new(books: OdooLedger) -> None:
    odoo = books.connection
    newer = [("model", "=", "account.partial.reconcile"), ("name", "=like", "x_fc_%")]
    odoo.call(
        "ir.model.fields",
        "unlink",
        [row["id"] for row in odoo.rows("ir.model.fields", newer, ["id"])],
    )
    fresh = OdooLedger(odoo, SETTINGS)
    assert {part.what for part in fresh.describe().missing} == {"field"}
    made = {step.name for step in fresh.setup() if step.outcome == "made"}
    assert "account.partial.reconcile.x_fc_source_ref" in made
    assert fresh.describe().missing == ()


# --- currencies -------------------------------------------------------------------------------


def test_setup_activates_the_configured_currencies(books: OdooLedger) -> None:
    steps = {step.name: step.outcome for step in books.setup(dry_run=True)}
    assert {name: steps.get(name) for name in SETTINGS.currencies} == dict.fromkeys(
        SETTINGS.currencies, "found"
    )
    odoo = books.connection
    (yen,) = odoo.rows("res.currency", [("name", "=", "JPY")], ["id"])
    odoo.call("res.currency", "write", [yen["id"]], {"active": False})
    described = books.describe()
    assert "JPY" not in described.currencies
    assert [(part.name, part.remedy) for part in described.missing] == [("JPY", "fcb ledger setup")]
    made = [step.name for step in books.setup() if step.outcome == "made"]
    assert made == ["JPY"]
    assert "JPY" in books.describe().currencies


def test_a_currency_without_a_rate_is_never_taken_one_for_one(books: OdooLedger) -> None:
    odoo = books.connection
    assert dict(books.describe().rates_since)["USD"] == date(2020, 1, 1)
    with pytest.raises(NotPrepared, match="no rate of USD on 2019-12-31"):
        books.write_drafts([abroad(date=date(2019, 12, 31))])
    rates = odoo.rows("res.currency.rate", [("currency_id.name", "=", "USD")], ["id"])
    odoo.call("res.currency.rate", "unlink", [row["id"] for row in rates])
    described = books.describe()
    assert "USD" not in described.currencies
    assert "USD" not in dict(described.rates_since)
    assert {"CAD", "EUR", "JPY", "KWD"} <= set(described.currencies)
    # Documents in it are held; the rest goes on.
    assert [(part.name, part.taxes) for part in described.missing] == [("rates of USD", ())]
    with pytest.raises(NotPrepared, match="does not hold USD"):
        books.write_drafts([abroad()])
    assert books.read_moves() == ()


def test_an_exchange_difference_is_odoo_s_own_entry_and_leaves_nothing_open(
    books: OdooLedger,
) -> None:
    document = abroad()
    written(books, document)
    parts = [
        a_settlement(document, 7000, name="a", day=MAY),
        a_settlement(document, 15600, day=JUNE),
    ]
    books.settle(parts)
    (line,) = receivable(books, document)
    assert (line["amount_residual"], line["amount_residual_currency"]) == (0, 0)
    assert line["reconciled"]
    entries = exchange_entries(books)
    assert len(entries) == 2
    assert {row["state"] for row in entries} == {"posted"}
    assert {row["x_fc_source_ref"] for row in entries} == {False}
    assert balances(books) == expected_balances([document], parts)


@pytest.mark.parametrize("which", [0, 1])
def test_a_failed_payment_gives_back_its_own_exchange_difference_only(
    books: OdooLedger, which: int
) -> None:
    document = abroad()
    written(books, document)
    (before,) = receivable(books, document)
    # The first comes at the invoice's own rate and has no exchange difference.
    parts = [
        a_settlement(document, 7000, name="a"),
        a_settlement(document, 15600, name="b", day=MAY),
    ]
    books.settle(parts)
    assert len(exchange_entries(books)) == 1
    failure = failed(parts[which])
    books.settle([failure])
    for settlement in (*parts, failure):
        assert_settled(books, settlement)
    (line,) = receivable(books, document)
    share = parts[which].amount / document.total
    assert round(line["amount_residual_currency"] * 100) == parts[which].amount
    assert line["amount_residual"] == pytest.approx(before["balance"] * share, abs=0.011)


@pytest.mark.parametrize("amount", [1234, 5650])
def test_an_allocation_keeps_both_sides_in_proportion(books: OdooLedger, amount: int) -> None:
    document = abroad()
    note = replace(abroad("cn_1", 5000), kind=Kind.CREDIT_NOTE, date=MAY, stripe_invoice_id=None)
    written(books, document, note)
    books.settle([allocated(note, document, amount)])
    for line, whole in zip(receivable(books, document, note), (document, note), strict=True):
        left = (whole.total - amount) / whole.total
        assert line["amount_residual"] == pytest.approx(line["balance"] * left, abs=0.011)
        assert round(abs(line["amount_residual_currency"]) * 100) == whole.total - amount
    (entry,) = exchange_entries(books)
    assert entry["date"] >= str(MAY)


def test_an_exchange_difference_is_not_put_into_a_locked_period(
    books: OdooLedger, odoo_lock: Callable[[date], None]
) -> None:
    document = abroad()
    note = replace(abroad("cn_1", 5000), kind=Kind.CREDIT_NOTE, date=MAY, stripe_invoice_id=None)
    written(books, document, note)
    odoo_lock(date(2026, 5, 31))
    allocation = allocated(note, document, 1234)
    books.settle([allocation])
    assert_settled(books, allocation)
    (entry,) = exchange_entries(books)
    assert entry["date"] > "2026-05-31"


# --- allocations and credit notes -------------------------------------------------------------


def test_an_allocation_is_a_matching_that_carries_its_own_id(books: OdooLedger) -> None:
    document, note = an_invoice(), a_credit_note("cn_1", a_line(5000), day=MAY)
    written(books, document, note)
    books.settle([allocated(note, document, 1000)])
    odoo = books.connection
    assert odoo.rows("account.payment", [], ["id"]) == []
    assert odoo.rows("account.move", [("move_type", "=", "entry")], ["id"]) == []
    ours = [("module", "=", MODULE), ("model", "=", "account.partial.reconcile")]
    (external,) = odoo.rows("ir.model.data", ours, ["res_id"])
    matchings = odoo.rows("account.partial.reconcile", [], ["amount", "x_fc_source_ref"])
    assert [(row["id"], row["amount"]) for row in matchings] == [(external["res_id"], 10.0)]
    # A person unreconciles the invoice: the matching goes, and its external id with it.
    odoo.call("account.move.line", "remove_move_reconcile", [receivable(books, document)[0]["id"]])
    assert odoo.rows("ir.model.data", ours, ["res_id"]) == []
    assert books.read_settlements() == ()


def test_an_allocation_of_more_than_other_allocations_leave_is_not_made(books: OdooLedger) -> None:
    document, note = an_invoice(), a_credit_note("cn_1", a_line(5000), day=MAY)
    other = an_invoice("in_2")
    written(books, document, note, other)
    first, fitting = allocated(note, other, 5000), a_settlement(document, 100)
    books.settle([first])
    too_much = allocated(note, document, 651, name="second")
    assert books.settle([too_much, fitting]) == books.read_settlements([fitting.ref])
    assert residual(books, note) == 650
    assert residual(books, document) == document.total - 100


def test_a_note_names_what_it_reverses_once_both_are_posted(books: OdooLedger) -> None:
    document = an_invoice()
    note = replace(a_credit_note("cn_1", a_line(5000), day=MAY), reverses=document.ref)
    early = replace(a_credit_note("cn_2", a_line(500), day=MAY), reverses=document.ref)
    stranger = replace(a_credit_note("cn_3", a_line(500), day=MAY), reverses="stripe:x:in_none")

    def reverses() -> dict[str, str | None]:
        rows = books.connection.rows(
            "account.move", [("move_type", "=", "out_refund")], ["ref", "reversed_entry_id"]
        )
        return {
            row["ref"]: row["reversed_entry_id"] and row["reversed_entry_id"][0] for row in rows
        }

    written(books, early)
    books.write_drafts([document, note, stranger])
    assert set(reverses().values()) == {False}
    moves = books.post([document.ref, note.ref, stranger.ref])
    move = int(moves[0].move_id)
    assert reverses() == {"NC-cn_1": move, "NC-cn_2": move, "NC-cn_3": False}
    assert residual(books, document) == document.total
    assert books.connection.rows("account.partial.reconcile", [], ["id"]) == []


def test_a_note_credited_to_the_balance_is_paid_though_odoo_says_reversed(
    books: OdooLedger,
) -> None:
    note = a_credit_note("cn_1", a_line(5000))
    written(books, note)
    books.settle([a_settlement(note, method=Method.CUSTOMER_BALANCE)])
    (row,) = books.connection.rows("account.move", [("ref", "=", "NC-cn_1")], ["payment_state"])
    assert row["payment_state"] == "reversed"
    assert books.read_moves()[0].payment_state is PaymentState.PAID


# --- entries ----------------------------------------------------------------------------------


def test_money_for_the_receivable_is_a_payment_and_all_else_an_entry(books: OdooLedger) -> None:
    document = an_invoice()
    written(books, document)
    payment = a_settlement(document)
    books.settle(
        [
            payment,
            failed(payment),
            a_settlement(document, -100, name="re_1", method=Method.REFUND),
            a_settlement(document, -100, name="dp_1", method=Method.CHARGEBACK),
            a_settlement(document, 600, name="loss", method=Method.WRITE_OFF),
        ]
    )
    payments = books.connection.rows("account.payment", [], ["payment_type", "partner_type"])
    assert sorted((row["payment_type"], row["partner_type"]) for row in payments) == [
        ("inbound", "customer"),
        ("outbound", "customer"),
    ]
    entries = books.connection.rows(
        "account.move",
        [("move_type", "=", "entry"), ("origin_payment_id", "=", False)],
        ["journal_id", "state"],
    )
    assert {row["state"] for row in entries} == {"posted"}
    assert sorted(row["journal_id"][1].split(" (")[0] for row in entries) == [
        "NexaCloud Adjustments",
        "NexaCloud Stripe",
        "NexaCloud Stripe",
    ]


def test_a_receipt_that_a_person_cancelled_is_not_drawn_on(books: OdooLedger) -> None:
    april, may = an_invoice("in_1"), an_invoice("in_2", day=MAY)
    written(books, april, may)
    receipt = "stripe:acct_nexacloud:pi_1"
    parts = [
        a_settlement(april, 300, name="share_1", drawn_on=receipt, receipt=1000),
        a_settlement(may, 400, name="share_2", drawn_on=receipt, receipt=1000),
    ]
    books.settle(parts[:1])
    odoo = books.connection
    (payment,) = odoo.rows("account.payment", [], ["id"])
    odoo.call("account.payment", "action_draft", [payment["id"]])
    odoo.call("account.payment", "action_cancel", [payment["id"]])
    assert books.read_settlements() == ()
    with pytest.raises(NotPrepared, match="canceled"):
        books.settle(parts[1:])
    assert residual(books, april) == april.total


def test_settling_again_never_touches_what_a_person_matched(books: OdooLedger) -> None:
    """The excess of a failed payment was used by a person on another invoice: that stays.

    What of the failure finds nothing to be matched with is owed, beside the document.
    """
    document, other = an_invoice("in_1"), an_invoice("in_2", a_line(500))
    written(books, document, other)
    payment = a_settlement(document, document.total + other.total)
    books.settle([payment])
    lines = receivable(books, other)
    (credit,) = books.connection.rows(
        "account.move.line",
        [("move_id.x_fc_source_ref", "=", payment.ref), ("account_type", "=", "asset_receivable")],
        ["id"],
    )
    books.connection.call("account.move.line", "reconcile", [lines[0]["id"], credit["id"]])
    assert residual(books, other) == 0
    books.settle([failed(payment)])
    assert residual(books, other) == 0
    assert residual(books, document) == document.total + other.total
    assert_settled(books, failed(payment), reconciled=-document.total)


# --- the whole --------------------------------------------------------------------------------


def a_life() -> tuple[list[LedgerDocument], list[Settlement]]:
    """A few documents and a settlement of each sort."""
    document, other = an_invoice("in_1"), an_invoice("in_2", day=MAY)
    note = a_credit_note("cn_1", a_line(5000), day=MAY)
    payment = a_settlement(document, 9000, name="inpay_1")
    receipt = "stripe:acct_nexacloud:pi_1"
    settlements = [
        payment,
        failed(payment),
        allocated(note, document, 1000),
        a_settlement(note, 500, name="re_1"),
        a_settlement(document, 300, name="share_1", drawn_on=receipt, receipt=1000),
        a_settlement(other, 400, name="share_2", drawn_on=receipt, receipt=1000),
    ]
    return [document, other, note], settlements


def test_a_bookkeeper_without_settings_rights_can_do_all_of_it(books: OdooLedger) -> None:
    odoo = books.connection
    groups = [
        odoo.call("ir.model.data", "check_object_reference", "base", "group_user")[1],
        odoo.call("ir.model.data", "check_object_reference", "base", "group_partner_manager")[1],
        odoo.call("ir.model.data", "check_object_reference", "account", "group_account_invoice")[1],
    ]
    user = {"name": "Robot", "login": "robot", "password": "robot-1", "group_ids": [[6, 0, groups]]}
    odoo.call("res.users", "create", [user])
    access = type(odoo)(odoo.url, odoo.database, "robot", "robot-1")
    robot = OdooLedger(access, SETTINGS)
    documents, settlements = a_life()
    currency = abroad("in_9")
    written(robot, *documents, currency)
    settlements += [a_settlement(currency, 600, name="usd", day=MAY)]
    robot.settle(settlements)
    for settlement in settlements:
        assert_settled(robot, settlement)
    assert robot.describe() == books.describe()
    assert balances(robot) == expected_balances([*documents, currency], settlements)


def test_a_lost_answer_doubles_no_allocation(books: OdooLedger) -> None:
    odoo = books.connection
    documents, settlements = a_life()
    written(books, *documents)
    flaky = LosesAnswers(odoo.url, odoo.database, "admin", "admin")
    flaky.lost = 1
    with pytest.raises(Unreachable):
        OdooLedger(flaky, SETTINGS).settle(settlements)
    books.settle(settlements)
    for settlement in settlements:
        assert_settled(books, settlement)
    assert len(odoo.rows("account.payment", [], ["id"])) == 4
    assert balances(books) == expected_balances(documents, settlements)
    assert {move.state for move in books.read_moves()} == {MoveState.POSTED}


def test_allocations_cost_a_constant_number_of_calls(books: OdooLedger) -> None:
    def calls(*names: str) -> int:
        documents = [an_invoice(f"in_{name}") for name in names]
        notes = [a_credit_note(f"cn_{name}", a_line(5000), day=MAY) for name in names]
        written(books, *documents, *notes)
        receipt = f"stripe:acct_nexacloud:pi_{names[0]}"
        settlements = [
            each
            for name, document, note in zip(names, documents, notes, strict=True)
            for each in (
                replace(allocated(note, document, 1000), ref=f"stripe:acct_nexacloud:al_{name}"),
                a_settlement(document, 30, name=f"sh_{name}", drawn_on=receipt, receipt=90000),
                a_settlement(document, 5, name=f"pay_{name}"),
            )
        ]
        before = books.connection.calls
        books.settle(settlements)
        return books.connection.calls - before

    one = calls("0")
    assert calls(*(str(number) for number in range(1, 9))) <= one
