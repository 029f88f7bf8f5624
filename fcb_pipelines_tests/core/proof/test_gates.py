"""Each gate passes on what is right and names what is wrong."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fcb_pipelines.core.agreement.compare import copy_against_source
from fcb_pipelines.core.close.gates import GATES
from fcb_pipelines.core.codes import ExceptionCode, Kind, Reason, Verdict
from fcb_pipelines.core.dispositions.decide import Disposition, decide
from fcb_pipelines.core.documents.rows import to_rows
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.ledger.books import Books
from fcb_pipelines.core.ledger.entries import DocumentTax, LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerState, MoveState
from fcb_pipelines.core.proof.deltas import ledger_deltas
from fcb_pipelines.core.proof.gate import SAMPLE, Finding, Outcome, failing, warning
from fcb_pipelines.core.proof.gates import (
    dates_as_intended,
    document_rules_hold,
    documents_balance,
    documents_match_dispositions,
    listing_complete,
    nexacloud_agrees,
    nothing_is_held,
    population_adds_up,
    read_back_equals_intent,
    residuals_match_source,
    revenue_in_other,
    tax_as_expected,
    unitemised_lines,
)
from fcb_pipelines.core.proof.tax_witness import Address, WitnessRow, witness
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    CUSTOMER,
    DAY,
    LAST_PERIOD,
    a_case,
    a_copy,
    a_line,
    a_move,
    all_standing,
    an_invoice,
    document_of,
    settlements_of,
    stands,
    without_lines,
)

CASE = a_case()
DOCUMENT = document_of(CASE)
REF = DOCUMENT.ref
ROW = decide(CASE, SETTINGS, BOOKS, LAST_PERIOD)
HELD = decide(a_case(an_invoice("in_2"), claimant=None), SETTINGS, BOOKS, LAST_PERIOD)
LISTED = IndexRow(
    ref=REF,
    source_id="in_1",
    origin=Origin.INVOICE,
    answer=Lookup.LISTED,
    in_scope=True,
    claimed=True,
)
READ_BACK = {
    "read_back_equals_intent": read_back_equals_intent,
    "dates_as_intended": dates_as_intended,
    "residuals_match_source": residuals_match_source,
}
PASS, WARN, FAIL = Outcome.PASS, Outcome.WARN, Outcome.FAIL


def test_a_gate_that_passes_says_what_it_proves() -> None:
    gate = GATES["completeness"]
    result = gate.judge({"completeness": ()})
    assert (result.gate, result.recovery) == (gate.name, gate.recovery)
    assert (result.outcome, result.count, result.detail) == (PASS, 0, gate.proves)


def test_a_gate_without_one_of_its_inputs_is_not_judged() -> None:
    with pytest.raises(KeyError, match="dispositions"):
        GATES["population_adds_up"].judge({"members": {REF}})


def test_a_gate_counts_every_fault_and_shows_a_sample() -> None:
    result = GATES["completeness"].result(failing([f"fault {i}" for i in range(25)]))
    assert (result.outcome, result.count, len(result.sample)) == (FAIL, 25, SAMPLE)
    assert warning(["x"], count=7).count == 7


def test_the_amounts_of_a_gate_are_added_up_by_currency() -> None:
    found = warning(["x"], amounts=[("USD", 1), ("CAD", 2), ("USD", 3)])
    assert found.amounts == (("CAD", 2), ("USD", 4))


@pytest.mark.parametrize("name", GATES)
def test_a_gate_says_how_to_recover(name: str) -> None:
    assert GATES[name].name == name
    assert GATES[name].proves.endswith(".")
    assert GATES[name].recovery


@pytest.mark.parametrize(
    ("case", "rows", "problem", "faults"),
    [
        ("every document listed once", [LISTED], None, 0),
        ("a page is lost", [LISTED], "page 2 was lost", 1),
        ("a document the list should have had", [replace(LISTED, answer=Lookup.ASKED)], None, 1),
        ("A5 one that does not exist", [replace(LISTED, answer=Lookup.DOES_NOT_EXIST)], None, 0),
        ("A5 one that did not answer", [replace(LISTED, answer=Lookup.UNREACHABLE)], None, 0),
        ("a document listed twice", [LISTED, LISTED], None, 1),
    ],
)
def test_a_listing_is_complete_when_no_page_is_lost_or_repeated(
    case: str, rows: list[IndexRow], problem: str | None, faults: int
) -> None:
    assert listing_complete(rows, problem).count == faults, case


@pytest.mark.parametrize(
    ("case", "members", "rows", "faults"),
    [
        ("one each", {REF, HELD.ref}, [ROW, HELD], 0),
        ("nothing at all", set(), [], 0),
        ("a member without a disposition", {REF, HELD.ref}, [ROW], 1),
        ("a disposition of no member", {REF}, [ROW, HELD], 1),
        ("two dispositions", {REF}, [ROW, ROW], 1),
        ("a post with a reason", {REF}, [replace(ROW, reason=Reason.UNREADABLE)], 1),
        ("a hold without a reason", {REF}, [replace(ROW, verdict=Verdict.HOLD)], 1),
        ("a hold with a skip's reason", {REF}, [replace(ROW, verdict=Verdict.HOLD, reason=Reason.TEST_MODE)], 1),
        ("a reason nobody knows", {REF}, [replace(ROW, verdict=Verdict.HOLD, reason=Reason.of("because"))], 1),
    ],
)  # fmt: skip
def test_population_adds_up_when_each_member_has_one_lawful_disposition(
    case: str, members: set[str], rows: list[Disposition], faults: int
) -> None:
    result = population_adds_up(members, rows)
    assert (result.count, result.outcome) == (faults, FAIL if faults else PASS), case


def test_documents_balance_names_the_document() -> None:
    (row,) = to_rows([DOCUMENT])
    assert documents_balance([row]).outcome is PASS
    result = documents_balance([replace(row, net=19999)])
    assert result.outcome is FAIL
    assert result.detail.startswith(
        f"{REF}: lines and tax come to 225.99 CAD, its total is 226.00 CAD"
    )


@pytest.mark.parametrize(
    ("case", "documents", "rows", "faults"),
    [
        ("equal", [DOCUMENT], [ROW, HELD], 0),
        ("a document is lost", [], [ROW], 1),
        ("a document of a held member", [document_of(a_case(an_invoice("in_2")))], [HELD], 1),
        ("another total", [DOCUMENT], [replace(ROW, total=22601)], 1),
        ("another net", [DOCUMENT], [replace(ROW, net=20001)], 1),
        ("another tax", [DOCUMENT], [replace(ROW, tax=2601)], 1),
        ("another currency", [DOCUMENT], [replace(ROW, currency="USD")], 1),
        ("another date", [DOCUMENT], [replace(ROW, date=date(2026, 4, 4))], 1),
    ],
)
def test_documents_are_exactly_those_to_be_posted(
    case: str, documents: list[LedgerDocument], rows: list[Disposition], faults: int
) -> None:
    assert documents_match_dispositions(documents, rows).count == faults, case


def test_settlements_leave_open_what_the_dispositions_say() -> None:
    rows = [ROW]
    assert documents_match_dispositions([DOCUMENT], rows, {REF: ROW.owed}).count == 0
    for owed in ({REF: ROW.owed + 1}, {}):
        assert documents_match_dispositions([DOCUMENT], rows, owed).count == 1


def line(**changes: Any) -> LedgerDocument:
    return replace(DOCUMENT, lines=(replace(DOCUMENT.lines[0], **changes),))


def six_lines(off: int) -> LedgerDocument:
    """Six lines of the document's one, with a tax so far off the computed one."""
    tax = DocumentTax(key="hst_13", base=120000, amount=15600 + off)
    return replace(DOCUMENT, lines=DOCUMENT.lines * 6, taxes=(tax,))


