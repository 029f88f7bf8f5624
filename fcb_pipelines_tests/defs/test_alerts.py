"""The sensors that alert: what they tell, to whom, and how often."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from fcb_pipelines.connectors.failures import Unreachable
from fcb_pipelines.core.close.alerts import OVER_ALL
from fcb_pipelines.defs.automation import alerts
from fcb_pipelines.defs.automation.alerts import alert_after_proof, failed_run, watchdog
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.resources import StoreResource
from fcb_pipelines_tests.defs.world import World
from fcb_pipelines_tests.webhook import taking

Tells = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What a real webhook on loopback, the one destination, was told."""
    with taking() as (taken, address):
        file = tmp_path / "alerts.conf"
        file.write_text(f"always = json://{address}/", "utf-8")
        monkeypatch.setenv("FCB_ALERTS", str(file))
        monkeypatch.setenv("FCB_DAGSTER_URL", "https://dagster.example.com/")
        yield taken


def ended(instance: dg.DagsterInstance, sensor: Any, job: str) -> dg.DagsterRun:
    """Evaluate a sensor for a run of a job that ended."""
    failed = sensor is failed_run
    status = dg.DagsterRunStatus.FAILURE if failed else dg.DagsterRunStatus.SUCCESS
    run = instance.add_run(dg.DagsterRun(job_name=job, run_id=str(uuid4()), status=status))
    event = dg.DagsterEvent(
        event_type_value="PIPELINE_FAILURE" if failed else "PIPELINE_SUCCESS",
        job_name=job,
        message="Steps failed: ['documents'].",
    )
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name,
        dagster_event=event,
        dagster_instance=instance,
        dagster_run=run,
        resources={"store": StoreResource()},
    )
    sensor(context.for_run_failure() if failed else context)
    return run


def edit_by_hand(world: World) -> None:
    journal = world.books / "journal" / "2026-02.beancount"
    text = journal.read_text("utf-8")
    journal.write_text(text.replace('number: "NEX-2026-0001"', 'number: "EDITED"'), "utf-8")
    world.months(["2026-02"])
    world.prove()


def test_a_proof_in_which_every_gate_passes_tells_nothing(
    closed: World, told: list[dict[str, Any]]
) -> None:
    ended(closed.instance, alert_after_proof, "prove")
    assert [one for one in told if one["type"] == "failure"] == []


@pytest.mark.parametrize("sensor", [alert_after_proof, failed_run])
def test_a_proof_with_a_failing_gate_tells_gate_month_remedy_and_run(
    closed: World, told: list[dict[str, Any]], sensor: Any
) -> None:
    edit_by_hand(closed)
    run = ended(closed.instance, sensor, "prove")
    (one,) = told
    assert one["type"] == "failure"
    assert "2026-02: read_back_equals_intent fails (1" in one["message"]
    assert "what to do: " in one["message"]
    assert f"https://dagster.example.com/runs/{run.run_id}" in one["message"]


def test_a_failed_run_is_told_with_its_job_and_message(
    closed: World, told: list[dict[str, Any]]
) -> None:
    run = ended(closed.instance, failed_run, "extract")
    (one,) = told
    assert one["title"] == f"Failed: run {run.run_id[:8]} (extract)"
    assert "Steps failed: ['documents']." in one["message"]


def test_without_destinations_the_log_alone_is_told(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FCB_ALERTS", raising=False)
    ended(closed.instance, failed_run, "extract")


def test_where_no_destination_takes_it_the_tick_fails(
    closed: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "alerts.conf"
    file.write_text("always = json://127.0.0.1:9/", "utf-8")
    monkeypatch.setenv("FCB_ALERTS", str(file))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        with pytest.raises(Unreachable, match=r"json://127\.0\.0\.1:9"):
            watchdog(context)
        # It is told again by the next tick.
        assert context.cursor is None


def test_the_watchdog_tells_once_a_day_that_no_proof_came(
    told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        for _ in range(3):
            watchdog(context)
        assert [one["title"] for one in told] == ["Books: the daily proof did not come"]
        context.update_cursor(json.dumps({told[0]["title"]: "2026-01-01"}))
        watchdog(context)
        assert len(told) == 2


@pytest.mark.parametrize(("age", "tells"), [(timedelta(hours=25), 0), (timedelta(hours=27), 1)])
def test_the_watchdog_looks_at_the_last_proof_whoever_ran_it(
    told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, age: timedelta, tells: int
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr("time.time", lambda: (datetime.now(UTC) - age).timestamp())
        instance.report_runless_asset_event(dg.AssetMaterialization(keys.AMOUNTS))
        watchdog(dg.build_sensor_context(instance=instance))
    assert len(told) == tells


def test_after_a_sync_the_watchdog_tells_nothing(closed: World, told: list[dict[str, Any]]) -> None:
    watchdog(dg.build_sensor_context(instance=closed.instance))
    assert [one["title"] for one in told] == ["Books: the daily proof did not come"]
    assert closed.whole.prove().success
    watchdog(dg.build_sensor_context(instance=closed.instance))
    assert len(told) == 1


def test_the_watchdog_tells_of_a_run_that_nobody_begins(
    told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(keys.AMOUNTS))
        run = dg.DagsterRun(
            job_name="month", run_id=str(uuid4()), status=dg.DagsterRunStatus.NOT_STARTED
        )
        instance.add_run(run)
        watchdog(dg.build_sensor_context(instance=instance))
        assert told == []
        monkeypatch.setattr(alerts, "_LONGEST_WAIT", timedelta(seconds=-60))
        watchdog(dg.build_sensor_context(instance=instance))
    (one,) = told
    assert one["title"] == f"1 run hangs: run {run.run_id[:8]} (month)"
    assert f"run {run.run_id[:8]} (month): not begun since" in one["message"]


def test_the_gates_are_those_of_each_month_and_over_all(closed: World) -> None:
    gates = alerts.gates_by_month(alerts.FrameReport(closed.frames))
    assert {"2026-05", OVER_ALL} < {*gates}
