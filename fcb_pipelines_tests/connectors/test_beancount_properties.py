"""Whatever the month, the Beancount books hold it exactly: random documents and settlements."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from beancount import loader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcb_pipelines.connectors.beancount import BeancountLedger
from fcb_pipelines.core.documents import LedgerDocument, Settlement
from fcb_pipelines.core.standing import MoveState
from fcb_pipelines_tests.documents import SETTINGS, a_partner, expected_balances
from fcb_pipelines_tests.strategies import CURRENCIES, PARTNERS, months

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def books(folder: str) -> BeancountLedger:
    """Prepared books with the partners that the strategies name."""
    ledger = BeancountLedger(Path(folder), SETTINGS)
    ledger.setup()
    ledger.upsert_partners([a_partner(key, email=None) for key in PARTNERS])
    return ledger


def balances(ledger: BeancountLedger) -> dict[tuple[str, str], int]:
    """The trial balance by account and currency."""
    return {(row.account, row.currency): row.balance for row in ledger.trial_balance()}


def write(
    ledger: BeancountLedger,
    documents: Sequence[LedgerDocument],
    settlements: Sequence[Settlement],
    size: int,
) -> None:
    """Write, post and settle in batches of `size`."""
    for start in range(0, len(documents), size):
        batch = documents[start : start + size]
        ledger.write_drafts(batch)
        ledger.post([document.ref for document in batch])
    for start in range(0, len(settlements), size):
        ledger.settle(settlements[start : start + size])


@FEW
@given(month=months())
def test_every_month_is_read_back_as_it_was_meant(
    month: tuple[list[LedgerDocument], list[Settlement]],
) -> None:
    documents, settlements = month
    with TemporaryDirectory() as folder:
        ledger = books(folder)
        write(ledger, documents, settlements, size=100)
        entries, errors, _ = loader.load_file(str(ledger.main_file))
        assert errors == []
        assert entries
        standing = {move.ref: move for move in ledger.read_moves()}
        for document in documents:
            move = standing[document.ref]
            paid = sum(each.amount for each in settlements if each.document == document.ref)
            assert move.document.content_hash == document.content_hash
            assert move.document.lines == document.lines
            assert move.residual == document.total - paid
        for settled in ledger.read_settlements():
            assert settled.state is MoveState.POSTED
            assert settled.settlement.content_hash == settled.stored_hash
            assert settled.reconciled == settled.settlement.amount
        found = balances(ledger)
        assert found == expected_balances(documents, settlements)
        for currency in CURRENCIES:
            assert sum(each for (_, unit), each in found.items() if unit == currency) == 0


@FEW
@given(month=months(), size=st.integers(1, 3), shuffled=st.randoms(use_true_random=False))
def test_neither_order_nor_batch_size_changes_the_books(
    month: tuple[list[LedgerDocument], list[Settlement]], size: int, shuffled: object
) -> None:
    documents, settlements = month
    other = list(documents), list(settlements)
    for each in other:
        shuffled.shuffle(each)  # type: ignore[attr-defined]
    with TemporaryDirectory() as first, TemporaryDirectory() as second:
        whole, pieces = books(first), books(second)
        write(whole, documents, settlements, size=100)
        write(pieces, *other, size=size)
        assert balances(whole) == balances(pieces)
        assert {move.ref: move for move in whole.read_moves()} == {
            move.ref: move for move in pieces.read_moves()
        }
