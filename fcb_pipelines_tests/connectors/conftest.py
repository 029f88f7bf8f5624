"""The ledgers that the contract suite runs over.

The beancount case is made here. The odoo case asks for three fixtures on one fresh database copy:
`odoo_ledger` (a prepared OdooLedger), `odoo_lock` (locks every entry up to and including a date) and
`odoo_take_back` (removes the matching that an allocation stands for).
"""

from datetime import date
from pathlib import Path

import pytest

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.ledger import Ledger
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
        )
    books = tmp_path / "books"
    ledger = BeancountLedger(books, SETTINGS)
    ledger.setup()

    def lock(day: date) -> None:
        with (books / "main.beancount").open("a") as main:
            main.write(f'\n{day.isoformat()} custom "lock_date" "all"\n')

    def take_back(ref: str) -> None:
        for month in (books / "journal").glob("*.beancount"):
            entries = month.read_text().split("\n\n")
            kept = [entry for entry in entries if f'external_id: "{ref}"' not in entry]
            month.write_text("\n\n".join(kept))

    return Case(ledger=ledger, lock=lock, take_back=take_back)


@pytest.fixture
def ledger(case: Case) -> Ledger:
    """The ledger under test, with the usual partner."""
    case.ledger.upsert_partners([a_partner()])
    return case.ledger
