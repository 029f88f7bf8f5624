"""The ledgers that the contract suite runs over.

The beancount case is made here. The odoo case asks for four fixtures on one fresh database copy:
`odoo_ledger` (a prepared OdooLedger), `odoo_lock` (locks every entry up to and including a date),
`odoo_take_back` (removes the matching that an allocation stands for) and `odoo_another_writes`.

The ledgers of the cash suite are of a fixture of their own, `cash_case`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.beancount.loading import journal
from fcb_pipelines.connectors.beancount.lock import BooksLock
from fcb_pipelines.connectors.ledger import Ledger, Writer
from fcb_pipelines.core.money import to_major
from fcb_pipelines_tests.cash_entries import CASH_SETTINGS, CashCase
from fcb_pipelines_tests.documents import SETTINGS, a_partner
from fcb_pipelines_tests.ledgers import Case


@pytest.fixture(params=["beancount", pytest.param("odoo", marks=pytest.mark.odoo)])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    """The ledger under test."""
    if request.param == "odoo":
        return Case(
            ledger=request.getfixturevalue("odoo_ledger"),
            lock=request.getfixturevalue("odoo_lock"),
            take_back=request.getfixturevalue("odoo_take_back"),
            another_writes=request.getfixturevalue("odoo_another_writes"),
        )
    books = tmp_path / "books"
    ledger = BeancountLedger(books, SETTINGS)
    ledger.setup()

    def take_back(ref: str) -> None:
        for month in (books / "journal").glob("*.beancount"):
            entries = month.read_text().split("\n\n")
            kept = [entry for entry in entries if f'external_id: "{ref}"' not in entry]
            month.write_text("\n\n".join(kept))

    @contextmanager
    def another_writes(name: str) -> Iterator[None]:
        other = BooksLock(books)
        other.writer = Writer(deployment="another", name=name)
        with other.held():
            yield

    return Case(
        ledger=ledger,
        lock=partial(lock, books),
        take_back=take_back,
        another_writes=another_writes,
    )


def lock(books: Path, day: date) -> None:
    """Lock books up to and including a day."""
    with (books / "main.beancount").open("a") as main:
        main.write(f'\n{day.isoformat()} custom "lock_date" "all"\n')


@pytest.fixture(params=["beancount", pytest.param("odoo", marks=pytest.mark.odoo)])
def cash_case(request: pytest.FixtureRequest, tmp_path: Path) -> CashCase:
    """The ledger under test, set up for cash."""
    if request.param == "odoo":
        case: CashCase = request.getfixturevalue("odoo_cash_case")
        return case
    books = tmp_path / "books"
    ledger = BeancountLedger(books, CASH_SETTINGS)
    ledger.setup()

    def edit(ref: str) -> None:
        for month in (books / "journal").glob("*.beancount"):
            entries = month.read_text().split("\n\n")
            changed = [
                entry.replace('    label: "', '    label: "by hand ', 1)
                if f'external_id: "{ref}"' in entry
                else entry
                for entry in entries
            ]
            month.write_text("\n\n".join(changed))

    def by_hand(day: date, amount: int) -> None:
        value = f"{to_major(amount, 'CAD')} CAD"
        with (books / journal(day)).open("a") as month:
            month.write(
                f'\n{day.isoformat()} * "by hand"\n'
                f"  Assets:111320-NexaCloud-Stripe-Balance  {value}\n"
                "  Assets:111321-NexaCloud-Stripe-Outstanding-Receipts\n"
            )

    return CashCase(ledger=ledger, lock=partial(lock, books), edit=edit, by_hand=by_hand)


@pytest.fixture
def ledger(case: Case) -> Ledger:
    """The ledger under test, with the usual partner."""
    case.ledger.upsert_partners([a_partner()])
    return case.ledger
