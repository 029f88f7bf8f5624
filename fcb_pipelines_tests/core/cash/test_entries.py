"""Each transaction becomes one entry: its accounts, the settlement it meets, or why none (C1-C12)."""

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.cash.entries import CashScope, Placement, opening_entries, place
from fcb_pipelines.core.codes import CashKind, CashReason, Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.facts.cash import BalanceTransaction, Fee
from fcb_pipelines_tests.core.cash.values import (
    DAY,
    DISPUTES,
    FEE_TAX,
    FEES,
    NOON,
    OPENING,
    OTHER,
    OUTSTANDING,
    PENDING,
    SERVICE,
    SUSPENSE,
    TRANSIT,
    a_payout_fact,
    a_scope,
    a_settlement,
    a_transaction,
    plain,
    ref,
    settings,
)

ON = settings()
LOSS = settings(lost_dispute="loss")
PAID = a_settlement()
KEPT = {FEES: 330, FEE_TAX: 43}
STRANGER = {"customer": "cus_else", "paid_by": ("pi_else",)}


def placed(
    one: BalanceTransaction, scope: CashScope, company: Settings = ON
) -> tuple[Placement, dict[str, int], set[str | None]]:
    """The one placement, its lines by account, and the keys they meet."""
    (found,) = place([one], scope, company)
    lines = found.entry.lines if found.entry else ()
    accounts: Counter[str] = Counter()
    for line in lines:
        accounts[line.account] += line.amount
    return found, dict(accounts), {line.meets for line in lines} - {None}


# Kind, what differs -> lines by account, the keys that are met, the reason.
BOOKED = {
    "a charge that pays an invoice": (
        a_transaction(), [PAID], {OUTSTANDING: -11300, **KEPT}, {"inpay_7"}, None),
    "a charge named by its charge id alone": (
        a_transaction(paid_by=("ch_7",)), [a_settlement(payment_id="ch_7")],
        {OUTSTANDING: -11300, **KEPT}, {"inpay_7"}, None),
    "a charge that Lago collected": (
        a_transaction(), [replace(PAID, ref="lago:nexa:4b2c", key="lago:nexa:4b2c")],
        {OUTSTANDING: -11300, **KEPT}, {"lago:nexa:4b2c"}, None),
    "a charge of our customer that pays no document": (
        a_transaction(), [], {PENDING: -11300, **KEPT}, set(), CashReason.WITHOUT_DOCUMENT),
    "a charge larger than what it pays": (
        a_transaction(), [a_settlement(amount=11200)],
        {OUTSTANDING: -11200, PENDING: -100, **KEPT}, {"inpay_7"}, CashReason.WITHOUT_DOCUMENT),
    "a charge of two invoices by payments of their own": (
        a_transaction(), [a_settlement(amount=11000), a_settlement("inpay_8", 300)],
        {OUTSTANDING: -11300, **KEPT}, {"inpay_7", "inpay_8"}, None),
    "a charge whose settlement is in another currency": (
        a_transaction(), [replace(PAID, currency="USD")],
        {PENDING: -11300, **KEPT}, set(), CashReason.WITHOUT_DOCUMENT),
    "a payment that failed later": (
        plain(2, CashKind.CHARGE_FAILURE, -11300),
        [PAID, a_settlement("inpay_7:failed", -11300, method=Method.PAYMENT_FAILURE)],
        {OUTSTANDING: 11300}, {"inpay_7"}, None),
    "a failure that its document does not tell yet": (
        plain(2, CashKind.CHARGE_FAILURE, -11300), [PAID], {OUTSTANDING: 11300}, {"inpay_7"}, None),
    "a refund of an invoice": (
        plain(2, CashKind.REFUND, -500, made_by="re_1"), [PAID], {OUTSTANDING: 500}, {"re_1"}, None),
    "a refund that failed": (
        plain(2, CashKind.REFUND_FAILURE, 500, made_by="re_1"), [PAID],
        {OUTSTANDING: -500}, {"re_1"}, None),
    "a refund of money without a document": (
        plain(2, CashKind.REFUND, -500, made_by="re_1"), [], {PENDING: 500}, set(),
        CashReason.WITHOUT_DOCUMENT),
    "a refund by a note of Lago": (
        plain(2, CashKind.REFUND, -500, made_by="re_1"),
        [replace(PAID, document="lago:nexa:4b2c", invoice="lago:nexa:4b2c"),
         a_settlement("cn_1:refund", -500, document="lago:nexa:9", invoice="lago:nexa:4b2c", payment_id=None)],
        {OUTSTANDING: 500}, {"cn_1:refund"}, None),
    "a refund of a payment of Lago that no note knows": (
        plain(2, CashKind.REFUND, -500, made_by="re_1"), [replace(PAID, document="lago:nexa:4b2c")],
        {PENDING: 500}, set(), CashReason.WITHOUT_DOCUMENT),
    "a dispute with its fee": (
        a_transaction(2, kind=CashKind.DISPUTE, amount=-11300, fees=(Fee(type="stripe_fee", amount=1500),), made_by="dp_1"),
        [PAID], {DISPUTES: 11300, FEES: 1500}, set(), CashReason.DISPUTE_PENDING),
    "a dispute won, and its fee given back": (
        a_transaction(2, kind=CashKind.DISPUTE_REVERSAL, amount=11300, fees=(Fee(type="stripe_fee", amount=-1500),), made_by="dp_1"),
        [PAID], {DISPUTES: -11300, FEES: -1500}, set(), CashReason.DISPUTE_PENDING),
    "a payout": (
        plain(2, CashKind.PAYOUT, -9000, made_by="po_1", paid_by=(), customer=None), [],
        {TRANSIT: 9000}, set(), None),
    "an instant payout with its fee": (
        a_transaction(2, kind=CashKind.PAYOUT, amount=-9000, fees=(Fee(type="stripe_fee", amount=90),), paid_by=(), customer=None),
        [], {TRANSIT: 9000, FEES: 90}, set(), None),
    "a payout that failed": (
        plain(2, CashKind.PAYOUT_REVERSAL, 9000, paid_by=(), customer=None), [], {TRANSIT: -9000}, set(), None),
    "a negative payout": (
        plain(2, CashKind.PAYOUT, 700, paid_by=(), customer=None), [], {TRANSIT: -700}, set(), None),
    "a top-up": (
        plain(2, CashKind.TOP_UP, 5000, paid_by=(), customer=None), [], {TRANSIT: -5000}, set(), None),
    "a fee of Billing": (
        plain(2, CashKind.FEE, -1000, paid_by=(), customer=None), [], {FEES: 1000}, set(), None),
    "the tax on the fees of a month": (
        plain(2, CashKind.TAX, -130, paid_by=(), customer=None), [], {FEE_TAX: 130}, set(), None),
    "a category that nobody named": (
        plain(2, CashKind.UNKNOWN, -420, paid_by=(), customer=None), [],
        {SUSPENSE: 420}, set(), CashReason.UNNAMED_CATEGORY),
    "a charge of another service": (
        a_transaction(**STRANGER), [PAID], {OTHER: -10927}, set(), CashReason.OTHER_SERVICE),
    "a charge that is marked as ours": (
        a_transaction(**STRANGER, metadata=(("nexacloud_user_id", "17"),)), [],
        {PENDING: -11300, **KEPT}, set(), CashReason.WITHOUT_DOCUMENT),
    "a charge of nothing": (
        plain(2, CashKind.CHARGE, 0), [PAID], {}, set(), None),
}  # fmt: skip


