"""What the rules refuse to settle is a failure that says whether a command mends it."""

import pytest

from fcb_pipelines.connectors.failures import ContractBreach, NotPrepared
from fcb_pipelines.connectors.settling import assert_same_receipt, assert_settleable
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines_tests.documents import a_settlement, an_invoice
from fcb_pipelines_tests.facts import a_move

INVOICE = an_invoice()
PAYMENT = a_settlement(INVOICE)
SHARE = a_settlement(INVOICE, 100, drawn_on="stripe:acct_nexacloud:pi_1", receipt=500)


def test_what_fits_raises_nothing() -> None:
    assert_settleable(PAYMENT, a_move(INVOICE))
    assert_same_receipt(SHARE, 500, "CAD")


def test_what_a_command_mends_is_not_prepared_and_names_the_command() -> None:
    with pytest.raises(NotPrepared, match=f"settling {INVOICE.ref} by {PAYMENT.ref}") as refused:
        assert_settleable(PAYMENT, a_move(INVOICE, MoveState.DRAFT))
    assert refused.value.remedy == "fcb post"


def test_what_no_command_mends_is_a_breach() -> None:
    with pytest.raises(ContractBreach, match="in USD"):
        assert_settleable(PAYMENT, a_move(an_invoice(currency="USD")))
    with pytest.raises(ContractBreach, match=f"settling {INVOICE.ref} by {SHARE.ref}"):
        assert_same_receipt(SHARE, 501, "CAD")
