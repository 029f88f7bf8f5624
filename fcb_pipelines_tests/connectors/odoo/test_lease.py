"""The lease of the deployment that writes into Odoo: one at a time, also at the same moment, and it lapses by itself."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fcb_pipelines.connectors.failures import Busy, Failure, TransientFailure
from fcb_pipelines.connectors.ledger import Writer
from fcb_pipelines.connectors.odoo import books as odoo_books
from fcb_pipelines.connectors.odoo.action_lease import LEASE_KEY
from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.ledger import OdooLedger
from fcb_pipelines.connectors.stopping import sleep
from fcb_pipelines.core.ledger.entries import Partner
from fcb_pipelines_tests.documents import SETTINGS, a_partner
from fcb_pipelines_tests.odoo_server import OdooBooks, lapse_lease

pytestmark = pytest.mark.odoo


def opened(books: OdooBooks, deployment: str) -> OdooLedger:
    """The books as a deployment opens them, over a connection of its own."""
    connection = OdooConnection(books.url, books.database, books.user, books.password)
    ledger = OdooLedger(connection, SETTINGS)
    ledger.begin_writing(Writer(deployment=deployment, name=f"fcb run of {deployment}"))
    return ledger


def another(number: int) -> Partner:
    """One more customer."""
    return a_partner(f"nexacloud:users:{number}", email=f"{number}@x.example")


def lease(books: OdooBooks) -> list[str]:
    """The lease as it stands: deployment, since, last write, who."""
    # Not `get_param`, which keeps what it read before.
    (row,) = books.do("ir.config_parameter", "search_read", [("key", "=", LEASE_KEY)])
    return str(row["value"]).split(" ", 3)


def test_of_two_that_begin_at_the_same_moment_one_writes_and_the_other_is_refused(
    prepared_books: OdooBooks,
) -> None:
    both = [opened(prepared_books, name) for name in ("one", "two")]

    def write(number: int) -> Failure | None:
        try:
            both[number].upsert_partners([another(number)])
        except TransientFailure as refused:
            return refused
        return None

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(write, range(2)))
    (refused,) = (one for one in ended if one is not None)
    assert isinstance(refused, Busy)
    loser = ended.index(refused)
    made = [("email", "in", [another(0).email, another(1).email])]
    assert prepared_books.do("res.partner", "search_count", made) == 1
    assert lease(prepared_books)[0] == ("two", "one")[loser]


def test_the_lease_of_a_writer_that_was_killed_lapses_by_itself(prepared_books: OdooBooks) -> None:
    opened(prepared_books, "one").upsert_partners([another(1)])
    two = OdooLedger(prepared_books.connection(), SETTINGS)
    told: list[str] = []

    def waited(name: str) -> None:
        told.append(name)
        lapse_lease(prepared_books)

    assert two.begin_writing(Writer(deployment="two", name="fcb run 2", waits=waited))
    two.upsert_partners([another(2)])
    assert told[0].startswith("fcb run of one, since 20")
    assert lease(prepared_books)[::3] == ["two", "fcb run 2"]


def test_the_lease_begins_once_and_is_renewed_with_each_write(prepared_books: OdooBooks) -> None:
    one = opened(prepared_books, "one")
    one.upsert_partners([another(1)])
    first = lease(prepared_books)
    sleep(1.1)
    one.upsert_partners([another(2)])
    second = lease(prepared_books)
    assert (second[0], second[1], second[3]) == (first[0], first[1], first[3])
    assert int(second[2]) > int(first[2])


def test_the_daily_user_s_rights_are_enough(prepared_books: OdooBooks) -> None:
    daily = prepared_books.as_user("invoicing", "contacts")
    one, two = opened(daily, "one"), opened(daily, "two")
    one.upsert_partners([another(1)])
    with pytest.raises(Busy, match="fcb run of one"):
        two.upsert_partners([another(2)])


def test_it_costs_no_further_call(prepared_books: OdooBooks) -> None:
    ledger = OdooLedger(prepared_books.connection(), SETTINGS)
    ledger.describe()
    calls = ledger.connection.calls
    ledger.begin_writing(Writer(deployment="one", name="fcb run 1"))
    assert ledger.connection.calls == calls
    ledger.upsert_partners([another(1)])
    named = ledger.connection.calls - calls
    ledger.begin_writing(Writer())
    calls = ledger.connection.calls
    ledger.upsert_partners([another(2)])
    assert ledger.connection.calls - calls == named


def test_who_waits_too_long_is_refused_by_the_name_of_the_other(
    prepared_books: OdooBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odoo_books, "PATIENCE", 0.0)
    opened(prepared_books, "one").upsert_partners([another(1)])
    with pytest.raises(Busy, match=r"fcb run of one, since .*did not end within 0 s.*fcb sync"):
        opened(prepared_books, "two")


@pytest.mark.parametrize("value", ["", "two", "two now then who", "two 9 99999999999 who"])
def test_a_lease_that_a_person_edited_keeps_nobody(prepared_books: OdooBooks, value: str) -> None:
    opened(prepared_books, "one").upsert_partners([another(1)])
    (row,) = prepared_books.do("ir.config_parameter", "search", [("key", "=", LEASE_KEY)])
    prepared_books.do("ir.config_parameter", "write", [row], {"value": value or " "})
    two = opened(prepared_books, "two")
    two.upsert_partners([another(2)])
    assert lease(prepared_books)[0] == "two"
