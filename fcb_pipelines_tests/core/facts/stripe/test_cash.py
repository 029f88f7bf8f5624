"""Stripe's transactions, payouts and balance as facts: one body each, and bodies of an odd shape."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from fcb_pipelines.core.codes import CashKind
from fcb_pipelines.core.facts.cash import BalanceTransaction, Fee
from fcb_pipelines.core.facts.stripe.cash import StripeCash
from fcb_pipelines.core.money import InexactAmount
from fcb_pipelines_tests.source_shapes import (
    Json,
    stripe_balance_transaction,
    stripe_charge,
    stripe_dispute,
    stripe_payout,
    stripe_refund,
)

READER = StripeCash(account="acct_1", timezone="America/Toronto")
# 23:30 in Toronto on 31 March, when UTC has April already.
LATE = int(datetime(2026, 4, 1, 3, 30, tzinfo=UTC).timestamp())
CHARGE = stripe_charge(
    "ch_7",
    11300,
    created=LATE,
    payment_intent="pi_7",
    customer="cus_1",
    metadata={"nexacloud_user_id": "17"},
)
BODY = stripe_balance_transaction(
    "txn_1", 11300, type="charge", source=CHARGE, created=LATE, fee=330, fee_tax=43
)


def read(**changes: Any) -> BalanceTransaction:
    return READER.transaction({**BODY, **changes})


def test_a_charge_has_its_net_its_fees_apart_and_its_payer() -> None:
    assert read() == BalanceTransaction(
        ref="stripe:acct_1:txn_1",
        id="txn_1",
        kind=CashKind.CHARGE,
        category="charge",
        date=date(2026, 3, 31),
        created=LATE,
        available_on=date(2026, 4, 2),
        currency="CAD",
        amount=11300,
        net=10927,
        fees=(Fee(type="stripe_fee", amount=330), Fee(type="tax", amount=43, is_tax=True)),
        made_by="ch_7",
        paid_by=("pi_7", "ch_7"),
        customer="cus_1",
        metadata=(("nexacloud_user_id", "17"),),
    )


BEHIND: dict[str, tuple[Json | str | None, str | None, tuple[str, ...]]] = {
    "a refund, its charge expanded": (
        stripe_refund("re_1", 500, created=LATE, charge="ch_7", payment_intent="pi_7") | {"charge": CHARGE},
        "re_1", ("pi_7", "ch_7")),
    "a refund, its charge a name": (
        stripe_refund("re_1", 500, created=LATE, charge="ch_7", payment_intent="pi_7"), "re_1", ("pi_7", "ch_7")),
    "a dispute": (stripe_dispute("dp_1", 500, created=LATE, charge="ch_7"), "dp_1", ("ch_7",)),
    "a payout": (stripe_payout("po_1", 500, created=LATE), "po_1", ()),
    "a source that is not expanded": ("ch_7", "ch_7", ()),
    "no source": (None, None, ()),
}  # fmt: skip


@pytest.mark.parametrize("case", BEHIND)
def test_a_transaction_names_what_it_comes_from_and_the_payment_behind_it(case: str) -> None:
    source, made_by, paid_by = BEHIND[case]
    found = read(source=source)
    assert (found.made_by, found.paid_by, found.problem) == (made_by, paid_by, "")


def test_what_was_paid_in_another_currency_keeps_its_own_amount_and_the_rate() -> None:
    paid = {**CHARGE, "currency": "usd", "amount": 8276}
    found = read(source=paid, exchange_rate=Decimal("1.36539"))
    assert (found.paid, found.paid_currency, found.exchange_rate) == (
        8276,
        "USD",
        Decimal("1.36539"),
    )
    refund = stripe_refund("re_1", 8276, created=LATE, charge="ch_7", currency="usd")
    back = read(source=refund, amount=-11300, fee=0, fee_details=[], net=-11300)
    assert (back.paid, back.amount) == (-8276, -11300)


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        ("charge_failure", CashKind.CHARGE_FAILURE),
        ("network_cost", CashKind.FEE),
        ("risk_reserved_funds", CashKind.RESERVE),
        ("anticipation_repayment", CashKind.UNKNOWN),
        ("partial_capture_reversal", CashKind.UNKNOWN),
        (None, CashKind.UNKNOWN),
    ],
)
def test_a_category_has_one_kind_and_an_unnamed_one_is_never_guessed(
    category: str | None, kind: CashKind
) -> None:
    assert read(reporting_category=category).kind is kind


def test_a_fee_without_details_is_a_fee_all_the_same() -> None:
    found = read(fee_details=[])
    assert found.fees == (Fee(type="unnamed", amount=373),)
    assert found.net == found.amount - 373


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "11300"},
        {"amount": True},
        {"net": 10926},
        {"fee_details": [{"type": "stripe_fee"}]},
        {"available_on": None},
        {"currency": "ugx"},
        {"source": {"object": "charge"}},
        {"source": {**CHARGE, "customer": 7}},
    ],
)
def test_a_body_that_cant_be_read_is_a_transaction_with_its_problem(changes: Json) -> None:
    found = read(**changes)
    assert found.problem.startswith("txn_1 can't be read")
    assert (found.id, found.kind, found.amount, found.net) == ("txn_1", CashKind.UNKNOWN, 0, 0)


@pytest.mark.parametrize("changes", [{"id": None}, {"created": "now"}, {"created": True}])
def test_a_transaction_without_an_instant_stops_the_reading(changes: Json) -> None:
    body = {**BODY, **changes}
    if changes.get("id", 0) is None:
        del body["id"]
    with pytest.raises((KeyError, TypeError)):
        READER.transaction(body)


PAYOUT = stripe_payout("po_1", 10927, created=LATE)
OWN = stripe_balance_transaction("txn_1po", -10927, type="payout", source="po_1", created=LATE)


def test_a_payout_has_its_transactions_without_its_own() -> None:
    found = READER.payout({**PAYOUT, "balance_transaction": "txn_1po"}, [OWN, BODY])
    assert found.claims is not None
    assert [(one.id, one.net) for one in found.claims] == [("txn_1", 10927)]
    assert (found.ref, found.date, found.arrives) == (
        "stripe:acct_1:po_1",
        date(2026, 3, 31),
        date(2026, 4, 2),
    )
    assert (found.transactions, found.is_automatic, found.status) == (("txn_1po",), True, "paid")


def test_a_payout_that_failed_names_the_transaction_that_brought_it_back() -> None:
    body = stripe_payout("po_1", 10927, created=LATE, failed_by="txn_back")
    found = READER.payout(body, None)
    assert (found.status, found.failure, found.transactions) == (
        "failed",
        "account_closed",
        ("txn_1", "txn_back"),
    )
    assert found.claims is None


def test_a_payout_that_cant_be_read_says_so_and_keeps_its_name() -> None:
    found = READER.payout({**PAYOUT, "amount": None, "arrival_date": "soon"}, [])
    assert found.problem.startswith("po_1 can't be read")
    assert (found.id, found.amount) == ("po_1", 0)


def test_a_balance_is_available_and_pending_by_currency_with_the_newest_before_it() -> None:
    body = {
        "available": [{"currency": "cad", "amount": 5000}, {"currency": "usd", "amount": -20}],
        "pending": [{"currency": "cad", "amount": 1130}],
    }
    newest = [BODY, {**BODY, "id": "txn_2"}, {**BODY, "id": "txn_0", "created": LATE - 1}]
    cad, usd = READER.balance(body, newest, is_sure=True)
    assert (cad.currency, cad.amount, usd.currency, usd.amount) == ("CAD", 6130, "USD", -20)
    assert (cad.newest, cad.at_newest) == (LATE, ("txn_1", "txn_2"))
    one = read()
    covered = [
        cad.covers(read()),
        cad.covers(read(id="txn_3")),
        cad.covers(read(id="txn_3", created=LATE - 1)),
        cad.covers(read(id="txn_3", created=LATE + 1)),
    ]
    assert covered == [True, False, True, False]
    (nothing,) = READER.balance({"available": body["pending"], "pending": []}, [], is_sure=True)
    assert not nothing.covers(one)


def test_a_balance_that_cant_be_read_is_no_balance_of_zero() -> None:
    with pytest.raises(KeyError):
        READER.balance({"available": []}, [], is_sure=True)
    body = {"available": [{"currency": "ugx", "amount": 1}], "pending": []}
    with pytest.raises(InexactAmount):
        READER.balance(body, [], is_sure=True)
