"""A document of the report is found at its source and in the ledger, where somebody said where."""

from dataclasses import replace
from typing import Any, cast

import pytest

from fcb_pipelines.core.close.booked import booked
from fcb_pipelines.core.close.links import Pages, entries_found_at, found_at
from fcb_pipelines.core.close.shapes import Document
from fcb_pipelines.core.ledger.moves import LedgerState
from fcb_pipelines_tests.documents import an_invoice
from fcb_pipelines_tests.facts import a_move

MOVE = a_move(an_invoice(), ledger_number="INV/2026/00005")
DASHBOARD = "https://dashboard.example/{kind}/{id}"
STRIPE = {"stripe:acct_nexacloud": DASHBOARD}


def found(
    pages: Pages,
    ref: str = MOVE.ref,
    kind: str = "invoice",
    posted: bool = True,
    reason: str | None = None,
) -> Any:
    document = cast(Document, {"ref": ref, "kind": kind, "reason": reason})
    return found_at([document], {MOVE.ref: MOVE} if posted else {}, pages).get(ref)


@pytest.mark.parametrize(
    ("ref", "kind", "sources", "url"),
    [
        (MOVE.ref, "invoice", STRIPE, "https://dashboard.example/invoices/in_1"),
        (MOVE.ref, "credit_note", STRIPE, "https://dashboard.example/credit_notes/in_1"),
        ("lago:acme:4b2c", "invoice", STRIPE, None),
        ("lago:acme:4b2c", "invoice", {"lago:acme": "https://l.example/{id}"}, "https://l.example/4b2c"),
        ("lago:acme:a/b?c{kind}", "invoice", {"lago:acme": "https://l.example/{id}"}, "https://l.example/a%2Fb%3Fc%7Bkind%7D"),
    ],
)  # fmt: skip
def test_the_page_at_the_source_is_the_template_of_its_service(
    ref: str, kind: str, sources: dict[str, str], url: str | None
) -> None:
    at = found(Pages(sources=sources), ref, kind)
    assert (at["source_url"] if at else None) == url


def test_s11_a_payment_without_its_invoice_has_no_page_of_an_invoice() -> None:
    pages = Pages(sources={"lago:acme": "https://l.example/invoice/{id}"})
    held: dict[str, Any] = {"posted": False, "reason": "payment_without_invoice"}
    assert found(pages, "lago:acme:p-1", **held) is None
    assert found(pages, "lago:acme:p-1", posted=False) is not None


def test_the_move_is_linked_by_its_id_where_the_books_are_odoos() -> None:
    at = found(Pages(odoo="https://odoo.example"))
    assert at["ledger_url"] == "https://odoo.example/odoo/account.move/7"
    assert found(Pages())["ledger_url"] is None
    assert found(Pages())["ledger_number"] == "INV/2026/00005"


def test_a_document_that_is_nowhere_is_left_out() -> None:
    assert found(Pages(odoo="https://odoo.example"), posted=False) is None


def test_an_open_document_of_another_month_is_found_by_its_entry() -> None:
    (entry,) = booked(LedgerState(ref=MOVE.ref, move=MOVE))
    payment = replace(entry, part="payment")
    pages = Pages(sources=STRIPE, odoo="https://odoo.example")
    of_month = found(pages)
    assert entries_found_at([entry, payment], {MOVE.ref}, pages) == {MOVE.ref: of_month}
    assert entries_found_at([entry], (), pages) == {}
    assert entries_found_at([payment], {MOVE.ref}, pages) == {}
