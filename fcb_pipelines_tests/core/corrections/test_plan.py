"""The plan of a correction says what the books will say, and is refused where the source says otherwise."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.codes import Kind, Method, Status
from fcb_pipelines.core.corrections.plan import CorrectionPlan, plan_correction, posted_with_notes
from fcb_pipelines.core.dispositions.decide import decide
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.ledger.corrections import VOIDED
from fcb_pipelines.core.ledger.moves import LedgerState
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    LAST_PERIOD,
    a_case,
    a_line,
    a_move,
    all_standing,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
    stands,
)

TODAY = date(2026, 5, 20)
INVOICE = an_invoice("in_1")
PAID = a_case(INVOICE)
VOID = replace(INVOICE, status=Status.VOID, voided_on=date(2026, 5, 12))
PART = an_invoice("cn_1", a_line(5000), kind=Kind.CREDIT_NOTE, credits=INVOICE.ref, settlements=())
PART_MOVE = a_move(replace(document_of(a_case(PART)), reverses=INVOICE.ref))
NOTED = IndexRow(
    ref=PART.ref, source_id="cn_1", origin=Origin.CREDIT_NOTE, answer=Lookup.LISTED, in_scope=True,
    claimed=False, credits=INVOICE.ref, total=-PART.total,
)  # fmt: skip


def planned(
    facts: Any, *more: LedgerState, index: tuple[IndexRow, ...] = (), **options: Any
) -> CorrectionPlan:
    now = {**all_standing(PAID), **{row.ref: row for row in more}}
    case = replace(
        a_case(facts, ledger_state=now[INVOICE.ref]),
        credited=-sum(row.total for row in index if row.status is not Status.VOID),
    )
    posted = posted_with_notes(case, now, index)
    return plan_correction(case, posted, now, SETTINGS, BOOKS, TODAY, **options)


def sides(plan: CorrectionPlan) -> tuple[tuple[int, ...], tuple[int, ...]]:
    assert plan.now is not None
    assert plan.after is not None
    return tuple((one.revenue, one.tax, one.cash, one.receivable) for one in (plan.now, plan.after))  # type: ignore[return-value]


def test_d1_a_void_is_reversed_on_its_own_day_and_its_cash_is_the_customers() -> None:
    plan = planned(VOID)
    assert plan.correction is not None
    assert (plan.correction.document.date, plan.correction.document.total) == (
        date(2026, 5, 12),
        22600,
    )
    assert sides(plan) == ((20000, 2600, 22600, 0), (0, 0, 22600, -22600))


def test_b12_a_correction_deducts_every_note_that_stands() -> None:
    plan = planned(VOID, stands(PART_MOVE), index=(NOTED,))
    assert plan.correction is not None
    assert plan.correction.document.total == 22600 - PART.total
    assert sides(plan)[1][:2] == (0, 0)


def test_b12_a_note_that_its_source_gave_and_nobody_posted_is_waited_for() -> None:
    plan = planned(VOID, index=(NOTED,))
    assert plan.is_empty
    assert "refused" in plan.why
    assert "fcb post" in plan.why


def test_b12_a_note_that_went_with_the_void_is_left_to_its_own_correction() -> None:
    gone = replace(NOTED, status=Status.VOID)
    plan = planned(VOID, stands(PART_MOVE), index=(gone,))
    assert plan.correction is not None
    assert plan.correction.document.total == 22600
    # What the note took back is open until the note is corrected as well.
    assert sides(plan)[1][:2] == (-5000, -650)


def test_b12_what_its_notes_take_back_as_a_whole_needs_no_correction() -> None:
    whole = replace(NOTED, total=-VOID.total)
    plan = planned(VOID, index=(whole,))
    assert (plan.is_empty, plan.why) == (True, "its credit notes reverse it: nothing to write")


def test_b12_d2_what_was_changed_before_its_notes_took_it_back_is_corrected_to_what_they_take() -> (
    None
):
    dearer = replace(an_invoice("in_1", a_line(25000)), status=Status.VOID)
    taken = a_move(
        replace(
            document_of(a_case(dearer)), ref=PART.ref, kind=Kind.CREDIT_NOTE, reverses=INVOICE.ref
        )
    )
    plan = planned(dearer, stands(taken), index=(replace(NOTED, total=-dearer.total),))
    assert plan.correction is not None
    assert sides(plan)[1][:2] == (0, 0)


def test_b12_a_note_that_takes_back_twice_is_taken_back_itself() -> None:
    plan = planned(INVOICE, withdrawn=True)
    assert plan.correction is not None
    assert sides(plan)[1][:2] == (0, 0)


def test_d2_a_change_is_corrected_to_what_the_source_says_beside_the_notes_that_stand() -> None:
    cheaper = an_invoice("in_1", a_line(15000))
    plan = planned(cheaper, stands(PART_MOVE), index=(NOTED,))
    assert plan.correction is not None
    assert sides(plan)[1][:2] == (15000 - 5000, 1950 - 650)


@pytest.mark.parametrize("changes", [{"kind": Kind.CREDIT_NOTE}, {"currency": "USD"}])
def test_d2_of_another_kind_or_currency_is_refused_and_says_what_mends_it(changes: Any) -> None:
    plan = planned(an_invoice("in_1", **changes))
    assert plan.is_empty
    assert "void it there and issue it anew" in plan.why


@pytest.mark.parametrize("answers", ["void", "a dearer one"])
def test_d2_a_source_that_goes_back_to_what_was_posted_is_corrected_once_more(answers: str) -> None:
    by = 20000 if answers == "void" else -300
    back = replace(
        document_of(PAID), ref=f"{INVOICE.ref}:correction:1", reverses=INVOICE.ref, source_hash=answers,
        kind=Kind.CREDIT_NOTE if by > 0 else Kind.INVOICE, taxes=(),
        lines=(replace(document_of(PAID).lines[0], net=abs(by)),),
    )  # fmt: skip
    done = a_move(back, stored_source_hash=answers)
    now = {**all_standing(PAID), done.ref: stands(done)}
    case = replace(a_case(INVOICE, ledger_state=now[INVOICE.ref]), corrections=(done,))
    row = decide(case, SETTINGS, BOOKS, LAST_PERIOD)
    assert row.exceptions == ("source_changed",)
    plan = plan_correction(case, posted_with_notes(case, now, ()), now, SETTINGS, BOOKS, TODAY)
    assert plan.correction is not None
    assert sides(plan)[1][:2] == (20000, 2600)


@pytest.mark.parametrize(
    ("withdrawn", "lock", "day"),
    [
        ((), None, TODAY),
        (((f"{INVOICE.ref}:dp_1", date(2026, 5, 9)),), None, date(2026, 5, 9)),
        (((f"{INVOICE.ref}:dp_1", date(2026, 5, 9)),), date(2026, 5, 10), date(2026, 5, 11)),
    ],
    ids=["the source tells no day", "on the source's day", "that day is locked"],
)
def test_s13_a_settlement_is_taken_back_on_the_day_the_source_took_it_back(
    withdrawn: Any, lock: date | None, day: date
) -> None:
    [paid] = settlements_of(PAID)
    lost = replace(paid, ref=f"{INVOICE.ref}:dp_1", method=Method.CHARGEBACK, amount=-22600)
    now = {**all_standing(PAID), lost.ref: stands(settlement=an_entry(lost))}
    case = a_case(replace(INVOICE, withdrawn=withdrawn), ledger_state=now[INVOICE.ref])
    posted = posted_with_notes(case, now, ())
    books = replace(BOOKS, entry_lock=lock)
    plan = plan_correction(case, posted, now, SETTINGS, books, TODAY)
    assert [(each.date, each.amount) for each in plan.undo] == [(day, 22600)]
    assert sides(plan) == ((20000, 2600, 0, 0), (20000, 2600, 22600, 0))


def test_s7_a_part_of_a_shared_payment_that_came_back_is_taken_back_like_any_other() -> None:
    [paid] = settlements_of(PAID)
    part = replace(paid, ref="lago:org:p1:in_1", drawn_on="lago:org:p1", receipt=33900)
    now = {
        INVOICE.ref: stands(a_move(document_of(PAID))),
        part.ref: stands(settlement=an_entry(part)),
    }
    case = a_case(replace(INVOICE, settlements=()), ledger_state=now[INVOICE.ref])
    plan = plan_correction(
        case, posted_with_notes(case, now, ()), now, SETTINGS, BOOKS, TODAY
    )  # fmt: skip
    assert [(each.undoes, each.method, each.amount) for each in plan.undo] == [
        (part.ref, Method.PAYMENT_FAILURE, -22600)
    ]
    assert sides(plan) == ((20000, 2600, 22600, 0), (20000, 2600, 0, 22600))


@pytest.mark.parametrize(
    ("case", "open_", "credit", "is_made", "amount"),
    [
        ("the run ended before the match", 22600, 22600, False, 22600),
        ("a part was paid meanwhile", 5000, 22600, False, 5000),
        ("the rest of the credit was paid out", 22600, 100, False, 100),
        ("the document is paid", 0, 22600, False, 0),
        ("it was matched, and freed by a person", 22600, 22600, True, 0),
    ],
)
def test_d5_a_correction_that_was_not_matched_is_matched_by_the_next_command(
    case: str, open_: int, credit: int, is_made: bool, amount: int
) -> None:
    move = a_move(document_of(PAID), residual=open_)
    first = planned(VOID).correction
    assert first is not None
    note = a_move(first.document, residual=credit, stored_source_hash=VOIDED)
    ref = f"{note.ref}:match"
    now = {INVOICE.ref: stands(move, seen="posted"), note.ref: stands(note, seen="posted")}
    now |= {ref: LedgerState(ref=ref)} if is_made else {}
    whole = replace(a_case(VOID, ledger_state=now[INVOICE.ref]), corrections=(note,))
    plan = plan_correction(whole, posted_with_notes(whole, now, ()), now, SETTINGS, BOOKS, TODAY)
    assert (plan.match.amount if plan.match else 0) == amount, case
    assert (plan.is_empty, plan.correction) == (not amount, None)
    assert plan.now == plan.after