@pytest.mark.parametrize("case", BOOKED)
def test_a_transaction_is_booked_on_the_accounts_of_what_it_is(case: str) -> None:
    one, settled, accounts, keys, reason = BOOKED[case]
    found, lines, met = placed(one, a_scope(*settled))
    assert found.entry is not None
    assert found.entry.is_balanced
    assert (found.entry.amount, found.entry.currency) == (one.net, "CAD")
    assert lines == accounts
    assert met == {key if ":" in key and key.startswith("lago") else ref(key) for key in keys}
    assert found.reason is reason


LOSSES = {
    "a dispute": (plain(2, CashKind.DISPUTE, -11300, made_by="dp_1"), [PAID], {OUTSTANDING: 11300}, {ref("dp_1")}),
    "a dispute won": (plain(2, CashKind.DISPUTE_REVERSAL, 11300, made_by="dp_1"), [PAID], {OUTSTANDING: -11300}, {ref("dp_1")}),
    "a dispute of a payment without a document": (plain(2, CashKind.DISPUTE, -11300, made_by="dp_1"), [], {DISPUTES: 11300}, set()),
    "a dispute that Lago calls lost": (
        plain(2, CashKind.DISPUTE, -11300, made_by="dp_1"),
        [replace(PAID, document="lago:nexa:1", invoice="lago:nexa:1"),
         a_settlement("4b:dispute", -11300, method=Method.CHARGEBACK, invoice="lago:nexa:1", payment_id=None)],
        {OUTSTANDING: 11300}, {ref("4b:dispute")}),
    "a dispute that Lago does not tell": (
        plain(2, CashKind.DISPUTE, -11300, made_by="dp_1"), [replace(PAID, document="lago:nexa:1")],
        {DISPUTES: 11300}, set()),
}  # fmt: skip


