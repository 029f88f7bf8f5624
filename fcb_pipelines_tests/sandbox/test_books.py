"""The books open in Fava, as a person reads them."""

from pathlib import Path

import httpx
import pytest

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.sandbox.books import open_books
from fcb_pipelines.sandbox.processes import alive, stop
from fcb_pipelines_tests.documents import SETTINGS, a_partner, an_invoice


def test_fava_shows_a_draft_and_finds_no_error(tmp_path: Path) -> None:
    ledger = BeancountLedger(tmp_path, SETTINGS)
    ledger.setup()
    ledger.upsert_partners([a_partner()])
    ledger.write_drafts([an_invoice(number="NC-0042")])
    fava = open_books(ledger.main_file, read_only=True)
    try:
        books = httpx.get(fava.url, follow_redirects=True, trust_env=False).url.path.split("/")[1]
        found = httpx.get(f"{fava.url}/{books}/api/errors", trust_env=False)
        journal = httpx.get(f"{fava.url}/{books}/api/journal", trust_env=False)
    finally:
        stop(fava)
    assert not alive(fava)
    assert found.json()["data"] == []
    assert "Maple Bakery Inc." in journal.text
    assert "NC-0042 Odoo ERP Hosting - Standard" in journal.text


def test_books_that_are_not_there_name_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(NotPrepared, match="fcb ledger setup"):
        open_books(tmp_path / "main.beancount")
