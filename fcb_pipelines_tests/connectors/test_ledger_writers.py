"""Another deployment writes the same books: each write waits or is refused by its name, and half of nothing is written."""

from collections.abc import Callable

import pytest

from fcb_pipelines.connectors.beancount import lock
from fcb_pipelines.connectors.failures import Busy, NotPrepared
from fcb_pipelines.connectors.ledger import Ledger, Writer
from fcb_pipelines.connectors.odoo import books
from fcb_pipelines_tests.documents import a_partner, a_settlement, an_invoice
from fcb_pipelines_tests.ledgers import Case
from fcb_pipelines_tests.remedies.printed import printed

INVOICE, PARTNER = an_invoice(), a_partner()
OTHER = "fcb run 1234abcd on there"
# In the order in which a month writes.
WRITES: list[Callable[[Ledger], object]] = [
    lambda ledger: ledger.upsert_partners([PARTNER]),
    lambda ledger: ledger.write_drafts([INVOICE]),
    lambda ledger: ledger.post([INVOICE.ref]),
    lambda ledger: ledger.settle([a_settlement(INVOICE)]),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than it takes to say for whom."""
    for module in (lock, books):
        monkeypatch.setattr(module, "PATIENCE", 0.0)


def begun(case: Case, told: list[str]) -> bool:
    """Begin to write; what is waited for goes to `told`."""
    return case.ledger.begin_writing(
        Writer(deployment="mine", name="fcb run 2 on here", waits=told.append)
    )


def test_each_write_is_refused_by_the_name_of_the_other_and_goes_on_once_that_is_done(
    case: Case,
) -> None:
    assert not begun(case, [])
    for write in WRITES:
        before = (case.ledger.read_moves(), case.ledger.read_settlements())
        with case.another_writes(OTHER):
            with pytest.raises(Busy, match=f"{OTHER}.* since 20.*A rerun may help") as refused:
                write(case.ledger)
            assert (case.ledger.read_moves(), case.ledger.read_settlements()) == before
        printed(refused.value, "fcb sync")
        write(case.ledger)
    (move,) = case.ledger.read_moves()
    assert move.residual == 0


def test_who_waits_says_for_whom_and_since_when(case: Case) -> None:
    told: list[str] = []

    def write() -> None:
        begun(case, told)
        WRITES[0](case.ledger)

    with case.another_writes(OTHER), pytest.raises(Busy):
        write()
    assert OTHER in told[0]
    assert told[0].endswith(" UTC,")


def test_one_deployment_writes_on_after_a_process_of_its_own_that_was_killed(case: Case) -> None:
    told: list[str] = []
    assert not begun(case, told)
    WRITES[0](case.ledger)
    # The next run of the same deployment, under another name.
    case.ledger.begin_writing(Writer(deployment="mine", name="fcb run 3", waits=told.append))
    WRITES[1](case.ledger)
    assert told == []


def test_a_partner_that_is_not_there_is_written_by_what_a_sync_does_first(case: Case) -> None:
    with pytest.raises(NotPrepared) as lacking:
        case.ledger.write_drafts([INVOICE])
    printed(lacking.value, "fcb sync")
    for write in WRITES[:2]:
        write(case.ledger)
    assert len(case.ledger.read_moves()) == 1
