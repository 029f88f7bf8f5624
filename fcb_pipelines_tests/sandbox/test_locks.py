"""A dataset's locked period stands in its books as an accountant would set it."""

from datetime import date
from pathlib import Path

import pytest

from fcb_pipelines.config import environment
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.sandbox.locks import lock_books
from fcb_pipelines.sandbox.odoo import PASSWORD, USER
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.odoo_server import OdooBooks

UNTIL = date(2025, 3, 10)


def test_the_embedded_books_are_locked_once(tmp_path: Path) -> None:
    found = environment.read({"FCB_HOME": str(tmp_path), "FCB_DATASET": "locked"})
    ledger = BeancountLedger(tmp_path / "locked" / "books", SETTINGS)
    ledger.setup()
    lock_books(found, UNTIL)
    main = tmp_path / "locked" / "books" / "main.beancount"
    once = main.read_text("utf-8")
    lock_books(found, UNTIL)
    assert main.read_text("utf-8") == once
    description = ledger.describe()
    assert (description.invoice_lock, description.entry_lock) == (UNTIL, UNTIL)


@pytest.mark.odoo
def test_a_real_odoo_is_locked_and_locking_again_changes_nothing(prepared_books: OdooBooks) -> None:
    found = environment.read(
        {
            "FCB_LEDGER": "odoo",
            "FCB_ODOO_URL": prepared_books.url,
            "FCB_ODOO_DATABASE": prepared_books.database,
            "FCB_ODOO_USER": USER,
            "FCB_ODOO_PASSWORD": PASSWORD,
        }
    )
    for _ in range(2):
        lock_books(found, UNTIL)
        description = OdooLedger(prepared_books.connection(), SETTINGS).describe()
        assert (description.invoice_lock, description.entry_lock) == (UNTIL, UNTIL)
