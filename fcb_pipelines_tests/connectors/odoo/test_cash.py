"""What only the real Odoo can show of cash; what every ledger must do is in test_cash_contract."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.connectors.failures import EntriesRefused, NotAllowed, NotPrepared
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.cash import CashEntry, CashStatement
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines_tests.cash_entries import (
    BALANCES,
    CASH_SETTINGS,
    FEE_TAX,
    OUTSTANDING,
    PENDING,
    a_cash_entry,
    a_cash_line,
    a_charge,
    a_payout,
    a_statement,
    cash_ref,
    fees,
)
from fcb_pipelines_tests.documents import (
    DAY,
    SETTINGS,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
)
from fcb_pipelines_tests.odoo_server import OdooBooks

pytestmark = pytest.mark.odoo

JOURNAL = SETTINGS.journals.stripe.code


@pytest.fixture
def ledger(cash_books: OdooBooks) -> OdooLedger:
    """The adapter over books that hold cash, with the usual partner."""
    found = OdooLedger(cash_books.connection(), CASH_SETTINGS)
    found.upsert_partners([a_partner()])
    return found


def bank_lines(books: OdooBooks, *fields: str) -> list[dict[str, Any]]:
    """The bank statement lines, first in their own order."""
    found: list[dict[str, Any]] = books.do(
        "account.bank.statement.line",
        "search_read",
        [],
        fields=list(fields),
        order="internal_index",
    )
    return found


def the_move(books: OdooBooks, entry: CashEntry) -> int:
    """The id of an entry's move."""
    (move,) = books.do("account.move", "search", [("x_fc_source_ref", "=", entry.ref)])
    return int(move)


# --- setup ------------------------------------------------------------------------------------


def cash_parts(ledger: OdooLedger) -> set[str]:
    """The kinds of the missing parts that cash alone needs."""
    return {part.what for part in ledger.describe().missing if part.cash}


def test_books_of_before_go_on_with_cash_off_and_need_setup_with_cash_on(
    odoo_ledger: OdooLedger,
) -> None:
    assert odoo_ledger.describe().missing == ()
    with pytest.raises(NotPrepared, match="cash is off"):
        odoo_ledger.read_cash()
    with_cash = OdooLedger(odoo_ledger.connection, CASH_SETTINGS)
    missing = with_cash.describe().missing
    assert all(part.cash and part.taxes == () and part.is_needed for part in missing)
    assert cash_parts(with_cash) == {"account", "journal", "bank account", "field", "right"}
    # Everything else is written all the same.
    with_cash.upsert_partners([a_partner()])
    with_cash.write_drafts([an_invoice()])
    with pytest.raises(NotPrepared, match=r"field account\.move\.x_fc_date"):
        with_cash.write_cash([a_cash_entry("txn_1", a_cash_line(-1))])


def changed(settings: Settings, code: str) -> Settings:
    """The same, with another account for the balance in the company's currency."""
    cash = settings.cash
    assert cash is not None
    account = cash.accounts.balance.model_copy(update={"code": code})
    accounts = cash.accounts.model_copy(update={"balance": account})
    return settings.model_copy(update={"cash": cash.model_copy(update={"accounts": accounts})})


def test_the_bank_account_of_a_journal_is_set_where_nothing_was_booked_on_another(
    cash_books: OdooBooks, ledger: OdooLedger
) -> None:
    unused = OdooLedger(cash_books.connection(), changed(CASH_SETTINGS, "111326"))
    assert cash_parts(unused) == {"account", "bank account"}
    unused.setup()
    assert cash_parts(unused) == set()
    unused.write_cash([a_cash_entry("txn_1", a_cash_line(-700))])
    # 111320 is there, and no longer the account of that journal, which has entries by now.
    (part,) = ledger.describe().missing
    assert (part.what, part.cash) == ("bank account", True)
    assert "111326, and has entries" in part.remedy
    ledger.setup()
    assert ledger.describe().missing == (part,)
    with pytest.raises(NotPrepared, match="bank account 111320 of NCSTR"):
        ledger.write_cash([a_cash_entry("txn_2", a_cash_line(-700))])
    assert len(ledger.read_cash()) == 1


