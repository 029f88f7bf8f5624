"""Whatever becomes of whatever documents, the books hold it exactly, however they were written.

Random documents with everything that may settle them. The trial balance is worked out beside the
ledgers, from the values alone.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from beancount import loader
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.ledger import Ledger
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.core.close.booked import booked, unique
from fcb_pipelines.core.close.rollforward import roll_forward
from fcb_pipelines.core.ledger.entries import LedgerDocument, Settlement
from fcb_pipelines.core.ledger.moves import LedgerMove, LedgerSettlement, LedgerState, MoveState
from fcb_pipelines_tests.documents import SETTINGS, a_partner, expected_balances
from fcb_pipelines_tests.ledgers import balances
from fcb_pipelines_tests.odoo_server import OdooServer
from fcb_pipelines_tests.strategies import PARTNERS, lives

Life = tuple[list[LedgerDocument], list[Settlement]]
Item = TypeVar("Item")

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A real Odoo takes seconds a call: a few examples, and a failing one is told as it is.
FEW = settings(QUICK, max_examples=3, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with prepared books and the partners that the strategies name."""
    folder = tmp_path_factory.mktemp("template")
    prepared(BeancountLedger(folder, SETTINGS))
    return folder


def prepared(ledger: Ledger) -> None:
    """Set the ledger up, with the partners that the strategies name."""
    ledger.setup()
    ledger.upsert_partners([a_partner(key, email=None) for key in PARTNERS])


@contextmanager
def books(template: Path) -> Iterator[BeancountLedger]:
    """Fresh prepared books."""
    with TemporaryDirectory() as folder:
        shutil.copytree(template, folder, dirs_exist_ok=True)
        yield BeancountLedger(Path(folder), SETTINGS)


# --- how books are written --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a pipeline: what it knows of, in which order and batches, and when it dies."""

    order: Random | None
    known: float
    size: int
    dies_after: int | None


def runs(sizes: st.SearchStrategy[int]) -> st.SearchStrategy[Run]:
    """Runs that know of some or all, in batches of these sizes, and may die after some calls."""
    return st.builds(
        Run,
        order=st.randoms(use_true_random=False),
        known=st.sampled_from([0.4, 0.7, 1.0]),
        size=sizes,
        dies_after=st.none() | st.integers(0, 8),
    )


SMALL, LARGE = runs(st.integers(1, 4)), runs(st.integers(3, 9))
WHOLE = Run(order=None, known=1.0, size=100, dies_after=None)


def carry_out(ledger: Ledger, life: Life, run: Run) -> None:
    """Write, post and settle what the run knows of; the books balance after every call."""
    documents = _some(life[0], run)
    written = {document.ref for document in documents}
    ready = [each for each in _some(life[1], run) if _needs(each) <= written]
    for call in islice(_calls(ledger, documents, ready, run.size), run.dies_after):
        call()
        assert_balanced(ledger)


def _calls(
    ledger: Ledger,
    documents: Sequence[LedgerDocument],
    settlements: Sequence[Settlement],
    size: int,
) -> Iterator[Callable[[], object]]:
    for batch in _batches(documents, size):
        yield lambda batch=batch: ledger.write_drafts(batch)  # type: ignore[misc]
        yield lambda batch=batch: ledger.post([each.ref for each in batch])  # type: ignore[misc]
    for paid in _batches(settlements, size):
        yield lambda paid=paid: ledger.settle(paid)  # type: ignore[misc]


def _some(items: Sequence[Item], run: Run) -> list[Item]:
    if run.order is None:
        return list(items)
    return run.order.sample(list(items), round(len(items) * run.known))


