"""The project's definitions as the daemon of a fault loads them: all automation on, the schedule at other times.

The sync ticks in the minute after somebody wrote a name into the file FCB_TEST_TICK, once a name: so a tick waits
for the machine, however busy it is. Sensors look every five seconds, one of them at FCB_TEST_BEGIN: a name in it has a
sync begin without the wait for a minute.
"""

import os
from pathlib import Path
from typing import Any

import dagster as dg

from fcb_pipelines import definitions
from fcb_pipelines.defs.automation.jobs import extract

# Dagster takes the first definitions that a module has a name for, unless it is told which.
_PROJECT: dg.Definitions = definitions.defs()


@dg.schedule(
    job=extract,
    cron_schedule="* * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_ledger_sync() -> dg.RunRequest | dg.SkipReason:
    """The project's schedule, whose ticks are told apart by their name."""
    asked = Path(os.environ["FCB_TEST_TICK"])
    if not asked.exists():
        return dg.SkipReason("nobody asked for a tick")
    tick = asked.read_text("utf-8")
    # The key of a schedule's run counts for its own minute alone.
    asked.unlink()
    return dg.RunRequest(run_key=f"extract:{tick}", tags={"fcb/tick": tick})


@dg.sensor(job=extract)
def a_sync_begins() -> dg.RunRequest | dg.SkipReason:
    """What a schedule asks for, at once."""
    asked = Path(os.environ["FCB_TEST_BEGIN"])
    if not asked.exists():
        return dg.SkipReason("nobody asked for a sync")
    # One that is still there at the next look is a key that is known.
    name = asked.read_text("utf-8")
    return dg.RunRequest(run_key=f"extract:{name}", tags={"fcb/tick": name})


def _on(sensor: Any) -> Any:
    """The sensor as an operator turned it on, and quicker."""
    sensor._default_status = dg.DefaultSensorStatus.RUNNING
    sensor._min_interval = 5
    return sensor


defs = dg.Definitions(
    assets=_PROJECT.assets,
    asset_checks=_PROJECT.asset_checks,
    jobs=_PROJECT.jobs,
    resources=_PROJECT.resources,
    executor=_PROJECT.executor,
    loggers=_PROJECT.loggers,
    schedules=[daily_ledger_sync],
    sensors=[
        _on(one)
        for one in (*(_PROJECT.sensors or ()), a_sync_begins)
        if one.name != "new_invoices_at_source"
    ],
)
