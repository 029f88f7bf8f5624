"""Facts whose values can be kept: each row flips one value of a sound document."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Reason
from fcb_pipelines.core.facts.model import BillTo, InvoiceFacts
from fcb_pipelines.core.facts.sound import MOST, sound
from fcb_pipelines_tests.facts import an_invoice

INVOICE = an_invoice("in_1")
[LINE, *REST] = INVOICE.lines
[TAX, *_] = INVOICE.taxes
[PAYMENT, *_] = INVOICE.settlements


def with_line(**changes: Any) -> InvoiceFacts:
    return replace(INVOICE, lines=(replace(LINE, **changes), *REST))


def test_a_sound_document_stays_what_it_is() -> None:
    assert sound(INVOICE) is INVOICE
    assert sound(replace(INVOICE, total=MOST)).total == MOST
    assert sound(replace(INVOICE, number="№ 7 \U0001f600\n")).problem is None


@pytest.mark.parametrize("odd", [
    replace(INVOICE, total=MOST + 1),
    replace(INVOICE, net=-(10**30)),
    replace(INVOICE, tax=True),
    replace(INVOICE, paid=Decimal(5)),
    replace(INVOICE, livemode=None),
    replace(INVOICE, number=7),
    replace(INVOICE, metadata=(("key", 5),)),
    replace(INVOICE, bill_to=BillTo(name=["Acme"])),
    replace(INVOICE, taxes=(replace(TAX, percentage=Decimal("NaN")),)),
    replace(INVOICE, taxes=(replace(TAX, base=2**63),)),
    replace(INVOICE, settlements=(replace(PAYMENT, receipt="5"),)),
    replace(INVOICE, settlements=(replace(PAYMENT, shares=(None,)),)),
    with_line(quantity=Decimal("Infinity")),
    with_line(quantity=Decimal("1e400")),
    with_line(unit_amount=Decimal("1e-400")),
    with_line(key=None),
    with_line(service_start="2026-04-01"),
])  # fmt: skip
def test_a_value_that_cant_be_kept_leaves_ref_kind_and_customer(odd: InvoiceFacts) -> None:
    found = sound(odd)
    assert (found.ref, found.kind, found.customer) == (INVOICE.ref, INVOICE.kind, INVOICE.customer)
    assert (found.problem, found.is_unread, found.total) == (Reason.UNREADABLE, True, 0)


@pytest.mark.parametrize(("odd", "mended"), [
    (replace(INVOICE, number="A\ud800"), replace(INVOICE, number="A\\ud800")),
    (replace(INVOICE, number="A\0"), replace(INVOICE, number="A\\x00")),
    (replace(INVOICE, bill_to=BillTo(city="\udcff")), replace(INVOICE, bill_to=BillTo(city="\\udcff"))),
    (with_line(description="\ud800"), with_line(description="\\ud800")),
    (replace(INVOICE, date=date(1, 1, 1)), replace(INVOICE, date=None)),
    (replace(INVOICE, date=date(9999, 12, 31)), replace(INVOICE, date=None)),
])  # fmt: skip
def test_an_odd_text_or_date_holds_the_document_with_its_amounts(
    odd: InvoiceFacts, mended: InvoiceFacts
) -> None:
    assert sound(odd) == replace(mended, problem=Reason.UNREADABLE)


@pytest.mark.parametrize("customer", [5, ["cus_1"], "cus\ud800"])
def test_a_customer_that_cant_be_read_is_none_or_shown(customer: Any) -> None:
    found = sound(replace(INVOICE, customer=customer, total=10**30))
    assert found.customer == ("cus\\ud800" if isinstance(customer, str) else None)


@given(st.text(st.characters(codec=None, exclude_categories=())), st.integers())
def test_whatever_it_holds_it_is_text_and_amounts_of_64_bits(text: str, amount: int) -> None:
    found = sound(replace(INVOICE, number=text, total=amount))
    assert found.number.encode().decode() == found.number
    assert "\0" not in found.number
    assert abs(found.total) < 2**63
    assert sound(found) == found
