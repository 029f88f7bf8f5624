"""The sensors that alert: after a proof, after a failed run, and where the daily proof does not come.

What they tell goes to the daemon's log, and to the destinations of FCB_ALERTS. All off by default.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from fcb_pipelines.config import environment
from fcb_pipelines.connectors.alerts import Destinations
from fcb_pipelines.connectors.failures import Unreachable
from fcb_pipelines.core.close.alerts import (
    OVER_ALL,
    Alert,
    Severity,
    alert_of_hanging,
    alert_of_overdue,
    alert_of_proof,
    alert_of_run,
)
from fcb_pipelines.core.proof.gate import GateResult
from fcb_pipelines.defs.automation.jobs import prove
from fcb_pipelines.defs.reconciliation.proof import FrameReport
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.partitions import periods
from fcb_pipelines.defs.runtime.resources import StoreResource
from fcb_pipelines.instance.dead_runs import hanging_runs, in_words

_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
_LONGEST_WAIT = timedelta(hours=2)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[prove],
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Tells which gates fail or warn, once all months are proved.",
)
def alert_after_proof(context: dg.RunStatusSensorContext, store: StoreResource) -> None:
    """Tells which gates fail or warn, once all months are proved."""
    _tell(context, alert_of_proof(gates_by_month(FrameReport(store.frames())), _page(context)))


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.STOPPED, description="Tells every failed run."
)
def failed_run(context: dg.RunFailureSensorContext, store: StoreResource) -> None:
    """Tells every failed run: its job, its month and its message; of a failed proof, its gates."""
    run, page = context.dagster_run, _page(context)
    gates = (
        alert_of_proof(gates_by_month(FrameReport(store.frames())), page)
        if run.job_name == prove.name
        else None
    )
    _tell(context, gates or alert_of_run(in_words(run), context.failure_event.message or "", page))


@dg.sensor(
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Tells, once a day, that the proof is overdue, and each run that hangs or is not begun.",
)
def watchdog(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Tells, once a day, that the daily proof is overdue, and each run that hangs or is not begun."""
    now = datetime.now(UTC)
    alerts = [
        alert_of_overdue(_proved(context.instance), now, _link("")),
        alert_of_hanging(dict(_held_up(context.instance, now)), _link("/runs")),
    ]
    today = now.date().isoformat()
    told = json.loads(context.cursor or "{}")
    for alert in filter(None, alerts):
        if told.get(alert.title) != today:
            _tell(context, alert)
            told[alert.title] = today
    # What was told of a day before may be told again.
    context.update_cursor(json.dumps({title: day for title, day in told.items() if day == today}))
    found = sum(alert is not None for alert in alerts)
    return dg.SkipReason(f"{found} to tell" if found else "the proof came, and no run is held up")


def gates_by_month(report: FrameReport) -> dict[str, tuple[GateResult, ...]]:
    """The gates of each built month, and under `OVER_ALL` those over the extracts and all months."""
    months = ((period, report.month(period)) for period in periods())
    found = {period: tuple(month.gates) for period, month in months if month is not None}
    return {**found, OVER_ALL: report.global_gates()}


def _proved(instance: dg.DagsterInstance) -> datetime | None:
    """When the last proof over all months was complete, whoever ran it."""
    event = instance.get_latest_materialization_event(keys.AMOUNTS)
    return datetime.fromtimestamp(event.timestamp, UTC) if event is not None else None


def _held_up(instance: dg.DagsterInstance, now: datetime) -> Iterator[tuple[str, str]]:
    """The runs that nobody executes, in words, each with how that is known."""
    for one in hanging_runs(instance):
        yield str(one), one.why
    waiting = dg.RunsFilter(statuses=_WAITING, created_before=now - _LONGEST_WAIT)
    for record in instance.get_run_records(waiting, limit=20):
        since = f"{record.create_timestamp:%Y-%m-%d %H:%M}"
        yield in_words(record.dagster_run), f"not begun since {since} UTC"


def _tell(
    context: dg.SensorEvaluationContext | dg.RunStatusSensorContext, alert: Alert | None
) -> None:
    """Write an alert to the daemon's log and send it. Raises Unreachable where no destination took it."""
    if alert is None:
        return
    write = context.log.error if alert.severity is Severity.ERROR else context.log.warning
    write("%s\n%s", alert.title, alert.body)
    found = environment.read()
    if "FCB_ALERTS" not in found.values:
        return
    destinations = Destinations(Path(found.values["FCB_ALERTS"]), plain=found.may_be_plain)
    if refused := destinations.send(alert):
        raise Unreachable(
            f"sending the alert {alert.title!r}", f"not taken by {', '.join(refused)}"
        )


def _page(context: dg.RunStatusSensorContext) -> str:
    return _link(f"/runs/{context.dagster_run.run_id}")


def _link(path: str) -> str:
    page = environment.read().values.get("FCB_DAGSTER_URL", "")
    return f"{page.rstrip('/')}{path}" if page else ""
