"""Every accounting case through the whole pipeline: closed once, and once more a month later.

Each test is one case of the packaged datasets `edge-cases` and `edge-cases-later`, named for what it is;
it compares the document that came out with the one that its author expects.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from filelock import FileLock

from fcb_pipelines.cli.expected import differences, gates_to_fail
from fcb_pipelines.cli.screen import failed_gates
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.scenarios.edge_cases import edge_files
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.cash_world import OVER_CASH, closed_with_cash
from fcb_pipelines_tests.defs.sliced import not_the_same
from fcb_pipelines_tests.defs.world import World, running
from fcb_pipelines_tests.edge_cases import LATER, NOW, Fixture, expected, fixtures
from fcb_pipelines_tests.fcb_command import a_home
from fcb_pipelines_tests.odoo_server import OdooBooks, OdooServer

# What a person answers with a correction a month later: voided or changed after posting, or money that
# the source no longer tells of.
ANSWERED = {"voided_after_posting", "source_changed", "settlement_taken_back"}
CORRECTED = [each for each in fixtures(LATER) if ANSWERED & set(each.exceptions)]
# The note that comes after the correction of its invoice.
TOO_LATE = "EC-B12-7-CN1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What stood in the books after a close: its status JSON, and the trial balance."""

    status: dict[str, Any]
    balance: list[list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The two closes over one home, and how many entries the first wrote when it was repeated.

    `cash` is what stands once cash was turned on in the end. `sliced` names what a month came to from its
    slices and not from everything. `corrected` is the status once the voided and changed documents were
    corrected, and a credit note of one of them came after that.
    """

    now: Books
    again: int | None
    later: Books
    sliced: list[str]
    corrected: dict[str, Any]
    cash: dict[str, Any]


def close(world: World) -> tuple[int, dict[str, Any]]:
    """What `fcb demo` does: how many entries it wrote, and what then stands."""
    assert world.extract().success
    runs = world.months(periods(), post=True)
    world.prove()
    written = sum(run.metadata[keys.DRAFT_MOVES]["created"] for run in runs)
    written += sum(run.metadata[keys.POSTED_MOVES]["posted"] for run in runs)
    written += sum(run.metadata[keys.SETTLEMENTS]["settled"] for run in runs)
    balance = [[row.account, row.currency, row.balance] for row in world.ledger.trial_balance()]
    return written, {"status": world.status(), "balance": balance}


def closed(world: World, *, briefly: bool) -> dict[str, Any]:
    """Both datasets closed in one home, one after the other; then a person's corrections, and a sync.

    `briefly`, the first is not closed twice, and its slices are not looked at: the later close runs over the
    same months again, and what a month reads is no matter of the ledger.
    """
    _, now = close(world)
    again = None if briefly else close(world)[0]
    sliced = [] if briefly else not_the_same(world)
    world.turn_to(LATER)
    _, later = close(world)
    sliced += [] if briefly else not_the_same(world)
    assert world.correct([each.ref for each in CORRECTED], dry_run=False).success
    world.months(world.touched())
    after = world.data.parent / "corrected"
    edge_files(later=True, corrected=True).write(after)
    world.turn_to(after)
    assert world.extract().success
    world.months(world.window())
    assert world.prove().success
    return {
        "now": now,
        "again": again,
        "later": later,
        "sliced": sliced,
        "corrected": world.status(),
        "cash": closed_with_cash(world),
    }


@pytest.fixture(scope="session")
def closes(
    postgres: EmbeddedPostgres, new_database: NewDatabase
) -> Callable[[Callable[[], OdooBooks | None]], Closed]:
    """The two closes in books of a kind, made once: all test processes share what came of them."""
    home = postgres.data.parent

    def made(books: Callable[[], OdooBooks | None], name: str) -> Closed:
        file = home / f"{name}.json"
        with FileLock(home / f"{name}.lock"):
            if not file.exists():
                odoo = books()
                with running(home / name, postgres, new_database, data=NOW, odoo=odoo) as world:
                    told = closed(world, briefly=odoo is not None)
                file.write_text(json.dumps(told), "utf-8")
        told = json.loads(file.read_text("utf-8"))
        now, later = Books(**told.pop("now")), Books(**told.pop("later"))
        return Closed(now=now, later=later, **told)

    return made


@pytest.fixture(scope="session")
def in_books(closes: Callable[..., Closed]) -> Closed:
    """Closed into the embedded books."""
    return closes(lambda: None, "edge-cases-in-books")


@pytest.fixture(scope="session")
def in_odoo(closes: Callable[..., Closed], request: pytest.FixtureRequest) -> Closed:
    """Closed into a real Odoo 19 by the user of each day, who has no other right."""
    server: OdooServer = request.getfixturevalue("odoo_server")
    daily = ("invoicing", "contacts", "basic")
    return closes(lambda: server.with_cash().as_user(*daily), "edge-cases-in-odoo")


def came_out(books: Books, fixture: Fixture) -> tuple[str, ...]:
    """Where the document of a case is not what it must be."""
    return differences({"documents": {fixture.ref: fixture.document}}, books.status)


def all_came_out(closed: Closed) -> None:
    """Every case of both closes, with counts, sums and gates."""
    for books, folder in ((closed.now, NOW), (closed.later, LATER)):
        wrong = {each.sentence: came_out(books, each) for each in fixtures(folder)}
        assert {case: told for case, told in wrong.items() if told} == {}
        assert differences(expected(folder), books.status) == ()
        assert set(failed_gates(books.status)) == gates_to_fail(expected(folder))


def cash_ties_out(cash: dict[str, Any]) -> None:
    """No gate over cash fails, nothing was written twice, and journal and statements lead to Stripe's balance."""
    assert cash["failed"] == {}
    assert cash["judged"] == sorted(OVER_CASH)
    assert cash["again"] == [0, 0]
    assert cash["journal"][-1][-1] == cash["reported"]
    assert any(held for *_, held in cash["journal"])
    assert all(is_valid for *_, is_valid in cash["statements"])
    openings = [opening for _, opening, _, _ in cash["statements"]]
    assert openings == [0, *(closing for _, _, closing, _ in cash["statements"][:-1])]


@pytest.mark.long
def test_a_demo_of_them_through_dagster_comes_to_the_same(in_books: Closed) -> None:
    for fcb in a_home({}):
        told = fcb("demo", "--dataset", str(NOW), "--json")
        assert told.pop("snapshot")
        assert told == in_books.now.status


@pytest.mark.slow
def test_each_month_comes_to_the_same_from_its_slice_as_from_all_months(in_books: Closed) -> None:
    assert in_books.sliced == []


@pytest.mark.slow
@pytest.mark.parametrize("fixture", fixtures(NOW), ids=lambda fixture: fixture.sentence)
def test_at_the_end_of_july(in_books: Closed, fixture: Fixture) -> None:
    assert came_out(in_books.now, fixture) == ()


@pytest.mark.slow
@pytest.mark.parametrize("fixture", fixtures(LATER), ids=lambda fixture: fixture.sentence)
def test_at_the_end_of_august(in_books: Closed, fixture: Fixture) -> None:
    assert came_out(in_books.later, fixture) == ()


@pytest.mark.slow
def test_counts_sums_and_gates_are_those_of_the_cases(in_books: Closed) -> None:
    all_came_out(in_books)


@pytest.mark.slow
def test_closed_again_it_posts_nothing(in_books: Closed) -> None:
    assert in_books.again == 0


def corrections_answer_everything(closed: Closed) -> None:
    """No gate fails any more; what was voided owes nothing, and nothing of these is listed."""
    assert failed_gates(closed.corrected) == ()
    told = {each["ref"]: each for each in closed.corrected["documents"]}
    for each in CORRECTED:
        assert told[each.ref]["exceptions"] == [], each.sentence
        assert told[each.ref]["listed"] == [], each.sentence
        if each.reason == "void_at_source":
            assert told[each.ref]["payment_state"] in ("reversed", "paid"), each.sentence
    # What is lost or was never there stays listed: no correction is made of it.
    assert {each["why"] for one in told.values() for each in one["listed"]}.isdisjoint(ANSWERED)


def the_sources_day_dates_a_correction(closed: Closed) -> None:
    """S13: money that came back is taken back on the day on which it did."""
    (refunded,) = (each for each in closed.corrected["documents"] if each["number"] == "EC-S13-2")
    refunds = [each for each in refunded["settlements"] if each["method"] == "refund"]
    assert [(each["date"], each["amount"]) for each in refunds] == [
        ("2025-07-24", -2260),
        ("2025-08-07", 2260),
    ]


def a_note_after_a_correction_takes_nothing_back(closed: Closed) -> None:
    """B12: the correction took the invoice back, so its note does not do it again."""
    (note,) = (each for each in closed.corrected["documents"] if each["number"] == TOO_LATE)
    assert (note["disposition"], note["reason"]) == ("skip", "reversed_already")
    assert (note["state"], note["exceptions"], note["listed"]) == ("none", [], [])


@pytest.mark.slow
def test_a_reviewed_correction_answers_what_was_voided_and_changed(in_books: Closed) -> None:
    corrections_answer_everything(in_books)


@pytest.mark.slow
def test_s13_a_correction_is_dated_where_the_source_dates_the_event(in_books: Closed) -> None:
    the_sources_day_dates_a_correction(in_books)


@pytest.mark.slow
def test_b12_a_note_that_comes_after_the_correction_takes_nothing_back(in_books: Closed) -> None:
    a_note_after_a_correction_takes_nothing_back(in_books)


@pytest.mark.slow
def test_with_cash_on_the_journal_has_the_balance_of_stripe(in_books: Closed) -> None:
    cash_ties_out(in_books.cash)


@pytest.mark.odoo
def test_a_real_odoo_has_the_same_cash(in_odoo: Closed, in_books: Closed) -> None:
    cash_ties_out(in_odoo.cash)
    assert in_odoo.cash == in_books.cash


@pytest.mark.odoo
def test_a_real_odoo_says_the_same_of_every_case(in_odoo: Closed) -> None:
    all_came_out(in_odoo)
    corrections_answer_everything(in_odoo)
    the_sources_day_dates_a_correction(in_odoo)
    a_note_after_a_correction_takes_nothing_back(in_odoo)


@pytest.mark.odoo
def test_both_ledgers_stand_alike_after_every_case(in_books: Closed, in_odoo: Closed) -> None:
    assert in_odoo.now.balance == in_books.now.balance
    assert in_odoo.later.balance == in_books.later.balance
