"""The job that sends what is queued, and the sensor that requests it."""

import dagster as dg
from pydantic import Field

from fcb_pipelines.config.settings import current
from fcb_pipelines.defs.runtime.resources import EventsResource

_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


class DeliveryConfig(dg.Config):
    """How the queue is delivered."""

    dry_run: bool = Field(default=False, description="List what would be sent; send nothing.")


@dg.op
def send_events(
    context: dg.OpExecutionContext, config: DeliveryConfig, events: EventsResource
) -> None:
    """Send every event that is due, each subject in its order; a repeat sends nothing twice that was taken."""
    deliverer = events.deliverer(context.run.run_id, context.log.info)
    if config.dry_run:
        ready = deliverer.ready()
        would = "\n".join(f"- {one.event.service} {one.event.id} {one.event.type}" for one in ready)
        context.add_output_metadata(
            {"would_send": len(ready), "events": dg.MetadataValue.md(would)}
        )
        return
    came = deliverer.deliver()
    told = {step.value: count for step, count in came.steps.items()}
    context.add_output_metadata({"tries": came.tries, "waiting": came.waiting, **told})


@dg.job(description="Sends the events that are due to the services' endpoints.")
def deliver_events() -> None:
    """One op; rounds never run beside each other."""
    send_events()


@dg.sensor(
    name=deliver_events.name,
    # By its name: Dagster would make the sensor anew for a job with resources, and warn of it.
    job_name=deliver_events.name,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Requests the job of the same name where an event is due.",
)
def deliver_events_when_due(
    context: dg.SensorEvaluationContext, events: EventsResource
) -> dg.RunRequest | dg.SkipReason:
    """A round of deliveries where an event is due and no round is under way."""
    if not current().told:
        return dg.SkipReason("no service is told of events")
    going = context.instance.get_runs_count(
        dg.RunsFilter(job_name=deliver_events.name, statuses=_UNDER_WAY)
    )
    if going:
        return dg.SkipReason("a round of deliveries is under way")
    ready = events.deliverer("sensor", context.log.info).ready()
    if not ready:
        return dg.SkipReason("no event is due")
    return dg.RunRequest(tags={"fcb/because": f"{len(ready)} events are due"})
