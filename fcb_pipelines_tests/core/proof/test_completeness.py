"""Over all months and unplaced every member has one disposition, and the receivable ties out."""

from dataclasses import replace
from typing import Any

import pytest

from fcb_pipelines.core.agreement.compare import Agreement
from fcb_pipelines.core.codes import Kind, Method, Verdict
from fcb_pipelines.core.dispositions.decide import Disposition, decide
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.facts.model import SettlementFacts
from fcb_pipelines.core.facts.nexacloud import first_claimants
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.proof.completeness import (
    NOT_BUILT,
    Member,
    completeness,
    completeness_gate,
    population,
)
from fcb_pipelines.core.proof.delta import READ_BACK, LedgerDelta
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.core.proof.receivable import (
    ReceivableRow,
    orphans,
    receivable,
    receivable_gate,
    unsettled,
)
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    LAST_PERIOD,
    a_case,
    a_copy,
    a_move,
    a_settlement,
    an_entry,
    an_invoice,
    settlements_of,
)

ROW = decide(a_case(), SETTINGS, BOOKS, LAST_PERIOD)
REF = ROW.ref
MEMBER = Member(ref=REF, period="2026-04")
UNPAID = replace(ROW, owed=22600)
HELD = replace(UNPAID, verdict=Verdict.HOLD, reason="tax_unknown")
FOUND = IndexRow(
    ref=REF,
    source_id="in_1",
    origin=Origin.INVOICE,
    answer=Lookup.LISTED,
    in_scope=True,
    claimed=True,
    period="2026-04",
)


@pytest.mark.parametrize(
    ("case", "row", "members"),
    [
        ("in scope", FOUND, [(REF, "2026-04")]),
        ("a draft", replace(FOUND, period=None), [(REF, None)]),
        ("A6 of another service", replace(FOUND, in_scope=False), []),
        ("A5 missing, so NexaCloud's row is the member", replace(FOUND, answer=Lookup.DOES_NOT_EXIST), [("nexacloud:inv-1", None)]),
        ("A5 unreachable, the same", replace(FOUND, answer=Lookup.UNREACHABLE), [("nexacloud:inv-1", None)]),
    ],
)  # fmt: skip
def test_the_population_is_documents_in_scope_and_rows_without_one(
    case: str, row: IndexRow, members: list[tuple[str, str | None]]
) -> None:
    rows = [a_copy()]
    found = population([row], rows, first_claimants(rows))
    assert [(member.ref, member.period) for member in found] == members, case


def test_a7_a11_a_second_claim_and_a_row_without_an_id_are_members_of_their_own() -> None:
    rows = [a_copy(), a_copy(invoice_id="inv-2"), a_copy(invoice_id="inv-3", source_id=None)]
    found = population([FOUND], rows, first_claimants(rows))
    assert [(member.ref, member.period) for member in found] == [
        (REF, "2026-04"),
        ("nexacloud:inv-2", "2026-04"),
        ("nexacloud:inv-3", None),
    ]


@pytest.mark.parametrize(
    ("case", "member", "months", "unplaced", "answers"),
    [
        ("in its month", MEMBER, {"2026-04": [ROW]}, [], ["post"]),
        ("held there", MEMBER, {"2026-04": [HELD]}, [], ["hold"]),
        ("unplaced", replace(MEMBER, period=None), {}, [replace(ROW, period=None)], ["post"]),
        ("its month was never built", MEMBER, {}, [], [NOT_BUILT]),
        ("its month lacks it", MEMBER, {"2026-04": []}, [], ["missing"]),
        ("in another month", MEMBER, {"2026-04": [], "2026-03": [ROW]}, [], ["missing"]),
        ("still unplaced after it got its date", MEMBER, {"2026-04": []}, [ROW], ["missing"]),
        ("in two months", MEMBER, {"2026-04": [ROW], "2026-03": [ROW]}, [], ["twice"]),
        ("in its month and unplaced", MEMBER, {"2026-04": [ROW]}, [ROW], ["twice"]),
        ("twice in its month", MEMBER, {"2026-04": [ROW, ROW]}, [], ["twice"]),
        ("of no member", None, {"2026-04": [ROW]}, [], ["no member"]),
    ],
)
def test_every_member_has_exactly_one_disposition_in_its_place(
    case: str,
    member: Member | None,
    months: dict[str, list[Disposition]],
    unplaced: list[Disposition],
    answers: list[str],
) -> None:
    rows = completeness([member] if member else [], months, unplaced)
    assert [row.answer for row in rows] == answers, case
    passed = answers in (["post"], ["hold"])
    assert completeness_gate(rows).outcome is (Outcome.PASS if passed else Outcome.FAIL)


