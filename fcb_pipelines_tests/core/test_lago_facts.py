"""What Lago bodies mean, rule by rule."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.facts import InvoiceFacts, Kind, Method, Status
from fcb_pipelines.core.lago_facts import document_facts
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.small_dataset import TIMEZONE, lago_body
from fcb_pipelines_tests.source_shapes import Json


def read(body: Json) -> InvoiceFacts:
    return document_facts(body, organization="nexa", timezone=TIMEZONE)


@pytest.mark.parametrize(
    ("invoice", "net", "tax", "total", "settled"),
    [
        ("paid", 21450, 2789, 24239, 24239),
        ("coupon", 13500, 1755, 15255, 15255),
        ("progressive", 5000, 650, 5650, 5650),
        ("credited", 10000, 1300, 11300, 11300),
        ("by-hand", 1000, 130, 1130, 1130),
        ("open", 2000, 260, 2260, 0),
        ("shared-1", 1000, 130, 1130, 1130),
        ("shared-2", 2000, 260, 2260, 2260),
    ],
)
def test_a_sound_invoice_adds_up(
    invoice: str, net: int, tax: int, total: int, settled: int
) -> None:
    facts = read(lago_body(invoice))
    assert facts.problem is None
    assert (facts.net, facts.tax, facts.total) == (net, tax, total)
    assert sum(line.net for line in facts.lines) == net
    assert sum(each.amount for line in facts.lines for each in line.taxes) == tax
    assert total - facts.owed == settled == facts.paid


@pytest.mark.parametrize(
    ("invoice", "status", "day"),
    [
        ("paid", Status.PAID, date(2026, 4, 30)),
        ("open", Status.OPEN, date(2026, 4, 30)),
        ("draft", Status.DRAFT, None),
        ("voided", Status.VOID, date(2026, 4, 30)),
    ],
)
def test_status_and_issuing_date_are_lagos_own(
    invoice: str, status: Status, day: date | None
) -> None:
    facts = read(lago_body(invoice))
    assert (facts.status, facts.date) == (status, day)


def test_a_status_that_lago_adds_is_unknown() -> None:
    body = lago_body("paid")
    body["invoice"]["status"] = "parked"
    assert read(body).status is Status.UNKNOWN


def test_a_payment_is_dated_in_the_companys_day_and_names_stripes_payment() -> None:
    facts = read(lago_body("paid"))
    assert facts.ref == "lago:nexa:paid"
    [settlement] = facts.settlements
    assert (settlement.ref, settlement.payment_id) == ("lago:nexa:pay-paid", "pi_paid")
    assert settlement.date == date(2026, 4, 30)  # 2026-05-01T02:30Z is still April in Toronto


def test_prepaid_credits_and_credit_notes_are_settlements_of_their_own_kind() -> None:
    facts = read(lago_body("credited"))
    assert {(each.method, each.amount) for each in facts.settlements} == {
        (Method.PAYMENT, 10000),
        (Method.PREPAID_CREDIT, 300),
        (Method.CREDIT_NOTE, 1000),
    }


def test_a_payment_by_hand_is_off_platform() -> None:
    [settlement] = read(lago_body("by-hand")).settlements
    assert (settlement.method, settlement.payment_id) == (Method.OFF_PLATFORM, "cheque 7")


def test_a_failed_payment_settles_nothing() -> None:
    assert read(lago_body("open")).settlements == ()


def test_one_payment_of_two_invoices_is_an_allocation_in_each() -> None:
    parts = [read(lago_body(each)).settlements[0] for each in ("shared-1", "shared-2")]
    assert [part.amount for part in parts] == [1130, 2260]
    assert parts[0].ref == "lago:nexa:pay-shared:shared-1"
    assert len({part.ref for part in parts}) == 2
    assert {part.payment_id for part in parts} == {"pi_shared"}


def test_coupons_reduce_lines_by_lagos_shares_where_it_gives_them() -> None:
    body = lago_body("coupon")
    assert [line.discount for line in read(body).lines] == [1000, 500]
    for fee, share in zip(body["fees"], ("900.4", "599.6"), strict=True):
        fee["precise_coupons_amount_cents"] = share
        for tax in fee["applied_taxes"]:
            tax["amount_cents"] = 0
        fee["applied_taxes"] = []
    facts = read(body)
    assert [line.discount for line in facts.lines] == [900, 600]
    assert (facts.discount, facts.problem) == (1500, None)


def test_what_progressive_billing_has_billed_already_is_no_discount() -> None:
    facts = read(lago_body("progressive"))
    assert facts.discount == 0
    assert [line.net for line in facts.lines] == [5000]


def test_the_tax_code_says_which_tax_was_billed() -> None:
    [tax] = read(lago_body("paid")).taxes
    assert (tax.type, tax.state, tax.percentage) == ("hst", "ON", Decimal(13))
    assert (tax.source_id, tax.base) == ("hst_on", 21450)


def test_a_separate_credit_note_is_read_too() -> None:
    facts = read({"credit_note": small_dataset.lago_notes()[0]})
    assert (facts.kind, facts.date) == (Kind.CREDIT_NOTE, date(2026, 5, 5))
    assert (facts.net, facts.tax, facts.total, facts.problem) == (1000, 130, 1130, None)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-05-01T00:00:00Z", date(2026, 5, 1)),
        ("2026-05-31T23:59:59Z", date(2026, 5, 31)),
        ("2026-05-01T04:00:00+00:00", date(2026, 5, 1)),
        ("2026-06-01T03:59:59+00:00", date(2026, 5, 31)),
        (None, None),
    ],
)
def test_a_fees_boundary_is_the_customers_day(written: str | None, day: date | None) -> None:
    body = lago_body("paid")
    body["fees"][0]["to_date"] = written
    assert read(body).lines[0].service_end == day


def _nothing(_body: Json) -> None:
    pass


def _invoice(**fields: object) -> Callable[[Json], None]:
    return lambda body: body["invoice"].update(fields)


def _fee(**fields: object) -> Callable[[Json], None]:
    return lambda body: body["fees"][0].update(fields)


def _payment(**fields: object) -> Callable[[Json], None]:
    return lambda body: body["payments"][0].update(fields)


@pytest.mark.parametrize(
    ("invoice", "change", "problem"),
    [
        ("old", _nothing, "treatment_unknown"),
        ("top-up", _nothing, "treatment_unknown"),
        ("paid", _invoice(self_billed=True), "treatment_unknown"),
        ("paid", _invoice(sub_total_including_taxes_amount_cents=24240), "lines_do_not_sum"),
        ("paid", _invoice(taxes_amount_cents=2788), "lines_do_not_sum"),
        ("paid", _invoice(coupons_amount_cents=1), "lines_do_not_sum"),
        ("paid", _invoice(issuing_date=None), "unreadable"),
        ("paid", _invoice(issuing_date="30/04/2026"), "unreadable"),
        ("paid", _invoice(version_number=2), None),
        ("paid", _fee(amount_cents=21449), "lines_do_not_sum"),
        ("paid", _fee(amount_cents=Decimal("21450.0")), "unreadable"),
        ("paid", _payment(created_at="2026-05-01T02:30:00"), "unreadable"),
        ("shared-1", _invoice(total_paid_amount_cents=0), "unreadable"),
        ("paid", lambda body: body["fees"].clear(), None),
    ],
)
def test_a_fault_in_the_document_is_named(
    invoice: str, change: Callable[[Json], None], problem: str | None
) -> None:
    body = lago_body(invoice)
    change(body)
    assert read(body).problem == problem


@given(
    field=st.sampled_from(sorted(lago_body("paid")["invoice"])),
    value=st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just([{}]),
)
def test_no_body_makes_the_reader_raise(field: str, value: object) -> None:
    body = lago_body("paid")
    body["invoice"][field] = value
    read(body)


def test_a_body_that_is_no_invoice_is_unreadable() -> None:
    for body in ({}, {"invoice": None}, {"invoice": {}}, {"credit_note": {}}):
        facts = read(body)
        assert (facts.status, facts.problem) == (Status.UNKNOWN, "unreadable")
