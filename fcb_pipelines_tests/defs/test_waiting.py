"""A month before the last two that holds nothing waits for its money: it is built where what concerns it changed.

Each row changes one thing in months that were built twice, of which the second build changed nothing. The last two
months are built whatever changed.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pandas as pd
import pytest

from fcb_pipelines.connectors.beancount.ledger import BeancountLedger
from fcb_pipelines.connectors.store.frames import read_attrs, read_frame, write_frame
from fcb_pipelines.core.proof.basis import LONGEST_WAIT
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.defs.automation import window
from fcb_pipelines.defs.close import assets as close_assets
from fcb_pipelines.defs.metering.freshness import as_measured
from fcb_pipelines.defs.reconciliation import basis
from fcb_pipelines.defs.runtime import keys, partitions
from fcb_pipelines_tests.defs.journal import edit_entry, replacing
from fcb_pipelines_tests.defs.test_events import change as paying
from fcb_pipelines_tests.defs.test_unchanged import (
    a_lock,
    a_partner,
    a_setting,
    an_acknowledgement,
    another_version,
    edited,
    synced,
)
from fcb_pipelines_tests.defs.world import PERIODS, Snapshot, World, why

FEBRUARY, MARCH, *LAST = PERIODS
Change = Callable[[World, pytest.MonkeyPatch], object]


@pytest.fixture
def waiting(
    snapshot: Callable[..., Snapshot],
    a_copy_of: Callable[[Snapshot], AbstractContextManager[World]],
) -> Iterator[World]:
    """The dataset whose first invoice of March is not paid, after syncs of which the last had nothing to build."""

    def make(world: World) -> None:
        paying(world, paid=False, number="NXC-0001")
        world.close()
        assert [synced(world) for _ in range(2)] == [(MARCH, *LAST), ()]

    with a_copy_of(snapshot("waiting", make)) as world:
        yield world


def at_stripe(period: str, **change: Any) -> Change:
    """One invoice of this month is another at its source."""

    def changed(world: World, _: pytest.MonkeyPatch) -> None:
        numbers = {
            each["number"] for each in world.status()["documents"] if each["period"] == period
        }
        with world.objects("stripe/invoices") as invoices:
            next(each for each in invoices if each["number"] in numbers).update(change)
        assert world.extract().success

    return changed


def a_price(world: World, _: pytest.MonkeyPatch) -> None:
    """Of a plan that nobody had in March."""
    with world.table("plans") as rows:
        rows[0]["price_monthly"] = "99999.00"
    assert world.extract().success


def of_a_new_customer(world: World, _: pytest.MonkeyPatch) -> None:
    with world.table("users") as rows:
        rows.append(
            {
                **rows[-1],
                "id": str(UUID(int=9)),
                "email": "new@example.com",
                "stripe_customer_id": "",
            }
        )
    assert world.extract().success


def in_march(world: World, _: pytest.MonkeyPatch) -> None:
    """A person's edit of the first document of March."""
    moves = world.ledger.read_moves()
    move = next(each for each in moves if each.document.date.strftime("%Y-%m") == MARCH)
    edit_entry(world, move.ref, replacing(r"^    description: \"", '    description: "Edited '))


def days_later(days: int) -> Change:
    def later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        # Something else changes, too: without it nothing at all is built.
        at_stripe(LAST[-1], footer="A word")(world, monkeypatch)
        then = partitions.today() + timedelta(days=days)
        monkeypatch.setattr(basis, "today", lambda: then)

    return later


