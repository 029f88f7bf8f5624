"""One ledger under test, whichever it is, and what its read-back must say."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date

from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import MoveState


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One ledger, set up.

    `lock` locks it up to and including a date; `take_back` is what a person does who undoes the
    matching that an allocation (by its ref) stands for. In the block of `another_writes` another deployment
    of this name writes these books; after it that one is done.
    """

    ledger: Ledger
    lock: Callable[[date], None]
    take_back: Callable[[str], None]
    another_writes: Callable[[str], AbstractContextManager[None]]


def written(ledger: Ledger, *documents: LedgerDocument) -> None:
    """Write and post these documents."""
    ledger.write_drafts(documents)
    ledger.post([document.ref for document in documents])


def balances(ledger: Ledger) -> dict[tuple[str, str], int]:
    """The trial balance by account and currency, zeros left out."""
    return {
        (row.account, row.currency): row.balance for row in ledger.trial_balance() if row.balance
    }


def residual(ledger: Ledger, document: LedgerDocument) -> int:
    """What is open on the document, minor units."""
    (move,) = ledger.read_moves([document.ref])
    return move.residual


def assert_stands(ledger: Ledger, document: LedgerDocument, **facts: object) -> None:
    """The document stands there as it was meant, and these facts of its move hold."""
    (move,) = ledger.read_moves([document.ref])
    assert move.document.content_hash == document.content_hash
    assert replace(move.document, lines=(), partner="", reverses=None, source_hash=None) == replace(
        document, lines=(), partner="", reverses=None, source_hash=None
    )
    assert move.stored_hash == document.content_hash
    assert move.stored_source_hash == document.source_hash
    assert move.accounting_date == document.date
    assert document.partner in move.partner_links
    for name, value in facts.items():
        assert getattr(move, name) == value, name


def assert_settled(ledger: Ledger, settlement: Settlement, reconciled: int | None = None) -> None:
    """The settlement stands there as it was meant and is matched: wholly, or as much as is said."""
    (ledger_state,) = ledger.read_settlements([settlement.ref])
    assert ledger_state.state is MoveState.POSTED
    assert ledger_state.settlement.content_hash == settlement.content_hash
    assert ledger_state.stored_hash == settlement.content_hash
    assert ledger_state.reconciled == (settlement.amount if reconciled is None else reconciled)
