"""Books of many months: a call reads those it needs, and says what the whole would say."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fcb_pipelines.connectors.beancount import index as beancount_index
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.failures import ContractBreach, NotAllowed
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines_tests.documents import (
    SETTINGS,
    a_credit_note,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.ledgers import balances, residual, written

MONTHS = range(1, 13)
INVOICES = {month: an_invoice(f"in_{month}", day=date(2026, month, 5)) for month in MONTHS}
PAYMENTS = [a_settlement(invoice) for invoice in INVOICES.values()]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books with an invoice in each month of a year, posted and paid."""
    folder = tmp_path_factory.mktemp("year")
    ledger = BeancountLedger(folder, SETTINGS)
    ledger.setup()
    ledger.upsert_partners([a_partner()])
    written(ledger, *INVOICES.values())
    ledger.settle(PAYMENTS)
    return folder


@pytest.fixture
def books(year: Path, tmp_path: Path) -> Path:
    """The folder of such books."""
    copy = tmp_path / "books"
    subprocess.run(["cp", "-rp", year, copy], check=True)
    return copy


def opened(books: Path) -> BeancountLedger:
    """The books as another process opens them."""
    return BeancountLedger(books, SETTINGS)


def journal(books: Path, month: int) -> Path:
    """The file of a month."""
    return books / "journal" / f"2026-{month:02}.beancount"


def entry(books: Path, month: int, ref: str) -> str:
    """The text of one entry."""
    entries = journal(books, month).read_text().strip("\n").split("\n\n")
    (found,) = (each for each in entries if f'external_id: "{ref}"' in each)
    return found


def move_entry(books: Path, ref: str, month: int, to: int | None) -> None:
    """Take an entry out of a month's file, as a person does, and put it into another's."""
    found = entry(books, month, ref)
    source = journal(books, month)
    source.write_text(source.read_text().replace(found, ""))
    if to is not None:
        journal(books, to).write_text(f"{journal(books, to).read_text()}\n\n{found}\n")


# --- what is read -----------------------------------------------------------------------------


def test_a_month_is_written_and_read_back_without_the_others(
    books: Path, loads: list[tuple[str, ...] | None]
) -> None:
    ledger, late = opened(books), an_invoice("in_late", day=date(2026, 7, 20))
    ledger.describe()
    written(ledger, late)
    ledger.settle([a_settlement(late)])
    assert residual(ledger, late) == 0
    assert {*loads} == {(), ("2026-07",)}


def test_what_was_read_is_not_read_again_before_a_file_changes(
    books: Path, loads: list[tuple[str, ...] | None]
) -> None:
    ledger, ref = opened(books), INVOICES[7].ref
    for _ in range(3):
        ledger.read_moves([ref])
        ledger.read_settlements([], of=[ref])
    assert loads == [("2026-07",)]
    journal(books, 3).write_text(journal(books, 3).read_text() + "\n; by hand\n")
    ledger.read_moves([ref])
    assert loads == [("2026-07",)]
    journal(books, 7).write_text(journal(books, 7).read_text() + "\n; by hand\n")
    ledger.read_moves([ref])
    assert loads == [("2026-07",), ("2026-07",)]


def test_all_that_is_matched_with_a_payment_is_read_with_it(books: Path) -> None:
    ledger = opened(books)
    note = a_credit_note("cn_1", a_line(4000), day=date(2026, 1, 9))
    debt = an_invoice("in_debt", day=date(2026, 2, 9))
    payment = a_settlement(debt, day=date(2026, 4, 9))
    allocation = a_settlement(
        debt,
        note.total,
        name="alloc",
        day=date(2026, 3, 9),
        method=Method.CREDIT_NOTE,
        drawn_on=note.ref,
    )
    written(ledger, note, debt)
    ledger.settle([allocation, payment])
    # The note takes what it allocates before the payment, though nothing names both.
    (found,) = opened(books).read_settlements([payment.ref])
    assert found.reconciled == debt.total - note.total
    journal(books, 1).write_text(
        journal(books, 1).read_text().replace('* "Maple Bakery Inc." "NC-cn', '! "M" "NC-cn')
    )
    for reader in (ledger, opened(books)):
        (found,) = reader.read_settlements([payment.ref])
        assert found.reconciled == debt.total


def test_an_error_of_another_month_is_found_when_the_whole_is_read(books: Path) -> None:
    text = journal(books, 2).read_text()
    journal(books, 2).write_text(text.replace("226.00 CAD", "227.00 CAD", 1))
    ledger = opened(books)
    written(ledger, an_invoice("in_new", day=date(2026, 9, 9)))
    for call in (ledger.list_moves, ledger.read_moves, ledger.trial_balance):
        with pytest.raises(ContractBreach, match=r"2026-02\.beancount:\d+ .*does not balance"):
            call()


