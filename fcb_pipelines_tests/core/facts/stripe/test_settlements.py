"""Settlements as Stripe confirms them: each row changes one fact of a document of 226.00 CAD."""

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.codes import Method, Status
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.stripe.balance import balance_debt
from fcb_pipelines.core.facts.stripe.documents import document_facts
from fcb_pipelines_tests.small_dataset import stripe_body
from fcb_pipelines_tests.source_shapes import Json, stripe_credit_note, stripe_credit_note_line

# Noon in Toronto, 1 to 9 May 2026.
DAYS = {day: 1777651200 + (day - 1) * 86400 for day in range(1, 10)}
TOTAL = 24239


def read(body: Json) -> InvoiceFacts:
    return document_facts(body, account="a", timezone="America/Toronto")


def summary(facts: InvoiceFacts) -> list[tuple[str, str, int, int]]:
    """(last part of the ref, method, day of May, amount), by date."""
    return [
        (s.ref.split(":", 2)[2], s.method.value, s.date.day, s.amount) for s in facts.settlements
    ]


def an_invoice(change: Callable[[Json], None] | None = None, **joined: Any) -> Json:
    """`in_paid`, paid in full by pi_paid on 3 May, with what is joined to it."""
    body = {**deepcopy(stripe_body("in_paid")), **joined}
    [payment] = body["invoice"]["payments"]["data"]
    payment["status_transitions"]["paid_at"] = DAYS[3]
    if change:
        change(body["invoice"])
    return body


def a_note(total: int = 5000, **fields: Any) -> Json:
    line = stripe_credit_note_line("cnli_1", "Odoo ERP Hosting - Standard", total)
    note = stripe_credit_note(
        "cn_1", "in_paid", number="CN-1", customer="cus_1", lines=[line], created=DAYS[5]
    )
    return {**note, "pre_payment_amount": 0, "post_payment_amount": total, **fields}


def a_refund(amount: int = 5000, **fields: Any) -> Json:
    return {
        "id": "re_1", "amount": amount, "created": DAYS[6], "status": "succeeded",
        "payment_intent": "pi_paid", "charge": "ch_1", **fields,
    }  # fmt: skip


def names(refund: Json, amount: int | None = None) -> Json:
    amount = refund["amount"] if amount is None else amount
    return {"amount_refunded": amount, "refund": refund["id"], "type": "refund",
            "payment_record_refund": None}  # fmt: skip


def dispute(status: str) -> Json:
    return {
        "id": "dp_1", "amount": TOTAL, "created": DAYS[7], "status": status,
        "balance_transactions": [{"created": DAYS[8]}] if status == "lost" else [],
    }  # fmt: skip


def came_back(invoice: Json) -> None:
    [payment] = invoice["payments"]["data"]
    payment.update(status="canceled", amount_paid=None)
    payment["status_transitions"]["canceled_at"] = DAYS[8]
    invoice["status"] = "open"


def never_paid(invoice: Json) -> None:
    came_back(invoice)
    invoice["payments"]["data"][0]["status_transitions"]["paid_at"] = None
    invoice.update(status="open", amount_remaining=TOTAL)


def marked_paid(invoice: Json) -> None:
    invoice["payments"]["data"] = []
    invoice["status_transitions"]["paid_at"] = DAYS[3]


def paid_the_same_day(invoice: Json) -> None:
    paid_after_all(invoice)
    invoice["status_transitions"].update(marked_uncollectible_at=DAYS[3] - 3600)


def paid_in_part_after_all(invoice: Json) -> None:
    given_up(invoice)
    payment = deepcopy(stripe_body("in_paid")["invoice"]["payments"]["data"][0])
    payment["amount_paid"] = 4000
    payment["status_transitions"]["paid_at"] = DAYS[3]
    invoice["payments"]["data"] = [payment]
    invoice["amount_remaining"] = TOTAL - 4000


