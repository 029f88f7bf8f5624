"""What the rules refuse to settle is a failure that says whether a command mends it, and stops nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from fcb_pipelines.connectors.failures import (
    Busy,
    ContractBreach,
    EntriesRefused,
    NotAllowed,
    NotPrepared,
)
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.connectors.settling import assert_same_receipt, assert_settleable, settle_each
from fcb_pipelines.core.ledger.entries import Settlement
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


class Books:
    """Books that take a batch or, where it has a settlement that they refuse, nothing of it."""

    def __init__(self, *refused: str, failure: Exception | None = None) -> None:
        self.refused = refused
        self.failure = failure or ContractBreach("settling", "no")
        self.taken: list[str] = []
        self.calls = 0

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Take the whole batch, or nothing of it."""
        self.calls += 1
        if any(each.ref in self.refused for each in settlements):
            raise self.failure
        self.taken += [each.ref for each in settlements]


def some_payments(count: int) -> list[Settlement]:
    return [replace(PAYMENT, ref=f"p{number}") for number in range(count)]


def settled(books: Books, count: int) -> None:
    settle_each(cast(Ledger, books), some_payments(count))


@pytest.mark.parametrize(
    ("count", "refused"),
    [(1, ()), (1, (0,)), (2, (0,)), (9, (8,)), (9, (0, 4, 5)), (9, tuple(range(9)))],
)
def test_a_settlement_that_the_books_refuse_stops_no_other_and_is_named(
    count: int, refused: tuple[int, ...]
) -> None:
    refs = [f"p{number}" for number in refused]
    books = Books(*refs)
    if refused:
        with pytest.raises(EntriesRefused) as found:
            settled(books, count)
        assert [each.ref for each in found.value.refusals] == refs
        assert {(each.code, each.detail) for each in found.value.refusals} == {
            ("refused_by_ledger", "no")
        }
    else:
        settled(books, count)
    # In their order: a reversal follows the settlement that it reverses.
    assert books.taken == [each.ref for each in some_payments(count) if each.ref not in refs]


def test_a_batch_without_a_fault_is_one_call() -> None:
    books = Books()
    settled(books, 50)
    assert books.calls == 1


def test_books_that_take_nothing_are_the_fault_and_not_the_settlements() -> None:
    books = Books(*(f"p{number}" for number in range(300)), failure=NotAllowed("settling", "no"))
    with pytest.raises(NotAllowed):
        settled(books, 300)
    assert books.calls < 60


def test_what_a_rerun_may_mend_refuses_no_settlement() -> None:
    with pytest.raises(Busy):
        settled(Books("p1", failure=Busy("settling", "later")), 3)
