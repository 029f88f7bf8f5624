"""Usage, customers and subscriptions handed in over HTTP, measured as the same from tables."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from fcb_pipelines.api.app import PREFIX, create_app
from fcb_pipelines.api.intake import open_intake
from fcb_pipelines.cli.expected import differences
from fcb_pipelines.config.settings import current
from fcb_pipelines.connectors.store.frames import to_rows
from fcb_pipelines.core.intake.usage import ReceivedUsage
from fcb_pipelines.core.metering.dual_run import MeteringDelta
from fcb_pipelines.core.metering.expected import ExpectedCharge
from fcb_pipelines.core.metering.leaks import Leak
from fcb_pipelines.core.metering.usage import RemarkKind, Usage
from fcb_pipelines.defs.metering import freshness
from fcb_pipelines.defs.metering.freshness import changed_months
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.sandbox.dataset import Dataset
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines.sandbox.pushing import Content, push
from fcb_pipelines.sandbox.pushing import handed_in as pushed_by
from fcb_pipelines.sandbox.scenarios.builders.files import csv_of, pretty
from fcb_pipelines.sandbox.scenarios.builders.services_small import (
    HANDED_IN,
    MAPS_MAPLE,
    MAPS_NORTH,
    PERIODS,
    handed_in,
    nexacloud_tables,
    service_tables,
    subscription_of,
)
from fcb_pipelines_tests.conftest import NewDatabase
from fcb_pipelines_tests.defs.test_events import VARIABLE, change, deliver, tell
from fcb_pipelines_tests.defs.world import World, running, why
from fcb_pipelines_tests.events import SECRET
from fcb_pipelines_tests.packaged import packaged
from fcb_pipelines_tests.receiver import receiving
from fcb_pipelines_tests.serving import served

FOLDER = packaged("services-small")
APRIL, MAY = PERIODS
POSTED, PUSHED = "nexacloud", ("nexadesk", "nexamaps")


def tables_of(folder: Path) -> None:
    """Make the dataset one without an intake: what nexamaps hands in is in the tables."""
    for name, rows in {**nexacloud_tables(), **service_tables()}.items():
        (folder / "nexacloud" / f"{name}.csv").write_text(csv_of(name, rows), "utf-8")
    shutil.rmtree(folder / "intake")
    configured(folder, ())


def all_by_intake(folder: Path) -> None:
    """Make both other services hand in everything, and empty their tables."""
    tables = service_tables()
    for service in PUSHED:
        content = handed_in(tables, service)
        (folder / "intake" / f"{service}.json").write_text(pretty(content), "utf-8")
    for name in (*HANDED_IN, "usage_records"):
        (folder / "nexacloud" / f"{name}.csv").write_text(csv_of(name, []), "utf-8")
    # NexaCloud itself hands in its usage.
    own = [
        {
            "key": f"cpu.{number}", "subscription_id": row["subscription_id"], "metric": "cpu_seconds",
            "quantity": row["cpu_hours"], "period_start": at(row["period_start"]),
            "period_end": at(row["period_end"]), "recorded_at": at(row["created_at"]),
        }
        for number, row in enumerate(nexacloud_tables()["usage_records"])
    ]  # fmt: skip
    (folder / "intake" / "nexacloud.json").write_text(pretty({"usage": own}), "utf-8")
    configured(folder, (*PUSHED, POSTED))


def at(moment: object) -> str:
    """A moment of a table as the intake takes it."""
    return datetime.fromisoformat(str(moment)).isoformat()


def configured(folder: Path, pushed: Collection[str]) -> None:
    """The dataset with these services' records from the intake, and the others' from tables."""
    file = folder / "dataset.yaml"
    described = yaml.safe_load(file.read_text("utf-8"))
    for service in described["config"]["services"]:
        service.pop("origins", None)
        if not pushed:
            service.pop("plans", None)
        if service["key"] in pushed:
            kinds = (
                ("usage",) if service["key"] == POSTED else ("usage", "customers", "subscriptions")
            )
            service["origins"] = dict.fromkeys(kinds, "intake")
            for metric in service["metrics"]:
                metric.pop("column", None)
    file.write_text(yaml.safe_dump(described), "utf-8")


@dataclass(frozen=True)
class Handing:
    """A world with its intake served."""

    world: World
    url: str
    keys: dict[str, str]

    def push(self, service: str, content: Content) -> dict[str, int]:
        """Hand in these records with the service's key."""
        return push(self.url, self.keys[service], content)

    def push_all(self) -> None:
        """Hand in everything of the dataset."""
        for service, content in pushed_by(self.world.data).items():
            self.push(service, content)


