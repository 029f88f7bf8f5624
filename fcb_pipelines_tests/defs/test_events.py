"""What a service is told, from a real close to a real receiver: once each, in order, and nothing without it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from standardwebhooks import Webhook

from fcb_pipelines.connectors.events.queue import EventQueue
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.scenarios.builders.files import csv_of
from fcb_pipelines.sandbox.scenarios.builders.services_small import service_tables
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.connectors.events.waits import over
from fcb_pipelines_tests.defs.runs import through_dagster
from fcb_pipelines_tests.defs.world import DEFINITIONS, PERIODS, World, configure, failed, running
from fcb_pipelines_tests.events import SECRET
from fcb_pipelines_tests.packaged import packaged
from fcb_pipelines_tests.receiver import Receiver, receiving

from fcb_pipelines.defs.runtime import connections, keys  # isort: skip - after the world

APRIL, MAY = "2026-04", "2026-05"
NUMBER = "NXC-0009"
VARIABLE = "FCB_NEXACLOUD_EVENTS_SECRET"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of its own."""
    with receiving() as one:
        yield one


@pytest.fixture
def told(fresh: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> World:
    """The dataset, of which NexaCloud is told everything since the year began."""
    monkeypatch.setenv(VARIABLE, SECRET)
    tell(fresh, receiver.url)
    return fresh


def tell(world: World, url: str, service: str = "nexacloud", **changes: Any) -> None:
    """Switch the events of a service on."""
    file = world.data / "dataset.yaml"
    dataset = yaml.safe_load(file.read_text("utf-8"))
    services = Dataset.open(world.data).config()["services"]
    (own,) = (one for one in services if one["key"] == service)
    own["events"] = {
        "url": url,
        "start": "2026-01-01",
        "secrets": [VARIABLE],
        "allow_private": True,
        **changes,
    }
    dataset["config"] = {**dataset.get("config", {}), "services": services}
    file.write_text(yaml.safe_dump(dataset), "utf-8")
    configure(Path(os.environ["FCB_CONFIG"]), world.found, Dataset.open(world.data))


def change(world: World, *, paid: bool, number: str = NUMBER) -> Callable[[], None]:
    """Stripe's invoice is not paid, or is again as it was; what undoes the change."""
    with (
        world.objects("stripe/invoices") as invoices,
        world.objects("stripe/invoice_payments") as payments,
    ):
        invoice = next(one for one in invoices if one["number"] == number)
        (payment,) = (one for one in payments if one["invoice"] == invoice["id"])
        whole = invoice["total"]
        invoice["status"] = "paid" if paid else "open"
        invoice["amount_paid"] = whole if paid else 0
        invoice["amount_remaining"] = 0 if paid else whole
        invoice["attempted"], invoice["attempt_count"] = True, 4
        payment["status"] = "paid" if paid else "open"
        payment["amount_paid"] = whole if paid else None
        day = invoice["effective_at"] + 40 * 86400 if paid else None
        payment["status_transitions"]["paid_at"] = day
        invoice["status_transitions"]["paid_at"] = day
    return lambda: change(world, paid=not paid, number=number)


def sync(world: World, *periods: str) -> None:
    """The extract and these months; all must succeed."""
    runs = [world.extract(), *(world.month(period, post=True) for period in periods)]
    assert all(run.success for run in runs), [run.failures for run in runs]


def deliver(world: World, **config: Any) -> dict[str, Any]:
    """The job `deliver_events`, through Dagster: what it says of itself."""
    from fcb_pipelines.defs.events.delivering import DeliveryConfig

    job = DEFINITIONS.resolve_job_def("deliver_events")
    ops = {"send_events": DeliveryConfig(**config)}
    result = job.execute_in_process(
        instance=world.instance, run_config=dg.RunConfig(ops=ops), raise_on_error=True
    )
    (facts,) = (
        event.step_output_data.metadata
        for event in result.all_node_events
        if event.is_successful_output
    )
    return {name: one.value for name, one in facts.items()}


def queue(world: World) -> EventQueue:
    return connections.event_queue(world.found)


def outbox(world: World, period: str) -> list[str]:
    """The events of a month's outbox, by type."""
    frame = world.frames.read(keys.OUTBOX.path, period)
    assert frame is not None
    return list(frame["type"])


def test_who_does_not_pay_is_told_and_that_they_paid_after_all(
    told: World, receiver: Receiver
) -> None:
    undo = change(told, paid=False)
    sync(told, APRIL)
    assert outbox(told, APRIL) == ["invoice.payment_failed"]
    assert receiver.requests == []
    assert deliver(told)["delivered"] == 1
    (first,) = receiver.taken
    Webhook(SECRET).verify(first.body, first.headers)
    one = first.event
    assert (one["type"], one["number"], one["owed"]) == ("invoice.payment_failed", NUMBER, 5649)
    with told.table("invoices") as rows:
        copy = next(row for row in rows if row["invoice_number"] == NUMBER)
    assert (one["customer"], one["subscription"]) == (copy["user_id"], copy["subscription_id"])
    with told.table("subscriptions") as rows:
        own = next(row for row in rows if row["id"] == copy["subscription_id"])
    assert one["deployment_id"] == own["deployment_id"]

    # Again, whatever is run again: nothing more.
    sync(told, APRIL)
    assert told.month(APRIL, post=True).success
    assert outbox(told, APRIL) == ["invoice.payment_failed"]
    assert deliver(told)["tries"] == 0

    undo()
    sync(told, APRIL)
    assert outbox(told, APRIL) == ["invoice.payment_failed", "invoice.payment_succeeded"]
    assert deliver(told)["delivered"] == 1
    sync(told, APRIL)
    assert deliver(told)["tries"] == 0
    assert [each["type"] for each in receiver.events] == [
        "invoice.payment_failed",
        "invoice.payment_succeeded",
    ]
    assert receiver.events[1]["owed"] == 0


def test_a_subscription_that_ended_and_usage_of_most_of_a_quota_are_told(
    told: World, receiver: Receiver
) -> None:
    with told.table("usage_records") as rows:
        used = rows[0]["subscription_id"]
    with told.table("subscriptions") as rows:
        own = next(row for row in rows if row["id"] == used)
        ended = next(row for row in rows if row["stripe_subscription_id"] and row["id"] != used)
    with told.table("plans") as rows:
        next(row for row in rows if row["id"] == own["plan_id"])["cpu_seconds_quota"] = "1"
    (told.data / "stripe" / "subscriptions.json").write_text(
        f'[{{"id": "{ended["stripe_subscription_id"]}", "object": "subscription", "status": "canceled", '
        '"created": 1767225600, "ended_at": 1779287400}]'
    )
    month = next(iter(sorted({_month_of(row) for row in told_usage(told, used)})))
    sync(told, *dict.fromkeys((month, MAY)))
    deliver(told)
    events = receiver.events
    kinds = {(each["type"], each["subscription"]) for each in events}
    assert ("subscription.terminated", ended["id"]) in kinds
    reached = [
        each["usage"]["percent"]
        for each in events
        if each["subscription"] == used and each["usage"]
    ]
    assert reached[:2] == [80, 100]
    assert {each["type"] for each in events} == {
        "subscription.terminated",
        "usage.threshold_reached",
    }


def told_usage(world: World, subscription: str) -> list[dict[str, str]]:
    with world.table("usage_records") as rows:
        return [row for row in rows if row["subscription_id"] == subscription]


def _month_of(row: dict[str, str]) -> str:
    return row["period_start"][:7]


def test_a_receiver_that_never_takes_it_fails_the_gate_and_stands_in_the_report(
    told: World, receiver: Receiver
) -> None:
    change(told, paid=False)
    sync(told, APRIL)
    receiver.answers = [500] * 8
    for _ in range(8):
        deliver(told)
        over(told.server, told.own_database)
    assert told.prove()
    status = told.status()
    assert failed(status) >= {"events_delivered"}
    assert status["events"] == {
        "told": 1, "delivered": 0, "waiting": 0, "dead": 1, "dropped": 0, "late": 1,
    }  # fmt: skip
    (detail,) = (one for one in status["gate_details"] if one["gate"] == "events_delivered")
    assert "HTTP 500: this is 500" in detail["detail"]
    assert "fcb events replay" in detail["recovery"]
    assert told.run("close_report", APRIL).success
    page = (told.found.data_home / "reports" / f"{APRIL}.html").read_text("utf-8")
    assert "Told to services" in page
    assert queue(told).look().standings[0].event.id in page


def test_without_a_service_that_is_told_nothing_is_asked_and_nothing_is_kept(
    fresh: World,
) -> None:
    change(fresh, paid=False)
    sync(fresh, APRIL)
    assert fresh.prove()
    assert outbox(fresh, APRIL) == []
    assert "/v1/subscriptions" not in fresh.stripe_faults.calls
    with fresh.server.connect(fresh.own_database) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('fcb_events')")
        assert cursor.fetchone() == (None,)
    status = fresh.status()
    assert set(status["events"].values()) == {0}
    assert status["gates"]["events_delivered"] == "pass"


def test_a_key_without_the_right_to_subscriptions_stops_no_sync_and_is_told(
    told: World, receiver: Receiver
) -> None:
    told.stripe_faults.forbidden = frozenset({"subscriptions"})
    sync(told, APRIL)
    assert told.status()["gates"]["subscriptions_are_known"] == "warn"
    assert outbox(told, APRIL) == []


def test_a_round_is_asked_for_only_where_one_is_due_and_a_dry_one_sends_nothing(
    told: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fcb_pipelines.defs.events.delivering import deliver_events_when_due

    def tick() -> Any:
        resources = {"events": (DEFINITIONS.resources or {})["events"]}
        return deliver_events_when_due(
            dg.build_sensor_context(instance=told.instance, resources=resources)
        )

    assert isinstance(tick(), dg.SkipReason)
    change(told, paid=False)
    sync(told, APRIL)
    assert isinstance(tick(), dg.RunRequest)
    assert deliver(told, dry_run=True)["would_send"] == 1
    assert receiver.requests == []
    assert queue(told).look().standings[0].tries == 0
    deliver(told)
    assert isinstance(tick(), dg.SkipReason)

    monkeypatch.delenv(VARIABLE)
    run = through_dagster(DEFINITIONS.resolve_job_def("deliver_events"), told.instance)
    assert not run.success
    assert VARIABLE in run.failures[0]


def test_another_service_is_told_of_its_own_invoices_even_of_a_month_that_nobody_rebuilds(
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    folder = tmp_path / "world"
    with running(folder, postgres, new_database, data=packaged("services-small")) as world:
        tell(
            world,
            receiver.url,
            "nexamaps",
            types=["invoice.payment_failed", "invoice.payment_succeeded"],
        )
        # Nothing is handed in here: a row in its table says whose the invoice is.
        claims = csv_of("service_invoices", service_tables()["service_invoices"])
        (world.data / "nexacloud" / "service_invoices.csv").write_text(claims, "utf-8")
        undo = change(world, paid=False, number="M-0003")
        sync(world, PERIODS[-1])
        assert outbox(world, PERIODS[-1]) == ["invoice.payment_failed"]
        deliver(world)
        sync(world, APRIL, PERIODS[-1])
        assert outbox(world, PERIODS[-1]) == ["invoice.payment_failed"]
        undo()
        sync(world, APRIL)
        deliver(world)
    assert [each["type"] for each in receiver.events] == [
        "invoice.payment_failed",
        "invoice.payment_succeeded",
    ]
    assert {(each["service"], each["number"]) for each in receiver.events} == {
        ("nexamaps", "M-0003")
    }
    assert receiver.events[0]["customer"] == "e003d150-9f2a-5b4b-80f6-a4acf9ec57ec"
