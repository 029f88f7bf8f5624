"""Through the whole graph: settlements that no entry can be made of, beside a month of healthy ones."""

from typing import Any

from fcb_pipelines_tests.defs.world import PERIODS, World, document, failed, why

UNSUPPORTED = "settlement_unsupported"
# An invoice that is paid in dollars, and one that uses the credit of a third, which is no credit note.
DOLLARS, CREDITED, CREDIT_OF = "NXC-0004", "NEX-2026-0003", "NEX-2026-0002"
# Other invoices of their month, which are paid.
HEALTHY = ("NXC-0002", "NXC-0005", "NEX-2026-0001", CREDIT_OF)


def test_one_bad_settlement_stops_none_of_the_others_and_is_listed(fresh: World) -> None:
    with fresh.objects("lago/invoices") as invoices:
        by_number = {each["number"]: each for each in invoices}
        by_number[CREDITED]["credit_notes_amount_cents"] = 100
        by_number[CREDITED]["credits"] = [_credit_of(by_number[CREDIT_OF]["lago_id"])]
    with fresh.objects("stripe/invoices") as invoices:
        [dollars] = [each["id"] for each in invoices if each["number"] == DOLLARS]
    with fresh.objects("stripe/invoice_payments") as payments:
        [payment] = [each for each in payments if each["invoice"] == dollars]
        payment["currency"] = "usd"
    runs = [fresh.extract(), *(fresh.month(period, post=True) for period in PERIODS)]
    assert all(run.success for run in [*runs, fresh.prove()]), why(*runs)
    status = fresh.status()
    for number in (DOLLARS, CREDITED):
        assert UNSUPPORTED in document(status, number)["exceptions"]
    assert document(status, DOLLARS)["payment_state"] == "not_paid"
    for number in HEALTHY:
        found = document(status, number)
        assert (found["payment_state"], found["paid"]) == ("paid", found["total"])
    assert not any("not_written" in each["exceptions"] for each in status["documents"])
    # What can't be booked is listed, and the books are right without it.
    assert {period: failed(status, period) for period in PERIODS} == {p: set() for p in PERIODS}
    assert failed(status) == set()
    assert status["gates"]["nothing_is_lost"] == "warn"


def _credit_of(invoice: str) -> dict[str, Any]:
    """A credit of Lago's on an invoice that names an invoice where a credit note is due."""
    return {
        "lago_id": "00000000-0000-4000-8000-00000000c4ed",
        "amount_cents": 100,
        "amount_currency": "CAD",
        "before_taxes": False,
        "item": {"lago_item_id": invoice, "type": "credit_note", "code": "x", "name": "x"},
    }
