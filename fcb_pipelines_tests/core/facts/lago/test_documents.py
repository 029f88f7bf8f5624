"""What Lago bodies mean, rule by rule."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Kind, Method, Status
from fcb_pipelines.core.documents.build import Held, intended_document
from fcb_pipelines.core.facts.lago.documents import document_facts
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.money import half_up
from fcb_pipelines_tests import small_dataset
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.small_dataset import TIMEZONE, lago_body
from fcb_pipelines_tests.source_shapes import (
    Json,
    lago_applied_tax,
    lago_credit_note,
    lago_fee,
)


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


def a_note(items: list[int], net: int, tax: int, *, untaxed: tuple[int, ...] = ()) -> Json:
    """A Lago note of this net and tax over items of these amounts; `untaxed` bear no tax."""
    fees = lago_body("coupon")["fees"]
    invoice = lago_body("coupon")["invoice"]
    sold = []
    for number, amount in enumerate(items):
        fee = dict(fees[0])
        if number in untaxed:
            fee["applied_taxes"] = []
        sold.append((f"item-{number}", fee, amount))
    base = sum(amount for number, amount in enumerate(items) if number not in untaxed)
    applied = lago_applied_tax("tax", "lago_credit_note_id", "note", tax, base=base)
    note = lago_credit_note(
        "note", invoice, number="CN", issuing_date="2026-05-05", items=sold, applied_taxes=[applied]
    )
    whole = dict.fromkeys(("total_amount_cents", "credit_amount_cents"), net + tax)
    return {"credit_note": note | whole | {"sub_total_excluding_taxes_amount_cents": net}}


def built(body: Json) -> LedgerDocument:
    document = intended_document(read(body), SETTINGS, partner="p", nexacloud_invoice_id=None)
    assert isinstance(document, LedgerDocument), document
    return document


def test_t7_a_note_whose_items_round_apart_posts_its_own_total() -> None:
    facts = read(a_note([3334, 3334], 6667, 867))
    assert (facts.net, facts.tax, facts.total, facts.problem) == (6667, 867, 7534, None)
    assert [line.net for line in facts.lines] == [3333, 3334]
    document = built(a_note([3334, 3334], 6667, 867))
    assert (document.net, document.tax, document.total) == (6667, 867, 7534)


@pytest.mark.parametrize(
    ("items", "net", "said"),
    [([3334, 3334], 6666, 6666), ([6668], 6667, 6667), ([3334, 3334], 6667, 6668)],
    ids=["two cents over two items", "one item", "another figure before taxes"],
)
def test_t7_a_note_further_off_than_its_items_round_is_held(
    items: list[int], net: int, said: int
) -> None:
    body = a_note(items, net, 867)
    body["credit_note"]["sub_total_excluding_taxes_amount_cents"] = said
    assert read(body).problem == "lines_do_not_sum"


def test_t7_a_note_over_an_untaxed_item_taxes_the_other_alone() -> None:
    document = built(a_note([10000, 5000], 15000, 1300, untaxed=(1,)))
    assert [(line.net, line.taxes) for line in document.lines] == [(10000, ("hst_13",)), (5000, ())]
    assert [(tax.base, tax.amount) for tax in document.taxes] == [(10000, 1300)]


def an_invoice_of(fees: list[int], net: int, taxes: list[tuple[str, float, int]], tax: int) -> Json:
    """A Lago invoice of this net and tax over fees and taxes of these amounts."""
    body = lago_body("coupon")
    own = [
        lago_applied_tax("t", "lago_fee_id", "f", 0, code=code, name=code, rate=rate)
        for code, rate, _ in taxes
    ]
    made = [
        lago_fee(f"fee-{n}", "coupon", amount, name="Odoo ERP Hosting", applied_taxes=[
            each | {"amount_cents": half_up(amount * Decimal(str(each["tax_rate"])) / 100)}
            for each in own
        ])
        for n, amount in enumerate(fees)
    ]  # fmt: skip
    applied = [
        lago_applied_tax(code, "lago_invoice_id", "coupon", amount, code=code, name=code, rate=rate, base=net)
        for code, rate, amount in taxes
    ]  # fmt: skip
    changed = {
        "fees_amount_cents": net, "coupons_amount_cents": 0, "taxes_amount_cents": tax,
        "sub_total_excluding_taxes_amount_cents": net, "sub_total_including_taxes_amount_cents": net + tax,
        "total_amount_cents": net + tax, "total_due_amount_cents": net + tax, "total_paid_amount_cents": 0,
        "applied_taxes": applied,
    }  # fmt: skip
    return {"invoice": body["invoice"] | changed, "fees": made, "payments": []}


@pytest.mark.parametrize(
    ("case", "fees", "net", "taxes", "tax"),
    [
        ("fees taxed one at a time", [1997] * 6, 11982, [("hst_on", 13.0, 1560)], 1560),
        ("taxed as a whole", [1997] * 6, 11982, [("hst_on", 13.0, 1558)], 1558),
        ("fees rounded one at a time", [3334, 3334], 6667, [("hst_on", 13.0, 867)], 867),
        ("taxes rounded one at a time", [109], 109, [("gst", 5.0, 5), ("qst", 9.975, 11)], 16),
        ("both taxes lose by it", [109], 109, [("gst", 5.0, 5), ("qst", 9.975, 11)], 17),
    ],
)
def test_t7_lago_rounds_fees_and_taxes_one_at_a_time(
    case: str, fees: list[int], net: int, taxes: list[tuple[str, float, int]], tax: int
) -> None:
    body = an_invoice_of(fees, net, taxes, tax)
    facts = read(body)
    assert facts.problem is None, case
    document = built(body)
    assert (document.net, document.tax, document.total) == (net, tax, net + tax)


@pytest.mark.parametrize(
    ("fees", "net", "tax", "detail"),
    [
        (
            [1997] * 6,
            11978,
            1557,
            "lines 119.82 CAD and tax 15.57 CAD are not the total 135.35 CAD",
        ),
        ([1997] * 6, 11982, 1563, "hst_13 billed 15.63 CAD, computed 15.58 CAD on 119.82 CAD"),
    ],
)
def test_t7_a_lago_invoice_further_off_is_held_and_says_by_which_figure(
    fees: list[int], net: int, tax: int, detail: str
) -> None:
    found = intended_document(
        read(an_invoice_of(fees, net, [("hst_on", 13.0, tax)], tax)),
        SETTINGS, partner="p", nexacloud_invoice_id=None,
    )  # fmt: skip
    assert isinstance(found, Held)
    assert found.detail == detail


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