# --- what a person does -----------------------------------------------------------------------


def test_an_entry_that_a_person_moved_to_another_file_is_found_there(books: Path) -> None:
    ledger, moved = opened(books), INVOICES[3]
    before = ledger.read_moves([moved.ref])
    move_entry(books, moved.ref, 3, to=8)
    for reader in (ledger, opened(books)):
        assert reader.read_moves([moved.ref]) == before
    written(ledger, moved)
    assert f'external_id: "{moved.ref}"' not in journal(books, 3).read_text()
    assert balances(ledger) == expected_balances(INVOICES.values(), PAYMENTS)


def test_an_entry_that_a_person_deleted_is_absent(books: Path) -> None:
    ledger, gone = opened(books), INVOICES[3]
    assert len(ledger.read_moves([gone.ref])) == 1
    move_entry(books, gone.ref, 3, to=None)
    for reader in (ledger, opened(books)):
        assert reader.read_moves([gone.ref]) == ()


def test_an_entry_that_a_person_changed_is_read_as_changed(books: Path) -> None:
    ledger, edited = opened(books), INVOICES[3]
    (before,) = ledger.read_moves([edited.ref])
    text = journal(books, 3).read_text()
    journal(books, 3).write_text(text.replace('number: "NC-in_3"', 'number: "X"'))
    (after,) = ledger.read_moves([edited.ref])
    assert after.document == replace(before.document, number="X")


def test_an_id_that_a_person_copied_to_another_file_is_refused(books: Path) -> None:
    copied = INVOICES[3]
    journal(books, 8).write_text(
        f"{journal(books, 8).read_text()}\n\n{entry(books, 3, copied.ref)}\n"
    )
    for call in (
        lambda: opened(books).read_moves([copied.ref]),
        lambda: opened(books).write_drafts([copied]),
    ):
        with pytest.raises(ContractBreach, match="is used twice"):
            call()


def test_a_lock_that_a_person_wrote_in_a_month_holds_for_all(books: Path) -> None:
    with journal(books, 12).open("a") as december:
        december.write('\n2026-06-30 custom "lock_date" "all"\n')
    ledger = opened(books)
    assert ledger.describe().invoice_lock == date(2026, 6, 30)
    with pytest.raises(NotAllowed, match="2026-06-30"):
        ledger.write_drafts([an_invoice("in_new", day=date(2026, 6, 9))])


def test_an_account_that_a_person_opened_in_a_month_is_open_in_all(books: Path) -> None:
    with journal(books, 1).open("a") as january:
        january.write("\n2026-01-01 open Assets:Cash\n")
    text = journal(books, 9).read_text()
    journal(books, 9).write_text(text.replace("Assets:111321-Stripe", "Assets:Cash ; Stripe"))
    ref = INVOICES[9].ref
    assert opened(books).read_moves([ref]) == opened(books).read_moves()[8:9]


def test_a_balance_that_a_person_asserted_is_checked_before_a_write(
    books: Path, loads: list[tuple[str, ...] | None]
) -> None:
    with journal(books, 12).open("a") as december:
        december.write("\n2026-12-31 balance Assets:112110-Trade-Accounts-Receivable  0.00 CAD\n")
    ledger, late = opened(books), an_invoice("in_late", day=date(2026, 3, 20))
    with pytest.raises(ContractBreach, match="Balance failed"):
        ledger.write_drafts([late])
    assert {*loads} == {None}
    assert "in_late" not in journal(books, 3).read_text()


# --- the index --------------------------------------------------------------------------------


def make_older(index: Path) -> None:
    """An index with other tables, of another version."""
    index.unlink()
    with sqlite3.connect(index) as other:
        other.execute("create table file (path text)")
        other.execute("pragma user_version = 99")
    other.close()


