"""What becomes of a document after it is posted, in every ledger: one suite over both adapters.

Credit, write-offs, failures, allocations of credit notes and of receipts that several documents
share. A shared receipt or an undone payment must come out the same whatever order it comes in.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pytest

from fcb_pipelines.connectors.failures import PermanentFailure
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import MoveState, PaymentState
from fcb_pipelines.core.refs import correction_ref
from fcb_pipelines_tests.documents import (
    a_credit_note,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.ledgers import (
    Case,
    assert_settled,
    assert_stands,
    balances,
    residual,
    written,
)

MAY, JUNE = date(2026, 5, 4), date(2026, 6, 8)
RECEIPT = "stripe:acct_nexacloud:pi_shared"


def a_note(net: int = 5000, *, name: str = "cn_1", currency: str = "CAD") -> LedgerDocument:
    """A credit note of May."""
    line = a_line(net, currency=currency)
    return an_invoice(name, line, kind=Kind.CREDIT_NOTE, day=MAY, currency=currency)


def allocated(
    note: LedgerDocument, document: LedgerDocument, amount: int | None = None, name: str = "alloc"
) -> Settlement:
    """So much of a credit note (by default all of it), allocated to a document."""
    return a_settlement(
        document,
        note.total if amount is None else amount,
        name=name,
        day=MAY,
        method=Method.CREDIT_NOTE,
        drawn_on=note.ref,
    )


def share(document: LedgerDocument, amount: int, whole: int, name: str) -> Settlement:
    """So much of the receipt of `whole` that several documents share."""
    return a_settlement(document, amount, name=name, day=MAY, drawn_on=RECEIPT, receipt=whole)


def failed(payment: Settlement, name: str = "fail", day: date = JUNE) -> Settlement:
    """The failure of a payment."""
    return replace(
        payment,
        ref=f"stripe:acct_nexacloud:{name}",
        method=Method.PAYMENT_FAILURE,
        date=day,
        amount=-payment.amount,
        drawn_on=None,
        receipt=None,
        undoes=payment.ref,
    )


def in_calls(ledger: Ledger, *calls: Sequence[Settlement]) -> list[Settlement]:
    """Settle call by call, each with all that came before it, as the runs of a pipeline do."""
    known: list[Settlement] = []
    for call in calls:
        known = [*known, *call]
        ledger.settle(known)
    return known


# --- what each method books -------------------------------------------------------------------

CREDITS = [
    (Kind.INVOICE, Method.PAYMENT),
    (Kind.INVOICE, Method.OFF_PLATFORM),
    (Kind.INVOICE, Method.CUSTOMER_BALANCE),
    (Kind.INVOICE, Method.PREPAID_CREDIT),
    (Kind.INVOICE, Method.WRITE_OFF),
    (Kind.CREDIT_NOTE, Method.PAYMENT),
    (Kind.CREDIT_NOTE, Method.OFF_PLATFORM),
    (Kind.CREDIT_NOTE, Method.CUSTOMER_BALANCE),
    (Kind.CREDIT_NOTE, Method.PREPAID_CREDIT),
    (Kind.CREDIT_NOTE, Method.PENDING_REFUND),
]


@pytest.mark.parametrize(("kind", "method"), CREDITS)
def test_each_method_takes_off_what_is_open_through_its_own_account(
    ledger: Ledger, kind: Kind, method: Method
) -> None:
    document = an_invoice("in_1", kind=kind)
    written(ledger, document)
    part = a_settlement(document, 600, name="part", method=method, day=MAY)
    rest = a_settlement(document, document.total - 600, name="rest", method=method, day=MAY)
    ledger.settle([part])
    assert_settled(ledger, part)
    assert_stands(
        ledger, document, residual=document.total - 600, payment_state=PaymentState.PARTIAL
    )
    assert balances(ledger) == expected_balances([document], [part])
    ledger.settle([part, rest])
    assert_settled(ledger, rest)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger) == expected_balances([document], [part, rest])


@pytest.mark.parametrize("method", [Method.REFUND, Method.CHARGEBACK])
@pytest.mark.parametrize("paid", [True, False])
def test_cash_beside_a_document_leaves_its_receivable_alone(
    ledger: Ledger, method: Method, paid: bool
) -> None:
    document = an_invoice()
    written(ledger, document)
    cash = a_settlement(document, -600, name="cash", method=method, day=MAY)
    settlements = [*([a_settlement(document)] if paid else []), cash]
    ledger.settle(settlements)
    for settlement in settlements:
        assert_settled(ledger, settlement)
    assert residual(ledger, document) == (0 if paid else document.total)
    assert balances(ledger) == expected_balances([document], settlements)


def test_a_refund_booked_before_its_note_is_taken_off_the_note_when_it_comes(
    ledger: Ledger,
) -> None:
    document, note = an_invoice(), a_note()
    written(ledger, document)
    payment = a_settlement(document)
    refund = a_settlement(document, -note.total, name="re_1", method=Method.REFUND, day=MAY)
    ledger.settle([payment, refund])
    written(ledger, note)
    booked = a_settlement(note, name="re_1:note", method=Method.PENDING_REFUND)
    ledger.settle([booked])
    assert_settled(ledger, booked)
    assert_stands(ledger, note, residual=0, payment_state=PaymentState.PAID)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    settled = [payment, refund, booked]
    assert balances(ledger) == expected_balances([document, note], settled)
    assert ("215520", "CAD") not in balances(ledger)


# --- what settles a document of the opening balance ---------------------------------------------

ON_ACCOUNT = [
    (Kind.INVOICE, Method.PAYMENT, 22600),
    (Kind.INVOICE, Method.OFF_PLATFORM, 22600),
    (Kind.CREDIT_NOTE, Method.PAYMENT, 22600),
    (Kind.INVOICE, Method.PAYMENT_FAILURE, -22600),
    (Kind.INVOICE, Method.REFUND, -600),
    (Kind.INVOICE, Method.CHARGEBACK, -600),
]


def on_account(settlement: Settlement) -> Settlement:
    """The same where its document stands in the opening balance."""
    return replace(settlement, on_account=True)


@pytest.mark.parametrize(("kind", "method", "amount"), ON_ACCOUNT)
def test_s11_what_is_on_account_stands_open_on_its_accounts_and_is_written_once(
    ledger: Ledger, kind: Kind, method: Method, amount: int
) -> None:
    opening = an_invoice("in_opening", kind=kind)
    cash = on_account(a_settlement(opening, amount, name="cash", method=method, day=MAY))
    in_calls(ledger, [cash], [])
    touches = method.touches_receivable
    assert_settled(ledger, cash, reconciled=0 if touches else amount)
    assert balances(ledger) == expected_balances([], [cash])
    assert (("112110", "CAD") in balances(ledger)) is touches
    (named,) = ledger.read_settlements([], of=[opening.ref])
    assert (named.ref, named.settlement.document) == (cash.ref, opening.ref)


@pytest.mark.parametrize("at_once", [True, False])
def test_s11_a_failure_on_account_is_matched_with_its_payment_and_with_no_other(
    ledger: Ledger, at_once: bool
) -> None:
    opening = an_invoice("in_opening")
    payment = on_account(a_settlement(opening, 600, name="first", day=MAY))
    other = on_account(a_settlement(opening, 700, name="other", day=MAY))
    failure = failed(payment)
    calls = [[payment, other, failure]] if at_once else [[payment, other], [failure]]
    known = in_calls(ledger, *calls)
    assert_settled(ledger, payment)
    assert_settled(ledger, failure)
    assert_settled(ledger, other, reconciled=0)
    assert balances(ledger) == expected_balances([], known) == expected_balances([], [other])


def test_s11_what_is_on_account_leaves_the_documents_beside_it_as_they_are(ledger: Ledger) -> None:
    document, opening = an_invoice(), an_invoice("in_opening")
    written(ledger, document)
    on, own = on_account(a_settlement(opening, day=MAY)), a_settlement(document, 600, day=MAY)
    in_calls(ledger, [on, own])
    assert_settled(ledger, own)
    assert_settled(ledger, on, reconciled=0)
    assert residual(ledger, document) == document.total - 600


def test_s11_a_document_that_comes_into_the_books_takes_up_what_was_on_account(
    ledger: Ledger,
) -> None:
    document = an_invoice()
    payment = a_settlement(document, day=MAY)
    ledger.settle([on_account(payment)])
    written(ledger, document)
    ledger.settle([payment])
    assert_settled(ledger, payment)
    assert residual(ledger, document) == 0


# --- payments that fail -----------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [True, False])
def test_a_late_failure_reopens_the_document(ledger: Ledger, at_once: bool) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document, day=MAY)
    failure = failed(payment)
    known = in_calls(ledger, *([[payment, failure]] if at_once else [[payment], [failure]]))
    assert_settled(ledger, payment)
    assert_settled(ledger, failure)
    assert_stands(ledger, document, residual=document.total, payment_state=PaymentState.NOT_PAID)
    assert balances(ledger) == expected_balances([document], known) == expected_balances([document])


def test_a_failure_alone_in_its_call_finds_its_payment(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document, day=MAY)
    ledger.settle([payment])
    ledger.settle([failed(payment)])
    assert_settled(ledger, payment)
    assert_settled(ledger, failed(payment))
    assert residual(ledger, document) == document.total


def test_a_failure_that_comes_before_its_payment_waits_for_it(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    payment, other = a_settlement(document, day=MAY), a_settlement(document, 600, name="other")
    failure = failed(payment)
    in_calls(ledger, [failure, other], [payment])
    for settlement in (payment, failure, other):
        assert_settled(ledger, settlement)
    assert residual(ledger, document) == document.total - 600


def test_only_the_failed_payment_is_taken_back(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    kept, payment = a_settlement(document, 600, name="kept"), a_settlement(document, 22000)
    again = a_settlement(document, 1000, name="again", day=JUNE)
    in_calls(ledger, [kept, payment], [failed(payment)], [again])
    for settlement in (kept, payment, failed(payment), again):
        assert_settled(ledger, settlement)
    assert_stands(
        ledger,
        document,
        residual=document.total - 1600,
        payment_state=PaymentState.PARTIAL,
    )


def test_a_payment_that_failed_in_part_pays_with_the_rest(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document, day=MAY)
    failure = replace(failed(payment), amount=-7000)
    in_calls(ledger, [payment], [failure])
    assert_settled(ledger, payment)
    assert_settled(ledger, failure)
    assert residual(ledger, document) == 7000


def test_a_failed_refund_reopens_the_credit_note(ledger: Ledger) -> None:
    note = a_note()
    written(ledger, note)
    refund = a_settlement(note, name="re_1")
    failure = failed(refund)
    known = in_calls(ledger, [refund], [failure])
    assert_settled(ledger, refund)
    assert_settled(ledger, failure)
    assert_stands(ledger, note, residual=note.total, payment_state=PaymentState.NOT_PAID)
    assert balances(ledger) == expected_balances([note], known) == expected_balances([note])


# --- what is paid beyond, and what is collected beside ----------------------------------------


@pytest.mark.parametrize("at_once", [True, False])
def test_an_overpayment_becomes_the_customer_s_credit(ledger: Ledger, at_once: bool) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document, document.total + 700)
    excess = a_settlement(document, -700, name="excess", method=Method.OVERPAYMENT)
    known = in_calls(ledger, *([[payment, excess]] if at_once else [[payment], [excess]]))
    assert_settled(ledger, payment)
    assert_settled(ledger, excess)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    found = balances(ledger)
    assert found == expected_balances([document], known)
    assert found["215500", "CAD"] == -700
    assert ("112110", "CAD") not in found


def test_what_is_paid_beyond_without_a_word_of_the_source_stays_on_the_payment(
    ledger: Ledger,
) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document, document.total + 700)
    ledger.settle([payment])
    assert_settled(ledger, payment, reconciled=document.total)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger)["112110", "CAD"] == -700


@pytest.mark.parametrize("at_once", [True, False])
def test_an_older_debt_of_the_balance_is_collected_by_the_payment(
    ledger: Ledger, at_once: bool
) -> None:
    document = an_invoice()
    written(ledger, document)
    debt = a_settlement(document, -700, name="debt", method=Method.CUSTOMER_BALANCE)
    payment = a_settlement(document, document.total + 700, day=MAY)
    known = in_calls(ledger, *([[debt, payment]] if at_once else [[debt], [payment]]))
    assert_settled(ledger, debt)
    assert_settled(ledger, payment)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger) == expected_balances([document], known)


def test_a_partial_payment_collects_the_older_debt_first(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    debt = a_settlement(document, -700, name="debt", method=Method.CUSTOMER_BALANCE)
    payment = a_settlement(document, 1000, day=MAY)
    known = [debt, payment]
    ledger.settle(known)
    assert_settled(ledger, debt)
    assert_settled(ledger, payment)
    assert residual(ledger, document) == document.total - 300
    assert balances(ledger) == expected_balances([document], known)


def test_an_older_debt_that_nothing_collected_yet_stands_open_beside_the_document(
    ledger: Ledger,
) -> None:
    document = an_invoice()
    written(ledger, document)
    debt = a_settlement(document, -700, name="debt", method=Method.CUSTOMER_BALANCE)
    ledger.settle([debt])
    assert_settled(ledger, debt, reconciled=0)
    owed = document.total + 700
    assert_stands(ledger, document, residual=owed, payment_state=PaymentState.NOT_PAID)
    assert balances(ledger)["112110", "CAD"] == document.total + 700


def test_a_failed_payment_lets_go_of_the_older_debt_too(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    debt = a_settlement(document, -700, name="debt", method=Method.CUSTOMER_BALANCE)
    payment = a_settlement(document, document.total + 700, day=MAY)
    in_calls(ledger, [debt, payment], [failed(payment)])
    assert_settled(ledger, payment)
    assert_settled(ledger, failed(payment))
    assert_settled(ledger, debt, reconciled=0)
    assert residual(ledger, document) == document.total + 700


def test_an_older_debt_that_comes_after_the_payment_takes_its_part_of_it(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    debt = a_settlement(document, -700, name="debt", method=Method.CUSTOMER_BALANCE)
    first = a_settlement(document, 500, name="first")
    second = a_settlement(document, document.total - 500, name="second", day=MAY)
    in_calls(ledger, [first, second], [debt])
    for settlement in (first, second, debt):
        assert_settled(ledger, settlement)
    assert residual(ledger, document) == 700


def test_what_waited_beside_a_document_takes_the_place_of_what_failed(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document, 500, name="first")
    beyond = a_settlement(document, document.total, name="beyond", day=MAY)
    in_calls(ledger, [payment], [beyond])
    assert_settled(ledger, beyond, reconciled=document.total - 500)
    ledger.settle([payment, beyond, failed(payment)])
    for settlement in (payment, beyond, failed(payment)):
        assert_settled(ledger, settlement)
    assert residual(ledger, document) == 0


def test_a_failure_that_is_taken_back_lets_the_payment_count_again(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    payment = a_settlement(document)
    undone = replace(failed(failed(payment), "undone"), method=Method.PAYMENT_FAILURE)
    known = in_calls(ledger, [payment], [failed(payment)], [undone])
    for settlement in known:
        assert_settled(ledger, settlement)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger) == expected_balances([document], known)


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_what_was_written_off_and_paid_after_all_is_recovered(ledger: Ledger, calls: int) -> None:
    document = an_invoice()
    written(ledger, document)
    parts = [
        a_settlement(document, name="loss", method=Method.WRITE_OFF, day=MAY),
        a_settlement(document, day=JUNE),
        a_settlement(document, -document.total, name="recovery", method=Method.RECOVERY, day=JUNE),
    ]
    split = {1: [parts], 2: [parts[:1], parts[1:]], 3: [[part] for part in parts]}
    in_calls(ledger, *split[calls])
    for part in parts:
        assert_settled(ledger, part)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    found = balances(ledger)
    assert found == expected_balances([document], parts)
    assert (found["551100", "CAD"], found["551110", "CAD"]) == (document.total, -document.total)


# --- credit notes allocated to invoices -------------------------------------------------------


def test_a_credit_note_is_allocated_whole(ledger: Ledger) -> None:
    document, note = an_invoice(), a_note()
    written(ledger, document, note)
    allocation = allocated(note, document)
    (ledger_state,) = ledger.settle([allocation])
    assert ledger_state.settlement == allocation
    assert_settled(ledger, allocation)
    assert_stands(ledger, note, residual=0, payment_state=PaymentState.PAID)
    assert_stands(
        ledger,
        document,
        residual=document.total - note.total,
        payment_state=PaymentState.PARTIAL,
    )
    assert balances(ledger) == expected_balances([document, note], [allocation])


@pytest.mark.parametrize("currency", ["CAD", "USD", "JPY", "KWD"])
def test_exactly_the_amount_is_allocated_where_both_sides_are_larger(
    ledger: Ledger, currency: str
) -> None:
    document = an_invoice("in_1", a_line(20000, currency=currency), currency=currency)
    note = a_note(5000, currency=currency)
    written(ledger, document, note)
    allocation = allocated(note, document, 1234)
    ledger.settle([allocation])
    assert_settled(ledger, allocation)
    assert residual(ledger, document) == document.total - 1234
    assert residual(ledger, note) == note.total - 1234
    assert balances(ledger) == expected_balances([document, note])


@pytest.mark.parametrize("currency", ["CAD", "USD"])
def test_a_note_is_allocated_bit_by_bit_and_refunded_to_the_end(
    ledger: Ledger, currency: str
) -> None:
    """The months have other rates: what is left in the company's currency is the ledger's affair."""
    document = an_invoice("in_1", a_line(20000, currency=currency), currency=currency)
    note = a_note(5000, currency=currency)
    written(ledger, document, note)
    parts = [
        allocated(note, document, 1234, "alloc_a"),
        allocated(note, document, 1, "alloc_b"),
        a_settlement(document, document.total - 1235, day=JUNE),
        a_settlement(note, note.total - 1235, name="re_1", day=JUNE),
    ]
    in_calls(ledger, parts[:1], parts[1:2], parts[2:])
    for part in parts:
        assert_settled(ledger, part)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert_stands(ledger, note, residual=0, payment_state=PaymentState.PAID)
    found = balances(ledger)
    assert found == expected_balances([document, note], parts)
    assert ("112110", currency) not in found


def test_a_mixed_note_is_allocated_refunded_and_left_open_in_part(ledger: Ledger) -> None:
    document, note = an_invoice(), a_note()
    written(ledger, document, note)
    parts = [allocated(note, document, 2000), a_settlement(note, 3000, name="re_1")]
    ledger.settle(parts)
    for part in parts:
        assert_settled(ledger, part)
    assert_stands(ledger, note, residual=note.total - 5000, payment_state=PaymentState.PARTIAL)
    assert residual(ledger, document) == document.total - 2000
    assert balances(ledger) == expected_balances([document, note], parts)


def test_a_refunded_note_is_an_outbound_payment_matched_with_it(ledger: Ledger) -> None:
    document, note = an_invoice(), a_note()
    written(ledger, document, note)
    parts = [a_settlement(document), a_settlement(note, name="re_1", day=JUNE)]
    ledger.settle(parts)
    for part in parts:
        assert_settled(ledger, part)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    assert_stands(ledger, note, residual=0, payment_state=PaymentState.PAID)
    assert balances(ledger) == expected_balances([document, note], parts)


def test_one_note_is_allocated_to_several_invoices(ledger: Ledger) -> None:
    documents = [an_invoice("in_1"), an_invoice("in_2", day=MAY)]
    note = a_note()
    written(ledger, *documents, note)
    parts = [
        allocated(note, documents[0], 1000, "alloc_1"),
        allocated(note, documents[1], 2000, "alloc_2"),
    ]
    ledger.settle(parts)
    for part in parts:
        assert_settled(ledger, part)
    assert [residual(ledger, each) for each in (*documents, note)] == [
        documents[0].total - 1000,
        documents[1].total - 2000,
        note.total - 3000,
    ]


def test_an_allocation_is_made_once(ledger: Ledger) -> None:
    document, note = an_invoice(), a_note()
    written(ledger, document, note)
    allocation = allocated(note, document, 1000)
    first = ledger.settle([allocation])
    assert ledger.settle([allocation]) == first
    assert residual(ledger, document) == document.total - 1000
    assert len(ledger.read_settlements()) == 1


def test_an_allocation_that_a_person_undid_is_absent_and_both_sides_are_open(case: Case) -> None:
    ledger = case.ledger
    document, note = an_invoice(), a_note()
    ledger.upsert_partners([a_partner(document.partner)])
    written(ledger, document, note)
    payment = a_settlement(document, 700)
    allocations = [
        allocated(note, document, 1000, "alloc_a"),
        allocated(note, document, 500, "alloc_b"),
    ]
    ledger.settle([payment, *allocations])
    case.take_back(allocations[0].ref)
    assert ledger.read_settlements([allocations[0].ref]) == ()
    assert_settled(ledger, allocations[1])
    assert_settled(ledger, payment)
    assert residual(ledger, document) == document.total - 1200
    assert residual(ledger, note) == note.total - 500
    # Whoever asks for it again gets it again: what a person undid is for the caller to know.
    ledger.settle(allocations)
    assert_settled(ledger, allocations[0])


def test_an_invoice_that_a_note_alone_settles_is_reversed(ledger: Ledger) -> None:
    document = an_invoice()
    note = replace(a_credit_note("cn_1", day=MAY), reverses=document.ref)
    written(ledger, document, note)
    # Posting a note of an invoice matches nothing by itself.
    assert residual(ledger, document) == document.total
    assert residual(ledger, note) == note.total
    ledger.settle([allocated(note, document)])
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.REVERSED)
    assert_stands(ledger, note, residual=0, payment_state=PaymentState.PAID)


def test_an_invoice_that_a_note_settles_in_part_and_credit_in_part_is_paid(ledger: Ledger) -> None:
    document, note = an_invoice(), a_note()
    written(ledger, document, note)
    rest = a_settlement(document, document.total - note.total, method=Method.CUSTOMER_BALANCE)
    ledger.settle([allocated(note, document), rest])
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)


def test_a_credit_note_is_reversed_by_a_document_of_the_other_kind(ledger: Ledger) -> None:
    note = a_note()
    reversal = replace(
        an_invoice("in_9", *note.lines, day=JUNE),
        ref=f"{note.ref}:reversal",
        stripe_invoice_id=None,
        reverses=note.ref,
    )
    written(ledger, note, reversal)
    allocation = allocated(reversal, note)
    ledger.settle([allocation])
    assert_settled(ledger, allocation)
    assert residual(ledger, note) == residual(ledger, reversal) == 0


@pytest.mark.parametrize(
    ("order", "side", "currency"),
    [
        ("at once", "document", "CAD"),
        ("payment first", "document", "CAD"),
        ("allocation first", "document", "CAD"),
        ("payment first", "document", "USD"),
        ("payment first", "note", "CAD"),
        ("payment first", "note", "USD"),
    ],
)
def test_a_payment_gives_way_to_an_allocation(
    ledger: Ledger, order: str, side: str, currency: str
) -> None:
    document = an_invoice("in_1", a_line(20000, currency=currency), currency=currency)
    note = a_note(5000, currency=currency)
    written(ledger, document, note)
    paid, other = (document, note) if side == "document" else (note, document)
    payment, allocation = a_settlement(paid), allocated(note, document, 1000)
    calls = {
        "at once": [[payment, allocation]],
        "payment first": [[payment], [allocation]],
        "allocation first": [[allocation], [payment]],
    }
    in_calls(ledger, *calls[order])
    for _ in range(2):
        assert_settled(ledger, allocation)
        assert_settled(ledger, payment, reconciled=paid.total - 1000)
        assert residual(ledger, paid) == 0
        assert residual(ledger, other) == other.total - 1000
        ledger.settle([payment, allocation])
    assert balances(ledger) == expected_balances([document, note], [payment, allocation])


def test_a_payment_stays_where_an_allocation_finds_no_room_on_the_other_side(
    ledger: Ledger,
) -> None:
    document, note, other = an_invoice(), a_note(), an_invoice("in_2")
    written(ledger, document, note, other)
    payment = a_settlement(document)
    ledger.settle([payment, allocated(note, other)])
    ledger.settle([allocated(note, document, 1000, name="second")])
    assert_settled(ledger, payment)
    assert residual(ledger, document) == residual(ledger, note) == 0


@pytest.mark.parametrize("missing", ["the note", "the document"])
def test_what_is_not_posted_is_not_allocated(ledger: Ledger, missing: str) -> None:
    document, note = an_invoice(), a_note()
    ledger.write_drafts([document, note])
    ledger.post([document.ref if missing == "the note" else note.ref])
    with pytest.raises(PermanentFailure, match="draft"):
        ledger.settle([allocated(note, document)])
    assert ledger.read_settlements() == ()


def test_a_note_in_another_currency_is_not_allocated(ledger: Ledger) -> None:
    document, note = an_invoice(), a_note(currency="USD")
    written(ledger, document, note)
    with pytest.raises(PermanentFailure):
        ledger.settle([allocated(note, document, 100)])
    assert ledger.read_settlements() == ()


# --- one receipt, several documents -----------------------------------------------------------


def two_months() -> tuple[LedgerDocument, LedgerDocument]:
    """An invoice of April and one of May, of one customer."""
    return an_invoice("in_1", a_line(1000)), an_invoice("in_2", a_line(2000), day=MAY)


@pytest.mark.parametrize("order", ["april first", "may first", "at once", "at once, may first"])
@pytest.mark.parametrize("method", [Method.PAYMENT, Method.OFF_PLATFORM])
def test_a_receipt_that_several_documents_share_is_one_entry(
    ledger: Ledger, order: str, method: Method
) -> None:
    april, may = two_months()
    written(ledger, april, may)
    whole = april.total + may.total + 700
    parts = [
        replace(share(april, april.total, whole, "share_1"), method=method),
        replace(share(may, may.total, whole, "share_2"), method=method),
    ]
    turned = parts[::-1] if "may first" in order else parts
    for call in [turned] if "at once" in order else [[part] for part in turned]:
        ledger.settle(call)
    for part in parts:
        assert_settled(ledger, part)
        assert ledger.settle([part])[0].settlement == part
    assert residual(ledger, april) == residual(ledger, may) == 0
    assert {each.ref for each in ledger.read_settlements()} == {part.ref for part in parts}
    found = balances(ledger)
    assert found == expected_balances([april, may], parts)
    assert found["112110", "CAD"] == -700


def test_a_shared_receipt_takes_off_each_document_what_the_source_says(ledger: Ledger) -> None:
    april, may = two_months()
    written(ledger, april, may)
    parts = [share(april, 400, 1000, "share_1"), share(may, 500, 1000, "share_2")]
    ledger.settle(parts)
    for part in parts:
        assert_settled(ledger, part)
    assert residual(ledger, april) == april.total - 400
    assert residual(ledger, may) == may.total - 500
    assert balances(ledger) == expected_balances([april, may], parts)


def test_a_shared_receipt_in_another_currency(ledger: Ledger) -> None:
    april = an_invoice("in_1", a_line(1000, currency="USD"), currency="USD")
    may = an_invoice("in_2", a_line(2000, currency="USD"), currency="USD", day=MAY)
    written(ledger, april, may)
    whole = april.total + may.total
    parts = [share(april, april.total, whole, "share_1"), share(may, may.total, whole, "share_2")]
    in_calls(ledger, parts[1:], parts[:1])
    for part in parts:
        assert_settled(ledger, part)
    assert residual(ledger, april) == residual(ledger, may) == 0
    assert balances(ledger) == expected_balances([april, may], parts)


def test_a_share_that_a_person_undid_is_absent_and_the_receipt_stays(case: Case) -> None:
    ledger = case.ledger
    april, may = two_months()
    ledger.upsert_partners([a_partner(april.partner)])
    written(ledger, april, may)
    whole = april.total + may.total
    parts = [share(april, april.total, whole, "share_1"), share(may, may.total, whole, "share_2")]
    ledger.settle(parts)
    case.take_back(parts[0].ref)
    assert {each.ref for each in ledger.read_settlements()} == {parts[1].ref}
    assert residual(ledger, april) == april.total
    assert residual(ledger, may) == 0
    assert balances(ledger) == expected_balances([april, may], parts)


@pytest.mark.parametrize("order", ["at once", "failure later", "failure first", "both later"])
def test_a_shared_receipt_that_fails_reopens_its_documents(ledger: Ledger, order: str) -> None:
    april, may = two_months()
    written(ledger, april, may)
    whole = april.total + may.total
    parts = [share(april, april.total, whole, "share_1"), share(may, may.total, whole, "share_2")]
    failures = [failed(part, f"fail_{n}") for n, part in enumerate(parts)]
    calls = {
        "at once": [[*parts, *failures]],
        "failure later": [parts, failures[:1], failures[1:]],
        "failure first": [failures, parts],
        "both later": [parts[:1], [parts[1], *failures]],
    }
    known = in_calls(ledger, *calls[order])
    for settlement in known:
        assert_settled(ledger, settlement)
    for document in (april, may):
        assert_stands(
            ledger, document, residual=document.total, payment_state=PaymentState.NOT_PAID
        )
    found = ledger.read_settlements([], of=[april.ref])
    assert {each.ref for each in found} == {parts[0].ref, failures[0].ref}
    before = balances(ledger)
    assert before == expected_balances([april, may], known)
    ledger.settle(known)
    assert balances(ledger) == before


def test_a_share_that_failed_leaves_the_other_where_it_is(ledger: Ledger) -> None:
    april, may = two_months()
    written(ledger, april, may)
    whole = april.total + may.total
    parts = [share(april, april.total, whole, "share_1"), share(may, may.total, whole, "share_2")]
    known = in_calls(ledger, parts, [failed(parts[0])])
    for settlement in known:
        assert_settled(ledger, settlement)
    assert (residual(ledger, april), residual(ledger, may)) == (april.total, 0)


def test_one_receipt_has_one_amount(ledger: Ledger) -> None:
    april, may = two_months()
    written(ledger, april, may)
    ledger.settle([share(april, 400, 1000, "share_1")])
    with pytest.raises(PermanentFailure):
        ledger.settle([share(may, 400, 1001, "share_2")])
    with pytest.raises(PermanentFailure):
        ledger.settle([replace(share(may, 400, 1000, "share_2"), currency="USD")])
    assert len(ledger.read_settlements()) == 1


# --- finding what nobody names ----------------------------------------------------------------


def test_settlements_are_found_by_their_document(ledger: Ledger) -> None:
    april, may = two_months()
    note = a_note(500)
    written(ledger, april, may, note)
    settlements = [
        a_settlement(april, 100, name="inpay_1"),
        a_settlement(april, -100, name="re_1", method=Method.REFUND),
        allocated(note, april, 50),
        share(april, 60, 1000, "share_1"),
        share(may, 70, 1000, "share_2"),
        a_settlement(may, 100, name="inpay_2"),
    ]
    ledger.settle(settlements)

    def found(*of: LedgerDocument, refs: Sequence[str] | None = ()) -> set[str]:
        ledger_state = ledger.read_settlements(refs, of=[each.ref for each in of])
        assert len({each.ref for each in ledger_state}) == len(ledger_state)
        return {each.ref.rsplit(":", 1)[-1] for each in ledger_state}

    assert found() == set()
    assert found(april) == {"inpay_1", "re_1", "alloc", "share_1"}
    assert found(may) == {"inpay_2", "share_2"}
    assert found(note) == {"alloc"}
    assert found(note, may, refs=[settlements[0].ref, settlements[5].ref]) == {
        "inpay_1", "inpay_2", "share_2", "alloc",
    }  # fmt: skip
    assert found(may, refs=None) == {each.ref.rsplit(":", 1)[-1] for each in settlements}
    assert found(an_invoice("in_none")) == set()


def test_what_the_source_billed_is_kept_beside_the_document(ledger: Ledger) -> None:
    document = replace(an_invoice(), source_hash="a" * 64)
    (draft,) = ledger.write_drafts([document])
    assert draft.stored_source_hash == "a" * 64
    changed = replace(document, source_hash="b" * 64)
    assert changed.content_hash == document.content_hash
    (rebuilt,) = ledger.write_drafts([changed], replace=[changed.ref])
    assert rebuilt.stored_source_hash == "b" * 64
    (posted,) = ledger.post([document.ref])
    assert posted.stored_source_hash == "b" * 64


# --- currencies -------------------------------------------------------------------------------


def test_the_configured_currencies_can_be_posted(case: Case) -> None:
    described = case.ledger.describe()
    assert set(described.currencies) >= {"CAD", "USD", "EUR", "JPY", "KWD"}
    for currency, since in described.rates_since:
        assert currency != "CAD"
        assert since <= date(2020, 1, 1)


@pytest.mark.parametrize(
    "currency", ["USD", "KWD", *(pytest.param(of, marks=pytest.mark.long) for of in ("EUR", "JPY"))]
)
def test_another_currency_is_paid_in_parts_at_other_rates(ledger: Ledger, currency: str) -> None:
    document = an_invoice("in_1", a_line(20001, currency=currency), currency=currency)
    written(ledger, document)
    lost = a_settlement(document, 7000, name="lost", day=MAY)
    parts = [
        lost,
        a_settlement(document, 600, name="balance", method=Method.CUSTOMER_BALANCE, day=MAY),
        failed(lost),
        a_settlement(document, document.total - 600, name="inpay_2", day=JUNE),
    ]
    in_calls(ledger, parts[:2], parts[2:3], parts[3:])
    for part in parts:
        assert_settled(ledger, part)
    assert_stands(ledger, document, residual=0, payment_state=PaymentState.PAID)
    found = balances(ledger)
    assert found == expected_balances([document], parts)
    assert ("112110", currency) not in found


# --- the whole --------------------------------------------------------------------------------


def a_life() -> tuple[list[LedgerDocument], list[list[Settlement]]]:
    """Documents of two months, and the calls that settle them as their sources learn of things."""
    april, may = two_months()
    credited, lost, over = an_invoice("in_3"), an_invoice("in_4"), an_invoice("in_5")
    abroad = an_invoice("in_6", a_line(10001, currency="USD"), currency="USD")
    note, note_abroad = a_note(), a_note(700, name="cn_2", currency="USD")
    bounced = a_settlement(credited, 9000, name="bounced")
    first = [
        share(april, april.total, april.total + may.total, "share_1"),
        bounced,
        a_settlement(lost, name="loss", method=Method.WRITE_OFF),
        a_settlement(over, over.total + 700),
        a_settlement(abroad, 1000),
    ]
    second = [
        share(may, may.total, april.total + may.total, "share_2"),
        failed(bounced),
        allocated(note, credited, 3000, "alloc_1"),
        a_settlement(note, 1000, name="re_1"),
        a_settlement(lost, name="after_all", day=JUNE),
        a_settlement(lost, -lost.total, name="recovery", method=Method.RECOVERY, day=JUNE),
        a_settlement(over, -700, name="excess", method=Method.OVERPAYMENT, day=MAY),
        a_settlement(over, -200, name="re_2", method=Method.REFUND, day=MAY),
        allocated(note_abroad, abroad, 300, "alloc_2"),
    ]
    return [april, may, credited, lost, over, abroad, note, note_abroad], [first, second]


def assert_lived(ledger: Ledger) -> None:
    """The books are those that `a_life` must leave behind."""
    documents, calls = a_life()
    settlements = [each for call in calls for each in call]
    assert len(ledger.read_moves()) == len(documents)
    assert {each.ref for each in ledger.read_settlements()} == {each.ref for each in settlements}
    for settlement in settlements:
        assert_settled(ledger, settlement)
    taken = {
        document.ref: sum(
            each.amount
            for each in settlements
            if each.method is not Method.REFUND and document.ref in (each.document, each.drawn_on)
        )
        for document in documents
    }
    for document in documents:
        assert_stands(
            ledger,
            document,
            state=MoveState.POSTED,
            residual=document.total - taken[document.ref],
        )
    found = balances(ledger)
    assert found == expected_balances(documents, settlements)
    for currency in ("CAD", "USD"):
        assert sum(amount for (_, held), amount in found.items() if held == currency) == 0


def test_a_life_that_stops_anywhere_and_is_repeated_ends_in_the_same_books(
    ledger: Ledger,
) -> None:
    documents, settling = a_life()
    calls: list[Callable[[], object]] = [
        lambda: ledger.write_drafts(documents),
        lambda: ledger.post([document.ref for document in documents]),
        *(lambda call=call: ledger.settle(call) for call in settling),  # type: ignore[misc]
        lambda: ledger.settle([each for call in settling for each in call]),
    ]
    for stopped_after in range(len(calls) + 1):
        for call in calls[:stopped_after]:
            call()
    assert_lived(ledger)


@pytest.mark.parametrize(
    "order",
    [
        (0, 2, 1),
        *(pytest.param(order, marks=pytest.mark.long) for order in ((1, 2, 0), (2, 1, 0))),
    ],
)
def test_a_life_settled_in_any_order_of_calls_ends_in_the_same_books(
    ledger: Ledger, order: tuple[int, ...]
) -> None:
    documents, calls = a_life()
    written(ledger, *documents)
    settlements = [each for call in calls for each in call]
    for third in order:
        ledger.settle(settlements[third::3])
    ledger.settle(settlements)
    assert_lived(ledger)


# --- what is corrected beside a settlement ----------------------------------------------------


def corrected(settled: Settlement, amount: int, *, back: bool = False) -> Settlement:
    """The correction over `amount` of a settlement; one that takes it `back` in part undoes it."""
    undoes = settled.ref if back else None
    return replace(settled, ref=correction_ref(settled.ref, 1), amount=amount, undoes=undoes)


def test_d2_a_settlement_that_grew_settles_the_more_of_its_document(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    part = a_settlement(document, 600, name="off_stripe", method=Method.OFF_PLATFORM)
    more = corrected(part, 400)
    known = in_calls(ledger, [part], [more])
    assert_settled(ledger, part)
    assert_settled(ledger, more)
    assert residual(ledger, document) == document.total - 1000
    assert balances(ledger) == expected_balances([document], known)


@pytest.mark.parametrize("method", [Method.OFF_PLATFORM, Method.WRITE_OFF, Method.CUSTOMER_BALANCE])
def test_d2_a_settlement_that_shrank_leaves_its_document_open_by_that(
    ledger: Ledger, method: Method
) -> None:
    document = an_invoice()
    written(ledger, document)
    whole = a_settlement(document, document.total, name="whole", method=method)
    less = corrected(whole, -400, back=True)
    known = in_calls(ledger, [whole], [less])
    assert_settled(ledger, whole)
    assert_settled(ledger, less)
    assert residual(ledger, document) == 400
    assert balances(ledger) == expected_balances([document], known)


def test_d2_a_write_off_of_which_a_note_left_less_is_taken_back_by_that(ledger: Ledger) -> None:
    document, note = an_invoice(), a_note()
    written(ledger, document, note)
    given_up = a_settlement(document, document.total, name="write_off", method=Method.WRITE_OFF)
    used = allocated(note, document, 500)
    less = corrected(given_up, -500, back=True)
    known = in_calls(ledger, [given_up], [used], [less])
    for each in known:
        assert_settled(ledger, each)
    assert residual(ledger, document) == 0
    assert residual(ledger, note) == note.total - 500
    assert balances(ledger) == expected_balances([document, note], known)


def test_d2_an_excess_that_grew_takes_up_the_payment_that_stood_open(ledger: Ledger) -> None:
    document = an_invoice()
    written(ledger, document)
    first = a_settlement(document, document.total + 1000, name="first")
    excess = a_settlement(document, -1000, name="excess", method=Method.OVERPAYMENT)
    second = a_settlement(document, 500, name="second", day=JUNE)
    more = corrected(excess, -500)
    known = in_calls(ledger, [first, excess], [second], [more])
    for each in known:
        assert_settled(ledger, each)
    assert residual(ledger, document) == 0
    assert ("112110", "CAD") not in balances(ledger)
    assert balances(ledger) == expected_balances([document], known)
