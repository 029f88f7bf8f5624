"""No amount is in neither place: each row flips one fact of a posted, paid invoice or of its books."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from fcb_pipelines.core.agreement.compare import Agreement, AgreementRow
from fcb_pipelines.core.codes import Kind, Method, Reason, Status
from fcb_pipelines.core.dispositions.case import Case
from fcb_pipelines.core.dispositions.cases import decided
from fcb_pipelines.core.facts.arithmetic import unreadable
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.entries import Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, MoveState
from fcb_pipelines.core.proof.amount_rows import (
    AmountRow,
    Measure,
    credit_has_an_origin,
    nothing_is_lost,
    totals,
)
from fcb_pipelines.core.proof.amounts import AmountInputs, amounts
from fcb_pipelines.core.proof.credit import drawn_without_origin
from fcb_pipelines.core.proof.delta import LedgerDelta, delta_of
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    DAY,
    LAST_PERIOD,
    a_case,
    a_line,
    a_move,
    a_settlement,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
    stands,
)

INVOICE = an_invoice("in_1")
PAID = a_case(INVOICE)
MOVE = a_move(document_of(PAID))
ENTRIES = tuple(an_entry(each) for each in settlements_of(PAID))
PAYMENT = ENTRIES[0]
VOID = replace(INVOICE, status=Status.VOID)
NOTE = an_invoice(
    "cn_1", kind=Kind.CREDIT_NOTE, credits=INVOICE.ref, status=Status.OPEN,
    settlements=(a_settlement("stripe:acct_nexacloud:cn_1", 22600, "refund"),),
)  # fmt: skip
NOTE_MOVE = a_move(replace(document_of(a_case(NOTE)), reverses=INVOICE.ref))
REFUND = replace(a_settlement(INVOICE.ref, -22600, "refund"), method=Method.REFUND)
OFF = replace(a_settlement(INVOICE.ref, 22600, "cheque"), method=Method.OFF_PLATFORM)


def rows_of(
    *facts: InvoiceFacts,
    moves: tuple[LedgerMove, ...] = (),
    entries: tuple[LedgerSettlement, ...] = (),
    case: Case | None = None,
    deltas: tuple[LedgerDelta, ...] = (),
) -> tuple[AmountRow, ...]:
    """The amounts of these documents beside what the ledger holds, with everything in between as it is."""
    now = {move.ref: stands(move, seen=move.state) for move in moves}
    cases = [case or replace(a_case(one), ledger_state=now.get(one.ref)) for one in facts]
    rows = decided(cases, (), (), now, SETTINGS, BOOKS, LAST_PERIOD)
    return amounts(
        AmountInputs(
            facts=facts, dispositions=rows, deltas=deltas, moves=moves, settlements=entries,
            settings=SETTINGS,
        )
    )  # fmt: skip


def by_measure(rows: tuple[AmountRow, ...]) -> dict[str, tuple[int, int, int, str | None]]:
    return {
        f"{row.measure} {row.ref.rsplit('_')[-1]}"
        if len({r.ref for r in rows}) > 1
        else str(row.measure): (row.source, row.posted, row.listed, row.why)
        for row in rows
    }


@pytest.mark.parametrize(
    ("case", "invoice", "moves", "entries", "revenue", "cash"),
    [
        ("posted and paid", INVOICE, (MOVE,), ENTRIES, (20000, 20000, 0, None), (22600, 22600, 0, None)),
        ("not written yet", INVOICE, (), (), (20000, 0, 20000, "not_written"), (22600, 0, 22600, "not_written")),
        ("a draft", INVOICE, (replace(MOVE, state=MoveState.DRAFT),), (), (20000, 0, 20000, "draft"), (22600, 0, 22600, "draft")),
        ("held", replace(INVOICE, problem=Reason.UNREACHABLE), (), (), (20000, 0, 20000, "unreachable"), (22600, 0, 22600, "cash_without_document")),
        ("void, and paid", VOID, (), (), None, (22600, 0, 22600, "cash_without_document")),
        ("a draft at its source, and paid", replace(INVOICE, status=Status.DRAFT, date=None), (), (), None, (22600, 0, 22600, "cash_without_document")),
        ("without a day, and paid", replace(INVOICE, problem=Reason.UNREADABLE, date=None), (), (), (20000, 0, 20000, "unreadable"), (22600, 0, 22600, "cash_without_document")),
        ("test mode moves no money", replace(INVOICE, livemode=False), (), (), None, None),
        ("before the cutover, paid before", replace(INVOICE, date=date(2025, 12, 1), settlements=(replace(a_settlement(INVOICE.ref, 22600), date=date(2025, 12, 2)),)), (), (), None, None),
        ("before the cutover, paid since", replace(INVOICE, date=date(2025, 12, 1)), (), (), None, (22600, 0, 22600, "cash_without_document")),
        ("paid outside of the source", replace(INVOICE, settlements=(OFF,)), (MOVE,), (), (20000, 20000, 0, None), (22600, 0, 22600, "off_stripe_payment")),
        ("voided after it was posted", VOID, (MOVE,), ENTRIES, (0, 20000, -20000, "voided_after_posting"), (22600, 22600, 0, None)),
        ("the payment is not written and nothing says so", INVOICE, (MOVE,), (), (20000, 20000, 0, None), (22600, 0, 0, None)),
        ("the payment is posted twice", INVOICE, (MOVE,), (*ENTRIES, replace(PAYMENT, ref=f"{PAYMENT.ref}:undone")), (20000, 20000, 0, None), (22600, 45200, 0, None)),
    ],
)  # fmt: skip
def test_every_amount_is_posted_or_listed_with_its_reason(
    case: str,
    invoice: InvoiceFacts,
    moves: tuple[LedgerMove, ...],
    entries: tuple[LedgerSettlement, ...],
    revenue: tuple[Any, ...] | None,
    cash: tuple[Any, ...] | None,
) -> None:
    found = by_measure(rows_of(invoice, moves=moves, entries=entries))
    assert (found.get("revenue"), found.get("cash")) == (revenue, cash), case


OPENING = replace(INVOICE, date=date(2025, 12, 1))


def listed_as(code: str) -> LedgerDelta:
    """The read-back found the payment not to stand, for this reason."""
    row = AgreementRow(
        ref=INVOICE.ref, other_ref=PAYMENT.ref, field="settlement.amount", kind=Agreement.MISSING,
        expected="22600", actual=None, difference=None, policy="settlement",
    )  # fmt: skip
    return delta_of(INVOICE.ref, PAYMENT.ref, row, code, INVOICE.currency)


@pytest.mark.parametrize(
    ("case", "facts", "entries", "deltas", "cash"),
    [
        ("listed by policy", OPENING, (), (), (22600, 0, 22600, "cash_without_document")),
        ("booked on account", OPENING, ENTRIES, (), (22600, 22600, 0, "opening_document")),
        ("its period is locked", OPENING, (), (listed_as("settlement_period_locked"),), (22600, 0, 22600, "settlement_period_locked")),
        ("booked and edited since", OPENING, (replace(PAYMENT, settlement=replace(PAYMENT.settlement, amount=22500)),), (listed_as("edited_in_ledger"),), (22600, 22500, 100, "edited_in_ledger")),
        ("booked, and its source no longer reports it", replace(OPENING, settlements=()), ENTRIES, (), (0, 22600, -22600, "settlement_taken_back")),
    ],
)  # fmt: skip
def test_s11_cash_of_before_the_cutover_is_on_account_or_listed(
    case: str,
    facts: InvoiceFacts,
    entries: tuple[LedgerSettlement, ...],
    deltas: tuple[LedgerDelta, ...],
    cash: tuple[Any, ...],
) -> None:
    rows = rows_of(facts, entries=entries, deltas=deltas)
    assert by_measure(rows) == {"cash": cash}, case
    assert nothing_is_lost(rows).outcome is not Outcome.FAIL


def test_s11_cash_on_account_whose_document_nobody_names_any_more_is_listed() -> None:
    """Of before the cutover, it has no move of ours that would keep it in the population (A13)."""
    (row,) = rows_of(entries=(PAYMENT,))
    assert (row.source, row.posted, row.listed, row.why) == (0, 22600, -22600, "opening_document")
    assert (row.ref, row.entry, row.partner) == (
        INVOICE.ref,
        PAYMENT.ref,
        PAYMENT.settlement.partner,
    )
    assert nothing_is_lost([row]).outcome is Outcome.WARN
    # A document of ours is no document of before.
    for state in (MoveState.POSTED, MoveState.DRAFT):
        rows = rows_of(moves=(replace(MOVE, state=state),), entries=(PAYMENT,))
        assert nothing_is_lost(rows).outcome is Outcome.FAIL


def test_a_cent_in_neither_place_fails_by_name_and_amount() -> None:
    off = replace(
        MOVE, document=replace(MOVE.document, lines=(replace(MOVE.document.lines[0], net=19999),))
    )
    result = nothing_is_lost(rows_of(INVOICE, moves=(off,), entries=ENTRIES))
    # The posted move was edited: that explains the difference, with its amount.
    assert result.outcome is Outcome.WARN
    assert "199.99 CAD posted" in result.detail
    lost = nothing_is_lost(rows_of(INVOICE, moves=(MOVE,)))
    assert (lost.outcome, lost.count) == (Outcome.FAIL, 1)
    assert "NC-in_1" in lost.detail
    assert "226.00 CAD at the source, 0.00 CAD posted" in lost.detail


def test_a_move_of_no_member_is_lost_by_name() -> None:
    rows = amounts(
        AmountInputs(
            facts=(),
            dispositions=(),
            deltas=(),
            moves=[MOVE],
            settlements=ENTRIES,
            settings=SETTINGS,
        )
    )
    assert {row.measure for row in rows if row.difference} == {
        Measure.REVENUE,
        Measure.TAX,
        Measure.CASH,
    }


def test_b12_a_void_and_its_note_come_to_nothing_together() -> None:
    rows = rows_of(VOID, NOTE, moves=(MOVE, NOTE_MOVE), entries=ENTRIES)
    billed = [row for row in rows if row.measure is not Measure.CASH]
    assert billed == []
    apart = rows_of(VOID, NOTE, moves=(NOTE_MOVE,), entries=())
    assert [row.posted for row in apart if row.measure is Measure.REVENUE] == [-20000]
    assert all(row.difference == 0 for row in apart if row.measure is Measure.REVENUE)


def test_b12_a_note_of_an_opening_invoice_counts_though_the_invoice_was_voided_since() -> None:
    opening = replace(VOID, date=date(2025, 12, 1), settlements=())
    rows = rows_of(opening, NOTE, moves=(NOTE_MOVE,))
    billed = {
        row.measure: (row.source, row.posted) for row in rows if row.measure is not Measure.CASH
    }
    assert billed == {Measure.REVENUE: (-20000, -20000), Measure.TAX: (-2600, -2600)}


def test_s6_a_refund_is_counted_once_whoever_tells_it() -> None:
    refund = replace(REFUND, ref=NOTE.settlements[0].ref, amount=0)
    invoice = replace(INVOICE, settlements=(*INVOICE.settlements, refund))
    rows = rows_of(invoice, NOTE)
    cash = [(row.source, row.entry) for row in rows if row.measure is Measure.CASH]
    assert sorted(cash) == [(-22600, NOTE.settlements[0].ref), (22600, INVOICE.settlements[0].ref)]


def test_s6_a_refund_of_a_note_that_is_not_posted_is_listed_though_its_invoice_stands() -> None:
    refund = replace(REFUND, ref=NOTE.settlements[0].ref, amount=0)
    invoice = replace(INVOICE, settlements=(*INVOICE.settlements, refund))
    note = replace(NOTE_MOVE, state=MoveState.DRAFT, document=document_of(a_case(NOTE)))
    rows = rows_of(invoice, NOTE, moves=(MOVE, note), entries=ENTRIES)
    [cash] = [row for row in rows if row.measure is Measure.CASH and row.source < 0]
    assert (cash.ref, cash.source, cash.posted, cash.listed, cash.why) == (
        NOTE.ref, -22600, 0, -22600, "draft",
    )  # fmt: skip


def test_s5_a_shared_receipt_counts_once_and_each_document_has_its_part() -> None:
    shared = replace(
        a_settlement(INVOICE.ref, 22600, "share"), drawn_on="pi_1", receipt=33900, shares=("other",)
    )
    early = an_invoice(
        "in_0", a_line(10000), date=date(2025, 12, 1),
        settlements=(replace(shared, ref="other", document="stripe:acct_nexacloud:in_0", amount=11300, shares=(shared.ref,)),),
    )  # fmt: skip
    one = replace(INVOICE, settlements=(shared,))
    entry = LedgerSettlement(
        ref=shared.ref, move_id="1", state=MoveState.POSTED, reconciled=22600, stored_hash=None,
        settlement=Settlement(
            ref=shared.ref, document=INVOICE.ref, kind=Kind.INVOICE, partner=PAID.partner,
            method=Method.PAYMENT, date=DAY, amount=22600, currency="CAD", memo="pi_1",
            drawn_on="pi_1", receipt=33900,
        ),
    )  # fmt: skip
    rows = rows_of(one, early, moves=(MOVE,), entries=(entry,))
    cash = {
        row.ref: (row.source, row.posted, row.why) for row in rows if row.measure is Measure.CASH
    }
    assert cash == {
        INVOICE.ref: (22600, 22600, None),
        early.ref: (11300, 11300, "opening_document"),
    }


def test_s7_the_parts_of_a_receipt_that_its_source_tells_no_more_are_one_receipt_and_listed() -> (
    None
):
    part = replace(PAYMENT.settlement, ref="p1:in_1", drawn_on="p1", receipt=33900)
    undone = replace(
        PAYMENT.settlement, ref="p1:in_1:undone", method=Method.PAYMENT_FAILURE, amount=-22600,
        undoes=part.ref,
    )  # fmt: skip
    taken_back = LedgerDelta(
        ref=INVOICE.ref, entry=part.ref, field="settlement.amount", kind=Agreement.EXTRA,
        expected=None, actual="22600", difference=22600, aspect="read_back",
        code="settlement_taken_back",
    )  # fmt: skip
    unpaid = replace(INVOICE, settlements=())
    stood, back = an_entry(part), an_entry(undone)
    first = rows_of(unpaid, moves=(MOVE,), entries=(stood,), deltas=(taken_back,))
    [cash] = [row for row in first if row.measure is Measure.CASH]
    assert (cash.posted, cash.listed, cash.why) == (33900, -33900, "settlement_taken_back")
    then = rows_of(unpaid, moves=(MOVE,), entries=(stood, back), deltas=(taken_back,))
    [left] = [row for row in then if row.measure is Measure.CASH]
    assert (left.posted, left.listed, left.why) == (11300, -11300, "settlement_taken_back")
    # The other part is of a document of before the cutover: nothing of it is the books' to take back.
    alone = rows_of(unpaid, moves=(MOVE,), entries=(stood, back))
    assert nothing_is_lost(alone).outcome is Outcome.WARN


def reversed_often(times: int) -> tuple[LedgerSettlement, ...]:
    """The payment and so many reversals, each of the one before."""
    entries = [PAYMENT.settlement]
    for _ in range(times):
        last = entries[-1]
        entries.append(
            replace(last, ref=f"{last.ref}:undone", amount=-last.amount, undoes=last.ref)
        )
    return tuple(map(an_entry, entries))


@pytest.mark.parametrize(
    ("times", "is_told", "is_listed", "cash"),
    [
        (1, True, True, (22600, 0, 22600, "settlement_taken_back")),
        (1, True, False, (22600, 0, 0, None)),
        (2, True, False, (22600, 22600, 0, None)),
        (2, False, True, (0, 22600, -22600, "settlement_taken_back")),
        (3, False, False, None),
        (3, True, True, (22600, 0, 22600, "settlement_taken_back")),
        (4, True, False, (22600, 22600, 0, None)),
    ],
)
def test_s7_a_settlement_that_comes_and_goes_is_one_movement_of_money(
    times: int, is_told: bool, is_listed: bool, cash: tuple[Any, ...] | None
) -> None:
    entries = reversed_often(times)
    last = entries[-1]
    taken_back = LedgerDelta(
        ref=INVOICE.ref, entry=last.ref, field="settlement.amount", kind=Agreement.EXTRA,
        expected=None, actual=str(last.settlement.amount), difference=last.settlement.amount,
        aspect="read_back", code="settlement_taken_back",
    )  # fmt: skip
    facts = INVOICE if is_told else replace(INVOICE, settlements=())
    deltas = (taken_back,) if is_listed else ()
    rows = rows_of(facts, moves=(MOVE,), entries=entries, deltas=deltas)
    found = [(r.source, r.posted, r.listed, r.why) for r in rows if r.measure is Measure.CASH]
    assert found == ([cash] if cash else [])


@pytest.mark.parametrize(
    ("case", "given", "drawn", "short"),
    [
        ("nothing was ever given", (), (500,), [-500]),
        ("given before it is drawn", (500,), (500,), []),
        ("more is drawn than was given", (300,), (500,), [-200]),
        ("each draw lists its own part", (300,), (200, 200, 200), [-100, -200]),
    ],
)
def test_s12_credit_that_nobody_gave_is_told_with_its_amount(
    case: str, given: tuple[int, ...], drawn: tuple[int, ...], short: list[int]
) -> None:
    base = PAYMENT.settlement
    entries = [
        replace(PAYMENT, ref=f"e{n}", settlement=replace(base, ref=f"e{n}", method=Method.CUSTOMER_BALANCE, amount=amount))
        for n, amount in enumerate((*(-each for each in given), *drawn))
    ]  # fmt: skip
    rows = drawn_without_origin(entries, {})
    assert [row.listed for row in rows] == short, case
    assert credit_has_an_origin(rows).count == len(short)


def _balance(*amounts: int) -> list[LedgerSettlement]:
    """Entries of one customer's balance, a day each."""
    return [
        replace(
            PAYMENT,
            ref=f"e{n}",
            settlement=replace(
                PAYMENT.settlement,
                ref=f"e{n}",
                method=Method.CUSTOMER_BALANCE,
                amount=amount,
                date=DAY + timedelta(days=n),
            ),
        )
        for n, amount in enumerate(amounts)
    ]


