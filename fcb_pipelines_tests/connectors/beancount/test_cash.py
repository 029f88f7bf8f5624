"""Cash in the embedded books: proved by Beancount itself, a month at a time, whatever a person does in them."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from beancount import loader

from fcb_pipelines.connectors.beancount import books as beancount_books
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.failures import ContractBreach, EntriesRefused, NotPrepared
from fcb_pipelines.core.company.settings import Journal
from fcb_pipelines.core.ledger.cash import CashBalance, CashEntry, CashStatement
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines_tests.cash_entries import (
    CASH_SETTINGS,
    OUTSTANDING,
    PENDING,
    a_cash_entry,
    a_cash_line,
    a_charge,
    a_payout,
    a_statement,
    expected_cash,
    fees,
    taken_back,
)
from fcb_pipelines_tests.documents import (
    DAY,
    SETTINGS,
    a_partner,
    a_settlement,
    an_invoice,
)
from fcb_pipelines_tests.ledgers import balances, written

# fmt: off
OF_CASH = {
    "Assets:111320", "Assets:111325", "Assets:111323", "Assets:118310", "Assets:118320",
    "Assets:118330", "Liabilities:215530", "Liabilities:215540", "Equity:311900", "Expenses:551400",
}
# fmt: on
MONTHS = range(1, 13)
INVOICES = {month: an_invoice(f"in_{month}", day=date(2026, month, 5)) for month in MONTHS}
PAYMENTS = {month: a_settlement(invoice) for month, invoice in INVOICES.items()}
CHARGES = {month: a_charge(payment, f"txn_{month}") for month, payment in PAYMENTS.items()}
PAYOUTS = {
    month: a_payout(charge.amount, f"txn_po_{month}", day=date(2026, month, 9))
    for month, charge in CHARGES.items()
}
STATEMENTS = {
    month: a_statement([CHARGES[month], PAYOUTS[month]], f"po_{month}") for month in MONTHS
}
STATED = [
    CashBalance(currency="CAD", date=day, amount=amount)
    for month in MONTHS
    for day, amount in (
        (date(2026, month, 5), CHARGES[month].amount),
        (date(2026, month, 9), 0),
        (date(2026, month, 28), 0),
    )
]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books with a year of charges, payouts and statements, and the balances of its days proved."""
    folder = tmp_path_factory.mktemp("year")
    ledger = opened(folder)
    ledger.setup()
    ledger.upsert_partners([a_partner()])
    written(ledger, *INVOICES.values())
    ledger.settle([*PAYMENTS.values()])
    ledger.write_cash([*CHARGES.values(), *PAYOUTS.values()])
    ledger.write_statements([*STATEMENTS.values()])
    assert ledger.state_balances(STATED) == tuple(STATED)
    return folder


@pytest.fixture
def books(year: Path, tmp_path: Path) -> Path:
    """The folder of such books."""
    return Path(shutil.copytree(year, tmp_path / "books"))


@pytest.fixture
def ledger(tmp_path: Path) -> BeancountLedger:
    """New books for cash."""
    ledger = opened(tmp_path / "new")
    ledger.setup()
    ledger.upsert_partners([a_partner()])
    return ledger


def opened(books: Path) -> BeancountLedger:
    """The books as another process opens them."""
    return BeancountLedger(books, CASH_SETTINGS)


def errors(books: Path) -> list[str]:
    """What Beancount's own loader finds wrong with the whole."""
    return [error.message for error in loader.load_file(str(books / "main.beancount"))[1]]


def journal(books: Path, month: int) -> Path:
    """The file of a month."""
    return books / "journal" / f"2026-{month:02}.beancount"


