"""An acknowledgement holds for what was seen, until its day is past or somebody withdraws it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.agreement.compare import Agreement, AgreementRow
from fcb_pipelines.core.close.decisions import Decision, in_force
from fcb_pipelines.core.close.exceptions import exception_rows
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.seen import acknowledgement, seen
from fcb_pipelines.core.close.status import documents_of
from fcb_pipelines.core.codes import ExceptionCode
from fcb_pipelines.core.dispositions.decide import Disposition, decide
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.proof.amount_rows import AmountRow, Measure
from fcb_pipelines.core.proof.delta import RESIDUAL, LedgerDelta
from fcb_pipelines.core.refs import correction_ref
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    DAY,
    LAST_PERIOD,
    a_case,
    a_line,
    a_move,
    a_settlement,
    an_invoice,
    document_of,
)

CASE = a_case(an_invoice())
REF = CASE.facts.ref
CODE = ExceptionCode.OVERPAID
MOVE = a_move(document_of(CASE), MoveState.DRAFT)
DECIDED = replace(decide(CASE, SETTINGS, BOOKS, LAST_PERIOD), exceptions=(CODE,))
AT = datetime(2026, 5, 2, 9, 15, tzinfo=UTC)
COPY = AgreementRow(
    ref=REF, other_ref="nexacloud:1", field="tax", kind=Agreement.DIFFERS, expected="650",
    actual="651", difference=1, policy="tax",
)  # fmt: skip
DELTA = LedgerDelta(
    ref=REF, entry=REF, field="paid", kind=Agreement.DIFFERS, expected="0", actual="730",
    difference=730, aspect=RESIDUAL, code=CODE,
)  # fmt: skip
AMOUNT = AmountRow(
    ref=REF, entry=REF, number="", partner="", currency="CAD", measure=Measure.CASH, day=DAY,
    source=7, posted=0, listed=7, why=CODE,
)  # fmt: skip


def a_month(
    row: Disposition = DECIDED,
    move: LedgerMove = MOVE,
    facts: Any = CASE.facts,
    copy: AgreementRow = COPY,
    delta: LedgerDelta = DELTA,
    amount: AmountRow = AMOUNT,
    corrections: Sequence[LedgerMove] = (),
    **more: Any,
) -> MonthStatus:
    return MonthStatus(
        dispositions=[row],
        moves={one.ref: one for one in (move, *corrections)},
        deltas=[delta],
        amounts={REF: [amount]},
        facts=lambda: {REF: facts},
        agreements=lambda: [copy],
        **more,
    )


def a_decision(**changes: Any) -> Decision:
    known = {"ref": REF, "code": CODE, "by": "jane", "at": AT, "note": "agreed"}
    return Decision(**{"seen": seen(a_month(), REF, CODE), **known, **changes})


def holds(month: MonthStatus, *decisions: Decision, today: date = DAY) -> bool:
    known = replace(month, acknowledged=in_force(decisions or [a_decision()], today))
    (document,) = documents_of(known)
    (row,) = (one for one in exception_rows(known, [document], today) if one["code"] == CODE)
    assert (row["acknowledged"] is not None) == (CODE in document["acknowledged"])
    return acknowledgement(known, REF, CODE) is not None


PAID = a_settlement(REF, 100)


@pytest.mark.parametrize(
    ("what", "changes", "still_holds"),
    [
        ("nothing moved", {}, True),
        ("the draft is posted as it was written", {"move": replace(MOVE, state=MoveState.POSTED)}, True),
        ("a payment is recorded in the ledger", {"move": replace(MOVE, residual=7)}, True),
        ("another exception came", {"row": replace(DECIDED, exceptions=(CODE, ExceptionCode.DISPUTED))}, True),
        ("the reason is told in other words", {"row": replace(DECIDED, detail="in other words")}, True),
        ("the difference is of another code", {"delta": replace(DELTA, code=ExceptionCode.DISPUTED)}, False),
        ("the total moved", {"row": replace(DECIDED, total=DECIDED.total + 1)}, False),
        ("the status moved", {"row": replace(DECIDED, status=None)}, False),
        ("the number moved", {"row": replace(DECIDED, number="B-1")}, False),
        ("what is owed moved", {"row": replace(DECIDED, owed=1)}, False),
        ("a line moved at the source", {"facts": replace(CASE.facts, lines=(a_line(description="x"),))}, False),
        ("a payment came at the source", {"facts": CASE.facts.with_settlements((PAID,))}, False),
        ("the source lost it", {"facts": None}, False),
        ("the copy moved", {"copy": replace(COPY, actual="652")}, False),
        ("the move was edited", {"move": replace(MOVE, document=replace(MOVE.document, number="x"))}, False),
        ("the move was written anew", {"move": replace(MOVE, stored_hash="0" * 64)}, False),
        ("it was corrected", {"corrections": [replace(MOVE, ref=correction_ref(REF, 1), state=MoveState.POSTED)]}, False),
        ("the difference moved", {"delta": replace(DELTA, actual="731")}, False),
        ("the listed amount moved", {"amount": replace(AMOUNT, source=8, listed=8)}, False),
    ],
)  # fmt: skip
def test_it_lapses_when_anything_of_the_exception_moves(
    what: str, changes: dict[str, Any], still_holds: bool
) -> None:
    assert holds(a_month(**changes)) is still_holds, what


UNTIL = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("what", "decisions", "today", "in_force_then"),
    [
        ("without a day", [a_decision()], UNTIL, True),
        ("on its last day", [a_decision(until=UNTIL)], UNTIL, True),
        ("the day after", [a_decision(until=UNTIL)], UNTIL + timedelta(days=1), False),
        ("of another document", [a_decision(ref="x")], UNTIL, False),
        ("of another code", [a_decision(code=ExceptionCode.DISPUTED)], UNTIL, False),
        ("of what was seen otherwise", [a_decision(seen="0" * 64)], UNTIL, False),
        ("withdrawn", [a_decision(), a_decision(withdraws=a_decision().id, seen="")], UNTIL, False),
        ("another one withdrawn", [a_decision(), a_decision(withdraws="0" * 64, seen="")], UNTIL, True),
        ("given again after the withdrawal",
         [a_decision(), a_decision(withdraws=a_decision().id), a_decision(at=AT + timedelta(1))], UNTIL, True),
    ],
)  # fmt: skip
def test_it_holds_until_its_day_is_past_or_it_is_withdrawn(
    what: str, decisions: list[Decision], today: date, in_force_then: bool
) -> None:
    assert holds(a_month(), *decisions, today=today) is in_force_then, what
    assert holds(a_month(), *reversed(decisions), today=today) is in_force_then, what


def test_the_latest_one_is_told() -> None:
    later = a_decision(at=AT + timedelta(days=1), by="ada", until=UNTIL)
    month = replace(a_month(), acknowledged=in_force([later, a_decision()], DAY))
    (row,) = (one for one in exception_rows(month, documents_of(month), DAY) if one["code"] == CODE)
    assert row["acknowledged"] == {
        "by": "ada",
        "at": "2026-05-03T09:15:00+00:00",
        "note": "agreed",
        "until": "2026-06-30",
    }


def test_an_acknowledged_exception_comes_after_those_that_wait() -> None:
    both = replace(DECIDED, exceptions=(CODE, ExceptionCode.UNITEMISED))
    month = replace(a_month(row=both), acknowledged=in_force([a_decision()], DAY))
    rows = exception_rows(month, documents_of(month), DAY)
    assert [row["code"] for row in rows][-1] == CODE
    assert [row["acknowledged"] is None for row in rows] == [True] * (len(rows) - 1) + [False]


@given(number=st.integers(min_value=-(10**12), max_value=10**12))
def test_no_other_amount_has_the_digest_of_this_one(number: int) -> None:
    amount = replace(AMOUNT, source=number, listed=number)
    same = seen(a_month(amount=amount), REF, CODE) == seen(a_month(), REF, CODE)
    assert same is (number == AMOUNT.listed)
