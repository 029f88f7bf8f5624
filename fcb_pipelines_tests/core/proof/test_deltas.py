"""Every difference between the intent and the read-back is a row that names its field."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from fcb_pipelines.core.agreement.compare import Agreement, policy_of
from fcb_pipelines.core.agreement.policy import FIELD_POLICIES, Policy, compared_with
from fcb_pipelines.core.codes import ExceptionCode, Kind, Method, Reason, System
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import RELEASED, LedgerSettlement, LedgerState, MoveState
from fcb_pipelines.core.proof.deltas import (
    DATES,
    READ_BACK,
    RESIDUAL,
    LedgerDelta,
    compare_documents,
    ledger_deltas,
)
from fcb_pipelines.core.settlements.plan import RECONCILED
from fcb_pipelines_tests.facts import (
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
from fcb_pipelines_tests.strategies import documents

CASE = a_case(an_invoice("in_1", a_line(), a_line(1000, description="Daily Backup")))
DOCUMENT = document_of(CASE)
SETTLEMENTS = settlements_of(CASE)
(SETTLEMENT,) = SETTLEMENTS
GOOD = all_standing(CASE)
REF = DOCUMENT.ref
LINE = DOCUMENT.lines[0]


def deltas(now: Mapping[str, LedgerState], **more: Any) -> tuple[LedgerDelta, ...]:
    return ledger_deltas([DOCUMENT], SETTLEMENTS, now, **more)


def with_move(document: LedgerDocument = DOCUMENT, **changes: Any) -> Mapping[str, LedgerState]:
    """The month where the move was edited: it still keeps the hash it was written with."""
    move = a_move(document, **{"stored_hash": DOCUMENT.content_hash} | changes)
    return {**GOOD, REF: stands(move, seen="posted")}


def with_entry(seen: str | None = RECONCILED, **changes: Any) -> Mapping[str, LedgerState]:
    entry = an_entry(SETTLEMENT)
    settlement = replace(SETTLEMENT, **changes)
    entry = replace(entry, settlement=settlement)
    return {**GOOD, SETTLEMENT.ref: stands(settlement=entry, seen=seen)}


def with_line(**changes: Any) -> LedgerDocument:
    return replace(DOCUMENT, lines=(replace(LINE, **changes), *DOCUMENT.lines[1:]))


MUTATIONS: dict[str, Mapping[str, LedgerState]] = {
    "ref": with_move(replace(DOCUMENT, ref="")),
    "kind": with_move(replace(DOCUMENT, kind=Kind.CREDIT_NOTE)),
    "number": with_move(replace(DOCUMENT, number="edited")),
    "date": with_move(replace(DOCUMENT, date=date(2026, 5, 1))),
    "currency": with_move(replace(DOCUMENT, currency="USD")),
    "partner": with_move(
        replace(DOCUMENT, partner="nexacloud:else"), partner_links=("nexacloud:else",)
    ),
    "net": with_move(with_line(net=20001)),
    "tax": with_move(replace(DOCUMENT, taxes=(replace(DOCUMENT.taxes[0], amount=2731),))),
    "total": with_move(with_line(net=20001)),
    "taxes": with_move(replace(DOCUMENT, taxes=(replace(DOCUMENT.taxes[0], key="hst_15"),))),
    "lines": with_move(replace(DOCUMENT, lines=DOCUMENT.lines[:1])),
    "line.description": with_move(with_line(description="edited")),
    "line.quantity": with_move(with_line(quantity=Decimal(2))),
    "line.unit_price": with_move(with_line(unit_price=Decimal(1))),
    "line.net": with_move(with_line(net=20001)),
    "line.account": with_move(with_line(account="411320")),
    "line.taxes": with_move(with_line(taxes=())),
    "nexacloud_invoice_id": with_move(replace(DOCUMENT, nexacloud_invoice_id="inv-9")),
    "stripe_invoice_id": with_move(replace(DOCUMENT, stripe_invoice_id="in_9")),
    "paid": with_move(residual=1),
    "settlement.ref": with_entry(ref=""),
    "settlement.amount": with_entry(amount=1),
    "settlement.date": with_entry(date=date(2026, 5, 1)),
    "settlement.currency": with_entry(currency="USD"),
    "settlement.memo": with_entry(memo="pi_9"),
    "settlement.method": with_entry(method=Method.CUSTOMER_BALANCE),
    "settlement.document": with_entry(document="stripe:acct_nexacloud:in_9"),
    "settlement.partner": with_entry(partner="nexacloud:else"),
    "settlement.drawn_on": with_entry(drawn_on="stripe:acct_nexacloud:cn_9"),
    "settlement.undoes": with_entry(undoes="stripe:acct_nexacloud:inpay_9"),
    "settlement.reconciled": {
        **with_move(residual=DOCUMENT.total),
        SETTLEMENT.ref: stands(settlement=an_entry(SETTLEMENT, reconciled=0), seen=RECONCILED),
    },
}


def test_books_that_stand_as_intended_have_no_difference() -> None:
    assert deltas(GOOD) == ()


def test_every_field_that_the_policy_compares_with_the_ledger_has_a_mutation() -> None:
    # What is booked on account (S11) has a table of its own.
    assert compared_with(System.LEDGER).keys() == MUTATIONS.keys() | {"settlement.state"}


@pytest.mark.parametrize("field", MUTATIONS)
def test_a_change_in_the_ledger_is_named_by_its_field(field: str) -> None:
    rows = deltas(MUTATIONS[field])
    named = {policy_of(row.field): row for row in rows}
    assert field in named
    assert named[field].ref == REF
    assert named[field].code == "edited_in_ledger"
    aspects = {"date": DATES, "settlement.date": DATES, "paid": RESIDUAL}
    assert named[field].aspect == aspects.get(field, READ_BACK)


def decide(patch: pytest.MonkeyPatch, policy: Policy, *fields: str) -> None:
    """The ledger's word on these fields counts for something else."""
    for field in fields:
        patch.setitem(FIELD_POLICIES, field, replace(FIELD_POLICIES[field], ledger=policy))


