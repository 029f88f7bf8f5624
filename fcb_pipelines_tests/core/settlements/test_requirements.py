"""What a settlement needs of the books, and what is said where it is not there."""

from dataclasses import replace
from typing import Any

import pytest

from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState, PaymentState
from fcb_pipelines.core.settlements.requirements import receipt_of, unlike_receipt, unmet
from fcb_pipelines_tests.documents import a_credit_note, a_settlement, an_invoice

INVOICE, NOTE = an_invoice(), a_credit_note()
PAYMENT = a_settlement(INVOICE)
ALLOCATION = a_settlement(INVOICE, 100, method=Method.CREDIT_NOTE, drawn_on=NOTE.ref)
SHARE = a_settlement(INVOICE, 100, drawn_on="stripe:acct_nexacloud:pi_1", receipt=500)


def ledger_state(document: LedgerDocument, state: MoveState = MoveState.POSTED) -> LedgerMove:
    """The posted document."""
    return LedgerMove(
        ref=document.ref,
        move_id="1",
        state=state,
        payment_state=PaymentState.NOT_PAID,
        document=document,
        partner_links=(document.partner,),
        accounting_date=document.date,
        residual=document.total,
        stored_hash=document.content_hash,
    )


def test_what_is_posted_and_fits_may_be_settled() -> None:
    assert unmet(PAYMENT, ledger_state(INVOICE)) is None
    assert unmet(ALLOCATION, ledger_state(INVOICE), ledger_state(NOTE)) is None
    assert unmet(SHARE, ledger_state(INVOICE)) is None
    assert unlike_receipt(SHARE, 500, "CAD") is None


# Changes of the allocation, the moves of both documents, the message, and the command that mends it.
Refused = tuple[dict[str, Any], LedgerMove | None, LedgerMove | None, str, str | None]
REFUSED: dict[str, Refused] = {
    "no document": (
        {}, None, ledger_state(NOTE), "the document is not in the ledger", "fcb sync",
    ),
    "a draft": (
        {}, ledger_state(INVOICE, MoveState.DRAFT), ledger_state(NOTE), "the document is draft", "fcb post",
    ),
    "another kind": (
        {"kind": Kind.CREDIT_NOTE}, ledger_state(INVOICE), ledger_state(NOTE), "of a credit_note", None,
    ),
    "another currency": ({"currency": "USD"}, ledger_state(INVOICE), ledger_state(NOTE), "in USD", None),
    "nothing to draw on": (
        {}, ledger_state(INVOICE), None, "cn_1, which it draws on, is not in the ledger", "fcb sync",
    ),
    "a draft to draw on": (
        {}, ledger_state(INVOICE), ledger_state(NOTE, MoveState.DRAFT), "draws on, is draft", "fcb post",
    ),
    "an invoice to draw on": (
        {}, ledger_state(INVOICE), ledger_state(INVOICE), "is of kind invoice", None,
    ),
    "a note in another currency": (
        {}, ledger_state(INVOICE), ledger_state(replace(NOTE, currency="USD")), "in USD", None,
    ),
    "an amount below zero": ({"amount": -1}, ledger_state(INVOICE), ledger_state(NOTE), "not above zero", None),
}  # fmt: skip


def test_what_is_on_account_has_no_document_among_ours_and_allocates_nothing() -> None:
    on_account = replace(PAYMENT, on_account=True)
    assert unmet(on_account, None) is None
    ours = unmet(on_account, ledger_state(INVOICE))
    allocated = unmet(replace(SHARE, on_account=True), None)
    assert ours is not None
    assert allocated is not None
    assert (ours.why, ours.remedy) == ("it is left on account, and its document is ours", None)
    assert (allocated.why, allocated.remedy) == ("it is left on account, and it is allocated", None)


@pytest.mark.parametrize(
    ("changes", "document", "drawn_on", "message", "remedy"), REFUSED.values(), ids=REFUSED.keys()
)
def test_what_is_not_there_or_does_not_fit_is_refused(
    changes: dict[str, Any],
    document: LedgerMove | None,
    drawn_on: LedgerMove | None,
    message: str,
    remedy: str | None,
) -> None:
    lacking = unmet(replace(ALLOCATION, **changes), document, drawn_on)
    assert lacking is not None
    assert message in lacking.why
    assert lacking.remedy == remedy


def test_a_receipt_settles_nothing_by_itself() -> None:
    receipt = receipt_of(SHARE)
    assert (receipt.ref, receipt.document, receipt.amount) == (SHARE.drawn_on, "", SHARE.receipt)
    assert not receipt.is_allocation
    assert receipt.content_hash != SHARE.content_hash
    with pytest.raises(ValueError, match="draws on no receipt"):
        receipt_of(PAYMENT)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"), [(501, "CAD", "5.01 CAD"), (500, "USD", "5.00 USD")]
)
def test_another_receipt_under_the_same_name_is_refused(
    amount: int, currency: str, shown: str
) -> None:
    unlike = unlike_receipt(SHARE, amount, currency)
    assert unlike is not None
    assert f"the ledger holds over {shown}" in unlike.why
    assert unlike.remedy is None