def open_move(residual: int = 22600, **changes: Any) -> LedgerMove:
    return a_move(residual=residual, **changes)


DRAFT = a_move(state=MoveState.DRAFT, residual=0)
OFF = {REF: (22600, "off_stripe_payment")}


@pytest.mark.parametrize(
    ("case", "row", "move", "unsettled", "amounts", "why"),
    [
        ("paid on both sides", ROW, a_move(), {}, None, None),
        ("A2 owed on both sides", UNPAID, open_move(), {}, (22600, 22600, 0), None),
        ("S2 partly paid", replace(ROW, owed=100), open_move(100), {}, (100, 100, 0), None),
        ("owed, and not yet posted", UNPAID, DRAFT, {}, (22600, 0, 22600), "draft"),
        ("owed, and held", HELD, None, {}, (22600, 0, 22600), "tax_unknown"),
        ("skipped", replace(UNPAID, verdict=Verdict.SKIP, reason="test_mode"), None, {}, None, None),
        ("held without a date", replace(HELD, date=None), None, {}, None, None),
        ("S3 overpaid", replace(ROW, owed=-1), a_move(), {}, None, None),
        ("S4 paid off Stripe", ROW, open_move(), OFF, (0, 22600, -22600), "off_stripe_payment"),
        ("S3 S4 paid by card in part, and all of it off Stripe", replace(ROW, owed=-5000), open_move(17600), {REF: (22600, "off_stripe_payment")}, (0, 17600, -17600), "off_stripe_payment"),
        ("D4 an older debt waits for its lock, its payment does not", replace(ROW, owed=-1000), a_move(), {REF: (-1000, "settlement_period_locked")}, None, None),
        ("a credit note not yet used", replace(UNPAID, kind=Kind.CREDIT_NOTE), replace(open_move(), document=replace(open_move().document, kind=Kind.CREDIT_NOTE)), {}, (-22600, -22600, 0), None),
    ],
)  # fmt: skip
def test_the_receivable_ties_out_document_by_document(
    case: str,
    row: Disposition,
    move: LedgerMove | None,
    unsettled: dict[str, tuple[int, str]],
    amounts: tuple[int, int, int] | None,
    why: str | None,
) -> None:
    rows = receivable([row], [move] if move else [], unsettled)
    triples = [(one.source, one.ledger, one.not_posted) for one in rows]
    assert triples == ([amounts] if amounts else []), case
    assert [one.why for one in rows] == ([why] if amounts else [])
    assert receivable_gate(rows, ()).outcome is Outcome.PASS


LOCKED, WAITS = "settlement_period_locked", "credit_note_waits"


def kept_out(entry: str, code: str) -> LedgerDelta:
    return LedgerDelta(
        ref=REF, entry=entry, field="settlement.amount", kind=Agreement.MISSING, expected="1",
        actual=None, difference=None, aspect=READ_BACK, code=code,
    )  # fmt: skip


CARD = a_settlement(REF, 6300, "card")
CASH = a_settlement(REF, 5000, "cash", method=Method.OFF_PLATFORM)
BACK = a_settlement(REF, -6300, "back", method=Method.REFUND)


@pytest.mark.parametrize(
    ("case", "settled", "deltas", "listed"),
    [
        ("all of it is posted", [CARD], [], None),
        ("S4 paid off Stripe", [CARD, CASH], [], (5000, "off_stripe_payment")),
        ("D4 the card's payment is locked out", [CARD], [kept_out(CARD.ref, LOCKED)], (6300, LOCKED)),
        ("S4 D4 both", [CARD, CASH], [kept_out(CARD.ref, LOCKED)], (11300, "off_stripe_payment")),
        ("S6 it waits for its note", [CARD], [kept_out(CARD.ref, WAITS)], (6300, WAITS)),
        ("S6 locked on the note's own day", [CARD], [kept_out(f"{CARD.ref}:credited", LOCKED)], (6300, LOCKED)),
        ("S6 a locked refund leaves the receivable alone", [CARD, BACK], [kept_out(BACK.ref, LOCKED)], (0, LOCKED)),
        ("its account is missing", [CARD], [kept_out(CARD.ref, "account_missing")], (6300, "account_missing")),
        ("D3 a person removed it: that is no excuse", [CARD], [kept_out(CARD.ref, "edited_in_ledger")], None),
        ("the document itself waits", [CARD], [kept_out(REF, LOCKED)], None),
    ],
)  # fmt: skip
def test_what_the_source_settled_and_the_books_do_not_is_listed_with_its_amount(
    case: str,
    settled: list[SettlementFacts],
    deltas: list[LedgerDelta],
    listed: tuple[int, str] | None,
) -> None:
    found = unsettled([an_invoice(settlements=tuple(settled))], deltas, SETTINGS)
    assert found == ({REF: listed} if listed else {}), case


