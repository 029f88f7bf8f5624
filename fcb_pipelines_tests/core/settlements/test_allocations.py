"""Credit notes allocated to their invoices, in the same month or in two, and refunds booked before."""

from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.facts.model import InvoiceFacts, SettlementFacts
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerState, MoveState
from fcb_pipelines.core.settlements.intended import intended_settlements
from fcb_pipelines.core.settlements.plan import (
    counterparts,
    expected_residual,
    plan_settlements,
    settlement_refs,
)
from fcb_pipelines.core.settlements.policy import owed
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    DAY,
    a_case,
    a_move,
    a_settlement,
    an_entry,
    an_invoice,
    document_of,
    stands,
)

INVOICE, NOTE = "stripe:acct_nexacloud:in_1", "stripe:acct_nexacloud:cn_1"
MATCH = SettlementFacts(
    ref=f"{NOTE}:in_1", document=INVOICE, method=Method.CREDIT_NOTE, date=DAY, amount=5000,
    currency="CAD", payment_id="CN-1", drawn_on=NOTE,
)  # fmt: skip


def facts_of(*settlements: SettlementFacts, name: str = "in_1") -> InvoiceFacts:
    kind = Kind.CREDIT_NOTE if name == "cn_1" else Kind.INVOICE
    return an_invoice(name, kind=kind, settlements=settlements)


def document(name: str) -> LedgerDocument:
    return document_of(a_case(facts_of(name=name)))


def intended(*names: str) -> tuple[Settlement, ...]:
    facts = {f"stripe:acct_nexacloud:{name}": facts_of(MATCH, name=name) for name in names}
    return intended_settlements([document(name) for name in names], facts, SETTINGS, {})


def posted(name: str, state: MoveState = MoveState.POSTED) -> LedgerMove:
    own = document(name)
    return a_move(own, state, residual=own.total)


def test_both_documents_tell_one_allocation_and_it_takes_its_amount_off_each() -> None:
    [allocation] = intended("in_1", "cn_1")
    assert (allocation.document, allocation.drawn_on, allocation.kind) == (
        INVOICE,
        NOTE,
        Kind.INVOICE,
    )
    for name in ("in_1", "cn_1"):
        own = document(name)
        assert expected_residual(own, [allocation]) == own.total - 5000
        assert intended(name) == (allocation,)


@pytest.mark.parametrize("own", ["in_1", "cn_1"])
@pytest.mark.parametrize(
    ("other", "written"),
    [(MoveState.POSTED, True), (MoveState.DRAFT, False), (MoveState.CANCELLED, False), (None, False)],
)  # fmt: skip
def test_an_allocation_waits_until_the_document_of_the_other_month_is_posted(
    own: str, other: MoveState | None, written: bool
) -> None:
    elsewhere = "cn_1" if own == "in_1" else "in_1"
    refs = {name: f"stripe:acct_nexacloud:{name}" for name in (own, elsewhere)}
    moves = {refs[own]: posted(own)}
    if other is not None:
        moves[refs[elsewhere]] = posted(elsewhere, other)
    plan = plan_settlements(intended(own), {refs[own]: document(own)}, moves, {}, None)
    assert bool(plan.write) is written
    assert plan.exceptions == (() if written else ((refs[own], "credit_note_waits"),))


def test_an_allocation_makes_no_entry_and_so_no_lock_keeps_it_out() -> None:
    moves = {INVOICE: posted("in_1"), NOTE: posted("cn_1")}
    wanted = {INVOICE: document("in_1"), NOTE: document("cn_1")}
    plan = plan_settlements(intended("in_1", "cn_1"), wanted, moves, {}, date(2030, 1, 1))
    assert len(plan.write) == 1


def test_a_shared_receipt_that_is_not_there_yet_is_an_entry_and_a_lock_keeps_it_out() -> None:
    part = replace(a_settlement(INVOICE, 100), drawn_on="stripe:acct_nexacloud:pi_1", receipt=300)
    wanted = {INVOICE: document("in_1")}
    found = intended_settlements(wanted.values(), {INVOICE: facts_of(part)}, SETTINGS, {})
    plan = plan_settlements(found, wanted, {INVOICE: posted("in_1")}, {}, date(2030, 1, 1))
    assert plan.write == ()
    assert plan.exceptions == ((INVOICE, "settlement_period_locked"),)


