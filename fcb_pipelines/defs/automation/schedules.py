"""The daily ledger sync. It is off until the operator turns it on, together with the sensors."""

import dagster as dg

from fcb_pipelines.defs.automation.jobs import extract


@dg.schedule(
    job=extract,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="The extract; the sensors then request the window's months and the proof.",
)
def daily_ledger_sync(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Extract at 06:00 UTC; the sensors then request the window's months and the proof."""
    tick = context.scheduled_execution_time.date().isoformat()
    return dg.RunRequest(run_key=f"extract:{tick}", tags={"fcb/tick": tick})