LOCKED = replace(BOOKS, invoice_lock=DAY)
TAX = DOCUMENT.taxes[0]


@pytest.mark.parametrize(
    ("case", "document", "ledger_state", "books", "lawful"),
    [
        ("as it should be", DOCUMENT, None, BOOKS, True),
        ("a credit note", replace(DOCUMENT, kind=Kind.CREDIT_NOTE), None, BOOKS, True),
        ("of another month", replace(DOCUMENT, date=date(2026, 5, 1)), None, BOOKS, False),
        ("a currency the ledger lacks", replace(DOCUMENT, currency="EUR"), None, BOOKS, False),
        ("no lines", replace(DOCUMENT, lines=(), taxes=()), None, BOOKS, False),
        ("a negative total", line(net=-90000, unit_price=Decimal(-900)), None, BOOKS, False),
        ("another family's account", line(account="411320"), None, BOOKS, False),
        ("an unknown family", line(family="unknown"), None, BOOKS, False),
        ("a price that is not the amount", line(unit_price=Decimal(1)), None, BOOKS, False),
        ("an unknown tax on a line", line(taxes=("vat",)), None, BOOKS, False),
        ("an unknown tax", replace(DOCUMENT, taxes=(DocumentTax(key="vat", base=1, amount=1),)), None, BOOKS, False),
        ("a tax off by the residue", replace(DOCUMENT, taxes=(replace(TAX, amount=2601),)), None, BOOKS, True),
        ("a tax off by more", replace(DOCUMENT, taxes=(replace(TAX, amount=2602),)), None, BOOKS, False),
        ("T7 a tax off as six lines round", six_lines(3), None, BOOKS, True),
        ("T7 a tax off by more than six lines round", six_lines(4), None, BOOKS, False),
        ("D4 locked", DOCUMENT, None, LOCKED, False),
        ("D4 locked, a draft", DOCUMENT, stands(a_move(state=MoveState.DRAFT)), LOCKED, False),
        ("D4 locked after it was posted", DOCUMENT, stands(a_move()), LOCKED, True),
        ("D3 removed after it was posted", DOCUMENT, stands(seen="posted"), LOCKED, True),
        ("a draft as written", DOCUMENT, stands(a_move(state=MoveState.DRAFT)), BOOKS, True),
        ("an edited draft", DOCUMENT, stands(a_move(state=MoveState.DRAFT, stored_hash="0")), BOOKS, False),
    ],
)  # fmt: skip
def test_the_rules_are_asked_again_of_what_is_about_to_be_written(
    case: str,
    document: LedgerDocument,
    ledger_state: LedgerState | None,
    books: Books,
    lawful: bool,
) -> None:
    standings = {REF: ledger_state} if ledger_state else {}
    result = document_rules_hold([document], standings, SETTINGS, books, "2026-04")
    assert (result.outcome is PASS) is lawful, case