@pytest.mark.parametrize("field", MUTATIONS)
def test_the_table_decides_which_fields_are_compared_with_the_ledger(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {policy_of(row.field) for row in deltas(MUTATIONS[field])}
    decide(monkeypatch, Policy.IGNORED, field)
    assert {policy_of(row.field) for row in deltas(MUTATIONS[field])} == before - {field}
    decide(monkeypatch, Policy.IGNORED, *FIELD_POLICIES)
    assert deltas(MUTATIONS[field]) == ()
    decide(monkeypatch, Policy.COMPARED, field)
    assert {policy_of(row.field) for row in deltas(MUTATIONS[field])} == {field}


def test_the_table_decides_that_an_accounting_date_is_not_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decide(monkeypatch, Policy.IGNORED, "date")
    assert deltas(with_move(accounting_date=date(2026, 5, 1))) == ()


@pytest.mark.parametrize("field", ["partner", "settlement.partner"])
def test_the_table_decides_whether_another_link_is_the_same_partner(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = ("nexacloud:else", DOCUMENT.partner)
    entry = an_entry(replace(SETTLEMENT, partner=links[0]))
    now = {
        **with_move(replace(DOCUMENT, partner=links[0]), partner_links=links),
        SETTLEMENT.ref: stands(settlement=entry, seen=RECONCILED),
    }
    assert deltas(now) == ()
    decide(monkeypatch, Policy.COMPARED, field)
    (row,) = deltas(now)
    assert (row.field, row.expected, row.actual) == (field, DOCUMENT.partner, links[0])


def test_an_amount_carries_its_signed_difference() -> None:
    named = {row.field: row for row in deltas(MUTATIONS["net"])}
    assert (named["net"].expected, named["net"].actual, named["net"].difference) == (
        "21000",
        "21001",
        1,
    )


def test_a_move_on_another_accounting_date_is_named() -> None:
    (row,) = deltas(with_move(accounting_date=date(2026, 5, 1)))
    assert (row.field, row.aspect, row.code) == ("accounting_date", DATES, "edited_in_ledger")


def test_any_of_the_partners_links_is_the_partner() -> None:
    other = replace(DOCUMENT, partner="nexacloud:else")
    assert deltas(with_move(other, partner_links=("nexacloud:else", DOCUMENT.partner))) == ()


@pytest.mark.parametrize(
    ("case", "now", "code"),
    [
        ("never written", stands(ref=REF), "not_written"),
        ("D3 a posted move was removed", stands(seen="posted", ref=REF), "edited_in_ledger"),
        ("D3 cancelled", stands(a_move(DOCUMENT, MoveState.CANCELLED), seen="posted"), "edited_in_ledger"),
        ("D3 cancelled, unlogged", stands(a_move(DOCUMENT, MoveState.CANCELLED)), "edited_in_ledger"),
        ("released and not yet rewritten", stands(seen=RELEASED, ref=REF), "not_written"),
    ],
)  # fmt: skip
def test_a_document_that_does_not_stand_is_one_row(case: str, now: LedgerState, code: str) -> None:
    (row,) = deltas({**GOOD, REF: now})
    assert (row.field, row.kind, row.code) == ("state", Agreement.MISSING, code), case
    assert row.difference == -DOCUMENT.total


def test_d2_a_document_whose_source_changed_is_told_apart_from_an_edited_one() -> None:
    before = replace(DOCUMENT, number="before")
    rows = deltas({**GOOD, REF: stands(a_move(before), seen="posted")})
    assert {(row.field, row.code) for row in rows} == {("number", "source_changed")}


def test_what_the_ledger_refused_is_listed_with_its_code() -> None:
    (row,) = deltas({}, refused={REF: "tax_mismatch"})
    assert (row.field, row.code) == ("state", "tax_mismatch")
    draft = {**GOOD, REF: stands(a_move(DOCUMENT, MoveState.DRAFT))}
    (row,) = deltas(draft, refused={REF: "refused_by_ledger"})
    assert (row.expected, row.actual, row.code) == ("posted", "draft", "refused_by_ledger")
    unpaid = {**GOOD, SETTLEMENT.ref: stands(ref=SETTLEMENT.ref)}
    rows = deltas(unpaid, refused={SETTLEMENT.ref: "refused_by_ledger"})
    assert {(row.entry, row.code) for row in rows if row.entry != REF} == {
        (SETTLEMENT.ref, "refused_by_ledger")
    }


def test_a_draft_waits_for_its_posting_and_its_settlement_is_no_difference() -> None:
    assert deltas({REF: stands(a_move(DOCUMENT, MoveState.DRAFT), seen="draft")}) == ()


@pytest.mark.parametrize(
    ("state", "reason", "code"),
    [
        (MoveState.DRAFT, "void_at_source", "stale_draft"),
        (MoveState.POSTED, "void_at_source", "voided_after_posting"),
        (MoveState.POSTED, "zero_amount", "source_changed"),
        (MoveState.DRAFT, "lines_do_not_sum", None),
        (MoveState.POSTED, "lines_do_not_sum", "source_changed"),
        (MoveState.CANCELLED, "void_at_source", None),
    ],
)
def test_a_move_that_should_not_stand_is_extra(
    state: MoveState, reason: str, code: str | None
) -> None:
    ledger_state = {REF: stands(a_move(DOCUMENT, state))}
    rows = ledger_deltas([], [], ledger_state, not_posted={REF: Reason.of(reason)})
    assert [(row.kind, row.code) for row in rows] == ([(Agreement.EXTRA, code)] if code else [])


def test_d3_a_move_that_a_person_set_back_to_draft_is_held_and_missing_in_the_books() -> None:
    ledger_state = {REF: stands(a_move(DOCUMENT, MoveState.DRAFT), seen="posted")}
    (row,) = ledger_deltas([], [], ledger_state, not_posted={REF: Reason.EDITED_IN_LEDGER})
    assert (row.expected, row.actual, row.difference) == ("posted", "draft", -DOCUMENT.total)
    assert (row.aspect, row.code) == (READ_BACK, "edited_in_ledger")


def test_any_of_the_partners_links_is_the_settlements_partner() -> None:
    links = (DOCUMENT.partner, "nexacloud:second")
    now = {**with_entry(partner="nexacloud:second"), REF: with_move(partner_links=links)[REF]}
    assert deltas(now) == ()


UNPAID = stands(a_move(DOCUMENT, residual=DOCUMENT.total), seen="posted")


@pytest.mark.parametrize(
    ("case", "now", "exceptions", "code"),
    [
        ("not written yet", {}, (), "not_written"),
        ("D3 removed", {SETTLEMENT.ref: stands(seen=RECONCILED, ref=SETTLEMENT.ref)}, (), "edited_in_ledger"),
        ("D4 locked", {}, ((REF, "settlement_period_locked"),), "settlement_period_locked"),
    ],
)  # fmt: skip
def test_a_settlement_that_does_not_stand_is_named_with_its_residual(
    case: str, now: Mapping[str, LedgerState], exceptions: tuple[tuple[str, str], ...], code: str
) -> None:
    rows = deltas({REF: UNPAID, **now}, exceptions=exceptions)
    assert {row.code for row in rows} == {code}, case
    assert {row.entry for row in rows} == {REF, SETTLEMENT.ref}
    residual = next(row for row in rows if row.aspect == RESIDUAL)
    assert (residual.expected, residual.actual) == ("0", str(DOCUMENT.total))


OTHERWISE = {
    "a label at the source": (replace(DOCUMENT, number="before"), "another source"),
    "the owner in NexaCloud": (replace(DOCUMENT, partner="nexacloud:before"), DOCUMENT.source_hash),
    "the settings": (replace(DOCUMENT, nexacloud_invoice_id="before"), DOCUMENT.source_hash),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_d3_nobody_edited_what_is_open_because_a_payment_of_a_changed_document_is_not_written(
    case: str,
) -> None:
    before, source = OTHERWISE[case]
    move = a_move(before, residual=DOCUMENT.total, stored_source_hash=source)
    rows = deltas({REF: stands(move, seen="posted")})
    assert "edited_in_ledger" not in {row.code for row in rows}, case
    (residual,) = (row for row in rows if row.aspect == RESIDUAL)
    assert residual.code == "not_written"


@pytest.mark.parametrize("case", OTHERWISE)
def test_d3_a_changed_document_that_a_person_settled_otherwise_is_edited(case: str) -> None:
    before, source = OTHERWISE[case]
    move = a_move(before, residual=1, stored_source_hash=source)
    (residual,) = (
        row for row in deltas({**GOOD, REF: stands(move, seen="posted")}) if row.aspect == RESIDUAL
    )
    assert residual.code == "edited_in_ledger", case


def test_d3_a_settlement_that_a_person_unreconciled_leaves_its_document_open() -> None:
    entry = stands(settlement=an_entry(SETTLEMENT, reconciled=0), seen=RECONCILED)
    rows = deltas({REF: UNPAID, SETTLEMENT.ref: entry}, exceptions=((REF, "edited_in_ledger"),))
    assert [(row.field, row.code) for row in rows] == [
        ("settlement.reconciled", "edited_in_ledger"),
        ("paid", "edited_in_ledger"),
    ]


HALF = SETTLEMENT.amount // 2
REST = replace(SETTLEMENT, ref=f"{SETTLEMENT.ref}:correction:1", amount=SETTLEMENT.amount - HALF)


@pytest.mark.parametrize(
    ("case", "more", "codes"),
    [
        ("its correction has the difference", an_entry(REST), set()),
        ("it has none", None, {"source_changed"}),
        ("another amount is corrected", an_entry(replace(REST, amount=1)), {"source_changed"}),
        ("D3 a person edited the correction", an_entry(replace(REST, amount=1), stored_hash=REST.content_hash), {"edited_in_ledger"}),
        ("D3 a person cancelled it", an_entry(REST, state=MoveState.CANCELLED), {"source_changed"}),
    ],
)  # fmt: skip
def test_d2_a_settlement_and_its_corrections_are_compared_as_one(
    case: str, more: LedgerSettlement | None, codes: set[str]
) -> None:
    entry = an_entry(replace(SETTLEMENT, amount=HALF))
    now = {**GOOD, SETTLEMENT.ref: stands(settlement=entry, seen=RECONCILED)}
    if more:
        now[more.ref] = stands(settlement=more, seen=RECONCILED)
    rows = deltas(now)
    assert {row.code for row in rows} == codes, case
    assert {row.field for row in rows} == ({"settlement.amount"} if codes else set())


@pytest.mark.parametrize(
    ("case", "open_", "changes", "told"),
    [
        ("all of it is matched", 0, {}, None),
        ("it is a draft, and the ledger says that its document is paid", 0,
         {"state": MoveState.DRAFT, "reconciled": 0}, "no: it is draft"),
        ("S3 beyond what was open", 0, {"reconciled": 0}, None),
        ("S3 a part beyond what was open", 0, {"reconciled": HALF}, None),
        ("S3 a person used the credit", 0, {"reconciled": HALF, "matched_with": ("MISC/1",)}, None),
        ("paid again by hand", 0, {"reconciled": 0, "instead": ("BNK/7",)},
         "no: its document with BNK/7"),
        ("a part paid again by hand", 0, {"reconciled": HALF, "instead": ("BNK/7",)},
         "no: its document with BNK/7"),
        ("swapped with another", 0,
         {"reconciled": 0, "matched_with": ("INV/2",), "instead": ("BNK/7",)},
         "no: it is matched with INV/2, its document with BNK/7"),
        ("matched with another alone", HALF, {"reconciled": 0, "matched_with": ("INV/2",)},
         "no: it is matched with INV/2"),
        ("unmatched", HALF, {"reconciled": 0}, "no"),
        ("all of it, beside another's payment", 0, {"instead": ("BNK/7",)}, None),
    ],
)  # fmt: skip
def test_each_payment_is_matched_with_the_document_that_it_was_made_for(
    case: str, open_: int, changes: Mapping[str, Any], told: str | None
) -> None:
    ledger_state = {
        REF: stands(a_move(DOCUMENT, residual=open_), seen="posted"),
        SETTLEMENT.ref: stands(settlement=an_entry(SETTLEMENT, **changes), seen=RECONCILED),
    }
    rows = [row for row in deltas(ledger_state) if row.field == "settlement.reconciled"]
    assert [(row.actual, row.code) for row in rows] == (
        [(told, "edited_in_ledger")] if told else []
    ), case


DEBT = replace(SETTLEMENT, ref="debt", method=Method.CUSTOMER_BALANCE, amount=-700)
FAILURE = replace(
    SETTLEMENT,
    ref="failure",
    method=Method.PAYMENT_FAILURE,
    amount=-SETTLEMENT.amount,
    undoes=SETTLEMENT.ref,
)


@pytest.mark.parametrize("settled", [[DEBT], [DEBT, SETTLEMENT, FAILURE]])
def test_b9_an_older_debt_that_nothing_pays_stands_open_and_is_no_edit(
    settled: list[Settlement],
) -> None:
    matched = {DEBT.ref: 0}
    entries = {
        each.ref: stands(
            settlement=an_entry(each, reconciled=matched.get(each.ref, each.amount)), ref=each.ref
        )
        for each in settled
    }
    owed = stands(a_move(DOCUMENT, residual=DOCUMENT.total + 700), seen="posted")
    assert ledger_deltas([DOCUMENT], settled, {REF: owed, **entries}) == ()


def test_s7_a_failure_that_the_source_no_longer_tells_is_named_while_it_tells_the_payment() -> None:
    ledger_state = {
        REF: stands(a_move(DOCUMENT, residual=DOCUMENT.total), seen="posted"),
        SETTLEMENT.ref: stands(settlement=an_entry(SETTLEMENT), ref=SETTLEMENT.ref),
        FAILURE.ref: stands(settlement=an_entry(FAILURE), ref=FAILURE.ref),
    }
    rows = ledger_deltas([DOCUMENT], [SETTLEMENT], ledger_state)
    assert {(row.entry, row.code) for row in rows} == {
        (FAILURE.ref, "settlement_taken_back"),
        (REF, "settlement_taken_back"),
    }
    without = ledger_deltas([DOCUMENT], [], ledger_state)
    assert {row.entry for row in without} == set()


REFUND = replace(SETTLEMENT, ref="re_1", method=Method.REFUND, amount=-5000)


@pytest.mark.parametrize(
    ("credited", "codes"), [(["re_1"], set()), ([], {"settlement_taken_back"})]
)
def test_s6_a_refund_that_failed_is_taken_back_and_one_that_a_note_took_over_is_not(
    credited: list[str], codes: set[str]
) -> None:
    ledger_state = {
        REF: stands(a_move(DOCUMENT), seen="posted"),
        SETTLEMENT.ref: stands(settlement=an_entry(SETTLEMENT), ref=SETTLEMENT.ref),
        REFUND.ref: stands(settlement=an_entry(REFUND), ref=REFUND.ref),
    }
    rows = ledger_deltas([DOCUMENT], [SETTLEMENT], ledger_state, credited=credited)
    assert {row.code for row in rows} == codes


USED = document_of(a_case(an_invoice("cn_1", a_line(5000), kind=Kind.CREDIT_NOTE, settlements=())))


@pytest.mark.parametrize(("is_reported", "code"), [(True, None), (False, "settlement_taken_back")])
def test_b12_a_match_that_the_source_no_longer_tells_is_listed_with_its_credit_note(
    is_reported: bool, code: str | None
) -> None:
    match = replace(
        SETTLEMENT,
        ref=f"{USED.ref}:in_9",
        document="stripe:acct_nexacloud:in_9",
        method=Method.CREDIT_NOTE,
        amount=USED.total,
        drawn_on=USED.ref,
    )
    ledger_state = {
        USED.ref: stands(a_move(USED, residual=0), seen="posted"),
        match.ref: stands(settlement=an_entry(match), ref=match.ref),
    }
    rows = ledger_deltas([USED], [match] if is_reported else [], ledger_state)
    assert {(row.entry, row.code) for row in rows} == (
        {(match.ref, code), (USED.ref, code)} if code else set()
    )


@pytest.mark.parametrize("field", MUTATIONS)
def test_every_code_is_an_exception_that_says_what_mends_it(field: str) -> None:
    assert {row.code for row in deltas(MUTATIONS[field])} <= {*ExceptionCode}


@given(documents())
def test_any_document_is_equal_to_its_own_read_back_in_any_order_of_lines(
    document: LedgerDocument,
) -> None:
    again = replace(document, lines=document.lines[::-1])
    assert compare_documents(document, again, (document.partner,)) == ()