@contextmanager
def handing(
    folder: Path, server: EmbeddedPostgres, new_database: NewDatabase, data: Path
) -> Iterator[Handing]:
    with running(folder, server, new_database, data=data) as world:
        intake = open_intake(world.found, current())
        with served(create_app(intake)) as url:
            keys = {service: intake.keys.new(service, "test")[1] for service in (*PUSHED, POSTED)}
            yield Handing(world, url, keys)


def built(world: World) -> None:
    results = [world.extract(), *(world.month(period, post=True) for period in PERIODS)]
    assert all(result.success for result in [*results, world.prove()]), why(*results)


def rows(world: World, key: Any, row_type: Any, period: str | None = None) -> tuple[Any, ...]:
    frame = world.frames.read(key.path, period)
    assert frame is not None
    return to_rows(frame, row_type)


def measured(world: World) -> dict[str, Any]:
    """Everything that the dual run found."""
    monthly = (
        (keys.USAGE, Usage),
        (keys.EXPECTED_CHARGES, ExpectedCharge),
        (keys.METERING_DELTAS, MeteringDelta),
    )
    found = {
        f"{key.to_user_string()} {period}": rows(world, key, kind, period)
        for period in PERIODS
        for key, kind in monthly
    }
    found["leaks"] = rows(world, keys.LEAKS, Leak)
    return {**found, "status": world.status()["metering"]}


def test_usage_over_http_is_measured_to_the_cent_as_the_same_usage_from_tables(
    tmp_path: Path, postgres: EmbeddedPostgres, new_database: NewDatabase
) -> None:
    tables, pushed = (shutil.copytree(FOLDER, tmp_path / name) for name in ("tables", "pushed"))
    tables_of(tables)
    all_by_intake(pushed)
    with running(tmp_path / "world", postgres, new_database, data=tables) as world:
        built(world)
        # Nothing is asked of a table of the intake: none is made.
        with postgres.connect(world.own_database) as connection, connection.cursor() as cursor:
            cursor.execute("select to_regclass('fcb_intake_usage')")
            assert cursor.fetchall() == [(None,)]
        wanted = measured(world)
    with handing(tmp_path / "other", postgres, new_database, pushed) as other:
        other.push_all()
        built(other.world)
        assert measured(other.world) == wanted
        assert differences(Dataset.open(FOLDER).expected or {}, other.world.status()) == ()


@pytest.fixture
def maps(
    tmp_path: Path, postgres: EmbeddedPostgres, new_database: NewDatabase
) -> Iterator[Handing]:
    """The dataset as it is packaged, nexamaps's records handed in, after one close."""
    with handing(tmp_path / "world", postgres, new_database, FOLDER) as found:
        found.push_all()
        built(found.world)
        yield found


def calls(key: str, day: str, quantity: int) -> Content:
    return {
        "usage": [
            {
                "key": key, "subscription_id": subscription_of(MAPS_MAPLE), "metric": "api_calls",
                "period_start": f"{day}T04:00:00Z", "period_end": f"{day}T05:00:00Z", "quantity": quantity,
                "recorded_at": f"{day}T06:00:00Z",
            }
        ]
    }  # fmt: skip


def used(world: World, period: str) -> Usage:
    (found,) = (
        row
        for row in rows(world, keys.USAGE, Usage, period)
        if row.subscription_id == subscription_of(MAPS_MAPLE)
    )
    return found


