"""Which settlements a transaction of the balance can meet: each row flips one fact of a paid invoice."""

from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.core.cash.settled import settled_cash
from fcb_pipelines.core.codes import Method, Reason
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines_tests.core.cash.values import settings
from fcb_pipelines_tests.facts import a_settlement, an_invoice

PAID = an_invoice()
OUTSIDE = replace(a_settlement(PAID.ref, 22600), method=Method.OFF_PLATFORM)
WITHOUT_INVOICE = replace(PAID, total=0, lines=(), problem=Reason.PAYMENT_WITHOUT_INVOICE)


@pytest.mark.parametrize(
    ("case", "facts", "met"),
    [
        ("paid", PAID, [22600]),
        ("held", replace(PAID, problem=Reason.LINES_DO_NOT_SUM), [22600]),
        ("paid outside", replace(PAID, settlements=(OUTSIDE,)), []),
        ("before the books begin", replace(PAID, date=date(2025, 12, 1)), []),
        ("S11 a payment whose invoice is not listed", WITHOUT_INVOICE, []),
    ],
)
def test_a_transaction_meets_what_is_booked_on_the_outstanding_account_once_its_document_is(
    case: str, facts: InvoiceFacts, met: list[int]
) -> None:
    assert [each.amount for each in settled_cash(facts, settings())] == met, case
