"""Confirmed payments whose invoice their source does not list, through the whole graph (S11)."""

import json
from typing import Any

from fcb_pipelines_tests.defs.world import World, document, failed
from fcb_pipelines_tests.source_shapes import lago_payment

GONE = "00000000-0000-4000-8000-00000000dead"


def a_payment(name: str, customer: str, **fields: Any) -> dict[str, Any]:
    made = lago_payment(
        f"00000000-0000-4000-8000-0000000000{name}", GONE, "GONE-1", 777,
        created_at="2026-04-20T16:00:00Z", provider_payment_id=f"pi_{name}", external_customer_id=customer,
    )  # fmt: skip
    return {**made, **fields}


def test_a_payment_of_an_invoice_that_lago_does_not_list_is_listed_until_lago_lists_it(
    closed: World,
) -> None:
    before = closed.status()
    with closed.objects("lago/invoices") as invoices:
        ours = next(one for one in invoices if one["number"] == "NEX-2026-0001")
    customer = ours["customer"]["external_id"]
    with closed.objects("lago/payments") as payments:
        payments += [
            a_payment("01", customer),
            a_payment("02", customer, invoice_ids=[], invoice_numbers=[]),
            a_payment("03", "a customer of another service"),
            a_payment("04", customer, payment_status="failed"),
        ]
    books = closed.books_text()
    status = closed.again()
    for number, named in (
        ("pi_01", "is for GONE-1, which its source does not list"),
        ("pi_02", "names no invoice"),
    ):
        one = document(status, number)
        assert (one["disposition"], one["reason"]) == ("hold", "payment_without_invoice")
        assert one["detail"] == f"a payment of 7.77 CAD {named}"
        assert (one["period"], one["exceptions"]) == ("2026-04", ["cash_without_document"])
        assert [(each["amount"], each["why"]) for each in one["listed"]] == [
            (777, "cash_without_document")
        ]
    assert status["gates"]["nothing_is_lost"] == status["gates"]["cash_without_document"] == "warn"
    assert status["amounts"]["CAD"]["cash"]["listed"] == (
        before["amounts"]["CAD"]["cash"]["listed"] + 2 * 777
    )
    numbers = {each["number"] for each in status["documents"]}
    assert not {"pi_03", "pi_04"} & numbers
    assert status["other_service"] == before["other_service"] + 1
    assert failed(status) == failed(before)
    report = json.loads((closed.found.data_home / "reports" / "2026-04.json").read_text("utf-8"))
    assert {"pi_01", "pi_02"} <= {each["number"] for each in report["documents"]}
    assert closed.books_text() == books

    # A person at Lago says that it was for an invoice, or Lago lists its invoice after all.
    with closed.objects("lago/payments") as payments:
        for one in payments:
            if one["provider_payment_id"] in ("pi_01", "pi_02"):
                one.update(invoice_ids=[ours["lago_id"]], invoice_numbers=[ours["number"]])
    again = closed.again()
    assert not {"pi_01", "pi_02"} & {each["number"] for each in again["documents"]}
    assert failed(again) == failed(before)
