"""Runs whose process is gone: put on record as failed, their places in queue and pools free again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from fcb_pipelines.instance.leases import LAPSES_AFTER, Leases

_BY_A_PROCESS = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_PARTITION = "dagster/partition"
BEGUN_WITHIN = 3600.0
"""Seconds after which a run that was made and neither queued nor begun is over: its maker died in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangingRun:
    """A run on record as running that nobody executes. `why` says how that is known."""

    run_id: str
    name: str
    why: str

    def __str__(self) -> str:
        """The run in one line."""
        return self.name


def end_dead_runs(instance: dg.DagsterInstance) -> tuple[HangingRun, ...]:
    """Put every run whose lease has lapsed on record as failed, or canceled where that was asked for.

    Free its places in the pools, too. A run that is alive, and one that never had a lease, is left. A run
    that was made an hour ago and never begun is put on record as failed, too.
    """
    leases = leases_of(instance)
    if leases is None:
        return ()
    ended = []
    for lease in leases.all_of():
        if not lease.has_lapsed:
            continue
        run = instance.get_run_by_id(lease.run_id)
        if run is not None and not run.is_finished:
            why = f"process {lease.pid} on {lease.host} is gone: no sign of life for {lease.silent_for:.0f} s"
            ended.append(_end(instance, run, why))
        instance.event_log_storage.free_concurrency_slots_for_run(lease.run_id)
        leases.give_back(lease.run_id)
    ended += [
        _end(instance, run, "it was made and never begun")
        for run in _never_begun(instance, leases.now())
    ]
    return tuple(ended)


def _never_begun(instance: dg.DagsterInstance, now: float) -> Iterator[dg.DagsterRun]:
    made_before = datetime.fromtimestamp(now - BEGUN_WITHIN, UTC)
    never = dg.RunsFilter(statuses=[dg.DagsterRunStatus.NOT_STARTED], created_before=made_before)
    return (record.dagster_run for record in instance.get_run_records(never, limit=100))


def hanging_runs(instance: dg.DagsterInstance) -> tuple[HangingRun, ...]:
    """Every run on record as running for a minute or more that has no lease in force. Reads only.

    None where the storage keeps no leases: nobody can know.
    """
    leases = leases_of(instance)
    if leases is None:
        return ()
    records = instance.get_run_records(dg.RunsFilter(statuses=_BY_A_PROCESS))
    # In this order: a run has its lease before it is on record as running, and until its end is there.
    alive = {lease.run_id for lease in leases.all_of() if not lease.has_lapsed}
    now = leases.now()
    return tuple(
        _hanging(record.dagster_run, f"it has no lease, and started {now - started:.0f} s ago")
        for record in records
        if record.dagster_run.run_id not in alive
        and now - (started := record.start_time or 0) > LAPSES_AFTER
        and not _has_ended(instance, record.dagster_run.run_id)
    )


def _has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def end_hanging_runs(instance: dg.DagsterInstance) -> tuple[HangingRun, ...]:
    """End the dead runs, and those that another version started and that hold no lease either.

    A person asks for it: whether the latter live nobody can know.
    """
    ended = list(end_dead_runs(instance))
    for one in hanging_runs(instance):
        run = instance.get_run_by_id(one.run_id)
        if run is not None and not run.is_finished:
            ended.append(_end(instance, run, one.why))
            instance.event_log_storage.free_concurrency_slots_for_run(one.run_id)
    for run_id in instance.event_log_storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return tuple(ended)


def leases_of(instance: dg.DagsterInstance) -> Leases | None:
    """The leases of an instance; None where its storage keeps none."""
    leases = getattr(instance.run_storage, "leases", None)
    return leases if isinstance(leases, Leases) else None


def in_words(run: dg.DagsterRun) -> str:
    """A run as a person knows it: the start of its id, its job, its period."""
    period = run.tags.get(_PARTITION)
    return f"run {run.run_id[:8]} ({run.job_name}{f' {period}' if period else ''})"


def _end(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str) -> HangingRun:
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, why)
    else:
        instance.report_run_failed(run, why)
    return _hanging(run, why)


def _hanging(run: dg.DagsterRun, why: str) -> HangingRun:
    return HangingRun(run_id=run.run_id, name=in_words(run), why=why)
