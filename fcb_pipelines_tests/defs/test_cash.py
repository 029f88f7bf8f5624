"""Cash through the graph: a posted company whose balance ties out, payout by payout, with cash on."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fcb_pipelines.config import settings
from fcb_pipelines.connectors.failures import NotPrepared
from fcb_pipelines.core.cash.balance import BalanceRow, PayoutRow
from fcb_pipelines.core.cash.clearing import clearing
from fcb_pipelines.core.cash.entries import entries_of
from fcb_pipelines.core.cash.journal import JournalRow
from fcb_pipelines.core.cash.settled import SettledCash, booked_cash
from fcb_pipelines.core.codes import CashKind, CashReason
from fcb_pipelines.core.facts.cash import BalanceTransaction, Payout, ReportedBalance
from fcb_pipelines.core.ledger.cash import LedgerStatement
from fcb_pipelines.core.ledger.moves import MoveState
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.defs.cash.writing import open_months
from fcb_pipelines.defs.reconciliation.cash_report import CashReport
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import connections, keys
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.cash_world import (
    OVER_CASH,
    PAYOUTS,
    REPORTED,
    TRANSACTIONS,
    Cash,
    closed_with_cash,
    turn_on,
)
from fcb_pipelines_tests.defs.world import PERIODS, Snapshot, World, running, why
from fcb_pipelines_tests.odoo_server import OdooServer

AT_SOURCE = ("stripe_balance_ties_out", "every_payout_adds_up", "every_transaction_is_explained")


@pytest.fixture
def cash(
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    all_posted: Callable[[], Snapshot],
) -> Iterator[Cash]:
    with running(tmp_path / "cash", postgres, new_database, like=all_posted()) as world:
        turn_on(world)
        yield Cash(world=world)
    settings.current.cache_clear()


def test_a_posted_company_ties_out_and_every_settlement_reached_the_balance(cash: Cash) -> None:
    cash.prove()
    assert cash.outcomes() == dict.fromkeys(AT_SOURCE, Outcome.PASS)
    (balance,) = cash.rows(keys.BALANCE_ROWS, BalanceRow)
    (reported,) = cash.rows(REPORTED, ReportedBalance)
    assert (balance.difference, balance.listed, balance.held) == (0, 0, 0)
    assert balance.booked == balance.moved == reported.amount
    assert {kind.kind for kind in balance.kinds} == {
        CashKind.CHARGE, CashKind.PAYOUT, CashKind.FEE, CashKind.TAX
    }  # fmt: skip
    assert all(row.claimed == row.amount for row in cash.rows(keys.PAYOUT_ROWS, PayoutRow))

    placed = cash.placements()
    assert {each.reason for each in placed} == {None, CashReason.OTHER_SERVICE}
    # The books hold the settlements; each has met its charge, Lago's too, and nothing is left over.
    plain = settings.current().model_copy(update={"cash": None})
    held = connections.ledger(cash.world.found, plain).read_settlements(None)
    posted = [one.settlement for one in held if one.state is MoveState.POSTED]
    booked = booked_cash(posted, settings.current())
    assert {row.key.partition(":")[0] for row in booked} == {"stripe", "lago"}
    assert clearing(booked, entries_of(placed), {"2026-05": date(2026, 5, 31)}, {}) == ()

    # What can change no more is not read again, and is placed the same.
    settled = cash.rows(keys.CASH_SETTLED, SettledCash)
    cash.prove()
    assert cash.placements() == placed
    assert cash.rows(keys.CASH_SETTLED, SettledCash) == settled
    again = cash.run("month_of_cash", "2026-03")
    assert {again.metadata[key]["calls"] for key in (TRANSACTIONS, PAYOUTS)} == {0}


def test_a_ledger_that_does_not_keep_cash_is_refused_before_anything_is_written(
    cash: Cash, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_ledger", lambda found, company: SimpleNamespace())
    with pytest.raises(NotPrepared, match="cash: off"):
        connections.ledger(cash.world.found, settings.current())


def test_what_was_placed_is_written_once_and_the_books_explain_what_is_open(cash: Cash) -> None:
    cash.prove()
    drafts = cash.run("write_cash", "2026-04")
    assert drafts.success, why(drafts)
    assert drafts.metadata[keys.STATEMENT_LINES]["written"] == 0, "posting is draft"
    for times in (1, 0):
        written = [run.metadata[keys.STATEMENT_LINES]["written"] for run in cash.write()]
        assert sum(written) == times * len(entries_of(cash.placements()))
    cash.look()
    results = cash.gates()
    assert {name: one.detail for name, one in results.items()} == {
        name: one.proves for name, one in results.items()
    }
    assert results.keys() == OVER_CASH
    assert open_months(cash.world.frames) == set()

    # A statement a payout that comes to nothing, and one of what no payout claims; the balance is asserted at
    # each payout and at each month's end.
    stated = [one.statement for one in cash.rows(keys.STATEMENTS, LedgerStatement)]
    found = [row for period in PERIODS for row in cash.rows(PAYOUTS, Payout, period)]
    payouts = sorted(found, key=lambda row: row.created)
    assert [one.ref for one in stated[:-1]] == [row.ref for row in payouts]
    assert {one.closing for one in stated[:-1]} == {0}
    (reported,) = cash.rows(REPORTED, ReportedBalance)
    assert (stated[-1].name, stated[-1].closing) == (PERIODS[-1], reported.amount)
    assert sum(len(one.entries) for one in stated) == len(entries_of(cash.placements()))
    rows = cash.rows(keys.JOURNAL, JournalRow)
    assert {row.date for row in rows} >= {row.date for row in payouts}
    assert len(rows) > len(payouts)
    assert cash.directives() == len(rows)
    again = cash.look()
    assert (again.metadata[keys.STATEMENTS]["written"], cash.directives()) == (0, len(rows))

    # The same in the status, in the close report, and of one payout.
    proof = FrameReport(cash.world.frames)
    told = proof.status()["cash"]
    assert told is not None
    assert told["payouts"] == {"paid": len(payouts)}
    assert (told["statements"], told["under_way"], told["to_explain"]) == (len(stated), [], 0)
    report = CashReport(frames=cash.world.frames)
    sections = [report.section(period) for period in PERIODS]
    closings = [one["roll_forward"][0]["closing"] for one in sections if one]
    openings = [one["roll_forward"][0]["opening"] for one in sections if one]
    assert openings == [0, *closings[:-1]]
    assert closings[-1] == told["balances"][0]["reported"]
    story = report.payout(payouts[0].id)
    assert story is not None
    lines = story["transactions"] or ()
    assert sum(line["net"] for line in lines) == payouts[0].amount
    known = {each["number"] for each in proof.status()["documents"]}
    named = {each["number"] for line in lines for each in line["documents"]}
    assert named
    assert named <= known

    # What a person does to an entry is named, and the entry stays as it is.
    charge = next(each for each in cash.placements() if each.kind is CashKind.CHARGE)
    period = charge.date.strftime("%Y-%m")
    cash.world.edit_journal(
        lambda text: text.replace('label: "charge: stripe_fee"', 'label: "edited"', 1),
        period=period,
    )
    facts = [run.metadata[keys.STATEMENT_LINES] for run in cash.write()]
    assert [sum(one[name] for one in facts) for name in ("written", "differ")] == [0, 1]
    cash.look()
    found = cash.gates()["cash_equals_intent"]
    assert (found.outcome, found.count) == (Outcome.FAIL, 1)
    assert "ledger" in found.detail


# A change of the source's own list, and what the gates say of it.
def one_cent(rows: list[dict[str, Any]]) -> None:
    rows[5] |= {"amount": rows[5]["amount"] + 1, "net": rows[5]["net"] + 1}


def one_lost(rows: list[dict[str, Any]]) -> None:
    del rows[5]


@pytest.mark.parametrize("change", [one_cent, one_lost])
def test_a_balance_that_its_transactions_do_not_come_to_is_named(
    cash: Cash, change: Callable[[list[dict[str, Any]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with cash.world.objects("stripe/balance_transactions") as rows:
        true = sum(row["net"] for row in rows)
        change(rows)

    def reported(transactions: Any) -> dict[str, Any]:
        parts = [{"amount": true, "currency": "cad", "source_types": {}}]
        return {"object": "balance", "livemode": True, "available": parts, "pending": []}

    monkeypatch.setattr("fcb_pipelines.sandbox.stripe_server.reported_balance", reported)
    cash.prove()
    failed = {name for name, outcome in cash.outcomes().items() if outcome is Outcome.FAIL}
    assert failed == {"stripe_balance_ties_out", "every_payout_adds_up"}
    assert "CAD too much" in cash.gates()["stripe_balance_ties_out"].detail
    assert "its transactions come to" in cash.gates()["every_payout_adds_up"].detail


def test_a_month_that_is_not_built_keeps_the_balance_from_being_proved(cash: Cash) -> None:
    assert cash.run("extract_cash").success
    assert cash.run("month_of_cash", PERIODS[-1]).success
    assert cash.run("prove_cash").success
    found = cash.gates()["stripe_balance_ties_out"]
    assert found.outcome is Outcome.FAIL
    assert f"{PERIODS[0]} is not built: stripe/balance_transactions" in found.detail


def test_a_list_that_is_not_whole_is_not_booked_from(cash: Cash) -> None:
    cash.world.stripe_faults.forbidden = frozenset({"payouts"})
    assert cash.run("extract_cash").success
    run = cash.run("month_of_cash", PERIODS[0])
    assert not run.success
    assert any("required permissions" in each for each in run.failures)
    assert cash.rows(TRANSACTIONS, BalanceTransaction, PERIODS[0])


@pytest.mark.odoo
def test_the_journal_in_a_real_odoo_has_the_balance_of_stripe_and_the_books_of_the_embedded_ones(
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    closed: World,
    odoo_server: OdooServer,
) -> None:
    embedded = closed_with_cash(closed)
    books = odoo_server.with_cash()
    with running(tmp_path / "odoo", postgres, new_database, odoo=books) as world:
        world.close()
        told = closed_with_cash(world)
        (journal,) = books.do(
            "account.journal",
            "search_read",
            [("code", "=", "NCSTR")],
            ["current_statement_balance"],
        )
        states = books.do("account.bank.statement", "search_read", [], ["is_complete", "is_valid"])
    settings.current.cache_clear()
    assert told == embedded
    assert (told["failed"], told["warned"], told["again"]) == ({}, {}, [0, 0])
    assert told["judged"] == sorted(OVER_CASH)
    assert told["journal"][-1][-1] == told["reported"] != 0
    assert round(100 * journal["current_statement_balance"]) == told["reported"]
    assert len(states) == len(told["statements"])
    assert all(one["is_complete"] and one["is_valid"] for one in states)
