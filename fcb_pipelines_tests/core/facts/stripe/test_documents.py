"""What Stripe bodies mean, rule by rule."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Kind, Method, Status
from fcb_pipelines.core.facts.model import BillTo, InvoiceFacts
from fcb_pipelines.core.facts.stripe.documents import document_facts
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.small_dataset import HST, TIMEZONE, stripe_body
from fcb_pipelines_tests.source_shapes import Json, stripe_tax


def read(body: Json) -> InvoiceFacts:
    return document_facts(body, account="acct_test", timezone=TIMEZONE)


@pytest.mark.parametrize(
    ("invoice", "net", "tax", "total", "settled"),
    [
        ("in_paid", 21450, 2789, 24239, 24239),
        ("in_partial", 20000, 2600, 22600, 10000),
        ("in_many", 2825, 325, 3150, 3150),
        ("in_zero", 0, 0, 0, 0),
        ("in_negative", 5000, 650, 5650, 5650),
        ("in_discount", 13500, 1755, 15255, 15255),
        ("in_inclusive", 10000, 1300, 11300, 11300),
        ("in_jpy", 5000, 0, 5000, 5000),
        ("in_balance", 10000, 1300, 11300, 11300),
        ("in_instalments", 12000, 1560, 13560, 13560),
        ("in_outside", 8000, 1040, 9040, 9040),
    ],
)
def test_a_sound_invoice_adds_up(
    invoice: str, net: int, tax: int, total: int, settled: int
) -> None:
    facts = read(stripe_body(invoice))
    assert facts.problem is None
    assert (facts.net, facts.tax, facts.total) == (net, tax, total)
    assert sum(line.net for line in facts.lines) == net
    assert sum(each.amount for line in facts.lines for each in line.taxes) == tax
    assert total - facts.owed == settled == facts.paid


@pytest.mark.parametrize(
    ("invoice", "status", "day"),
    [
        ("in_paid", Status.PAID, date(2026, 5, 2)),
        ("in_partial", Status.OPEN, date(2026, 5, 2)),
        ("in_void", Status.VOID, date(2026, 5, 2)),
        ("in_draft", Status.DRAFT, None),
        ("in_late", Status.PAID, date(2026, 3, 31)),
    ],
)
def test_status_and_date_are_the_sources_in_local_days(
    invoice: str, status: Status, day: date | None
) -> None:
    facts = read(stripe_body(invoice))
    assert (facts.status, facts.date, facts.problem) == (status, day, None)


def test_effective_at_wins_over_finalisation_and_creation_never_counts() -> None:
    body = stripe_body("in_paid")
    body["invoice"]["effective_at"] = small_dataset.LATE_MARCH_31
    assert read(body).date == date(2026, 3, 31)
    body["invoice"]["effective_at"] = None
    assert read(body).date == date(2026, 5, 2)
    body["invoice"]["status_transitions"]["finalized_at"] = None
    assert (read(body).date, read(body).problem) == (None, "unreadable")


def test_identity_and_settlement_name_account_invoice_and_payment() -> None:
    facts = read(stripe_body("in_paid"))
    assert facts.ref == "stripe:acct_test:in_paid"
    [settlement] = facts.settlements
    assert settlement.ref == "stripe:acct_test:inpay_paid"
    assert settlement.document == facts.ref
    assert (settlement.payment_id, settlement.method) == ("pi_paid", Method.PAYMENT)
    assert settlement.date == date(2026, 5, 2)


def test_only_payments_that_stripe_calls_paid_settle() -> None:
    refs = {each.ref for each in read(stripe_body("in_partial")).settlements}
    assert refs == {"stripe:acct_test:inpay_partial"}


def test_customer_balance_is_a_settlement_and_no_discount() -> None:
    facts = read(stripe_body("in_balance"))
    assert facts.discount == 0
    assert {(each.method, each.amount) for each in facts.settlements} == {
        (Method.PAYMENT, 8300),
        (Method.CUSTOMER_BALANCE, 3000),
    }
    assert "stripe:acct_test:in_balance:balance" in {each.ref for each in facts.settlements}


def test_a_debt_under_the_minimum_moves_to_the_balance_and_does_not_vanish() -> None:
    body = stripe_body("in_zero")
    body["invoice"] |= {"total": 30, "ending_balance": 30}
    body["invoice"]["lines"]["data"][0]["amount"] = 30
    facts = read(body)
    assert (facts.total, facts.paid, facts.owed, facts.problem) == (30, 30, 0, None)
    [settlement] = facts.settlements
    assert settlement.method is Method.CUSTOMER_BALANCE


def test_an_older_debt_that_an_invoice_collects_is_a_settlement_below_zero() -> None:
    body = stripe_body("in_paid")
    body["invoice"] |= {"starting_balance": 30, "amount_due": 24269}
    body["invoice"]["payments"]["data"][0]["amount_paid"] = 24269
    facts = read(body)
    assert sorted(each.amount for each in facts.settlements) == [-30, 24269]
    assert facts.owed == 0


def test_money_from_outside_stripe_is_no_stripe_payment() -> None:
    [settlement] = read(stripe_body("in_outside")).settlements
    assert settlement.method is Method.OFF_PLATFORM
    body = stripe_body("in_paid")
    payment = body["invoice"]["payments"]["data"][0]
    payment["payment"] = {"type": "payment_record", "payment_record": "pr_1"}
    body["invoice"]["amount_paid_off_stripe"] = 24239
    [recorded] = read(body).settlements
    assert (recorded.method, recorded.payment_id) == (Method.OFF_PLATFORM, "pr_1")


def test_a_negative_total_is_a_credit_note_with_positive_amounts() -> None:
    facts = read(stripe_body("in_negative"))
    assert facts.kind is Kind.CREDIT_NOTE
    assert facts.lines[0].net == 5000
    assert facts.lines[0].proration
    assert facts.taxes[0].amount == 650
    assert facts.settlements[0].amount == 5650


def test_a_separate_credit_note_is_read_too() -> None:
    body = {"credit_note": small_dataset.stripe_notes()[0], "tax_rates": small_dataset.RATES}
    facts = read(body)
    assert (facts.kind, facts.ref) == (Kind.CREDIT_NOTE, "stripe:acct_test:cn_1")
    assert (facts.net, facts.tax, facts.total, facts.problem) == (1000, 130, 1130, None)
    assert (facts.bill_to, facts.tax_exempt) == (BillTo(), False)


def test_a_credit_note_shows_the_customer_of_its_invoice() -> None:
    invoice = stripe_body("in_discount")["invoice"] | {"customer_tax_exempt": "reverse"}
    note = {"credit_note": small_dataset.stripe_notes()[0], "tax_rates": small_dataset.RATES}
    facts = read({**note, "billed_to": [invoice]})
    assert facts.bill_to == read(stripe_body("in_discount")).bill_to
    assert facts.tax_exempt


def test_the_rate_object_says_which_tax_was_billed() -> None:
    [tax] = read(stripe_body("in_paid")).taxes
    assert (tax.type, tax.percentage, tax.state, tax.country) == ("hst", Decimal(13), "ON", "CA")
    assert tax.source_id == HST
    [typed_by_hand] = read(stripe_body("in_inclusive")).taxes
    assert (typed_by_hand.type, typed_by_hand.state) == ("hst", "ON")
    assert typed_by_hand.inclusive


def test_discounts_reduce_each_line_before_tax() -> None:
    facts = read(stripe_body("in_discount"))
    assert [(line.gross, line.discount, line.net) for line in facts.lines] == [
        (10000, 1000, 9000),
        (5000, 500, 4500),
    ]
    assert facts.discount == 1500


def test_a_discount_that_no_line_shows_is_spread_over_them() -> None:
    body = stripe_body("in_discount")
    for line in body["invoice"]["lines"]["data"]:
        line["discount_amounts"] = []
    facts = read(body)
    assert [line.discount for line in facts.lines] == [1000, 500]
    assert facts.problem is None


def test_document_tax_is_spread_over_lines_that_give_none() -> None:
    body = stripe_body("in_discount")
    for line in body["invoice"]["lines"]["data"]:
        line["taxes"] = []
    facts = read(body)
    assert [line.taxes[0].amount for line in facts.lines] == [1170, 585]
    assert facts.problem is None


def test_an_invoice_without_lines_keeps_its_totals() -> None:
    body = stripe_body("in_paid")
    body["invoice"]["lines"]["data"] = []
    facts = read(body)
    assert (facts.lines, facts.net, facts.tax, facts.problem) == ((), 21450, 2789, None)


def test_shipping_counts_in_the_net() -> None:
    body = stripe_body("in_zero")
    body["invoice"] |= {"total": 500}
    body["invoice"]["shipping_cost"] = {
        "amount_subtotal": 500, "amount_tax": 0, "amount_total": 500,
        "shipping_rate": None, "taxes": [],
    }  # fmt: skip
    facts = read(body)
    assert (facts.shipping, facts.net, facts.problem) == (500, 500, None)


def test_test_mode_and_bill_to_are_the_documents_own() -> None:
    assert not read(stripe_body("in_test")).livemode
    bill_to = read(stripe_body("in_paid")).bill_to
    assert (bill_to.name, bill_to.state, bill_to.zip) == ("Acme", "ON", "M5H 1A1")


def _nothing(_body: Json) -> None:
    pass


def _set(path: str, value: object) -> Callable[[Json], None]:
    def change(body: Json) -> None:
        at = body["invoice"]
        *parents, last = path.split(".")
        for part in parents:
            at = at[int(part)] if part.isdigit() else at[part]
        at[last] = value

    return change


@pytest.mark.parametrize(
    ("invoice", "change", "problem"),
    [
        ("in_broken", _nothing, "lines_do_not_sum"),
        ("in_ugx", _nothing, "currency_needs_review"),
        ("in_paid", _set("total", 24240), "lines_do_not_sum"),
        ("in_paid", _set("lines.has_more", True), "lines_do_not_sum"),
        ("in_paid", _set("lines.data.0.amount", 21449), "lines_do_not_sum"),
        ("in_paid", _set("total_taxes", []), "lines_do_not_sum"),
        ("in_paid", _set("total_taxes.0.tax_rate_details", None), "unreadable"),
        ("in_paid", _set("lines.data.0.taxes.0.amount", 2700), "lines_do_not_sum"),
        ("in_paid", _set("payments.has_more", True), "unreadable"),
        ("in_paid", _set("payments.data.0.status_transitions.paid_at", None), "unreadable"),
        ("in_paid", _set("total", "24239"), "unreadable"),
        ("in_paid", _set("lines", None), "unreadable"),
        ("in_paid", _set("currency", "isk"), "currency_needs_review"),
        ("in_paid", _set("total_pretax_credit_amounts", [{"type": "credit_balance_transaction", "amount": 1}]), "treatment_unknown"),
        ("in_paid", _set("total_pretax_credit_amounts", [{"type": "discount", "amount": 1}]), None),
    ],
)  # fmt: skip
def test_a_fault_in_the_document_is_named(
    invoice: str, change: Callable[[Json], None], problem: str | None
) -> None:
    body = stripe_body(invoice)
    change(body)
    assert read(body).problem == problem


def test_a_rate_that_did_not_come_is_named() -> None:
    body = stripe_body("in_paid")
    body["tax_rates"] = []
    assert read(body).problem == "unreadable"


def test_an_exempt_customers_unbilled_rate_is_no_tax() -> None:
    body = stripe_body("in_zero")
    body["invoice"]["total_taxes"] = [stripe_tax(0, 0, HST, reason="customer_exempt")]
    assert read(body).taxes == ()


@pytest.mark.parametrize("status", ["issued_again", None])
def test_a_status_that_stripe_adds_is_unknown(status: str | None) -> None:
    body = stripe_body("in_paid")
    body["invoice"]["status"] = status
    assert read(body).status is Status.UNKNOWN


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(field=st.sampled_from(sorted(stripe_body("in_paid")["invoice"])), value=JSON)
def test_no_body_makes_the_reader_raise(field: str, value: object) -> None:
    body = stripe_body("in_paid")
    body["invoice"][field] = value
    facts = read(body)
    assert facts.problem is None or facts.problem in {
        "unreadable", "lines_do_not_sum", "currency_needs_review", "treatment_unknown",
    }  # fmt: skip


def test_a_body_that_is_no_invoice_is_unreadable() -> None:
    for body in ({}, {"invoice": None}, {"invoice": []}, {"credit_note": {}}):
        facts = read(body)
        assert (facts.status, facts.problem) == (Status.UNKNOWN, "unreadable")


def test_a_body_that_is_unreadable_says_at_best_whose_it_is() -> None:
    body = stripe_body("in_paid")
    customer = body["invoice"]["customer"]
    body["invoice"]["lines"] = None
    assert read(body).payer == customer
    body["invoice"] |= {"customer": None, "customer_account": "acct_9"}
    assert read(body).payer == "acct_9"
    body["invoice"] |= {"customer": ["?"], "customer_account": None}
    assert read(body).payer is None


def test_an_account_in_a_customers_place_is_whom_it_bills_and_changes_no_hash() -> None:
    body = stripe_body("in_paid")
    body["invoice"] |= {"customer": None, "customer_account": None}
    before = read(body)
    assert before.payer is None
    body["invoice"]["customer_account"] = "acct_9"
    facts = read(body)
    assert (facts.customer, facts.payer) == (None, "acct_9")
    # Posted when the account was not read: it did not change since.
    assert facts.source_hash == before.source_hash
    body["invoice"]["customer"] = "cus_1"
    assert read(body).payer == "cus_1"


@pytest.mark.parametrize(
    ("mark", "exempt"), [("none", False), ("exempt", True), ("reverse", True), (None, False)]
)
def test_a_customer_is_exempt_as_stripe_marks_it_on_the_invoice(
    mark: str | None, exempt: bool
) -> None:
    body = stripe_body("in_paid")
    body["invoice"]["customer_tax_exempt"] = mark
    assert read(body).tax_exempt is exempt
