"""The proof of cash: the balance, the payouts, the settlements under way. Each row flips one fact."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.cash.balance import balance_rows, payout_rows, placed_wrongly
from fcb_pipelines.core.cash.clearing import ClearingRow, ClearingState, clearing
from fcb_pipelines.core.cash.entries import entries_of, place
from fcb_pipelines.core.cash.gates import (
    balance_ties_out,
    every_payout_adds_up,
    every_settlement_reached_the_balance,
    outstanding_is_explained,
)
from fcb_pipelines.core.cash.settled import SettledCash
from fcb_pipelines.core.codes import CashKind, CashReason, Method
from fcb_pipelines.core.facts.cash import BalanceTransaction, Claim, Payout, ReportedBalance
from fcb_pipelines.core.ledger.cash import OutstandingItem
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines_tests.core.cash.values import (
    DAY,
    NOON,
    SERVICE,
    a_scope,
    a_settlement,
    a_transaction,
    plain,
    ref,
    settings,
)

ON = settings({"opening": [{"currency": "CAD", "amount": "10.00"}]})
PAID = a_settlement()
CHARGE = a_transaction()
PAYOUT = plain(9, CashKind.PAYOUT, -10000, made_by="po_1", paid_by=(), customer=None)
HISTORY = [CHARGE, PAYOUT]


def reported(amount: int, **changes: Any) -> ReportedBalance:
    balance = ReportedBalance(
        currency="CAD",
        available=amount,
        pending=0,
        newest=PAYOUT.created,
        at_newest=(PAYOUT.id,),
    )
    return replace(balance, **changes)


TRUE = 1000 + 10927 - 10000


def tied(
    rows: Sequence[BalanceTransaction], balance: Sequence[ReportedBalance], *faults: str
) -> Any:
    placements = place(rows, a_scope(PAID), ON)
    found = balance_rows(SERVICE, rows, placements, balance, ON)
    return balance_ties_out(found, [*faults, *placed_wrongly(rows, placements)])


TIES = {
    "as it is": (HISTORY, [reported(TRUE)], Outcome.PASS),
    "a part of it pending": (HISTORY, [reported(TRUE - 500, pending=500)], Outcome.PASS),
    "one cent changed": ([replace(CHARGE, net=10928), PAYOUT], [reported(TRUE)], Outcome.FAIL),
    "a transaction lost": ([PAYOUT], [reported(TRUE)], Outcome.FAIL),
    "a transaction doubled": ([CHARGE, CHARGE, PAYOUT], [reported(TRUE)], Outcome.FAIL),
    "a transaction under another name": (
        [CHARGE, replace(CHARGE, id="txn_2", ref=ref("txn_2")), PAYOUT], [reported(TRUE)], Outcome.FAIL),
    "one that came after the balance was read": (
        [*HISTORY, a_transaction(10)], [reported(TRUE)], Outcome.PASS),
    "one of the same second, before it": (
        [*HISTORY, plain(10, CashKind.FEE, -5, created=PAYOUT.created)],
        [reported(TRUE - 5, at_newest=(PAYOUT.id, "txn_10"))], Outcome.PASS),
    "one of the same second, after it": (
        [*HISTORY, plain(10, CashKind.FEE, -5, created=PAYOUT.created)], [reported(TRUE)], Outcome.PASS),
    "one of before the books": (
        [*HISTORY, plain(2, CashKind.FEE, -5, date=date(2025, 12, 31))], [reported(TRUE)], Outcome.PASS),
    "one of another balance": (
        [*HISTORY, plain(2, CashKind.FEE, -5, balance="issuing")], [reported(TRUE)], Outcome.PASS),
    "a reserve": ([*HISTORY, plain(2, CashKind.RESERVE, -5)], [reported(TRUE - 5)], Outcome.PASS),
    "a currency that is not reported": (
        [*HISTORY, plain(2, CashKind.FEE, -5, currency="USD")], [reported(TRUE)], Outcome.FAIL),
    "a balance that moved while it was read": (
        HISTORY, [reported(TRUE + 7, is_sure=False)], Outcome.WARN),
}  # fmt: skip


@pytest.mark.parametrize("case", TIES)
def test_opening_and_all_transactions_are_the_reported_balance(case: str) -> None:
    rows, balance, outcome = TIES[case]
    assert tied(rows, balance).outcome is outcome


def test_a_difference_is_named_with_its_amount_and_what_keeps_it_from_being_whole() -> None:
    found = tied([PAYOUT], [reported(TRUE)], "2026-03 is not built")
    assert found.faults[0] == "2026-03 is not built"
    assert "-109.27 CAD too much" in found.faults[1]


def test_a_balance_is_shown_in_its_parts() -> None:
    rows = [*HISTORY, plain(2, CashKind.RESERVE, -5), a_transaction(3, problem="odd", net=0)]
    placements = place(rows, a_scope(PAID), ON)
    (row,) = balance_rows(SERVICE, rows, placements, [reported(TRUE - 5)], ON)
    assert (row.opening, row.moved, row.booked, row.held, row.listed) == (1000, 922, 927, -5, 0)
    assert [(m.kind, m.count, m.net) for m in row.kinds] == [
        (CashKind.CHARGE, 2, 10927),
        (CashKind.PAYOUT, 1, -10000),
        (CashKind.RESERVE, 1, -5),
    ]


CLAIMED = Payout(
    ref=ref("po_1"),
    id="po_1",
    date=date(2026, 4, 5),
    created=NOON + 2 * DAY,
    arrives=date(2026, 4, 7),
    currency="CAD",
    amount=10000,
    status="paid",
    is_automatic=True,
    claims=(
        Claim(id="txn_1", category="charge", date=date(2026, 4, 3), net=10927),
        Claim(id="txn_5", category="fee", date=date(2026, 4, 3), net=-927),
    ),
    transactions=("txn_9",),
)
KNOWN = [CHARGE, plain(5, CashKind.FEE, -927), PAYOUT]
OLD = (
    *CLAIMED.claims[:1],
    replace(CLAIMED.claims[1], id="txn_old", date=date(2025, 12, 30)),
) if CLAIMED.claims else ()  # fmt: skip

PAYOUTS = {
    "as it is": ([CLAIMED], KNOWN, None),
    "manual": ([replace(CLAIMED, claims=None, is_automatic=False)], KNOWN, None),
    "one cent more": ([replace(CLAIMED, amount=10001)], KNOWN, "come to 100.00 CAD, the payout is 100.01 CAD"),
    "a claim of before the books": ([replace(CLAIMED, claims=OLD)], KNOWN, None),
    "a claim that no month has": ([CLAIMED], [CHARGE, PAYOUT], "txn_5 is in it and in no month"),
    "a claim of another amount": (
        [CLAIMED], [replace(CHARGE, net=10926), *KNOWN[1:]], "txn_1 is 109.27 CAD in it and 109.26 CAD in its month"),
    "a claim of two payouts": (
        [CLAIMED, replace(CLAIMED, id="po_2")], KNOWN, "txn_1 is in 2 payouts"),
    "without its own transaction": ([CLAIMED], KNOWN[:2], "txn_9, its own transaction, is in no month"),
    "its own transaction of another amount": (
        [CLAIMED], [*KNOWN[:2], replace(PAYOUT, amount=-9999)], "its own transaction moves -99.99 CAD"),
    "one that can't be read": ([replace(CLAIMED, problem="odd", claims=None)], KNOWN, "odd"),
}  # fmt: skip


@pytest.mark.parametrize("case", PAYOUTS)
def test_a_payout_is_the_sum_of_its_transactions(case: str) -> None:
    payouts, rows, fault = PAYOUTS[case]
    found = every_payout_adds_up(payout_rows(payouts, rows, ON))
    assert (found.outcome is Outcome.PASS) is (fault is None)
    assert fault is None or fault in found.detail


def test_what_has_no_name_in_a_payout_is_shown_also_where_it_is_nothing() -> None:
    (row,) = payout_rows([CLAIMED], KNOWN, ON)
    assert (row.count, row.claimed, row.named, row.unnamed) == (2, 10000, 10000, 0)
    unnamed = replace(KNOWN[1], kind=CashKind.UNKNOWN)
    (row,) = payout_rows([CLAIMED], [CHARGE, unnamed, PAYOUT], ON)
    assert (row.claimed, row.named, row.unnamed) == (10000, 10927, -927)


ENDS = {"2026-04": date(2026, 4, 30), "2026-05": date(2026, 5, 31)}
MAY = {"date": date(2026, 5, 4), "created": NOON + 31 * DAY}
FAILED = a_settlement(
    "inpay_7:failed", -11300, method=Method.PAYMENT_FAILURE, date=date(2026, 5, 4)
)


def cleared(
    settled: Sequence[SettledCash],
    rows: Sequence[BalanceTransaction],
    booked: Sequence[SettledCash] | None = None,
) -> tuple[ClearingRow, ...]:
    """The clearing of these transactions, all settlements being known and those of `booked` in the books."""
    entries = entries_of(place(rows, a_scope(*settled), ON))
    return clearing(settled if booked is None else booked, entries, ENDS, {PAID.key: ref("in_7")})


# Settlements, transactions, those in the books -> the open amounts by month, and their state.
U, N, D = ClearingState.UNDER_WAY, ClearingState.UNSETTLED, ClearingState.DIFFERS
FAILURE = plain(3, CashKind.CHARGE_FAILURE, -11300, **MAY)
CLEARED: dict[str, tuple[Any, ...]] = {
    "paid and in the balance": ([PAID], [CHARGE], None, {}),
    "paid, and not in the balance yet": ([PAID], [], None, {"2026-04": (11300, U), "2026-05": (11300, U)}),
    "paid in April, in the balance in May": ([PAID], [a_transaction(**MAY)], None, {"2026-04": (11300, U)}),
    "in the balance, its document held": ([PAID], [CHARGE], [], {"2026-04": (-11300, N), "2026-05": (-11300, N)}),
    "one cent more was paid than is in the balance": (
        [PAID], [a_transaction(amount=11299)], None, {"2026-04": (1, D), "2026-05": (1, D)}),
    "charged twice": (
        [PAID], [CHARGE, a_transaction(2)], None, {"2026-04": (-11300, D), "2026-05": (-11300, D)}),
    "failed over the month's end": ([PAID, FAILED], [CHARGE, FAILURE], None, {}),
    "failed, and the document does not tell it yet": ([PAID], [CHARGE, FAILURE], None, {"2026-05": (11300, N)}),
    "failed, and the balance does not have it yet": ([PAID, FAILED], [CHARGE], None, {"2026-05": (-11300, U)}),
    "a refund and its failure, never booked": (
        [PAID],
        [CHARGE, plain(2, CashKind.REFUND, -500, made_by="re_1"),
         plain(3, CashKind.REFUND_FAILURE, 500, made_by="re_1")], None, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CLEARED)
def test_what_is_open_at_the_end_of_a_month_is_told_with_why(case: str) -> None:
    settled, rows, booked, expected = CLEARED[case]
    found = cleared(settled, rows, booked)
    assert {row.period: (row.open, row.state) for row in found} == expected
    assert {row.document for row in found} <= {ref("in_7")}


def test_the_age_counts_from_the_first_day_to_the_months_end() -> None:
    assert [(row.period, row.age) for row in cleared([PAID], [])] == [
        ("2026-04", 27),
        ("2026-05", 58),
    ]


@pytest.mark.parametrize(
    ("settled", "rows", "outcome"),
    [
        ([PAID], [CHARGE], Outcome.PASS),
        ([PAID], [a_transaction(**MAY)], Outcome.PASS),
        ([PAID], [], Outcome.WARN),
        ([PAID], [a_transaction(amount=11299)], Outcome.FAIL),
    ],
)
def test_a_settlement_that_differs_fails_and_one_under_way_is_listed(
    settled: list[SettledCash], rows: list[BalanceTransaction], outcome: Outcome
) -> None:
    found = every_settlement_reached_the_balance(cleared(settled, rows), "2026-05")
    assert found.outcome is outcome
    if outcome is Outcome.WARN:
        assert "stripe:acct_1:inpay_7 of stripe:acct_1:in_7: under_way, 58 days" in found.detail
        assert found.amounts == (("CAD", 11300),)


def item(**changes: Any) -> OutstandingItem:
    one = OutstandingItem(
        ref=PAID.ref,
        entry="PNCSTR/2026/1",
        date=PAID.date,
        currency="CAD",
        residual=11300,
        meets=PAID.key,
    )
    return replace(one, **changes)


HELD = {
    "what is listed": ([item()], None),
    "two lines of one key": ([item(residual=12000), item(residual=-700)], None),
    "a cent more": ([item(residual=11301)], "has 113.01 CAD open in the ledger, 113.00 CAD is listed"),
    "nothing": ([], "has 0.00 CAD open in the ledger, 113.00 CAD is listed"),
    "a line of a key that is not listed": ([item(), item(meets="stripe:acct_1:inpay_8")], "0.00 CAD is listed"),
    "a line that is not ours": ([item(), item(ref=None, meets=None)], "not ours"),
}  # fmt: skip


@pytest.mark.parametrize("case", HELD)
def test_the_outstanding_account_holds_what_is_listed_and_nothing_else(case: str) -> None:
    held, fault = HELD[case]
    found = outstanding_is_explained(cleared([PAID], []), {"2026-05": held})
    assert (found.outcome is Outcome.PASS) is (fault is None)
    assert fault is None or fault in found.detail


nets = st.lists(
    st.tuples(st.sampled_from(CashKind), st.integers(-99999, 99999), st.integers(0, 60)),
    max_size=15,
)


@given(nets, st.integers(0, 10**6))
def test_any_history_ties_out_and_one_cent_off_never_does(
    moves: list[tuple[CashKind, int, int]], cents: int
) -> None:
    opening = {"opening": [{"currency": "CAD", "amount": f"{cents // 100}.{cents % 100:02d}"}]}
    company = settings(opening)
    rows = [
        plain(
            number,
            kind,
            amount,
            date=date(2026, 4, 3) + timedelta(days=day),
            created=NOON + day * DAY + number,
        )
        for number, (kind, amount, day) in enumerate(moves)
    ]
    placements = place(rows, a_scope(PAID), company)
    newest = max((row.created for row in rows), default=None)
    true = ReportedBalance(
        currency="CAD",
        available=cents + sum(row.net for row in rows),
        pending=0,
        newest=newest,
        at_newest=tuple(row.id for row in rows if row.created == newest),
    )
    (row,) = balance_rows(SERVICE, rows, placements, [true], company)
    assert row.difference == 0
    assert row.booked + row.held + row.listed == row.moved
    (off,) = balance_rows(
        SERVICE, rows, placements, [replace(true, available=true.available + 1)], company
    )
    assert balance_ties_out([off], ()).outcome is Outcome.FAIL


def test_what_is_not_booked_is_listed_for_what_it_is() -> None:
    found = place([a_transaction(currency="USD")], a_scope(PAID), ON)
    assert [each.reason for each in found] == [CashReason.NO_JOURNAL]
