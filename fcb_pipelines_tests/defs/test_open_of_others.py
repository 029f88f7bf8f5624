"""A month that waits tells in its report of the open documents of other months: they are told as a full build would."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from fcb_pipelines_tests.defs.journal import edit_entry, replacing
from fcb_pipelines_tests.defs.test_events import change as paying
from fcb_pipelines_tests.defs.test_unchanged import synced
from fcb_pipelines_tests.defs.world import PERIODS, Snapshot, World, why

MARCH = PERIODS[1]
FIRST = "NEX-2026-0001"
# Of a customer who is billed nothing in March, once the other of its two invoices is dated a month later.
LONELY, OTHER = "cus_HQwe", "NXC-0006"


def _unpaid(world: World, number: str) -> None:
    with world.objects("lago/invoices") as invoices, world.objects("lago/payments") as payments:
        (one,) = (each for each in invoices if each["number"] == number)
        one |= {
            "payment_status": "pending",
            "total_paid_amount_cents": 0,
            "total_due_amount_cents": one["total_amount_cents"],
        }
        payments[:] = [each for each in payments if number not in each["invoice_numbers"]]


@pytest.fixture
def open_in_february(
    snapshot: Callable[..., Snapshot],
    a_copy_of: Callable[[Snapshot], AbstractContextManager[World]],
) -> Iterator[World]:
    """Two invoices of February and one of March are not paid; the last sync had nothing to build."""

    def make(world: World) -> None:
        paying(world, paid=False, number="NXC-0001")
        with world.objects("stripe/invoices") as invoices:
            other = next(each for each in invoices if each["number"] == OTHER)
            other["effective_at"] += 31 * 86400
            other["status_transitions"]["finalized_at"] = other["effective_at"]
        with world.objects("lago/invoices") as invoices:
            lonely = next(
                each for each in invoices if each["customer"]["external_id"] == _lonely(world)
            )
            lonely["issuing_date"] = lonely["payment_due_date"] = "2026-02-20"
        for number in (FIRST, lonely["number"]):
            _unpaid(world, number)
        world.close()
        assert [synced(world) for _ in range(3)][-1] == ()

    with a_copy_of(snapshot("open-in-february", make)) as world:
        yield world


def _lonely(world: World) -> str:
    with world.table("users") as rows:
        (found,) = (row["id"] for row in rows if row["stripe_customer_id"].startswith(LONELY))
    return str(found)


def due_later(world: World) -> None:
    with world.objects("lago/invoices") as invoices:
        next(each for each in invoices if each["number"] == FIRST)["payment_due_date"] = (
            "2026-03-20"
        )


def renamed(world: World) -> None:
    with world.table("users") as rows:
        next(row for row in rows if row["stripe_customer_id"].startswith(LONELY))["company"] = (
            "Renamed"
        )


def booked_by_hand_in_march(world: World) -> None:
    """Its due day stands in the frames of February, the month of its own date."""
    with world.objects("lago/invoices") as invoices:
        for each in invoices:
            if each["number"] == FIRST:
                each["payment_due_date"] = "2026-02-20"
    assert synced(world)
    (ref,) = (one["ref"] for one in _march(world) if one["number"] == FIRST)
    edit_entry(world, ref, replacing(r"^2026-02-03 ", "2026-03-05 "))


@pytest.mark.parametrize("change", [due_later, renamed, booked_by_hand_in_march])
def test_what_another_month_has_open_is_told_as_a_full_build_would(
    open_in_february: World, change: Callable[[World], None]
) -> None:
    world = open_in_february
    change(world)
    synced(world)
    runs = [world.month(period, post=True) for period in world.touched()]
    assert all(run.success for run in runs), why(*runs)
    synced(world)
    assert synced(world) == ()
    told, ages = _march(world), _march(world, "ageing")
    runs = [world.month(period, post=True) for period in PERIODS]
    assert all(run.success for run in runs), why(*runs)
    assert (_march(world), _march(world, "ageing")) == (told, ages)
    first = next(one for one in told if one["number"] == FIRST)
    due = {due_later: "2026-03-20", booked_by_hand_in_march: "2026-02-20"}
    assert first["basis"] == "due"
    assert first["since"] == due.get(change, first["since"])
    assert ("Renamed" in {one["name"] for one in told}) == (change is renamed)


def _march(world: World, section: str = "open_documents") -> list[dict[str, Any]]:
    (file,) = (
        each for each in world.found.data_home.rglob(f"{MARCH}.json") if "before" not in each.parts
    )
    found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))[section]
    return found