def test_a_fresh_chart_is_set_up_with_cash_at_once(odoo_books: OdooConnection) -> None:
    fresh = OdooLedger(odoo_books, CASH_SETTINGS)
    would = fresh.setup(dry_run=True)
    made = fresh.setup()
    assert [step.name for step in made] == [step.name for step in would]
    # Odoo's administrator may set up everything, and write no statement line.
    assert {part.what for part in fresh.describe().missing} == {"right"}
    assert {step.outcome for step in fresh.setup()} == {"found"}
    journals = odoo_books.rows(
        "account.journal", [("code", "in", [JOURNAL, "NCUSD"])], ["default_account_id"]
    )
    ids = [row["default_account_id"][0] for row in journals]
    accounts = odoo_books.rows("account.account", [("id", "in", ids)], ["code"])
    assert {row["code"] for row in accounts} == set(BALANCES.values())


# --- entries ----------------------------------------------------------------------------------


def test_the_daily_user_with_basic_does_it_all_and_without_it_is_told(
    cash_books: OdooBooks,
) -> None:
    lacking = OdooLedger(cash_books.as_user("invoicing", "contacts").connection(), CASH_SETTINGS)
    missing = lacking.describe().missing
    assert {(part.name, part.cash) for part in missing} == {
        ("create account.bank.statement.line", True), ("create account.bank.statement", True),
    }  # fmt: skip
    assert all("'Basic'" in part.remedy for part in missing)
    with pytest.raises(NotAllowed):
        lacking.write_cash([a_cash_entry("txn_1", a_cash_line(-700))])
    daily = OdooLedger(
        cash_books.as_user("invoicing", "contacts", "basic").connection(), CASH_SETTINGS
    )
    assert daily.describe().missing == ()
    daily.upsert_partners([a_partner()])
    invoice = an_invoice("in_1", a_line(20000, currency="USD"), currency="USD")
    daily.write_drafts([invoice])
    daily.post([invoice.ref])
    payment = a_settlement(invoice)
    daily.settle([payment])
    # Settled in the company's currency, at another rate than the ledger's.
    charge = a_cash_entry(
        "txn_1",
        a_cash_line(
            -30962, OUTSTANDING, meets=payment.ref, original=-22600, original_currency="USD"
        ),
        *fees(),
    )
    out = a_payout(charge.amount)
    daily.write_cash([charge, out])
    (held,) = daily.write_statements([a_statement([charge, out])])
    assert held.is_valid
    assert daily.outstanding([DAY])[0] == ()
    (paid,) = cash_books.do("account.payment", "search_read", [], fields=["is_matched", "state"])
    assert paid["is_matched"]
    rows = bank_lines(cash_books, "is_reconciled", "checked")
    assert [(row["is_reconciled"], row["checked"]) for row in rows] == [(True, True)] * 2
    # The exchange difference is Odoo's own entry, and clears the account in the company's currency.
    lines = cash_books.do(
        "account.move.line", "search_read", [("account_id.code", "=", OUTSTANDING)],
        fields=["balance", "amount_residual", "move_id"],
    )  # fmt: skip
    assert round(sum(line["balance"] for line in lines), 2) == 0
    assert len(lines) == 3
    assert not any(line["amount_residual"] for line in lines)


def test_a_batch_costs_a_constant_number_of_calls(
    cash_books: OdooBooks, ledger: OdooLedger
) -> None:
    costs = []
    for size in (2, 12):
        entries = [
            a_cash_entry(f"txn_{size}_{n}", a_cash_line(-100 - n), *fees()) for n in range(size)
        ]
        statements = [a_statement([each], f"po_{size}_{n}") for n, each in enumerate(entries)]
        before = ledger.connection.calls
        ledger.write_cash(entries)
        written = ledger.connection.calls
        ledger.write_statements(statements)
        stated = ledger.connection.calls
        ledger.read_cash([each.ref for each in entries])
        ledger.outstanding([DAY])[0]
        costs.append((written - before, stated - written, ledger.connection.calls - stated))
    assert costs[0] == costs[1]