@pytest.mark.parametrize(
    ("case", "row", "move"),
    [
        ("the ledger is owed a cent more", UNPAID, open_move(22601)),
        ("paid at the source and open in the ledger", ROW, open_move()),
        ("open at the source and paid in the ledger", UNPAID, a_move()),
        ("D1 voided at the source and open in the ledger", replace(ROW, verdict=Verdict.SKIP, owed=22600), open_move()),
        ("a move of nobody", None, open_move()),
    ],
)  # fmt: skip
def test_a_receivable_that_does_not_tie_out_is_named_by_billing_account(
    case: str, row: Disposition | None, move: LedgerMove
) -> None:
    rows = receivable([row] if row else [], [move], {})
    result = receivable_gate(rows, ())
    assert (result.outcome, result.count) == (Outcome.FAIL, 1), case
    assert REF in result.detail


def corrected(by: int, open_: int, *, of: LedgerMove, kind: Kind = Kind.INVOICE) -> LedgerMove:
    """A correction of `of` over `by`, `open_` of which is open."""
    document = replace(
        of.document, ref=f"{of.ref}:correction:1", kind=kind, reverses=of.ref,
        lines=(replace(of.document.lines[0], net=by),), taxes=(),
    )  # fmt: skip
    return a_move(document, residual=open_)


@pytest.mark.parametrize(
    ("paid", "left_over", "owed", "tied"),
    [(22600, 0, 200, True), (22800, 200, 0, True), (22700, 100, 100, True), (22600, 0, 0, False)],
    ids=["only what was billed first", "all of it", "a part of the rest", "less than the source says"],
)  # fmt: skip
def test_d2_a_raised_invoice_is_owed_with_its_correction_less_what_its_payments_leave_over(
    paid: int, left_over: int, owed: int, tied: bool
) -> None:
    move = a_move()
    [payment] = settlements_of(a_case())
    entry = an_entry(replace(payment, amount=paid), reconciled=paid - left_over)
    rows = receivable(
        [replace(ROW, owed=owed)], [move, corrected(200, 200, of=move)], {}, [entry]
    )  # fmt: skip
    assert (receivable_gate(rows, ()).outcome is Outcome.PASS) is tied


def test_d1_what_a_voided_note_took_off_its_invoice_is_owed_again_on_its_correction() -> None:
    invoice = a_move()
    note = a_move(replace(invoice.document, ref=f"{REF}_cn", kind=Kind.CREDIT_NOTE, reverses=REF))
    void = replace(
        ROW, ref=note.ref, kind=Kind.CREDIT_NOTE, verdict=Verdict.SKIP, reason="void_at_source"
    )
    back = corrected(22600, 22600, of=note)
    rows = receivable([UNPAID, void], [invoice, note, back], {})
    # The invoice is still matched with the note: the owed amount is open on the correction.
    assert sum(row.ledger for row in rows) == 22600
    assert receivable_gate(rows, ()).outcome is Outcome.PASS
    [payment] = settlements_of(a_case())
    paid = receivable([ROW, void], [invoice, note, back], {}, [an_entry(payment, reconciled=0)])
    assert receivable_gate(paid, ()).outcome is Outcome.PASS


def test_differences_of_two_billing_accounts_never_cancel_out() -> None:
    one = ReceivableRow(
        ref="a", partner="p", currency="CAD", source=1, ledger=0, not_posted=0, why=None
    )
    rows = (one, replace(one, ref="b", partner="q", source=-1))
    assert receivable_gate(rows, ()).count == 2


@pytest.mark.parametrize(
    ("state", "orphaned"),
    [(MoveState.DRAFT, True), (MoveState.POSTED, True), (MoveState.CANCELLED, False)],
)
def test_a_move_of_ours_that_is_of_no_member_fails_the_tie_out(
    state: MoveState, orphaned: bool
) -> None:
    move = a_move(state=state)
    assert orphans([move], {REF}) == ()
    found = orphans([move], ())
    assert bool(found) is orphaned
    assert (receivable_gate((), found).outcome is Outcome.FAIL) is orphaned