def test_an_allocation_that_a_person_took_apart_is_not_made_again() -> None:
    wanted = {INVOICE: document("in_1"), NOTE: document("cn_1")}
    moves = {INVOICE: posted("in_1"), NOTE: posted("cn_1")}
    gone = {MATCH.ref: stands(ref=MATCH.ref, seen="reconciled")}
    plan = plan_settlements(intended("in_1", "cn_1"), wanted, moves, gone, None)
    assert plan.write == ()
    assert set(plan.exceptions) == {(INVOICE, "edited_in_ledger"), (NOTE, "edited_in_ledger")}


def test_the_documents_of_other_months_are_those_that_an_allocation_names() -> None:
    shared = replace(
        a_settlement(INVOICE, 1, "2"), drawn_on="stripe:acct_nexacloud:pi_9", receipt=3
    )
    facts = facts_of(MATCH, shared)
    assert counterparts({INVOICE: facts}) == (NOTE,)
    assert counterparts({INVOICE: facts, NOTE: facts_of(MATCH, name="cn_1")}) == ()


REFUND = replace(a_settlement(NOTE, 5000, "re_1"), payment_id="re_1")


def of_note(ledger_state: dict[str, LedgerState]) -> Settlement:
    facts = {NOTE: facts_of(REFUND, name="cn_1")}
    [found] = intended_settlements([document("cn_1")], facts, SETTINGS, ledger_state)
    return found


def test_s6_a_refund_with_its_credit_note_is_an_outbound_payment_of_the_note() -> None:
    found = of_note({})
    assert (found.ref, found.method, found.kind) == (REFUND.ref, Method.PAYMENT, Kind.CREDIT_NOTE)


def test_s6_a_refund_booked_before_its_note_came_is_settled_out_of_refunds_pending() -> None:
    before = replace(of_note({}), method=Method.REFUND, document=INVOICE, amount=-5000)
    found = of_note({REFUND.ref: stands(settlement=an_entry(before), seen="reconciled")})
    assert (found.ref, found.method) == (f"{REFUND.ref}:credited", Method.PENDING_REFUND)
    assert (found.document, found.amount) == (NOTE, 5000)
    assert {REFUND.ref, found.ref} <= set(settlement_refs([facts_of(REFUND, name="cn_1")]))


@pytest.mark.parametrize(
    ("refunded", "day"), [(date(2020, 1, 1), DAY), (date(2030, 1, 1), date(2030, 1, 1))]
)
def test_s6_it_leaves_refunds_pending_no_earlier_than_the_credit_notes_own_day(
    refunded: date, day: date
) -> None:
    refund = replace(REFUND, date=refunded)
    before = replace(of_note({}), method=Method.REFUND, document=INVOICE, amount=-5000)
    ledger_state = {REFUND.ref: stands(settlement=an_entry(before), seen="reconciled")}
    facts = {NOTE: facts_of(refund, name="cn_1")}
    [found] = intended_settlements([document("cn_1")], facts, SETTINGS, ledger_state)
    assert found.date == day


def policy(**changes: str) -> Settings:
    return SETTINGS.model_copy(update={"policies": SETTINGS.policies.model_copy(update=changes)})


GIVEN_UP = replace(a_settlement(INVOICE, 22600, "w"), method=Method.WRITE_OFF)


@pytest.mark.parametrize(
    ("settings", "still_owed", "entries"),
    [(SETTINGS, 22600, 0), (policy(uncollectible="write_off"), 0, 1)],
)
def test_s8_a_write_off_is_owed_no_more_only_where_the_company_decided_it(
    settings: Settings, still_owed: int, entries: int
) -> None:
    facts = facts_of(GIVEN_UP)
    assert owed(facts, settings) == still_owed
    found = intended_settlements([document("in_1")], {INVOICE: facts}, settings, {})
    assert len(found) == entries
    assert expected_residual(document("in_1"), found) == still_owed


@pytest.mark.parametrize("method", [Method.REFUND, Method.CHARGEBACK])
def test_s6_s9_cash_beside_a_paid_document_leaves_it_paid(method: Method) -> None:
    beside = replace(a_settlement(INVOICE, -5000, "x"), method=method)
    facts = facts_of(a_settlement(INVOICE, 22600), beside)
    found = intended_settlements(
        [document("in_1")], {INVOICE: facts}, policy(lost_dispute="loss"), {}
    )
    assert len(found) == 2
    assert (facts.owed, expected_residual(document("in_1"), found)) == (0, 0)