@pytest.mark.parametrize("case", LOSSES)
def test_where_losses_are_booked_a_dispute_meets_its_chargeback(case: str) -> None:
    one, settled, accounts, keys = LOSSES[case]
    found, lines, met = placed(one, a_scope(*settled), LOSS)
    assert (lines, met) == (accounts, keys)
    assert (found.reason is CashReason.DISPUTE_PENDING) is (DISPUTES in accounts)


LISTED = {
    "a reserve": (plain(2, CashKind.RESERVE, -5000), ON, CashReason.WITHIN_BALANCE),
    "another balance at the source": (a_transaction(balance="issuing"), ON, CashReason.OTHER_BALANCE),
    "a transaction that can't be read": (a_transaction(problem="no amount"), ON, CashReason.UNREADABLE),
    "a currency without a journal": (a_transaction(currency="USD"), ON, CashReason.NO_JOURNAL),
    "one younger than the documents": (a_transaction(created=NOON + 100 * DAY), ON, CashReason.NOT_YET),
    "one of before the books": (a_transaction(date=date(2025, 12, 31)), ON, CashReason.BEFORE_BOOKS),
    "another service, of a day that is not over": (
        a_transaction(**STRANGER, date=date(2026, 7, 1)), ON, CashReason.NOT_YET),
    "another service, where those are listed": (
        a_transaction(**STRANGER), settings({"other_services": "list"}), CashReason.OTHER_SERVICE),
}  # fmt: skip


@pytest.mark.parametrize("case", LISTED)
def test_what_is_not_booked_is_listed_with_its_amount_and_why(case: str) -> None:
    one, company, reason = LISTED[case]
    found, _, _ = placed(one, a_scope(PAID), company)
    assert found.entry is None
    assert (found.reason, found.net, found.transactions) == (reason, one.net, (one.id,))


def test_a_balance_in_another_currency_has_its_own_journal() -> None:
    usd = {
        "currency": "USD",
        "journal": {"code": "NCUSD", "name": "USD"},
        "account": {"code": "111330", "name": "USD"},
    }
    found, _, _ = placed(
        a_transaction(currency="USD"),
        a_scope(replace(PAID, currency="USD")),
        settings({"balances": [usd]}),
    )
    assert found.entry is not None
    assert found.entry.currency == "USD"


def test_usd_settled_in_cad_keeps_both_amounts_and_rounds_no_cent_away() -> None:
    one = a_transaction(
        amount=15429, paid=11300, paid_currency="USD", exchange_rate=Decimal("1.3654")
    )
    halves = [
        a_settlement(amount=5650, currency="USD"),
        a_settlement("inpay_8", 5650, currency="USD"),
    ]
    (found,) = place([one], a_scope(*halves), ON)
    assert found.entry is not None
    first, second, *_ = found.entry.lines
    assert (first.amount, second.amount) == (-7715, -7714)
    assert [(line.original, line.original_currency) for line in (first, second)] == [
        (-5650, "USD")
    ] * 2
    assert found.entry.is_balanced


def test_other_services_are_one_sum_a_day_currency_and_category() -> None:
    rows = [
        a_transaction(1, **STRANGER),
        a_transaction(2, **STRANGER),
        a_transaction(3, **STRANGER, date=date(2026, 4, 4)),
        plain(4, CashKind.REFUND, -100, **STRANGER),
    ]
    found = place(rows, a_scope(), ON)
    assert {each.entry.ref for each in found if each.entry} == {
        f"{SERVICE}:2026-04-03:CAD:charge:2026-04-05:0:other_services",
        f"{SERVICE}:2026-04-04:CAD:charge:2026-04-05:0:other_services",
        f"{SERVICE}:2026-04-03:CAD:refund:2026-04-05:0:other_services",
    }
    (two,) = [each for each in found if len(each.transactions) == 2]
    assert two.entry is not None
    assert (two.net, two.entry.amount, two.entry.kind) == (21854, 21854, CashKind.OTHER_SERVICES)


# What differs of the second of two transactions of other services of a day, what differs of a payout that
# was made between them -> the number of sums.
CUT = {
    "of one payout": ({}, {}, 1),
    "available on another day": ({"available_on": date(2026, 4, 6)}, {}, 2),
    "after an automatic payout": ({"created": NOON + 500}, {}, 2),
    "after a manual payout, which claims nothing": (
        {"created": NOON + 500}, {"is_automatic": False}, 1),
    "after a payout in another currency": ({"created": NOON + 500}, {"currency": "USD"}, 1),
    "after the payout of another day": (
        {"created": NOON + 500}, {"date": date(2026, 4, 2)}, 1),
}  # fmt: skip


