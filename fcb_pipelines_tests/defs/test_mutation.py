"""The mutation proof: a few faults on each run of the tests; `make mutation` tries all of them."""

import re
from pathlib import Path

import pytest

from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.journal import removed, replacing
from fcb_pipelines_tests.defs.world import World
from fcb_pipelines_tests.mutation import ledger_faults as books
from fcb_pipelines_tests.mutation import row_faults as rows
from fcb_pipelines_tests.mutation.bench import Sources, State, bench, remembered_sources
from fcb_pipelines_tests.mutation.fault import BOOKS, Fault
from fcb_pipelines_tests.mutation.faults import FAULTS
from fcb_pipelines_tests.mutation.report import PAGE
from fcb_pipelines_tests.mutation.runner import Runner, told

MARCH = "2026-03"
_ROW = re.compile(r"^\| (.+) \| ([A-DST]\d+) \| (.+) \| (yes|\*\*no\*\*) \|$", re.MULTILINE)

# Over `nexa-2026-05`, whose months the tests of this folder have.
IN_THE_BOOKS = (
    books.fault("Another account", "T1", books.document("NXC-0004", replacing(r"Income:\S+", "Income:411900-NexaCloud-Other-Revenue")), books.READ),
    books.fault("A payment removed", "S1", books.settlement("NXC-0005", removed), books.READ),
    books.fault("Entered twice", "D5", books.copied("NXC-0004", "", MARCH), BOOKS),
)  # fmt: skip
IN_THE_ROWS = (
    rows.fault("A line a cent off", "B1", keys.DOCUMENTS, rows.changed("net", lambda n: n + 1, "NXC-0004"), rows.BALANCE, month=MARCH),
    rows.fault("A disposition lost", "A6", keys.DISPOSITIONS, rows.dropped("NXC-0004"), rows.ADDS_UP, month=MARCH),
    rows.fault("A payment lost", "S1", keys.source_key("stripe", "payments"), rows.payment_dropped, rows.MATCH, month=MARCH),
)  # fmt: skip


@pytest.fixture
def runner(closed: World, tmp_path: Path, new_database: NewDatabase) -> Runner:
    """The world of this folder's tests after its close, to try faults on."""
    sources: Sources = remembered_sources(closed.found)
    state = State(home=closed.found.home, database=closed.own_database, sources=sources)
    made = Runner(closed, tmp_path / "faults", new_database)
    with bench(closed, tmp_path / "clean", new_database, state) as work:
        made.clean = told(work, None)
    made.closed = made.decided[MARCH] = state
    made.after[MARCH] = made.clean
    return made


def test_a_few_faults_of_the_books_and_the_rows_are_caught(runner: Runner) -> None:
    found = [runner.find(fault) for fault in (*IN_THE_BOOKS, *IN_THE_ROWS)]
    assert [one.name for one in found if not one.caught] == []
    assert not any(one.written for one in found)


def test_every_fault_has_a_name_of_its_own_and_says_what_should_catch_it() -> None:
    assert len({(fault.layer, fault.name) for fault in FAULTS}) == len(FAULTS)
    assert all(fault.trips and fault.case for fault in FAULTS)


def test_the_published_table_has_every_fault_and_each_is_caught() -> None:
    published = _ROW.findall(PAGE.read_text("utf-8"))
    assert [(name, case) for name, case, _, _ in published] == [_named(each) for each in FAULTS]
    assert [name for name, _, _, caught in published if caught != "yes"] == []


def _named(fault: Fault) -> tuple[str, str]:
    return fault.name, fault.case