def rewrite(path: Path, before: str, after: str) -> None:
    """Change a text in a file, once, as a person does."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


# --- without cash, and made ready for it ------------------------------------------------------


def test_books_without_cash_know_nothing_of_it(tmp_path: Path) -> None:
    ledger = BeancountLedger(tmp_path, SETTINGS)
    steps = ledger.setup()
    assert ledger.describe().missing == ()
    assert not OF_CASH & {step.name.split("-")[0] for step in steps}
    calls: list[Callable[[], object]] = [
        lambda: ledger.read_cash(),
        lambda: ledger.write_cash([a_payout(1)]),
        lambda: ledger.read_statements(),
        lambda: ledger.write_statements([a_statement([a_payout(1)])]),
        lambda: ledger.state_balances([STATED[0]]),
        lambda: ledger.outstanding([DAY])[0],
    ]
    for call in calls:
        with pytest.raises(NotPrepared, match="cash is off"):
            call()


def test_a_company_that_turns_cash_on_is_told_what_its_books_lack(tmp_path: Path) -> None:
    BeancountLedger(tmp_path, SETTINGS).setup()
    ledger = opened(tmp_path)
    missing = ledger.describe().missing
    assert {part.name.split("-")[0] for part in missing} == OF_CASH
    for part in missing:
        assert (part.cash, part.is_needed, part.taxes) == (True, True, ())
        assert part.remedy == "fcb ledger setup"
    ledger.upsert_partners([a_partner()])
    written(ledger, INVOICES[4])
    with pytest.raises(NotPrepared):
        ledger.write_cash([a_payout(1)])
    ledger.setup()
    assert ledger.describe().missing == ()
    ledger.write_cash([a_payout(1)])
    assert errors(tmp_path) == []


def test_a_balance_of_a_currency_that_the_books_lack_is_set_up(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"currencies": ()})
    BeancountLedger(tmp_path, settings).setup()
    ledger = BeancountLedger(tmp_path, CASH_SETTINGS.model_copy(update={"currencies": ()}))
    (usd,) = (part for part in ledger.describe().missing if part.what == "currency")
    assert (usd.name, usd.cash, usd.taxes) == ("USD", True, ())
    ledger.setup()
    ledger.write_cash([a_cash_entry("txn_1", a_cash_line(-5), currency="USD")])


def test_a_stripe_journal_without_an_outstanding_account_is_told(tmp_path: Path) -> None:
    journals = SETTINGS.journals.model_copy(update={"stripe": Journal(code="NCSTR", name="Stripe")})
    ledger = BeancountLedger(tmp_path, CASH_SETTINGS.model_copy(update={"journals": journals}))
    ledger.setup()
    (part,) = ledger.describe().missing
    assert (part.name, part.cash) == ("journals.stripe.outstanding", True)
    with pytest.raises(NotPrepared, match="outstanding"):
        ledger.write_cash([a_payout(1)])


# --- proved by Beancount ----------------------------------------------------------------------


def test_beancount_proves_every_balance_that_was_stated(books: Path) -> None:
    assert errors(books) == []
    entries = loader.load_file(str(books / "main.beancount"))[0]
    proved = [each for each in entries if type(each).__name__ == "Balance"]
    assert len(proved) == len(STATED)
    # An assertion is of the start of its day: the day after the one it is stated for, in that one's month.
    assert {(each.date - timedelta(1), Path(each.meta["filename"])) for each in proved} == {
        (each.date, journal(books, each.date.month)) for each in STATED
    }
    assert {each.tolerance for each in proved} == {0}


@pytest.mark.parametrize("cents", [1, -1])
def test_one_cent_is_denied_by_beancount_and_stops_nothing(books: Path, cents: int) -> None:
    edited = CHARGES[3]
    text = journal(books, 3).read_text()
    for account, before in (("111320", edited.amount), ("551400", 330)):
        sign = 1 if account == "111320" else -1
        row = next(line for line in text.split("\n") if account in line and " balance " not in line)
        assert f"{before / 100:.2f}" in row
        moved = row.replace(f"{before / 100:.2f}", f"{(before + sign * cents) / 100:.2f}")
        text = text.replace(row, moved, 1)
    journal(books, 3).write_text(text)
    later = [each for each in STATED if each.date >= edited.booked_on]
    assert len([each for each in errors(books) if "Balance failed" in each]) == len(later)
    ledger = opened(books)
    (held,) = ledger.read_cash([edited.ref])
    assert held.entry.amount == edited.amount + cents
    assert held.entry.content_hash != held.stored_hash
    assert len(ledger.read_cash()) == 24
    assert len(ledger.list_moves()) == 12
    told = ledger.state_balances(STATED)
    assert [each.amount - stated.amount for each, stated in zip(told, STATED, strict=True)] == [
        cents if each in later else 0 for each in STATED
    ]
    # What the books now have may be stated; it replaces what was.
    ledger.write_cash([a_cash_entry("txn_new", a_cash_line(-1), day=date(2026, 12, 30))])
    assert ledger.state_balances(told) == told
    assert errors(books) == []


def test_a_draft_of_a_persons_counts_for_beancount_and_is_not_proved_over(books: Path) -> None:
    day = date(2026, 12, 20)
    with journal(books, 12).open("a") as december:
        december.write(
            f'\n{day} ! "not sure yet"\n  Assets:111320-NexaCloud-Stripe-Balance  5.00 CAD\n'
            "  Equity:311900-NexaCloud-Opening-Balance\n"
        )
    asked = CashBalance(currency="CAD", date=date(2026, 12, 30), amount=0)
    assert opened(books).state_balances([asked]) == (asked,)
    assert f"{date(2026, 12, 31)} balance" not in journal(books, 12).read_text()


@pytest.mark.parametrize("part", ["Stripe-Balance  0.00 ~ 0 CAD", "~ 0 CAD"])
def test_a_balance_is_stated_once_and_one_that_a_person_changed_is_replaced(
    books: Path, part: str
) -> None:
    month = journal(books, 4)
    before = month.read_text()
    assert opened(books).state_balances(STATED) == tuple(STATED)
    assert month.read_text() == before
    assert opened(books).state_balances([STATED[0], STATED[0]]) == (STATED[0], STATED[0])
    rewrite(month, part, part.replace("0.00", "1.00").replace("~ 0", "~ 9"))
    assert opened(books).state_balances(STATED) == tuple(STATED)
    assert errors(books) == []
    text = month.read_text()
    assert (text.count(" balance "), text.count(" ~ 0 CAD"), text.count("~ 9")) == (3, 3, 0)


def test_an_id_that_a_statement_has_twice_is_refused(books: Path) -> None:
    note = next(
        each for each in journal(books, 3).read_text().split("\n\n") if '"statement"' in each
    )
    with journal(books, 5).open("a") as may:
        may.write(f"\n{note}\n")
    assert any("is used twice" in each for each in errors(books))
    with pytest.raises(ContractBreach, match="is used twice"):
        opened(books).read_statements([STATEMENTS[3].ref])


# --- a month at a time ------------------------------------------------------------------------


def test_a_month_with_cash_is_written_and_read_back_without_the_others(
    books: Path, loads: list[tuple[str, ...] | None]
) -> None:
    ledger = opened(books)
    late = an_invoice("in_late", day=date(2026, 12, 20))
    payment = a_settlement(late)
    charge = a_charge(payment, "txn_late", day=date(2026, 12, 29))
    out = a_payout(charge.amount, "txn_po_late", day=date(2026, 12, 30))
    written(ledger, late)
    ledger.settle([payment])
    (held, _) = ledger.write_cash([charge, out])
    assert held.open == ()
    (statement,) = ledger.write_statements([a_statement([charge, out], "po_late")])
    assert statement.is_valid
    assert {*loads} == {("2026-12",)}


def test_a_statement_is_read_with_the_one_before_it(
    books: Path, loads: list[tuple[str, ...] | None]
) -> None:
    (found,) = opened(books).read_statements([STATEMENTS[7].ref])
    assert found.statement == STATEMENTS[7]
    assert found.is_valid
    assert loads == [("2026-06", "2026-07")]
    rewrite(journal(books, 6), "  closing: 0.00", "  closing: 0.01")
    (found,) = opened(books).read_statements([STATEMENTS[7].ref])
    assert not found.is_valid
    assert found.statement == STATEMENTS[7]
    before, after = opened(books).read_statements([STATEMENTS[6].ref, STATEMENTS[8].ref])
    assert (before.is_valid, after.is_valid) == (False, True)
    assert before.statement.content_hash != before.stored_hash


def test_an_entry_of_an_old_month_takes_the_balances_after_it_away_once(
    books: Path, loads: list[tuple[str, ...] | None]
) -> None:
    ledger = opened(books)
    ledger.write_cash([a_cash_entry("txn_late", a_cash_line(-5), day=date(2026, 10, 7))])
    assert {*loads} == {(), ("2026-10", "2026-11", "2026-12")}
    loads.clear()
    assert errors(books) == []
    again = a_cash_entry("txn_later", a_cash_line(-5), day=date(2026, 10, 8))
    usd = a_cash_entry("txn_usd", a_cash_line(-5), day=date(2026, 10, 8), currency="USD")
    ledger.write_cash([again, usd])
    assert {*loads} <= {(), ("2026-10",), ("2026-10", "2026-11", "2026-12")}
    text = "".join(journal(books, month).read_text() for month in MONTHS)
    # Those until the day are of before it.
    assert text.count(" balance ") == 28
    told = ledger.state_balances(STATED)
    assert [each.amount for each in told[-3:]] == [CHARGES[12].amount + 10, 10, 10]
    assert ledger.state_balances(told) == told
    assert errors(books) == []


def test_a_month_that_is_repeated_reads_no_other(
    books: Path, loads: list[tuple[str, ...] | None]
) -> None:
    ledger = opened(books)
    ledger.write_cash([CHARGES[3], PAYOUTS[3]])
    ledger.write_statements([STATEMENTS[3]])
    assert None not in loads
    assert {month for load in loads if load for month in load} <= {"2026-02", "2026-03"}


def test_a_failure_of_a_failure_is_found_with_its_payment_in_whatever_month(books: Path) -> None:
    ledger = opened(books)
    first = taken_back(PAYMENTS[2], date(2026, 5, 20))
    again = replace(
        PAYMENTS[2],
        ref=f"{first.ref}:undone",
        method=first.method,
        date=date(2026, 8, 20),
        undoes=first.ref,
    )
    ledger.settle([first])
    ledger.settle([again])
    for reader in (ledger, opened(books)):
        (held,) = reader.read_cash([CHARGES[2].ref])
        whole = next(each for each in reader.read_cash() if each.ref == CHARGES[2].ref)
        assert held == whole
    assert sum(each.residual for each in ledger.outstanding([date(2026, 12, 31)])[0]) == 0


# --- what a person does -----------------------------------------------------------------------

EDITS: dict[str, tuple[str, str]] = {
    "the day": ('2026-04-05 * "charge', '2026-04-06 * "charge'),
    "the narration": ('"charge txn_4"', '"charge txn_5"'),
    "the kind": ('kind: "charge"', 'kind: "fee"'),
    "a kind that is none": ('kind: "charge"', 'kind: "gift"'),
    "its own day": ('transaction_date: "2026-04-05"', 'transaction_date: "2026-04-04"'),
    "its own day to none": ('transaction_date: "2026-04-05"', 'transaction_date: "soon"'),
    "a label": ('label: "charge: tax"', 'label: "tax"'),
    "a label away": ('\n    label: "charge: tax"', ""),
    "a key": ('meets: "stripe:acct_nexacloud:inpay_in_4"', 'meets: "stripe:acct_nexacloud:x"'),
    "an account": ("Expenses:551400-", "Expenses:551200-NexaCloud-Chargeback-Loss ; "),
    "the bank account": (
        "Assets:111320-NexaCloud-Stripe-Balance",
        "Assets:111323-NexaCloud-Payouts-in-Transit",
    ),
    "two lines more": (
        '    label: "charge: tax"',
        '    label: "charge: tax"\n  Assets:111320-NexaCloud-Stripe-Balance  1.00 USD\n'
        "  Equity:311900-NexaCloud-Opening-Balance  -1.00 USD",
    ),
    "a line's currency": (
        "  Assets:118310-NexaCloud-Tax-on-Processing-Fees  0.43 CAD",
        "  Assets:118310-NexaCloud-Tax-on-Processing-Fees  0.30 USD @@ 0.43 CAD",
    ),
}


@pytest.mark.parametrize(("before", "after"), EDITS.values(), ids=EDITS.keys())
def test_whatever_a_person_changes_of_an_entry_shows(books: Path, before: str, after: str) -> None:
    month = journal(books, 4)
    entries = month.read_text().split("\n\n")
    (place,) = (n for n, each in enumerate(entries) if f'"{CHARGES[4].ref}"' in each)
    assert before in entries[place]
    entries[place] = entries[place].replace(before, after, 1)
    month.write_text("\n\n".join(entries))
    ledger = opened(books)
    (held,) = ledger.read_cash([CHARGES[4].ref])
    assert held.stored_hash == CHARGES[4].content_hash
    assert held.entry.content_hash != held.stored_hash
    # It is found, and left alone.
    assert ledger.write_cash([CHARGES[4]]) == (held,)


@pytest.mark.parametrize(("flag", "state"), [("!", MoveState.DRAFT), ("Q", MoveState.CANCELLED)])
def test_an_entry_that_a_person_set_aside_counts_no_more(
    books: Path, flag: str, state: MoveState
) -> None:
    rewrite(journal(books, 4), '* "charge txn_4"', f'{flag} "charge txn_4"')
    ledger = opened(books)
    (held,) = ledger.read_cash([CHARGES[4].ref])
    assert (held.state, held.entry, held.open) == (state, CHARGES[4], ())
    assert [each.ref for each in ledger.outstanding([date(2026, 12, 31)])[0]] == [PAYMENTS[4].ref]
    assert balances(ledger)[OUTSTANDING, "CAD"] == PAYMENTS[4].amount
    (statement,) = ledger.read_statements([STATEMENTS[4].ref])
    assert (statement.statement, statement.is_valid) == (STATEMENTS[4], False)
    told = ledger.state_balances(STATED)
    assert told[-1].amount == -CHARGES[4].amount


def test_an_entry_that_a_person_took_out_of_its_statement_leaves_it_incomplete(
    books: Path,
) -> None:
    rewrite(journal(books, 4), f'  statement: "{STATEMENTS[4].ref}"\n', "")
    ledger = opened(books)
    (found,) = ledger.read_statements([STATEMENTS[4].ref])
    assert len(found.statement.entries) == 1
    assert not found.is_valid
    assert found.statement.content_hash != found.stored_hash
    assert ledger.write_statements([STATEMENTS[4]]) == (found,)


def test_a_person_closes_what_is_open_by_its_key(ledger: BeancountLedger, tmp_path: Path) -> None:
    invoice = an_invoice("in_1")
    payment = a_settlement(invoice)
    written(ledger, invoice)
    ledger.settle([payment])
    with journal(tmp_path / "new", 4).open("a") as april:
        april.write(
            '\n2026-04-20 * "never arrived"\n  Expenses:551100-NexaCloud-Bad-Debt  226.00 CAD\n'
            "  Assets:111321-NexaCloud-Stripe-Outstanding-Receipts  -226.00 CAD\n"
            f'    meets: "{payment.ref}"\n'
        )
    assert [each.residual for each in ledger.outstanding([date(2026, 4, 19)])[0]] == [22600]
    assert ledger.outstanding([date(2026, 4, 20)])[0] == ()


# --- amounts in another currency --------------------------------------------------------------


def a_usd_line(amount: int, original: int) -> CashEntry:
    """An entry of one line that was paid in USD."""
    line = a_cash_line(amount, original=original, original_currency="USD")
    return a_cash_entry(f"txn_{amount}_{original}", line)


@pytest.mark.parametrize(
    ("amount", "original"),
    [(-1, -1), (0, -1), (0, 0), (-1, -(10**9)), (-(10**9), -1), (-(10**9), -333333333), (7, 3)],
)
def test_any_amount_at_any_rate_is_read_back_to_the_minor_unit(
    ledger: BeancountLedger, amount: int, original: int, tmp_path: Path
) -> None:
    entry = a_usd_line(amount, original)
    (held,) = ledger.write_cash([entry])
    assert held.entry == entry
    assert balances(ledger) == expected_cash([entry])
    assert errors(tmp_path / "new") == []


def test_an_entry_that_beancount_cannot_hold_is_refused_beside_the_others(
    ledger: BeancountLedger,
) -> None:
    good, turned, nothing = a_usd_line(-5, -4), a_usd_line(-5, 4), a_usd_line(-5, 0)
    with pytest.raises(EntriesRefused) as refused:
        ledger.write_cash([turned, good, nothing])
    assert [each.ref for each in refused.value.refusals] == [turned.ref, nothing.ref]
    assert [each.ref for each in ledger.read_cash()] == [good.ref]


# --- crashes ----------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


FRESH = [
    a_cash_entry(
        f"txn_fresh_{month}", a_cash_line(-100, PENDING), *fees(30, 4), day=date(2026, month, 20)
    )
    for month in (7, 9, 11)
]
FRESH_STATEMENTS: list[CashStatement] = [
    a_statement(FRESH[:2], "po_fresh_1"),
    replace(a_statement(FRESH[2:], "po_fresh_2", opening=132), closing=198),
]
ENDS = [CashBalance(currency="CAD", date=date(2026, month, 28), amount=0) for month in (6, 9, 12)]


def acted(ledger: BeancountLedger) -> None:
    """Three months' entries, two statements over them and the balances that follow, as a run does."""
    ledger.write_cash(FRESH)
    ledger.write_statements(FRESH_STATEMENTS)
    ledger.state_balances(ledger.state_balances(ENDS))


def test_a_process_killed_at_any_rename_leaves_books_that_the_rerun_completes(
    ledger: BeancountLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The balances of before are stated: the first entries take them away.
    assert ledger.state_balances(ENDS) == tuple(ENDS)
    renamed, stop, finished = os.replace, 0, False
    while not finished:
        books = Path(shutil.copytree(tmp_path / "new", tmp_path / f"killed_{stop}"))
        left = stop

        def rename(*paths: Path) -> None:
            nonlocal left
            if not left:
                raise Killed
            left -= 1
            renamed(*paths)

        with monkeypatch.context() as patched, suppress(Killed):
            patched.setattr(beancount_books.os, "replace", rename)
            acted(opened(books))
            finished = True
        stop += 1
        opened(books).read_cash()
        acted(opened(books))
        assert errors(books) == []
        again = opened(books)
        assert [each.entry for each in again.read_cash()] == FRESH
        held = again.read_statements()
        assert [each.statement for each in held] == FRESH_STATEMENTS
        assert all(each.is_valid for each in held)
        assert [each.amount for each in again.state_balances(ENDS)] == [0, 132, 198]
    # Three files for the entries and one for a stale balance, three and two for the statements, two to state.
    assert stop - 1 == 3 + 1 + 3 + 2 + 2
