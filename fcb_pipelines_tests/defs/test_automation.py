"""The schedule and the sensors: what they ask for, and when."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from fcb_pipelines.defs.automation import sensors
from fcb_pipelines.defs.automation.schedules import daily_ledger_sync
from fcb_pipelines.defs.automation.sensors import (
    months_after_extract,
    proof_after_canceled_months,
    proof_after_failed_months,
    proof_after_months,
)
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.resources import (
    LedgerResource,
    ReadBackLogResource,
    StoreResource,
)
from fcb_pipelines_tests.defs.world import World

RESOURCES = {
    "store": StoreResource(),
    "ledger": LedgerResource(),
    "read_back_log": ReadBackLogResource(),
}
EXTRACT = {keys.EXTRACT_TAG: "an extract", keys.SNAPSHOT_TAG: "a snapshot"}
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
CANCELED = dg.DagsterRunStatus.CANCELED


def test_the_daily_sync_asks_once_for_each_tick() -> None:
    tick = datetime(2026, 6, 1, 6, tzinfo=UTC)
    asked = daily_ledger_sync(dg.build_schedule_context(scheduled_execution_time=tick))
    assert asked.run_key == "extract:2026-06-01"


def test_after_an_extract_each_month_of_the_window_is_asked_for_with_its_snapshot(
    closed: World,
) -> None:
    journal = closed.books / "journal" / "2026-02.beancount"
    text = journal.read_text("utf-8")
    journal.write_text(text.replace('number: "NEX-2026-0001"', 'number: "EDITED"'), "utf-8")
    run = closed.whole.extract().dagster
    assert run is not None
    context = dg.build_run_status_sensor_context(
        sensor_name="months_after_extract",
        dagster_event=_ended("extract", SUCCESS),
        dagster_instance=closed.instance,
        dagster_run=run,
        resources=RESOURCES,
    )
    asked = list(months_after_extract(context))
    assert [each.partition_key for each in asked] == ["2026-02", "2026-04", "2026-05"]
    assert [each.run_key for each in asked] == [
        f"{run.run_id}:{each.partition_key}" for each in asked
    ]
    snapshot = closed.frames.read(keys.COPIES.path).attrs["snapshot"]
    for each in asked:
        assert each.job_name == "month"
        assert each.tags[keys.SNAPSHOT_TAG] == snapshot
        assert each.tags[keys.EXTRACT_TAG] == run.run_id
        assert each.tags[keys.WINDOW_TAG] == "3"


def test_after_an_extract_without_a_month_to_build_the_proof_is_asked_for(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = closed.whole.extract().dagster
    assert run is not None
    monkeypatch.setattr(sensors, "window", lambda *_: ())
    context = dg.build_run_status_sensor_context(
        sensor_name="months_after_extract",
        dagster_event=_ended("extract", SUCCESS),
        dagster_instance=closed.instance,
        dagster_run=run,
        resources=RESOURCES,
    )
    (asked,) = months_after_extract(context)
    assert (asked.job_name, asked.run_key) == ("prove", f"{run.run_id}:prove")


@pytest.mark.parametrize(
    ("sensor", "statuses", "asks"),
    [
        (proof_after_months, [SUCCESS], False),
        (proof_after_months, [SUCCESS, SUCCESS], True),
        (proof_after_months, [SUCCESS, dg.DagsterRunStatus.STARTED], False),
        (proof_after_months, [FAILURE, SUCCESS], True),
        (proof_after_failed_months, [SUCCESS, FAILURE], True),
        (proof_after_failed_months, [FAILURE], False),
        (proof_after_canceled_months, [SUCCESS, CANCELED], True),
        (proof_after_canceled_months, [CANCELED], False),
    ],
)
def test_the_proof_is_asked_for_once_every_month_of_the_last_round_has_ended(
    sensor: Any, statuses: list[dg.DagsterRunStatus], asks: bool
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        tags = {**EXTRACT, keys.WINDOW_TAG: "2", keys.ROUND_TAG: "second"}
        asked = _asked(
            instance, sensor, [_month(instance, status, tags) for status in statuses][-1]
        )
    if not asks:
        assert isinstance(asked, dg.SkipReason)
        return
    assert (asked.job_name, asked.run_key) == ("prove", "an extract:prove")
    assert asked.tags == EXTRACT


def test_a_month_that_somebody_ran_by_hand_asks_for_nothing() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        asked = _asked(instance, proof_after_months, _month(instance, SUCCESS, {}))
    assert isinstance(asked, dg.SkipReason)


def _ended(job: str, status: dg.DagsterRunStatus) -> dg.DagsterEvent:
    what = "PIPELINE_FAILURE" if status is FAILURE else "PIPELINE_SUCCESS"
    return dg.DagsterEvent(event_type_value=what, job_name=job)


def _month(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: dict[str, str]
) -> dg.DagsterRun:
    run = dg.DagsterRun(job_name="month", run_id=str(uuid4()), status=status, tags=tags)
    return instance.add_run(run)


def _asked(instance: dg.DagsterInstance, sensor: Any, run: dg.DagsterRun) -> Any:
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name,
        dagster_event=_ended("month", run.status),
        dagster_instance=instance,
        dagster_run=run,
        resources={"store": StoreResource(), "ledger": LedgerResource()},
    )
    return next(sensor(context))
