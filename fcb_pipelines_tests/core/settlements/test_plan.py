"""What is written: only what was never there, only as approved, and never over a person's hand."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.documents.drafts import plan_drafts, plan_posting
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import (
    RELEASED,
    LedgerMove,
    LedgerSettlement,
    LedgerState,
    MoveState,
)
from fcb_pipelines.core.settlements.intended import intended_settlements
from fcb_pipelines.core.settlements.plan import (
    RECONCILED,
    by_document,
    expected_residual,
    plan_settlements,
    settlement_refs,
    waits_for_payment,
)
from fcb_pipelines.core.settlements.policy import credited_refunds, not_posted, posts
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    DAY,
    a_case,
    a_move,
    a_settlement,
    an_entry,
    an_invoice,
    document_of,
    settlements_of,
    stands,
)

CASE = a_case()
DOCUMENT = document_of(CASE)
(SETTLEMENT,) = settlements_of(CASE)
BEFORE = replace(DOCUMENT, number="before")
EDITED = replace(DOCUMENT, number="edited")
REF = DOCUMENT.ref
SETTLE_OFF = SETTINGS.model_copy(
    update={"policies": SETTINGS.policies.model_copy(update={"off_platform_payment": "settle"})}
)


def draft(document: LedgerDocument = DOCUMENT, **changes: Any) -> LedgerMove:
    return a_move(document, MoveState.DRAFT, **changes)


@pytest.mark.parametrize(
    ("case", "now", "planned"),
    [
        ("nothing stands", None, "create"),
        ("nothing stands and nothing was seen", stands(), "create"),
        ("D5 a draft stands as intended", stands(draft()), None),
        ("D6 a draft stands as it was written before", stands(draft(BEFORE), seen="draft"), "rebuild"),
        ("D6 it was edited too", stands(draft(EDITED, stored_hash=BEFORE.content_hash)), None),
        ("D3 a draft was edited", stands(draft(EDITED, stored_hash=DOCUMENT.content_hash)), None),
        ("a draft of which no hash is kept", stands(draft(BEFORE, stored_hash=None)), None),
        ("D5 it is posted", stands(a_move(), seen="posted"), None),
        ("D2 it is posted as it was before", stands(a_move(BEFORE), seen="posted"), None),
        ("D3 a draft was removed", stands(seen="draft"), None),
        ("D3 a posted move was removed", stands(seen="posted"), None),
        ("D3 it was cancelled", stands(a_move(state=MoveState.CANCELLED), seen="draft"), None),
        ("D3 it was cancelled, unlogged", stands(a_move(state=MoveState.CANCELLED)), None),
        ("D3 it was unposted and its source changed", stands(draft(BEFORE), seen="posted"), None),
        ("removed, and released by a person", stands(seen=RELEASED), "create"),
        ("cancelled, and released", stands(a_move(state=MoveState.CANCELLED), seen=RELEASED), "create"),
    ],
)  # fmt: skip
def test_a_draft_is_made_or_rebuilt_only_where_nobody_had_a_hand_in_it(
    case: str, now: LedgerState | None, planned: str | None
) -> None:
    plan = plan_drafts([DOCUMENT], {REF: now} if now else {})
    assert plan.create == ((DOCUMENT,) if planned == "create" else ()), case
    assert plan.rebuild == ((DOCUMENT,) if planned == "rebuild" else ()), case


@pytest.mark.parametrize(
    ("case", "move", "approved", "posted"),
    [
        ("auto", draft(), None, True),
        ("reviewed", draft(), {REF: DOCUMENT.content_hash}, True),
        ("not reviewed", draft(), {}, False),
        ("D6 another content was reviewed", draft(), {REF: BEFORE.content_hash}, False),
        ("D6 the draft is not rebuilt yet", draft(BEFORE), None, False),
        ("D3 the draft was edited", draft(EDITED, stored_hash=DOCUMENT.content_hash), None, False),
        ("the hash it keeps is wrong and the draft is right", draft(stored_hash="0"), None, True),
        ("it is posted", a_move(), None, False),
        ("it was cancelled", a_move(state=MoveState.CANCELLED), None, False),
        ("nothing stands", None, None, False),
    ],
)
def test_a_draft_is_posted_only_as_intended_and_as_approved(
    case: str, move: LedgerMove | None, approved: dict[str, str] | None, posted: bool
) -> None:
    moves = {} if move is None else {REF: move}
    assert plan_posting([DOCUMENT], moves, approved) == ((REF,) if posted else ()), case


ENTRY = an_entry(SETTLEMENT)
OPEN = an_entry(SETTLEMENT, reconciled=0)
CANCELLED = an_entry(SETTLEMENT, state=MoveState.CANCELLED, reconciled=0)
UNPAID = a_move(residual=22600)


def now(entry: LedgerSettlement | None, seen: str | None = None) -> LedgerState:
    return stands(settlement=entry, seen=seen, ref=SETTLEMENT.ref)


@pytest.mark.parametrize(
    ("case", "move", "ledger_state", "lock", "written", "code"),
    [
        ("nothing stands", UNPAID, None, None, True, None),
        ("the document is a draft", draft(residual=22600), None, None, False, None),
        ("no document stands", None, None, None, False, None),
        ("D3 the posted document was edited", replace(UNPAID, document=EDITED), None, None, False, "edited_in_ledger"),
        ("D2 a label changed after posting", a_move(BEFORE, residual=22600), None, None, True, None),
        ("it stands", a_move(), now(ENTRY, RECONCILED), None, False, None),
        ("D5 it stands and was never logged", a_move(), now(ENTRY), None, False, None),
        ("D5 it stands and is not reconciled yet", UNPAID, now(OPEN, "posted"), None, True, None),
        ("D5 the same, never logged", UNPAID, now(OPEN), None, True, None),
        ("D3 a person unreconciled it", UNPAID, now(OPEN, RECONCILED), None, False, "edited_in_ledger"),
        ("D3 a person removed it", UNPAID, now(None, RECONCILED), None, False, "edited_in_ledger"),
        ("D3 a person cancelled it", UNPAID, now(CANCELLED, "posted"), None, False, "edited_in_ledger"),
        ("D3 cancelled, unlogged", UNPAID, now(CANCELLED), None, False, "edited_in_ledger"),
        ("removed, and released", UNPAID, now(None, RELEASED), None, True, None),
        ("D4 its date is locked", UNPAID, None, DAY, False, "settlement_period_locked"),
        ("D4 the lock is a day earlier", UNPAID, None, date(2026, 4, 2), True, None),
        ("D4 locked since it was written", a_move(), now(ENTRY, RECONCILED), DAY, False, None),
        ("D4 locked, and only the reconciliation is left", UNPAID, now(OPEN), DAY, True, None),
        ("S3 the rest of it is the customer's credit", a_move(), now(an_entry(SETTLEMENT, reconciled=22500), "posted"), None, False, None),
    ],
)  # fmt: skip
def test_a_settlement_is_written_only_on_what_is_posted_as_written_and_never_redone(
    case: str,
    move: LedgerMove | None,
    ledger_state: LedgerState | None,
    lock: date | None,
    written: bool,
    code: str | None,
) -> None:
    plan = plan_settlements(
        [SETTLEMENT],
        {REF: DOCUMENT},
        {REF: move} if move else {},
        {SETTLEMENT.ref: ledger_state} if ledger_state else {},
        lock,
    )
    assert plan.write == ((SETTLEMENT,) if written else ()), case
    assert plan.exceptions == (((REF, code),) if code else ()), case


DEBT = replace(SETTLEMENT, ref="debt", method=Method.CUSTOMER_BALANCE, amount=-700)
FAILURE = replace(
    SETTLEMENT, ref="failure", method=Method.PAYMENT_FAILURE, amount=-22600, undoes=SETTLEMENT.ref
)
SHARE = replace(SETTLEMENT, drawn_on="receipt", receipt=40000)


@pytest.mark.parametrize(
    ("case", "settlement", "beside", "waits"),
    [
        ("B9 an older debt before any payment", DEBT, [DEBT], True),
        ("B9 a payment collects it", DEBT, [DEBT, SETTLEMENT], False),
        ("S7 the payment failed", DEBT, [DEBT, SETTLEMENT, FAILURE], True),
        ("S5 a share is the document's alone", DEBT, [DEBT, SHARE], True),
        ("another document's payment", DEBT, [DEBT, replace(SETTLEMENT, document="other")], True),
        ("a failure is matched with its payment", FAILURE, [SETTLEMENT, FAILURE], False),
        ("a payment is matched with its document", SETTLEMENT, [SETTLEMENT], False),
        ("S6 cash beside the document", replace(DEBT, method=Method.REFUND), [], False),
    ],
)
def test_what_puts_back_waits_open_until_something_pays_it(
    case: str, settlement: Settlement, beside: list[Settlement], waits: bool
) -> None:
    assert waits_for_payment(settlement, beside) == waits, case


@pytest.mark.parametrize(
    ("beside", "seen", "written", "exceptions"),
    [
        ([DEBT], "posted", (), ()),
        ([DEBT, SETTLEMENT, FAILURE], RECONCILED, (), ()),
        ([DEBT, SETTLEMENT], "posted", (DEBT,), ()),
        ([DEBT, SETTLEMENT], RECONCILED, (), ((REF, "edited_in_ledger"),)),
    ],
)
def test_b9_an_older_debt_that_waits_is_neither_written_again_nor_an_edit(
    beside: list[Settlement],
    seen: str,
    written: tuple[Settlement, ...],
    exceptions: tuple[tuple[str, str], ...],
) -> None:
    entries = {each.ref: now(an_entry(each), RECONCILED) for each in beside}
    entries[DEBT.ref] = replace(now(an_entry(DEBT, reconciled=0), seen), ref=DEBT.ref)
    plan = plan_settlements(beside, {REF: DOCUMENT}, {REF: UNPAID}, entries, None)
    assert (plan.write, plan.exceptions) == (written, exceptions)


@pytest.mark.parametrize("order", [(SETTLEMENT, FAILURE), (FAILURE, SETTLEMENT)])
def test_d4_a_failure_waits_for_its_payment_that_a_lock_keeps_out(
    order: tuple[Settlement, ...],
) -> None:
    later = replace(FAILURE, date=date(2026, 4, 20))
    reported = [later if each is FAILURE else each for each in order]
    plan = plan_settlements(reported, {REF: DOCUMENT}, {REF: UNPAID}, {}, DAY)
    assert (plan.write, plan.exceptions) == ((), ((REF, "settlement_period_locked"),))
    unlocked = plan_settlements(reported, {REF: DOCUMENT}, {REF: UNPAID}, {}, date(2026, 4, 2))
    assert unlocked.write == (SETTLEMENT, later)


def test_s6_a_refund_that_a_note_took_over_is_told_and_not_written() -> None:
    refund = a_settlement(REF, 0, "re_1", method=Method.REFUND)
    facts = an_invoice(settlements=(refund, a_settlement(REF, 100, "1")))
    assert credited_refunds([facts]) == {refund.ref}
    assert len(intended_settlements([DOCUMENT], {REF: facts}, SETTINGS, {})) == 1


PART = a_settlement(
    REF, 10000, "part", drawn_on="pi_1", receipt=30000, shares=(f"{REF}:other", f"{REF}:third")
)


def booked(ref: str, amount: int, receipt: int | None = None) -> LedgerState:
    drawn_on = "pi_1" if receipt else None
    entry = replace(SETTLEMENT, ref=ref, amount=amount, drawn_on=drawn_on, receipt=receipt)
    return stands(settlement=an_entry(entry), ref=ref)


@pytest.mark.parametrize(
    ("case", "ledger_state", "receipt"),
    [
        ("nothing of it stands", [], 30000),
        ("its receipt stands", [booked(f"{REF}:other", 20000, 30000)], 30000),
        ("the other part was booked as the whole payment", [booked(f"{REF}:other", 20000)], None),
        ("a smaller receipt stands, and is used up", [booked(f"{REF}:other", 15000, 20000), booked(f"{REF}:third", 5000, 20000)], None),
        ("a smaller receipt stands, and has room", [booked(f"{REF}:other", 10000, 20000)], 20000),
        ("it stands as the whole payment itself", [booked(PART.ref, 10000)], None),
        ("it stands on a smaller receipt", [booked(PART.ref, 10000, 20000)], 20000),
    ],
)  # fmt: skip
def test_s5_a_part_of_a_payment_joins_what_stands_of_it_and_no_receipt_grows(
    case: str, ledger_state: list[LedgerState], receipt: int | None
) -> None:
    facts = an_invoice(settlements=(PART,))
    now = {each.ref: each for each in ledger_state}
    [part] = intended_settlements([DOCUMENT], {REF: facts}, SETTINGS, now)
    assert (part.receipt, part.drawn_on) == (receipt, "pi_1" if receipt else None), case
    assert {PART.ref, *PART.shares} <= set(settlement_refs([facts]))


@pytest.mark.parametrize(
    ("answers", "hand", "written"),
    [(DOCUMENT.source_hash, BEFORE, 1), ("another source", BEFORE, 1), (DOCUMENT.source_hash, EDITED, 0)],
    ids=["corrected", "changed once more since", "edited as well"],
)  # fmt: skip
def test_d2_d3_a_corrected_document_takes_its_payment_unless_a_person_edited_it(
    answers: str, hand: LedgerDocument, written: int
) -> None:
    move = a_move(hand, stored_hash=BEFORE.content_hash)
    more = replace(DOCUMENT, ref=f"{REF}:correction:1", reverses=REF)
    moves = {REF: move, more.ref: a_move(more, stored_source_hash=answers)}
    wanted = replace(DOCUMENT, number="another")
    plan = plan_settlements([SETTLEMENT], {REF: wanted}, moves, {}, None)
    assert len(plan.write) == written


def test_s5_a_part_of_a_shared_payment_that_has_no_room_on_a_raised_document_is_listed() -> None:
    move = a_move(BEFORE, residual=22000)
    more = a_move(
        replace(DOCUMENT, ref=f"{REF}:correction:1"), stored_source_hash=DOCUMENT.source_hash
    )
    part = replace(SETTLEMENT, drawn_on="p1", receipt=33900)
    plan = plan_settlements([part], {REF: DOCUMENT}, {REF: move, more.ref: more}, {}, None)
    assert (plan.write, plan.exceptions) == ((), ((REF, "settlement_unsupported"),))


def test_a_settlement_of_a_document_that_is_not_to_be_posted_is_not_written() -> None:
    assert plan_settlements([SETTLEMENT], {}, {REF: UNPAID}, {}, None).write == ()


def test_s1_s2_settlements_are_the_sources_own_each_for_itself() -> None:
    parts = (a_settlement(REF, 100, "1"), a_settlement(REF, 200, "2", payment_id=None))
    facts = an_invoice(settlements=parts)
    first, second = intended_settlements([DOCUMENT], {REF: facts}, SETTINGS, {})
    assert (first.ref, first.amount, first.memo, first.date) == (parts[0].ref, 100, "pi_1", DAY)
    assert (second.amount, second.memo) == (200, parts[1].ref)
    assert (first.document, first.partner, first.kind) == (REF, DOCUMENT.partner, DOCUMENT.kind)
    assert expected_residual(DOCUMENT, [first, second]) == 22300


def test_a_settlement_belongs_to_the_document_it_settles_and_to_the_one_it_draws_on() -> None:
    paid = replace(SETTLEMENT, ref="a")
    drawn = replace(SETTLEMENT, ref="b", drawn_on="note")
    itself = replace(SETTLEMENT, ref="c", drawn_on=REF)
    assert by_document([paid, drawn, itself]) == {REF: [paid, drawn, itself], "note": [drawn]}


def test_s3_an_overpaid_document_is_not_owed_less_than_nothing() -> None:
    assert expected_residual(DOCUMENT, [replace(SETTLEMENT, amount=30000)]) == 0
    assert expected_residual(DOCUMENT, [replace(SETTLEMENT, document="another")]) == 22600


@pytest.mark.parametrize(
    ("method", "amount", "settings", "entry"),
    [
        (Method.PAYMENT, 100, SETTINGS, True),
        (Method.CUSTOMER_BALANCE, 100, SETTINGS, True),
        (Method.PAYMENT, 0, SETTINGS, False),
        (Method.CUSTOMER_BALANCE, -100, SETTINGS, True),
        (Method.OVERPAYMENT, -100, SETTINGS, True),
        (Method.PAYMENT_FAILURE, -100, SETTINGS, True),
        (Method.OFF_PLATFORM, 100, SETTINGS, False),
        (Method.OFF_PLATFORM, 100, SETTLE_OFF, True),
        (Method.PREPAID_CREDIT, 100, SETTINGS, True),
        (Method.CREDIT_NOTE, 100, SETTINGS, False),
    ],
)
def test_a_settlement_makes_an_entry_or_is_listed_and_never_both(
    method: Method, amount: int, settings: Any, entry: bool
) -> None:
    settled = a_settlement(REF, amount, method=method)
    assert posts(settled, settings, DOCUMENT.currency) is entry
    listed = not_posted(an_invoice(settlements=(settled,)), settings)
    assert (listed is None) is (entry or not amount)
    if listed is not None:
        off = method is Method.OFF_PLATFORM
        assert listed == (amount, "off_stripe_payment" if off else "settlement_unsupported")


def wallet(part: int, method: Method, name: str) -> Any:
    return a_settlement(REF, part, method=method, ref=f"{REF}:{name}")


BOUGHT, GRANTED = (
    wallet(300, Method.PREPAID_CREDIT, "prepaid"),
    wallet(200, Method.GRANTED_CREDIT, "granted"),
)


@pytest.mark.parametrize(
    ("case", "settled", "stands_already", "intended_now"),
    [
        ("nothing stands", (BOUGHT, GRANTED), None, [("prepaid", 300), ("granted", 200)]),
        ("both were booked apart", (BOUGHT, GRANTED), 300, [("prepaid", 300), ("granted", 200)]),
        ("both were booked as bought", (BOUGHT, GRANTED), 500, [("prepaid", 500)]),
        ("granted alone, booked as bought", (GRANTED,), 200, [("prepaid", 200)]),
        ("granted alone", (GRANTED,), None, [("granted", 200)]),
    ],
)
def test_s12_wallet_credit_that_books_hold_as_bought_is_not_written_again(
    case: str, settled: Any, stands_already: int | None, intended_now: list[tuple[str, int]]
) -> None:
    facts = an_invoice(settlements=settled)
    now = {}
    if stands_already:
        [before] = intended_settlements(
            [DOCUMENT], {REF: an_invoice(settlements=(wallet(stands_already, Method.PREPAID_CREDIT, "prepaid"),))},
            SETTINGS, {},
        )  # fmt: skip
        now = {before.ref: after(before)}
    found = intended_settlements([DOCUMENT], {REF: facts}, SETTINGS, now)
    assert [(s.ref.rpartition(":")[2], s.amount) for s in found] == intended_now, case


NOTE_REF = "stripe:acct_nexacloud:cn_0"
FROM_NOTE = replace(
    SETTLEMENT, ref=f"{NOTE_REF}:in_1", method=Method.CREDIT_NOTE, drawn_on=NOTE_REF
)


@pytest.mark.parametrize(
    ("opening", "lacking", "settlement", "code"),
    [
        ((), (), FROM_NOTE, "credit_note_waits"),
        ((NOTE_REF,), (), FROM_NOTE, "opening_document"),
        ((), (Method.PAYMENT,), SETTLEMENT, "account_missing"),
        ((), (Method.GRANTED_CREDIT,), SETTLEMENT, None),
    ],
    ids=["the note is not posted", "it is of before the cutover", "its account is missing", "another one is"],
)  # fmt: skip
def test_b12_what_can_not_be_matched_or_booked_says_why(
    opening: Any, lacking: Any, settlement: Settlement, code: str | None
) -> None:
    plan = plan_settlements(
        [settlement], {REF: DOCUMENT}, {REF: a_move()}, {}, None, opening=opening, lacking=lacking
    )
    assert [found for _, found in plan.exceptions] == ([code] if code else [])
    assert bool(plan.write) is (code is None)


@st.composite
def any_standing(draw: st.DrawFn) -> LedgerState:
    document = draw(st.sampled_from([DOCUMENT, BEFORE, EDITED]))
    move = draw(
        st.none()
        | st.builds(
            lambda state, stored, date: a_move(
                document, state, stored_hash=stored, accounting_date=date
            ),
            st.sampled_from(list(MoveState)[1:]),
            st.sampled_from([DOCUMENT.content_hash, BEFORE.content_hash, None]),
            st.sampled_from([DAY, date(2026, 5, 1)]),
        )
    )
    seen = draw(st.sampled_from([None, "draft", "posted", "cancelled", RELEASED]))
    return stands(move, seen=seen, ref=REF)


@given(any_standing())
def test_no_plan_ever_rewrites_what_was_seen_or_posted(ledger_state: LedgerState) -> None:
    plan = plan_drafts([DOCUMENT], {REF: ledger_state})
    move = ledger_state.move
    released = ledger_state.seen is not None and ledger_state.seen.state == RELEASED
    if plan.create:
        assert move is None or move.state is MoveState.CANCELLED
        assert released or (ledger_state.seen is None and move is None)
    if plan.rebuild:
        assert move is not None
        assert move.state is MoveState.DRAFT
        assert move.document.content_hash == move.stored_hash
        assert ledger_state.was_seen != MoveState.POSTED
    assert not (plan.create and plan.rebuild)
    posting = plan_posting([DOCUMENT], {REF: move} if move else {}, None)
    if posting:
        assert move is not None
        assert (move.state, move.document) == (MoveState.DRAFT, DOCUMENT)


def after(planned: Settlement) -> LedgerState:
    return stands(settlement=an_entry(planned), seen=RECONCILED)


@given(any_standing(), st.booleans())
def test_what_a_plan_wrote_is_not_planned_again(ledger_state: LedgerState, auto: bool) -> None:
    plan = plan_drafts([DOCUMENT], {REF: ledger_state})
    if plan.create or plan.rebuild:
        written = {REF: stands(draft(), seen="draft")}
        assert plan_drafts([DOCUMENT], written) == type(plan)(create=(), rebuild=())
    done = plan_settlements(
        [SETTLEMENT], {REF: DOCUMENT}, {REF: a_move()}, {SETTLEMENT.ref: after(SETTLEMENT)}, None
    )
    assert done.write == done.exceptions == ()
