"""What every ledger must do with the cash of a balance, whichever it is: one suite over both adapters."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcb_pipelines.cli.ledger import assert_gone
from fcb_pipelines.connectors.failures import ContractBreach, NotAllowed, NotPrepared
from fcb_pipelines.core.codes import CashKind, Method
from fcb_pipelines.core.ledger.cash import (
    CashBalance,
    CashEntry,
    LedgerCash,
    LedgerStatement,
    OpenLine,
    OutstandingItem,
    matching_key,
)
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines_tests.cash_entries import (
    BALANCES,
    CASH_SETTINGS,
    FEES,
    OUTSTANDING,
    PENDING,
    TRANSIT,
    Books,
    CashCase,
    a_cash_entry,
    a_cash_line,
    a_charge,
    a_payout,
    a_statement,
    cash_ref,
    expected_cash,
    fees,
    met,
    taken_back,
    with_cash,
)
from fcb_pipelines_tests.documents import (
    DAY,
    a_credit_note,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.ledgers import balances, written

APRIL_END, MAY = date(2026, 4, 30), date(2026, 5, 4)


@pytest.fixture
def books(cash_case: CashCase) -> Books:
    """The ledger under test, with the usual partner."""
    cash_case.ledger.upsert_partners([a_partner()])
    return cash_case.ledger


def test_an_entry_that_is_in_the_books_is_not_released_and_one_that_is_gone_is(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcb_pipelines.config.settings.current", lambda: CASH_SETTINGS)
    _, (payment,) = paid(books, "in_1")
    books.settle([payment])
    (entry,) = [a_charge(payment)]
    assert_gone(books, entry.ref)
    books.write_cash([entry])
    with pytest.raises(NotAllowed, match="still in the ledger, posted"):
        assert_gone(books, entry.ref)


def paid(
    books: Books, *names: str, day: date = DAY, currency: str = "CAD"
) -> tuple[list[LedgerDocument], list[Settlement]]:
    """Posted invoices of these names, and their payments on that day."""
    documents = [
        an_invoice(name, a_line(20000, currency=currency), currency=currency) for name in names
    ]
    written(books, *documents)
    payments = [a_settlement(document, day=day) for document in documents]
    books.settle(payments)
    return documents, payments


def assert_held(books: Books, entry: CashEntry, *, opened: int = 0) -> LedgerCash:
    """The entry stands there as it was meant, posted, with so much open on all its lines."""
    (held,) = books.read_cash([entry.ref])
    assert held.entry == entry
    assert held.entry.content_hash == entry.content_hash
    assert held.stored_hash == entry.content_hash
    assert (held.ref, held.state) == (entry.ref, MoveState.POSTED)
    assert held.entry_id
    assert sum(line.residual for line in held.open) == opened
    return held


def open_items(books: Books, on: date) -> dict[str | None, int]:
    """Ref -> what is open of it on the outstanding account at the end of a day."""
    found: Counter[str | None] = Counter()
    for item in books.outstanding([on])[0]:
        assert item.residual
        assert item.date <= on
        found[item.ref] += item.residual
    return dict(found)


def balance(books: Books, day: date, currency: str = "CAD") -> int:
    """What the bank account has at the end of a day."""
    (found,) = books.state_balances([CashBalance(currency=currency, date=day, amount=0)])
    assert (found.currency, found.date) == (currency, day)
    return found.amount


# --- setup ------------------------------------------------------------------------------------


def test_a_ledger_that_is_set_up_for_cash_lacks_nothing(cash_case: CashCase) -> None:
    assert cash_case.ledger.describe().missing == ()
    for dry_run in (True, False):
        steps = cash_case.ledger.setup(dry_run=dry_run)
        assert {step.outcome for step in steps} == {"found"}


# --- entries ----------------------------------------------------------------------------------

ENTRIES: dict[str, CashEntry] = {
    "a charge with its fee and the tax on it": a_cash_entry(
        "txn_1", a_cash_line(-22600, OUTSTANDING, meets=cash_ref("inpay_in_1")), *fees()
    ),
    "a refund": a_cash_entry(
        "txn_1",
        a_cash_line(5000, OUTSTANDING, meets=cash_ref("re_1"), label="re_1"),
        kind=CashKind.REFUND,
    ),
    "a charge of two settlements": a_cash_entry(
        "txn_1",
        a_cash_line(-5000, OUTSTANDING, meets=cash_ref("inpay_a")),
        a_cash_line(-5000, OUTSTANDING, meets=cash_ref("inpay_b")),
    ),
    "a payout": a_payout(10927),
    "a payout that failed": a_cash_entry(
        "txn_1", a_cash_line(-10927, TRANSIT), kind=CashKind.PAYOUT_REVERSAL
    ),
    "a fee": a_cash_entry("txn_1", a_cash_line(1500, FEES, label="fee: radar"), kind=CashKind.FEE),
    "a fee as large as the charge": a_cash_entry(
        "txn_1", a_cash_line(-30), a_cash_line(30, FEES, label="charge: stripe_fee")
    ),
    "a sum of other services": a_cash_entry(
        "2026-04-03:CAD:charge:other_services",
        a_cash_line(-123456, "215530", label="charge"),
        kind=CashKind.OTHER_SERVICES,
        narration="charge of other services: 17",
    ),
    "a category that nobody named": a_cash_entry(
        "txn_1", a_cash_line(-100, "118330"), kind=CashKind.UNKNOWN
    ),
    "the opening balance": a_cash_entry(
        "CAD:opening", a_cash_line(-125040, "311900"), kind=CashKind.OPENING
    ),
    "booked on the first open day": a_cash_entry(
        "txn_1", a_cash_line(-700), day=date(2026, 3, 31), booked_on=date(2026, 4, 1)
    ),
    "paid in another currency": a_cash_entry(
        "txn_1",
        a_cash_line(
            -13650,
            OUTSTANDING,
            meets=cash_ref("inpay_in_1"),
            original=-10000,
            original_currency="USD",
        ),
        *fees(),
    ),
    "paid at a rate without end": a_cash_entry(
        "txn_1", a_cash_line(-10001, original=-7777, original_currency="USD")
    ),
    "in a balance of another currency": a_cash_entry(
        "txn_1", a_cash_line(-8000), *fees(), currency="USD"
    ),
    "quotes, accents and an empty label": a_cash_entry(
        "txn_1", a_cash_line(-700, label=""), narration='remise "à neuf" \\ 100 % - Montréal'
    ),
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
def test_an_entry_is_read_back_as_it_was_meant(books: Books, entry: CashEntry) -> None:
    (held,) = books.write_cash([entry])
    unmet = sum(
        line.amount if line.original is None else line.original
        for line in entry.lines
        if line.meets is not None
    )
    assert held == assert_held(books, entry, opened=unmet)
    assert held.statement is None
    assert balances(books) == expected_cash([entry])
    assert balance(books, entry.booked_on, entry.currency) == entry.amount
    assert balance(books, entry.booked_on - timedelta(1), entry.currency) == 0


def test_each_entry_of_a_batch_is_written_once(books: Books) -> None:
    entries = [a_cash_entry(f"txn_{n}", a_cash_line(-100 * n)) for n in range(1, 5)]
    books.write_cash(entries[1:3])
    held = books.write_cash(entries)
    assert [each.ref for each in held] == [each.ref for each in entries]
    assert books.write_cash(entries) == held
    assert {each.ref for each in books.read_cash()} == {each.ref for each in entries}
    assert balances(books) == expected_cash(entries)


def test_an_entry_that_exists_stays_what_it_is(books: Books) -> None:
    entry = a_cash_entry("txn_1", a_cash_line(-700))
    books.write_cash([entry])
    (held,) = books.write_cash([a_cash_entry("txn_1", a_cash_line(-701))])
    assert held.entry == entry
    assert_held(books, entry)
    assert balances(books) == expected_cash([entry])


def test_an_entry_that_a_person_changed_shows(cash_case: CashCase, books: Books) -> None:
    edited, other = (a_cash_entry(name, a_cash_line(-700)) for name in ("txn_1", "txn_2"))
    books.write_cash([edited, other])
    cash_case.edit(edited.ref)
    for held in (*books.read_cash([edited.ref]), *books.write_cash([edited])):
        assert held.stored_hash == edited.content_hash
        assert held.entry.content_hash != held.stored_hash
    assert {each.ref for each in books.read_cash()} == {edited.ref, other.ref}
    assert_held(books, other)


def test_an_unknown_ref_is_simply_absent(books: Books) -> None:
    books.write_cash([a_cash_entry("txn_1", a_cash_line(-700))])
    assert books.read_cash([cash_ref("txn_none")]) == ()
    assert books.read_cash([]) == ()
    assert books.read_statements([cash_ref("po_none")]) == ()
    assert books.read_moves([cash_ref("txn_1")]) == ()
    assert books.read_settlements([cash_ref("txn_1")]) == ()


def test_calls_with_nothing_to_do_do_nothing(books: Books) -> None:
    assert books.write_cash([]) == ()
    assert books.write_statements([]) == ()
    assert books.state_balances([]) == ()
    assert books.read_cash() == ()
    assert books.read_statements() == ()
    assert books.outstanding([MAY])[0] == ()
    assert balances(books) == {}


def test_cash_entries_are_no_documents_and_no_settlements(books: Books) -> None:
    documents, payments = paid(books, "in_1")
    books.write_cash([a_charge(payments[0])])
    assert [move.ref for move in books.read_moves()] == [documents[0].ref]
    assert [move.ref for move in books.list_moves()] == [documents[0].ref]
    assert [each.ref for each in books.read_settlements()] == [payments[0].ref]
    (settlement,) = books.read_settlements([payments[0].ref])
    assert settlement.reconciled == payments[0].amount
    assert settlement.settlement.content_hash == settlement.stored_hash


# --- what is refused --------------------------------------------------------------------------

GOOD = a_cash_entry("txn_good", a_cash_line(-700))
UNBALANCED = replace(a_cash_entry("txn_1", a_cash_line(-700)), amount=701)
REFUSED: dict[str, tuple[Sequence[CashEntry], type[Exception]]] = {
    "a ref twice": ([GOOD, GOOD], ContractBreach),
    "unbalanced by one cent": ([GOOD, UNBALANCED], ContractBreach),
    "an account that the ledger lacks": (
        [GOOD, a_cash_entry("txn_1", a_cash_line(-700, "999999"))],
        NotPrepared,
    ),
    "a currency without a journal": (
        [GOOD, a_cash_entry("txn_1", a_cash_line(-700), currency="EUR")],
        NotPrepared,
    ),
}


@pytest.mark.parametrize(("batch", "failure"), REFUSED.values(), ids=REFUSED.keys())
def test_of_a_batch_that_is_refused_nothing_is_written(
    books: Books, batch: Sequence[CashEntry], failure: type[Exception]
) -> None:
    with pytest.raises(failure):
        books.write_cash(batch)
    assert books.read_cash() == ()
    assert balances(books) == {}


def test_nothing_is_booked_on_a_locked_day(cash_case: CashCase, books: Books) -> None:
    early = a_cash_entry("txn_0", a_cash_line(-300), day=APRIL_END)
    books.write_cash([early])
    cash_case.lock(APRIL_END)
    late = a_cash_entry("txn_1", a_cash_line(-700), day=APRIL_END)
    with pytest.raises(NotAllowed):
        books.write_cash([early, late, a_cash_entry("txn_2", a_cash_line(-700), day=MAY)])
    assert {each.ref for each in books.read_cash()} == {early.ref}
    # Repeated on the first open day, beside what was there before the lock.
    moved = late.booked(date(2026, 5, 1))
    books.write_cash([early, moved])
    assert_held(books, early)
    assert_held(books, moved)
    assert [balance(books, day) for day in (APRIL_END, date(2026, 5, 1))] == [300, 1000]


# --- matching ---------------------------------------------------------------------------------


def test_a_charge_meets_its_payment(books: Books) -> None:
    documents, payments = paid(books, "in_1")
    assert open_items(books, MAY) == {payments[0].ref: 22600}
    charge = a_charge(payments[0])
    (held,) = books.write_cash([charge])
    assert held.open == ()
    assert_held(books, charge)
    assert books.outstanding([MAY])[0] == ()
    assert balances(books) == with_cash(expected_balances(documents, payments), [charge])
    assert balances(books)[BALANCES["CAD"], "CAD"] == 22600 - 373


def test_equal_amounts_meet_each_their_own(books: Books) -> None:
    _, payments = paid(books, "in_1", "in_2", "in_3")
    books.write_cash([a_charge(payments[1], "txn_b"), a_charge(payments[2], "txn_c")])
    assert open_items(books, MAY) == {payments[0].ref: 22600}
    (item,) = books.outstanding([MAY])[0]
    assert item.meets == matching_key(payments[0].ref)
    assert (item.date, item.currency) == (DAY, "CAD")
    assert item.entry


def test_a_charge_of_less_leaves_the_rest_of_the_payment(books: Books) -> None:
    _, (payment,) = paid(books, "in_1")
    charge = a_cash_entry("txn_1", met(payment, amount=20000))
    books.write_cash([charge])
    assert_held(books, charge)
    assert open_items(books, MAY) == {payment.ref: 2600}
    more = a_cash_entry("txn_2", met(payment, amount=3000))
    books.write_cash([more])
    (held,) = books.read_cash([more.ref])
    assert held.open == (OpenLine(meets=matching_key(payment.ref), currency="CAD", residual=-400),)
    assert open_items(books, MAY) == {more.ref: -400}


def test_a_transaction_before_its_settlement_waits_for_it(books: Books) -> None:
    document = an_invoice("in_1")
    written(books, document)
    payment = a_settlement(document)
    charge = a_charge(payment)
    books.write_cash([charge])
    assert_held(books, charge, opened=-22600)
    assert open_items(books, MAY) == {charge.ref: -22600}
    books.settle([payment])
    books.write_cash([charge])
    assert_held(books, charge)
    assert books.outstanding([MAY])[0] == ()


def test_a_payment_its_failure_and_both_transactions_come_to_nothing(books: Books) -> None:
    _, (payment,) = paid(books, "in_1")
    failure = taken_back(payment, MAY)
    charge = a_charge(payment)
    back = a_cash_entry("txn_2", met(failure), kind=CashKind.CHARGE_FAILURE, day=MAY)
    books.write_cash([charge])
    books.settle([payment, failure])
    assert sum(open_items(books, MAY).values()) == -22600
    books.write_cash([back])
    for entry in (charge, back):
        assert_held(books, entry)
    assert books.outstanding([MAY])[0] == ()
    assert books.outstanding([APRIL_END])[0] == ()
    assert OUTSTANDING not in {account for account, _ in balances(books)}


def test_a_refund_meets_the_settlement_of_its_credit_note(books: Books) -> None:
    note = a_credit_note("cn_1", a_line(5000))
    written(books, note)
    refund = a_settlement(note, name="re_1")
    books.settle([refund])
    assert open_items(books, MAY) == {refund.ref: -5650}
    entry = a_cash_entry("txn_1", met(refund), kind=CashKind.REFUND)
    assert entry.amount == -5650
    books.write_cash([entry])
    assert_held(books, entry)
    assert books.outstanding([MAY])[0] == ()


def test_a_charge_of_several_invoices_meets_their_shared_receipt(books: Books) -> None:
    documents = [an_invoice("in_1"), an_invoice("in_2")]
    written(books, *documents)
    receipt = cash_ref("py_1")
    parts = [
        a_settlement(each, name=f"part_{n}", drawn_on=receipt, receipt=45200)
        for n, each in enumerate(documents)
    ]
    books.settle(parts)
    assert open_items(books, MAY) == {receipt: 45200}
    charge = a_cash_entry("txn_1", met(parts[0], amount=45200), *fees())
    books.write_cash([charge])
    assert_held(books, charge)
    assert books.outstanding([MAY])[0] == ()


def test_c8_a_payment_in_another_currency_is_met_in_its_own(books: Books) -> None:
    documents, (payment,) = paid(books, "in_1", currency="USD")
    charge = a_cash_entry("txn_1", met(payment, rate=137), *fees())
    books.write_cash([charge])
    assert_held(books, charge)
    assert books.outstanding([MAY])[0] == ()
    found = balances(books)
    assert found == with_cash(expected_balances(documents, [payment]), [charge])
    assert found[BALANCES["CAD"], "CAD"] == payment.amount * 137 // 100 - 373


def test_one_key_in_two_currencies_is_two(books: Books) -> None:
    _, (payment,) = paid(books, "in_1", currency="USD")
    entry = a_cash_entry("txn_1", a_cash_line(-22600, OUTSTANDING, meets=matching_key(payment.ref)))
    books.write_cash([entry])
    assert_held(books, entry, opened=-22600)
    assert open_items(books, MAY) == {payment.ref: 22600, entry.ref: -22600}


def test_c9_what_is_under_way_at_the_end_of_a_month_is_open_on_that_day(books: Books) -> None:
    _, (payment,) = paid(books, "in_1", day=APRIL_END)
    charge = a_charge(payment, day=date(2026, 5, 2))
    books.write_cash([charge])
    assert_held(books, charge)
    assert open_items(books, date(2026, 4, 29)) == {}
    assert open_items(books, APRIL_END) == {payment.ref: 22600}
    assert open_items(books, date(2026, 5, 1)) == {payment.ref: 22600}
    assert open_items(books, date(2026, 5, 2)) == {}


def test_what_is_paid_into_no_outstanding_account_meets_nothing(books: Books) -> None:
    document = an_invoice("in_1")
    written(books, document)
    books.settle([a_settlement(document, method=Method.CUSTOMER_BALANCE)])
    assert books.outstanding([MAY])[0] == ()


# --- statements -------------------------------------------------------------------------------


def a_paid_out_day(books: Books) -> list[CashEntry]:
    """Two charges and the payout of both, written."""
    charges = [a_cash_entry(f"txn_{n}", a_cash_line(-5000), *fees()) for n in (1, 2)]
    out = a_payout(sum(each.amount for each in charges), day=date(2026, 4, 5))
    entries = [*charges, out]
    books.write_cash(entries)
    return entries


def assert_stated(books: Books, *held: LedgerStatement) -> None:
    """These statements are read as they were returned, complete and joined, with their entries."""
    refs = [each.ref for each in held]
    assert books.read_statements(refs) == held
    for each in held:
        assert each.is_valid
        assert each.statement_id
        assert each.stored_hash == each.statement.content_hash
        entries = books.read_cash(each.statement.entries)
        assert {entry.statement for entry in entries} == {each.ref}
        assert all(entry.entry.content_hash == entry.stored_hash for entry in entries)


def test_a_statement_holds_the_entries_of_a_payout(books: Books) -> None:
    entries = a_paid_out_day(books)
    statement = a_statement(entries)
    assert statement.closing == 0
    before = balances(books)
    (held,) = books.write_statements([statement])
    assert held.statement == statement
    assert_stated(books, held)
    assert balances(books) == before


def test_a_statement_is_written_once(books: Books) -> None:
    statement = a_statement(a_paid_out_day(books))
    held = books.write_statements([statement])
    assert books.write_statements([statement]) == held
    assert books.write_statements([replace(statement, name="po_other")]) == held
    assert books.read_statements() == held


def test_each_statement_opens_where_the_one_before_it_closed(books: Books) -> None:
    first = a_statement(a_paid_out_day(books), "po_1")
    kept = [a_cash_entry(f"txn_{n}", a_cash_line(-n), day=date(2026, 4, n)) for n in (10, 20, 30)]
    books.write_cash(kept)
    month = a_statement(kept, "2026-04:CAD:statement", day=APRIL_END)
    out = [a_payout(40, "txn_po_2", day=MAY)]
    books.write_cash(out)
    last = a_statement(out, "po_2", opening=month.closing, day=MAY)
    held = books.write_statements([first, month])
    more = books.write_statements([first, month, last])
    assert more[:2] == held
    assert [each.statement for each in more] == [first, month, last]
    assert_stated(books, *more)
    assert month.closing == last.opening == 60
    assert last.closing == balance(books, MAY)


def test_balances_of_two_currencies_have_statements_of_their_own(books: Books) -> None:
    cad = [a_cash_entry("txn_1", a_cash_line(-700))]
    usd = [a_cash_entry("txn_2", a_cash_line(-900), currency="USD")]
    books.write_cash([*cad, *usd])
    held = books.write_statements(
        [a_statement(cad, "po_1"), a_statement(usd, "po_2", currency="USD")]
    )
    assert_stated(books, *held)
    assert [each.statement.closing for each in held] == [700, 900]


def test_a_statement_of_entries_that_are_not_there_or_taken_is_refused(books: Books) -> None:
    entries = a_paid_out_day(books)
    absent = a_cash_entry("txn_none", a_cash_line(-700))
    taken = a_statement(entries, "po_1")
    with pytest.raises(ContractBreach):
        books.write_statements([a_statement([*entries, absent])])
    assert books.read_statements() == ()
    books.write_statements([taken])
    with pytest.raises(ContractBreach):
        books.write_statements([a_statement(entries[:1], "po_2")])
    assert [each.ref for each in books.read_statements()] == [taken.ref]


# --- balances ---------------------------------------------------------------------------------


def test_a_balance_is_that_of_the_end_of_its_day(books: Books) -> None:
    days = [date(2026, 4, 3), date(2026, 4, 30), date(2026, 5, 1)]
    entries = [
        a_cash_entry(f"txn_{n}", a_cash_line(-(10**n)), day=day) for n, day in enumerate(days)
    ]
    usd = a_cash_entry("txn_usd", a_cash_line(-500), day=days[0], currency="USD")
    books.write_cash([*entries, usd])
    asked = [
        CashBalance(currency="CAD", date=days[0] - timedelta(1), amount=0),
        CashBalance(currency="CAD", date=days[2], amount=111),
        CashBalance(currency="CAD", date=days[0], amount=1),
        CashBalance(currency="USD", date=days[2], amount=500),
        CashBalance(currency="CAD", date=days[1], amount=11),
    ]
    for _ in range(2):
        assert books.state_balances(asked) == tuple(asked)
    # A day later everything is still written and read as before.
    later = a_cash_entry("txn_later", a_cash_line(-7), day=days[0])
    books.write_cash([later])
    told = books.state_balances(asked)
    assert [each.amount for each in told] == [0, 118, 8, 500, 18]
    assert books.state_balances(told) == told
    assert balances(books) == expected_cash([*entries, usd, later])


def test_a_balance_that_was_not_expected_is_told_as_it_is(books: Books) -> None:
    books.write_cash([a_cash_entry("txn_1", a_cash_line(-700))])
    wrong = CashBalance(currency="CAD", date=DAY, amount=701)
    assert books.state_balances([wrong]) == (replace(wrong, amount=700),)


def test_a_balance_without_a_journal_is_refused(books: Books) -> None:
    with pytest.raises(ContractBreach):
        books.state_balances([CashBalance(currency="EUR", date=DAY, amount=0)])


def test_what_a_person_booked_counts_too_and_is_told_apart(
    cash_case: CashCase, books: Books
) -> None:
    _, (payment,) = paid(books, "in_1")
    books.write_cash([a_charge(payment)])
    before = balances(books)
    cash_case.by_hand(MAY, 1500)
    assert balance(books, APRIL_END) == 22227
    assert balance(books, MAY) == 23727
    assert books.outstanding([APRIL_END])[0] == ()
    (item,) = books.outstanding([MAY])[0]
    assert item.entry
    expected = OutstandingItem(
        ref=None, entry=item.entry, date=MAY, currency="CAD", residual=-1500, meets=None
    )
    assert item == expected
    # It is no entry of ours.
    assert balances(books) == before
    assert len(books.read_cash()) == 1


# --- the whole --------------------------------------------------------------------------------


def test_a_run_that_stops_anywhere_and_is_repeated_ends_in_the_same_books(books: Books) -> None:
    names = ("in_1", "in_2", "in_3")
    documents = [an_invoice(name) for name in names]
    payments = [a_settlement(document) for document in documents]
    charges = [a_charge(payment, f"txn_{n}") for n, payment in enumerate(payments[:2])]
    out = a_payout(sum(each.amount for each in charges), day=date(2026, 4, 6))
    statement = a_statement([*charges, out])
    stated = [CashBalance(currency="CAD", date=APRIL_END, amount=0)]
    calls: list[Callable[[], object]] = [
        lambda: books.write_drafts(documents),
        lambda: books.post([document.ref for document in documents]),
        lambda: books.settle(payments),
        lambda: books.write_cash(charges),
        lambda: books.write_cash([*charges, out]),
        lambda: books.write_statements([statement]),
        lambda: books.state_balances(stated),
    ]
    for stopped_after in (4, 6, 7, 7):
        for call in calls[:stopped_after]:
            call()
    for entry in (*charges, out):
        assert_held(books, entry)
    assert_stated(books, *books.read_statements())
    assert open_items(books, MAY) == {payments[2].ref: 22600}
    found = balances(books)
    assert found == with_cash(expected_balances(documents, payments), [*charges, out])
    assert sum(found.values()) == 0
    assert found[OUTSTANDING, "CAD"] == 22600
    assert (BALANCES["CAD"], "CAD") not in found


NUMBERS = count(1)
A_MOVE = st.tuples(
    st.integers(-(10**7), 10**7).filter(bool),
    st.integers(0, 60),
    st.sampled_from([TRANSIT, PENDING, OUTSTANDING]),
    st.sampled_from(["CAD", "USD"]),
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(A_MOVE, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_whatever_is_written_in_whatever_order_the_balance_is_the_sum_of_each_once(
    books: Books, moves: list[tuple[int, int, str, str]], chance: object
) -> None:
    before = {currency: balance(books, date(2026, 12, 31), currency) for currency in BALANCES}
    known = {each.ref for each in books.read_cash()}
    entries = [
        a_cash_entry(
            f"txn_p{next(NUMBERS)}",
            a_cash_line(-amount, account),
            day=DAY + timedelta(days),
            currency=currency,
        )
        for amount, days, account, currency in moves
    ]
    for _ in range(2):
        batch = [each for each in entries if chance.random() < 0.5]  # type: ignore[attr-defined]
        books.write_cash(batch)
    books.write_cash(entries)
    for currency in BALANCES:
        moved = sum(each.amount for each in entries if each.currency == currency)
        assert balance(books, date(2026, 12, 31), currency) == before[currency] + moved
    assert {each.ref for each in books.read_cash()} == known | {each.ref for each in entries}
    totals = balances(books)
    for currency, account in BALANCES.items():
        assert totals.get((account, currency), 0) == balance(books, date(2026, 12, 31), currency)
