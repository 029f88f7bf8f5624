"""`fcb alerts`: where alerts go, and whether they arrive."""

from pathlib import Path
from typing import Annotated

import typer

from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.screen import say
from fcb_pipelines.config import environment
from fcb_pipelines.connectors.alerts import Destinations
from fcb_pipelines.connectors.failures import Unreachable
from fcb_pipelines.core.close.alerts import Alert, Severity

app = typer.Typer(
    help="Where alerts go (FCB_ALERTS), and whether they arrive; docs/alerts.md.",
    no_args_is_help=True,
)
LOG_ALONE = "FCB_ALERTS names no file: alerts go to the daemon's log alone (docs/alerts.md)"


@app.command("list")
def list_() -> None:
    """List the destinations with the severities that each wants; secrets are left out."""
    destinations = _destinations()
    for name in destinations.names() if destinations else (LOG_ALONE,):
        say(name)


@app.command("test")
def try_out(
    severity: Annotated[
        Severity, typer.Option("--severity", help="Sent to the destinations that want it.")
    ] = Severity.ERROR,
) -> None:
    """Send one alert that says it is a test. Exit code 3 where a destination does not take it.

    Examples:

        fcb alerts test
        fcb alerts test --severity warning
    """
    destinations = _destinations()
    if destinations is None:
        say(LOG_ALONE)
        raise typer.Exit(Exit.USAGE)
    alert = Alert(
        severity=severity,
        title="A test of fcb's alerts",
        lines=("Nothing is wrong: somebody asked whether this arrives (fcb alerts test).",),
    )
    if refused := destinations.send(alert):
        raise Unreachable("sending a test alert", f"not taken by {', '.join(refused)}")
    say(f"sent to every destination that wants severity {severity.value}")


def _destinations() -> Destinations | None:
    found = environment.read()
    file = found.values.get("FCB_ALERTS")
    return Destinations(Path(file), plain=found.may_be_plain) if file else None
