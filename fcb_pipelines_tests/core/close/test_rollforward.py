"""The receivable rolls forward, whatever happened on it, and what the entries do not explain is named."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given

from fcb_pipelines.core.close.ageing import BUCKETS, ageing, bucket, open_documents
from fcb_pipelines.core.close.booked import ALLOCATED, Booked, booked, unique
from fcb_pipelines.core.close.report_shapes import RollForward
from fcb_pipelines.core.close.rollforward import LABELS, groups, roll_forward
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, LedgerState, MoveState
from fcb_pipelines.core.periods import first_day, following, periods_between, preceding
from fcb_pipelines.core.refs import correction_ref
from fcb_pipelines.core.settlements.matching import Claim, Matching, match
from fcb_pipelines_tests.documents import (
    SETTINGS,
    a_credit_note,
    a_settlement,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.facts import a_move, an_entry
from fcb_pipelines_tests.strategies import lives

APRIL = "2026-04"
MONTHS = periods_between("2025-10", "2026-06")
RECEIVABLE = SETTINGS.accounts.receivable.code


def read_back(
    documents: Sequence[LedgerDocument], settlements: Sequence[Settlement] = (), **moves: Any
) -> list[LedgerState]:
    """The ledger's state of these, matched by the rules that books without reconciliation go by."""
    matchings = {one.ref: _matching(one.ref, one.total, settlements) for one in documents}
    receipts = {str(each.drawn_on): each.receipt for each in settlements if each.receipt}
    matchings |= {ref: _matching(ref, whole, settlements) for ref, whole in receipts.items()}
    states = [
        LedgerState(
            ref=one.ref,
            move=a_move(
                one,
                residual=matchings[one.ref].residual + matchings[one.ref].put_back,
                put_back=matchings[one.ref].put_back,
                **moves,
            ),
        )
        for one in documents
    ]
    for each in settlements:
        sides = [matchings[ref] for ref in (each.document, each.drawn_on) if ref in matchings]
        matched = min((side.of.get(each.ref, 0) for side in sides), key=abs, default=0)
        entry = an_entry(each, reconciled=matched)
        states.append(LedgerState(ref=each.ref, settlement=entry))
    return states


def _matching(ref: str, total: int, settlements: Sequence[Settlement]) -> Matching:
    return match(
        total,
        [
            Claim(
                ref=each.ref,
                date=each.date,
                amount=each.amount,
                allocation=each.drawn_on is not None,
                undoes=each.undoes,
            )
            for each in settlements
            if ref in (each.document, each.drawn_on) and each.method.touches_receivable
        ],
    )


def entries_of(states: Iterable[LedgerState]) -> tuple[Booked, ...]:
    return unique(each for state in states for each in booked(state))


def rolled(
    states: Iterable[LedgerState], period: str = APRIL, listed: Iterable[str] = ()
) -> RollForward:
    """The roll-forward of the one currency there is."""
    [row] = roll_forward(entries_of(states), period, {*listed})
    return row


@given(life=lives())
def test_every_month_opens_with_what_the_one_before_closed_with(life: Any) -> None:
    entries = entries_of(read_back(*life))
    closings: dict[str, int] = {}
    for period in MONTHS:
        rows = roll_forward(entries, period, ())
        for row in rows:
            assert row["opening"] == closings.get(row["currency"], 0)
            moved = sum(each["amount"] for each in row["movements"])
            assert row["closing"] == row["opening"] + moved
        closings = {row["currency"]: row["closing"] for row in rows}


@given(life=lives())
def test_the_closing_is_the_balance_of_the_receivable_up_to_that_day(life: Any) -> None:
    documents, settlements = life
    entries = entries_of(read_back(documents, settlements))
    for period in MONTHS:
        after = first_day(following(period))
        balances = expected_balances(
            [one for one in documents if one.date < after],
            [each for each in settlements if each.date < after],
        )
        found = {row["currency"]: row["closing"] for row in roll_forward(entries, period, ())}
        for currency, closing in found.items():
            assert closing == balances.get((RECEIVABLE, currency), 0)


@given(life=lives())
def test_whatever_is_matched_among_our_entries_nothing_is_unexplained(life: Any) -> None:
    states = read_back(*life)
    for period in MONTHS:
        for row in roll_forward(entries_of(states), period, ()):
            assert (row["by_hand"], row["unexplained"], row["differing"]) == (0, 0, [])
            assert row["open"] == row["closing"]
    # All matched: what is open are the residuals, less what is open beside them.
    for row in roll_forward(entries_of(states), MONTHS[-1], ()):
        moves = [
            each.move
            for each in states
            if each.move and each.move.document.currency == row["currency"]
        ]
        residuals = sum(move.document.kind.sign * (move.residual - move.put_back) for move in moves)
        assert row["open"] - residuals == _unmatched(states, row["currency"])