def test_of_a_batch_the_ledger_refuses_one_and_takes_the_others(
    cash_books: OdooBooks, ledger: OdooLedger
) -> None:
    def restrict(currency: str | None) -> None:
        account = cash_books.do("account.account", "search", [("code", "=", FEE_TAX)])
        ids = cash_books.do("res.currency", "search", [("name", "=", currency)])
        cash_books.do(
            "account.account", "write", account, {"currency_id": ids[0] if ids else False}
        )

    restrict("EUR")
    good = [a_cash_entry(f"txn_{n}", a_cash_line(-100)) for n in range(1, 5)]
    bad = a_cash_entry("txn_bad", a_cash_line(-500), a_cash_line(65, FEE_TAX))
    with pytest.raises(EntriesRefused) as refused:
        ledger.write_cash([*good[:2], bad, *good[2:]])
    assert [each.ref for each in refused.value.refusals] == [bad.ref]
    assert [each.code for each in refused.value.refusals] == ["refused_by_ledger"]
    assert {each.ref for each in ledger.read_cash()} == {each.ref for each in good}
    restrict(None)
    ledger.write_cash([*good, bad])
    assert len(ledger.read_cash()) == 5


def test_what_a_person_does_to_an_entry_shows(cash_books: OdooBooks, ledger: OdooLedger) -> None:
    entries = {
        name: a_cash_entry(f"txn_{name}", a_cash_line(-700))
        for name in ("cancelled", "draft", "deleted", "moved")
    }
    ledger.write_cash(list(entries.values()))
    moves = {name: the_move(cash_books, entry) for name, entry in entries.items()}
    for name in ("cancelled", "draft", "moved"):
        cash_books.do("account.move", "button_draft", [moves[name]])
    cash_books.do("account.move", "button_cancel", [moves["cancelled"]])
    lines = [("move_id", "=", moves["moved"]), ("account_id.code", "=", PENDING)]
    (line,) = cash_books.do("account.move.line", "search", lines)
    (other,) = cash_books.do("account.account", "search", [("code", "=", "118330")])
    values = {"line_ids": [[1, line, {"account_id": other}]]}
    cash_books.do("account.move", "write", [moves["moved"]], values)
    cash_books.do("account.move", "action_post", [moves["moved"]])
    bank = cash_books.do(
        "account.bank.statement.line", "search", [("move_id", "=", moves["deleted"])]
    )
    cash_books.do("account.bank.statement.line", "unlink", bank)

    held = {each.ref: each for each in ledger.read_cash([e.ref for e in entries.values()])}
    assert held.keys() == {e.ref for name, e in entries.items() if name != "deleted"}
    assert held[entries["cancelled"].ref].state is MoveState.CANCELLED
    assert held[entries["draft"].ref].state is MoveState.DRAFT
    moved = held[entries["moved"].ref]
    assert moved.entry == replace(entries["moved"], lines=(a_cash_line(-700, "118330"),))
    assert moved.entry.content_hash != moved.stored_hash == entries["moved"].content_hash


def test_a_payment_in_the_companys_currency_reaches_a_balance_in_another(
    ledger: OdooLedger,
) -> None:
    paid_in_cad = a_cash_entry(
        "txn_1",
        a_cash_line(-8000, original=-10951, original_currency="CAD"),
        a_cash_line(262, "551400"),
        a_cash_line(-501, original=-455, original_currency="EUR"),
        currency="USD",
    )
    (held,) = ledger.write_cash([paid_in_cad])
    assert held.entry == paid_in_cad
    # In the company's currency the entry comes to zero at the rate of the payment.
    lines = ledger.connection.rows(
        "account.move.line", [("move_id", "=", int(held.entry_id))], ["balance"]
    )
    amounts = [line["balance"] for line in lines]
    assert round(sum(amounts), 2) == 0
    assert -109.51 in amounts
    assert round(sum(amounts[2:3]), 2) == round(2.62 * 109.51 / 80, 2)


# --- statements -------------------------------------------------------------------------------


def a_charge_of(name: str, amount: int, day: date) -> CashEntry:
    """A charge on a day."""
    return a_cash_entry(name, a_cash_line(-amount), day=day)