def void_with_balance(invoice: Json) -> None:
    invoice["payments"]["data"] = []
    invoice.update(status="void", starting_balance=-500, ending_balance=0)
    invoice["status_transitions"]["voided_at"] = DAYS[3]


def paid_anew(invoice: Json) -> None:
    came_back(invoice)
    again = deepcopy(stripe_body("in_paid")["invoice"]["payments"]["data"][0])
    again["id"] = "inpay_again"
    again["status_transitions"]["paid_at"] = DAYS[9]
    invoice["payments"]["data"].append(again)


def given_up(invoice: Json) -> None:
    invoice["status"] = "uncollectible"
    invoice["payments"]["data"] = []
    invoice["amount_remaining"] = TOTAL
    invoice["status_transitions"].update(paid_at=None, marked_uncollectible_at=DAYS[2])


def paid_after_all(invoice: Json) -> None:
    invoice["status_transitions"].update(paid_at=DAYS[3], marked_uncollectible_at=DAYS[2])


def overpaid(invoice: Json) -> None:
    invoice["amount_overpaid"] = 1000
    invoice["payments"]["data"][0]["amount_paid"] = TOTAL + 1000
    invoice["status_transitions"]["paid_at"] = DAYS[3]


PAID = ("inpay_paid", "payment", 3, TOTAL)
FAILED = ("inpay_paid:failed", "payment_failure", 8, -TOTAL)
INVOICES = {
    "S1 a payment that Stripe confirms": (an_invoice(), [PAID], (), 0),
    "S7 a payment that was paid and then canceled": (an_invoice(came_back), [PAID, FAILED], ("payment_failed",), TOTAL),
    "S7 a payment that failed by its balance transaction": (an_invoice(failures=[{"id": "txn", "created": DAYS[8], "charge": "py_1", "payment_intent": "pi_paid", "amount": -TOTAL}]), [PAID, FAILED], ("payment_failed",), TOTAL),
    "a payment that was canceled and never paid": (an_invoice(never_paid), [], (), TOTAL),
    "S3 an excess that Stripe credits to the customer": (an_invoice(overpaid), [("in_paid:overpaid", "overpayment", 3, -1000), ("inpay_paid", "payment", 3, TOTAL + 1000)], ("overpaid",), 0),
    "S6 a refund that no note names": (an_invoice(refunds=[a_refund()]), [PAID, ("re_1", "refund", 6, -5000)], ("refund_without_credit_note",), 0),
    "S6 a refund that a note names is the note's": (an_invoice(refunds=[a_refund()], credit_notes=[a_note(refunds=[names(a_refund())])]), [PAID, ("re_1", "refund", 6, 0)], (), 0),
    "S6 a refund that a note names in part stands in refunds pending": (an_invoice(refunds=[a_refund()], credit_notes=[a_note(refunds=[names(a_refund(), 2000)])]), [PAID, ("re_1", "refund", 6, -5000)], ("refund_without_credit_note",), 0),
    "S6 a refund that two notes share does so too, and is named": (an_invoice(refunds=[a_refund()], credit_notes=[a_note(refunds=[names(a_refund(), 2000)]), a_note(refunds=[names(a_refund(), 3000)])]), [PAID, ("re_1", "refund", 6, -5000)], (), 0),
    "S6 a refund that another invoice's note names": (an_invoice(refunds=[a_refund()], refunding_notes=[a_note(refunds=[names(a_refund())])]), [PAID, ("re_1", "refund", 6, 0)], (), 0),
    "S6 a void note names nothing": (an_invoice(refunds=[a_refund()], credit_notes=[a_note(status="void", refunds=[names(a_refund())])]), [PAID, ("re_1", "refund", 6, -5000)], ("refund_without_credit_note",), 0),
    "S6 a refund that is pending is no refund yet": (an_invoice(refunds=[a_refund(status="pending")]), [PAID], (), 0),
    "S6 a note that reduced what is due": (an_invoice(credit_notes=[a_note(pre_payment_amount=5000)]), [PAID, ("cn_1:in_paid", "credit_note", 5, 5000)], (), -5000),
    "S9 a dispute is listed and books nothing": (an_invoice(disputes=[dispute("needs_response")]), [PAID], ("disputed",), 0),
    "S9 a lost one has the day the money went": (an_invoice(disputes=[dispute("lost")]), [PAID, ("dp_1", "chargeback", 8, -TOTAL)], ("dispute_lost",), 0),
    "S9 a won one is over": (an_invoice(disputes=[dispute("won")]), [PAID], (), 0),
    "S8 given up": (an_invoice(given_up), [("in_paid:write_off", "write_off", 2, TOTAL)], ("uncollectible",), TOTAL),
    "S8 given up and paid after all": (an_invoice(paid_after_all), [("in_paid:write_off", "write_off", 2, TOTAL), PAID, ("inpay_paid:recovery", "recovery", 3, -TOTAL)], (), 0),
    "S8 given up and paid later that day": (an_invoice(paid_the_same_day), [("in_paid:write_off", "write_off", 3, TOTAL), PAID, ("inpay_paid:recovery", "recovery", 3, -TOTAL)], (), 0),
    "S8 given up and paid in part after all": (an_invoice(paid_in_part_after_all), [("in_paid:write_off", "write_off", 2, TOTAL), ("inpay_paid", "payment", 3, 4000), ("inpay_paid:recovery", "recovery", 3, -4000)], ("uncollectible",), TOTAL - 4000),
    "S4 paid, and by nothing that Stripe knows": (an_invoice(marked_paid), [("in_paid:off_stripe", "off_platform", 3, TOTAL)], (), 0),
    "S7 a payment that failed, and was made anew": (an_invoice(paid_anew), [PAID, FAILED, ("inpay_again", "payment", 9, TOTAL)], (), 0),
    "B9 a void gives back what the balance covered": (an_invoice(void_with_balance), [], (), TOTAL),
}  # fmt: skip


