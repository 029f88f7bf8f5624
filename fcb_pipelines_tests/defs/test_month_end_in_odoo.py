"""docs/month-end.md, walked on a real Odoo 19, with a person's eyes on the pages between its commands.

A bookkeeper with no more than Odoo's Invoicing looks at a draft before it is posted and at the invoice with its
payment afterwards; the controller opens the close report and follows its links, as far as the run in Dagster's page.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from fcb_pipelines_tests.defs import world as _months  # noqa: F401 - the months come first

# isort: split
from fcb_pipelines.cli.dev import dagster
from fcb_pipelines.cli.work import working_in
from fcb_pipelines.sandbox import processes, state
from fcb_pipelines_tests.browser import look, look_at_terminal
from fcb_pipelines_tests.month_end import DATASET, MONTH, a_home, walk
from fcb_pipelines_tests.odoo_server import OdooBooks, OdooServer

pytestmark = [pytest.mark.odoo, pytest.mark.long]

PATIENCE = 240_000
"""Milliseconds: a fresh database compiles its page's scripts and styles first."""

STRIPE_PAGE = "https://dashboard.stripe.com/{kind}/{id}"
INVOICE, CUSTOMER = "NXC-0009", "Northern Lights Dental"


class Eyes:
    """One browser window over the sandbox under `home`; what a page complains of is in `faults`."""

    def __init__(self, browser: Browser, home: Path, dagster_port: int) -> None:
        self.home = home
        self.port = dagster_port
        self.browser = browser
        self.page = browser.new_page(viewport={"width": 1320, "height": 900})
        self.page.set_default_timeout(PATIENCE)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def see_that_nothing_is_posted(self, printed: str) -> None:
        self._report()
        expect(self.page.locator(".verdict")).to_have_text("Must not be signed")

    def see_what_waits(self, printed: str) -> None:
        look_at_terminal(self.browser, f"fcb exceptions --period {MONTH}", printed, "exceptions")

    def see_the_draft(self, printed: str) -> None:
        look_at_terminal(self.browser, f"fcb review --period {MONTH}", printed, "review")
        self._log_in()
        self._billed_by_us()
        row = self.page.locator(".o_data_row", has_text=INVOICE)
        expect(row).to_contain_text("Draft")
        row.locator("td[name=payment_reference]").click()
        expect(self.page.locator("[name=state] [aria-checked=true]")).to_have_text("Draft")
        # Its icons are letters of a font, which the server must have.
        assert self.page.evaluate("document.fonts.check('16px FontAwesome')")

    def see_the_invoices_paid(self, printed: str) -> None:
        self._billed_by_us()
        row = self.page.locator(".o_data_row", has_text=INVOICE)
        expect(row).to_contain_text("Paid")
        expect(row).to_contain_text("INV/2026/")
        look(self.page, "odoo-list", whole=False)

    def see_it_ready_and_follow_its_links(self, printed: str) -> None:
        self._report()
        expect(self.page.locator(".verdict")).to_have_text("Ready to sign")
        look(self.page, "close-report", whole=False)
        row = self.page.locator("#documents tbody tr", has_text=INVOICE)
        source, move = row.locator("a").all()
        at_source, number = source.get_attribute("href"), move.inner_text()
        move.click()
        form = self.page.locator(".o_form_view")
        expect(form.locator("[name=name]").first).to_contain_text(number)
        expect(form.locator("[name=partner_id]").first).to_contain_text(CUSTOMER)
        expect(self.page.locator("[name=state] [aria-checked=true]")).to_have_text("Posted")
        expect(self.page.locator(".o_widget_web_ribbon", has_text="Paid")).to_have_count(1)
        note = self.page.locator(".o-mail-Message", has_text="Posted by fcb_pipelines")
        links = note.locator(".o-mail-Message-body a")
        expect(links).to_have_count(2)
        at_stripe, self.run = (str(link.get_attribute("href")) for link in links.all())
        assert at_stripe.startswith(STRIPE_PAGE.partition("{")[0])
        assert at_stripe == at_source
        # Tall enough for the note below the form.
        self.page.set_viewport_size({"width": 1320, "height": 1080})
        look(self.page, "odoo-invoice", whole=False)
        self.page.locator("a[name=fcb_pipelines]").click()
        expect(form.locator("[name=x_fc_source_ref]")).to_have_text(re.compile("^stripe:"))

    def see_the_run_in_dagster(self, printed: str) -> None:
        with working_in(self._running.environment) as found, dagster(found, port=self.port):
            self.page.goto(self.run)
            expect(self.page.get_by_text("Success").first).to_be_visible()
            expect(self.page.get_by_text("post_reviewed_drafts").first).to_be_visible()
            self.page.goto(f"http://127.0.0.1:{self.port}/assets/ledger/documents?view=checks")
            expect(self.page.get_by_text("documents_balance").first).to_be_visible()
            look(self.page, "dagster-checks", whole=False)

    def _report(self) -> None:
        self.page.goto(f"file://{self.home}/{DATASET}/reports/{MONTH}.html")

    @property
    def _running(self) -> state.Running:
        found = state.read(self.home / DATASET)
        assert found is not None
        return found

    def _log_in(self) -> None:
        """As a bookkeeper, whom the administrator gives no more than Invoicing."""
        url, database = (
            self._running.environment[f"FCB_ODOO_{name}"] for name in ("URL", "DATABASE")
        )
        self.odoo = OdooBooks(url=url, database=database).as_user("invoicing")
        self.page.goto(f"{url}/web/login")
        self.page.fill("input[name=login]", self.odoo.user)
        self.page.fill("input[name=password]", self.odoo.password)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector(".o_web_client")

    def _billed_by_us(self) -> None:
        """The list of invoices, cut to ours by its filter."""
        self.page.goto(f"{self.odoo.url}/odoo/customer-invoices")
        self.page.locator(".o_searchview_dropdown_toggler").click()
        self.page.locator(".o_filter_menu .dropdown-item", has_text="Billed by fcb").first.click()
        self.page.keyboard.press("Escape")
        expect(self.page.locator(".o_searchview_facet", has_text="Billed by fcb")).to_be_visible()


def test_the_walk_on_a_real_odoo_is_seen_on_its_pages(
    odoo_server: OdooServer, browser: Browser
) -> None:
    port = processes.free_port()
    variables = {
        "FCB_LEDGER": "odoo",
        "FCB_ODOO_CACHE": str(odoo_server.folder),
        "FCB_STRIPE_DOCUMENT_URL": STRIPE_PAGE,
        "FCB_DAGSTER_URL": f"http://127.0.0.1:{port}",
    }
    with a_home(variables) as home:
        eyes = Eyes(browser, home, port)
        walk(home, after={
            "fcb sync": eyes.see_that_nothing_is_posted,
            f"fcb exceptions --period {MONTH}": eyes.see_what_waits,
            f"fcb review --period {MONTH}": eyes.see_the_draft,
            f"fcb post --period {MONTH} --approved": eyes.see_the_invoices_paid,
            f"fcb report --period {MONTH}": eyes.see_it_ready_and_follow_its_links,
            "fcb report --verify FILE.json": eyes.see_the_run_in_dagster,
        })  # fmt: skip
        assert eyes.faults == []
