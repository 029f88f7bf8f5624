"""The sensors that continue a sync: extract -> the window's months -> the proof. All off by default.

Each request has a run key made of the extract's run, so a sensor evaluated twice requests one run.
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from fcb_pipelines.defs.automation.jobs import extract, month, prove
from fcb_pipelines.defs.automation.window import touched_months, window
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines.defs.runtime.resources import (
    LedgerResource,
    ReadBackLogResource,
    StoreResource,
)
from fcb_pipelines.instance.dead_runs import end_dead_runs, hanging_runs

# A month that another month of the same sync changed is built a second time, and not a third.
_FIRST, _SECOND = "first", "second"

_ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[extract],
    request_jobs=[month, prove],
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Once an extract is done, one run for each month of the window.",
)
def months_after_extract(
    context: dg.RunStatusSensorContext,
    store: StoreResource,
    ledger: LedgerResource,
    read_back_log: ReadBackLogResource,
) -> Iterator[dg.RunRequest]:
    """Once an extract is done, one run for each month of the window; where it has none, the proof."""
    run = context.dagster_run
    frames = store.frames()
    snapshot = frames.read(keys.COPIES.path)
    tags = {
        keys.EXTRACT_TAG: run.run_id,
        keys.SNAPSHOT_TAG: str(snapshot.attrs.get("snapshot", "")) if snapshot is not None else "",
    }
    periods = window(frames, ledger.open(), read_back_log.open(), store.decisions())
    if not periods:
        yield _proof(run.run_id, tags)
    for period in periods:
        yield dg.RunRequest(
            run_key=f"{run.run_id}:{period}",
            job_name=month.name,
            partition_key=period,
            tags={**tags, keys.WINDOW_TAG: str(len(periods)), keys.ROUND_TAG: _FIRST},
        )


def _after_all_have_ended(
    context: dg.RunStatusSensorContext, store: StoreResource, ledger: LedgerResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Once the last month of a round has ended: the changed months again, and then the proof."""
    tags = context.dagster_run.tags
    extract_run, expected = tags.get(keys.EXTRACT_TAG), tags.get(keys.WINDOW_TAG)
    if extract_run is None or expected is None:
        yield dg.SkipReason("not a month of a sync")
        return
    which = {keys.EXTRACT_TAG: extract_run, keys.ROUND_TAG: tags.get(keys.ROUND_TAG, _FIRST)}
    ended = context.instance.get_runs_count(
        dg.RunsFilter(job_name=month.name, tags=which, statuses=_ENDED)
    )
    if ended < int(expected):
        yield dg.SkipReason(f"{ended} of {expected} months have ended")
        return
    kept = {name: tags[name] for name in (keys.EXTRACT_TAG, keys.SNAPSHOT_TAG)}
    first = which[keys.ROUND_TAG] == _FIRST
    again = touched_months(store.frames(), ledger.open()) if first else ()
    for period in again:
        yield dg.RunRequest(
            run_key=f"{extract_run}:{period}:{_SECOND}",
            job_name=month.name,
            partition_key=period,
            tags={**kept, keys.WINDOW_TAG: str(len(again)), keys.ROUND_TAG: _SECOND},
        )
    if not again:
        yield _proof(extract_run, kept)


def _proof(extract_run: str, tags: Mapping[str, str]) -> dg.RunRequest:
    return dg.RunRequest(run_key=f"{extract_run}:prove", job_name=prove.name, tags=tags)


def _proof_after(name: str, status: dg.DagsterRunStatus, says: str) -> dg.RunStatusSensorDefinition:
    """The sensor of this name, which `says` what it does once the last month to end has ended so."""

    @dg.run_status_sensor(
        name=name,
        description=says,
        run_status=status,
        monitored_jobs=[month],
        request_jobs=[month, prove],
        default_status=dg.DefaultSensorStatus.STOPPED,
    )
    def proof_after(
        context: dg.RunStatusSensorContext, store: StoreResource, ledger: LedgerResource
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        yield from _after_all_have_ended(context, store, ledger)

    return proof_after


proof_after_months = _proof_after(
    "proof_after_months",
    dg.DagsterRunStatus.SUCCESS,
    "Once every month of a sync has ended, the changed months again, and then the proof.",
)
proof_after_failed_months = _proof_after(
    "proof_after_failed_months",
    dg.DagsterRunStatus.FAILURE,
    "The same where the last month to end has failed: the proof then names it.",
)
proof_after_canceled_months = _proof_after(
    "proof_after_canceled_months",
    dg.DagsterRunStatus.CANCELED,
    "The same where the last month to end was canceled: the proof is made of what was built.",
)


@dg.sensor(
    job=extract,
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.STOPPED,
    required_resource_keys={*keys.SOURCES},
    description="Between the daily syncs: an extract when the newest invoices of a source have changed.",
)
def new_invoices_at_source(
    context: dg.SensorEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """Between the daily syncs: an extract when the newest invoices of a source have changed.

    The cursor is only a hint. The daily sync finds the changes that it misses (an old invoice).
    """
    opened = (getattr(context.resources, name).open() for name in keys.SOURCES)
    seen = " ".join(source.newest() for source in opened)
    if context.cursor == seen:
        return dg.SkipReason("the newest invoices are as they were")
    context.update_cursor(seen)
    return dg.RunRequest(tags={"fcb/because": "new invoices at the source"})


@dg.sensor(
    # The daemon calls it, and it launches nothing; without it dead runs would fill the queue in silence.
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Puts runs whose process is gone on record as failed, so that the queue goes on. Leave it on.",
)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Puts runs whose process is gone on record as failed, so that the queue goes on."""
    ended = end_dead_runs(context.instance)
    for one in ended:
        context.log.error("%s was put on record as failed: %s", one, one.why)
    hanging = hanging_runs(context.instance)
    for one in hanging:
        context.log.error("%s hangs: %s; fcb doctor --fix ends it", one, one.why)
    if not ended and not hanging:
        return dg.SkipReason("every run on record as running is alive")
    return dg.SkipReason(f"{len(ended)} dead runs ended, {len(hanging)} hang")