@pytest.mark.parametrize("case", INVOICES)
def test_an_invoice_is_settled_as_stripe_confirms(case: str) -> None:
    body, settlements, remarks, owed = INVOICES[case]
    facts = read(body)
    assert (summary(facts), facts.remarks, facts.owed) == (settlements, remarks, owed)
    assert facts.problem is None


def test_a_failure_names_the_payment_that_it_undoes() -> None:
    paid, failure = read(an_invoice(came_back)).settlements
    assert (failure.undoes, failure.document) == (paid.ref, paid.document)
    assert failure.date == date(2026, 5, 8)


def test_s5_a_payment_of_two_invoices_is_one_receipt_that_both_draw_on() -> None:
    other = deepcopy(stripe_body("in_paid")["invoice"]["payments"]["data"][0])
    other.update(id="inpay_other", invoice="in_other", amount_paid=1000)
    [part] = read(an_invoice(shared_payments=[other])).settlements
    assert (part.amount, part.drawn_on, part.receipt) == (TOTAL, "stripe:a:pi_paid", TOTAL + 1000)


def test_s5_a_payment_of_two_invoices_that_the_bank_took_back_fails_each_for_its_part() -> None:
    other = deepcopy(stripe_body("in_paid")["invoice"]["payments"]["data"][0])
    other.update(id="inpay_other", invoice="in_other", amount_paid=1000)
    back = {
        "id": "txn",
        "created": DAYS[8],
        "charge": "py_1",
        "payment_intent": "pi_paid",
        "amount": -TOTAL - 1000,
    }
    [part, failure] = read(an_invoice(shared_payments=[other], failures=[back])).settlements
    assert (failure.amount, failure.undoes, failure.drawn_on) == (-TOTAL, part.ref, None)


