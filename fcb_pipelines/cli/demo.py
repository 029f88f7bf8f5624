"""`fcb demo`: the whole month-end close of a dataset on this machine, proved."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from fcb_pipelines.cli import options
from fcb_pipelines.cli.exits import Exit
from fcb_pipelines.cli.expected import differences, gates_to_fail
from fcb_pipelines.cli.months import run_months
from fcb_pipelines.cli.screen import (
    emit_json,
    failed_gates,
    marked,
    money,
    out,
    say,
    status_tables,
)
from fcb_pipelines.cli.work import open_pipeline, prepare_ledger, working_in
from fcb_pipelines.config import environment
from fcb_pipelines.core.close.shapes import StatusJson
from fcb_pipelines.sandbox.session import DEFAULT_DATASET, Sandbox, open_dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a demo showed: the status JSON, the report pages, and whatever speaks against it."""

    status: StatusJson
    reports: tuple[Path, ...]
    posted_now: int
    against: tuple[str, ...]


def demo(
    dataset: Annotated[
        str,
        typer.Option("--dataset", metavar="DIR|NAME", help="A dataset folder, or a packaged name."),
    ] = DEFAULT_DATASET,
    ledger: Annotated[
        str, typer.Option("--ledger", metavar="beancount|odoo", help="Ledger to close.")
    ] = "beancount",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over: forget what earlier runs wrote.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the sandbox running for the other verbs.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Close every month of a dataset: extract, verify, post, prove, report.

    Brings up its own Postgres, Stripe and Lago on loopback, posts every period automatically, and
    compares what came out with the dataset's expected.json where it has one. Run again it finds
    everything posted and posts nothing. A real Odoo 19 with: --ledger odoo

    Examples:

        fcb demo
        fcb demo --ledger odoo --keep
        fcb demo --dataset ./my-dataset --fresh --json
    """
    here = environment.read({**os.environ, "FCB_LEDGER": ledger})
    opened = open_dataset(dataset, here.home)
    box = Sandbox(opened, here.home, ledger=here.ledger, odoo_folder=here.odoo_cache, say=say)
    if fresh:
        box.start_over()
    with box.running(keep=keep) as lent, working_in(lent, quiet=as_json) as found:
        prepare_ledger(found, opened)
        proof = _close(open_pipeline(found), opened.expected)
    if as_json:
        emit_json(proof.status)
        for against in proof.against:
            say(against)
    else:
        _show(proof)
    if proof.against:
        raise typer.Exit(Exit.DIFFERENCE)


def _close(pipeline: Any, expected: Any) -> Proof:
    pipeline.extract()
    outcomes = run_months(pipeline, pipeline.periods(), post=True)
    say("proving completeness")
    complete = pipeline.completeness()
    say("writing the close reports")
    reports = tuple(pipeline.report(period) for period in pipeline.periods())
    status = pipeline.status()
    failed, meant = failed_gates(status), gates_to_fail(expected or {})
    against = [f"gate failed: {gate}" for gate in failed if gate not in meant]
    stopped = [one.period for one in outcomes if not one.ok and not one.failed_gates]
    against += [f"{period}: the run failed" for period in stopped]
    if not complete and not failed and not against:
        against.append("completeness is not proved")
    against += differences(expected or {}, status)
    return Proof(
        status=status,
        reports=reports,
        posted_now=sum(outcome.posted for outcome in outcomes),
        against=tuple(against),
    )


def _show(proof: Proof) -> None:
    screen = out()
    for table in status_tables(proof.status):
        screen.print(table)
    periods = proof.status["periods"].values()
    skipped, held = (sum(entry[what] for entry in periods) for what in ("skip", "hold"))
    for currency, totals in proof.status["totals"].items():
        screen.print(
            Text.assemble(
                (f"{totals['posted_count']} posted", "bold"),
                f", {money(totals['posted_total'], currency)}, "
                f"receivable {money(totals['receivable'], currency)}",
            )
        )
    screen.print(f"{skipped} skipped, {held} held; {proof.posted_now} posted by this run")
    if proof.reports:
        screen.print(f"close reports: {proof.reports[-1].parent}", soft_wrap=True)
    for against in proof.against:
        screen.print(marked("✗", "bold red", against))
    if not proof.against:
        screen.print(Text("✓ Proved.", style="bold green"))
