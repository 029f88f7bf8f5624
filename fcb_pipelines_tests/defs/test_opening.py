"""Payments of documents of before the cutover, through the whole graph: listed, then booked once."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fcb_pipelines.config import settings
from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.journal import edit_entry, removed
from fcb_pipelines_tests.defs.world import (
    DATASET,
    PERIODS,
    Snapshot,
    World,
    document,
    failed,
    named,
    running,
)

# Before the cutover of 10 March: one in a month that exists, one of a month before all of them.
IN_MARCH, IN_JANUARY = "NXC-0002", "NXC-0004"
NUMBERS = (IN_MARCH, IN_JANUARY)
DAY = 86400


@pytest.fixture
def cutover(
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    snapshot: Callable[..., Snapshot],
) -> Iterator[World]:
    """The dataset as if the books began on 10 March, closed once; payments of before are listed."""
    data = shutil.copytree(DATASET, tmp_path / "data")
    file = data / "dataset.yaml"
    told = yaml.safe_load(file.read_text("utf-8"))
    told["config"] = {**(told.get("config") or {}), "cutover": "2026-03-10"}
    file.write_text(yaml.safe_dump(told), "utf-8")
    like = snapshot("cutover", _closed, data=data)
    with running(tmp_path / "world", postgres, new_database, like=like) as world:
        yield world


def _closed(world: World) -> None:
    with world.objects("stripe/invoices") as invoices:
        (early,) = (each for each in invoices if each["number"] == IN_JANUARY)
        early["effective_at"] -= 60 * DAY
    _paid_later(world, IN_MARCH, 15)
    world.close()


def test_s11_they_are_listed_and_once_the_company_says_so_booked_once(
    cutover: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = cutover.status()
    assert all("cash_without_document" in named(listed, number) for number in NUMBERS)
    assert ("112110", "CAD") not in _balances(cutover)
    assert cutover.window() == PERIODS[2:]

    _policy("settle")
    assert cutover.window() == PERIODS[1:]
    with monkeypatch.context() as patched:
        patched.setattr(BeancountLedger, "settle", _dies_after(BeancountLedger.settle))
        assert not cutover.month("2026-03", post=True).success
    booked = cutover.again()
    assert all(failed(booked, period) == set() for period in (*PERIODS, None))
    for number, month in ((IN_MARCH, "2026-03"), (IN_JANUARY, None)):
        told = document(booked, number)
        assert (told["period"], told["disposition"], told["reason"]) == (
            month,
            "skip",
            "before_cutover",
        )
        assert told["exceptions"] == ["opening_document"]
        assert [each["amount"] for each in told["settlements"]] == [24239]
        assert [each["why"] for each in told["listed"]] == ["opening_document"]
    assert booked["gates"]["cash_without_document"] == booked["gates"]["nothing_is_lost"] == "pass"
    assert _balances(cutover)["112110", "CAD"] == -2 * 24239
    assert cutover.window() == PERIODS[2:]

    books = cutover.books_text()
    assert cutover.again() == booked
    assert cutover.books_text() == books
    _policy("list")
    assert named(cutover.again(), IN_JANUARY) == {"before_cutover", "opening_document"}
    assert cutover.books_text() == books


@pytest.mark.long
def test_s11_what_changes_of_them_moves_the_month_of_the_payment(cutover: World) -> None:
    _policy("settle")
    assert cutover.whole.month("2026-03", post=True).success
    _paid_later(cutover, IN_JANUARY, 1)
    assert cutover.extract().success
    assert cutover.window() == PERIODS[1:]
    cutover.whole.month("2026-03", post=True)
    assert cutover.prove().success
    changed = cutover.status()
    assert "source_changed" in named(changed, IN_JANUARY)
    assert failed(changed, "2026-03") == {"dates_as_intended"}


def test_s11_a_locked_period_lists_them_and_stops_nothing(cutover: World) -> None:
    _policy("settle")
    with (cutover.books / "main.beancount").open("a", encoding="utf-8") as main:
        main.write('\n2026-03-31 custom "lock_date" "payments"\n')
    locked = cutover.again(("2026-03",))
    assert "settlement_period_locked" in named(locked, IN_JANUARY)
    assert [each["why"] for each in document(locked, IN_JANUARY)["listed"]] == [
        "settlement_period_locked"
    ]
    assert failed(locked) == set()
    assert ("112110", "CAD") not in _balances(cutover)


@pytest.mark.long
def test_d3_one_that_a_person_removed_is_told_and_not_written_again(cutover: World) -> None:
    _policy("settle")
    booked = cutover.again(("2026-03",))
    (entry,) = (each["entry"] for each in document(booked, IN_JANUARY)["listed"])
    edit_entry(cutover, entry, removed)
    for _ in range(2):
        told = cutover.again(("2026-03",))
        assert "edited_in_ledger" in named(told, IN_JANUARY)
        assert cutover.ledger.read_settlements([entry]) == ()


def _policy(opening_payment: str) -> None:
    file = Path(os.environ["FCB_CONFIG"])
    config = yaml.safe_load(file.read_text("utf-8"))
    config["policies"]["opening_payment"] = opening_payment
    file.write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    settings.current.cache_clear()


def _paid_later(world: World, number: str, days: int) -> None:
    with (
        world.objects("stripe/invoices") as invoices,
        world.objects("stripe/invoice_payments") as payments,
    ):
        (invoice,) = (each for each in invoices if each["number"] == number)
        (payment,) = (each for each in payments if each["invoice"] == invoice["id"])
        payment["status_transitions"]["paid_at"] += days * DAY


def _balances(world: World) -> dict[tuple[str, str], int]:
    return {(row.account, row.currency): row.balance for row in world.ledger.trial_balance()}


def _dies_after(real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        real(*given, **named)
        raise RuntimeError("died after the ledger had it")

    return call
