"""What Lago's lists say of one another, joined to the documents it is of."""

import pytest

from fcb_pipelines.core.facts.bodies import Json
from fcb_pipelines.core.facts.lago.joins import Related

NOTE: Json = {
    "lago_id": "note",
    "lago_invoice_id": "april",
    "offset_amount_cents": 100,
    "items": [],
}


def invoice(name: str, *notes: str, status: str = "finalized") -> Json:
    credits = [{"item": {"type": "credit_note", "lago_item_id": note}} for note in notes]
    return {
        "lago_id": name,
        "status": status,
        "number": f"N-{name}",
        "fees": [],
        "credits": credits,
    }


def ids(found: list[Json]) -> list[str]:
    return [each["lago_id"] for each in found]


def test_a_fee_is_of_the_invoice_that_it_names() -> None:
    of_april = {"lago_id": "fee", "lago_invoice_id": "april"}
    of_nothing = {"lago_id": "loose", "lago_invoice_id": None}
    related = Related(fees=[of_april, of_nothing])
    assert (ids(related.fees_of("april")), related.fees_of("may")) == (["fee"], [])


def test_a_payment_is_of_every_invoice_that_it_names() -> None:
    related = Related(payments=[{"lago_id": "both", "invoice_ids": ["april", "may"]}])
    assert ids(related.payments_of("april")) == ids(related.payments_of("may")) == ["both"]


def test_a_note_is_told_in_short_by_the_invoice_that_it_was_set_off_against() -> None:
    related = Related(notes=[NOTE, {**NOTE, "lago_id": "refunded", "offset_amount_cents": 0}])
    [note] = related.set_off_against("april")
    assert (note["lago_id"], note["offset_amount_cents"], "items" in note) == ("note", 100, False)


@pytest.mark.parametrize(("status", "used_on"), [("finalized", ["april"]), ("draft", [])])
def test_a_note_is_used_on_the_finalised_invoices_that_name_it(
    status: str, used_on: list[str]
) -> None:
    related = Related([invoice("april", "note", status=status), invoice("may")])
    assert ids(related.used_on("note")) == used_on
    assert not any("fees" in each for each in related.used_on("note"))


def test_a_coupon_that_an_invoice_used_is_no_note() -> None:
    coupon = {"item": {"type": "coupon", "lago_item_id": "note"}}
    assert Related([{**invoice("april"), "credits": [coupon]}]).used_on("note") == []


def payment(**fields: object) -> Json:
    return {"lago_id": "p", "payment_status": "succeeded", "invoice_ids": ["gone"], **fields}


@pytest.mark.parametrize(
    ("why", "given", "found"),
    [
        ("its invoice is not listed", payment(), [("p", [])]),
        ("it names no invoice", payment(invoice_ids=[]), [("p", [])]),
        ("one of two is not listed", payment(invoice_ids=["april", "gone"]), [("p", ["april"])]),
        ("its invoice is listed", payment(invoice_ids=["april"]), []),
        ("both are listed", payment(invoice_ids=["april", "may"]), []),
        ("it is under way", payment(payment_status="pending"), []),
        ("it failed", payment(payment_status="failed"), []),
        ("its status is no word", payment(payment_status=None), [("p", [])]),
        ("its invoices can't be read", payment(invoice_ids="gone"), []),
    ],
)
def test_s11_a_confirmed_payment_of_an_invoice_that_is_not_listed_is_told_apart(
    why: str, given: Json, found: list[tuple[str, list[str]]]
) -> None:
    related = Related([invoice("april"), invoice("may")], payments=[given])
    told = [(each["lago_id"], of) for each, of in related.payments_without_invoice]
    assert told == found
    assert bool(related.problems) == (why == "its invoices can't be read")