def test_s7_a_failure_in_another_currency_is_of_the_payments_own_amount() -> None:
    back = {"id": "txn", "created": DAYS[8], "charge": "py_1", "payment_intent": "pi_paid", "amount": -17_777, "currency": "usd"}  # fmt: skip
    [_, failure] = read(an_invoice(failures=[back])).settlements
    assert failure.amount == -TOTAL


def test_a3_a_credit_note_of_a_void_invoice_is_void_with_it() -> None:
    void = {"status": "void", "status_transitions": {"voided_at": DAYS[8]}}
    facts = of_note(a_note(pre_payment_amount=5000), void_invoice=[void])
    assert (facts.status, facts.voided_on) == (Status.VOID, date(2026, 5, 8))


def test_s5_another_payment_that_never_came_shares_nothing() -> None:
    other = deepcopy(stripe_body("in_paid")["invoice"]["payments"]["data"][0])
    other.update(id="inpay_other", status="open", amount_paid=None)
    other["status_transitions"] = {"paid_at": None, "canceled_at": None}
    [payment] = read(an_invoice(shared_payments=[other])).settlements
    assert payment.drawn_on is None


def of_note(note: Json, **joined: Any) -> InvoiceFacts:
    return read({"credit_note": note, "tax_rates": [], **joined})


REFUND = a_refund()
NOTES = {
    "taken off its open invoice": (of_note(a_note(pre_payment_amount=5000, post_payment_amount=0)), [("cn_1:in_paid", "credit_note", 5, 5000)], 0),
    "refunded": (of_note(a_note(refunds=[names(REFUND)]), refunds=[REFUND]), [("re_1", "payment", 6, 5000)], 0),
    "refunded, but not yet": (of_note(a_note(refunds=[names(REFUND)]), refunds=[a_refund(status="pending")]), [], 5000),
    "credited to the customer's balance": (of_note(a_note(customer_balance_transaction="cbtxn_1")), [("cn_1:balance", "customer_balance", 5, 5000)], 0),
    "settled out of band": (of_note(a_note(out_of_band_amount=5000)), [("cn_1:out_of_band", "off_platform", 5, 5000)], 0),
    "mixed: taken off, refunded, credited": (
        of_note(a_note(pre_payment_amount=2000, post_payment_amount=3000, refunds=[names(a_refund(1000))], customer_balance_transaction="cbtxn_1"), refunds=[a_refund(1000)]),
        [("cn_1:balance", "customer_balance", 5, 2000), ("cn_1:in_paid", "credit_note", 5, 2000), ("re_1", "payment", 6, 1000)], 0),
    "of nothing yet": (of_note(a_note()), [], 5000),
    "void": (of_note(a_note(status="void", refunds=[names(REFUND)]), refunds=[REFUND]), [], 5000),
}  # fmt: skip


@pytest.mark.parametrize("case", NOTES)
def test_a_credit_note_goes_where_stripe_says(case: str) -> None:
    facts, settlements, owed = NOTES[case]
    assert (summary(facts), facts.owed, facts.problem) == (settlements, owed, None)
    assert facts.credits == "stripe:a:in_paid"


def test_an_invoice_and_its_note_tell_the_same_allocation() -> None:
    note = a_note(pre_payment_amount=5000, post_payment_amount=0)
    [_, by_invoice] = read(an_invoice(credit_notes=[note])).settlements
    assert of_note(note).settlements == (by_invoice,)
    assert (by_invoice.document, by_invoice.drawn_on) == ("stripe:a:in_paid", "stripe:a:cn_1")
    assert by_invoice.method is Method.CREDIT_NOTE


@pytest.mark.parametrize(("issued", "booked"), [(5, 6), (8, 8)])
def test_a_note_takes_its_part_of_a_refund_from_refunds_pending(issued: int, booked: int) -> None:
    note = a_note(refunds=[names(REFUND, 2000)], post_payment_amount=2000)
    note["effective_at"] = DAYS[issued]
    facts = of_note(note, refunds=[REFUND])
    assert summary(facts) == [("re_1:cn_1", "pending_refund", booked, 2000)]


