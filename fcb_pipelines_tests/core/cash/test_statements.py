"""Which statements are written over the entries of a balance: each row flips one fact (C3, C12)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.cash.entries import Placement, opening_placements, place
from fcb_pipelines.core.cash.statements import StatementInputs, StatementPlan, plan_statements
from fcb_pipelines.core.codes import CashKind
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout
from fcb_pipelines.core.ledger.cash import LedgerCash, LedgerStatement
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines_tests.core.cash.values import (
    DAY,
    NOON,
    SERVICE,
    a_claim,
    a_payout_fact,
    a_scope,
    a_settlement,
    a_transaction,
    plain,
    ref,
    settings,
)

ON = settings()
CHARGE = a_transaction(1)
LATER = a_transaction(2, date=date(2026, 4, 20), created=NOON + 17 * DAY)
NEXT = a_transaction(3, date=date(2026, 5, 2), created=NOON + 29 * DAY)
OUT = plain(
    9, CashKind.PAYOUT, -10927, date=date(2026, 4, 8), created=NOON + 5 * DAY,
    made_by="po_1", paid_by=(), customer=None,
)  # fmt: skip
PAYOUT = a_payout_fact(
    "po_1", 10927, a_claim(CHARGE), transactions=("txn_9",), date=date(2026, 4, 8)
)
MANUAL = replace(PAYOUT, is_automatic=False, claims=None)
STRANGERS = [
    a_transaction(n, customer="cus_else", paid_by=("pi_else",), created=NOON + n) for n in (4, 5)
]
ALL = [CHARGE, LATER, NEXT, OUT]
PO, APRIL = ref("po_1"), f"{SERVICE}:2026-04:CAD:statement"
MAY, NOW = f"{SERVICE}:2026-05:CAD:statement", date(2026, 5, 5)


def placements(rows: Sequence[BalanceTransaction]) -> list[Placement]:
    return [*place(rows, a_scope(a_settlement()), ON)]


def held(rows: Sequence[Placement], **changes: Any) -> dict[str, LedgerCash]:
    return {
        one.entry.ref: replace(
            LedgerCash(
                ref=one.entry.ref,
                entry_id="7",
                state=MoveState.POSTED,
                entry=one.entry,
                stored_hash=one.entry.content_hash,
            ),
            **changes,
        )
        for one in rows
        if one.entry is not None
    }


def planned(
    rows: Sequence[BalanceTransaction] = ALL,
    payouts: Sequence[Payout] = (PAYOUT,),
    *,
    books: Mapping[str, LedgerCash] | None = None,
    written: Sequence[LedgerStatement] = (),
    faulty: frozenset[str] = frozenset(),
    today: date = NOW,
) -> StatementPlan:
    placed = placements(rows)
    return plan_statements(
        StatementInputs(
            source=SERVICE,
            placements=placed,
            payouts=payouts,
            faulty=faulty,
            held=held(placed) if books is None else books,
            written=written,
            begin=date(2026, 3, 1),
            today=today,
        )
    )


def as_written(plan: StatementPlan) -> list[LedgerStatement]:
    return [
        LedgerStatement(
            ref=one.ref,
            statement_id=one.ref,
            statement=one,
            is_valid=True,
            stored_hash=one.content_hash,
        )
        for one in plan.write
    ]


def less(*gone: str, **changes: Any) -> dict[str, LedgerCash]:
    """The books without these entries, or with them changed."""
    placed = placements(ALL)
    books = held(placed)
    for name in gone:
        if changes:
            books[ref(name)] = replace(books[ref(name)], **changes)
        else:
            del books[ref(name)]
    return books


JUNE = date(2026, 6, 10)
# What differs -> the entries of each statement that is written, and the statements that wait.
CASES: dict[str, tuple[dict[str, Any], dict[str, list[str]], set[str]]] = {
    "a payout, and a month that a payout may claim yet": ({}, {PO: ["txn_1", "txn_9"]}, {APRIL, MAY}),
    "a month that no payout claims any more": (
        {"today": JUNE}, {PO: ["txn_1", "txn_9"], APRIL: ["txn_2"]}, {MAY}),
    "a payout by hand, which claims nothing": (
        {"payouts": [MANUAL]}, {APRIL: ["txn_1", "txn_9", "txn_2"]}, {MAY}),
    "a month that is not over for long, of payouts by hand": (
        {"payouts": [MANUAL], "today": date(2026, 5, 2)}, {}, {APRIL, MAY}),
    "a payout that is not reconciled": (
        {"payouts": [replace(PAYOUT, claims=None)]}, {}, {APRIL, MAY}),
    "a payout that does not add up": ({"faulty": frozenset({PO})}, {}, {PO, APRIL, MAY}),
    "a payout of which an entry is not in the books": (
        {"books": less("txn_1")}, {}, {PO, APRIL, MAY}),
    "a payout of which an entry was cancelled": (
        {"books": less("txn_1", state=MoveState.CANCELLED)}, {}, {PO, APRIL, MAY}),
    "a payout of which an entry is in a person's statement": (
        {"books": less("txn_1", statement="account.bank.statement,3")},
        {PO: ["txn_9"]}, {APRIL, MAY}),
    "a payout that claims what is in no month that is built": (
        {"rows": [LATER, NEXT, OUT]}, {}, {PO, APRIL, MAY}),
    "a payout that claims what is of before the books": (
        {"payouts": [replace(PAYOUT, claims=(replace(a_claim(CHARGE), date=date(2026, 2, 27)),))],
         "rows": [LATER, OUT]}, {PO: ["txn_9"]}, {APRIL}),
    "a payout of a whole sum of other services": (
        {"rows": [*STRANGERS, OUT],
         "payouts": [replace(PAYOUT, claims=tuple(map(a_claim, STRANGERS)))]},
        {PO: ["2026-04-03:CAD:charge:2026-04-05:0:other_services", "txn_9"]}, set()),
    "a payout of a part of a sum": (
        {"rows": [*STRANGERS, OUT],
         "payouts": [replace(PAYOUT, claims=(a_claim(STRANGERS[0]),))]}, {PO: ["txn_9"]}, {APRIL}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_statement_is_written_once_all_of_it_is_in_the_books(case: str) -> None:
    changes, written, waiting = CASES[case]
    plan = planned(**changes)
    assert {one.ref: [each.removeprefix(f"{SERVICE}:") for each in one.entries] for one in plan.write} == written  # fmt: skip
    assert {ref for ref, _ in plan.waiting} == waiting
    assert all(why for _, why in plan.waiting)


def test_each_statement_opens_where_the_last_one_closed_and_is_of_no_earlier_day() -> None:
    payout = planned()
    month = planned(written=as_written(payout), today=JUNE)
    more = planned(
        [*ALL, a_transaction(6, date=date(2026, 4, 21))],
        written=[*as_written(payout), *as_written(month)],
        today=date(2026, 8, 1),
    )
    (po,), (april,), (may,) = payout.write, month.write, more.write
    assert (po.opening, po.closing, po.date) == (0, 0, date(2026, 4, 8))
    assert (april.opening, april.closing, april.name) == (0, LATER.net, "2026-04")
    # What came for April after its statement is in that of May, which opens where April closed.
    assert may.entries == (ref("txn_6"), ref("txn_3"))
    assert (may.opening, may.closing) == (april.closing, april.closing + 2 * NEXT.net)
    late = planned(payouts=[MANUAL], written=[replace(one, ref="x", statement=replace(one.statement, date=JUNE)) for one in as_written(payout)])  # fmt: skip
    assert [one.date for one in late.write] == [JUNE]


def test_the_opening_balance_is_the_first_statement() -> None:
    company = settings({"opening": [{"currency": "CAD", "amount": "10.00"}]})
    placed = [*opening_placements(SERVICE, company), *placements(ALL)]
    given = StatementInputs(
        source=SERVICE, placements=placed, payouts=[PAYOUT], faulty=(), held=held(placed),
        written=(), begin=date(2026, 4, 1), today=NOW,
    )  # fmt: skip
    first, second = plan_statements(given).write
    assert (first.ref, first.closing) == (f"{SERVICE}:CAD:opening:statement", 1000)
    assert (second.ref, second.opening, second.closing) == (PO, 1000, 1000)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12), st.data())
def test_every_entry_is_in_one_statement_in_the_end_and_they_are_joined(
    days: list[int], data: st.DataObject
) -> None:
    rows = [
        a_transaction(number, date=date.fromordinal(date(2026, 4, 3).toordinal() + day), created=NOON + day * DAY)
        for number, day in enumerate(days)
    ]  # fmt: skip
    cut = data.draw(st.integers(0, len(rows)))
    payout = a_payout_fact("po_1", 1, *map(a_claim, rows[:cut]), transactions=())
    first = planned(rows, [payout], today=data.draw(st.dates(date(2026, 4, 3), date(2026, 8, 1))))
    last = planned(rows, [payout], written=as_written(first), today=date(2026, 12, 1))
    found = [*first.write, *last.write]
    named = [each for one in found for each in one.entries]
    assert sorted(named) == sorted(ref(one.id) for one in rows)
    assert [one.opening for one in found[1:]] == [one.closing for one in found[:-1]]
    assert found[-1].closing == sum(one.net for one in rows)
    assert [one.date for one in found] == sorted(one.date for one in found)