def test_s12_what_was_told_once_does_not_eat_up_credit_that_comes_later() -> None:
    rows = drawn_without_origin(_balance(400, -200, 200), {})
    assert [(row.entry, row.listed) for row in rows] == [("e0", -400)]


def test_b9_a_debt_that_an_invoice_leaves_on_the_balance_is_no_credit_drawn() -> None:
    # Left there, collected by the next invoice, and then a draw that nobody gave the credit for.
    debts = (
        replace(INVOICE.settlements[0], ref="e0", amount=40, debt=40),
        replace(INVOICE.settlements[0], ref="e1", amount=-40, debt=-40),
    )
    in_debt = replace(INVOICE, settlements=debts)
    rows = drawn_without_origin(_balance(40, -40, 30), {}, [in_debt])
    assert [(row.entry, row.listed) for row in rows] == [("e2", -30)]


def test_the_totals_are_by_currency_and_measure() -> None:
    rows = rows_of(INVOICE, moves=(MOVE,), entries=ENTRIES)
    assert totals(rows)["CAD"]["tax"] == {"source": 2600, "posted": 2600, "listed": 0}


def test_s6_a_refund_of_a_note_that_is_held_is_listed_with_the_note() -> None:
    refund = replace(REFUND, ref=NOTE.settlements[0].ref, amount=0)
    invoice = replace(INVOICE, settlements=(*INVOICE.settlements, refund))
    held = replace(NOTE, problem=Reason.LINES_DO_NOT_SUM)
    rows = rows_of(invoice, held, moves=(MOVE,), entries=ENTRIES)
    listed = {row.entry: (row.ref, row.listed, row.why) for row in rows if row.source < 0}
    assert listed[refund.ref] == (NOTE.ref, -22600, "cash_without_document")
    assert nothing_is_lost(rows).outcome is Outcome.WARN


