"""Settlements as Lago confirms them: each row changes one fact of a document."""

from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest

from fcb_pipelines.core.codes import Kind, Method, Reason, Status
from fcb_pipelines.core.facts.lago.documents import document_facts
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines_tests.small_dataset import lago_body, lago_notes
from fcb_pipelines_tests.source_shapes import Json, lago_payment


def read(body: Json) -> InvoiceFacts:
    return document_facts(body, organization="o", timezone="America/Toronto")


def summary(facts: InvoiceFacts) -> list[tuple[str, str, int]]:
    return [(s.ref.removeprefix("lago:o:"), s.method.value, s.amount) for s in facts.settlements]


def credit(amount: int, note: str = "note-1", kind: str = "credit_note") -> Json:
    return {"lago_id": f"credit-{note}", "amount_cents": amount, "amount_currency": "CAD",
            "item": {"lago_item_id": note, "type": kind, "code": None, "name": None}}  # fmt: skip


def an_invoice(lago_id: str, **fields: Any) -> Json:
    body = deepcopy(lago_body(lago_id))
    body["invoice"].update(fields)
    return body


def a_note(**fields: Any) -> Json:
    return {"credit_note": {**deepcopy(lago_notes()[0]), **fields}}


def test_s5_a_payment_of_two_invoices_is_one_receipt_that_each_draws_its_part_on() -> None:
    first, second = (read(lago_body(name)).settlements[0] for name in ("shared-1", "shared-2"))
    assert (first.drawn_on, second.drawn_on) == ("lago:o:pay-shared",) * 2
    assert (first.receipt, second.receipt) == (3390, 3390)
    assert first.amount + second.amount == 3390


def test_s4_what_is_marked_as_paid_without_a_payment_passed_lago_by() -> None:
    body = lago_body("paid") | {"payments": []}
    whole = body["invoice"]["sub_total_including_taxes_amount_cents"]
    assert summary(read(body)) == [("paid:marked_paid", "off_platform", whole)]
    unpaid = deepcopy(body)
    unpaid["invoice"].update(payment_status="pending", total_due_amount_cents=whole)
    assert summary(read(unpaid)) == []
    older = deepcopy(unpaid)
    del older["invoice"]["total_due_amount_cents"]
    assert summary(read(older)) == []
    in_part = deepcopy(unpaid)
    in_part["invoice"]["total_due_amount_cents"] = whole - 100
    assert summary(read(in_part)) == [("paid:marked_paid", "off_platform", 100)]


def test_b11_a_void_gives_the_wallet_back_what_it_took() -> None:
    fields = {"prepaid_credit_amount_cents": 500, "total_due_amount_cents": 0}
    body = an_invoice("paid", **fields) | {"payments": []}
    assert ("paid:prepaid", "prepaid_credit", 500) in summary(read(body))
    body["invoice"]["status"] = "voided"
    assert summary(read(body)) == []


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (None, [("paid:prepaid", "prepaid_credit", 500)]),
        (0, [("paid:prepaid", "prepaid_credit", 500)]),
        (200, [("paid:granted", "granted_credit", 200), ("paid:prepaid", "prepaid_credit", 300)]),
        (500, [("paid:granted", "granted_credit", 500)]),
        (900, [("paid:granted", "granted_credit", 500)]),
    ],
)
def test_s12_credit_that_was_granted_is_no_liability_that_was_bought(
    granted: int | None, expected: list[tuple[str, str, int]]
) -> None:
    fields = {"prepaid_credit_amount_cents": 500, "total_due_amount_cents": 0}
    body = an_invoice("paid", prepaid_granted_credit_amount_cents=granted, **fields)
    found = summary(read(body | {"payments": []}))
    assert [row for row in found if row[1].endswith("_credit")] == expected


def test_b11_a_note_used_on_a_later_invoice_is_allocated_to_it() -> None:
    facts = read(an_invoice("credited", credits=[credit(5000), credit(900, "cp", "coupon")]))
    rest = lago_body("credited")["invoice"]["credit_notes_amount_cents"] - 5000
    assert ("note-1:credited", "credit_note", 5000) in summary(facts)
    assert [row for row in summary(facts) if row[0] == "credited:credit_notes"] == (
        [("credited:credit_notes", "credit_note", rest)] if rest else []
    )


def test_b11_a_note_that_lago_does_not_name_draws_on_nothing() -> None:
    facts = read(an_invoice("credited", credits=[]))
    [unnamed] = [s for s in facts.settlements if s.method.value == "credit_note"]
    assert (unnamed.drawn_on, unnamed.ref) == (None, "lago:o:credited:credit_notes")


OFFSET = {"lago_id": "note-1", "lago_invoice_id": "paid", "number": "CN1",
          "issuing_date": "2026-05-05", "offset_amount_cents": 1130}  # fmt: skip


def test_a_note_set_off_is_told_alike_by_the_invoice_and_by_the_note() -> None:
    invoice = read({**an_invoice("paid"), "credit_notes": [OFFSET]})
    note = read(a_note(**OFFSET, credit_amount_cents=0))
    [by_note] = note.settlements
    assert by_note in invoice.settlements
    assert (by_note.document, by_note.drawn_on) == ("lago:o:paid", "lago:o:note-1")


