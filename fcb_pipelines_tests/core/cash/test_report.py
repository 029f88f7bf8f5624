"""Cash in the close report, the status and the story of a payout: every figure is worked out by hand."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.cash.balance import balance_rows, payout_rows
from fcb_pipelines.core.cash.clearing import clearing
from fcb_pipelines.core.cash.entries import place
from fcb_pipelines.core.cash.report import cash_section, cash_status, payout_story
from fcb_pipelines.core.codes import CashKind
from fcb_pipelines.core.facts.cash import ReportedBalance
from fcb_pipelines_tests.core.cash.values import (
    DAY,
    NOON,
    a_claim,
    a_payout_fact,
    a_scope,
    a_settlement,
    a_transaction,
    plain,
    ref,
    settings,
)

ON = settings({"opening": [{"currency": "CAD", "amount": "10.00"}]})
MARCH = a_transaction(1, date=date(2026, 4, 1), created=NOON - 2 * DAY)
OWN = {"made_by": None, "paid_by": (), "customer": None}
LATER = {"date": date(2026, 5, 3), "created": NOON + 30 * DAY}
ALL = [
    MARCH,
    a_transaction(2, **LATER),
    a_transaction(3, **LATER, customer="cus_else", paid_by=("pi_else",)),
    plain(4, CashKind.REFUND, -1130, **LATER),
    a_transaction(5, **LATER, kind=CashKind.DISPUTE, amount=-2000, fees=()),
    plain(6, CashKind.FEE, -700, **LATER, **OWN),
    plain(7, CashKind.TAX, -91, **LATER, **OWN),
    plain(8, CashKind.PAYOUT, -10927, **LATER, **OWN),
    plain(9, CashKind.TOP_UP, 500, **LATER, **OWN),
    a_transaction(10, date=date(2026, 6, 1), created=NOON + 60 * DAY),
]
PAYOUT = a_payout_fact("po_1", 10927, a_claim(MARCH), date=date(2026, 5, 3))
SETTLED = a_settlement(amount=11400)
PLACED = place(ALL, a_scope(SETTLED), ON)
OPEN = clearing([SETTLED], (), {"2026-05": date(2026, 5, 31)}, {})


def test_the_balance_is_rolled_forward_over_the_month() -> None:
    section = cash_section("2026-05", ALL, [PAYOUT], PLACED, OPEN, ON)
    assert section["roll_forward"] == [
        {
            "currency": "CAD",
            "opening": 1000 + 10927,
            "charges": 22600,
            "refunds": -1130,
            "disputes": -2000,
            "fees": -2 * 373 - 700 - 91,
            "payouts": -10927,
            "other": 500,
            "closing": 1000 + sum(one.net for one in ALL[:-1]),
            "of_other_services": 10927,
        }
    ]
    (first,) = cash_section("2026-04", ALL, [PAYOUT], PLACED, OPEN, ON)["roll_forward"]
    assert (first["opening"], first["closing"]) == (1000, 11927)
    assert cash_section("2026-04", [], [], [], [], settings())["roll_forward"] == []


def test_fees_are_told_by_category_and_as_a_share_of_the_charges() -> None:
    section = cash_section("2026-05", ALL, [PAYOUT], PLACED, OPEN, ON)
    told = [
        (row["category"], row["count"], row["amount"], row["tax"], row["basis_points"])
        for row in section["fees"]
    ]
    assert told == [("charge", 2, 660, 86, 292), ("fee", 1, 700, 0, 310), ("tax", 1, 0, 91, 0)]
    (alone,) = cash_section("2026-05", [ALL[5]], [], [], [], ON)["fees"]
    assert alone["basis_points"] is None


def test_a_payout_is_told_with_what_is_in_it() -> None:
    section = cash_section("2026-05", ALL, [PAYOUT], PLACED, OPEN, ON)
    (row,) = section["payouts"]
    assert (row["id"], row["status"]) == ("po_1", "paid")
    assert row["holds"] == [{"category": "charge", "count": 1, "net": 10927}]
    manual = replace(PAYOUT, claims=None)
    (unknown,) = cash_section("2026-05", ALL, [manual], PLACED, OPEN, ON)["payouts"]
    assert unknown["holds"] is None
    assert cash_section("2026-04", ALL, [PAYOUT], PLACED, OPEN, ON)["payouts"] == []


def test_what_is_under_way_is_told_with_its_age() -> None:
    (row,) = cash_section("2026-05", ALL, [PAYOUT], PLACED, OPEN, ON)["under_way"]
    assert (row["document"], row["open"], row["age"], row["state"]) == (
        ref("in_7"), 11400, 58, "under_way",
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(-9999, 9999)), max_size=12))
def test_each_month_opens_with_what_the_one_before_closed(moves: list[tuple[int, int]]) -> None:
    rows = [
        plain(
            number,
            CashKind.CHARGE,
            amount,
            date=date.fromordinal(date(2026, 4, 1).toordinal() + day),
        )
        for number, (day, amount) in enumerate(moves)
    ]
    running = 1000
    for period in ("2026-04", "2026-05", "2026-06"):
        (row,) = cash_section(period, rows, [], [], [], ON)["roll_forward"]
        assert row["opening"] == running
        running = row["closing"]
    assert running == 1000 + sum(amount for _, amount in moves)


def test_the_status_has_the_balance_the_payouts_and_what_is_open() -> None:
    reported = ReportedBalance(currency="CAD", available=11927, pending=0, newest=NOON)
    told = cash_status(
        balance_rows("stripe", [MARCH], PLACED, [reported], ON),
        payout_rows([PAYOUT, replace(PAYOUT, id="po_2", status="failed")], ALL, ON),
        3,
        OPEN,
        2,
    )
    assert told == {
        "balances": [
            {
                "source": "stripe",
                "currency": "CAD",
                "opening": 1000,
                "moved": 10927,
                "booked": 10927,
                "reported": 11927,
                "pending": 0,
                "difference": 0,
            }
        ],
        "payouts": {"failed": 1, "paid": 1},
        "statements": 3,
        "under_way": [{"currency": "CAD", "count": 1, "open": 11400, "oldest": 58}],
        "to_explain": 2,
    }


def test_a_payout_lists_the_documents_that_it_pays() -> None:
    keyed, numbers = {SETTLED.key: SETTLED.document}, {SETTLED.document: "A-7"}
    story = payout_story(PAYOUT, ALL, PLACED, keyed, numbers)
    assert story["transactions"] == [
        {
            "id": "txn_1",
            "date": "2026-04-01",
            "category": "charge",
            "amount": 11300,
            "fees": 373,
            "net": 10927,
            "documents": [
                {"ref": SETTLED.document, "number": "A-7", "currency": "CAD", "amount": 11300}
            ],
            "reason": None,
        }
    ]
    # What is not built, and what a source can't say, is told as such.
    (unknown,) = payout_story(PAYOUT, [], [], keyed, numbers)["transactions"] or ()
    assert (unknown["amount"], unknown["documents"], unknown["net"]) == (None, [], 10927)
    assert (
        payout_story(replace(PAYOUT, claims=None), ALL, PLACED, keyed, {})["transactions"] is None
    )