def read_back(*changes: str) -> dict[str, Finding]:
    """The three gates where these aspects of the ledger differ."""
    move = a_move(
        replace(DOCUMENT, number="edited") if "content" in changes else DOCUMENT,
        stored_hash=DOCUMENT.content_hash,
        accounting_date=date(2026, 5, 1) if "date" in changes else DAY,
        residual=1 if "residual" in changes else 0,
    )
    now = {**all_standing(CASE), REF: stands(move, seen="posted")}
    deltas = ledger_deltas([DOCUMENT], settlements_of(CASE), now)
    return {gate: find(deltas) for gate, find in READ_BACK.items()}


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ((), set()),
        (("content",), {"read_back_equals_intent"}),
        (("date",), {"dates_as_intended"}),
        (("residual",), {"residuals_match_source"}),
        (("content", "date", "residual"), {"read_back_equals_intent", "dates_as_intended", "residuals_match_source"}),
    ],
)  # fmt: skip
def test_each_aspect_of_the_read_back_has_its_gate(
    changes: tuple[str, ...], failed: set[str]
) -> None:
    results = read_back(*changes)
    assert {gate for gate, result in results.items() if result.outcome is FAIL} == failed
    assert len(results) == 3


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("settlement_period_locked", WARN),
        ("credit_note_waits", WARN),
        ("opening_document", WARN),
        # No entry can be made of it: recorded by hand it stays listed, and nothing else would clear it.
        ("settlement_unsupported", WARN),
        # A person can mend these at once, and the edit was a person's as well.
        ("account_missing", FAIL),
        ("refused_by_ledger", FAIL),
        ("edited_in_ledger", FAIL),
    ],
)
def test_d4_what_keeps_a_settlement_out_is_a_warning_only_where_nobody_can_mend_it(
    code: str, outcome: Outcome
) -> None:
    unpaid = {REF: stands(a_move(residual=22600), seen="posted")}
    explained = ((REF, ExceptionCode(code)),)
    deltas = ledger_deltas([DOCUMENT], settlements_of(CASE), unpaid, exceptions=explained)
    outcomes = {gate: find(deltas).outcome for gate, find in READ_BACK.items()}
    assert (FAIL in outcomes.values()) is (outcome is FAIL)
    assert outcomes["residuals_match_source"] is outcome