def a_gate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate over all months that now comes to something else."""
    real = window.over_all

    def found(*given: Any, **named: Any) -> Any:
        first, *rest = real(*given, **named)
        return (replace(first, outcome=Outcome.FAIL), *rest)

    monkeypatch.setattr(window, "over_all", found)


def a_booking(period: str) -> Change:
    """Another month of before has an entry more, of this month."""

    def booked(world: World, _: pytest.MonkeyPatch) -> None:
        file = world.frames.path(("kept", "booked"), FEBRUARY)
        frame = read_frame(file)
        frame.attrs["booked"] = {**frame.attrs["booked"], period: "another"}
        write_frame(frame, file)
        file = world.frames.path(keys.REPORT.path, FEBRUARY)
        frame = read_frame(file)
        frame.attrs[basis.RESULT] = "another"
        write_frame(frame, file)

    return booked


def the_partners_were_not_proved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a sync was killed before its proof."""
    at_stripe(LAST[-1], footer="A word")(world, monkeypatch)
    file = world.frames.path(keys.RECEIVABLE.path)
    frame = read_frame(file)
    frame.attrs[basis.PARTNERS] = ["of before", frame.attrs[basis.PARTNERS][1]]
    write_frame(frame, file)


def emptied_by_a_person(world: World) -> None:
    """What an account says of itself is filled into its partner: another build would do it again."""
    file = world.books / "partners.beancount"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.strip().startswith(("vat:", "city:"))]
    assert kept != lines
    file.write_text("".join(kept), "utf-8")


def built(world: World, *months: str) -> None:
    runs = [world.extract(), *(world.month(period, post=True) for period in months), world.prove()]
    assert all(run.success for run in runs), why(*runs)


def a_proof_after_an_edit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    emptied_by_a_person(world)
    assert world.prove().success
    at_stripe(LAST[-1], footer="A word")(world, monkeypatch)


def a_sync_of_may_after_an_edit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    emptied_by_a_person(world)
    built(world, LAST[-1])
    at_stripe(LAST[-1], footer="A word")(world, monkeypatch)


def an_edit_between_its_build_and_the_proof(world: World, _: pytest.MonkeyPatch) -> None:
    built(world, MARCH, *LAST)
    emptied_by_a_person(world)
    built(world)


def ends_at(monkeypatch: pytest.MonkeyPatch, world: World, where: Any, name: str) -> None:
    """A build of March that ends there."""

    def ended(*_: Any, **__: Any) -> Any:
        raise RuntimeError("it ended there")

    with monkeypatch.context() as patch:
        patch.setattr(where, name, ended)
        assert not world.month(MARCH, post=True).success


def a_build_that_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    emptied_by_a_person(world)
    assert world.extract().success
    assert MARCH in world.window()
    ends_at(monkeypatch, world, BeancountLedger, "upsert_partners")
    built(world, *LAST)


def lost_items(world: World) -> None:
    """NexaCloud loses the items of an invoice of March."""
    with world.table("invoices") as rows, world.table("invoice_items") as items:
        (own,) = (row["id"] for row in rows if row["invoice_number"] == "NXC-0007")
        items[:] = [item for item in items if item["invoice_id"] != own]
    assert world.extract().success


