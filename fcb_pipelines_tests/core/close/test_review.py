"""The review of drafts: which are odd and why, their totals, and whether an approval still holds."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.agreement.compare import Agreement
from fcb_pipelines.core.close.decisions import APPROVAL, Decision, approvals, in_force
from fcb_pipelines.core.close.month import MonthStatus
from fcb_pipelines.core.close.review import (
    LARGE,
    DraftRow,
    Oddity,
    approved_hashes,
    draft_rows,
    draft_totals,
    posted_unapproved,
)
from fcb_pipelines.core.close.seen import seen
from fcb_pipelines.core.codes import ExceptionCode, Kind, Reason, Verdict
from fcb_pipelines.core.dispositions.decide import Disposition, decide
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState
from fcb_pipelines.core.proof.delta import READ_BACK, LedgerDelta
from fcb_pipelines.core.proof.tax_witness import WitnessRow, WitnessVerdict
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import BOOKS, LAST_PERIOD, a_case, a_move, an_invoice, document_of

CASE = a_case(an_invoice())
DOCUMENT = document_of(CASE)
REF, HASH = DOCUMENT.ref, DOCUMENT.content_hash
DECIDED = decide(CASE, SETTINGS, BOOKS, LAST_PERIOD)
DRAFT = a_move(DOCUMENT, MoveState.DRAFT)
AT = datetime(2026, 5, 2, 9, 15, tzinfo=UTC)
ODD_LINE = replace(DOCUMENT.lines[0], description="Edited")
EDITED = replace(DRAFT, document=replace(DOCUMENT, lines=(ODD_LINE,)))
# The same customer's, of before: as large, and of a month before.
BEFORE = replace(
    DECIDED, ref="stripe:a:in_0", number="A-0", period="2026-03", date=date(2026, 3, 3)
)
WITNESS = WitnessRow(
    ref=REF, number="", kind=Kind.INVOICE, date=date(2026, 4, 3), taxed_on=date(2026, 4, 3),
    currency="CAD", country="CA", state="QC", address_from="document", net=20000,
    verdict=WitnessVerdict.DIFFERS, expected=(), billed=(), expected_tax=0, billed_tax=2600,
    difference=2600, detail="QC: expected 0, billed 2600",
)  # fmt: skip
DELTA = LedgerDelta(
    ref=REF, entry=REF, field="lines", kind=Agreement.DIFFERS, expected="a", actual="b",
    difference=None, aspect=READ_BACK, code=ExceptionCode.EDITED_IN_LEDGER,
)  # fmt: skip


def the_rows(
    row: Disposition = DECIDED,
    move: LedgerMove = DRAFT,
    known: tuple[Disposition, ...] = (BEFORE,),
    decisions: tuple[Decision, ...] = (),
    **more: Any,
) -> list[DraftRow]:
    month = MonthStatus(
        **{"dispositions": [row], "documents": [DOCUMENT], "moves": {REF: move}, **more}
    )
    return draft_rows(
        month,
        known=(*known, row),
        approved=approvals(decisions),
        families={DOCUMENT.lines[0].account: "hosting"},
        customers={DOCUMENT.partner: "Maple"},
    )


def the_row(**changes: Any) -> DraftRow:
    (row,) = the_rows(**changes)
    return row


def an_approval(**changes: Any) -> Decision:
    known = {"ref": REF, "code": APPROVAL, "by": "jane", "at": AT, "seen": HASH}
    return Decision(**{**known, **changes})


def test_a_draft_is_shown_beside_its_source_with_all_that_a_reader_compares() -> None:
    row = the_row()
    assert (row["ref"], row["customer"], row["currency"]) == (REF, "Maple", "CAD")
    assert (row["net"], row["tax"], row["total"]) == (20000, 2600, 22600)
    assert (row["draft_tax"], row["draft_total"]) == (2600, 22600)
    assert row["families"] == {"hosting": 20000}
    assert (row["ledger_id"], row["matches"], row["content_hash"]) == ("7", True, HASH)
    assert row["approval"] is None


@pytest.mark.parametrize("state", [state for state in MoveState if state is not MoveState.DRAFT])
def test_what_is_no_draft_is_not_reviewed(state: MoveState) -> None:
    assert the_rows(move=replace(DRAFT, state=state)) == []


@pytest.mark.parametrize(
    ("case", "changes", "odd"),
    [
        ("as billed", {}, []),
        ("edited", {"move": EDITED}, [Oddity.DIFFERS]),
        ("another document", {"documents": [replace(DOCUMENT, number="X")]}, [Oddity.DIFFERS]),
        ("held", {"row": replace(DECIDED, verdict=Verdict.HOLD, reason=Reason.TAX_MISMATCH), "documents": []}, [Oddity.NOT_TO_BE_POSTED]),
        ("held for its exception", {"row": replace(DECIDED, verdict=Verdict.HOLD, reason=Reason.EDITED_IN_LEDGER, exceptions=(ExceptionCode.EDITED_IN_LEDGER,)), "documents": []}, [Oddity.NOT_TO_BE_POSTED]),
        ("to be skipped", {"row": replace(DECIDED, verdict=Verdict.SKIP, reason=Reason.VOID_AT_SOURCE), "documents": []}, [Oddity.NOT_TO_BE_POSTED]),
        ("an exception", {"row": replace(DECIDED, exceptions=(ExceptionCode.OVERPAID,))}, [Oddity.EXCEPTION]),
        ("two", {"row": replace(DECIDED, exceptions=(ExceptionCode.OVERPAID, ExceptionCode.DISPUTED))}, [Oddity.EXCEPTION] * 2),
        ("tax differs", {"witness": [WITNESS]}, [Oddity.TAX]),
        ("another's tax", {"witness": [replace(WITNESS, ref="stripe:a:in_9")]}, []),
        ("tax unknown", {"witness": [replace(WITNESS, verdict=WitnessVerdict.UNKNOWN_ADDRESS)]}, []),
        ("exempt", {"witness": [replace(WITNESS, verdict=WitnessVerdict.EXEMPT)]}, []),
        ("a new customer", {"known": (replace(BEFORE, partner="nexacloud:2"),)}, [Oddity.FIRST]),
        ("only a held one before", {"known": (replace(BEFORE, verdict=Verdict.HOLD),)}, [Oddity.FIRST]),
        ("a later one beside it", {"known": (replace(BEFORE, partner="x"), replace(BEFORE, period="2026-05", date=date(2026, 5, 1)))}, [Oddity.FIRST]),
        ("the first month of all", {"known": ()}, []),
        ("without customer", {"row": replace(DECIDED, partner=None)}, []),
    ],
)  # fmt: skip
def test_a_draft_is_odd_for_each_reason_and_for_no_other(
    case: str, changes: dict[str, Any], odd: list[Oddity]
) -> None:
    row = the_row(**changes)
    assert [one["code"] for one in row["odd"]] == odd, case
    assert all(one["text"].strip() for one in row["odd"])


@pytest.mark.parametrize(
    ("change", "large"),
    [
        ({"total": 22600 // LARGE}, True),
        ({"total": 22600 // LARGE + 1}, False),
        ({"total": 22600 // LARGE, "currency": "USD"}, False),
        ({"total": 22600 // LARGE, "kind": Kind.CREDIT_NOTE}, False),
        ({"total": 22600 // LARGE, "verdict": Verdict.SKIP}, False),
        ({"total": 0}, False),
    ],
)
def test_large_is_more_than_a_multiple_of_the_customers_largest_other_document(
    change: dict[str, Any], large: bool
) -> None:
    odd = [one["code"] for one in the_row(known=(replace(BEFORE, **change),))["odd"]]
    assert (Oddity.LARGE in odd) is large


@pytest.mark.parametrize(("total", "large"), [(300, False), (301, True)])
def test_exactly_that_multiple_is_not_large(total: int, large: bool) -> None:
    row = the_row(row=replace(DECIDED, total=total), known=(replace(BEFORE, total=300 // LARGE),))
    assert (Oddity.LARGE in [one["code"] for one in row["odd"]]) is large


def test_a_differing_draft_names_the_fields_and_an_acknowledged_exception_is_not_odd() -> None:
    (odd,) = the_row(move=EDITED, deltas=[DELTA])["odd"][:1]
    assert odd["text"].endswith("in lines.")
    known = replace(DECIDED, exceptions=(ExceptionCode.OVERPAID,))
    month = MonthStatus(dispositions=[known], documents=[DOCUMENT], moves={REF: DRAFT})
    given = Decision(
        ref=REF, code="overpaid", by="jane", at=AT, note="ok", seen=seen(month, REF, "overpaid")
    )
    row = the_row(row=known, acknowledged=in_force([given], AT.date()))
    assert (row["exceptions"], row["odd"]) == (["overpaid"], [])


def test_the_gravest_comes_first_and_then_the_largest_amount() -> None:
    def of(name: str, total: int) -> tuple[Disposition, Any, LedgerMove]:
        document = replace(DOCUMENT, ref=name)
        return (
            replace(DECIDED, ref=name, total=total),
            document,
            replace(DRAFT, ref=name, document=document),
        )

    small, large, odd = of("a", 1), of("b", 9), of("c", 0)
    rows = the_rows(
        row=replace(odd[0], exceptions=(ExceptionCode.OVERPAID,)),
        known=(BEFORE, small[0], large[0]),
        documents=[one[1] for one in (small, large, odd)],
        moves={one[0].ref: one[2] for one in (small, large, odd)},
        dispositions=[small[0], large[0], replace(odd[0], exceptions=(ExceptionCode.OVERPAID,))],
    )
    assert [row["ref"] for row in rows] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("decisions", "changes", "by", "holds"),
    [
        ((an_approval(),), {}, "jane", True),
        ((), {}, None, None),
        ((an_approval(seen="0" * 64),), {}, "jane", False),
        ((an_approval(),), {"move": EDITED}, "jane", False),
        ((an_approval(),), {"documents": [replace(DOCUMENT, number="X")]}, "jane", False),
        ((an_approval(code="overpaid"),), {}, None, None),
        ((an_approval(ref="stripe:a:in_9"),), {}, None, None),
        ((an_approval(), an_approval(by="ada", seen="0" * 64, at=AT + timedelta(1))), {}, "jane", True),
        ((an_approval(), an_approval(by="ada", at=AT + timedelta(1))), {}, "ada", True),
        ((an_approval(), an_approval(withdraws=an_approval().id, seen="", at=AT + timedelta(1))), {}, None, None),
    ],
)  # fmt: skip
def test_an_approval_holds_for_the_very_document_that_was_approved(
    decisions: tuple[Decision, ...], changes: dict[str, Any], by: str | None, holds: bool | None
) -> None:
    row = the_row(decisions=decisions, **changes)
    found = row["approval"]
    assert (found and found["by"], found and found["holds"]) == (by, holds)
    assert approved_hashes([row]) == ({REF: HASH} if holds else {})


def test_no_hold_and_no_exception_has_the_code_of_an_approval_and_none_is_acknowledged_by_one() -> (
    None
):
    assert APPROVAL not in {*map(str, Reason), *map(str, ExceptionCode)}
    assert in_force([an_approval()], AT.date()) == {}


POSTED = a_move(DOCUMENT)


@pytest.mark.parametrize(
    ("before", "after", "decisions", "unapproved"),
    [
        (DRAFT, POSTED, (), True),
        (DRAFT, POSTED, (an_approval(),), False),
        (DRAFT, POSTED, (an_approval(seen="0" * 64),), True),
        (DRAFT, DRAFT, (), False),
        (POSTED, POSTED, (), False),
    ],
)
def test_what_was_posted_without_an_approval_of_it_as_it_is_counts(
    before: LedgerMove, after: LedgerMove, decisions: tuple[Decision, ...], unapproved: bool
) -> None:
    found = posted_unapproved({REF: before}, [after], approvals(decisions))
    assert found == ((REF,) if unapproved else ())


def a_row(kind: Kind, currency: str, net: int, tax: int) -> DraftRow:
    families = {"hosting": net // 2, "managed": net - net // 2}
    sums: Any = {"total": net + tax, "draft_tax": tax, "draft_total": net + tax}
    return {**the_row(), **sums, "kind": kind.value, "currency": currency, "families": families}


AMOUNTS = st.integers(0, 10**12)


@given(
    st.lists(
        st.builds(a_row, st.sampled_from(Kind), st.sampled_from(["CAD", "USD"]), AMOUNTS, AMOUNTS)
    )
)
def test_the_totals_are_the_sums_of_their_rows_and_of_their_families(rows: list[DraftRow]) -> None:
    totals = draft_totals(rows)
    assert sum(one["count"] for one in totals.values()) == len(rows)
    for currency, one in totals.items():
        own = [row for row in rows if row["currency"] == currency]
        signed = sum(Kind(row["kind"]).sign * row["total"] for row in own)
        assert one["total"] == one["draft_total"] == signed
        assert one["draft_total"] == one["tax"] + sum(one["by_family"].values())
