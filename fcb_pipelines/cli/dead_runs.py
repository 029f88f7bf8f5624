"""Pool slots of runs whose process is gone.

A run in this process takes slots like any other, and a killed process never frees them. The daemon's
monitor frees only the slots of runs that it launched itself.
"""

import os
import socket

import dagster as dg
import psutil

PROCESS_TAG = "fcb/process"


def this_process() -> str:
    """The tag of this process's runs: host, pid and start time."""
    return _name(os.getpid())


def free_slots_of_dead_runs(instance: dg.DagsterInstance) -> tuple[str, ...]:
    """Free the slots and queue places of runs that ended or died; return the ids of those runs.

    A run that died is recorded as failed. A run of another host, or one that the daemon launched, is
    left to the daemon's monitor.
    """
    storage = instance.event_log_storage
    waiting: set[str] = set()
    for pool in storage.get_concurrency_keys():
        info = storage.get_concurrency_info(pool)
        waiting |= {slot.run_id for slot in info.claimed_slots}
        waiting |= {step.run_id for step in info.pending_steps}
    freed = [run_id for run_id in sorted(waiting) if _is_over(instance, run_id)]
    for run_id in freed:
        storage.free_concurrency_slots_for_run(run_id)
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, "its process was killed")
    return tuple(freed)


def _is_over(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return True
    named = run.tags.get(PROCESS_TAG, "")
    host, _, rest = named.partition(" ")
    if host != socket.gethostname():
        return False
    return _name(int(rest.partition(" ")[0])) != named


def _name(pid: int) -> str:
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return ""
    return f"{socket.gethostname()} {pid} {started:.2f}"