def _unmatched(states: Iterable[LedgerState], currency: str) -> int:
    """What is not matched of settlements and shared receipts, in the receivable's sign."""
    total, receipts = 0, {}
    for state in states:
        entry = state.settlement
        if entry is None or entry.settlement.currency != currency:
            continue
        settled = entry.settlement
        if settled.receipt is not None:
            rest = receipts.setdefault(settled.drawn_on, settled.receipt * settled.kind.sign)
            receipts[settled.drawn_on] = rest - settled.kind.sign * entry.reconciled
        elif settled.method.touches_receivable and not settled.is_allocation:
            total -= settled.kind.sign * (settled.amount - entry.reconciled)
    return total - sum(receipts.values())


@given(life=lives())
def test_the_ageing_is_what_is_open(life: Any) -> None:
    entries = entries_of(read_back(*life))
    for period in MONTHS:
        rows = ageing(open_documents(groups(entries, period), period, {}, {}))
        for one in roll_forward(entries, period, ()):
            own = [row for row in rows if row["currency"] == one["currency"]]
            assert sum(row["total"] for row in own) == one["open"]
            assert all(
                row["total"] == sum(row[name] for name in BUCKETS)  # type: ignore[literal-required]
                for row in own
            )


def test_every_method_that_touches_the_receivable_has_a_line() -> None:
    assert {each for each in Method if each.touches_receivable} <= {*LABELS}


INVOICE = an_invoice("in_1", day=date(2026, 4, 3))
NEXT = an_invoice("in_2", day=date(2026, 4, 20))


def test_a_payment_counts_in_the_month_of_its_own_day() -> None:
    states = read_back([INVOICE], [a_settlement(INVOICE, day=date(2026, 5, 1))])
    april, may = rolled(states), rolled(states, "2026-05")
    assert (april["opening"], april["closing"], april["open"]) == (0, INVOICE.total, INVOICE.total)
    assert (may["opening"], may["closing"], may["open"]) == (INVOICE.total, 0, 0)
    assert [row["part"] for row in may["movements"]] == ["payment"]


def test_a_note_matched_with_an_invoice_of_the_month_before_is_no_movement_of_its_own() -> None:
    note = a_credit_note("cn_1", day=date(2026, 5, 7))
    applied = a_settlement(
        INVOICE, note.total, method=Method.CREDIT_NOTE, drawn_on=note.ref, day=note.date
    )
    states = read_back([INVOICE, note], [applied])
    assert [row["part"] for row in rolled(states, "2026-05")["movements"]] == ["credit_notes"]
    assert rolled(states)["open"] == INVOICE.total
    assert ALLOCATED not in LABELS


def test_a_correction_has_a_line_of_its_own_and_is_of_its_document() -> None:
    void = replace(a_credit_note("in_1", day=date(2026, 5, 2)), ref=correction_ref(INVOICE.ref, 1))
    match_ = a_settlement(
        INVOICE, method=Method.CREDIT_NOTE, drawn_on=void.ref, day=void.date, name="match"
    )
    states = read_back([INVOICE, void], [match_])
    may = rolled(states, "2026-05")
    assert [(row["part"], row["amount"]) for row in may["movements"]] == [
        ("corrections", -INVOICE.total)
    ]
    assert (may["closing"], may["open"], may["unexplained"]) == (0, 0, 0)


def test_cash_on_account_is_a_credit_without_a_document() -> None:
    on_account = replace(a_settlement(INVOICE), on_account=True)
    states = read_back([], [on_account])
    assert rolled(states)["open"] == -INVOICE.total
    [row] = open_documents(groups(entries_of(states), APRIL), APRIL, {}, {})
    assert (row["open"], row["days"]) == (-INVOICE.total, None)


