"""`fcb exceptions`: what waits for somebody, and what a person decided about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fcb_pipelines.cli import options
from fcb_pipelines.cli.months import checked_periods
from fcb_pipelines.cli.screen import emit_json, money, out, table
from fcb_pipelines.cli.work import connections, open_pipeline, user_name
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.core.close.shapes import QueueJson, QueueRow

app = typer.Typer(invoke_without_command=True)

Name = Annotated[
    str, typer.Argument(metavar="REF|NUMBER", help="The document, as the queue shows it.")
]
Code = Annotated[str, typer.Argument(help="The code, as the queue shows it.")]


@app.callback()
def exceptions(
    ctx: typer.Context,
    period: options.Period = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that somebody acknowledged, too.")
    ] = False,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
    as_json: options.Json = False,
) -> None:
    """Every hold and every exception of all months that are built, in one queue.

    Holds first, the largest amount first; each with the day on which it first appeared, whom it waits for and
    what mends it. From the last builds; nothing is read from a source or the ledger.

    Examples:

        fcb exceptions
        fcb exceptions --period 2026-04 --all
        fcb exceptions acknowledge stripe:acct_1:in_1 nexacloud_differs --note "agreed with J."
    """
    if ctx.invoked_subcommand is not None:
        if period or everything or dataset or ledger or as_json:
            raise ConfigError(f"put the options after `{ctx.invoked_subcommand}`")
        return
    with connections(dataset, ledger, quiet=as_json) as found:
        pipeline = open_pipeline(found)
        if period is not None:
            checked_periods(pipeline, [period])
        told = pipeline.queue.told(period, everything=everything)
    if as_json:
        emit_json(told)
        return
    waiting = [row for row in told["exceptions"] if row["acknowledged"] is None]
    for made in (_waiting(waiting), _acknowledged(told["exceptions"])):
        if made.row_count:
            out().print(made)
    for line in _remedies(waiting):
        out().print(line, soft_wrap=True)
    out().print(_count(told, everything=everything))


@app.command()
def acknowledge(
    name: Name,
    code: Code,
    note: Annotated[str, typer.Option("--note", help="Why it may stay; it is kept.")],
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help="The last day on which this holds."),
    ] = None,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
) -> None:
    """Acknowledge an exception as it is now: it is known, and no longer a point to decide.

    It is kept with your name on this machine. It lapses when anything of the document moves (at its source, in
    NexaCloud's copy, in the ledger), and after the day of --until. Amounts and gates count as before: a
    gate that fails goes on failing.

    Example:

        fcb exceptions acknowledge stripe:acct_1:in_1 nexacloud_differs --note "agreed with J." --until 2026-06-30
    """
    last = until.date() if until else None
    if not note.strip():
        raise ConfigError("--note is empty: say why it may stay")
    with connections(dataset, ledger) as found:
        queue = open_pipeline(found).queue
        ref = queue.acknowledge(name, code, by=user_name(), note=note.strip(), until=last)
    ends = f" or {last} is past" if last else ""
    out().print(
        f"{code} of {ref} is acknowledged until anything of it moves{ends}.", soft_wrap=True
    )


@app.command()
def withdraw(
    name: Name,
    code: Code,
    dataset: options.OnDataset = None,
    ledger: options.Ledger = None,
) -> None:
    """Withdraw an acknowledgement: the exception is a point to decide again.

    Example:

        fcb exceptions withdraw stripe:acct_1:in_1 nexacloud_differs
    """
    with connections(dataset, ledger) as found:
        ref = open_pipeline(found).queue.withdraw(name, code, by=user_name())
    out().print(f"{code} of {ref} is no longer acknowledged.", soft_wrap=True)


def _waiting(rows: Sequence[QueueRow]) -> Table:
    made = table(
        "Exceptions", "period", "document", "code", "amount", "since", "days", "waits for",
        right=("amount", "days"),
    )  # fmt: skip
    for row in rows:
        made.add_row(*_named(row), row["first_seen"], str(row["age"]), row["owner"])
    return made


def _acknowledged(rows: Sequence[QueueRow]) -> Table:
    made = table("Acknowledged", "period", "document", "code", "amount", "by", "on", "until", "note",
                 right=("amount",))  # fmt: skip
    for row in rows:
        if known := row["acknowledged"]:
            until = known["until"] or "-"
            made.add_row(*_named(row), known["by"], known["at"][:10], until, known["note"])
    return made


def _named(row: QueueRow) -> tuple[str, str, str, str]:
    code = f"hold {row['code']}" if row["is_held"] else row["code"]
    amount = money(row["amount"], row["currency"])
    return row["period"] or "-", row["number"] or row["ref"], code, amount


def _remedies(rows: Sequence[QueueRow]) -> list[Text]:
    """What each code means and what mends it, once."""
    told = {(row["is_held"], row["code"]): f"{row['description']} {row['remedy']}" for row in rows}
    return [
        Text.assemble((f"hold {code}" if is_held else code, "bold"), f": {text}")
        for (is_held, code), text in told.items()
    ]


def _count(told: QueueJson, *, everything: bool) -> str:
    waiting, known = told["waiting"], told["acknowledged"]
    hidden = "" if everything or not known else "; --all lists them, too"
    return f"{waiting} wait, {known} acknowledged{hidden}."