def a_build_that_ended_before_its_report(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lost_items(world)
    ends_at(monkeypatch, world, close_assets, "close_report")
    built(world, *LAST)


def a_build_that_ended_halfway_of_what_is_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = world.data / "nexacloud" / "invoice_items.csv"
    text = file.read_text("utf-8")
    lost_items(world)
    ends_at(monkeypatch, world, BeancountLedger, "upsert_partners")
    assert world.prove().success
    file.write_text(text, "utf-8")
    at_stripe(LAST[-1], footer="A word")(world, monkeypatch)


def a_customer_with_the_email_of_another(world: World, _: pytest.MonkeyPatch) -> None:
    with world.table("invoices") as rows:
        (owner,) = (row["user_id"] for row in rows if row["invoice_number"] == "NXC-0001")
    with world.table("users") as rows:
        (march,) = (row for row in rows if row["id"] == owner)
        shared = march["billing_email"] or march["email"]
        new = {"id": str(UUID(int=9)), "email": "other@example.com", "billing_email": shared}
        rows.append({**march, **new, "company": "Another Inc.", "stripe_customer_id": ""})
    assert world.extract().success


def a_leak(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = world.frames.path(keys.LEAKS.path)
    frame = read_frame(file)
    more = frame.iloc[[0]].assign(period=MARCH)
    both = pd.concat([frame, more], ignore_index=True)
    both.attrs = frame.attrs
    write_frame(both, file)
    at_stripe(LAST[-1], footer="A word")(world, monkeypatch)


@pytest.mark.parametrize(
    "change",
    [
        at_stripe(LAST[-1], footer="A word"),
        at_stripe(LAST[0], footer="A word"),
        edited(r"^    description: \"", '    description: "Edited '),
        of_a_new_customer,
        a_booking(LAST[0]),
        a_price,
        days_later(LONGEST_WAIT.days - 1),
    ],
    ids=["an invoice of May", "of April", "an edit in May", "a customer", "booked in April", "a price", "six days later"],
)  # fmt: skip
def test_what_does_not_concern_it_leaves_a_waiting_month_alone(
    waiting: World, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    assert waiting.window() == ()
    change(waiting, monkeypatch)
    assert waiting.window() == (*LAST,)


@pytest.mark.parametrize(
    "change",
    [
        at_stripe(MARCH, footer="A word"),
        in_march,
        a_booking(MARCH),
        a_gate,
        a_partner,
        a_lock,
        an_acknowledgement,
        a_setting,
        another_version,
        the_partners_were_not_proved,
        a_proof_after_an_edit,
        a_sync_of_may_after_an_edit,
        an_edit_between_its_build_and_the_proof,
        a_build_that_failed,
        a_build_that_ended_before_its_report,
        a_build_that_ended_halfway_of_what_is_no_more,
        a_customer_with_the_email_of_another,
        a_leak,
        days_later(LONGEST_WAIT.days),
    ],
)
def test_what_concerns_a_waiting_month_is_built(
    waiting: World, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    change(waiting, monkeypatch)
    assert MARCH in waiting.window()


def test_one_that_holds_something_is_built_as_ever(
    waiting: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_stripe(LAST[-1], footer="A word")(waiting, monkeypatch)
    file = waiting.frames.path(keys.DISPOSITIONS.path, MARCH)
    frame = read_frame(file)
    frame.loc[0, "verdict"] = "hold"
    write_frame(frame, file)
    assert waiting.window() == (MARCH, *LAST)


def test_a_build_of_a_month_that_was_left_waiting_would_come_to_the_same(
    waiting: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_a_new_customer(waiting, monkeypatch)
    at_stripe(LAST[-1], footer="A word")(waiting, monkeypatch)
    before = read_attrs(waiting.frames.path(keys.REPORT.path, MARCH))
    assert [synced(waiting) for _ in range(2)] == [(*LAST,), ()]
    assert read_attrs(waiting.frames.path(keys.REPORT.path, MARCH)) == before
    told = waiting.status()
    assert waiting.month(MARCH, post=True).success
    assert waiting.prove().success
    assert waiting.status() == told


def test_a_month_is_measured_anew_where_another_price_or_customer_would_count(
    waiting: World,
) -> None:
    assert as_measured(waiting.frames, PERIODS) == {*PERIODS}
    measured = {
        period
        for period in PERIODS
        if len(read_frame(waiting.frames.path(keys.EXPECTED_CHARGES.path, period)))
    }
    assert measured
    for table, name, value in (("plans", "price_monthly", "99999.00"), ("users", "company", "X")):
        with waiting.table(table) as rows:
            before = [row[name] for row in rows]
            for row in rows:
                row[name] = value
        assert waiting.extract().success
        assert as_measured(waiting.frames, PERIODS).isdisjoint(measured), table
        with waiting.table(table) as rows:
            for row, was in zip(rows, before, strict=True):
                row[name] = was


def test_a_closed_month_whose_build_ended_before_its_report_is_built_again(
    waiting: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paying(waiting, paid=True, number="NXC-0001")
    assert MARCH in synced(waiting)
    synced(waiting)
    assert waiting.window() == ()
    a_build_that_ended_before_its_report(waiting, monkeypatch)
    assert MARCH in waiting.window()
