"""What becomes of a settlement in the Beancount books when a person edits their files."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.failures import (
    NotAllowed,
    NotPrepared,
)
from fcb_pipelines.core.codes import Method
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState, PaymentState
from fcb_pipelines.core.settlements.routes import route
from fcb_pipelines_tests.documents import (
    SETTINGS,
    a_credit_note,
    a_line,
    a_partner,
    a_settlement,
    an_invoice,
    expected_balances,
)
from fcb_pipelines_tests.ledgers import assert_settled, balances, residual, written

JOURNAL, MAY = "journal/2026-04.beancount", date(2026, 5, 4)
INVOICE, OTHER = an_invoice("in_1"), an_invoice("in_2")
NOTE = replace(a_credit_note("cn_1", a_line(5000)), reverses=INVOICE.ref)
RECEIPT = "stripe:acct_nexacloud:pi_shared"
PAYMENT = a_settlement(INVOICE)
FAILURE = a_settlement(
    INVOICE,
    -INVOICE.total,
    name="fail",
    method=Method.PAYMENT_FAILURE,
    undoes=PAYMENT.ref,
)


def credit(
    amount: int, document: LedgerDocument = INVOICE, *, name: str = "alloc", note: str = NOTE.ref
) -> Settlement:
    """So much of a credit note, allocated to a document."""
    return a_settlement(document, amount, name=name, method=Method.CREDIT_NOTE, drawn_on=note)


def share(amount: int, document: LedgerDocument = INVOICE, *, name: str = "share") -> Settlement:
    """So much of a receipt of 300.00."""
    return a_settlement(document, amount, name=name, drawn_on=RECEIPT, receipt=30000)


@pytest.fixture
def ledger(tmp_path: Path) -> BeancountLedger:
    """Books with two invoices and a credit note, posted."""
    found = BeancountLedger(tmp_path / "books", SETTINGS)
    found.setup()
    found.upsert_partners([a_partner()])
    written(found, INVOICE, OTHER, NOTE)
    return found


def file(ledger: BeancountLedger) -> Path:
    """The journal of April."""
    return ledger.main_file.parent / JOURNAL


def edit(ledger: BeancountLedger, ref: str, old: str, new: str) -> None:
    """Change the text of one entry as a person would, in place."""
    entries = file(ledger).read_text().split("\n\n")
    (place,) = (n for n, entry in enumerate(entries) if f'external_id: "{ref}"' in entry)
    assert old in entries[place]
    entries[place] = entries[place].replace(old, new)
    file(ledger).write_text("\n\n".join(entries))


def move(ledger: BeancountLedger, document: LedgerDocument) -> LedgerMove:
    """The document as it stands."""
    (found,) = ledger.read_moves([document.ref])
    return found


# --- what stands in the file ------------------------------------------------------------------


def test_an_allocation_is_two_lines_on_the_receivable_that_come_to_nothing(
    ledger: BeancountLedger,
) -> None:
    ledger.settle([credit(1000)])
    head, *rows = file(ledger).read_text().split("\n\n")[-1].splitlines()
    assert head == (
        '2026-04-03 * "Maple Bakery Inc." "NC-in_1 credit-note pi_alloc" #credit-note'
        " ^stripe/acct_nexacloud/in_1 ^stripe/acct_nexacloud/cn_1"
    )
    assert rows[-4:] == [
        "  Assets:112110-Trade-Accounts-Receivable  10.00 CAD",
        f'    settles: "{NOTE.ref}"',
        "  Assets:112110-Trade-Accounts-Receivable  -10.00 CAD",
        f'    settles: "{INVOICE.ref}"',
    ]


def test_a_shared_receipt_stands_once_and_settles_nothing_by_itself(
    ledger: BeancountLedger,
) -> None:
    ledger.settle([share(1000), share(2000, OTHER, name="share_2")])
    text = file(ledger).read_text()
    assert text.count(f'external_id: "{RECEIPT}"') == 1
    (receipt,) = (each for each in text.split("\n\n") if 'record: "receipt"' in each)
    assert "settles" not in receipt
    assert balances(ledger)["111321", "CAD"] == 30000


def test_a_credit_note_is_linked_to_the_document_that_it_is_of(ledger: BeancountLedger) -> None:
    assert move(ledger, NOTE).document.reverses == INVOICE.ref
    assert "^stripe/acct_nexacloud/cn_1 ^stripe/acct_nexacloud/in_1\n" in file(ledger).read_text()


@pytest.mark.parametrize("method", [each for each in Method if each is not Method.CREDIT_NOTE])
def test_setup_opens_both_accounts_of_every_method(ledger: BeancountLedger, method: Method) -> None:
    found = route(method, SETTINGS)
    accounts = (ledger.main_file.parent / "accounts.beancount").read_text()
    for account in filter(None, (found.through, found.against)):
        assert f'code: "{account.code}"' in accounts


def test_a_journal_without_its_account_is_named(ledger: BeancountLedger) -> None:
    stripe = SETTINGS.journals.stripe.model_copy(update={"outstanding": None})
    journals = SETTINGS.journals.model_copy(update={"stripe": stripe})
    poorer = BeancountLedger(
        ledger.main_file.parent, SETTINGS.model_copy(update={"journals": journals})
    )
    with pytest.raises(NotPrepared, match="NCSTR has no outstanding account"):
        poorer.settle([PAYMENT])


# --- what is refused --------------------------------------------------------------------------

TOO_MUCH: dict[str, tuple[list[Settlement], set[str]]] = {
    "more than the note has left": ([credit(4651, OTHER)], set()),
    "more than the note has, together": (
        [credit(4000, OTHER, name="alloc_2"), credit(1000, OTHER, name="alloc_3")],
        {"alloc_2"},
    ),
    "more than the document is over": ([share(22600)], set()),
    "more than the receipt has, together": (
        [share(20000, name="share_2"), share(10001, OTHER, name="share_3")],
        {"share_2"},
    ),
}


@pytest.mark.parametrize(("batch", "there"), TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_an_allocation_is_exactly_its_amount_or_not_there(
    ledger: BeancountLedger, batch: list[Settlement], there: set[str]
) -> None:
    ledger.settle([credit(1000, name="alloc_1")])
    written = ledger.settle(batch)
    assert {each.ref.rsplit(":", 1)[-1] for each in written} == there
    assert all(each.reconciled == each.settlement.amount for each in written)


def test_no_lock_keeps_out_an_allocation_that_moves_no_money(ledger: BeancountLedger) -> None:
    with ledger.main_file.open("a") as main:
        main.write('2026-04-30 custom "lock_date" "payments"\n')
    with pytest.raises(NotAllowed, match="2026-04-30"):
        ledger.settle([share(1000)])
    [written] = ledger.settle([credit(1000)])
    assert written.reconciled == 1000


# --- what a person does -----------------------------------------------------------------------

TAKEN_APART: dict[str, tuple[str, str, str]] = {
    "the line of the document": (credit(1).ref, f'\n    settles: "{INVOICE.ref}"', ""),
    "the line of the note": (credit(1).ref, f'\n    settles: "{NOTE.ref}"', ""),
    "what it draws on": (credit(1).ref, f'drawn_on: "{NOTE.ref}"', 'drawn_on: "gone"'),
    "the note, set aside": (NOTE.ref, "2026-04-03 *", "2026-04-03 #"),
    "the note, a draft again": (NOTE.ref, "2026-04-03 *", "2026-04-03 !"),
}


@pytest.mark.parametrize(("ref", "old", "new"), TAKEN_APART.values(), ids=TAKEN_APART.keys())
def test_an_allocation_that_a_person_took_apart_is_absent_and_both_sides_are_open(
    ledger: BeancountLedger, ref: str, old: str, new: str
) -> None:
    ledger.settle([credit(1000), a_settlement(INVOICE, 600)])
    edit(ledger, ref, old, new)
    assert [each.settlement.amount for each in ledger.read_settlements()] == [600]
    assert ledger.read_settlements([credit(1).ref], of=[NOTE.ref]) == ()
    assert residual(ledger, INVOICE) == INVOICE.total - 600
    assert residual(ledger, NOTE) == NOTE.total
    before = file(ledger).read_text()
    assert ledger.settle([credit(1000)]) == ()
    assert file(ledger).read_text() == before


@pytest.mark.parametrize(
    "make", [lambda: credit(1000), lambda: share(1000)], ids=["a note's", "a receipt's"]
)
def test_an_allocation_that_a_person_set_aside_is_cancelled(
    ledger: BeancountLedger, make: Callable[[], Settlement]
) -> None:
    ledger.settle([make()])
    edit(ledger, make().ref, "2026-04-03 *", "2026-04-03 #")
    (ledger_state,) = ledger.settle([make()])
    assert (ledger_state.state, ledger_state.reconciled) == (MoveState.CANCELLED, 0)
    assert ledger_state.settlement == make()
    assert residual(ledger, INVOICE) == INVOICE.total


def test_a_receipt_that_a_person_set_aside_leaves_its_documents_open(
    ledger: BeancountLedger,
) -> None:
    ledger.settle([share(1000), share(2000, OTHER, name="share_2")])
    edit(ledger, RECEIPT, "2026-04-03 *", "2026-04-03 #")
    assert ledger.read_settlements() == ()
    assert (residual(ledger, INVOICE), residual(ledger, OTHER)) == (INVOICE.total, OTHER.total)
    assert balances(ledger) == expected_balances([INVOICE, OTHER, NOTE])
    with pytest.raises(NotPrepared, match=r"pi_shared is cancelled.*fcb books"):
        ledger.settle([share(3000, name="share_3")])


def test_a_receipt_whose_amount_a_person_changed_shows_in_its_allocations(
    ledger: BeancountLedger,
) -> None:
    ledger.settle([share(1000)])
    edit(ledger, RECEIPT, "300.00 CAD", "290.00 CAD")
    (ledger_state,) = ledger.read_settlements()
    assert ledger_state.settlement == replace(share(1000), receipt=29000)
    assert ledger_state.stored_hash == share(1000).content_hash
    assert ledger_state.reconciled == 1000


def test_a_receipt_of_less_than_is_drawn_on_it_shows_what_is_not_covered(
    ledger: BeancountLedger,
) -> None:
    ledger.settle([share(1000)])
    edit(ledger, RECEIPT, "300.00 CAD", "9.00 CAD")
    assert [each.reconciled for each in ledger.read_settlements()] == [900]


def test_an_allocation_whose_amount_a_person_changed_is_told_as_it_stands(
    ledger: BeancountLedger,
) -> None:
    ledger.settle([credit(1000)])
    edit(ledger, credit(1).ref, "10.00 CAD", "7.00 CAD")
    (ledger_state,) = ledger.settle([credit(1000)])
    assert ledger_state.settlement == credit(700)
    assert ledger_state.stored_hash == credit(1000).content_hash
    assert (ledger_state.reconciled, residual(ledger, NOTE)) == (700, NOTE.total - 700)


def test_an_amount_that_a_person_changed_beside_the_receivable_is_told_as_it_stands(
    ledger: BeancountLedger,
) -> None:
    refund = a_settlement(INVOICE, -600, name="re_1", method=Method.REFUND)
    ledger.settle([refund])
    edit(ledger, refund.ref, "6.00 CAD", "7.00 CAD")
    (ledger_state,) = ledger.read_settlements()
    assert ledger_state.settlement == replace(refund, amount=-700)
    assert ledger_state.reconciled == -700


@pytest.mark.parametrize("flag", ["#", "!"])
def test_a_payment_whose_failure_a_person_set_aside_pays_again(
    ledger: BeancountLedger, flag: str
) -> None:
    ledger.settle([PAYMENT, FAILURE])
    assert residual(ledger, INVOICE) == INVOICE.total
    edit(ledger, FAILURE.ref, "2026-04-03 *", f"2026-04-03 {flag}")
    assert move(ledger, INVOICE).payment_state is PaymentState.PAID
    assert_settled(ledger, PAYMENT)
    assert [each.reconciled for each in ledger.read_settlements([FAILURE.ref])] == [0]


def test_a_failure_that_a_person_unlinked_is_told(ledger: BeancountLedger) -> None:
    ledger.settle([PAYMENT, FAILURE])
    edit(ledger, FAILURE.ref, f'\n    settles: "{INVOICE.ref}"', "")
    (ledger_state,) = ledger.read_settlements([FAILURE.ref])
    assert (ledger_state.settlement, ledger_state.reconciled) == (FAILURE, 0)
    assert residual(ledger, INVOICE) == 0


def test_a_settlement_that_a_person_moved_to_another_document_is_found_by_both(
    ledger: BeancountLedger,
) -> None:
    ledger.settle([PAYMENT])
    edit(ledger, PAYMENT.ref, f'settles: "{INVOICE.ref}"', f'settles: "{OTHER.ref}"')
    for document in (INVOICE, OTHER):
        (ledger_state,) = ledger.read_settlements([], of=[document.ref])
        assert ledger_state.settlement == replace(PAYMENT, document=OTHER.ref)
    assert (residual(ledger, INVOICE), residual(ledger, OTHER)) == (INVOICE.total, 0)


@pytest.mark.parametrize(
    "account",
    [
        "Assets:111322-NexaCloud-Off-Stripe-Outstanding-Receipts",
        "Income:411310-NexaCloud-Hosting-Revenue",
    ],
)
def test_a_payment_whose_money_stands_on_another_account_is_none_of_its_method(
    ledger: BeancountLedger, account: str
) -> None:
    ledger.settle([PAYMENT])
    edit(ledger, PAYMENT.ref, "Assets:111321-NexaCloud-Stripe-Outstanding-Receipts", account)
    (ledger_state,) = ledger.read_settlements([PAYMENT.ref])
    assert ledger_state.settlement == replace(PAYMENT, amount=0)


def test_a_credit_that_a_person_wrote_by_hand_is_no_credit_note(ledger: BeancountLedger) -> None:
    with (file(ledger).parent / "by-hand.beancount").open("w") as journal:
        journal.write(
            '2026-04-20 * "Maple Bakery Inc." "goodwill"\n'
            "  Liabilities:215500-NexaCloud-Customer-Credit  226.00 CAD\n"
            "  Assets:112110-Trade-Accounts-Receivable\n"
            f'    settles: "{INVOICE.ref}"\n'
        )
    assert move(ledger, INVOICE).payment_state is PaymentState.PAID
    ledger.settle([credit(1000)])
    assert_settled(ledger, credit(1000))
    assert move(ledger, INVOICE).payment_state is PaymentState.PAID
