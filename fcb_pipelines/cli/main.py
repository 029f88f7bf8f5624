"""The `fcb` command: its verbs, and the messages and exit codes of its problems."""

import os
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from dotenv import load_dotenv
from typer.core import TyperGroup

from fcb_pipelines.cli import (
    alerts,
    books,
    demo,
    dev,
    doctor,
    erase,
    events,
    exceptions,
    explain,
    init,
    ledger,
    post,
    report,
    review,
    sandbox,
    serve,
    services,
    status,
    sync,
)
from fcb_pipelines.cli.exits import Exit, GateStopped
from fcb_pipelines.cli.foreground import kill_is_ctrl_c
from fcb_pipelines.cli.screen import print_whatever_comes, show_failure, show_problem
from fcb_pipelines.cli.storage import lost_storage, report_tries_once
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.connectors.failures import Failure

EPILOG = (
    "Exit codes: 0 done, every gate holds; 1 a gate failed or something differs; "
    "2 wrong arguments, configuration or environment; 3 a connection failed; 130 it was stopped."
)
STOPPED = (
    "It was stopped before its end. What was written stands whole and is found by the next run: the "
    "same command goes on from there."
)


class Verbs(TyperGroup):
    """The verbs of `fcb`. A known problem is a message and an exit code, with --debug a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb. Raises typer.Exit with the exit code of a known problem."""
        try:
            with kill_is_ctrl_c():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            show_problem("Stopped", STOPPED)
            raise typer.Exit(Exit.STOPPED) from None
        except Exception as problem:
            if ctx.params.get("debug"):
                raise
            problem = lost_storage(problem) or problem
            if not isinstance(problem, Failure | ConfigError | GateStopped):
                raise
            if isinstance(problem, GateStopped):
                show_problem("Gate", str(problem))
                raise typer.Exit(Exit.DIFFERENCE) from None
            if isinstance(problem, Failure):
                show_failure(problem)
                raise typer.Exit(Exit.CONNECTION) from None
            show_problem("Configuration", str(problem))
            raise typer.Exit(Exit.USAGE) from None


app = typer.Typer(
    name="fcb",
    cls=Verbs,
    help=(
        "NexaCloud's invoices, verified at Stripe and Lago, posted once to the ledger, and proved."
        "\n\nBegin with: fcb demo"
    ),
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(asked: bool) -> None:
    if asked:
        versions = (f"{name} {metadata.version(name)}" for name in ("fcb_pipelines", "dagster"))
        print(", ".join(versions))
        raise typer.Exit


@app.callback()
def before_every_verb(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of a problem instead of a message.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Print the versions and end."
        ),
    ] = False,
) -> None:
    """Read .env of the working folder; a variable that is already set wins."""
    print_whatever_comes()
    report_tries_once()
    # Customers' data: only the owner may read the files of this command and its children.
    os.umask(0o077)
    load_dotenv(Path(".env"))


app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("doctor")(doctor.doctor)
app.command("sync")(sync.sync)
app.command("review")(review.review)
app.command("post")(post.post)
app.command("status")(status.status)
app.command("report")(report.report)
app.command("explain")(explain.explain)
app.command("erase")(erase.erase)
app.command("serve")(serve.serve)
app.command("dev")(dev.dev)
app.command("books")(books.books)
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(ledger.app, name="ledger")
app.add_typer(exceptions.app, name="exceptions")
app.add_typer(services.app, name="services")
app.add_typer(events.app, name="events")
app.add_typer(alerts.app, name="alerts")


def run() -> None:
    """Entry point of the `fcb` command."""
    app()