@pytest.mark.parametrize(
    ("line", "sold", "reverses"),
    [
        ("il_1", {"il_1": "Daily Backup", "il_2": "Managed Odoo"}, "Daily Backup"),
        (None, {"il_1": "Daily Backup"}, "Daily Backup"),
        (None, {"il_1": "Daily Backup", "il_2": "Managed Odoo"}, None),
        (None, {}, None),
    ],
)
def test_t5_a_notes_line_takes_back_a_line_of_its_invoice(
    line: str | None, sold: dict[str, str], reverses: str | None
) -> None:
    note = a_note()
    note["lines"]["data"][0]["invoice_line_item"] = line
    lines = [{"id": key, "description": text} for key, text in sold.items()]
    assert of_note(note, invoice_lines=lines).lines[0].reverses == reverses


@pytest.mark.parametrize(
    ("joined", "withdrawn"),
    [
        ({"disputes": [{**dispute("won"), "balance_transactions": [{"created": DAYS[7], "amount": -TOTAL}, {"created": DAYS[9], "amount": TOTAL}]}]}, [("dp_1", 9)]),
        ({"disputes": [dispute("won")]}, []),
        ({"disputes": [{**dispute("lost"), "balance_transactions": [{"created": DAYS[9], "amount": TOTAL}]}]}, []),
        ({"refunds": [a_refund(status="failed", failure_balance_transaction={"created": DAYS[8]})]}, [("re_1", 8)]),
        ({"refunds": [a_refund(status="failed", failure_balance_transaction="txn_1")]}, []),
        ({"refunds": [a_refund(failure_balance_transaction=None)]}, []),
    ],
    ids=["won, with the money back", "won, without transactions", "lost", "a refund failed", "without its day", "it went through"],
)  # fmt: skip
def test_s13_what_stripe_took_back_is_told_with_the_day_the_money_came(
    joined: Json, withdrawn: list[tuple[str, int]]
) -> None:
    facts = read(an_invoice(**joined))
    assert [(ref.split(":", 2)[2], day.day) for ref, day in facts.withdrawn] == withdrawn


@pytest.mark.parametrize(
    ("case", "before", "after", "debt"),
    [
        ("credit is drawn", -500, 0, 0),
        ("a debt is left on the balance", 0, 40, 40),
        ("a debt is collected", 40, 0, -40),
        ("credit is drawn, and the rest is left as a debt", -500, 40, 40),
    ],
)
def test_b9_a_debt_on_the_balance_is_told_apart_from_credit(
    case: str, before: int, after: int, debt: int
) -> None:
    balance = {"starting_balance": before, "ending_balance": after}
    assert balance_debt(balance, lambda amount: amount or 0) == debt, case


def _without_a_day(invoice: Json) -> None:
    invoice["effective_at"] = invoice["status_transitions"]["finalized_at"] = None


@pytest.mark.parametrize(
    ("change", "joined", "told"),
    [
        (_without_a_day, {}, [("inpay_paid", "payment", 3, TOTAL)]),
        (lambda invoice: invoice.update(status="draft"), {}, [("inpay_paid", "payment", 3, TOTAL)]),
        (_without_a_day, {"refunds": [a_refund()]}, [("inpay_paid", "payment", 3, TOTAL), ("re_1", "refund", 6, -5000)]),
        (lambda invoice: (_without_a_day(invoice), invoice["payments"].update(data=[])), {}, []),
    ],
    ids=["without a day", "a draft", "refunded", "nothing was paid"],
)  # fmt: skip
def test_s11_the_money_of_an_invoice_that_has_no_day_is_told_on_its_own(
    change: Callable[[Json], None], joined: Json, told: list[tuple[str, str, int, int]]
) -> None:
    facts = read(an_invoice(change, **joined))
    assert facts.date is None
    assert summary(facts) == told
