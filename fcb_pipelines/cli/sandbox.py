"""`fcb sandbox`: the outside world on one machine."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from fcb_pipelines.cli import options
from fcb_pipelines.cli.env_file import dotenv_text
from fcb_pipelines.cli.screen import emit_json, out, say, table
from fcb_pipelines.cli.work import prepare_ledger, running_sandbox, working_in
from fcb_pipelines.config import environment
from fcb_pipelines.sandbox import session, state
from fcb_pipelines.sandbox.session import DEFAULT_DATASET, Sandbox, open_dataset

app = typer.Typer(
    no_args_is_help=True,
    help="Embedded Postgres, Stripe and Lago stand-ins, a real Odoo 19: all on this machine.",
)

Dataset = Annotated[
    str,
    typer.Option("--dataset", metavar="DIR|NAME", help="A dataset folder, or a packaged name."),
]


@app.command()
def up(
    dataset: Dataset = DEFAULT_DATASET,
    ledger: options.Ledger = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over: delete the data of earlier runs.")
    ] = False,
    export: Annotated[
        bool, typer.Option("--export", help="Print `export NAME=value` lines for a shell.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Start a dataset's sandbox and leave it running for the other verbs.

    Examples:

        fcb sandbox up
        fcb sandbox up --ledger odoo
        eval "$(fcb sandbox up --export)"
    """
    box = _box(dataset, ledger)
    if fresh:
        box.start_over()
    running = box.up()
    with working_in(running.environment, quiet=True) as found:
        prepare_ledger(found, open_dataset(dataset, found.home))
    if as_json:
        emit_json(dict(running.environment))
    elif export:
        for name, value in running.environment.items():
            print(f"export {name}={shlex.quote(value)}")
    else:
        made = table(f"Sandbox of {running.dataset}", "what", "address", "pid")
        for process in running.processes:
            made.add_row(process.name, process.url, str(process.pid))
        made.add_row("postgres", running.environment["FCB_POSTGRES_URL"], "-")
        out().print(made)


@app.command()
def down(
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="DIR|NAME", help="Only this dataset's. Default: all."),
    ] = None,
) -> None:
    """Stop the sandboxes that `up`, `odoo` or `demo --keep` left running. Their data stays.

    Example:

        fcb sandbox down
    """
    home = environment.read().home
    name = open_dataset(dataset, home).name if dataset else None
    stopped = session.down(home, name, say=say)
    out().print(", ".join(stopped) + " stopped" if stopped else "nothing was running")


@app.command()
def env(
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="NAME", help="Whose sandbox, where several run."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Print what a `.env` needs to lead to the running sandbox.

    Every verb that is then started in that folder works there, and so does a webserver. Exit code 2 where no
    sandbox runs, or several do and none is named.

    Example:

        fcb sandbox up && fcb sandbox env > .env
    """
    lent = running_sandbox(environment.read().home, dataset).environment
    if as_json:
        emit_json(dict(lent))
    else:
        print(dotenv_text(lent), end="")


@app.command()
def odoo(dataset: Dataset = DEFAULT_DATASET) -> None:
    """Install (once) and start a real Odoo 19 with the Canadian chart, for a dataset.

    The first time takes about a minute; its code is kept for the next.

    Example:

        fcb sandbox odoo && fcb demo --ledger odoo --keep
    """
    lent = _box(dataset, "odoo").up().environment
    with working_in(lent, quiet=True) as found:
        prepare_ledger(found, open_dataset(dataset, found.home))
    made = table("Odoo 19", "what", "value")
    for name in ("FCB_ODOO_URL", "FCB_ODOO_DATABASE", "FCB_ODOO_USER", "FCB_ODOO_PASSWORD"):
        made.add_row(name, lent[name])
    out().print(made)


@app.command()
def generate(
    folder: Annotated[Path, typer.Argument(help="Folder of the dataset to make.")],
    customers: Annotated[int, typer.Option(help="Billing customers.")] = 50,
    invoices: Annotated[int, typer.Option(help="Invoices over all months.")] = 500,
    months: Annotated[int, typer.Option(help="Months they spread over.")] = 6,
    seed: Annotated[int, typer.Option(help="The same seed gives the same dataset.")] = 1,
) -> None:
    """Make a larger dataset like the packaged one.

    Example:

        fcb sandbox generate ./large --invoices 10000 --customers 800 --months 12
        fcb demo --dataset ./large
    """
    from fcb_pipelines.sandbox.scenarios import generator

    generator.generate(folder, customers=customers, invoices=invoices, months=months, seed=seed)
    out().print(f"dataset: {folder}", soft_wrap=True)


@app.command()
def status(as_json: options.Json = False) -> None:
    """List the running sandboxes with their addresses.

    Example:

        fcb sandbox status
    """
    boxes = state.running(environment.read().home)
    if as_json:
        emit_json({box.dataset: dict(box.environment) for box in boxes})
        return
    made = table("Running sandboxes", "dataset", "what", "address", "pid")
    for box in boxes:
        for process in box.processes:
            made.add_row(box.dataset, process.name, process.url, str(process.pid))
    out().print(made if boxes else "no sandbox runs; start one with: fcb sandbox up")


def _box(dataset: str, ledger: str | None) -> Sandbox:
    asked = {"FCB_LEDGER": ledger} if ledger else {}
    here = environment.read({**os.environ, **asked})
    return Sandbox(
        open_dataset(dataset, here.home),
        here.home,
        ledger=here.ledger,
        odoo_folder=here.odoo_cache,
        say=say,
    )