def _batches(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _needs(settlement: Settlement) -> set[str]:
    on_documents = {settlement.document}
    if settlement.drawn_on is not None and settlement.receipt is None:
        on_documents.add(settlement.drawn_on)
    return on_documents


# --- what the books must say ------------------------------------------------------------------


def assert_balanced(ledger: Ledger) -> None:
    """In every currency the balances come to nothing."""
    sums: Counter[str] = Counter()
    for (_, currency), balance in balances(ledger).items():
        sums[currency] += balance
    assert not any(sums.values())


def assert_says(ledger: Ledger, life: Life) -> None:
    """Every document and settlement stands as it was meant, and is open or matched as it must."""
    documents, settlements = life
    moves = {move.ref: move for move in ledger.read_moves()}
    ledger_state = {each.ref: each for each in ledger.read_settlements()}
    assert moves.keys() == {document.ref for document in documents}
    assert ledger_state.keys() == {settlement.ref for settlement in settlements}
    for document in documents:
        taken = _taken_off(document, settlements)
        assert moves[document.ref].state is MoveState.POSTED
        assert moves[document.ref].document.content_hash == document.content_hash
        assert moves[document.ref].residual == max(0, document.total - sum(taken.values()))
        # What is paid beyond the total stays on the payments, a visible credit; an older debt that
        # nothing paid stays open beside the document.
        matched = {ref: ledger_state[ref].reconciled for ref in taken}
        unpaid = sum(matched[ref] - amount for ref, amount in taken.items() if amount < 0)
        assert sum(matched.values()) == min(document.total, sum(taken.values()) + unpaid)
        if sum(taken.values()) <= document.total and not unpaid:
            assert matched == taken
    for settlement in settlements:
        found = ledger_state[settlement.ref]
        assert found.state is MoveState.POSTED
        assert found.settlement.content_hash == found.stored_hash == settlement.content_hash
        assert abs(found.reconciled) <= abs(settlement.amount)
    assert balances(ledger) == expected_balances(documents, settlements)
    assert_rolls_forward(ledger, moves, ledger_state)


def assert_rolls_forward(
    ledger: Ledger, moves: Mapping[str, LedgerMove], settled: Mapping[str, LedgerSettlement]
) -> None:
    """What was read back comes to the receivable that the ledger itself states, and explains it whole."""
    states = [LedgerState(ref=ref, move=move) for ref, move in moves.items()]
    states += [LedgerState(ref=ref, settlement=entry) for ref, entry in settled.items()]
    entries = unique(each for state in states for each in booked(state))
    stated = balances(ledger)
    for row in roll_forward(entries, "2026-12", ()):
        account = (SETTINGS.accounts.receivable.code, row["currency"])
        assert row["closing"] == row["open"] == stated.get(account, 0)
        assert row["differing"] == []


def _taken_off(document: LedgerDocument, settlements: Sequence[Settlement]) -> dict[str, int]:
    """Settlement -> what it takes off this document's receivable."""
    return {
        each.ref: each.amount
        for each in settlements
        if document.ref in (each.document, each.drawn_on) and each.method.touches_receivable
    }


def everything(
    ledger: Ledger,
) -> tuple[dict[str, LedgerMove], dict[str, LedgerSettlement], dict[tuple[str, str], int]]:
    """All that the ledger answers of us."""
    return (
        {move.ref: move for move in ledger.read_moves()},
        {settlement.ref: settlement for settlement in ledger.read_settlements()},
        balances(ledger),
    )


@QUICK
@given(life=lives())
def test_whatever_became_of_the_documents_the_books_say_it(template: Path, life: Life) -> None:
    with books(template) as ledger:
        carry_out(ledger, life, WHOLE)
        entries, errors, _ = loader.load_file(str(ledger.main_file))
        assert entries
        assert errors == []
        assert_says(ledger, life)
        told = {move.ref: move.document for move in ledger.read_moves()}
        assert told == {each.ref: each for each in life[0]}
        assert {each.settlement for each in ledger.read_settlements()} == set(life[1])


@QUICK
@given(life=lives(), broken=st.lists(SMALL, min_size=1, max_size=3), last=SMALL)
def test_neither_order_nor_batches_nor_interruptions_change_the_books(
    template: Path, life: Life, broken: list[Run], last: Run
) -> None:
    with books(template) as whole, books(template) as pieces:
        carry_out(whole, life, WHOLE)
        for run in broken:
            carry_out(pieces, life, run)
        carry_out(pieces, life, replace(last, known=1.0, dies_after=None))
        assert everything(pieces) == everything(whole)


@pytest.mark.odoo
@FEW
@given(life=lives(), first=LARGE, last=LARGE)
def test_both_ledgers_come_to_the_same_balances(
    template: Path, odoo_server: OdooServer, life: Life, first: Run, last: Run
) -> None:
    odoo = OdooLedger(odoo_server.prepared().connection(), SETTINGS)
    prepared(odoo)
    with books(template) as beancount:
        carry_out(beancount, life, WHOLE)
        carry_out(odoo, life, first)
        carry_out(odoo, life, replace(last, known=1.0, dies_after=None))
        assert balances(odoo) == balances(beancount) == expected_balances(*life)
        assert_says(odoo, life)


@QUICK
@given(life=lives(), run=SMALL, data=st.data())
def test_a_part_of_the_books_answers_what_the_whole_does(
    template: Path, life: Life, run: Run, data: st.DataObject
) -> None:
    with books(template) as ledger:
        carry_out(ledger, life, run)
        moves = ledger.read_moves()
        entries = ledger.read_settlements()
        names = sorted({each.ref for each in (*life[0], *life[1])} | {"stripe:acct:unknown"})
        for _ in range(3):
            refs = data.draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
            of = data.draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
            # Opened anew, so that nothing of the whole is in memory.
            part, whole = (BeancountLedger(ledger.main_file.parent, SETTINGS) for _ in range(2))
            assert whole.read_moves() == moves
            assert part.read_moves(refs, of=of) == whole.read_moves(refs, of=of)
            part = BeancountLedger(ledger.main_file.parent, SETTINGS)
            assert whole.read_settlements() == entries
            assert part.read_settlements(refs, of=of) == whole.read_settlements(refs, of=of)