def test_t1_revenue_without_a_family_is_counted_with_its_sum() -> None:
    case = a_case(an_invoice("in_1", a_line(description="Domain"), a_line(500)))
    result = revenue_in_other(to_rows([document_of(case)]))
    assert (result.outcome, result.count, result.amounts) == (WARN, 1, (("CAD", 20000),))
    assert revenue_in_other(to_rows([DOCUMENT])).outcome is PASS


def test_b2_unitemised_revenue_is_counted_with_its_sum() -> None:
    result = unitemised_lines(to_rows([document_of(a_case(without_lines(an_invoice())))]))
    assert (result.outcome, result.count, result.amounts) == (WARN, 1, (("CAD", 20000),))
    assert unitemised_lines(to_rows([DOCUMENT])).outcome is PASS


def test_holds_are_named_by_reason_each_with_its_age_the_oldest_first() -> None:
    older = replace(HELD, date=date(2026, 3, 3), total=100)
    undated = replace(HELD, date=None, reason=Reason.UNREADABLE, currency="USD")
    result = nothing_is_held([ROW, HELD, older, undated], date(2026, 5, 3))
    assert (result.outcome, result.count) == (WARN, 3)
    ref = f"{HELD.ref} ({HELD.number})"
    assert result.sample == (
        f"missing_in_nexacloud: {ref}, 1.00 CAD, 61 days",
        f"missing_in_nexacloud: {ref}, 226.00 CAD, 30 days",
        f"unreadable: {ref}, 226.00 USD, 0 days",
    )
    assert result.amounts == (("CAD", 22700), ("USD", 22600))
    assert nothing_is_held([ROW], DAY).outcome is PASS


def test_a_copy_that_differs_is_a_warning_that_names_the_field() -> None:
    facts = an_invoice()
    rows = copy_against_source(facts, a_copy(facts, tax=1).facts, customer=CUSTOMER)
    result = nexacloud_agrees(rows)
    told = f"{REF} tax: 26.00 CAD at the source, 0.01 CAD in NexaCloud"
    assert (result.outcome, result.sample) == (WARN, (told,))
    bare = copy_against_source(facts, replace(a_copy(facts).facts, lines=()), customer=CUSTOMER)
    assert f"{REF} lines: 1 at the source, nothing in NexaCloud" in nexacloud_agrees(bare).sample
    true = copy_against_source(facts, a_copy(facts).facts, customer=CUSTOMER)
    assert nexacloud_agrees(true).outcome is PASS


def test_tax_that_is_not_as_expected_is_counted_and_summed_by_currency() -> None:
    def row(name: str, state: str | None, **changes: Any) -> WitnessRow:
        address = Address(country="CA", state=state, taken_from="document") if state else None
        return witness(an_invoice(name, **changes), address, None, SETTINGS)

    fits, dollars = row("in_1", "ON"), row("in_2", "AB", currency="USD")
    note = row("in_3", "NB", kind=Kind.CREDIT_NOTE)
    exempt = row("in_4", "ON", tax=0, taxes=(), lines=(), tax_exempt=True)
    nowhere = row("in_5", None)
    result = tax_as_expected([fits, dollars, note, exempt, nowhere])
    assert (result.outcome, result.count) == (Outcome.WARN, 3)
    assert result.amounts == (("CAD", 400), ("USD", 1600))
    assert [fault.split(" ")[0][-4:] for fault in result.sample] == ["in_2", "in_3", "in_5"]
    assert tax_as_expected([fits, exempt]).outcome is Outcome.PASS
    assert not GATES["tax_as_expected"].blocking
