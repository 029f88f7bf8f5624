"""Which entries are written, on which day, and what differs: each row flips one fact (C10, D3)."""

from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.core.cash.entries import place
from fcb_pipelines.core.cash.plan import CashDrift, counted, plan_cash
from fcb_pipelines.core.ledger.cash import CashEntry, LedgerCash, OpenLine
from fcb_pipelines.core.ledger.moves import MoveState, Seen
from fcb_pipelines_tests.core.cash.values import (
    a_scope,
    a_settlement,
    a_transaction,
    settings,
)


def entry() -> CashEntry:
    (found,) = place([a_transaction()], a_scope(a_settlement()), settings())
    assert found.entry is not None
    return found.entry


ENTRY = entry()
MAY = date(2026, 5, 1)
APRIL = date(2026, 4, 30)


def held(one: CashEntry = ENTRY, **changes: object) -> LedgerCash:
    now = LedgerCash(
        ref=one.ref,
        entry_id="7",
        state=MoveState.POSTED,
        entry=one,
        stored_hash=one.content_hash,
    )
    return replace(now, **changes)


LATE = ENTRY.booked(MAY)
OPEN = (OpenLine(meets="stripe:acct_1:inpay_7", currency="CAD", residual=-11300),)
EDITED = replace(ENTRY, amount=10926)
SEEN = Seen(ref=ENTRY.ref, state="posted", content_hash=None)

# What the ledger holds, what was seen, the lock -> written, late, drift.
CASES = {
    "a new entry": (None, None, None, [ENTRY], [], []),
    "a new entry of a locked day": (None, None, APRIL, [LATE], [ENTRY.ref], []),
    "an entry that is there": (held(), None, None, [], [], []),
    "an entry that is there, and locked since": (held(), None, APRIL, [], [], []),
    "an entry that was late": (held(LATE), None, APRIL, [], [ENTRY.ref], []),
    "an entry with an open line": (held(open=OPEN), None, None, [ENTRY], [], []),
    "a late entry with an open line": (held(LATE, open=OPEN), None, None, [LATE], [ENTRY.ref], []),
    "an entry that the intent left": (held(EDITED), None, None, [], [], [CashDrift.SOURCE]),
    "an entry that a person edited": (
        held(entry=EDITED), None, None, [], [], [CashDrift.LEDGER]),
    "an edited entry with an open line": (
        held(entry=EDITED, open=OPEN), None, None, [], [], [CashDrift.LEDGER]),
    "an entry that a person booked on another day": (
        held(entry=LATE), None, None, [], [ENTRY.ref], [CashDrift.LEDGER]),
    "an entry that lost its hash": (held(stored_hash=None), None, None, [], [], [CashDrift.LEDGER]),
    "an entry that was removed": (None, SEEN, None, [], [], [CashDrift.REMOVED]),
    "an entry that was cancelled": (
        held(state=MoveState.CANCELLED), None, None, [], [], [CashDrift.REMOVED]),
    "a removed entry that was released": (
        None, replace(SEEN, state="released"), None, [ENTRY], [], []),
    "a cancelled entry that was released and is still there": (
        held(state=MoveState.CANCELLED), replace(SEEN, state="released"), None,
        [], [], [CashDrift.REMOVED]),
    "a released entry that a person posted again": (
        held(), replace(SEEN, state="released"), None, [], [], []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_entry_is_written_once_and_never_over_what_a_person_did(case: str) -> None:
    now, seen, lock, write, late, drift = CASES[case]
    plan = plan_cash(
        [ENTRY],
        {} if now is None else {ENTRY.ref: now},
        {} if seen is None else {ENTRY.ref: seen},
        lock,
    )
    assert [*plan.write] == write
    assert [*plan.late] == late
    assert [side for _, side in plan.drift] == drift


@pytest.mark.parametrize(
    ("case", "now", "seen", "expected"),
    [
        ("it waits for a run that posts", None, None, []),
        ("it is in the books", held(), None, [ENTRY]),
        ("the books have it otherwise", held(EDITED), None, [EDITED]),
        ("the books have it on another day", held(LATE), None, [LATE]),
        ("it was taken out, and is missed", None, SEEN, [ENTRY]),
        ("it was cancelled, and is missed", held(state=MoveState.CANCELLED), None, [ENTRY]),
    ],
)
def test_an_entry_counts_as_the_books_have_it_and_not_while_it_waits(
    case: str, now: LedgerCash | None, seen: Seen | None, expected: list[CashEntry]
) -> None:
    in_books = {ENTRY.ref: now} if now else {}
    plan = plan_cash([ENTRY], in_books, {ENTRY.ref: seen} if seen else {}, None)
    assert counted([ENTRY], plan, in_books) == expected, case
