"""A credit note is judged with its invoice: each row flips what became of the invoice."""

from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.core.codes import Kind, Reason, Status, Verdict
from fcb_pipelines.core.dispositions.case import Case
from fcb_pipelines.core.dispositions.cases import decided
from fcb_pipelines.core.dispositions.credit_notes import Credited, judged_with
from fcb_pipelines.core.facts.index import IndexRow, Lookup, Origin
from fcb_pipelines.core.facts.model import InvoiceFacts
from fcb_pipelines.core.ledger.moves import LedgerState
from fcb_pipelines_tests.documents import SETTINGS
from fcb_pipelines_tests.facts import (
    BOOKS,
    LAST_PERIOD,
    a_case,
    a_line,
    a_move,
    an_invoice,
    document_of,
    stands,
)

POST, SKIP, HOLD = Verdict.POST, Verdict.SKIP, Verdict.HOLD
INVOICE = an_invoice("in_1")
NOTE = an_invoice(
    "cn_1", kind=Kind.CREDIT_NOTE, credits=INVOICE.ref, settlements=(), status=Status.OPEN
)
VOID = replace(INVOICE, status=Status.VOID)
EARLY = replace(INVOICE, date=date(2025, 12, 20))
ROW = IndexRow(
    ref=INVOICE.ref, source_id="in_1", origin=Origin.INVOICE, answer=Lookup.LISTED,
    in_scope=True, claimed=True,
)  # fmt: skip
NOTED = replace(ROW, ref=NOTE.ref, source_id="cn_1", credits=INVOICE.ref, total=-NOTE.total)


def posted(facts: InvoiceFacts, reverses: str | None = None, **move: object) -> LedgerState:
    document = replace(document_of(a_case(facts)), reverses=reverses)
    return stands(a_move(document, **move), seen="posted")


IN_BOOKS = posted(INVOICE)
REVERSAL = replace(
    document_of(a_case(NOTE)), ref=f"{INVOICE.ref}:correction:1", reverses=INVOICE.ref
)
REVERSED = stands(a_move(REVERSAL, stored_source_hash="void"))


def note_of(
    invoice: InvoiceFacts | None,
    *ledger_state: LedgerState,
    index: tuple[IndexRow, ...] = (ROW, NOTED),
    note: InvoiceFacts = NOTE,
) -> tuple[Verdict, str | None]:
    """The verdict and reason of the note, given this invoice and the state of the ledger."""
    now = {row.ref: row for row in ledger_state}
    invoices = [a_case(invoice, ledger_state=now.get(invoice.ref))] if invoice else []
    case = a_case(note, ledger_state=now.get(note.ref))
    (row,) = decided([case], invoices, index, now, SETTINGS, BOOKS, LAST_PERIOD)
    return row.verdict, row.reason


@pytest.mark.parametrize(
    ("case", "expected", "invoice", "ledger_state"),
    [
        ("the invoice will post", (POST, None), INVOICE, ()),
        ("the invoice is posted", (POST, None), INVOICE, (IN_BOOKS,)),
        ("the invoice is held", (HOLD, "invoice_held"), replace(INVOICE, problem=Reason.TREATMENT_UNKNOWN), ()),
        ("the invoice came into doubt after it was posted", (POST, None), replace(INVOICE, problem=Reason.TREATMENT_UNKNOWN), (IN_BOOKS,)),
        ("the invoice is of test mode", (SKIP, "invoice_skipped"), replace(INVOICE, livemode=False), ()),
        ("the invoice is a draft", (SKIP, "invoice_skipped"), replace(INVOICE, status=Status.DRAFT), ()),
        ("the invoice is over nothing", (SKIP, "invoice_skipped"), an_invoice("in_1", a_line(0, taxed=False), settlements=()), ()),
        ("the invoice is of before the cutover", (POST, None), EARLY, ()),
        ("the invoice is void and never stood", (SKIP, "void_at_source"), VOID, ()),
        ("the invoice was voided after it was posted: the note takes it back", (POST, None), VOID, (IN_BOOKS,)),
        ("and a correction took it back before the note came", (SKIP, "reversed_already"), VOID, (IN_BOOKS, REVERSED)),
    ],
)  # fmt: skip
def test_b12_a_credit_note_is_judged_with_its_invoice(
    case: str,
    expected: tuple[Verdict, str | None],
    invoice: InvoiceFacts,
    ledger_state: tuple[LedgerState, ...],
) -> None:
    assert note_of(invoice, *ledger_state) == expected, case


