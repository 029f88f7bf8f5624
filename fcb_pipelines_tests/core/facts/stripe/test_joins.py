"""What Stripe's lists say of one another, joined to the documents it is of."""

from typing import Any

import pytest

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.stripe.joins import Related


def payment(name: str, intent: str, created: int = 1) -> Json:
    paid = {"type": "payment_intent", "payment_intent": intent}
    made = {"paid_at": created}
    return {"id": name, "created": created, "payment": paid, "status_transitions": made}


def invoice(name: str, *payments: Json) -> Json:
    return {"id": name, "payments": {"data": list(payments)}}


def refund(name: str = "re_1", intent: str = "pi_1") -> Json:
    return {"id": name, "created": 5, "payment_intent": intent, "charge": "ch_1"}


def note(name: str, of: str, *refunds: str) -> Json:
    named = [{"refund": each} for each in refunds]
    return {"id": name, "created": 6, "invoice": of, "refunds": named}


APRIL = invoice("in_april", payment("inpay_1", "pi_1", created=1))
MAY = invoice("in_may", payment("inpay_2", "pi_1", created=2))


def ids(found: dict[str, list[Json]], part: str) -> list[str]:
    return [each["id"] for each in found.get(part, ())]


@pytest.mark.parametrize("listed", [[APRIL, MAY], [MAY, APRIL]])
@pytest.mark.parametrize("part", ["refunds", "disputes"])
def test_what_befell_a_shared_payment_is_told_by_the_invoice_that_it_paid_first(
    listed: list[Json], part: str
) -> None:
    related = Related(listed, **{part: [refund()]})
    assert ids(related.of_invoice(APRIL), part) == ["re_1"]
    assert ids(related.of_invoice(MAY), part) == []
    assert ids(related.of_invoice(MAY), "shared_payments") == ["inpay_1"]


def test_a_payment_that_was_never_made_is_not_the_first() -> None:
    tried = payment("inpay_1", "pi_1", created=1) | {"status_transitions": {"paid_at": None}}
    related = Related([invoice("in_april", tried), MAY], refunds=[refund()])
    assert ids(related.of_invoice(MAY), "refunds") == ["re_1"]


@pytest.mark.parametrize("source", ["pi_1", {"id": "py_1", "payment_intent": "pi_1"}])
def test_a_failure_is_joined_by_its_charge_or_the_charges_intent(source: Any) -> None:
    back = {"id": "txn_1", "created": 7, "amount": -100, "currency": "cad", "source": source}
    [failure] = Related([APRIL], failures=[back]).of_invoice(APRIL)["failures"]
    assert {failure["charge"], failure["payment_intent"]} >= {"pi_1"}


def test_a_note_knows_that_its_invoice_is_void() -> None:
    gone = {**APRIL, "status": "void", "status_transitions": {"voided_at": 9}}
    [void] = Related([gone]).of_note(note("cn_1", "in_april"))["void_invoice"]
    assert void["status_transitions"] == {"voided_at": 9}


def test_it_is_told_with_the_notes_of_other_invoices_that_name_the_refund() -> None:
    own, others = note("cn_1", "in_april", "re_1"), note("cn_2", "in_may", "re_1", "re_2")
    related = Related([APRIL, MAY], [own, others], [refund()])
    parts = related.of_invoice(APRIL)
    assert (ids(parts, "credit_notes"), ids(parts, "refunding_notes")) == (["cn_1"], ["cn_2"])
    assert related.of_invoice(MAY).keys() == {"credit_notes", "shared_payments"}


def test_each_of_an_invoices_own_payments_has_its_refunds() -> None:
    paid_twice = invoice("in_1", payment("inpay_1", "pi_1"), payment("inpay_2", "pi_2"))
    related = Related([paid_twice], refunds=[refund("re_1"), refund("re_2", "pi_2")])
    assert ids(related.of_invoice(paid_twice), "refunds") == ["re_1", "re_2"]


def test_an_invoice_that_no_list_had_tells_what_is_known_of_its_payments() -> None:
    assert ids(Related(refunds=[refund()]).of_invoice(APRIL), "refunds") == ["re_1"]