@pytest.mark.parametrize("case", CUT)
def test_a_sum_of_other_services_is_of_what_one_payout_can_claim(case: str) -> None:
    changes, of_payout, sums = CUT[case]
    rows = [a_transaction(1, **STRANGER), a_transaction(2, **STRANGER, **changes)]
    payout = a_payout_fact(created=NOON + 100, **of_payout)
    for known in ((payout,), ()):
        found = place(rows, a_scope(payouts=known), ON)
        assert sorted(own for each in found for own in each.transactions) == ["txn_1", "txn_2"]
        if known:
            assert len(found) == sums


def test_the_books_begin_with_the_configured_balance() -> None:
    company = settings({"opening": [{"currency": "CAD", "amount": "1250.40"}]})
    (entry,) = opening_entries(SERVICE, company)
    assert (entry.ref, entry.amount, entry.date) == (
        f"{SERVICE}:CAD:opening",
        125040,
        date(2025, 12, 31),
    )
    assert [(line.account, line.amount) for line in entry.lines] == [(OPENING, -125040)]
    assert opening_entries(SERVICE, ON) == ()


def test_cash_that_is_off_places_nothing_and_says_so() -> None:
    with pytest.raises(ValueError, match="cash is off"):
        place([a_transaction()], a_scope(), settings("off"))


fees = st.lists(
    st.builds(
        Fee,
        type=st.sampled_from(["stripe_fee", "tax", "application_fee"]),
        amount=st.integers(-2000, 2000),
        is_tax=st.booleans(),
    ),
    max_size=3,
).map(tuple)


@st.composite
def transactions(draw: st.DrawFn, number: int) -> BalanceTransaction:
    payment = draw(st.sampled_from(["pi_7", "pi_8", "pi_9"]))
    paid = draw(st.one_of(st.none(), st.integers(-99999, 99999)))
    return a_transaction(
        number,
        kind=draw(st.sampled_from(CashKind)),
        amount=draw(st.integers(-99999, 99999)),
        fees=draw(fees),
        paid_by=draw(st.sampled_from([(payment,), ()])),
        customer=draw(st.sampled_from(["cus_1", "cus_else", None])),
        date=date(2026, 4, draw(st.integers(1, 30))),
        created=NOON + draw(st.integers(0, 200 * DAY)),
        made_by=draw(st.sampled_from(["re_1", "dp_1", "po_1"])),
        balance=draw(st.sampled_from(["payments", "payments", "issuing"])),
        paid=paid,
        paid_currency=None if paid is None else "USD",
    )


settlements = st.lists(
    st.builds(
        a_settlement,
        st.sampled_from(["inpay_7", "inpay_8", "inpay_7:failed", "cn_1:refund", "4b:dispute"]),
        st.integers(-99999, 99999),
        payment_id=st.sampled_from(["pi_7", "pi_8"]),
        currency=st.sampled_from(["CAD", "USD"]),
        method=st.sampled_from([Method.PAYMENT, Method.PAYMENT_FAILURE, Method.CHARGEBACK]),
        document=st.sampled_from([ref("in_7"), "lago:nexa:1"]),
    ),
    max_size=6,
)


@given(st.data(), settlements, st.sampled_from([ON, LOSS, settings({"other_services": "list"})]))
def test_of_any_history_each_transaction_is_placed_once_and_the_entries_are_the_balance(
    data: st.DataObject, settled: list, company: Settings
) -> None:
    rows = [data.draw(transactions(number)) for number in range(data.draw(st.integers(0, 12)))]
    found = place(rows, a_scope(*settled), company)
    assert Counter(each for one in found for each in one.transactions) == Counter(
        one.id for one in rows
    )
    assert sum(each.net for each in found) == sum(one.net for one in rows)
    booked = [each for each in found if each.entry is not None]
    for each in booked:
        assert each.entry is not None
        assert each.entry.is_balanced
        assert each.entry.amount == each.net
    refs = [each.entry.ref for each in booked if each.entry]
    assert len(set(refs)) == len(refs)
    assert all(each.reason is not None for each in found if each.entry is None)
    # The same history in another order is placed the same.
    assert {each.transactions: each for each in place(rows[::-1], a_scope(*settled), company)} == {
        each.transactions: each for each in found
    }