def test_statements_are_valid_whichever_charge_was_paid_out_first(
    cash_books: OdooBooks, ledger: OdooLedger
) -> None:
    """The first payout has charges from both sides of the second one's; the month's lie between them."""
    charges = [a_charge_of(f"txn_{n}", 1000 * n, date(2026, 4, n)) for n in range(1, 7)]
    by_hand = [
        a_charge_of("txn_m1", 70, date(2026, 4, 2)),
        a_charge_of("txn_m2", 7, date(2026, 4, 9)),
    ]
    first = [charges[0], charges[3], a_payout(5000, "txn_po_1", day=date(2026, 4, 7))]
    second = [charges[1], charges[2], a_payout(5000, "txn_po_2", day=date(2026, 4, 6))]
    waiting = charges[4:]
    opening = a_cash_entry("CAD:opening", a_cash_line(-90, "311900"), day=date(2026, 3, 31))
    ledger.write_cash([opening, *charges, first[2], second[2], *by_hand])
    month = a_statement([opening, *by_hand], "2026-04", opening=0, day=date(2026, 4, 30))
    later = a_statement([waiting[0]], "2026-05", opening=167, day=date(2026, 5, 31))
    statements: list[CashStatement] = [
        a_statement(first, "po_1", day=date(2026, 4, 7)),
        a_statement(second, "po_2", day=date(2026, 4, 8)),
        month,
    ]
    held = ledger.write_statements(statements)
    assert [each.statement for each in held] == statements
    assert all(each.is_valid for each in held)
    (more,) = ledger.write_statements([later])
    assert more.statement == later
    assert all(each.is_valid for each in (*ledger.read_statements(),))

    # Odoo's own balances: line by line in the order of the statements, what is in none at the end.
    rows = bank_lines(cash_books, "running_balance", "amount", "x_fc_source_ref")
    stated = [ref for each in (*statements, later) for ref in each.entries]
    assert [row["x_fc_source_ref"] for row in rows] == [*stated, waiting[1].ref]
    running = 0.0
    for row in rows:
        running = round(running + row["amount"], 2)
        assert row["running_balance"] == running
    journal = cash_books.do(
        "account.journal", "search_read", [("code", "=", JOURNAL)],
        fields=["current_statement_balance", "has_invalid_statements"],
    )  # fmt: skip
    assert journal[0]["current_statement_balance"] == running == 111.67
    assert not journal[0]["has_invalid_statements"]

    # A statement that does not open where the one before it closed is called so.
    (wrong,) = ledger.write_statements([a_statement([waiting[1]], "po_9", opening=1)])
    assert not wrong.is_valid


def test_a_statement_and_its_lines_stay_after_the_period_is_locked(
    cash_books: OdooBooks, ledger: OdooLedger
) -> None:
    entry = a_cash_entry("txn_1", a_cash_line(-700))
    ledger.write_cash([entry])
    (company,) = cash_books.do("res.company", "search", [])
    cash_books.do("res.company", "write", [company], {"fiscalyear_lock_date": "2026-04-30"})
    (held,) = ledger.write_statements([a_statement([entry])])
    assert held.is_valid
    (kept,) = ledger.read_cash([entry.ref])
    assert (kept.entry, kept.statement) == (entry, cash_ref("po_1"))


def test_a_person_who_takes_a_statement_apart_is_told_of(
    cash_books: OdooBooks, ledger: OdooLedger
) -> None:
    _, payment = invoiced(ledger)
    entries = [a_charge(payment, "txn_1"), a_cash_entry("txn_2", a_cash_line(-700))]
    ledger.write_cash(entries)
    (held,) = ledger.write_statements([a_statement(entries)])
    (bank,) = cash_books.do(
        "account.bank.statement.line", "search", [("x_fc_source_ref", "=", entries[1].ref)]
    )
    cash_books.do("account.bank.statement.line", "write", [bank], {"statement_id": False})
    (now,) = ledger.read_statements()
    assert not now.is_valid
    assert now.statement.entries == (entries[0].ref,)
    assert now.statement.content_hash != now.stored_hash == held.stored_hash
    cash_books.do("account.bank.statement", "unlink", [int(now.statement_id)])
    assert ledger.read_statements() == ()
    again = a_statement(entries)
    (back,) = ledger.write_statements([again])
    assert (back.statement, back.is_valid) == (again, True)


def invoiced(ledger: OdooLedger) -> tuple[Any, Any]:
    """A posted invoice and its payment."""
    invoice = an_invoice()
    ledger.write_drafts([invoice])
    ledger.post([invoice.ref])
    payment = a_settlement(invoice)
    ledger.settle([payment])
    return invoice, payment
