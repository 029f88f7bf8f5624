"""The journal of a balance in the books beside its transactions: each row flips one fact (C2, C6, D3)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.cash.balance import of_others_as_ours, to_explain
from fcb_pipelines.core.cash.entries import Placement, entries_of, place
from fcb_pipelines.core.cash.gates import (
    cash_equals_intent,
    journal_has_the_balance,
    statements_are_valid,
)
from fcb_pipelines.core.cash.journal import (
    balances_expected,
    cash_deltas,
    days_to_prove,
    journal_rows,
)
from fcb_pipelines.core.cash.plan import plan_cash
from fcb_pipelines.core.codes import CashKind, CashReason
from fcb_pipelines.core.ledger.cash import CashStatement, LedgerCash, LedgerStatement
from fcb_pipelines.core.ledger.moves import MoveState, Seen
from fcb_pipelines.core.proof.gate import Finding, Outcome
from fcb_pipelines_tests.core.cash.values import (
    DAY,
    NOON,
    a_payout_fact,
    a_scope,
    a_settlement,
    a_transaction,
    plain,
    ref,
    settings,
)

CHARGE = a_transaction(1)
OTHER = a_transaction(2, date=date(2026, 4, 20), created=NOON + 17 * DAY)
ENTRIES = entries_of(place([CHARGE, OTHER], a_scope(a_settlement()), settings()))
FIRST, SECOND = ENTRIES
PAYOUT = a_payout_fact(date=date(2026, 4, 8))
BEGIN, TODAY = date(2026, 3, 1), date(2026, 5, 5)
DAYS = days_to_prove([PAYOUT], ENTRIES, BEGIN, TODAY)
SEEN = {FIRST.ref: Seen(ref=FIRST.ref, state="posted", content_hash=None)}


def held(**changes: Any) -> dict[str, LedgerCash]:
    """The books with both entries; `changes` replace fields of the first."""
    found = {
        one.ref: LedgerCash(
            ref=one.ref,
            entry_id="7",
            state=MoveState.POSTED,
            entry=one,
            stored_hash=one.content_hash,
        )
        for one in ENTRIES
    }
    return found | {FIRST.ref: replace(found[FIRST.ref], **changes)}


def test_each_payout_and_each_month_that_is_over_is_a_day_to_prove() -> None:
    assert (
        ("CAD", date(2026, 3, 31)), ("CAD", date(2026, 4, 8)), ("CAD", date(2026, 4, 30)),
    ) == DAYS  # fmt: skip
    assert days_to_prove([PAYOUT], ENTRIES, BEGIN, date(2026, 4, 8)) == DAYS[:1]
    assert days_to_prove([PAYOUT], (), BEGIN, TODAY) == ()


def judged(
    books: dict[str, LedgerCash], lacking: int = 0, **seen: dict[str, Seen]
) -> tuple[list[int], Finding]:
    """What is expected on each day, and the gate, with books whose balance lacks so much."""
    plan = plan_cash(ENTRIES, books, seen.get("seen", {}), None)
    expected = balances_expected(DAYS, ENTRIES, plan, books)
    posted = [one.entry for one in books.values() if one.state is MoveState.POSTED]
    found = [
        replace(
            each,
            amount=sum(one.amount for one in posted if one.booked_on <= each.date) - lacking,
        )
        for each in expected
    ]
    rows = journal_rows(expected, found, plan, books)
    return [row.expected for row in rows], journal_has_the_balance(rows)


NET = FIRST.amount
LATE = FIRST.booked(date(2026, 4, 20))
WITHOUT = {SECOND.ref: held()[SECOND.ref]}


def test_the_journal_is_compared_day_by_day() -> None:
    expected, all_there = judged(held())
    assert expected == [0, NET, 2 * NET]
    assert all_there.outcome is Outcome.PASS
    # Booked on a later day, it counts from that day on.
    late = held(entry=LATE, stored_hash=LATE.content_hash)
    assert judged(late)[0] == [0, 0, 2 * NET]
    _, waiting = judged(WITHOUT)
    assert (waiting.outcome, waiting.count) == (Outcome.WARN, 2)
    assert "not posted yet" in waiting.detail
    _, by_hand = judged(held(), lacking=1)
    assert (by_hand.outcome, by_hand.count) == (Outcome.FAIL, 3)
    assert "-0.01 CAD too much" in by_hand.detail
    _, removed = judged(WITHOUT, seen=SEEN)
    assert (removed.outcome, removed.count) == (Outcome.FAIL, 2)


CENT = replace(FIRST, amount=FIRST.amount + 1)
LINE = replace(FIRST, lines=(replace(FIRST.lines[0], amount=FIRST.lines[0].amount - 1), *FIRST.lines[1:]))  # fmt: skip
STRANGE = replace(SECOND, ref=ref("txn_gone"))
IN_STRANGE = {STRANGE.ref: replace(held()[SECOND.ref], ref=STRANGE.ref, entry=STRANGE)}

# The books, what was seen -> what is said of the first entry.
DRIFT = {
    "as it was written": (held(), {}, []),
    "edited by a cent": (held(entry=CENT), {}, ["109.27 CAD is 109.28 CAD"]),
    "a line edited": (held(entry=LINE), {}, ["551400 3.30 CAD"]),
    "moved to another day": (held(entry=LATE), {}, ["it is booked on 2026-04-20"]),
    "its hash removed": (held(stored_hash=None), {}, ["its hash is gone"]),
    "its source changed": (
        held(entry=CENT, stored_hash=CENT.content_hash), {}, ["source: 109.27 CAD is 109.28 CAD"]),
    "cancelled": (held(state=MoveState.CANCELLED), SEEN, ["it is cancelled in the books"]),
    "removed": (WITHOUT, SEEN, ["it was in the books and is gone"]),
    "not written yet": (WITHOUT, {}, []),
    "of no transaction": (held() | IN_STRANGE, {}, ["withdrawn: no transaction has it"]),
}  # fmt: skip


@pytest.mark.parametrize("case", DRIFT)
def test_what_differs_of_an_entry_is_named(case: str) -> None:
    books, seen, said = DRIFT[case]
    plan = plan_cash(ENTRIES, books, seen, None)
    found = cash_equals_intent(cash_deltas(ENTRIES, books, plan, {"2026-04"}))
    assert found.outcome is (Outcome.FAIL if said else Outcome.PASS)
    assert found.count == len(said)
    for part, fault in zip(said, found.faults, strict=True):
        assert part in fault


def test_an_entry_of_a_month_that_is_not_built_is_not_judged() -> None:
    plan = plan_cash((), {}, {}, None)
    assert cash_deltas((), IN_STRANGE, plan, set()) == ()
    assert len(cash_deltas((), IN_STRANGE, plan, {"2026-05"})) == 1


def test_a_statement_that_is_not_valid_or_not_as_written_is_named() -> None:
    statement = CashStatement(
        ref=ref("po_1"), name="po_1", date=TODAY, currency="CAD", opening=0, closing=NET,
        entries=(FIRST.ref,),
    )  # fmt: skip
    good = LedgerStatement(
        ref=statement.ref,
        statement_id="3",
        statement=statement,
        is_valid=True,
        stored_hash=statement.content_hash,
    )
    assert statements_are_valid([good]).outcome is Outcome.PASS
    for wrong in (replace(good, is_valid=False), replace(good, stored_hash="0")):
        found = statements_are_valid([good, wrong])
        assert (found.outcome, found.count) == (Outcome.FAIL, 1)
        assert "po_1" in found.detail


STRANGER = a_transaction(3, customer="cus_else", paid_by=("pi_else",))

# What differs of a stranger's transaction that has an entry of its own -> whether it is told.
OWNED = {
    "nothing": ({}, True),
    "it is of a customer of ours": ({"customer": "cus_1"}, False),
    "it carries our key": ({"metadata": (("nexacloud_user_id", "7"),)}, False),
    "it pays a document of ours": ({"paid_by": ("pi_7",)}, False),
    "it is a fee of the account": ({"kind": CashKind.FEE}, False),
}


@pytest.mark.parametrize("case", OWNED)
def test_a_transaction_of_another_service_that_is_booked_as_ours_is_named(case: str) -> None:
    changes, is_told = OWNED[case]
    one = replace(STRANGER, **changes)
    (ours,) = place([replace(one, customer="cus_1")], a_scope(a_settlement()), settings())
    assert ours.entry is not None
    settled = [a_settlement()]
    told = of_others_as_ours([one], [ours], settled, {"cus_1"}, "nexacloud_user_id")
    assert bool(told) is is_told
    (summed,) = place([STRANGER], a_scope(), settings())
    assert of_others_as_ours([STRANGER], [summed], settled, {"cus_1"}, "nexacloud_user_id") == ()


def test_what_waits_for_a_person_is_told_with_what_mends_it() -> None:
    rows = [CHARGE, plain(4, CashKind.UNKNOWN, -500), STRANGER]
    placed: list[Placement] = [*place(rows, a_scope(), settings())]
    told = to_explain(placed)
    assert len(told) == 2
    assert {CashReason.WITHOUT_DOCUMENT, CashReason.UNNAMED_CATEGORY} == {
        reason for reason in CashReason for each in told if f": {reason}. {reason.remedy}" in each
    }