@pytest.mark.parametrize(
    ("case", "expected", "index"),
    [
        ("it is another product's", (SKIP, "invoice_skipped"), (replace(ROW, in_scope=False), NOTED)),
        ("no list has it", (HOLD, "invoice_held"), (NOTED,)),
        ("its source says it does not exist", (HOLD, "invoice_held"), (replace(ROW, answer=Lookup.DOES_NOT_EXIST), NOTED)),
    ],
)  # fmt: skip
def test_b12_of_an_invoice_that_is_not_ours_to_judge(
    case: str, expected: tuple[Verdict, str | None], index: tuple[IndexRow, ...]
) -> None:
    assert note_of(None, index=index) == expected, case


def test_b12_a_posted_note_whose_invoice_was_reversed_beside_it_is_told_as_taken_back_twice() -> (
    None
):
    now = {row.ref: row for row in (IN_BOOKS, REVERSED, posted(NOTE, INVOICE.ref))}
    case = a_case(NOTE, ledger_state=now[NOTE.ref])
    void = a_case(VOID, ledger_state=IN_BOOKS)
    (row,) = decided([case], [void], (ROW, NOTED), now, SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.reason, row.exceptions) == ("reversed_already", ("taken_back_twice",))


def void_case(*notes: IndexRow, corrections: tuple[object, ...] = ()) -> Case:
    return replace(
        a_case(VOID, ledger_state=IN_BOOKS, corrections=corrections),
        credited=-sum(row.total for row in notes),
    )


def test_b12_a_void_that_its_notes_take_back_stands_posted_and_nothing_is_wrong_with_it() -> None:
    (row,) = decided([void_case(NOTED)], (), (ROW,), {}, SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.verdict, row.reason, row.exceptions) == (POST, None, ())


def test_b12_a_void_that_they_take_back_in_part_is_told() -> None:
    part = replace(NOTED, total=-100)
    (row,) = decided([void_case(part)], (), (ROW,), {}, SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.reason, row.exceptions) == ("void_at_source", ("voided_after_posting",))


def test_b12_two_new_notes_take_back_no_more_than_stands() -> None:
    more = replace(NOTE, ref=f"{NOTE.ref}_2")
    now = {IN_BOOKS.ref: IN_BOOKS}
    found = decided(
        [a_case(NOTE), a_case(more)], [a_case(VOID, ledger_state=IN_BOOKS)], (ROW, NOTED), now,
        SETTINGS, BOOKS, LAST_PERIOD,
    )  # fmt: skip
    assert [row.reason for row in found] == [None, "reversed_already"]


def test_b12_a_note_over_more_than_still_stands_of_a_void_invoice_is_held_by_name() -> None:
    left = Credited(
        number="NC-1", verdict=SKIP, cause="void_at_source", posted=True, void=True, left=1
    )
    judged = judged_with(left, 2)
    assert judged is not None
    assert (judged[0], judged[1].reason) == (HOLD, "invoice_held")
    assert "NC-1" in judged[1].detail


def test_a13_a_note_in_the_books_stays_though_its_invoice_is_nobodys_any_more() -> None:
    now = {NOTE.ref: posted(NOTE, INVOICE.ref)}
    case = a_case(NOTE, ledger_state=now[NOTE.ref])
    index = (replace(ROW, in_scope=False), NOTED)
    (row,) = decided([case], [], index, now, SETTINGS, BOOKS, LAST_PERIOD)
    assert (row.verdict, row.exceptions) == (POST, ())
