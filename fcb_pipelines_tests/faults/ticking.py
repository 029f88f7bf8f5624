"""The project's definitions as the daemon of a fault loads them: all automation on, the schedule at other times.

FCB_TEST_CRON says when the sync ticks; sensors look every five seconds.
"""

import os
from typing import Any

import dagster as dg

from fcb_pipelines import definitions
from fcb_pipelines.defs.automation.jobs import extract

# Dagster takes the first definitions that a module has a name for, unless it is told which.
_PROJECT: dg.Definitions = definitions.defs()


@dg.schedule(
    job=extract,
    cron_schedule=os.environ["FCB_TEST_CRON"],
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_ledger_sync(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The project's schedule, whose ticks are told apart by their minute."""
    tick = context.scheduled_execution_time.isoformat()
    return dg.RunRequest(run_key=f"extract:{tick}", tags={"fcb/tick": tick})


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
    sensors=[_on(one) for one in _PROJECT.sensors or () if one.name != "new_invoices_at_source"],
)