def test_late_usage_and_corrections_bring_their_month_back_and_no_other(
    maps: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = maps.world
    assert changed_months(world.frames, PERIODS) == frozenset()
    before = used(world, APRIL).quantity
    # April is closed since 10 May: late usage under a key of its own counts all the same.
    assert maps.push("nexamaps", calls("late.1", "2026-04-20", 700))["accepted"] == 1
    assert changed_months(world.frames, PERIODS) == frozenset()
    assert world.extract().success
    assert changed_months(world.frames, PERIODS) == {APRIL}
    assert world.month(APRIL).success
    assert used(world, APRIL).quantity == before + 700
    assert changed_months(world.frames, PERIODS) == frozenset()
    # Another record under a known key of the closed month does not count, and is listed.
    assert maps.push("nexamaps", calls("late.1", "2026-04-20", 9_000_000))["refused"] == 1
    assert world.extract().success
    assert changed_months(world.frames, PERIODS) == {APRIL}
    assert world.month(APRIL).success
    row = used(world, APRIL)
    assert row.quantity == before + 700
    assert [(one.kind, one.value) for one in row.remarks] == [(RemarkKind.REFUSED, 9_000_000)]
    assert world.status()["periods"][APRIL]["gates"]["usage_is_clean"] == "warn"
    # In the open month the same key replaces.
    assert maps.push("nexamaps", calls("may.1", "2026-05-20", 5))["accepted"] == 1
    assert maps.push("nexamaps", calls("may.1", "2026-05-20", 8))["replaced"] == 1
    before = used(world, MAY).quantity
    assert world.extract().success
    assert changed_months(world.frames, PERIODS) == {MAY}
    assert world.month(MAY).success
    assert used(world, MAY).quantity == before + 8
    assert changed_months(world.frames, PERIODS) == frozenset()
    # April was last built from other extracts: it is measured against these once, and not again.
    monkeypatch.setattr(freshness, "usage", lambda *_, **__: pytest.fail("measured anew"))
    assert changed_months(world.frames, PERIODS) == frozenset()


def test_a_month_reads_its_own_records_as_they_were_at_the_extract(maps: Handing) -> None:
    world = maps.world
    starts = {
        period: {
            row.start.astimezone(UTC).month
            for row in rows(world, keys.INTAKE_USAGE, ReceivedUsage, period)
        }
        for period in PERIODS
    }
    assert starts == {APRIL: {4}, MAY: {5}}
    before = rows(world, keys.METERING_DELTAS, MeteringDelta, MAY)
    maps.push("nexamaps", calls("may.2", "2026-05-21", 7_000_000))
    assert world.month(MAY).success
    assert rows(world, keys.METERING_DELTAS, MeteringDelta, MAY) == before


def test_a_service_without_a_row_in_any_table_is_told_who_did_not_pay_what_ended_and_what_is_used_up(
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    new_database: NewDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = shutil.copytree(FOLDER, tmp_path / "data")
    monkeypatch.setenv(VARIABLE, SECRET)
    with receiving() as receiver, handing(tmp_path / "world", postgres, new_database, data) as made:
        made.push_all()
        tell(made.world, receiver.url, "nexamaps")
        change(made.world, paid=False, number="M-0004")
        (north,) = (
            one
            for one in pushed_by(data)["nexamaps"]["subscriptions"]
            if one["id"] == subscription_of(MAPS_NORTH)
        )
        over = {**north, "status": "canceled", "current_period_end": "2026-05-20T04:00:00Z"}
        path = f"{made.url}{PREFIX}/subscriptions/{over.pop('id')}"
        headers = {"Authorization": f"Bearer {made.keys['nexamaps']}"}
        assert httpx.put(path, json=over, headers=headers, trust_env=False).status_code == 200
        built(made.world)
        deliver(made.world)
    told = {
        (one["type"], one["customer"], one["subscription"], one["number"], (one["usage"] or {}).get("percent"))
        for one in receiver.events
    }  # fmt: skip
    maple, north_s = ((who.user_id, subscription_of(who)) for who in (MAPS_MAPLE, MAPS_NORTH))
    assert told == {
        ("invoice.payment_failed", *north_s, "M-0004", None),
        ("subscription.terminated", *north_s, None, None),
        ("usage.threshold_reached", *maple, None, 80),
        ("usage.threshold_reached", *maple, None, 100),
    }
    # In April and in May.
    assert len(receiver.events) == 6
    assert {one["deployment_id"] for one in receiver.events} == {None}


def test_a_customer_that_is_handed_in_is_told_its_partner_and_its_service_its_invoices(
    maps: Handing,
) -> None:
    headers = {"Authorization": f"Bearer {maps.keys['nexamaps']}"}
    with httpx.Client(base_url=maps.url + PREFIX, headers=headers, trust_env=False) as client:
        # Maple by a configured link, North by its email.
        for customer, partner in ((MAPS_MAPLE, "Maple Bakery"), (MAPS_NORTH, "North Dental")):
            link = client.get(f"/customers/{customer.user_id}").json()["link"]
            assert (link["state"], link["partner"]["name"]) == ("linked", partner)
        invoices = client.get("/invoices").json()["invoices"]
        assert {one["number"] for one in invoices} == {"M-0001", "M-0002", "M-0003", "M-0004"}
        assert {(one["state"], one["reason"]) for one in invoices} == {("none", "other_service")}
        plans = client.get("/plans").json()["plans"]
        assert {one["name"] for one in plans} == {"Maps Business", "Maps Small"}
    key = maps.keys[POSTED]
    with httpx.Client(
        base_url=maps.url + PREFIX, headers={"Authorization": f"Bearer {key}"}, trust_env=False
    ) as client:
        invoices = client.get("/invoices").json()["invoices"]
        told = {(one["number"], one["total"], one["state"], one["residual"]) for one in invoices}
        assert told == {
            ("C-0001", 5000, "posted", 0), ("C-0002", 5000, "posted", 0), ("C-0003", 5650, "posted", 0),
        }  # fmt: skip
        assert {one["ledger_number"] for one in invoices} == {"C-0001", "C-0002", "C-0003"}
        assert client.get(f"/invoices/{invoices[0]['ref']}").json() == invoices[0]
