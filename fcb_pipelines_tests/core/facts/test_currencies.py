"""A settlement counts in its own currency: in another than its document's it is listed and settles nothing."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.facts.lago import documents as lago_documents
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.facts.stripe import documents as stripe_documents
from fcb_pipelines.core.settlements.policy import not_posted, posts
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.small_dataset import lago_body, lago_notes, stripe_body
from fcb_pipelines_tests.source_shapes import Json, stripe_credit_note, stripe_credit_note_line

MAY_9 = 1778342400
BOOKING_ALL = SETTINGS.model_copy(
    update={
        "policies": SETTINGS.policies.model_copy(
            update={
                "off_platform_payment": "settle",
                "uncollectible": "write_off",
                "lost_dispute": "loss",
            }
        )
    }
)


def of_stripe(body: Json) -> InvoiceFacts:
    return stripe_documents.document_facts(body, account="a", timezone="America/Toronto")


def of_lago(body: Json) -> InvoiceFacts:
    return lago_documents.document_facts(body, organization="o", timezone="America/Toronto")


def paid(currency: str) -> Json:
    body = deepcopy(stripe_body("in_paid"))
    body["invoice"]["payments"]["data"][0]["currency"] = currency
    return body


def returned(currency: str) -> Json:
    body = paid(currency)
    body["invoice"]["payments"]["data"][0].update(status="canceled", amount_paid=None)
    body["invoice"]["payments"]["data"][0]["status_transitions"]["canceled_at"] = MAY_9
    return body


def given_up(currency: str) -> Json:
    body = paid(currency)
    body["invoice"].update(status="uncollectible", amount_remaining=1000)
    body["invoice"]["status_transitions"]["marked_uncollectible_at"] = MAY_9
    return body


def disputed(currency: str) -> Json:
    dispute = {"id": "dp_1", "amount": 8300, "created": MAY_9, "status": "lost"}
    return paid("cad") | {"disputes": [{**dispute, "currency": currency}]}


def refund(currency: str) -> Json:
    return {
        "id": "re_1", "amount": 5000, "created": MAY_9, "status": "succeeded",
        "payment_intent": "pi_paid", "charge": "ch_1", "currency": currency,
    }  # fmt: skip


def refunded(currency: str) -> Json:
    return paid("cad") | {"refunds": [refund(currency)]}


def note(**fields: object) -> Json:
    line = stripe_credit_note_line("cnli_1", "Odoo ERP Hosting - Standard", 5000)
    made = stripe_credit_note(
        "cn_1", "in_paid", number="CN-1", customer="cus_1", lines=[line], created=MAY_9
    )
    return {**made, "pre_payment_amount": 0, "post_payment_amount": 5000, **fields}


def credited(currency: str) -> Json:
    applied = note(currency=currency, pre_payment_amount=5000, post_payment_amount=0)
    body = paid("cad") | {"credit_notes": [applied]}
    body["invoice"]["payments"]["data"] = []
    body["invoice"]["amount_remaining"] -= 5000
    return body


def note_refunded(currency: str) -> Json:
    named = {"amount_refunded": 5000, "refund": "re_1", "type": "refund"}
    return {"credit_note": note(refunds=[named]), "refunds": [refund(currency)]}


def lago_paid(currency: str) -> Json:
    body = deepcopy(lago_body("paid"))
    body["payments"][0]["amount_currency"] = currency.upper()
    return body


def lago_shared(currency: str) -> Json:
    body = deepcopy(lago_body("shared-1"))
    body["payments"][0]["amount_currency"] = currency.upper()
    return body


def lago_credited(currency: str) -> Json:
    body = deepcopy(lago_body("paid")) | {"payments": []}
    body["invoice"].update(
        credit_notes_amount_cents=500,
        credits=[{
            "lago_id": "credit-1", "amount_cents": 500, "amount_currency": currency.upper(),
            "item": {"lago_item_id": "note-1", "type": "credit_note"},
        }],
    )  # fmt: skip
    return body


def lago_offset(currency: str) -> Json:
    body = deepcopy(lago_body("paid")) | {"payments": []}
    offset = {"offset_amount_cents": 500, "currency": currency.upper()}
    of_note = {**lago_notes()[0], "lago_invoice_id": body["invoice"]["lago_id"], **offset}
    return body | {"credit_notes": [of_note]}


@pytest.mark.parametrize(
    ("read", "make"),
    [
        (of_stripe, paid),
        (of_stripe, returned),
        (of_stripe, given_up),
        (of_stripe, disputed),
        (of_stripe, refunded),
        (of_stripe, credited),
        (of_stripe, note_refunded),
        (of_lago, lago_paid),
        (of_lago, lago_shared),
        (of_lago, lago_credited),
        (of_lago, lago_offset),
    ],
)
def test_what_a_source_confirms_in_another_currency_is_listed_in_it_and_settles_nothing(
    read: Callable[[Json], InvoiceFacts], make: Callable[[str], Json]
) -> None:
    usual, facts = read(make("cad")), read(make("usd"))
    assert {each.currency for each in usual.settlements} == {"CAD"}
    assert usual.problem is None
    foreign = [each for each in facts.settlements if each.currency == "USD"]
    assert foreign
    # The same money, in its own currency; nothing in the document's takes its place.
    by_ref = {each.ref: each for each in usual.settlements}
    for each in foreign:
        moved = each.amount or each.receipt
        assert moved in (by_ref[each.ref].amount, by_ref[each.ref].receipt)
        assert not posts(each, BOOKING_ALL, facts.currency)
    assert {each.ref for each in facts.settlements} <= by_ref.keys()
    own = sum(
        each.amount
        for each in facts.settlements
        if each.currency == facts.currency and each.method.at_source
    )
    assert facts.owed == facts.total - own
    listed = not_posted(facts, BOOKING_ALL)
    assert listed == (0, ExceptionCode.SETTLEMENT_UNSUPPORTED)


@pytest.mark.parametrize("currency", ["jpy", "kwd", "ugx"])
def test_an_amount_in_another_currency_has_that_ones_minor_units_or_is_as_it_came(
    currency: str,
) -> None:
    facts = of_stripe(disputed(currency))
    assert facts.problem is None
    [dispute] = [each for each in facts.settlements if each.ref.endswith("dp_1")]
    assert (dispute.currency, dispute.amount) == (currency.upper(), -8300)


def test_s5_parts_of_one_payment_in_two_currencies_are_no_shares_of_one_receipt() -> None:
    other = deepcopy(paid("eur")["invoice"]["payments"]["data"][0]) | {"id": "inpay_other"}
    shared = paid("cad") | {"shared_payments": [other]}
    [own] = of_stripe(shared).settlements
    assert (own.currency, own.drawn_on, own.receipt, own.shares) == ("CAD", None, None, ())
    other["currency"] = "cad"
    [own] = of_stripe(shared).settlements
    assert (own.drawn_on, own.shares) == ("stripe:a:pi_paid", ("stripe:a:inpay_other",))
    assert own.receipt == 2 * own.amount


def test_s5_a_receipt_in_another_currency_is_listed_whole_and_names_no_part() -> None:
    [part] = of_lago(lago_shared("usd")).settlements
    assert (part.amount, part.receipt, part.currency) == (0, 3390, "USD")


def test_s5_beside_a_payment_in_another_currency_nobody_says_what_a_shared_one_paid() -> None:
    body = lago_shared("cad")
    single = {**body["payments"][0], "lago_id": "pay-2", "amount_currency": "USD"}
    body["payments"].append({**single, "invoice_ids": ["shared-1"]})
    facts = of_lago(body)
    assert facts.problem == "unreadable"
    assert sorted((each.currency, each.receipt or each.amount) for each in facts.settlements) == [
        ("CAD", 3390),
        ("USD", 3390),
    ]
