"""NexaCloud's copies as facts, each with the document that it claims."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fcb_pipelines.core.codes import Kind, Status
from fcb_pipelines.core.facts.nexacloud import NexaCloudInvoice, copies, first_claimants

EARLY, LATE = datetime(2026, 5, 16, tzinfo=UTC), datetime(2026, 5, 17, tzinfo=UTC)


def a_row(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "inv-1",
        "user_id": "user-1",
        "subscription_id": None,
        "stripe_invoice_id": "in_1",
        "invoice_number": "A-1",
        "created_at": EARLY,
        "currency": "cad",
        "status": "paid",
        "subtotal": Decimal("214.50"),
        "tax": Decimal("27.885"),
        "amount_due": Decimal("242.39"),
        "amount_paid": Decimal("242.39"),
        "paid_at": EARLY,
    }
    return row | changes


def an_item(**changes: Any) -> dict[str, Any]:
    item = {
        "id": "item-1",
        "invoice_id": "inv-1",
        "description": "Odoo ERP Hosting",
        "quantity": Decimal("2.00"),
        "unit_price": Decimal("107.25"),
        "amount": Decimal("214.50"),
    }
    return item | changes


def read(
    *rows: dict[str, Any], items: tuple[dict[str, Any], ...] = ()
) -> tuple[NexaCloudInvoice, ...]:
    return copies(rows, items, claims=lambda named: f"source:{named}" if named else None)


def test_a_row_is_told_in_minor_units_with_its_own_items_only() -> None:
    (copy,) = read(a_row(), items=(an_item(), an_item(id="item-2", invoice_id="inv-2")))
    facts = copy.facts
    assert (facts.net, facts.tax, facts.total, facts.paid) == (21450, 2789, 24239, 24239)
    assert (facts.currency, facts.status, facts.ref) == ("CAD", Status.PAID, "nexacloud:inv-1")
    assert [(line.net, line.quantity) for line in facts.lines] == [(21450, Decimal(2))]


@pytest.mark.parametrize(
    ("status", "told_as"),
    [
        ("paid", Status.PAID),
        ("PAID", Status.PAID),
        ("pending", Status.OPEN),
        ("voided", Status.VOID),
        ("refunded", Status.UNKNOWN),
    ],
)
def test_a_status_is_told_in_one_vocabulary(status: str, told_as: Status) -> None:
    (copy,) = read(a_row(status=status))
    assert (copy.facts.status, copy.facts.status_at_source) == (told_as, status)


def test_b5_a_negative_row_is_a_credit_note_with_positive_amounts() -> None:
    row = a_row(subtotal=Decimal("-10"), tax=Decimal("-1.30"), amount_paid=None)
    (copy,) = read(row, items=(an_item(amount=Decimal("-10")),))
    assert copy.facts.kind is Kind.CREDIT_NOTE
    assert (copy.facts.net, copy.facts.tax, copy.facts.total) == (1000, 130, 1130)
    assert copy.facts.lines[0].net == 1000


def test_what_is_null_counts_as_nothing() -> None:
    row = a_row(invoice_number=None, subtotal=None, tax=None, amount_paid=None)
    (copy,) = read(row, items=(an_item(description=None, quantity=None, amount=None),))
    assert (copy.facts.number, copy.facts.total, copy.facts.paid) == ("", 0, 0)
    assert copy.facts.lines[0].quantity == 1


def test_a7_the_earliest_row_owns_the_document_and_ids_break_ties() -> None:
    rows = read(
        a_row(id="inv-3", created_at=LATE),
        a_row(id="inv-2"),
        a_row(id="inv-1"),
        a_row(id="inv-0", stripe_invoice_id=None),
    )
    assert [copy.invoice_id for copy in rows] == ["inv-0", "inv-1", "inv-2", "inv-3"]
    assert first_claimants(rows[::-1])["source:in_1"].invoice_id == "inv-1"
    assert len(first_claimants(rows)) == 1
