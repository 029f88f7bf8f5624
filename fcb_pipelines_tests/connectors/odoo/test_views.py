"""What a bookkeeper sees of us in a real Odoo: the source's number, the page, the filters; and how that goes again."""

import re

import pytest

from fcb_pipelines.connectors.odoo import setup, views
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines_tests.documents import SETTINGS, a_partner, an_invoice
from fcb_pipelines_tests.ledgers import written
from fcb_pipelines_tests.odoo_server import OdooBooks

pytestmark = pytest.mark.odoo

WITHOUT = SETTINGS.model_copy(
    update={"odoo": SETTINGS.odoo.model_copy(update={"views": False})}, deep=True
)


def arch(books: OdooBooks, kind: str) -> str:
    """A view of customer invoices as the web page asks for it."""
    action = books.do(
        "ir.model.data", "check_object_reference", "account", "action_move_out_invoice"
    )
    (asked,) = books.do("ir.actions.act_window", "read", [action[1]], ["views"])
    own = {name: view for view, name in asked["views"]}.get(kind, False)
    found = books.do("account.move", "get_views", [[own, kind]])
    return str(found["views"][kind]["arch"])


def test_the_page_the_list_and_the_search_show_source_and_number(
    odoo_ledger: OdooLedger, prepared_books: OdooBooks
) -> None:
    assert odoo_ledger.describe().missing == ()
    assert 'name="fcb_pipelines"' in arch(prepared_books, "form")
    # Odoo's own list of customer invoices hides the payment reference; a field that is there twice hides both.
    (shown,) = re.findall(r'<field name="payment_reference"[^>]*>', arch(prepared_books, "list"))
    assert 'optional="show"' in shown
    assert 'column_invisible="False"' in shown
    assert 'name="fcb_billed"' in arch(prepared_books, "search")


def test_a_draft_is_found_by_the_number_that_its_source_gave_it(
    odoo_ledger: OdooLedger, prepared_books: OdooBooks
) -> None:
    odoo_ledger.upsert_partners([a_partner()])
    document = an_invoice()
    odoo_ledger.write_drafts([document])
    by_number = [("payment_reference", "=", document.number)]
    (draft,) = prepared_books.do("account.move", "search_read", by_number, fields=["state"])
    assert draft["state"] == "draft"
    written(odoo_ledger, document)
    (posted,) = prepared_books.do("account.move", "search_read", by_number, fields=["state"])
    assert (posted["id"], posted["state"]) == (draft["id"], "posted")
    (read_back,) = odoo_ledger.read_moves()
    assert read_back.document.content_hash == document.content_hash


def test_setup_removes_them_where_they_are_not_wanted_and_makes_them_again(
    odoo_ledger: OdooLedger, prepared_books: OdooBooks
) -> None:
    without = OdooLedger(prepared_books.connection(), WITHOUT)
    assert {part.what for part in without.describe().missing} == {"view to be removed"}
    assert {step.outcome for step in without.setup()} == {"found", "removed"}
    assert without.describe().missing == ()
    assert 'name="fcb_pipelines"' not in arch(prepared_books, "form")
    missing = odoo_ledger.describe().missing
    assert [(part.what, part.is_needed) for part in missing] == [("view", False)] * 3
    assert {step.outcome for step in odoo_ledger.setup()} == {"found", "made"}
    assert 'name="fcb_pipelines"' in arch(prepared_books, "form")


def test_a_view_that_odoo_refuses_is_told_and_everything_else_is_made(
    odoo_ledger: OdooLedger, prepared_books: OdooBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    OdooLedger(prepared_books.connection(), WITHOUT).setup()
    gone = views.View(
        key="gone_1", name="gone", inherits=("account", "view_move_form"),
        arch="<xpath expr=\"//nothing[@name='here']\" position='after'><p/></xpath>",
    )  # fmt: skip
    monkeypatch.setattr(setup, "VIEWS", (gone, *views.VIEWS))
    outcomes = {step.name: step.outcome for step in odoo_ledger.setup()}
    assert outcomes["gone"].startswith("not made: ")
    assert [outcomes[one.name] for one in views.VIEWS] == ["made"] * 3


def test_a_sales_journal_of_our_own_is_made_where_it_is_named(prepared_books: OdooBooks) -> None:
    journals = SETTINGS.journals.model_copy(
        update={"sales": type(SETTINGS.journals.sales)(code="NCINV", name="NexaCloud Invoices")}
    )
    ledger = OdooLedger(
        prepared_books.connection(), SETTINGS.model_copy(update={"journals": journals})
    )
    (missing,) = ledger.describe().missing
    assert (missing.name, missing.remedy) == ("NCINV", "fcb ledger setup")
    ledger.setup()
    assert ledger.describe().missing == ()
    ledger.upsert_partners([a_partner()])
    written(ledger, document := an_invoice())
    (move,) = prepared_books.do(
        "account.move", "search_read", [("x_fc_source_ref", "=", document.ref)], fields=["name"]
    )
    assert move["name"].startswith("NCINV/")
    # What another journal holds is found and stays.
    assert [one.ref for one in OdooLedger(prepared_books.connection(), SETTINGS).read_moves()] == [
        document.ref
    ]
