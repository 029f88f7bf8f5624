"""What a bookkeeper sees in Odoo's own web page, in a real browser."""

import pytest
from playwright.sync_api import Browser, expect

from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines_tests.browser import look
from fcb_pipelines_tests.documents import a_partner, a_settlement, an_invoice
from fcb_pipelines_tests.ledgers import written
from fcb_pipelines_tests.odoo_server import OdooBooks

pytestmark = [pytest.mark.odoo, pytest.mark.long]

PATIENCE = 120_000
"""Milliseconds: a fresh database compiles its page's scripts and styles first."""


def test_an_invoice_is_found_by_its_number_and_tells_its_source(
    odoo_ledger: OdooLedger, prepared_books: OdooBooks, browser: Browser
) -> None:
    odoo_ledger.upsert_partners([a_partner()])
    document = an_invoice(number="NEX-2026-0042")
    written(odoo_ledger, document)
    odoo_ledger.settle([a_settlement(document)])
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{prepared_books.url}/web/login?db={prepared_books.database}")
    page.fill("input[name=login]", prepared_books.user)
    page.fill("input[name=password]", prepared_books.password)
    page.click("button[type=submit]")
    page.wait_for_selector(".o_web_client")
    page.goto(f"{prepared_books.url}/odoo/customer-invoices")
    row = page.locator(".o_data_row", has_text=document.number)
    expect(row).to_have_count(1, timeout=PATIENCE)
    expect(row).to_contain_text("Paid")
    look(page, "odoo-list")
    row.locator("td[name=name]").click()
    page.locator("a[name=fcb_pipelines]").click()
    expect(page.locator(".o_form_view [name=x_fc_source_ref]")).to_have_text(document.ref)
    expect(page.locator(".o_form_view [name=x_fc_content_hash]")).to_have_text(
        document.content_hash
    )
    look(page, "odoo-invoice")
    page.close()