SPOILED: dict[str, Callable[[Path], object]] = {
    "gone": lambda index: index.unlink(),
    "no index at all": lambda index: index.write_text("; a person wrote here\n" * 99),
    "cut": lambda index: index.write_bytes(index.read_bytes()[:9000]),
    "empty": lambda index: index.write_bytes(b""),
    "of another version": make_older,
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_an_index_that_is_spoiled_changes_no_answer(
    books: Path, spoil: Callable[[Path], object], loads: list[tuple[str, ...] | None]
) -> None:
    refs = [INVOICES[month].ref for month in (2, 5)]
    before = opened(books).read_moves(refs)
    spoil(books / beancount_index.FILE)
    assert opened(books).read_moves(refs) == before
    written(opened(books), an_invoice("in_new", day=date(2026, 5, 9)))
    loads.clear()
    assert opened(books).read_moves(refs) == before
    assert loads == [("2026-02", "2026-05")]


def test_where_no_index_can_be_kept_the_whole_is_read(
    books: Path, monkeypatch: pytest.MonkeyPatch, loads: list[tuple[str, ...] | None]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    before = opened(books).read_moves([INVOICES[2].ref])
    loads.clear()
    with monkeypatch.context() as patched:
        patched.setattr(beancount_index.sqlite3, "connect", refuse)
        ledger = opened(books)
        assert ledger.read_moves([INVOICES[2].ref]) == before
        written(ledger, an_invoice("in_new", day=date(2026, 5, 9)))
    assert {*loads} == {None}
    assert len(opened(books).read_moves()) == len(INVOICES) + 1


# --- crashes, processes, threads --------------------------------------------------------------

DIES = """
import os, sys
from pathlib import Path
from fcb_pipelines_tests.connectors.beancount.test_parts import acted
replaced, left = os.replace, int(sys.argv[2])
def replace(*paths):
    global left
    if not left:
        os._exit(9)
    left -= 1
    replaced(*paths)
os.replace = replace
acted(Path(sys.argv[1]))
"""
SPREAD = [an_invoice(f"in_spread_{month}", day=date(2026, month, 20)) for month in (2, 4, 6)]
CHANGED = [replace(each, date=each.date.replace(month=each.date.month + 1)) for each in SPREAD]


def acted(books: Path) -> None:
    """Drafts in three months, rebuilt in the months after, posted and paid in one call each."""
    ledger = opened(books)
    ledger.write_drafts(SPREAD)
    drafts = {each.ref for each in ledger.read_moves() if each.state is MoveState.DRAFT}
    ledger.write_drafts(CHANGED, replace=drafts)
    ledger.post([each.ref for each in CHANGED])
    ledger.settle([a_settlement(each) for each in CHANGED])


@pytest.mark.parametrize("renames", range(16))
def test_a_process_killed_at_any_rename_leaves_books_that_the_rerun_completes(
    books: Path, renames: int
) -> None:
    killed = subprocess.run([sys.executable, "-c", DIES, str(books), str(renames)], check=False)
    # Three files for the drafts, six for those rebuilt, three to post, three to pay.
    assert killed.returncode == (9 if renames < 15 else 0)
    opened(books).read_moves()
    acted(books)
    documents = [*INVOICES.values(), *CHANGED]
    ledger = opened(books)
    found = {move.ref: move.document.content_hash for move in ledger.read_moves()}
    assert found == {each.ref: each.content_hash for each in documents}
    payments = [*PAYMENTS, *map(a_settlement, CHANGED)]
    assert {each.ref for each in ledger.read_settlements()} == {each.ref for each in payments}
    assert balances(ledger) == expected_balances(documents, payments)


def test_a_month_that_another_process_wrote_does_not_stop_a_write_to_this(books: Path) -> None:
    one, other = opened(books), opened(books)
    one.write_drafts(SPREAD[:1])
    other.write_drafts(SPREAD[2:])
    one.post([SPREAD[0].ref])
    assert [each.state for each in other.read_moves([SPREAD[0].ref])] == [MoveState.POSTED]


def test_another_process_is_seen_at_once(books: Path) -> None:
    one, other = opened(books), opened(books)
    assert one.read_moves([SPREAD[0].ref]) == ()
    other.write_drafts(SPREAD)
    assert [each.state for each in one.read_moves([SPREAD[0].ref])] == [MoveState.DRAFT]
    other.post([SPREAD[0].ref])
    assert [each.state for each in one.read_moves([SPREAD[0].ref])] == [MoveState.POSTED]


def test_threads_share_one_ledger(books: Path) -> None:
    ledger = opened(books)

    def work(month: int) -> int:
        mine = an_invoice(f"in_thread_{month}", day=date(2026, month, 25))
        written(ledger, mine)
        ledger.settle([a_settlement(mine)])
        return residual(ledger, mine) + residual(ledger, INVOICES[month])

    with ThreadPoolExecutor(6) as threads:
        assert {*threads.map(work, MONTHS)} == {0}
    assert len(ledger.list_moves()) == 2 * len(INVOICES)


def test_the_index_is_for_its_owner_only(books: Path) -> None:
    opened(books).read_moves([INVOICES[1].ref])
    assert os.stat(books / beancount_index.FILE).st_mode & 0o077 == 0