def one_changed(states: list[LedgerState], **changes: Any) -> list[LedgerState]:
    """The same, with another read-back of the first document."""
    first = states[0]
    return [replace(first, move=replace(first.move, **changes)), *states[1:]]  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("fact", "residual", "listed", "by_hand", "unexplained"),
    [
        ("as our entries say", INVOICE.total, True, 0, 0),
        ("settled by hand and listed", 0, True, -INVOICE.total, 0),
        ("settled in part and listed", 1, True, 1 - INVOICE.total, 0),
        ("settled by nobody knows whom", 0, False, 0, -INVOICE.total),
        ("open by more than was booked", INVOICE.total + 5, True, 0, 5),
    ],
)
def test_a_document_that_our_entries_do_not_explain_is_named(
    fact: str, residual: int, listed: bool, by_hand: int, unexplained: int
) -> None:
    states = one_changed(read_back([INVOICE, NEXT]), residual=residual)
    row = rolled(states, listed=[INVOICE.ref] if listed else [])
    assert (row["by_hand"], row["unexplained"]) == (by_hand, unexplained), fact
    assert row["closing"] == INVOICE.total + NEXT.total
    assert row["open"] == residual + NEXT.total
    assert [each["ref"] for each in row["differing"]] == (
        [INVOICE.ref] if by_hand or unexplained else []
    )


def test_differences_of_two_documents_are_both_named_though_they_cancel_out() -> None:
    states = read_back([INVOICE, NEXT])
    states = one_changed(states, residual=INVOICE.total - 7)
    states = one_changed(states[::-1], residual=NEXT.total + 7)
    row = rolled(states)
    assert row["unexplained"] == 0
    assert {each["amount"] for each in row["differing"]} == {7, -7}


def test_an_overpayment_that_a_person_matched_with_the_next_invoice_is_no_difference() -> None:
    paid = a_settlement(INVOICE, INVOICE.total + 500)
    states = read_back([NEXT, INVOICE], [paid])
    states = one_changed(states, residual=NEXT.total - 500)
    paid_entry: LedgerSettlement = states[-1].settlement  # type: ignore[assignment]
    unexplained = rolled(states)
    states[-1] = replace(states[-1], settlement=replace(paid_entry, matched_with=("INV/2",)))
    explained = rolled(states)
    assert (unexplained["unexplained"], explained["unexplained"]) == (-500, 0)
    assert explained["open"] == explained["closing"] == NEXT.total - 500
    [row] = open_documents(groups(entries_of(states), APRIL), APRIL, {}, {})
    assert (row["ref"], row["open"]) == (NEXT.ref, NEXT.total - 500)


@pytest.mark.parametrize("state", [MoveState.DRAFT, MoveState.CANCELLED])
def test_only_what_is_posted_counts(state: MoveState) -> None:
    states = read_back([INVOICE], [a_settlement(INVOICE)])
    draft = [replace(each, move=each.move and replace(each.move, state=state)) for each in states]
    assert [row["part"] for row in rolled(draft)["movements"]] == ["payment"]
    assert roll_forward(entries_of(draft[:1]), APRIL, ()) == []


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (0, "current"), (1, "days_1_30"), (30, "days_1_30"), (31, "days_31_60"),
        (60, "days_31_60"), (61, "days_61_90"), (90, "days_61_90"), (91, "over_90"),
        (None, "credit"),
    ],
)  # fmt: skip
def test_a_document_is_in_the_column_of_its_days(days: int | None, name: str) -> None:
    assert bucket(days) == name


@pytest.mark.parametrize(
    ("due", "basis", "days"),
    [
        ({}, "date", 27),
        ({INVOICE.ref: date(2026, 4, 25)}, "due", 5),
        ({INVOICE.ref: date(2026, 5, 25)}, "due", 0),
    ],
)
def test_the_age_counts_from_the_due_date_else_from_the_documents(
    due: dict[str, date], basis: str, days: int
) -> None:
    entries = entries_of(read_back([INVOICE]))
    [row] = open_documents(groups(entries, APRIL), APRIL, due, {INVOICE.partner: "Maple"})
    assert (row["basis"], row["days"], row["name"]) == (basis, days, "Maple")


def test_a_report_of_an_earlier_month_does_not_know_what_came_after_it() -> None:
    states = read_back([INVOICE, NEXT], [a_settlement(INVOICE, day=date(2026, 5, 3))])
    assert roll_forward(entries_of(states), preceding(APRIL), ()) == []
    assert rolled(states)["open"] == INVOICE.total + NEXT.total


def test_a_move_counts_on_the_ledgers_own_date() -> None:
    move: LedgerMove = a_move(INVOICE, residual=INVOICE.total, accounting_date=date(2026, 5, 1))
    assert roll_forward(entries_of([LedgerState(ref=move.ref, move=move)]), APRIL, ()) == []