USED = [{"lago_id": "later", "issuing_date": "2026-05-20", "credits": [credit(1000)]}]
NOTES = {
    "available": (a_note(), [], 1130, Status.OPEN),
    "refunded": (a_note(refund_amount_cents=1130, refund_status="succeeded", credit_amount_cents=0), [("note-1:refund", "payment", 1130)], 0, Status.OPEN),
    "refund pending": (a_note(refund_amount_cents=1130, refund_status="pending"), [], 1130, Status.OPEN),
    "used on a later invoice": ({**a_note(), "applied_on": USED}, [("note-1:later", "credit_note", 1000)], 130, Status.OPEN),
    "voided": (a_note(credit_status="voided"), [], 1130, Status.VOID),
}  # fmt: skip


@pytest.mark.parametrize("case", NOTES)
def test_a_credit_note_goes_where_lago_says(case: str) -> None:
    body, settlements, owed, status = NOTES[case]
    facts = read(body)
    assert (summary(facts), facts.owed, facts.status) == (settlements, owed, status)
    assert (facts.credits, facts.problem) == ("lago:o:coupon", None)


def test_a_note_voided_after_a_part_was_used_is_of_no_known_treatment() -> None:
    facts = read({**a_note(credit_status="voided"), "applied_on": USED})
    assert (facts.status, facts.problem) == (Status.OPEN, "treatment_unknown")


def test_s9_a_lost_dispute_is_remarked_with_what_had_been_paid() -> None:
    facts = read(an_invoice("paid", payment_dispute_lost_at="2026-05-09T12:00:00Z"))
    assert facts.remarks == ("dispute_lost",)
    assert summary(facts)[-1] == ("paid:dispute", "chargeback", -24239)
    assert facts.owed == 0


@pytest.mark.parametrize(("days", "lost"), [(-1, 0), (0, -24239), (30, -24239)])
def test_s9_what_is_paid_after_a_dispute_was_lost_is_no_part_of_its_loss(
    days: int, lost: int
) -> None:
    (paid,) = [each for each in read(an_invoice("paid")).settlements if each.method == "payment"]
    moment = f"{paid.date + timedelta(days=days)}T16:00:00Z"
    facts = read(an_invoice("paid", payment_dispute_lost_at=moment))
    found = [each.amount for each in facts.settlements if each.method == "chargeback"]
    assert (sum(found), facts.remarks) == (lost, ("dispute_lost",))


# --- payments whose invoice is not listed (S11) ---------------------------------------------------


def a_payment(*listed: str, **fields: Any) -> Json:
    own = lago_payment(
        "p-1", "gone", "GONE-1", 777, created_at="2026-05-01T02:30:00Z",
        provider_payment_id="pi_1", external_customer_id="user-1",
    )  # fmt: skip
    return {"payment": {**own, **fields}, "listed_invoices": [*listed]}


def test_s11_a_payment_whose_invoice_is_not_listed_is_cash_and_no_sale() -> None:
    facts = read(a_payment())
    assert (facts.ref, facts.kind, facts.number) == ("lago:o:p-1", Kind.INVOICE, "pi_1")
    assert (facts.total, facts.net, facts.tax, facts.lines) == (0, 0, 0, ())
    assert (facts.date, facts.currency) == (date(2026, 4, 30), "CAD")
    assert (facts.customer, facts.problem) == ("user-1", Reason.PAYMENT_WITHOUT_INVOICE)
    [settled] = facts.settlements
    assert (settled.ref, settled.document) == (facts.ref, facts.ref)
    assert (settled.method, settled.amount, settled.receipt) == (Method.PAYMENT, 777, None)


BOTH = {"invoice_ids": ["paid", "gone"], "invoice_numbers": ["NEX-1", "GONE-1"]}


@pytest.mark.parametrize(
    ("body", "method", "amount", "receipt", "named"),
    [
        (a_payment(), "payment", 777, None, "GONE-1"),
        (a_payment(type="manual"), "off_platform", 777, None, "GONE-1"),
        (a_payment(invoice_ids=[], invoice_numbers=[]), "payment", 777, None, ""),
        (a_payment(invoice_numbers=None), "payment", 777, None, "gone"),
        (a_payment("paid", **BOTH), "payment", 0, 777, "GONE-1"),
        (a_payment(amount_currency="JPY"), "payment", 777, None, "GONE-1"),
    ],
    ids=["plain", "by hand", "no invoice", "no numbers", "one of two is listed", "yen"],
)
def test_s11_the_whole_of_it_is_told_once(
    body: Json, method: str, amount: int, receipt: int | None, named: str
) -> None:
    facts = read(body)
    [settled] = facts.settlements
    assert (settled.method.value, settled.amount, settled.receipt) == (method, amount, receipt)
    assert dict(facts.metadata)["invoices"] == named
    # The receipt is one with that of the invoice that has a part of it.
    assert settled.drawn_on == (facts.ref if receipt else None)


@pytest.mark.parametrize(
    "fields", [{"payment_status": None}, {"amount_cents": "x"}, {"created_at": "2026-05-01"}]
)
def test_a_payment_that_cant_be_read_is_held_by_its_customer(fields: Json) -> None:
    facts = read(a_payment(**fields))
    assert (facts.is_unread, facts.customer) == (True, "user-1")


@pytest.mark.parametrize(
    "fields",
    [{"status": "draft"}, {"status": "pending"}, {"status": "generating"}, {"issuing_date": None}],
    ids=str,
)
def test_s11_a_payment_of_an_invoice_that_is_no_sale_yet_is_told(fields: Json) -> None:
    facts = read(an_invoice("paid", prepaid_credit_amount_cents=300, **fields))
    assert facts.date is None
    assert summary(facts) == [("pay-paid", "payment", 24239)]
