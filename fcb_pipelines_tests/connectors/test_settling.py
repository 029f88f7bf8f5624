"""What may be settled: the refusals that both ledgers share."""

from dataclasses import replace
from typing import Any

import pytest

from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared, PermanentFailure
from fcb_pipelines.connectors.settling import assert_same_receipt, assert_settleable, receipt_of
from fcb_pipelines.core.codes import Kind, Method
from fcb_pipelines.core.ledger.entries import LedgerDocument
from fcb_pipelines.core.ledger.moves import LedgerMove, MoveState, PaymentState
from fcb_pipelines_tests.documents import a_credit_note, a_settlement, an_invoice

INVOICE, NOTE = an_invoice(), a_credit_note()
PAYMENT = a_settlement(INVOICE)
ALLOCATION = a_settlement(INVOICE, 100, method=Method.CREDIT_NOTE, drawn_on=NOTE.ref)
SHARE = a_settlement(INVOICE, 100, drawn_on="stripe:acct_nexacloud:pi_1", receipt=500)


def ledger_state(document: LedgerDocument, state: MoveState = MoveState.POSTED) -> LedgerMove:
    """The document as it stands."""
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
    assert_settleable(PAYMENT, ledger_state(INVOICE))
    assert_settleable(ALLOCATION, ledger_state(INVOICE), ledger_state(NOTE))
    assert_settleable(SHARE, ledger_state(INVOICE))
    assert_same_receipt(SHARE, 500, "CAD")


REFUSED: dict[str, tuple[dict[str, Any], LedgerMove | None, LedgerMove | None, str]] = {
    "no document": ({}, None, ledger_state(NOTE), "the document is not in the ledger"),
    "a draft": ({}, ledger_state(INVOICE, MoveState.DRAFT), ledger_state(NOTE), "the document is draft"),
    "another kind": ({"kind": Kind.CREDIT_NOTE}, ledger_state(INVOICE), ledger_state(NOTE), "credit_note"),
    "another currency": ({"currency": "USD"}, ledger_state(INVOICE), ledger_state(NOTE), "in USD"),
    "nothing to draw on": ({}, ledger_state(INVOICE), None, "cn_1, which it draws on, is not"),
    "a draft to draw on": (
        {}, ledger_state(INVOICE), ledger_state(NOTE, MoveState.DRAFT), "draws on, is draft",
    ),
    "an invoice to draw on": ({}, ledger_state(INVOICE), ledger_state(INVOICE), "is of kind invoice"),
    "a note in another currency": (
        {}, ledger_state(INVOICE), ledger_state(replace(NOTE, currency="USD")), "in USD",
    ),
    "an amount below zero": ({"amount": -1}, ledger_state(INVOICE), ledger_state(NOTE), "no amount"),
}  # fmt: skip


def test_what_is_on_account_has_no_document_among_ours_and_allocates_nothing() -> None:
    on_account = replace(PAYMENT, on_account=True)
    assert_settleable(on_account, None)
    with pytest.raises(ContractBreach, match="its document is ours"):
        assert_settleable(on_account, ledger_state(INVOICE))
    with pytest.raises(ContractBreach, match="it is allocated"):
        assert_settleable(replace(SHARE, on_account=True), None)


@pytest.mark.parametrize(
    ("changes", "document", "drawn_on", "told"), REFUSED.values(), ids=REFUSED.keys()
)
def test_what_is_not_there_or_does_not_fit_is_refused(
    changes: dict[str, Any],
    document: LedgerMove | None,
    drawn_on: LedgerMove | None,
    told: str,
) -> None:
    with pytest.raises(PermanentFailure, match=told) as refused:
        assert_settleable(replace(ALLOCATION, **changes), document, drawn_on)
    missing = document is None or drawn_on is None
    unposted = any(move and move.state is MoveState.DRAFT for move in (document, drawn_on))
    assert isinstance(refused.value, NotPrepared if missing or unposted else ContractBreach)


def test_a_receipt_settles_nothing_by_itself() -> None:
    receipt = receipt_of(SHARE)
    assert (receipt.ref, receipt.document, receipt.amount) == (SHARE.drawn_on, "", SHARE.receipt)
    assert not receipt.is_allocation
    assert receipt.content_hash != SHARE.content_hash
    with pytest.raises(ContractBreach):
        receipt_of(PAYMENT)


@pytest.mark.parametrize(("amount", "currency"), [(501, "CAD"), (500, "USD")])
def test_another_receipt_under_the_same_name_is_refused(amount: int, currency: str) -> None:
    with pytest.raises(ContractBreach, match="stands there over"):
        assert_same_receipt(SHARE, amount, currency)
