"""`fcb events`: what services were told, what waits, and a person's word on it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.screen import emit_json, out, say, table
from fcb_pipelines.cli.work import connections
from fcb_pipelines.config import settings
from fcb_pipelines.config.environment import Environment
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.connectors.failures import PermanentFailure
from fcb_pipelines.core.company.events import url_fault
from fcb_pipelines.core.events.delivery import Standing, State, Step
from fcb_pipelines.core.events.event import TEST, test_body

BY_HAND = "by hand"

app = typer.Typer(
    no_args_is_help=True,
    help="What services are told: list it, look at it, send it, send it again, test an endpoint.",
)

Ids = Annotated[
    list[str], typer.Argument(help="Ids of events, evt_…, as `fcb events list` shows them.")
]


@app.command("list")
def list_events(
    service: Annotated[str | None, typer.Option("--service", help="Of this service alone.")] = None,
    period: options.Period = None,
    state: Annotated[
        State | None, typer.Option("--state", help="In this state alone; else in any.")
    ] = None,
    dataset: options.OnDataset = None,
    as_json: options.Json = False,
) -> None:
    """Every event that was queued, with the state of its delivery.

    `waiting`: not taken yet; it is tried again by itself. `dead`: tried eight times, or its endpoint is
    gone (410); it waits for `replay` or `drop`, and so do later events of the same document or
    subscription. Exit code 1 where one is dead or has waited for more than a day.

    Examples:

        fcb events list --state dead
        fcb events list --service nexacloud --period 2026-05 --json
    """
    with connections(dataset, quiet=as_json) as found:
        look = _queue(found).look(every=True)
    chosen = [
        one
        for one in look.standings
        if service in (None, one.event.service)
        and period in (None, one.event.period)
        and state in (None, one.state)
    ]
    if as_json:
        emit_json({"events": [_json(one, late=one.is_late(look.now)) for one in chosen]})
    else:
        made = table("Events", "queued", "event", "type", "service", "of", "state", "tries",
                     right=("tries",))  # fmt: skip
        for one in chosen:
            event = one.event
            made.add_row(f"{event.queued_at:%Y-%m-%d %H:%M}", event.id, event.type, event.service,
                         event.subject, _state(one), str(one.tries))  # fmt: skip
        out().print(made)
    if any(one.is_late(look.now) for one in chosen):
        raise typer.Exit(Exit.DIFFERENCE)


@app.command()
def show(
    event_id: Annotated[str, typer.Argument(help="The event's id, evt_….")],
    dataset: options.OnDataset = None,
    as_json: options.Json = False,
) -> None:
    """One event: the very text that is sent, its state, and each try with its answer.

    Example:

        fcb events show evt_2d62114835d9c28854cd40778347fdf0
    """
    with connections(dataset, quiet=as_json) as found:
        standing, body, log = _queue(found).find(event_id)
    if as_json:
        steps = [
            {"at": row.at.isoformat(), "step": row.step, "status": row.status, "detail": row.detail}
            for row in log
        ]
        emit_json({**_json(standing), "body": body, "log": steps})
        return
    made = table("Tries", "at", "step", "answer")
    for row in log:
        made.add_row(f"{row.at:%Y-%m-%d %H:%M:%S}", row.step, row.detail)
    event = standing.event
    out().print(f"{event.id} {event.type} of {event.subject}: {_state(standing)}", soft_wrap=True)
    out().print(body, soft_wrap=True)
    out().print(made)


@app.command()
def deliver(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be sent; send nothing.")
    ] = False,
    dataset: options.OnDataset = None,
    as_json: options.Json = False,
) -> None:
    """Send what is due, as the job `deliver_events` does; of each subject in its order.

    What is not taken is tried again after 2, 4, 8 … minutes, eight times in all. Exit code 1 where an
    event was not taken.

    Examples:

        fcb events deliver --dry-run
        fcb events deliver
    """
    with connections(dataset, quiet=as_json) as found:
        from fcb_pipelines.defs.runtime import connections as connectors

        deliverer = connectors.deliverer(found, settings.current(), BY_HAND, say)
        if dry_run:
            ready = deliverer.ready()
            bodies = deliverer.queue.bodies([one.event.id for one in ready])
        else:
            came = deliverer.deliver()
    if dry_run:
        rows = [{**_json(one), "body": bodies[one.event.id]} for one in ready]
        if as_json:
            emit_json({"would_send": rows})
            return
        made = table("Would be sent", "service", "event", "type", "of")
        for one in ready:
            made.add_row(one.event.service, one.event.id, one.event.type, one.event.subject)
        out().print(made)
        return
    steps = {step.value: count for step, count in came.steps.items()}
    if as_json:
        emit_json({"tries": came.tries, "steps": steps, "waiting": came.waiting})
    else:
        told = ", ".join(f"{count} {step}" for step, count in steps.items()) or "nothing was due"
        out().print(f"{told}; {came.waiting} wait.")
    if came.tries > came.steps.get(Step.DELIVERED, 0):
        raise typer.Exit(Exit.DIFFERENCE)


@app.command()
def replay(
    ids: Ids,
    dataset: options.OnDataset = None,
    as_json: options.Json = False,
) -> None:
    """Send these events again, from the next round on, with eight tries anew.

    The id stays, so that a receiver that has it already can tell. An endpoint that said it is gone (410)
    counts as back once an event of its service is replayed.

    Example:

        fcb events replay evt_2d62114835d9c28854cd40778347fdf0
    """
    with connections(dataset, quiet=as_json) as found:
        _mark(found, ids, Step.REPLAYED, "")
    _say(ids, as_json, "will be sent again by the next round: fcb events deliver, or the sensor.")


@app.command()
def drop(
    ids: Ids,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")],
    dataset: options.OnDataset = None,
    as_json: options.Json = False,
) -> None:
    """Never send these events; those behind them go on. `replay` takes it back.

    Example:

        fcb events drop evt_2d62114835d9c28854cd40778347fdf0 --reason "told by telephone"
    """
    with connections(dataset, quiet=as_json) as found:
        _mark(found, ids, Step.DROPPED, reason)
    _say(ids, as_json, "will not be sent.")


@app.command("test")
def send_test(
    service: Annotated[str, typer.Argument(help="The service's key in the configuration.")],
    url: Annotated[
        str | None, typer.Option("--url", help="Another URL than the configured one.")
    ] = None,
    dataset: options.OnDataset = None,
    as_json: options.Json = False,
) -> None:
    """Send a test event (type `test`), signed like any other, and show the answer. Nothing is queued.

    Exit code 1 where it was not taken.

    Examples:

        fcb events test nexacloud
        fcb events test nexacloud --url https://staging.nexacloud.example/fusion
    """
    with connections(dataset, quiet=as_json) as found:
        answer = _sent(found, service, url)
    if as_json:
        emit_json({"status": answer.status, "detail": answer.detail})
    else:
        out().print(f"{service}: {answer.detail}", soft_wrap=True)
    if answer.status is None or not 200 <= answer.status < 300:
        raise typer.Exit(Exit.DIFFERENCE)


def _sent(found: Environment, service: str, url: str | None) -> Any:
    from fcb_pipelines.connectors.events.sender import Sender
    from fcb_pipelines.defs.runtime import connections as connectors

    company = settings.current()
    if service not in company.told:
        known = ", ".join(company.told) or "none is"
        raise ConfigError(
            f"{service} has no section `events` in the configuration (told of events: {known})"
        )
    endpoint = connectors.endpoints(found, company)[service]
    if url is not None:
        fault = url_fault(url, allow_private=endpoint.allow_private)
        if fault:
            raise ConfigError(f"--url {fault}")
        endpoint = replace(endpoint, url=url)
    now = datetime.now(UTC)
    event_id, body = test_body(service, now)
    return Sender().send(endpoint, event_id=event_id, event_type=TEST, body=body, at=now)


def _mark(found: Environment, ids: list[str], step: Step, reason: str) -> None:
    """Log a person's word on each of these events; all of them must be there."""
    from fcb_pipelines.defs.runtime import connections as connectors

    queue, company = _queue(found), settings.current()
    standings = [queue.find(event_id)[0] for event_id in ids]
    if step is Step.DROPPED:
        for one in standings:
            if one.state is State.DELIVERED:
                raise PermanentFailure(
                    f"dropping {one.event.id}",
                    "it was delivered already, so nothing is left to drop",
                )
    here = connectors.endpoint_digests(company)
    for one in standings:
        endpoint = here.get(one.event.service, "")
        queue.log(step, one.event, endpoint=endpoint, run_id=BY_HAND, detail=reason)


def _say(ids: list[str], as_json: bool, what: str) -> None:
    if as_json:
        emit_json({"events": ids})
    else:
        out().print(f"{', '.join(ids)} {what}", soft_wrap=True)


def _queue(found: Environment) -> Any:
    from fcb_pipelines.defs.runtime import connections as connectors

    return connectors.event_queue(found)


def _state(one: Standing) -> str:
    return (
        f"{one.state} behind {one.behind}"
        if one.behind and one.state is State.WAITING
        else one.state
    )


def _json(one: Standing, **more: Any) -> dict[str, Any]:
    return {
        "id": one.event.id,
        "type": one.event.type,
        "service": one.event.service,
        "subject": one.event.subject,
        "period": one.event.period,
        "state": one.state.value,
        "tries": one.tries,
        "queued_at": one.event.queued_at.isoformat(),
        "next_at": one.next_at.isoformat() if one.state is State.WAITING else None,
        "behind": one.behind if one.state is State.WAITING else None,
        "detail": one.detail,
        **more,
    }
