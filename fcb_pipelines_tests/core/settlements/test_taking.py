"""A posted document takes its cash whatever changed since, unless a person edited it or it has no room."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from fcb_pipelines.core.codes import ExceptionCode, Kind, Method
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.refs import correction_ref
from fcb_pipelines.core.settlements.intended import intended_settlements
from fcb_pipelines.core.settlements.plan import SettlementPlan, plan_settlements
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    a_case,
    a_line,
    a_move,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
    stands,
)

CASE = a_case()
POSTED = document_of(CASE)
REF, TOTAL = POSTED.ref, POSTED.total
(PAYMENT,) = settlements_of(CASE)
OPEN = a_move(POSTED, residual=TOTAL)
DEARER = document_of(a_case(an_invoice("in_1", a_line(40000))))
CHEAPER = document_of(a_case(an_invoice("in_1", a_line(10000))))


def paying(amount: int, name: str = "1", **changes: Any) -> Settlement:
    return replace(PAYMENT, ref=f"{REF}:inpay_{name}", amount=amount, **changes)


def planned(
    document: LedgerDocument,
    *settlements: Settlement,
    move: LedgerMove = OPEN,
    more: Sequence[LedgerMove] = (),
    booked: Sequence[Settlement] = (),
) -> SettlementPlan:
    """The plan of the settlements of a document that is posted as `move`, with corrections `more`."""
    moves = {each.ref: each for each in (move, *more)}
    entries = {each.ref: stands(settlement=an_entry(each)) for each in booked}
    return plan_settlements(settlements, {document.ref: document}, moves, entries, None)


RENAMED = replace(POSTED.lines[0], description="Odoo ERP Hosting - Plus")
OTHERWISE = {
    "its number is another": {"number": "A-1"},
    "its date is another": {"date": date(2026, 4, 4)},
    "NexaCloud names another owner": {"partner": "nexacloud:else"},
    "NexaCloud's copy has another id": {"nexacloud_invoice_id": "inv-9"},
    "the source has another id for it": {"stripe_invoice_id": "in_9"},
    "a line has another description": {"lines": (RENAMED,)},
    "a keyword gives a line another account": {
        "lines": (replace(POSTED.lines[0], account="411320"),)
    },
    "a line has another quantity": {"lines": (replace(POSTED.lines[0], quantity=2, unit_price=100),)},
    "a tax is another of the same amount": {"taxes": (replace(POSTED.taxes[0], key="hst_15"),)},
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERWISE)
def test_s2_s11_a_changed_label_is_listed_and_keeps_no_payment_out(case: str) -> None:
    document = replace(POSTED, **OTHERWISE[case], source_hash="now")
    assert document.content_hash != POSTED.content_hash
    plan = planned(document, PAYMENT)
    assert (plan.write, plan.exceptions) == ((PAYMENT,), ()), case


@pytest.mark.parametrize("case", OTHERWISE)
def test_d3_the_same_changes_by_a_persons_hand_keep_it_out_and_it_is_listed(case: str) -> None:
    document = replace(POSTED, number="A-2", source_hash="now")
    hand = replace(POSTED, **OTHERWISE[case])
    edited = replace(OPEN, document=hand, partner_links=(hand.partner,))
    plan = planned(document, PAYMENT, move=edited)
    assert (plan.write, plan.exceptions) == ((), ((REF, ExceptionCode.EDITED_IN_LEDGER),)), case


def test_d3_a_move_that_a_person_changed_into_what_is_intended_takes_it() -> None:
    document = replace(POSTED, number="A-1", source_hash="now")
    assert planned(document, PAYMENT, move=replace(OPEN, document=document)).write == (PAYMENT,)


def test_d3_of_an_edited_document_nothing_is_told_of_what_is_settled_already() -> None:
    edited = replace(OPEN, document=replace(POSTED, number="EDITED"))
    plan = planned(POSTED, PAYMENT, move=edited, booked=[PAYMENT])
    assert (plan.write, plan.exceptions) == ((), ())


HALF = TOTAL // 2
FIRST, SECOND = paying(TOTAL, "1"), paying(TOTAL, "2")
PLUS = a_move(
    replace(POSTED, ref=f"{REF}:correction:1", reverses=REF), stored_source_hash=DEARER.source_hash
)


@pytest.mark.parametrize(
    ("case", "document", "settled", "booked", "written", "code"),
    [
        ("it costs more, and a part is paid", DEARER, [paying(HALF)], [], 1, None),
        ("it costs more, and as much as it did is paid", DEARER, [FIRST], [], 1, None),
        ("it costs more, and all of that is paid", DEARER, [paying(2 * TOTAL)], [], 0, "source_changed"),
        ("it costs more, and is paid twice", DEARER, [FIRST, SECOND], [], 1, "source_changed"),
        ("it costs more, and is paid again", DEARER, [FIRST, SECOND], [FIRST], 0, "source_changed"),
        ("it costs less", CHEAPER, [paying(CHEAPER.total)], [], 1, None),
        ("S3 it costs as much, and more is paid", replace(POSTED, number="A-1"), [paying(2 * TOTAL)], [], 1, None),
        ("it is in another currency", replace(POSTED, currency="USD"), [paying(TOTAL, currency="USD")], [], 0, "source_changed"),
        ("it is of another kind", replace(POSTED, kind=Kind.CREDIT_NOTE), [PAYMENT], [], 0, "source_changed"),
        ("S6 cash beside it needs no room", DEARER, [paying(2 * TOTAL, method=Method.REFUND)], [], 1, None),
    ],
)  # fmt: skip
def test_d2_a_document_of_another_amount_takes_what_the_books_have_of_it(
    case: str,
    document: LedgerDocument,
    settled: list[Settlement],
    booked: list[Settlement],
    written: int,
    code: str | None,
) -> None:
    plan = planned(replace(document, source_hash="now"), *settled, booked=booked)
    assert (len(plan.write), plan.exceptions) == (written, ((REF, code),) if code else ()), case


def test_d2_what_a_correction_booked_of_a_settlement_takes_room_as_well() -> None:
    outside = paying(HALF, "0", method=Method.OFF_PLATFORM)
    more = replace(outside, ref=correction_ref(outside.ref, 1), amount=TOTAL - HALF)
    told = [replace(outside, amount=TOTAL), paying(HALF, "1")]
    document = replace(DEARER, source_hash="now")
    plan = planned(document, *told, booked=[outside, more])
    assert (plan.write, plan.exceptions) == ((), ((REF, ExceptionCode.SOURCE_CHANGED),))


def test_d2_once_corrected_it_takes_all_of_it_and_what_a_later_label_changes_too() -> None:
    assert planned(DEARER, FIRST, SECOND, more=[PLUS]).write == (FIRST, SECOND)
    again = replace(DEARER, number="A-1", source_hash="another")
    assert planned(again, FIRST, SECOND, more=[PLUS]).write == (FIRST, SECOND)


MOVED = replace(POSTED, partner="nexacloud:else")


@pytest.mark.parametrize(
    ("case", "move", "partner"),
    [
        ("it is not in the books", None, "nexacloud:else"),
        ("it is posted for the former owner", OPEN, POSTED.partner),
        ("its draft is built anew", replace(OPEN, state=MoveState.DRAFT), "nexacloud:else"),
        ("the partners were merged", replace(OPEN, partner_links=(POSTED.partner, "nexacloud:else")), "nexacloud:else"),
        ("D3 a person gave it another partner", replace(OPEN, document=replace(POSTED, partner="nexacloud:third"), partner_links=("nexacloud:third",)), "nexacloud:else"),
        ("D3 a person gave it a partner that is not ours", replace(OPEN, partner_links=()), "nexacloud:else"),
    ],
)  # fmt: skip
def test_a9_a_payment_is_of_the_partner_that_its_document_was_posted_for(
    case: str, move: LedgerMove | None, partner: str
) -> None:
    ledger_state = {REF: stands(move)} if move else {}
    [payment] = intended_settlements([MOVED], {REF: CASE.facts}, SETTINGS, ledger_state)
    assert payment.partner == partner, case
