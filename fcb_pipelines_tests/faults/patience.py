"""Waiting for something on a machine that may be busy: as long as runs get on, and not by the clock."""

import time
from collections.abc import Callable

import dagster as dg

# So many seconds in which no run began, and none of any had an event, are no work but a standstill: a dead run is on
# record after a minute, a run is launched within five (`daemon._SLOW_MACHINE`).
STANDSTILL = 600
# However it gets on, it is not to go on for ever.
_LONGEST = 7200

_PROGRESS = "select (select count(*) from runs), (select max(id) from event_logs)"


def until(instance: dg.DagsterInstance, is_so: Callable[[], bool], *, every: float = 0.2) -> bool:
    """Whether it came to be so before the runs of this instance stood still; `is_so` is asked each `every` seconds."""
    began = moved = time.monotonic()
    seen = _progress(instance)
    while not is_so():
        time.sleep(every)
        now = time.monotonic()
        if (found := _progress(instance)) != seen:
            seen, moved = found, now
        if now - moved > STANDSTILL or now - began > _LONGEST:
            return is_so()
    return True


def _progress(instance: dg.DagsterInstance) -> tuple[object, ...]:
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        return tuple(connection.exec_driver_sql(_PROGRESS).one())
