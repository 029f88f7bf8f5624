"""Every accounting case through the whole pipeline: closed once, and once more a month later.

Each test is one case of the packaged datasets `edge-cases` and `edge-cases-later`, named for what it is;
it compares the document that came out with the one that its author expects.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fcb_pipelines.cli.expected import differences, gates_to_fail
from fcb_pipelines.cli.screen import failed_gates
from fcb_pipelines_tests.edge_cases import LATER, NOW, Fixture, expected, fixtures
from fcb_pipelines_tests.fcb_command import Fcb, a_home
from fcb_pipelines_tests.odoo_server import OdooServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What the two closes over one home said, and the trial balance after each."""

    now: dict[str, Any]
    again: str
    later: dict[str, Any]
    balance_now: dict[str, Any]
    balance_later: dict[str, Any]
    codes: tuple[int, int]


def closed(fcb: Fcb, ledger: str) -> Closed:
    """Both datasets closed in one home, one after the other."""
    on = ("--ledger", ledger, "--dataset")
    first, now = fcb.told("demo", "--keep", *on, str(NOW))
    again = fcb("demo", "--keep", *on, str(NOW)) if first == 0 else ""
    balance_now = fcb("ledger", "export", "--json", *on, str(NOW))
    second, later = fcb.told("demo", "--keep", *on, str(LATER))
    return Closed(
        now=now,
        again=again,
        later=later,
        balance_now=balance_now,
        balance_later=fcb("ledger", "export", "--json", *on, str(LATER)),
        codes=(first, second),
    )


@pytest.fixture(scope="module")
def in_books() -> Iterator[Closed]:
    """Closed into the embedded books."""
    for fcb in a_home({}):
        yield closed(fcb, "beancount")


@pytest.fixture(scope="module")
def in_odoo(odoo_server: OdooServer) -> Iterator[Closed]:
    """Closed into a real Odoo 19."""
    for fcb in a_home({"FCB_ODOO_CACHE": str(odoo_server.folder)}):
        yield closed(fcb, "odoo")


def came_out(status: dict[str, Any], fixture: Fixture) -> tuple[str, ...]:
    """Where the document of a case is not what it must be."""
    return differences({"documents": {fixture.ref: fixture.document}}, status)


def totals(status: dict[str, Any], told: dict[str, Any]) -> tuple[str, ...]:
    """Where counts and sums are not what they must be."""
    return differences({**told, "documents": {}}, status)


@pytest.mark.slow
@pytest.mark.parametrize("fixture", fixtures(NOW), ids=lambda fixture: fixture.sentence)
def test_at_the_end_of_july(in_books: Closed, fixture: Fixture) -> None:
    assert came_out(in_books.now, fixture) == ()


@pytest.mark.slow
@pytest.mark.parametrize("fixture", fixtures(LATER), ids=lambda fixture: fixture.sentence)
def test_at_the_end_of_august(in_books: Closed, fixture: Fixture) -> None:
    assert came_out(in_books.later, fixture) == ()


@pytest.mark.slow
def test_counts_and_sums_are_those_of_the_cases(in_books: Closed) -> None:
    assert totals(in_books.now, expected(NOW)) == ()
    assert totals(in_books.later, expected(LATER)) == ()


@pytest.mark.slow
def test_no_gate_fails_but_for_what_was_changed_after_posting(in_books: Closed) -> None:
    assert failed_gates(in_books.now) == ()
    assert set(failed_gates(in_books.later)) == gates_to_fail(expected(LATER))
    assert in_books.codes == (0, 0)


@pytest.mark.slow
def test_closed_again_it_posts_nothing(in_books: Closed) -> None:
    assert "0 posted by this run" in in_books.again


@pytest.mark.odoo
def test_a_real_odoo_says_the_same_of_every_case(in_odoo: Closed) -> None:
    for status, folder in ((in_odoo.now, NOW), (in_odoo.later, LATER)):
        assert differences(expected(folder), status) == ()
    assert in_odoo.codes == (0, 0)
    assert "0 posted by this run" in in_odoo.again


@pytest.mark.odoo
@pytest.mark.slow
def test_both_ledgers_stand_alike_after_every_case(in_books: Closed, in_odoo: Closed) -> None:
    assert in_odoo.balance_now == in_books.balance_now
    assert in_odoo.balance_later == in_books.balance_later