LOOSE = an_invoice(
    "inpay_9", total=0, net=0, tax=0, lines=(), taxes=(), problem=Reason.PAYMENT_WITHOUT_INVOICE,
    settlements=(replace(a_settlement("stripe:acct_nexacloud:inpay_9", 777), ref="stripe:acct_nexacloud:inpay_9"),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("case", "loose", "entries", "cash"),
    [
        ("listed", LOOSE, (), (777, 0, 777, "cash_without_document")),
        ("before the cutover", replace(LOOSE, date=date(2025, 12, 1), settlements=(replace(LOOSE.settlements[0], date=date(2025, 12, 1)),)), (), None),
        ("dated after the open period", replace(LOOSE, date=date(2026, 9, 1)), (), (777, 0, 777, "cash_without_document")),
        ("by hand", replace(LOOSE, settlements=(replace(LOOSE.settlements[0], method=Method.OFF_PLATFORM),)), (), (777, 0, 777, "cash_without_document")),
        ("posted while its invoice was listed", LOOSE, (replace(PAYMENT, ref=LOOSE.ref, settlement=replace(PAYMENT.settlement, ref=LOOSE.ref, amount=777)),), (777, 777, 0, None)),
    ],
)  # fmt: skip
def test_s11_a_payment_whose_invoice_is_not_listed_is_listed_with_its_amount(
    case: str,
    loose: InvoiceFacts,
    entries: tuple[LedgerSettlement, ...],
    cash: tuple[Any, ...] | None,
) -> None:
    rows = rows_of(loose, case=replace(a_case(loose), claimant=None), entries=entries)
    assert by_measure(rows) == ({"cash": cash} if cash else {}), case
    assert nothing_is_lost(rows).outcome is not Outcome.FAIL


def test_s11_a_receipt_of_a_posted_invoice_and_of_one_that_is_not_listed_is_counted_once() -> None:
    own = "stripe:acct_nexacloud:p1"
    part = replace(
        PAYMENT.settlement, ref=f"{own}:in_1", drawn_on=own, receipt=33900,
    )  # fmt: skip
    known = replace(INVOICE.settlements[0], ref=part.ref, drawn_on=own, receipt=33900)
    rest = replace(known, ref=f"{own}:p1", document=own, amount=0)
    loose = replace(LOOSE, ref=own, settlements=(rest,))
    invoice = replace(INVOICE, settlements=(known,))
    for moves, entries, cash in (
        ((MOVE,), (an_entry(part),), [(33900, 33900, 0, None)]),
        ((), (), [(33900, 0, 33900, "not_written")]),
    ):
        rows = rows_of(invoice, loose, moves=moves, entries=entries)
        told = [row for row in rows if row.measure is Measure.CASH]
        assert [(row.source, row.posted, row.listed, row.why) for row in told] == cash


def test_a_document_that_cant_be_read_is_listed_with_an_unknown_amount() -> None:
    unread = unreadable("stripe", INVOICE.ref, Kind.INVOICE, INVOICE.customer)
    [row] = rows_of(unread)
    assert (row.source, row.posted, row.listed, row.why) == (0, 0, 0, Reason.UNREADABLE)
    found = nothing_is_lost((row,))
    assert found.outcome is Outcome.WARN
    assert "unknown at the source" in found.detail
    assert totals((row,)) == {}


def test_a_readable_amount_of_a_held_document_is_listed_with_it() -> None:
    held = replace(INVOICE, problem=Reason.UNREADABLE)
    assert {row.measure: row.listed for row in rows_of(held)}[Measure.REVENUE] == held.net
    assert "unknown" not in nothing_is_lost(rows_of(held)).detail
