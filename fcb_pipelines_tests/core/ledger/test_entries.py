"""A content hash changes with everything that counts, and with nothing else."""

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.ledger.entries import (
    DocumentLine,
    DocumentTax,
    LedgerDocument,
    Settlement,
    taxes_on,
)
from fcb_pipelines_tests.documents import a_line, a_settlement, an_invoice

DOCUMENT = an_invoice("in_1", a_line(), a_line(1000))

HEADER: dict[str, Any] = {
    "ref": "stripe:acct_nexacloud:in_2",
    "kind": Kind.CREDIT_NOTE,
    "number": "another",
    "date": date(2026, 4, 4),
    "currency": "USD",
    "partner": "nexacloud:someone",
    "lines": (DOCUMENT.lines[0],),
    "taxes": (replace(DOCUMENT.taxes[0], amount=1),),
    "nexacloud_invoice_id": "inv-9",
    "stripe_invoice_id": "in_9",
}
LINE: dict[str, Any] = {
    "description": "another",
    "quantity": Decimal(2),
    "unit_price": Decimal("1.00"),
    "net": 19999,
    "account": "411320",
    "taxes": (),
}
SETTLEMENT: dict[str, Any] = {
    "ref": "another",
    "document": "another",
    "kind": Kind.CREDIT_NOTE,
    "partner": "another",
    "method": Method.CUSTOMER_BALANCE,
    "date": date(2026, 4, 4),
    "amount": 1,
    "currency": "USD",
    "memo": "pi_9",
    "drawn_on": "another",
    "receipt": 1,
    "undoes": "another",
}


def test_the_tables_below_name_every_field() -> None:
    assert {field.name for field in fields(LedgerDocument)} == HEADER.keys() | {
        "reverses",
        "source_hash",
    }
    assert {field.name for field in fields(DocumentLine)} == LINE.keys() | {"family", "tax"}
    assert {field.name for field in fields(Settlement)} == SETTLEMENT.keys() | {"on_account"}


@pytest.mark.parametrize("field", HEADER)
def test_a_change_of_a_document_changes_its_hash(field: str) -> None:
    assert replace(DOCUMENT, **{field: HEADER[field]}).content_hash != DOCUMENT.content_hash


@pytest.mark.parametrize("field", LINE)
def test_a_change_of_a_line_changes_the_hash(field: str) -> None:
    changed = replace(DOCUMENT.lines[1], **{field: LINE[field]})
    document = replace(DOCUMENT, lines=(DOCUMENT.lines[0], changed))
    assert document.content_hash != DOCUMENT.content_hash


@pytest.mark.parametrize("field", SETTLEMENT)
def test_a_change_of_a_settlement_changes_its_hash(field: str) -> None:
    settlement = a_settlement(DOCUMENT)
    changed = replace(settlement, **{field: SETTLEMENT[field]})
    assert changed.content_hash != settlement.content_hash


def test_what_no_ledger_answers_back_is_not_hashed() -> None:
    line = replace(DOCUMENT.lines[0], family="other", tax=1)
    lines = (line, DOCUMENT.lines[1])
    document = replace(DOCUMENT, lines=lines, reverses="another", source_hash="another")
    assert document.content_hash == DOCUMENT.content_hash
    settlement = a_settlement(DOCUMENT)
    assert replace(settlement, on_account=True).content_hash == settlement.content_hash


def test_equal_decimals_written_differently_hash_the_same() -> None:
    line = replace(DOCUMENT.lines[0], quantity=Decimal("1.00"), unit_price=Decimal("200.0"))
    document = replace(DOCUMENT, lines=(line, DOCUMENT.lines[1]))
    assert document.content_hash == DOCUMENT.content_hash


def test_a_tax_is_based_on_the_lines_that_bear_it() -> None:
    lines = [a_line(1000), a_line(500, taxes=("gst_5",)), a_line(200, taxes=("gst_5", "hst_13"))]
    assert taxes_on(iter(lines), {"hst_13": 156, "gst_5": 35, "qst": 0}) == (
        DocumentTax(key="gst_5", base=700, amount=35),
        DocumentTax(key="hst_13", base=1200, amount=156),
        DocumentTax(key="qst", base=0, amount=0),
    )
