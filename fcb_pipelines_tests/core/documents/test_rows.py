"""The rows are the document: nothing is lost in them, and nothing can be changed unseen."""

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from fcb_pipelines.core.codes import Kind
from fcb_pipelines.core.documents.rows import DocumentRow, to_documents, to_rows
from fcb_pipelines.core.ledger.entries import DocumentTax, LedgerDocument
from fcb_pipelines.core.proof.gate import Finding, Outcome
from fcb_pipelines.core.proof.gates import documents_balance, external_ids_unique
from fcb_pipelines_tests.documents import a_line, an_invoice
from fcb_pipelines_tests.strategies import documents

ROWS = to_rows([an_invoice("in_1", a_line(), a_line(1000), a_line(500))])

CHANGES: dict[str, Any] = {
    "ref": "stripe:acct_nexacloud:in_2",
    "line_number": 2,
    "kind": Kind.CREDIT_NOTE,
    "number": "another",
    "date": date(2026, 4, 30),
    "currency": "USD",
    "partner": "nexacloud:else",
    "nexacloud_invoice_id": "inv-9",
    "stripe_invoice_id": "in_9",
    "description": "another",
    "quantity": Decimal(2),
    "unit_price": Decimal(1),
    "net": 19999,
    "account": "411320",
    "tax_keys": (),
    "tax": 1,
    "document_lines": 2,
    "document_total": 1,
    "document_taxes": (DocumentTax(key="hst_13", base=21500, amount=1),),
    "content_hash": "0",
}


def gates(rows: tuple[DocumentRow, ...]) -> tuple[Finding, ...]:
    return external_ids_unique(rows), documents_balance(rows)


def outcomes(rows: tuple[DocumentRow, ...]) -> set[Outcome]:
    return {result.outcome for result in gates(rows)}


@given(documents())
def test_a_document_comes_back_from_its_rows(document: LedgerDocument) -> None:
    rows = to_rows([document])
    assert to_documents(reversed(rows)) == (document,)
    assert len(rows) == len(document.lines)


@given(documents())
def test_the_rows_of_any_document_balance(document: LedgerDocument) -> None:
    assert outcomes(to_rows([document])) == {Outcome.PASS}


def test_documents_come_back_in_order_of_ref() -> None:
    two = an_invoice("in_2"), an_invoice("in_1")
    assert [document.ref[-4:] for document in to_documents(to_rows(two))] == ["in_1", "in_2"]


def test_the_table_names_every_column_of_the_content() -> None:
    # A family is looked at beside its account, by `document_rules_hold`.
    beside = {"family", "reverses", "source_hash"}
    assert {field.name for field in fields(DocumentRow)} - beside == CHANGES.keys()


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("column", CHANGES)
def test_a_change_of_any_column_of_any_row_fails_a_gate(column: str, place: int) -> None:
    value = 3 if column == "line_number" and place == 1 else CHANGES[column]
    changed = replace(ROWS[place], **{column: value})
    rows = (*ROWS[:place], changed, *ROWS[place + 1 :])
    assert Outcome.FAIL in outcomes(rows)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_that_is_lost_fails_a_gate(place: int) -> None:
    assert Outcome.FAIL in outcomes((*ROWS[:place], *ROWS[place + 1 :]))


def test_a_document_that_stands_twice_fails_a_gate() -> None:
    assert external_ids_unique((*ROWS, *ROWS)).outcome is Outcome.FAIL
