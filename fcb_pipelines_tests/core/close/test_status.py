"""The status JSON is stable: a golden file, and what each figure means."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.status import documents_of, status, totals
from fcb_pipelines.core.codes import ExceptionCode, Kind, Method, Status
from fcb_pipelines.core.dispositions.decide import decide, decide_copy
from fcb_pipelines.core.documents.build import account_codes
from fcb_pipelines.core.ledger.moves import MoveState, PaymentState
from fcb_pipelines.core.proof.amount_rows import AmountRow, Measure
from fcb_pipelines.core.proof.amount_rows import totals as totals_of
from fcb_pipelines.core.proof.deltas import ledger_deltas
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    DAY,
    LAST_PERIOD,
    a_case,
    a_copy,
    a_line,
    a_move,
    all_standing,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
    stands,
)
from fcb_pipelines_tests.metering import a_metering_status

GOLDEN = Path(__file__).with_name("golden") / "status.json"
FAMILIES = {code: family for family, code in account_codes(SETTINGS).items()}
PAID = a_case(an_invoice("in_1", a_line(), a_line(1000, description="Daily Backup")))
NOTE = a_case(an_invoice("in_2", a_line(5000), kind=Kind.CREDIT_NOTE))
VOID = a_case(an_invoice("in_3", status=Status.VOID))
HELD = a_case(an_invoice("in_4", total=22601))
# The void was paid: money that is of no document in the books.
LISTED = AmountRow(
    ref=VOID.facts.ref,
    entry=f"{VOID.facts.ref}:inpay_1",
    number=VOID.facts.number,
    partner=VOID.partner,
    currency="CAD",
    measure=Measure.CASH,
    day=DAY,
    source=22600,
    posted=0,
    listed=22600,
    why=ExceptionCode.CASH_WITHOUT_DOCUMENT,
)


def a_month() -> MonthStatus:
    """A paid invoice that was edited since, a draft credit note, a void and a held invoice."""
    rows = [decide(case, SETTINGS, BOOKS, LAST_PERIOD) for case in (PAID, NOTE, VOID, HELD)]
    documents = [document_of(PAID), document_of(NOTE)]
    edited = replace(documents[0], number="edited")
    moves = {
        documents[0].ref: a_move(edited, stored_hash=documents[0].content_hash, residual=730),
        documents[1].ref: a_move(
            documents[1], MoveState.DRAFT, payment_state=PaymentState.NOT_PAID, residual=5650
        ),
    }
    now = {**all_standing(PAID), **{ref: stands(move) for ref, move in moves.items()}}
    settlements = (*settlements_of(PAID), *settlements_of(NOTE))
    deltas = ledger_deltas(documents, settlements, now)
    values = {"ledger_deltas": deltas, "dispositions": rows, "today": DAY}
    return MonthStatus(
        dispositions=rows,
        documents=documents,
        moves=moves,
        settlements=[an_entry(one) for one in settlements_of(PAID)],
        deltas=deltas,
        amounts={LISTED.ref: [LISTED]},
        gates=[gate.judge(values) for gate in GATES.values() if values.keys() >= {*gate.inputs}],
    )


def the_status() -> dict[str, Any]:
    row = decide_copy(a_copy(source_id=None), {}, None)
    assert row is not None
    unplaced = MonthStatus(dispositions=[row])
    return status(
        {"2026-04": a_month()},
        unplaced,
        [GATES["completeness"].judge({"completeness": ()})],
        3,
        FAMILIES,
        a_metering_status(),
        totals_of([LISTED]),
    )


def test_the_status_is_the_golden_one() -> None:
    result = json.loads(json.dumps(the_status()))
    assert result == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_population_is_post_and_skip_and_hold_in_every_place() -> None:
    for counts in the_status()["periods"].values():
        assert counts["population"] == counts["post"] + counts["skip"] + counts["hold"]


def test_what_is_paid_is_the_total_less_the_ledgers_residual() -> None:
    paid, note, void, held = documents_of(a_month())
    assert (paid["paid"], paid["state"], paid["payment_state"]) == (23000, "posted", "paid")
    assert (note["paid"], note["state"], note["payment_state"]) == (0, "draft", "not_paid")
    assert (void["paid"], void["state"], held["state"]) == (0, "none", "none")


def test_what_settles_a_document_is_told_by_date_with_its_method_as_posted() -> None:
    (paid,) = settlements_of(PAID)
    later = DAY + timedelta(days=7)
    failed = replace(paid, method=Method.PAYMENT_FAILURE, date=later, amount=-paid.amount)
    draft = replace(an_entry(paid), state=MoveState.DRAFT)
    other = an_entry(replace(paid, document=NOTE.facts.ref))
    rows = [decide(PAID, SETTINGS, BOOKS, LAST_PERIOD)]
    month = MonthStatus(
        dispositions=rows, settlements=[an_entry(failed), draft, other, an_entry(paid)]
    )
    (document,) = documents_of(month)
    assert document["settlements"] == [
        {"date": "2026-04-03", "method": "payment", "amount": paid.amount},
        {"date": "2026-04-10", "method": "payment_failure", "amount": -paid.amount},
    ]


def test_exceptions_are_those_of_the_disposition_and_of_the_read_back_once_each() -> None:
    exceptions = [document["exceptions"] for document in documents_of(a_month())]
    assert exceptions[0] == ["edited_in_ledger"]
    assert all(one == sorted(set(one)) for one in exceptions)


def test_totals_count_what_is_posted_and_credit_notes_count_negative() -> None:
    note = document_of(NOTE)
    month = MonthStatus(
        dispositions=(),
        moves={
            "a": a_move(document_of(PAID), residual=100),
            "b": a_move(note, residual=40),
            "c": a_move(state=MoveState.DRAFT),
            "d": a_move(replace(document_of(PAID), currency="USD")),
        },
    )
    assert totals([month, MonthStatus(dispositions=())], FAMILIES) == {
        "CAD": {
            "posted_count": 2,
            "posted_total": 23730 - 5650,
            "receivable": 60,
            "by_family": {"addons": 1000, "hosting": 15000},
        },
        "USD": {
            "posted_count": 1,
            "posted_total": 23730,
            "receivable": 0,
            "by_family": {"addons": 1000, "hosting": 20000},
        },
    }


def test_a_cancelled_move_is_no_document_in_the_books() -> None:
    move = a_move(state=MoveState.CANCELLED)
    row = decide(a_case(), SETTINGS, BOOKS, LAST_PERIOD)
    (document,) = documents_of(MonthStatus(dispositions=[row], moves={move.ref: move}))
    assert (document["state"], document["paid"]) == ("none", 0)
